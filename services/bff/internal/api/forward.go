package api

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// OrganizationHeader tells a service the organization of visitors who are not
// signed in.
const OrganizationHeader = "X-Gatehouse-Organization"

// forward hands a request on to a service, with the token of whoever sent it.
// Whether that is enough the service decides.
func (h *handlers) forward(c echo.Context) error {
	p := h.proxies[c.Param("service")]
	if p == nil {
		return problem.New(problem.CodeNotFound, "there is no service %q", c.Param("service"))
	}
	token, s, err := h.credential(c)
	if err != nil {
		return err
	}
	r := c.Request()
	if token == "" {
		r.Header.Del(echo.HeaderAuthorization)
	} else {
		r.Header.Set(echo.HeaderAuthorization, "Bearer "+token)
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Gatehouse-") {
			r.Header.Del(name)
		}
	}
	slug := h.Organization
	if host, _ := hostOf(r); h.Organizations[host] != "" {
		slug = h.Organizations[host]
	}
	if s != nil {
		slug = s.Slug
	}
	r.Header.Set(OrganizationHeader, slug)
	if s != nil || r.Header.Get("Sec-Fetch-Site") == "same-origin" { // a session of a browser, or a page before anybody has signed in
		r.Header.Set(httpx.ConsoleHeader, "1")
	}
	// The service sets its own.
	for _, name := range []string{
		"X-Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control",
	} {
		c.Response().Header().Del(name)
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") { // it never ends by itself
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(h.Stopping, cancel)()
		r = r.WithContext(ctx)
	}
	p.ServeHTTP(c.Response(), r)
	return nil
}

// passOn says which request, and which trace, a further one belongs to.
func passOn(from *http.Request, header http.Header) {
	header.Set("X-Request-Id", httpx.RequestID(from.Context()))
	m := bus.MetadataOf(from.Context())
	header.Set("Traceparent", m.TraceParent)
	header.Del("Tracestate")
	if m.TraceState != "" {
		header.Set("Tracestate", m.TraceState)
	}
}

// credential returns the access token for a request: of its Authorization header,
// or of its session, where a write must show that it is a page's own.
func (h *handlers) credential(c echo.Context) (string, *session.Session, error) {
	r := c.Request()
	if header := r.Header.Get(echo.HeaderAuthorization); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		token = strings.TrimSpace(token)
		if strings.EqualFold(scheme, "DPoP") {
			return "", nil, problem.New(problem.CodeCredentialInvalid, "access tokens that are bound to a key are not taken here: ask for one without a DPoP proof, and send it as Bearer").
				WithChallenge(`Bearer realm="gatehouse"`)
		}
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return "", nil, problem.New(problem.CodeCredentialInvalid, "the Authorization header is not of the form Bearer, a space, and a token").
				WithChallenge(`Bearer realm="gatehouse"`)
		}
		if isPersonal(token) || isApplications(token) {
			var err error
			token, err = h.exchange.access(r, token)
			return token, nil, err
		}
		return token, nil, nil
	}
	s, err := h.session(c)
	if err != nil || s == nil {
		return "", nil, err
	}
	if isWrite(r.Method) {
		if err := checkWrite(r, s); err != nil {
			return "", nil, err
		}
	}
	return s.Access, s, nil
}

// proxy returns what carries requests to one service.
func (h *handlers) proxy(name string, rt http.RoundTripper) *httputil.ReverseProxy {
	prefix := "/api/" + name
	return &httputil.ReverseProxy{
		Transport:     rt,
		FlushInterval: -1, // events are passed on as they come
		Rewrite: func(r *httputil.ProxyRequest) {
			out := r.Out
			out.URL.Scheme, out.URL.Host, out.Host = "http", name, name
			out.URL.Path = "/api" + strings.TrimPrefix(r.In.URL.Path, prefix)
			out.URL.RawPath = "/api" + strings.TrimPrefix(r.In.URL.EscapedPath(), prefix)
			out.Header.Del("Cookie")
			for _, field := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
				out.Header.Del(field)
			}
			passOn(r.In, out.Header)
		},
		ModifyResponse: func(res *http.Response) error {
			res.Header.Del("Set-Cookie")
			// A service may point to itself, which a browser knows by another address.
			if to, err := url.Parse(res.Header.Get("Location")); err == nil && to.Host == "" && strings.HasPrefix(to.Path, "/api/v1/") {
				res.Header.Set("Location", prefix+strings.TrimPrefix(to.String(), "/api"))
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // whoever asked has left
			}
			p := *problem.From(err)
			p.Instance = httpx.RequestID(r.Context())
			if p.Status >= 500 {
				h.Log.WarnContext(r.Context(), "a service did not answer", "service", name, "request", p.Instance, "err", err)
			}
			w.Header().Set("X-Request-Id", p.Instance)
			p.Write(w)
		},
	}
}
