package apikey_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/policies/apikey"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const good, other = "ghk_0000000000000000000000000000000000002fvaCT", "another key+/=%"

// noLookup fails the test when a key is looked up.
type noLookup struct{ t *testing.T }

func (n noLookup) Lookup(policy.CredentialKind, policy.Digest) (policy.Credential, bool) {
	n.t.Error("a malformed key must not be looked up")
	return policy.Credential{}, false
}

func credentials() policytest.Credentials {
	app := &policy.Application{ID: "storefront", Name: "Storefront"}
	clock := policytest.NewClock().Now().Unix()
	return policytest.Credentials{policy.KindAPIKey: {
		good:      {ID: "c1", Application: app, Plan: "gold"},
		other:     {ID: "c2", Application: app},
		"expired": {ID: "c3", Application: app, ExpiresAt: clock},
		"lasts":   {ID: "c4", Application: app, ExpiresAt: clock + 1},
	}}
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, apikey.Definition())
	header := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	invalid := policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, NotSent: true, Header: header("WWW-Authenticate", `ApiKey realm="gatehouse"`)}
	missing := policytest.Want{Status: 401, Code: problem.CodeCredentialMissing, NotSent: true, Header: header("WWW-Authenticate", `ApiKey realm="gatehouse"`)}
	sent := func(query string, kv ...string) policytest.Want {
		return policytest.Want{Sent: &policytest.Sent{Query: query, Header: header(kv...)}}
	}
	for _, c := range []policytest.Case{
		{Name: "default header", Request: policytest.Request{Header: header("x-api-key", good)}, Want: sent("", "X-Api-Key", "")},
		{Name: "none", Want: missing},
		{Name: "empty", Request: policytest.Request{Header: header("X-API-Key", "")}, Want: invalid},
		{Name: "unknown", Request: policytest.Request{Header: header("X-API-Key", "who-am-i")}, Want: invalid},
		{Name: "too long", Request: policytest.Request{Header: header("X-API-Key", strings.Repeat("k", 10_000))}, Want: invalid},
		{Name: "expired", Request: policytest.Request{Header: header("X-API-Key", "expired")}, Want: policytest.Want{Status: 401, Code: problem.CodeCredentialExpired, NotSent: true}},
		{Name: "last second", Request: policytest.Request{Header: header("X-API-Key", "lasts")}},
		{Name: "twice", Request: policytest.Request{Header: header("X-API-Key", good, "x-api-key", good)}, Want: invalid},
		{Name: "kept", Config: `hide: false`, Request: policytest.Request{Header: header("X-API-Key", good)}, Want: sent("", "X-Api-Key", good)},
		{Name: "another header", Config: `header: Token`, Request: policytest.Request{Header: header("Token", good)}, Want: sent("", "Token", "")},
		{Name: "scheme", Config: `scheme: Bearer`, Request: policytest.Request{Header: header("Authorization", "bearer  "+good)}, Want: sent("", "Authorization", "")},
		{Name: "another scheme", Config: `scheme: ApiKey`, Request: policytest.Request{Header: header("Authorization", "Basic "+good)}, Want: missing},
		{Name: "scheme without key", Config: `scheme: ApiKey`, Request: policytest.Request{Header: header("Authorization", "ApiKey ")}, Want: invalid},
		{
			Name: "query, rest byte for byte", Config: `query: key`,
			Request: policytest.Request{Path: "/?a=%41&&key=another+key%2B%2F%3D%25&b=+&=x&c"}, Want: sent("a=%41&&b=+&=x&c"),
		},
		{Name: "query, escaped name", Config: `query: key`, Request: policytest.Request{Path: "/?%6bey=" + good + "&a=1"}, Want: sent("a=1")},
		{Name: "query, twice", Config: `query: key`, Request: policytest.Request{Path: "/?key=" + good + "&%6bey=" + good}, Want: invalid},
		{Name: "query, bad escape", Config: `query: key`, Request: policytest.Request{Path: "/?key=%zz"}, Want: invalid},
		{
			Name: "cookie", Config: `cookie: key`,
			Request: policytest.Request{Header: header("Cookie", `a=1; key="`+good+`"; b=2`)}, Want: sent("", "Cookie", "a=1; b=2"),
		},
		{Name: "only cookie", Config: `cookie: key`, Request: policytest.Request{Header: header("Cookie", `key=`+good)}, Want: sent("", "Cookie", "")},
		{Name: "cookie, twice", Config: `cookie: key`, Request: policytest.Request{Header: header("Cookie", `key=x; key=`+good)}, Want: invalid},
		{
			Name: "several places, the first wins and all are hidden", Config: `{header: X-API-Key, query: key, cookie: key}`,
			Request: policytest.Request{Path: "/?key=wrong", Header: header("X-API-Key", good, "Cookie", "key=wrong")},
			Want:    policytest.Want{Sent: &policytest.Sent{Header: header("X-Api-Key", "", "Cookie", "")}},
		},
		{
			Name: "sources in order", Config: `sources: [{in: query, name: k}, {in: header, name: Authorization, scheme: ApiKey}]`,
			Request: policytest.Request{Header: header("Authorization", "ApiKey "+good)}, Want: sent("", "Authorization", ""),
		},
		{Name: "realm", Config: `realm: orders`, Want: policytest.Want{Status: 401, Code: problem.CodeCredentialMissing, Header: header("WWW-Authenticate", `ApiKey realm="orders"`)}},
	} {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if c.Config == "" {
				c.Config = "{}"
			}
			h := policytest.New(t, apikey.Definition(), c.Config, policytest.WithCredentials(credentials()))
			res := h.Do(c.Request, c.Upstream)
			res.Check(c.Want)
			if c.Want.Status == 0 {
				require.Equal(t, policy.KindAPIKey, res.Exchange().Caller.Kind)
				require.Equal(t, "storefront", res.Exchange().Caller.ApplicationID())
			} else {
				require.Equal(t, policy.Caller{}, res.Exchange().Caller)
			}
			// R14.4: the key shows up nowhere.
			if res.Exchange().Outcome.Err != nil {
				require.NotContains(t, fmt.Sprintf("%s %v %#v", res.Body, res.Exchange().Notes(), res.Exchange().Outcome.Err), good)
			}
		})
	}
}

