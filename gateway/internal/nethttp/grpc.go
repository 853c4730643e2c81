package nethttp

import (
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// isGRPC reports whether a content type is application/grpc, with or without a
// message encoding ("+proto") and parameters.
func isGRPC(contentType string) bool {
	const prefix = "application/grpc"
	if len(contentType) < len(prefix) || !strings.EqualFold(contentType[:len(prefix)], prefix) {
		return false
	}
	rest := contentType[len(prefix):]
	return rest == "" || rest[0] == '+' || rest[0] == ';'
}

// The codes of gRPC that the gateway answers with (grpc.io, "Status codes and
// their use in gRPC").
const (
	grpcCanceled          = 1
	grpcUnknown           = 2
	grpcInvalidArgument   = 3
	grpcDeadlineExceeded  = 4
	grpcPermissionDenied  = 7
	grpcResourceExhausted = 8
	grpcUnimplemented     = 12
	grpcInternal          = 13
	grpcUnavailable       = 14
	grpcUnauthenticated   = 16
)

// grpcStatus maps the HTTP status of an error that the gateway made. It says
// more than the mapping for foreign proxies in the gRPC specification
// (http-grpc-status-mapping.md), since the gateway knows why it refused.
func grpcStatus(status int) int {
	switch status {
	case 401:
		return grpcUnauthenticated
	case 403:
		return grpcPermissionDenied
	case 404, 405, 410, 501:
		return grpcUnimplemented
	case 408, 504:
		return grpcDeadlineExceeded
	case 413, 414, 429, 431:
		return grpcResourceExhausted
	case 421, 502, 503:
		return grpcUnavailable
	case 499:
		return grpcCanceled
	}
	switch {
	case status >= 500:
		return grpcInternal
	case status >= 400:
		return grpcInvalidArgument
	}
	return grpcUnknown
}

// grpcMessage returns what a client may read about an error: the title and the
// detail of the problem, never its cause.
func grpcMessage(err error, fallback string) string {
	if err == nil {
		return fallback
	}
	p := problem.From(err)
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// encodeGRPCMessage percent-encodes a grpc-message (gRPC over HTTP2,
// "Status-Message").
func encodeGRPCMessage(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// parseGRPCTimeout reads a grpc-timeout: at most eight digits and a unit (gRPC
// over HTTP2, "Timeout"). Hours beyond what a time.Duration holds are cut.
func parseGRPCTimeout(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 9 {
		return 0, false
	}
	unit, ok := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second,
		'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}[s[len(s)-1]]
	if !ok {
		return 0, false
	}
	digits := s[:len(s)-1]
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, false
	}
	const longest = time.Duration(1<<63 - 1)
	if n > int64(longest/unit) {
		return longest, true
	}
	return time.Duration(n) * unit, true
}

// formatGRPCTimeout returns a grpc-timeout of at most d, in the finest unit
// that fits eight digits.
func formatGRPCTimeout(d time.Duration) string {
	if d <= 0 {
		return "0n"
	}
	const most = 99_999_999
	for _, u := range []struct {
		unit time.Duration
		name string
	}{
		{time.Nanosecond, "n"},
		{time.Microsecond, "u"},
		{time.Millisecond, "m"},
		{time.Second, "S"},
		{time.Minute, "M"},
	} {
		if n := int64(d / u.unit); n <= most {
			return strconv.FormatInt(n, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Hour), 10) + "H"
}
