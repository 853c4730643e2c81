package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// platform returns the first organization's id, or a problem where the caller is
// not one of its people with the permission: to others there is nothing here.
func (h *Handlers) platform(ctx context.Context, permission string) (first string, err error) {
	if err := authn.Require(ctx, permission, authn.Scope{}); err != nil {
		return "", err
	}
	if first, err = h.store.First(ctx); err == nil && first != caller(ctx).Organization {
		err = authn.Denied(permission, authn.Scope{})
	}
	return first, err
}

// platformOrganizations shows organizations, with what counts for their quotas.
func (h *Handlers) platformOrganizations(ctx context.Context, first string, rows ...store.Organization) ([]PlatformOrganization, error) {
	ids, out := make([]string, len(rows)), make([]PlatformOrganization, len(rows))
	for i, o := range rows {
		ids[i] = o.ID
	}
	if len(rows) == 0 {
		return out, nil
	}
	quotas, err := h.store.Quotas(ctx, ids...)
	if err != nil {
		return nil, err
	}
	users, err := h.store.UserCounts(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for i, o := range rows {
		out[i] = PlatformOrganization{
			Id: o.ID, Version: o.Version, Slug: o.Slug, Name: o.Name, Suspended: o.Suspended, First: o.ID == first, Users: users[o.ID],
			DeletedAt: utc(o.DeletedAt), PurgeAt: utc(o.PurgeAt), CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
		}
		if out[i].Quotas, err = quotasOf(quotas[o.ID]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (h *Handlers) platformOrganization(ctx context.Context, o store.Organization, first string) (PlatformOrganization, error) {
	all, err := h.platformOrganizations(ctx, first, o)
	if err != nil {
		return PlatformOrganization{}, err
	}
	return all[0], nil
}

// ListOrganizations returns a page of all organizations.
func (h *Handlers) ListOrganizations(ctx context.Context, r ListOrganizationsRequestObject) (ListOrganizationsResponseObject, error) {
	first, err := h.platform(ctx, "platform:read")
	if err != nil {
		return nil, err
	}
	p := r.Params
	page := httpx.Page(p.Cursor, p.Limit, p.Sort)
	if page.Limit == 0 {
		page.Limit = 50
	}
	f := store.OrganizationFilter{Search: deref(p.Q), Suspended: p.Suspended, Deleted: p.Deleted, Sort: cmp.Or(page.Sort, "name"), Descending: page.Descending, Limit: page.Limit + 1}
	if c := deref(p.Cursor); c != "" {
		raw, err := base64.RawURLEncoding.DecodeString(c)
		if err == nil {
			f.Skip, err = strconv.Atoi(string(raw))
		}
		if err != nil || f.Skip < 0 {
			return nil, invalid("/cursor", "format", "use the next of the page before")
		}
	}
	rows, err := h.store.AllOrganizations(ctx, f)
	if err != nil {
		return nil, err
	}
	var out PlatformOrganizationList
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		out.Next = ptr(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(f.Skip + page.Limit))))
	}
	if out.Items, err = h.platformOrganizations(ctx, first, rows...); err != nil {
		return nil, err
	}
	return ListOrganizations200JSONResponse(out), nil
}

// GetPlatformOrganization returns an organization.
func (h *Handlers) GetPlatformOrganization(ctx context.Context, r GetPlatformOrganizationRequestObject) (GetPlatformOrganizationResponseObject, error) {
	first, err := h.platform(ctx, "platform:read")
	if err != nil {
		return nil, err
	}
	o, err := h.store.For(r.Id).Organization(ctx)
	if err != nil {
		return nil, err
	}
	out, err := h.platformOrganization(ctx, o, first)
	return GetPlatformOrganization200JSONResponse{Body: out, Headers: GetPlatformOrganization200ResponseHeaders{ETag: etag(o.Version)}}, err
}

// platformActor is who acts, as the trails of other organizations say it: who it
// was is in the platform's own.
var platformActor = audit.Actor{Kind: "platform", Name: "Platform administrator"}

// recordBoth puts an entry into the trail of an organization, and of the
// platform's.
func (h *Handlers) recordBoth(ctx context.Context, tx *store.Tx, action string, o store.Organization, before, after any) error {
	entry := service.Entry{
		Action: action, Target: audit.Target{Kind: "organization", ID: o.ID, Name: o.Name}, Before: before, After: after, Organization: caller(ctx).Organization,
	}
	if err := h.kit.Audit(ctx, tx.DB(), entry); err != nil || o.ID == caller(ctx).Organization {
		return err
	}
	entry.Organization, entry.Actor = o.ID, platformActor
	return h.kit.Audit(ctx, tx.DB(), entry)
}

// CreateOrganization makes an organization, and invites its owner.
func (h *Handlers) CreateOrganization(ctx context.Context, r CreateOrganizationRequestObject) (CreateOrganizationResponseObject, error) {
	first, err := h.platform(ctx, "platform:create")
	if err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createOrganization", r.Body, func(mine *store.Tx) (PlatformOrganizationCreated, error) {
		tx := h.store.In(mine.DB(), store.NewID(), "")
		used, err := tx.SlugWasUsed(ctx, r.Body.Slug)
		if err != nil {
			return PlatformOrganizationCreated{}, err
		}
		if used {
			return PlatformOrganizationCreated{}, problem.New(problem.CodeConflict, "an organization that was deleted had the slug %s, and slugs are never given again: choose another one", r.Body.Slug)
		}
		o, err := tx.CreateOrganization(ctx, r.Body.Slug, strings.TrimSpace(r.Body.Name))
		if errors.Is(err, db.ErrDuplicate) {
			return PlatformOrganizationCreated{}, problem.New(problem.CodeConflict, "there is an organization %s already", r.Body.Slug)
		}
		if err != nil {
			return PlatformOrganizationCreated{}, err
		}
		secret := token.OneTime()
		row := store.Invitation{
			Email: r.Body.OwnerEmail, TokenHash: token.Hash(secret), ExpiresAt: h.store.Now().Add(h.opt.InvitationLifetime),
			Roles: []store.InvitedRole{{Role: access.Owner}},
		}
		if err := tx.CreateInvitation(ctx, &row); err != nil {
			return PlatformOrganizationCreated{}, err
		}
		if err := tx.OrganizationChanged(true, ""); err != nil {
			return PlatformOrganizationCreated{}, err
		}
		out := PlatformOrganizationCreated{
			Url: strings.TrimRight(h.opt.ConsoleURL, "/") + "/invite#token=" + secret, Token: secret, ExpiresAt: row.ExpiresAt.UTC(),
			Organization: PlatformOrganization{
				Id: o.ID, Version: o.Version, Slug: o.Slug, Name: o.Name, First: o.ID == first, CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
			},
		}
		if _, err := h.post(ctx, tx, mail.Invitation, row.Email, false, mail.Data{Link: out.Url, Until: row.ExpiresAt.UTC()}); err != nil {
			return out, err
		}
		return out, h.recordBoth(ctx, tx, "organization.created", o, nil, organizationOf(o))
	})
	return CreateOrganization201JSONResponse{Body: made, Headers: CreateOrganization201ResponseHeaders{ETag: etag(made.Organization.Version), Location: location("organizations", made.Organization.Id)}}, err
}

