package bearer

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Mapping sets header fields from claims.
type Mapping []mapped

type mapped struct{ header, claim string }

// NewMapping returns the mapping of header names to claims; the error names the
// field of a configuration at fault.
func NewMapping(pointer string, headers map[string]string) (Mapping, error) {
	var m Mapping
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if !policy.ValidName(name) || headers[name] == "" {
			return nil, policy.Invalid(pointer, "%q is not the name of a header field with a claim; write X-User: sub", name)
		}
		m = append(m, mapped{name, headers[name]})
	}
	return m, nil
}

// Values returns the values for the headers, in order; "" for a claim that is
// not there or cannot stand in a header field.
func (m Mapping) Values(claims map[string]any) []string {
	out := make([]string, len(m))
	for i := range m {
		v, _ := Claim(claims, m[i].claim)
		if s := strings.Join(Texts(v), ","); policy.ValidValue(s) {
			out[i] = s
		}
	}
	return out
}

// Strip removes what the client sent under the names, in any spelling that a
// server may take for the same. It comes before anything is decided, since a
// request that is refused here may be accepted by another plan.
func (m Mapping) Strip(h *policy.Header) {
	if len(m) == 0 {
		return
	}
	h.DelFunc(func(name, _ string) bool {
		for i := range m {
			if SameName(name, m[i].header) {
				return true
			}
		}
		return false
	})
}

// Add puts in the values that are not empty.
func (m Mapping) Add(h *policy.Header, values []string) {
	for i := range m {
		if values[i] != "" {
			h.Add(m[i].header, values[i])
		}
	}
}

// SameName reports whether two field names are the same to some server: without
// regard to case, and with underscores and dots for hyphens. R12.1.
func SameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if fold(a[i]) != fold(b[i]) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c | 0x20
	case c == '_' || c == '.':
		return '-'
	}
	return c
}
