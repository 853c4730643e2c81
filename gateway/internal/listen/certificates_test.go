package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// shake opens a TLS connection and returns the common name of the certificate
// that the server showed.
func shake(address, name string, config *tls.Config) (string, *tls.Conn, error) {
	config = config.Clone()
	config.ServerName = name
	if name == "" {
		config.InsecureSkipVerify = true
	}
	c, err := tls.Dial("tcp", address, config)
	if err != nil {
		return "", nil, err
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, c, nil
}

func TestCertificateByName(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	certs := []Certificate{
		ca.issue(t, "first", "first.test"), ca.issue(t, "wild", "*.test"), ca.issue(t, "exact", "a.test", "b.example"),
	}
	s, _ := start(t, Listener{TLS: &TLS{Certificates: certs}})
	lenient, _ := start(t, Listener{TLS: &TLS{Certificates: certs, UnknownName: "default"}})
	config := &tls.Config{RootCAs: ca.pool()}
	for name, want := range map[string]string{
		"a.test": "exact", "A.TEST": "exact", "c.test": "wild", "first.test": "first", "b.example": "exact", "": "first",
	} {
		got, c, err := shake(s.Addr().String(), name, config)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
		require.NoError(t, c.Close())
	}
	for _, name := range []string{"other.example", "x.y.test", "test"} {
		_, _, err := shake(s.Addr().String(), name, config)
		require.ErrorContains(t, err, "unrecognized name", name)
		got, c, err := shake(lenient.Addr().String(), name, &tls.Config{InsecureSkipVerify: true})
		require.NoError(t, err)
		require.Equal(t, "first", got)
		require.NoError(t, c.Close())
	}
	_, _, err := shake(s.Addr().String(), "a.test", &tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS11})
	require.Error(t, err)
}

// A certificate and its key may be kept elsewhere, and are read again as files are.
func TestCertificatesByReference(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	pair := ca.issue(t, "one", "a.test")
	var away error
	look := func(scheme, name string) (string, error) {
		require.Equal(t, "vault", scheme)
		return map[string]string{"secret/tls#cert": pair.Cert, "secret/tls#key": pair.Key}[name], away
	}
	config := TLS{Certificates: []Certificate{{Cert: "vault:secret/tls#cert", Key: "vault:secret/tls#key"}}}
	certs, err := NewCertificates(config, true, look, quiet())
	require.NoError(t, err)
	named := func() string {
		c, err := certs.choose(&tls.ClientHelloInfo{ServerName: "a.test"})
		require.NoError(t, err)
		return c.Leaf.Subject.CommonName
	}
	require.Equal(t, "one", named())
	pair = ca.issue(t, "two", "a.test")
	require.NoError(t, certs.Reload())
	require.Equal(t, "two", named())
	away = errors.New("vault:secret/tls#cert: it cannot be read now")
	require.ErrorContains(t, certs.Reload(), "it cannot be read now")
	require.Equal(t, "two", named(), "the former one stays in use")
	_, err = NewCertificates(config, true, look, quiet())
	require.Error(t, err, "there is none to begin with")
}

