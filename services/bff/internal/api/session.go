package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// maxSignIn bounds what is sent to sign in, in bytes.
const maxSignIn = 64 << 10

// view is what a page learns of the session.
type view struct {
	SignedIn      bool          `json:"signedIn"`
	User          *user         `json:"user,omitempty"`
	Organization  *organization `json:"organization,omitempty"`
	Permissions   []string      `json:"permissions,omitempty"`
	CSRF          string        `json:"csrf"`
	SetupRequired bool          `json:"setupRequired,omitempty"`
	// FactorRequired says that a second factor has to be set up before anything
	// else.
	FactorRequired bool `json:"factorRequired,omitempty"`
	// Impersonation says who acts as the user.
	Impersonation *impersonation `json:"impersonation,omitempty"`
	// SignIn says how somebody signs in here who is not signed in.
	SignIn  *waysIn           `json:"signIn,omitempty"`
	Version string            `json:"version"`
	Apps    map[string]string `json:"apps"`
}

// waysIn is how people sign in at a host.
type waysIn struct {
	// OIDC says that there is one sign-in for all consoles, to which GET
	// /bff/oidc/begin leads.
	OIDC bool `json:"oidc"`
}

// session returns the session of a request's cookie, or nil where there is none.
// Where the cookie is of no session any more it is taken back.
func (h *handlers) session(c echo.Context) (*session.Session, error) {
	k, err := cookieOf(c, cookieName)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // no cookie, no session
	}
	s, err := h.Sessions.Get(c.Request().Context(), k)
	if errors.Is(err, session.ErrNone) && s.Return != "" { // acting as somebody else has ended
		back := s.Return
		if s, err = h.Sessions.Get(c.Request().Context(), back); err == nil {
			h.setCookie(c, back, int(h.Lifetime.Seconds()))
		}
	}
	if errors.Is(err, session.ErrNone) {
		h.setCookie(c, "", -1)
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, err
	}
	if from, _, _ := net.SplitHostPort(c.Request().RemoteAddr); !s.From(from) {
		return nil, problem.New(problem.CodeAddressDenied, "your organization does not let this session be used from %s: use its network, or ask an administrator", from)
	}
	return &s, nil
}

func (h *handlers) setCookie(c echo.Context, value string, age int) {
	keep(c, cookieName, value, "/", age)
}

// getSession says who is signed in.
func (h *handlers) getSession(c echo.Context) error {
	s, err := h.session(c)
	if err != nil {
		return err
	}
	if s != nil {
		v, err := h.signedIn(c, s)
		var p *problem.Problem
		switch {
		case err == nil:
			return c.JSON(http.StatusOK, v)
		case !errors.As(err, &p) || p.Status != http.StatusUnauthorized:
			return err
		}
		if s.Return != "" {
			if back, err := h.comeBack(c, s.Return); err != nil || back != nil {
				return errors.Join(err, write(c, back))
			}
		}
		if err := h.forget(c); err != nil { // tenant-manager has ended it
			return err
		}
	}
	setup, err := h.Tenants.Setup(c.Request())
	if err != nil {
		return err
	}
	v := view{CSRF: anonymous, SetupRequired: setup, Version: h.Version, Apps: h.Apps.addresses(c.Request())}
	if !setup && h.offers(c.Request()) {
		v.SignIn = &waysIn{OIDC: true}
	}
	return c.JSON(http.StatusOK, v)
}

func (h *handlers) signedIn(c echo.Context, s *session.Session) (view, error) {
	me, err := h.Tenants.Me(c.Request(), s.Access)
	if err != nil {
		return view{}, err
	}
	return view{
		SignedIn: true, User: &me.User, Organization: &me.Organization, Permissions: me.Permissions, CSRF: s.CSRF,
		SetupRequired: me.SetupRequired, FactorRequired: me.FactorRequired, Impersonation: me.Impersonation, Version: h.Version, Apps: h.Apps.addresses(c.Request()),
	}, nil
}

// forget ends the session of a request's cookie here.
func (h *handlers) forget(c echo.Context) error {
	k, err := cookieOf(c, cookieName)
	if err != nil {
		return nil //nolint:nilerr // no cookie, nothing to end
	}
	h.setCookie(c, "", -1)
	return h.Sessions.End(c.Request().Context(), k)
}

