package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
)

// mostReasons is how many reasons a permission has in an answer; who comes to it in
// more ways sees how many there are.
const mostReasons = 20

// GetEffectiveAccess returns a page of what somebody may do and where, with what
// gives or takes it. It is decided by what decides for CheckAccess.
func (h *Handlers) GetEffectiveAccess(ctx context.Context, r GetEffectiveAccessRequestObject) (GetEffectiveAccessResponseObject, error) {
	q := r.Params
	var at *access.Scope
	if s := (access.Scope{Project: deref(q.Project), API: deref(q.Api), Environment: deref(q.Environment)}); s != (access.Scope{}) {
		at = &s
	}
	if r.Id != caller(ctx).Subject {
		scope := authn.Scope{}
		if at != nil {
			scope = authnScope(*at)
		}
		if err := authn.Require(ctx, "role:read", scope); err != nil {
			return nil, err
		}
	}
	slug := deref(q.EnvironmentSlug)
	if slug != "" && deref(q.Environment) == "" {
		return nil, invalid("/environment", "required", "the slug is that of an environment: say which")
	}
	after, err := pointOf(deref(q.Cursor))
	if err != nil {
		return nil, invalid("/cursor", "format", "use the next of the page before")
	}
	org := h.mine(ctx)
	p, err := rights.Find(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	held, err := rights.Of(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	limit := deref(q.Limit)
	if limit == 0 {
		limit = 50
	}
	look, said := access.NewLookup(held, h.store.Now()), map[string]bool{}
	out := EffectiveAccess{Principal: Principal{Kind: PrincipalKind(p.Kind), Id: p.ID, Name: p.Name}, Active: p.Active, Items: []EffectivePermission{}}
	for _, point := range look.Points(at, slug) {
		speaks, known := said[point.Permission]
		if !known {
			speaks = speaksOf(point.Permission, deref(q.Q))
			said[point.Permission] = speaks
		}
		if !speaks || q.Cursor != nil && point.Compare(after) <= 0 {
			continue
		}
		allowed, because := look.At(point, p.Active, slug)
		if q.Allowed != nil && *q.Allowed != allowed {
			continue
		}
		if len(out.Items) == limit {
			last := out.Items[limit-1]
			out.Next = ptr(cursorOf(access.Point{Permission: last.Permission, Scope: access.Scope{Project: deref(last.Project), API: deref(last.Api), Environment: deref(last.Environment)}}))
			break
		}
		item := EffectivePermission{
			Permission: point.Permission, Allowed: allowed,
			Project: ptr(point.Scope.Project), Api: ptr(point.Scope.API), Environment: ptr(point.Scope.Environment),
		}
		if len(because) > mostReasons {
			item.More, because = ptr(len(because)-mostReasons), because[:mostReasons]
		}
		item.Because = reasonsOf(because)
		out.Items = append(out.Items, item)
	}
	return GetEffectiveAccess200JSONResponse(out), nil
}

// speaksOf reports whether the name or the title of a permission has every word of a
// text.
func speaksOf(permission, text string) bool {
	base, _ := access.SplitEnvironment(permission)
	said := permission
	if i := slices.IndexFunc(access.Permissions(), func(p access.Permission) bool { return p.Name == base }); i >= 0 {
		said += " " + access.Permissions()[i].Title
	}
	said = strings.ToLower(said)
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if !strings.Contains(said, word) {
			return false
		}
	}
	return true
}

func cursorOf(p access.Point) string {
	text, _ := json.Marshal(p) //nolint:errchkjson // strings alone
	return base64.RawURLEncoding.EncodeToString(text)
}

func pointOf(cursor string) (p access.Point, err error) {
	if cursor == "" {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	return p, err
}
