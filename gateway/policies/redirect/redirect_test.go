package redirect_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/redirect"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestRedirect(t *testing.T) {
	t.Parallel()
	req := func(path string) policytest.Request {
		return policytest.Request{Path: path, Header: map[string]string{"X-Next": "https://evil.example/a", "X-Ok": "https://b.example/c", "X-Seg": "\r\nA:"}}
	}
	to := func(status int, location string) policytest.Want {
		return policytest.Want{Status: status, NotSent: true, Header: map[string]string{"Location": location}}
	}
	refused := policytest.Want{Status: 400, Code: problem.CodeBadRequest, NotSent: true}
	policytest.Run(t, redirect.Definition(),
		policytest.Case{Name: "fixed", Config: `{to: /new}`, Request: req("/old?a=b"), Want: to(307, "/new?a=b")},
		policytest.Case{Name: "without query", Config: `{to: /new, keepQuery: false, status: 303}`, Request: req("/old?a=b"), Want: to(303, "/new")},
		policytest.Case{Name: "its own query", Config: `{to: "/new?c=d"}`, Request: req("/old?a=b"), Want: to(307, "/new?c=d")},
		policytest.Case{Name: "template", Config: `{to: "https://n.example/v2${request.path}", status: 301}`, Request: req("/old/%20x"), Want: to(301, "https://n.example/v2/old/%20x")},
		policytest.Case{Name: "groups", Config: `{match: "^/v1/(?P<rest>.*)$", to: "/v2/${rest}"}`, Request: req("/v1/a/b"), Want: to(307, "/v2/a/b")},
		policytest.Case{Name: "numbered groups", Config: `{match: "^/v1/(.*)$", to: "https://n.example/$1"}`, Request: req("/v1/a"), Want: to(307, "https://n.example/a")},
		policytest.Case{Name: "match and template", Config: `{match: "^/v1/", to: "/v2${request.path}"}`, Request: req("/v1/a"), Want: to(307, "/v2/v1/a")},
		policytest.Case{Name: "match and a fixed address", Config: `{match: "^/v1/", to: "/v2"}`, Request: req("/v1/a"), Want: to(307, "/v2")},
		policytest.Case{Name: "no match", Config: `{match: "^/v1/", to: "/v2"}`, Request: req("/v3/a"), Want: policytest.Want{Sent: &policytest.Sent{Path: "/v3/a"}}},
		policytest.Case{Name: "https", Config: `{https: true}`, Request: req("/a?b=c"), Want: to(308, "https://api.example/a?b=c")},
		policytest.Case{Name: "https with a port", Config: `{https: true, port: 8443, status: 301}`, Request: req("/a"), Want: to(301, "https://api.example:8443/a")},
		policytest.Case{Name: "https already", Config: `{https: true}`, Request: policytest.Request{Scheme: "https"}, Want: policytest.Want{Sent: &policytest.Sent{}}},
		policytest.Case{Name: "a host of the list", Config: `{to: "${request.headers['x-ok']}", hosts: [b.example]}`, Request: req("/"), Want: to(307, "https://b.example/c")},
		policytest.Case{Name: "a host of the client", Config: `{to: "${request.headers['x-next']}", hosts: [b.example]}`, Request: req("/"), Want: refused},
		policytest.Case{Name: "a line end of the client", Config: `{to: "/a${request.headers['x-seg']}"}`, Request: req("/"), Want: refused},
	)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{}`:                                       "/to",
		`{to: /a, https: true}`:                    "/to",
		`{to: /a, status: 200}`:                    "/status",
		`{to: "${request.path}"}`:                  "choose the host",
		`{to: "/${request.path}"}`:                 "choose the host",
		`{to: "//evil.example"}`:                   "choose the host",
		`{to: "https://a.example${request.path}"}`: "choose the host",
		`{to: "https://a@b.example/"}`:             "choose the host",
		`{to: "javascript:alert(1)"}`:              "choose the host",
		`{to: "/a b"}`:                             "not an address",
		`{to: /a, port: 1}`:                        "/port",
		`{https: true, match: a}`:                  "/match",
	} {
		_, err := policytest.Compile(t, redirect.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func FuzzLocation(f *testing.F) {
	hooks, err := redirect.Definition().Compile([]byte(`{"match":"^(.*)$","to":"/x$1"}`), policy.Env{})
	require.NoError(f, err)
	f.Add("/a", "b=c")
	f.Fuzz(func(t *testing.T, path, query string) {
		var ex policy.Exchange
		ex.Request.Path, ex.Request.Query = path, query
		if hooks.Inbound(&ex) != nil || !ex.Responded() {
			return
		}
		l := ex.Response.Header.Get("Location")
		require.True(t, policy.ValidValue(l))
		u, err := url.Parse(l)
		if err == nil {
			require.Empty(t, u.Host)
			require.Empty(t, u.Scheme)
		}
	})
}
