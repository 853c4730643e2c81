package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// SCIMDirectory is a directory of an identity provider that makes, changes and
// disables users and groups of an organization.
type SCIMDirectory struct {
	Stored  `gorm:"embedded"`
	Name    string
	NameKey string
	Enabled bool
	// ConnectionID is the single sign-on whose domains it provides for; "" = it has
	// domains of its own.
	ConnectionID string
	// SavedBy is who made or changed it last: accounts that may do more than they are
	// not touched by it.
	SavedBy    string
	LastUsedAt *time.Time
	// FailedAt is when it was refused something last, Failure what was said.
	FailedAt *time.Time
	Failure  string
	// DryRun is the id of its rehearsal, "" = what it sends is done; DryRunEnds is until
	// when the rehearsal answers.
	DryRun     string
	DryRunEnds *time.Time
	// Domains are those whose addresses it provides for: its own, or the
	// connection's. Verified are those of them that the organization has, which are
	// those that count.
	Domains  []string `gorm:"-"`
	Verified []string `gorm:"-"`
}

// TableName is for gorm.
func (SCIMDirectory) TableName() string { return "scim_directories" }

// SCIMDomain is a domain that a directory has.
type SCIMDomain struct {
	ID             string
	OrganizationID string
	DirectoryID    string
	Domain         string
}

// TableName is for gorm.
func (SCIMDomain) TableName() string { return "scim_domains" }

// SCIMToken is what a directory shows. Only its hash is kept.
type SCIMToken struct {
	ID             string
	OrganizationID string
	DirectoryID    string
	Name           string
	Hash           string
	Hint           string
	ExpiresAt      *time.Time
	LastUsedAt     *time.Time
	CreatedAt      time.Time
	CreatedBy      string
}

// TableName is for gorm.
func (SCIMToken) TableName() string { return "scim_tokens" }

