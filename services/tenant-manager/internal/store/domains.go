package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// The ways in which an organization came to have a domain.
const (
	// ByDNS is by a record that only who runs the domain can publish.
	ByDNS = "dns"
	// ByHand is by an administrator of the platform.
	ByHand = "hand"
	// FromBefore is for domains that led somewhere before they had to be proven.
	FromBefore = "before"
)

// The statuses of domains.
const (
	// DomainPending is claimed, and not proven yet.
	DomainPending = "pending"
	// DomainVerified is proven.
	DomainVerified = "verified"
	// DomainFailing is proven, and its record is missing now: it counts for a while.
	DomainFailing = "failing"
	// DomainLost was proven, until its record had been missing for too long.
	DomainLost = "lost"
)

// How people of a domain sign in.
const (
	// SSOOff offers them both, side by side.
	SSOOff = "off"
	// SSOPreferred leads them to the provider, with the password as another way.
	SSOPreferred = "preferred"
	// SSORequired lets them in by the provider alone.
	SSORequired = "required"
)

// Domain is a domain that an organization claims.
type Domain struct {
	Stored `gorm:"embedded"`
	Domain string
	// Verified is the domain while the organization has it, nil else. One
	// organization has a domain at a time.
	Verified *string
	// Method is ByDNS, ByHand or FromBefore; "" while it was never verified.
	Method string
	// RecordValue is what the record in DNS has to say.
	RecordValue string
	VerifiedAt  *time.Time
	// CheckedAt is when it was looked for last, NextCheckAt when it is looked for
	// next; nil where it is not any more.
	CheckedAt   *time.Time
	NextCheckAt *time.Time
	// LostAt is since when the record of a domain is missing that was verified.
	LostAt *time.Time
	// Attempts counts how often it was looked for in vain since it was there.
	Attempts int
	// Failure is what was found at the last look, as of package domains; "" = all is
	// well.
	Failure string
	// SingleSignOn is SSOOff, SSOPreferred or SSORequired. With SSOGroups the latter
	// is for who is in one of these groups alone.
	SingleSignOn string
	SSOGroups    []string `gorm:"column:sso_groups;serializer:json"`

	// ConnectionID is the single sign-on that has the domain, DirectoryID the
	// directory; "" = none has.
	ConnectionID string `gorm:"-"`
	DirectoryID  string `gorm:"-"`
}

// Status returns DomainPending, DomainVerified, DomainFailing or DomainLost.
func (d Domain) Status() string {
	switch {
	case d.Verified != nil && d.LostAt == nil:
		return DomainVerified
	case d.Verified != nil:
		return DomainFailing
	case d.LostAt != nil:
		return DomainLost
	}
	return DomainPending
}

// Required reports whether some of its people are let in by the provider alone. It
// counts only as long as the organization has the domain.
func (d Domain) Required() bool { return d.Verified != nil && d.SingleSignOn == SSORequired }

// DomainFilter narrows a list of domains.
type DomainFilter struct {
	// Search is text in the domain, Status one of the statuses; "" = any.
	Search, Status string
}

// statusCondition returns the SQL of a status.
func statusCondition(status string) string {
	switch status {
	case DomainVerified:
		return "verified IS NOT NULL AND lost_at IS NULL"
	case DomainFailing:
		return "verified IS NOT NULL AND lost_at IS NOT NULL"
	case DomainLost:
		return "verified IS NULL AND lost_at IS NOT NULL"
	}
	return "verified IS NULL AND lost_at IS NULL"
}

// Domains returns a page of the organization's domains, sortable by name and
// creation.
func (o *Org) Domains(ctx context.Context, f DomainFilter, p db.PageRequest) (db.Page[Domain], error) {
	q := db.From[Domain](o.scope)
	if f.Search != "" {
		q = q.Where("domain LIKE ? ESCAPE '!'", like(f.Search))
	}
	if f.Status != "" {
		q = q.Where(statusCondition(f.Status))
	}
	page, err := q.Page(ctx, p, "domain", "created_at")
	if err != nil {
		return page, err
	}
	return page, o.usesOf(ctx, page.Items)
}

