package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func oauthScopeOf(s store.OAuthScope) OAuthScope {
	return OAuthScope{
		Id: s.ID, Name: s.Name, Title: s.Title, Description: s.Description, Version: s.Version, CreatedAt: s.CreatedAt.UTC(), CreatedBy: s.CreatedBy, UpdatedAt: s.UpdatedAt.UTC(),
	}
}

// ListOAuthScopes returns the scopes of the organization.
func (h *Handlers) ListOAuthScopes(ctx context.Context, _ ListOAuthScopesRequestObject) (ListOAuthScopesResponseObject, error) {
	if err := authn.Require(ctx, "oauth-scope:read", authn.Scope{}); err != nil {
		return nil, err
	}
	rows, err := h.mine(ctx).OAuthScopes(ctx)
	out := OAuthScopeList{Items: make([]OAuthScope, len(rows))}
	for i, s := range rows {
		out.Items[i] = oauthScopeOf(s)
	}
	return ListOAuthScopes200JSONResponse(out), err
}

// GetOAuthScope returns a scope.
func (h *Handlers) GetOAuthScope(ctx context.Context, r GetOAuthScopeRequestObject) (GetOAuthScopeResponseObject, error) {
	if err := authn.Require(ctx, "oauth-scope:read", authn.Scope{}); err != nil {
		return nil, err
	}
	s, err := h.mine(ctx).OAuthScope(ctx, r.Id)
	return GetOAuthScope200JSONResponse{Body: oauthScopeOf(s), Headers: GetOAuthScope200ResponseHeaders{ETag: etag(s.Version)}}, err
}

// CreateOAuthScope makes a scope.
func (h *Handlers) CreateOAuthScope(ctx context.Context, r CreateOAuthScopeRequestObject) (CreateOAuthScopeResponseObject, error) {
	if err := authn.Require(ctx, "oauth-scope:create", authn.Scope{}); err != nil {
		return nil, err
	}
	if r.Body.Name == oauth.Scope {
		return nil, invalid("/name", "duplicate", "%s is the scope of the product's own API, which every organization has: choose another name", r.Body.Name)
	}
	if slices.Contains(oauth.IdentityScopes(), r.Body.Name) {
		return nil, invalid("/name", "duplicate", "%s is a scope of OpenID Connect, which every organization has: choose another name", r.Body.Name)
	}
	made, err := create(ctx, h, func(tx *store.Tx) (OAuthScope, error) {
		s := store.OAuthScope{Name: r.Body.Name, Title: strings.TrimSpace(deref(r.Body.Title)), Description: deref(r.Body.Description)}
		if err := tx.CreateOAuthScope(ctx, &s); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				err = problem.New(problem.CodeConflict, "there is a scope named %s already", s.Name)
			}
			return OAuthScope{}, err
		}
		out := oauthScopeOf(s)
		return out, h.record(ctx, tx, "oauth-scope.created", "oauth-scope", s.ID, s.Name, nil, out)
	})
	return CreateOAuthScope201JSONResponse{Body: made, Headers: CreateOAuthScope201ResponseHeaders{ETag: etag(made.Version), Location: location("oauth/scopes", made.Id)}}, err
}

// scopeFields is what people may change of a scope.
type scopeFields struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

// UpdateOAuthScope changes what people read of a scope.
func (h *Handlers) UpdateOAuthScope(ctx context.Context, r UpdateOAuthScopeRequestObject) (UpdateOAuthScopeResponseObject, error) {
	if err := authn.Require(ctx, "oauth-scope:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var s store.OAuthScope
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if s, err = tx.OAuthScope(ctx, r.Id); err != nil {
			return err
		}
		before := oauthScopeOf(s)
		fields, err := httpx.Merge(ctx, scopeFields{s.Title, s.Description})
		if err != nil {
			return err
		}
		s.Title, s.Description, s.Version = strings.TrimSpace(fields.Title), fields.Description, version
		if err := tx.SaveOAuthScope(ctx, &s); err != nil {
			return err
		}
		return h.record(ctx, tx, "oauth-scope.updated", "oauth-scope", s.ID, s.Name, before, oauthScopeOf(s))
	})
	return UpdateOAuthScope200JSONResponse{Body: oauthScopeOf(s), Headers: UpdateOAuthScope200ResponseHeaders{ETag: etag(s.Version)}}, err
}

