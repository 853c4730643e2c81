package requestid_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/requestid"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	type m = map[string]string
	with := func(id string) policytest.Request { return policytest.Request{Header: m{"X-Correlation-Id": id}} }
	both := func(id string) policytest.Want {
		return policytest.Want{Header: m{"X-Correlation-Id": id}, Sent: &policytest.Sent{Header: m{"X-Correlation-Id": id}}}
	}
	policytest.Run(t, requestid.Definition(),
		policytest.Case{Name: "the gateway's id", Config: `{}`, Want: both("test-request")},
		policytest.Case{Name: "clients are not believed", Config: `{}`, Request: with("mine"), Want: both("test-request")},
		policytest.Case{Name: "unless accepted", Config: `{accept: true}`, Request: with("mine-1/2"), Want: both("mine-1/2")},
		policytest.Case{Name: "what is malformed is not", Config: `{accept: true}`, Request: with(`a"b`), Want: both("test-request")},
		policytest.Case{Name: "what is long is not", Config: `{accept: true, maxLength: 8}`, Request: with(strings.Repeat("a", 9)), Want: both("test-request")},
		policytest.Case{
			Name: "several names", Config: `{headers: [X-A, X-Correlation-Id], accept: true}`, Request: with("mine"),
			Want: policytest.Want{Header: m{"X-A": "mine", "X-Correlation-Id": "mine"}},
		},
		policytest.Case{
			Name: "adopted", Config: `{accept: true, adopt: true}`, Request: with("mine"),
			Want: policytest.Want{Sent: &policytest.Sent{Header: m{"X-Request-Id": "mine"}}},
		},
		policytest.Case{
			Name: "on errors too", Config: `{}`, Upstream: policytest.Upstream{Err: problem.New(problem.CodeNotFound, "")},
			Want: policytest.Want{Status: 404, Code: problem.CodeNotFound, Header: m{"X-Correlation-Id": "test-request"}},
		},
		policytest.Case{Name: "neither", Config: `{echo: false, forward: false}`, Want: policytest.Want{
			Header: m{"X-Correlation-Id": ""}, Sent: &policytest.Sent{Header: m{"X-Correlation-Id": ""}},
		}},
	)
	res := policytest.New(t, requestid.Definition(), `{accept: true}`).Do(with("mine"), policytest.Upstream{})
	require.Equal(t, "mine", res.Exchange().Log.Attributes["correlationId"])
	require.Equal(t, "test-request", res.Exchange().ID)
	for _, config := range []string{`{headers: ["a b"]}`, `{headers: [Connection]}`, `{adopt: true}`} {
		_, err := policytest.Compile(t, requestid.Definition(), config)
		require.Error(t, err, config)
	}
}

func TestAllocatesNothing(t *testing.T) {
	hooks, err := requestid.Definition().Compile([]byte(`{}`), policy.Env{})
	require.NoError(t, err)
	ex := policy.Exchange{ID: "x"}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Request.Header.Reset()
		ex.Response.Header.Reset()
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
		hooks.Final(&ex)
	}))
}
