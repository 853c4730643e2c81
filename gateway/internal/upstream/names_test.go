package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

type resolverFunc func(host string) (Answer, error)

func (f resolverFunc) Resolve(_ context.Context, host string) (Answer, error) { return f(host) }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func requireProblem(t *testing.T, err error, code string, status int) *problem.Problem {
	t.Helper()
	var p *problem.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, code, string(p.Code), "%v: %v", err, errors.Unwrap(err))
	require.Equal(t, status, p.Status)
	return p
}

// nameServer is a real DNS server with records that a test changes.
type nameServer struct {
	mu      sync.Mutex
	records map[string][]string // name to records
	rcode   int
	queries int
	conf    string // of resolv.conf
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	n := &nameServer{records: map[string][]string{}}
	// The same port for both: another one where somebody has it for TCP.
	var udp net.PacketConn
	var tcp net.Listener
	for range 20 {
		var err error
		udp, err = net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		if tcp, err = net.Listen("tcp", udp.LocalAddr().String()); err == nil {
			break
		}
		require.NoError(t, udp.Close())
	}
	require.NotNil(t, tcp)
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: n}, {Listener: tcp, Handler: n}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan error, 1)
		go func() { done <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			require.NoError(t, s.Shutdown())
			<-done
		})
	}
	// miekg/dns reads no port from resolv.conf, so the test's resolver sets it.
	n.conf = udp.LocalAddr().String()
	return n
}

func (n *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queries++
	m := new(dns.Msg)
	m.SetReply(q)
	m.Rcode = n.rcode
	rs, ok := n.records[q.Question[0].Name]
	if !ok && m.Rcode == 0 {
		m.Rcode = dns.RcodeNameError
	}
	for _, r := range rs {
		rr, err := dns.NewRR(r)
		if err != nil {
			panic(err)
		}
		if rr.Header().Rrtype == q.Question[0].Qtype || rr.Header().Rrtype == dns.TypeCNAME {
			m.Answer = append(m.Answer, rr)
		}
	}
	if _, tcp := w.RemoteAddr().(*net.TCPAddr); !tcp && len(m.Answer) > 20 {
		m.Truncated, m.Answer = true, nil
	}
	_ = w.WriteMsg(m)
}

func (n *nameServer) set(name string, records ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records[name] = records
}

func (n *nameServer) fail(rcode int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rcode = rcode
}

// resolver returns a SystemResolver that asks n.
func (n *nameServer) resolver(t *testing.T, more string) *SystemResolver {
	t.Helper()
	dir := t.TempDir()
	host, port, err := net.SplitHostPort(n.conf)
	require.NoError(t, err)
	conf, hosts := filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "hosts")
	require.NoError(t, os.WriteFile(conf, []byte("nameserver "+host+"\noptions timeout:1 attempts:1\n"+more), 0o600))
	require.NoError(t, os.WriteFile(hosts, []byte("# names\n10.7.7.7  known known.example # here\nfd00::7 known\n\nnonsense\n"), 0o600))
	return &SystemResolver{ResolvConf: conf, Hosts: hosts, Port: port, Fallback: noFallback{}}
}

type fallback struct{}

func (fallback) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if host == "svc" {
		return []netip.Addr{addr("10.0.0.1"), addr("10.0.0.1")}, nil
	}
	return nil, errOther
}

type noFallback struct{}

func (noFallback) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no fallback")
}