// R5.5: certificates change without a restart and without touching connections.
func TestCertificatesChangeUnderConnections(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	dir := t.TempDir()
	files := Certificate{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	put := func(c Certificate) {
		require.NoError(t, os.WriteFile(files.KeyFile, []byte(c.Key), 0o600))
		require.NoError(t, os.WriteFile(files.CertFile, []byte(c.Cert), 0o600))
	}
	put(ca.issue(t, "one", "a.test"))
	s, certs := start(t, Listener{TLS: &TLS{Certificates: []Certificate{files}}})
	certs.every = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() { defer close(watched); certs.Run(ctx) }()
	defer func() { cancel(); <-watched }()

	config := &tls.Config{RootCAs: ca.pool(), ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	got, open, err := shake(s.Addr().String(), "a.test", config)
	require.NoError(t, err)
	require.Equal(t, "one", got)
	ask(t, open) // also takes in the session ticket
	require.False(t, open.ConnectionState().DidResume)

	put(ca.issue(t, "two", "a.test"))
	require.Eventually(t, func() bool {
		got, c, err := shake(s.Addr().String(), "a.test", &tls.Config{RootCAs: ca.pool()})
		if err == nil {
			_ = c.Close()
		}
		return got == "two"
	}, 30*time.Second, 5*time.Millisecond)
	ask(t, open) // the open connection goes on

	_, resumed, err := shake(s.Addr().String(), "a.test", config)
	require.NoError(t, err)
	require.True(t, resumed.ConnectionState().DidResume, "sessions outlive the change of the certificate")
	require.NoError(t, resumed.Close())
	require.NoError(t, certs.RotateTickets())
	_, resumed, err = shake(s.Addr().String(), "a.test", config)
	require.NoError(t, err)
	require.True(t, resumed.ConnectionState().DidResume, "and a rotation of the keys")
	require.NoError(t, resumed.Close())

	require.NoError(t, os.WriteFile(files.CertFile, []byte("not PEM"), 0o600))
	require.Error(t, certs.Reload())
	got, c, err := shake(s.Addr().String(), "a.test", &tls.Config{RootCAs: ca.pool()})
	require.NoError(t, err)
	require.Equal(t, "two", got, "a bad file changes nothing")
	require.NoError(t, c.Close())

	three := ca.issue(t, "three", "a.test")
	require.NoError(t, certs.SetCertificates([]Certificate{CertificateOf(unit.Certificate{Chain: three.Cert, Key: three.Key})}))
	got, c, err = shake(s.Addr().String(), "a.test", &tls.Config{RootCAs: ca.pool()})
	require.NoError(t, err)
	require.Equal(t, "three", got)
	require.NoError(t, c.Close())
	ask(t, open)
	require.NoError(t, open.Close())
}

// ask sends a request over an open HTTP/1 connection.
func ask(t *testing.T, c *tls.Conn) {
	t.Helper()
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	buf := make([]byte, 1024)
	n, err := c.Read(buf)
	require.NoError(t, err)
	require.Contains(t, string(buf[:n]), "200 OK")
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ca, clients, others := newAuthority(t, "ca"), newAuthority(t, "clients"), newAuthority(t, "others")
	bank := ca.issue(t, "bank", "bank.test")
	bank.ClientAuth = ClientAuth{Mode: "require", CA: clients.pem}
	shop := ca.issue(t, "shop", "shop.test")
	maybe := ca.issue(t, "maybe", "maybe.test")
	maybe.ClientAuth = ClientAuth{Mode: "request", CA: clients.pem}
	config := TLS{Certificates: []Certificate{shop, bank, maybe}}
	s, certs := start(t, Listener{TLS: &config})

	// Each client keeps to the address and the TLS name, whatever Host it sends.
	client := func(name string, cert *Certificate) *http.Client {
		tc := &tls.Config{RootCAs: ca.pool(), ServerName: name}
		if cert != nil {
			tc.Certificates = []tls.Certificate{cert.pair(t)}
		}
		tr := &http.Transport{TLSClientConfig: tc, ForceAttemptHTTP2: true}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	status := func(c *http.Client, host string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("https://%s/", s.Addr()), nil)
		require.NoError(t, err)
		r.Host = host
		res, err := c.Do(r)
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		require.Equal(t, 2, res.ProtoMajor)
		return res.StatusCode
	}
	good, bad := clients.issue(t, "c"), others.issue(t, "o")
	require.Equal(t, 200, status(client("bank.test", &good), "bank.test"))
	require.Equal(t, 0, status(client("bank.test", nil), "bank.test"))
	require.Equal(t, 0, status(client("bank.test", &bad), "bank.test"))
	require.Equal(t, 200, status(client("maybe.test", nil), "maybe.test"))
	require.Equal(t, 200, status(client("maybe.test", &good), "maybe.test"))

	fronting := client("shop.test", &good)
	require.Equal(t, 200, status(fronting, "shop.test"))
	require.Equal(t, 421, status(fronting, "bank.test"), "no certificate was asked for on this connection")
	require.Equal(t, 421, status(fronting, "BANK.test.:443"), "in whatever spelling")
	require.Equal(t, 421, status(fronting, "maybe.test"))
	require.Equal(t, 421, status(client("maybe.test", nil), "bank.test"))
	require.Equal(t, 200, status(client("maybe.test", &good), "bank.test"), "the client is the same, and proven")
	require.Equal(t, 200, status(client("bank.test", &good), "shop.test"), "nothing is asked for here")

	// The issuers change: open connections no longer count for the name.
	before := client("bank.test", &good)
	require.Equal(t, 200, status(before, "bank.test"))
	bank.CA = others.pem
	require.NoError(t, certs.Set(TLS{Certificates: []Certificate{shop, bank, maybe}}))
	require.Equal(t, 421, status(before, "bank.test"))
	require.Equal(t, 200, status(client("bank.test", &bad), "bank.test"))
	require.Equal(t, 0, status(client("bank.test", &good), "bank.test"))
}

func TestSessionsDoNotCrossClientAuthentication(t *testing.T) {
	t.Parallel()
	ca, clients := newAuthority(t, "ca"), newAuthority(t, "clients")
	c := ca.issue(t, "a", "a.test")
	c.ClientAuth = ClientAuth{Mode: "require", CA: clients.pem}
	s, certs := start(t, Listener{TLS: &TLS{Certificates: []Certificate{c}}})
	config := &tls.Config{
		RootCAs: ca.pool(), ClientSessionCache: tls.NewLRUClientSessionCache(8),
		Certificates: []tls.Certificate{clients.issue(t, "c").pair(t)},
	}
	_, first, err := shake(s.Addr().String(), "a.test", config)
	require.NoError(t, err)
	ask(t, first)
	require.NoError(t, first.Close())

	c.CA = newAuthority(t, "new").pem
	require.NoError(t, certs.SetCertificates([]Certificate{c}))
	_, second, err := shake(s.Addr().String(), "a.test", config)
	if err == nil { // in TLS 1.3 the refusal comes with the first read
		_, err = second.Read(make([]byte, 1))
		_ = second.Close()
	}
	require.Error(t, err, "the session of the old issuers must not be resumed")
}

func TestALPNAndH2C(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	cert := ca.issue(t, "a", "a.test")
	off := false
	with, _ := start(t, Listener{TLS: &TLS{Certificates: []Certificate{cert}}})
	without, _ := start(t, Listener{TLS: &TLS{Certificates: []Certificate{cert}}, HTTP2: &off})
	plain, _ := start(t, Listener{H2C: true})

	fetch := func(tr *http.Transport, url string) (int, string) {
		defer tr.CloseIdleConnections()
		res, err := (&http.Client{Transport: tr}).Get(url)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.ProtoMajor, string(b[:1])
	}
	secure := func() *http.Transport {
		return &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: ca.pool(), ServerName: "a.test"}}
	}
	major, by := fetch(secure(), "https://"+with.Addr().String())
	require.Equal(t, 2, major)
	require.Equal(t, "2", by)
	major, by = fetch(secure(), "https://"+without.Addr().String())
	require.Equal(t, 1, major)
	require.Equal(t, "1", by)

	prior := &http.Transport{Protocols: new(http.Protocols)}
	prior.Protocols.SetUnencryptedHTTP2(true)
	major, by = fetch(prior, "http://"+plain.Addr().String())
	require.Equal(t, 2, major)
	require.Equal(t, "2", by)
	major, by = fetch(&http.Transport{}, "http://"+plain.Addr().String())
	require.Equal(t, 1, major)
	require.Equal(t, "1", by)

	// Byte by byte, the choice is the same.
	c, err := net.Dial("tcp", plain.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	for _, b := range preface {
		_, err = c.Write([]byte{b})
		require.NoError(t, err)
	}
	_, err = c.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // empty SETTINGS
	require.NoError(t, err)
	head := make([]byte, 9)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	_, err = io.ReadFull(c, head)
	require.NoError(t, err)
	require.Equal(t, byte(4), head[3], "the server answers with SETTINGS")
	require.Contains(t, talk(t, plain.Addr().String(), "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "200 OK")
}

func TestLoadingNamesTheCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	a, b := ca.issue(t, "a", "a.test"), ca.issue(t, "b", "a.test")
	b.ClientAuth = ClientAuth{Mode: "require", CA: ca.pem}
	for want, c := range map[string]TLS{
		"there is none": {},
		"loading certificate 1: the certificates for a.test differ in client authentication": {Certificates: []Certificate{a, b}},
		"loading certificate 0: open ":                                      {Certificates: []Certificate{{CertFile: "nowhere", KeyFile: "nowhere"}}},
		"loading certificate 0: tls: private key does not match public key": {Certificates: []Certificate{{Cert: a.Cert, Key: b.Key}}},
		"loading the client CA: no certificate in it":                       {Certificates: []Certificate{a}, ClientAuth: ClientAuth{Mode: "require", CA: "x"}},
	} {
		_, err := NewCertificates(c, true, nil, quiet())
		require.ErrorContains(t, err, want)
	}
}

func TestMisdirectedCostsNothing(t *testing.T) {
	ca := newAuthority(t, "ca")
	c, err := NewCertificates(TLS{Certificates: []Certificate{ca.issue(t, "a", "a.test")}}, true, nil, quiet())
	require.NoError(t, err)
	state := &tls.ConnectionState{ServerName: "a.test", VerifiedChains: [][]*x509.Certificate{}}
	require.Zero(t, testing.AllocsPerRun(100, func() { c.Misdirected(state, "a.test") }))
}
