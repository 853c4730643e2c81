//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/report"
)

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// median returns the middle value, the mean of the two in the middle where their
// number is even, and 0 for none.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return v[n/2]
	default:
		return (v[n/2-1] + v[n/2]) / 2
	}
}

func medianOf[T any](all []T, value func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, x := range all {
		values[i] = value(x)
	}
	return median(values)
}

// ratio returns the median over the rounds of a's processor time divided by b's
// in the same round. Rounds are short and the two run one after the other, so
// that what slows the whole machine for a while slows both.
func ratio(a, b []sample) (float64, bool) {
	n := min(len(a), len(b))
	var all []float64
	for i := range n {
		if b[i].cpu > 0 {
			all = append(all, float64(a[i].cpu)/float64(b[i].cpu))
		}
	}
	return median(all), len(all) > 0
}

// outcome is a target with what came of it.
type outcome struct {
	text string
	met  bool
}

// saturated is the share of its core that a proxy must have used for its
// throughput to be its own.
const saturated = 0.85

// table makes the table of a comparison, and says which targets were met.
func (c *comparison) table(rows []*row) (report.Table, []outcome) {
	t := report.Table{
		Title:  c.title,
		Header: []string{"peer", "µs/request", "spread", "requests/s", "p50 ms", "p99 ms", "MB", "core", "others"},
		Notes:  slices.Clone(c.notes),
	}
	find := func(name string) *row {
		i := slices.IndexFunc(rows, func(r *row) bool { return r.name() == name && r.err == nil })
		if i < 0 {
			return nil
		}
		return rows[i]
	}
	for _, name := range c.against {
		t.Header = append(t.Header, "vs "+name)
	}
	var idle []string
	for _, r := range rows {
		if r.err != nil {
			t.Rows = append(t.Rows, []string{r.name(), "FAILED"})
			t.Notes = append(t.Notes, fmt.Sprintf("FAILED: %s: %v", r.name(), r.err))
			continue
		}
		cpu := medianOf(r.samples, func(m sample) float64 { return micros(m.cpu) })
		least := slices.MinFunc(r.samples, func(a, b sample) int { return int(a.cpu - b.cpu) }).cpu
		most := slices.MaxFunc(r.samples, func(a, b sample) int { return int(a.cpu - b.cpu) }).cpu
		busy := medianOf(r.samples, func(m sample) float64 { return m.busy })
		if busy < saturated {
			idle = append(idle, r.name())
		}
		cells := []string{
			r.name(),
			fmt.Sprintf("%.1f", cpu),
			fmt.Sprintf("%.0f %%", 100*micros(most-least)/cpu),
			fmt.Sprintf("%.0f", medianOf(r.samples, func(m sample) float64 { return m.rate })),
			fmt.Sprintf("%.2f", medianOf(r.samples, func(m sample) float64 { return micros(m.p50) / 1000 })),
			fmt.Sprintf("%.2f", medianOf(r.samples, func(m sample) float64 { return micros(m.p99) / 1000 })),
			megabytes(int64(medianOf(r.samples, func(m sample) float64 { return float64(m.rss) }))),
			fmt.Sprintf("%.0f %%", 100*busy),
			fmt.Sprintf("%.2f", medianOf(r.samples, func(m sample) float64 { return m.others })),
		}
		for _, name := range c.against {
			cell := "-"
			if ref := find(name); ref != nil && ref != r {
				if x, ok := ratio(r.samples, ref.samples); ok {
					cell = fmt.Sprintf("%.2f", x)
				}
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, cells)
	}
	if len(idle) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Not saturated, since the load did not keep up: %s. Take their requests/s and latencies for the load's.", strings.Join(idle, ", ")))
	}
	var outcomes []outcome
	for _, g := range c.targets {
		of, against := find(g.of), find(g.against)
		o := outcome{text: fmt.Sprintf("Target: %s at most %.2f × %s: not measured", g.of, g.most, g.against)}
		if of != nil && against != nil {
			x, _ := ratio(of.samples, against.samples)
			o = verdict(fmt.Sprintf("%s at most %.2f × %s", g.of, g.most, g.against), fmt.Sprintf("%.2f", x), x <= g.most)
		}
		outcomes = append(outcomes, o)
		t.Notes = append(t.Notes, o.text)
	}
	return t, outcomes
}

// verdict words a target that was measured.
func verdict(goal, got string, met bool) outcome {
	word := "MISSED"
	if met {
		word = "met"
	}
	return outcome{text: fmt.Sprintf("Target: %s: %s, %s", goal, got, word), met: met}
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }
