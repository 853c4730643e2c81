package apikey

import (
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// find returns the key and how many there are. A field that has another scheme
// than the configured one has none.
func (s *Source) find(ex *policy.Exchange) (key string, n int) {
	switch s.In {
	case "header":
		for _, f := range ex.Request.Header.Fields() {
			if !policy.EqualName(f.Name, s.Name) {
				continue
			}
			if v, ok := withScheme(f.Value, s.Scheme); ok {
				key = v
				n++
			}
		}
	case "query":
		return inQuery(ex.Request.Query, s.Name)
	case "cookie":
		for _, f := range ex.Request.Header.Fields() {
			if !policy.EqualName(f.Name, "Cookie") {
				continue
			}
			v, m := inCookie(f.Value, s.Name)
			if m > 0 {
				key = v
				n += m
			}
		}
	}
	return key, n
}

// withScheme returns what stands behind the scheme.
func withScheme(v, scheme string) (string, bool) {
	if scheme == "" {
		return v, true
	}
	if len(v) <= len(scheme) || v[len(scheme)] != ' ' || !policy.EqualName(v[:len(scheme)], scheme) {
		return "", false
	}
	return strings.Trim(v[len(scheme):], " "), true
}

// inQuery returns the value of a parameter, unescaped, and how often it is
// there. The name is compared as it would be after unescaping, because that is
// what the upstream would do.
func inQuery(query, name string) (value string, n int) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		k, v, _ := strings.Cut(pair, "=")
		if !named(k, name) {
			continue
		}
		n++
		value = v
		if strings.ContainsAny(v, "%+") {
			u, err := url.QueryUnescape(v)
			if err != nil {
				return "", n
			}
			value = u
		}
	}
	return value, n
}

func named(escaped, name string) bool {
	if escaped == name {
		return true
	}
	if !strings.ContainsAny(escaped, "%+") {
		return false
	}
	k, err := url.QueryUnescape(escaped)
	return err == nil && k == name
}

func inCookie(list, name string) (value string, n int) {
	for list != "" {
		var pair string
		pair, list, _ = strings.Cut(list, ";")
		k, v, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok || k != name {
			continue
		}
		n++
		value = v
		if len(v) > 1 && v[0] == '"' && v[len(v)-1] == '"' {
			value = v[1 : len(v)-1]
		}
	}
	return value, n
}

// remove takes the key out of every place where it is looked for, so that a key
// in a place that was not reached does not get to the upstream either.
func (k *check) remove(ex *policy.Exchange) {
	for i := range k.sources {
		s := &k.sources[i]
		switch s.In {
		case "header":
			if s.Scheme == "" {
				ex.Request.Header.Del(s.Name)
				continue
			}
			ex.Request.Header.DelFunc(func(name, value string) bool {
				if !policy.EqualName(name, s.Name) {
					return false
				}
				_, ok := withScheme(value, s.Scheme)
				return ok
			})
		case "query":
			if _, n := inQuery(ex.Request.Query, s.Name); n > 0 {
				ex.Request.Query = without(ex.Request.Query, "&", func(pair string) bool {
					name, _, _ := strings.Cut(pair, "=")
					return named(name, s.Name)
				})
			}
		case "cookie":
			removeCookie(&ex.Request.Header, s.Name)
		}
	}
}

func removeCookie(h *policy.Header, name string) {
	const gone = "\x00"
	empty := false
	fields := h.Fields()
	for i := range fields {
		if !policy.EqualName(fields[i].Name, "Cookie") {
			continue
		}
		if _, n := inCookie(fields[i].Value, name); n == 0 {
			continue
		}
		v := without(fields[i].Value, ";", func(pair string) bool {
			k, _, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
			return ok && k == name
		})
		fields[i].Value = strings.Trim(v, " \t")
		if fields[i].Value == "" {
			fields[i].Value, empty = gone, true
		}
	}
	if empty {
		h.DelFunc(func(_, value string) bool { return value == gone })
	}
}

// without returns the list without the parts for which drop is true; the others
// stay byte for byte as they were.
func without(list, separator string, drop func(string) bool) string {
	var b strings.Builder
	first := true
	for part := range strings.SplitSeq(list, separator) {
		if drop(part) {
			continue
		}
		if !first {
			b.WriteString(separator)
		}
		first = false
		b.WriteString(part)
	}
	return b.String()
}
