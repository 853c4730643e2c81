package gateway_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

const sample = `listeners: [{address: "127.0.0.1:0"}]
apis:
  - name: orders
    hosts: [api.localhost]
    basePath: /orders
    upstream: {targets: [{url: "http://127.0.0.1:1"}]}
    policies:
      - ip-filter: {allow: [10.0.0.0/8]}
    operations:
      - {method: GET, path: "/{id}"}
  - name: open
    basePath: /open
    upstream: {targets: [{url: "http://127.0.0.1:1"}]}
`

func open(t *testing.T, text string) (*gateway.Sandbox, []problem.Field) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	s, fields, err := gateway.Open(path, gateway.Options{Path: path, Policies: policies.All(), Secrets: schema.SystemResolver()})
	require.NoError(t, err)
	if s != nil {
		t.Cleanup(func() { require.NoError(t, s.Close()) })
	}
	return s, fields
}

func TestTheSandboxTellsWhatWouldBecomeOfARequest(t *testing.T) {
	t.Parallel()
	s, fields := open(t, sample)
	require.Empty(t, fields)
	require.Equal(t, "2 APIs with 2 operations", s.Summary())
	require.NotEmpty(t, s.Warnings(), "anyone may call")
	for _, c := range []struct {
		name   string
		d      gateway.DryRun
		status int
		code   string
	}{
		{"let through", gateway.DryRun{Method: "get", URL: "http://api.localhost/orders/7", Client: "10.1.2.3"}, 200, ""},
		{"refused by address", gateway.DryRun{Method: "GET", URL: "http://api.localhost/orders/7"}, 403, "address-denied"},
		{"no operation", gateway.DryRun{Method: "DELETE", URL: "http://api.localhost/orders/7", Client: "10.1.2.3"}, 405, "method-not-allowed"},
		{"no API", gateway.DryRun{Method: "GET", URL: "https://api.localhost/nothing"}, 404, "not-found"},
		{"no path", gateway.DryRun{Method: "GET", URL: "http://api.localhost"}, 404, "not-found"},
		{"ambiguous path", gateway.DryRun{Method: "GET", URL: "http://api.localhost/open/a%2fb"}, 400, "bad-path"},
	} {
		rec, err := s.Explain(c.d)
		require.NoError(t, err, c.name)
		require.Equal(t, c.status, rec.Status, c.name)
		if c.code != "" {
			require.Equal(t, c.code, rec.ErrorCode, c.name)
		}
		require.NotNil(t, rec.Decision, c.name)
	}
	e, err := s.Match(gateway.DryRun{Method: "GET", URL: "http://api.localhost/orders/7"})
	require.NoError(t, err)
	require.Contains(t, e.String(), "orders")
}

func TestTheSandboxRefusesWhatIsNoRequest(t *testing.T) {
	t.Parallel()
	s, _ := open(t, sample)
	good := gateway.DryRun{Method: "GET", URL: "http://api.localhost/open"}
	for _, c := range []struct {
		edit func(*gateway.DryRun)
		said string
	}{
		{func(d *gateway.DryRun) { d.URL = "" }, "url: want a whole one"},
		{func(d *gateway.DryRun) { d.URL = "/orders" }, "url: want a whole one"},
		{func(d *gateway.DryRun) { d.URL = "ftp://a/b" }, "url: want a whole one"},
		{func(d *gateway.DryRun) { d.URL = "http://a/%zz" }, "url: "},
		{func(d *gateway.DryRun) { d.Client = "here" }, "client: "},
		{func(d *gateway.DryRun) { d.Client = "10.0.0.1:80" }, "client: "},
		{func(d *gateway.DryRun) { d.Header = map[string]string{"no name": "x"} }, `header: "no name"`},
		{func(d *gateway.DryRun) { d.Header = map[string]string{"X": "a\r\nb"} }, `header: "X"`},
	} {
		d := good
		c.edit(&d)
		for range 3 { // and nothing is kept of it
			_, err := s.Explain(d)
			require.ErrorContains(t, err, c.said)
			require.Equal(t, 400, problem.From(err).Status)
		}
	}
	_, err := s.Match(gateway.DryRun{Method: "GET", URL: "http://a/open/%00"})
	require.Error(t, err)
	_, err = s.Explain(good)
	require.NoError(t, err)
}

func TestTheSandboxShowsWhatCompilesBesideWhatDoesNot(t *testing.T) {
	t.Parallel()
	s, fields := open(t, sample+"  - name: broken\n    basePath: /broken\n    policies: [{ip-filter: {allow: [nonsense]}}]\n")
	require.NotEmpty(t, fields)
	require.Contains(t, fields[0].Source, "gateway.yaml:16")
	rec, err := s.Explain(gateway.DryRun{Method: "GET", URL: "http://a/open"})
	require.NoError(t, err)
	require.Equal(t, 200, rec.Status)
	rec, err = s.Explain(gateway.DryRun{Method: "GET", URL: "http://a/broken"})
	require.NoError(t, err)
	require.Equal(t, 503, rec.Status)

	s, fields = open(t, "listeners: [\n")
	require.Nil(t, s)
	require.NotEmpty(t, fields)
}
