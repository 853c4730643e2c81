// Package bearer is what policies that accept tokens share: taking a token out
// of a request (RFC 6750), its challenges, and reading claims. It knows no form
// of token and how none is checked.
package bearer

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Sources are the places of a token; an empty name is no place.
type Sources struct {
	// Header is a header field and Scheme the authentication scheme before the
	// token in it, "" for none.
	Header, Scheme string
	// Cookie and Query are the names of a cookie and of a query parameter.
	Cookie, Query string
}

// Check returns the configuration error of names that cannot be.
func (s *Sources) Check() error {
	switch {
	case s.Header == "" && s.Cookie == "" && s.Query == "":
		return policy.Invalid("/header", "there is no place for the token; name a header field")
	case s.Header != "" && !policy.ValidName(s.Header):
		return policy.Invalid("/header", "%q cannot be the name of a header field", s.Header)
	case s.Scheme != "" && !policy.ValidName(s.Scheme):
		return policy.Invalid("/scheme", "%q is not an authentication scheme; use a word such as Bearer", s.Scheme)
	case s.Cookie != "" && !policy.ValidName(s.Cookie):
		return policy.Invalid("/cookie", "%q cannot be the name of a cookie", s.Cookie)
	case s.Query != "" && !policy.ValidName(s.Query):
		return policy.Invalid("/query", "%q is not a plain name; use letters, digits and hyphens", s.Query)
	}
	return nil
}

// DPoP is the authentication scheme of tokens that are bound to a key, and the
// header field of their proofs (RFC 9449 section 7.1).
const DPoP = "DPoP"

// Found is a token in a request.
type Found struct {
	Token string
	// Count is how many the request has, over all places (RFC 6750 section 2: a
	// client must not use more than one).
	Count int
	// DPoP says that it came with the scheme DPoP, which stands in the header field
	// wherever another scheme may.
	DPoP bool
}

// Find returns the token of a request.
func (s *Sources) Find(r *policy.Request) (found Found) {
	for _, f := range r.Header.Fields() {
		switch {
		case s.Header != "" && policy.EqualName(f.Name, s.Header):
			v, dpop, ok := s.behind(f.Value)
			if ok {
				found.Token, found.DPoP = v, dpop
				found.Count++
			}
		case s.Cookie != "" && policy.EqualName(f.Name, "Cookie"):
			for pair := range strings.SplitSeq(f.Value, ";") {
				if k, v, ok := strings.Cut(strings.Trim(pair, " \t"), "="); ok && k == s.Cookie {
					found.Token = strings.Trim(v, `"`)
					found.Count++
				}
			}
		}
	}
	if s.Query != "" {
		for pair := range strings.SplitSeq(r.Query, "&") {
			if k, v, _ := strings.Cut(pair, "="); k == s.Query {
				if u, err := url.PathUnescape(v); err == nil {
					v = u // a plus stays a plus: it is one of a token's characters
				}
				found.Token = v
				found.Count++
			}
		}
	}
	return found
}

// behind returns what stands behind the scheme in the header field, and whether
// that is DPoP.
func (s *Sources) behind(v string) (token string, dpop, ok bool) {
	if token, ok = behind(v, s.Scheme); ok {
		return token, len(s.Scheme) == len(DPoP) && policy.EqualName(s.Scheme, DPoP), true
	}
	token, ok = behind(v, DPoP)
	return token, ok, ok
}

func behind(v, scheme string) (string, bool) {
	if scheme == "" {
		return v, true
	}
	if len(v) <= len(scheme) || v[len(scheme)] != ' ' || !policy.EqualName(v[:len(scheme)], scheme) {
		return "", false
	}
	return strings.Trim(v[len(scheme):], " "), true
}

// Hide takes the token out of the request. Other cookies and parameters stay
// byte for byte as they were.
func (s *Sources) Hide(r *policy.Request) {
	if s.Header != "" {
		r.Header.DelFunc(func(name, value string) bool {
			if !policy.EqualName(name, s.Header) {
				return false
			}
			_, _, ok := s.behind(value)
			return ok
		})
		r.Header.Del(DPoP) // nobody else can do anything with a proof
	}
	if s.Query != "" && strings.Contains(r.Query, s.Query) {
		r.Query = without(r.Query, "&", "", s.Query)
	}
	if s.Cookie == "" {
		return
	}
	fields := r.Header.Fields()
	for i := range fields {
		if policy.EqualName(fields[i].Name, "Cookie") {
			fields[i].Value = strings.Trim(without(fields[i].Value, ";", " \t", s.Cookie), " \t")
		}
	}
	r.Header.DelFunc(func(name, value string) bool { return value == "" && policy.EqualName(name, "Cookie") })
}

