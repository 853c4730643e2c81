package api

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// metadataAge is after how long metadata is fetched anew, metadataRetry after how
	// long when that did not work.
	metadataAge   = 24 * time.Hour
	metadataRetry = time.Hour
	// MetadataEvery is how often it is looked for metadata that is a day old.
	MetadataEvery = 10 * time.Minute
)

// RefreshSsoMetadata fetches the metadata of a provider anew.
func (h *Handlers) RefreshSsoMetadata(ctx context.Context, r RefreshSsoMetadataRequestObject) (RefreshSsoMetadataResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).SSOConnection(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := db.Expect(c.Version, version); err != nil {
		return nil, err
	}
	if c.Settings.SAML == nil || c.Settings.SAML.MetadataURL == "" {
		return nil, problem.New(problem.CodeConflict, "the metadata of this connection was given by hand, and is changed by hand")
	}
	c, err = h.refreshMetadata(ctx, c, caller(ctx).Subject)
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		err = problem.New(problem.CodeConflict, "the metadata is not taken on: %s", failed)
	}
	return RefreshSsoMetadata200JSONResponse{Body: ssoConnectionOf(c), Headers: RefreshSsoMetadata200ResponseHeaders{ETag: etag(c.Version)}}, err
}

// refreshMetadata fetches the metadata of a connection and takes it on. What went
// wrong is kept with the connection; the error is then a [sso.FailedError].
func (h *Handlers) refreshMetadata(ctx context.Context, c store.SSOConnection, by string) (store.SSOConnection, error) {
	address := c.Settings.SAML.MetadataURL
	p, why := h.fetchProvider(ctx, c)
	var failed *sso.FailedError
	if why != nil && !errors.As(why, &failed) {
		return c, why
	}
	err := h.store.Tx(ctx, c.OrganizationID, by, func(tx *store.Tx) error {
		var err error
		if c, err = tx.SSOConnection(ctx, c.ID); err != nil {
			return err
		}
		if c.Settings.SAML == nil || c.Settings.SAML.MetadataURL != address || failed == nil && c.Issuer != p.EntityID {
			return problem.New(problem.CodeConflict, "the connection was changed meanwhile: try again")
		}
		now, before := h.store.Now(), recordedConnectionOf(c)
		s := *c.Settings.SAML
		s.TriedAt = &now
		if failed != nil {
			s.FetchError = failed.Reason
			c.Settings.SAML = &s
			return tx.SaveSSOSettings(ctx, &c)
		}
		changed := s.SSOURL != p.SSOURL || !slices.EqualFunc(s.Certificates, p.Certificates, bytes.Equal)
		s.FetchedAt, s.FetchError, s.SSOURL, s.Certificates = &now, "", p.SSOURL, p.Certificates
		c.Settings.SAML = &s
		if err := tx.SaveSSOSettings(ctx, &c); err != nil || !changed {
			return err
		}
		return h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: "sso-connection.metadata-refreshed", Target: audit.Target{Kind: "sso-connection", ID: c.ID, Name: c.Name}, Before: before,
			After: recordedConnectionOf(c), Organization: c.OrganizationID,
		})
	})
	if err == nil {
		err = why
	}
	return c, err
}

// fetchProvider fetches who a provider is now. It must be the same one.
func (h *Handlers) fetchProvider(ctx context.Context, c store.SSOConnection) (sso.SAMLProvider, error) {
	raw, err := h.sso.FetchMetadata(ctx, c.Settings.SAML.MetadataURL)
	if err != nil {
		return sso.SAMLProvider{}, err
	}
	p, err := h.sso.ReadMetadata(raw)
	if err == nil && p.EntityID != c.Issuer {
		err = &sso.FailedError{Reason: "it is of another identity provider, " + p.EntityID}
	}
	return p, err
}

// RefreshMetadata fetches the metadata of SAML providers anew that is a day old. One
// replica does so at a time.
func (h *Handlers) RefreshMetadata(ctx context.Context) error {
	all, err := h.store.SAMLConnections(ctx)
	var errs []error
	for _, c := range all {
		if ctx.Err() != nil {
			break
		}
		if !metadataDue(c, h.store.Now()) {
			continue
		}
		_, err := h.refreshMetadata(ctx, c, "")
		var failed *sso.FailedError
		if errors.As(err, &failed) {
			h.kit.Log.WarnContext(ctx, "the metadata of an identity provider is not taken on", "connection", c.ID, "err", failed)
			err = nil
		}
		errs = append(errs, err)
	}
	return errors.Join(err, errors.Join(errs...))
}

// metadataDue reports whether it is time to fetch metadata anew.
func metadataDue(c store.SSOConnection, now time.Time) bool {
	s := c.Settings.SAML
	if s == nil || s.MetadataURL == "" || c.Issuer == "" {
		return false
	}
	after := func(t *time.Time, d time.Duration) bool { return t == nil || !now.Before(t.Add(d)) }
	return after(s.FetchedAt, metadataAge) && after(s.TriedAt, metadataRetry)
}
