package pathrewrite_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
	"github.com/gatehouse/gatehouse/gateway/policies/pathrewrite"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestPath(t *testing.T) {
	t.Parallel()
	c := func(name, config, in, out string) policytest.Case {
		return policytest.Case{
			Name: name, Config: config,
			Request: policytest.Request{Path: in + "?q=1", Params: map[string]string{"id": "a b/ü", "n": "7", "dots": "..", "empty": ""}, Header: map[string]string{"X-T": "t/u v"}},
			Want:    policytest.Want{Sent: &policytest.Sent{Path: out, Query: "q=1"}},
		}
	}
	bad := func(name, config, in string) policytest.Case {
		k := c(name, config, in, "")
		k.Want = policytest.Want{Status: 400, Code: problem.CodeBadPath, NotSent: true}
		return k
	}
	policytest.Run(t, pathrewrite.Definition(),
		c("strip", `{stripPrefix: /v1}`, "/v1/orders", "/orders"),
		c("strip all", `{stripPrefix: /v1/}`, "/v1", "/"),
		c("strip to the slash", `{stripPrefix: /v1}`, "/v1/", "/"),
		c("strip whole segments only", `{stripPrefix: /v1}`, "/v10/orders", "/v10/orders"),
		c("add", `{addPrefix: /int}`, "/v1/orders", "/int/v1/orders"),
		c("strip and add", `{stripPrefix: /v1, addPrefix: /int/o}`, "/v1", "/int/o"),
		c("what is not stripped gets no prefix either", `{stripPrefix: /v1, addPrefix: /int}`, "/v2/x", "/v2/x"),
		c("template", `{path: "/int/{n}/x/${request.headers['x-t']}"}`, "/v1/7", "/int/7/x/t/u%20v"),
		c("regular expression", `{match: "^/v([0-9]+)/(?P<rest>.*)$", replace: "/${rest}/v$1"}`, "/v1/a%20b", "/a%20b/v1"),
		c("no match", `{match: "^/v2", replace: ""}`, "/v1/a", "/v1/a"),
		c("an encoded slash that the client sent", `{match: "^/v1", replace: ""}`, "/v1/a%2Fb", "/a%2Fb"),
		bad("no parameter with a slash", `{path: "/int/{id}"}`, "/v1/x"),
		bad("no parameter of dots", `{path: "/int/{dots}"}`, "/v1/x"),
		bad("no empty parameter", `{path: "/int/{empty}"}`, "/v1/x"),
		bad("no dot segments", `{match: "/x", replace: "/.."}`, "/v1/x"),
		bad("no hidden dot segments", `{match: "x$", replace: "..%2Fx"}`, "/v1/a%2Fx"),
		bad("no encoded slash of its own", `{match: "x", replace: "%2F"}`, "/v1/x"),
		bad("no empty segments", `{match: "x", replace: "/"}`, "/v1/x"),
		bad("no path without a slash", `{match: "^/v1/", replace: ""}`, "/v1/x"),
		bad("no query", `{match: "x", replace: "?a"}`, "/v1/x"),
		policytest.Case{
			Name: "an encoded slash in a parameter where the client sent one", Config: `{path: "/int/{id}"}`,
			Request: policytest.Request{Path: "/v1/a%20b%2F%C3%BC", Params: map[string]string{"id": "a b/ü"}},
			Want:    policytest.Want{Sent: &policytest.Sent{Path: "/int/a%20b%2F%C3%BC"}},
		},
	)
}

