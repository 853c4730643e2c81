package datamask

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

var (
	errEncoded = errors.New("it is compressed")
	errSyntax  = errors.New("it is not valid in its media type")
)

func isTooLarge(err error) bool { return errors.Is(err, policy.ErrBodyTooLarge) }

func isProblem(err error) bool { return errors.As(err, new(*problem.Problem)) }

// reason is what a client may be told of an error.
func reason(err error) string {
	if errors.Is(err, errEncoded) || errors.Is(err, errSyntax) {
		return err.Error()
	}
	return "it could not be read"
}

// change masks a body in place. Media types that no rule is about stream on.
func (p *mask) change(s *set, h *policy.Header, body *policy.Body) error {
	if body.Empty() {
		return nil
	}
	media := policy.MediaType(h.Get("Content-Type"))
	form := media == "application/x-www-form-urlencoded"
	isJSON := policy.IsJSON(media)
	text := strings.HasPrefix(media, "text/") || media == "application/xml" || strings.HasSuffix(media, "+xml")
	switch {
	case media == "text/event-stream": // is never held back
		return nil
	case isJSON && len(s.paths)+len(s.texts) > 0, form && len(s.fields)+len(s.texts) > 0, text && len(s.texts) > 0:
	default:
		return nil
	}
	if h.Has("Content-Encoding") && !policy.EqualName(h.Get("Content-Encoding"), "identity") {
		return errEncoded
	}
	raw, err := body.Buffer(p.max)
	if err != nil {
		return err
	}
	out := string(raw)
	switch {
	case isJSON:
		masked, ok := s.json(raw)
		if !ok || !json.Valid(raw) {
			return errSyntax
		}
		out = string(masked)
	case form:
		masked, ok := s.form(out)
		if !ok {
			return errSyntax
		}
		out = masked
	default:
		out = s.text(out)
	}
	if out == string(raw) {
		return nil
	}
	body.SetBytes([]byte(out))
	for _, name := range [...]string{"ETag", "Content-MD5", "Content-Digest", "Repr-Digest", "Digest"} {
		h.Del(name) // of other bytes
	}
	return nil
}

// recordBody masks what is recorded of a body, which may be its beginning only.
// What does not look like JSON or a form is treated as text.
func (s *set) recordBody(value string) string {
	trimmed := strings.TrimLeft(value, " \t\r\n")
	if trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[' || trimmed[0] == '"') {
		masked, _ := s.json([]byte(value)) // behind an error nothing is kept
		return string(masked)
	}
	if len(s.fields) > 0 && strings.Contains(value, "=") && !strings.ContainsAny(value, " <\n") {
		if masked, ok := s.form(value); ok {
			value = masked
		}
	}
	return s.text(value)
}

// text applies the patterns to a text.
func (s *set) text(value string) string {
	for i := range s.texts {
		value = s.texts[i].apply(value)
	}
	return value
}

// form masks the fields of a form or a query; what it does not change stays byte
// for byte. It reports false where a name cannot be decoded.
func (s *set) form(value string) (string, bool) {
	if len(s.fields)+len(s.texts) == 0 || value == "" {
		return value, true
	}
	ok := true
	var b strings.Builder
	first := true
	for pair := range strings.SplitSeq(value, "&") {
		if !first {
			b.WriteByte('&')
		}
		first = false
		name, v, has := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			ok = false
			continue
		}
		masked, changed := v, false
		for i := range s.fields {
			if has && s.fields[i].name == decoded {
				plain, err := url.QueryUnescape(v)
				if err != nil {
					plain = v
				}
				masked, changed = s.fields[i].mask.apply(plain), true
			}
		}
		if len(s.texts) > 0 && has && !changed {
			if plain, err := url.QueryUnescape(v); err == nil {
				if t := s.text(plain); t != plain {
					masked, changed = t, true
				}
			}
		}
		b.WriteString(name)
		if has {
			b.WriteByte('=')
		}
		if changed {
			masked = url.QueryEscape(masked)
		}
		b.WriteString(masked)
	}
	return b.String(), ok
}
