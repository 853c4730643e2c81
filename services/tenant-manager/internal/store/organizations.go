package store

import (
	"context"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/db"
)

// CreateOrganization makes the organization of the transaction.
func (t *Tx) CreateOrganization(ctx context.Context, slug, name string) (Organization, error) {
	o := Organization{Stored: t.stored(), Slug: slug, Name: name}
	o.ID = t.ID()
	if err := db.Create(ctx, t.scope, &o); err != nil {
		return Organization{}, fmt.Errorf("creating an organization: %w", err)
	}
	if err := db.Create(ctx, t.scope, &auditHead{Version: 1}); err != nil {
		return Organization{}, fmt.Errorf("creating an audit trail: %w", err)
	}
	return o, nil
}

// Organization returns the organization itself.
func (o *Org) Organization(ctx context.Context) (Organization, error) {
	return db.From[Organization](o.scope).Get(ctx, o.ID())
}

// LockOrganization keeps other transactions that do the same waiting until this
// one ends: for rules about more than one row.
func (t *Tx) LockOrganization(ctx context.Context) error {
	_, err := db.From[Organization](t.scope).Lock().Get(ctx, t.ID())
	return err
}

// SaveOrganization writes the name, if the row has the version that is in o.
func (t *Tx) SaveOrganization(ctx context.Context, o *Organization) error {
	return db.Save(ctx, t.scope, o, "name")
}

// Organizations returns those with the ids, or all.
func (s *Store) Organizations(ctx context.Context, ids ...string) ([]Organization, error) {
	g := s.db.Unscoped(ctx, "other services reconcile what they keep of all organizations").Order("id")
	if len(ids) > 0 {
		g = g.Where("id IN ?", ids)
	}
	var out []Organization
	return out, g.Find(&out).Error
}

// OrganizationBySlug returns the organization of that slug.
func (s *Store) OrganizationBySlug(ctx context.Context, slug string) (Organization, error) {
	var out []Organization
	err := s.db.Unscoped(ctx, "who signs in is of no organization yet").Where("slug = ?", slug).Find(&out).Error
	return one(out, err)
}
