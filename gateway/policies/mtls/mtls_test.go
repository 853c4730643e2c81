package mtls_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/mtls"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

var now = policytest.NewClock().Now()

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	return (*authority)(nil).issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
}

func (a *authority) issue(t *testing.T, tmpl *x509.Certificate) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl.SerialNumber = big.NewInt(0xbeef)
	if tmpl.NotAfter.IsZero() {
		tmpl.NotBefore, tmpl.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	}
	parent, signer := tmpl, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{c, key}
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func shows(verified bool, certs ...*x509.Certificate) policytest.Request {
	return policytest.Request{Edit: func(ex *policy.Exchange) {
		ex.Request.TLS = &tls.ConnectionState{PeerCertificates: certs}
		if verified {
			ex.Request.TLS.VerifiedChains = [][]*x509.Certificate{certs}
		}
	}}
}

func config(t *testing.T, m map[string]any) string {
	t.Helper()
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}

type m = map[string]any

func TestMTLS(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, mtls.Definition())
	ca, otherCA := newAuthority(t, "Root"), newAuthority(t, "Other")
	between := ca.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	spiffe, err := url.Parse("spiffe://example/orders")
	require.NoError(t, err)
	client := func() *x509.Certificate {
		return &x509.Certificate{
			Subject: pkix.Name{CommonName: "orders", Organization: []string{"Example"}}, DNSNames: []string{"orders.example"}, URIs: []*url.URL{spiffe},
			EmailAddresses: []string{"orders@example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
	}
	good := ca.issue(t, client()).cert
	deep := between.issue(t, client()).cert
	foreign := otherCA.issue(t, client()).cert
	tmpl := client()
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server := ca.issue(t, tmpl).cert
	tmpl = client()
	tmpl.NotBefore, tmpl.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Second)
	old := ca.issue(t, tmpl).cert

	creds := policytest.Credentials{policy.KindCertificate: {string(good.Raw): {ID: "c1", Application: &policy.Application{ID: "a"}, Plan: "gold"}}}
	named := func(name string) policytest.Credentials {
		return policytest.Credentials{policy.KindCertificate: {name: {ID: "c2", Application: &policy.Application{ID: "a"}}}}
	}
	missing := policytest.Want{Status: 401, Code: problem.CodeCredentialMissing, NotSent: true}
	invalid := policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, NotSent: true}
	expired := policytest.Want{Status: 401, Code: problem.CodeCredentialExpired, NotSent: true}
	denied := policytest.Want{Status: 403, Code: problem.CodeAccessDenied, NotSent: true}
	withCA := m{"trust": "ca", "ca": ca.pem()}
	need := m{"application": "required"}
	for name, c := range map[string]struct {
		config  m
		creds   policytest.Credentials
		request policytest.Request
		want    policytest.Want
	}{
		"no TLS":                        {nil, nil, policytest.Request{}, missing},
		"no certificate":                {nil, nil, shows(false), missing},
		"verified by the listener":      {nil, nil, shows(true, good), policytest.Want{}},
		"not verified by the listener":  {nil, nil, shows(false, good), invalid},
		"expired since the handshake":   {nil, nil, shows(true, old), expired},
		"own authority":                 {withCA, nil, shows(false, good), policytest.Want{}},
		"own authority, in between":     {withCA, nil, shows(false, deep, between.cert), policytest.Want{}},
		"in between is not shown":       {withCA, nil, shows(false, deep), invalid},
		"another authority":             {withCA, nil, shows(true, foreign), invalid},
		"for servers":                   {withCA, nil, shows(false, server), invalid},
		"by fingerprint":                {m{"trust": "fingerprint"}, creds, shows(false, good), policytest.Want{}},
		"by another fingerprint":        {m{"trust": "fingerprint"}, creds, shows(true, foreign), invalid},
		"a name is no fingerprint":      {m{"trust": "fingerprint"}, named("orders.example"), shows(true, good), invalid},
		"application by fingerprint":    {need, creds, shows(true, good), policytest.Want{}},
		"application by URI":            {need, named("spiffe://example/orders"), shows(true, good), policytest.Want{}},
		"application by DNS name":       {need, named("orders.example"), shows(true, good), policytest.Want{}},
		"application by e-mail":         {need, named("orders@example"), shows(true, good), policytest.Want{}},
		"application by subject":        {need, named("CN=orders,O=Example"), shows(true, good), policytest.Want{}},
		"no application":                {need, named("orders"), shows(true, good), denied},
		"allowed by SAN":                {m{"allow": []m{{"san": "^dns:orders\\.example$"}}}, nil, shows(true, good), policytest.Want{}},
		"not allowed by SAN":            {m{"allow": []m{{"san": "^dns:example$"}}}, nil, shows(true, good), denied},
		"allowed by subject and issuer": {m{"allow": []m{{"subject": "O=Example$", "issuer": "^CN=Root$"}}}, nil, shows(true, good), policytest.Want{}},
		"another issuer":                {m{"allow": []m{{"subject": "O=Example$", "issuer": "^CN=Root$"}}}, nil, shows(true, foreign), denied},
		"extension":                     {m{"allow": []m{{"extensions": []string{"1.3.6.1.5.5.7.3.2", "2.5.29.17"}}}}, nil, shows(true, good), policytest.Want{}},
		"extension that is not there":   {m{"allow": []m{{"extensions": []string{"1.2.3.4"}}}}, nil, shows(true, good), denied},
		"denied":                        {m{"deny": []m{{"subject": "CN=orders"}}}, nil, shows(true, good), denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o []policytest.Option
			if c.creds != nil {
				o = append(o, policytest.WithCredentials(c.creds))
			}
			if c.config == nil {
				c.config = m{}
			}
			h := policytest.New(t, mtls.Definition(), config(t, c.config), o...)
			for range 2 {
				res := h.Do(c.request, policytest.Upstream{})
				res.Check(c.want)
				if c.want.Status == 0 {
					require.Equal(t, policy.KindCertificate, res.Exchange().Caller.Kind)
					require.Equal(t, "CN=orders,O=Example", res.Exchange().Caller.Subject)
				}
			}
		})
	}

	t.Run("headers", func(t *testing.T) {
		t.Parallel()
		h := policytest.New(t, mtls.Definition(), config(t, m{"headers": m{"X-Name": "dns", "X-Serial": "serial", "Client-Cert": "certificate"}}))
		r := shows(true, good)
		r.Header = map[string]string{"x_name": "forged", "X-Serial": "forged"}
		h.Do(r, policytest.Upstream{}).Check(policytest.Want{Sent: &policytest.Sent{Header: map[string]string{
			"X-Name": "orders.example", "X_name": "", "X-Serial": "beef", "Client-Cert": ":" + base64.StdEncoding.EncodeToString(good.Raw) + ":",
		}}})
	})

	t.Run("told by a proxy", func(t *testing.T) {
		t.Parallel()
		h := policytest.New(t, mtls.Definition(), config(t, m{"trust": "ca", "ca": ca.pem(), "header": "Client-Cert", "trustedProxies": []string{"10.0.0.0/8"}}))
		from := func(peer string, values ...string) policytest.Request {
			return policytest.Request{Edit: func(ex *policy.Exchange) {
				ex.Request.Peer = netip.MustParseAddrPort(peer + ":1")
				for _, v := range values {
					ex.Request.Header.Add("client-cert", v)
				}
			}}
		}
		b64 := base64.StdEncoding.EncodeToString
		text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.Raw}))
		gone := policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"Client-Cert": ""}}}
		for _, v := range []string{":" + b64(good.Raw) + ":", b64(good.Raw), url.PathEscape(text), strings.ReplaceAll(url.PathEscape(text), "+", "%2B")} {
			h.Do(from("10.1.1.1", v), policytest.Upstream{}).Check(gone)
			h.Do(from("11.1.1.1", v), policytest.Upstream{}).Check(missing)
		}
		h.Do(from("10.1.1.1"), policytest.Upstream{}).Check(missing)
		h.Do(from("10.1.1.1", ""), policytest.Upstream{}).Check(invalid)
		h.Do(from("10.1.1.1", "nonsense"), policytest.Upstream{}).Check(invalid)
		h.Do(from("10.1.1.1", b64(good.Raw), b64(good.Raw)), policytest.Upstream{}).Check(invalid)
		h.Do(from("10.1.1.1", b64(foreign.Raw)), policytest.Upstream{}).Check(invalid)
	})

	for _, c := range []m{
		{"trust": "ca"},
		{"ca": ca.pem()},
		{"trust": "ca", "ca": "x"},
		{"header": "X", "trustedProxies": []string{"10.0.0.1"}},
		{"trust": "fingerprint", "header": "X"},
		{"trustedProxies": []string{"10.0.0.1"}},
		{"allow": []m{{}}},
		{"headers": m{"X": "colour"}},
		{"allow": []m{{"subject": "("}}},
		{"allow": []m{{"extensions": []string{"x"}}}},
	} {
		_, err := policytest.Compile(t, mtls.Definition(), config(t, c))
		require.Error(t, err, c)
	}
}

// The whole way: a handshake in which the listener verifies the client.
func TestAHandshake(t *testing.T) {
	t.Parallel()
	ca := (*authority)(nil).issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	client := ca.issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "orders"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	h := policytest.New(t, mtls.Definition(), `application: required`, policytest.WithCredentials(policytest.Credentials{
		policy.KindCertificate: {string(client.cert.Raw): {ID: "c1", Application: &policy.Application{ID: "a"}}},
	}))
	var got []int
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		res := h.Do(policytest.Request{Edit: func(ex *policy.Exchange) { ex.Request.TLS, ex.Start = r.TLS, time.Now() }}, policytest.Upstream{})
		got = append(got, res.Status)
	}))
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	srv.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	for _, certs := range [][]tls.Certificate{nil, {{Certificate: [][]byte{client.cert.Raw}, PrivateKey: client.key}}} {
		c := srv.Client()
		c.Transport.(*http.Transport).TLSClientConfig.Certificates = certs
		resp, err := c.Get(srv.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		c.CloseIdleConnections()
	}
	require.Equal(t, []int{401, 200}, got)
}
