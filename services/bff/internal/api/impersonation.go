package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// Somebody acts as somebody else in a session of its own, with a cookie of its own.
// Their own session stays where it is; the other one knows its cookie, and gives it
// back when it has ended.

// impersonationInput says as whom to act, and why.
type impersonationInput struct {
	User   string `json:"user" schema:"required,minLength=1,maxLength=64"`
	Reason string `json:"reason" schema:"required,minLength=3,maxLength=500"`
	// App is where, for another app than this.
	App string `json:"app,omitempty"`
}

// actAs begins to act as the user whom a request names, for whoever is signed in.
func (h *handlers) actAs(c echo.Context) (in impersonationInput, t session.Tokens, err error) {
	own, err := h.session(c)
	if err != nil {
		return in, t, err
	}
	if own == nil {
		return in, t, authn.Missing()
	}
	if own.Return != "" {
		return in, t, problem.New(problem.CodeConflict, "you act as somebody already: stop that first")
	}
	body, err := content(c)
	if err != nil {
		return in, t, err
	}
	if fields := schema.Decode(body, &in); len(fields) > 0 {
		return in, t, problem.Invalid("the body is not right", fields...)
	}
	t, err = h.Tenants.Impersonate(c.Request(), own.Access, in.User, in.Reason)
	return in, t, err
}

// impersonate begins a session in which whoever is signed in acts as a user.
func (h *handlers) impersonate(c echo.Context) error {
	_, t, err := h.actAs(c)
	if err != nil {
		return err
	}
	k, err := cookieOf(c, cookieName)
	if err != nil {
		return authn.Missing()
	}
	cookie, s, err := h.Sessions.Create(c.Request().Context(), t, k)
	if err != nil {
		return err
	}
	return h.begun(c, cookie, &s)
}

func (h *handlers) begun(c echo.Context, cookie string, s *session.Session) error {
	h.setCookie(c, cookie, int(h.Lifetime.Seconds()))
	v, err := h.signedIn(c, s)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

// impersonateElsewhere is as impersonate, in another app: it has a host name of its
// own, and so a cookie of its own.
func (h *handlers) impersonateElsewhere(c echo.Context) error {
	in, t, err := h.actAs(c)
	if err != nil {
		return err
	}
	address := h.Apps.addresses(c.Request())[in.App]
	if address == "" {
		return problem.Invalid("the body is not right", problem.Field{Pointer: "/app", Code: "reference", Detail: "there is no such app here: see apps of GET /bff/session"})
	}
	ticket, err := h.Sessions.Hand(c.Request().Context(), t)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]string{"address": address + "/#act=" + ticket})
}

// takeImpersonation takes up in this app what was begun in another one.
func (h *handlers) takeImpersonation(c echo.Context) error {
	body, err := content(c)
	if err != nil {
		return err
	}
	var in struct {
		Ticket string `json:"ticket" schema:"required,minLength=1,maxLength=64"`
	}
	if fields := schema.Decode(body, &in); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	back := ""
	if own, err := h.session(c); err != nil {
		return err
	} else if own != nil && own.Return == "" {
		if k, err := cookieOf(c, cookieName); err == nil {
			back = k
		}
	}
	ip := httpx.LimitKey(c.Request().Context())
	if err := h.guesses.check(ip); err != nil {
		return err
	}
	cookie, s, err := h.Sessions.Take(c.Request().Context(), in.Ticket, back)
	if errors.Is(err, session.ErrNone) {
		h.guesses.wrong(ip)
		return problem.New(problem.CodeNotFound, "this was used, or has run out: begin again")
	}
	if err != nil {
		return err
	}
	return h.begun(c, cookie, &s)
}

// stopImpersonating ends the session in which somebody acts as somebody else, and
// comes back to their own.
func (h *handlers) stopImpersonating(c echo.Context) error {
	s, err := h.session(c)
	if err != nil {
		return err
	}
	if s == nil {
		return authn.Missing()
	}
	if s.Return == "" { // it has ended by itself, never was, or nobody was signed in here before
		v, err := h.signedIn(c, s)
		if err != nil {
			return err
		}
		if v.Impersonation == nil {
			return write(c, &v)
		}
	}
	if err := h.Tenants.SignOut(c.Request(), s.Access); err != nil && !over(err) {
		return err // it would go on
	}
	if k, err := cookieOf(c, cookieName); err == nil {
		if err := h.Sessions.Leave(c.Request().Context(), k); err != nil {
			return err
		}
	}
	if s.Return == "" {
		h.setCookie(c, "", -1)
		return write(c, &view{CSRF: anonymous, Version: h.Version, Apps: h.Apps.addresses(c.Request())})
	}
	v, err := h.comeBack(c, s.Return)
	if err != nil {
		return err
	}
	if v == nil {
		h.setCookie(c, "", -1)
		return problem.New(problem.CodeCredentialExpired, "your own session has ended meanwhile; sign in again")
	}
	return write(c, v)
}

// over reports whether an error says that a session has ended.
func over(err error) bool {
	var p *problem.Problem
	return errors.As(err, &p) && p.Status == http.StatusUnauthorized
}

// comeBack takes up the session of a cookie again; nil where it has ended.
func (h *handlers) comeBack(c echo.Context, cookie string) (*view, error) {
	s, err := h.Sessions.Get(c.Request().Context(), cookie)
	if errors.Is(err, session.ErrNone) {
		return nil, nil //nolint:nilnil // it has ended
	}
	if err != nil {
		return nil, err
	}
	v, err := h.signedIn(c, &s)
	if over(err) {
		return nil, h.Sessions.End(c.Request().Context(), cookie)
	}
	if err != nil {
		return nil, err
	}
	h.setCookie(c, cookie, int(h.Lifetime.Seconds()))
	return &v, nil
}

// write answers with who is signed in; nil writes nothing.
func write(c echo.Context, v *view) error {
	if v == nil {
		return nil
	}
	return c.JSON(http.StatusOK, *v)
}
