package expr_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/expr"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

type pathParams map[string]string

func (p pathParams) Param(name string) (string, bool) { v, ok := p[name]; return v, ok }

func exchange() *policy.Exchange {
	ex := &policy.Exchange{ID: "r1", Start: time.Unix(1_700_000_000, 0).UTC()}
	ex.Request.Method, ex.Request.Host, ex.Request.Path = "POST", "api.localhost", "/orders/7"
	ex.Request.Query = "page=2&page=3&q=a%20b"
	ex.Request.Header.Add("X-Tier", "gold")
	ex.Request.Client = netip.MustParseAddr("10.1.2.3")
	ex.Request.Body.SetBytes([]byte(`{"amount": 12}`))
	ex.Caller = policy.Caller{Kind: policy.KindJWT, Scopes: []string{"read"}, Claims: map[string]any{"dept": "sales"}}
	ex.Caller.Application = &policy.Application{ID: "a1", Groups: []string{"partners"}}
	ex.Route = &policy.Route{API: "orders", Operation: "getOrder"}
	ex.Response.Status = 503
	ex.SetParams(pathParams{"id": "7"})
	return ex
}

func TestExpressionsSeeTheExchange(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	for _, source := range []string{
		`request.method == 'POST' && request.host == "api.localhost"`,
		`request.headers['x-tier'] == 'gold'`,
		`!('x-none' in request.headers)`,
		`'X-TIER' in request.headers`,
		`request.query['page'] == '2' && request.query['q'] == 'a b'`,
		`request.params['id'] == '7' && request.params.id == '7'`,
		`request.client.inCIDR('10.0.0.0/8') && !request.client.inCIDR('192.168.0.0/16')`,
		`'read' in caller.scopes && caller.claims.dept == 'sales'`,
		`'partners' in application.groups`,
		`route.operation == 'getOrder'`,
		`request.json.amount > 10`,
		`response.status >= 500`,
		`now < timestamp('2030-01-01T00:00:00Z')`,
		`request.path.startsWith('/orders')`,
		`true`,
	} {
		e, err := c.Compile(source)
		require.NoError(t, err, source)
		ok, err := e.Bool(exchange())
		require.NoError(t, err, source)
		require.True(t, ok, source)
	}
}

func TestExpressionsOnAnEmptyExchangeNeverPanic(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	for _, v := range expr.Variables {
		e, err := c.Compile(v.Name + " == " + v.Name)
		require.NoError(t, err, v.Name)
		_, err = e.Value(&policy.Exchange{})
		require.NoError(t, err, v.Name)
		require.Equal(t, len(v.Name) > 9 && v.Name[:9] == "response.", e.NeedsResponse(), v.Name)
	}
}

func TestMistakesAreFoundAtCompileTime(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	for source, want := range map[string]string{
		`request.methd == 'GET'`: "undeclared reference",
		`request.method ==`:      "Syntax error",
		`request.method + 1`:     "no matching overload",
		`1 / 0 == 1`:             "division by zero",
	} {
		_, err := c.Compile(source)
		require.ErrorContains(t, err, want, source)
	}
}

func TestEvaluationErrorsAreErrors(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	for _, source := range []string{
		`request.headers['missing'] == 'x'`, // no such key
		`request.method`,                    // not a bool
		`caller.claims.none == 'x'`,
	} {
		e, err := c.Compile(source)
		require.NoError(t, err, source)
		_, err = e.Bool(exchange())
		require.Error(t, err, source)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	for source, want := range map[string]string{
		"plain":                        "plain",
		"":                             "",
		"${request.method}":            "POST",
		"id-${request.params['id']}-x": "id-7-x",
		"${response.status}":           "503",
		"$${not}":                      "${not}",
		"${ {'a': '}'}['a'] }!":        "}!",
		"${request.host}/${application.id}${'\\''}": "api.localhost/a1'",
	} {
		tpl, err := c.CompileTemplate(source)
		require.NoError(t, err, source)
		got, err := tpl.Text(exchange())
		require.NoError(t, err, source)
		require.Equal(t, want, got)
	}
	_, err := c.CompileTemplate("a ${request.method")
	require.ErrorContains(t, err, "closing brace")
}

func TestConstants(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	e, err := c.Compile(`10 * 10`)
	require.NoError(t, err)
	require.True(t, e.Constant())
	n, err := e.Int(nil)
	require.NoError(t, err)
	require.EqualValues(t, 100, n)
	e, err = c.Compile(`request.size`)
	require.NoError(t, err)
	require.False(t, e.Constant())
}

func BenchmarkCondition(b *testing.B) {
	var c expr.Compiler
	e, err := c.Compile(`request.method == 'POST' && request.headers['x-tier'] == 'gold'`)
	require.NoError(b, err)
	ex := exchange()
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := e.Bool(ex); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
