package traffic

import (
	"encoding/base64"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Redacted is put in place of a secret.
const Redacted = "***"

// secretWords make a name secret wherever they stand in it, and secretNames
// where they are all of it. Names are compared in lower case, letters and digits
// only.
var (
	secretWords = byFirst(
		"token", "secret", "password", "passwd", "passphrase", "apikey", "accesskey", "privatekey", "authorization",
		"credential", "signature", "session", "cookie", "jwt", "bearer", "assertion", "clientcert",
	)
	secretNames = map[string]bool{"key": true, "sig": true, "pwd": true, "pass": true, "pin": true, "code": true, "auth": true, "sid": true, "otp": true}
)

// byFirst lists words by their first byte, so that most bytes of a name cost one
// look.
func byFirst(words ...string) (t [256][]string) {
	for _, w := range words {
		t[w[0]] = append(t[w[0]], w)
	}
	return t
}

// Redactor decides what is secret. The zero value knows what always is. All
// methods may be called at the same time.
type Redactor struct {
	base  names
	extra atomic.Pointer[names]
}

type names struct{ headers, parameters map[string]bool }

func newRedactor(r Redact) *Redactor {
	return &Redactor{base: makeNames(r.Headers, r.Parameters)}
}

func makeNames(headers, parameters []string) names {
	n := names{headers: map[string]bool{}, parameters: map[string]bool{}}
	for _, h := range headers {
		n.headers[plainName(h)] = true
	}
	for _, p := range parameters {
		n.parameters[plainName(p)] = true
	}
	return n
}

// Also replaces the names that configured policies make secret, such as the
// header and the query parameter of api-key. It is called when the configuration
// changes.
func (r *Redactor) Also(headers, parameters []string) {
	n := makeNames(headers, parameters)
	r.extra.Store(&n)
}

// Header reports whether the values of a header field are secret.
func (r *Redactor) Header(name string) bool {
	n := plainName(name)
	if e := r.extra.Load(); e != nil && e.headers[n] {
		return true
	}
	return r.base.headers[n] || secretName(n)
}

// Parameter reports whether the values of a query parameter, form field or JSON
// member are secret. The name may be percent-encoded.
func (r *Redactor) Parameter(name string) bool {
	if strings.ContainsAny(name, "%+") {
		if d, err := url.QueryUnescape(name); err == nil {
			name = d
		}
	}
	n := plainName(name)
	if e := r.extra.Load(); e != nil && e.parameters[n] {
		return true
	}
	return r.base.parameters[n] || secretName(n)
}

// hides is for names that people of Gatehouse choose: "key" may be that of a
// counter.
func (r *Redactor) hides(name string) bool {
	n := plainName(name)
	return !secretNames[n] && r.Parameter(n)
}

func secretName(n string) bool {
	if secretNames[n] {
		return true
	}
	for i := range len(n) {
		for _, w := range secretWords[n[i]] {
			if strings.HasPrefix(n[i:], w) {
				return true
			}
		}
	}
	return false
}

// plainName returns the letters and digits of a name in lower case, so that
// api_key, Api-Key and apiKey[] are one.
func plainName(s string) string {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			b := make([]byte, 0, len(s))
			for _, c := range []byte(s) {
				switch {
				case c >= 'A' && c <= 'Z':
					b = append(b, c|0x20)
				case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 0x80:
					b = append(b, c)
				}
			}
			return string(b)
		}
	}
	return s
}

// Query returns a query, or a form, with the values of secret parameters
// replaced. It does not allocate where there are none and names are plain.
func (r *Redactor) Query(q string) string {
	var b []byte
	kept := 0
	for i := 0; i < len(q); {
		end := i
		for end < len(q) && q[end] != '&' && q[end] != ';' {
			end++
		}
		if eq := strings.IndexByte(q[i:end], '='); eq >= 0 && i+eq+1 < end && r.Parameter(q[i:i+eq]) {
			b = append(append(b, q[kept:i+eq+1]...), Redacted...)
			kept = end
		}
		i = end + 1
	}
	if kept == 0 {
		return q
	}
	return string(append(b, q[kept:]...))
}

// HeaderValue returns the value of a header field as it may be recorded.
func (r *Redactor) HeaderValue(name, value string) string {
	switch {
	case r.Header(name):
		return Redacted
	case policy.EqualName(name, "Referer"), policy.EqualName(name, "Location"), policy.EqualName(name, "Content-Location"):
		return r.url(value)
	}
	return value
}

// url redacts what may be secret in an address: user and password, query and
// fragment.
func (r *Redactor) url(u string) string {
	head, fragment, hasFragment := strings.Cut(u, "#")
	head, query, hasQuery := strings.Cut(head, "?")
	if i := strings.Index(head, "//"); i >= 0 {
		host := head[i+2:]
		if j := strings.IndexByte(host, '/'); j >= 0 {
			host = host[:j]
		}
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			head = head[:i+2] + Redacted + head[i+2+at:]
		}
	}
	if hasQuery {
		head += "?" + r.Query(query)
	}
	if hasFragment {
		head += "#" + r.Query(fragment)
	}
	return head
}

// Text returns a text that somebody else wrote, such as the detail of an error,
// without the secrets of the request, in case it quotes one.
func (r *Redactor) Text(ex *policy.Exchange, text string) string {
	if text == "" {
		return ""
	}
	cut := func(secret string) {
		if len(secret) >= 5 && strings.Contains(text, secret) {
			text = strings.ReplaceAll(text, secret, Redacted)
		}
	}
	for _, f := range ex.Request.Header.Fields() {
		if !r.Header(f.Name) {
			continue
		}
		cut(f.Value)
		if policy.EqualName(f.Name, "Cookie") {
			for c := range strings.SplitSeq(f.Value, ";") {
				_, v, _ := strings.Cut(c, "=")
				cut(strings.TrimSpace(v))
			}
			continue
		}
		scheme, rest, ok := strings.Cut(f.Value, " ")
		if !ok {
			continue
		}
		cut(strings.TrimSpace(rest))
		if strings.EqualFold(scheme, "Basic") {
			if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest)); err == nil {
				_, password, _ := strings.Cut(string(b), ":")
				cut(string(b))
				cut(password)
			}
		}
	}
	for p := range strings.FieldsFuncSeq(ex.Request.Query, func(c rune) bool { return c == '&' || c == ';' }) {
		name, v, ok := strings.Cut(p, "=")
		if !ok || !r.Parameter(name) {
			continue
		}
		cut(v)
		if d, err := url.QueryUnescape(v); err == nil {
			cut(d)
		}
	}
	return text
}
