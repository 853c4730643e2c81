package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
)

// CreateUser makes a user, active. The id, version and times are set. The error
// is [db.ErrDuplicate] where the e-mail address is taken, and a problem of code
// organization-full where the organization may not have more users.
func (t *Tx) CreateUser(ctx context.Context, u *User) error {
	u.Stored = t.stored()
	if u.CreatedBy == "" {
		u.CreatedBy = u.ID
	}
	u.Status, u.Source = Active, Local
	u.fold()
	if err := t.Room(ctx, tenant.ResourceUsers); err != nil {
		return err
	}
	return db.Create(ctx, t.scope, u)
}

func (u *User) fold() {
	u.Name, u.Email = strings.TrimSpace(u.Name), strings.TrimSpace(u.Email)
	u.NameKey, u.EmailKey = Fold(u.Name), nil
	if key := FoldEmail(u.Email); key != "" {
		u.EmailKey = &key
	}
}

// User returns a user who is not deleted.
func (o *Org) User(ctx context.Context, id string) (User, error) {
	return db.From[User](o.scope).Where("status <> ?", Deleted).Get(ctx, id)
}

// LockUser is as [Org.User], and keeps others from changing the user until the
// transaction ends.
func (t *Tx) LockUser(ctx context.Context, id string) (User, error) {
	return db.From[User](t.scope).Where("status <> ?", Deleted).Lock().Get(ctx, id)
}

// ProvenLike reports whether what let a user in, as they were, lets them in as they are
// now: they were signed out everywhere no more often.
func (u User) ProvenLike(was User) bool {
	if u.ProofsAfter == nil || was.ProofsAfter == nil {
		return u.ProofsAfter == was.ProofsAfter
	}
	return u.ProofsAfter.Equal(*was.ProofsAfter)
}

// UserByEmail returns the user with the e-mail address.
func (o *Org) UserByEmail(ctx context.Context, email string) (User, error) {
	return db.From[User](o.scope).Where("email_key = ?", FoldEmail(email)).First(ctx)
}

// UsersByID returns users, deleted ones too.
func (o *Org) UsersByID(ctx context.Context, ids []string) ([]User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[User](o.scope).Where("id IN ?", ids).All(ctx)
}

// SaveUser writes what people may change, and the password, if the row has the
// version that is in u. Invitations of one who is not active are taken back.
func (t *Tx) SaveUser(ctx context.Context, u *User) error {
	u.fold()
	if u.Status != Active {
		if err := t.withdrawInvitations(ctx, u.ID); err != nil {
			return err
		}
	}
	return db.Save(ctx, t.scope, u, "name", "name_key", "email", "email_key", "status", "setup_pending", "password_hash", "break_glass", "language")
}

// EraseUser deletes a user: name, e-mail address and password go, and so do the
// grants, sessions and tokens. The row stays, because others refer to it.
func (t *Tx) EraseUser(ctx context.Context, u *User) error {
	email := u.Email
	u.Name, u.Email, u.PasswordHash, u.Status, u.SetupPending, u.BreakGlass, u.Language = "Deleted user", "", "", Deleted, false, false, ""
	if err := t.SaveUser(ctx, u); err != nil {
		return err
	}
	if _, err := db.From[Grant](t.scope).Where("principal_id = ?", u.ID).Delete(ctx); err != nil {
		return fmt.Errorf("deleting grants: %w", err)
	}
	if err := t.leave(ctx, u.ID); err != nil {
		return err
	}
	if _, err := db.From[Session](t.scope).Where("user_id = ?", u.ID).Delete(ctx); err != nil {
		return fmt.Errorf("deleting sessions: %w", err)
	}
	if _, err := db.From[PersonalToken](t.scope).Where("user_id = ?", u.ID).Delete(ctx); err != nil {
		return fmt.Errorf("deleting tokens: %w", err)
	}
	if err := t.endDelegations(ctx, "user_id = ?", u.ID); err != nil {
		return err
	}
	if _, err := db.From[OneTimeCode](t.scope).Where("user_id = ?", u.ID).Delete(ctx); err != nil {
		return fmt.Errorf("deleting one-time codes: %w", err)
	}
	if _, err := db.From[SSOIdentity](t.scope).Where("user_id = ?", u.ID).Delete(ctx); err != nil {
		return fmt.Errorf("deleting identities: %w", err)
	}
	if err := t.DropSCIMResource(ctx, u.ID); err != nil {
		return fmt.Errorf("taking the user from its directory: %w", err)
	}
	if err := t.eraseBulkRows(ctx, u.ID, email); err != nil {
		return err
	}
	if err := t.eraseTraces(ctx, u.ID, u.Name); err != nil {
		return err
	}
	_, err := t.DropFactors(ctx, u.ID)
	return err
}

