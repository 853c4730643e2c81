package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/jwt"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const here = "http://api.example/orders"

func proven(token, proof string) policytest.Request {
	return policytest.Request{Path: "/orders?page=1", Header: map[string]string{"Authorization": "DPoP " + token, "DPoP": proof}}
}

func TestTokensBoundToAKey(t *testing.T) { // RFC 9449
	t.Parallel()
	key, other := policytest.NewProver(t), policytest.NewProver(t)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"jkt": key.Thumbprint()}}))
	free := keys().sign("ES256", nil, with(nil))
	proof := func(changes claims) string { return key.Proof(t, "GET", here, token, changes) }
	once := proof(nil)
	h := harness(t, usual)
	h.Do(proven(token, once), policytest.Upstream{}).Check(policytest.Want{})
	h.Do(proven(token, proof(nil)), policytest.Upstream{}).Check(policytest.Want{})
	for name, c := range map[string]struct {
		request   policytest.Request
		challenge string
	}{
		"as a bearer token":    {policytest.Request{Path: "/orders", Header: map[string]string{"Authorization": "Bearer " + token, "DPoP": proof(nil)}}, `DPoP realm="gatehouse", error="invalid_token"`},
		"without a proof":      {policytest.Request{Path: "/orders", Header: map[string]string{"Authorization": "DPoP " + token}}, `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"twice":                {proven(token, once), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"no proof":             {proven(token, "x.y.z"), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"another key":          {proven(token, other.Proof(t, "GET", here, token, nil)), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"another method":       {proven(token, key.Proof(t, "POST", here, token, nil)), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"another path":         {proven(token, key.Proof(t, "GET", here+"/1", token, nil)), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"another host":         {proven(token, key.Proof(t, "GET", "http://stock.example/orders", token, nil)), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"another scheme":       {proven(token, key.Proof(t, "GET", "https://api.example/orders", token, nil)), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"of another token":     {proven(token, key.Proof(t, "GET", here, free, nil)), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"of no token":          {proven(token, proof(claims{"ath": nil})), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"old":                  {proven(token, proof(claims{"iat": now - 61})), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"of the future":        {proven(token, proof(claims{"iat": now + 61})), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"without an id":        {proven(token, proof(claims{"jti": nil})), `DPoP realm="gatehouse", error="invalid_dpop_proof"`},
		"a token that is free": {proven(free, key.Proof(t, "GET", here, free, nil)), `DPoP realm="gatehouse", error="invalid_token"`},
		"a token of nobody":    {proven("x.y.z", proof(nil)), `Bearer realm="gatehouse", error="invalid_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := h.Do(c.request, policytest.Upstream{})
			res.Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, NotSent: true})
			require.True(t, strings.HasPrefix(res.Header["Www-Authenticate"], c.challenge), res.Header["Www-Authenticate"])
			require.Equal(t, policy.Caller{}, res.Exchange().Caller)
		})
	}
	two := proven(token, proof(nil))
	two.Edit = func(ex *policy.Exchange) { ex.Request.Header.Add("dpop", proof(nil)) }
	h.Do(two, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "one proof"})
	// A cookie and a query parameter show no scheme.
	q := harness(t, `{query: access_token}`)
	q.Do(policytest.Request{Path: "/orders?access_token=" + token, Header: map[string]string{"DPoP": proof(nil)}}, policytest.Upstream{}).
		Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
	// Where clients see another address, and hide takes the proof as well.
	o := harness(t, `{hide: true, requireBound: true, dpop: {origin: "https://API.example.com:443/"}}`)
	res := o.Do(proven(token, key.Proof(t, "GET", "https://api.example.com/orders", token, nil)), policytest.Upstream{})
	res.Check(policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"Authorization": "", "DPoP": ""}}})
	o.Do(bearerOf(free), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
}

// A proof that was seen is known as long as it counts, also to the next
// configuration of the policy.
func TestProofsCountOnce(t *testing.T) {
	t.Parallel()
	key := policytest.NewProver(t)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"jkt": key.Thumbprint()}, "exp": now + 3600}))
	h := harness(t, usual)
	proof := key.Proof(t, "GET", here, token, claims{"iat": now + 60})
	h.Do(proven(token, proof), policytest.Upstream{}).Check(policytest.Want{})
	next := harness(t, `{dpop: {maxAge: 1m}}`, func(e *policy.Env) { e.Store = h.Store })
	for _, again := range []*policytest.Harness{h, next} {
		again.Do(proven(token, proof), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "sent before"})
	}
	h.Clock.Advance(2 * time.Minute)
	h.Do(proven(token, proof), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "sent before"})
	h.Clock.Advance(time.Second)
	h.Do(proven(token, proof), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "not accepted"})
}

