package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
)

// ActiveWithFactor returns how many of those who may sign in have a second factor. It
// is as [Org.UsersWithoutFactor] counts them, from the side that an index has.
func (o *Org) ActiveWithFactor(ctx context.Context) (int64, error) {
	confirmed := db.From[Factor](o.scope).Where("confirmed_at IS NOT NULL")
	var with []int64
	if err := confirmed.Aggregate(ctx, &with, "count(DISTINCT user_id)", ""); err != nil || len(with) == 0 || with[0] == 0 {
		return 0, err
	}
	inactive, err := db.From[User](o.scope).Where("status IN ?", []string{Disabled, Deleted}).In("id", confirmed.Column("user_id")).Count(ctx)
	return with[0] - inactive, err
}

// AgedToken is a token that is looked at for its age.
type AgedToken struct {
	ID   string
	Name string
	// OwnerID is the service account or the user whose it is.
	OwnerID    string
	Service    bool
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	CreatedAt  time.Time
}

// stale are tokens that work and were not used since a time, by which they were
// there already; ending those that work and end by a time.
func stale[T any](o *Org, since time.Time) db.Query[T] {
	return db.From[T](o.scope).
		Where("(expires_at IS NULL OR expires_at > ?) AND created_at < ? AND (last_used_at IS NULL OR last_used_at < ?)", o.store.Now(), since, since)
}

func ending[T any](o *Org, by time.Time) db.Query[T] {
	return db.From[T](o.scope).Where("expires_at > ? AND expires_at <= ?", o.store.Now(), by)
}

// StaleTokens returns tokens of service accounts and people that work and were not
// used since a time, those that last longest first and at most so many of either, and
// how many there are.
func (o *Org) StaleTokens(ctx context.Context, since time.Time, most int) ([]AgedToken, int64, error) {
	return agedTokens(ctx, stale[ServiceToken](o, since), stale[PersonalToken](o, since), true, most)
}

// EndingTokens returns tokens that work and end by a time, those that end first
// first; see [Org.StaleTokens].
func (o *Org) EndingTokens(ctx context.Context, by time.Time, most int) ([]AgedToken, int64, error) {
	return agedTokens(ctx, ending[ServiceToken](o, by), ending[PersonalToken](o, by), false, most)
}

func agedTokens(ctx context.Context, service db.Query[ServiceToken], personal db.Query[PersonalToken], lastFirst bool, most int) ([]AgedToken, int64, error) {
	ofAccounts, err := service.Count(ctx)
	if err != nil {
		return nil, 0, err
	}
	ofPeople, err := personal.Count(ctx)
	if err != nil {
		return nil, 0, err
	}
	var out []AgedToken
	if ofAccounts > 0 {
		rows, err := service.Order("expires_at", lastFirst).Limit(most).All(ctx)
		if err != nil {
			return nil, 0, err
		}
		for _, k := range rows {
			out = append(out, AgedToken{k.ID, k.Name, k.ServiceAccountID, true, k.ExpiresAt, k.LastUsedAt, k.CreatedAt})
		}
	}
	if ofPeople > 0 {
		rows, err := personal.Order("expires_at", lastFirst).Limit(most).All(ctx)
		if err != nil {
			return nil, 0, err
		}
		for _, k := range rows {
			out = append(out, AgedToken{k.ID, k.Name, k.UserID, false, k.ExpiresAt, k.LastUsedAt, k.CreatedAt})
		}
	}
	return out, ofAccounts + ofPeople, nil
}

