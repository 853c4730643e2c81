package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

const maxReferences = 32 // in a row

// follow returns the object that v is or refers to, and its JSON pointer.
func (d *Document) follow(v any, at string) (map[string]any, string, error) {
	for range maxReferences {
		node, ok := v.(map[string]any)
		if !ok {
			return nil, at, fmt.Errorf("%s: an object is expected", at)
		}
		ref, ok := node["$ref"].(string)
		if !ok {
			return node, at, nil
		}
		target, pointer, err := d.lookup(ref)
		if err != nil {
			return nil, at, fmt.Errorf("%s: %w", at, err)
		}
		v, at = target, pointer
	}
	return nil, at, fmt.Errorf("%s: references lead in a circle", at)
}

// Resolve returns the schema that a schema is or refers to.
func (d *Document) Resolve(node any) any {
	for range maxReferences {
		m, ok := node.(map[string]any)
		if !ok {
			return node
		}
		ref, ok := m["$ref"].(string)
		if !ok {
			return node
		}
		target, _, err := d.lookup(ref)
		if err != nil {
			return nil
		}
		node = target
	}
	return nil
}

// lookup returns what a reference names, and its JSON pointer.
func (d *Document) lookup(ref string) (any, string, error) {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok || pointer == "" || pointer[0] != '/' {
		return nil, "", fmt.Errorf("the reference %q leads out of the document or to an anchor; bundle the document first", ref)
	}
	if u, err := url.PathUnescape(pointer); err == nil {
		pointer = u
	}
	v, err := d.at(pointer)
	if err != nil {
		return nil, "", fmt.Errorf("the reference %q leads to nothing", ref)
	}
	return v, pointer, nil
}

var errNothing = errors.New("there is nothing")

// at returns what a JSON pointer names (RFC 6901).
func (d *Document) at(pointer string) (any, error) {
	var v any = d.root
	for token := range strings.SplitSeq(pointer[1:], "/") {
		ok := false
		switch node := v.(type) {
		case map[string]any:
			v, ok = node[unescape(token)]
		case []any:
			var i int
			var err error
			if i, err = strconv.Atoi(token); err == nil && i >= 0 && i < len(node) {
				v, ok = node[i], true
			}
		}
		if !ok {
			return nil, errNothing
		}
	}
	return v, nil
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// escape makes a token of a JSON pointer (RFC 6901 section 3).
func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

// fragment returns a JSON pointer as a URI fragment (RFC 6901 section 6).
func fragment(pointer string) string {
	var b strings.Builder
	for i := range len(pointer) {
		c := pointer[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("/-._~!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
