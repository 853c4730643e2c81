package datamask_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/datamask"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

type m = map[string]string

func TestResponse(t *testing.T) {
	t.Parallel()
	c := func(name, rule, in, out string) policytest.Case {
		return policytest.Case{
			Name: name, Config: `{hashKey: "0123456789abcdef", rules: [` + rule + `]}`,
			Upstream: policytest.Upstream{Body: in, Stream: true, Header: m{"Content-Type": "application/json; charset=utf-8", "ETag": `"x"`}},
			Want:     policytest.Want{Body: out},
		}
	}
	as := func(media string, k policytest.Case) policytest.Case {
		k.Upstream.Header = m{"Content-Type": media}
		return k
	}
	invalid := func(k policytest.Case) policytest.Case {
		k.Want = policytest.Want{Status: 502, Code: problem.CodeUpstreamInvalid}
		return k
	}
	policytest.Run(t, datamask.Definition(),
		c("what is not named stays byte for byte", `{path: $.a}`, ` {"b" : 1.50, "a":"x" ,"é\u0041":[ ]} `, ` {"b" : 1.50, "a":"***" ,"é\u0041":[ ]} `),
		c("nested", `{path: $.a.b}`, `{"a":{"b":1,"c":2},"b":3}`, `{"a":{"b":"***","c":2},"b":3}`),
		c("escaped names", `{path: $.a}`, `{"\u0061":"x"}`, `{"\u0061":"***"}`),
		c("names in brackets", `{path: "$['a b'].c"}`, `{"a b":{"c":1}}`, `{"a b":{"c":"***"}}`),
		c("the same name twice", `{path: $.a}`, `{"a":1,"a":2}`, `{"a":"***","a":"***"}`),
		c("all of a list", `{path: "$.l[*].s"}`, `{"l":[{"s":1},{"s":2},3]}`, `{"l":[{"s":"***"},{"s":"***"},3]}`),
		c("one of a list", `{path: "$.l[1]"}`, `{"l":[1,2,3]}`, `{"l":[1,"***",3]}`),
		c("any member", `{path: "$.a.*"}`, `{"a":{"x":1,"y":"z"}}`, `{"a":{"x":"***","y":"***"}}`),
		c("at any depth", `{path: $..s}`, `{"s":1,"a":[{"s":{"s":2}}],"b":{"s":null}}`, `{"s":"***","a":[{"s":"***"}],"b":{"s":null}}`),
		c("below any depth", `{path: "$..user.name"}`, `{"a":{"user":{"user":{"name":"x"},"name":"y"}},"name":"z"}`, `{"a":{"user":{"user":{"name":"***"},"name":"***"}},"name":"z"}`),
		c("top level list", `{path: "$[*].s"}`, `[{"s":1}]`, `[{"s":"***"}]`),
		c("objects as a whole", `{path: $.a}`, `{"a":{"b":[1,2]}}`, `{"a":"***"}`),
		c("partial", `{path: $.a, how: partial}`, `{"a":"4111111111111111"}`, `{"a":"************1111"}`),
		c("partial of what is short", `{path: $.a, how: partial}`, `{"a":"abc"}`, `{"a":"**c"}`),
		c("partial of an object", `{path: $.a, how: partial}`, `{"a":{"b":"secret"}}`, `{"a":"***"}`),
		c("hash", `{path: $.a, how: hash}`, `{"a":"x"}`, `{"a":"68f4d9c04881bab754f229e82dee00ccf8d9f6a7cf98125ac5e8254d6cd3cc3f"}`),
		c("pattern", `{pattern: "[a-z]+@[a-z.]+"}`, `{"a":"to joe@x.org!","b":["me@y.org"]}`, `{"a":"to ***!","b":["***"]}`),
		c("pattern in numbers", `{pattern: "^[0-9]{16}$", how: partial}`, `{"a":4111111111111111,"b":1}`, `{"a":"************1111","b":1}`),
		c("a group of a pattern", `{pattern: "id=([0-9]+)", how: partial, keep: 1}`, `{"a":"id=123 id=4"}`, `{"a":"id=**3 id=*"}`),
		c("two rules", `{path: $.a}, {path: $.b, replacement: ""}`, `{"a":1,"b":2}`, `{"a":"***","b":""}`),
		c("nothing to hide", `{path: $.z}`, `{"a":1}`, `{"a":1}`),
		invalid(c("no JSON", `{path: $.a}`, `{"b":1,"a":`, "")),
		invalid(c("more than JSON", `{path: $.a}`, `{} {"a":1}`, "")),
		invalid(c("nested without end", `{path: $.a}`, strings.Repeat("[", 10000), "")),
		as("text/plain", c("text", `{pattern: "secret[0-9]"}`, "a secret1 and secret2", "a *** and ***")),
		as("text/plain", c("paths do not concern text", `{path: $.a}`, `{"a":1}`, `{"a":1}`)),
		as("image/png", c("other media types", `{pattern: "a"}`, "aaa", "aaa")),
		as("text/event-stream", c("events are not held back", `{pattern: "a"}`, "data: a", "data: a")),
		as("application/x-www-form-urlencoded", c("form", `{field: "a b"}`, "x=%7e&a+b=1&a%20b=2", "x=%7e&a+b=%2A%2A%2A&a%20b=%2A%2A%2A")),
		policytest.Case{
			Name: "compressed", Config: `{rules: [{path: $.a}]}`,
			Upstream: policytest.Upstream{Body: "x", Header: m{"Content-Type": "application/json", "Content-Encoding": "gzip"}},
			Want:     policytest.Want{Status: 502, Code: problem.CodeUpstreamInvalid, Detail: "compressed"},
		},
		policytest.Case{
			Name: "too large", Config: `{maxBody: 5B, rules: [{path: $.a}]}`,
			Upstream: policytest.Upstream{Body: `{"a":1}`, Stream: true, Header: m{"Content-Type": "application/json"}},
			Want:     policytest.Want{Status: 502, Code: problem.CodeUpstreamTooLarge},
		},
		policytest.Case{
			Name: "header", Config: `{rules: [{header: x-s, how: partial, keep: 2, in: [response]}]}`,
			Upstream: policytest.Upstream{Header: m{"X-S": "secret"}}, Want: policytest.Want{Header: m{"X-S": "****et"}},
		},
		policytest.Case{
			Name: "the tag of other bytes", Config: `{rules: [{path: $.a}]}`,
			Upstream: policytest.Upstream{Body: `{"a":1}`, Header: m{"Content-Type": "application/json", "ETag": `"x"`}},
			Want:     policytest.Want{Body: `{"a":"***"}`, Header: m{"ETag": ""}},
		},
	)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	req := policytest.Request{Method: "POST", Body: `{"a":1}`, Header: m{"Content-Type": "application/json", "X-S": "s"}}
	policytest.Run(t, datamask.Definition(),
		policytest.Case{
			Name: "masked", Config: `{rules: [{path: $.a, in: [request]}, {header: X-S, in: [request]}]}`, Request: req,
			Want: policytest.Want{Sent: &policytest.Sent{Body: `{"a":"***"}`, Header: m{"X-S": "***"}}},
		},
		policytest.Case{
			Name: "the log does not concern the body", Config: `{rules: [{path: $.a, in: [log]}, {header: X-S, in: [log]}]}`, Request: req,
			Want: policytest.Want{Sent: &policytest.Sent{Body: `{"a":1}`, Header: m{"X-S": "s"}}},
		},
		policytest.Case{
			Name: "malformed", Config: `{rules: [{path: $.a, in: [request]}]}`,
			Request: policytest.Request{Method: "POST", Body: `{"a":`, Header: m{"Content-Type": "application/json"}},
			Want:    policytest.Want{Status: 400, Code: problem.CodeBadRequest, NotSent: true},
		},
		policytest.Case{
			Name: "too large", Config: `{maxBody: 2B, rules: [{path: $.a, in: [request]}]}`, Request: req,
			Want: policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge, NotSent: true},
		},
	)
}

