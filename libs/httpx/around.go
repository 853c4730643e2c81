package httpx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/secret"
)

type (
	incomingKey struct{}
	busKey      struct{}
)

// incoming is what is known of a request apart from what it asks for.
type incoming struct {
	id      string
	address string
	method  string
	target  string // path and query
	key     string // Idempotency-Key
	body    []byte // of JSON requests of the API
	actor   string
	console bool // a page of a browser app sent it
	ring    *secret.Keyring
	header  http.Header // of the answer
}

// writes reports whether the request is of a method that may change something (RFC
// 9110 section 9.2.1).
func (in *incoming) writes() bool {
	switch in.method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}

// FromBus returns a handler for requests that other services forward over the
// bus: their request ids are taken over, since those services are ours.
func FromBus(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), busKey{}, true)))
	})
}

// OverBus reports whether a request was forwarded by another service of ours,
// whose own header fields it then has.
func OverBus(ctx context.Context) bool {
	ours, _ := ctx.Value(busKey{}).(bool)
	return ours
}

// RequestID returns the id of the request being answered, or "".
func RequestID(ctx context.Context) string {
	if in := incomingOf(ctx); in != nil {
		return in.id
	}
	return ""
}

// Address returns the IP address that the request being answered came from, as
// far as is known, or "".
func Address(ctx context.Context) string {
	if in := incomingOf(ctx); in != nil {
		return in.address
	}
	return ""
}

// LimitKey returns what limits by address count the request being answered by: its IPv4
// address, or the /64 of its IPv6 address, which is the least that one subscriber is
// given (RFC 6177), since anyone has 2^64 addresses in it; "" where it is not known.
func LimitKey(ctx context.Context) string { return limitKey(Address(ctx)) }

func limitKey(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// ConsoleHeader is how the bff tells services that a page of a browser app sends a
// request. It counts over the bus alone: see [FromBus].
const ConsoleHeader = "X-Gatehouse-Console"

// FromConsole reports whether the request being answered was sent by a page of a
// browser app, rather than by a program.
func FromConsole(ctx context.Context) bool {
	in := incomingOf(ctx)
	return in != nil && in.console
}

// Later returns a context for work that goes on after the request that asked for it
// was answered, perhaps in another process: [RequestID], [Address] and [FromConsole]
// say what they said of that request.
func Later(ctx context.Context, requestID, address string, console bool) context.Context {
	return context.WithValue(ctx, incomingKey{}, &incoming{id: requestID, address: address, console: console, method: http.MethodPost})
}

func incomingOf(ctx context.Context) *incoming {
	in, _ := ctx.Value(incomingKey{}).(*incoming)
	return in
}

// address is the peer's. A service that forwards sets it to its own peer's.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().WithZone("").String()
	}
	return ""
}

var (
	goodID     = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	goodParent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
)

const (
	noTrace = "00000000000000000000000000000000"
	noSpan  = "0000000000000000"
)

func requestID(r *http.Request) string {
	if OverBus(r.Context()) {
		if id := r.Header.Get(echo.HeaderXRequestID); goodID.MatchString(id) {
			return id
		}
	}
	return uuid.Must(uuid.NewV7()).String() // fails only without randomness, where nothing goes on
}

// trace returns what goes on over the bus: the trace that the request belongs to
// (W3C Trace Context), or a new one.
func trace(r *http.Request) bus.Metadata {
	if p := r.Header.Get("traceparent"); goodParent.MatchString(p) && p[3:35] != noTrace && p[36:52] != noSpan {
		return bus.Metadata{TraceParent: p, TraceState: r.Header.Get("tracestate")}
	}
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return bus.Metadata{TraceParent: "00-" + hex.EncodeToString(b[:16]) + "-" + hex.EncodeToString(b[16:]) + "-00"}
}

// around is what happens around every request, also one that has no handler.
func (s *Server) around(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		begun := time.Now()
		r := c.Request()
		in := &incoming{id: requestID(r), address: address(r), method: r.Method, target: r.URL.RequestURI(), key: r.Header.Get("Idempotency-Key"), header: c.Response().Header(), ring: s.opt.Keyring}
		in.console = OverBus(r.Context()) && r.Header.Get(ConsoleHeader) != ""
		ctx := context.WithValue(bus.WithMetadata(r.Context(), trace(r)), incomingKey{}, in)
		c.SetRequest(r.WithContext(ctx))
		// Echo matches, and generated code unescapes, the escaped path.
		c.Request().URL.RawPath = r.URL.EscapedPath()
		h := c.Response().Header()
		h.Set(echo.HeaderXRequestID, in.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		s.metrics.begun()
		aborted := true
		defer func() {
			s.metrics.ended(c, time.Since(begun))
			s.logRequest(c, in, time.Since(begun), aborted)
		}()
		err = ofText(r.URL)
		if err == nil {
			err = catch(next, c)
		}
		if err != nil {
			if errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler)
			}
			s.fail(err, c)
		}
		aborted = false
		return nil
	}
}

// catch calls a handler and returns its panic as an error.
func catch(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = http.ErrAbortHandler
		default:
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return next(c)
}

// logRequest writes one line. It has neither the query nor any credential.
func (s *Server) logRequest(c echo.Context, in *incoming, took time.Duration, aborted bool) {
	r, w := c.Request(), c.Response()
	status := w.Status
	if aborted {
		status = 499
	}
	attrs := []slog.Attr{
		slog.String("method", in.method), slog.String("path", loggedPath(r.URL.Path)), slog.String("route", routeOf(c)), slog.Int("status", status),
		slog.Duration("took", took.Round(time.Microsecond)), slog.Int64("bytes", w.Size), slog.String("request", in.id), slog.String("ip", in.address),
	}
	if in.actor != "" {
		attrs = append(attrs, slog.String("actor", in.actor))
	}
	s.opt.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}

const byToken = "/by-token/"

// loggedPath is a path without the secret of a link: what comes after by-token.
func loggedPath(path string) string {
	before, rest, found := strings.Cut(path, byToken)
	if !found {
		return path
	}
	_, after, more := strings.Cut(rest, "/")
	if more {
		after = "/" + after
	}
	return before + byToken + "…" + after
}

// signIn puts the caller into the request's context.
func (s *Server) signIn(c echo.Context, p authn.Principal) {
	r := c.Request()
	ctx := authn.With(r.Context(), p, s.opt.Access)
	in, m := incomingOf(ctx), bus.MetadataOf(ctx)
	m.Actor = p.Actor()
	in.actor = m.Actor
	c.SetRequest(r.WithContext(bus.WithMetadata(ctx, m)))
}