// begin makes a session of what a sign-in gave, in place of the one before. Where
// a second step is needed it answers 202 with the challenge, and the session
// stays as it is.
func (h *handlers) begin(c echo.Context, path string, body []byte) error {
	known := withDevice(c)
	t, second, err := h.Tenants.SignIn(c.Request(), path, body)
	if err != nil {
		return err
	}
	if second != nil {
		return c.JSON(http.StatusAccepted, second)
	}
	s, err := h.replaceSession(c, t)
	if err != nil {
		return err
	}
	known()
	v, err := h.signedIn(c, &s)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

// replaceSession makes a session of tokens, in place of the one before, which ends at
// tenant-manager as well: nobody has its cookie any more.
func (h *handlers) replaceSession(c echo.Context, t session.Tokens) (session.Session, error) {
	before := h.before(c)
	if err := h.forget(c); err != nil {
		return session.Session{}, err
	}
	cookie, s, err := h.Sessions.Create(c.Request().Context(), t, "")
	if err != nil {
		return s, err
	}
	h.setCookie(c, cookie, int(h.Lifetime.Seconds()))
	for _, b := range before {
		h.end(c, &b, s.ID)
	}
	return s, nil
}

// before returns the sessions that a browser has here: that in which it acts as somebody
// else, and its own. What cannot be found out is not known of.
func (h *handlers) before(c echo.Context) (all []session.Session) {
	k, err := cookieOf(c, cookieName)
	for err == nil && k != "" {
		var s session.Session
		s, err = h.Sessions.Get(c.Request().Context(), k)
		if err == nil {
			all = append(all, s)
		} else if errors.Is(err, session.ErrNone) { // what it leads back to may stand
			err = nil
		}
		k = s.Return
	}
	return all
}

// end ends a session that another one has taken the place of: it alone, and what came of
// it. The other consoles that came of the same sign-in stay as they are, and so does the
// sign-in.
func (h *handlers) end(c echo.Context, s *session.Session, by string) {
	ctx := c.Request().Context()
	var err error
	if s.Return != "" {
		err = h.Sessions.End(ctx, s.Return)
	}
	if s.ID != by {
		ended := h.Tenants.EndSession(c.Request(), s.Access, s.ID)
		var p *problem.Problem
		if errors.As(ended, &p) && p.Code == problem.CodeAccessDenied { // who acts as somebody else signs out of that
			ended = h.Tenants.SignOut(c.Request(), s.Access)
		}
		if !over(ended) {
			err = errors.Join(err, ended)
		}
	}
	if err != nil {
		h.Log.WarnContext(ctx, "the session before could not be ended", "session", s.ID, "err", err)
	}
}

func content(c echo.Context) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxSignIn))
	return bytes.TrimSpace(b), err
}

// passed returns a handler that signs in with what it is sent.
func (h *handlers) passed(path string) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, err := content(c)
		if err != nil {
			return err
		}
		return h.begin(c, path, body)
	}
}

// passwordSignIn is what is sent to sign in with a password.
type passwordSignIn struct {
	Email        string `json:"email" schema:"required"`
	Password     string `json:"password" schema:"required"`
	Organization string `json:"organization,omitempty"`
	Origin       string `json:"origin,omitempty"`
}

// signIn signs in with a password. Where the host name is that of an organization, it
// is there, unless another one is named.
func (h *handlers) signIn(c echo.Context) error {
	body, err := content(c)
	if err != nil {
		return err
	}
	host, _ := hostOf(c.Request())
	if slug := h.Organizations[host]; slug != "" {
		var in passwordSignIn
		if fields := schema.Decode(body, &in); len(fields) > 0 {
			return problem.Invalid("the body is not right", fields...)
		}
		if in.Organization == "" {
			in.Organization = slug
			if body, err = json.Marshal(in); err != nil { //nolint:gosec // it is passed on to tenant-manager alone
				return err
			}
		}
	}
	return h.begin(c, "/sign-in", body)
}

// newPassword is what is sent with a link for a new password.
type newPassword struct {
	Token    string `json:"token" schema:"required,minLength=1,maxLength=256"`
	Password string `json:"password" schema:"required"`
	Origin   string `json:"origin,omitempty"`
}

func (h *handlers) usePasswordLink(c echo.Context) error {
	body, err := content(c)
	if err != nil {
		return err
	}
	var p newPassword
	if fields := schema.Decode(body, &p); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	out := map[string]string{"password": p.Password}
	if p.Origin != "" {
		out["origin"] = p.Origin
	}
	return h.begin(c, "/password-links/by-token/"+url.PathEscape(p.Token)+"/use", marshal(out))
}

// acceptance is what an invited person sends.
type acceptance struct {
	Token string `json:"token" schema:"required,minLength=1,maxLength=256"`
	Name  string `json:"name" schema:"required"`
	// Password is left out by who will sign in at an identity provider.
	Password string `json:"password,omitempty"`
}

func (h *handlers) acceptInvitation(c echo.Context) error {
	body, err := content(c)
	if err != nil {
		return err
	}
	var a acceptance
	if fields := schema.Decode(body, &a); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	out := map[string]string{"name": a.Name}
	if a.Password != "" {
		out["password"] = a.Password
	}
	return h.begin(c, "/invitations/by-token/"+url.PathEscape(a.Token)+"/accept", marshal(out))
}

// leaving is what a page may send to sign out.
type leaving struct {
	// Next is where the browser goes that comes back from the identity provider.
	Next string `json:"next,omitempty" schema:"maxLength=2000"`
}

func (h *handlers) signOut(c echo.Context) error {
	body, err := content(c)
	if err != nil {
		return err
	}
	var in leaving
	if len(body) > 0 {
		if fields := schema.Decode(body, &in); len(fields) > 0 {
			return problem.Invalid("the body is not right", fields...)
		}
	}
	s, err := h.session(c)
	if err != nil {
		return err
	}
	address, state := "", ""
	if s != nil {
		address, state = h.signOutAt(c, s)
	}
	if s != nil && s.Return != "" { // whoever acts as somebody else signs out of both
		own, err := h.Sessions.Get(c.Request().Context(), s.Return)
		if err != nil && !errors.Is(err, session.ErrNone) {
			return err
		}
		if err == nil {
			address, state = h.signOutAt(c, &own)
		}
		if err := h.Sessions.End(c.Request().Context(), s.Return); err != nil {
			return err
		}
	}
	if err := h.forget(c); err != nil {
		return err
	}
	if address == "" {
		return c.NoContent(http.StatusNoContent)
	}
	h.setSignedOut(c, state+"."+base64.RawURLEncoding.EncodeToString([]byte(localPath(in.Next))), ssoAge)
	return c.JSON(http.StatusOK, map[string]string{"address": address})
}