// DeleteOAuthScope deletes a scope that no client may ask for.
func (h *Handlers) DeleteOAuthScope(ctx context.Context, r DeleteOAuthScopeRequestObject) (DeleteOAuthScopeResponseObject, error) {
	if err := authn.Require(ctx, "oauth-scope:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		s, err := tx.OAuthScope(ctx, r.Id)
		if err != nil {
			return err
		}
		clients, err := tx.OAuthClientsWithScope(ctx, s.Name)
		if err != nil {
			return err
		}
		if len(clients) > 0 {
			return problem.New(problem.CodeConflict, "clients may ask for %s: take it from %s first", s.Name, strings.Join(clients, ", "))
		}
		if err := tx.DeleteOAuthScope(ctx, s.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "oauth-scope.deleted", "oauth-scope", s.ID, s.Name, oauthScopeOf(s), nil)
	})
	return DeleteOAuthScope204Response{}, err
}

func (h *Handlers) oauthKeys(keys []oauth.Key) OAuthKeyList {
	now := h.store.Now()
	out := OAuthKeyList{Items: make([]OAuthKey, len(keys))}
	for i, k := range keys {
		out.Items[i] = OAuthKey{Id: k.ID, Algorithm: OAuthAlgorithm(k.Algorithm), State: OAuthKeyState(k.State(now)), ActiveFrom: k.ActiveFrom, CreatedAt: k.CreatedAt}
		if !k.Until.IsZero() {
			out.Items[i].Until = &k.Until
		}
	}
	return out
}

// ListOAuthKeys returns the keys that are published.
func (h *Handlers) ListOAuthKeys(ctx context.Context, _ ListOAuthKeysRequestObject) (ListOAuthKeysResponseObject, error) {
	if err := authn.Require(ctx, "oauth-key:read", authn.Scope{}); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	keys, err := h.opt.OAuth.Keys(ctx, caller(ctx).Organization)
	return ListOAuthKeys200JSONResponse(h.oauthKeys(keys)), err
}

// RotateOAuthKeys has the next key sign from now on.
func (h *Handlers) RotateOAuthKeys(ctx context.Context, r RotateOAuthKeysRequestObject) (RotateOAuthKeysResponseObject, error) {
	if err := authn.Require(ctx, "oauth-key:update", authn.Scope{}); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	p := caller(ctx)
	keys, err := h.opt.OAuth.RotateKeys(ctx, p.Organization, p.Subject, string(r.Body.Algorithm), deref(r.Body.Withdraw))
	return RotateOAuthKeys200JSONResponse(h.oauthKeys(keys)), err
}

// WithdrawOAuthKey has nobody take what a key signed any more.
func (h *Handlers) WithdrawOAuthKey(ctx context.Context, r WithdrawOAuthKeyRequestObject) (WithdrawOAuthKeyResponseObject, error) {
	if err := authn.Require(ctx, "oauth-key:update", authn.Scope{}); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	p := caller(ctx)
	return WithdrawOAuthKey204Response{}, h.opt.OAuth.WithdrawKey(ctx, p.Organization, p.Subject, r.Id)
}

// GetOAuthServer says where the authorization server is: what its metadata, which is
// public, says as well.
func (h *Handlers) GetOAuthServer(ctx context.Context, _ GetOAuthServerRequestObject) (GetOAuthServerResponseObject, error) {
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	o, err := h.mine(ctx).Organization(ctx)
	if err != nil {
		return nil, err
	}
	issuer := h.opt.OAuth.Issuer(o.Slug)
	return GetOAuthServer200JSONResponse{
		GatewayJwks: ptr(h.gatewayKeys(o.Slug)), Issuer: issuer, Metadata: issuer + "/.well-known/openid-configuration", TokenEndpoint: issuer + "/token", Jwks: issuer + "/jwks",
		IntrospectionEndpoint: issuer + "/introspect", AuthorizationEndpoint: issuer + "/authorize", IdentityScopes: oauth.IdentityScopes(), ManagementScope: oauth.Scope,
		RegistrationEndpoint: issuer + "/register", Certificates: h.opt.OAuth.Certificates(),
	}, nil
}
