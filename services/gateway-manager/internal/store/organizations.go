package store

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/tenancy"
)

// Organization returns an organization by id.
func (s *Store) Organization(ctx context.Context, id string) (Organization, error) {
	return s.organization(ctx, "id = ?", id)
}

// OrganizationBySlug returns an organization by its slug.
func (s *Store) OrganizationBySlug(ctx context.Context, slug string) (Organization, error) {
	return s.organization(ctx, "slug = ?", slug)
}

func (s *Store) organization(ctx context.Context, where, value string) (Organization, error) {
	var rows []Organization
	err := s.db.Unscoped(ctx, "organizations are no organization's").Where(where, value).Limit(1).Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return Organization{}, named("reading organization", err)
	}
	return rows[0], nil
}

// KnowOrganization takes in what tenant-manager says of an organization, and
// makes what a new one begins with: environments, a project, a gateway group and
// the key that manifests are signed with. It may be called any number of times.
func (s *Store) KnowOrganization(ctx context.Context, o tenant.Organization, by, publicURL string) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		g := tx.Unscoped("organizations are no organization's")
		var rows []Organization
		if err := g.Where("id = ?", o.ID).Limit(1).Find(&rows).Error; err != nil {
			return err
		}
		was, err := tenancy.OfIn(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if err := tenancy.KeepIn(ctx, s.db, tx, o); err != nil {
			return err
		}
		if len(rows) > 0 {
			if was.Deleted != o.Deleted {
				if _, err := s.In(tx, o.ID).wantAll(ctx); err != nil {
					return err
				}
			}
			return g.Model(&Organization{}).Where("id = ?", o.ID).Updates(map[string]any{"name": o.Name, "suspended": o.Suspended}).Error
		}
		row := Organization{ID: o.ID, Slug: o.Slug, Name: o.Name, Suspended: o.Suspended, SettingsWanted: 1, CreatedAt: s.db.Now()}
		if err := g.Create(&row).Error; err != nil {
			return err
		}
		return s.In(tx, o.ID).begin(ctx, by, publicURL)
	})
}

// begin makes what an organization begins with.
func (o *Org) begin(ctx context.Context, by, publicURL string) error {
	if by == "" {
		by = "system"
	}
	var dev Environment
	for i, e := range []Environment{{Slug: "dev", Name: "DEV"}, {Slug: "stg", Name: "STG"}, {Slug: "prd", Name: "PRD", Production: true}} {
		e.Position = i + 1
		made, err := o.CreateEnvironment(ctx, e, by)
		if err != nil {
			return err
		}
		if i == 0 {
			dev = made
		}
	}
	if _, err := o.CreateProject(ctx, Project{Slug: "default", Name: "Default", Description: "Where APIs go for a start."}, by); err != nil {
		return err
	}
	if _, err := o.CreateGroup(ctx, Group{Slug: "default", Name: "Default", EnvironmentID: dev.ID, Visibility: "public", PublicURL: publicURL}, by); err != nil {
		return err
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("making the key of manifests: %w", err)
	}
	return db.Create(ctx, o.scope, &ManifestKey{
		ID: ID(), PublicKey: base64.StdEncoding.EncodeToString(public), PrivateKey: secret.NewText(string(private.Seed())), CreatedAt: o.s.db.Now(),
	})
}

// SigningKeys returns the keys that manifests of the organization are signed
// with, newest first.
func (o *Org) SigningKeys(ctx context.Context) ([]ed25519.PrivateKey, error) {
	rows, err := db.From[ManifestKey](o.scope).Order("created_at", true).All(ctx)
	if err != nil {
		return nil, named("reading the keys of manifests", err)
	}
	keys := make([]ed25519.PrivateKey, len(rows))
	for i, r := range rows {
		seed := []byte(r.PrivateKey.Reveal())
		if len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("reading the keys of manifests: key %s has %d bytes", r.ID, len(seed))
		}
		keys[i] = ed25519.NewKeyFromSeed(seed)
	}
	if len(keys) == 0 {
		return nil, errors.New("reading the keys of manifests: there are none")
	}
	return keys, nil
}

