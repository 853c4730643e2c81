package api

import (
	"context"
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// authorizationServer hands a request on to the authorization server, as it is.
// The cookie goes no further; only where a browser is sent to, the session's
// token says who uses it.
func (h *handlers) authorizationServer(c echo.Context) error {
	a := h.Apps.of(c.Request())
	here := a != nil && a.name == authApp
	if h.direct == nil || !here && !publicKeys(c.Request()) {
		return echo.ErrNotFound
	}
	r := c.Request()
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Gatehouse-") {
			r.Header.Del(name)
		}
	}
	if told := certificateOf(r); told != "" {
		r.Header.Set(tenant.ClientCertificate, told)
	}
	if forBrowsers(r.URL.Path) {
		r.Header.Del(echo.HeaderAuthorization)
		s, err := h.session(c)
		if err != nil {
			return err
		}
		if s != nil {
			r.Header.Set(echo.HeaderAuthorization, "Bearer "+s.Access)
		}
	}
	h.handOn(c)
	return nil
}

// provisioning hands a request of a directory (SCIM) on to tenant-manager, as it is.
// It shows a token of its own in every request: cookies go no further, and say
// nothing.
func (h *handlers) provisioning(c echo.Context) error {
	if h.direct == nil {
		return echo.ErrNotFound
	}
	for name := range c.Request().Header {
		if strings.HasPrefix(name, "X-Gatehouse-") {
			c.Request().Header.Del(name)
		}
	}
	h.handOn(c)
	return nil
}

func (h *handlers) handOn(c echo.Context) {
	// The service sets its own.
	for _, name := range []string{
		"X-Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control",
	} {
		c.Response().Header().Del(name)
	}
	if isHTTPS(c.Request()) {
		c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	h.direct.ServeHTTP(c.Response(), c.Request())
}

// authApp is the name of the auth console, whose host is the issuers'.
const authApp = "auth"

// publicKeys reports whether a request is for the keys of an issuer. They are for
// everybody, under every name: a gateway may reach the bff under another than people
// do.
func publicKeys(r *http.Request) bool {
	slug, endpoint, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/oauth/"), "/")
	return slug != "" && endpoint == "jwks" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// forBrowsers reports whether an endpoint is one that browsers are sent to.
func forBrowsers(path string) bool {
	_, endpoint, _ := strings.Cut(strings.TrimPrefix(path, "/oauth/"), "/")
	return strings.HasPrefix(path, "/oauth/") && endpoint == "authorize"
}

// passThrough returns what carries requests to tenant-manager as they are.
func (h *handlers) passThrough(rt http.RoundTripper) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: rt,
		Rewrite: func(r *httputil.ProxyRequest) {
			out := r.Out
			out.URL.Scheme, out.URL.Host, out.Host = "http", tenant.Service, tenant.Service
			out.Header.Del("Cookie")
			for _, field := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
				out.Header.Del(field)
			}
			passOn(r.In, out.Header)
		},
		ModifyResponse: func(res *http.Response) error {
			res.Header.Del("Set-Cookie")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // whoever asked has left
			}
			p := *problem.From(err)
			p.Instance = httpx.RequestID(r.Context())
			h.Log.WarnContext(context.WithoutCancel(r.Context()), "the authorization server or provisioning did not answer", "request", p.Instance, "err", err)
			w.Header().Set("X-Request-Id", p.Instance)
			p.Write(w)
		},
	}
}
