package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

const (
	// scimPath is where the protocol is, in the service and at the consoles.
	scimPath = "/scim/v2"
	// scimBody bounds what is sent: a group with tens of thousands of members.
	scimBody = 8 << 20
	// scimRate is how many requests a token may make in a second, scimBurst how many
	// at once.
	scimRate  = 100
	scimBurst = 500
	// mostBlocked bounds the addresses that are remembered here.
	mostBlocked = 10_000
)

// scimServer answers directories of identity providers.
type scimServer struct {
	h    *Handlers
	base string

	mu      sync.Mutex
	blocked map[string]time.Time
	buckets map[string]*rate.Limiter
}

// RegisterSCIM puts the provisioning protocol on a router.
func (h *Handlers) RegisterSCIM(e *echo.Echo) {
	s := &scimServer{h: h, base: strings.TrimSuffix(h.opt.ConsoleURL, "/") + scimPath, blocked: map[string]time.Time{}, buckets: map[string]*rate.Limiter{}}
	serve := func(c echo.Context) error {
		s.serve(c.Response(), c.Request())
		return nil
	}
	e.Any(scimPath, serve)
	e.Any(scimPath+"/*", serve)
}

// scimCall is one request of a directory.
type scimCall struct {
	h     *Handlers
	org   *store.Org
	dir   store.SCIMDirectory
	token store.SCIMToken
	base  string
	// sel is what is asked for of resources, and match what If-Match names.
	sel   scim.Selection
	match string
	// within is the rehearsal in which it is made, nil in earnest, and deeds what it
	// would have done.
	within *store.Tx
	deeds  []scimDeed
}

// scimAnswer is what is answered.
type scimAnswer struct {
	status int
	body   any
}

// scimRefusal is what a directory may not do, which the audit trail tells.
type scimRefusal struct {
	answer *scim.Error
	// about is whom it was about.
	about string
}

// Error implements error.
func (r *scimRefusal) Error() string { return r.answer.Detail }

// Unwrap returns the answer.
func (r *scimRefusal) Unwrap() error { return r.answer }

func refuseSCIM(status int, about, format string, args ...any) error {
	return &scimRefusal{scim.Fail(status, "", format, args...), about}
}

var (
	errSCIMToken = scim.Fail(http.StatusUnauthorized, "", "the token is not right, has run out, or was revoked, or the directory is switched off")
	errSCIMNone  = scim.Fail(http.StatusNotFound, "", "there is no such resource in this directory")
)

func (s *scimServer) serve(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	r.Body = http.MaxBytesReader(w, r.Body, scimBody)
	c, err := s.admit(ctx, r)
	var out scimAnswer
	if err == nil {
		if c.dir.DryRun == "" {
			out, err = c.answer(ctx, r)
		} else {
			out, err = c.rehearse(ctx, r)
		}
	}
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	if m, ok := out.body.(map[string]any); ok {
		if meta, ok := m["meta"].(map[string]any); ok {
			if v, ok := meta["version"].(string); ok {
				w.Header().Set("ETag", v)
				if r.Method == http.MethodGet && r.Header.Get("If-None-Match") == v {
					w.WriteHeader(http.StatusNotModified)
					return
				}
			}
			if to, ok := meta["location"].(string); ok && out.status == http.StatusCreated {
				w.Header().Set("Location", to)
			}
		}
		if t, is := scimTypeOf(r); is { // what is not asked for goes last: meta is needed above
			out.body = c.sel.Of(t, m)
		}
	}
	writeSCIM(w, out.status, out.body)
}

// scimTypeOf returns the type of the resources that a request is about.
func scimTypeOf(r *http.Request) (scim.Type, bool) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, scimPath+"/"), "/")
	for _, t := range scim.Types() {
		if t.Endpoint == "/"+kind {
			return t, true
		}
	}
	return scim.Type{}, false
}

func writeSCIM(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", scim.ContentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has left, or gets it
}

// fail answers with an error. What was refused is told in the audit trail, and what
// is the service's own fault in the log.
func (s *scimServer) fail(w http.ResponseWriter, r *http.Request, c *scimCall, err error) {
	ctx := r.Context()
	var refused *scimRefusal
	rehearsed := c != nil && c.dir.DryRun != ""
	if errors.As(err, &refused) && c != nil && !rehearsed {
		if trail := c.refused(context.WithoutCancel(ctx), refused); trail != nil {
			err = trail
		}
	}
	e := scimError(err)
	looksFor := e.Status == http.StatusNotFound && r.Method == http.MethodGet // what may not be there yet
	if c != nil && !looksFor {
		noted := c.noteFailure(context.WithoutCancel(ctx), r, e, refused)
		if noted == nil && !rehearsed && e.Status != http.StatusNotFound {
			noted = c.org.SCIMFailed(context.WithoutCancel(ctx), c.dir.ID, e.Detail)
		}
		if noted != nil {
			s.h.kit.Log.WarnContext(ctx, "what a directory was refused could not be noted", "directory", c.dir.ID, "err", noted)
		}
	}
	if e.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.h.kit.Log.ErrorContext(ctx, "provisioning failed", "request", httpx.RequestID(ctx), "err", err)
	}
	var p *problem.Problem
	if errors.As(err, &p) && p.RetryAfterSeconds() != "" {
		w.Header().Set("Retry-After", p.RetryAfterSeconds())
	} else if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
	}
	writeSCIM(w, e.Status, e)
}

