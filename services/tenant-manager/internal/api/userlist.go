package api

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/sheet"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListUsers returns a page of users.
func (h *Handlers) ListUsers(ctx context.Context, r ListUsersRequestObject) (ListUsersResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org, p := h.mine(ctx), r.Params
	filter, sources, err := h.userFilter(ctx, org, narrowed{
		search: deref(p.Q), status: string(deref(p.Status)), source: deref(p.Source), factor: p.SecondFactor, never: deref(p.NeverSignedIn),
		before: deref(p.SignedInBefore), role: deref(p.Role), group: deref(p.Group),
	})
	if err != nil {
		return nil, err
	}
	page, err := org.Users(ctx, filter, httpx.Page(p.Cursor, p.Limit, p.Sort))
	if err != nil {
		return nil, err
	}
	items, err := h.usersOf(ctx, org, page.Items, sources)
	return ListUsers200JSONResponse{Items: items, Next: ptr(page.Next)}, err
}

// usersOf returns users with what they have been given and where they come from.
func (h *Handlers) usersOf(ctx context.Context, org *store.Org, rows []store.User, sources []store.Source) ([]User, error) {
	ids := make([]string, len(rows))
	for i, u := range rows {
		ids[i] = u.ID
	}
	roles, err := h.rolesOf(ctx, org, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]User, len(rows))
	for i, u := range rows {
		out[i] = userOf(u, roles[u.ID])
		out[i].Source = sourceOf(u.Source, sources)
	}
	return out, nil
}

// narrowed is what a list of users is narrowed by, as it is asked for.
type narrowed struct {
	search, status, source string
	factor                 *bool
	never                  bool
	before                 time.Time
	role, group            string
}

// userFilter finds what is named. The error is a problem of the parameter.
func (h *Handlers) userFilter(ctx context.Context, org *store.Org, a narrowed) (store.UserFilter, []store.Source, error) {
	f := store.UserFilter{Search: a.search, Status: a.status, Source: a.source, SecondFactor: a.factor, NeverSignedIn: a.never, SignedInBefore: a.before}
	sources, err := org.Sources(ctx)
	if err != nil {
		return f, nil, err
	}
	switch a.source {
	case "", store.Local, string(UserSourceKindSso), string(UserSourceKindScim):
	default:
		key, ok := store.SourceNamed(sources, a.source)
		if !ok {
			return f, nil, invalid("/source", "reference", "nobody comes from %q: see /users/sources, or use local, sso or scim", a.source)
		}
		f.Source = key
	}
	if a.role != "" {
		roles, err := rights.RolesCalled(ctx, org, a.role)
		if err != nil {
			return f, nil, err
		}
		role, ok := findRole(roles, a.role)
		if !ok {
			return f, nil, invalid("/role", "reference", "there is no role %q: see /roles", a.role)
		}
		f.Role = role.ID
	}
	if a.group != "" {
		g, err := org.GroupCalled(ctx, a.group)
		if store.IsNotFound(err) {
			return f, nil, invalid("/group", "reference", "there is no group %q: see /groups", a.group)
		}
		if err != nil {
			return f, nil, err
		}
		f.Group = g.ID
	}
	return f, sources, nil
}

// sourceOf says where a user comes from. all are the sources that have names.
func sourceOf(key string, all []store.Source) UserSource {
	kind, id, _ := strings.Cut(key, ":")
	out := UserSource{Kind: UserSourceKind(kind), Id: ptr(id)}
	for _, s := range all {
		if s.Key == key {
			out.Name = ptr(s.Name)
		}
	}
	return out
}

// ListUserSources returns where users can come from.
func (h *Handlers) ListUserSources(ctx context.Context, _ ListUserSourcesRequestObject) (ListUserSourcesResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	all, err := h.mine(ctx).Sources(ctx)
	out := UserSourceList{Items: make([]UserSource, len(all))}
	for i, s := range all {
		out.Items[i] = sourceOf(s.Key, all)
	}
	return ListUserSources200JSONResponse(out), err
}

