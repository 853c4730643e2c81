package source

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// bucket is how many units an index lists before it is split by the first hex
// digits of the name's hash, so that one change costs a short path of documents
// however large a project is.
const bucket = 64

func sortRefs(refs []unit.Ref) {
	slices.SortFunc(refs, func(a, b unit.Ref) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
}

// Assemble builds and signs the manifest of the given units: settings,
// certificates and policy sets are the group's own, APIs go into the index of
// their project. It adds the index documents to units.
func Assemble(
	m unit.Manifest, refs []unit.Ref, projectOf func(unit.Ref) string, units map[unit.Hash][]byte, keys ...ed25519.PrivateKey,
) (unit.Signed, unit.Manifest, error) {
	m.Units, m.Projects = nil, nil
	byProject := map[string][]unit.Ref{}
	for _, r := range refs {
		if r.Kind == unit.KindAPI {
			p := projectOf(r)
			byProject[p] = append(byProject[p], r)
		} else {
			m.Units = append(m.Units, r)
		}
	}
	sortRefs(m.Units)
	for project, list := range byProject {
		ref, err := index(project, project, list, units, 0)
		if err != nil {
			return unit.Signed{}, m, err
		}
		m.Projects = append(m.Projects, ref)
	}
	sortRefs(m.Projects)
	m.Issued = m.Issued.UTC().Truncate(time.Millisecond)
	signed, err := unit.Sign(m, keys...)
	return signed, m, err
}

// index writes the index of a list, splitting it where it is long.
func index(project, name string, refs []unit.Ref, units map[unit.Hash][]byte, depth int) (unit.Ref, error) {
	ix := unit.Index{Project: project, Units: refs}
	if len(refs) > bucket {
		split := map[string][]unit.Ref{}
		for _, r := range refs {
			h := string(unit.HashOf([]byte(r.Name)))[2*depth : 2*depth+2]
			split[h] = append(split[h], r)
		}
		ix.Units = nil
		for h, part := range split {
			ref, err := index(project, name+"/"+h, part, units, depth+1)
			if err != nil {
				return unit.Ref{}, err
			}
			ix.Units = append(ix.Units, ref)
		}
	}
	sortRefs(ix.Units)
	doc, hash, err := unit.Encode(ix)
	if err != nil {
		return unit.Ref{}, fmt.Errorf("writing the index of %s: %w", name, err)
	}
	units[hash] = doc
	return unit.Ref{Kind: unit.KindIndex, Name: name, Hash: hash}, nil
}