func without(list, separator, space, name string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(list, separator), func(pair string) bool {
		k, _, _ := strings.Cut(strings.Trim(pair, space), "=")
		return k == name
	}), separator)
}

// Digest returns the SHA-256 of a token, under which what is known of it is
// remembered.
func Digest(token string) [sha256.Size]byte {
	var b [2048]byte // on the stack: a conversion would allocate
	if len(token) > len(b) {
		return sha256.Sum256([]byte(token))
	}
	return sha256.Sum256(b[:copy(b[:], token)])
}

// Challenges makes the answers of a policy, with WWW-Authenticate values as
// RFC 6750 section 3 has them.
type Challenges struct{ Realm, Scheme string }

func (c Challenges) prefix() string {
	scheme := c.Scheme
	if scheme == "" {
		scheme = "Bearer"
	}
	return scheme + ` realm="` + c.Realm + `"`
}

// Missing is the answer to a request without a token.
func (c Challenges) Missing() *problem.Problem {
	return policy.NoCredential("send an access token", c.prefix())
}

// Invalid is the answer to a token that is not accepted. The detail must be
// plain words without anything of the token.
func (c Challenges) Invalid(detail string) *problem.Problem {
	return problem.New(problem.CodeCredentialInvalid, "%s", detail).
		WithChallenge(c.prefix() + `, error="invalid_token", error_description="` + detail + `"`)
}

// Expired is the answer to a token whose time is over.
func (c Challenges) Expired() *problem.Problem {
	const detail = "the token has expired"
	return problem.New(problem.CodeCredentialExpired, detail).
		WithChallenge(c.prefix() + `, error="invalid_token", error_description="` + detail + `"`)
}

// Scope is the answer to a token that lacks scopes.
func (c Challenges) Scope(needed []string) *problem.Problem {
	list := strings.Join(needed, " ")
	return problem.New(problem.CodeScopeMissing, "the token lacks a scope; needed: %s", list).
		WithChallenge(c.prefix() + `, error="insufficient_scope", scope="` + list + `"`)
}

// ValidScope reports whether s is a scope token (RFC 6749 section 3.3).
func ValidScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// HasScopes reports whether the granted scopes have all, or any, of the needed.
func HasScopes(granted, needed []string, anyOf bool) bool {
	if len(needed) == 0 {
		return true
	}
	for _, s := range needed {
		if slices.Contains(granted, s) == anyOf {
			return anyOf
		}
	}
	return !anyOf
}

// Claim returns a claim by its whole name or, where there is none of it, by the
// dotted path within nested claims.
func Claim(claims map[string]any, name string) (any, bool) {
	if v, ok := claims[name]; ok {
		return v, true
	}
	head, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return nil, false
	}
	nested, ok := claims[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return Claim(nested, rest)
}

// Text returns a claim that is a text, or "".
func Text(claims map[string]any, name string) string {
	v, _ := Claim(claims, name)
	s, _ := v.(string)
	return s
}

// Texts returns the texts of a claim: itself, or the elements of a list. Numbers
// and flags are given in their JSON form.
func Texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case int64:
		return []string{strconv.FormatInt(v, 10)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case []any:
		var out []string
		for _, e := range v {
			if _, list := e.([]any); !list {
				out = append(out, Texts(e)...)
			}
		}
		return out
	}
	return nil
}

// ScopesOf returns the scopes in a claim: a list, or one text with spaces.
func ScopesOf(v any) []string {
	if s, ok := v.(string); ok {
		return strings.Fields(s)
	}
	return Texts(v)
}

// Time returns a NumericDate claim (RFC 7519 section 2) in Unix seconds. Ok is
// false where it is there and no sensible number.
func Time(claims map[string]any, name string) (seconds int64, there, ok bool) {
	v, there := claims[name]
	if !there {
		return 0, false, true
	}
	const most = 1 << 40 // far beyond any date, far from an overflow
	switch v := v.(type) {
	case int64:
		return v, true, v >= 0 && v < most
	case float64:
		return int64(math.Floor(v)), true, v >= 0 && v < most
	}
	return 0, true, false
}

// Decode reads a JSON object of claims. Whole numbers stay exact.
func Decode(doc []byte) (map[string]any, bool) {
	d := json.NewDecoder(strings.NewReader(string(doc)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil || m == nil || d.More() {
		return nil, false
	}
	for k, v := range m {
		m[k] = exact(v)
	}
	return m, true
}

func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, e := range v {
			v[k] = exact(e)
		}
	case []any:
		for i, e := range v {
			v[i] = exact(e)
		}
	}
	return v
}
