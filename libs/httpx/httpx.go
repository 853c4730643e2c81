// Package httpx assembles the HTTP side of a service: an Echo with everything
// that all services share around the handlers that are generated from the
// service's OpenAPI document. It is the only library that imports Echo.
//
// Around each request: a request id, the trace and the actor for what is sent
// over the bus, the access log, metrics, security headers, a bound on the body,
// panics caught, and every error answered as a problem. Every request of the API
// is held against the document: who may call, and what it must look like. A
// handler sees only what the document allows.
//
// It knows no service. What an operation needs stands in the document:
//
//	security: []                  public; an access token is not looked at
//	security: [{}, {bearer: []}]  public; a token that is sent must be valid
//	(the global bearer)           signed in
//	x-permission: api:update      required of all but public operations: the
//	                              permission that the caller needs in some scope,
//	                              or none where being signed in is enough
//	x-permission-any: [a:b, c:d]  beside none: the caller needs one of these in
//	                              some scope; which, the body says
//	x-impersonation: none         refused to who acts as somebody else
//	x-body-limit: 64MiB           the most that its body may have
//	x-any-query: true             others, over whom nobody here has a say, may add query parameters
//
// The narrow check, with the scope of the thing itself, is the handler's: it
// calls [authn.Require] when it knows the project.
//
// # Generated code
//
// In internal/api a service has codegen.yaml:
//
//	package: api
//	generate: {echo-server: true, strict-server: true, models: true}
//	output: api.gen.go
//	output-options: {skip-prune: true, nullable-type: false}
//
// and beside its handlers
//
//	//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../openapi.yaml
//
// The document says servers: [{url: /api/v1}], and its paths go without that
// prefix. It is put together with
//
//	s, err := httpx.New(httpx.Options{Service: "…", Document: openapi, …})
//	api.RegisterHandlers(s.API(), api.NewStrictHandler(handlers, nil))
//	err = s.Check() // every operation has a handler, and every handler an operation
//
// Handlers return errors as they are: a [problem.Problem] is answered as such,
// db.ErrNotFound with 404, db.ErrDuplicate and db.ErrReference with 409, and
// anything else with 500 and a line in the log.
package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Verifier says whom an access token is about; it is an authn.Verifier.
type Verifier interface {
	Verify(ctx context.Context, token string) (authn.Principal, error)
}

// Options say what to assemble.
type Options struct {
	// Service is the service's name, in logs and metrics.
	Service string
	// Document is the service's OpenAPI document as YAML; nil for a server without
	// an API.
	Document []byte
	// Verifier and Access are needed where an operation is not public.
	Verifier Verifier
	Access   *authn.Access
	// BodyLimit is the most that a body may have where the document does not say
	// otherwise; 0 means 32 MiB.
	BodyLimit schema.Bytes
	// Log is where requests are logged; nil discards.
	Log *slog.Logger
	// Metrics is where the collectors are registered; nil registers none.
	Metrics prometheus.Registerer
	// Keyring encrypts the answers that [Once] keeps; nil keeps them as they are.
	Keyring *secret.Keyring
	// Refused, where not nil, is told of each write that is answered 403 to somebody
	// who is signed in, before they are answered.
	Refused func(ctx context.Context, r Refusal)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Refusal is a write that its caller may not do.
type Refusal struct {
	// Operation is its operationId, Permission what it needs in any case, "" = being
	// signed in.
	Operation, Permission string
	// ID is that of what it was to be done to, as the address has it; "" where that
	// names nothing, a secret, or what cannot be an id.
	ID string
	// Problem is the answer.
	Problem *problem.Problem
}

// Server is an assembled Echo. It is an http.Handler, for a TCP port as well as,
// in [FromBus], for requests that others forward.
type Server struct {
	opt     Options
	echo    *echo.Echo
	api     *echo.Group
	doc     *document
	metrics *metrics
}

const defaultBodyLimit = 32 << 20

// New assembles a server. It fails for a document that is not valid, or that
// leaves open who may call an operation.
func New(opt Options) (*Server, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.BodyLimit <= 0 {
		opt.BodyLimit = defaultBodyLimit
	}
	s := &Server{opt: opt, echo: echo.New()}
	var err error
	if opt.Document != nil {
		if s.doc, err = readDocument(opt.Document); err != nil {
			return nil, fmt.Errorf("reading the OpenAPI document of %s: %w", opt.Service, err)
		}
		if s.doc.protected() && (opt.Verifier == nil || opt.Access == nil) {
			return nil, fmt.Errorf("the API of %s is not public: it needs a Verifier and an Access", opt.Service)
		}
	}
	if s.metrics, err = newMetrics(opt.Metrics, opt.Service); err != nil {
		return nil, fmt.Errorf("registering metrics of the API: %w", err)
	}
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.Binder = binder{}
	e.HTTPErrorHandler = s.fail
	e.IPExtractor = func(r *http.Request) string { return address(r) }
	e.Pre(s.around)
	e.Use(s.admit)
	if s.doc != nil {
		s.api = e.Group(s.doc.base)
		serve := func(c echo.Context) error {
			return c.Blob(http.StatusOK, "application/yaml", opt.Document)
		}
		e.GET("/openapi.yaml", serve)
		if s.doc.base != "" {
			e.GET(s.doc.base+"/openapi.yaml", serve)
		}
	}
	return s, nil
}

// Echo returns the router, for what is not in the document.
func (s *Server) Echo() *echo.Echo { return s.echo }

// API returns where generated handlers are registered: below the path of the
// document's server.
func (s *Server) API() *echo.Group { return s.api }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Check returns an error where an operation of the document has no handler, or
// a handler of the API is not in the document.
func (s *Server) Check() error {
	if s.doc == nil {
		return nil
	}
	have := map[string]bool{}
	var errs []error
	for _, r := range s.echo.Routes() {
		id := r.Method + " " + r.Path
		have[id] = true
		below := r.Path == s.doc.base || strings.HasPrefix(r.Path, s.doc.base+"/")
		if s.doc.operations[id] == nil && below && r.Method != echo.RouteNotFound && r.Path != s.doc.base+"/openapi.yaml" && r.Path != "/openapi.yaml" {
			errs = append(errs, fmt.Errorf("%s has a handler and is not in the OpenAPI document", id))
		}
	}
	for id, o := range s.doc.operations {
		if !have[id] {
			errs = append(errs, fmt.Errorf("%s (%s) is in the OpenAPI document and has no handler", id, o.id))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// Close takes the server's metrics away.
func (s *Server) Close() { s.metrics.unregister() }