func TestSystemResolver(t *testing.T) {
	t.Parallel()
	n := newNameServer(t)
	n.set("a.example.", "a.example. 7 IN A 10.0.0.1", "a.example. 3 IN A 10.0.0.2")
	n.set("alias.example.", "alias.example. 2 IN CNAME a.example.", "a.example. 60 IN A 10.0.0.1")
	n.set("db.svc.local.", "db.svc.local. 9 IN A 10.0.0.9")
	n.set("empty.example.", "empty.example. 9 IN TXT x")
	var big []string
	for i := range 60 {
		big = append(big, fmt.Sprintf("big.example. 5 IN A 10.2.0.%d", i+1))
	}
	n.set("big.example.", big...)
	r := n.resolver(t, "search svc.local other.local\n")
	for host, want := range map[string]Answer{
		"a.example":      {[]netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}, 3 * time.Second},
		"A.Example.":     {[]netip.Addr{addr("10.0.0.1"), addr("10.0.0.2")}, 3 * time.Second},
		"alias.example":  {[]netip.Addr{addr("10.0.0.1")}, 2 * time.Second},
		"db":             {[]netip.Addr{addr("10.0.0.9")}, 9 * time.Second},
		"10.9.9.9":       {[]netip.Addr{addr("10.9.9.9")}, unknownTTL},
		"known.example":  {[]netip.Addr{addr("10.7.7.7")}, unknownTTL},
		"localhost":      {[]netip.Addr{addr("127.0.0.1")}, unknownTTL},
		"me.x.localhost": {[]netip.Addr{addr("127.0.0.1")}, unknownTTL},
	} {
		got, err := r.Resolve(t.Context(), host)
		require.NoError(t, err, host)
		require.Equal(t, want, got, host)
	}
	got, err := r.Resolve(t.Context(), "big.example")
	require.NoError(t, err)
	require.Len(t, got.Addrs, 60, "asked again over TCP")
	for _, host := range []string{"none.example", "empty.example"} {
		_, err = r.Resolve(t.Context(), host)
		require.ErrorIs(t, err, errNoName, host)
	}
	n.fail(dns.RcodeServerFailure)
	_, err = r.Resolve(t.Context(), "a.example")
	require.ErrorIs(t, err, errNoServer)
	require.ErrorContains(t, err, "no fallback")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Resolve(ctx, "a.example")
	require.ErrorIs(t, err, context.Canceled)
}

// two servers on one port of two addresses of this machine.
func twoServers(t *testing.T) (port string) {
	t.Helper()
	first, err := net.Listen("tcp", "127.0.0.2:0")
	require.NoError(t, err)
	_, port, err = net.SplitHostPort(first.Addr().String())
	require.NoError(t, err)
	second, err := net.Listen("tcp", "127.0.0.3:"+port)
	require.NoError(t, err)
	for l, name := range map[net.Listener]string{first: "first", second: "second"} {
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) })}}
		s.Start()
		t.Cleanup(s.Close)
	}
	return port
}

// R18.2
func TestANameThatMovesIsFollowedAndNeverCallsTheOldAddress(t *testing.T) {
	t.Parallel()
	n := newNameServer(t)
	port := twoServers(t)
	n.set("orders.example.", "orders.example. 600 IN A 127.0.0.2")
	clock := newClock()
	u := newUpstream(t, unit.Upstream{Targets: urls("http://orders.example:" + port)},
		Env{NewClient: newReal, Clock: clock, Resolver: n.resolver(t, ""), Random: seeded()})
	ask := func() string {
		ex := get("/")
		require.NoError(t, u.Do(ex))
		return content(t, ex)
	}
	require.Equal(t, "first", ask())
	require.Equal(t, "first", ask())
	// The container is made anew; its old address now belongs to another service.
	n.set("orders.example.", "orders.example. 600 IN A 127.0.0.3")
	clock.advance(3 * time.Second)
	require.Equal(t, "first", ask(), "the answer still holds")
	clock.advance(2 * time.Second)
	require.Equal(t, "second", ask(), "after 5 s, though the TTL is 600 s")
	// With DNS away the last good address is used.
	n.fail(dns.RcodeServerFailure)
	for range 5 {
		clock.advance(10 * time.Second)
		require.Equal(t, "second", ask())
	}
	require.NotEmpty(t, u.Status().Names[0].Error)
	n.fail(0)
	n.set("orders.example.", "orders.example. 1 IN A 127.0.0.2")
	require.Eventually(t, func() bool {
		clock.advance(2 * time.Second)
		return ask() == "first"
	}, 30*time.Second, time.Millisecond)
}

func TestUnchangedAddressesKeepTheirState(t *testing.T) {
	t.Parallel()
	k, clock := &stubs{}, newClock()
	var mu sync.Mutex
	answer := []netip.Addr{addr("10.1.0.1"), addr("10.1.0.2")}
	env := stubEnv(k, clock)
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		return Answer{Addrs: answer, TTL: time.Minute}, nil
	})
	u := newUpstream(t, unit.Upstream{Targets: urls("http://svc:80")}, env)
	for range 4 {
		require.NoError(t, u.Do(get("/")))
	}
	kept, gone := k.at("10.1.0.1:80"), k.at("10.1.0.2:80")
	mu.Lock()
	answer = []netip.Addr{addr("10.1.0.1"), addr("10.1.0.3")}
	mu.Unlock()
	clock.advance(6 * time.Second)
	for range 4 {
		require.NoError(t, u.Do(get("/")))
	}
	require.Same(t, kept, k.at("10.1.0.1:80"))
	require.False(t, kept.closed.Load())
	require.True(t, gone.closed.Load(), "a removed address drains")
	require.EqualValues(t, 4, kept.calls.Load())
	require.EqualValues(t, 2, k.at("10.1.0.3:80").calls.Load())
	require.EqualValues(t, 4, u.Status().Endpoints[0].Requests)
}

