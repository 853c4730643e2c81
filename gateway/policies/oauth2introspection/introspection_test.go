package oauth2introspection_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/policies/oauth2introspection"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = policytest.NewClock().Now().Unix()

const secret = "canary-client-secret"

// server is an authorization server over HTTPS.
type server struct {
	*httptest.Server
	asked  atomic.Int64
	down   atomic.Bool
	body   atomic.Value // func(token string) string
	hold   chan struct{}
	checks func(*http.Request)
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	s.says(fmt.Sprintf(`{"active":true,"sub":"alice","client_id":"storefront","scope":"read write","aud":["orders"],"iss":"https://idp.example","exp":%d}`, now+300))
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if s.hold != nil {
			<-s.hold
		}
		if s.down.Load() {
			http.Error(w, `{"active":true}`, http.StatusServiceUnavailable)
			return
		}
		if s.checks != nil {
			s.checks(r)
		}
		_, _ = w.Write([]byte(s.body.Load().(string)))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) says(body string) { s.body.Store(body) }

func (s *server) harness(t *testing.T, config string, options ...policytest.Option) *policytest.Harness {
	t.Helper()
	c := s.Client()
	t.Cleanup(c.CloseIdleConnections)
	full := fmt.Sprintf("{endpoint: %s/introspect, clientId: gate way, clientSecret: %s%s}", s.URL, secret, config)
	return policytest.New(t, oauth2introspection.Definition(), full, append(options, func(e *policy.Env) { e.HTTP = c })...)
}

func bearer(token string) policytest.Request {
	return policytest.Request{Header: map[string]string{"Authorization": "Bearer " + token}}
}

var (
	invalid = policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, NotSent: true}
	down    = policytest.Want{Status: 503, Code: problem.CodeDependencyDown, NotSent: true}
)

func TestIntrospection(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, oauth2introspection.Definition())
	active := func(more string) string { return `{"active":true,"sub":"alice","client_id":"storefront"` + more + `}` }
	for _, c := range []struct {
		name, config, body string
		want               policytest.Want
	}{
		{"active", "", "", policytest.Want{}},
		{"inactive", "", `{"active":false}`, invalid},
		{"active a text", "", `{"active":"true"}`, down},
		{"no active", "", `{}`, down},
		{"no JSON", "", `<html>`, down},
		{"large", "", `{"active":true,"x":"` + strings.Repeat("x", 70_000) + `"}`, down},
		{"expired", "", active(fmt.Sprintf(`,"exp":%d`, now)), policytest.Want{Status: 401, Code: problem.CodeCredentialExpired}},
		{"exp is no number", "", active(`,"exp":"x"`), invalid},
		{"not yet", "", active(fmt.Sprintf(`,"nbf":%d`, now+1)), invalid},
		{"audience", ", audience: [orders]", "", policytest.Want{}},
		{"another audience", ", audience: [billing]", "", invalid},
		{"issuer", `, issuer: ["https://idp.example"]`, "", policytest.Want{}},
		{"another issuer", `, issuer: ["https://other.example"]`, "", invalid},
		{"scopes", ", scopes: [read, write]", "", policytest.Want{}},
		{"a scope is missing", ", scopes: [read, delete]", "", policytest.Want{Status: 403, Code: problem.CodeScopeMissing}},
		{"any scope", ", scopes: [read, delete], scopeMatch: any", "", policytest.Want{}},
		{"application needed", ", application: required", "", policytest.Want{Status: 403, Code: problem.CodeAccessDenied}},
		{"bound", "", active(`,"cnf":{"x5t#S256":"x"}`), invalid},
		{"bound by DPoP", "", active(`,"cnf":{"jkt":"x"}`), invalid},
		{"headers", ", hide: true, headers: {X-User: sub}", "", policytest.Want{Sent: &policytest.Sent{Header: map[string]string{"X-User": "alice", "Authorization": ""}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			if c.body != "" {
				s.says(c.body)
			}
			h := s.harness(t, c.config)
			const token = "canary-token"
			res := h.Do(bearer(token), policytest.Upstream{})
			res.Check(c.want)
			shown := fmt.Sprintf("%s %v %v %v", res.Body, res.Header, res.Exchange().Notes(), res.Exchange().Outcome.Err)
			require.NotContains(t, shown, token)
			require.NotContains(t, shown, secret)
		})
	}
}