// scimError says an error as the protocol does.
func scimError(err error) *scim.Error {
	var e *scim.Error
	var p *problem.Problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &large):
		return scim.Fail(http.StatusRequestEntityTooLarge, scim.TooMany, "a request has at most %d bytes", scimBody)
	case errors.As(err, &p) && p.Status < http.StatusInternalServerError:
		kind := ""
		if p.Status == http.StatusUnprocessableEntity {
			return scim.Fail(http.StatusBadRequest, scim.InvalidValue, "%s", p.Detail)
		}
		return scim.Fail(p.Status, kind, "%s", p.Detail)
	case store.IsNotFound(err):
		return errSCIMNone
	case errors.Is(err, db.ErrDuplicate):
		return scim.Fail(http.StatusConflict, scim.Uniqueness, "there is one like it already")
	case errors.Is(err, db.ErrAway):
		return scim.Fail(http.StatusServiceUnavailable, "", "the database does not answer at the moment: try again in a few seconds")
	}
	return scim.Fail(http.StatusInternalServerError, "", "it could not be done: try again")
}

// admit finds out which directory calls.
func (s *scimServer) admit(ctx context.Context, r *http.Request) (*scimCall, error) {
	ip := httpx.LimitKey(ctx)
	if wait := s.waits(ip); wait > 0 {
		return nil, slower(wait, "too many tokens that were not right")
	}
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	shown = strings.TrimSpace(shown)
	if !strings.EqualFold(scheme, "Bearer") || shown == "" {
		return nil, errSCIMToken
	}
	c, err := s.directory(ctx, shown)
	if errors.Is(err, errSCIMToken) {
		return nil, s.wrong(ctx, ip)
	}
	if err != nil {
		return nil, err
	}
	if wait := s.bucket(c.token.ID); wait > 0 {
		return nil, slower(wait, "too many requests")
	}
	return c, c.org.UsedSCIMToken(ctx, c.token)
}

// directory returns whose a token is.
func (s *scimServer) directory(ctx context.Context, shown string) (*scimCall, error) {
	if !token.ValidSCIM(shown) {
		return nil, errSCIMToken
	}
	k, err := s.h.store.SCIMTokenByHash(ctx, token.Hash(shown))
	if store.IsNotFound(err) {
		return nil, errSCIMToken
	}
	if err != nil {
		return nil, err
	}
	org := s.h.store.For(k.OrganizationID)
	d, err := org.SCIMDirectory(ctx, k.DirectoryID)
	if err != nil {
		return nil, err
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return nil, err
	}
	if !d.Enabled || o.Suspended || k.ExpiresAt != nil && !s.h.store.Now().Before(*k.ExpiresAt) {
		return nil, errSCIMToken
	}
	return &scimCall{h: s.h, org: org, dir: d, token: k, base: s.base}, nil
}

// wrong holds a token that is not right against the address, in all instances.
func (s *scimServer) wrong(ctx context.Context, ip string) error {
	if ip == "" {
		return errSCIMToken
	}
	wait, err := s.h.store.Attempt(ctx, store.Limited{Name: "directory tokens presented by " + ip, Limit: throttle.Address})
	if err != nil {
		return err
	}
	if wait == 0 {
		return errSCIMToken
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blocked) >= mostBlocked {
		clear(s.blocked)
	}
	s.blocked[ip] = s.h.store.Now().Add(wait)
	return slower(wait, "too many tokens that were not right")
}

// waits returns how long an address has to wait; it is known here after the first
// refusal, so that who is right costs no query.
func (s *scimServer) waits(ip string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.blocked[ip]
	wait := until.Sub(s.h.store.Now())
	if ok && wait <= 0 {
		delete(s.blocked, ip)
	}
	if !ok {
		return 0
	}
	return max(wait, 0)
}

// bucket returns how long a token has to wait for its next request. There are as many
// as there are tokens.
func (s *scimServer) bucket(id string) time.Duration {
	now := s.h.store.Now()
	s.mu.Lock()
	b := s.buckets[id]
	if b == nil {
		b = rate.NewLimiter(scimRate, scimBurst)
		s.buckets[id] = b
	}
	s.mu.Unlock()
	r := b.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}