// AnyVerifiedDomain reports whether the organization has a domain.
func (o *Org) AnyVerifiedDomain(ctx context.Context) (bool, error) {
	_, err := db.From[Domain](o.scope).Where("verified IS NOT NULL").First(ctx)
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// Domain returns a domain by its id.
func (o *Org) Domain(ctx context.Context, id string) (Domain, error) {
	d, err := db.From[Domain](o.scope).Get(ctx, id)
	if err != nil {
		return d, err
	}
	rows := []Domain{d}
	err = o.usesOf(ctx, rows)
	return rows[0], err
}

// DomainNamed returns a domain by its name.
func (o *Org) DomainNamed(ctx context.Context, name string) (Domain, error) {
	d, err := db.From[Domain](o.scope).Where("domain = ?", name).First(ctx)
	if err != nil {
		return d, err
	}
	rows := []Domain{d}
	err = o.usesOf(ctx, rows)
	return rows[0], err
}

// DomainsNamed returns the domains of names, as far as they are claimed.
func (o *Org) DomainsNamed(ctx context.Context, names []string) ([]Domain, error) {
	if len(names) == 0 {
		return nil, nil
	}
	return db.From[Domain](o.scope).Where("domain IN ?", names).Order("domain", false).All(ctx)
}

// usesOf says what has the domains.
func (o *Org) usesOf(ctx context.Context, rows []Domain) error {
	if len(rows) == 0 {
		return nil
	}
	names := make([]string, len(rows))
	for i, d := range rows {
		names[i] = d.Domain
	}
	connections, err := db.From[SSODomain](o.scope).Where("domain IN ?", names).All(ctx)
	if err != nil {
		return err
	}
	directories, err := db.From[SCIMDomain](o.scope).Where("domain IN ?", names).All(ctx)
	connectionOf, directoryOf := map[string]string{}, map[string]string{}
	for _, c := range connections {
		connectionOf[c.Domain] = c.ConnectionID
	}
	for _, d := range directories {
		directoryOf[d.Domain] = d.DirectoryID
	}
	for i := range rows {
		rows[i].ConnectionID, rows[i].DirectoryID = connectionOf[rows[i].Domain], directoryOf[rows[i].Domain]
	}
	return err
}

// verified returns those of the names that the organization has.
func (o *Org) verified(ctx context.Context, names []string) ([]string, error) {
	rows, err := o.DomainsNamed(ctx, names)
	out := []string{}
	for _, d := range rows {
		if d.Verified != nil {
			out = append(out, d.Domain)
		}
	}
	return out, err
}

// ClaimDomain claims a domain for the organization, to be verified. The error is
// [db.ErrDuplicate] where it has claimed it already.
func (t *Tx) ClaimDomain(ctx context.Context, name string) (Domain, error) {
	d := Domain{Stored: t.stored(), Domain: name, RecordValue: token.OneTime(), SingleSignOn: SSOPreferred, SSOGroups: []string{}}
	next := t.store.Now()
	d.NextCheckAt = &next
	return d, db.Create(ctx, t.scope, &d)
}

// DomainTaken reports whether another organization has a domain.
func (t *Tx) DomainTaken(ctx context.Context, name string) (bool, error) {
	var n int64
	err := t.tx.Unscoped(domainReason).WithContext(ctx).Model(&Domain{}).Where("verified = ? AND organization_id <> ?", name, t.ID()).Count(&n).Error
	return n > 0, err
}

// SaveDomain writes how a domain stands, if the row has the version that is in d.
// The error is [ErrDomainTaken] where it would be verified and another organization
// has it.
func (t *Tx) SaveDomain(ctx context.Context, d *Domain) error {
	err := db.Save(ctx, t.scope, d, "verified", "method", "record_value", "verified_at", "checked_at", "next_check_at", "lost_at", "attempts", "failure", "single_sign_on", "sso_groups")
	if errors.Is(err, db.ErrDuplicate) {
		err = fmt.Errorf("%w: %s", ErrDomainTaken, d.Domain)
	}
	return err
}

// UnclaimDomain deletes a domain of a version: neither single sign-on nor a
// directory has it any more.
func (t *Tx) UnclaimDomain(ctx context.Context, id string, version int64) error {
	d, err := t.Domain(ctx, id)
	if err != nil {
		return err
	}
	if err := db.Remove[Domain](ctx, t.scope, id, version); err != nil {
		return err
	}
	_, errConnection := db.From[SSODomain](t.scope).Where("domain = ?", d.Domain).Delete(ctx)
	_, errDirectory := db.From[SCIMDomain](t.scope).Where("domain = ?", d.Domain).Delete(ctx)
	return errors.Join(errConnection, errDirectory)
}

const domainReason = "one organization has a domain in the whole installation"

// VerifiedDomain returns the domain of a name, of the organization that has it.
func (s *Store) VerifiedDomain(ctx context.Context, name string) (Domain, error) {
	if name == "" {
		return Domain{}, db.ErrNotFound
	}
	var out []Domain
	if err := s.db.Unscoped(ctx, domainReason).Where("verified = ?", name).Find(&out).Error; err != nil {
		return Domain{}, err
	}
	d, err := one(out, nil)
	if err != nil {
		return d, err
	}
	rows := []Domain{d}
	err = s.For(d.OrganizationID).usesOf(ctx, rows)
	return rows[0], err
}

// DueDomains returns domains of all organizations that are to be looked for, the
// longest due first.
func (s *Store) DueDomains(ctx context.Context, most int) ([]Domain, error) {
	var out []Domain
	return out, s.db.Unscoped(ctx, "domains of all organizations are looked for").Where("next_check_at <= ?", s.Now()).
		Order("next_check_at").Order("id").Limit(most).Find(&out).Error
}

// ClaimedDomain is a domain, and who claims it.
type ClaimedDomain struct {
	Domain
	OrganizationName, OrganizationSlug string
}

// AllDomains returns some of the domains of all organizations, by name.
func (s *Store) AllDomains(ctx context.Context, f DomainFilter, skip, most int) ([]ClaimedDomain, error) {
	g := s.db.Unscoped(ctx, "administrators of the platform see who claims which domain")
	if f.Search != "" {
		g = g.Where("domain LIKE ? ESCAPE '!'", like(f.Search))
	}
	if f.Status != "" {
		g = g.Where(statusCondition(f.Status))
	}
	var rows []Domain
	err := g.Order(clause.OrderByColumn{Column: clause.Column{Name: "domain"}}).Order("id").Offset(skip).Limit(most).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var ids []string
	for _, d := range rows {
		ids = append(ids, d.OrganizationID)
	}
	slices.Sort(ids)
	organizations, err := s.Organizations(ctx, slices.Compact(ids)...)
	out := make([]ClaimedDomain, len(rows))
	for i, d := range rows {
		out[i].Domain = d
		for _, o := range organizations {
			if o.ID == d.OrganizationID {
				out[i].OrganizationName, out[i].OrganizationSlug = o.Name, o.Slug
			}
		}
	}
	return out, err
}

// DomainByID returns a domain of any organization.
func (s *Store) DomainByID(ctx context.Context, id string) (Domain, error) {
	var out []Domain
	err := s.db.Unscoped(ctx, "administrators of the platform verify domains by hand").Where("id = ?", id).Find(&out).Error
	return one(out, err)
}

// NoteLook writes what a look found that changes nothing. The version stays.
func (t *Tx) NoteLook(ctx context.Context, d Domain) error {
	_, err := db.From[Domain](t.scope).Where("id = ?", d.ID).Update(ctx, db.Changes{
		"checked_at": d.CheckedAt, "next_check_at": d.NextCheckAt, "attempts": d.Attempts, "failure": d.Failure,
	})
	return err
}

// SSOUsers returns who has signed in by a connection.
func (o *Org) SSOUsers(ctx context.Context, connection string) (map[string]bool, error) {
	rows, err := db.From[SSOIdentity](o.scope).Where("connection_id = ?", connection).All(ctx)
	out := make(map[string]bool, len(rows))
	for _, r := range rows {
		out[r.UserID] = true
	}
	return out, err
}

// UsersOfDomain returns the active users whose addresses are of a domain, the oldest
// first, at most a number of them.
func (o *Org) UsersOfDomain(ctx context.Context, domain string, most int) ([]User, error) {
	return db.From[User](o.scope).Where("status = ? AND email_key LIKE ? ESCAPE '!'", Active, "%@"+escapeLike(domain)).Order("id", false).Limit(most).All(ctx)
}

// PersonalTokensOf returns how many personal tokens users have that have not ended.
func (o *Org) PersonalTokensOf(ctx context.Context, users map[string]bool, p SecurityPolicy) (int, error) {
	rows, err := db.From[PersonalToken](o.scope).Where("expires_at > ?", o.store.Now()).All(ctx)
	n := 0
	for _, k := range rows {
		if users[k.UserID] && o.store.Now().Before(k.Ends(p)) {
			n++
		}
	}
	return n, err
}

// BreakGlass returns the break-glass accounts that can sign in, the oldest first.
func (o *Org) BreakGlass(ctx context.Context) ([]User, error) {
	return db.From[User](o.scope).Where("status = ? AND break_glass = ?", Active, true).Order("id", false).All(ctx)
}

// RequiredDomains returns the domains whose people are let in by single sign-on
// alone.
func (o *Org) RequiredDomains(ctx context.Context) ([]Domain, error) {
	return db.From[Domain](o.scope).Where("single_sign_on = ? AND verified IS NOT NULL", SSORequired).Order("domain", false).All(ctx)
}

// RulesOnGroups returns the domains with a rule that binds those in some groups, whether
// they are verified at the moment or not.
func (o *Org) RulesOnGroups(ctx context.Context) ([]Domain, error) {
	rules, err := db.From[Domain](o.scope).Where("single_sign_on = ?", SSORequired).Order("domain", false).All(ctx)
	return slices.DeleteFunc(rules, func(d Domain) bool { return len(d.SSOGroups) == 0 }), err
}
