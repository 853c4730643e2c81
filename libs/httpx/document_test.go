package httpx_test

import (
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/internal/example"
)

type echoContext = echo.Context

// What is left open in a document is found at the start, not by a stranger.
func TestADocumentSaysWhoMayCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ op, want string }{
		"no x-permission":      {`operationId: a`, "GET /a: it has no x-permission"},
		"no operationId":       {`x-permission: none`, "GET /a: it has no operationId"},
		"a strange permission": {`{operationId: a, x-permission: "api.read"}`, `x-permission "api.read" is not <kind>:<verb>`},
		"a wildcard":           {`{operationId: a, x-permission: "api:*"}`, "is not <kind>:<verb>"},
		"public and permitted": {`{operationId: a, security: [], x-permission: "api:read"}`, "it is public, and has the x-permission"},
		"any of none":          {`{operationId: a, x-permission: none, x-permission-any: []}`, "x-permission-any is a list"},
		"any of a wildcard":    {`{operationId: a, x-permission: none, x-permission-any: ["api:*"]}`, "x-permission-any is a list"},
		"any besides one":      {`{operationId: a, x-permission: "api:read", x-permission-any: ["api:update"]}`, "whose x-permission is none"},
		"another scheme":       {`{operationId: a, security: [{key: []}], x-permission: none}`, `security scheme "key" is not of type http`},
		"impersonation":        {`{operationId: a, x-permission: none, x-impersonation: some}`, "x-impersonation is some"},
		"a strange limit":      {`{operationId: a, x-permission: none, x-body-limit: much}`, "x-body-limit"},
	} {
		doc := `{openapi: 3.0.3, info: {title: T, version: "1"}, servers: [{url: /api/v1}], security: [{bearer: []}],
components: {securitySchemes: {bearer: {type: http, scheme: bearer}, key: {type: apiKey, in: header, name: X}}},
paths: {/a: {get: {` + trim(c.op) + `, responses: {"204": {description: D}}}}}}`
		_, err := httpx.New(httpx.Options{Service: "s", Document: []byte(doc)})
		require.ErrorContains(t, err, c.want, name)
	}
	_, err := httpx.New(httpx.Options{Service: "s", Document: []byte(`{openapi: 3.0.3, info: {title: T, version: "1"}, paths: {/a: {get: {operationId: a, responses: {"204": {description: D}}}}}}`)})
	require.ErrorContains(t, err, "it has no security")
	_, err = httpx.New(httpx.Options{Service: "s", Document: []byte(`: no`)})
	require.ErrorContains(t, err, "reading the OpenAPI document of s")
	_, err = httpx.New(httpx.Options{Service: "s", Document: example.Document})
	require.ErrorContains(t, err, "it needs a Verifier and an Access")
}

func trim(op string) string {
	if op[0] == '{' {
		return op[1 : len(op)-1]
	}
	return op
}

func TestDocumentAndHandlersAreTheSame(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	s, err := httpx.New(httpx.Options{
		Service: "shelf", Document: example.Document,
		Verifier: authn.NewVerifier(tenants, nil, time.Now), Access: authn.NewAccess(tenants, nil, time.Now),
	})
	require.NoError(t, err)
	require.ErrorContains(t, s.Check(), "GET /api/v1/books (listBooks) is in the OpenAPI document and has no handler")
	example.RegisterHandlers(s.API(), example.NewStrictHandler(&shelf{}, nil))
	require.NoError(t, s.Check())
	s.API().GET("/extra", func(echo.Context) error { return nil })
	require.ErrorContains(t, s.Check(), "GET /api/v1/extra has a handler and is not in the OpenAPI document")

	bare, err := httpx.New(httpx.Options{Service: "bff"})
	require.NoError(t, err)
	require.NoError(t, bare.Check())
}
