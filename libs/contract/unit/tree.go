package unit

import "fmt"

const (
	// leaf is how many units an index lists before it is split by a hex digit of
	// the name's hash, so that one change costs a short path of short documents
	// however large a project is.
	leaf = 64
	// fan is how many parts an index is split into.
	fan = 16
	// deepest bounds the splitting: the hash of a name has no more digits.
	deepest = 64
)

// Tree is the index of a project's units, split where it is long. It is changed
// in place: after one change only the indexes on the way to it are written anew.
// What it writes depends on what is in it alone, not on how it came there. It is
// for one goroutine.
type Tree struct {
	project string
	root    *branch
}

// branch is one index: it lists units, or, where there are too many, branches.
type branch struct {
	name  string
	depth int
	count int
	units map[string]Ref // by name; nil where it was split
	parts [fan]*branch
	ref   Ref // of the index as it was last written; no hash = it must be written
}

// NewTree returns the empty index of a project.
func NewTree(project string) *Tree {
	return &Tree{project: project, root: &branch{name: project, units: map[string]Ref{}}}
}

// Len returns the number of units.
func (t *Tree) Len() int { return t.root.count }

// Set puts a unit in, or in the place of the one of the same name.
func (t *Tree) Set(r Ref) { t.root.set(r, string(HashOf([]byte(r.Name)))) }

// Remove takes a unit out.
func (t *Tree) Remove(name string) { t.root.remove(name, string(HashOf([]byte(name)))) }

// Write writes the indexes that have changed since the last time and returns the
// one of the whole project.
func (t *Tree) Write(put func(Hash, []byte)) (Ref, error) { return t.root.write(t.project, put) }

// Touch has the next Write write every index, changed or not.
func (t *Tree) Touch() { t.root.touch() }

func digit(hash string, depth int) int {
	c := hash[depth]
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c - '0')
}

func (b *branch) part(hash string) *branch {
	i := digit(hash, b.depth)
	if b.parts[i] == nil {
		b.parts[i] = &branch{name: b.name + "/" + hash[b.depth:b.depth+1], depth: b.depth + 1, units: map[string]Ref{}}
	}
	return b.parts[i]
}

func (b *branch) set(r Ref, hash string) (added bool) {
	if b.units == nil {
		added = b.part(hash).set(r, hash)
	} else {
		old, there := b.units[r.Name]
		if there && old == r {
			return false
		}
		b.units[r.Name], added = r, !there
	}
	b.ref = Ref{}
	if added {
		b.count++
		b.split()
	}
	return added
}

func (b *branch) split() {
	if b.units == nil || b.count <= leaf || b.depth >= deepest {
		return
	}
	units := b.units
	b.units = nil
	for name, r := range units {
		hash := string(HashOf([]byte(name)))
		b.part(hash).set(r, hash)
	}
}

func (b *branch) remove(name, hash string) (removed bool) {
	if b.units != nil {
		if _, removed = b.units[name]; removed {
			delete(b.units, name)
		}
	} else if p := b.parts[digit(hash, b.depth)]; p != nil {
		removed = p.remove(name, hash)
		if p.count == 0 {
			b.parts[digit(hash, b.depth)] = nil
		}
	}
	if removed {
		b.ref = Ref{}
		b.count--
		b.join()
	}
	return removed
}

// join undoes a split that is no longer needed.
func (b *branch) join() {
	if b.units != nil || b.count > leaf {
		return
	}
	b.units = make(map[string]Ref, b.count)
	for _, p := range b.parts {
		if p != nil {
			p.collect(b.units)
		}
	}
	b.parts = [fan]*branch{}
}

func (b *branch) collect(into map[string]Ref) {
	for name, r := range b.units {
		into[name] = r
	}
	for _, p := range b.parts {
		if p != nil {
			p.collect(into)
		}
	}
}

func (b *branch) write(project string, put func(Hash, []byte)) (Ref, error) {
	if b.ref.Hash != "" {
		return b.ref, nil
	}
	ix := Index{Project: project, Units: make([]Ref, 0, min(len(b.units), leaf)+fan)}
	for _, r := range b.units {
		ix.Units = append(ix.Units, r)
	}
	for _, p := range b.parts {
		if p == nil {
			continue
		}
		ref, err := p.write(project, put)
		if err != nil {
			return Ref{}, err
		}
		ix.Units = append(ix.Units, ref)
	}
	SortRefs(ix.Units)
	doc, hash, err := Encode(ix)
	if err != nil {
		return Ref{}, fmt.Errorf("writing the index of %s: %w", b.name, err)
	}
	put(hash, doc)
	b.ref = Ref{Kind: KindIndex, Name: b.name, Hash: hash}
	return b.ref, nil
}

func (b *branch) touch() {
	b.ref = Ref{}
	for _, p := range b.parts {
		if p != nil {
			p.touch()
		}
	}
}
