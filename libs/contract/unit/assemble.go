package unit

import (
	"cmp"
	"crypto/ed25519"
	"slices"
	"time"
)

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
	byProject := map[string]*Tree{}
	for _, r := range refs {
		if r.Kind == KindAPI {
			p := projectOf(r)
			if byProject[p] == nil {
				byProject[p] = NewTree(p)
			}
			byProject[p].Set(r)
		} else {
			m.Units = append(m.Units, r)
		}
	}
	SortRefs(m.Units)
	for _, tree := range byProject {
		ref, err := tree.Write(func(h Hash, doc []byte) { units[h] = doc })
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