// UnusedAccounts returns service accounts that may be used, were made before a time,
// and of which no token was used since, by name and at most so many, and how many
// there are.
func (o *Org) UnusedAccounts(ctx context.Context, since time.Time, most int) ([]ServiceAccount, int64, error) {
	q := db.From[ServiceAccount](o.scope).Where("status = ? AND created_at < ?", Active, since)
	all, err := q.Count(ctx)
	if err != nil || all == 0 {
		return nil, 0, err
	}
	used := db.From[ServiceToken](o.scope).Where("last_used_at >= ?", since).Column("service_account_id")
	with, err := q.In("id", used).Count(ctx)
	if err != nil || with == all {
		return nil, 0, err
	}
	// The few that are shown are found among the first by name.
	var out []ServiceAccount
	rows, err := q.Order("name_key", false).Limit(most * 10).All(ctx)
	if err != nil {
		return nil, 0, err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	inUse, err := q.In("id", used).Where("id IN ?", ids).All(ctx)
	for _, r := range rows {
		if len(out) < most && !slices.ContainsFunc(inUse, func(u ServiceAccount) bool { return u.ID == r.ID }) {
			out = append(out, r)
		}
	}
	return out, all - with, err
}

// Refusals counts what the trail has of an action that was refused, in each of the
// spans between the times, of which there is one more.
func (o *Org) Refusals(ctx context.Context, action string, times ...time.Time) ([]int64, error) {
	out := make([]int64, len(times)-1)
	for i := range out {
		var err error
		out[i], err = db.From[auditEntry](o.scope).
			Where("action = ? AND outcome = ? AND time > ? AND time <= ?", action, "refused", times[i], times[i+1]).Count(ctx)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// UnknownAccounts counts the refused sign-ins at accounts that are not there since a
// time, and the addresses that they came from.
func (o *Org) UnknownAccounts(ctx context.Context, kind string, since time.Time) (tries, from int64, err error) {
	q := db.From[auditEntry](o.scope).Where("action = ? AND outcome = ? AND time > ? AND target_kind = ?", "user.signed-in", "refused", since, kind)
	if tries, err = q.Count(ctx); err != nil {
		return 0, 0, err
	}
	rows, err := q.Order("sequence", true).Limit(mostUnknown).All(ctx)
	seen := map[string]bool{}
	for _, r := range rows {
		seen[r.IP] = true
	}
	return tries, int64(len(seen)), err
}

// mostUnknown bounds the entries that are looked at for where they came from.
const mostUnknown = 1000

// LastRefusal returns the newest entry of an action on a target that was refused.
// The error is [db.ErrNotFound] where there is none.
func (o *Org) LastRefusal(ctx context.Context, action, target string) (audit.Entry, error) {
	row, err := db.From[auditEntry](o.scope).Where("target_id = ? AND action = ? AND outcome = ?", target, action, "refused").
		Order("sequence", true).First(ctx)
	if err != nil {
		return audit.Entry{}, err
	}
	return row.entry()
}

// RefusalsOf counts what the trail has of an action on a target that was refused
// since a time.
func (o *Org) RefusalsOf(ctx context.Context, action, target string, since time.Time) (int64, error) {
	return db.From[auditEntry](o.scope).Where("target_id = ? AND action = ? AND outcome = ? AND time >= ?", target, action, "refused", since).Count(ctx)
}

// Happened reports whether the trail has an action that was done.
func (o *Org) Happened(ctx context.Context, action string) (bool, error) {
	_, err := db.From[auditEntry](o.scope).Where("action = ? AND outcome = ?", action, "done").First(ctx)
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// AnyProjectGrant reports whether somebody was given a role in a project.
func (o *Org) AnyProjectGrant(ctx context.Context) (bool, error) {
	_, err := db.From[Grant](o.scope).Where("project_id > ''").First(ctx)
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// LockedUser is an account whose next sign-in has to wait.
type LockedUser struct {
	User  User
	Until time.Time
}

// mostLocked bounds the accounts of which it is looked up whether they wait.
const mostLocked = 1000

// LockedUsers returns the accounts that have to wait before they can sign in, of
// those that were refused since a time. The names of what failures are held against
// come from names, by user.
func (o *Org) LockedUsers(ctx context.Context, since time.Time, names func(User) []string) ([]LockedUser, error) {
	var ids []string
	err := db.From[auditEntry](o.scope).Where("action = ? AND outcome = ? AND time >= ?", "user.signed-in", "refused", since).
		Limit(mostLocked).Aggregate(ctx, &ids, "DISTINCT target_id", "")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	users, err := o.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	whose, keys := map[string]User{}, []string{}
	for _, u := range users {
		for _, name := range names(u) {
			key := Limited{Name: name}.key()
			whose[key] = u
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	var rows []signInAttempt
	err = o.store.db.Unscoped(ctx, attemptsReason).Where("id IN ? AND blocked_until > ?", keys, o.store.Now()).Find(&rows).Error
	until := map[string]LockedUser{}
	for _, r := range rows {
		u := whose[r.ID]
		if r.BlockedUntil.After(until[u.ID].Until) {
			until[u.ID] = LockedUser{u, r.BlockedUntil.UTC()}
		}
	}
	out := make([]LockedUser, 0, len(until))
	for _, u := range users {
		if l, ok := until[u.ID]; ok {
			out = append(out, l)
		}
	}
	return out, err
}

// LastSSOSignIn returns when somebody signed in at a connection last; nil = nobody
// did.
func (o *Org) LastSSOSignIn(ctx context.Context, connection string) (*time.Time, error) {
	row, err := db.From[SSOIdentity](o.scope).Where("connection_id = ?", connection).Order("last_used_at", true).First(ctx)
	if IsNotFound(err) {
		return nil, nil
	}
	return &row.LastUsedAt, err
}

// PendingCounts is how much waits for somebody.
type PendingCounts struct {
	// Invitations are those that can be accepted; Requests ask for a role and are not
	// decided on; Reviews are running.
	Invitations, Requests, Reviews int64
}

// PendingCounts counts what waits for somebody.
func (o *Org) PendingCounts(ctx context.Context) (c PendingCounts, err error) {
	if c.Invitations, err = db.From[Invitation](o.scope).Where("accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?", o.store.Now()).Count(ctx); err != nil {
		return c, err
	}
	if c.Requests, err = db.From[AccessRequest](o.scope).Where("status = ?", Pending).Count(ctx); err != nil {
		return c, err
	}
	c.Reviews, err = db.From[AccessReview](o.scope).Where("status = ?", ReviewRunning).Count(ctx)
	return c, err
}

// everywhere narrows a query of grants to those that allow in the whole
// organization.
func everywhere(q db.Query[Grant]) db.Query[Grant] {
	return q.Where("project_id = '' AND api_id = '' AND environment_id = '' AND effect = ?", Allow)
}

// StandingGrants counts the grants in the whole organization that never end.
func (o *Org) StandingGrants(ctx context.Context) (int64, error) {
	return everywhere(db.From[Grant](o.scope)).Where("expires_at IS NULL").Count(ctx)
}

// MailTrouble counts letters that were given up, and those that wait after an
// attempt that did not work.
func (o *Org) MailTrouble(ctx context.Context) (dead, failing int64, err error) {
	if dead, err = db.From[MailMessage](o.scope).Where("state = ?", MailDead).Count(ctx); err != nil {
		return 0, 0, err
	}
	failing, err = db.From[MailMessage](o.scope).Where("state = ? AND failures > 0", MailWaiting).Count(ctx)
	return dead, failing, err
}

// AnyMailSent reports whether a letter of the organization was sent.
func (o *Org) AnyMailSent(ctx context.Context) (bool, error) {
	n, err := db.From[MailMessage](o.scope).Where("state = ?", MailSent).Count(ctx)
	return n > 0, err
}

// Verification is what verifying the trail came to last.
type Verification struct {
	// At is nil where it was never verified.
	At *time.Time
	// Sequence is up to which entry, BrokenAt the first that is not as it was
	// written; 0 = none. Last is the newest entry there is.
	Sequence, BrokenAt, Last int64
}

// Verification returns what verifying the trail came to last.
func (o *Org) Verification(ctx context.Context) (Verification, error) {
	h, err := db.From[auditHead](o.scope).First(ctx)
	return Verification{At: h.VerifiedAt, Sequence: h.VerifiedSequence, BrokenAt: h.BrokenAt, Last: h.Sequence}, err
}

// Verified notes what verifying the trail came to.
func (o *Org) Verified(ctx context.Context, v VerifiedAudit) error {
	_, err := db.From[auditHead](o.scope).Update(ctx, db.Changes{"verified_at": o.store.Now(), "verified_sequence": v.Head.Sequence, "broken_at": v.BrokenAt})
	return err
}

// SetupSkip is a step of setting up that an organization leaves out.
type SetupSkip struct {
	ID             string
	OrganizationID string
	Step           string
	CreatedAt      time.Time
	CreatedBy      string
}

// SetupSkips returns the steps that the organization leaves out, by their name.
func (o *Org) SetupSkips(ctx context.Context) (map[string]SetupSkip, error) {
	rows, err := db.From[SetupSkip](o.scope).All(ctx)
	out := make(map[string]SetupSkip, len(rows))
	for _, r := range rows {
		out[r.Step] = r
	}
	return out, err
}

// SkipSetup leaves a step out, or takes it up again, and reports whether that is
// new.
func (t *Tx) SkipSetup(ctx context.Context, step string, skip bool) (bool, error) {
	n, err := db.From[SetupSkip](t.scope).Where("step = ?", step).Count(ctx)
	if err != nil || (n > 0) == skip {
		return false, err
	}
	if !skip {
		_, err = db.From[SetupSkip](t.scope).Where("step = ?", step).Delete(ctx)
		return true, err
	}
	return true, db.Create(ctx, t.scope, &SetupSkip{ID: NewID(), Step: step, CreatedAt: t.store.Now(), CreatedBy: t.by})
}

// SCIMFailed notes what a directory was refused, at most once a minute.
func (o *Org) SCIMFailed(ctx context.Context, directory, why string) error {
	now := o.store.Now()
	_, err := db.From[SCIMDirectory](o.scope).Where("id = ? AND (failed_at IS NULL OR failed_at < ?)", directory, now.Add(-usedEvery)).
		Update(ctx, db.Changes{"failed_at": now, "failure": cut(why, 500)})
	return err
}

// TokenMakers returns who made tokens of service accounts that work, and for which
// accounts, at most so many.
func (o *Org) TokenMakers(ctx context.Context, most int) ([]TokenMaker, error) {
	var out []TokenMaker
	err := db.From[ServiceToken](o.scope).Where("expires_at IS NULL OR expires_at > ?", o.store.Now()).Limit(most).
		Aggregate(ctx, &out, "created_by, service_account_id, min(name) AS name, count(*) AS count", "created_by, service_account_id")
	if err != nil {
		return nil, fmt.Errorf("reading who made tokens: %w", err)
	}
	return out, nil
}

// TokenMaker is who made tokens of a service account.
type TokenMaker struct {
	CreatedBy, ServiceAccountID string
	// Name is that of the first of the tokens, Count how many there are.
	Name  string
	Count int64
}
