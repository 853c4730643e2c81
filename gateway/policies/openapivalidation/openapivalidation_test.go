package openapivalidation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/openapivalidation"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const document = `
openapi: 3.0.3
paths:
  /orders/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: tags, in: query, schema: {type: array, items: {type: string, enum: [a, b]}}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}, maxItems: 3}}
        - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, required: [state], properties: {state: {type: string}, n: {type: integer}}}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, required: [x]}}}}
        - {name: X-Trace, in: header, required: true, schema: {type: string, format: uuid}}
        - {name: session, in: cookie, schema: {type: boolean}}
      responses:
        "200":
          headers: {X-Count: {required: true, schema: {type: integer}}}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Order"}}
        4XX: {description: error}
  /orders:
    post:
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: "#/components/schemas/Order"}}
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/Order"}}
          multipart/form-data: {schema: {type: object, required: [file, n], properties: {file: {type: string, format: binary}, n: {type: integer}, tags: {type: array, items: {type: string, maxLength: 2}}}}}
          text/*: {schema: {type: string, maxLength: 5}}
          image/png: {}
      responses: {"201": {description: ok}}
components:
  securitySchemes: {key: {type: apiKey, in: query, name: api_key}}
  schemas:
    Order:
      type: object
      required: [id, item]
      additionalProperties: false
      properties:
        id: {type: integer, readOnly: true}
        item: {type: string, minLength: 2}
        price: {type: number, exclusiveMinimum: true, minimum: 0}
        secret: {type: string, writeOnly: true}
        lines: {type: array, items: {type: object, properties: {qty: {type: integer}}}}
        kind:
          oneOf: [{type: string, enum: [x]}, {type: integer}]
`

type m = map[string]string

func get(query string, header m) policytest.Request {
	h := m{"X-Trace": "7d444840-9dc0-11d1-b245-5ffdce74fad2"}
	for k, v := range header {
		h[k] = v
	}
	return policytest.Request{
		Path: "/v1/orders/7?" + query, Header: h, Params: m{"id": "7"},
		Route: &policy.Route{BasePath: "/v1", Template: "/v1/orders/{id}", Method: "GET"},
	}
}

func post(media, body string) policytest.Request {
	return policytest.Request{
		Method: "POST", Path: "/v1/orders", Header: m{"Content-Type": media}, Body: body,
		Route: &policy.Route{BasePath: "/v1", Template: "/v1/orders", Method: "POST"},
	}
}

// do returns the status and the violations as "pointer rule".
func do(t *testing.T, config string, r policytest.Request, u policytest.Upstream) (int, []string) {
	t.Helper()
	res := policytest.New(t, openapivalidation.Definition(), config, policytest.WithDocument(t, document)).Do(r, u)
	var p problem.Problem
	if res.Status >= 400 && res.Header["Content-Type"] == problem.ContentType {
		require.NoError(t, json.Unmarshal([]byte(res.Body), &p))
	}
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Pointer+" "+f.Code)
	}
	return res.Status, got
}

func TestRequests(t *testing.T) { // R9.5
	t.Parallel()
	const form = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nNN\r\n--b\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\nab\r\n--b\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\nTT\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n\x00\xff\r\n--b--\r\n"
	for _, c := range []struct {
		name string
		r    policytest.Request
		want []string
	}{
		{"all right", get("limit=5&tags=a&tags=b&ids=1,2&pipes=1|2&filter[state]=x&filter[n]=5&json=%7B%22x%22:1%7D", m{"Cookie": "a=b; session=true"}), nil},
		{"numbers", get("limit=x&ids=1,b,3", nil), []string{"/query/limit type", "/query/ids/1 type"}},
		{"bounds", get("limit=101&ids=1,2,3,4", nil), []string{"/query/limit maximum", "/query/ids maxItems"}},
		{"items", get("tags=a&tags=c", nil), []string{"/query/tags/1 enum"}},
		{"given twice", get("limit=1&limit=2", nil), []string{"/query/limit syntax"}},
		{"deep objects", get("filter[n]=x", nil), []string{"/query/filter/n type", "/query/filter/state required"}},
		{"content", get("json=%7B%7D", nil), []string{"/query/json/x required"}},
		{"content that is none", get("json=%7B", nil), []string{"/query/json syntax"}},
		{"header", get("", m{"X-Trace": "abc"}), []string{"/header/X-Trace format"}},
		{"cookie", get("", m{"Cookie": "session=7"}), []string{"/cookie/session type"}},
		{"a query that cannot be decoded", get("a=%zz", nil), []string{"/query syntax"}},
		{"body", post("application/json", `{"item":"pen","price":1.5,"kind":"x","lines":[{"qty":1}],"secret":"s"}`), nil},
		{
			"body with all kinds of violations", post("application/json; charset=utf-8", `{"id":1,"item":"p","price":0,"more":1,"lines":[{"qty":1},{"qty":"2"}],"kind":"y"}`),
			[]string{"/body/id readOnly", "/body/item minLength", "/body/price exclusiveMinimum", "/body/more additionalProperties", "/body/lines/1/qty type", "/body/kind oneOf"},
		},
		{"no JSON", post("application/json", `{"item":`), []string{"/body syntax"}},
		{"more than JSON", post("application/json", `{"item":"pen"} {}`), []string{"/body syntax"}},
		{"a number that costs", post("application/json", `{"item":"pen","price":1e999999999}`), []string{"/body syntax"}},
		{"no body", post("application/json", ""), []string{"/body required"}},
		{"form", post("application/x-www-form-urlencoded", "item=pen&price=2"), nil},
		{"wrong form", post("application/x-www-form-urlencoded", "item=p&price=x"), []string{"/body/item minLength", "/body/price type"}},
		{"multipart", post("multipart/form-data; boundary=b", strings.ReplaceAll(strings.ReplaceAll(form, "NN", "5"), "TT", "cd")), nil},
		{"wrong multipart", post("multipart/form-data; boundary=b", strings.ReplaceAll(strings.ReplaceAll(form, "NN", "x"), "TT", "cde")), []string{"/body/n type", "/body/tags/1 maxLength"}},
		{"no multipart", post("multipart/form-data", "x"), []string{"/body syntax"}},
		{"text", post("text/plain", "123456"), []string{"/body maxLength"}},
		{"what cannot be read is passed on", post("image/png", "\x89PNG"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, got := do(t, `{}`, c.r, policytest.Upstream{})
			require.ElementsMatch(t, c.want, got)
			if c.want == nil {
				require.Equal(t, 200, status)
			} else {
				require.Equal(t, 400, status)
			}
			status, _ = do(t, `{request: report}`, c.r, policytest.Upstream{})
			require.Equal(t, 200, status)
		})
	}
}

func TestRequestOptions(t *testing.T) {
	t.Parallel()
	status, got := do(t, `{details: false}`, get("limit=x", nil), policytest.Upstream{})
	require.Equal(t, 400, status)
	require.Empty(t, got)
	_, got = do(t, `{refuseUnknownQuery: true}`, get("limit=5&filter[state]=x&other=1&api_key=k", nil), policytest.Upstream{})
	require.Equal(t, []string{"/query/other unknown"}, got)
	status, _ = do(t, `{allowReadOnly: true}`, post("application/json", `{"id":1,"item":"pen"}`), policytest.Upstream{})
	require.Equal(t, 200, status)
	status, _ = do(t, `{}`, post("application/xml", `<a/>`), policytest.Upstream{})
	require.Equal(t, 415, status)
	status, _ = do(t, `{maxBody: 10B}`, post("application/json", `{"item":"pencil"}`), policytest.Upstream{})
	require.Equal(t, 413, status)
	status, _ = do(t, `{maxBody: 10B}`, post("image/png", strings.Repeat("x", 1000)), policytest.Upstream{})
	require.Equal(t, 200, status, "what is not looked into streams")
	status, _ = do(t, `{maxBody: 10B, request: report}`, post("application/json", `{"item":"pencil"}`), policytest.Upstream{})
	require.Equal(t, 200, status)
	large := policytest.Upstream{Body: `{"id":1,"item":"pen"}`, Stream: true, Header: m{"Content-Type": "application/json", "X-Count": "1"}}
	status, _ = do(t, `{maxBody: 10B, response: block}`, get("", nil), large)
	require.Equal(t, 502, status)
	status, _ = do(t, `{maxBody: 10B, response: report}`, get("", nil), large)
	require.Equal(t, 200, status)
	r := post("application/json", "x")
	r.Header["Content-Encoding"] = "gzip"
	_, got = do(t, `{}`, r, policytest.Upstream{})
	require.Equal(t, []string{"/body encoding"}, got)
	unknown := get("limit=x", nil)
	unknown.Route = &policy.Route{Template: "/else", Method: "GET"}
	status, _ = do(t, `{}`, unknown, policytest.Upstream{})
	require.Equal(t, 200, status)

	h := policytest.New(t, openapivalidation.Definition(), `{request: report}`, policytest.WithDocument(t, document))
	res := h.Do(get("limit=x", nil), policytest.Upstream{})
	require.Equal(t, "/query/limit type", res.Exchange().Log.Attributes["requestViolations"])
	require.Len(t, res.Exchange().Notes(), 1)
}

func TestResponses(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string, h m) policytest.Upstream {
		header := m{"Content-Type": "application/json", "X-Count": "1"}
		for k, v := range h {
			header[k] = v
		}
		return policytest.Upstream{Status: status, Body: body, Header: header}
	}
	for _, c := range []struct {
		name string
		u    policytest.Upstream
		want []string
	}{
		{"all right", answer(200, `{"id":1,"item":"pen"}`, nil), nil},
		{"body", answer(200, `{"item":"pen","secret":"s"}`, nil), []string{"/body/id required", "/body/secret writeOnly"}},
		{"header", answer(200, `{"id":1,"item":"pen"}`, m{"X-Count": "many"}), []string{"/header/X-Count type"}},
		{"media type", answer(200, "x", m{"Content-Type": "text/html"}), []string{"/header/content-type content"}},
		{"status", answer(302, "", nil), []string{"/status status"}},
		{"a range of statuses", answer(404, "gone", m{"Content-Type": "text/plain"}), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, got := do(t, `{response: block}`, get("", nil), c.u)
			require.ElementsMatch(t, c.want, got)
			if c.want != nil {
				require.Equal(t, 502, status)
			}
			status, _ = do(t, `{response: report}`, get("", nil), c.u)
			require.Equal(t, c.u.Status, status)
		})
	}
	// Nothing that the upstream said reaches the client.
	h := policytest.New(t, openapivalidation.Definition(), `{response: block}`, policytest.WithDocument(t, document))
	res := h.Do(get("", nil), answer(200, `{"id":"hidden-value","item":"pen"}`, nil))
	require.Equal(t, 502, res.Status)
	require.NotContains(t, res.Body, "hidden-value")
	require.NotContains(t, res.Exchange().Log.Attributes["responseViolations"], "hidden-value")
}

func TestContractAndConfigurations(t *testing.T) {
	t.Parallel()
	def := openapivalidation.Definition()
	require.NotEmpty(t, def.Doc)
	require.Empty(t, def.Check(policytest.JSON(t, def.Example)))
	require.NotEmpty(t, def.Check(json.RawMessage(`{"noSuchFieldHere":1}`)))
	policytest.New(t, def, def.Example, policytest.WithDocument(t, document))
	_, err := policytest.Compile(t, def, `{}`)
	require.ErrorContains(t, err, "no OpenAPI document")
	_, err = policytest.Compile(t, def, `{request: "off"}`, policytest.WithDocument(t, document))
	require.ErrorContains(t, err, "/request")
	_, err = policytest.Compile(t, def, `{}`, policytest.WithDocument(t, `{openapi: "3.1.0", paths: {/a: {get: {parameters: [{name: a, in: query, schema: {pattern: "(?!a)"}}]}}}}`))
	require.ErrorContains(t, err, "RE2")
}

func FuzzRequest(f *testing.F) {
	f.Add("limit=5&ids=1,2&filter[state]=x", "a=b", "application/json", []byte(`{"item":"pen"}`))
	f.Add("json={}", "", "multipart/form-data; boundary=b", []byte("--b\r\n\r\nx\r\n--b--"))
	f.Add("pipes=1|2", "session=1", "application/x-www-form-urlencoded", []byte("item=a&price=1e9"))
	var h *policytest.Harness
	f.Fuzz(func(t *testing.T, query, cookie, media string, body []byte) {
		h = policytest.New(t, openapivalidation.Definition(), `{refuseUnknownQuery: true}`, policytest.WithDocument(t, document))
		r := get("", m{"Cookie": cookie})
		r.Edit = func(ex *policy.Exchange) { ex.Request.Query = query }
		require.Contains(t, []int{200, 400}, h.Do(r, policytest.Upstream{}).Status)
		require.Contains(t, []int{200, 400, 415}, h.Do(post(media, string(body)), policytest.Upstream{}).Status)
	})
}
