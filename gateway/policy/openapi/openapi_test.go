package openapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

const pets = `
openapi: 3.0.3
info: {title: Pets, version: "1"}
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: integer}}
      - {name: limit, in: query, schema: {type: integer}}
      - {name: Authorization, in: header, schema: {type: string}}
    get:
      operationId: getPet
      parameters:
        - $ref: "#/components/parameters/Limit"
      responses:
        "200": {$ref: "#/components/responses/Pet"}
        default: {description: error}
    put:
      requestBody:
        required: true
        content:
          application/json; charset=utf-8: {schema: {$ref: "#/components/schemas/Pet"}}
      responses:
        4xx: {description: error}
  /a~b/%7Bc%7D:
    post:
      requestBody: {content: {"*/*": {schema: {type: object, properties: {n: {type: integer, minimum: 1, exclusiveMinimum: true}}}}}}
      responses: {}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {type: integer, maximum: 5}}
  responses:
    Pet:
      description: a pet
      headers: {X-Rate: {required: true, schema: {type: integer}}}
      content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}, examples: {cat: {value: {name: Tom}}}}}
  schemas:
    ID: {type: integer, format: int32, readOnly: true}
    Pet:
      allOf:
        - $ref: "#/components/schemas/Base"
        - type: object
          required: [name, secret]
          properties:
            name: {type: string, minLength: 2}
            tag: {type: string, nullable: true, enum: [a, b]}
            secret: {type: string, writeOnly: true}
            friend: {$ref: "#/components/schemas/Pet", nullable: true}
    Base:
      type: object
      required: [id]
      properties:
        id: {$ref: "#/components/schemas/ID"}
`

func load(t testing.TB, doc string) *openapi.Document {
	t.Helper()
	d, err := openapi.Parse(policytest.JSON(t.(*testing.T), doc)) //nolint:forcetypeassert // only tests call it
	require.NoError(t, err)
	return d
}

func value(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	return v
}

func TestOperations(t *testing.T) {
	t.Parallel()
	d := load(t, pets)
	op := d.Find(&policy.Route{BasePath: "/v1", Template: "/v1/pets/{petId}", Method: "GET"})
	require.NotNil(t, op)
	require.Equal(t, "getPet", op.ID)
	require.Len(t, op.Parameters, 2, "the operation's own come first, Authorization is not for us")
	require.Equal(t, "limit", op.Parameters[0].Name)
	require.Equal(t, "form", op.Parameters[0].Style)
	require.Equal(t, "petId", op.Parameters[1].Name)
	require.Equal(t, "simple", op.Parameters[1].Style)
	require.Len(t, op.Responses["200"].Headers, 1)
	require.Contains(t, op.Responses["200"].Content[0].Examples, "cat")
	require.Contains(t, op.Responses, "default")
	require.Same(t, op, d.Find(&policy.Route{Operation: "getPet"}))
	require.Nil(t, d.Find(&policy.Route{Template: "/nothing", Method: "GET"}))
	require.Nil(t, d.Find(nil))
	put := d.Find(&policy.Route{Template: "/pets/{petId}", Method: "PUT"})
	require.Equal(t, "application/json", put.Body.Content[0].Type)
	require.Contains(t, put.Responses, "4XX")
	require.Len(t, d.Operations(), 3)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	d := load(t, pets)
	schema := d.Find(&policy.Route{Template: "/pets/{petId}", Method: "PUT"}).Body.Content[0].Schema
	request, err := d.Compile(schema, openapi.InRequest)
	require.NoError(t, err)
	response, err := d.Compile(schema, openapi.InResponse)
	require.NoError(t, err)
	for _, c := range []struct {
		checker *openapi.Checker
		value   string
		want    []string // pointer rule
	}{
		{request, `{"name":"Tom","secret":"s","tag":null,"friend":{"name":"Al","secret":"s"}}`, nil},
		{request, `{"id":1,"name":"Tom","secret":"s"}`, []string{"/body/id readOnly"}},
		{request, `{"name":"T","tag":"z"}`, []string{"/body/name minLength", "/body/secret required", "/body/tag enum"}},
		{request, `{"name":"Tom","secret":"s","friend":{"name":7}}`, []string{"/body/friend/name type", "/body/friend/secret required"}},
		{request, `[]`, []string{"/body type"}},
		{response, `{"id":1,"name":"Tom"}`, nil},
		{response, `{"id":3000000000,"name":"Tom","secret":"s"}`, []string{"/body/id format", "/body/secret writeOnly"}},
		{response, `{"name":"Tom"}`, []string{"/body/id required"}},
	} {
		var got []string
		for _, f := range c.checker.Check(value(t, c.value), "/body") {
			got = append(got, f.Pointer+" "+f.Code)
			require.NotEmpty(t, f.Detail)
		}
		require.Subset(t, got, c.want, c.value)
		require.Subset(t, c.want, got, c.value)
	}
	odd, err := d.Compile(d.Find(&policy.Route{Template: "/a~b/%7Bc%7D", Method: "POST"}).Body.Content[0].Schema, openapi.InRequest)
	require.NoError(t, err)
	require.Equal(t, "exclusiveMinimum", odd.Check(value(t, `{"n":1}`), "")[0].Code)
	require.Nil(t, (*openapi.Checker)(nil).Check(1, ""))
}

