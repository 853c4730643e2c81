package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// mostPending bounds what somebody asks for at the same time.
const mostPending = 20

func scopeAsked(r store.AccessRequest) access.Scope {
	return access.Scope{Project: r.ProjectID, API: r.APIID, Environment: r.EnvironmentID}
}

// untilAsked is when what is asked for would end, were it given now.
func untilAsked(r store.AccessRequest, now time.Time) time.Time {
	if r.Minutes == 0 {
		return noEnd
	}
	return now.Add(time.Duration(r.Minutes) * time.Minute)
}

// showRequests returns access requests as the caller sees them.
func (h *Handlers) showRequests(ctx context.Context, org *store.Org, rows ...store.AccessRequest) ([]AccessRequest, error) {
	var ids, asked []string
	for _, r := range rows {
		ids, asked = append(ids, r.PrincipalID), append(asked, r.RoleID)
		if r.DecidedBy != "" {
			ids = append(ids, r.DecidedBy)
		}
	}
	roles, err := rights.RolesCalled(ctx, org, asked...)
	if err != nil {
		return nil, err
	}
	called, err := names(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	held, err := h.held(ctx, org)
	if err != nil {
		return nil, err
	}
	out, now := make([]AccessRequest, len(rows)), h.store.Now()
	for i, r := range rows {
		out[i] = accessRequestOf(r, roles[r.RoleID].Name, called)
		if r.Status == store.Pending && r.PrincipalID != caller(ctx).Subject {
			needed := append([]string{"role:update"}, roles[r.RoleID].Permissions...)
			out[i].MayDecide = new(access.Missing(held, needed, scopeAsked(r), untilAsked(r, now), now) == "")
		}
	}
	return out, nil
}

// ListAccessRequests returns a page of access requests.
func (h *Handlers) ListAccessRequests(ctx context.Context, r ListAccessRequestsRequestObject) (ListAccessRequestsResponseObject, error) {
	me := caller(ctx).Subject
	f := store.AccessRequestFilter{Principal: deref(r.Params.Principal), Status: string(deref(r.Params.Status)), Project: deref(r.Params.Project)}
	if f.Principal == "me" {
		f.Principal = me
	}
	if f.Principal != me {
		d, err := authn.Allow(ctx, "role:read", authn.Scope{Project: f.Project})
		switch {
		case err != nil:
			return nil, err
		case !d.Allowed && f.Principal != "":
			return nil, authn.Denied("role:read", authn.Scope{Project: f.Project})
		case !d.Allowed:
			f.Principal = me
		}
	}
	org := h.mine(ctx)
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := org.AccessRequests(ctx, f, p)
	if err != nil {
		return nil, err
	}
	items, err := h.showRequests(ctx, org, page.Items...)
	return ListAccessRequests200JSONResponse{Items: items, Next: ptr(page.Next)}, err
}

// GetAccessRequest returns an access request.
func (h *Handlers) GetAccessRequest(ctx context.Context, r GetAccessRequestRequestObject) (GetAccessRequestResponseObject, error) {
	org := h.mine(ctx)
	row, err := org.AccessRequest(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if row.PrincipalID != caller(ctx).Subject {
		if err := authn.Require(ctx, "role:read", authnScope(scopeAsked(row))); err != nil {
			return nil, err
		}
	}
	out, err := h.showRequests(ctx, org, row)
	if err != nil {
		return nil, err
	}
	return GetAccessRequest200JSONResponse{Body: out[0], Headers: GetAccessRequest200ResponseHeaders{ETag: etag(row.Version)}}, nil
}

// CreateAccessRequest asks for a role.
func (h *Handlers) CreateAccessRequest(ctx context.Context, r CreateAccessRequestRequestObject) (CreateAccessRequestResponseObject, error) {
	p, b := caller(ctx), r.Body
	made, err := create(ctx, h, func(tx *store.Tx) (AccessRequest, error) {
		roles, err := rights.RolesCalled(ctx, tx.Org, b.Role)
		if err != nil {
			return AccessRequest{}, err
		}
		role, ok := findRole(roles, b.Role)
		if !ok {
			return AccessRequest{}, invalid("/role", "reference", "there is no role %q: see /roles", b.Role)
		}
		n, err := tx.PendingAccessRequests(ctx, p.Subject)
		if err != nil {
			return AccessRequest{}, err
		}
		if n >= mostPending {
			return AccessRequest{}, problem.New(problem.CodeConflict, "%d requests of yours wait already: withdraw one, or have them decided", n)
		}
		row := store.AccessRequest{
			PrincipalID: p.Subject, PrincipalKind: string(p.Kind), RoleID: role.ID, ProjectID: deref(b.Project), APIID: deref(b.Api),
			EnvironmentID: deref(b.Environment), Reason: strings.TrimSpace(b.Reason), Minutes: deref(b.Minutes),
		}
		if err := tx.CreateAccessRequest(ctx, &row); err != nil {
			return AccessRequest{}, err
		}
		out := accessRequestOf(row, role.Name, map[string]string{p.Subject: p.Name})
		return out, h.record(ctx, tx, "access-request.created", "access-request", row.ID, role.Name+" for "+p.Name, nil, out)
	})
	return CreateAccessRequest201JSONResponse{Body: made, Headers: CreateAccessRequest201ResponseHeaders{ETag: etag(made.Version), Location: location("access/requests", made.Id)}}, err
}

// decide ends a request that waits; act is what makes it what it becomes.
func (h *Handlers) decide(ctx context.Context, id string, header *IfMatchOptional, status, note string, act func(tx *store.Tx, row *store.AccessRequest, role access.Role) error) (AccessRequest, error) {
	version, err := httpx.IfMatchOptional(deref(header))
	if err != nil {
		return AccessRequest{}, err
	}
	var row store.AccessRequest
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if row, err = tx.LockAccessRequest(ctx, id); err != nil {
			return err
		}
		if err := db.Expect(row.Version, version); err != nil {
			return err
		}
		if row.Status != store.Pending {
			return problem.New(problem.CodeConflict, "this request is %s already", row.Status)
		}
		roles, err := rights.RolesCalled(ctx, tx.Org, row.RoleID)
		if err != nil {
			return err
		}
		role := roles[row.RoleID]
		who, err := names(ctx, tx.Org, []string{row.PrincipalID})
		if err != nil {
			return err
		}
		before := accessRequestOf(row, role.Name, who)
		if err := act(tx, &row, role); err != nil {
			return err
		}
		row.Status, row.DecidedBy, row.DecidedAt, row.Note = status, caller(ctx).Subject, new(h.store.Now()), strings.TrimSpace(note)
		if err := tx.DecideAccessRequest(ctx, &row); err != nil {
			return err
		}
		return h.record(ctx, tx, "access-request."+status, "access-request", row.ID, role.Name+" for "+who[row.PrincipalID], before, accessRequestOf(row, role.Name, who))
	})
	if err != nil {
		return AccessRequest{}, err
	}
	out, err := h.showRequests(ctx, h.mine(ctx), row)
	if err != nil {
		return AccessRequest{}, err
	}
	return out[0], nil
}

