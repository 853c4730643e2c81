package api

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// errAppToken is the answer to every token that nobody is signed in by.
var errAppToken = refused("the token is not one of an app, has run out or was used, or the sign-in that it came of is over: begin again")

// errOver says that the sign-in is over that a token came of.
var errOver = errors.New("the sign-in is over")

// SignInByToken begins a session at an app of the product, of the session that the app's
// access token was granted under.
func (h *Handlers) SignInByToken(ctx context.Context, r SignInByTokenRequestObject) (SignInByTokenResponseObject, error) {
	if h.opt.OAuth == nil {
		return nil, errAppToken
	}
	by, err := h.opt.OAuth.Swap(ctx, r.Body.AccessToken)
	if errors.Is(err, oauth.ErrSwap) {
		return nil, errAppToken
	}
	if err != nil {
		return nil, err
	}
	var (
		o store.Organization
		u store.User
		s store.Session
	)
	err = h.store.Tx(ctx, by.Organization, by.User, func(tx *store.Tx) error {
		if u, err = tx.LockUser(ctx, by.User); err != nil {
			return err
		}
		of, err := h.lockSignIn(ctx, tx, by.User, by.Session)
		if err != nil {
			return err
		}
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		if u.Status != store.Active || o.Suspended {
			return errOver
		}
		s, err = h.beginSession(ctx, tx, u, factor.Methods(of.AMR), beginning{
			from: of.SSOConnectionID, sid: of.SSOSid, proven: of.Proven, of: &of, client: by.Client,
		})
		return err
	})
	if errors.Is(err, errOver) || store.IsNotFound(err) {
		return nil, errAppToken
	}
	if err != nil {
		return nil, err
	}
	pair, err := h.pair(ctx, o, u, s)
	return SignInByToken200JSONResponse(pair), err
}

// lockSignIn returns the session by which a user signed in, of which the one with the id
// is, and keeps others from ending it until the transaction ends. The error is errOver
// where either is not open, waits for something, or is of somebody who acts as the user.
func (h *Handlers) lockSignIn(ctx context.Context, tx *store.Tx, user, id string) (of store.Session, err error) {
	granted, err := tx.Session(ctx, id)
	if err != nil {
		return of, err
	}
	if of, err = tx.LockSession(ctx, granted.SignIn()); err != nil {
		return of, err
	}
	if granted, err = tx.LockSession(ctx, id); err != nil {
		return of, err
	}
	now := h.store.Now()
	for _, s := range []store.Session{granted, of} {
		if s.UserID != user || !s.Open(now) || s.Pending != "" || s.ImpersonatorID != "" {
			return of, errOver
		}
	}
	return of, nil
}
