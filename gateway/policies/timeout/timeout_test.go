package timeout_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/timeout"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestTimeout(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, timeout.Definition())
	for config, want := range map[string]policy.Forward{
		"{connect: 1s}":                         {Connect: time.Second, Header: 7 * time.Second},
		"{header: 2s}":                          {Header: 2 * time.Second},
		"{total: 3s}":                           {Total: 3 * time.Second, Header: 7 * time.Second},
		"{connect: 1ms, header: 1s, total: 1s}": {Connect: time.Millisecond, Header: time.Second, Total: time.Second},
	} {
		h := policytest.New(t, timeout.Definition(), config)
		r := h.Do(policytest.Request{Edit: func(ex *policy.Exchange) {
			ex.Forward.Header = 7 * time.Second // what an earlier policy has set stays, unless set here
		}}, policytest.Upstream{})
		want.Path = "/"
		require.Equal(t, want, r.Exchange().Forward, config)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                          "",
		"{connect: 0s}":               "/connect",
		"{header: 2h}":                "/header",
		"{connect: 3s, total: 2s}":    "/connect",
		"{header: 3s, total: 2s}":     "/header",
		"{total: 48h}":                "/total",
		"{total: 1s, idle: 4s}":       "/idle",
		"{total: 'a while, perhaps'}": "/total",
	} {
		_, err := policytest.Compile(t, timeout.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	hooks, err := timeout.Definition().Compile([]byte(`{"total":"1s"}`), policy.Env{})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = hooks.Inbound(ex) }))
}
