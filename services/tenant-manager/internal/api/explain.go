package api

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// question returns the permission and the environment's slug of a question, or a
// problem where there is no such permission.
func question(permission string, slug *string) (base, environment string, err error) {
	base, environment = access.SplitEnvironment(permission)
	known := slices.ContainsFunc(access.Permissions(), func(p access.Permission) bool { return p.Name == base })
	if !known || strings.HasSuffix(permission, ":") {
		return "", "", invalid("/permission", "enum", "there is no permission %q: see /permissions", permission)
	}
	if environment != "" {
		if err := access.Check(permission); err != nil {
			return "", "", invalid("/permission", "enum", "%s", err)
		}
		if slug != nil && *slug != environment {
			return "", "", invalid("/environmentSlug", "conflict", "the permission names the environment %s, and this is another", environment)
		}
	}
	if environment == "" {
		environment = deref(slug)
	}
	return base, environment, nil
}

func reasonsOf(because []access.Reason) []AccessReason {
	out := make([]AccessReason, len(because))
	for i, r := range because {
		out[i] = AccessReason{
			Code: AccessReasonCode(r.Code), Detail: r.Detail, Grant: ptr(r.Grant), Role: ptr(r.Role), Via: chainOf(r.Via),
			Project: ptr(r.Scope.Project), Api: ptr(r.Scope.API), Environment: ptr(r.Scope.Environment), ExpiresAt: end(r.ExpiresAt),
		}
	}
	return out
}

// CheckAccess says whether somebody may do something, and why.
func (h *Handlers) CheckAccess(ctx context.Context, r CheckAccessRequestObject) (CheckAccessResponseObject, error) {
	b := r.Body
	scope := access.Scope{Project: deref(b.Project), API: deref(b.Api), Environment: deref(b.Environment)}
	who := deref(b.Principal)
	if who == "" {
		who = caller(ctx).Subject
	}
	if who != caller(ctx).Subject {
		if err := authn.Require(ctx, "role:read", authnScope(scope)); err != nil {
			return nil, err
		}
	}
	permission, environment, err := question(b.Permission, b.EnvironmentSlug)
	if err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	p, err := rights.Find(ctx, org, who)
	if err != nil {
		return nil, err
	}
	held, err := rights.Of(ctx, org, who)
	if err != nil {
		return nil, err
	}
	allowed, because := access.Decide(p.Active, held, permission, environment, scope, h.store.Now())
	return CheckAccess200JSONResponse(AccessCheck{Allowed: allowed, Because: reasonsOf(because)}), nil
}

// WhoCan returns a page of those who have a permission in a scope, by id.
func (h *Handlers) WhoCan(ctx context.Context, r WhoCanRequestObject) (WhoCanResponseObject, error) {
	b := r.Body
	scope := access.Scope{Project: deref(b.Project), API: deref(b.Api), Environment: deref(b.Environment)}
	if err := authn.Require(ctx, "role:read", authnScope(scope)); err != nil {
		return nil, err
	}
	permission, environment, err := question(b.Permission, b.EnvironmentSlug)
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(deref(r.Params.Cursor))
	if err != nil {
		return nil, invalid("/cursor", "format", "use the next of the page before")
	}
	org := h.mine(ctx)
	limit := deref(r.Params.Limit)
	if limit == 0 {
		limit = 50
	}
	out, last := WhoCan{Items: []WhoCanItem{}}, string(after)
	for {
		// Those who were given it are nearly always those who have it: of few more than
		// are shown, one read is enough.
		candidates, err := rights.CandidatesAt(ctx, org, permission, scope, last, limit+whoCanMore)
		if err != nil {
			return nil, err
		}
		if len(candidates) == 0 {
			break
		}
		last = candidates[len(candidates)-1]
		items, err := h.whoCan(ctx, org, candidates, permission, environment, scope)
		if err != nil {
			return nil, err
		}
		if out.Items = append(out.Items, items...); len(out.Items) > limit {
			out.Items = out.Items[:limit]
			out.Next = ptr(base64.RawURLEncoding.EncodeToString([]byte(out.Items[limit-1].Principal.Id)))
			break
		}
	}
	return WhoCan200JSONResponse(out), nil
}

// whoCanMore is of how many more than are shown the rights are read at once.
const whoCanMore = 50

// whoCan returns those who may do something, with why.
func (h *Handlers) whoCan(ctx context.Context, org *store.Org, ids []string, permission, environment string, scope access.Scope) ([]WhoCanItem, error) {
	known, err := rights.FindAll(ctx, org, ids...)
	if err != nil {
		return nil, err
	}
	held, err := rights.Holdings(ctx, org, ids...)
	if err != nil {
		return nil, err
	}
	var out []WhoCanItem
	for _, id := range ids {
		p, ok := known[id]
		if !ok || !p.Active {
			continue
		}
		allowed, because := access.Decide(true, held[id], permission, environment, scope, h.store.Now())
		if !allowed {
			continue
		}
		because = slices.DeleteFunc(because, func(r access.Reason) bool { return r.Code != access.Granted })
		out = append(out, WhoCanItem{Principal: Principal{Kind: PrincipalKind(p.Kind), Id: p.ID, Name: p.Name}, Because: reasonsOf(because)})
	}
	return out, nil
}
