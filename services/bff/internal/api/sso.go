package api

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

const (
	// ssoCookie binds a sign-in at an identity provider to the browser that began
	// it.
	ssoCookie = "gatehouse-sso"
	ssoPath   = "/bff/sso"
	// ssoAge is how long the cookie lasts, in seconds.
	ssoAge = 600
)

// origin returns the address of the app that a request came to. There is none
// where the host is no app's.
func (h *handlers) origin(r *http.Request) (string, error) {
	if h.Apps.of(r) == nil {
		return "", problem.New(problem.CodeNotFound, "no browser app is at this host name")
	}
	scheme := "http://"
	if isHTTPS(r) {
		scheme = "https://"
	}
	return scheme + strings.ToLower(r.Host), nil
}

// binding returns the secret of a browser's sign-ins, and has it kept. Several can
// be under way in as many tabs.
func (h *handlers) binding(c echo.Context) string {
	value := rand.Text() + rand.Text()
	if k, err := cookieOf(c, ssoCookie); err == nil && len(k) == len(value) {
		value = k
	}
	h.setBinding(c, value, ssoAge)
	return value
}

func (h *handlers) setBinding(c echo.Context, value string, age int) {
	keep(c, ssoCookie, value, ssoPath, age)
}

// ssoStart is what a page sends to sign in at an identity provider.
type ssoStart struct {
	Email      string `json:"email,omitempty"`
	Connection string `json:"connection,omitempty"`
	Next       string `json:"next,omitempty"`
}

// beginSSO says where to send the browser to.
func (h *handlers) beginSSO(c echo.Context) error {
	body, err := content(c)
	if err != nil {
		return err
	}
	var in ssoStart
	if fields := schema.Decode(body, &in); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	send := map[string]string{"email": in.Email, "connection": in.Connection, "next": localPath(in.Next)}
	return h.askSSO(c, "/sign-in/sso", "", send)
}

// ssoTest is what a page sends to test a connection.
type ssoTest struct {
	Connection string `json:"connection" schema:"required,minLength=1,maxLength=64"`
}

// testSSO says where to send the browser to for a test sign-in.
func (h *handlers) testSSO(c echo.Context) error {
	s, err := h.session(c)
	if err != nil {
		return err
	}
	if s == nil {
		return problem.New(problem.CodeCredentialMissing, "sign in first")
	}
	body, err := content(c)
	if err != nil {
		return err
	}
	var in ssoTest
	if fields := schema.Decode(body, &in); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	return h.askSSO(c, "/sso/connections/"+url.PathEscape(in.Connection)+"/test", s.Access, map[string]string{})
}

// ssoConfirmation is what a page sends for a new proof of who is signed in.
type ssoConfirmation struct {
	Connection string `json:"connection" schema:"required,minLength=1,maxLength=64"`
	Next       string `json:"next,omitempty" schema:"maxLength=1000"`
}

// confirmBySSO says where to send the browser to for a new proof.
func (h *handlers) confirmBySSO(c echo.Context) error {
	s, err := h.session(c)
	if err != nil {
		return err
	}
	if s == nil {
		return problem.New(problem.CodeCredentialMissing, "sign in first")
	}
	body, err := content(c)
	if err != nil {
		return err
	}
	var in ssoConfirmation
	if fields := schema.Decode(body, &in); len(fields) > 0 {
		return problem.Invalid("the body is not right", fields...)
	}
	return h.askSSO(c, "/me/confirmation/sso", s.Access, map[string]string{"connection": in.Connection, "next": localPath(in.Next)})
}

