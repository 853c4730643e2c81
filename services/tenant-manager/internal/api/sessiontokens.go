package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

var errRefresh = errors.New("refused")

// RefreshToken exchanges a refresh token. One that was exchanged before ends the
// session.
func (h *Handlers) RefreshToken(ctx context.Context, r RefreshTokenRequestObject) (RefreshTokenResponseObject, error) {
	no := refused("the refresh token is not right, was used before, or its session has ended: sign in again")
	t, ok := token.ParseRefresh(r.Body.RefreshToken)
	if !ok {
		return nil, no
	}
	organization, err := h.store.SessionOrganization(ctx, t.Session)
	if store.IsNotFound(err) {
		return nil, no
	}
	if err != nil {
		return nil, err
	}
	var (
		u      store.User
		o      store.Organization
		s      store.Session
		stolen bool
	)
	err = h.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
		stolen = false
		if s, err = tx.LockSession(ctx, t.Session); err != nil {
			return err
		}
		now := h.store.Now()
		if !t.Genuine(s.RefreshKey.Reveal()) || !s.Open(now) {
			return errRefresh
		}
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		if u, err = tx.User(ctx, s.UserID); err != nil {
			return err
		}
		if u.Status != store.Active || o.Suspended {
			return errRefresh
		}
		switch {
		case t.Generation == s.Generation:
			return h.renew(ctx, tx, u, &s)
		case t.Generation == s.Generation-1 && now.Sub(s.RotatedAt) < h.opt.RefreshLeeway:
			return nil // the answer was lost, or another instance was faster
		}
		stolen = true
		if _, err := tx.EndSessions(ctx, u.ID, s.ID, ""); err != nil {
			return err
		}
		return h.recordUser(ctx, tx, "session.reused", u, true)
	})
	switch {
	case errors.Is(err, errRefresh) || store.IsNotFound(err) || err == nil && stolen:
		return nil, no
	case err != nil:
		return nil, err
	}
	pair, err := h.pair(ctx, o, u, s)
	return RefreshToken200JSONResponse(pair), err
}

// renew takes a session to its next refresh token, and holds it to the policy as
// it is now. The error is errRefresh where the session is over by that.
func (h *Handlers) renew(ctx context.Context, tx *store.Tx, u store.User, s *store.Session) error {
	policy, err := tx.SecurityPolicy(ctx)
	if err != nil {
		return err
	}
	now := h.store.Now()
	if !now.Before(h.sessionEnd(*s, policy)) {
		return errRefresh
	}
	if s.ImpersonatorID != "" {
		return h.renewImpersonation(ctx, tx, s, policy)
	}
	if err := stillConnected(ctx, tx, *s); err != nil {
		return err
	}
	of, err := h.signInOf(ctx, tx, *s)
	if err != nil {
		return err
	}
	if err := h.comesFrom(ctx, tx.Org, u, policy); err != nil {
		return err
	}
	rule, err := h.ruleBinding(ctx, u)
	if err != nil {
		return err
	}
	if rule.ID != "" && !bySSO(*s, rule) {
		return errRefresh
	}
	if s.Pending == "" {
		lacks, err := h.lacksFactor(ctx, tx.Org, u, policy)
		if err != nil {
			return err
		}
		if lacks {
			s.Pending = store.PendingFactor
			if err := tx.AccessChanged(u.ID, ""); err != nil {
				return err
			}
		}
	}
	s.Generation++
	s.RotatedAt, s.LastUsedAt = now, now
	if ip := httpx.Address(ctx); ip != "" {
		s.IP, s.UserAgent = ip, userAgent(ctx)
	}
	s.ExpiresAt = h.sessionEnd(*s, policy)
	if of != nil {
		s.ExpiresAt = h.endWithin(*s, *of, policy)
		of.LastUsedAt = now
		of.ExpiresAt = h.sessionEnd(*of, policy)
		if err := tx.TouchSignIn(ctx, *of); err != nil {
			return err
		}
		if !now.Before(s.ExpiresAt) {
			return errRefresh
		}
	}
	return tx.RotateSession(ctx, *s)
}

// stillConnected returns errRefresh where the connection by which a session began is not
// there any more, or is switched off.
func stillConnected(ctx context.Context, tx *store.Tx, s store.Session) error {
	if s.SSOConnectionID == "" {
		return nil
	}
	c, err := tx.SSOConnection(ctx, s.SSOConnectionID)
	if store.IsNotFound(err) || err == nil && !c.Enabled {
		return errRefresh
	}
	return err
}

