package api

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// signedOutCookie is what a browser comes back with from the identity provider at which
// it is signed out: by it a sign-out that this browser began is told from a link.
const signedOutCookie = "gatehouse-signed-out"

// signOutAt ends a session at tenant-manager. It returns where the browser goes to be
// signed out at its identity provider, and with what it comes back; "" = nowhere.
func (h *handlers) signOutAt(c echo.Context, s *session.Session) (address, state string) {
	state = rand.Text()
	origin, err := h.origin(c.Request())
	if err == nil {
		address, err = h.Tenants.SignOutAt(c.Request(), s.Access, origin, state)
	} else { // at no app's host name nobody comes back
		err = h.Tenants.SignOut(c.Request(), s.Access)
	}
	if err != nil && !over(err) {
		// The cookie is worth nothing any more; the tokens, which nobody has, end
		// by themselves.
		h.Log.WarnContext(c.Request().Context(), "a session could not be ended at tenant-manager", "session", s.ID, "err", err)
	}
	return address, state
}

func (h *handlers) setSignedOut(c echo.Context, value string, age int) {
	keep(c, signedOutCookie, value, ssoPath, age)
}

// signedOut takes browsers back that were signed out at an identity provider (OpenID
// Connect RP-Initiated Logout 1.0 section 3). It ends nothing: that was done before.
func (h *handlers) signedOut(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	if _, err := h.origin(c.Request()); err != nil {
		return err
	}
	to := "/sign-in"
	if k, err := cookieOf(c, signedOutCookie); err == nil {
		h.setSignedOut(c, "", -1)
		state, next, _ := strings.Cut(k, ".")
		if state != "" && subtle.ConstantTimeCompare([]byte(state), []byte(c.QueryParam("state"))) == 1 {
			to = "/sign-in?signed-out=provider"
			if b, err := base64.RawURLEncoding.DecodeString(next); err == nil && localPath(string(b)) != "" {
				to = localPath(string(b))
			}
		}
	}
	return c.Redirect(http.StatusSeeOther, to)
}