func TestTheOldAnswerServesWhileANewOneIsFetched(t *testing.T) {
	t.Parallel()
	clock, asked, release := newClock(), make(chan struct{}, 9), make(chan struct{})
	env := stubEnv(&stubs{}, clock)
	first := true
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		if !first {
			asked <- struct{}{}
			<-release
		}
		first = false
		return Answer{Addrs: []netip.Addr{addr("10.1.0.1")}, TTL: time.Minute}, nil
	})
	u := newUpstream(t, unit.Upstream{Targets: urls("http://svc")}, env)
	require.NoError(t, u.Do(get("/")))
	clock.advance(4500 * time.Millisecond)
	require.NoError(t, u.Do(get("/")), "not delayed by resolution")
	<-asked
	require.NoError(t, u.Do(get("/")))
	require.Empty(t, asked, "asked once")
	close(release)
}

func TestFirstRequestWaitsForDNSNoLongerThanForAConnection(t *testing.T) {
	t.Parallel()
	clock, hang := newClock(), make(chan struct{})
	env := stubEnv(&stubs{}, clock)
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		<-hang
		return Answer{}, errors.New("name server is away")
	})
	u := newUpstream(t, unit.Upstream{Targets: urls("http://svc")}, env)
	result := make(chan error, 1)
	go func() { result <- u.Do(get("/")) }()
	require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
	clock.advance(defaultConnect)
	requireProblem(t, <-result, "upstream-timeout", 504)

	ctx, leave := context.WithCancel(t.Context())
	go func() {
		ex := get("/")
		ex.SetContext(ctx)
		result <- u.Do(ex)
	}()
	require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
	leave()
	requireProblem(t, <-result, "client-closed-request", 499)
	close(hang)
	require.Eventually(t, func() bool { return u.Status().Names[0].Error != "" }, 30*time.Second, time.Millisecond)
	p := requireProblem(t, u.Do(get("/")), "upstream-unavailable", 502)
	require.ErrorContains(t, errors.Unwrap(p), "name server is away")
}

func TestANameThatFailsDoesNotDelayOtherTargets(t *testing.T) {
	t.Parallel()
	clock := newClock()
	var mu sync.Mutex
	asked := 0
	env := stubEnv(&stubs{}, clock)
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return Answer{}, errors.New("no")
	})
	u := newUpstream(t, unit.Upstream{Targets: urls("http://svc", "http://10.0.0.1")}, env)
	for range 10 {
		require.NoError(t, u.Do(get("/")))
	}
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, 1, asked, "not asked for each request")
}

func TestRequestsGoOnWhileAddressesChange(t *testing.T) {
	t.Parallel()
	clock := newClock()
	k := &stubs{answer: func(s *stub, ex *policy.Exchange, _ *transport.Call) error {
		ex.Response.Status = 200
		return nil
	}}
	var mu sync.Mutex
	i := 0
	env := stubEnv(k, clock)
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		i++
		return Answer{Addrs: []netip.Addr{netip.AddrFrom4([4]byte{10, 3, 0, byte(i)})}}, nil
	})
	u := newUpstream(t, unit.Upstream{Targets: urls("http://svc")}, env)
	send(t, u, 1) // until there is an address, requests wait for no more than the connect time
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 300 {
				ex := get("/")
				if err := u.Do(ex); err != nil {
					t.Errorf("%v: %v", err, errors.Unwrap(err))
				}
				if strings.Contains(fmt.Sprint(ex.Outcome.Attempts), "after close") {
					t.Error("a closed client was used")
				}
			}
		})
	}
	wg.Go(func() {
		for range 100 {
			clock.advance(time.Second)
		}
	})
	wg.Wait()
}
