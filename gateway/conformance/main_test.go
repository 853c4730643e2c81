package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
	"github.com/gatehouse/gatehouse/gateway/conformance/suite"
)

// Every case is run against a gateway in this process. Cases look at one
// upstream, so they run one after the other.
func TestConformance(t *testing.T) {
	t.Parallel()
	cases, err := suite.Load(caseFiles, "cases/*.yaml")
	require.NoError(t, err)
	up, err := suite.StartUpstream(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(up.Close)
	g := harness.Start(t, config(up.Addr()))
	r := &suite.Runner{Address: g.Traffic[0], Upstream: up}
	for _, c := range cases {
		t.Run(c.File+"/"+c.Name, func(t *testing.T) { //nolint:paralleltest // see above
			res := r.Run(t.Context(), c)
			require.True(t, res.Passed(), strings.Join(res.Differences, "\n"))
		})
	}
}

// The command reports the same, by address.
func TestCommandReports(t *testing.T) {
	t.Parallel()
	up, err := suite.StartUpstream(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	address := up.Addr()
	up.Close()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-config", "-upstream", address}, &out))
	g := harness.Start(t, out.String())
	out.Reset()
	require.NoError(t, run(t.Context(), []string{"-url", "http://" + g.Traffic[0], "-upstream", address, "-only", "routing/"}, &out), &out)
	require.Regexp(t, `(?m)^pass +\S+.* +routing/`, out.String())
	require.Contains(t, out.String(), "cases passed")

	require.ErrorIs(t, run(t.Context(), []string{"-url", "nowhere"}, &out), errUsage)
}
