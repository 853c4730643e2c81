package api

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// ListServiceAccounts returns a page of service accounts.
func (h *Handlers) ListServiceAccounts(ctx context.Context, r ListServiceAccountsRequestObject) (ListServiceAccountsResponseObject, error) {
	if err := authn.Require(ctx, "service-account:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	page, err := org.ServiceAccounts(ctx, deref(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(page.Items))
	for i, a := range page.Items {
		ids[i] = a.ID
	}
	roles, err := h.rolesOf(ctx, org, ids...)
	if err != nil {
		return nil, err
	}
	out := ServiceAccountList{Items: make([]ServiceAccount, len(page.Items)), Next: ptr(page.Next)}
	for i, a := range page.Items {
		out.Items[i] = serviceAccountOf(a, roles[a.ID])
	}
	return ListServiceAccounts200JSONResponse(out), nil
}

// GetServiceAccount returns a service account.
func (h *Handlers) GetServiceAccount(ctx context.Context, r GetServiceAccountRequestObject) (GetServiceAccountResponseObject, error) {
	if err := authn.Require(ctx, "service-account:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	a, err := org.ServiceAccount(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	roles, err := h.rolesOf(ctx, org, a.ID)
	return GetServiceAccount200JSONResponse{Body: serviceAccountOf(a, roles[a.ID]), Headers: GetServiceAccount200ResponseHeaders{ETag: etag(a.Version)}}, err
}

func nameTaken(err error, name string) error {
	if errors.Is(err, db.ErrDuplicate) {
		return problem.New(problem.CodeConflict, "there is a service account named %s already", name)
	}
	return err
}

// CreateServiceAccount makes a service account.
func (h *Handlers) CreateServiceAccount(ctx context.Context, r CreateServiceAccountRequestObject) (CreateServiceAccountResponseObject, error) {
	if err := authn.Require(ctx, "service-account:create", authn.Scope{}); err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (ServiceAccount, error) {
		a := store.ServiceAccount{Name: r.Body.Name, Description: deref(r.Body.Description)}
		if err := tx.CreateServiceAccount(ctx, &a); err != nil {
			return ServiceAccount{}, nameTaken(err, a.Name)
		}
		out := serviceAccountOf(a, []UserRole{})
		return out, h.record(ctx, tx, "service-account.created", "service-account", a.ID, a.Name, nil, out)
	})
	return CreateServiceAccount201JSONResponse{Body: made, Headers: CreateServiceAccount201ResponseHeaders{ETag: etag(made.Version), Location: location("service-accounts", made.Id)}}, err
}

// serviceAccountFields is what people may change of a service account.
type serviceAccountFields struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Status      string `json:"status"`
}

// UpdateServiceAccount renames, disables or enables a service account.
func (h *Handlers) UpdateServiceAccount(ctx context.Context, r UpdateServiceAccountRequestObject) (UpdateServiceAccountResponseObject, error) {
	if err := authn.Require(ctx, "service-account:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var a store.ServiceAccount
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if a, err = tx.ServiceAccount(ctx, r.Id); err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, a.ID); err != nil {
			return err
		}
		before := serviceAccountOf(a, nil)
		fields, err := httpx.Merge(ctx, serviceAccountFields{a.Name, a.Description, a.Status})
		if err != nil {
			return err
		}
		a.Name, a.Description, a.Status, a.Version = fields.Name, fields.Description, fields.Status, version
		if err := tx.SaveServiceAccount(ctx, &a); err != nil {
			return nameTaken(err, a.Name)
		}
		action := "service-account.updated"
		if a.Status != string(before.Status) {
			action = map[string]string{store.Active: "service-account.enabled", store.Disabled: "service-account.disabled"}[a.Status]
			if err := tx.AccessChanged(a.ID, ""); err != nil {
				return err
			}
		}
		return h.record(ctx, tx, action, "service-account", a.ID, a.Name, before, serviceAccountOf(a, nil))
	})
	if err != nil {
		return nil, err
	}
	roles, err := h.rolesOf(ctx, h.mine(ctx), a.ID)
	return UpdateServiceAccount200JSONResponse{Body: serviceAccountOf(a, roles[a.ID]), Headers: UpdateServiceAccount200ResponseHeaders{ETag: etag(a.Version)}}, err
}

// DeleteServiceAccount deletes a service account with its tokens and grants.
func (h *Handlers) DeleteServiceAccount(ctx context.Context, r DeleteServiceAccountRequestObject) (DeleteServiceAccountResponseObject, error) {
	if err := authn.Require(ctx, "service-account:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		a, err := tx.ServiceAccount(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, a.ID); err != nil {
			return err
		}
		if err := h.leaveDoors(ctx, tx, a.ID); err != nil {
			return err
		}
		if err := tx.DeleteServiceAccount(ctx, a.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "service-account.deleted", "service-account", a.ID, a.Name, serviceAccountOf(a, nil), nil)
	})
	return DeleteServiceAccount204Response{}, err
}

