package tenantmanager_test

import (
	"crypto/ecdsa"
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
	"net/http/httputil"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate: of an authority, or for nil its own.
func (by *issued) issue(t testing.TB, tmpl x509.Certificate) *issued {
	t.Helper()
	key := newECKey(t)
	tmpl.SerialNumber = big.NewInt(time.Now().UnixNano())
	if tmpl.NotAfter.IsZero() {
		tmpl.NotBefore, tmpl.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := &tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, parent, key.Public(), signer)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &issued{c, key}
}

func newCA(t testing.TB, name string) *issued {
	t.Helper()
	return (*issued)(nil).issue(t, x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

func (by *issued) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.cert.Raw}))
}

func (by *issued) told() string { return ":" + base64.StdEncoding.EncodeToString(by.cert.Raw) + ":" }

// ingress ends TLS before the authorization server, asks for certificates without
// verifying them, and tells them as an ingress does.
func ingress(t testing.TB, to string) string {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Del("Ssl-Client-Cert")
		if c := r.In.TLS.PeerCertificates; len(c) > 0 {
			r.Out.Header.Set("Ssl-Client-Cert", url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c[0].Raw}))))
		}
	}}
	s := httptest.NewUnstartedServer(proxy)
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// asks sends a form with a certificate by TLS.
func asks(t testing.TB, address string, with *issued, form url.Values) (int, map[string]any) {
	t.Helper()
	conf := &tls.Config{InsecureSkipVerify: true} // whom it talks to is not what is tested
	if with != nil {
		conf.Certificates = []tls.Certificate{{Certificate: [][]byte{with.cert.Raw}, PrivateKey: with.key}}
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
	res, err := c.PostForm(address, form)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	out := map[string]any{}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&out))
	return res.StatusCode, out
}

func believing(proxies ...string) func(*tenantmanager.Config) {
	return func(c *tenantmanager.Config) {
		c.OAuth.ClientCertificates = &tenantmanager.ClientCertificates{Header: "Ssl-Client-Cert", URL: "https://mtls.test"}
		for _, p := range proxies {
			c.OAuth.ClientCertificates.TrustedProxies = append(c.OAuth.ClientCertificates.TrustedProxies, schema.NewCIDR(netip.MustParsePrefix(p)))
		}
	}
}

