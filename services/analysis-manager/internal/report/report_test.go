package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/report"
)

var limits = report.Limits{Now: time.Date(2026, 3, 9, 8, 5, 30, 0, time.UTC), Minutes: 14 * 24 * time.Hour}

func ask(change func(*analysis.Usage)) analysis.Usage {
	u := analysis.Usage{Filter: analysis.Filter{Organization: "o1"}}
	change(&u)
	return u
}

func TestWhatIsLeftOpen(t *testing.T) {
	t.Parallel()
	got, err := report.Prepare(ask(func(*analysis.Usage) {}), limits)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 3, 9, 8, 6, 0, 0, time.UTC), got.Filter.To)
	require.Equal(t, time.Date(2026, 3, 9, 7, 5, 0, 0, time.UTC), got.Filter.From)
	require.Equal(t, report.DefaultLeaders, got.Limit)
	require.Zero(t, got.Interval)
}

func TestIntervalsThatAreChosen(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute, time.Hour: time.Minute, 2 * time.Hour: 2 * time.Minute, 6 * time.Hour: 5 * time.Minute,
		24 * time.Hour: 15 * time.Minute, 7 * 24 * time.Hour: 2 * time.Hour, 30 * 24 * time.Hour: 6 * time.Hour, 365 * 24 * time.Hour: 7 * 24 * time.Hour,
		9 * 365 * 24 * time.Hour: 28 * 24 * time.Hour,
	} {
		got, err := report.Prepare(ask(func(u *analysis.Usage) {
			u.Filter.To, u.Filter.From, u.Interval = limits.Now, limits.Now.Add(-span), report.Auto
		}), limits)
		require.NoError(t, err)
		require.Equal(t, want, got.Interval, span)
	}
	got, err := report.Prepare(ask(func(u *analysis.Usage) {
		u.Filter.From, u.Filter.To, u.Interval = limits.Now.Add(-20*24*time.Hour), limits.Now.Add(-20*24*time.Hour+time.Hour), report.Auto
	}), limits)
	require.NoError(t, err)
	require.Equal(t, time.Hour, got.Interval, "minutes are no longer kept")
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*analysis.Usage)
		pointer string
	}{
		"nobody's":       {func(u *analysis.Usage) { u.Filter.Organization = "" }, "/organization"},
		"backwards":      {func(u *analysis.Usage) { u.Filter.From = limits.Now.Add(time.Hour) }, "/from"},
		"too long":       {func(u *analysis.Usage) { u.Filter.From = time.Unix(0, 0) }, "/from"},
		"too many steps": {func(u *analysis.Usage) { u.Filter.From, u.Interval = limits.Now.Add(-48*time.Hour), time.Minute }, "/interval"},
		"seconds":        {func(u *analysis.Usage) { u.Interval = 90 * time.Second }, "/interval"},
		"negative":       {func(u *analysis.Usage) { u.Interval = -5 }, "/interval"},
		"old minutes":    {func(u *analysis.Usage) { u.Filter.From, u.Interval = limits.Now.Add(-15*24*time.Hour), 30*time.Minute }, "/interval"},
		"no dimension":   {func(u *analysis.Usage) { u.Top = []string{"api", "colour"} }, "/top/1"},
		"too many":       {func(u *analysis.Usage) { u.Limit = 101 }, "/limit"},
		"less than none": {func(u *analysis.Usage) { u.Limit = -1 }, "/limit"},
	} {
		_, err := report.Prepare(ask(c.change), limits)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, problem.CodeInvalidInput, p.Code, name)
		require.Equal(t, c.pointer, p.Errors[0].Pointer, name)
		require.NotEmpty(t, p.Errors[0].Detail)
	}
}

func TestIntervalText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 0, "auto": report.Auto, "5m": 5 * time.Minute, "1h": time.Hour, "2d": 48 * time.Hour} {
		got, err := report.Interval(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"m", "0m", "-1m", "1s", "5", "1h30m", "999999999999999999m", "1 h", "é"} {
		_, err := report.Interval(text)
		require.Error(t, err, text)
	}
}
