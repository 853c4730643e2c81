package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeClock moves only when told.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting map[*fakeWait]struct{}
	waits   []time.Duration // all that were asked for
	auto    bool            // a wait moves the clock itself
}

type fakeWait struct {
	at time.Time
	c  chan time.Time
}

func newClock() *fakeClock {
	return &fakeClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), waiting: map[*fakeWait]struct{}{}}
}

func (f *fakeClock) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fakeClock) After(d time.Duration) (<-chan time.Time, func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waits = append(f.waits, d)
	w := &fakeWait{at: f.now.Add(d), c: make(chan time.Time, 1)}
	if f.auto {
		f.now = w.at
	}
	if !w.at.After(f.now) {
		w.c <- f.now
		return w.c, func() bool { return false }
	}
	f.waiting[w] = struct{}{}
	return w.c, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, ok := f.waiting[w]
		delete(f.waiting, w)
		return ok
	}
}

func (f *fakeClock) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	for w := range f.waiting {
		if !w.at.After(f.now) {
			w.c <- f.now
			delete(f.waiting, w)
		}
	}
}

func (f *fakeClock) waiters() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting)
}

// stub is a client whose answers a test makes.
type stub struct {
	options transport.ClientOptions
	answer  func(s *stub, ex *policy.Exchange, call *transport.Call) error
	calls   atomic.Int64
	busy    atomic.Int64
	closed  atomic.Bool
}

func (s *stub) RoundTrip(ex *policy.Exchange, call *transport.Call) error {
	s.calls.Add(1)
	if s.closed.Load() {
		return errors.New("used after close")
	}
	if s.answer != nil {
		return s.answer(s, ex, call)
	}
	ex.Response.Status = 200
	return nil
}
func (s *stub) CloseIdle()    {}
func (s *stub) Close()        { s.closed.Store(true) }
func (s *stub) InFlight() int { return int(s.busy.Load()) }

// stubs makes and finds stubs.
type stubs struct {
	mu     sync.Mutex
	made   []*stub
	answer func(s *stub, ex *policy.Exchange, call *transport.Call) error
}

func (k *stubs) client(_ string, o transport.ClientOptions) transport.Client {
	s := &stub{options: o, answer: k.answer}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made = append(k.made, s)
	return s
}

// at returns the newest stub for an address.
func (k *stubs) at(address string) *stub {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.made) - 1; i >= 0; i-- {
		if k.made[i].options.Target.Address == address {
			return k.made[i]
		}
	}
	return nil
}

func (k *stubs) counts() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := map[string]int{}
	for _, s := range k.made {
		m[s.options.Target.Address] += int(s.calls.Load())
	}
	return m
}

// seeded returns a random source that is the same in every run.
func seeded() func() uint64 {
	var state atomic.Uint64
	return func() uint64 { return mix(state.Add(0x9e3779b97f4a7c15)) }
}

func anyAddress(netip.AddrPort) error { return nil }

func stubEnv(k *stubs, clock Clock) Env {
	return Env{NewClient: k.client, Clock: clock, Random: seeded(), Allow: anyAddress}
}

func newUpstream(t *testing.T, cfg unit.Upstream, env Env, options ...Option) *Upstream {
	t.Helper()
	u, err := New(cfg, env, options...)
	require.NoError(t, err)
	t.Cleanup(u.Close)
	return u
}

func urls(us ...string) (ts []unit.Target) {
	for _, u := range us {
		ts = append(ts, unit.Target{URL: u})
	}
	return ts
}

// many returns n literal targets, 10.0.0.1 and so on.
func many(n int) (ts []unit.Target) {
	for i := range n {
		ts = append(ts, unit.Target{URL: "http://" + many1(i)})
	}
	return ts
}

func many1(i int) string { return fmt.Sprintf("10.0.%d.%d:8080", i/200, i%200+1) }

func get(path string) *policy.Exchange {
	ex := &policy.Exchange{Start: time.Now()}
	ex.Request.Method, ex.Request.Path, ex.Request.Authority = "GET", path, "api.example"
	return ex
}

// fails returns a call error.
func fails(f transport.Failure) error {
	return &transport.CallError{Failure: f, Err: errors.New("made by the test")}
}

// realClient is a small client on net/http, so that the tests meet real
// connections.
type realClient struct {
	o  transport.ClientOptions
	t  *http.Transport
	in atomic.Int64
}

func newReal(_ string, o transport.ClientOptions) transport.Client {
	c := &realClient{o: o}
	c.t = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			conn, err := o.Dial(ctx, network, o.Target.Address)
			if err != nil {
				return nil, &transport.CallError{Failure: transport.FailedConnect, Err: err}
			}
			return conn, nil
		},
		TLSClientConfig: o.Target.TLS, DisableCompression: true, MaxIdleConnsPerHost: o.MaxIdle,
		MaxResponseHeaderBytes: int64(o.MaxHeaderBytes), IdleConnTimeout: o.IdleTimeout,
	}
	return c
}

type counted struct {
	io.ReadCloser
	once sync.Once
	done func()
}

func (c *counted) Close() error {
	c.once.Do(c.done)
	return c.ReadCloser.Close()
}

func (c *realClient) RoundTrip(ex *policy.Exchange, call *transport.Call) error {
	ctx, cancel := context.WithCancelCause(ex.Context())
	timer := time.AfterFunc(call.ConnectTimeout+call.HeaderTimeout, func() { cancel(context.DeadlineExceeded) })
	if !call.Deadline.IsZero() {
		stop := time.AfterFunc(time.Until(call.Deadline), func() { cancel(context.DeadlineExceeded) })
		_ = stop
	}
	scheme := "http"
	if c.o.Target.TLS != nil {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, ex.Request.Method, scheme+"://"+c.o.Target.Authority+call.Path, ex.Request.Body.Reader())
	if err != nil {
		return err
	}
	req.Host = call.Authority
	res, err := c.t.RoundTrip(req)
	timer.Stop()
	if err != nil {
		defer cancel(nil)
		return classify(ctx, err, call)
	}
	c.in.Add(1)
	ex.Response.Status = res.StatusCode
	for k, vs := range res.Header {
		ex.Response.Header.Add(k, vs[0])
	}
	ex.Response.Body.SetStream(&counted{ReadCloser: res.Body, done: func() { c.in.Add(-1); cancel(nil) }}, res.ContentLength)
	return nil
}

func classify(ctx context.Context, err error, call *transport.Call) error {
	if ce := (*transport.CallError)(nil); errors.As(err, &ce) {
		return ce
	}
	call.Wrote = true
	f := transport.FailedReset
	switch {
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		f = transport.FailedTimeout
	case ctx.Err() != nil:
		f = transport.FailedCanceled
	case strings.Contains(err.Error(), "malformed HTTP"):
		f = transport.FailedInvalid
	case strings.Contains(err.Error(), "exceeded"):
		f = transport.FailedTooLarge
	case strings.Contains(err.Error(), "certificate"), strings.Contains(err.Error(), "tls:"):
		f = transport.FailedConnect
	}
	return &transport.CallError{Failure: f, Err: err}
}

func (c *realClient) CloseIdle()    { c.t.CloseIdleConnections() }
func (c *realClient) Close()        { c.t.CloseIdleConnections() }
func (c *realClient) InFlight() int { return int(c.in.Load()) }

// content reads and closes the body.
func content(t *testing.T, ex *policy.Exchange) string {
	t.Helper()
	r := ex.Response.Body.Reader()
	if r == nil {
		return ""
	}
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, ex.Response.Body.Close())
	return string(b)
}
