package scim

import (
	"slices"
	"strings"
)

// Path names an attribute, or a part of one (RFC 7644 section 3.5.2).
type Path struct {
	// Schema is the URN of an extension, "" for what is in the schema of the resource
	// itself.
	Schema string
	// Attribute is the attribute's name as it was sent; "" is all of the extension.
	Attribute string
	// Filter says which of several values are meant; nil = all.
	Filter *Filter
	// Sub is the name of a sub-attribute; "" = the attribute itself.
	Sub string
}

// String writes the path without its filter, in lower case and with the schema.
func (p Path) String() string {
	s := strings.ToLower(p.Attribute)
	if p.Sub != "" {
		s += "." + strings.ToLower(p.Sub)
	}
	if p.Schema != "" {
		s = strings.TrimSuffix(strings.ToLower(p.Schema)+":"+s, ":")
	}
	return s
}

// urns are the schemas that paths can begin with.
func urns() []string { return []string{UserSchema, GroupSchema, EnterpriseSchema} }

// readName reads the schema, the name and the sub-attribute of a path from a text
// without a filter.
func readName(s string) (Path, bool) {
	var p Path
	if len(s) > 4 && strings.EqualFold(s[:4], "urn:") {
		at := slices.IndexFunc(urns(), func(u string) bool {
			return len(s) >= len(u) && strings.EqualFold(s[:len(u)], u) && (len(s) == len(u) || s[len(u)] == ':' || s[len(u)] == '.')
		})
		if at < 0 {
			return p, false
		}
		urn := urns()[at]
		if urn == EnterpriseSchema {
			p.Schema = urn
		}
		s = s[len(urn):]
		if s == "" {
			return p, p.Schema != ""
		}
		s = s[1:]
	}
	p.Attribute, p.Sub, _ = strings.Cut(s, ".")
	return p, isName(p.Attribute) && (p.Sub == "" && !strings.HasSuffix(s, ".") || isName(p.Sub))
}

// isName reports whether something is the name of an attribute (RFC 7643 section
// 2.1, and $ref).
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', i == 0 && c == '$':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '_'):
		default:
			return false
		}
	}
	return s != ""
}

// ParsePath reads the path of a patch.
func ParsePath(s string) (Path, error) {
	p := parser{s: s}
	out, err := p.path()
	p.space()
	if err == nil && p.i < len(p.s) {
		err = p.fail("nothing can follow the path")
	}
	if err != nil {
		return Path{}, bad(InvalidPath, "the path is not right: %s", err.Error())
	}
	return out, nil
}

// ParseNames reads a list of attributes as the query has it, parted by commas.
func ParseNames(s string) ([]Path, error) {
	var out []Path
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		p, ok := readName(name)
		if !ok {
			return nil, bad(InvalidPath, "%q is not the name of an attribute", short(name))
		}
		if len(out) == mostTerms {
			return nil, bad(TooMany, "name at most %d attributes", mostTerms)
		}
		out = append(out, p)
	}
	return out, nil
}

// short is a text of somebody else's as an answer tells it.
func short(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