// Clients that prove who they are by a certificate (RFC 8705 section 2), over TLS to
// a proxy that tells it.
func TestClientsWithCertificates(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, believing("127.0.0.0/8"))
	at := ingress(t, a.url) + "/oauth/default"
	ca, otherCA := newCA(t, "CA"), newCA(t, "Other CA")
	billing := x509.Certificate{Subject: pkix.Name{CommonName: "billing", Organization: []string{"Example"}}, DNSNames: []string{"Billing.example"}}
	good, old := ca.issue(t, billing), billing
	old.NotBefore, old.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	forServers := billing
	forServers.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	own, another := (*issued)(nil).issue(t, billing), (*issued)(nil).issue(t, billing)

	body := func(m map[string]any) string {
		b, err := json.Marshal(m)
		require.NoError(t, err)
		return string(b)
	}
	byName := a.made(t, body(map[string]any{"name": "By name", "authMethod": "tls_client_auth", "certificateAuthority": ca.pem(), "certificateSubject": "dns:billing.EXAMPLE", "certificateBound": true}))
	byDN := a.made(t, body(map[string]any{"name": "By DN", "authMethod": "tls_client_auth", "certificateAuthority": ca.pem(), "certificateSubject": "dn:CN=billing, O=Example", "tokenFormat": "opaque"}))
	byItself := a.made(t, body(map[string]any{"name": "By itself", "authMethod": "self_signed_tls_client_auth", "certificateThumbprint": own.pem(), "certificateBound": true, "tokenFormat": "opaque"}))
	bound := a.made(t, `{"name":"Bound","certificateBound":true}`)
	gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
	for _, m := range []made{byName, byDN, byItself} {
		require.Empty(t, m.secret)
	}
	form := func(m made) url.Values {
		f := url.Values{"grant_type": {"client_credentials"}, "client_id": {m.id}}
		if m.secret != "" {
			return url.Values{"grant_type": {"client_credentials"}}
		}
		return f
	}
	for name, c := range map[string]struct {
		as   made
		with *issued
		cnf  bool
	}{"by name": {byName, good, true}, "by DN": {byDN, good, false}, "by itself": {byItself, own, true}} {
		status, answer := asks(t, at+"/token", c.with, form(c.as))
		require.Equal(t, 200, status, "%s: %v", name, answer)
		require.Equal(t, "Bearer", answer["token_type"])
		_, read, _ := a.form(t, "introspect", gateway, url.Values{"token": {answer["access_token"].(string)}})
		if c.cnf {
			require.Equal(t, map[string]any{"x5t#S256": clientcert.Thumbprint(c.with.cert.Raw)}, read["cnf"], name)
		} else {
			require.NotContains(t, read, "cnf", name)
		}
	}
	for name, c := range map[string]struct {
		as   made
		with *issued
	}{
		"no certificate":          {byName, nil},
		"of another authority":    {byName, otherCA.issue(t, billing)},
		"of no authority":         {byName, own},
		"of another name":         {byName, ca.issue(t, x509.Certificate{Subject: billing.Subject, DNSNames: []string{"orders.example"}})},
		"that has run out":        {byName, ca.issue(t, old)},
		"for servers alone":       {byName, ca.issue(t, forServers)},
		"of another DN":           {byDN, ca.issue(t, x509.Certificate{Subject: pkix.Name{CommonName: "billing", Organization: []string{"Other"}}})},
		"of itself, but another":  {byItself, another},
		"of itself, with none":    {byItself, nil},
		"of an authority instead": {byItself, good},
	} {
		status, answer := asks(t, at+"/token", c.with, form(c.as))
		require.Equal(t, 401, status, "%s: %v", name, answer)
		require.Equal(t, "invalid_client", answer["error"], name)
		a.clock.Advance(20 * time.Minute) // what is wrong makes others of the address wait
		a.clock.Set(time.Now())
	}

	// A client with a secret whose tokens are bound.
	grant := form(bound)
	status, answer, _ := a.form(t, "token", bound, grant)
	require.Equal(t, 400, status, answer)
	status, answer, _ = a.form(t, "token", bound, grant, "Ssl-Client-Cert", good.told())
	require.Equal(t, 200, status, answer)
	_, read, _ := a.form(t, "introspect", gateway, url.Values{"token": {answer["access_token"].(string)}})
	require.Equal(t, map[string]any{"x5t#S256": clientcert.Thumbprint(good.cert.Raw)}, read["cnf"])
	// Two ways at a time, and a secret that there is not.
	grant.Set("client_id", byName.id)
	grant.Set("client_secret", "x")
	status, _ = asks(t, at+"/token", good, grant)
	require.Equal(t, 401, status)

	var metadata struct {
		Methods []string          `json:"token_endpoint_auth_methods_supported"`
		Bound   bool              `json:"tls_client_certificate_bound_access_tokens"`
		Aliases map[string]string `json:"mtls_endpoint_aliases"`
	}
	res, err := a.client.Get(a.issuer + "/.well-known/openid-configuration")
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(res.Body).Decode(&metadata))
	require.NoError(t, res.Body.Close())
	require.Subset(t, metadata.Methods, []string{"tls_client_auth", "self_signed_tls_client_auth"})
	require.True(t, metadata.Bound)
	require.Equal(t, "https://mtls.test/oauth/default/token", metadata.Aliases["token_endpoint"])

	for field, bad := range map[string]map[string]any{
		"/certificateThumbprint": {"name": "x", "authMethod": "self_signed_tls_client_auth", "certificateThumbprint": "abc"},
		"/certificateAuthority":  {"name": "x", "authMethod": "tls_client_auth", "certificateAuthority": own.pem(), "certificateSubject": "dns:a"},
		"/certificateSubject":    {"name": "x", "authMethod": "tls_client_auth", "certificateAuthority": ca.pem(), "certificateSubject": "dns:*.example"},
	} {
		res := a.call(t, a.owner, "POST", "/oauth/clients", body(bad))
		require.Equal(t, 422, res.status, res.body)
		require.Contains(t, res.body, `"pointer":"`+field+`"`)
	}
}

// A certificate that anybody tells counts for nothing, and without the setting none
// does.
func TestCertificatesOfPeersThatAreNotTrusted(t *testing.T) {
	t.Parallel()
	own := (*issued)(nil).issue(t, x509.Certificate{Subject: pkix.Name{CommonName: "billing"}})
	client := `{"name":"By itself","authMethod":"self_signed_tls_client_auth","certificateThumbprint":"` + clientcert.Thumbprint(own.cert.Raw) + `"}`
	a := newAuthority(t, believing("192.0.2.0/24"))
	m := a.made(t, client)
	grant := url.Values{"grant_type": {"client_credentials"}, "client_id": {m.id}}
	for _, header := range []string{"Ssl-Client-Cert", "X-Gatehouse-Client-Certificate"} {
		status, answer, _ := a.form(t, "token", made{}, grant, header, own.told())
		require.Equal(t, 401, status, "%s: %v", header, answer)
	}
	off := newAuthority(t)
	res := off.call(t, off.owner, "POST", "/oauth/clients", client)
	require.Equal(t, 422, res.status, res.body)
	require.Contains(t, res.body, `"pointer":"/authMethod"`)
	res = off.call(t, off.owner, "POST", "/oauth/clients", `{"name":"x","certificateBound":true}`)
	require.Equal(t, 422, res.status, res.body)
	require.Contains(t, res.body, `"pointer":"/certificateBound"`)
	require.Contains(t, off.call(t, off.owner, "GET", "/oauth/server", "").body, `"certificates":false`)
}