// signInOf returns the session that another came of, nil where it came of none. The
// error is errRefresh where that is over.
func (h *Handlers) signInOf(ctx context.Context, tx *store.Tx, s store.Session) (*store.Session, error) {
	if s.ParentID == "" {
		return nil, nil //nolint:nilnil // it came of none
	}
	of, err := tx.Session(ctx, s.ParentID)
	if store.IsNotFound(err) || err == nil && (of.UserID != s.UserID || !of.Open(h.store.Now())) {
		return nil, errRefresh
	}
	return &of, err
}

// tokenRefused puts it into the audit trail that a token came that is known and good for
// nothing: now and then, however often it comes. It returns what whoever sent it is told.
func (h *Handlers) tokenRefused(ctx context.Context, organization, id, action string, target audit.Target, why string) error {
	wait, err := h.store.Attempt(ctx, store.Limited{Name: "refusals of token " + id, Limit: throttle.Telling})
	if err != nil {
		return err
	}
	if wait == 0 {
		h.closed(ctx, organization, action, target, why)
	}
	return errNoToken
}

var errNoToken = refused("the token is not right, has run out, or was revoked")

// ExchangeToken gives a person or a service account an access token for their own
// token.
func (h *Handlers) ExchangeToken(ctx context.Context, r ExchangeTokenRequestObject) (ExchangeTokenResponseObject, error) {
	if token.ValidPersonal(r.Body.Token) {
		out, err := h.exchangePersonal(ctx, r.Body.Token)
		return ExchangeToken200JSONResponse(out), err
	}
	no := errNoToken
	if !token.ValidService(r.Body.Token) {
		return nil, no
	}
	k, err := h.store.ServiceTokenByHash(ctx, token.Hash(r.Body.Token))
	if store.IsNotFound(err) {
		return nil, no
	}
	if err != nil {
		return nil, err
	}
	org := h.store.For(k.OrganizationID)
	a, err := org.ServiceAccount(ctx, k.ServiceAccountID)
	if err != nil {
		return nil, err
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return nil, err
	}
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	why := ""
	switch {
	case !policy.ServiceTokens:
		why = "the organization has no tokens of service accounts"
	case a.Status != store.Active:
		why = "the service account is disabled"
	case o.Suspended:
		why = "the organization is suspended"
	case k.ExpiresAt != nil && !h.store.Now().Before(*k.ExpiresAt):
		why = "the token has run out"
	}
	if why != "" {
		return nil, h.tokenRefused(ctx, o.ID, k.ID, "service-account.token-refused", audit.Target{Kind: "service-account", ID: a.ID, Name: a.Name}, why)
	}
	if err := org.UsedServiceToken(ctx, k, httpx.Address(ctx)); err != nil {
		return nil, err
	}
	accessToken, err := h.issuer.Token(ctx, authn.Principal{
		Organization: o.ID, OrganizationSlug: o.Slug, Subject: a.ID, Kind: authn.ServiceAccount, Session: k.ID, Token: k.Name, Name: a.Name,
	})
	if err != nil {
		return nil, err
	}
	return ExchangeToken200JSONResponse{
		AccessToken: accessToken, ExpiresIn: int(authn.Lifetime / time.Second),
		ServiceAccount: &ServiceAccountName{Id: a.ID, Name: a.Name}, Organization: organizationName(o),
	}, nil
}

// GetKeys publishes the public keys.
func (h *Handlers) GetKeys(ctx context.Context, _ GetKeysRequestObject) (GetKeysResponseObject, error) {
	set, err := h.issuer.KeySet(ctx)
	if err != nil {
		return nil, err
	}
	out := KeySet{Keys: make([]Key, len(set.Keys))}
	for i, raw := range set.Keys {
		if err := json.Unmarshal(raw, &out.Keys[i]); err != nil {
			return nil, fmt.Errorf("publishing keys: %w", err)
		}
	}
	return GetKeys200JSONResponse{Body: out, Headers: GetKeys200ResponseHeaders{CacheControl: ptr("public, max-age=300")}}, nil
}

// personal returns a problem for what only people have.
func personal(p authn.Principal) error {
	if p.Kind != authn.User {
		return problem.New(problem.CodeAccessDenied, "only people have sessions, a name and a password of their own; a service account is changed at /service-accounts/%s", p.Subject)
	}
	return nil
}
