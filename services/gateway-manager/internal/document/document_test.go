package document_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/internal/documenttest"
)

func codes(d *document.Document) []string {
	out := []string{}
	for _, w := range d.Warnings {
		out = append(out, w.Code)
	}
	return out
}

func TestPetstore(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/petstore.json")
	require.NoError(t, err)
	d, err := document.Read(raw)
	require.NoError(t, err)
	require.Len(t, d.Operations, 19)
	require.Contains(t, d.Title, "Petstore")
	require.Empty(t, codes(d))
	require.Contains(t, d.Operations, document.Operation{
		ID: "getPetById", Method: "GET", Path: "/pet/{petId}", Summary: "Find pet by ID.", Tags: []string{"pet"},
	})
	base, target := d.Address("https://petstore3.swagger.io/api/v3/openapi.json")
	require.Equal(t, "/api/v3", base)
	require.Equal(t, "https://petstore3.swagger.io/api/v3", target)
	base, target = d.Address("")
	require.Equal(t, "/api/v3", base)
	require.Empty(t, target, "the petstore names a path, not a host")
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in       string
		format   string
		ids      []string
		warnings []string
		base     string
		target   string
	}{
		"3.1 in YAML, numbers without quotes": {
			in: `
openapi: 3.1.0
info: {title: Orders, version: 1.0}
servers:
  - {url: "https://{region}.example.com/v1/", variables: {region: {default: eu}}}
paths:
  /orders:
    get: {responses: {200: {description: All.}}}
    post: {operationId: addOrder, responses: {201: {description: Made.}}}
webhooks:
  paid: {post: {responses: {"200": {description: ok}}}}
`,
			format: "openapi 3.1.0", ids: []string{"GET /orders", "addOrder"}, warnings: []string{"no-operation-id", "webhooks"},
			base: "/v1", target: "https://eu.example.com/v1",
		},
		"swagger 2 is converted": {
			in: `{"swagger":"2.0","info":{"title":"Old","version":"1"},"host":"old.example.com","basePath":"/v2","schemes":["https"],
"paths":{"/things":{"post":{"operationId":"addThing","consumes":["application/json"],"produces":["application/json"],"parameters":[{"in":"body","name":"body","schema":{"$ref":"#/definitions/Thing"}}],
"responses":{"200":{"description":"ok","schema":{"$ref":"#/definitions/Thing"}}}}}},"definitions":{"Thing":{"type":"object","properties":{"id":{"type":"integer"}}}}}`,
			format: "swagger 2.0", ids: []string{"addThing"}, warnings: []string{"converted"}, base: "/v2", target: "https://old.example.com/v2",
		},
		"no servers, ids twice, paths that are the same": {
			in: `
openapi: 3.0.0
info: {title: T, version: "1"}
paths:
  /a/{id}: {get: {operationId: x, responses: {"200": {description: ok}}, parameters: [{name: id, in: path, required: true, schema: {type: string}}]}}
  /a/{name}: {get: {operationId: x, responses: {"200": {description: ok}}, parameters: [{name: name, in: path, required: true, schema: {type: string}}]}}
`,
			format: "openapi 3.0.0", ids: []string{"x", "GET /a/{name}"}, warnings: []string{"duplicate-operation-id", "same-requests", "invalid"}, base: "/",
		},
		"references": {
			in: `
openapi: 3.1.0
info: {title: T, version: "1"}
servers: [{url: /x}, {url: /y}]
paths:
  /a: {$ref: "#/components/pathItems/A"}
  /b: {$ref: "other.yaml#/b"}
components: {pathItems: {A: {get: {operationId: a}}}}
`,
			format: "openapi 3.1.0", ids: []string{"a"}, warnings: []string{"path-item", "servers", "external-reference"}, base: "/x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := document.Read([]byte(c.in))
			require.NoError(t, err)
			require.Equal(t, c.format, d.Format)
			var ids []string
			for _, o := range d.Operations {
				ids = append(ids, o.ID)
			}
			require.Equal(t, c.ids, ids)
			require.Equal(t, c.warnings, codes(d), "%v", d.Warnings)
			base, target := d.Address("")
			require.Equal(t, c.base, base)
			require.Equal(t, c.target, target)
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, says string }{
		"nothing":          {" \n", "empty"},
		"text":             {"hello", "not an object"},
		"a list":           {"[1, 2]", "not an object"},
		"neither":          {"a: [", "neither JSON nor YAML"},
		"no version":       {`{"paths": {}}`, "openapi: 3.0.x"},
		"a later version":  {`{"openapi": "4.0.0", "paths": {"/a": {"get": {}}}}`, "openapi: 3.0.x"},
		"no paths":         {`{"openapi": "3.0.0"}`, "no paths"},
		"no operations":    {`{"openapi": "3.0.0", "paths": {"/a": {}}}`, "no paths"},
		"a path":           {`{"openapi": "3.0.0", "paths": {"a": {"get": {}}}}`, "slash"},
		"deep":             {`{"openapi": "3.0.0", "paths": ` + strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300) + "}", "deep"},
		"aliases":          {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", "neither JSON nor YAML"},
		"a broken swagger": {`{"swagger": "2.0", "paths": {"/a": {"get": 1}}}`, "Swagger 2"},
		"a huge one":       {strings.Repeat("a", document.MaxSize+1), "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := document.Read([]byte(c.in))
			require.ErrorContains(t, err, c.says)
			require.Less(t, len(err.Error()), 500)
		})
	}
}

