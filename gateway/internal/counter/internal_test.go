package counter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCalendarBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, period, at, start, end string }{
		{"UTC", "hour", "2026-03-14T15:09:26Z", "2026-03-14T15:00:00Z", "2026-03-14T16:00:00Z"},
		{"Asia/Kolkata", "hour", "2026-03-14T15:09:26Z", "2026-03-14T14:30:00Z", "2026-03-14T15:30:00Z"},
		{"UTC", "week", "2026-03-15T23:59:59Z", "2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z"},
		{"UTC", "month", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"UTC", "year", "2026-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"Europe/Berlin", "day", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{"Europe/Berlin", "day", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{"Europe/Berlin", "hour", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
		{"Europe/Berlin", "hour", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
		{"Europe/Berlin", "month", "2026-03-30T12:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"America/Sao_Paulo", "day", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}, // no 00:00
		{"America/Havana", "day", "2025-11-02T12:00:00Z", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"},    // 00:00 twice
		{"Pacific/Apia", "day", "2011-12-31T12:00:00Z", "2011-12-31T10:00:00Z", "2012-01-01T10:00:00Z"},      // a day left out before
	} {
		loc, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		p, err := newPeriod(c.period, loc)
		require.NoError(t, err)
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		s := p.at(at.UnixMicro())
		require.Equal(t, c.start, time.UnixMicro(s.start).UTC().Format(time.RFC3339), "%+v", c)
		require.Equal(t, c.end, time.UnixMicro(s.end).UTC().Format(time.RFC3339), "%+v", c)
	}
}

// Periods follow each other without a gap, whatever the zone does.
func TestCalendarHasNoGaps(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		for _, name := range []string{"day", "week", "month", "year"} {
			p, err := newPeriod(name, loc)
			require.NoError(t, err)
			now := time.Date(2024, 1, 1, 0, 0, 0, 0, loc).UnixMicro()
			for range 400 {
				s := p.at(now)
				require.LessOrEqual(t, s.start, now)
				require.Greater(t, s.end, now)
				require.Equal(t, s.start, p.at(s.end-1).start, "%s %s", zone, name)
				require.Equal(t, s.end, p.at(s.end).start, "%s %s", zone, name)
				now = s.end
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	s, err := New(Options{})
	require.NoError(f, err)
	f.Add(s.snapshot())
	require.NoError(f, s.Close())
	f.Fuzz(func(_ *testing.T, b []byte) {
		d := &decoder{b: b}
		for range d.length() {
			if d.count(); d.bad {
				break
			}
		}
		_, _ = decode(b)
	})
}