func TestRequestsThatAreNotAskedAbout(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	h := s.harness(t, "")
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialMissing})
	for _, token := range []string{"", "a b", "tok\x01en", "ü", strings.Repeat("x", 9000)} {
		h.Do(bearer(token), policytest.Upstream{}).Check(invalid)
	}
	require.Zero(t, s.asked.Load())
}

func TestTheEndpointIsAskedAsItExpects(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"basic", "post"} {
		s := newServer(t)
		s.checks = func(r *http.Request) {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("token") != "t+/=" || r.PostForm.Get("token_type_hint") != "access_token" {
				t.Errorf("form: %v", r.PostForm)
			}
			id, pw, ok := r.BasicAuth()
			if auth == "basic" && (!ok || id != "gate+way" || pw != secret || r.PostForm.Has("client_id")) {
				t.Errorf("basic: %q", id)
			}
			if auth == "post" && (ok || r.PostForm.Get("client_id") != "gate way" || r.PostForm.Get("client_secret") != secret) {
				t.Errorf("post: %v", r.PostForm)
			}
		}
		s.harness(t, ", clientAuth: "+auth).Do(bearer("t+/="), policytest.Upstream{}).Check(policytest.Want{})
	}
}

func TestAnswersAreRememberedAndErrorsAreNot(t *testing.T) { // R6.4
	t.Parallel()
	s := newServer(t)
	h := s.harness(t, "")
	for range 5 {
		h.Do(bearer("t"), policytest.Upstream{}).Check(policytest.Want{})
	}
	require.EqualValues(t, 1, s.asked.Load())
	s.down.Store(true)
	h.Do(bearer("t"), policytest.Upstream{}).Check(policytest.Want{})
	h.Do(bearer("u"), policytest.Upstream{}).Check(down)
	h.Do(bearer("u"), policytest.Upstream{}).Check(down)
	require.EqualValues(t, 3, s.asked.Load(), "an error is not remembered")
	h.Clock.Advance(30 * time.Second)
	h.Do(bearer("t"), policytest.Upstream{}).Check(down)
	s.down.Store(false)
	h.Do(bearer("t"), policytest.Upstream{}).Check(policytest.Want{})

	s.says(`{"active":false}`)
	n := s.asked.Load()
	h.Do(bearer("v"), policytest.Upstream{}).Check(invalid)
	h.Do(bearer("v"), policytest.Upstream{}).Check(invalid)
	require.Equal(t, n+1, s.asked.Load())
	h.Clock.Advance(10 * time.Second)
	h.Do(bearer("v"), policytest.Upstream{}).Check(invalid)
	require.Equal(t, n+2, s.asked.Load())
}

func TestAnAnswerDoesNotOutliveTheToken(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.says(fmt.Sprintf(`{"active":true,"exp":%d}`, now+5))
	h := s.harness(t, ", cacheTtl: 1h")
	h.Do(bearer("t"), policytest.Upstream{}).Check(policytest.Want{})
	h.Clock.Advance(5 * time.Second)
	h.Do(bearer("t"), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialExpired})
}

func TestOneQuestionForAllWhoAsk(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hold = make(chan struct{})
	h := s.harness(t, ", maxConcurrent: 1, timeout: 30s")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got := h.Do(bearer("t"), policytest.Upstream{}).Status; got != 200 {
				t.Errorf("status %d", got)
			}
		})
	}
	require.Eventually(t, func() bool { return s.asked.Load() == 1 }, 30*time.Second, time.Millisecond)
	wg.Go(func() { // waits its turn
		if got := h.Do(bearer("another"), policytest.Upstream{}).Status; got != 200 {
			t.Errorf("status %d", got)
		}
	})
	close(s.hold)
	wg.Wait()
	require.EqualValues(t, 2, s.asked.Load())
}

