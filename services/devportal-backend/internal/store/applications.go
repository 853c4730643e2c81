package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Application is a consumer's program.
type Application struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	Name           string
	Description    string
	SearchText     string
	OwnerID        string
	OwnerName      string
	DeletedAt      *time.Time
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (Application) TableName() string { return "applications" }

// Reader says whose things are read.
type Reader struct {
	// Owner is the id of who owns them; "" = everybody.
	Owner string
	// Projects, where not nil, limits what others own to what has to do with APIs
	// of these projects.
	Projects []string
}

// ApplicationFilter narrows a list of applications.
type ApplicationFilter struct {
	Reader
	Search string
}

func (a *Application) index() {
	a.SearchText = strings.ToLower(a.Name + " " + a.Description)
}

// CreateApplication writes a new application.
func CreateApplication(ctx context.Context, s *db.Scope, a *Application) error {
	a.index()
	if err := db.Create(ctx, s, a); err != nil {
		return fmt.Errorf("creating an application: %w", err)
	}
	return nil
}

// SaveApplication writes name and description.
func SaveApplication(ctx context.Context, s *db.Scope, a *Application) error {
	a.index()
	return db.Save(ctx, s, a, "name", "description", "search_text")
}

// DeleteApplication takes an application away. Its row stays, for the names in
// traffic of the past.
func DeleteApplication(ctx context.Context, s *db.Scope, a *Application, now time.Time) error {
	a.DeletedAt = &now
	return db.Save(ctx, s, a, "deleted_at")
}

// FindApplication returns an application that was not deleted, or
// [db.ErrNotFound]. lock keeps others from changing it until the transaction
// ends.
func FindApplication(ctx context.Context, s *db.Scope, id string, lock bool) (Application, error) {
	q := db.From[Application](s).Where("deleted_at IS NULL")
	if lock {
		q = q.Lock()
	}
	return q.Get(ctx, id)
}

// ListApplications returns a page of applications.
func ListApplications(ctx context.Context, s *db.Scope, f ApplicationFilter, page db.PageRequest) (db.Page[Application], error) {
	q := db.From[Application](s).Where("deleted_at IS NULL")
	if f.Owner != "" {
		q = q.Where("owner_id = ?", f.Owner)
	}
	if f.Projects != nil {
		q = q.In("id", db.From[Subscription](s).Where("project_id IN ?", some(f.Projects)).Column("application_id"))
	}
	for _, w := range words(f.Search) {
		q = q.Where("search_text LIKE ? ESCAPE '!'", w)
	}
	return q.Page(ctx, page, "name", "created_at")
}

// Named returns applications by id, deleted ones too.
func Named(ctx context.Context, s *db.Scope, ids []string) ([]Application, error) {
	return db.From[Application](s).Where("id IN ?", some(ids)).All(ctx)
}

// some makes a list that SQL takes: an empty one is none of the rows.
func some(ids []string) []string {
	if len(ids) == 0 {
		return []string{""}
	}
	return ids
}

// Counts are the numbers shown beside an application.
type Counts struct {
	Active, Pending, Paused, Credentials int
}

// CountsOf returns the counts of applications by their id.
func CountsOf(ctx context.Context, s *db.Scope, applications []Application, now time.Time) (map[string]Counts, error) {
	ids := make([]string, len(applications))
	for i, a := range applications {
		ids[i] = a.ID
	}
	out := make(map[string]Counts, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var subscriptions []struct {
		ApplicationID, Status string
		N                     int
	}
	err := db.From[Subscription](s).Where("application_id IN ?", ids).Aggregate(ctx, &subscriptions, "application_id, status, count(*) AS n", "application_id, status")
	if err != nil {
		return nil, fmt.Errorf("counting subscriptions: %w", err)
	}
	for _, r := range subscriptions {
		c := out[r.ApplicationID]
		switch r.Status {
		case "active":
			c.Active = r.N
		case "pending":
			c.Pending = r.N
		case "paused":
			c.Paused = r.N
		}
		out[r.ApplicationID] = c
	}
	var credentials []struct {
		ApplicationID string
		N             int
	}
	err = db.From[Credential](s).Where("application_id IN ?", ids).Where("purpose = ?", "").Where("revoked_at IS NULL").
		Where("expires_at IS NULL OR expires_at > ?", now).Aggregate(ctx, &credentials, "application_id, count(*) AS n", "application_id")
	if err != nil {
		return nil, fmt.Errorf("counting credentials: %w", err)
	}
	for _, r := range credentials {
		c := out[r.ApplicationID]
		c.Credentials = r.N
		out[r.ApplicationID] = c
	}
	return out, nil
}
