package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// errNoAccess is the answer to an access token that is not good, errBoundAccess to one
// that who has it cannot prove by it that it is theirs, and errOtherAccess to one that is
// for APIs of the organization.
var (
	errNoAccess    = badAccess(oauth.ErrDelegation.Error())
	errBoundAccess = badAccess("the access token is bound to a key (DPoP) or a certificate (mTLS), which is not proven here: ask for one that is not, as a client that binds none, and without a proof")
	errOtherAccess = problem.New(problem.CodeAccessDenied, "the access token is not for Gatehouse itself: ask for one with the scope %s, as an application that an administrator gave that scope, and in the name of a person", oauth.Scope).
			WithChallenge(`Bearer realm="gatehouse", error="insufficient_scope", scope="` + oauth.Scope + `"`)
)

// badAccess is the problem of an access token that is not good (RFC 6750 section 3.1).
func badAccess(detail string) *problem.Problem {
	return problem.New(problem.CodeCredentialInvalid, "%s", detail).WithChallenge(`Bearer realm="gatehouse", error="invalid_token"`)
}

// ExchangeAccessToken gives an application that acts as a person an access token for the
// one that the authorization server gave it. The person must be able to sign in now, as far
// as the policy is about that, and the application does no more than their tokens do.
func (h *Handlers) ExchangeAccessToken(ctx context.Context, r ExchangeAccessTokenRequestObject) (ExchangeAccessTokenResponseObject, error) {
	d, err := h.delegation(ctx, r.Body.AccessToken)
	if err != nil {
		return nil, err
	}
	org := h.store.For(d.OrganizationID)
	u, err := org.User(ctx, d.UserID)
	if store.IsNotFound(err) {
		return nil, errNoAccess
	}
	if err != nil {
		return nil, err
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return nil, err
	}
	if u.Status != store.Active || o.Suspended {
		return nil, errNoAccess
	}
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	from, err := h.mayActNow(ctx, org, u, policy, d)
	if err != nil {
		return nil, err
	}
	c, err := h.delegate(ctx, &d, policy)
	if err != nil {
		return nil, err
	}
	// One that was revoked before it had a row has none that would be ended: who revokes
	// one writes that first, and looks for rows then.
	if _, err := h.delegation(ctx, r.Body.AccessToken); err != nil {
		return nil, errors.Join(err, h.store.Tx(ctx, d.OrganizationID, d.UserID, func(tx *store.Tx) error { return tx.EndOAuthDelegations(ctx, "", d.TokenKey) }))
	}
	accessToken, err := h.issuer.Token(ctx, authn.Principal{
		Organization: o.ID, OrganizationSlug: o.Slug, Subject: u.ID, Kind: authn.User, Session: d.ID, Token: c.Name, Name: u.Name, Email: u.Email,
	})
	life := min(authn.Lifetime, d.ExpiresAt.Sub(h.store.Now()))
	return ExchangeAccessToken200JSONResponse{
		AccessToken: accessToken, ExpiresIn: int(life / time.Second), User: new(userName(u)), Organization: organizationName(o), AllowedAddresses: some(from),
	}, err
}

// delegation reads an access token. The error is a problem of it.
func (h *Handlers) delegation(ctx context.Context, token string) (store.OAuthDelegation, error) {
	if h.opt.OAuth == nil {
		return store.OAuthDelegation{}, errNoAccess
	}
	d, _, err := h.opt.OAuth.Delegation(ctx, token)
	switch {
	case errors.Is(err, oauth.ErrDelegation):
		err = errNoAccess
	case errors.Is(err, oauth.ErrBound):
		err = errBoundAccess
	case errors.Is(err, oauth.ErrNotForUs):
		err = errOtherAccess
	}
	return d, err
}

// actsNoLonger is the problem of an application that may act as somebody no longer.
func actsNoLonger(why string) error {
	return badAccess(why + ": begin again at the application")
}

// mayActNow returns the addresses from which an application may act as a user; none where
// from everywhere. The error is the problem of what the user, signing in now, would be
// refused by.
func (h *Handlers) mayActNow(ctx context.Context, org *store.Org, u store.User, policy store.SecurityPolicy, d store.OAuthDelegation) ([]string, error) {
	if err := h.comesFrom(ctx, org, u, policy); err != nil {
		return nil, err
	}
	lacks, err := h.lacksFactor(ctx, org, u, policy)
	if err != nil {
		return nil, err
	}
	if lacks {
		return nil, problem.New(problem.CodeAccessDenied, "your organization asks for a second factor: sign in and set one up, after that the application works again")
	}
	s, err := org.Session(ctx, d.SessionID)
	if store.IsNotFound(err) || err == nil && !h.store.Now().Before(h.sessionEnd(s, policy)) {
		return nil, actsNoLonger("the sign-in in which the application was allowed to act is over")
	}
	if err != nil {
		return nil, err
	}
	rule, err := h.ruleBinding(ctx, u)
	if err != nil {
		return nil, err
	}
	if rule.ID != "" && !bySSO(s, rule) {
		return nil, h.ssoAlone(ctx, rule)
	}
	return h.bound(ctx, org, u, policy)
}

// delegate notes that an application acts as a user, and returns the application. The
// session and the consent are kept from ending meanwhile. The error is a problem where it
// may not.
func (h *Handlers) delegate(ctx context.Context, d *store.OAuthDelegation, policy store.SecurityPolicy) (c store.OAuthClient, err error) {
	given := *d
	why := ""
	err = h.store.Tx(ctx, d.OrganizationID, d.UserID, func(tx *store.Tx) error {
		*d, why = given, ""
		for _, lock := range []func() error{
			func() error { _, err := tx.LockSession(ctx, d.SessionID); return err },
			func() error { _, err := tx.LockOAuthConsent(ctx, d.UserID, d.ClientID); return err },
		} {
			if err := lock(); err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		var err error
		if c, why, err = rights.Delegated(ctx, tx.Org, policy, *d); err != nil || why != "" {
			return err
		}
		return tx.Delegate(ctx, d)
	})
	if err == nil && why != "" {
		err = actsNoLonger(why)
	}
	return c, err
}

// checkManagement says what does not go together with the scope by which a client acts as
// people at the product itself.
func (f *oauthFields) checkManagement(add func(pointer, code, format string, args ...any)) {
	if !slices.Contains(f.Scopes, oauth.Scope) {
		return
	}
	if !slices.Contains(f.GrantTypes, oauth.GrantCode) && !slices.Contains(f.GrantTypes, oauth.GrantDevice) {
		add("/scopes", "invalid", "by %s a client acts as people who allow it: it goes with authorization_code or the device grant", oauth.Scope)
	}
	if f.SkipConsent {
		add("/skipConsent", "invalid", "people are always asked whether a client may act as them: leave out %s, or ask them", oauth.Scope)
	}
	if f.DPoPBound {
		add("/dpopBound", "invalid", "with %s tokens are not bound to a key: make another client for APIs that want that", oauth.Scope)
	}
	if f.CertificateBound {
		add("/certificateBound", "invalid", "with %s tokens are not bound to a certificate: make another client for APIs that want that", oauth.Scope)
	}
}
