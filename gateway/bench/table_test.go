//go:build linux

package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	require.Zero(t, median(nil))
	require.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	require.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}), 0)
}

func samples(cpu ...int) []sample {
	var all []sample
	for _, c := range cpu {
		all = append(all, sample{cpu: time.Duration(c) * time.Microsecond, rate: 1000, busy: 0.95, others: 0.1, rss: 12_300_000})
	}
	return all
}

// A slow spell of the machine that covers one whole round changes no ratio.
func TestRatioPairsRounds(t *testing.T) {
	t.Parallel()
	x, ok := ratio(samples(10, 30, 11), samples(20, 60, 22))
	require.True(t, ok)
	require.InDelta(t, 0.5, x, 1e-9)
	_, ok = ratio(nil, samples(20))
	require.False(t, ok)
}

func TestTableOfAComparison(t *testing.T) {
	t.Parallel()
	c := &comparison{
		title: "T", against: []string{peer.NginxLua}, notes: []string{"N"},
		targets: []target{{peer.Gatehouse, peer.NginxLua, 1}, {peer.Gatehouse, caddyPlain, 0.25}, {peer.Gatehouse, peer.HAProxy, 1}},
	}
	idle := samples(80)
	idle[0].busy = 0.4
	table, outcomes := c.table([]*row{
		{entry: entry{peer: peer.Gatehouse}, samples: samples(18, 19, 22)},
		{entry: entry{peer: peer.NginxLua}, samples: samples(20, 20, 20)},
		{entry: entry{peer: peer.Caddy, label: caddyPlain}, samples: idle},
		{entry: entry{peer: peer.HAProxy}, err: errors.New("status 502")},
	})
	require.Equal(t, [][]string{
		{"gatehouse", "19.0", "21 %", "1000", "0.00", "0.00", "12.3", "95 %", "0.10", "0.95"},
		{"nginx+lua", "20.0", "0 %", "1000", "0.00", "0.00", "12.3", "95 %", "0.10", "-"},
		{"caddy (plain)", "80.0", "0 %", "1000", "0.00", "0.00", "12.3", "40 %", "0.10", "4.00"},
		{"haproxy", "FAILED"},
	}, table.Rows)
	require.Len(t, table.Header, 10)
	require.Equal(t, []string{
		"N",
		"FAILED: haproxy: status 502",
		"Not saturated, since the load did not keep up: caddy (plain). Take their requests/s and latencies for the load's.",
		"Target: gatehouse at most 1.00 × nginx+lua: 0.95, met",
		"Target: gatehouse at most 0.25 × caddy (plain): 0.23, met",
		"Target: gatehouse at most 1.00 × haproxy: not measured",
	}, table.Notes)
	require.Equal(t, []bool{true, true, false}, []bool{outcomes[0].met, outcomes[1].met, outcomes[2].met})
	require.Equal(t, []string{"N"}, c.notes)
}

func TestFlags(t *testing.T) {
	t.Parallel()
	parsed := func(args ...string) (options, error) { return parse(args, t.Output()) }
	o, err := parsed()
	require.NoError(t, err)
	require.Equal(t, scenarioNames(), o.scenarios)
	require.Equal(t, 3, o.rounds)
	require.Equal(t, 3*time.Second, o.duration)

	o, err = parsed("-rounds", "2", "-short", "-scenarios", "managed,tls", "-peers", "gatehouse,nginx")
	require.NoError(t, err)
	require.Equal(t, 2, o.rounds) // said aloud, stronger than -short
	require.Equal(t, time.Second, o.duration)
	require.True(t, o.wants(managed))
	require.False(t, o.wants(swaps))
	require.True(t, o.wantsPeer(peer.Nginx))
	require.False(t, o.wantsPeer(peer.Caddy))

	for _, args := range [][]string{{"-scenarios", "none"}, {"-peers", "apache"}, {"-rounds", "0"}, {"-duration", "0s"}, {"-retries", "-1"}, {"stray"}} {
		_, err := parsed(args...)
		require.Error(t, err, args)
	}
}
