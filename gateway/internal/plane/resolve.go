package plane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/unitstore"
)

// tree is a manifest with its indexes resolved. It is not changed once it is
// made.
type tree struct {
	top     []unit.Ref
	indexes map[unit.Hash][]unit.Ref
	// refs are the units, indexes resolved, ordered by kind and name.
	refs []unit.Ref
	// units are the documents by hash that came with the last changes, base those
	// of before, which trees share. Some are no longer listed.
	units, base map[unit.Hash][]byte
}

// recent is how many documents are copied with each change, at most: with more,
// a new base is made of all.
const recent = 256

func (t *tree) document(h unit.Hash) []byte {
	if doc, ok := t.units[h]; ok {
		return doc
	}
	return t.base[h]
}

// after returns a tree with the documents of another.
func after(old *tree) *tree {
	next := &tree{indexes: maps.Clone(old.indexes), units: maps.Clone(old.units), base: old.base}
	if next.indexes == nil {
		next.indexes = map[unit.Hash][]unit.Ref{}
	}
	if len(next.units) > recent {
		base := make(map[unit.Hash][]byte, len(next.base)+len(next.units))
		maps.Copy(base, next.base)
		maps.Copy(base, next.units)
		next.base, next.units = base, nil
	}
	if next.units == nil {
		next.units = map[unit.Hash][]byte{}
	}
	return next
}

// wasteful reports whether a tree has many documents that nothing lists any more.
func (t *tree) wasteful() bool {
	n := len(t.refs) + len(t.indexes)
	return len(t.units)+len(t.base) > n+n/4+64 || len(t.indexes) > len(t.refs)/8+64
}

// resolve returns the tree of a manifest. What is the same as in the last one is
// taken over without a look at it, so that a change costs its path through the
// indexes, however many units there are. What is lacking is fetched level by
// level.
func (p *Plane) resolve(ctx context.Context, m unit.Manifest) (*tree, error) {
	old, was := p.tree, p.tree
	if was == nil {
		was = &tree{}
	}
	if old == nil || old.wasteful() {
		old = &tree{}
	}
	next := after(old)
	next.top = slices.Concat(m.Units, m.Projects)
	r := resolver{p: p, was: was, next: next, have: p.o.Units(), removed: map[string][]unit.Ref{}}
	for level := []pair{{old.top, next.top}}; len(level) > 0; {
		var err error
		if level, err = r.level(ctx, level); err != nil {
			return nil, err
		}
	}
	next.refs = make([]unit.Ref, 0, len(old.refs)+len(r.added))
	for _, ref := range old.refs {
		if gone := r.removed[ref.Name]; gone == nil || !slices.Contains(gone, ref) {
			next.refs = append(next.refs, ref)
		}
	}
	if len(r.added) > 64 {
		next.refs = append(next.refs, r.added...)
		unit.SortRefs(next.refs)
		return next, nil
	}
	for _, ref := range r.added { // into a list that is in order
		at, _ := slices.BinarySearchFunc(next.refs, ref, order)
		next.refs = slices.Insert(next.refs, at, ref)
	}
	return next, nil
}

func order(a, b unit.Ref) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// pair is a list of units as it was and as it is.
type pair struct{ old, next []unit.Ref }

// resolver is one resolution.
type resolver struct {
	p         *Plane
	was, next *tree
	have      map[unit.Hash][]byte
	removed   map[string][]unit.Ref // by name
	added     []unit.Ref
}

// level resolves one level of lists, and returns the next.
func (r *resolver) level(ctx context.Context, level []pair) ([]pair, error) {
	type change struct{ old, next unit.Ref } // of one name; one may be zero
	var changes []change
	var wanted []unit.Ref
	for _, l := range level {
		compare(l.old, l.next, func(old, next unit.Ref) {
			changes = append(changes, change{old, next})
			if next.Hash != "" {
				wanted = append(wanted, next)
			}
		})
	}
	if err := r.fetch(ctx, wanted); err != nil {
		return nil, err
	}
	var deeper []pair
	for _, c := range changes {
		var l pair
		index := false
		switch {
		case c.old.Kind == unit.KindIndex:
			l.old, index = r.next.indexes[c.old.Hash], true // those of the old tree are all in it
		case c.old.Hash != "":
			r.removed[c.old.Name] = append(r.removed[c.old.Name], c.old)
		}
		switch {
		case c.next.Kind == unit.KindIndex:
			refs, err := r.index(c.next)
			if err != nil {
				return nil, err
			}
			l.next, index = refs, true
		case c.next.Hash != "":
			r.added = append(r.added, c.next)
		}
		if index {
			deeper = append(deeper, l)
		}
	}
	return deeper, nil
}

// index returns what an index lists.
func (r *resolver) index(ref unit.Ref) ([]unit.Ref, error) {
	if refs, ok := r.next.indexes[ref.Hash]; ok {
		return refs, nil
	}
	ix, err := unit.Decode[unit.Index](r.next.document(ref.Hash))
	if err != nil {
		return nil, fmt.Errorf("%w: index %s: %w", errManifest, ref.Name, err)
	}
	r.next.indexes[ref.Hash] = ix.Units
	return ix.Units, nil
}

// fetch has the documents of a level in the tree.
func (r *resolver) fetch(ctx context.Context, wanted []unit.Ref) error {
	var lacking []unit.Hash
	asked := map[unit.Hash]bool{}
	for _, ref := range wanted {
		h := ref.Hash
		if r.next.document(h) != nil || asked[h] {
			continue
		}
		doc := r.have[h]
		if doc == nil {
			doc = r.was.document(h)
		}
		if doc == nil {
			doc = r.p.fetched[h]
		}
		if doc != nil {
			r.next.units[h] = doc
			continue
		}
		asked[h] = true
		lacking = append(lacking, h)
	}
	docs, read, err := r.p.units.GetAll(ctx, r.p.o.Organization, lacking)
	r.p.received.Add(read)
	for h, doc := range docs {
		r.next.units[h], r.p.fetched[h] = doc, doc
	}
	if err != nil {
		return lacks(err, wanted, r.next)
	}
	return nil
}

// compare tells the differences of two lists, by kind and name. What is in one
// only is told with a zero on the other side.
func compare(old, next []unit.Ref, differ func(old, next unit.Ref)) {
	for _, list := range []*[]unit.Ref{&old, &next} {
		if !slices.IsSortedFunc(*list, order) {
			*list = slices.SortedFunc(slices.Values(*list), order)
		}
	}
	for len(old) > 0 || len(next) > 0 {
		c := 0
		switch {
		case len(old) == 0:
			c = 1
		case len(next) == 0:
			c = -1
		default:
			c = order(old[0], next[0])
		}
		switch {
		case c < 0:
			differ(old[0], unit.Ref{})
			old = old[1:]
		case c > 0:
			differ(unit.Ref{}, next[0])
			next = next[1:]
		default:
			if old[0].Hash != next[0].Hash {
				differ(old[0], next[0])
			}
			old, next = old[1:], next[1:]
		}
	}
}

// lacks names the unit that could not be had.
func lacks(err error, level []unit.Ref, have *tree) error {
	if !errors.Is(err, unitstore.ErrMissing) {
		return fmt.Errorf("fetching units: %w", err)
	}
	n, first := 0, ""
	for _, r := range level {
		if len(have.document(r.Hash)) == 0 {
			if n++; first == "" {
				first = string(r.Kind) + " " + r.Name
			}
		}
	}
	return fmt.Errorf("%d units are not there, %s among them: %w", n, first, source.ErrIncomplete)
}
