package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListScimOutcomes returns a page of what came of a directory's requests.
func (h *Handlers) ListScimOutcomes(ctx context.Context, r ListScimOutcomesRequestObject) (ListScimOutcomesResponseObject, error) {
	if err := authn.Require(ctx, "scim:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	d, err := org.SCIMDirectory(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	run := ""
	if deref(r.Params.DryRun) {
		if run, err = org.LastSCIMRehearsal(ctx, d); err != nil {
			return nil, err
		}
	}
	out := ScimOutcomeList{Items: []ScimOutcome{}, Counts: []ScimActionCount{}}
	if deref(r.Params.DryRun) && run == "" {
		return ListScimOutcomes200JSONResponse(out), nil
	}
	page, err := org.SCIMOutcomes(ctx, d.ID, run, string(deref(r.Params.Action)), deref(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	names, err := memberNames(ctx, org, d.ID, page.Items)
	if err != nil {
		return nil, err
	}
	out.Next = ptr(page.Next)
	for _, o := range page.Items {
		out.Items = append(out.Items, scimOutcomeOf(o, names))
	}
	counts, err := org.CountSCIMOutcomes(ctx, d.ID, run)
	for _, n := range counts {
		out.Counts = append(out.Counts, ScimActionCount{Action: ScimAction(n.Action), Kind: ptr(ScimActionCountKind(n.Kind)), Count: n.N})
	}
	slices.SortFunc(out.Counts, func(a, b ScimActionCount) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(deref(a.Kind), deref(b.Kind)))
	})
	return ListScimOutcomes200JSONResponse(out), err
}

func scimOutcomeOf(o store.SCIMOutcome, names map[string]string) ScimOutcome {
	named := func(ids []string) *[]string {
		out := make([]string, len(ids))
		for i, id := range ids {
			out[i] = cmp.Or(names[id], id)
		}
		return some(out)
	}
	out := ScimOutcome{
		Id: o.ID, Action: ScimAction(o.Action), Kind: ptr(ScimOutcomeKind(o.Kind)), Resource: ptr(o.ResourceID), Name: ptr(o.Name), Detail: ptr(o.Detail),
		Added: named(o.Changes.Added), Removed: named(o.Changes.Removed), AddedCount: ptr(o.Changes.AddedCount), RemovedCount: ptr(o.Changes.RemovedCount),
		Status: o.Status, RequestId: o.RequestID, At: o.CreatedAt.UTC(),
	}
	fields := make([]ScimField, len(o.Changes.Fields))
	for i, f := range o.Changes.Fields {
		fields[i] = ScimField{Field: f.Field, Before: ptr(f.Before), After: ptr(f.After)}
	}
	out.Fields = some(fields)
	return out
}

// memberNames returns the names of members that outcomes tell of, by id: those who are
// there, and those of the rehearsal.
func memberNames(ctx context.Context, org *store.Org, directory string, list []store.SCIMOutcome) (map[string]string, error) {
	var ids []string
	for _, o := range list {
		ids = append(append(ids, o.Changes.Added...), o.Changes.Removed...)
	}
	out := map[string]string{}
	if len(ids) == 0 {
		return out, nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	states, err := org.SCIMRehearsal(ctx, directory)
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		out[s.ResourceID] = s.State.Name
	}
	people, err := org.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, u := range people {
		out[u.ID] = u.Name
	}
	groups, err := org.GroupsByID(ctx, ids)
	for _, g := range groups {
		out[g.ID] = g.Name
	}
	return out, err
}
