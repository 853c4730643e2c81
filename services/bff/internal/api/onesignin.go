package api

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// One sign-in serves all consoles and the portal: each is an OpenID Connect client
// (authorization code flow with PKCE) of the authorization server at the auth
// console's host, where people sign in. What comes of it is a session of each host, as
// any other sign-in makes.

const (
	// oidcCookie binds the sign-ins that are under way to the browser that began
	// them.
	oidcCookie = "gatehouse-oidc"
	oidcPath   = "/bff/oidc"
	// oidcCallback is where the authorization server sends browsers back to.
	oidcCallback = oidcPath + "/callback"
	// neutral stands in addresses for the organization of whoever signs in; no
	// organization has the name.
	neutral = "-"
	// oidcScopes are what a console asks for: who it is, and a token that a session
	// is made of.
	oidcScopes = "openid profile email gatehouse"
	// mostHint bounds the address of whoever is to sign in, in bytes (RFC 5321 section
	// 4.5.3.1.3); a longer one is left out.
	mostHint = 254
	// oneSignInFailed is what the sign-in page is told of a sign-in that came back
	// and was not right.
	oneSignInFailed = "one-sign-in"
)

// slugs are the short names of organizations, as they are in issuers.
var slugs = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// console is an app that people come to by the one sign-in, seen from a request.
type console struct {
	client   string // its client id
	redirect string // where browsers come back to
	issuers  string // what issuers begin with
	slug     string // the organization of the host; neutral = that of whoever signs in
}

// console returns the app that a request came to as a client of the authorization
// server; false where it is none, or there is no authorization server.
func (h *handlers) console(r *http.Request) (console, bool) {
	a := h.Apps.of(r)
	auth := h.Apps.addresses(r)[authApp]
	origin, err := h.origin(r)
	if err != nil || a.name == authApp || auth == "" || h.direct == nil {
		return console{}, false
	}
	c := console{client: "gatehouse-" + a.name, redirect: origin + oidcCallback, issuers: auth + "/oauth/", slug: neutral}
	if host, _ := hostOf(r); h.Organizations[host] != "" {
		c.slug = h.Organizations[host]
	}
	return c, true
}

// request returns what is asked of the authorization endpoint for a sign-in.
func (c *console) request(s oidcSign) url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {c.client}, "redirect_uri": {c.redirect}, "scope": {oidcScopes},
		"state": {s.state}, "nonce": {s.nonce}, "code_challenge": {s.challenge()}, "code_challenge_method": {"S256"},
	}
}

// beginOIDC sends the browser to the authorization server to be signed in.
func (h *handlers) beginOIDC(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	r := c.Request()
	at, ok := h.console(r)
	if !ok {
		return problem.New(problem.CodeNotFound, "nobody is signed in from this host name by the one sign-in: open the app's own sign-in page")
	}
	if slug := c.QueryParam("organization"); slug != "" {
		if !slugs.MatchString(slug) {
			return problem.Invalid("the address is not right", problem.Field{Pointer: "/organization", Code: schema.RuleFormat, Detail: "name the short name of an organization, such as acme"})
		}
		at.slug = slug
	}
	secret := h.oidcBinding(c)
	s, err := newOIDCSign(secret, localPath(c.QueryParam("next")), h.Now())
	if err != nil {
		return err
	}
	q := at.request(s)
	if c.QueryParam("prompt") == "none" {
		q.Set("prompt", "none")
	}
	// An address that was typed in or is known here, for the form at the auth console. It
	// is passed on as it is: whether anybody has it is looked at nowhere.
	if hint := c.QueryParam("login_hint"); hint != "" && len(hint) <= mostHint {
		q.Set("login_hint", hint)
	}
	return c.Redirect(http.StatusSeeOther, at.issuers+url.PathEscape(at.slug)+"/authorize?"+q.Encode())
}

// endOIDC takes what the authorization server sent the browser back with, begins the
// session, and leads to the page that was asked for; or to the sign-in page of this
// host, with what went wrong. It answers no JSON, because a person looks at it.
func (h *handlers) endOIDC(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	at, ok := h.console(c.Request())
	if !ok {
		return problem.New(problem.CodeNotFound, "nobody is signed in from this host name by the one sign-in")
	}
	next, err := h.finishOIDC(c, at)
	if errors.Is(err, errNobody) {
		return c.Redirect(http.StatusSeeOther, "/sign-in?"+url.Values{"next": {next}, "asked": {"1"}}.Encode())
	}
	if err != nil {
		return h.oidcFailed(c, next, err)
	}
	return c.Redirect(http.StatusSeeOther, next)
}

// errNobody says that nobody is signed in at the authorization server, where that
// was asked without showing a page.
var errNobody = errors.New("nobody is signed in at the authorization server")

// finishOIDC returns where to go on, also where there is an error: "/" where that is
// not known.
func (h *handlers) finishOIDC(c echo.Context, at console) (next string, err error) {
	q := c.QueryParams()
	secret, err := cookieOf(c, oidcCookie)
	if err != nil {
		return "/", notOurs("this browser began no sign-in here")
	}
	s, err := oidcSignOf(secret, q.Get("state"), h.Now())
	if err != nil {
		return "/", err
	}
	next = s.next
	slug, ours := strings.CutPrefix(q.Get("iss"), at.issuers)
	if !ours || len(q["iss"]) != 1 || slug != neutral && !slugs.MatchString(slug) {
		return next, notOurs("the answer is not of the authorization server of this installation") // RFC 9207 section 2.4
	}
	if code := q.Get("error"); code != "" {
		switch code {
		case "login_required", "interaction_required", "consent_required", "account_selection_required":
			return next, errNobody
		}
		return next, notOurs("the authorization server refused")
	}
	if slug == neutral || len(q["code"]) != 1 {
		return next, notOurs("the answer has no code")
	}
	access, err := h.redeem(c.Request(), at, slug, q.Get("code"), s)
	if err != nil {
		return next, err
	}
	known := withDevice(c)
	t, second, err := h.Tenants.SignIn(c.Request(), "/sign-in/token", marshal(map[string]string{"accessToken": access}))
	if err != nil {
		return next, err
	}
	if second != nil {
		return next, errors.New("tenant-manager asked for a second step after the one sign-in")
	}
	if _, err := h.replaceSession(c, t); err != nil {
		return next, err
	}
	known()
	return next, nil
}

// notOurs is the problem of an answer that this browser did not ask for, or that
// nobody should have given.
func notOurs(why string) error { return problem.New(problem.CodeCredentialInvalid, "%s", why) }

// oidcFailed leads to the sign-in page of this host, with the code of what went
// wrong, and on to where it was to go.
func (h *handlers) oidcFailed(c echo.Context, next string, err error) error {
	ctx := c.Request().Context()
	h.Log.WarnContext(ctx, "a sign-in at the authorization server failed", "request", httpx.RequestID(ctx), "err", err)
	p := problem.From(err)
	code := string(p.Code)
	if p.Code == problem.CodeCredentialInvalid {
		code = oneSignInFailed
	}
	if after := p.RetryAfterSeconds(); after != "" {
		c.Response().Header().Set("Retry-After", after)
	}
	q := url.Values{"sso": {code}, "request": {httpx.RequestID(ctx)}}
	if next != "/" {
		q.Set("next", next)
	}
	return c.Redirect(http.StatusSeeOther, "/sign-in?"+q.Encode())
}
