package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

// Set is a policy set.
type Set struct {
	ID, Slug, Name, Description string
	// SetVersion rises when the policies change, Version with every change.
	SetVersion, Version  int64
	Policies             []policies.Policy
	CreatedAt, UpdatedAt time.Time
	CreatedBy            string
}

// Unit returns the set as gateways get it.
func (s *Set) Unit() unit.PolicySet {
	u := unit.PolicySet{Name: s.Slug, Version: uint64(s.SetVersion), Policies: policies.Units(s.Policies, false)}
	if u.Policies == nil {
		u.Policies = []unit.Policy{}
	}
	return u
}

type setRow struct {
	ID             string
	OrganizationID string
	Slug           string
	Name           string
	Description    string
	SetVersion     int64
	Policies       secret.Text
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (setRow) TableName() string { return "policy_sets" }

func (r *setRow) set() (Set, error) {
	s := Set{
		ID: r.ID, Slug: r.Slug, Name: r.Name, Description: r.Description, SetVersion: r.SetVersion, Version: r.Version,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, CreatedBy: r.CreatedBy,
	}
	return s, decode(r.Policies, &s.Policies)
}

// SetVersion is what a policy set was.
type SetVersion struct {
	SetVersion int64
	Policies   []policies.Policy
	CreatedAt  time.Time
	CreatedBy  string
}

type setVersionRow struct {
	ID             string
	OrganizationID string
	PolicySetID    string
	SetVersion     int64
	Policies       secret.Text
	CreatedAt      time.Time
	CreatedBy      string
}

// TableName is for gorm.
func (setVersionRow) TableName() string { return "policy_set_versions" }

// Use is one place where a policy set is used.
type Use struct {
	Slug string
	// Level is "platform", "project", "api", "operation" or "plan".
	Level                         string
	Project, API, Plan, Operation string
}

type useRow struct {
	ID             string
	OrganizationID string
	Slug           string
	OwnerID        string
	Level          string
	ProjectID      string
	APIID          string `gorm:"column:api_id"`
	PlanID         string
	Operation      string
}

// TableName is for gorm.
func (useRow) TableName() string { return "policy_set_uses" }

// setUses replaces what an owner, a list or a plan, uses.
func (o *Organization) setUses(ctx context.Context, owner string, uses []Use) error {
	if _, err := db.From[useRow](o.scope).Where("owner_id = ?", owner).Delete(ctx); err != nil {
		return err
	}
	rows := make([]*useRow, len(uses))
	for i, u := range uses {
		rows[i] = &useRow{
			ID: newID(), Slug: u.Slug, OwnerID: owner, Level: u.Level, ProjectID: u.Project, APIID: u.API,
			PlanID: u.Plan, Operation: u.Operation,
		}
	}
	return db.Create(ctx, o.scope, rows...)
}

// Uses returns where a policy set is used.
func (o *Organization) Uses(ctx context.Context, slug string) ([]Use, error) {
	rows, err := db.From[useRow](o.scope).Where("slug = ?", slug).Order("id", false).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Use, len(rows))
	for i, r := range rows {
		out[i] = Use{Slug: r.Slug, Level: r.Level, Project: r.ProjectID, API: r.APIID, Plan: r.PlanID, Operation: r.Operation}
	}
	return out, nil
}

// Sets returns a page of the policy sets with a text in their name or slug.
func (o *Organization) Sets(ctx context.Context, text string, page db.PageRequest) (db.Page[Set], error) {
	q := db.From[setRow](o.scope.Stale())
	if text != "" {
		like := "%" + escapeLike(strings.ToLower(text)) + "%"
		q = q.Where("LOWER(name) LIKE ? ESCAPE '!' OR slug LIKE ? ESCAPE '!'", like, like)
	}
	rows, err := q.Page(o.with(ctx), page, "name", "created_at", "updated_at")
	if err != nil {
		return db.Page[Set]{}, err
	}
	out := db.Page[Set]{Items: make([]Set, len(rows.Items)), Next: rows.Next}
	for i := range rows.Items {
		if out.Items[i], err = rows.Items[i].set(); err != nil {
			return db.Page[Set]{}, err
		}
	}
	return out, nil
}

// escapeLike makes a text stand for itself in a LIKE pattern.
func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// Set returns a policy set by id.
func (o *Organization) Set(ctx context.Context, id string) (Set, error) {
	r, err := db.From[setRow](o.scope).Get(o.with(ctx), id)
	if err != nil {
		return Set{}, err
	}
	return r.set()
}

