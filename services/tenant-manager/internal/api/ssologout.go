package api

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// logoutRefused is what is answered to whatever is wrong with a logout token: not even
// whether there is such a connection is told. Why is in the log.
const logoutRefused = "the logout token is not one of this connection's identity provider, or was sent before"

// EndSsoSessions ends the sessions that came of sessions that ended at an identity
// provider (OpenID Connect Back-Channel Logout section 2.5).
func (h *Handlers) EndSsoSessions(ctx context.Context, r EndSsoSessionsRequestObject) (EndSsoSessionsResponseObject, error) {
	// A token that is right costs nothing: a provider tells of all its people.
	address := store.Limited{Name: "logout tokens presented by " + httpx.LimitKey(ctx), Limit: throttle.Address}
	wait, err := h.store.Attempt(ctx, address)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, slower(wait, "too many logout tokens that were not right")
	}
	raw := ""
	if r.Body != nil {
		raw = r.Body.LogoutToken
	}
	err = h.endSSOSessions(ctx, r.Id, raw)
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		h.kit.Log.WarnContext(ctx, "a logout token was refused", "connection", r.Id, "request", httpx.RequestID(ctx), "err", failed)
		return EndSsoSessions400JSONResponse{
			Body:    SsoLogoutError{Error: "invalid_request", ErrorDescription: logoutRefused},
			Headers: EndSsoSessions400ResponseHeaders{CacheControl: "no-store"},
		}, nil
	}
	if err != nil {
		return nil, err
	}
	return EndSsoSessions200Response{Headers: EndSsoSessions200ResponseHeaders{CacheControl: "no-store"}}, h.store.TakeBack(context.WithoutCancel(ctx), address)
}

func (h *Handlers) endSSOSessions(ctx context.Context, connection, raw string) error {
	c, err := h.store.SSOConnectionByID(ctx, connection)
	if store.IsNotFound(err) || err == nil && c.Kind != store.OIDC {
		return &sso.FailedError{Reason: "there is no such connection to an OpenID Connect provider"}
	}
	if err != nil {
		return err
	}
	said, err := h.sso.Logout(ctx, providerOf(c), raw)
	if err != nil {
		return err
	}
	seen := "logout:" + c.ID + ":" + token.Hash(said.ID)
	first, err := h.store.AddOAuthEntry(ctx, seen, "", h.store.Now().Add(sso.LogoutKept))
	if err != nil {
		return err
	}
	if !first {
		return &sso.FailedError{Reason: "it was sent before"}
	}
	if err := h.endSessionsOf(ctx, c, said); err != nil {
		_, again := h.store.TakeOAuthEntry(context.WithoutCancel(ctx), seen) // so that the provider can send it again
		return errors.Join(err, again)
	}
	return nil
}

// endSessionsOf ends the sessions that a provider names. Where there are none, they
// have ended already.
func (h *Handlers) endSessionsOf(ctx context.Context, c store.SSOConnection, said sso.Logout) error {
	user, sid := "", ""
	if said.SID != "" {
		sid = token.Hash(said.SID)
	}
	if said.Subject != "" {
		i, err := h.store.For(c.OrganizationID).SSOIdentity(ctx, c.ID, token.Hash(said.Subject))
		if err != nil {
			return store.IgnoreNotFound(err)
		}
		user = i.UserID
	}
	return h.store.Tx(ctx, c.OrganizationID, "", func(tx *store.Tx) error {
		rows, err := tx.SSOSessions(ctx, c.ID, user, sid)
		if err != nil {
			return err
		}
		ended := map[string]bool{}
		for _, s := range rows {
			ids, err := tx.EndSessions(ctx, s.UserID, s.ID, "")
			if err != nil {
				return err
			}
			if len(ids) > 0 {
				ended[s.UserID] = true
			}
		}
		for id := range ended {
			u, err := tx.User(ctx, id)
			if err != nil {
				return err
			}
			err = h.kit.Audit(ctx, tx.DB(), service.Entry{
				Action: "user.signed-out", Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Organization: tx.ID(),
				Actor: audit.Actor{Kind: "sso-connection", ID: c.ID, Name: c.Name},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
