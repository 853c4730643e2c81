package api

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListAudit returns a page of the audit trail.
func (h *Handlers) ListAudit(ctx context.Context, r ListAuditRequestObject) (ListAuditResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	p := r.Params
	page, err := h.mine(ctx).Audit(ctx, store.AuditFilter{
		Actor: deref(p.Actor), Impersonator: deref(p.Impersonator), Target: deref(p.Target), Service: deref(p.Service), Outcome: string(deref(p.Outcome)), Via: string(deref(p.Via)),
		Action: deref(p.Action), From: deref(p.From), To: deref(p.To), Search: deref(p.Q),
	}, httpx.Page(p.Cursor, p.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	gone, err := erased(ctx, h.mine(ctx), page.Items)
	if err != nil {
		return nil, err
	}
	out := AuditList{Items: make([]AuditEntry, len(page.Items)), Next: ptr(page.Next), LookedBackTo: page.LookedBackTo}
	for i, e := range page.Items {
		out.Items[i] = auditOf(gone.without(e))
	}
	return ListAudit200JSONResponse(out), nil
}

// names of users who are deleted, by their ids.
type namesOfErased map[string]string

// erased returns which of the users in entries are deleted. Their names are in the
// entries, which are sealed, and are not shown any more.
func erased(ctx context.Context, org *store.Org, entries []audit.Entry) (namesOfErased, error) {
	var ids []string
	for _, e := range entries {
		for _, id := range []string{e.Actor.ID, e.Actor.Impersonator, e.Target.ID} {
			if id != "" && len(id) <= 64 {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	users, err := org.UsersByID(ctx, slices.Compact(ids))
	out := namesOfErased{}
	for _, u := range users {
		if u.Status == store.Deleted {
			out[u.ID] = u.Name
		}
	}
	return out, err
}

// without returns an entry as it is shown: without what says who deleted users were.
func (n namesOfErased) without(e audit.Entry) audit.Entry {
	if name, gone := n[e.Actor.ID]; gone {
		e.Actor.Name, e.IP = name, ""
	}
	if name, gone := n[e.Actor.Impersonator]; gone {
		e.Actor.ImpersonatorName = name
	}
	if name, gone := n[e.Target.ID]; gone {
		e.Target.Name, e.Changes = name, slices.Clone(e.Changes)
		for i, c := range e.Changes {
			if c.Field == "/name" || c.Field == "/email" {
				e.Changes[i] = audit.Change{Field: c.Field, Before: masked(c.Before), After: masked(c.After)}
			}
		}
	}
	return e
}

// masked returns what is shown in place of a value.
func masked(value string) string {
	if value == "" {
		return ""
	}
	return `"***"`
}

// VerifyAudit computes the chain of hashes again.
func (h *Handlers) VerifyAudit(ctx context.Context, _ VerifyAuditRequestObject) (VerifyAuditResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	v, err := org.VerifyAudit(ctx)
	if err == nil {
		err = org.Verified(ctx, v)
	}
	return VerifyAudit200JSONResponse{Valid: v.BrokenAt == 0, Entries: v.Entries, Head: v.Head.Hash, BrokenAt: ptr(v.BrokenAt)}, err
}

// ExportAudit returns the trail as lines of JSON. That somebody took it is an
// entry itself, which is not in what they took.
func (h *Handlers) ExportAudit(ctx context.Context, r ExportAuditRequestObject) (ExportAuditResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	after, filter, said := deref(r.Params.After), partFilter(r.Params), map[string]string{}
	if filter != (store.AuditFilter{}) {
		said = partOf(r.Params)
	}
	org := h.mine(ctx)
	kept, err := org.AuditRetention(ctx)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		return h.record(ctx, tx, "audit.exported", "audit", tx.ID(), "", nil, exportedPart{after, kept.Last, said})
	})
	if err != nil {
		return nil, err
	}
	e := &export{ctx: ctx, org: org, after: after, last: kept.Last, to: deref(r.Params.To), filter: filter}
	if deref(r.Params.Format) == Csv {
		if err := e.beginTable(); err != nil {
			return nil, err
		}
		name := "audit-" + h.store.Now().UTC().Format(time.DateOnly) + ".csv"
		return ExportAudit200TextcsvResponse{Body: e, Headers: ExportAudit200ResponseHeaders{ContentDisposition: ptr(`attachment; filename="` + name + `"`)}}, nil
	}
	if len(said) > 0 {
		if err := h.beginPart(ctx, e, said); err != nil {
			return nil, err
		}
	}
	name := "audit-" + h.store.Now().UTC().Format(time.DateOnly) + ".jsonl"
	return ExportAudit200ApplicationjsonlResponse{Body: e, Headers: ExportAudit200ResponseHeaders{ContentDisposition: ptr(`attachment; filename="` + name + `"`)}}, nil
}

// GetAuditRetention returns how long entries are kept.
func (h *Handlers) GetAuditRetention(ctx context.Context, _ GetAuditRetentionRequestObject) (GetAuditRetentionResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	kept, err := h.mine(ctx).AuditRetention(ctx)
	return GetAuditRetention200JSONResponse{Body: retentionOf(kept), Headers: GetAuditRetention200ResponseHeaders{ETag: etag(kept.Version)}}, err
}

// leastRetention is how many days entries are kept at least, so that nobody hides
// what they did by having it removed at once.
const leastRetention = 30

// SetAuditRetention says how long entries are kept.
func (h *Handlers) SetAuditRetention(ctx context.Context, r SetAuditRetentionRequestObject) (SetAuditRetentionResponseObject, error) {
	if err := authn.Require(ctx, "audit:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	days := r.Body.Days
	if days != 0 && days < leastRetention {
		return nil, invalid("/days", "minimum", "entries are kept for %d days at least, or for ever (0)", leastRetention)
	}
	var kept store.AuditRetention
	err = h.change(ctx, func(tx *store.Tx) error {
		before, after, err := tx.SetAuditRetention(ctx, days, version)
		if err != nil {
			return err
		}
		kept = after
		return h.record(ctx, tx, "audit.retention-changed", "audit", tx.ID(), "", AuditRetentionInput{Days: before.Days}, AuditRetentionInput{Days: days})
	})
	return SetAuditRetention200JSONResponse{Body: retentionOf(kept), Headers: SetAuditRetention200ResponseHeaders{ETag: etag(kept.Version)}}, err
}

func retentionOf(r store.AuditRetention) AuditRetention {
	out := AuditRetention{Days: r.Days, Version: r.Version, First: r.First}
	if r.First > 0 {
		out.Entries = r.Last - r.First + 1
	}
	return out
}
