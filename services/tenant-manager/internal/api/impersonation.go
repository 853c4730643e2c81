package api

import (
	"context"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// longestImpersonation is how long somebody acts as somebody else at most.
const longestImpersonation = 30 * time.Minute

// withImpersonation keeps who acts as somebody else from what people sign in for, as
// openapi.yaml does by x-impersonation of these and of others. Signing out is how
// they stop, and to read is no harm.
func (h *Handlers) withImpersonation(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	reads := strings.HasPrefix(operation, "List") || strings.HasPrefix(operation, "Get")
	if operation == "SignOut" || reads || !inPerson[operation] {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		if err := authn.InPerson(c.Request().Context()); err != nil {
			return nil, err
		}
		return next(c, request)
	}
}

// impersonated is what the audit trail says of a beginning.
type impersonated struct {
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// ImpersonateUser begins a session in which the caller acts as a user.
func (h *Handlers) ImpersonateUser(ctx context.Context, r ImpersonateUserRequestObject) (ImpersonateUserResponseObject, error) {
	if err := authn.Require(ctx, "user:impersonate", authn.Scope{}); err != nil {
		return nil, err
	}
	me, mine, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(r.Body.Reason)
	var (
		u store.User
		s store.Session
		o store.Organization
	)
	err = h.change(ctx, func(tx *store.Tx) error {
		if u, err = tx.LockUser(ctx, r.Id); err != nil {
			return err
		}
		own, err := tx.LockSession(ctx, mine.ID)
		if err == nil && !own.Open(h.store.Now()) {
			err = refused(proofsOver)
		}
		if err != nil {
			return err
		}
		policy, err := tx.SecurityPolicy(ctx)
		if err != nil {
			return err
		}
		if !policy.Impersonation {
			return problem.New(problem.CodeAccessDenied, "your organization lets nobody act as somebody else: whoever changes its security policy can allow it")
		}
		if err := h.mayImpersonate(ctx, tx, me, u); err != nil {
			return err
		}
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		now := h.store.Now()
		s = store.Session{
			UserID: u.ID, RefreshKey: secret.NewText(token.NewRefreshKey()), Generation: 1, RotatedAt: now, IP: httpx.Address(ctx), UserAgent: userAgent(ctx),
			CreatedAt: now, LastUsedAt: now, AMR: string(factor.Methods("")),
			ImpersonatorID: me.ID, ImpersonatorName: me.Name, ImpersonatorSession: mine.ID,
		}
		s.ExpiresAt = h.sessionEnd(s, policy)
		if err := tx.CreateSession(ctx, &s); err != nil {
			return err
		}
		until := s.CreatedAt.Add(longestImpersonation)
		kept := store.Impersonation{UserID: u.ID, ImpersonatorID: me.ID, ImpersonatorName: me.Name, SessionID: s.ID, Reason: reason, ExpiresAt: until}
		if err := tx.CreateImpersonation(ctx, &kept); err != nil {
			return err
		}
		if _, err := h.post(ctx, tx, mail.Impersonated, u.Email, false, mail.Data{Name: u.Name, At: now.UTC(), By: me.Name, Reason: reason}); err != nil {
			return err
		}
		return h.record(ctx, tx, "user.impersonated", "user", u.ID, u.Name, nil, impersonated{reason, until.UTC()})
	})
	if err != nil {
		return nil, err
	}
	h.kit.Log.WarnContext(ctx, "somebody acts as somebody else", "organization", o.ID, "user", u.ID, "impersonator", me.ID, "session", s.ID)
	pair, err := h.pair(ctx, o, u, s)
	return ImpersonateUser201JSONResponse(pair), err
}

// mayImpersonate returns a problem where nobody acts as the user, or the caller does
// not: because they may do more, or have not begun.
func (h *Handlers) mayImpersonate(ctx context.Context, tx *store.Tx, me, u store.User) error {
	switch {
	case u.ID == me.ID:
		return problem.New(problem.CodeConflict, "this is you")
	case u.Status != store.Active:
		return problem.New(problem.CodeConflict, "the user is disabled: nobody acts as them")
	case u.SetupPending:
		return problem.New(problem.CodeConflict, "the user has not completed the first run")
	case u.BreakGlass && !me.BreakGlass:
		return problem.New(problem.CodeAccessDenied, "this is a break-glass account: only another one acts as it")
	}
	return h.mayManage(ctx, tx, u.ID)
}

// renewImpersonation takes the session of somebody who acts as a user to its next
// refresh token, as long as their own session stands.
func (h *Handlers) renewImpersonation(ctx context.Context, tx *store.Tx, s *store.Session, policy store.SecurityPolicy) error {
	now := h.store.Now()
	own, err := tx.Session(ctx, s.ImpersonatorSession)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	if err != nil || own.UserID != s.ImpersonatorID || !own.Open(now) {
		return errRefresh
	}
	a, err := rights.ActingIn(ctx, tx.Org, *s)
	if err != nil {
		return err
	}
	if a.Over != "" {
		h.ActingOver(*s, a.Over)
		return errRefresh
	}
	s.Generation++
	s.RotatedAt, s.LastUsedAt = now, now
	s.ExpiresAt = h.sessionEnd(*s, policy)
	return tx.RotateSession(ctx, *s)
}

// ActingOver ends a session in which somebody may no longer act as a user, so that it
// does not come back with what they have lost, and records why.
func (h *Handlers) ActingOver(s store.Session, why string) {
	h.afterwards("ending what somebody does as somebody else", func(ctx context.Context) error {
		return h.store.Tx(ctx, s.OrganizationID, "", func(tx *store.Tx) error {
			ended, err := tx.EndSessions(ctx, s.UserID, s.ID, "")
			if err != nil || len(ended) == 0 { // it was ended already
				return err
			}
			u, err := tx.User(ctx, s.UserID)
			if err != nil {
				return err
			}
			return h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: "user.impersonation-ended", Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Organization: tx.ID(),
				After: actingOver{GroupName{Id: s.ImpersonatorID, Name: s.ImpersonatorName}, why},
			})
		})
	})
}

