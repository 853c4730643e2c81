package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// guessable are the operations, besides those that limit themselves, that take a
// secret from whoever has it.
var guessable = map[string]bool{
	"SignInOnce": true, "SignInByToken": true, "RefreshToken": true, "ExchangeToken": true, "ExchangeAccessToken": true, "OpenPasswordLink": true, "UsePasswordLink": true,
	"OpenEmailChange": true, "ConfirmEmailChange": true,
	"OpenInvitation": true, "AcceptInvitation": true, "GetOAuthDevice": true, "DecideOAuthDevice": true,
	"FinishDeviceSignIn": true, "FinishSignIn": true, "AskSecondStepPasskey": true, "SignInPasskey": true,
}

// withGuesses holds secrets that are not right against the address that they come
// from. Requests of the suite itself, which have no address, are let through.
func (h *Handlers) withGuesses(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	if !guessable[operation] {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		ctx := c.Request().Context()
		ip := httpx.LimitKey(ctx)
		if ip == "" {
			return next(c, request)
		}
		address := store.Limited{Name: "secrets presented by " + ip, Limit: throttle.Address}
		wait, err := h.store.Attempt(ctx, address)
		if err != nil {
			return nil, err
		}
		if wait > 0 {
			return nil, slower(wait, "too many tokens, codes or links that were not right")
		}
		out, err := next(c, request)
		if wrong(err) {
			return out, err
		}
		return out, errors.Join(err, h.store.TakeBack(context.WithoutCancel(ctx), address))
	}
}

// wrong reports whether an error says that a secret is not right.
func wrong(err error) bool {
	var p *problem.Problem
	return errors.As(err, &p) && (p.Status == http.StatusUnauthorized || p.Status == http.StatusNotFound)
}