func TestCallerHasTheCredentialAndItsPlan(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, apikey.Definition(), "{}", policytest.WithCredentials(credentials()))
	c := h.Do(policytest.Request{Header: map[string]string{"X-API-Key": good}}, policytest.Upstream{}).Exchange().Caller
	require.Equal(t, "c1", c.Credential)
	require.Equal(t, "gold", c.Plan)
}

func TestAMistypedGatehouseKeyIsRefusedWithoutALookup(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, apikey.Definition(), "{}", policytest.WithCredentials(noLookup{t}))
	for _, k := range []string{"ghk_", "ghk_000000000000000000000000000000000000000000", "ghk_" + strings.Repeat("a", 300), strings.Repeat("x", 513), ""} {
		h.Do(policytest.Request{Header: map[string]string{"X-API-Key": k}}, policytest.Upstream{}).
			Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid})
	}
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for _, c := range []string{
		`header: "bad name"`, `cookie: "a=b"`, `scheme: "two words"`, `realm: 'a"b'`, `realm: "a\nb"`,
		`sources: [{in: body, name: x}]`, `sources: [{in: query, name: x, scheme: ApiKey}]`, `sources: [{in: header}]`,
	} {
		_, err := policytest.Compile(t, apikey.Definition(), c)
		require.Error(t, err, c)
	}
}

func compiled(tb testing.TB, config string) policy.Hooks {
	tb.Helper()
	s := identity.New()
	d := policy.DigestOf(good)
	require.NoError(tb, s.Apply(credential.Feed{
		Applications: []credential.Application{{ID: "app"}},
		Credentials: []credential.Credential{{
			ID: "c", Kind: credential.APIKey, Digest: fmt.Sprintf("%x", d[:]), Application: "app", ExpiresAt: time.Now().Add(time.Hour),
		}},
	}))
	hooks, err := apikey.Definition().Compile(json.RawMessage(config), policy.Env{Credentials: s})
	require.NoError(tb, err)
	return hooks
}

func TestASuccessDoesNotAllocate(t *testing.T) {
	for _, config := range []string{`{}`, `{"scheme":"ApiKey"}`} {
		hooks := compiled(t, config)
		ex := &policy.Exchange{Start: time.Now()}
		run := func() {
			ex.Request.Header.Reset()
			ex.Request.Header.Add("Host", "x")
			ex.Request.Header.Add("X-API-Key", good)
			ex.Request.Header.Add("Authorization", "ApiKey "+good)
			require.NoError(t, hooks.Inbound(ex))
		}
		require.Zero(t, testing.AllocsPerRun(100, run), config)
	}
}

func BenchmarkAPIKey(b *testing.B) {
	hooks := compiled(b, `{}`)
	ex := &policy.Exchange{Start: time.Now()}
	b.ReportAllocs()
	for b.Loop() {
		ex.Request.Header.Reset()
		ex.Request.Header.Add("X-API-Key", good)
		if hooks.Inbound(ex) != nil {
			b.Fatal("refused")
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("a=1&key=x&b=2")
	f.Add("key&key=&%6bey=%zz&+=")
	f.Fuzz(func(t *testing.T, query string) {
		hooks, err := apikey.Definition().Compile(json.RawMessage(`{"query":"key"}`), policy.Env{Credentials: credentials()})
		require.NoError(t, err)
		ex := &policy.Exchange{}
		ex.Request.Query = "key=" + good
		if query != "" {
			ex.Request.Query += "&" + query
		}
		if hooks.Inbound(ex) == nil {
			require.Equal(t, query, ex.Request.Query, "the rest stays byte for byte")
		}
	})
}