// SCIMDirectories returns all directories of the organization, by name.
func (o *Org) SCIMDirectories(ctx context.Context) ([]SCIMDirectory, error) {
	rows, err := db.From[SCIMDirectory](o.scope).Order("name_key", false).All(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := o.domainsOf(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// SCIMDirectory returns a directory.
func (o *Org) SCIMDirectory(ctx context.Context, id string) (SCIMDirectory, error) {
	d, err := db.From[SCIMDirectory](o.scope).Get(ctx, id)
	if err != nil {
		return d, err
	}
	return d, o.domainsOf(ctx, &d)
}

func (o *Org) domainsOf(ctx context.Context, d *SCIMDirectory) error {
	d.Domains = []string{}
	if d.ConnectionID == "" {
		rows, err := db.From[SCIMDomain](o.scope).Where("directory_id = ?", d.ID).Order("domain", false).All(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			d.Domains = append(d.Domains, r.Domain)
		}
	} else {
		rows, err := db.From[SSODomain](o.scope).Where("connection_id = ?", d.ConnectionID).Order("domain", false).All(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			d.Domains = append(d.Domains, r.Domain)
		}
	}
	var err error
	d.Verified, err = o.verified(ctx, d.Domains)
	return err
}

// CreateSCIMDirectory makes a directory. The error is [db.ErrDuplicate] where the
// name is taken, and [ErrDomainTaken] where a domain is.
func (t *Tx) CreateSCIMDirectory(ctx context.Context, d *SCIMDirectory) error {
	d.Stored = t.stored()
	d.Name, d.NameKey, d.SavedBy = strings.TrimSpace(d.Name), Fold(d.Name), t.by
	if err := db.Create(ctx, t.scope, d); err != nil {
		return err
	}
	return t.setSCIMDomains(ctx, d)
}

// SaveSCIMDirectory writes a directory, if the row has the version that is in d.
func (t *Tx) SaveSCIMDirectory(ctx context.Context, d *SCIMDirectory) error {
	d.Name, d.NameKey, d.SavedBy = strings.TrimSpace(d.Name), Fold(d.Name), t.by
	if err := db.Save(ctx, t.scope, d, "name", "name_key", "enabled", "connection_id", "saved_by", "dry_run", "dry_run_ends"); err != nil {
		return err
	}
	return t.setSCIMDomains(ctx, d)
}

// setSCIMDomains writes the domains that a directory has itself.
func (t *Tx) setSCIMDomains(ctx context.Context, d *SCIMDirectory) error {
	if _, err := db.From[SCIMDomain](t.scope).Where("directory_id = ?", d.ID).Delete(ctx); err != nil {
		return err
	}
	if d.ConnectionID != "" {
		return t.domainsOf(ctx, d)
	}
	for _, name := range d.Domains {
		err := db.Create(ctx, t.scope, &SCIMDomain{ID: NewID(), DirectoryID: d.ID, Domain: name})
		if errors.Is(err, db.ErrDuplicate) {
			return fmt.Errorf("%w: %s", ErrDomainTaken, name)
		}
		if err != nil {
			return err
		}
	}
	return t.domainsOf(ctx, d)
}

// DeleteSCIMDirectory deletes a directory of a version with its tokens. Its users and
// groups stay, as if they had been made by hand.
func (t *Tx) DeleteSCIMDirectory(ctx context.Context, id string, version int64) error {
	if err := db.Remove[SCIMDirectory](ctx, t.scope, id, version); err != nil {
		return err
	}
	_, errDomains := db.From[SCIMDomain](t.scope).Where("directory_id = ?", id).Delete(ctx)
	_, errTokens := db.From[SCIMToken](t.scope).Where("directory_id = ?", id).Delete(ctx)
	_, errResources := db.From[SCIMResource](t.scope).Where("directory_id = ?", id).Delete(ctx)
	_, errOutcomes := db.From[SCIMOutcome](t.scope).Where("directory_id = ?", id).Delete(ctx)
	if err := errors.Join(errDomains, errTokens, errResources, errOutcomes, t.EndSCIMRehearsal(ctx, id)); err != nil {
		return err
	}
	return t.sourceGone(ctx, FromSCIM+id)
}

// CreateSCIMToken keeps a token by its hash.
func (t *Tx) CreateSCIMToken(ctx context.Context, k *SCIMToken) error {
	k.ID, k.CreatedAt, k.CreatedBy, k.Name = NewID(), t.store.Now(), t.by, strings.TrimSpace(k.Name)
	return db.Create(ctx, t.scope, k)
}

// SCIMTokens returns the tokens of a directory, newest first.
func (o *Org) SCIMTokens(ctx context.Context, directory string) ([]SCIMToken, error) {
	return db.From[SCIMToken](o.scope).Where("directory_id = ?", directory).Order("created_at", true).Order("id", true).All(ctx)
}

// DeleteSCIMToken revokes a token, and returns what it was. The error is
// [db.ErrNotFound] where it is not the directory's.
func (t *Tx) DeleteSCIMToken(ctx context.Context, directory, id string) (SCIMToken, error) {
	k, err := db.From[SCIMToken](t.scope).Where("directory_id = ?", directory).Get(ctx, id)
	if err != nil {
		return k, err
	}
	_, err = db.From[SCIMToken](t.scope).Where("id = ?", id).Delete(ctx)
	return k, err
}

// SCIMTokenByHash returns the token of any organization.
func (s *Store) SCIMTokenByHash(ctx context.Context, hash string) (SCIMToken, error) {
	var out []SCIMToken
	err := s.db.Unscoped(ctx, "the token says of which organization it is").Where("hash = ?", hash).Find(&out).Error
	return one(out, err)
}

// UsedSCIMToken notes that a token and its directory were used, at most once a
// minute.
func (o *Org) UsedSCIMToken(ctx context.Context, k SCIMToken) error {
	now := o.store.Now()
	if k.LastUsedAt != nil && now.Sub(*k.LastUsedAt) < usedEvery {
		return nil
	}
	_, err := db.From[SCIMToken](o.scope).Where("id = ?", k.ID).Update(ctx, db.Changes{"last_used_at": now})
	_, errDirectory := db.From[SCIMDirectory](o.scope).Where("id = ?", k.DirectoryID).Update(ctx, db.Changes{"last_used_at": now})
	return errors.Join(err, errDirectory)
}

// SCIMCounts is how many users and groups a directory has.
type SCIMCounts struct{ Users, Groups int64 }

// SCIMCounts returns how many users and groups each directory has.
func (o *Org) SCIMCounts(ctx context.Context) (map[string]SCIMCounts, error) {
	var rows []struct {
		DirectoryID string
		Kind        string
		N           int64
	}
	err := db.From[SCIMResource](o.scope).Aggregate(ctx, &rows, "directory_id, kind, count(*) AS n", "directory_id, kind")
	out := map[string]SCIMCounts{}
	for _, r := range rows {
		c := out[r.DirectoryID]
		if r.Kind == KindGroup {
			c.Groups = r.N
		} else {
			c.Users = r.N
		}
		out[r.DirectoryID] = c
	}
	return out, err
}

// ProvisionedBy returns the names of the directories that users and groups are of, by
// the ids of these.
func (o *Org) ProvisionedBy(ctx context.Context, ids ...string) (map[string]SCIMDirectory, error) {
	out := map[string]SCIMDirectory{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := db.From[SCIMResource](o.scope).Where("resource_id IN ?", ids).All(ctx)
	if err != nil || len(rows) == 0 {
		return out, err
	}
	var which []string
	for _, r := range rows {
		which = append(which, r.DirectoryID)
	}
	slices.Sort(which)
	directories, err := db.From[SCIMDirectory](o.scope).Where("id IN ?", slices.Compact(which)).All(ctx)
	for _, r := range rows {
		for _, d := range directories {
			if d.ID == r.DirectoryID {
				out[r.ResourceID] = d
			}
		}
	}
	return out, err
}