// eraseTraces erases what else says who a user was: the invitation by which they
// came, what they asked for, who acted as them, and by which text entries of the
// audit trail are found. The entries themselves stay, because they are sealed.
func (t *Tx) eraseTraces(ctx context.Context, user, name string) error {
	if _, err := db.From[Invitation](t.scope).Where("accepted_by = ?", user).Delete(ctx); err != nil {
		return fmt.Errorf("deleting invitations: %w", err)
	}
	if _, err := db.From[PasswordRequest](t.scope).Where("user_id = ?", user).Delete(ctx); err != nil {
		return fmt.Errorf("deleting requests for a password: %w", err)
	}
	if _, err := db.From[KnownDevice](t.scope).Where("user_id = ?", user).Delete(ctx); err != nil {
		return fmt.Errorf("deleting devices: %w", err)
	}
	if err := t.dropPreferences(ctx, user); err != nil {
		return fmt.Errorf("deleting preferences: %w", err)
	}
	if _, err := db.From[Impersonation](t.scope).Where("user_id = ?", user).Delete(ctx); err != nil {
		return fmt.Errorf("deleting impersonations: %w", err)
	}
	if _, err := db.From[Impersonation](t.scope).Where("impersonator_id = ?", user).Update(ctx, db.Changes{"impersonator_name": name}); err != nil {
		return fmt.Errorf("taking the name out of impersonations: %w", err)
	}
	if _, err := db.From[SCIMOutcome](t.scope).Where("resource_id = ?", user).Delete(ctx); err != nil {
		return fmt.Errorf("deleting what directories did: %w", err)
	}
	for _, who := range []string{"actor_id = ?", "target_id = ?", "impersonator_id = ?"} {
		if _, err := db.From[auditEntry](t.scope).Where(who, user).Update(ctx, db.Changes{"search_text": ""}); err != nil {
			return fmt.Errorf("taking the name out of searches: %w", err)
		}
	}
	return nil
}

// SignedIn notes when a user signed in. The version stays: nobody changed the
// user.
func (t *Tx) SignedIn(ctx context.Context, user string, at time.Time) error {
	_, err := db.From[User](t.scope).Where("id = ?", user).Update(ctx, db.Changes{"last_sign_in_at": at, "seen": at.UnixMilli()})
	return err
}

// Rehash replaces the hash of a password that was right, if it is still there.
func (t *Tx) Rehash(ctx context.Context, user, was, hash string) error {
	_, err := db.From[User](t.scope).Where("id = ? AND password_hash = ?", user, was).Update(ctx, db.Changes{"password_hash": hash})
	return err
}

// Owners returns the active users who have been made owners of the whole
// organization for good, without the user and without the grant. Use
// [Tx.LockOrganization] first.
func (o *Org) Owners(ctx context.Context, withoutUser, withoutGrant string) ([]string, error) {
	rows, err := db.From[Grant](o.scope).
		Where("grants.role_id = ? AND grants.principal_kind = ? AND grants.project_id = '' AND grants.api_id = '' AND grants.environment_id = ''", access.Owner, "user").
		Where("grants.expires_at IS NULL AND grants.effect = ? AND grants.principal_id <> ? AND grants.id <> ?", Allow, withoutUser, withoutGrant).
		Join(User{}, "users.id = grants.principal_id AND users.status = ?", Active).All(ctx)
	out := make([]string, len(rows))
	for i, g := range rows {
		out[i] = g.PrincipalID
	}
	return out, err
}

// MostWithEmail is how many users with one e-mail address are looked at.
const MostWithEmail = 5

// UsersWithEmail returns the active and disabled users of all organizations with
// the e-mail address, at most [MostWithEmail].
func (s *Store) UsersWithEmail(ctx context.Context, email string) ([]User, error) {
	var out []User
	return out, s.db.Unscoped(ctx, "who signs in is of no organization yet").
		Where("email_key = ?", FoldEmail(email)).Order("id").Limit(MostWithEmail).Find(&out).Error
}

// MostAccounts returns how many accounts the e-mail address has that has most of them,
// at least one and at most [MostWithEmail].
func (s *Store) MostAccounts(ctx context.Context) (int, error) {
	var most []int
	err := s.db.Unscoped(ctx, "who signs in is of no organization yet").Model(&User{}).Select("COUNT(*)").
		Where("email_key IS NOT NULL").Group("email_key").Having("COUNT(*) > 1").Order("COUNT(*) DESC").Limit(1).Scan(&most).Error
	if err != nil || len(most) == 0 {
		return 1, err
	}
	return min(most[0], MostWithEmail), nil
}

// PendingOwners returns the users who have still to complete the first run.
func (s *Store) PendingOwners(ctx context.Context) ([]User, error) {
	var out []User
	return out, s.db.Unscoped(ctx, "the first run is before anybody can sign in").
		Where("setup_pending = ? AND status = ?", true, Active).Order("id").Find(&out).Error
}
