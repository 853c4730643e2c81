package hmacsignature

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// input is one member of Signature-Input (RFC 9421 section 4.1).
type input struct {
	// raw is the value as received: it is what was signed.
	raw              string
	components       []string
	created, expires int64 // Unix seconds; 0 = not given
	keyID, algorithm string
	nonce, tag       string
}

const (
	maxField      = 8 << 10
	maxSignatures = 8
	maxComponents = 64
)

// parser reads structured fields (RFC 9651), of which only what the fields at
// hand may have is known; anything else is refused.
type parser struct {
	s string
	i int
}

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *parser) eat(c byte) bool {
	if p.peek() != c || p.i >= len(p.s) {
		return false
	}
	p.i++
	return true
}

func (p *parser) spaces(set string) {
	for p.i < len(p.s) && strings.IndexByte(set, p.s[p.i]) >= 0 {
		p.i++
	}
}

// key reads a key (section 4.2.3.3).
func (p *parser) key() (string, bool) {
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		first := c >= 'a' && c <= 'z' || c == '*'
		if !first && (p.i == start || (c < '0' || c > '9') && c != '_' && c != '-' && c != '.') {
			break
		}
		p.i++
	}
	return p.s[start:p.i], p.i > start
}

// text reads a string (section 4.2.5).
func (p *parser) text() (string, bool) {
	if !p.eat('"') {
		return "", false
	}
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == '"':
			return b.String(), true
		case c == '\\':
			if n := p.peek(); n != '"' && n != '\\' {
				return "", false
			}
			b.WriteByte(p.s[p.i])
			p.i++
		case c < 0x20 || c > 0x7e:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// number reads an integer that is not negative (section 4.2.4).
func (p *parser) number() (int64, bool) {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	if p.i == start || p.i-start > 15 {
		return 0, false
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	return n, err == nil
}

// bytes reads a byte sequence (section 4.2.7).
func (p *parser) bytes() ([]byte, bool) {
	if !p.eat(':') {
		return nil, false
	}
	n := strings.IndexByte(p.s[p.i:], ':')
	if n < 0 {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(p.s[p.i : p.i+n])
	p.i += n + 1
	return b, err == nil
}

// members reads the members of a dictionary (section 4.2.2) with read. A key
// that is there twice is refused: which one counts would be open.
func members[T any](s string, read func(*parser) (T, bool)) (map[string]T, bool) {
	if s == "" || len(s) > maxField {
		return nil, false
	}
	p := &parser{s: s}
	out := map[string]T{}
	for {
		p.spaces(" ")
		name, ok := p.key()
		if _, twice := out[name]; !ok || twice || !p.eat('=') || len(out) == maxSignatures {
			return nil, false
		}
		v, ok := read(p)
		if !ok {
			return nil, false
		}
		out[name] = v
		p.spaces(" \t")
		if p.i == len(p.s) {
			return out, true
		}
		if !p.eat(',') {
			return nil, false
		}
		p.spaces(" \t")
	}
}

// parseBytes reads Signature or Content-Digest.
func parseBytes(s string) (map[string][]byte, bool) { return members(s, (*parser).bytes) }

// parseInputs reads Signature-Input.
func parseInputs(s string) (map[string]input, bool) { return members(s, (*parser).input) }

func (p *parser) input() (in input, ok bool) {
	start := p.i
	if !p.eat('(') {
		return in, false
	}
	for {
		p.spaces(" ")
		if p.eat(')') {
			break
		}
		name, ok := p.text()
		// Parameters of components (sf, bs, key, req, tr, name) are not supported.
		if !ok || name != strings.ToLower(name) || slices.Contains(in.components, name) || len(in.components) == maxComponents ||
			p.peek() != ' ' && p.peek() != ')' {
			return in, false
		}
		in.components = append(in.components, name)
	}
	seen := map[string]bool{}
	for p.eat(';') {
		p.spaces(" ")
		name, ok := p.key()
		if !ok || seen[name] || !p.eat('=') {
			return in, false
		}
		seen[name] = true
		switch name {
		case "created":
			in.created, ok = p.number()
		case "expires":
			in.expires, ok = p.number()
		case "keyid":
			in.keyID, ok = p.text()
		case "alg":
			in.algorithm, ok = p.text()
		case "nonce":
			in.nonce, ok = p.text()
		case "tag":
			in.tag, ok = p.text()
		default:
			ok = false
		}
		if !ok {
			return in, false
		}
	}
	in.raw = p.s[start:p.i]
	return in, true
}
