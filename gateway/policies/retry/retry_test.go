package retry_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/retry"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// R17.4.
func TestRule(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, retry.Definition())
	rule := func(config string) *policy.Retry {
		h := policytest.New(t, retry.Definition(), config)
		return h.Do(policytest.Request{}, policytest.Upstream{}).Exchange().Forward.Retry
	}
	require.Equal(t, &policy.Retry{
		Attempts: 2, Statuses: []int{502, 503, 504}, ConnectErrors: true, ResetErrors: true,
		Backoff: 25 * time.Millisecond, MaxBackoff: time.Second,
	}, rule("{}"), "the defaults are safe")
	require.Equal(t, &policy.Retry{
		Attempts: 5, Statuses: []int{429}, Timeouts: true, NonIdempotent: true,
		PerTry: time.Second, Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond,
	}, rule("{attempts: 5, on: [timeout], statuses: [429], nonIdempotent: true, perTry: 1s, backoff: 1ms, maxBackoff: 2ms}"))
	require.Zero(t, rule("{attempts: 0}").Attempts)
}

func TestBodiesAreKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		edit         func(*policy.Exchange)
		kept         bool
	}{
		{name: "kept", config: "{bufferRequest: 5B}", kept: true},
		{name: "not asked for", config: "{}"},
		{name: "too large", config: "{bufferRequest: 4B}"},
		{name: "too large, length unknown", config: "{bufferRequest: 4B}", edit: func(ex *policy.Exchange) {
			ex.Request.Body.SetStream(strings.NewReader("hello"), -1)
		}},
		{name: "never sent again", config: "{bufferRequest: 5B, attempts: 0}"},
		{name: "gRPC streams", config: "{bufferRequest: 5B}", edit: func(ex *policy.Exchange) { ex.Request.GRPC = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, retry.Definition(), c.config)
			kept := false
			r := h.Do(policytest.Request{Method: "PUT", Body: "hello", Edit: c.edit}, policytest.Upstream{
				Func: func(ex *policy.Exchange) error {
					kept = ex.Request.Body.Buffered()
					ex.Response.Status = 200
					return nil
				},
			})
			r.Check(policytest.Want{Sent: &policytest.Sent{Body: "hello"}})
			require.Equal(t, c.kept, kept)
		})
	}
}

func TestBodyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, retry.Definition(), "{bufferRequest: 1KiB}")
	do := func(err error) *policytest.Result {
		return h.Do(policytest.Request{Edit: func(ex *policy.Exchange) {
			ex.Request.Body.SetStream(iotest.ErrReader(err), -1)
		}}, policytest.Upstream{})
	}
	do(io.ErrUnexpectedEOF).Check(policytest.Want{Status: 400, Code: problem.CodeBadRequest, NotSent: true})
	do(errors.Join(problem.New(problem.CodeRequestTimeout, "slow"))).Check(
		policytest.Want{Status: 408, Code: problem.CodeRequestTimeout, NotSent: true})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{attempts: 11}":                "/attempts",
		"{on: [weather]}":               "/on/0",
		"{on: [], statuses: []}":        "/on",
		"{statuses: [200]}":             "/statuses/0",
		"{backoff: 2s, maxBackoff: 1s}": "/maxBackoff",
		"{bufferRequest: 1GiB}":         "/bufferRequest",
	} {
		_, err := policytest.Compile(t, retry.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	hooks, err := retry.Definition().Compile([]byte(`{}`), policy.Env{})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = hooks.Inbound(ex) }))
}
