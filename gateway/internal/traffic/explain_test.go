package traffic

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

var update = flag.Bool("update", false, "write golden files")

func TestPrint(t *testing.T) {
	t.Parallel()
	r, _ := recorder(t, Config{Decisions: Decisions{Sample: 1}})
	cases := map[string]func(ex *policy.Exchange) []traffic.Verdict{
		"refused": func(ex *policy.Exchange) []traffic.Verdict {
			v := refuse(ex, problem.New(problem.CodeRateLimited, "100 requests per second are allowed; try again in 1s"), "orders/policies/1")
			ex.SetNoting(true)
			ex.Note("orders/policies/1", "limit", "100")
			ex.Note("orders/policies/1", "key", "app-1")
			return append(v[:1:1], traffic.Verdict{Policy: "orders/policies/cors", Type: "cors", Level: "api", Phase: "inbound", Outcome: traffic.Skip, Reason: "no Origin"}, v[1])
		},
		"unmatched": func(ex *policy.Exchange) []traffic.Verdict {
			ex.Route, ex.Caller = nil, policy.Caller{}
			ex.Request.Path, ex.Request.TLS = "/nowhere/\x1b[2J", nil
			refuse(ex, problem.New(problem.CodeNotFound, "no API is served at this path"), "")
			return nil
		},
		"failed": func(ex *policy.Exchange) []traffic.Verdict {
			refuse(ex, problem.New(problem.CodeUpstreamUnavailable, "none of 2 targets could be reached"), "")
			ex.Outcome.Attempts = []policy.Attempt{
				{Target: "10.0.0.1:9000", Error: "connect: connection refused", Start: 30 * time.Microsecond, Duration: 400 * time.Microsecond},
				{Target: "10.0.0.2:9000", Status: 503, Start: 25 * time.Millisecond, Duration: 1500 * time.Millisecond, Reused: true},
			}
			ex.Outcome.UpstreamTime, ex.Outcome.End = 1524*time.Millisecond, start.Add(1525*time.Millisecond)
			return nil
		},
		"served": func(*policy.Exchange) []traffic.Verdict {
			return []traffic.Verdict{{Policy: "orders/policies/0", Type: "api-key", Level: "api", Phase: "inbound", Outcome: traffic.Pass, Duration: 1200}}
		},
	}
	for name, set := range cases {
		ex := exchange()
		ex.ID = name
		r.Done(ex, set(ex), nil)
		rec, ok := r.Explain(name)
		require.True(t, ok, name)
		var got strings.Builder
		require.NoError(t, Print(&got, rec))
		golden := filepath.Join("testdata", "explain-"+name+".txt")
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), got.String(), name)
		require.NotContains(t, got.String(), "\x1b")
	}
}