func TestLog(t *testing.T) { // R14.4
	t.Parallel()
	h := policytest.New(t, datamask.Definition(), `{rules: [
		{path: $.a, in: [log]}, {pattern: "joe@[a-z.]+", in: [log]}, {header: X-S, in: [log], how: partial}, {field: pin, in: [log]}]}`)
	for _, u := range []policytest.Upstream{{Body: `{"a":"secret"}`, Header: m{"Content-Type": "application/json"}}, {Err: problem.New(problem.CodeNotFound, "")}} {
		res := h.Do(policytest.Request{}, u)
		require.Contains(t, []string{u.Body, res.Body}, res.Body)
		masks := res.Exchange().Log.Masks
		require.Len(t, masks, 1, "once for an exchange")
		for _, c := range []struct{ field, in, out string }{
			{"response.body", `{"a":"secret","b":1}`, `{"a":"***","b":1}`},
			{"request.body", `{"b":"joe@x.org","a":["secr`, `{"b":"***","a":"***"`},
			{"request.body", `{"a":{"x":"secr`, `{"a":"***"`},
			{"request.body", `pin=1234&x=y`, `pin=%2A%2A%2A&x=y`},
			{"request.body", `mail joe@x.org`, `mail ***`},
			{"request.query", `pin=1234&who=joe%40x.org`, `pin=%2A%2A%2A&who=%2A%2A%2A`},
			{"request.header.x-s", "abcdefghij", "******ghij"},
			{"response.header.X-Other", "joe@x.org", "***"},
		} {
			require.Equal(t, c.out, masks[0](c.field, c.in), c.field)
		}
	}
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{rules: [{path: a.b}]}`:                            "/rules/0/path",
		`{rules: [{path: "$.a[?(@.b)]"}]}`:                  "/rules/0/path",
		`{rules: [{path: "$."}]}`:                           "/rules/0/path",
		`{rules: [{path: "$.."}]}`:                          "/rules/0/path",
		`{rules: [{path: "$.a[1:2]"}]}`:                     "/rules/0/path",
		`{rules: [{path: $.a, how: hash}]}`:                 "/hashKey",
		`{hashKey: short, rules: [{path: $.a, how: hash}]}`: "/hashKey",
		`{rules: [{path: $.a, in: []}]}`:                    "/rules/0/in",
		`{rules: [{header: Content-Length}]}`:               "/rules/0/header",
		`{rules: [{path: $.a, replacement: "a\nb"}]}`:       "/rules/0/replacement",
	} {
		_, err := policytest.Compile(t, datamask.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
	for _, config := range []string{`{}`, `{rules: []}`, `{rules: [{}]}`, `{rules: [{path: $.a, header: b}]}`} {
		require.NotEmpty(t, datamask.Definition().Check(policytest.JSON(t, config)), config)
	}
}

func TestOtherMediaTypesAllocateNothing(t *testing.T) {
	hooks, err := datamask.Definition().Compile([]byte(`{"rules":[{"path":"$.a"}]}`), policy.Env{Slot: func() policy.Slot { return 0 }})
	require.NoError(t, err)
	var ex policy.Exchange
	ex.Response.Header.Add("Content-Type", "image/png")
	ex.Response.Body.SetStream(strings.NewReader("x"), 1)
	ex.Put(0, nil)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Log.Masks = nil
		ex.Put(0, nil)
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
		if err := hooks.Outbound(&ex); err != nil {
			t.Error(err)
		}
		hooks.Final(&ex)
	}))
}

// Nothing that encoding/json reads at a masked path gets through, and what is
// not masked stays the same.
func FuzzJSON(f *testing.F) {
	hooks, err := datamask.Definition().Compile([]byte(`{"rules":[{"path":"$.a"},{"path":"$..s"},{"path":"$.l[*].b"}]}`), policy.Env{Slot: func() policy.Slot { return 0 }})
	require.NoError(f, err)
	f.Add([]byte(`{"a":1,"b":{"s":[1]},"l":[{"b":2}]}`))
	f.Add([]byte(`{"\u0061":"x","l":[{"b":{"c":1}}],"x":[[{"s":null}]]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var ex policy.Exchange
		ex.Response.Header.Add("Content-Type", "application/json")
		ex.Response.Body.SetBytes(in)
		if hooks.Outbound(&ex) != nil {
			return
		}
		if len(in) == 0 {
			return
		}
		require.True(t, json.Valid(in), "what is no JSON is refused")
		out := ex.Response.Body.Bytes()
		require.True(t, json.Valid(out), "%s", out)
		var v any
		require.NoError(t, json.Unmarshal(out, &v))
		clean(t, v)
	})
}

func clean(t *testing.T, v any) {
	t.Helper()
	top, _ := v.(map[string]any)
	masked := func(v any) { require.Contains(t, []any{nil, "***"}, v) }
	masked(top["a"])
	list, _ := top["l"].([]any)
	for _, e := range list {
		if o, ok := e.(map[string]any); ok {
			masked(o["b"])
		}
	}
	var deep func(v any)
	deep = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			masked(v["s"])
			for _, e := range v {
				deep(e)
			}
		case []any:
			for _, e := range v {
				deep(e)
			}
		}
	}
	deep(v)
}
