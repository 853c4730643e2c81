package headers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/headers"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	in := func(h map[string]string) policytest.Request {
		return policytest.Request{Path: "/x?v=a%0d%0aInjected:1&n=7", Header: h}
	}
	sent := func(h map[string]string) policytest.Want { return policytest.Want{Sent: &policytest.Sent{Header: h}} }
	type m = map[string]string
	policytest.Run(t, headers.Definition(),
		policytest.Case{Name: "set replaces all", Config: `{request: {set: {x-a: new}}}`, Request: in(m{"X-A": "old", "x-a": "older"}), Want: sent(m{"X-A": "new"})},
		policytest.Case{Name: "set from an expression", Config: `{request: {set: {X-N: "n=${request.query['n']}"}}}`, Request: in(nil), Want: sent(m{"X-N": "n=7"})},
		policytest.Case{Name: "set to nothing removes", Config: `{request: {set: {X-A: "${request.headers['x-a'] == '1' ? '' : 'y'}"}}}`, Request: in(m{"X-A": "1"}), Want: sent(m{"X-A": ""})},
		policytest.Case{Name: "add keeps what is there", Config: `{request: {add: {X-A: new, X-B: new}}}`, Request: in(m{"X-A": "old"}), Want: sent(m{"X-A": "old", "X-B": "new"})},
		policytest.Case{Name: "append", Config: `{request: {append: {X-A: b, X-B: c}}}`, Request: in(m{"X-A": "a"}), Want: sent(m{"X-A": "a, b", "X-B": "c"})},
		policytest.Case{Name: "remove by name and prefix", Config: `{request: {remove: [X-A, "X-I-*"]}}`, Request: in(m{"x-a": "1", "X-i-1": "1", "X-Other": "1"}), Want: sent(m{"X-A": "", "X-I-1": "", "X-Other": "1"})},
		policytest.Case{Name: "rename", Config: `{request: {rename: {X-Old: X-New}}}`, Request: in(m{"x-old": "1", "X-New": "0"}), Want: sent(m{"X-Old": "", "X-New": "1"})},
		policytest.Case{Name: "rename of what is not there", Config: `{request: {rename: {X-Old: X-New}}}`, Request: in(m{"X-New": "0"}), Want: sent(m{"X-New": "0"})},
		policytest.Case{Name: "keep only", Config: `{request: {keep: [Accept]}}`, Request: in(m{"accept": "*/*", "Cookie": "c", "Content-Type": "text/plain", "X-Forwarded-For": "192.0.2.1"}), Want: sent(m{"Accept": "*/*", "Cookie": "", "Content-Type": "text/plain", "X-Forwarded-For": "192.0.2.1"})},
		policytest.Case{Name: "the documented order", Config: `{request: {keep: [X-A, X-B], remove: [X-B], rename: {X-A: X-C}, set: {X-B: set}, add: {X-B: add}, append: {X-B: app}}}`, Request: in(m{"X-A": "1", "X-B": "2", "X-Z": "3"}), Want: sent(m{"X-A": "", "X-B": "set, app", "X-C": "1", "X-Z": ""})},
		policytest.Case{
			Name: "response", Config: `{response: {remove: [Server], set: {X-S: "${string(response.status)}"}}}`,
			Upstream: policytest.Upstream{Status: 201, Header: m{"Server": "x"}},
			Want:     policytest.Want{Status: 201, Header: m{"Server": "", "X-S": "201"}},
		},
		policytest.Case{Name: "a line end from the client is refused", Config: `{request: {set: {X-A: "${request.query['v']}"}}}`, Request: in(nil), Want: policytest.Want{Status: 400, Code: problem.CodeBadRequest, NotSent: true}},
		policytest.Case{Name: "so is one in the response", Config: `{response: {set: {X-A: "${request.query['v']}"}}}`, Request: in(nil), Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed, Header: m{"X-A": ""}}},
		policytest.Case{Name: "an expression that fails refuses", Config: `{request: {set: {X-A: "${request.query['none']}"}}}`, Request: in(nil), Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed, NotSent: true}},
		policytest.Case{Name: "errors are left alone", Config: `{response: {set: {X-A: "1"}}}`, Upstream: policytest.Upstream{Err: problem.New(problem.CodeNotFound, "")}, Want: policytest.Want{Status: 404, Code: problem.CodeNotFound, Header: m{"X-A": ""}}},
		policytest.Case{Name: "errors too", Config: `{errors: true, response: {set: {X-A: "1", X-B: "${request.query['none']}"}}}`, Upstream: policytest.Upstream{Err: problem.New(problem.CodeNotFound, "")}, Want: policytest.Want{Status: 404, Code: problem.CodeNotFound, Header: m{"X-A": "1", "X-B": ""}}},
	)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{request: {set: {Content-Length: "1"}}}`:      "/request/set/Content-Length",
		`{request: {remove: [connection]}}`:            "/request/remove/0",
		`{request: {rename: {X-A: Host}}}`:             "/request/rename/X-A",
		`{request: {rename: {X-A: x-a}}}`:              "the same",
		`{response: {add: {Transfer-Encoding: gzip}}}`: "transport",
		`{response: {add: {"X A": b}}}`:                "field name",
		`{response: {add: {X-A: "a\nb"}}}`:             "control characters",
		`{response: {add: {X-A: "${"}}}`:               "/response/add/X-A",
		`{request: {keep: ["*"]}}`:                     "star",
		`{errors: true}`:                               "/errors",
	} {
		_, err := policytest.Compile(t, headers.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func TestConstantsAllocateNothing(t *testing.T) {
	h := policytest.New(t, headers.Definition(), `{request: {add: {X-A: "1"}}}`) // for its environment's template compiler
	res := h.Do(policytest.Request{}, policytest.Upstream{})
	require.Equal(t, "1", res.Sent.Header["X-A"])
	env := policy.Env{Template: func(s string) (policy.Template, error) { return constant(s), nil }}
	hooks, err := headers.Definition().Compile(policytest.JSON(t, `{request: {remove: [X-D], rename: {X-Old: X-New}, set: {X-S: "1"}, add: {X-A: "1"}}}`), env)
	require.NoError(t, err)
	var ex policy.Exchange
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Request.Header.Reset()
		ex.Request.Header.Add("X-D", "1")
		ex.Request.Header.Add("X-Old", "1")
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
	}))
}

type constant string

func (c constant) Text(*policy.Exchange) (string, error) { return string(c), nil }
func (constant) Constant() bool                          { return true }

func FuzzOperations(f *testing.F) {
	f.Add([]byte(`{"request":{"set":{"X-A":"b"},"keep":["A*"]}}`))
	env := policy.Env{Template: func(s string) (policy.Template, error) { return constant(s), nil }}
	f.Fuzz(func(t *testing.T, raw []byte) {
		hooks, err := headers.Definition().Compile(raw, env)
		if err != nil || hooks.Inbound == nil {
			return
		}
		var ex policy.Exchange
		ex.Request.Header.Add("X-A", "1")
		if hooks.Inbound(&ex) != nil {
			return
		}
		for _, f := range ex.Request.Header.Fields() {
			require.True(t, policy.ValidName(f.Name) && policy.ValidValue(f.Value) && !policy.HopByHop(f.Name), "%q: %q", f.Name, f.Value)
		}
	})
}