func Test31(t *testing.T) {
	t.Parallel()
	d := load(t, `
openapi: 3.1.0
paths:
  /x:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                a: {type: [string, "null"]}
                b: {const: 1}
                c: {$ref: "#/components/schemas/C", maximum: 5}
              patternProperties: {"^x-": {type: string, format: uuid}}
              unevaluatedProperties: false
components: {schemas: {C: {type: integer, exclusiveMinimum: 0}}}
`)
	c, err := d.Compile(d.Operations()[0].Body.Content[0].Schema, openapi.InRequest)
	require.NoError(t, err)
	require.Empty(t, c.Check(value(t, `{"a":null,"b":1.0,"c":5,"x-a":"7d444840-9dc0-11d1-b245-5ffdce74fad2"}`), ""))
	var rules []string
	for _, f := range c.Check(value(t, `{"a":1,"b":2,"c":6,"x-a":"y","z":1}`), "") {
		rules = append(rules, f.Pointer+" "+f.Code)
	}
	require.Subset(t, rules, []string{"/a type", "/b const", "/c maximum", "/x-a format"})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{swagger: "2.0"}`: "Swagger 2",
		`{openapi: "4.0"}`: "neither",
		`{openapi: "3.0.0", paths: {/a: {$ref: "other.yaml#/a"}}}`:                         "bundle",
		`{openapi: "3.0.0", paths: {/a: {$ref: "#/paths/~1a"}}}`:                           "circle",
		`{openapi: "3.0.0", paths: {/a: {get: {parameters: [{$ref: "#/components/x"}]}}}}`: "leads to nothing",
		`{openapi: "3.0.0", paths: {/a: {get: {responses: {"200": 1}}}}}`:                  "object",
	} {
		_, err := openapi.Parse(policytest.JSON(t, doc))
		require.ErrorContains(t, err, want, doc)
	}
	for schema, want := range map[string]string{
		`{pattern: "(?=a)"}`:               "/paths/~1a/post/requestBody/content/a~1b/schema/pattern: the pattern is not RE2",
		`{$ref: "#/components/schemas/X"}`: "leads to nothing",
		`{$ref: "http://a.example/b"}`:     "",
		`{type: strnig}`:                   "no valid schema",
	} {
		d := load(t, `{openapi: "3.1.0", paths: {/a: {post: {requestBody: {content: {a/b: {schema: `+schema+`}}}}}}}`)
		_, err := d.Compile(d.Operations()[0].Body.Content[0].Schema, openapi.InRequest)
		require.ErrorContains(t, err, want, schema)
		require.ErrorContains(t, err, "/paths/~1a/post/requestBody/content/a~1b/schema")
	}
	_, err := openapi.Load(policy.Env{})
	require.ErrorContains(t, err, "no OpenAPI document")
}

// large returns a document with n operations and as many schemas.
func large(n int) []byte {
	paths, schemas := map[string]any{}, map[string]any{}
	for i := range n {
		name := fmt.Sprintf("S%d", i)
		ref := map[string]any{"$ref": "#/components/schemas/" + name}
		properties := map[string]any{"next": map[string]any{"$ref": fmt.Sprintf("#/components/schemas/S%d", i/2)}, "id": map[string]any{"type": "integer", "readOnly": true}}
		for j := range 15 {
			properties[fmt.Sprintf("p%d", j)] = map[string]any{"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[a-z]+$", "nullable": true}
		}
		schemas[name] = map[string]any{"type": "object", "properties": properties, "required": []any{"p1", "id"}}
		content := map[string]any{"application/json": map[string]any{"schema": ref}}
		paths[fmt.Sprintf("/r%d/{id}", i)] = map[string]any{"put": map[string]any{
			"parameters":  []any{map[string]any{"name": "id", "in": "path", "required": true, "schema": map[string]any{"type": "integer"}}},
			"requestBody": map[string]any{"content": content},
			"responses":   map[string]any{"200": map[string]any{"description": "", "content": content}},
		}}
	}
	b, _ := json.Marshal(map[string]any{"openapi": "3.0.3", "paths": paths, "components": map[string]any{"schemas": schemas}})
	return b
}

func TestLargeDocument(t *testing.T) {
	n := 500
	if racing {
		n = 20
	}
	raw := large(n)
	start := time.Now()
	d, err := openapi.Parse(raw)
	require.NoError(t, err)
	for _, op := range d.Operations() {
		_, err := d.Compile(op.Body.Content[0].Schema, openapi.InRequest)
		require.NoError(t, err)
		_, err = d.Compile(op.Responses["200"].Content[0].Schema, openapi.InResponse)
		require.NoError(t, err)
	}
	took := time.Since(start)
	t.Logf("%d KB, %d operations, both directions: %v", len(raw)>>10, n, took)
	require.Less(t, took, 15*time.Second, "a bound for busy machines; some hundred milliseconds are usual")
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	d := load(t, pets)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, op := range d.Operations() {
				if op.Body == nil {
					continue
				}
				c, err := d.Compile(op.Body.Content[0].Schema, openapi.InRequest)
				if err != nil {
					t.Error(err)
					return
				}
				c.Check(map[string]any{"name": "x"}, "")
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"openapi":"3.0.0","paths":{"/a":{"get":{"responses":{"200":{"content":{"a/b":{"schema":{"nullable":true,"type":"string"}}}}}}}}}`))
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/paths/~1a"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := openapi.Parse(raw)
		if err != nil {
			return
		}
		for _, op := range d.Operations() {
			for _, p := range op.Parameters {
				if c, err := d.Compile(p.Schema, openapi.InRequest); err == nil {
					c.Check("x", "")
				}
			}
		}
	})
}