// WantSettings has the shared policies of an organization asked for anew, and all
// its groups published.
func (s *Store) WantSettings(ctx context.Context, organization string) ([]Group, error) {
	var groups []Group
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		err := tx.Unscoped("organizations are no organization's").
			Exec("UPDATE organizations SET settings_wanted = settings_wanted + 1 WHERE id = ?", organization).Error
		if err != nil {
			return err
		}
		groups, err = s.In(tx, organization).wantAll(ctx)
		return err
	})
	return groups, err
}

// wantAll has all groups published.
func (o *Org) wantAll(ctx context.Context) ([]Group, error) {
	groups, err := o.GroupsOf(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(groups))
	for i := range groups {
		ids[i] = groups[i].ID
	}
	return groups, o.Want(ctx, ids...)
}

// Deleted says whether an organization is deleted: its gateways serve nothing.
func (s *Store) Deleted(ctx context.Context, organization string) (bool, error) {
	known, err := tenancy.Of(ctx, s.db, organization)
	return known.Deleted, err
}

// ForgetOrganization deletes what is known of an organization itself. Its rows go
// by themselves.
func (s *Store) ForgetOrganization(ctx context.Context, id string) error {
	return s.db.Unscoped(ctx, "organizations are no organization's").Where("id = ?", id).Delete(&Organization{}).Error
}

// Room refuses what would be more than the organization may have.
func (o *Org) Room(ctx context.Context, tx *db.Tx, of tenant.Resource) error {
	return tenancy.Room(ctx, tx, o.scope.Organization(), of, func(ctx context.Context) (int64, error) { return o.count(ctx, of) })
}

func (o *Org) count(ctx context.Context, of tenant.Resource) (int64, error) {
	switch of {
	case tenant.ResourceProjects:
		return db.From[Project](o.scope).Count(ctx)
	case tenant.ResourceAPIs:
		return db.From[API](o.scope).Count(ctx)
	case tenant.ResourceEnvironments:
		return db.From[Environment](o.scope).Count(ctx)
	case tenant.ResourceGatewayGroups:
		return db.From[Group](o.scope).Count(ctx)
	}
	return 0, fmt.Errorf("%s are another service's", of)
}

// Holdings returns how much the organization has of what is kept here.
func (o *Org) Holdings(ctx context.Context) (tenant.Counts, error) {
	out := tenant.Counts{Counts: map[tenant.Resource]int64{}}
	for _, r := range []tenant.Resource{tenant.ResourceProjects, tenant.ResourceAPIs, tenant.ResourceEnvironments, tenant.ResourceGatewayGroups} {
		n, err := o.count(ctx, r)
		if err != nil {
			return out, err
		}
		out.Counts[r] = n
	}
	var err error
	out.Served, err = db.From[API](o.scope).Where("deployed_count > 0").Count(ctx)
	return out, err
}

// SharedPolicies returns what policy-manager said last; ok is false where it has
// said nothing yet.
func (o *Organization) SharedPolicies() (shared policy.SharedSet, ok bool, err error) {
	raw := o.Settings.Reveal()
	if raw == "" {
		return shared, false, nil
	}
	if err := json.Unmarshal([]byte(raw), &shared); err != nil {
		return shared, false, fmt.Errorf("reading the shared policies: %w", err)
	}
	return shared, true, nil
}

// KeepSettings keeps what policy-manager said when the organization's
// SettingsWanted was as given.
func (s *Store) KeepSettings(ctx context.Context, organization string, shared policy.SharedSet, wanted int64) error {
	raw, err := json.Marshal(shared)
	if err != nil {
		return fmt.Errorf("writing the shared policies: %w", err)
	}
	row := Organization{ID: organization, Settings: secret.NewText(string(raw)), SettingsDone: wanted}
	return s.db.Unscoped(ctx, "organizations are no organization's").
		Model(&row).Where("id = ?", organization).Select("settings", "settings_done").Updates(&row).Error
}

// KeepUnitsEpoch notes the life of the bucket that has the units.
func (s *Store) KeepUnitsEpoch(ctx context.Context, organization, epoch string) error {
	return s.db.Unscoped(ctx, "organizations are no organization's").
		Exec("UPDATE organizations SET units_epoch = ? WHERE id = ?", epoch, organization).Error
}
