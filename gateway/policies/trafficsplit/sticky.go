package trafficsplit

import (
	"encoding/binary"
	encodinghex "encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

func (s *split) compileSticky(st *Sticky, env policy.Env) error {
	named := st.By == "header" || st.By == "cookie"
	switch {
	case named && !policy.ValidName(st.Name):
		return policy.Invalid("/sticky/name", "%q is no name of a %s; give the name", st.Name, st.By)
	case !named && st.Name != "":
		return policy.Invalid("/sticky/name", "only headers and cookies have a name; leave it out")
	case st.By != "cookie" && st.Cookie != nil:
		return policy.Invalid("/sticky/cookie", "a cookie can be set only where clients are known by cookie; leave it out or set by to cookie")
	case st.By != "expression" && st.Expression != "":
		return policy.Invalid("/sticky/expression", "it is not used; leave it out or set by to expression")
	}
	switch st.By {
	case "header":
		s.key = func(ex *policy.Exchange) (string, error) { return ex.Request.Header.Get(st.Name), nil }
	case "cookie":
		s.key = func(ex *policy.Exchange) (string, error) { return cookieValue(&ex.Request.Header, st.Name), nil }
	case "ip":
		s.key = address
	case "caller":
		s.key = caller
	case "expression":
		e, err := env.Expression(st.Expression)
		if err != nil {
			return policy.Invalid("/sticky/expression", "%v", err)
		}
		if e.NeedsResponse() {
			return policy.Invalid("/sticky/expression", "there is no response yet when the upstream is chosen; use request variables only")
		}
		s.key = e.Text
	}
	return nil
}

func address(ex *policy.Exchange) (string, error) {
	b := ex.Request.Client.As16()
	return string(b[:]), nil
}

func caller(ex *policy.Exchange) (string, error) {
	c := &ex.Caller
	switch {
	case !c.Authenticated():
		return address(ex)
	case c.Subject != "":
		return c.Issuer + "\x00" + c.Subject, nil
	case c.Application != nil:
		return c.Application.ID, nil
	}
	return c.Credential, nil
}

// cookieValue returns the value of a cookie, "" where there is none.
func cookieValue(h *policy.Header, name string) string {
	for line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if k, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && k == name {
				return v
			}
		}
	}
	return ""
}

// place returns the variant of a key: the one with the highest score, which is
// the hash of key and variant, as a number drawn evenly from (0,1), bent by the
// weight.
func (s *split) place(key string) *variant {
	h := hash(offset, key)
	var best *variant
	top := math.Inf(-1)
	for i := range s.variants {
		v := &s.variants[i]
		if v.Weight == 0 {
			continue
		}
		even := (float64(mix(h^v.hash)>>11) + 0.5) / (1 << 53)
		if score := -v.Weight / math.Log(even); score > top || best == nil {
			best, top = v, score
		}
	}
	return best
}

const offset = 14695981039346656037

// hash is FNV-1a. It must never change: gateways and restarts agree by it.
func hash(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix spreads what differs in few bits over all (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *split) setCookie(ex *policy.Exchange, value string) string {
	c := s.c.Sticky.Cookie
	path := c.Path
	if path == "" {
		path = "/"
		if ex.Route != nil && ex.Route.BasePath != "" && policy.ValidValue(ex.Route.BasePath) && !strings.Contains(ex.Route.BasePath, ";") {
			path = ex.Route.BasePath
		}
	}
	line := s.c.Sticky.Name + "=" + value + "; Path=" + path
	if c.MaxAge > 0 {
		line += "; Max-Age=" + itoa(int(time.Duration(c.MaxAge)/time.Second))
	}
	line += "; HttpOnly; SameSite=" + c.SameSite
	if ex.Request.Scheme == "https" || c.SameSite == "None" {
		line += "; Secure"
	}
	return line
}

func hex(a, b uint64) string {
	return encodinghex.EncodeToString(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, a), b))
}

func itoa(n int) string { return strconv.Itoa(n) }
