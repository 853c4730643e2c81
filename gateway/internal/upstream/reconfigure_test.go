package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func TestReconfigurationKeepsWhatIsTheSame(t *testing.T) {
	t.Parallel()
	s, clock := &sick{}, newClock()
	k := &stubs{answer: s.answer}
	cfg := passively(4, unit.PassiveHealth{})
	old := newUpstream(t, cfg, stubEnv(k, clock))
	s.set(many1(1), true)
	send(t, old, 30)
	require.Equal(t, Ejected, old.Status().Endpoints[1].Condition)

	next := passively(5, unit.PassiveHealth{})
	next.Targets = next.Targets[1:] // the first leaves, a fifth comes
	next.Targets[1].Weight = 3
	u := newUpstream(t, next, stubEnv(k, clock), WithPrevious(old))
	require.Len(t, k.made, 5, "only the new target has a new client")
	require.Equal(t, []Condition{Ejected, Healthy, Healthy, Healthy}, conditions(u))
	send(t, old, 4) // both serve until the old one is closed
	send(t, u, 4)
	// What one learns the other knows.
	s.set(many1(1), false)
	clock.advance(10 * time.Second)
	send(t, u, 1)
	require.Equal(t, Healthy, old.Status().Endpoints[1].Condition)
	require.True(t, old.Status().Endpoints[1].Serving)
	old.Close()
	old.Close()
	for i := range 5 {
		require.Equal(t, i == 0, k.at(many1(i)).closed.Load(), "%d", i)
	}
	requireProblem(t, old.Do(get("/")), "upstream-unavailable", 503)
	send(t, u, 20)

	// A configuration that is given up leaves all as it was.
	discarded, err := New(cfg, stubEnv(k, clock), WithPrevious(u))
	require.NoError(t, err)
	discarded.Close()
	send(t, u, 20)

	// Other settings of connections need other connections; health is kept.
	require.Equal(t, 3, u.Status().Endpoints[1].Weight)
	requests := u.Status().Endpoints[1].Requests
	next.Pool.MaxConns = 7
	last := newUpstream(t, next, stubEnv(k, clock), WithPrevious(u))
	u.Close()
	require.Equal(t, 7, k.at(many1(2)).options.MaxConns)
	require.Equal(t, requests, last.Status().Endpoints[1].Requests)
	send(t, last, 4)
	last.Close()
	for _, c := range k.made {
		require.True(t, c.closed.Load())
	}
}

func TestReconfigurationUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	k, clock := &stubs{}, newClock()
	var mu sync.RWMutex
	u, err := New(unit.Upstream{Targets: many(3)}, stubEnv(k, clock))
	require.NoError(t, err)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.RLock()
				ex := get("/")
				err := u.Do(ex)
				mu.RUnlock()
				if err != nil || ex.Outcome.Attempts[0].Error != "" {
					t.Errorf("%v %v", err, ex.Outcome.Attempts)
				}
			}
		})
	}
	for i := range 200 {
		next, err := New(unit.Upstream{Targets: many(1 + i%4)}, stubEnv(k, clock), WithPrevious(u))
		require.NoError(t, err)
		mu.Lock()
		old := u
		u = next
		mu.Unlock()
		old.Close()
	}
	close(stop)
	wg.Wait()
	u.Close()
	for _, c := range k.made {
		require.True(t, c.closed.Load())
	}
}

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	c, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{c, key}
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func (a *authority) issue(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, k.Public(), a.key)
	require.NoError(t, err)
	kb, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb}))
}

func TestTLS(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	cert, key := a.issue(t, "svc.example")
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	names := make(chan string, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.TLS.PeerCertificates[0].Subject.CommonName))
	}))
	server.TLS = &tls.Config{
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12, MinVersion: tls.VersionTLS12,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			names <- h.ServerName
			return &pair, nil
		},
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	clientCert, clientKey := a.issue(t, "gateway")
	_, otherKey := a.issue(t, "other")
	good := unit.TLS{CA: a.pem(), Certificate: clientCert, Key: clientKey, ServerName: "svc.example"}
	try := func(change func(*unit.TLS)) (string, error) {
		c := good
		change(&c)
		u, err := New(unit.Upstream{Targets: urls(server.URL), TLS: &c, Retries: &unit.Retries{On: []string{"timeout"}}}, Env{NewClient: newReal})
		if err != nil {
			return "", err
		}
		t.Cleanup(u.Close)
		ex := get("/")
		if err := u.Do(ex); err != nil {
			return "", err
		}
		return content(t, ex), nil
	}
	got, err := try(func(*unit.TLS) {})
	require.NoError(t, err, "%v", errors.Unwrap(err))
	require.Equal(t, "gateway", got)
	require.Equal(t, "svc.example", <-names)
	for name, change := range map[string]func(*unit.TLS){
		"unknown authority":     func(c *unit.TLS) { c.CA = stranger.pem() },
		"system's authorities":  func(c *unit.TLS) { c.CA = "" },
		"another name":          func(c *unit.TLS) { c.ServerName = "" },
		"no client certificate": func(c *unit.TLS) { c.Certificate, c.Key = "", "" },
		"version":               func(c *unit.TLS) { c.MinVersion = "1.3" },
	} {
		_, err := try(change)
		requireProblem(t, err, "upstream-unavailable", 502)
		require.Error(t, errors.Unwrap(err), name)
	}
	_, err = try(func(c *unit.TLS) { c.Key = otherKey })
	requireProblem(t, err, "invalid-input", 422)
	got, err = try(func(c *unit.TLS) { c.CA, c.InsecureSkipVerify = "", true })
	require.NoError(t, err)
	require.Equal(t, "gateway", got)
}

func TestProbesUseTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert, key := a.issue(t, "svc.example")
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	require.NoError(t, err)
	protocols := make(chan string, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocols <- r.Proto }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	for protocol, want := range map[string]string{"http1": "HTTP/1.1", "h2": "HTTP/2.0", "auto": "HTTP/2.0"} {
		clock := newClock()
		env := stubEnv(&stubs{}, clock)
		u := newUpstream(t, unit.Upstream{
			Protocol: protocol, Targets: urls(server.URL), TLS: &unit.TLS{CA: a.pem(), ServerName: "svc.example"},
			Health: unit.Health{Active: &unit.ActiveHealth{Path: "/", Unhealthy: 1}},
		}, env)
		require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
		clock.advance(10 * time.Second)
		require.Equal(t, want, <-protocols)
		require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
		require.Equal(t, []Condition{Healthy}, conditions(u))
	}
}