// Beyond what may wait, the answer comes at once; and nobody waits for ever.
func TestWhoMayNotWait(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hold = make(chan struct{})
	h := s.harness(t, ", maxConcurrent: 1, timeout: 30s")
	var wg sync.WaitGroup
	refused := make(chan struct{}, 20)
	for i := range 20 {
		wg.Go(func() {
			if h.Do(bearer(fmt.Sprint("t", i)), policytest.Upstream{}).Status == 503 {
				refused <- struct{}{}
			}
		})
	}
	for range 12 {
		<-refused
	}
	close(s.hold)
	wg.Wait()
	require.EqualValues(t, 8, s.asked.Load())
	require.Empty(t, refused)

	s = newServer(t)
	s.hold = make(chan struct{})
	t.Cleanup(func() { close(s.hold) })
	h = s.harness(t, ", maxConcurrent: 1, timeout: 20ms")
	wg.Go(func() { h.Do(bearer("t"), policytest.Upstream{}).Check(down) })
	h.Do(bearer("u"), policytest.Upstream{}).Check(down)
	wg.Wait()
}

// What is no token keeps nobody out who has one: neither while its answer is
// remembered, nor when it is asked about again.
func TestJunkKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	busy := make(chan struct{})
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if r.PostFormValue("token") == "good" {
			_, _ = w.Write([]byte(`{"active":true,"client_id":"storefront"}`))
			return
		}
		<-busy // a server that takes its time over junk
		_, _ = w.Write([]byte(`{"active":false}`))
	})
	h := s.harness(t, ", maxConcurrent: 16, cacheTtl: 1s, timeout: 30s")
	h.Do(bearer("good"), policytest.Upstream{}).Check(policytest.Want{})
	var wg sync.WaitGroup
	for i := range 2000 {
		wg.Go(func() { h.Do(bearer(fmt.Sprint("junk", i)), policytest.Upstream{}) })
	}
	require.Eventually(t, func() bool { return s.asked.Load() >= 17 }, 30*time.Second, time.Millisecond)
	for range 50 {
		h.Clock.Advance(2 * time.Second)
		h.Do(bearer("good"), policytest.Upstream{}).Check(policytest.Want{})
	}
	close(busy)
	wg.Wait()
	n := s.asked.Load()
	h.Do(bearer("good"), policytest.Upstream{}).Check(policytest.Want{})
	require.LessOrEqual(t, s.asked.Load(), n+1)
}