func TestLocation(t *testing.T) {
	t.Parallel()
	c := func(name, config, path, location, want string) policytest.Case {
		return policytest.Case{
			Name: name, Config: config, Request: policytest.Request{Path: path, Scheme: "https"},
			Upstream: policytest.Upstream{Func: func(ex *policy.Exchange) error {
				ex.Outcome.Attempts = []policy.Attempt{{Target: "http://10.0.0.1:9000"}}
				ex.Response.Status, ex.Response.Source = 201, policy.SourceUpstream
				ex.Response.Header.Add("Location", location)
				ex.Response.Header.Add("Content-Location", location)
				return nil
			}},
			Want: policytest.Want{Status: 201, Header: map[string]string{"Location": want, "Content-Location": want}},
		}
	}
	const both = `{stripPrefix: /v1, addPrefix: /int}`
	policytest.Run(t, pathrewrite.Definition(),
		c("path", both, "/v1/orders", "/int/orders/7?a=b#c", "/v1/orders/7?a=b#c"),
		c("root", `{stripPrefix: /v1}`, "/v1", "/orders/7", "/v1/orders/7"),
		c("added prefix", `{addPrefix: /int}`, "/orders", "/int", "/"),
		c("address of the target", both, "/v1/orders", "http://10.0.0.1:9000/int/orders/7", "https://api.example/v1/orders/7"),
		c("address of the gateway", both, "/v1/orders", "https://api.example/int/orders/7", "https://api.example/v1/orders/7"),
		c("address of another", both, "/v1/orders", "https://login.example/int/orders/7", "https://login.example/int/orders/7"),
		c("another path", both, "/v1/orders", "/other/7", "/other/7"),
		c("half a segment", both, "/v1/orders", "/internal/7", "/internal/7"),
		c("relative", both, "/v1/orders", "orders/7", "orders/7"),
		c("never another host", `{addPrefix: /int}`, "/orders", "/int//evil.example", "/int//evil.example"),
		c("template", `{path: /int/orders}`, "/v1/orders", "/int/orders/7", "/v1/orders/7"),
		c("not rewritten", both, "/v2/orders", "/int/orders/7", "/int/orders/7"),
		c("switched off", `{stripPrefix: /v1, addPrefix: /int, rewriteLocation: false}`, "/v1/orders", "/int/orders/7", "/int/orders/7"),
	)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{}`:                              "one way",
		`{path: /a, stripPrefix: /b}`:     "one way",
		`{path: "/a/../b"}`:               "/path",
		`{path: "/a/{"}`:                  "not closed",
		`{path: "/a/{b c}"}`:              "path parameter",
		`{path: "/a/${"}`:                 "not closed",
		`{match: "(a)", replace: "/$2"}`:  "/replace",
		`{match: "(a)", replace: "/$1x"}`: "/replace",
		`{addPrefix: "/a b"}`:             "/addPrefix",
		`{stripPrefix: "/a%2fb"}`:         "/stripPrefix",
	} {
		_, err := policytest.Compile(t, pathrewrite.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func TestPrefixesAllocateNothing(t *testing.T) {
	hooks, err := pathrewrite.Definition().Compile([]byte(`{"stripPrefix":"/v1"}`), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Forward.Path = "/v1/orders"
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
	}))
}

// What is sent is canonical, whatever was asked for and whatever the
// replacement is.
func FuzzCanonical(f *testing.F) {
	f.Add("/v1/a%2Fb", "^/v1", "/x")
	f.Add("/v1/a;b", "v1", "..%2F")
	f.Add("/v1/%C3%A9", "v1", "%C0%AF")
	f.Fuzz(func(t *testing.T, asked, match, replace string) {
		path, _, err := canon.Path(asked)
		if err != nil {
			t.Skip()
		}
		raw, err := json.Marshal(map[string]string{"match": match, "replace": replace})
		require.NoError(t, err)
		hooks, err := pathrewrite.Definition().Compile(raw, policy.Env{})
		if err != nil {
			t.Skip()
		}
		var ex policy.Exchange
		ex.Request.Path, ex.Forward.Path = path, path
		if hooks.Inbound(&ex) != nil {
			require.Equal(t, path, ex.Forward.Path)
			return
		}
		got, _, err := canon.Path(ex.Forward.Path)
		require.NoError(t, err)
		require.Equal(t, got, ex.Forward.Path)
	})
}
