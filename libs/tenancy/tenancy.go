// Package tenancy is what every service has to do about organizations, beside
// keeping their rows apart: it keeps how many of what each may have and refuses
// what is more, hands out all that an organization has, and takes it away when
// the organization is over. It knows no kind of row: tables that come later fall
// under it by their column organization_id.
package tenancy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// row is what is known of an organization.
type row struct {
	OrganizationID string `gorm:"primaryKey"`
	Version        int64
	Quotas         tenant.Quotas `gorm:"serializer:json"`
	Deleted        bool
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (row) TableName() string { return table }

const (
	table  = "tenancies"
	column = "organization_id"
	// reason is said where a query is of no organization.
	reason = "organizations are the tenants themselves"
)

// Keep keeps what tenant-manager said of organizations. What is older than what
// is kept already changes nothing.
func Keep(ctx context.Context, d *db.DB, organizations ...tenant.Organization) error {
	for _, o := range organizations {
		err := d.Tx(ctx, func(tx *db.Tx) error { return KeepIn(ctx, d, tx, o) })
		if err != nil {
			return fmt.Errorf("keeping what organization %s may have: %w", o.ID, err)
		}
	}
	return nil
}

// KeepIn is as [Keep], in a transaction.
func KeepIn(ctx context.Context, d *db.DB, tx *db.Tx, o tenant.Organization) error {
	r := row{OrganizationID: o.ID, Version: o.Version, Quotas: o.Quotas, Deleted: o.Deleted, UpdatedAt: d.Now()}
	if r.Quotas == nil {
		r.Quotas = tenant.Quotas{}
	}
	g := tx.Unscoped(reason).WithContext(ctx)
	if err := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&r).Error; err != nil {
		return err
	}
	return g.Model(&row{}).Where("organization_id = ? AND version < ?", o.ID, o.Version).
		Select("version", "quotas", "deleted", "updated_at").Updates(&r).Error
}

// State is what is known of an organization.
type State struct {
	// Known is false where tenant-manager has not said anything yet.
	Known bool
	// Quotas are how many of what it may have.
	Quotas tenant.Quotas
	// Deleted says that it is deleted, and can still be restored.
	Deleted bool
}

// Of returns what is known of an organization.
func Of(ctx context.Context, d *db.DB, organization string) (State, error) {
	return read(d.Unscoped(ctx, reason), organization)
}

// All returns what is known of organizations, by their ids: those given, or all.
func All(ctx context.Context, d *db.DB, ids ...string) (map[string]State, error) {
	g := d.Unscoped(ctx, reason)
	if len(ids) > 0 {
		g = g.Where("organization_id IN ?", ids)
	}
	var rows []row
	err := g.Find(&rows).Error
	out := make(map[string]State, len(rows))
	for _, r := range rows {
		out[r.OrganizationID] = State{Known: true, Quotas: r.Quotas, Deleted: r.Deleted}
	}
	return out, err
}

// OfIn is as [Of], in a transaction.
func OfIn(ctx context.Context, tx *db.Tx, organization string) (State, error) {
	return read(tx.Unscoped(reason).WithContext(ctx), organization)
}

func read(g *gorm.DB, organization string) (State, error) {
	var rows []row
	err := g.Where("organization_id = ?", organization).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return State{}, err
	}
	return State{Known: true, Quotas: rows[0].Quotas, Deleted: rows[0].Deleted}, nil
}

// Room refuses, with a problem of code organization-full, what would be more than
// an organization may have. It is called in the transaction that makes one more,
// before it does; count counts in the same transaction. Who makes one of the same
// kind at the same time waits until this transaction ends, so that the limit
// holds exactly. Without a limit nobody waits.
func Room(ctx context.Context, tx *db.Tx, organization string, of tenant.Resource, count func(context.Context) (int64, error)) error {
	g := tx.Unscoped(reason).WithContext(ctx)
	known, err := read(g, organization)
	if err != nil {
		return fmt.Errorf("reading what the organization may have: %w", err)
	}
	if _, limited := known.Quotas[of]; !limited {
		return nil
	}
	g = tx.Unscoped(reason).WithContext(ctx)
	if g.Name() != string(db.SQLite) { // which has one writer anyhow
		g = g.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	if known, err = read(g, organization); err != nil { // as it is now that nobody else is at it
		return fmt.Errorf("reading what the organization may have: %w", err)
	}
	most, limited := known.Quotas[of]
	if !limited {
		return nil
	}
	n, err := count(ctx)
	if err != nil {
		return fmt.Errorf("counting %s: %w", of.Name(), err)
	}
	if n >= most {
		return Full(of, most, n)
	}
	return nil
}

// Full is the problem of an organization that has as many as it may.
func Full(of tenant.Resource, most, there int64) *problem.Problem {
	p := problem.New(problem.CodeOrganizationFull,
		"the organization may have %d %s and has %d: delete some that are not needed, or ask an administrator of the platform to raise the limit",
		most, of.Name(), there)
	p.Errors = []problem.Field{{Pointer: "/quotas/" + string(of), Code: "maximum", Detail: fmt.Sprintf("at most %d", most), Params: &problem.Params{Limit: float64(most)}}}
	return p
}

// IsFull reports whether an error says that an organization has as many of
// something as it may.
func IsFull(err error) bool { return problem.Is(err, problem.CodeOrganizationFull) }

// TakeAway takes away what there is of organizations that are over; with every, of
// those too of which nothing is kept here. before, where not nil, takes away what
// is not in the database, or not by the organization's id; it may be called again
// for the same one.
func TakeAway(ctx context.Context, d *db.DB, over []tenant.Organization, every bool, before func(context.Context, tenant.Organization) error) error {
	var errs []error
	for _, o := range over {
		if err := takeAway(ctx, d, o, every, before); err != nil {
			errs = append(errs, fmt.Errorf("purging organization %s: %w", o.Slug, err))
		}
	}
	return errors.Join(errs...)
}

func takeAway(ctx context.Context, d *db.DB, o tenant.Organization, every bool, before func(context.Context, tenant.Organization) error) error {
	known, err := Of(ctx, d, o.ID)
	if err != nil || !known.Known && !every {
		return err
	}
	if before != nil {
		if err := before(ctx, o); err != nil {
			return err
		}
	}
	return Purge(ctx, d, o.ID)
}