func TestProofsAreRememberedUpToABound(t *testing.T) {
	t.Parallel()
	key := policytest.NewProver(t)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"jkt": key.Thumbprint()}, "exp": now + 3600}))
	h := harness(t, `{dpop: {maxRemembered: 1000, maxAge: 10s}}`)
	at := func() int64 { return h.Clock.Now().Unix() }
	for range 1000 {
		h.Do(proven(token, key.Proof(t, "GET", here, token, nil)), policytest.Upstream{}).Check(policytest.Want{})
	}
	h.Do(proven(token, key.Proof(t, "GET", here, token, nil)), policytest.Upstream{}).
		Check(policytest.Want{Status: 503, Code: problem.CodeDependencyDown, Header: map[string]string{"Retry-After": "10"}})
	h.Clock.Advance(time.Minute)
	h.Do(proven(token, key.Proof(t, "GET", here, token, claims{"iat": at()})), policytest.Upstream{}).Check(policytest.Want{})
}

func TestNonces(t *testing.T) { // RFC 9449 section 9
	t.Parallel()
	key := policytest.NewProver(t)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"jkt": key.Thumbprint()}, "exp": now + 3600}))
	const secret = "0123456789abcdef0123456789abcdef"
	h := harness(t, `{dpop: {requireNonce: true, nonceSecret: `+secret+`}}`)
	twin := harness(t, `{dpop: {requireNonce: true, nonceSecret: `+secret+`}}`)
	stranger := harness(t, `{dpop: {requireNonce: true}}`)
	ask := func(h *policytest.Harness, nonce string) *policytest.Result {
		c := claims{"iat": h.Clock.Now().Unix()}
		if nonce != "" {
			c["nonce"] = nonce
		}
		return h.Do(proven(token, key.Proof(t, "GET", here, token, c)), policytest.Upstream{})
	}
	res := ask(h, "")
	res.Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "nonce"})
	require.True(t, strings.HasPrefix(res.Header["Www-Authenticate"], `DPoP realm="gatehouse", error="use_dpop_nonce"`))
	nonce := res.Header["Dpop-Nonce"]
	require.NotEmpty(t, nonce)
	ask(h, nonce).Check(policytest.Want{})
	ask(twin, nonce).Check(policytest.Want{})
	ask(stranger, nonce).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
	ask(h, nonce+"x").Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
	h.Clock.Advance(5 * time.Minute)
	ask(h, nonce).Check(policytest.Want{})
	h.Clock.Advance(5 * time.Minute)
	res = ask(h, nonce)
	res.Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
	require.NotEqual(t, nonce, res.Header["Dpop-Nonce"])
}

func certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, k.Public(), k)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return c
}

// The certificate of a proxy's header counts from trusted proxies alone, and then
// in place of the proxy's own.
func TestCertificatesThatAProxyTells(t *testing.T) { // RFC 8705, RFC 9440
	t.Parallel()
	cert, proxys := certificate(t), certificate(t)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"x5t#S256": clientcert.Thumbprint(cert.Raw)}}))
	told := ":" + base64.StdEncoding.EncodeToString(cert.Raw) + ":"
	h := harness(t, `{certificate: {header: Client-Cert, trustedProxies: [10.0.0.0/8]}}`)
	refused := policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, NotSent: true}
	for name, c := range map[string]struct {
		peer   string
		header map[string]string
		state  *tls.ConnectionState
		want   policytest.Want
	}{
		"told":                      {"10.0.0.1", map[string]string{"Client-Cert": told}, nil, policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"Client-Cert": told}}}},
		"told by anybody":           {"192.0.2.1", map[string]string{"Client-Cert": told}, nil, refused},
		"told in two ways":          {"10.0.0.1", map[string]string{"Client-Cert": told, "client-cert": told}, nil, refused},
		"told another":              {"10.0.0.1", map[string]string{"Client-Cert": ":" + base64.StdEncoding.EncodeToString(proxys.Raw) + ":"}, nil, refused},
		"told nothing":              {"10.0.0.1", nil, nil, refused},
		"told no certificate":       {"10.0.0.1", map[string]string{"Client-Cert": ":AAAA:"}, nil, refused},
		"of the proxy":              {"10.0.0.1", nil, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, refused},
		"shown without any proxy":   {"192.0.2.1", nil, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, policytest.Want{}},
		"shown, and a lie is told":  {"192.0.2.1", map[string]string{"client_cert": told}, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"Client_cert": "", "Client-Cert": ""}}}},
		"shown another, and a lie":  {"192.0.2.1", map[string]string{"Client-Cert": told}, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{proxys}}, refused},
		"told beside a proxy's own": {"10.0.0.1", map[string]string{"Client-Cert": told}, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{proxys}}, policytest.Want{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bearerOf(token)
			for k, v := range c.header {
				r.Header[k] = v
			}
			r.Edit = func(ex *policy.Exchange) {
				ex.Request.Peer = netip.AddrPortFrom(netip.MustParseAddr(c.peer), 1)
				ex.Request.TLS = c.state
			}
			h.Do(r, policytest.Upstream{}).Check(c.want)
		})
	}
}

