package listen

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/internal/nethttp"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestMain(m *testing.M) {
	if role := os.Getenv("GATEHOUSE_TEST_SERVER"); role != "" {
		os.Exit(serverProcess(role))
	}
	goleak.VerifyTestMain(m)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// plain1 is a small HTTP/1.1 server that answers with who it thinks the client
// is, and drains as a ConnServer is to.
type plain1 struct{}

func (plain1) ServeConn(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Now().Add(time.Second)) })
	defer stop()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		closing := r.Close || ctx.Err() != nil || c.(interface{ Draining() bool }).Draining()
		body := "1 " + c.(interface{ Peer() netip.AddrPort }).Peer().String()
		header := ""
		if closing {
			header = "Connection: close\r\n"
		}
		_, err = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
		if err != nil || closing {
			return
		}
	}
}

// answer is an engine that answers with who the client is.
type answer struct{}

func (answer) Acquire() *policy.Exchange { return new(policy.Exchange) }
func (answer) Release(*policy.Exchange)  {}
func (answer) Serve(ex *policy.Exchange) {
	ex.Respond(200, "text/plain", []byte("2 "+ex.Request.Peer.String()))
}

func (answer) Refuse(ex *policy.Exchange, p *problem.Problem) {
	ex.Respond(p.Status, problem.ContentType, p.JSON())
}

func start(t *testing.T, l Listener, change ...func(*nethttp.Server)) (*Server, *Certificates) {
	t.Helper()
	if l.Address == "" {
		l.Address = "127.0.0.1:0"
	}
	h2 := &nethttp.Server{Handler: answer{}, Limits: l.Limits.Transport()}
	o := Options{HTTP1: plain1{}, HTTP2: h2, Log: quiet()}
	if l.TLS != nil {
		var err error
		o.Certificates, err = NewCertificates(*l.TLS, l.OffersHTTP2(), nil, quiet())
		require.NoError(t, err)
		h2.Misdirected = o.Certificates.Misdirected
	}
	for _, f := range change {
		f(h2)
	}
	s, err := Open(t.Context(), l, o)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = s.Shutdown(ctx, 0)
		require.NoError(t, <-done)
	})
	return s, o.Certificates
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// issue returns a certificate of that common name for the given host names.
func (a *authority) issue(t testing.TB, name string, hosts ...string) Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: hosts, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return Certificate{
		Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})),
	}
}

func (c Certificate) pair(t testing.TB) tls.Certificate {
	t.Helper()
	p, err := tls.X509KeyPair([]byte(c.Cert), []byte(c.Key))
	require.NoError(t, err)
	return p
}