// ListServiceAccountTokens returns the tokens of a service account.
func (h *Handlers) ListServiceAccountTokens(ctx context.Context, r ListServiceAccountTokensRequestObject) (ListServiceAccountTokensResponseObject, error) {
	if err := authn.Require(ctx, "service-account:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.ServiceAccount(ctx, r.Id); err != nil {
		return nil, err
	}
	rows, err := org.ServiceTokens(ctx, r.Id)
	out := ServiceTokenList{Items: make([]ServiceToken, len(rows))}
	for i, k := range rows {
		out.Items[i] = serviceTokenOf(k)
	}
	return ListServiceAccountTokens200JSONResponse(out), err
}

// CreateServiceAccountToken makes a token, which is in this answer only.
func (h *Handlers) CreateServiceAccountToken(ctx context.Context, r CreateServiceAccountTokenRequestObject) (CreateServiceAccountTokenResponseObject, error) {
	if err := authn.Require(ctx, "service-account:update", authn.Scope{}); err != nil {
		return nil, err
	}
	expires := utc(r.Body.ExpiresAt)
	if expires != nil && !expires.After(h.store.Now()) {
		return nil, invalid("/expiresAt", "minimum", "it is over already: name a time in the future")
	}
	if err := h.tokenEnd(ctx, expires); err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createServiceAccountToken "+r.Id, r.Body, func(tx *store.Tx) (ServiceTokenCreated, error) {
		a, err := tx.ServiceAccount(ctx, r.Id)
		if err != nil {
			return ServiceTokenCreated{}, err
		}
		if err := h.mayManage(ctx, tx, a.ID); err != nil {
			return ServiceTokenCreated{}, err
		}
		held, err := rights.Of(ctx, tx.Org, a.ID)
		if err != nil {
			return ServiceTokenCreated{}, err
		}
		narrowed, err := h.madeFor(held, deref(r.Body.Permissions), deref(r.Body.Project), deref(r.Body.Environment))
		if err != nil {
			return ServiceTokenCreated{}, err
		}
		secret := token.NewService()
		k := store.ServiceToken{Token: narrowed, ServiceAccountID: a.ID}
		k.Name, k.Hash, k.Hint, k.ExpiresAt = r.Body.Name, token.Hash(secret), token.Hint(secret), expires
		if err := tx.CreateServiceToken(ctx, &k); err != nil {
			return ServiceTokenCreated{}, err
		}
		out := serviceTokenOf(k)
		return ServiceTokenCreated{
			Id: out.Id, Name: out.Name, Hint: out.Hint, ExpiresAt: out.ExpiresAt, Permissions: out.Permissions, Project: out.Project, Environment: out.Environment,
			CreatedAt: out.CreatedAt, CreatedBy: out.CreatedBy, Token: secret,
		}, h.record(ctx, tx, "service-account.token-created", "service-account", a.ID, a.Name, nil, out)
	})
	return CreateServiceAccountToken201JSONResponse(made), err
}

// DeleteServiceAccountToken revokes a token.
func (h *Handlers) DeleteServiceAccountToken(ctx context.Context, r DeleteServiceAccountTokenRequestObject) (DeleteServiceAccountTokenResponseObject, error) {
	if err := authn.Require(ctx, "service-account:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		a, err := tx.ServiceAccount(ctx, r.Id)
		if err != nil {
			return err
		}
		k, err := tx.ServiceToken(ctx, a.ID, r.Token)
		if err != nil {
			return err
		}
		if err := tx.DeleteServiceToken(ctx, a.ID, k.ID); err != nil {
			return err
		}
		return h.record(ctx, tx, "service-account.token-revoked", "service-account", a.ID, a.Name, serviceTokenOf(k), nil)
	})
	return DeleteServiceAccountToken204Response{}, err
}

// tokenEnd returns a problem of the field where the policy does not let a token
// last so long.
func (h *Handlers) tokenEnd(ctx context.Context, expires *time.Time) error {
	policy, err := h.mine(ctx).SecurityPolicy(ctx)
	if err != nil {
		return err
	}
	if !policy.ServiceTokens {
		return problem.New(problem.CodeAccessDenied, "your organization does not let service accounts have tokens: ask an administrator")
	}
	if policy.TokenLifetimeDays == 0 {
		return nil
	}
	last := h.store.Now().Add(time.Duration(policy.TokenLifetimeDays) * day)
	if expires == nil || expires.After(last) {
		return invalid("/expiresAt", "maximum", "your organization lets tokens last %d days at most: name a time not after %s", policy.TokenLifetimeDays, last.UTC().Format(time.RFC3339))
	}
	return nil
}
