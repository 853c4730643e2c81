// Package httpxtest holds answers against an OpenAPI document: what clients are
// generated from is then what services really answer. It is for tests only.
package httpxtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"
)

// Document is an OpenAPI document.
type Document struct {
	spec   *openapi3.T
	base   string
	routes []route
}

// route is a path of the document.
type route struct {
	template string
	match    *regexp.Regexp
	item     *openapi3.PathItem
}

var parameter = regexp.MustCompile(`\\\{[^{}]+\\\}`)

// Read reads a document.
func Read(t testing.TB, raw []byte) *Document {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(raw)
	require.NoError(t, err)
	d := &Document{spec: spec}
	if len(spec.Servers) > 0 {
		u, err := url.Parse(spec.Servers[0].URL)
		require.NoError(t, err)
		d.base = strings.TrimRight(u.Path, "/")
	}
	for template, item := range spec.Paths.Map() {
		d.routes = append(d.routes, route{
			template: template, item: item,
			match: regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`) + "$"),
		})
	}
	// What is fixed comes before what is not, as in routers.
	slices.SortFunc(d.routes, func(a, b route) int {
		return strings.Compare(strings.ReplaceAll(a.template, "{", "\x7f"), strings.ReplaceAll(b.template, "{", "\x7f"))
	})
	return d
}

// Check says what is wrong with the answer to a request, of which path is what
// the document's server saw. What the document does not know is not looked at
// where the answer is 404 or 405, and wrong otherwise.
func (d *Document) Check(method, path string, status int, header http.Header, body []byte) error {
	rest, ok := strings.CutPrefix(path, d.base)
	if !ok || rest == "/openapi.yaml" {
		return nil
	}
	i := slices.IndexFunc(d.routes, func(r route) bool { return r.match.MatchString(rest) && r.item.GetOperation(method) != nil })
	if i < 0 {
		if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
			return nil
		}
		return fmt.Errorf("%s %s is not in the document, and was answered %d", method, path, status)
	}
	r := d.routes[i]
	req := &http.Request{Method: method, URL: &url.URL{Path: path}, Header: http.Header{}}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: req,
			Route:   &routers.Route{Spec: d.spec, Path: r.template, PathItem: r.item, Method: method, Operation: r.item.GetOperation(method)},
		},
		Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		return fmt.Errorf("%s %s was answered %d, not as its document says: %w\n%.500s", method, r.template, status, err, body)
	}
	return nil
}

// Handler returns a handler that reports to the test each answer of h that is not
// what the document says. Streams are passed on unseen.
func (d *Document) Handler(t testing.TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &copying{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(c, r)
		if r.Method == http.MethodHead || strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
			return
		}
		if err := d.Check(r.Method, r.URL.EscapedPath(), c.status, w.Header(), c.body.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

// copying keeps what is written through it.
type copying struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (c *copying) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write keeps the content.
func (c *copying) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }
