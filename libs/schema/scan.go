package schema

import (
	"encoding/json"
	"unicode/utf8"
)

// scanner steps through a document that json.Valid has accepted. It therefore
// checks no syntax, which keeps it small and quick.
type scanner struct {
	data []byte
	pos  int
}

// peek skips white space and returns the byte that begins the next token.
func (s *scanner) peek() byte {
	for {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return c
		}
	}
}

// take consumes the next token where it is c, and says whether it was.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// raw consumes the next value and returns its text.
func (s *scanner) raw() []byte {
	c := s.peek()
	start := s.pos
	switch c {
	case '"':
		s.quoted()
	case '{', '[':
		depth := 0
		for {
			switch s.data[s.pos] {
			case '"':
				s.quoted()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			s.pos++
			if depth == 0 {
				return s.data[start:s.pos]
			}
		}
	default:
		for s.pos < len(s.data) && !delimiter(s.data[s.pos]) {
			s.pos++
		}
	}
	return s.data[start:s.pos]
}

func delimiter(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', ']', '}':
		return true
	}
	return false
}

// quoted consumes a string and says whether it has escapes.
func (s *scanner) quoted() (escaped bool) {
	s.pos++
	for {
		switch s.data[s.pos] {
		case '\\':
			escaped = true
			s.pos += 2
		case '"':
			s.pos++
			return escaped
		default:
			s.pos++
		}
	}
}

// text consumes a string and returns its content, which is part of the
// document where it has no escapes.
func (s *scanner) text() []byte {
	s.peek()
	start := s.pos
	if !s.quoted() {
		return s.data[start+1 : s.pos-1]
	}
	var out string
	_ = json.Unmarshal(s.data[start:s.pos], &out) // json.Valid has accepted it
	return []byte(out)
}

// typeName names the JSON type of the value that begins with c.
func typeName(c byte) string {
	switch c {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// whole rewrites a JSON number as the digits of a whole number, so 1.50e1 as
// 15. It is false for a number with a fraction. A number of more than 20
// digits comes back as 20 nines, which no integer type holds.
func whole(num []byte) (string, bool) {
	plain := true
	for _, c := range num {
		if c == '.' || c == 'e' || c == 'E' {
			plain = false
			break
		}
	}
	if plain {
		return string(num), true
	}
	sign := ""
	if num[0] == '-' {
		sign, num = "-", num[1:]
	}
	var digits []byte
	point, exp, i := -1, 0, 0
	for ; i < len(num) && num[i] != 'e' && num[i] != 'E'; i++ {
		if num[i] == '.' {
			point = len(digits)
			continue
		}
		digits = append(digits, num[i])
	}
	if point < 0 {
		point = len(digits)
	}
	if i < len(num) {
		i++
		neg := num[i] == '-'
		if num[i] == '-' || num[i] == '+' {
			i++
		}
		for ; i < len(num); i++ {
			if exp < 1<<30 { // a bound that no document's digits can reach
				exp = exp*10 + int(num[i]-'0')
			}
		}
		if neg {
			exp = -exp
		}
	}
	for len(digits) > 0 && digits[0] == '0' {
		digits, point = digits[1:], point-1
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	point += exp
	switch {
	case len(digits) == 0:
		return "0", true
	case point < len(digits):
		return "", false
	case point > 20:
		return sign + "99999999999999999999", true
	}
	for len(digits) < point {
		digits = append(digits, '0')
	}
	return sign + string(digits), true
}

// runes counts code points, as the JSON Schema keywords on length do.
func runes(b []byte) int { return utf8.RuneCount(b) }
