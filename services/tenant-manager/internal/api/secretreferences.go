package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// secretFits returns a problem of a field whose text is a reference that may not be
// used.
func (h *Handlers) secretFits(ctx context.Context, pointer, organization string, text *string) error {
	wrong, err := h.opt.Secrets.Check(ctx, organization, deref(text))
	if wrong != nil {
		return invalid(pointer, "reference", "%s", wrong)
	}
	return err
}

// connectionSecretsFit returns a problem of a secret of a connection that is a
// reference which may not be used.
func (h *Handlers) connectionSecretsFit(ctx context.Context, in SsoConnectionInput) error {
	organization := caller(ctx).Organization
	err := h.secretFits(ctx, "/clientSecret", organization, in.ClientSecret)
	if err == nil && in.Ldap != nil {
		err = h.secretFits(ctx, "/ldap/bindPassword", organization, in.Ldap.BindPassword)
	}
	return err
}

// revealed returns a connection with its secret in place of a reference.
func (h *Handlers) revealed(ctx context.Context, c store.SSOConnection) (store.SSOConnection, error) {
	var err error
	if c.Secret, err = h.opt.Secrets.Reveal(ctx, c.OrganizationID, c.Secret); err != nil {
		return c, &sso.FailedError{Reason: "the secret of the connection cannot be read: " + err.Error()}
	}
	return c, nil
}

// GetSecretReferences says which references may be named in place of secrets.
func (h *Handlers) GetSecretReferences(ctx context.Context, _ GetSecretReferencesRequestObject) (GetSecretReferencesResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	allowed, err := h.opt.Secrets.Allowed(ctx, caller(ctx).Organization)
	if err != nil {
		return nil, err
	}
	out := SecretReferences{Organization: notNil(allowed), Platform: []string{}}
	if _, err := h.platform(ctx, "platform:read"); err == nil {
		platform, err := h.opt.Secrets.Allowed(ctx, secrets.Platform)
		if err != nil {
			return nil, err
		}
		out.Platform = notNil(platform)
	}
	return GetSecretReferences200JSONResponse(out), nil
}

// TestSecretReference says whether a reference leads to something.
func (h *Handlers) TestSecretReference(ctx context.Context, r TestSecretReferenceRequestObject) (TestSecretReferenceResponseObject, error) {
	organization := caller(ctx).Organization
	if deref(r.Body.Platform) {
		organization = secrets.Platform
		if _, err := h.platform(ctx, "platform:update"); err != nil {
			return nil, err
		}
	} else if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	if err := h.secretFits(ctx, "/reference", organization, &r.Body.Reference); err != nil {
		return nil, err
	}
	out := SecretReferenceTest{Ok: true, Detail: "There is a secret."}
	if err := h.opt.Secrets.Try(ctx, r.Body.Reference); err != nil {
		out = SecretReferenceTest{Detail: err.Error()}
	}
	return TestSecretReference200JSONResponse(out), nil
}