// mayDecide returns a problem where the caller could not give the role themselves.
func (h *Handlers) mayDecide(ctx context.Context, tx *store.Tx, row store.AccessRequest, role access.Role) error {
	if err := authn.Require(ctx, "role:update", authnScope(scopeAsked(row))); err != nil {
		return err
	}
	if row.PrincipalID == caller(ctx).Subject {
		return problem.New(problem.CodeAccessDenied, "nobody decides about what they ask for themselves: withdraw it, or have somebody else decide")
	}
	return h.handsOn(ctx, tx, role.Permissions, scopeAsked(row), untilAsked(row, h.store.Now()))
}

func noteOf(d *AccessDecision) string {
	if d == nil {
		return ""
	}
	return deref(d.Note)
}

// ApproveAccessRequest gives what was asked for.
func (h *Handlers) ApproveAccessRequest(ctx context.Context, r ApproveAccessRequestRequestObject) (ApproveAccessRequestResponseObject, error) {
	out, err := h.decide(ctx, r.Id, r.Params.IfMatch, store.Approved, noteOf(r.Body), func(tx *store.Tx, row *store.AccessRequest, role access.Role) error {
		if err := h.mayDecide(ctx, tx, *row, role); err != nil {
			return err
		}
		if p, err := rights.Find(ctx, tx.Org, row.PrincipalID); store.IsNotFound(err) || err == nil && !p.Active {
			return problem.New(problem.CodeConflict, "who asked for it is disabled or deleted by now: deny it")
		} else if err != nil {
			return err
		}
		g := store.Grant{
			PrincipalID: row.PrincipalID, PrincipalKind: row.PrincipalKind, RoleID: role.ID,
			ProjectID: row.ProjectID, APIID: row.APIID, EnvironmentID: row.EnvironmentID,
		}
		if until := untilAsked(*row, h.store.Now()); !until.IsZero() {
			g.ExpiresAt = &until
		}
		if err := tx.CreateGrant(ctx, &g); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return problem.New(problem.CodeConflict, "they have the role %s there already: deny this request", role.Name)
			}
			return err
		}
		row.GrantID = g.ID
		return nil
	})
	return ApproveAccessRequest200JSONResponse{Body: out, Headers: ApproveAccessRequest200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// DenyAccessRequest refuses what was asked for.
func (h *Handlers) DenyAccessRequest(ctx context.Context, r DenyAccessRequestRequestObject) (DenyAccessRequestResponseObject, error) {
	out, err := h.decide(ctx, r.Id, r.Params.IfMatch, store.Refused, noteOf(r.Body), func(tx *store.Tx, row *store.AccessRequest, role access.Role) error {
		return h.mayDecide(ctx, tx, *row, role)
	})
	return DenyAccessRequest200JSONResponse{Body: out, Headers: DenyAccessRequest200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// WithdrawAccessRequest takes one's own request back.
func (h *Handlers) WithdrawAccessRequest(ctx context.Context, r WithdrawAccessRequestRequestObject) (WithdrawAccessRequestResponseObject, error) {
	out, err := h.decide(ctx, r.Id, r.Params.IfMatch, store.Withdrawn, "", func(_ *store.Tx, row *store.AccessRequest, _ access.Role) error {
		if row.PrincipalID != caller(ctx).Subject {
			return db.ErrNotFound
		}
		return nil
	})
	return WithdrawAccessRequest200JSONResponse{Body: out, Headers: WithdrawAccessRequest200ResponseHeaders{ETag: etag(out.Version)}}, err
}
