package config

import (
	"bytes"
	"slices"
)

// Without returns the sources without some of the keys at their top, cut out of
// the text, so that the rest can be decoded without reading what may be most of
// it. It works on the plain block form that people write, and returns false
// where a text is not plainly that; what is cut out is not checked at all.
func Without(sources []Source, keys ...string) ([]Source, bool) {
	out := make([]Source, 0, len(sources))
	for _, s := range sources {
		data, ok := without(s.Data, keys)
		if !ok {
			return nil, false
		}
		out = append(out, Source{Name: s.Name, Data: data})
	}
	return out, true
}

func without(data []byte, keys []string) ([]byte, bool) {
	var out []byte
	cut := false
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line = data[:i+1]
		}
		data = data[len(line):]
		switch c := line[0]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			i := bytes.IndexByte(line, ':')
			if i < 0 || !plainKey(line[:i]) || i+1 < len(line) && !bytes.ContainsRune([]byte(" \t\r\n"), rune(line[i+1])) {
				return nil, false
			}
			cut = slices.Contains(keys, string(line[:i]))
		case c == ' ' || c == '#' || c == '\n' || c == '\r' || c == '-' && len(line) > 1 && line[1] == ' ':
		default:
			return nil, false // something else than block mappings at the top
		}
		if !cut {
			out = append(out, line...)
		}
	}
	return out, true
}

func plainKey(key []byte) bool {
	for _, c := range key {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