// exportedFilter is what the audit trail says of an export of users.
type exportedFilter struct {
	Search         string     `json:"q,omitempty"`
	Status         string     `json:"status,omitempty"`
	Source         string     `json:"source,omitempty"`
	SecondFactor   *bool      `json:"secondFactor,omitempty"`
	NeverSignedIn  bool       `json:"neverSignedIn,omitempty"`
	SignedInBefore *time.Time `json:"signedInBefore,omitempty"`
	Role           string     `json:"role,omitempty"`
	Group          string     `json:"group,omitempty"`
}

// ExportUsers returns users as a table.
func (h *Handlers) ExportUsers(ctx context.Context, r ExportUsersRequestObject) (ExportUsersResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org, p := h.mine(ctx), r.Params
	filter, sources, err := h.userFilter(ctx, org, narrowed{
		search: deref(p.Q), status: string(deref(p.Status)), source: deref(p.Source), factor: p.SecondFactor, never: deref(p.NeverSignedIn),
		before: deref(p.SignedInBefore), role: deref(p.Role), group: deref(p.Group),
	})
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		return h.record(ctx, tx, "user.exported", "organization", tx.ID(), "", nil, exportedFilter{
			deref(p.Q), string(deref(p.Status)), deref(p.Source), p.SecondFactor, deref(p.NeverSignedIn), p.SignedInBefore, deref(p.Role), deref(p.Group),
		})
	})
	if err != nil {
		return nil, err
	}
	e := &userExport{ctx: ctx, h: h, org: org, filter: filter, page: httpx.Page((*string)(nil), (*int)(nil), p.Sort), sources: sources}
	e.page.Limit = db.MaxLimit
	e.table = roster.NewWriter(&e.lines)
	e.table.Row("name", "email", "status", "source", "roles", "second_factor", "last_sign_in", "created", "id")
	if err := e.next(); err != nil { // what is wrong with the order is a problem, not half a file
		return nil, err
	}
	name := "users-" + h.store.Now().UTC().Format(time.DateOnly) + ".csv"
	return ExportUsers200TextcsvResponse{
		Body: e, Headers: ExportUsers200ResponseHeaders{ContentDisposition: ptr(`attachment; filename="` + name + `"`)},
	}, nil
}

// userExport reads the lines of an export as they are asked for.
type userExport struct {
	ctx     context.Context //nolint:containedctx // of the request that reads it
	h       *Handlers
	org     *store.Org
	filter  store.UserFilter
	page    db.PageRequest
	sources []store.Source
	table   *sheet.Writer
	lines   bytes.Buffer
	ended   bool
}

// Read returns the next bytes.
func (e *userExport) Read(p []byte) (int, error) {
	for e.lines.Len() == 0 {
		if e.ended {
			return 0, io.EOF
		}
		if err := e.next(); err != nil {
			return 0, err
		}
	}
	return e.lines.Read(p)
}

func (e *userExport) next() error {
	page, err := e.org.Users(e.ctx, e.filter, e.page)
	if err != nil {
		return err
	}
	users, err := e.h.usersOf(e.ctx, e.org, page.Items, e.sources)
	if err != nil {
		return err
	}
	for _, u := range users {
		from := string(u.Source.Kind)
		if u.Source.Name != nil {
			from += ":" + *u.Source.Name
		}
		var roles []string
		for _, r := range u.Roles {
			if r.Effect == nil || *r.Effect == Allow {
				roles = append(roles, r.Name)
			}
		}
		e.table.Row(u.Name, u.Email, string(u.Status), from, roster.List(roles), yes(u.SecondFactor), timeText(u.LastSignInAt), timeText(&u.CreatedAt), u.Id)
	}
	e.page.Cursor, e.ended = page.Next, page.Next == ""
	return e.table.Flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
