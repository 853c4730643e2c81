package api

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// confirmedFor is how long a proof of who somebody is counts for changes of
// factors and tokens.
const confirmedFor = 10 * time.Minute

// myself returns the caller, who is a person, and their session.
func (h *Handlers) myself(ctx context.Context) (u store.User, s store.Session, err error) {
	p := caller(ctx)
	if err = personal(p); err != nil {
		return u, s, err
	}
	org := h.mine(ctx)
	if u, err = org.User(ctx, p.Subject); err != nil {
		return u, s, err
	}
	s, err = org.Session(ctx, p.Session)
	if store.IsNotFound(err) {
		err = problem.New(problem.CodeAccessDenied, "this is for people who are signed in, not for their tokens: sign in")
	}
	return u, s, err
}

// confirmedUntil returns until when the last proof of a session counts.
func confirmedUntil(s store.Session) time.Time {
	at := s.Authenticated()
	if s.ConfirmedAt != nil {
		at = *s.ConfirmedAt
	}
	return at.Add(confirmedFor).UTC()
}

// confirmed is as myself, and returns a problem where the last proof is too long
// ago.
func (h *Handlers) confirmed(ctx context.Context) (store.User, store.Session, error) {
	u, s, err := h.myself(ctx)
	if err == nil && !h.store.Now().Before(confirmedUntil(s)) {
		err = problem.New(problem.CodeConfirmationRequired, "this needs a fresh proof that it is you: GET /me/confirmation says how you can give one; then try again")
	}
	if err != nil {
		return u, s, err
	}
	without, err := h.withoutItsFactor(ctx, u, s)
	if err == nil && without {
		err = problem.New(problem.CodeConfirmationRequired, "this session began without your second factor: send a code of the authenticator app, or the answer of a passkey, to /me/confirmation, and try again")
	}
	return u, s, err
}

// ConfirmMe takes a fresh proof of who the caller is.
func (h *Handlers) ConfirmMe(ctx context.Context, r ConfirmMeRequestObject) (ConfirmMeResponseObject, error) {
	u, s, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	var c store.Challenge
	if r.Body.Challenge != nil {
		c, err = h.store.Challenge(ctx, forConfirming, token.Hash(*r.Body.Challenge))
		if err != nil || c.UserID != u.ID {
			return nil, errors.Join(store.IgnoreNotFound(err), invalid("/challenge", "invalid", "this was used, or asked for more than five minutes ago: ask again"))
		}
	}
	err = h.guarded(ctx, u, func() error {
		methods := []string{factor.ByPassword}
		if r.Body.Password != nil {
			if err := h.rightPassword(ctx, u, *r.Body.Password); err != nil {
				return err
			}
			if without, err := h.withoutItsFactor(ctx, u, s); err != nil {
				return err
			} else if without {
				return invalid("/password", "second-factor", "this session began without your second factor, and the password is not enough: use the authenticator app or a passkey")
			}
		}
		return h.change(ctx, func(tx *store.Tx) error {
			if r.Body.Password == nil {
				var err error
				if methods, err = h.prove(ctx, tx, u, proof{totp: deref(r.Body.Totp), recovery: deref(r.Body.RecoveryCode), passkey: r.Body.Passkey, state: c.Data}); err != nil {
					return err
				}
				if c.ID != "" {
					if _, err := h.store.TakeChallenge(ctx, tx, c.ID); err != nil {
						return err
					}
				}
			}
			if err := tx.ConfirmSession(ctx, s.ID, string(factor.Methods(s.AMR).With(methods...))); err != nil {
				return err
			}
			return h.record(ctx, tx, "session.confirmed", "user", u.ID, u.Name, nil, nil)
		})
	})
	if err != nil {
		return nil, err
	}
	return ConfirmMe200JSONResponse{ConfirmedUntil: h.store.Now().Add(confirmedFor).UTC()}, nil
}

// AskMyPasskey says what an own passkey has to sign for [Handlers.ConfirmMe].
func (h *Handlers) AskMyPasskey(ctx context.Context, r AskMyPasskeyRequestObject) (AskMyPasskeyResponseObject, error) {
	u, _, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	c, data, err := h.askOwn(ctx, u, r.Body.Origin)
	if err != nil {
		return nil, err
	}
	name, _, err := h.challenge(ctx, store.Challenge{OrganizationID: u.OrganizationID, UserID: u.ID, Purpose: forConfirming, Data: data})
	return AskMyPasskey200JSONResponse{Challenge: name, Options: c.Options}, err
}

// asksOften returns a problem where an address asks for too much at once of what
// takes no secret.
func (h *Handlers) asksOften(ctx context.Context) error {
	wait, err := h.store.Attempt(ctx, store.Limited{Name: "asked by " + httpx.LimitKey(ctx), Limit: throttle.Asking})
	if err == nil && wait > 0 {
		err = slower(wait, "too many requests from this address")
	}
	return err
}
