package nethttp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// patience is how long a busy machine may take; it costs only where a test fails.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is a handler as the transports see the engine: it serves by a function,
// or passes on to an upstream.
type engine struct {
	up      transport.Client
	serve   func(ex *policy.Exchange)
	call    transport.Call
	pool    sync.Pool
	mu      sync.Mutex
	outcome []policy.Outcome
	fails   []transport.Failure
	calls   []transport.Call
	open    int
}

func (e *engine) Acquire() *policy.Exchange {
	e.mu.Lock()
	e.open++
	e.mu.Unlock()
	if ex, ok := e.pool.Get().(*policy.Exchange); ok {
		return ex
	}
	return new(policy.Exchange)
}

func (e *engine) Release(ex *policy.Exchange) {
	e.mu.Lock()
	e.outcome = append(e.outcome, ex.Outcome)
	e.open--
	e.mu.Unlock()
	ex.Reset()
	e.pool.Put(ex)
}

func (e *engine) outcomes() []policy.Outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]policy.Outcome(nil), e.outcome...)
}

func (e *engine) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open == 0
}

func (e *engine) Refuse(ex *policy.Exchange, p *problem.Problem) {
	ex.Response.Header.Reset()
	ex.Response.Body.SetBytes(p.JSON())
	ex.Response.Status, ex.Response.Source = p.Status, policy.SourceError
	ex.Response.Header.Set("Content-Type", problem.ContentType)
	ex.Outcome.Err = p
}

func (e *engine) Serve(ex *policy.Exchange) {
	if e.serve != nil {
		e.serve(ex)
		return
	}
	call := e.call
	call.Authority, call.Path = ex.Request.Authority, ex.Request.RawPath
	if call.ConnectTimeout == 0 {
		call.ConnectTimeout = 30 * time.Second
	}
	err := e.up.RoundTrip(ex, &call)
	e.mu.Lock()
	e.calls = append(e.calls, call)
	e.fails = append(e.fails, transport.FailureOf(err))
	e.mu.Unlock()
	if err == nil {
		return
	}
	code := problem.CodeUpstreamUnavailable
	var p *problem.Problem
	switch transport.FailureOf(err) {
	case transport.FailedTimeout:
		code = problem.CodeUpstreamTimeout
	case transport.FailedInvalid:
		code = problem.CodeUpstreamInvalid
	case transport.FailedTooLarge:
		code = problem.CodeUpstreamTooLarge
	case transport.FailedCanceled:
		code = problem.CodeClientClosed
	case transport.FailedBody:
		if errors.As(err, &p) {
			e.Refuse(ex, p)
			return
		}
	}
	e.Refuse(ex, problem.New(code, "").Because(err))
}

// serveH2 serves s on a loopback port, with TLS where config is not nil.
func serveH2(t testing.TB, s *Server, config *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var conns sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			conns.Go(func() {
				if config != nil {
					tc := tls.Server(c, config)
					if tc.HandshakeContext(ctx) != nil {
						_ = c.Close()
						return
					}
					s.ServeConn(ctx, tc)
					return
				}
				s.ServeConn(ctx, c)
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		conns.Wait()
	})
	return l.Addr().String()
}

// certificate returns a server's TLS configuration and that of a client which
// trusts it.
func certificate(t testing.TB, names ...string) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos:   []string{"h2"}, MinVersion: tls.VersionTLS12,
	}
	return server, &tls.Config{RootCAs: roots, ServerName: names[0], MinVersion: tls.VersionTLS12}
}

func newClient(t testing.TB, address string, config *tls.Config, protocol string, change ...func(*transport.ClientOptions)) transport.Client {
	t.Helper()
	_, err := netip.ParseAddrPort(address)
	require.NoError(t, err)
	o := transport.ClientOptions{Target: transport.Target{Network: "tcp", Address: address, Authority: address, TLS: config}}
	for _, f := range change {
		f(&o)
	}
	c, err := NewClient(o, protocol)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
