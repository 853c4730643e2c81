package api

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// samlKeysOf returns the key of a connection, and the one that decrypts as well while
// one follows another.
func samlKeysOf(c store.SSOConnection) (own, other sso.SAMLKey) {
	s, keys := c.Settings.SAML, sso.SplitKeys(c.Secret.Reveal())
	if len(keys) > 0 {
		own = sso.SAMLKey{Private: keys[0], Certificate: s.Own}
	}
	certificate := s.Next
	if certificate == nil {
		certificate = s.Previous
	}
	if len(keys) > 1 && certificate != nil {
		other = sso.SAMLKey{Private: keys[1], Certificate: certificate}
	}
	return own, other
}

// ownEnd returns when the own certificate of a SAML connection ends: that of the one
// that follows, where it does so by itself before.
func ownEnd(s store.SSOSAML) time.Time {
	if len(s.Own) == 0 {
		return time.Time{}
	}
	end := sso.DescribeCertificate(s.Own).NotAfter
	if len(s.Next) > 0 && s.SwitchAt != nil && s.SwitchAt.Before(end) {
		return sso.DescribeCertificate(s.Next).NotAfter
	}
	return end
}

// recordedKeys is what the trail says of the keys of a connection: certificates by
// their fingerprints.
type recordedKeys struct {
	Own      string     `json:"own"`
	Next     string     `json:"next,omitempty"`
	SwitchAt *time.Time `json:"switchAt,omitempty"`
	Previous string     `json:"previous,omitempty"`
}

func recordedKeysOf(c store.SSOConnection) recordedKeys {
	print := func(der []byte) string {
		if len(der) == 0 {
			return ""
		}
		return sso.DescribeCertificate(der).Fingerprint
	}
	s := c.Settings.SAML
	return recordedKeys{Own: print(s.Own), Next: print(s.Next), SwitchAt: utc(s.SwitchAt), Previous: print(s.Previous)}
}

// changeKeys changes the keys of a SAML connection, and writes down as what.
func (h *Handlers) changeKeys(ctx context.Context, id, match, action string, change func(*store.SSOConnection, *store.SSOSAML) error) (c store.SSOConnection, err error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return c, err
	}
	version, err := httpx.IfMatchOptional(match)
	if err != nil {
		return c, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = tx.SSOConnection(ctx, id); err != nil {
			return err
		}
		if err := db.Expect(c.Version, version); err != nil {
			return err
		}
		if c.Settings.SAML == nil {
			return problem.New(problem.CodeConflict, "this connection is not one of SAML, and has no certificate of its own")
		}
		before, s := recordedKeysOf(c), *c.Settings.SAML
		if err := change(&c, &s); err != nil {
			return err
		}
		c.Settings.SAML = &s
		if err := tx.SaveSSOKeys(ctx, &c); err != nil {
			return err
		}
		return h.record(ctx, tx, action, "sso-connection", c.ID, c.Name, before, recordedKeysOf(c))
	})
	return c, err
}

// RenewSsoCertificate makes the key that is to follow the one of a connection, and
// announces its certificate beside that one.
func (h *Handlers) RenewSsoCertificate(ctx context.Context, r RenewSsoCertificateRequestObject) (RenewSsoCertificateResponseObject, error) {
	c, err := h.changeKeys(ctx, r.Id, deref(r.Params.IfMatch), "sso-connection.certificate-renewed", func(c *store.SSOConnection, s *store.SSOSAML) error {
		if len(s.Next) > 0 {
			return problem.New(problem.CodeConflict, "a new certificate is announced already: switch to it, or withdraw it first")
		}
		at, err := h.switchTime(r.Body.SwitchAt)
		if err != nil {
			return err
		}
		own, _ := samlKeysOf(*c)
		next, err := h.sso.NewSAMLKey("Gatehouse " + c.Name)
		if err != nil {
			return err
		}
		c.Secret = secret.NewText(own.Private + next.Private)
		s.Next, s.SwitchAt, s.Previous = next.Certificate, at, nil
		return nil
	})
	return RenewSsoCertificate200JSONResponse{Body: ssoConnectionOf(c), Headers: RenewSsoCertificate200ResponseHeaders{ETag: etag(c.Version)}}, err
}

// switchTime reads when a certificate is to follow by itself.
func (h *Handlers) switchTime(at *time.Time) (*time.Time, error) {
	if at == nil {
		return nil, nil //nolint:nilnil // when somebody says so
	}
	if now := h.store.Now(); !at.After(now) || at.After(now.AddDate(1, 0, 0)) {
		return nil, invalid("/switchAt", "minimum", "name a time that is to come, within a year; or leave it out, and switch when the provider knows the new certificate")
	}
	return utc(at), nil
}

