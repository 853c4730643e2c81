package maintenance_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/maintenance"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// The test clock stands at Thursday, 2026-01-01T00:00:00Z.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	on := func(retry string) policytest.Want {
		return policytest.Want{Status: 503, Code: problem.CodeMaintenance, NotSent: true, Header: map[string]string{"Retry-After": retry}}
	}
	off := policytest.Want{Sent: &policytest.Sent{}}
	app := policytest.Request{Caller: policy.Caller{Kind: policy.KindAPIKey, Application: &policy.Application{ID: "tester"}}}
	c := func(name, config string, w policytest.Want) policytest.Case {
		return policytest.Case{Name: name, Config: config, Want: w}
	}
	policytest.Run(t, maintenance.Definition(),
		c("always", `{message: "back soon"}`, policytest.Want{Status: 503, Code: problem.CodeMaintenance, Detail: "back soon", Header: map[string]string{"Retry-After": "300"}}),
		c("in the window", `{from: "2025-12-31T23:00:00Z", to: "2026-01-01T00:10:00Z"}`, on("600")),
		c("before the window", `{from: "2026-01-01T00:00:01Z"}`, off),
		c("after the window", `{to: "2026-01-01T00:00:00Z"}`, off),
		c("this night of the week", `{weekly: [{days: [wed], from: "22:00", to: "02:00"}]}`, on("7200")),
		c("another night", `{weekly: [{days: [thu], from: "22:00", to: "02:00"}]}`, off),
		c("every day, in another zone", `{weekly: [{from: "00:30", to: "01:30", zone: Europe/Berlin}]}`, on("1800")),
		c("all day", `{weekly: [{days: [thu], from: "00:00", to: "00:00"}]}`, on("86400")),
		c("weekly within a span", `{to: "2026-01-01T01:00:00Z", weekly: [{from: "22:00", to: "02:00"}]}`, on("3600")),
		c("allowed address", `{allowIPs: [192.0.2.0/24]}`, off),
		c("another address", `{allowIPs: [198.51.100.0/24]}`, on("300")),
		policytest.Case{Name: "allowed application", Config: `{allowApplications: [tester]}`, Request: app, Want: off},
		policytest.Case{Name: "another application", Config: `{allowApplications: [other]}`, Request: app, Want: on("300")},
	)
}

func TestWindowOpensAndCloses(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, maintenance.Definition(), `{weekly: [{days: [fri], from: "01:00", to: "02:00"}]}`)
	refused := 0
	for range 7 * 24 * 4 {
		if h.Do(policytest.Request{}, policytest.Upstream{}).Status == 503 {
			refused++
		}
		h.Clock.Advance(15 * time.Minute)
	}
	require.Equal(t, 4, refused)
}

func TestBrownout(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, maintenance.Definition(), `{percent: 10}`)
	refused := 0
	for i := range 2000 {
		res := h.Do(policytest.Request{Edit: func(ex *policy.Exchange) { ex.ID = "r" + strconv.Itoa(i) }}, policytest.Upstream{})
		if res.Status == 503 {
			refused++
			require.Equal(t, "1", res.Header["Retry-After"])
		}
	}
	require.InDelta(t, 200, refused, 60)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z"}`: "/to",
		`{weekly: [{from: "01:00", to: "02:00", zone: Nowhere/X}]}`:  "/weekly/0/zone",
	} {
		_, err := policytest.Compile(t, maintenance.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
	for _, config := range []string{`{weekly: [{from: "25:00", to: "02:00"}]}`, `{percent: 101}`, `{from: tomorrow}`, `{weekly: [{from: "01:00"}]}`} {
		require.NotEmpty(t, maintenance.Definition().Check(policytest.JSON(t, config)), config)
	}
}

func TestOutsideOfTheWindowAllocatesNothing(t *testing.T) {
	hooks, err := maintenance.Definition().Compile([]byte(`{"from":"2099-01-01T00:00:00Z"}`), policy.Env{Now: time.Now})
	require.NoError(t, err)
	var ex policy.Exchange
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
	}))
}
