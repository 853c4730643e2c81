package router

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// kind is the kind of a template segment, in order of precedence.
type kind uint8

const (
	literal kind = iota
	affixed      // a parameter with literal text around it
	param        // a parameter
	rest         // all that is left of the path
)

// segment is one segment of a template.
type segment struct {
	kind kind
	// text is the literal, or what stands before the parameter; suffix what
	// stands after it. Both are canonical.
	text, suffix string
	name         string
}

// template is a parsed path template.
type template struct {
	segments []segment
	names    []string
	// flags are what the literals hold that an API must allow.
	flags canon.Flags
}

func parseTemplate(path string) (template, error) {
	var t template
	if path == "" || path[0] != '/' {
		return t, errors.New(`a path template starts with a slash; write "/" for the base path itself`)
	}
	if len(path) > MaxTemplate {
		return t, fmt.Errorf("the path template is longer than %d octets; shorten it", MaxTemplate)
	}
	t.segments = make([]segment, 0, strings.Count(path, "/"))
	for left, more := path[1:], true; more; {
		var raw string
		raw, left, more = strings.Cut(left, "/")
		if raw == "" && more {
			return t, errors.New("an empty segment (//); remove one of the slashes")
		}
		s, flags, err := parseSegment(raw)
		if err != nil {
			return t, fmt.Errorf("segment %q: %w", raw, err)
		}
		if s.kind == rest && more {
			return t, fmt.Errorf("segment %q takes the rest of the path and must be the last; remove what follows, or use {%s}", raw, s.name)
		}
		if s.kind != literal {
			for _, name := range t.names {
				if name == s.name {
					return t, fmt.Errorf("two parameters are named %q; rename one", name)
				}
			}
			if len(t.names) == MaxParams {
				return t, fmt.Errorf("more than %d parameters; use {name...} for the rest of the path", MaxParams)
			}
			t.names = append(t.names, s.name)
		}
		t.flags |= flags
		t.segments = append(t.segments, s)
	}
	return t, nil
}

// trimSlash removes a slash at the end, except from "/" itself.
func (t *template) trimSlash() {
	if n := len(t.segments); n > 1 && t.segments[n-1] == (segment{}) {
		t.segments = t.segments[:n-1]
	}
}

func parseSegment(raw string) (segment, canon.Flags, error) {
	if raw == "*" {
		return segment{kind: rest, name: "*"}, 0, nil
	}
	open := strings.IndexByte(raw, '{')
	if open < 0 {
		if raw == "" {
			return segment{}, 0, nil
		}
		if strings.IndexByte(raw, '}') >= 0 {
			return segment{}, 0, errors.New(`"}" without "{"; write a parameter as {name}, or %7D for the character`)
		}
		text, flags, err := canonicalLiteral("", raw)
		return segment{text: text}, flags, err
	}
	length := strings.IndexByte(raw[open:], '}')
	if length < 0 {
		return segment{}, 0, errors.New(`"{" without "}"; write a parameter as {name}, or %7B for the character`)
	}
	before, name, after := raw[:open], raw[open+1:open+length], raw[open+length+1:]
	if strings.ContainsAny(before, "{}") || strings.ContainsAny(after, "{}") {
		return segment{}, 0, errors.New("more than one parameter in a segment; use one and split its value behind the gateway")
	}
	name, isRest := strings.CutSuffix(name, "...")
	if !validName(name) {
		return segment{}, 0, fmt.Errorf("the parameter name %q is not made of letters, digits, \"_\", \"-\" and \".\"; rename it", name)
	}
	if isRest {
		if before != "" || after != "" {
			return segment{}, 0, errors.New("text around {name...}; the parameter must be the whole segment")
		}
		return segment{kind: rest, name: name}, 0, nil
	}
	if before == "" && after == "" {
		return segment{kind: param, name: name}, 0, nil
	}
	s := segment{kind: affixed, name: name}
	var f1, f2 canon.Flags
	var err error
	if s.text, f1, err = canonicalLiteral("/x", before); err != nil {
		return segment{}, 0, err
	}
	s.suffix, f2, err = canonicalLiteral("/x", after)
	return s, f1 | f2, err
}

func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return name != ""
}

// canonicalLiteral returns the canonical form of literal text. Templates are
// written by people: characters that must be encoded in a path are encoded
// here. before is put before the text while it is judged: a part of a segment
// is no dot segment.
func canonicalLiteral(before, text string) (string, canon.Flags, error) {
	if before == "" {
		before = "/"
	}
	if text == "" {
		return "", 0, nil
	}
	var b strings.Builder
	b.Grow(len(before) + len(text))
	b.WriteString(before)
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c == 0x7f:
			return "", 0, errors.New("a control character; remove it")
		case c >= 0x80 || strings.IndexByte(" \"#<>?[\\]^`{|}", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	path, flags, err := canon.Path(b.String())
	if err != nil {
		return "", 0, fmt.Errorf("not possible in a path (%w); change it", err)
	}
	if len(path) <= len(before) {
		return "", 0, errors.New("a dot segment; write the path without it")
	}
	return path[len(before):], flags, nil
}
