package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// told writes down what it is told.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (m *told) add(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, fmt.Sprintf(format, args...))
}

func (m *told) Attempted(u, target string, status int, f transport.Failure, took time.Duration) {
	m.add("%s attempted %s %d %s %s", u, target, status, f, took)
}
func (m *told) Retried(u string, denied bool)         { m.add("%s retried denied=%v", u, denied) }
func (m *told) Changed(u, target string, c Condition) { m.add("%s changed %s %s", u, target, c) }
func (m *told) Resolved(u, host string, err error)    { m.add("%s resolved %s %v", u, host, err) }
func (m *told) take() (lines []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines, m.lines = m.lines, nil
	return lines
}

func TestMetricsAreTold(t *testing.T) {
	t.Parallel()
	m, clock := &told{}, newClock()
	bad := true
	k := &stubs{answer: func(_ *stub, ex *policy.Exchange, _ *transport.Call) error {
		clock.advance(time.Millisecond)
		if bad {
			bad = false
			return fails(transport.FailedConnect)
		}
		ex.Response.Status = 204
		return nil
	}}
	env := stubEnv(k, clock)
	env.Metrics = m
	env.Random = func() uint64 { return 0 }
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		return Answer{Addrs: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}, TTL: time.Hour}, nil
	})
	cfg := passively(0, unit.PassiveHealth{Consecutive: 1})
	cfg.Name, cfg.Targets = "orders", urls("http://svc")
	u := newUpstream(t, cfg, env)
	send(t, u, 1)
	require.Equal(t, []string{
		"orders resolved svc <nil>",
		"orders attempted http://svc 0 connect 1ms",
		"orders changed http://svc ejected",
		"orders retried denied=false",
		"orders attempted http://svc 204  1ms",
	}, m.take())
	bad = true
	clock.advance(11 * time.Second)
	send(t, u, 1)
	require.Contains(t, strings.Join(m.take(), "\n"), "attempted")
}

func TestProbesFollowNamesWithoutRequests(t *testing.T) {
	t.Parallel()
	hits := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hits <- r.Host }))
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	clock := newClock()
	env := stubEnv(&stubs{}, clock)
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		return Answer{Addrs: []netip.Addr{addr("127.0.0.1")}, TTL: time.Second}, nil
	})
	newUpstream(t, unit.Upstream{Targets: urls("http://svc.example:" + port), Health: unit.Health{Active: &unit.ActiveHealth{Path: "/"}}}, env)
	require.Eventually(t, func() bool { return clock.waiters() == 2 }, 30*time.Second, time.Millisecond)
	clock.advance(10 * time.Second)
	require.Equal(t, "svc.example:"+port, <-hits)
}

func TestFallbackWhereNoServerAnswers(t *testing.T) {
	t.Parallel()
	r := &SystemResolver{ResolvConf: t.TempDir() + "/none", Hosts: t.TempDir() + "/none", Fallback: fallback{}}
	got, err := r.Resolve(t.Context(), "svc")
	require.NoError(t, err)
	require.Equal(t, Answer{Addrs: []netip.Addr{addr("10.0.0.1")}, TTL: unknownTTL}, got)
	_, err = r.Resolve(t.Context(), "other")
	require.ErrorIs(t, err, errOther)
}

var errOther = errors.New("no such service")