func TestOneLineWhenTheServerIsLostAndOneWhenItIsBack(t *testing.T) { // R6.5
	t.Parallel()
	s := newServer(t)
	var log bytes.Buffer
	h := s.harness(t, ", cacheTtl: 0s", func(e *policy.Env) { e.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	s.down.Store(true)
	for range 5 {
		h.Do(bearer("canary-token"), policytest.Upstream{}).Check(down)
	}
	s.down.Store(false)
	for range 5 {
		h.Do(bearer("canary-token"), policytest.Upstream{}).Check(policytest.Want{})
	}
	require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
	require.NotContains(t, log.String(), "canary")
}

func TestASilentServerIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hold = make(chan struct{})
	t.Cleanup(func() { close(s.hold) })
	s.harness(t, ", timeout: 20ms").Do(bearer("t"), policytest.Upstream{}).Check(down)
}

func TestTheApplicationActsAtOnce(t *testing.T) { // R16.1
	t.Parallel()
	s := newServer(t)
	creds := policytest.Credentials{policy.KindOAuth2: {"storefront": {ID: "c1", Application: &policy.Application{ID: "a"}, Plan: "gold"}}}
	h := s.harness(t, ", application: required", policytest.WithCredentials(creds))
	res := h.Do(bearer("t"), policytest.Upstream{})
	res.Check(policytest.Want{})
	require.Equal(t, "gold", res.Exchange().Caller.Plan)
	require.Equal(t, []string{"read", "write"}, res.Exchange().Caller.Scopes)
	delete(creds[policy.KindOAuth2], "storefront")
	h.Do(bearer("t"), policytest.Upstream{}).Check(policytest.Want{Status: 403, Code: problem.CodeAccessDenied})
}

// A token that is bound to a key or a certificate is no bearer token.
func TestBoundTokens(t *testing.T) { // RFC 9449, RFC 8705
	t.Parallel()
	key, other := policytest.NewProver(t), policytest.NewProver(t)
	s := newServer(t)
	s.says(fmt.Sprintf(`{"active":true,"client_id":"storefront","token_type":"DPoP","cnf":{"jkt":%q}}`, key.Thumbprint()))
	h := s.harness(t, "")
	do := func(scheme, proof string) *policytest.Result {
		r := policytest.Request{Header: map[string]string{"Authorization": scheme + " t"}}
		if proof != "" {
			r.Header["DPoP"] = proof
		}
		return h.Do(r, policytest.Upstream{})
	}
	const here = "http://api.example/"
	proof := key.Proof(t, "GET", here, "t", nil)
	do("DPoP", proof).Check(policytest.Want{})
	do("DPoP", proof).Check(invalid)
	do("DPoP", key.Proof(t, "GET", here, "t", nil)).Check(policytest.Want{})
	do("DPoP", "").Check(invalid)
	do("Bearer", "").Check(invalid)
	do("Bearer", key.Proof(t, "GET", here, "t", nil)).Check(invalid)
	do("DPoP", other.Proof(t, "GET", here, "t", nil)).Check(invalid)
	do("DPoP", key.Proof(t, "GET", here, "another", nil)).Check(invalid)
	require.EqualValues(t, 1, s.asked.Load())

	cert := &x509.Certificate{Raw: []byte("certificate")}
	s = newServer(t)
	s.says(fmt.Sprintf(`{"active":true,"client_id":"storefront","cnf":{"x5t#S256":%q}}`, clientcert.Thumbprint(cert.Raw)))
	h = s.harness(t, ", requireBound: true")
	r := bearer("t")
	h.Do(r, policytest.Upstream{}).Check(invalid)
	r.Edit = func(ex *policy.Exchange) {
		ex.Request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	}
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{})
	s.says(`{"active":true,"client_id":"storefront"}`)
	h.Do(bearer("u"), policytest.Upstream{}).Check(invalid)
}

func BenchmarkRemembered(b *testing.B) {
	var remembered sync.Map
	raw := json.RawMessage(`{"endpoint":"https://idp.example/","clientId":"a","clientSecret":"b"}`)
	c := &http.Client{Transport: answers(`{"active":true,"client_id":"storefront"}`)}
	hooks, err := oauth2introspection.Definition().Compile(raw, policy.Env{HTTP: c, Store: &mapStore{&remembered}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	ex := &policy.Exchange{Start: time.Now()}
	ex.Request.Header.Add("Authorization", "Bearer t")
	require.NoError(b, hooks.Inbound(ex))
	b.ReportAllocs()
	for b.Loop() {
		if hooks.Inbound(ex) != nil {
			b.Fatal("refused")
		}
	}
}

// answers is an authorization server that says the same to everybody.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

type mapStore struct{ *sync.Map }

func (m *mapStore) Get(k string) (any, bool)                      { return m.Load(k) }
func (m *mapStore) Set(k string, v any, _ int64, _ time.Duration) { m.Store(k, v) }
func (m *mapStore) Delete(k string)                               { m.Map.Delete(k) }
func (m *mapStore) DeletePrefix(string) int                       { return 0 }

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for _, c := range []string{
		`{}`, `{endpoint: "http://idp.example/", clientId: a, clientSecret: b}`, `{endpoint: "https://u:p@idp.example/", clientId: a, clientSecret: b}`,
		`{endpoint: "https://idp.example/", clientId: a}`, `{endpoint: "https://idp.example/", clientId: a, clientSecret: "env:GATEHOUSE_TEST_NOT_SET"}`,
		`{endpoint: "https://idp.example/", clientId: a, clientSecret: b, scopes: ["a b"]}`, `{endpoint: "https://idp.example/", clientId: a, clientSecret: b, header: "a b"}`,
	} {
		_, err := policytest.Compile(t, oauth2introspection.Definition(), c)
		require.Error(t, err, c)
	}
}
