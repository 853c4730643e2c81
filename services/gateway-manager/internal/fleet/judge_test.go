package fleet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	gw := func(name string, version int64, change ...func(*store.Gateway)) store.Gateway {
		g := store.Gateway{ID: name, Name: name, GroupID: "g", Epoch: "e", AppliedVersion: version, LastSeenAt: now}
		for _, f := range change {
			f(&g)
		}
		return g
	}
	issue := func(kind, name string) func(*store.Gateway) {
		return func(g *store.Gateway) {
			g.Issues.V = []gateway.Issue{{Kind: kind, Name: name, Pointer: "/x", Detail: "it is wrong"}}
		}
	}
	silent := func(d time.Duration) func(*store.Gateway) {
		return func(g *store.Gateway) { g.LastSeenAt = now.Add(-d) }
	}
	stopped := func(g *store.Gateway) { g.Stopped = true }
	epoch := func(e string) func(*store.Gateway) { return func(g *store.Gateway) { g.Epoch = e } }
	for name, c := range map[string]struct {
		action   string
		version  int64
		gateways []store.Gateway
		state    string
		problem  string
		verdicts []string
	}{
		"not published yet":            {version: 0, gateways: []store.Gateway{gw("a", 9)}, state: store.Publishing, problem: "publishing to G: NATS is away", verdicts: []string{"pending"}},
		"nobody has it":                {version: 5, gateways: []store.Gateway{gw("a", 4)}, state: store.Applying, verdicts: []string{"pending"}},
		"one of two has it":            {version: 5, gateways: []store.Gateway{gw("a", 5), gw("b", 4)}, state: store.Applying, verdicts: []string{"applied", "pending"}},
		"all have it, or a later one":  {version: 5, gateways: []store.Gateway{gw("a", 5), gw("b", 7)}, state: store.Live, verdicts: []string{"applied", "applied"}},
		"who is away does not hold up": {version: 5, gateways: []store.Gateway{gw("a", 5), gw("b", 4, silent(2*time.Minute)), gw("c", 1, stopped)}, state: store.Live, verdicts: []string{"applied", "away", "away"}},
		"who is stale does":            {version: 5, gateways: []store.Gateway{gw("a", 5), gw("b", 4, silent(40*time.Second))}, state: store.Applying, verdicts: []string{"applied", "pending"}},
		"an issue with this API":       {version: 5, gateways: []store.Gateway{gw("a", 5, issue("api", "api")), gw("b", 4)}, state: store.Failed, problem: "a: /x: it is wrong", verdicts: []string{"issue", "pending"}},
		"an issue with another API":    {version: 5, gateways: []store.Gateway{gw("a", 5, issue("api", "other"))}, state: store.Live, verdicts: []string{"applied"}},
		"an issue of before":           {version: 5, gateways: []store.Gateway{gw("a", 4, issue("api", "api"))}, state: store.Applying, verdicts: []string{"pending"}},
		"the manifest is not taken":    {version: 5, gateways: []store.Gateway{gw("a", 4, issue("manifest", "o.g"))}, state: store.Failed, problem: "a: /x: it is wrong", verdicts: []string{"issue"}},
		"nobody is online":             {version: 5, gateways: []store.Gateway{gw("a", 5, stopped)}, state: store.Applying, problem: "no gateway of DEV is online", verdicts: []string{"away"}},
		"there is no gateway":          {version: 5, state: store.Applying, problem: "no gateway of DEV is online"},
		"taking out where nobody is":   {action: store.ActionUndeploy, version: 5, state: store.Live},
		"a later epoch has it":         {version: 5, gateways: []store.Gateway{gw("a", 1, epoch("now"))}, state: store.Live, verdicts: []string{"applied"}},
		"an older epoch has it not":    {version: 5, gateways: []store.Gateway{gw("a", 9, epoch("before"))}, state: store.Applying, verdicts: []string{"pending"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.action == "" {
				c.action = store.ActionDeploy
			}
			g := store.Group{Name: "G", Epoch: "now"}
			g.ID = "g"
			if c.version == 0 {
				g.Problem = "NATS is away"
			}
			j := fleet.Judge(&store.Deployment{APIID: "api", EnvironmentName: "DEV", Action: c.action},
				[]store.DeploymentGroup{{GroupID: "g", ManifestVersion: c.version, Epoch: "e"}, {GroupID: "deleted"}},
				map[string]store.Group{"g": g}, map[string][]store.Gateway{"g": c.gateways}, now)
			require.Equal(t, c.state, j.State)
			require.Equal(t, c.problem, j.Problem)
			var verdicts []string
			for _, v := range j.Gateways {
				verdicts = append(verdicts, v.State)
			}
			require.Equal(t, c.verdicts, verdicts)
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	a, b := fleet.NewToken(), fleet.NewToken()
	require.NotEqual(t, a, b)
	require.Greater(t, len(a), 50)
	require.NotEqual(t, fleet.HashToken(a), fleet.HashToken(b))
	require.NotContains(t, fleet.HashToken(a), a)
}
