package logcontrol_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/logcontrol"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func logOf(t *testing.T, config string, u policytest.Upstream) policy.Log {
	t.Helper()
	r := policytest.Request{Path: "/health", Header: map[string]string{"X-Tenant": strings.Repeat("ü", 600)}}
	return policytest.New(t, logcontrol.Definition(), config).Do(r, u).Exchange().Log
}

func TestLogControl(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, logcontrol.Definition())
	bad := policytest.Upstream{Err: problem.New(problem.CodeUpstreamTimeout, "")}
	const skip = `{skip: "request.path == '/health' && response.status < 400"}`
	require.True(t, logOf(t, skip, policytest.Upstream{}).Skip)
	require.False(t, logOf(t, skip, bad).Skip, "errors are known too")
	require.False(t, logOf(t, `{skip: "request.headers['none'] == ''"}`, bad).Skip, "what cannot be evaluated is recorded")

	const sample = `{sample: 0.1, always: "response.status >= 500"}`
	require.InDelta(t, 0.1, logOf(t, sample, policytest.Upstream{}).Sample, 0)
	require.Zero(t, logOf(t, sample, bad).Sample)
	require.Zero(t, logOf(t, `{sample: 0.1, always: "request.headers['none'] == ''"}`, bad).Sample)

	l := logOf(t, `{requestHeaders: [X-Tenant], responseHeaders: [ETag], requestBody: 1KiB, responseBody: 2KiB, attributes: {tenant: "${request.headers['x-tenant']}", status: "s${string(response.status)}", none: "${request.headers['none']}"}}`, policytest.Upstream{})
	require.Equal(t, []string{"X-Tenant"}, l.RequestHeaders)
	require.Equal(t, []string{"ETag"}, l.ResponseHeaders)
	require.Equal(t, 1024, l.RequestBody)
	require.Equal(t, 2048, l.ResponseBody)
	require.Equal(t, map[string]string{"tenant": strings.Repeat("ü", 512), "status": "s200"}, l.Attributes)
}

func TestSecondPolicyAdds(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, logcontrol.Definition(), `{requestHeaders: [B]}`)
	first := make([]string, 1, 8)
	first[0] = "A"
	res := h.Do(policytest.Request{Edit: func(ex *policy.Exchange) { ex.Log.RequestHeaders = first }}, policytest.Upstream{})
	require.Equal(t, []string{"A", "B"}, res.Exchange().Log.RequestHeaders)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{skip: "request.nope"}`:    "/skip",
		`{always: "true"}`:          "/always",
		`{requestHeaders: ["a b"]}`: "/requestHeaders/0",
		`{attributes: {a: "${"}}`:   "/attributes/a",
	} {
		_, err := policytest.Compile(t, logcontrol.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
	require.NotEmpty(t, logcontrol.Definition().Check(policytest.JSON(t, `{requestBody: 1MB}`)))
}

func TestAllocatesNothing(t *testing.T) {
	hooks, err := logcontrol.Definition().Compile([]byte(`{"sample":0.5,"requestHeaders":["A"],"requestBody":"1KiB"}`), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Log = policy.Log{}
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
		hooks.Final(&ex)
	}))
}
