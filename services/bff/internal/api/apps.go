package api

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// Apps are the browser apps by the host names under which they are reached.
type Apps struct {
	list []app
}

type app struct {
	name    string // as pages know it: admin, tenant, portal
	title   string
	pattern string
	handler http.Handler
}

// Add adds an app. pattern is a host name, or one that ends in ".*" and so stands
// for every name with these first labels.
func (a *Apps) Add(name, title, pattern string, h http.Handler) {
	a.list = append(a.list, app{name, title, strings.ToLower(pattern), h})
}

func hostOf(r *http.Request) (host, port string) {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, ""
	}
	return strings.TrimSuffix(strings.ToLower(host), "."), port
}

// rest returns what follows the pattern's own labels in a host name.
func (a *app) rest(host string) (string, bool) {
	if prefix, ok := strings.CutSuffix(a.pattern, "*"); ok {
		return strings.CutPrefix(host, prefix)
	}
	return "", host == a.pattern
}

func (a *Apps) of(r *http.Request) *app {
	host, _ := hostOf(r)
	for i := range a.list {
		if _, ok := a.list[i].rest(host); ok {
			return &a.list[i]
		}
	}
	return nil
}

// addresses returns where the apps are, by their names, seen from a request.
func (a *Apps) addresses(r *http.Request) map[string]string {
	host, port := hostOf(r)
	base := host
	if here := a.of(r); here != nil {
		if rest, _ := here.rest(host); rest != "" {
			base = rest
		} else if _, parent, ok := strings.Cut(host, "."); ok {
			base = parent
		}
	} else if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "localhost" {
		base = "localhost" // every browser takes the names below for this machine
	}
	scheme := "http"
	if isHTTPS(r) {
		scheme = "https"
	}
	out := map[string]string{}
	for i := range a.list {
		to := a.list[i].pattern
		if prefix, ok := strings.CutSuffix(to, "*"); ok {
			to = prefix + base
		}
		if port != "" {
			to = net.JoinHostPort(to, port)
		}
		out[a.list[i].name] = scheme + "://" + to
	}
	return out
}

// page serves the app of the host, or a page that leads to the apps.
func (h *handlers) page(c echo.Context) error {
	if strings.HasPrefix(c.Request().URL.Path, "/bff/") { // programs ask, not people
		return echo.ErrNotFound
	}
	if isHTTPS(c.Request()) {
		c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	if a := h.Apps.of(c.Request()); a != nil {
		a.handler.ServeHTTP(c.Response(), c.Request())
		return nil
	}
	if c.Request().URL.Path != "/" {
		return echo.ErrNotFound
	}
	if m := c.Request().Method; m != http.MethodGet && m != http.MethodHead {
		c.Response().Header().Set("Allow", "GET, HEAD")
		return echo.ErrMethodNotAllowed
	}
	return h.chooser(c)
}

var chooserPage = template.Must(template.New("chooser").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Gatehouse</title>
<style nonce="{{.Nonce}}">
:root { font: 16px/1.5 system-ui, sans-serif; color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 2rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; min-width: min(24rem, 80vw); }
a { display: block; padding: .9rem 1.1rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; color: inherit; text-decoration: none; font-weight: 600; }
a:hover, a:focus-visible { border-color: currentColor; }
span { display: block; font-weight: 400; font-size: .85rem; opacity: .75; }
</style>
</head>
<body><main>
<h1>Gatehouse</h1>
<ul>{{range .Apps}}<li><a href="{{.Address}}">{{.Title}}<span>{{.Address}}</span></a></li>{{end}}</ul>
</main></body>
</html>
`))

type choice struct{ Title, Address string }

// chooser leads to the apps from a host name that is none of theirs.
func (h *handlers) chooser(c echo.Context) error {
	var raw [18]byte
	_, _ = rand.Read(raw[:]) // never fails
	nonce := base64.StdEncoding.EncodeToString(raw[:])
	data := struct {
		Nonce string
		Apps  []choice
	}{Nonce: nonce}
	where := h.Apps.addresses(c.Request())
	for i := range h.Apps.list {
		a := &h.Apps.list[i]
		data.Apps = append(data.Apps, choice{a.title, where[a.name]})
	}
	w := c.Response()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := chooserPage.Execute(w, data); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
