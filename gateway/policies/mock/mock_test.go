package mock_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/mock"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

type m = map[string]string

func TestStatic(t *testing.T) {
	t.Parallel()
	policytest.Run(t, mock.Definition(),
		policytest.Case{Name: "nothing said", Config: `{}`, Want: policytest.Want{NotSent: true}},
		policytest.Case{
			Name: "fixed", Config: `{status: 201, headers: {X-A: b}, body: '{"a":1}', delay: 1ms}`,
			Want: policytest.Want{Status: 201, Body: `{"a":1}`, NotSent: true, Header: m{"X-A": "b", "Content-Type": "application/json"}},
		},
		policytest.Case{
			Name: "template", Config: `{body: "hello ${request.params['id']}", headers: {X-P: "${request.path}"}}`,
			Request: policytest.Request{Path: "/p", Params: m{"id": "you"}},
			Want:    policytest.Want{Body: "hello you", Header: m{"X-P": "/p", "Content-Type": "text/plain; charset=utf-8"}},
		},
		policytest.Case{
			Name: "an expression that fails", Config: `{body: "${request.headers['none']}"}`,
			Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed},
		},
		policytest.Case{
			Name: "a header that would break the message", Config: `{headers: {X-P: "${request.params['id']}"}}`,
			Request: policytest.Request{Params: m{"id": "a\r\nb"}}, Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed},
		},
	)
	for config, want := range map[string]string{
		`{status: 100}`:                    "/status",
		`{headers: {Content-Length: "1"}}`: "/headers/Content-Length",
		`{document: true}`:                 "/document",
		`{document: true, body: x}`:        "/document",
		`{example: x}`:                     "/document",
		`{body: "${"}`:                     "/body",
	} {
		_, err := policytest.Compile(t, mock.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func TestClientThatLeavesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, mock.Definition(), `{delay: 1m}`)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	res := h.Do(policytest.Request{Edit: func(ex *policy.Exchange) { ex.SetContext(ctx) }}, policytest.Upstream{})
	require.Equal(t, 499, res.Status)
	require.Less(t, time.Since(start), 30*time.Second)
}

const document = `
openapi: 3.0.3
paths:
  /pets:
    get:
      responses:
        "200":
          headers: {X-Total: {schema: {type: integer, minimum: 3, maximum: 3}}}
          content:
            application/json:
              examples: {cat: {value: {name: Tom}}, dog: {value: {name: Rex}}}
            text/plain: {example: "Tom, Rex"}
        404: {description: none, content: {application/problem+json: {example: {title: none}}}}
        5XX: {description: broken}
    post:
      responses:
        "201": {content: {application/json: {schema: {$ref: "#/components/schemas/Everything"}}}}
    delete: {responses: {"204": {description: gone}}}
components:
  schemas:
    Tree: {type: object, required: [value, left], properties: {value: {type: integer}, left: {$ref: "#/components/schemas/Tree"}, nodes: {type: array, items: {$ref: "#/components/schemas/Tree"}}}}
    Everything:
      type: object
      required: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, s]
      properties:
        a: {type: integer, minimum: 5, maximum: 7, exclusiveMinimum: true}
        b: {type: number, minimum: 0.5, maximum: 0.6}
        c: {type: string, minLength: 30, maxLength: 40}
        d: {type: string, maxLength: 2}
        e: {type: string, pattern: "^[A-Z]{3}-[0-9]+(x|y)?$"}
        f: {type: string, format: uuid}
        g: {type: string, format: date-time}
        h: {type: string, format: email}
        i: {type: string, enum: [x, y]}
        j: {type: array, minItems: 3, maxItems: 4, uniqueItems: true, items: {type: integer, minimum: 1, maximum: 9}}
        k: {oneOf: [{type: object, required: [kind], properties: {kind: {type: string, enum: [one]}}}, {type: object, required: [sort], properties: {sort: {type: integer}}}]}
        l: {allOf: [{type: object, required: [x], properties: {x: {type: boolean}}}, {type: object, required: [y], properties: {y: {type: string, format: ipv4}}}]}
        m: {type: object, additionalProperties: {type: integer}, minProperties: 2}
        n: {type: integer, multipleOf: 7, minimum: 50}
        o: {type: string, nullable: true, format: date}
        p: {anyOf: [{type: string, format: uri}, {type: integer}]}
        q: {type: integer, format: int32, maximum: -5}
        r: {type: string, writeOnly: true}
        s: {type: string, format: byte}
        t: {type: string, format: hostname}
        u: {type: string, format: ipv6}
`

