package api

import (
	"context"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// RegisterOAuth puts the endpoints of the authorization server on a router.
func RegisterOAuth(e *echo.Echo, s *oauth.Server) {
	h := echo.WrapHandler(s)
	e.Any("/oauth/*", h)
	e.Any("/.well-known/oauth-authorization-server/oauth/*", h)
}

// consents returns a page of consents, with names.
func (h *Handlers) consents(ctx context.Context, user string, p db.PageRequest) (OAuthConsentList, error) {
	org := h.mine(ctx)
	page, err := org.OAuthConsents(ctx, user, p)
	if err != nil {
		return OAuthConsentList{}, err
	}
	var users, clients []string
	for _, c := range page.Items {
		users, clients = append(users, c.UserID), append(clients, c.ClientID)
	}
	people, err := org.UsersByID(ctx, users)
	if err != nil {
		return OAuthConsentList{}, err
	}
	programs, err := org.OAuthClientsByID(ctx, clients)
	if err != nil {
		return OAuthConsentList{}, err
	}
	names := map[string]string{}
	for _, u := range people {
		names[u.ID] = u.Name
	}
	for _, c := range programs {
		names[c.ID] = c.Name
	}
	out := OAuthConsentList{Items: make([]OAuthConsent, len(page.Items)), Next: ptr(page.Next)}
	for i, c := range page.Items {
		out.Items[i] = OAuthConsent{
			Id: c.ID, User: OAuthNamed{Id: c.UserID, Name: names[c.UserID]}, Client: OAuthNamed{Id: c.ClientID, Name: names[c.ClientID]}, Scopes: list(c.Scopes),
			CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
		}
	}
	return out, nil
}

// ListMyConsents returns what the caller allowed applications.
func (h *Handlers) ListMyConsents(ctx context.Context, r ListMyConsentsRequestObject) (ListMyConsentsResponseObject, error) {
	page := httpx.Page[string, string, int](r.Params.Cursor, r.Params.Limit, nil)
	out, err := h.consents(ctx, caller(ctx).Subject, page)
	return ListMyConsents200JSONResponse(out), err
}

// DeleteMyConsent takes back what the caller allowed an application.
func (h *Handlers) DeleteMyConsent(ctx context.Context, r DeleteMyConsentRequestObject) (DeleteMyConsentResponseObject, error) {
	return DeleteMyConsent204Response{}, h.deleteConsent(ctx, r.Id, caller(ctx).Subject)
}

// ListOAuthConsents returns what users allowed clients.
func (h *Handlers) ListOAuthConsents(ctx context.Context, r ListOAuthConsentsRequestObject) (ListOAuthConsentsResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:read", authn.Scope{}); err != nil {
		return nil, err
	}
	page := httpx.Page[string, string, int](r.Params.Cursor, r.Params.Limit, nil)
	out, err := h.consents(ctx, "", page)
	return ListOAuthConsents200JSONResponse(out), err
}

// DeleteOAuthConsent takes back what a user allowed a client.
func (h *Handlers) DeleteOAuthConsent(ctx context.Context, r DeleteOAuthConsentRequestObject) (DeleteOAuthConsentResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:update", authn.Scope{}); err != nil {
		return nil, err
	}
	return DeleteOAuthConsent204Response{}, h.deleteConsent(ctx, r.Id, "")
}

// consentRecord is a consent as the audit trail has it.
type consentRecord struct {
	User   string   `json:"user"`
	Scopes []string `json:"scopes"`
}

// deleteConsent takes a consent back: of a user, or for "" of any.
func (h *Handlers) deleteConsent(ctx context.Context, id, user string) error {
	return h.change(ctx, func(tx *store.Tx) error {
		c, err := tx.OAuthConsent(ctx, id)
		if err != nil {
			return err
		}
		if user != "" && c.UserID != user {
			return db.ErrNotFound
		}
		client, err := tx.OAuthClient(ctx, c.ClientID)
		if err != nil {
			return err
		}
		if err := tx.DeleteOAuthConsent(ctx, c); err != nil {
			return err
		}
		return h.record(ctx, tx, "oauth-consent.revoked", "oauth-client", client.ID, client.Name, consentRecord{c.UserID, c.Scopes}, nil)
	})
}

// GetOAuthAuthorization says what an application asks the caller to allow.
func (h *Handlers) GetOAuthAuthorization(ctx context.Context, r GetOAuthAuthorizationRequestObject) (GetOAuthAuthorizationResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	asked, err := h.opt.OAuth.Waiting(ctx, r.Token, p)
	if err != nil {
		return nil, err
	}
	scopes, err := h.askedScopes(ctx, asked)
	return GetOAuthAuthorization200JSONResponse{
		Client: OAuthNamed{Id: asked.Client.ID, Name: asked.Client.Name}, Description: ptr(asked.Client.Description), Host: asked.Host, SignInAgain: asked.SignIn,
		Scopes: scopes, SelfRegistered: asked.Client.RegistrationHash != "", Automatic: asked.Automatic,
	}, err
}

// askedScopes returns the scopes that somebody is asked for, as people read them.
func (h *Handlers) askedScopes(ctx context.Context, asked oauth.Asked) ([]OAuthAskedScope, error) {
	known, err := h.mine(ctx).OAuthScopes(ctx)
	out := make([]OAuthAskedScope, len(asked.Scopes))
	for i, name := range asked.Scopes {
		out[i] = OAuthAskedScope{Name: name, New: slices.Contains(asked.New, name)}
		if at := slices.IndexFunc(known, func(s store.OAuthScope) bool { return s.Name == name }); at >= 0 {
			out[i].Title, out[i].Description = ptr(known[at].Title), ptr(known[at].Description)
		}
	}
	return out, err
}

// DecideOAuthAuthorization allows what an application asks for, or does not.
func (h *Handlers) DecideOAuthAuthorization(ctx context.Context, r DecideOAuthAuthorizationRequestObject) (DecideOAuthAuthorizationResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	to, err := h.opt.OAuth.Decide(ctx, r.Token, p, r.Body.Allow)
	return DecideOAuthAuthorization200JSONResponse{RedirectTo: to}, err
}
