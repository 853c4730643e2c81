package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ory/fosite"
)

type introspectionKey struct{}

// atIntrospection reports whether a context is of a request to the introspection.
func atIntrospection(ctx context.Context) bool {
	at, _ := ctx.Value(introspectionKey{}).(bool)
	return at
}

// introspect says what a token is good for (RFC 7662).
func (s *realm) introspect(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(context.WithValue(r.Context(), introspectionKey{}, true))
	if !s.admit(w, r) {
		return
	}
	ctx := r.Context()
	by, err := s.provider.AuthenticateClient(ctx, r, r.PostForm)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	asker, _ := by.(*client)
	if asker == nil || asker.IsPublic() {
		s.refuse(w, r, fosite.ErrInvalidClient)
		return
	}
	token := r.PostForm.Get("token")
	if token == "" {
		s.refuse(w, r, fosite.ErrInvalidRequest.WithHint("The parameter token is missing."))
		return
	}
	use, req, err := s.provider.IntrospectToken(ctx, token, fosite.TokenUse(r.PostForm.Get("token_type_hint")), newSession())
	if err != nil && !expected(err) {
		s.refuse(w, r, err)
		return
	}
	inactive := map[string]any{"active": false}
	if err != nil {
		write(w, http.StatusOK, inactive)
		return
	}
	c, _ := req.GetClient().(*client)
	in, _ := req.GetSession().(*session)
	if c == nil || in == nil || !asker.MayIntrospect && c.ID != asker.ID {
		write(w, http.StatusOK, inactive)
		return
	}
	if in.Subject != "" {
		if err := s.stands(ctx, in.Subject); errors.Is(err, fosite.ErrInvalidGrant) {
			write(w, http.StatusOK, inactive)
			return
		} else if err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	write(w, http.StatusOK, s.described(use, req, c, in))
}

// expected reports whether an error says that a token is not good, rather than
// that it could not be found out.
func expected(err error) bool {
	if errors.Is(err, fosite.ErrTokenExpired) || errors.Is(err, fosite.ErrInactiveToken) || errors.Is(err, fosite.ErrNotFound) {
		return true
	}
	e := fosite.ErrorToRFC6749Error(err)
	cause := e.Cause()
	return errors.Is(err, fosite.ErrRequestUnauthorized) && (cause == nil || errors.Is(cause, fosite.ErrNotFound) || errors.Is(cause, fosite.ErrInactiveToken))
}

func (s *realm) described(use fosite.TokenUse, req fosite.AccessRequester, c *client, in *session) map[string]any {
	out := map[string]any{"active": true, "client_id": c.ID, "iss": s.issuer}
	if use == fosite.AccessToken {
		b, err := json.Marshal((strategy{s}).claims(req, c, in))
		if err == nil {
			_ = json.Unmarshal(b, &out) // of what was just written
		}
		out["token_type"] = "Bearer"
		if in.Confirm.JKT != "" {
			out["token_type"] = "DPoP"
		}
		return out
	}
	out["token_type"], out["sub"], out["scope"] = "refresh_token", in.Subject, strings.Join(req.GetGrantedScopes(), " ")
	return out
}

// revoke ends a token (RFC 7009).
func (s *realm) revoke(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	if r.PostForm.Get("token") == "" {
		s.refuse(w, r, fosite.ErrInvalidRequest.WithHint("The parameter token is missing."))
		return
	}
	err := s.provider.NewRevocationRequest(r.Context(), r)
	if err != nil && !errors.Is(err, fosite.ErrUnauthorizedClient) { // a token of another client is none of its business
		s.failed(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// revocation ends tokens: an access token alone, a refresh token with all that
// came of it (RFC 7009 section 2.1).
type revocation struct {
	*realm
	strategy strategy
	storage  storage
}

// RevokeToken implements fosite.RevocationHandler.
func (v *revocation) RevokeToken(ctx context.Context, token string, _ fosite.TokenType, by fosite.Client) error {
	c, _ := by.(*client)
	if c == nil {
		return fosite.ErrInvalidClient
	}
	ctx = withActor(ctx, c)
	refresh, err := v.storage.GetRefreshTokenSession(ctx, v.strategy.RefreshTokenSignature(ctx, token), nil)
	if err == nil || errors.Is(err, fosite.ErrInactiveToken) {
		if refresh.GetClient().GetID() != c.ID {
			return fosite.ErrUnauthorizedClient
		}
		return errors.Join(v.storage.RevokeAccessToken(ctx, refresh.GetID()), v.storage.RevokeRefreshToken(ctx, refresh.GetID()))
	}
	if !errors.Is(err, fosite.ErrNotFound) {
		return fosite.ErrTemporarilyUnavailable.WithWrap(err)
	}
	access, err := v.storage.GetAccessTokenSession(ctx, v.strategy.AccessTokenSignature(ctx, token), nil)
	switch {
	case errors.Is(err, fosite.ErrNotFound):
		return nil
	case err != nil:
		return fosite.ErrTemporarilyUnavailable.WithWrap(err)
	case access.GetClient().GetID() != c.ID:
		return fosite.ErrUnauthorizedClient
	}
	in, _ := access.GetSession().(*session)
	return v.storage.RevokeAccessToken(ctx, in.TokenID)
}
