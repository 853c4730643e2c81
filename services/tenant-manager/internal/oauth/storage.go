package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// storage is what fosite keeps of one organization: codes, opaque tokens and
// revocations for minutes, refresh tokens in the database, secrets as hashes.
type storage struct {
	*realm
}

var (
	_ fosite.Storage                     = storage{}
	_ oauth2.CoreStorage                 = storage{}
	_ oauth2.TokenRevocationStorage      = storage{}
	_ openid.OpenIDConnectRequestStorage = storage{}
	_ pkce.PKCERequestStorage            = storage{}
	_ fosite.PARStorage                  = storage{}
)

// key is where something of the organization is kept for a while.
func (s *realm) key(kind, id string) string { return kind + ":" + s.org.ID + ":" + id }

// GetClient returns a client of the organization that is active.
func (s storage) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	c, err := s.server.client(ctx, s.org.ID, id)
	switch {
	case errors.Is(err, fosite.ErrNotFound):
		return nil, err
	case err != nil:
		return nil, lost(err)
	}
	return c, nil
}

// ClientAssertionJWTValid has nothing to say: one that comes again is refused by
// SetClientAssertionJWT, which decides between two at the same time as well.
func (s storage) ClientAssertionJWTValid(context.Context, string) error { return nil }

// SetClientAssertionJWT refuses an assertion that comes again. A jti is its issuer's
// (RFC 7519 section 4.1.7): what one client uses another may use as well.
func (s storage) SetClientAssertionJWT(ctx context.Context, jti string, exp time.Time) error {
	ttl := time.Until(exp)
	if ttl > LongestAccess {
		return fosite.ErrInvalidClient.WithHint("The client_assertion is good for more than a day.")
	}
	added, err := s.server.short.Add(ctx, s.key("assertion", Hash(issuerOf(ctx)+" "+jti)), "", max(ttl, time.Minute))
	if err == nil && !added {
		err = fosite.ErrJTIKnown
	}
	return err
}

func (s storage) put(ctx context.Context, kind, signature string, r fosite.Requester, ttl time.Duration) error {
	text, err := encode(r)
	if err != nil {
		return fmt.Errorf("keeping a request: %w", err)
	}
	return s.server.short.Put(ctx, s.key(kind, signature), text, ttl)
}

func (s storage) get(ctx context.Context, kind, signature string) (*fosite.Request, error) {
	text, ok, err := s.server.short.Get(ctx, s.key(kind, signature))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fosite.ErrNotFound
	}
	return s.decode(ctx, text)
}

func (s storage) decode(ctx context.Context, text string) (*fosite.Request, error) {
	var k kept
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	c, err := s.GetClient(ctx, k.Client)
	if err != nil {
		return nil, err
	}
	return k.request(c), nil
}

// CreateAuthorizeCodeSession keeps what a code is for.
func (s storage) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	return s.put(ctx, "code", signature, r, codeLifetime)
}

// GetAuthorizeCodeSession returns what a code is for, with an error where it was
// used.
func (s storage) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	r, err := s.get(ctx, "code", signature)
	if err != nil {
		return nil, err
	}
	_, used, err := s.server.short.Get(ctx, s.key("used", signature))
	if err != nil {
		return nil, err
	}
	if used {
		return r, fosite.ErrInvalidatedAuthorizeCode
	}
	return r, nil
}

// InvalidateAuthorizeCodeSession takes a code; of several who do one succeeds.
func (s storage) InvalidateAuthorizeCodeSession(ctx context.Context, signature string) error {
	added, err := s.server.short.Add(ctx, s.key("used", signature), "", 2*codeLifetime)
	if err == nil && !added {
		err = fosite.ErrInvalidGrant
	}
	return err
}

// CreateAccessTokenSession keeps an opaque token; others say everything
// themselves.
func (s storage) CreateAccessTokenSession(ctx context.Context, signature string, r fosite.Requester) error {
	in, _ := r.GetSession().(*session)
	if isJWT(signature) || in == nil {
		return nil
	}
	life := in.Until.Sub(in.IssuedAt)
	if r.GetGrantedScopes().Has(Scope) {
		if err := s.server.short.Put(ctx, delegatedKey(signature), s.org.Slug, life); err != nil {
			return err
		}
	}
	return s.put(ctx, "access", signature, r, life)
}