func (h *handlers) askSSO(c echo.Context, path, token string, send map[string]string) error {
	origin, err := h.origin(c.Request())
	if err != nil {
		return err
	}
	send["origin"], send["binding"] = origin, h.binding(c)
	for name, v := range send {
		if v == "" {
			delete(send, name)
		}
	}
	var out struct {
		Address string `json:"address"`
	}
	r := c.Request()
	if err := h.Tenants.call(r.Context(), r, http.MethodPost, path, token, marshal(send), &out); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

// ssoFinished is what tenant-manager makes of what a provider sent back.
type ssoFinished struct {
	Tokens    *session.Tokens `json:"tokens"`
	Challenge *challenge      `json:"challenge"`
	Test      string          `json:"test"`
	Confirmed *bool           `json:"confirmed"`
	Next      string          `json:"next"`
}

// endSSO takes what a provider sent the browser back with, and sends it on: to
// the page that was asked for, to the second step, to the outcome of a test, or to
// the sign-in page with what went wrong. It answers no JSON, because a person
// looks at it.
func (h *handlers) endSSO(c echo.Context) error {
	r := c.Request()
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	out, err := h.finishSSO(c)
	if err == nil && out.Tokens != nil {
		_, err = h.replaceSession(c, *out.Tokens)
	}
	if err != nil {
		var p *problem.Problem
		if !errors.As(err, &p) {
			h.Log.WarnContext(r.Context(), "a sign-in at an identity provider failed", "request", httpx.RequestID(r.Context()), "err", err)
		}
		return ssoFailed(c, problem.From(err))
	}
	switch {
	case out.Test != "":
		return c.Redirect(http.StatusSeeOther, "/sso/tests/"+url.PathEscape(out.Test))
	case out.Challenge != nil:
		b, err := json.Marshal(out.Challenge)
		if err != nil {
			return err
		}
		// Behind the #, where it goes to no server.
		return c.Redirect(http.StatusSeeOther, "/sign-in?"+url.Values{"next": {out.Next}}.Encode()+"#second="+base64.RawURLEncoding.EncodeToString(b))
	}
	to := localPath(out.Next)
	if to == "" {
		to = "/"
	}
	if out.Confirmed != nil {
		to = withIdentity(to, *out.Confirmed)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// withIdentity adds to a path whether there was a new proof of who is signed in.
func withIdentity(path string, confirmed bool) string {
	u, err := url.Parse(path)
	if err != nil {
		return "/"
	}
	q, said := u.Query(), "refused"
	if confirmed {
		said = "confirmed"
	}
	q.Set("identity", said)
	u.RawQuery = q.Encode()
	return u.String()
}

// ssoFailed leads to the sign-in page, with the code of what went wrong.
func ssoFailed(c echo.Context, p *problem.Problem) error {
	if after := p.RetryAfterSeconds(); after != "" {
		c.Response().Header().Set("Retry-After", after)
	}
	return ssoRefused(c, string(p.Code))
}

// ssoRefused is as ssoFailed, with a code of its own.
func ssoRefused(c echo.Context, code string) error {
	return c.Redirect(http.StatusSeeOther, "/sign-in?"+url.Values{"sso": {code}, "request": {httpx.RequestID(c.Request().Context())}}.Encode())
}

func (h *handlers) finishSSO(c echo.Context) (out ssoFinished, err error) {
	r, q := c.Request(), c.Request().URL.Query()
	if _, err := h.origin(r); err != nil {
		return out, err
	}
	send := map[string]string{"state": q.Get("state")}
	if k, err := cookieOf(c, ssoCookie); err == nil {
		send["binding"] = k
	}
	if send["state"] == "" || send["binding"] == "" {
		return out, problem.New(problem.CodeCredentialInvalid, "this browser began no sign-in at an identity provider")
	}
	for name, parameter := range map[string]string{"code": "code", "iss": "iss", "error": "error", "errorDescription": "error_description", "saml": "saml"} {
		if v := q.Get(parameter); v != "" {
			send[name] = v
		}
	}
	if connection := c.Param("connection"); connection != "" {
		send["connection"] = connection
	}
	err = h.Tenants.call(r.Context(), r, http.MethodPost, "/sign-in/sso/callback", "", marshal(send), &out)
	if err == nil && out.Tokens == nil && out.Challenge == nil && out.Test == "" && out.Confirmed == nil {
		err = errors.New("tenant-manager answered nothing to a sign-in at an identity provider")
	}
	return out, err
}

// localPath returns a path of this app, "" for anything else: nobody is sent to
// another site after signing in.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return ""
	}
	return next
}