func get(header m) policytest.Request {
	return policytest.Request{Header: header, Route: &policy.Route{Template: "/pets", Method: "GET"}}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		header       m
		want         policytest.Want
	}{
		{"the first", `{document: true}`, nil, policytest.Want{Body: `{"name":"Tom"}`, NotSent: true, Header: m{"Content-Type": "application/json", "X-Total": "3", "Vary": "Prefer, Accept"}}},
		{"configured", `{document: true, example: dog}`, nil, policytest.Want{Body: `{"name":"Rex"}`}},
		{"preferred", `{document: true}`, m{"Prefer": "respond-async, example=dog"}, policytest.Want{Body: `{"name":"Rex"}`, Header: m{"Preference-Applied": "example=dog"}}},
		{"preferences are not for all", `{document: true, prefer: false}`, m{"Prefer": "example=dog"}, policytest.Want{Body: `{"name":"Tom"}`, Header: m{"Preference-Applied": ""}}},
		{"no such example", `{document: true}`, m{"Prefer": "example=cow"}, policytest.Want{Status: 400, Code: problem.CodeBadRequest, Detail: "cat, dog"}},
		{"status", `{document: true}`, m{"Prefer": `code="404"`}, policytest.Want{Status: 404, Body: `{"title":"none"}`, Header: m{"Content-Type": "application/problem+json"}}},
		{"status of a range", `{document: true, status: 503}`, nil, policytest.Want{Status: 503}},
		{"no such status", `{document: true}`, m{"Prefer": "code=302"}, policytest.Want{Status: 400, Code: problem.CodeBadRequest, Detail: "200, 404, 5XX"}},
		{"no status", `{document: true}`, m{"Prefer": "code=x"}, policytest.Want{Status: 400, Code: problem.CodeBadRequest}},
		{"another media type", `{document: true}`, m{"Accept": "text/*, application/json;q=0.5"}, policytest.Want{Body: "Tom, Rex", Header: m{"Content-Type": "text/plain"}}},
		{"any", `{document: true}`, m{"Accept": "*/*"}, policytest.Want{Body: `{"name":"Tom"}`}},
		{"any but JSON", `{document: true}`, m{"Accept": "*/*, application/json;q=0"}, policytest.Want{Body: "Tom, Rex"}},
		{"none", `{document: true}`, m{"Accept": "image/png"}, policytest.Want{Status: 406, Code: problem.CodeNotAcceptable, Detail: "text/plain"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, mock.Definition(), c.config, policytest.WithDocument(t, strings.ReplaceAll(document, "404: {desc", `"404": {desc`)))
			res := h.Do(get(c.header), policytest.Upstream{})
			if c.want.Status == 404 {
				require.Equal(t, c.want.Body, res.Body)
				require.Equal(t, 404, res.Status)
				return
			}
			res.Check(c.want)
		})
	}
	h := policytest.New(t, mock.Definition(), `{document: true}`, policytest.WithDocument(t, strings.ReplaceAll(document, "404: {desc", `"404": {desc`)))
	h.Do(policytest.Request{Route: &policy.Route{Template: "/pets", Method: "DELETE"}}, policytest.Upstream{}).Check(policytest.Want{Status: 204})
	h.Do(policytest.Request{Route: &policy.Route{Template: "/else", Method: "GET"}}, policytest.Upstream{}).Check(policytest.Want{Status: 404, Code: problem.CodeNotFound})
}

// What is made from a schema matches it, whatever the seed.
func TestGenerated(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(document, "404: {desc", `"404": {desc`)
	d, err := openapi.Parse(policytest.JSON(t, text))
	require.NoError(t, err)
	route := &policy.Route{Template: "/pets", Method: "POST"}
	checker, err := d.Compile(d.Find(route).Responses["201"].Content[0].Schema, openapi.InResponse)
	require.NoError(t, err)
	bodies := map[string]bool{}
	for _, seed := range strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19") {
		var last string
		for range 2 {
			h := policytest.New(t, mock.Definition(), `{document: true, seed: `+seed+`}`, policytest.WithDocument(t, text))
			res := h.Do(policytest.Request{Route: route}, policytest.Upstream{})
			require.Equal(t, 201, res.Status)
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(res.Body))
			require.NoError(t, err)
			require.Empty(t, checker.Check(v, ""), res.Body)
			require.True(t, last == "" || last == res.Body, "the same seed, the same answer")
			last = res.Body
		}
		bodies[last] = true
	}
	require.Greater(t, len(bodies), 10)
}

func TestSchemasThatNeverEnd(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(strings.ReplaceAll(document, "404: {desc", `"404": {desc`), "schemas/Everything\"}}}", "schemas/Tree\"}}}")
	h := policytest.New(t, mock.Definition(), `{document: true}`, policytest.WithDocument(t, text))
	res := h.Do(policytest.Request{Route: &policy.Route{Template: "/pets", Method: "POST"}}, policytest.Upstream{})
	require.Equal(t, 201, res.Status)
	require.Less(t, len(res.Body), 1<<20)
}
