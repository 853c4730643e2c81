package oauth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// What can be wrong with a token by which an application acts as somebody at the
// product itself.
var (
	// ErrDelegation says that it is not one of ours that is good.
	ErrDelegation = errors.New("the access token is not right, has run out, or was revoked")
	// ErrNotForUs says that it is good for something else.
	ErrNotForUs = errors.New("the access token is not for the product itself")
	// ErrBound says that it is bound to a key or a certificate (RFC 9449, RFC 8705): who
	// shows it has proven neither.
	ErrBound = errors.New("the access token is bound to a key or a certificate")
)

// audience returns what tokens of a request are for. Those by which an application acts
// at the product itself are for that alone: an API that is called with one could
// otherwise act with it too.
func audience(c *client, scopes, asked []string) ([]string, error) {
	if c.app {
		if len(asked) == 0 {
			asked = c.Audiences
		}
		return asked, nil
	}
	if !slices.Contains(scopes, Scope) {
		if slices.Contains(asked, Audience) {
			return nil, errTarget("Tokens for " + Audience + " have the scope " + Scope + ".")
		}
		if len(asked) == 0 {
			return slices.DeleteFunc(slices.Clone(c.Audiences), func(a string) bool { return a == Audience }), nil
		}
		return asked, nil
	}
	if !c.MayAct() {
		return nil, fosite.ErrInvalidScope.WithHintf("This client is not allowed the scope %q.", Scope)
	}
	for _, scope := range scopes {
		if scope != Scope && !slices.Contains(identityScopes, scope) {
			return nil, fosite.ErrInvalidScope.WithHintf("The scope %q is of an API, and %s is for the product itself: ask for a token for each.", scope, Scope)
		}
	}
	for _, a := range asked {
		if a != Audience {
			return nil, errTarget("A token with the scope " + Scope + " is for " + Audience + " alone.")
		}
	}
	return []string{Audience}, nil
}

// Delegation reads an access token by which an application acts as somebody at the
// product itself, and returns it with the short name of the organization. Whether that is
// still allowed is not looked at.
func (s *Server) Delegation(ctx context.Context, token string) (d store.OAuthDelegation, slug string, err error) {
	slug, ok, err := s.issuedBy(ctx, token)
	if err != nil {
		return d, "", err
	}
	if !ok {
		return d, "", ErrDelegation
	}
	re, err := s.realm(ctx, slug)
	if errors.Is(err, errNoRealm) {
		return d, "", ErrDelegation
	}
	if err != nil {
		return d, "", err
	}
	st := strategy{re}
	r, err := storage{re}.GetAccessTokenSession(ctx, st.AccessTokenSignature(ctx, token), nil)
	if err == nil {
		err = st.ValidateAccessToken(ctx, r, token)
	}
	if errors.Is(err, fosite.ErrNotFound) || errors.Is(err, fosite.ErrTokenExpired) {
		return d, "", ErrDelegation
	}
	if err != nil {
		return d, "", err
	}
	c, _ := r.GetClient().(*client)
	in, _ := r.GetSession().(*session)
	to := r.GetGrantedAudience()
	switch {
	case c == nil || in == nil:
		return d, "", ErrDelegation
	case c.app || !r.GetGrantedScopes().Has(Scope) || len(to) != 1 || to[0] != Audience || in.Subject == "" || in.Session == "" || in.Actor != nil:
		return d, "", ErrNotForUs
	case in.Confirm != (confirmation{}):
		return d, "", ErrBound
	}
	return store.OAuthDelegation{
		OrganizationID: re.org.ID, TokenKey: Hash(in.TokenID), FamilyID: r.GetID(), ClientID: c.ID, UserID: in.Subject, SessionID: in.Session,
		IssuedAt: in.IssuedAt.UTC(), ExpiresAt: in.Until.UTC(),
	}, slug, nil
}

// issuedBy returns the short name of the organization that a token says to be of; of an
// opaque one, that is kept with it.
func (s *Server) issuedBy(ctx context.Context, token string) (slug string, ok bool, err error) {
	if !isJWT(token) {
		return s.short.Get(ctx, delegatedKey(Hash(token)))
	}
	var said accessClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &said); err != nil {
		return "", false, nil //nolint:nilerr // it is none of ours
	}
	slug, ok = strings.CutPrefix(said.Issuer, s.Issuer(""))
	return slug, ok, nil
}

// delegatedKey is where it is kept of which organization an opaque token for the product
// itself is: of others their client says so.
func delegatedKey(signature string) string { return "delegated:" + signature }
