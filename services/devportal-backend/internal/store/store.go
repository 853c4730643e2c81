// Package store keeps what devportal-backend knows: the catalogue, applications
// with their credentials and subscriptions, the portal's settings, and which
// organizations there are. It is SQL and nothing else: who may do what, and what
// follows from it, is decided elsewhere.
//
// Functions take the scope of an organization, of the database or of a
// transaction; see package db.
package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/db"
)

// NewID returns a new id.
func NewID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making an id: %w", err)
	}
	return id.String(), nil
}

// JSON is a value that is kept as JSON text.
type JSON[T any] struct{ V T }

// Value returns the text.
func (j JSON[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(j.V)
	return string(b), err
}

// Scan reads the text.
func (j *JSON[T]) Scan(src any) error {
	var zero T
	j.V = zero
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), &j.V)
	case []byte:
		return json.Unmarshal(v, &j.V)
	}
	return fmt.Errorf("reading JSON from a %T", src)
}

// GormDataType is for gorm.
func (JSON[T]) GormDataType() string { return "text" }

// Organization is an organization as tenant-manager told it last.
type Organization struct {
	ID        string `gorm:"primaryKey"`
	Slug      string
	Name      string
	Suspended bool
	UpdatedAt time.Time
}

// TableName is for gorm.
func (Organization) TableName() string { return "organizations" }

// SaveOrganization keeps what is known of an organization. changed says that it
// was not known, or differently.
func SaveOrganization(ctx context.Context, d *db.DB, o Organization) (changed bool, err error) {
	g := d.Unscoped(ctx, "organizations are the tenants themselves")
	var old []Organization
	if err := g.Where("id = ?", o.ID).Find(&old).Error; err != nil {
		return false, fmt.Errorf("saving an organization: %w", err)
	}
	o.UpdatedAt = d.Now()
	if len(old) > 0 && old[0].Slug == o.Slug && old[0].Name == o.Name && old[0].Suspended == o.Suspended {
		return false, nil
	}
	if err := d.Unscoped(ctx, "organizations are the tenants themselves").Save(&o).Error; err != nil {
		return false, fmt.Errorf("saving an organization: %w", err)
	}
	return true, nil
}

// AddOrganization keeps an organization that is not known yet; one that is stays
// as it is.
func AddOrganization(ctx context.Context, d *db.DB, o Organization) error {
	o.UpdatedAt = d.Now()
	err := d.Unscoped(ctx, "organizations are the tenants themselves").Clauses(clause.OnConflict{DoNothing: true}).Create(&o).Error
	if err != nil {
		return fmt.Errorf("saving an organization: %w", err)
	}
	return nil
}

// ForgetOrganization deletes what is known of an organization itself. Its rows go
// by themselves.
func ForgetOrganization(ctx context.Context, d *db.DB, id string) error {
	err := d.Unscoped(ctx, "organizations are the tenants themselves").Where("id = ?", id).Delete(&Organization{}).Error
	if err != nil {
		return fmt.Errorf("forgetting an organization: %w", err)
	}
	return nil
}

// Organizations returns all organizations.
func Organizations(ctx context.Context, d *db.DB) ([]Organization, error) {
	var all []Organization
	err := d.Unscoped(ctx, "work over all organizations").Order("id").Find(&all).Error
	return all, err
}

// OrganizationByID returns one organization, or [db.ErrNotFound].
func OrganizationByID(ctx context.Context, d *db.DB, id string) (Organization, error) {
	return oneOrganization(ctx, d, "id = ?", id)
}

// OrganizationBySlug returns one organization, or [db.ErrNotFound].
func OrganizationBySlug(ctx context.Context, d *db.DB, slug string) (Organization, error) {
	return oneOrganization(ctx, d, "slug = ?", slug)
}

func oneOrganization(ctx context.Context, d *db.DB, where, value string) (Organization, error) {
	var found []Organization
	err := d.Unscoped(ctx, "organizations are the tenants themselves").Where(where, value).Limit(1).Find(&found).Error
	if err == nil && len(found) == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return Organization{}, err
	}
	return found[0], nil
}

// OnlyOrganization returns the one organization where there is one only, or
// [db.ErrNotFound].
func OnlyOrganization(ctx context.Context, d *db.DB) (Organization, error) {
	var found []Organization
	err := d.Unscoped(ctx, "organizations are the tenants themselves").Order("id").Limit(2).Find(&found).Error
	if err == nil && len(found) != 1 {
		err = db.ErrNotFound
	}
	if err != nil {
		return Organization{}, err
	}
	return found[0], nil
}

// Portal is how the portal of an organization looks.
type Portal struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	Title          string
	Tagline        string
	Accent         string
	Visibility     string
	SignUp         string
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (Portal) TableName() string { return "portals" }

// The values of Portal.Visibility and SignUp.
const (
	VisibilityPublic  = "public"
	VisibilityPrivate = "private"
	SignUpInvitation  = "invitation"
)

// PortalOf returns the settings of an organization, or those that hold as long as
// nobody has changed them: only who signed in sees the catalogue.
func PortalOf(ctx context.Context, s *db.Scope, name string, now time.Time) (Portal, error) {
	p, err := db.From[Portal](s).Get(ctx, s.Organization())
	if errors.Is(err, db.ErrNotFound) {
		title := name
		if title == "" {
			title = "Developer portal"
		} else {
			title += " developers"
		}
		if len(title) > 80 {
			title = "Developer portal"
		}
		return Portal{
			ID: s.Organization(), OrganizationID: s.Organization(), Title: title, Visibility: VisibilityPrivate, SignUp: SignUpInvitation,
			Version: 1, CreatedAt: now, UpdatedAt: now,
		}, nil
	}
	return p, err
}

// SavePortal writes the settings, which have the version that they were read
// with.
func SavePortal(ctx context.Context, s *db.Scope, p *Portal) error {
	_, err := db.From[Portal](s).Get(ctx, p.ID)
	if errors.Is(err, db.ErrNotFound) {
		// Nobody has changed them before. The version rises all the same.
		fresh := *p
		fresh.Version = 1
		if err := db.Create(ctx, s, &fresh); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return db.Save(ctx, s, p, "title", "tagline", "accent", "visibility", "sign_up")
}

// words are what a search asks for, each as a pattern for LIKE.
func words(q string) []string {
	var out []string
	for _, w := range fields(q) {
		out = append(out, "%"+escape(w)+"%")
		if len(out) == 10 {
			break
		}
	}
	return out
}
