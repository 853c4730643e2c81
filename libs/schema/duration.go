package schema

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// Duration is a length of time in a configuration, written as "150ms", "1h30m"
// or "7d". It is never negative. Units are d (24 hours), h, m, s, ms, us (or
// µs) and ns.
type Duration time.Duration

var durationUnits = []struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
	{"µs", time.Microsecond},
	{"ns", time.Nanosecond},
}

const durationPattern = `^(0|([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|µs|ns))+)$`

var (
	errDuration = errors.New(`not a duration; write it as "150ms", "30s", "1h30m" or "7d"`)
	errTooLong  = errors.New("too long; a duration is at most 106751d")
)

// ParseDuration parses the text form of a [Duration].
func ParseDuration(s string) (Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if s == "" {
		return 0, errDuration
	}
	var total float64 // for the bound
	var sum int64
	for s != "" {
		num, rest := leadingNumber(s)
		if num == "" {
			return 0, errDuration
		}
		n := 0
		for n < len(rest) && rest[n] != '.' && (rest[n] < '0' || rest[n] > '9') {
			n++
		}
		size := time.Duration(0)
		for _, u := range durationUnits {
			if u.name == rest[:n] {
				size = u.size
			}
		}
		if size == 0 {
			return 0, errDuration
		}
		v, ok := scale(num, int64(size))
		total += float64(v)
		if !ok || total > math.MaxInt64/2 {
			return 0, errTooLong
		}
		sum += v
		s = rest[n:]
	}
	return Duration(sum), nil
}

// leadingNumber splits digits, with an optional fraction, off the front of s.
func leadingNumber(s string) (num, rest string) {
	i := digits(s, 0)
	if i == 0 {
		return "", s
	}
	if i < len(s) && s[i] == '.' {
		j := digits(s, i+1)
		if j == i+1 {
			return "", s
		}
		i = j
	}
	return s[:i], s[i:]
}

func digits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// scale returns num times size, rounded down; false when that is too much.
func scale(num string, size int64) (int64, bool) {
	if n, err := strconv.ParseInt(num, 10, 64); err == nil {
		if n > math.MaxInt64/2/size {
			return 0, false
		}
		return n * size, true
	}
	f, err := strconv.ParseFloat(num, 64)
	f *= float64(size)
	if err != nil || f > math.MaxInt64/2 {
		return 0, false
	}
	return int64(f), true
}

// Std returns the duration as a [time.Duration].
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the text form, whole units from large to small, such as
// "1d2h" or "1s500ms".
func (d Duration) String() string {
	if d <= 0 {
		return "0s"
	}
	var b []byte
	rest := time.Duration(d)
	for _, u := range durationUnits {
		if n := rest / u.size; n > 0 && u.name != "µs" {
			b = append(strconv.AppendInt(b, int64(n), 10), u.name...)
			rest -= n * u.size
		}
	}
	return string(b)
}

// MarshalText returns the text form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText parses the text form.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err == nil {
		*d = v
	}
	return err
}

// JSONSchema describes the text form.
func (Duration) JSONSchema() *Node {
	return &Node{Type: Types{"string"}, Format: "timespan", Pattern: durationPattern, example: `"150ms" or "1h"`}
}
