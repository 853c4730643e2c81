// Package source is where the gateway's configuration comes from: what a source
// delivers, and the cache on disk from which a gateway starts when nothing else
// can be reached. The sources themselves (a file, and later the control plane)
// are packages of their own.
package source

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Snapshot is a whole configuration: everything that a gateway must serve.
type Snapshot struct {
	// Manifest is what the units were listed by; Signed is how it came.
	Manifest unit.Manifest
	Signed   unit.Signed
	// Origin tells what the snapshot was made of, for sources that can tell a
	// known one without reading it: the hash of a file's text. It may be empty.
	Origin string
	// Refs are the units themselves, indexes resolved, ordered by kind and name.
	Refs []unit.Ref
	// Units are the documents by hash.
	Units map[unit.Hash][]byte
	// Base are further documents by hash. Snapshots that follow each other share
	// it, so that one does not cost as much as all that is in it: nobody changes it.
	Base map[unit.Hash][]byte
	// Broken are units that the source could not make. What was served under
	// their names goes on; where there was nothing, their addresses answer 503.
	Broken []Broken
	// Credentials, where not nil, are to be applied with the snapshot.
	Credentials *credential.Feed
	// Parts, where not nil, is the whole of what is known of credentials,
	// Credentials included, for sources that have too many to hold at once.
	Parts iter.Seq2[credential.Feed, error]
	// Locate tells where a field of a unit stands in a file: its pointer there,
	// and the place as "name:line:column". Nil where units do not come from files.
	Locate func(kind unit.Kind, name, pointer string) (filePointer, place string)
}

// Document returns the document of a hash, nil where there is none.
func (s *Snapshot) Document(h unit.Hash) []byte {
	if doc, ok := s.Units[h]; ok {
		return doc
	}
	return s.Base[h]
}

// Broken is a unit that could not be made.
type Broken struct {
	Name     string
	Hosts    []string
	BasePath string
	Problems []problem.Field
}

// Source delivers configurations. Run calls deliver with the current one and
// again after each change, until ctx ends. Deliver returns when the snapshot is
// applied; its error says that the snapshot as a whole was not accepted, and
// what was served before is served on.
type Source interface {
	Run(ctx context.Context, deliver func(Snapshot) error) error
}

// ErrIncomplete says that a unit which the manifest lists could not be had.
var ErrIncomplete = errors.New("unit is missing")

// Flatten resolves the indexes of a manifest. Get returns a document by hash;
// every document is checked against its hash.
func Flatten(m unit.Manifest, get func(unit.Ref) ([]byte, error)) (Snapshot, error) {
	s := Snapshot{Manifest: m, Units: map[unit.Hash][]byte{}}
	pending := append(append([]unit.Ref{}, m.Units...), m.Projects...)
	for len(pending) > 0 {
		ref := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		doc, err := get(ref)
		if err != nil {
			return Snapshot{}, fmt.Errorf("fetching %s %s (%s): %w", ref.Kind, ref.Name, ref.Hash, err)
		}
		if err := ref.Hash.Verify(doc); err != nil {
			return Snapshot{}, err
		}
		if ref.Kind == unit.KindIndex {
			ix, err := unit.Decode[unit.Index](doc)
			if err != nil {
				return Snapshot{}, err
			}
			pending = append(pending, ix.Units...)
		} else {
			s.Refs = append(s.Refs, ref)
		}
		s.Units[ref.Hash] = doc
	}
	unit.SortRefs(s.Refs)
	return s, nil
}
