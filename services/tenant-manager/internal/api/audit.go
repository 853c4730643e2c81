package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
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
		Actor: deref(p.Actor), Target: deref(p.Target), Service: deref(p.Service), Outcome: string(deref(p.Outcome)),
		Action: deref(p.Action), From: deref(p.From), To: deref(p.To),
	}, httpx.Page(p.Cursor, p.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	out := AuditList{Items: make([]AuditEntry, len(page.Items)), Next: ptr(page.Next)}
	for i, e := range page.Items {
		out.Items[i] = auditOf(e)
	}
	return ListAudit200JSONResponse(out), nil
}

// VerifyAudit computes the chain of hashes again.
func (h *Handlers) VerifyAudit(ctx context.Context, _ VerifyAuditRequestObject) (VerifyAuditResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	head, broken, err := h.mine(ctx).VerifyAudit(ctx)
	return VerifyAudit200JSONResponse{Valid: broken == 0, Entries: head.Sequence, Head: head.Hash, BrokenAt: ptr(broken)}, err
}
