package store

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/db"
)

const (
	// MostFavourites is how many organizations somebody can want at hand.
	MostFavourites = 50
	// mostRecent is how many are kept of those used last.
	mostRecent = 8
)

// FavouriteOrganizations returns the ids of those that a user wants at hand, the
// newest first.
func (o *Org) FavouriteOrganizations(ctx context.Context, user string) ([]string, error) {
	rows, err := db.From[OrganizationMark](o.scope).Where("user_id = ? AND favourite_at IS NOT NULL", user).
		Order("favourite_at", true).Limit(MostFavourites).All(ctx)
	return targets(rows), err
}

// RecentOrganizations returns the ids of those that a user used last, the last first.
func (o *Org) RecentOrganizations(ctx context.Context, user string) ([]string, error) {
	rows, err := o.recent(ctx, user)
	if len(rows) > mostRecent {
		rows = rows[:mostRecent]
	}
	return targets(rows), err
}

func (o *Org) recent(ctx context.Context, user string) ([]OrganizationMark, error) {
	return db.From[OrganizationMark](o.scope).Where("user_id = ? AND used_at IS NOT NULL", user).Order("used_at", true).Limit(4 * mostRecent).All(ctx)
}

func targets(rows []OrganizationMark) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.TargetID
	}
	return out
}

// MarkOrganization notes that a user wants an organization at hand or no longer does,
// where favourite is not nil, and that they use it. What was used longer ago than the
// last few is forgotten.
func (t *Tx) MarkOrganization(ctx context.Context, user, target string, favourite *bool, used bool) error {
	now := t.store.Now()
	rows, err := db.From[OrganizationMark](t.scope).Where("user_id = ? AND target_id = ?", user, target).Lock().All(ctx)
	if err != nil {
		return err
	}
	m := OrganizationMark{ID: NewID(), UserID: user, TargetID: target}
	if len(rows) > 0 {
		m = rows[0]
	}
	switch {
	case favourite == nil:
	case !*favourite:
		m.FavouriteAt = nil
	case m.FavouriteAt == nil:
		m.FavouriteAt = &now
	}
	if used {
		m.UsedAt = &now
	}
	gone := m.FavouriteAt == nil && m.UsedAt == nil
	switch {
	case len(rows) == 0 && gone:
		return nil
	case len(rows) == 0:
		err = db.Create(ctx, t.scope, &m)
	case gone:
		_, err = db.From[OrganizationMark](t.scope).Where("id = ?", m.ID).Delete(ctx)
	default:
		_, err = db.From[OrganizationMark](t.scope).Where("id = ?", m.ID).Update(ctx, db.Changes{"favourite_at": m.FavouriteAt, "used_at": m.UsedAt})
	}
	if err != nil || !used {
		return err
	}
	return t.forgetUsed(ctx, user)
}

func (t *Tx) forgetUsed(ctx context.Context, user string) error {
	rows, err := t.recent(ctx, user)
	if err != nil || len(rows) <= mostRecent {
		return err
	}
	for _, r := range rows[mostRecent:] {
		if r.FavouriteAt == nil {
			_, err = db.From[OrganizationMark](t.scope).Where("id = ?", r.ID).Delete(ctx)
		} else {
			_, err = db.From[OrganizationMark](t.scope).Where("id = ?", r.ID).Update(ctx, db.Changes{"used_at": nil})
		}
		if err != nil {
			return err
		}
	}
	return nil
}