// The same document in JSON and YAML is the same.
func TestFormsAgree(t *testing.T) {
	t.Parallel()
	j, err := document.Read([]byte(`{"openapi":"3.0.3","info":{"title":"T","version":"1"},"paths":{"/a":{"get":{"operationId":"a","responses":{"200":{"description":"ok"}}}}}}`))
	require.NoError(t, err)
	y, err := document.Read([]byte("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {operationId: a, responses: {200: {description: ok}}}}}\n"))
	require.NoError(t, err)
	require.Equal(t, j, y)
}

func TestLargeDocument(t *testing.T) {
	t.Parallel()
	d, err := document.Read(documenttest.Large(500))
	require.NoError(t, err)
	require.Len(t, d.Operations, 500)
	require.Empty(t, d.Warnings)
}

func BenchmarkRead500(b *testing.B) {
	raw := documenttest.Large(500)
	for b.Loop() {
		if _, err := document.Read(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Swagger Petstore - OpenAPI 3.0": "swagger-petstore-openapi-3-0", "  Ümlaut & Co. ": "mlaut-co", "日本": "", "A": "a",
		strings.Repeat("x ", 100): strings.Repeat("x-", 29) + "x-x",
	} {
		got := document.Slug(in)
		require.LessOrEqual(t, len(got), 63)
		if len(in) < 100 {
			require.Equal(t, want, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"openapi":"3.0.3","info":{"title":"T","version":"1"},"servers":[{"url":"/x"}],"paths":{"/a":{"get":{"operationId":"a"}}}}`))
	f.Add([]byte("swagger: '2.0'\npaths: {/a: {get: {parameters: [{in: body, name: b, schema: {$ref: '#/definitions/X'}}]}}}\ndefinitions: {X: {type: object}}\n"))
	f.Add([]byte("openapi: 3.1.0\npaths: {/a/{b}: {$ref: '#/components/pathItems/A'}}\ncomponents: {pathItems: {A: {$ref: '#/components/pathItems/A'}}}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := document.Read(raw)
		if err != nil {
			return
		}
		again, err := document.Read(d.JSON)
		require.NoError(t, err, "what was read can be read again")
		require.Equal(t, d.Hash, again.Hash)
		require.Len(t, again.Operations, len(d.Operations))
		d.Address("https://example.com/a.json")
		document.Slug(d.Title)
	})
}
