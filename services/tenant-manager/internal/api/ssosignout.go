package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// ssoSignedOut is where providers send browsers back to that were signed out there,
	// at the address of an app.
	ssoSignedOut = "/bff/sso/signed-out"
	// signOutWait bounds how long a provider is asked where it signs people out.
	signOutWait = 3 * time.Second
)

// hintOf returns the ID token that is kept for signing out at the provider: "" where
// nobody is, or it would make an address that servers refuse for its length.
func hintOf(c store.SSOConnection, idToken string) string {
	if !c.SignsOut() || len(idToken) > sso.MostHint {
		return ""
	}
	return idToken
}

// keepHint keeps by which ID token a session begins.
func keepHint(ctx context.Context, tx *store.Tx, s store.Session, b beginning) error {
	switch {
	case b.idToken != "":
		return tx.KeepSSOHint(ctx, s.ID, b.from, b.idToken)
	case b.step != "" && b.from != "":
		return tx.MoveSSOHint(ctx, b.step, s.ID)
	}
	return nil
}

// SignOut ends the caller's session, and with it the sign-in that it is of: the session
// that it came of, what else came of that, and those in other organizations that the
// caller switched to or from.
func (h *Handlers) SignOut(ctx context.Context, r SignOutRequestObject) (SignOutResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	if r.Body != nil && *r.Body == (SignOutInput{}) { // nothing was sent: both are required
		r.Body = nil
	}
	if r.Body != nil && !isOrigin(r.Body.Origin) {
		return nil, invalid("/origin", "format", "use the origin of the page, such as https://admin.example.com")
	}
	var (
		c    store.SSOConnection
		hint string
		s    store.Session
		ids  []string
	)
	err := h.change(ctx, func(tx *store.Tx) error {
		var err error
		if s, err = tx.Session(ctx, p.Session); err != nil {
			return store.IgnoreNotFound(err)
		}
		if r.Body != nil && s.SSOConnectionID != "" {
			if c, err = tx.SSOConnection(ctx, s.SSOConnectionID); store.IgnoreNotFound(err) != nil {
				return err
			}
			if hint, err = tx.SSOHint(ctx, s.SignIn()); err != nil {
				return err
			}
		}
		ids, err = tx.EndSignIn(ctx, p.Subject, p.Session)
		if err != nil || len(ids) == 0 {
			return err
		}
		action := "user.signed-out"
		if p.ImpersonatorID != "" {
			action = "user.impersonation-ended"
		}
		return h.record(ctx, tx, action, "user", p.Subject, p.Name, nil, nil)
	})
	if err == nil && p.ImpersonatorID == "" {
		err = h.signOutElsewhere(ctx, s, ids)
	}
	if err != nil || !c.Enabled || !c.SignsOut() {
		return SignOut204Response{}, err
	}
	// The session has ended: whatever goes wrong from here on leaves it at that.
	bounded, cancel := context.WithTimeout(ctx, signOutWait)
	defer cancel()
	address, err := h.sso.SignOutAddress(bounded, providerOf(c), hint, r.Body.Origin+ssoSignedOut, r.Body.State)
	if err != nil {
		h.kit.Log.WarnContext(ctx, "somebody was signed out here, and not at their identity provider", "connection", c.ID, "err", err)
		return SignOut204Response{}, nil
	}
	return SignOut200JSONResponse{Address: address, Connection: connectionNameOf(c)}, nil
}

// signOutElsewhere ends what somebody has in other organizations who signs out of a
// session: those that they switched to from sign-ins that ended, and the one that they
// came from. Nobody else ends those: whoever administers one organization has no say in
// another.
func (h *Handlers) signOutElsewhere(ctx context.Context, s store.Session, ended []string) error {
	from := ended
	if s.SwitchedFrom != "" {
		from = append(slices.Clone(ended), s.SwitchedFrom)
	}
	rows, err := h.store.SwitchedFrom(ctx, from)
	if err != nil {
		return err
	}
	others := map[string]string{} // the organizations of sessions
	for _, row := range rows {
		others[row.ID] = row.OrganizationID
	}
	if s.SwitchedFrom != "" {
		organization, err := h.store.SessionOrganization(ctx, s.SwitchedFrom)
		if store.IgnoreNotFound(err) != nil {
			return err
		}
		if err == nil {
			others[s.SwitchedFrom] = organization
		}
	}
	for id, organization := range others {
		err := h.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
			row, err := tx.Session(ctx, id)
			if err != nil {
				return store.IgnoreNotFound(err)
			}
			ids, err := tx.EndSignIn(ctx, row.UserID, id)
			if err != nil || len(ids) == 0 {
				return err
			}
			u, err := tx.User(ctx, row.UserID)
			if err != nil {
				return err
			}
			return h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: "user.signed-out", Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Organization: tx.ID(),
				Actor: audit.Actor{Kind: "user", ID: u.ID, Name: u.Name},
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// GetSsoSignOut says whether a provider can be told that somebody signs out here.
func (h *Handlers) GetSsoSignOut(ctx context.Context, r GetSsoSignOutRequestObject) (GetSsoSignOutResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).SSOConnection(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if c.Kind != store.OIDC {
		return GetSsoSignOut200JSONResponse{Detail: ptr("signing out reaches OpenID Connect providers alone")}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, signOutWait)
	defer cancel()
	_, err = h.sso.SignOutAddress(ctx, providerOf(c), "", "", "")
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		return GetSsoSignOut200JSONResponse{Detail: ptr(failed.Reason)}, nil
	}
	return GetSsoSignOut200JSONResponse{Offered: true}, err
}
