package schema

import (
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

func (d *decoder) number(p *plan, v reflect.Value, c byte) {
	want := "a whole number"
	if p.kind == floatKind {
		want = "a number"
	}
	if typeName(c) != "a number" {
		d.mismatch(want)
		return
	}
	num := d.raw()
	if p.kind == floatKind {
		f, err := strconv.ParseFloat(string(num), p.typ.Bits())
		if err != nil || math.IsInf(f, 0) {
			d.report(RuleMaximum, "%s is out of range", num)
			return
		}
		if p.hasMin && f < p.minFloat {
			d.report(RuleMinimum, "must be at least %s", p.minText)
		} else if p.hasMax && f > p.maxFloat {
			d.report(RuleMaximum, "must be at most %s", p.maxText)
		}
		v.SetFloat(f)
		return
	}
	digits, ok := whole(num)
	if !ok {
		d.report(RuleType, "expected a whole number, got %s", num)
		return
	}
	if p.kind == uintKind {
		d.unsigned(p, v, digits)
		return
	}
	lo, hi := intRange(p)
	i, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil && digits[0] == '-', err == nil && i < lo:
		d.report(RuleMinimum, "must be at least %d", lo)
	case err != nil, i > hi:
		d.report(RuleMaximum, "must be at most %d", hi)
	default:
		v.SetInt(i)
	}
}

// intRange returns the least and greatest value that the plan takes.
func intRange(p *plan) (lo, hi int64) {
	bits := p.typ.Bits()
	lo, hi = -1<<(bits-1), 1<<(bits-1)-1
	if p.hasMin {
		lo = max(lo, p.minInt)
	}
	if p.hasMax {
		hi = min(hi, p.maxInt)
	}
	return lo, hi
}

func (d *decoder) unsigned(p *plan, v reflect.Value, digits string) {
	lo, hi := uintRange(p)
	if digits == "-0" {
		digits = "0"
	}
	u, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case digits[0] == '-', err == nil && u < lo:
		d.report(RuleMinimum, "must be at least %d", lo)
	case err != nil, u > hi:
		d.report(RuleMaximum, "must be at most %d", hi)
	default:
		v.SetUint(u)
	}
}

func uintRange(p *plan) (lo, hi uint64) {
	hi = math.MaxUint64 >> (64 - p.typ.Bits())
	if p.hasMin && p.minInt > 0 {
		lo = uint64(p.minInt)
	}
	if p.hasMax && p.maxInt >= 0 {
		hi = min(hi, uint64(p.maxInt))
	}
	return lo, hi
}

// checkText checks the bounds of a string.
func (d *decoder) checkText(p *plan, text []byte) {
	if p.minLength >= 0 && runes(text) < p.minLength {
		if p.minLength == 1 {
			d.report(RuleMinLength, "must not be empty")
		} else {
			d.report(RuleMinLength, "must have at least %d characters", p.minLength)
		}
	}
	if p.maxLength >= 0 && runes(text) > p.maxLength {
		d.report(RuleMaxLength, "may have at most %d characters", p.maxLength)
	}
	if p.enum != nil && !slices.Contains(p.enum, string(text)) {
		d.report(RuleEnum, "must be one of %s%s", strings.Join(p.enum, ", "), suggest(string(text), slices.Values(p.enum)))
	}
	if p.pattern != nil && !p.pattern.Match(text) {
		d.report(RulePattern, "must match %s", p.pattern)
	}
	if p.formatOK != nil {
		if err := p.formatOK(string(text)); err != nil {
			d.report(RuleFormat, "must be a valid %s: %s", p.format, err)
		}
	}
}

// Suggest returns the known name that a misspelt one was probably meant to be,
// as a phrase to append to a message, or "" when none is near.
func Suggest(name string, known []string) string { return suggest(name, slices.Values(known)) }

// suggest returns "; did you mean ...?" for the known name nearest to one that
// is not known, or "" when none is near.
func suggest(name string, known iter.Seq[string]) string {
	best, bestDist := "", 1+max(1, min(len(name)/3, 3))
	if len(name) > 64 { // no name is that long, and the distance is quadratic
		return ""
	}
	for k := range known {
		if d := distance(fold(name), fold(k)); d < bestDist {
			best, bestDist = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// fold makes max_bytes, max-bytes and MaxBytes equal.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance is the edit distance between two strings with insertions,
// deletions, substitutions and swaps of neighbours (optimal string alignment).
func distance(a, b string) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// zeroMeans says whether the zero value of the plan's type means something.
func (p *plan) zeroMeans() bool {
	switch p.kind {
	case intKind, uintKind, floatKind, boolKind:
		return true
	}
	return p.ordered
}

// empty says whether a default value says nothing.
func (p *plan) empty(v reflect.Value) bool {
	return v.IsZero() && !p.zeroMeans() && p.kind != objectKind
}
