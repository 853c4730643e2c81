package cache

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// unset is a directive that is not there.
const unset = time.Duration(-1)

// control is what a Cache-Control field says (RFC 9111 section 5.2, RFC 5861).
type control struct {
	noStore, noCache, private, public   bool
	mustRevalidate, proxyRevalidate     bool
	mustUnderstand, onlyIfCached        bool
	maxAge, sMaxAge, minFresh, maxStale time.Duration
	staleWhileRevalidate, staleIfError  time.Duration
}

// parseControl reads all Cache-Control fields. What cannot be understood errs
// on the side of not caching: a lifetime that is no number is zero, and of two
// that differ the shorter counts (section 4.2.1).
func parseControl(h *policy.Header) control {
	c := control{
		maxAge: unset, sMaxAge: unset, minFresh: unset, maxStale: unset,
		staleWhileRevalidate: unset, staleIfError: unset,
	}
	for line := range h.Values("Cache-Control") {
		for line != "" {
			var name, value string
			var has bool
			name, value, has, line = directive(line)
			c.set(name, value, has)
		}
	}
	return c
}

func (c *control) set(name, value string, has bool) {
	switch strings.ToLower(name) {
	case "no-store":
		c.noStore = true
	case "no-cache": // with field names, too: those would have to be left out
		c.noCache = true
	case "private":
		c.private = true
	case "public":
		c.public = true
	case "must-revalidate":
		c.mustRevalidate = true
	case "proxy-revalidate":
		c.proxyRevalidate = true
	case "must-understand":
		c.mustUnderstand = true
	case "only-if-cached":
		c.onlyIfCached = true
	case "max-age":
		shorter(&c.maxAge, value)
	case "s-maxage":
		shorter(&c.sMaxAge, value)
	case "min-fresh":
		shorter(&c.minFresh, value)
	case "max-stale":
		if !has {
			c.maxStale = math.MaxInt64
		} else {
			shorter(&c.maxStale, value)
		}
	case "stale-while-revalidate":
		shorter(&c.staleWhileRevalidate, value)
	case "stale-if-error":
		shorter(&c.staleIfError, value)
	}
}

func shorter(d *time.Duration, value string) {
	v := seconds(value)
	if *d == unset || v < *d {
		*d = v
	}
}

// seconds reads delta-seconds (section 1.2.2): 0 where it is none, and a long
// time where it is too large.
func seconds(s string) time.Duration {
	if s == "" {
		return 0
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
	}
	const longest = 1 << 31
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > longest {
		n = longest
	}
	return time.Duration(n) * time.Second
}

// directive cuts the first directive off a list.
func directive(s string) (name, value string, has bool, rest string) {
	s = strings.TrimLeft(s, " \t,")
	end := strings.IndexAny(s, "=,")
	if end < 0 {
		return strings.TrimRight(s, " \t"), "", false, ""
	}
	name = strings.TrimRight(s[:end], " \t")
	if s[end] == ',' {
		return name, "", false, s[end+1:]
	}
	s = strings.TrimLeft(s[end+1:], " \t")
	if s == "" || s[0] != '"' {
		value, rest, _ = strings.Cut(s, ",")
		return name, strings.Trim(value, " \t"), true, rest
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			value = s[1:i]
			_, rest, _ = strings.Cut(s[i+1:], ",")
			return name, value, true, rest
		}
	}
	return name, s[1:], true, "" // the closing quote is missing
}

// freshness returns for how long a response is fresh, from when it was made, and
// whether it says so itself (section 4.2.1).
func (c *control) freshness(h *policy.Header, date time.Time) (time.Duration, bool) {
	switch {
	case c.sMaxAge != unset:
		return c.sMaxAge, true
	case c.maxAge != unset:
		return c.maxAge, true
	}
	expires, ok := h.Lookup("Expires")
	if !ok {
		return 0, false
	}
	t, err := http.ParseTime(expires)
	if err != nil || h.Count("Expires") > 1 {
		return 0, true // such as "0": expired (section 5.3)
	}
	return max(t.Sub(date), 0), true
}

// initialAge returns the age of a response when it arrived (section 4.2.3).
func initialAge(h *policy.Header, date, asked, arrived time.Time) time.Duration {
	apparent := max(arrived.Sub(date), 0)
	value := time.Duration(0)
	if v, ok := h.Lookup("Age"); ok {
		value = seconds(strings.TrimSpace(v))
	}
	return max(apparent, value+max(arrived.Sub(asked), 0))
}

// dateOf returns when a response was made.
func dateOf(h *policy.Header, arrived time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return arrived
}

// notModified evaluates the conditions of a request against a stored response
// (RFC 9110 section 13.2.2).
func notModified(req, resp *policy.Header, date time.Time) bool {
	if list := req.Joined("If-None-Match"); list != "" {
		return matches(list, resp.Get("ETag"))
	}
	since, ok := req.Lookup("If-Modified-Since")
	if !ok {
		return false
	}
	t, err := http.ParseTime(since)
	if err != nil {
		return false
	}
	if m, err := http.ParseTime(resp.Get("Last-Modified")); err == nil {
		date = m
	}
	return !date.After(t)
}

// matches compares entity tags weakly.
func matches(list, etag string) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	etag = strings.TrimPrefix(etag, "W/")
	if etag == "" {
		return false
	}
	for list != "" {
		list = strings.TrimLeft(list, " \t,")
		tag := strings.TrimPrefix(list, "W/")
		if tag == "" || tag[0] != '"' {
			return false // not a list of entity tags
		}
		end := strings.IndexByte(tag[1:], '"')
		if end < 0 {
			return false
		}
		if tag[:end+2] == etag {
			return true
		}
		list = tag[end+2:]
	}
	return false
}
