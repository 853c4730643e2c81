package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

var errNoCode = errors.New("no user code was free")

// device returns the request behind a user code of the caller's organization.
func (s *Server) device(ctx context.Context, code string, caller authn.Principal) (*realm, deviceRequest, string, *client, error) {
	none := problem.New(problem.CodeNotFound, "there is no device with this code: look at the device whether it shows another by now")
	var asked deviceRequest
	refused := func(err error) (*realm, deviceRequest, string, *client, error) { return nil, asked, "", nil, err }
	hash, ok, err := s.short.Get(ctx, "usercode:"+caller.Organization+":"+Hash(userCode(code)))
	if err != nil {
		return refused(err)
	}
	if !ok {
		return refused(none)
	}
	text, ok, err := s.short.Get(ctx, "device:"+caller.Organization+":"+hash)
	if err != nil {
		return refused(err)
	}
	if !ok || json.Unmarshal([]byte(text), &asked) != nil || !s.now().Before(asked.Until) {
		return refused(none)
	}
	re, err := s.realm(ctx, asked.Slug)
	if errors.Is(err, errNoRealm) {
		err = none
	}
	if err != nil {
		return refused(err)
	}
	known, err := (storage{re}).GetClient(ctx, asked.Client)
	c, _ := known.(*client)
	var away *outage
	if errors.As(err, &away) {
		return refused(away)
	}
	if c == nil || re.org.ID != caller.Organization || !slices.Contains(c.GrantTypes, GrantDevice) {
		return refused(none)
	}
	return re, asked, hash, c, nil
}

// Device says what the device with a user code asks the caller to allow. Host is
// empty: no browser goes anywhere.
func (s *Server) Device(ctx context.Context, code string, caller authn.Principal) (Asked, error) {
	re, asked, _, c, err := s.device(ctx, code, caller)
	if err != nil {
		return Asked{}, err
	}
	open, err := re.open(ctx, c, caller.Subject, asked.Scopes)
	open = slices.DeleteFunc(open, func(s string) bool { return s == "" })
	return Asked{Client: c.OAuthClient, Scopes: asked.Scopes, New: open}, err
}

// DecideDevice allows a device what it asks for in the name of the caller, or does
// not. Whoever has the code is asked each time, whatever was allowed before: the
// device may be somebody else's (RFC 8628 section 5.4).
func (s *Server) DecideDevice(ctx context.Context, code string, caller authn.Principal, allow bool) error {
	re, asked, hash, c, err := s.device(ctx, code, caller)
	if err != nil {
		return err
	}
	in, err := re.login(ctx, caller)
	if err != nil {
		return err
	}
	if in == nil {
		return authn.Missing()
	}
	if _, ok, err := s.short.Take(ctx, re.key("usercode", Hash(userCode(code)))); err != nil || !ok { // of two who decide, one does
		return errors.Join(err, problem.New(problem.CodeNotFound, "the device was answered before"))
	}
	answer := ""
	if allow {
		to, err := audience(c, asked.Scopes, asked.Audience)
		if err != nil {
			return problem.New(problem.CodeConflict, "the device may not have any more what it asked for: begin again at the device").Because(err)
		}
		answer = jsonText(asked.allowed(c, in, to))
	}
	err = s.store.Tx(ctx, re.org.ID, in.user, func(tx *store.Tx) error {
		if !allow {
			return s.recordConsent(ctx, tx, "oauth-device.refused", c, in.user, nil, nil)
		}
		if !c.SkipConsent {
			before, err := tx.OAuthConsentOf(ctx, in.user, c.ID)
			if err != nil && !errors.Is(err, db.ErrNotFound) {
				return err
			}
			after, err := tx.AllowOAuth(ctx, in.user, c.ID, asked.Scopes)
			if err != nil {
				return err
			}
			if err := s.recordConsent(ctx, tx, "oauth-consent.given", c, in.user, before.Scopes, after.Scopes); err != nil {
				return err
			}
		}
		return s.recordConsent(ctx, tx, "oauth-device.allowed", c, in.user, nil, asked.Scopes)
	})
	if err != nil {
		return err
	}
	_, err = s.short.Add(ctx, re.key("decided", hash), answer, deviceLifetime)
	return err
}

// allowed returns a request as it was granted in the name of a user, for an audience.
func (r deviceRequest) allowed(c *client, in *login, audience []string) kept {
	sn := newSession()
	sn.Subject, sn.Session, sn.Algorithm = in.user, in.session, c.Algorithm
	sn.Claims.Subject, sn.Claims.AuthTime, sn.Claims.RequestedAt = in.user, in.at, r.RequestedAt
	sn.Claims.AuthenticationContextClassReference, sn.Claims.AuthenticationMethodsReferences = in.acr, in.amr
	return kept{
		ID: r.ID, Client: c.ID, RequestedAt: r.RequestedAt, Scopes: r.Scopes, Granted: r.Scopes, Audience: r.Audience, GrantedAud: audience, Session: sn,
	}
}
