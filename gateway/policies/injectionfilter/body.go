package injectionfilter

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// bytesOf views a string as bytes, which are only read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // read only

func cut(p []byte, sep byte) (before, after []byte) {
	if i := bytes.IndexByte(p, sep); i >= 0 {
		return p[:i], p[i+1:]
	}
	return p, nil
}

// kind is how a body is examined.
type kind uint8

const (
	opaque kind = iota
	plainText
	formText
	jsonText
)

// kindOf tells by the Content-Type. A body without one may be anything and is
// examined as text.
func kindOf(contentType string) kind {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.Trim(t, " \t"))
	switch {
	case t == "application/json" || strings.HasSuffix(t, "+json") || t == "text/json" || t == "application/x-ndjson":
		return jsonText
	case t == "application/x-www-form-urlencoded":
		return formText
	case t == "" || strings.HasPrefix(t, "text/") || t == "application/xml" || strings.HasSuffix(t, "+xml") ||
		strings.HasPrefix(t, "multipart/") || t == "application/graphql" || t == "application/yaml" || t == "application/javascript":
		return plainText
	}
	return opaque
}

func (g *guard) body(ex *policy.Exchange, buf *[]byte) (finding, error) {
	r := &ex.Request
	k := kindOf(r.Header.Get("Content-Type"))
	if k == opaque {
		return finding{}, nil
	}
	if e := r.Header.Joined("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return finding{}, problem.New(problem.CodeUnsupportedMediaType, "a compressed body cannot be examined; send it without Content-Encoding")
	}
	text, err := r.Body.Buffer(int64(g.c.MaxBody))
	if err != nil {
		return finding{}, bodyProblem(err, int64(g.c.MaxBody))
	}
	switch k {
	case formText:
		return g.form(buf, text, inBody, "body"), nil
	case jsonText:
		if set, ok := g.json(buf, text); set != "" || ok {
			return finding{set, "body"}, nil
		}
		// It is no JSON, whatever it says: somebody may read it in another way.
	}
	return finding{g.matcher.find(text, inBody), "body"}, nil
}

// json examines the strings of a JSON text, keys included. It returns false
// where there is anything between them that JSON has not.
func (g *guard) json(buf *[]byte, text []byte) (set string, ok bool) {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c != '"' {
			if !between[c] {
				return "", false
			}
			continue
		}
		begin := i + 1
		end := bytes.IndexByte(text[begin:], '"')
		if end < 0 {
			return "", false
		}
		i = begin + end
		escaped := bytes.IndexByte(text[begin:i], '\\') >= 0
		if escaped { // the quotation mark may be, too
			for i = begin; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return "", false
			}
		}
		s := text[begin:i]
		if escaped {
			*buf = backslash((*buf)[:0], s, true)
			s = *buf
		}
		if set := g.matcher.find(s, inBody); set != "" {
			return set, true
		}
	}
	return "", true
}

// between marks the bytes that JSON has outside of strings.
var between = func() (t [256]bool) {
	for _, c := range []byte(" \t\r\n{}[]:,0123456789+-.eEtrufalsn") {
		t[c] = true
	}
	return t
}()
