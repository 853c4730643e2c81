package cors_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/cors"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const listed = `{origins: ["https://app.example", "https://*.example.org:8443", "http://localhost:80"], originPatterns: ["https://pr-[0-9]+\\.example\\.net"], headers: [X-API-Key], exposeHeaders: [X-Request-Id], credentials: true, maxAge: 1h}`

func preflight(origin string, more ...string) policytest.Request {
	h := map[string]string{"Origin": origin, "Access-Control-Request-Method": "PUT"}
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return policytest.Request{Method: "OPTIONS", Header: h}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	from := func(origin string) policytest.Request {
		return policytest.Request{Header: map[string]string{"Origin": origin}}
	}
	allowed := map[string]string{"Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "X-Request-Id", "Vary": "Origin"}
	with := func(origin string) policytest.Want {
		h := map[string]string{"Access-Control-Allow-Origin": origin}
		for k, v := range allowed {
			h[k] = v
		}
		return policytest.Want{Header: h}
	}
	without := policytest.Want{Header: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Vary": "Origin"}}
	policytest.Run(t, cors.Definition(),
		policytest.Case{Name: "exact origin", Config: listed, Request: from("https://app.example"), Want: with("https://app.example")},
		policytest.Case{Name: "host below a domain", Config: listed, Request: from("https://a.b.example.org:8443"), Want: with("https://a.b.example.org:8443")},
		policytest.Case{Name: "pattern", Config: listed, Request: from("https://pr-12.example.net"), Want: with("https://pr-12.example.net")},
		policytest.Case{Name: "default port is left out", Config: listed, Request: from("http://localhost"), Want: with("http://localhost")},
		policytest.Case{Name: "the domain itself is not below it", Config: listed, Request: from("https://example.org:8443"), Want: without},
		policytest.Case{Name: "another port", Config: listed, Request: from("https://a.example.org"), Want: without},
		policytest.Case{Name: "a suffix only", Config: listed, Request: from("https://evilexample.org:8443"), Want: without},
		policytest.Case{Name: "tricks before the domain", Config: listed, Request: from("https://evil.com/.example.org:8443"), Want: without},
		policytest.Case{Name: "a pattern must match the whole", Config: listed, Request: from("https://pr-12.example.net.evil.com"), Want: without},
		policytest.Case{Name: "null", Config: listed, Request: from("null"), Want: without},
		policytest.Case{Name: "no origin", Config: listed, Want: without},
		policytest.Case{
			Name: "any origin", Config: `{origins: ["*"]}`, Request: from("https://x.example"),
			Want: policytest.Want{Header: map[string]string{"Access-Control-Allow-Origin": "*", "Vary": ""}},
		},
		policytest.Case{
			Name: "fields of the upstream are replaced", Config: `{origins: ["https://app.example"]}`, Request: from("https://other.example"),
			Upstream: policytest.Upstream{Header: map[string]string{"access-control-allow-origin": "*", "Access-Control-Allow-Credentials": "true", "Vary": "Accept"}},
			Want:     policytest.Want{Header: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Vary": "Accept, Origin"}},
		},
		policytest.Case{ // R25.2
			Name: "errors carry the fields", Config: listed, Request: from("https://app.example"),
			Upstream: policytest.Upstream{Err: problem.New(problem.CodeNotFound, "")},
			Want: policytest.Want{
				Status: 404, Code: problem.CodeNotFound,
				Header: map[string]string{"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Credentials": "true", "Vary": "Origin"},
			},
		},
		policytest.Case{ // R25.2
			Name: "preflight", Config: listed,
			Request: preflight("https://app.example", "Access-Control-Request-Headers", "x-api-key"),
			Want: policytest.Want{Status: 204, NotSent: true, Header: map[string]string{
				"Access-Control-Allow-Origin":      "https://app.example",
				"Access-Control-Allow-Methods":     "GET, HEAD, POST, PUT, PATCH, DELETE",
				"Access-Control-Allow-Headers":     "X-API-Key",
				"Access-Control-Allow-Credentials": "true",
				"Access-Control-Max-Age":           "3600",
				"Access-Control-Expose-Headers":    "",
				"Vary":                             "Access-Control-Request-Method, Access-Control-Request-Headers, Origin",
			}},
		},
		policytest.Case{
			Name: "preflight reflects headers", Config: `{origins: ["https://app.example"], headers: ["*"], privateNetwork: true}`,
			Request: preflight("https://app.example", "Access-Control-Request-Headers", "x-a,x-b", "Access-Control-Request-Private-Network", "true"),
			Want: policytest.Want{Status: 204, Header: map[string]string{
				"Access-Control-Allow-Headers": "x-a,x-b", "Access-Control-Allow-Private-Network": "true",
			}},
		},
		policytest.Case{
			Name: "preflight does not reflect what is no name", Config: `{origins: ["*"], headers: ["*"]}`,
			Request: preflight("https://app.example", "Access-Control-Request-Headers", "x a;b"),
			Want:    policytest.Want{Status: 204, Header: map[string]string{"Access-Control-Allow-Headers": "", "Access-Control-Allow-Origin": "*"}},
		},
		policytest.Case{
			Name: "preflight of another origin", Config: listed, Request: preflight("https://evil.example"),
			Want: policytest.Want{Status: 403, Code: problem.CodeAccessDenied, NotSent: true, Header: map[string]string{"Access-Control-Allow-Origin": "", "Vary": "Origin"}},
		},
		policytest.Case{
			Name: "OPTIONS that is no preflight goes on", Config: listed,
			Request: policytest.Request{Method: "OPTIONS", Header: map[string]string{"Origin": "https://app.example"}},
			Want:    policytest.Want{Sent: &policytest.Sent{Method: "OPTIONS"}, Header: map[string]string{"Access-Control-Allow-Origin": "https://app.example"}},
		},
		policytest.Case{
			Name: "others refused", Config: `{origins: ["https://app.example"], refuseOthers: true}`, Request: from("https://evil.example"),
			Want: policytest.Want{Status: 403, Code: problem.CodeAccessDenied, NotSent: true},
		},
	)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{}`:                                                                "/origins",
		`{origins: ["*"], credentials: true}`:                               "list the origins",
		`{origins: ["null"], credentials: true}`:                            "list the origins",
		`{originPatterns: [".*"], credentials: true}`:                       "matches every origin",
		`{origins: ["app.example"]}`:                                        "scheme://host",
		`{origins: ["https://app.example/"]}`:                               "without a path",
		`{origins: ["https://*"]}`:                                          "star",
		`{origins: ["https://*.com"]}`:                                      "star",
		`{origins: ["https://a*.example.com"]}`:                             "star",
		`{origins: ["https://a"], methods: ["G T"]}`:                        "/methods/0",
		`{origins: ["https://a"], exposeHeaders: ["*"], credentials: true}`: "/exposeHeaders",
	} {
		_, err := policytest.Compile(t, cors.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func TestNotOnPlans(t *testing.T) {
	t.Parallel()
	_, err := policytest.Compile(t, cors.Definition(), listed, func(e *policy.Env) { e.Scope.Level = policy.LevelPlan })
	require.ErrorContains(t, err, "on the API")
}

func TestRequestWithoutOriginAllocatesNothing(t *testing.T) {
	hooks, err := cors.Definition().Compile(policytest.JSON(t, listed), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	ex.Request.Header.Add("Accept", "*/*")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Response.Header.Reset()
		ex.Response.Header.Add("Content-Type", "text/plain")
		hooks.Final(&ex)
	}))
}

func FuzzOrigin(f *testing.F) {
	hooks, err := cors.Definition().Compile([]byte(`{"origins":["https://*.example.com"]}`), policy.Env{})
	require.NoError(f, err)
	f.Add("https://a.example.com")
	f.Fuzz(func(t *testing.T, origin string) {
		var ex policy.Exchange
		ex.Request.Header.Add("Origin", origin)
		hooks.Final(&ex)
		if got := ex.Response.Header.Get("Access-Control-Allow-Origin"); got != "" {
			require.Regexp(t, `^https://[a-z0-9_-][a-z0-9._-]*\.example\.com$`, got)
		}
	})
}