// GetAccessTokenSession returns what an access token is for.
func (s storage) GetAccessTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	var r *fosite.Request
	var err error
	if isJWT(signature) {
		if r, err = strategy(s).read(ctx, signature); errors.Is(err, errToken) {
			err = fosite.ErrNotFound
		} else if err != nil && !errors.Is(err, fosite.ErrNotFound) {
			err = lost(err)
		}
	} else {
		r, err = s.get(ctx, "access", signature)
	}
	if err != nil {
		return nil, err
	}
	in := r.Session.(*session) //nolint:forcetypeassert // made above
	for _, id := range append([]string{r.GetID(), in.TokenID}, in.From...) {
		_, revoked, err := s.server.short.Get(ctx, s.key("revoked", id))
		if err != nil {
			return nil, err
		}
		if revoked {
			return nil, fosite.ErrNotFound
		}
	}
	return r, nil
}

// DeleteAccessTokenSession has nothing to do: tokens are revoked by their request.
func (s storage) DeleteAccessTokenSession(context.Context, string) error { return nil }

// RevokeAccessToken ends all access tokens that came of a request, or the one with the
// jti, and what is done with them at the product itself.
func (s storage) RevokeAccessToken(ctx context.Context, requestID string) error {
	if err := s.server.short.Put(ctx, s.key("revoked", requestID), "", LongestAccess); err != nil {
		return err
	}
	return s.server.store.Tx(ctx, s.org.ID, "", func(tx *store.Tx) error { return tx.EndOAuthDelegations(ctx, requestID, Hash(requestID)) })
}

// CreateRefreshTokenSession keeps a refresh token by its hash.
func (s storage) CreateRefreshTokenSession(ctx context.Context, signature, _ string, r fosite.Requester) error {
	text, err := encode(r)
	if err != nil {
		return fmt.Errorf("keeping a refresh token: %w", err)
	}
	c, _ := r.GetClient().(*client)
	if c == nil {
		return errors.New("a refresh token of no client")
	}
	row := store.OAuthRefresh{
		ID: signature, FamilyID: r.GetID(), ClientID: c.ID, UserID: r.GetSession().GetSubject(), Request: text,
		ExpiresAt: s.server.now().Add(c.GetEffectiveLifespan("", fosite.RefreshToken, refreshLifetime)),
	}
	err = s.server.store.Tx(ctx, s.org.ID, row.UserID, func(tx *store.Tx) error { return tx.CreateOAuthRefresh(ctx, &row) })
	switch {
	case errors.Is(err, store.ErrFamilyEnded):
		return fosite.ErrInvalidGrant.WithHint("What it came of was used twice, or was taken back.")
	case err != nil:
		return lost(err)
	}
	// Of a family that ended before it had a row only the mark tells: who ends one
	// writes that first, and looks for rows then.
	_, ended, err := s.server.short.Get(ctx, s.key("revoked", row.FamilyID))
	if err != nil || !ended {
		return err
	}
	return errors.Join(s.RevokeRefreshToken(ctx, row.FamilyID), fosite.ErrInvalidGrant.WithHint("The code was used twice."))
}

// GetRefreshTokenSession returns what a refresh token is for, with an error where
// it was used or has ended.
func (s storage) GetRefreshTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	row, err := s.server.store.For(s.org.ID).OAuthRefresh(ctx, signature)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return nil, fosite.ErrNotFound
	case err != nil:
		return nil, lost(err)
	case !s.server.now().Before(row.ExpiresAt):
		return nil, fosite.ErrNotFound
	}
	r, err := s.decode(ctx, row.Request)
	if err != nil {
		return nil, err
	}
	if row.UsedAt != nil || row.EndedAt != nil {
		return r, fosite.ErrInactiveToken
	}
	return r, nil
}