// A token can be bound to both, and then both are asked for.
func TestTokensBoundToACertificateAndAKey(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t), policytest.NewProver(t)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"x5t#S256": clientcert.Thumbprint(cert.Raw), "jkt": key.Thumbprint()}}))
	h := harness(t, usual)
	r := proven(token, key.Proof(t, "GET", here, token, nil))
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "certificate"})
	shown := func(ex *policy.Exchange) {
		ex.Request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	}
	r.Edit = shown
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{})
	r = bearerOf(token)
	r.Edit = shown
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "bound to a key"})
}

func TestRefusedConfigurationsOfBinding(t *testing.T) {
	t.Parallel()
	for config, field := range map[string]string{
		`certificate: {header: Client-Cert}`:                         "/certificate/trustedProxies",
		`certificate: {header: "a b", trustedProxies: [10.0.0.0/8]}`: "/certificate/trustedProxies",
		`certificate: {trustedProxies: [10.0.0.0/8]}`:                "/certificate/header",
		`dpop: {origin: "https://api.example/path"}`:                 "/dpop/origin",
		`dpop: {origin: "https://u@api.example"}`:                    "/dpop/origin",
		`dpop: {origin: "api.example"}`:                              "/dpop/origin",
		`dpop: {requireNonce: true, nonceSecret: short}`:             "/dpop/nonceSecret",
		`dpop: {nonceSecret: "0123456789abcdef0123456789abcdef"}`:    "/dpop/requireNonce",
		`dpop: {maxAge: 1h}`:                                         "/dpop/maxAge",
		`dpop: {maxRemembered: 1}`:                                   "/dpop/maxRemembered",
	} {
		_, err := policytest.Compile(t, jwt.Definition(), `{secret: "0123456789abcdef0123456789abcdef", `+config+`}`)
		require.Error(t, err, config)
		require.Contains(t, fmt.Sprintf("%v %v", err, problem.From(err).Errors), field, config)
	}
}

// A token that is bound to nothing costs nothing for that others are.
func TestARememberedTokenAllocatesWhatItDid(t *testing.T) {
	hooks, ex := benchmarked(t, `{"secret":"0123456789abcdef0123456789abcdef"}`, hs([]byte("0123456789abcdef0123456789abcdef"), `{"alg":"HS256"}`, with(nil)))
	require.NoError(t, hooks.Inbound(ex))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = hooks.Inbound(ex) }), float64(1), "the key under which it is remembered")
}

func BenchmarkRememberedWithProof(b *testing.B) {
	key := policytest.NewProver(b)
	token := hs([]byte("0123456789abcdef0123456789abcdef"), `{"alg":"HS256"}`, with(claims{"cnf": claims{"jkt": key.Thumbprint()}}))
	hooks, ex := benchmark(b, `{"secret":"0123456789abcdef0123456789abcdef","dpop":{"maxRemembered":10000000}}`, token)
	r := &ex.Request
	r.Method, r.Scheme, r.Authority, r.Path = "GET", "http", "api.example", "/orders"
	const several = 2000
	proofs := make([]string, several)
	for i := range proofs {
		proofs[i] = key.Proof(b, "GET", here, token, nil)
	}
	r.Header.Set("Authorization", "DPoP "+token)
	i := 0
	for b.Loop() {
		r.Header.Set("DPoP", proofs[i%several])
		err := hooks.Inbound(ex)
		if err != nil && i < several {
			b.Fatal(err)
		}
		i++
	}
}
