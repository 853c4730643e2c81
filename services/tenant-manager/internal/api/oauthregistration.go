package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// registrationOf returns what a client that registered itself says; nil = it did
// not.
func registrationOf(c store.OAuthClient) *OAuthRegistration {
	a, ok := oauth.Registered(c)
	if !ok {
		return nil
	}
	return &OAuthRegistration{
		Website: ptr(a.URI), Terms: ptr(a.TermsURI), Policy: ptr(a.PolicyURI), Contacts: list(a.Contacts), SoftwareId: ptr(a.SoftwareID), SoftwareVersion: ptr(a.SoftwareVersion),
	}
}

func initialTokenOf(i store.OAuthInitialToken) OAuthInitialToken {
	grants := make([]OAuthGrantType, len(i.GrantTypes))
	for n, g := range i.GrantTypes {
		grants[n] = OAuthGrantType(g)
	}
	return OAuthInitialToken{
		Id: i.ID, Name: i.Name, Hint: i.Hint, UsesLeft: int(i.UsesLeft), Scopes: list(i.Scopes), GrantTypes: grants, Audiences: list(i.Audiences),
		ExpiresAt: i.ExpiresAt.UTC(), CreatedAt: i.CreatedAt.UTC(), CreatedBy: i.CreatedBy,
	}
}

// ListOAuthInitialTokens returns the tokens by which programs register themselves.
func (h *Handlers) ListOAuthInitialTokens(ctx context.Context, _ ListOAuthInitialTokensRequestObject) (ListOAuthInitialTokensResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:read", authn.Scope{}); err != nil {
		return nil, err
	}
	rows, err := h.mine(ctx).OAuthInitialTokens(ctx)
	out := OAuthInitialTokenList{Items: make([]OAuthInitialToken, len(rows))}
	for i, row := range rows {
		out.Items[i] = initialTokenOf(row)
	}
	return ListOAuthInitialTokens200JSONResponse(out), err
}

// initialFields is what an administrator says of a token by which programs register
// themselves.
type initialFields struct {
	Name            string   `json:"name"`
	Uses            int64    `json:"uses"`
	LifetimeSeconds int64    `json:"lifetimeSeconds"`
	Scopes          []string `json:"scopes"`
	GrantTypes      []string `json:"grantTypes"`
	Audiences       []string `json:"audiences"`
}

func (f *initialFields) check(known []store.OAuthScope) error {
	var fields []problem.Field
	if strings.TrimSpace(f.Name) == "" {
		fields = append(fields, problem.Field{Pointer: "/name", Code: "required", Detail: "the field is missing"})
	}
	for i, name := range f.Scopes {
		if name == oauth.Scope {
			fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/scopes/%d", i), Code: "invalid", Detail: "a client that registers itself acts as nobody: make a client of your own for " + oauth.Scope})
			continue
		}
		if !slices.Contains(oauth.IdentityScopes(), name) && !slices.ContainsFunc(known, func(s store.OAuthScope) bool { return s.Name == name }) {
			fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/scopes/%d", i), Code: "unknown", Detail: fmt.Sprintf("there is no scope %q: make it first", name)})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return problem.Invalid("the initial token is not right", fields...)
}

// CreateOAuthInitialToken lets programs register themselves as clients. The token is
// in this answer only.
func (h *Handlers) CreateOAuthInitialToken(ctx context.Context, r CreateOAuthInitialTokenRequestObject) (CreateOAuthInitialTokenResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:create", authn.Scope{}); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	org := h.mine(ctx)
	known, err := org.OAuthScopes(ctx)
	if err != nil {
		return nil, err
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return nil, err
	}
	fields, err := httpx.Merge(ctx, initialFields{Uses: 1, LifetimeSeconds: 7 * 24 * 3600, GrantTypes: []string{oauth.GrantCode, oauth.GrantRefresh}})
	if err == nil {
		err = fields.check(known)
	}
	if err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createOAuthInitialToken", r.Body, func(tx *store.Tx) (OAuthInitialTokenCreated, error) {
		plain, hint := oauth.NewInitialToken()
		i := store.OAuthInitialToken{
			Name: strings.TrimSpace(fields.Name), Hash: oauth.Hash(plain), Hint: hint, UsesLeft: fields.Uses, Scopes: list(fields.Scopes), GrantTypes: list(fields.GrantTypes),
			Audiences: list(fields.Audiences), ExpiresAt: h.store.Now().Add(time.Duration(fields.LifetimeSeconds) * time.Second),
		}
		if err := tx.CreateOAuthInitialToken(ctx, &i); err != nil {
			return OAuthInitialTokenCreated{}, err
		}
		out := OAuthInitialTokenCreated{InitialToken: initialTokenOf(i), Token: plain, RegistrationEndpoint: h.opt.OAuth.Issuer(o.Slug) + "/register"}
		return out, h.record(ctx, tx, "oauth-initial-token.created", "oauth-initial-token", i.ID, i.Name, nil, out.InitialToken)
	})
	return CreateOAuthInitialToken201JSONResponse(made), err
}

// DeleteOAuthInitialToken revokes a token by which programs register themselves.
func (h *Handlers) DeleteOAuthInitialToken(ctx context.Context, r DeleteOAuthInitialTokenRequestObject) (DeleteOAuthInitialTokenResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	return DeleteOAuthInitialToken204Response{}, h.change(ctx, func(tx *store.Tx) error {
		i, err := tx.OAuthInitialToken(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := tx.DeleteOAuthInitialToken(ctx, i.ID); err != nil {
			return err
		}
		return h.record(ctx, tx, "oauth-initial-token.deleted", "oauth-initial-token", i.ID, i.Name, initialTokenOf(i), nil)
	})
}
