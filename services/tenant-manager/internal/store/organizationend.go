package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/tenancy"
)

// Quotas returns how many of what the organization may have.
func (t *Tx) Quotas(ctx context.Context) (tenant.Quotas, error) {
	known, err := tenancy.OfIn(ctx, t.tx, t.ID())
	return known.Quotas, err
}

// KeepQuotas writes how many of what the organization may have, together with the
// version of the organization that they are of.
func (t *Tx) KeepQuotas(ctx context.Context, o Organization, quotas tenant.Quotas) error {
	return tenancy.KeepIn(ctx, t.store.db, t.tx, tenant.Organization{ID: t.ID(), Version: o.Version, Quotas: quotas, Deleted: o.DeletedAt != nil})
}

// Quotas returns how many of what organizations may have, by their ids; none =
// all.
func (s *Store) Quotas(ctx context.Context, ids ...string) (map[string]tenant.Quotas, error) {
	known, err := tenancy.All(ctx, s.db, ids...)
	out := make(map[string]tenant.Quotas, len(known))
	for id, k := range known {
		out[id] = k.Quotas
	}
	return out, err
}

// Room refuses what would be more users or service accounts than the organization
// may have.
func (t *Tx) Room(ctx context.Context, of tenant.Resource) error {
	return tenancy.Room(ctx, t.tx, t.ID(), of, func(ctx context.Context) (int64, error) { return t.count(ctx, of) })
}

func (o *Org) count(ctx context.Context, of tenant.Resource) (int64, error) {
	switch of {
	case tenant.ResourceUsers:
		return o.UserCount(ctx)
	case tenant.ResourceServiceAccounts:
		return db.From[ServiceAccount](o.scope).Count(ctx)
	}
	return 0, fmt.Errorf("%s are another service's", of)
}

// Holdings returns how much the organization has of what is kept here.
func (o *Org) Holdings(ctx context.Context) (tenant.Counts, error) {
	out := tenant.Counts{Counts: map[tenant.Resource]int64{}}
	for _, r := range []tenant.Resource{tenant.ResourceUsers, tenant.ResourceServiceAccounts} {
		n, err := o.count(ctx, r)
		if err != nil {
			return out, err
		}
		out.Counts[r] = n
	}
	return out, nil
}

// purged is an organization that is over.
type purged struct {
	ID       string `gorm:"primaryKey"`
	Slug     string
	PurgedAt time.Time
}

// TableName is for gorm.
func (purged) TableName() string { return "purged_organizations" }

const overAndDone = "organizations that are over are in none"

// Purged returns the organizations that are over: those of the ids, or all.
func (s *Store) Purged(ctx context.Context, ids ...string) ([]tenant.Organization, error) {
	g := s.db.Unscoped(ctx, overAndDone).Order("id")
	if len(ids) > 0 {
		g = g.Where("id IN ?", ids)
	}
	var rows []purged
	err := g.Find(&rows).Error
	out := make([]tenant.Organization, len(rows))
	for i, r := range rows {
		out[i] = tenant.Organization{ID: r.ID, Slug: r.Slug}
	}
	return out, err
}

// SlugWasUsed reports whether an organization that is over had the slug.
func (t *Tx) SlugWasUsed(ctx context.Context, slug string) (bool, error) {
	var n int64
	err := t.tx.Unscoped(overAndDone).WithContext(ctx).Model(&purged{}).Where("slug = ?", slug).Count(&n).Error
	return n > 0, err
}

// DueForPurge returns the ids of deleted organizations whose time to be restored
// is over.
func (s *Store) DueForPurge(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.db.Unscoped(ctx, "the end of organizations comes by itself").Model(&Organization{}).
		Where("deleted_at IS NOT NULL AND purge_at <= ?", s.Now()).Order("purge_at").Pluck("id", &ids).Error
	return ids, err
}

// Purge deletes all rows of a deleted organization whose time is over, and tells
// everybody; done is called in the transaction that ends it. One that was restored
// meanwhile stays. A purge that was broken off goes on with the next call.
func (s *Store) Purge(ctx context.Context, organization string, done func(tx *Tx, o Organization) error) error {
	var o Organization
	err := s.Tx(ctx, organization, "", func(tx *Tx) error {
		var err error
		if o, err = db.From[Organization](tx.scope).Lock().Get(ctx, organization); err != nil {
			return err
		}
		if o.DeletedAt == nil || o.PurgeAt == nil || o.PurgeAt.After(s.Now()) {
			return db.ErrNotFound
		}
		_, err = db.From[Organization](tx.scope).Where("id = ?", organization).Update(ctx, db.Changes{"purging": true})
		return err
	})
	if IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("purging organization %s: %w", organization, err)
	}
	if err := tenancy.Purge(ctx, s.db, organization, Organization{}.TableName()); err != nil {
		return err
	}
	return s.Tx(ctx, organization, "", func(tx *Tx) error {
		if _, err := db.From[Organization](tx.scope).Where("id = ?", organization).Delete(ctx); err != nil {
			return err
		}
		if err := tx.tx.Unscoped(overAndDone).WithContext(ctx).Create(&purged{ID: o.ID, Slug: o.Slug, PurgedAt: s.Now()}).Error; err != nil {
			return err
		}
		if err := tx.OrganizationChanged(false, ""); err != nil {
			return err
		}
		return done(tx, o)
	})
}

// TableName is for gorm.
func (Organization) TableName() string { return "organizations" }

// Exporter hands out what an organization has here: nothing by which anybody could
// sign in, and nothing of what is under way for minutes.
func (s *Store) Exporter() *tenancy.Exporter {
	return &tenancy.Exporter{
		DB: s.db,
		Skip: []string{
			"audit_heads", "challenges", "ending_notices", "factors", "known_devices", "mail_messages", "oauth_client_secrets", "oauth_delegations", "oauth_initial_tokens", "oauth_keys",
			"oauth_logouts", "oauth_refresh_tokens", "oauth_session_clients", "one_time_codes", "organization_marks", "password_requests", "preferences", "recovery_codes",
			"scim_rehearsed", "scim_tokens", "sso_hints",
		},
		// The hash of who somebody is at an identity provider, addresses that let in
		// whoever knows them, with what was answered there, and accounts in other
		// organizations.
		Hide:  []string{"sso_identities.subject", "sessions.sso_sid", "sessions.proven", "sessions.switched_from", "webhooks.address", "webhooks.sealed_address", "audit_receivers.address", "audit_receivers.sealed_address", "webhook_deliveries.answer"},
		Kinds: map[string]string{"principal_groups": "groups", "audit_entries": "audit"},
		Show: map[string]func(context.Context, string, map[string]any) (any, error){
			// By which the trail can be checked.
			"audit_entries.hash": func(_ context.Context, _ string, row map[string]any) (any, error) { return row["hash"], nil },
		},
	}
}

// Portion returns the next part of what an organization has here.
func (s *Store) Portion(ctx context.Context, e *tenancy.Exporter, ask tenant.Portion) (tenant.Exported, error) {
	return e.Portion(secret.With(ctx, s.ring), ask)
}