// actingOver is what the audit trail says of an end that nobody asked for.
type actingOver struct {
	Impersonator GroupName `json:"impersonator"`
	Reason       string    `json:"reason"`
}

func impersonationsOf(rows []store.Impersonation, now time.Time) ImpersonationList {
	out := ImpersonationList{Items: make([]Impersonation, len(rows))}
	for i, r := range rows {
		end := r.ExpiresAt
		if r.EndedAt != nil && r.EndedAt.Before(end) {
			end = *r.EndedAt
		}
		out.Items[i] = Impersonation{
			Id: r.ID, Impersonator: GroupName{Id: r.ImpersonatorID, Name: r.ImpersonatorName}, Reason: r.Reason,
			CreatedAt: r.CreatedAt.UTC(), EndsAt: end.UTC(), Active: r.EndedAt == nil && now.Before(r.ExpiresAt),
		}
	}
	return out
}

// ListMyImpersonations returns who acted as the caller.
func (h *Handlers) ListMyImpersonations(ctx context.Context, _ ListMyImpersonationsRequestObject) (ListMyImpersonationsResponseObject, error) {
	if err := personal(caller(ctx)); err != nil {
		return nil, err
	}
	rows, err := h.mine(ctx).Impersonations(ctx, caller(ctx).Subject)
	return ListMyImpersonations200JSONResponse(impersonationsOf(rows, h.store.Now())), err
}

// ListUserImpersonations returns who acted as a user.
func (h *Handlers) ListUserImpersonations(ctx context.Context, r ListUserImpersonationsRequestObject) (ListUserImpersonationsResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.User(ctx, r.Id); err != nil {
		return nil, err
	}
	rows, err := org.Impersonations(ctx, r.Id)
	return ListUserImpersonations200JSONResponse(impersonationsOf(rows, h.store.Now())), err
}
