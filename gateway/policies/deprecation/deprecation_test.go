package deprecation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/deprecation"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// The test clock stands at the beginning of 2026.
func TestDeprecation(t *testing.T) {
	t.Parallel()
	type m = map[string]string
	announced := m{
		"Deprecation": "@1748736000", "Sunset": "Sun, 31 May 2026 22:00:00 GMT",
		"Link": `</v2>; rel="next", <https://d.example/x>; rel="deprecation", <https://d.example/s>; rel="sunset", <https://a.example/v2>; rel="successor-version"`,
	}
	const all = `{since: "2025-06-01", sunset: "2026-06-01T00:00:00+02:00", info: "https://d.example/x", sunsetInfo: "https://d.example/s", successor: "https://a.example/v2", afterSunset: gone}`
	policytest.Run(t, deprecation.Definition(),
		policytest.Case{
			Name: "announced", Config: all,
			Upstream: policytest.Upstream{Header: m{"Link": `</v2>; rel="next"`, "Deprecation": "true"}}, Want: policytest.Want{Header: announced},
		},
		policytest.Case{
			Name: "on errors too", Config: `{since: "2025-06-01"}`, Upstream: policytest.Upstream{Err: problem.New(problem.CodeNotFound, "")},
			Want: policytest.Want{Status: 404, Code: problem.CodeNotFound, Header: m{"Deprecation": "@1748736000", "Sunset": "", "Link": ""}},
		},
		policytest.Case{
			Name: "gone", Config: `{sunset: "2025-12-31", successor: "https://a.example/v2", afterSunset: gone}`,
			Want: policytest.Want{Status: 410, Code: problem.CodeGone, Detail: "https://a.example/v2", NotSent: true, Header: m{"Sunset": "Wed, 31 Dec 2025 00:00:00 GMT"}},
		},
		policytest.Case{Name: "served after its sunset", Config: `{sunset: "2025-12-31"}`, Want: policytest.Want{Sent: &policytest.Sent{}}},
	)
	h := policytest.New(t, deprecation.Definition(), `{sunset: "2026-01-01T01:00:00Z", afterSunset: gone}`)
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{})
	h.Clock.Advance(time.Hour)
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{Status: 410, Code: problem.CodeGone})
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{}`:                    "/since",
		`{since: "31.12.2025"}`: "/since",
		`{since: "2025-06-01", sunset: "2025-05-01"}`:  "/sunset",
		`{since: "2025-06-01", afterSunset: gone}`:     "/afterSunset",
		`{since: "2025-06-01", info: "https://a/<b>"}`: "/info",
	} {
		_, err := policytest.Compile(t, deprecation.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func TestAllocatesNothing(t *testing.T) {
	hooks, err := deprecation.Definition().Compile([]byte(`{"since":"2025-06-01","sunset":"2029-06-01"}`), policy.Env{Now: time.Now})
	require.NoError(t, err)
	var ex policy.Exchange
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ex.Response.Header.Reset()
		hooks.Final(&ex)
	}))
}
