package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

// certificate makes a certificate for a name, as PEM.
func certificate(t testing.TB, name string, serial int64) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	require.NoError(t, err)
	kb, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb}))
}

// A certificate is chosen by name and changes without a restart; connections
// that are open go on. R5.5
func TestCertificatesChangeOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(file, name string, serial int64) {
		cert, key := certificate(t, name, serial)
		harness.Replace(t, filepath.Join(dir, file+".key"), key)
		harness.Replace(t, filepath.Join(dir, file+".crt"), cert)
	}
	put("a", "a.test", 1)
	put("b", "b.test", 2)
	g := harness.Start(t, fmt.Sprintf(`listeners:
  - address: "127.0.0.1:0"
    tls: {certificates: [{certFile: %[1]s/a.crt, keyFile: %[1]s/a.key}, {certFile: %[1]s/b.crt, keyFile: %[1]s/b.key}]}
apis:
`, dir)+api("x", backend(t, "up")))
	serial := func(name string, protos ...string) (int64, string) {
		c, err := tls.Dial("tcp", g.Traffic[0], &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protos, MinVersion: tls.VersionTLS12})
		if err != nil {
			return 0, err.Error()
		}
		defer func() { _ = c.Close() }() // nothing was sent
		s := c.ConnectionState()
		return s.PeerCertificates[0].SerialNumber.Int64(), s.NegotiatedProtocol
	}
	n, proto := serial("a.test", "h2", "http/1.1")
	require.EqualValues(t, 1, n)
	require.Equal(t, "h2", proto)
	n, proto = serial("b.test", "http/1.1")
	require.EqualValues(t, 2, n)
	require.Equal(t, "http/1.1", proto)
	n, why := serial("c.test")
	require.Zero(t, n)
	require.Contains(t, why, "unrecognized name")

	tr := &http.Transport{TLSClientConfig: &tls.Config{ServerName: "a.test", InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: harness.Patience}
	ask := func() int64 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+g.Traffic[0]+"/x/y", nil)
		require.NoError(t, err)
		r.Host = "a.test"
		resp, err := c.Do(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, 2, resp.ProtoMajor)
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	require.EqualValues(t, 1, ask())
	put("a", "a.test", 3)
	require.Eventually(t, func() bool { n, _ := serial("a.test"); return n == 3 }, harness.Patience, 20*time.Millisecond, g.Log)
	require.EqualValues(t, 1, ask(), "the open connection was cut")
	if testing.Short() { // files are looked at every 10 s
		return
	}
	// A file that is no certificate changes nothing.
	harness.Replace(t, filepath.Join(dir, "a.crt"), "nothing")
	require.Eventually(t, func() bool { return strings.Contains(g.Log.String(), "certificates not reloaded") }, harness.Patience, 20*time.Millisecond, g.Log)
	n, _ = serial("a.test")
	require.EqualValues(t, 3, n)
}

// The address in a PROXY header is the client's, and is believed from trusted
// peers only.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "client ", r.Header.Get("X-Forwarded-For"))
	}))
	t.Cleanup(up.Close)
	g := harness.Start(t, `listeners:
  - {address: "127.0.0.1:0", proxyProtocol: {trustedPeers: [127.0.0.1]}}
  - {address: "127.0.0.1:0", proxyProtocol: {trustedPeers: [10.0.0.0/8]}}
  - {address: "127.0.0.1:0"}
apis:
`+api("x", up.URL))
	ask := func(listener int, before string) string {
		c, err := net.Dial("tcp", g.Traffic[listener])
		require.NoError(t, err)
		defer func() { _ = c.Close() }() // the gateway closes it as well
		require.NoError(t, c.SetDeadline(time.Now().Add(harness.Patience)))
		_, err = io.WriteString(c, before+"GET /x/y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		b, _ := io.ReadAll(c) // a reset is an answer, too
		return string(b)
	}
	const v1 = "PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n"
	const v2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x08\x7f\x00\x00\x01\x04\xd2\x00\x50"
	require.Contains(t, ask(0, v1), "client 192.0.2.7")
	require.Contains(t, ask(0, v2), "client 192.0.2.8")
	require.Empty(t, ask(0, ""), "a trusted peer must send one")
	require.Contains(t, ask(1, ""), "client 127.0.0.1")
	require.NotContains(t, ask(1, v1), "200 OK")
	require.NotContains(t, ask(2, v1), "200 OK")
	require.Contains(t, ask(2, ""), "client 127.0.0.1")
}

// Each listener has limits of its own.
func TestEachListenerHasItsLimits(t *testing.T) {
	t.Parallel()
	g := harness.Start(t, `listeners:
  - {address: "127.0.0.1:0"}
  - {address: "127.0.0.1:0", limits: {uriBytes: 200}}
apis:
`+api("x", backend(t, "up")))
	long := "/x/" + strings.Repeat("a", 300)
	require.Equal(t, 200, first(harness.Get(t, client(t), "http://"+g.Traffic[0]+long)))
	require.Equal(t, 414, first(harness.Get(t, client(t), "http://"+g.Traffic[1]+long)))
}
