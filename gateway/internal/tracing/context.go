package tracing

import (
	"encoding/hex"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Parse reads a traceparent (W3C Trace Context, section 3.2). It returns false
// where the value is not to be used. Of a version that is not known the part that
// this one knows is used, as section 3.2.4 asks.
func Parse(value string) (trace [16]byte, parent [8]byte, sampled, ok bool) {
	if len(value) < 55 || value[2] != '-' || value[35] != '-' || value[52] != '-' {
		return trace, parent, false, false
	}
	version, v := unhex2(value[0], value[1])
	if !v || version == 0xff || version == 0 && len(value) != 55 || len(value) > 55 && value[55] != '-' {
		return trace, parent, false, false
	}
	if !unhex(trace[:], value[3:35]) || !unhex(parent[:], value[36:52]) || trace == [16]byte{} || parent == [8]byte{} {
		return [16]byte{}, [8]byte{}, false, false
	}
	flags, v := unhex2(value[53], value[54])
	if !v {
		return [16]byte{}, [8]byte{}, false, false
	}
	return trace, parent, flags&1 != 0, true
}

// nibbles are the values of hex digits, lower case only, as the standard has
// them; 0xff for other bytes.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	return t
}()

func unhex(dst []byte, s string) bool {
	bad := byte(0)
	for i := range dst {
		x, y := nibbles[s[2*i]], nibbles[s[2*i+1]]
		bad |= x | y
		dst[i] = x<<4 | y
	}
	return bad < 16
}

func unhex2(a, b byte) (byte, bool) {
	x, y := nibbles[a], nibbles[b]
	return x<<4 | y, x|y < 16
}

// AppendParent appends the traceparent that names span as the parent.
func AppendParent(dst []byte, t *policy.Trace, span [8]byte) []byte {
	dst = hex.AppendEncode(append(dst, "00-"...), t.TraceID[:])
	dst = hex.AppendEncode(append(dst, '-'), span[:])
	if t.Sampled {
		return append(dst, "-01"...)
	}
	return append(dst, "-00"...)
}

// The bounds of a tracestate (section 3.3): members, and characters that are
// passed on.
const (
	maxMembers = 32
	maxState   = 512
	maxMember  = 128
)

// State reads the tracestate fields of a header. It returns "" where there is
// none, or where it is invalid, since it is then to be dropped as a whole. One
// that is too long loses its long members first, and then those at its end.
func State(h *policy.Header) string {
	s := h.Joined("Tracestate")
	if s == "" {
		return ""
	}
	members := 0
	var seen [maxMembers]string
	for m := range strings.SplitSeq(s, ",") {
		m = strings.Trim(m, " \t")
		if m == "" {
			continue
		}
		key, value, ok := strings.Cut(m, "=")
		if !ok || !validKey(key) || !validValue(value) || members == maxMembers {
			return ""
		}
		for _, k := range seen[:members] {
			if k == key {
				return ""
			}
		}
		seen[members] = key
		members++
	}
	if len(s) > maxState {
		return shorten(s)
	}
	return s
}

func shorten(s string) string {
	var kept []string
	size := 0
	for _, limit := range []int{len(s), maxMember} {
		kept, size = kept[:0], 0
		for m := range strings.SplitSeq(s, ",") {
			if m = strings.Trim(m, " \t"); m != "" && len(m) <= limit {
				kept = append(kept, m)
				size += len(m) + 1
			}
		}
		if size-1 <= maxState {
			break
		}
	}
	for size-1 > maxState {
		size -= len(kept[len(kept)-1]) + 1
		kept = kept[:len(kept)-1]
	}
	return strings.Join(kept, ",")
}

// validKey holds for simple and multi-tenant keys (section 3.3.1.3.1).
func validKey(k string) bool {
	tenant, system, multi := strings.Cut(k, "@")
	if multi {
		return keyPart(tenant, 241, true) && keyPart(system, 14, false)
	}
	return keyPart(k, 256, true)
}

// keyPart begins with a letter, or a digit where that is allowed: level 2 of the
// standard allows one in every key that is simple, and in a tenant.
func keyPart(s string, n int, digit bool) bool {
	if s == "" || len(s) > n {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
		case c >= '0' && c <= '9':
			if i == 0 && !digit {
				return false
			}
		case i > 0 && (c == '_' || c == '-' || c == '*' || c == '/'):
		default:
			return false
		}
	}
	return true
}

func validValue(v string) bool {
	if v == "" || len(v) > 256 || v[len(v)-1] == ' ' {
		return false
	}
	for i := range len(v) {
		if c := v[i]; c < 0x20 || c > 0x7e || c == ',' || c == '=' {
			return false
		}
	}
	return true
}
