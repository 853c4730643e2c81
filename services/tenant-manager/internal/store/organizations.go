package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm/clause"

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

// SaveOrganization writes the name, whether it is suspended and whether it is
// deleted, if the row has the version that is in o.
func (t *Tx) SaveOrganization(ctx context.Context, o *Organization) error {
	return db.Save(ctx, t.scope, o, "name", "suspended", "deleted_at", "purge_at", "was_suspended")
}

// First returns the id of the organization that was made first: that of the
// platform's administrators.
func (s *Store) First(ctx context.Context) (string, error) {
	var out []Organization
	err := s.db.Unscoped(ctx, "which organization is the first one is not in one").Order("id").Limit(1).Find(&out).Error
	o, err := one(out, err)
	return o.ID, err
}

// OrganizationFilter narrows a list of organizations.
type OrganizationFilter struct {
	// Search is text in the name or slug; "" = any.
	Search string
	// Suspended and Deleted leave those that are, or are not; nil = both.
	Suspended, Deleted *bool
	// Sort is name, slug or created_at; Descending turns it round.
	Sort       string
	Descending bool
	// Skip leaves out as many; Limit is how many at most.
	Skip, Limit int
}

// AllOrganizations returns some of the organizations of the installation.
func (s *Store) AllOrganizations(ctx context.Context, f OrganizationFilter) ([]Organization, error) {
	g := s.db.Unscoped(ctx, "administrators of the platform see all organizations")
	if strings.TrimSpace(f.Search) != "" {
		l := like(f.Search)
		g = g.Where("(lower(name) LIKE ? ESCAPE '!' OR slug LIKE ? ESCAPE '!')", l, l)
	}
	if f.Suspended != nil {
		g = g.Where("suspended = ?", *f.Suspended)
	}
	if f.Deleted != nil {
		g = g.Where(map[bool]string{true: "deleted_at IS NOT NULL", false: "deleted_at IS NULL"}[*f.Deleted])
	}
	var out []Organization
	return out, g.Order(clause.OrderByColumn{Column: clause.Column{Name: f.Sort}, Desc: f.Descending}).Order("id").
		Offset(f.Skip).Limit(f.Limit).Find(&out).Error
}

// UserCount counts the users who are not deleted.
func (o *Org) UserCount(ctx context.Context) (int64, error) {
	return db.From[User](o.scope).Where("status <> ?", Deleted).Count(ctx)
}

// UserCounts counts the users of organizations who are not deleted, by the ids of
// the organizations.
func (s *Store) UserCounts(ctx context.Context, organizations ...string) (map[string]int64, error) {
	var rows []struct {
		OrganizationID string
		N              int64
	}
	err := s.db.Unscoped(ctx, "administrators of the platform see how many users organizations have").Model(&User{}).
		Select("organization_id, count(*) AS n").Where("organization_id IN ? AND status <> ?", organizations, Deleted).Group("organization_id").Scan(&rows).Error
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.OrganizationID] = r.N
	}
	return out, err
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
