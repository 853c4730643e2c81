package counter

import (
	"fmt"
	"sync/atomic"
	"time"
)

// period is a calendar period in a time zone. Two readers may compute the same
// span at the same time; the last one computed is kept.
type period struct {
	name string
	loc  *time.Location
	last atomic.Pointer[span]
}

// span is from start to before end, in microseconds since the epoch.
type span struct{ start, end int64 }

func newPeriod(name string, loc *time.Location) (*period, error) {
	switch name {
	case "hour", "day", "week", "month", "year":
	default:
		return nil, fmt.Errorf("period %q is not one of hour, day, week, month, year", name)
	}
	if loc == nil {
		loc = time.UTC
	}
	return &period{name: name, loc: loc}, nil
}

// at returns the period that now is in.
func (p *period) at(now int64) span {
	if s := p.last.Load(); s != nil && now >= s.start && now < s.end {
		return *s
	}
	s := p.compute(time.UnixMicro(now))
	p.last.Store(&s)
	return s
}

// compute finds the bounds by the calendar of the zone. Days of 23 and 25 hours
// and hours that occur twice come out right, since bounds are the instants at
// which the local clock first shows the beginning.
func (p *period) compute(t time.Time) span {
	t = t.In(p.loc)
	y, m, d := t.Date()
	day := func(y int, m time.Month, d int) int64 { return midnight(y, m, d, p.loc).UnixMicro() }
	switch p.name {
	case "hour":
		// Not time.Date: the hour that a change to winter time repeats is two.
		start := t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second -
			time.Duration(t.Nanosecond()))
		return span{start.UnixMicro(), start.Add(time.Hour).UnixMicro()}
	case "day":
		return span{day(y, m, d), day(y, m, d+1)}
	case "week": // ISO 8601: begins on Monday
		d -= (int(t.Weekday()) + 6) % 7
		return span{day(y, m, d), day(y, m, d+7)}
	case "month":
		return span{day(y, m, 1), day(y, m+1, 1)}
	default:
		return span{day(y, 1, 1), day(y+1, 1, 1)}
	}
}

// midnight returns the first instant of a day. Where the clock is put forward
// at midnight that is later than 00:00.
func midnight(y int, m time.Month, d int, loc *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	want := time.Date(y, m, d, 12, 0, 0, 0, loc).Day()
	for t.Day() != want { // 00:00 does not exist, and Date chose the day before
		t = t.Add(15 * time.Minute)
	}
	// 00:00 occurs twice where the clock is put back over it; Date may have
	// chosen the later one.
	if e := t.Add(-time.Hour); e.Day() == want {
		t = e
	}
	return t
}
