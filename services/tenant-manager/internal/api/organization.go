package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// GetOrganization returns the caller's organization.
func (h *Handlers) GetOrganization(ctx context.Context, _ GetOrganizationRequestObject) (GetOrganizationResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	o, err := h.mine(ctx).Organization(ctx)
	return GetOrganization200JSONResponse{Body: organizationOf(o), Headers: GetOrganization200ResponseHeaders{ETag: etag(o.Version)}}, err
}

// organizationFields is what people may change of an organization.
type organizationFields struct {
	Name string `json:"name"`
}

// UpdateOrganization changes the caller's organization.
func (h *Handlers) UpdateOrganization(ctx context.Context, r UpdateOrganizationRequestObject) (UpdateOrganizationResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var o store.Organization
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		before := organizationOf(o)
		fields, err := httpx.Merge(ctx, organizationFields{o.Name})
		if err != nil {
			return err
		}
		o.Name, o.Version = fields.Name, version
		if err := tx.SaveOrganization(ctx, &o); err != nil {
			return err
		}
		if err := tx.OrganizationChanged(false, ""); err != nil {
			return err
		}
		return h.record(ctx, tx, "organization.updated", "organization", o.ID, o.Name, before, organizationOf(o))
	})
	return UpdateOrganization200JSONResponse{Body: organizationOf(o), Headers: UpdateOrganization200ResponseHeaders{ETag: etag(o.Version)}}, err
}