// platformFields is what administrators of the platform may change.
type platformFields struct {
	Name      string        `json:"name"`
	Suspended bool          `json:"suspended"`
	Quotas    tenant.Quotas `json:"quotas"`
}

// UpdatePlatformOrganization renames, suspends or resumes an organization.
func (h *Handlers) UpdatePlatformOrganization(ctx context.Context, r UpdatePlatformOrganizationRequestObject) (UpdatePlatformOrganizationResponseObject, error) {
	first, err := h.platform(ctx, "platform:update")
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var o store.Organization
	err = h.store.Tx(ctx, r.Id, "", func(tx *store.Tx) error {
		var err error
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		quotas, err := tx.Quotas(ctx)
		if err != nil {
			return err
		}
		before := platformFields{o.Name, o.Suspended, quotas}
		fields, err := httpx.Merge(ctx, before)
		if err != nil {
			return err
		}
		if fields.Suspended && o.ID == first {
			return problem.New(problem.CodeConflict, "this is the organization of the platform's administrators, who would be out themselves")
		}
		if fields.Suspended != o.Suspended && o.DeletedAt != nil {
			return problem.New(problem.CodeConflict, "the organization is deleted: restore it first")
		}
		o.Name, o.Suspended, o.Version = fields.Name, fields.Suspended, version
		if err := tx.SaveOrganization(ctx, &o); err != nil {
			return err
		}
		if err := tx.KeepQuotas(ctx, o, fields.Quotas); err != nil {
			return err
		}
		if err := tx.OrganizationChanged(false, ""); err != nil {
			return err
		}
		action := "organization.updated"
		if !maps.Equal(fields.Quotas, quotas) {
			action = "organization.limited"
		}
		if fields.Suspended != before.Suspended {
			action = map[bool]string{true: "organization.suspended", false: "organization.resumed"}[fields.Suspended]
			if err := tx.AccessChanged("", ""); err != nil {
				return err
			}
		}
		return h.recordBoth(ctx, tx, action, o, before, fields)
	})
	if err != nil {
		return nil, err
	}
	out, err := h.platformOrganization(ctx, o, first)
	return UpdatePlatformOrganization200JSONResponse{Body: out, Headers: UpdatePlatformOrganization200ResponseHeaders{ETag: etag(o.Version)}}, err
}
