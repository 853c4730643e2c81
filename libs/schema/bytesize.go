package schema

import (
	"errors"
	"math"
	"strconv"
)

// Bytes is a number of bytes in a configuration, written as a whole number or
// with a unit: "10MB", "1GiB". Units are B, kB, MB, GB, TB (powers of 1000) and
// KiB, MiB, GiB, TiB (powers of 1024). It is never negative.
type Bytes int64

var byteUnits = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"kB", 1e3},
	{"KB", 1e3},
	{"B", 1},
	{"", 1},
}

const bytesPattern = `^[0-9]+(\.[0-9]+)?(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB)?$`

// ParseBytes parses the text form of a [Bytes].
func ParseBytes(s string) (Bytes, error) {
	num, unit := leadingNumber(s)
	if num == "" {
		return 0, errors.New(`not a size; write it as "10MB", "1GiB" or a number of bytes`)
	}
	for _, u := range byteUnits {
		if u.name != unit {
			continue
		}
		n, ok := scale(num, u.size)
		if !ok {
			return 0, errors.New("too large; a size is at most 4EiB")
		}
		return Bytes(n), nil
	}
	return 0, errors.New("unknown unit; use B, kB, MB, GB, TB, KiB, MiB, GiB or TiB")
}

// Int returns the number of bytes, at most the greatest int.
func (b Bytes) Int() int { return int(min(int64(b), math.MaxInt)) }

// String returns the text form with the largest unit that divides the number.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if u.name != "" && b > 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// MarshalText returns the text form.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText parses the text form.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	if err == nil {
		*b = v
	}
	return err
}

// JSONSchema describes the text form and the number.
func (Bytes) JSONSchema() *Node {
	return &Node{Type: Types{"string", "integer"}, Format: "bytes", Pattern: bytesPattern, example: `"10MB"`}
}

func (Bytes) takesIntegers() {}
