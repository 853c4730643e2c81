package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// GetUser returns a user.
func (h *Handlers) GetUser(ctx context.Context, r GetUserRequestObject) (GetUserResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	u, err := h.user(ctx, h.mine(ctx), r.Id)
	return GetUser200JSONResponse{Body: u, Headers: GetUser200ResponseHeaders{ETag: etag(u.Version)}}, err
}

func (h *Handlers) user(ctx context.Context, org *store.Org, id string) (User, error) {
	u, err := org.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	roles, err := h.rolesOf(ctx, org, id)
	if err != nil {
		return User{}, err
	}
	sources, err := org.Sources(ctx)
	out := userOf(u, roles[id])
	out.Source = sourceOf(u.Source, sources)
	return out, err
}

// userFields is what administrators may change of a user.
type userFields struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	BreakGlass bool   `json:"breakGlass"`
}

var errLastOwner = problem.New(problem.CodeConflict, "this would leave the organization without an owner: make somebody else owner of the whole organization first, without an end, and without denials or a boundary")

// keepsAnOwner returns a problem where nobody would be owner any more without a
// user or without a grant. It keeps other changes of owners waiting.
func keepsAnOwner(ctx context.Context, tx *store.Tx, user, grant string) error {
	return ownerStays(ctx, tx, user, grant, func() error { return nil })
}

// guardOwner makes a change, and returns a problem where nobody is owner any more
// after it: because it denies or bounds what the last one may do.
func guardOwner(ctx context.Context, tx *store.Tx, change func() error) error {
	return ownerStays(ctx, tx, "", "", change)
}

func ownerStays(ctx context.Context, tx *store.Tx, withoutUser, withoutGrant string, change func() error) error {
	if err := tx.LockOrganization(ctx); err != nil {
		return err
	}
	before, err := hasOwner(ctx, tx, "", "")
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := hasOwner(ctx, tx, withoutUser, withoutGrant)
	if err != nil {
		return err
	}
	if before && !after {
		return errLastOwner
	}
	return nil
}

// hasOwner reports whether a user may do everything for good, without the user
// and the grant.
func hasOwner(ctx context.Context, tx *store.Tx, withoutUser, withoutGrant string) (bool, error) {
	owners, err := tx.Owners(ctx, withoutUser, withoutGrant)
	if err != nil {
		return false, err
	}
	held, err := rights.Holdings(ctx, tx.Org, owners...)
	if err != nil {
		return false, err
	}
	for _, o := range owners {
		if access.IsOwner(held[o], tx.Now()) {
			return true, nil
		}
	}
	return false, nil
}

// UpdateUser renames, disables or enables a user.
func (h *Handlers) UpdateUser(ctx context.Context, r UpdateUserRequestObject) (UpdateUserResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, u.ID); err != nil {
			return err
		}
		before := userOf(u, nil)
		fields, err := httpx.Merge(ctx, userFields{u.Name, u.Status, u.BreakGlass})
		if err != nil {
			return err
		}
		u.Name, u.Status, u.BreakGlass, u.Version = fields.Name, fields.Status, fields.BreakGlass, version
		if err := h.ownersOnly(ctx, tx, u, before.BreakGlass); err != nil {
			return err
		}
		if u.Status == store.Disabled && before.Status != store.Disabled {
			if err := keepsAnOwner(ctx, tx, u.ID, ""); err != nil {
				return err
			}
		}
		if err := tx.SaveUser(ctx, &u); err != nil {
			return err
		}
		if before.BreakGlass {
			if err := h.keepsBreakGlass(ctx, tx); err != nil {
				return err
			}
		}
		if u.Status == string(before.Status) {
			return h.record(ctx, tx, "user.updated", "user", u.ID, u.Name, before, userOf(u, nil))
		}
		return h.switched(ctx, tx, u, before)
	})
	if err != nil {
		return nil, err
	}
	u, err := h.user(ctx, h.mine(ctx), r.Id)
	return UpdateUser200JSONResponse{Body: u, Headers: UpdateUser200ResponseHeaders{ETag: etag(u.Version)}}, err
}

// ownersOnly returns a problem where who is not an owner becomes a break-glass
// account, or somebody else than an owner changes who is one.
func (h *Handlers) ownersOnly(ctx context.Context, tx *store.Tx, u store.User, before bool) error {
	if u.BreakGlass == before {
		return nil
	}
	held, err := h.holdings(ctx, tx.Org, u.ID)
	if err != nil {
		return err
	}
	switch {
	case !access.IsOwner(held[caller(ctx).Subject], tx.Now()):
		return problem.New(problem.CodeAccessDenied, "only owners say which accounts are break-glass: ask one of them")
	case u.BreakGlass && !access.IsOwner(held[u.ID], tx.Now()):
		return invalid("/breakGlass", "invalid", "only an owner of the whole organization can be a break-glass account: make the user owner first")
	}
	return nil
}

// switched follows the enabling or disabling of a user.
func (h *Handlers) switched(ctx context.Context, tx *store.Tx, u store.User, before User) error {
	action := "user.enabled"
	if u.Status == store.Disabled {
		action = "user.disabled"
		if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
			return err
		}
	}
	if err := tx.AccessChanged(u.ID, ""); err != nil {
		return err
	}
	return h.record(ctx, tx, action, "user", u.ID, u.Name, before, userOf(u, nil))
}

// DeleteUser deletes a user.
func (h *Handlers) DeleteUser(ctx context.Context, r DeleteUserRequestObject) (DeleteUserResponseObject, error) {
	if err := authn.Require(ctx, "user:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, u.ID); err != nil {
			return err
		}
		u.Version = version
		return h.deleteUser(ctx, tx, u)
	})
	return DeleteUser204Response{}, err
}

// deleteUser erases a user of the version, whom the caller may manage.
func (h *Handlers) deleteUser(ctx context.Context, tx *store.Tx, u store.User) error {
	if err := keepsAnOwner(ctx, tx, u.ID, ""); err != nil {
		return err
	}
	if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
		return err
	}
	if err := h.leaveDoors(ctx, tx, u.ID); err != nil {
		return err
	}
	spared := u.BreakGlass
	if err := tx.EraseUser(ctx, &u); err != nil {
		return err
	}
	if spared {
		if err := h.keepsBreakGlass(ctx, tx); err != nil {
			return err
		}
	}
	if err := tx.AccessChanged(u.ID, ""); err != nil {
		return err
	}
	// Neither name nor address: they are erased.
	return h.record(ctx, tx, "user.deleted", "user", u.ID, "", nil, nil)
}

// ListUserSessions returns the sessions of a user.
func (h *Handlers) ListUserSessions(ctx context.Context, r ListUserSessionsRequestObject) (ListUserSessionsResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.User(ctx, r.Id); err != nil {
		return nil, err
	}
	rows, err := org.OpenSessions(ctx, r.Id)
	return ListUserSessions200JSONResponse(h.sessionsOf(rows, caller(ctx).Session)), err
}

// EndUserSessions ends all sessions of a user.
func (h *Handlers) EndUserSessions(ctx context.Context, r EndUserSessionsRequestObject) (EndUserSessionsResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, u.ID); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
			return err
		}
		return h.record(ctx, tx, "session.ended", "user", u.ID, u.Name, nil, nil)
	})
	return EndUserSessions204Response{}, err
}

// EndUserSession ends a session of a user.
func (h *Handlers) EndUserSession(ctx context.Context, r EndUserSessionRequestObject) (EndUserSessionResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	return EndUserSession204Response{}, h.endSession(ctx, r.Id, r.Session)
}