// SetsBySlug returns the policy sets of the slugs, by slug; those that are not
// there are left out.
func (o *Organization) SetsBySlug(ctx context.Context, slugs []string) ([]Set, error) {
	if len(slugs) == 0 {
		return nil, nil
	}
	rows, err := db.From[setRow](o.scope).Where("slug IN ?", slugs).Order("slug", false).All(o.with(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]Set, len(rows))
	for i := range rows {
		if out[i], err = rows[i].set(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LockSets keeps others from deleting policy sets until the transaction ends. It
// returns the slugs that are there.
func (o *Organization) LockSets(ctx context.Context, slugs []string) ([]string, error) {
	if len(slugs) == 0 {
		return nil, nil
	}
	rows, err := db.From[setRow](o.scope).Where("slug IN ?", slugs).Order("id", false).Lock().All(o.with(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].Slug
	}
	return out, nil
}

// CreateSet keeps a new policy set.
func (o *Organization) CreateSet(ctx context.Context, s *Set) error {
	ctx = o.with(ctx)
	text, err := encode(s.Policies)
	if err != nil {
		return err
	}
	now := o.Now()
	row := setRow{
		ID: newID(), Slug: s.Slug, Name: s.Name, Description: s.Description, SetVersion: 1, Policies: text,
		Version: 1, CreatedAt: now, CreatedBy: s.CreatedBy, UpdatedAt: now,
	}
	if err := db.Create(ctx, o.scope, &row); err != nil {
		return err
	}
	s.ID, s.SetVersion, s.Version, s.CreatedAt, s.UpdatedAt = row.ID, 1, 1, now, now
	return o.keepSetVersion(ctx, s, s.CreatedBy)
}

func (o *Organization) keepSetVersion(ctx context.Context, s *Set, by string) error {
	row := setVersionRow{ID: newID(), PolicySetID: s.ID, SetVersion: s.SetVersion, CreatedAt: o.Now(), CreatedBy: by}
	var err error
	if row.Policies, err = encode(s.Policies); err != nil {
		return err
	}
	return db.Create(ctx, o.scope, &row)
}

// SaveSet keeps the name, description and policies of a set that still has its
// version. newVersion says that its policies changed; then all who use the set
// are told.
func (o *Organization) SaveSet(ctx context.Context, s *Set, newVersion bool, by string) error {
	ctx = o.with(ctx)
	row := setRow{ID: s.ID, Name: s.Name, Description: s.Description, SetVersion: s.SetVersion, Version: s.Version}
	columns := []string{"name", "description"}
	if newVersion {
		row.SetVersion++
		var err error
		if row.Policies, err = encode(s.Policies); err != nil {
			return err
		}
		columns = append(columns, "policies", "set_version")
	}
	if err := db.Save(ctx, o.scope, &row, columns...); err != nil {
		return err
	}
	s.SetVersion, s.Version, s.UpdatedAt = row.SetVersion, row.Version, row.UpdatedAt
	if !newVersion {
		return nil
	}
	if err := o.keepSetVersion(ctx, s, by); err != nil {
		return err
	}
	return o.tellUsers(ctx, s.Slug)
}

// tellUsers tells that policies changed wherever a set is used, once each.
func (o *Organization) tellUsers(ctx context.Context, slug string) error {
	uses, err := o.Uses(ctx, slug)
	if err != nil {
		return err
	}
	var told []Use
	for _, u := range uses {
		level := u.Level
		if u.API != "" {
			level = API
		}
		at := Use{Level: level, Project: u.Project, API: u.API}
		if slices.Contains(told, at) {
			continue
		}
		told = append(told, at)
		if err := o.tell(level, u.Project, u.API); err != nil {
			return err
		}
	}
	return nil
}

// DeleteSet deletes a policy set that has the version.
func (o *Organization) DeleteSet(ctx context.Context, id string, version int64) error {
	if err := db.Remove[setRow](ctx, o.scope, id, version); err != nil {
		return err
	}
	_, err := db.From[setVersionRow](o.scope).Where("policy_set_id = ?", id).Delete(ctx)
	return err
}

// SetVersions returns a page of what a policy set was, newest first.
func (o *Organization) SetVersions(ctx context.Context, id string, page db.PageRequest) (db.Page[SetVersion], error) {
	page.Sort, page.Descending = "set_version", true
	rows, err := db.From[setVersionRow](o.scope).Where("policy_set_id = ?", id).Page(o.with(ctx), page, "set_version")
	if err != nil {
		return db.Page[SetVersion]{}, err
	}
	out := db.Page[SetVersion]{Next: rows.Next, Items: make([]SetVersion, len(rows.Items))}
	for i, r := range rows.Items {
		out.Items[i] = SetVersion{SetVersion: r.SetVersion, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy}
		if err := decode(r.Policies, &out.Items[i].Policies); err != nil {
			return db.Page[SetVersion]{}, err
		}
	}
	return out, nil
}
