package unit

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"
)

// leaf is how many units an index lists before it is split by the first hex
// digits of the name's hash, so that one change costs a short path of documents
// however large a project is.
const leaf = 64

// SortRefs orders by kind and name, as lists of units are.
func SortRefs(refs []Ref) {
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
}

// Assemble builds and signs the manifest of the given units: settings,
// certificates and policy sets are the group's own, APIs go into the index of
// their project. It adds the index documents to units.
func Assemble(
	m Manifest, refs []Ref, projectOf func(Ref) string, units map[Hash][]byte, keys ...ed25519.PrivateKey,
) (Signed, Manifest, error) {
	m.Units, m.Projects = nil, nil
	byProject := map[string][]Ref{}
	for _, r := range refs {
		if r.Kind == KindAPI {
			p := projectOf(r)
			byProject[p] = append(byProject[p], r)
		} else {
			m.Units = append(m.Units, r)
		}
	}
	SortRefs(m.Units)
	for project, list := range byProject {
		ref, err := index(project, project, list, units, 0)
		if err != nil {
			return Signed{}, m, err
		}
		m.Projects = append(m.Projects, ref)
	}
	SortRefs(m.Projects)
	m.Issued = m.Issued.UTC().Truncate(time.Millisecond)
	signed, err := Sign(m, keys...)
	return signed, m, err
}

// index writes the index of a list, splitting it where it is long.
func index(project, name string, refs []Ref, units map[Hash][]byte, depth int) (Ref, error) {
	ix := Index{Project: project, Units: refs}
	if len(refs) > leaf {
		split := map[string][]Ref{}
		for _, r := range refs {
			h := string(HashOf([]byte(r.Name)))[2*depth : 2*depth+2]
			split[h] = append(split[h], r)
		}
		ix.Units = nil
		for h, part := range split {
			ref, err := index(project, name+"/"+h, part, units, depth+1)
			if err != nil {
				return Ref{}, err
			}
			ix.Units = append(ix.Units, ref)
		}
	}
	SortRefs(ix.Units)
	doc, hash, err := Encode(ix)
	if err != nil {
		return Ref{}, fmt.Errorf("writing the index of %s: %w", name, err)
	}
	units[hash] = doc
	return Ref{Kind: KindIndex, Name: name, Hash: hash}, nil
}
