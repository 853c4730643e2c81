package api

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// RestoreWithin is how long a deleted organization can be restored.
const RestoreWithin = 7 * 24 * time.Hour

// deletedFields is what the audit trail tells of a deletion.
type deletedFields struct {
	Suspended bool      `json:"suspended"`
	PurgeAt   time.Time `json:"purgeAt,omitzero"`
}

func deletedFieldsOf(o store.Organization) deletedFields {
	out := deletedFields{Suspended: o.Suspended}
	if o.PurgeAt != nil {
		out.PurgeAt = o.PurgeAt.UTC()
	}
	return out
}

// DeleteOrganization deletes an organization, which can be restored for a while.
func (h *Handlers) DeleteOrganization(ctx context.Context, r DeleteOrganizationRequestObject) (DeleteOrganizationResponseObject, error) {
	first, err := h.platform(ctx, "platform:delete")
	if err != nil {
		return nil, err
	}
	out, err := h.changePlatform(ctx, r.Id, first, r.Params.IfMatch, "organization.deleted", func(o *store.Organization) error {
		switch {
		case o.ID == first:
			return problem.New(problem.CodeConflict, "this is the organization of the platform's administrators: it stays as long as the installation does")
		case r.Params.Slug != o.Slug:
			return invalid("/slug", "const", "write the slug of the organization: %s", o.Slug)
		case o.DeletedAt != nil:
			return problem.New(problem.CodeConflict, "the organization is deleted already")
		}
		now := h.store.Now()
		end := now.Add(RestoreWithin)
		o.WasSuspended, o.Suspended, o.DeletedAt, o.PurgeAt = o.Suspended, true, &now, &end
		return nil
	})
	return DeleteOrganization200JSONResponse{Body: out, Headers: DeleteOrganization200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// RestoreOrganization takes a deleted organization back.
func (h *Handlers) RestoreOrganization(ctx context.Context, r RestoreOrganizationRequestObject) (RestoreOrganizationResponseObject, error) {
	first, err := h.platform(ctx, "platform:delete")
	if err != nil {
		return nil, err
	}
	out, err := h.changePlatform(ctx, r.Id, first, r.Params.IfMatch, "organization.restored", func(o *store.Organization) error {
		switch {
		case o.DeletedAt == nil:
			return problem.New(problem.CodeConflict, "the organization is not deleted")
		case o.Purging || !h.store.Now().Before(*o.PurgeAt):
			return problem.New(problem.CodeGone, "the time to restore the organization is over: what it had is going")
		}
		o.Suspended, o.DeletedAt, o.PurgeAt = o.WasSuspended, nil, nil
		return nil
	})
	return RestoreOrganization200JSONResponse{Body: out, Headers: RestoreOrganization200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// changePlatform changes an organization for an administrator of the platform, and
// tells everybody.
func (h *Handlers) changePlatform(ctx context.Context, id, first, ifMatch, action string, change func(*store.Organization) error) (PlatformOrganization, error) {
	version, err := httpx.IfMatch(ifMatch)
	if err != nil {
		return PlatformOrganization{}, err
	}
	var o store.Organization
	err = h.store.Tx(ctx, id, "", func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil {
			return err
		}
		var err error
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		before := deletedFieldsOf(o)
		if err := change(&o); err != nil {
			return err
		}
		quotas, err := tx.Quotas(ctx)
		if err != nil {
			return err
		}
		o.Version = version
		if err := tx.SaveOrganization(ctx, &o); err != nil {
			return err
		}
		if err := tx.KeepQuotas(ctx, o, quotas); err != nil {
			return err
		}
		if err := tx.OrganizationChanged(false, ""); err != nil {
			return err
		}
		if err := tx.AccessChanged("", ""); err != nil {
			return err
		}
		return h.recordBoth(ctx, tx, action, o, before, deletedFieldsOf(o))
	})
	if err != nil {
		return PlatformOrganization{}, err
	}
	return h.platformOrganization(ctx, o, first)
}

// PurgeOrganizations deletes what there is of organizations whose time to be
// restored is over. That they are is told in the trail of the platform.
func (h *Handlers) PurgeOrganizations(ctx context.Context) error {
	ids, err := h.store.DueForPurge(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	first, err := h.store.First(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id == first {
			continue // which cannot be deleted
		}
		err := h.store.Purge(ctx, id, func(tx *store.Tx, o store.Organization) error {
			return h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: "organization.purged", Target: audit.Target{Kind: "organization", ID: o.ID, Name: o.Name}, Organization: first,
				Before: struct {
					Slug string `json:"slug"`
				}{o.Slug},
			})
		})
		if err != nil {
			return err
		}
		h.kit.Log.InfoContext(ctx, "an organization is over, and its rows are gone", "organization", id)
	}
	return nil
}
