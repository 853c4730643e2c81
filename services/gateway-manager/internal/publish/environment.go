package publish

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// environment is what is deployed in one environment, as the worker holds it: the
// indexes of its projects, so that one change costs a few short documents.
type environment struct {
	id       string
	sequence int64 // up to which changes are in
	apis     map[string]*entry
	trees    map[string]*unit.Tree // by project
	// unwritten are indexes that are to be put into the bucket.
	unwritten map[unit.Hash][]byte
}

// entry is one API that is deployed.
type entry struct {
	row  store.Deployed
	hash unit.Hash
}

func newEnvironment(id string) *environment {
	return &environment{id: id, apis: map[string]*entry{}, trees: map[string]*unit.Tree{}, unwritten: map[unit.Hash][]byte{}}
}

// follow takes in what has changed, and returns the entries whose units have to
// be in the bucket.
func (e *environment) follow(ctx context.Context, o *store.Org) ([]*entry, error) {
	rows, err := o.DeployedSince(ctx, e.id, e.sequence)
	if err != nil {
		return nil, err
	}
	var changed []*entry
	for i := range rows {
		r := rows[i]
		e.sequence = max(e.sequence, r.Sequence)
		if old := e.apis[r.APIID]; old != nil && (r.Revision == 0 || old.row.ProjectID != r.ProjectID) {
			e.trees[old.row.ProjectID].Remove(r.APIID)
			delete(e.apis, r.APIID)
		}
		if r.Revision == 0 {
			continue
		}
		en := &entry{row: r, hash: unit.Hash(r.UnitHash)}
		e.apis[r.APIID] = en
		e.set(en)
		changed = append(changed, en)
	}
	return changed, nil
}

// set puts an entry into the index of its project.
func (e *environment) set(en *entry) {
	t := e.trees[en.row.ProjectID]
	if t == nil {
		t = unit.NewTree(en.row.ProjectID)
		e.trees[en.row.ProjectID] = t
	}
	t.Set(unit.Ref{Kind: unit.KindAPI, Name: en.row.APIID, Hash: en.hash})
}

// indexes returns the indexes of the projects that a group serves. What has
// changed of them is among the unwritten.
func (e *environment) indexes(g *store.Group) ([]unit.Ref, error) {
	var refs []unit.Ref
	for project, t := range e.trees {
		if t.Len() == 0 || !g.Serves(project) {
			continue
		}
		ref, err := t.Write(func(h unit.Hash, doc []byte) { e.unwritten[h] = doc })
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	unit.SortRefs(refs)
	return refs, nil
}

// touch has every index written anew.
func (e *environment) touch() {
	for _, t := range e.trees {
		t.Touch()
	}
}

// all returns every entry, ordered by API.
func (e *environment) all() []*entry {
	out := make([]*entry, 0, len(e.apis))
	for _, en := range e.apis {
		out = append(out, en)
	}
	slices.SortFunc(out, func(a, b *entry) int {
		if a.row.APIID < b.row.APIID {
			return -1
		}
		return 1
	})
	return out
}
