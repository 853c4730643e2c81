package store

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

// Place is where policies are set: the platform, a project or an API.
type Place struct {
	// Level is "platform", "project" or "api".
	Level string
	// Project is the project's id, for an API that of its project.
	Project string
	API     string
}

// The levels at which policies are kept.
const (
	Platform = "platform"
	Project  = "project"
	API      = "api"
)

// key names the place within its organization.
func (p Place) key() string {
	switch p.Level {
	case Project:
		return "project:" + p.Project
	case API:
		return "api:" + p.API
	}
	return p.Level
}

// NeverSet is the version of policies that were never set.
const NeverSet = 1

// List is the policies of a place.
type List struct {
	At Place
	// Of are the policies; those of the platform or of a project are in its API.
	Of        policies.OfAPI
	Version   int64
	UpdatedAt time.Time
}

type listRow struct {
	ID             string
	OrganizationID string
	Place          string
	Level          string
	ProjectID      string
	APIID          string `gorm:"column:api_id"`
	Policies       secret.Text
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (listRow) TableName() string { return "policy_lists" }

func (r *listRow) list() (List, error) {
	l := List{At: Place{Level: r.Level, Project: r.ProjectID, API: r.APIID}, Version: r.Version, UpdatedAt: r.UpdatedAt}
	return l, decode(r.Policies, &l.Of)
}

// List returns the policies of a place; those that were never set are none, of
// version [NeverSet].
func (o *Organization) List(ctx context.Context, at Place) (List, error) {
	r, err := db.From[listRow](o.scope).Where("place = ?", at.key()).First(o.with(ctx))
	if errors.Is(err, db.ErrNotFound) {
		return List{At: at, Version: NeverSet}, nil
	}
	if err != nil {
		return List{}, err
	}
	return r.list()
}

// Wide returns the policies of the platform and of all projects.
func (o *Organization) Wide(ctx context.Context) ([]List, error) {
	rows, err := db.From[listRow](o.scope).Where("level IN ?", []string{Platform, Project}).Order("place", false).All(o.with(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]List, len(rows))
	for i := range rows {
		if out[i], err = rows[i].list(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SetList puts policies in the place of those that have the version of l, or of
// any where that is db.AnyVersion, and tells others. The error is a problem 412
// where somebody else was faster.
func (o *Organization) SetList(ctx context.Context, l *List, by string) error {
	ctx = o.with(ctx)
	text, err := encode(l.Of)
	if err != nil {
		return err
	}
	row, err := db.From[listRow](o.scope).Where("place = ?", l.At.key()).Lock().First(ctx)
	switch {
	case errors.Is(err, db.ErrNotFound):
		if l.Version != db.AnyVersion && l.Version != NeverSet {
			return precondition(NeverSet, l.Version)
		}
		now := o.Now()
		row = listRow{
			ID: newID(), Place: l.At.key(), Level: l.At.Level, ProjectID: l.At.Project, APIID: l.At.API,
			Policies: text, Version: NeverSet + 1, CreatedAt: now, CreatedBy: by, UpdatedAt: now,
		}
		if err := db.Create(ctx, o.scope, &row); err != nil {
			if errors.Is(err, db.ErrDuplicate) { // somebody was faster
				return precondition(NeverSet+1, NeverSet)
			}
			return err
		}
	case err != nil:
		return err
	default:
		if l.Version != db.AnyVersion && l.Version != row.Version {
			return precondition(row.Version, l.Version)
		}
		row.Policies, row.ProjectID = text, l.At.Project
		if err := db.Save(ctx, o.scope, &row, "policies", "project_id"); err != nil {
			return err
		}
	}
	l.Version, l.UpdatedAt = row.Version, row.UpdatedAt
	if err := o.setUses(ctx, row.ID, usesOf(l)); err != nil {
		return err
	}
	return o.tell(l.At.Level, l.At.Project, l.At.API)
}

func usesOf(l *List) []Use {
	var uses []Use
	for _, placed := range l.Of.Lists() {
		level := l.At.Level
		if placed.Operation != "" {
			level = "operation"
		}
		for _, slug := range policies.Sets(placed.List) {
			uses = append(uses, Use{Slug: slug, Level: level, Project: l.At.Project, API: l.At.API, Operation: placed.Operation})
		}
	}
	return uses
}

// ForgetAPI deletes the policies and plans of an API that is gone. It reports
// whether there were any.
func (o *Organization) ForgetAPI(ctx context.Context, api string) (bool, error) {
	ctx = o.with(ctx)
	lists, err := db.From[listRow](o.scope).Where("place = ?", Place{Level: API, API: api}.key()).Delete(ctx)
	if err != nil {
		return false, err
	}
	plans, err := db.From[planRow](o.scope).Where("api_id = ?", api).Delete(ctx)
	if err != nil {
		return false, err
	}
	_, err = db.From[useRow](o.scope).Where("api_id = ?", api).Delete(ctx)
	return lists+plans > 0, err
}