// DeleteRefreshTokenSession has nothing to do: used ones stay known until they
// run out.
func (s storage) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// RotateRefreshToken takes a refresh token. Where another request was faster the
// family ends: one of the two should not have had it.
func (s storage) RotateRefreshToken(ctx context.Context, family, signature string) error {
	used := false
	err := s.server.store.Tx(ctx, s.org.ID, "", func(tx *store.Tx) error {
		var err error
		used, err = tx.UseOAuthRefresh(ctx, signature)
		return err
	})
	if err != nil || used {
		return lost(err)
	}
	return errors.Join(s.RevokeAccessToken(ctx, family), s.RevokeRefreshToken(ctx, family), fosite.ErrInactiveToken)
}

// RevokeRefreshToken ends a family of refresh tokens.
func (s storage) RevokeRefreshToken(ctx context.Context, family string) error {
	return s.server.store.Tx(ctx, s.org.ID, "", func(tx *store.Tx) error {
		n, err := tx.EndOAuthFamily(ctx, family)
		if err != nil || n == 0 {
			return err
		}
		return s.server.audit(ctx, tx.DB(), service.Entry{
			Action: "oauth-token.revoked", Target: audit.Target{Kind: "oauth-token", ID: family}, Organization: s.org.ID, Actor: actorOf(ctx),
		})
	})
}

// CreateOpenIDConnectSession keeps what of a request goes into the ID token.
func (s storage) CreateOpenIDConnectSession(ctx context.Context, code string, r fosite.Requester) error {
	return s.put(ctx, "openid", Hash(code), r, codeLifetime)
}

// GetOpenIDConnectSession returns what of a request goes into the ID token.
func (s storage) GetOpenIDConnectSession(ctx context.Context, code string, _ fosite.Requester) (fosite.Requester, error) {
	return s.get(ctx, "openid", Hash(code))
}

// DeleteOpenIDConnectSession forgets it.
func (s storage) DeleteOpenIDConnectSession(ctx context.Context, code string) error {
	_, _, err := s.server.short.Take(ctx, s.key("openid", Hash(code)))
	return err
}

// CreatePKCERequestSession keeps the challenge of a code (RFC 7636).
func (s storage) CreatePKCERequestSession(ctx context.Context, signature string, r fosite.Requester) error {
	return s.put(ctx, "pkce", signature, r, codeLifetime)
}

// GetPKCERequestSession returns the challenge of a code.
func (s storage) GetPKCERequestSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	return s.get(ctx, "pkce", signature)
}

// DeletePKCERequestSession forgets the challenge: there is one attempt.
func (s storage) DeletePKCERequestSession(ctx context.Context, signature string) error {
	_, _, err := s.server.short.Take(ctx, s.key("pkce", signature))
	return err
}

// pushed is a request that was pushed ahead (RFC 9126).
type pushed struct {
	Form url.Values `json:"form"`
}

// CreatePARSession keeps a request that was pushed ahead.
func (s storage) CreatePARSession(ctx context.Context, uri string, r fosite.AuthorizeRequester) error {
	form := url.Values{}
	for name, values := range r.GetRequestForm() {
		if name != "client_secret" && name != "client_assertion" && name != "client_assertion_type" {
			form[name] = values
		}
	}
	return s.server.short.Put(ctx, s.key("pushed", Hash(uri)), jsonText(pushed{form}), pushedLifetime)
}

// GetPARSession returns a request that was pushed ahead.
func (s storage) GetPARSession(ctx context.Context, uri string) (fosite.AuthorizeRequester, error) {
	text, ok, err := s.server.short.Get(ctx, s.key("pushed", Hash(uri)))
	if err != nil {
		return nil, err
	}
	var p pushed
	if !ok || json.Unmarshal([]byte(text), &p) != nil {
		return nil, fosite.ErrNotFound
	}
	return s.provider.NewAuthorizeRequest(ctx, &http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: p.Form.Encode()}})
}

// DeletePARSession forgets it.
func (s storage) DeletePARSession(ctx context.Context, uri string) error {
	_, _, err := s.server.short.Take(ctx, s.key("pushed", Hash(uri)))
	return err
}
