package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
)

// CreateServiceAccount makes a service account, active. The error is
// [db.ErrDuplicate] where the name is taken, and a problem of code
// organization-full where the organization may not have more.
func (t *Tx) CreateServiceAccount(ctx context.Context, a *ServiceAccount) error {
	a.Stored = t.stored()
	a.Status = Active
	a.fold()
	if err := t.Room(ctx, tenant.ResourceServiceAccounts); err != nil {
		return err
	}
	return db.Create(ctx, t.scope, a)
}

func (a *ServiceAccount) fold() { a.Name = strings.TrimSpace(a.Name); a.NameKey = Fold(a.Name) }

// ServiceAccount returns a service account.
func (o *Org) ServiceAccount(ctx context.Context, id string) (ServiceAccount, error) {
	return db.From[ServiceAccount](o.scope).Get(ctx, id)
}

// ServiceAccountsByID returns service accounts.
func (o *Org) ServiceAccountsByID(ctx context.Context, ids []string) ([]ServiceAccount, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[ServiceAccount](o.scope).Where("id IN ?", ids).All(ctx)
}

// ServiceAccounts returns a page, sortable by name and creation.
func (o *Org) ServiceAccounts(ctx context.Context, search string, p db.PageRequest) (db.Page[ServiceAccount], error) {
	q := db.From[ServiceAccount](o.scope).Contains(Fold(search), "name_key")
	if p.Sort == "name" {
		p.Sort = "name_key"
	}
	return q.Page(ctx, p, "name_key", "created_at")
}

// SaveServiceAccount writes a service account, if the row has the version that
// is in a.
func (t *Tx) SaveServiceAccount(ctx context.Context, a *ServiceAccount) error {
	a.fold()
	if a.Status != Active {
		if err := t.withdrawInvitations(ctx, a.ID); err != nil {
			return err
		}
	}
	return db.Save(ctx, t.scope, a, "name", "name_key", "description", "status")
}

// DeleteServiceAccount deletes a service account of a version, its tokens and
// grants, and tells everybody.
func (t *Tx) DeleteServiceAccount(ctx context.Context, id string, version int64) error {
	if _, err := db.From[ServiceToken](t.scope).Where("service_account_id = ?", id).Delete(ctx); err != nil {
		return fmt.Errorf("deleting tokens: %w", err)
	}
	if _, err := db.From[Grant](t.scope).Where("principal_id = ?", id).Delete(ctx); err != nil {
		return fmt.Errorf("deleting grants: %w", err)
	}
	if err := t.leave(ctx, id); err != nil {
		return err
	}
	if err := t.withdrawInvitations(ctx, id); err != nil {
		return err
	}
	if err := db.Remove[ServiceAccount](ctx, t.scope, id, version); err != nil {
		return err
	}
	return t.AccessChanged(id, "")
}

// CreateServiceToken keeps a token by its hash.
func (t *Tx) CreateServiceToken(ctx context.Context, k *ServiceToken) error {
	t.newToken(&k.Token)
	return db.Create(ctx, t.scope, k)
}

// ServiceTokens returns the tokens of a service account, newest first.
func (o *Org) ServiceTokens(ctx context.Context, account string) ([]ServiceToken, error) {
	return db.From[ServiceToken](o.scope).Where("service_account_id = ?", account).Order("created_at", true).Order("id", true).Limit(200).All(ctx)
}

// ServiceToken returns a token of a service account.
func (o *Org) ServiceToken(ctx context.Context, account, id string) (ServiceToken, error) {
	return db.From[ServiceToken](o.scope).Where("service_account_id = ?", account).Get(ctx, id)
}

// DeleteServiceToken revokes a token, and tells everybody. The error is
// [db.ErrNotFound] where it is not the service account's.
func (t *Tx) DeleteServiceToken(ctx context.Context, account, id string) error {
	n, err := db.From[ServiceToken](t.scope).Where("service_account_id = ? AND id = ?", account, id).Delete(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return db.ErrNotFound
	}
	return t.AccessChanged(account, id)
}

// ServiceTokenByHash returns the token of any organization.
func (s *Store) ServiceTokenByHash(ctx context.Context, hash string) (ServiceToken, error) {
	var out []ServiceToken
	err := s.db.Unscoped(ctx, "the token says of which organization it is").Where("hash = ?", hash).Find(&out).Error
	return one(out, err)
}
