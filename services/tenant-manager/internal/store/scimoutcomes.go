package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// SCIMOutcome is what came of a request of a directory.
type SCIMOutcome struct {
	ID             string
	OrganizationID string
	DirectoryID    string
	// DryRun is the rehearsal that it was in, "" = it was in earnest.
	DryRun string
	// Action is what was done, or [SCIMRefused] or [SCIMFailed].
	Action string
	// Kind is [KindUser] or [KindGroup], "" where that is not known.
	Kind       string
	ResourceID string
	Name       string
	Detail     string
	Changes    SCIMChanges `gorm:"serializer:json"`
	// Status is that of the answer.
	Status    int
	RequestID string
	CreatedAt time.Time
}

// TableName is for gorm.
func (SCIMOutcome) TableName() string { return "scim_outcomes" }

// The actions of what was not done: the provider is told why, or it is the service's
// own fault.
const (
	SCIMRefused = "refused"
	SCIMFailed  = "failed"
)

// SCIMChanges are what is different of a user or group.
type SCIMChanges struct {
	Fields []SCIMField `json:"fields,omitempty"`
	// Added and Removed are ids of some of the members that came and went, the counts
	// of all of them.
	Added        []string `json:"added,omitempty"`
	Removed      []string `json:"removed,omitempty"`
	AddedCount   int      `json:"addedCount,omitempty"`
	RemovedCount int      `json:"removedCount,omitempty"`
}

// SCIMField is a field that has changed.
type SCIMField struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// The numbers of outcomes that are kept: of a rehearsal, and of what was refused in
// earnest. Some more can be there until the oldest go.
const (
	mostRehearsedOutcomes = 2000
	mostRefusals          = 200
	outcomesOver          = 50
)

// AddSCIMOutcomes keeps what came of a request, and forgets the oldest.
func (t *Tx) AddSCIMOutcomes(ctx context.Context, list ...SCIMOutcome) error {
	for i := range list {
		o := &list[i]
		o.ID, o.CreatedAt, o.Name, o.Detail = NewID(), t.store.Now(), cut(o.Name, 254), cut(o.Detail, 500)
		o.RequestID = cut(o.RequestID, 64)
		if err := db.Create(ctx, t.scope, o); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	most := mostRefusals
	if list[0].DryRun != "" {
		most = mostRehearsedOutcomes
	}
	q := db.From[SCIMOutcome](t.scope).Where("directory_id = ? AND dry_run = ?", list[0].DirectoryID, list[0].DryRun)
	n, err := q.Count(ctx)
	if err != nil || n <= int64(most+outcomesOver) {
		return err
	}
	last, err := q.Order("id", true).Offset(most - 1).Limit(1).All(ctx)
	if err != nil || len(last) == 0 {
		return err
	}
	_, err = q.Where("id < ?", last[0].ID).Delete(ctx)
	return err
}

// SCIMOutcomes returns a page of what came of a directory's requests, the newest
// first. action and text narrow it; "" = not.
func (o *Org) SCIMOutcomes(ctx context.Context, directory, run, action, text string, p db.PageRequest) (db.Page[SCIMOutcome], error) {
	q := db.From[SCIMOutcome](o.scope).Where("directory_id = ? AND dry_run = ?", directory, run)
	if action != "" {
		q = q.Where("action = ?", action)
	}
	if text != "" {
		q = q.Where("(lower(name) LIKE ? ESCAPE '!' OR lower(detail) LIKE ? ESCAPE '!' OR request_id = ?)", like(text), like(text), text)
	}
	p.Sort, p.Descending = "id", true
	return q.Page(ctx, p, "id")
}

// SCIMActions is how many outcomes have an action.
type SCIMActions struct {
	Action, Kind string
	N            int64
}

// CountSCIMOutcomes returns how many outcomes there are of each action and kind.
func (o *Org) CountSCIMOutcomes(ctx context.Context, directory, run string) ([]SCIMActions, error) {
	var out []SCIMActions
	err := db.From[SCIMOutcome](o.scope).Where("directory_id = ? AND dry_run = ?", directory, run).
		Aggregate(ctx, &out, "action, kind, count(*) AS n", "action, kind")
	return out, err
}

// ForgetSCIMOutcomes forgets what rehearsals of a directory have told.
func (t *Tx) ForgetSCIMOutcomes(ctx context.Context, directory string) error {
	_, err := db.From[SCIMOutcome](t.scope).Where("directory_id = ? AND dry_run <> ''", directory).Delete(ctx)
	return err
}

// LastSCIMRehearsal returns the rehearsal that a directory has, or, where it has none,
// the last one whose outcomes are kept; "" where there was none.
func (o *Org) LastSCIMRehearsal(ctx context.Context, d SCIMDirectory) (string, error) {
	if d.DryRun != "" {
		return d.DryRun, nil
	}
	rows, err := db.From[SCIMOutcome](o.scope).Where("directory_id = ? AND dry_run <> ''", d.ID).Order("id", true).Limit(1).All(ctx)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].DryRun, nil
}
