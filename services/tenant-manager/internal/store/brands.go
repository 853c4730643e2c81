package store

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
)

// Brand is how the sign-in pages and the letters of an organization look.
type Brand struct {
	Stored `gorm:"embedded"`
	// DisplayName stands in place of the organization's name; "" = that.
	DisplayName string
	// Accent is #rrggbb; "" = Gatehouse's own.
	Accent string
	// LogoLight and LogoDark are hashes of images; "" = none.
	LogoLight, LogoDark string
	// Language is that of pages and letters where nothing else is known.
	Language string
	Texts    []brand.Text `gorm:"serializer:json"`
}

// BrandImage is a logo.
type BrandImage struct {
	ID             string
	OrganizationID string
	// Hash is the SHA-256 of the content, in hexadecimal.
	Hash          string
	MediaType     string
	Width, Height int
	Content       []byte
	CreatedAt     time.Time
	CreatedBy     string
}

// Brand returns the organization's brand. Where none was set it is one of version
// 1 without an id.
func (o *Org) Brand(ctx context.Context) (Brand, error) {
	b, err := db.From[Brand](o.scope).Get(ctx, o.ID())
	if IsNotFound(err) {
		return Brand{Stored: Stored{Version: 1}, Texts: []brand.Text{}}, nil
	}
	return b, err
}

var errBrandChanged = problem.New(problem.CodePreconditionFailed, "the brand was changed in the meantime: read it again, and repeat the change")

// SaveBrand writes the brand, if it has the version that is in b, else the error is
// a problem.
func (t *Tx) SaveBrand(ctx context.Context, b *Brand) error {
	now, err := t.Brand(ctx)
	if err != nil {
		return err
	}
	if now.ID == "" {
		if b.Version != now.Version && b.Version != db.AnyVersion {
			return errBrandChanged
		}
		b.Stored = t.stored()
		b.ID, b.Version = t.ID(), now.Version+1
		err := db.Create(ctx, t.scope, b)
		if errors.Is(err, db.ErrDuplicate) { // somebody was faster
			err = errBrandChanged
		}
		return err
	}
	b.ID = t.ID()
	return db.Save(ctx, t.scope, b, "display_name", "accent", "logo_light", "logo_dark", "language", "texts")
}

// DropBrand goes back to the brand of the installation.
func (t *Tx) DropBrand(ctx context.Context, version int64) error {
	return db.Remove[Brand](ctx, t.scope, t.ID(), version)
}

// BrandOrFirst returns the brand of an organization, or where it has none that of
// the first one; one without an id where that has none, either.
func (s *Store) BrandOrFirst(ctx context.Context, organization string) (Brand, error) {
	if organization != "" {
		if b, err := s.For(organization).Brand(ctx); err != nil || b.ID != "" {
			return b, err
		}
	}
	first, err := s.First(ctx)
	if err != nil || first == organization {
		return Brand{}, err
	}
	return s.For(first).Brand(ctx)
}

// BrandImage returns the organization's image of a hash.
func (o *Org) BrandImage(ctx context.Context, hash string) (BrandImage, error) {
	return db.From[BrandImage](o.scope).Where("hash = ?", hash).First(ctx)
}

// AddBrandImage keeps an image; one that is there already is found again.
func (t *Tx) AddBrandImage(ctx context.Context, m *BrandImage) error {
	there, err := t.BrandImage(ctx, m.Hash)
	if err == nil {
		*m = there
		return nil
	}
	if !IsNotFound(err) {
		return err
	}
	m.ID, m.CreatedAt, m.CreatedBy = NewID(), t.store.Now(), t.by
	return db.Create(ctx, t.scope, m)
}

// BrandImages counts the images that the organization keeps.
func (o *Org) BrandImages(ctx context.Context) (int64, error) {
	return db.From[BrandImage](o.scope).Count(ctx)
}

// PublicImage returns an image by its hash, of whatever organization: logos are for
// everybody.
func (s *Store) PublicImage(ctx context.Context, hash string) (BrandImage, error) {
	var out []BrandImage
	err := s.db.Unscoped(ctx, "logos are shown to people who are of no organization yet").Where("hash = ?", hash).Order("id").Limit(1).Find(&out).Error
	return one(out, err)
}

// ForgetBrandImages deletes images from before a time that no brand has, and
// returns their number.
func (s *Store) ForgetBrandImages(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, "what no brand has is cleaned away for all organizations").
		Where("created_at < ? AND NOT EXISTS (SELECT 1 FROM brands WHERE brands.organization_id = brand_images.organization_id AND (brands.logo_light = brand_images.hash OR brands.logo_dark = brand_images.hash))", before).
		Delete(&BrandImage{})
	return g.RowsAffected, g.Error
}

// OrganizationOfOAuthClient returns the id of the organization that a client is of.
func (s *Store) OrganizationOfOAuthClient(ctx context.Context, client string) (string, error) {
	var out []OAuthClient
	err := s.db.Unscoped(ctx, "who signs in for a client is of no organization yet").Select("id, organization_id").Where("id = ?", client).Find(&out).Error
	c, err := one(out, err)
	return c.OrganizationID, err
}
