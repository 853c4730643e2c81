package traffic

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// maxBody bounds what is recorded of a body, whatever a policy asks for.
const maxBody = 64 << 10

// Tap keeps the first bytes of the bodies that stream through an exchange. The
// zero value keeps nothing. It is used again after Reset.
type Tap struct{ request, response []byte }

// Request makes the tap keep what the exchange's log settings ask for of a
// request body that streams. It is called after the inbound policies.
func (t *Tap) Request(ex *policy.Exchange) {
	t.request = tap(&ex.Request.Body, ex.Log.RequestBody, t.request, func(b []byte) { t.request = b })
}

// Response does the same for the response, after the outbound policies.
func (t *Tap) Response(ex *policy.Exchange) {
	t.response = tap(&ex.Response.Body, ex.Log.ResponseBody, t.response, func(b []byte) { t.response = b })
}

// Reset makes the tap empty and keeps its memory.
func (t *Tap) Reset() { t.request, t.response = t.request[:0], t.response[:0] }

func tap(body *policy.Body, limit int, buf []byte, keep func([]byte)) []byte {
	if limit <= 0 || body.Empty() || body.Buffered() {
		return buf[:0]
	}
	body.Wrap(body.Length(), func(r io.Reader) io.Reader {
		return &tapReader{r: r, buf: buf[:0], limit: min(limit, maxBody), keep: keep}
	})
	return buf[:0]
}

type tapReader struct {
	r     io.Reader
	buf   []byte
	limit int
	keep  func([]byte)
}

// Read passes on what the body gives.
func (t *tapReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if room := t.limit - len(t.buf); room > 0 && n > 0 {
		t.buf = append(t.buf, p[:min(n, room)]...)
		t.keep(t.buf)
	}
	return n, err
}

// Close closes the body.
func (t *tapReader) Close() error {
	if c, ok := t.r.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// body returns the first bytes of a body as they may be recorded.
func (r *Redactor) body(h *policy.Header, b *policy.Body, tapped []byte, limit int) string {
	limit = min(limit, maxBody)
	if limit <= 0 {
		return ""
	}
	raw := tapped
	if b.Buffered() && len(b.Bytes()) > 0 {
		raw = b.Bytes()
	}
	if len(raw) > limit {
		raw = raw[:limit]
	}
	if len(raw) == 0 {
		return ""
	}
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return "(" + e + ")" // nothing in it could be found and redacted
	}
	text, kind := string(raw), strings.ToLower(h.Get("Content-Type"))
	switch {
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		return r.Query(text)
	case strings.HasPrefix(kind, "multipart/"):
		return "(multipart)"
	}
	return r.members(text)
}

// members replaces the values of secret members in JSON, or in what is left of
// JSON that was cut. Other texts hold no members and stay as they are.
func (r *Redactor) members(s string) string {
	var b strings.Builder
	kept := 0
	for i := 0; i < len(s); {
		if s[i] != '"' {
			i++
			continue
		}
		end := stringEnd(s, i)
		if end > len(s) {
			break
		}
		v := skipSpace(s, end)
		if v >= len(s) || s[v] != ':' {
			i = end
			continue
		}
		v = skipSpace(s, v+1)
		if v >= len(s) || !r.Parameter(unquote(s[i+1:end-1])) {
			i = v
			continue
		}
		stop := valueEnd(s, v)
		b.WriteString(s[kept:v])
		b.WriteString(`"` + Redacted + `"`)
		kept, i = stop, stop
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[min(kept, len(s)):])
	return b.String()
}

// stringEnd returns the index after the closing quote of the text that opens at
// i, or more than len(s) where it is not closed.
func stringEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s) + 1
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// valueEnd returns the index after the value at i, whatever its kind.
func valueEnd(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = min(stringEnd(s, i), len(s))
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// unquote undoes the escapes of a JSON text where it has any, so that an escaped
// name is no way around.
func unquote(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out string
	if err := json.Unmarshal([]byte(`"`+s+`"`), &out); err != nil {
		return s
	}
	return out
}
