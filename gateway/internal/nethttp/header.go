package nethttp

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// fromHTTP appends the fields of h to dst, names in canonical form and in
// alphabetical order (a map has none of its own), values of one name in the
// order received. Fields for which skip returns true are left out.
func fromHTTP(dst *policy.Header, h http.Header, skip func(name string) bool) {
	from := dst.Len()
	for name, values := range h {
		if skip != nil && skip(name) {
			continue
		}
		for _, v := range values {
			dst.Add(name, v)
		}
	}
	slices.SortStableFunc(dst.Fields()[from:], func(a, b policy.Field) int { return strings.Compare(a.Name, b.Name) })
}

// toHTTP adds the fields of src to h under their canonical names, duplicates
// kept in order.
func toHTTP(h http.Header, src *policy.Header, skip func(name string) bool) {
	for _, f := range src.Fields() {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if skip != nil && skip(name) {
			continue
		}
		h[name] = append(h[name], f.Value)
	}
}

// connectionSpecific reports whether a field has no place in HTTP/2 (RFC 9113
// section 8.2.2). The name is in canonical form.
func connectionSpecific(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// framing reports whether a field is the transport's to write.
func framing(name string) bool {
	return name == "Content-Length" || name == "Trailer" || name == "Te" || connectionSpecific(name)
}

// trailersFromHTTP fills dst with the trailers that may be passed on: valid
// fields that do not frame, route or authenticate a message (RFC 9110 section
// 6.5.1).
func trailersFromHTTP(dst *policy.Header, t http.Header) {
	dst.Reset()
	fromHTTP(dst, t, func(name string) bool { return !httpguts.ValidTrailerHeader(name) })
	dst.DelFunc(func(name, value string) bool { return !policy.ValidName(name) || !policy.ValidValue(value) })
}
