// Package report says what reports may be asked for, and fills in what was left
// open. It does no I/O.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// MaxSteps bounds a series.
	MaxSteps = 1500
	// AutoSteps bounds a series whose interval is chosen.
	AutoSteps = 120
	// MaxLeaders bounds the leaders of a dimension.
	MaxLeaders = 100
	// DefaultLeaders is their number where none is given.
	DefaultLeaders = 10

	defaultSpan = time.Hour
	day         = 24 * time.Hour
)

// Dimensions are those that leaders can be asked for.
func Dimensions() []string {
	return []string{"api", "operation", "application", "plan", "status", "gateway", "errorCode"}
}

// Auto stands for an interval that is chosen by the length of the time.
const Auto time.Duration = -1

// Limits are what bounds a question.
type Limits struct {
	Now time.Time
	// Minutes is the age up to which sums are kept by the minute.
	Minutes time.Duration
}

// Prepare returns a question that can be answered: times in whole minutes, an
// interval, a number of leaders. The error is a problem that names the
// parameters as the REST API does.
func Prepare(u analysis.Usage, l Limits) (analysis.Usage, error) {
	var fields []problem.Field
	add := func(pointer, code, format string, args ...any) {
		fields = append(fields, problem.Field{Pointer: "/" + pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
	f := &u.Filter
	if f.Organization == "" {
		add("organization", "required", "say whose traffic is meant")
	}
	if f.To.IsZero() {
		f.To = l.Now
	}
	if f.From.IsZero() {
		f.From = f.To.Add(-defaultSpan)
	}
	f.From, f.To = f.From.UTC().Truncate(time.Minute), up(f.To.UTC())
	switch span := f.To.Sub(f.From); {
	case span <= 0:
		add("from", "maximum", "it must be before to")
	case span > 10*366*day:
		add("from", "minimum", "it is more than ten years before to")
	default:
		u.Interval = interval(u.Interval, span, l, f.From, add)
	}
	for i, d := range u.Top {
		if !slices.Contains(Dimensions(), d) {
			add(fmt.Sprintf("top/%d", i), "enum", "use one of %s", strings.Join(Dimensions(), ", "))
		}
	}
	if u.Limit == 0 {
		u.Limit = DefaultLeaders
	}
	if u.Limit < 0 || u.Limit > MaxLeaders {
		add("limit", "maximum", "ask for 1 to %d leaders", MaxLeaders)
	}
	if len(fields) > 0 {
		return u, problem.Invalid("this cannot be reported", fields...)
	}
	return u, nil
}

// up rounds a time up to a minute.
func up(t time.Time) time.Time {
	if r := t.Truncate(time.Minute); !r.Equal(t) {
		return r.Add(time.Minute)
	}
	return t
}

// nice are the intervals that are chosen from.
var nice = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 7 * day, 28 * day,
}

func interval(i, span time.Duration, l Limits, from time.Time, add func(pointer, code, format string, args ...any)) time.Duration {
	old := from.Before(l.Now.Add(-l.Minutes))
	if i == Auto {
		for _, n := range nice {
			if span/n <= AutoSteps && !(old && n < time.Hour) {
				return n
			}
		}
		return nice[len(nice)-1]
	}
	switch {
	case i == 0:
	case i < 0 || i%time.Minute != 0:
		add("interval", "multipleOf", "use whole minutes, such as 5m")
	case span/i > MaxSteps:
		add("interval", "minimum", "that would be more than %d steps: ask for a longer interval or a shorter time", MaxSteps)
	case i%time.Hour != 0 && old:
		add("interval", "multipleOf", "minutes are kept for %s: ask for whole hours, or a later from", days(l.Minutes))
	}
	return i
}

func days(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// Interval reads the text form of an interval, such as "5m", "1h", "1d" or
// "auto"; "" is none.
func Interval(s string) (time.Duration, error) {
	switch s {
	case "":
		return 0, nil
	case "auto":
		return Auto, nil
	}
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': day}[s[len(s)-1]]
	n := 0
	for _, c := range s[:len(s)-1] {
		if c < '0' || c > '9' || n > 100_000 {
			n = 0
			break
		}
		n = n*10 + int(c-'0')
	}
	if unit == 0 || n == 0 {
		return 0, problem.Invalid("this cannot be reported", problem.Field{Pointer: "/interval", Code: "format", Detail: "use a number of minutes, hours or days such as 5m, 1h or 1d, or auto"})
	}
	return time.Duration(n) * unit, nil
}
