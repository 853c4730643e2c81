package http1

import (
	"errors"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

var (
	errStatusLine   = errors.New("the status line is malformed")
	errNoContent    = errors.New("an answer of a status without content has content")
	errSwitched     = errors.New("the upstream switched to a protocol that was not asked for")
	errTooManyInter = errors.New("there are too many interim answers")
)

// parseResponse reads a whole head, which ends with an empty line. S is b as a
// string. It leaves framing and connection fields to the facts.
func parseResponse(b []byte, s string, h *policy.Header, limit int, f *facts) (status int, old bool, err error) {
	*f = facts{length: -1}
	if len(b) < len("HTTP/1.1 200\r\n\r\n") || string(b[:7]) != "HTTP/1." || b[7] != '0' && b[7] != '1' || b[8] != ' ' {
		return 0, false, errStatusLine
	}
	for _, c := range b[9:12] {
		if c < '0' || c > '9' {
			return 0, false, errStatusLine
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 || status > 599 {
		return 0, false, errStatusLine
	}
	i := 12
	if b[i] == ' ' { // the reason; without one some servers leave out the space too
		for i++; b[i] != '\r' && b[i] != '\n'; i++ {
		}
		if !validValue(b[13:i]) {
			return 0, false, errStatusLine
		}
	}
	if b[i] != '\r' || b[i+1] != '\n' {
		return 0, false, errStatusLine
	}
	i += 2
	if m := parseFields(b[i:], s[i:], h, limit, f); m != nil {
		return 0, false, m
	}
	old = b[7] == '0'
	if f.chunked && old {
		return 0, false, errOldChunked
	}
	return status, old, nil
}

// bodiless reports whether an answer of that status never has content (RFC 9112
// section 6.3).
func bodiless(status int) bool {
	return status < 200 || status == 204 || status == 304
}
