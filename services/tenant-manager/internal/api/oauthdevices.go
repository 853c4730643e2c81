package api

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// withDeviceCode holds codes that no device shows against the user who enters them:
// codes are short, since people write them (RFC 8628 section 5.1).
func (h *Handlers) withDeviceCode(ctx context.Context, p authn.Principal, f func() error) error {
	if err := personal(p); err != nil {
		return err
	}
	if h.opt.OAuth == nil {
		return oauth.Unavailable()
	}
	return h.heldAgainst(ctx, store.Limited{Name: "device codes of " + p.Subject, Limit: throttle.Account}, f)
}

// heldAgainst holds a code that is not there against somebody.
func (h *Handlers) heldAgainst(ctx context.Context, who store.Limited, f func() error) error {
	wait, err := h.store.Attempt(ctx, who)
	if err != nil {
		return err
	}
	if wait > 0 {
		return slower(wait, "too many codes that were not right")
	}
	err = f()
	if problem.Is(err, problem.CodeNotFound) {
		return err
	}
	return errors.Join(err, h.store.TakeBack(context.WithoutCancel(ctx), who))
}

// GetOAuthDevice says what a device asks the caller to allow.
func (h *Handlers) GetOAuthDevice(ctx context.Context, r GetOAuthDeviceRequestObject) (GetOAuthDeviceResponseObject, error) {
	var out OAuthDevice
	p := caller(ctx)
	err := h.withDeviceCode(ctx, p, func() error {
		asked, err := h.opt.OAuth.Device(ctx, r.Code, p)
		if err != nil {
			return err
		}
		out.Client, out.Description = OAuthNamed{Id: asked.Client.ID, Name: asked.Client.Name}, ptr(asked.Client.Description)
		out.SelfRegistered = asked.Client.RegistrationHash != ""
		out.Scopes, err = h.askedScopes(ctx, asked)
		return err
	})
	return GetOAuthDevice200JSONResponse(out), err
}

// DecideOAuthDevice allows what a device asks for, or does not.
func (h *Handlers) DecideOAuthDevice(ctx context.Context, r DecideOAuthDeviceRequestObject) (DecideOAuthDeviceResponseObject, error) {
	p := caller(ctx)
	return DecideOAuthDevice204Response{}, h.withDeviceCode(ctx, p, func() error {
		return h.opt.OAuth.DecideDevice(ctx, r.Code, p, r.Body.Allow)
	})
}