// errNoNext says that there is nothing to switch to.
func errNoNext() error {
	return problem.New(problem.CodeConflict, "no new certificate is announced: renew the certificate first")
}

// SwitchSsoCertificate has the announced certificate of a connection follow: now, or
// at a time.
func (h *Handlers) SwitchSsoCertificate(ctx context.Context, r SwitchSsoCertificateRequestObject) (SwitchSsoCertificateResponseObject, error) {
	action := "sso-connection.certificate-switched"
	if r.Body.SwitchAt != nil {
		action = "sso-connection.certificate-switch-set"
	}
	c, err := h.changeKeys(ctx, r.Id, deref(r.Params.IfMatch), action, func(c *store.SSOConnection, s *store.SSOSAML) error {
		if len(s.Next) == 0 {
			return errNoNext()
		}
		at, err := h.switchTime(r.Body.SwitchAt)
		if err != nil {
			return err
		}
		if at != nil {
			s.SwitchAt = at
			return nil
		}
		return switchKeys(c, s)
	})
	return SwitchSsoCertificate200JSONResponse{Body: ssoConnectionOf(c), Headers: SwitchSsoCertificate200ResponseHeaders{ETag: etag(c.Version)}}, err
}

// switchKeys has the announced key follow. The one before goes on decrypting.
func switchKeys(c *store.SSOConnection, s *store.SSOSAML) error {
	own, next := samlKeysOf(*c)
	if next.Private == "" {
		return errNoNext()
	}
	c.Secret = secret.NewText(next.Private + own.Private)
	s.Own, s.Next, s.SwitchAt, s.Previous = s.Next, nil, nil, s.Own
	return nil
}

// EndSsoCertificateOverlap withdraws the certificate that was announced, or forgets
// the one before.
func (h *Handlers) EndSsoCertificateOverlap(ctx context.Context, r EndSsoCertificateOverlapRequestObject) (EndSsoCertificateOverlapResponseObject, error) {
	c, err := h.changeKeys(ctx, r.Id, deref(r.Params.IfMatch), "sso-connection.certificate-overlap-ended", func(c *store.SSOConnection, s *store.SSOSAML) error {
		if len(s.Next) == 0 && len(s.Previous) == 0 {
			return problem.New(problem.CodeConflict, "there is one certificate only: none is announced, and none is left over")
		}
		endOverlap(c, s)
		return nil
	})
	return EndSsoCertificateOverlap200JSONResponse{Body: ssoConnectionOf(c), Headers: EndSsoCertificateOverlap200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func endOverlap(c *store.SSOConnection, s *store.SSOSAML) {
	own, _ := samlKeysOf(*c)
	c.Secret = secret.NewText(own.Private)
	s.Next, s.SwitchAt, s.Previous = nil, nil, nil
}

// SwitchCertificates has certificates follow whose time has come, and forgets those
// before that have ended. One replica does so at a time.
func (h *Handlers) SwitchCertificates(ctx context.Context) error {
	all, err := h.store.SAMLConnections(ctx)
	errs := []error{err}
	for _, c := range all {
		if keysDue(c, h.store.Now()) != "" {
			errs = append(errs, h.switchDue(ctx, c))
		}
	}
	return errors.Join(errs...)
}

// keysDue returns what is to be done with the keys of a connection by itself, as the
// trail calls it; "" = nothing.
func keysDue(c store.SSOConnection, now time.Time) string {
	s := c.Settings.SAML
	switch {
	case s == nil:
		return ""
	case len(s.Next) > 0 && s.SwitchAt != nil && !now.Before(*s.SwitchAt):
		return "sso-connection.certificate-switched"
	case len(s.Previous) > 0 && now.After(sso.DescribeCertificate(s.Previous).NotAfter):
		return "sso-connection.certificate-overlap-ended"
	}
	return ""
}

func (h *Handlers) switchDue(ctx context.Context, c store.SSOConnection) error {
	err := h.store.Tx(ctx, c.OrganizationID, "", func(tx *store.Tx) error {
		c, err := tx.SSOConnection(ctx, c.ID)
		if err != nil {
			return err
		}
		action := keysDue(c, h.store.Now())
		if action == "" { // somebody was faster
			return nil
		}
		before, s := recordedKeysOf(c), *c.Settings.SAML
		if len(s.Next) == 0 {
			endOverlap(&c, &s)
		} else if err := switchKeys(&c, &s); err != nil {
			return err
		}
		c.Settings.SAML = &s
		if err := tx.SaveSSOKeys(ctx, &c); err != nil {
			return err
		}
		return h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: action, Target: audit.Target{Kind: "sso-connection", ID: c.ID, Name: c.Name}, Organization: c.OrganizationID,
			Before: before, After: recordedKeysOf(c),
		})
	})
	if store.IsNotFound(err) { // it was deleted meanwhile
		return nil
	}
	return err
}
