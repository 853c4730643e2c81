package bus

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// The subjects below the contract's prefix that are the bus's own.
const (
	inboxPrefix  = contract.Prefix + "inbox."  // <service>.<instance>.…: answers
	cancelPrefix = contract.Prefix + "cancel." // <service>: the id of a request no longer wanted
	httpPrefix   = contract.Prefix + "http."   // <service>: forwarded HTTP
	deadPrefix   = contract.Prefix + "dead."   // <service>.<durable>: events given up
)

// token reports whether s can be one part of a subject.
func token(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// tokens returns the parts of a subject after a prefix, or an error where there
// are not n or one is not fit. Where wild is set, the first two parts (of an
// event: the tenant and the owner) may be wild.
func tokens(subject, prefix string, n int, wild bool) ([]string, error) {
	rest, ok := strings.CutPrefix(subject, prefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != n {
		return nil, fmt.Errorf("subject %q is not %s and %d parts", subject, prefix, n)
	}
	for i, p := range parts {
		if wild && i < 2 && p == "*" {
			continue
		}
		if !token(p) {
			return nil, fmt.Errorf("subject %q: part %q must be of letters, digits, hyphens and underscores, 64 at most", subject, p)
		}
	}
	return parts, nil
}
