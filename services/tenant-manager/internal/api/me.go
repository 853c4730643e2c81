package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// GetMe says who the caller is, and what they may do.
func (h *Handlers) GetMe(ctx context.Context, _ GetMeRequestObject) (GetMeResponseObject, error) {
	me, err := h.me(ctx)
	return GetMe200JSONResponse{Body: me, Headers: GetMe200ResponseHeaders{ETag: etagOf(me.Version)}}, err
}

func etagOf(version *int64) *string {
	if version == nil {
		return nil
	}
	return etag(*version)
}

func (h *Handlers) me(ctx context.Context) (Me, error) {
	p, org := caller(ctx), h.mine(ctx)
	o, err := org.Organization(ctx)
	if err != nil {
		return Me{}, err
	}
	me := Me{Kind: PrincipalKind(p.Kind), User: UserName{Id: p.Subject, Name: p.Name}, Organization: organizationName(o), Grants: []EffectiveGrant{}}
	if p.Kind == authn.User {
		u, err := org.User(ctx, p.Subject)
		if err != nil {
			return Me{}, err
		}
		me.User, me.Version, me.SetupRequired, me.Language = userName(u), &u.Version, u.SetupPending, ptr(u.Language)
		shortest, err := shortestPassword(ctx, org)
		if err != nil {
			return Me{}, err
		}
		me.PasswordMinLength = &shortest
	}
	if p.ImpersonatorID != "" {
		i, err := org.Impersonation(ctx, p.Session)
		if err != nil {
			return Me{}, err
		}
		me.Impersonation = &MyImpersonation{Impersonator: GroupName{Id: i.ImpersonatorID, Name: i.ImpersonatorName}, Until: i.ExpiresAt.UTC()}
	}
	if session, err := org.Session(ctx, p.Session); err == nil && session.Pending != "" {
		me.FactorRequired, me.Permissions = ptr(true), []string{}
		return me, nil
	}
	held, err := h.held(ctx, org)
	if err != nil {
		return Me{}, err
	}
	now := h.store.Now()
	for _, g := range held.Grants {
		if g.Ended(now) {
			continue
		}
		me.Grants = append(me.Grants, EffectiveGrant{
			Role: g.RoleID, RoleName: g.Role, Effect: effectOf(g.Deny), Permissions: access.Expand(g.Permissions), Via: chainOf(g.Via),
			Project: ptr(g.Scope.Project), Api: ptr(g.Scope.API), Environment: ptr(g.Scope.Environment), ExpiresAt: end(g.ExpiresAt),
		})
	}
	me.Permissions = access.All(held, now)
	if p.ImpersonatorID != "" {
		not := rights.NotAsSomebodyElse()
		me.Permissions = slices.DeleteFunc(me.Permissions, func(name string) bool { return slices.Contains(not, name) })
	}
	return me, nil
}

// myName is what people may change of their own account.
type myName struct {
	Name     string `json:"name"`
	Language string `json:"language"`
}

// UpdateMe changes the caller's name.
func (h *Handlers) UpdateMe(ctx context.Context, r UpdateMeRequestObject) (UpdateMeResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, p.Subject)
		if err != nil {
			return err
		}
		before := userOf(u, nil)
		fields, err := httpx.Merge(ctx, myName{u.Name, u.Language})
		if err != nil {
			return err
		}
		if fields.Language != "" {
			if u.Language, err = brand.Language(fields.Language); err != nil {
				return invalid("/language", "format", "%s", err)
			}
		} else {
			u.Language = ""
		}
		u.Name, u.Version = fields.Name, version
		if err := tx.SaveUser(ctx, &u); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.updated", "user", u.ID, u.Name, before, userOf(u, nil))
	})
	if err != nil {
		return nil, err
	}
	me, err := h.me(ctx)
	return UpdateMe200JSONResponse{Body: me, Headers: UpdateMe200ResponseHeaders{ETag: etagOf(me.Version)}}, err
}

// ChangePassword changes the caller's password, and ends their other sessions.
func (h *Handlers) ChangePassword(ctx context.Context, r ChangePasswordRequestObject) (ChangePasswordResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	u, err := h.mine(ctx).User(ctx, p.Subject)
	if err != nil {
		return nil, err
	}
	account := store.Limited{Name: "password of " + u.ID, Limit: throttle.Account}
	address, err := h.attempt(ctx, account)
	if err != nil {
		return nil, err
	}
	right, _, err := h.passwords.Verify(ctx, r.Body.Current, u.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, invalid("/current", "invalid", "this is not your password until now")
	}
	if err := h.store.Succeeded(ctx, account, address); err != nil {
		return nil, err
	}
	hash, err := h.newPassword(ctx, p.Organization, "/new", r.Body.New, u.Email, u.Name)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		fresh, err := tx.LockUser(ctx, u.ID)
		if err != nil {
			return err
		}
		if !fresh.ProvenLike(u) { // somebody has set another one, or ended this session, meanwhile
			return refused(proofsOver)
		}
		fresh.PasswordHash, fresh.Version = hash, db.AnyVersion
		if err := tx.SaveUser(ctx, &fresh); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, u.ID, "", p.Session); err != nil {
			return err
		}
		if err := tx.AnswerPasswordRequest(ctx, u.ID); err != nil {
			return err
		}
		if err := h.notice(ctx, tx, mail.PasswordChanged, u, ""); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.password-changed", "user", u.ID, u.Name, nil, nil)
	})
	return ChangePassword204Response{}, err
}

// ListMySessions returns the caller's sessions.
func (h *Handlers) ListMySessions(ctx context.Context, _ ListMySessionsRequestObject) (ListMySessionsResponseObject, error) {
	p := caller(ctx)
	rows, err := h.mine(ctx).OpenSessions(ctx, p.Subject)
	return ListMySessions200JSONResponse(h.sessionsOf(rows, p.Session)), err
}

// EndMyOtherSessions ends the caller's sessions but the present one.
func (h *Handlers) EndMyOtherSessions(ctx context.Context, _ EndMyOtherSessionsRequestObject) (EndMyOtherSessionsResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		ids, err := tx.EndSessions(ctx, p.Subject, "", p.Session)
		if err != nil || len(ids) == 0 {
			return err
		}
		return h.record(ctx, tx, "session.ended", "user", p.Subject, p.Name, nil, nil)
	})
	return EndMyOtherSessions204Response{}, err
}

// EndMySession ends one of the caller's sessions.
func (h *Handlers) EndMySession(ctx context.Context, r EndMySessionRequestObject) (EndMySessionResponseObject, error) {
	return EndMySession204Response{}, h.endSession(ctx, caller(ctx).Subject, r.Id)
}

// endSession ends a session of a user. The error is db.ErrNotFound where it is
// not there, or has ended.
func (h *Handlers) endSession(ctx context.Context, user, id string) error {
	return h.change(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, user)
		if err != nil {
			return err
		}
		if err := h.mayManage(ctx, tx, user); err != nil {
			return err
		}
		ids, err := tx.EndSessions(ctx, user, id, "")
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return db.ErrNotFound
		}
		after := tx.ForgetProofs
		if user == caller(ctx).Subject {
			after = tx.DropLinks // one of them may be what that session asked for
		}
		if err := after(ctx, user); err != nil {
			return err
		}
		return h.record(ctx, tx, "session.ended", "user", u.ID, u.Name, nil, nil)
	})
}
