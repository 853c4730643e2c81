package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// newToken sets what a new token begins with.
func (t *Tx) newToken(k *Token) {
	k.ID, k.CreatedAt, k.CreatedBy = NewID(), t.store.Now(), t.by
}

// usedEvery is how exactly the last use of a token is kept.
const usedEvery = time.Minute

// used notes that a token was used from an address, at most once a minute.
func used[T any](ctx context.Context, o *Org, k Token, from string) error {
	now := o.store.Now()
	if k.LastUsedAt != nil && now.Sub(*k.LastUsedAt) < usedEvery {
		return nil
	}
	_, err := db.From[T](o.scope).Where("id = ?", k.ID).Update(ctx, db.Changes{"last_used_at": now, "last_used_from": cut(from, 64)})
	return err
}

// UsedServiceToken notes that a token was used from an address, at most once a
// minute.
func (o *Org) UsedServiceToken(ctx context.Context, k ServiceToken, from string) error {
	return used[ServiceToken](ctx, o, k.Token, from)
}

// UsedPersonalToken is as [Org.UsedServiceToken], for a token of a user.
func (o *Org) UsedPersonalToken(ctx context.Context, k PersonalToken, from string) error {
	return used[PersonalToken](ctx, o, k.Token, from)
}

// CreatePersonalToken keeps a token of a user by its hash.
func (t *Tx) CreatePersonalToken(ctx context.Context, k *PersonalToken) error {
	t.newToken(&k.Token)
	return db.Create(ctx, t.scope, k)
}

// PersonalTokens returns the tokens of a user, newest first.
func (o *Org) PersonalTokens(ctx context.Context, user string) ([]PersonalToken, error) {
	return db.From[PersonalToken](o.scope).Where("user_id = ?", user).Order("created_at", true).Order("id", true).Limit(200).All(ctx)
}

// PersonalToken returns a token of a user.
func (o *Org) PersonalToken(ctx context.Context, user, id string) (PersonalToken, error) {
	return db.From[PersonalToken](o.scope).Where("user_id = ?", user).Get(ctx, id)
}

// DeletePersonalToken revokes a token, and tells everybody. The error is
// [db.ErrNotFound] where it is not the user's.
func (t *Tx) DeletePersonalToken(ctx context.Context, user, id string) error {
	n, err := db.From[PersonalToken](t.scope).Where("user_id = ? AND id = ?", user, id).Delete(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return db.ErrNotFound
	}
	return t.AccessChanged(user, id)
}

// PersonalTokenByHash returns the token of any organization.
func (s *Store) PersonalTokenByHash(ctx context.Context, hash string) (PersonalToken, error) {
	var out []PersonalToken
	err := s.db.Unscoped(ctx, "the token says of which organization it is").Where("hash = ?", hash).Find(&out).Error
	return one(out, err)
}

// PersonalTokensEnded returns how many tokens of people a policy ends that go on
// by themselves.
func (o *Org) PersonalTokensEnded(ctx context.Context, p SecurityPolicy) (int64, error) {
	now := o.store.Now()
	q := db.From[PersonalToken](o.scope).Where("expires_at > ?", now)
	if p.PersonalTokens {
		q = q.Where("created_at <= ?", now.AddDate(0, 0, -p.PersonalTokenDays))
	}
	return q.Count(ctx)
}

// ForgetPersonalTokens deletes tokens that ended before a time, and returns their
// number.
func (s *Store) ForgetPersonalTokens(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, "old tokens of all organizations are cleaned away").Delete(&PersonalToken{}, "expires_at < ?", before)
	return g.RowsAffected, g.Error
}
