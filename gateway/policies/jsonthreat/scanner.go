package jsonthreat

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// limits are what a document must keep to. 0 = no limit.
type limits struct {
	depth, keys, items, str, key, number, values int
	unique                                       bool // no key twice in an object
}

// The rules that a document may break.
var (
	errSyntax    = errors.New("it is not valid JSON")
	errDepth     = errors.New("it nests too deep")
	errKeys      = errors.New("an object has too many keys")
	errItems     = errors.New("an array has too many items")
	errString    = errors.New("a string is too long")
	errKey       = errors.New("a key is too long")
	errNumber    = errors.New("a number is too long")
	errValues    = errors.New("it has too many values")
	errDuplicate = errors.New("an object has the same key twice")
)

// violation is a rule that is broken, and where.
type violation struct {
	rule   error
	limit  int
	offset int64 // of the byte
}

func (v *violation) Error() string { return fmt.Sprintf("at byte %d %v", v.offset, v.rule) }
func (v *violation) Unwrap() error { return v.rule }

// scanner checks one JSON text (RFC 8259) handed in piece by piece. It keeps no
// part of the text, and for the keys of objects one number each.
type scanner struct {
	limits  *limits
	state   step
	stack   []frame
	values  int
	objects uint64
	size    int   // bytes of the string or number so far
	offset  int64 // of the piece
	isKey   bool
	literal string // what must come yet of true, false or null
	hash    uint64 // of the key so far
	digits  int    // of \u
	unit    uint32 // of \u
	high    uint32 // the first half of a surrogate pair
	seen    keySet
}

type frame struct {
	object bool
	count  int
	id     uint64
}

type step uint8

const (
	wantValue step = iota
	wantValueOrEnd
	wantKey
	wantKeyOrEnd
	wantColon
	wantCommaOrEnd
	wantNothing
	inString
	inEscape
	inUnicode
	inLiteral
	inMinus
	inZero
	inInteger
	inPoint
	inFraction
	inExponent
	inSign
	inPower
)

// reset makes the scanner ready for another text.
func (s *scanner) reset(l *limits) {
	stack, seen := s.stack[:0], s.seen
	seen.reset()
	*s = scanner{limits: l, stack: stack, seen: seen}
}

// plain marks the bytes of a string that need no look.
var plain = func() (t [256]bool) {
	for i := 0x20; i < 256; i++ {
		t[i] = i != '"' && i != '\\'
	}
	return t
}()

// write checks the next piece of the text.
func (s *scanner) write(p []byte) error {
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch s.state {
		case inString:
			begin := i
			for i < len(p) && plain[p[i]] {
				i++
			}
			s.size += i - begin
			if s.isKey && s.limits.unique {
				s.hashBytes(p[begin:i])
			}
			if over, err := s.tooLong(); err != nil {
				return s.at(err, i-over)
			}
			if i == len(p) {
				break
			}
			if err := s.inString(p[i]); err != nil {
				return s.at(err, i)
			}
			if _, err := s.tooLong(); err != nil {
				return s.at(err, i)
			}
		case wantValue, wantValueOrEnd, wantKey, wantKeyOrEnd, wantColon, wantCommaOrEnd, wantNothing:
			if c == ' ' || c == '\n' || c == '\r' || c == '\t' {
				continue
			}
			if err := s.structure(c); err != nil {
				return s.at(err, i)
			}
		default:
			again, err := s.token(c)
			if err != nil {
				return s.at(err, i)
			}
			if again { // a number has ended before this byte
				i--
			} else if _, err := s.tooLong(); err != nil {
				return s.at(err, i)
			}
		}
	}
	s.offset += int64(len(p))
	return nil
}

// end checks that the text is whole.
func (s *scanner) end() error {
	switch s.state {
	case inZero, inInteger, inFraction, inPower:
		s.valueEnds()
	}
	if s.state != wantNothing {
		return s.at(errSyntax, 0)
	}
	return nil
}

func (s *scanner) at(err error, i int) error {
	v := &violation{rule: err, offset: s.offset + int64(i)}
	l := s.limits
	for _, r := range [...]struct {
		rule  error
		limit int
	}{
		{errDepth, l.depth},
		{errKeys, l.keys},
		{errItems, l.items},
		{errString, l.str},
		{errKey, l.key},
		{errNumber, l.number},
		{errValues, l.values},
	} {
		if errors.Is(err, r.rule) {
			v.limit = r.limit
		}
	}
	return v
}

// tooLong checks the string or number that is being read, and returns by how
// much it is too long.
func (s *scanner) tooLong() (over int, err error) {
	limit, err := s.limits.str, errString
	switch {
	case s.state < inString:
		return 0, nil
	case s.state >= inMinus:
		limit, err = s.limits.number, errNumber
	case s.isKey:
		limit, err = s.limits.key, errKey
	}
	if limit == 0 || s.size <= limit {
		return 0, nil
	}
	return s.size - limit, err
}

// structure takes a byte outside of strings, numbers and literals.
func (s *scanner) structure(c byte) error {
	switch s.state {
	case wantValueOrEnd:
		if c == ']' {
			return s.pop(false)
		}
		return s.value(c)
	case wantValue:
		return s.value(c)
	case wantKeyOrEnd, wantKey:
		if c == '}' && s.state == wantKeyOrEnd {
			return s.pop(true)
		}
		if c != '"' {
			return errSyntax
		}
		top := &s.stack[len(s.stack)-1]
		if top.count++; s.limits.keys > 0 && top.count > s.limits.keys {
			return errKeys
		}
		s.state, s.isKey, s.size, s.hash, s.high = inString, true, 0, s.seen.seed^top.id, 0
	case wantColon:
		if c != ':' {
			return errSyntax
		}
		s.state = wantValue
	case wantCommaOrEnd:
		switch {
		case c == '}' || c == ']':
			return s.pop(c == '}')
		case c != ',':
			return errSyntax
		case s.stack[len(s.stack)-1].object:
			s.state = wantKey
		default:
			s.state = wantValue
		}
	default:
		return errSyntax // after the text
	}
	return nil
}

// value begins a value.
func (s *scanner) value(c byte) error {
	if s.values++; s.limits.values > 0 && s.values > s.limits.values {
		return errValues
	}
	if n := len(s.stack); n > 0 && !s.stack[n-1].object {
		top := &s.stack[n-1]
		if top.count++; s.limits.items > 0 && top.count > s.limits.items {
			return errItems
		}
	}
	s.size = 0
	switch {
	case c == '{' || c == '[':
		if s.limits.depth > 0 && len(s.stack) >= s.limits.depth {
			return errDepth
		}
		s.objects++
		s.stack = append(s.stack, frame{object: c == '{', id: s.objects * 0x9e3779b97f4a7c15})
		s.state = wantValueOrEnd
		if c == '{' {
			s.state = wantKeyOrEnd
		}
	case c == '"':
		s.state, s.isKey = inString, false
	case c == '-':
		s.state, s.size = inMinus, 1
	case c == '0':
		s.state, s.size = inZero, 1
	case c >= '1' && c <= '9':
		s.state, s.size = inInteger, 1
	case c == 't':
		s.state, s.literal = inLiteral, "rue"
	case c == 'f':
		s.state, s.literal = inLiteral, "alse"
	case c == 'n':
		s.state, s.literal = inLiteral, "ull"
	default:
		return errSyntax
	}
	return nil
}

// pop ends an object or array.
func (s *scanner) pop(object bool) error {
	n := len(s.stack) - 1
	if n < 0 || s.stack[n].object != object {
		return errSyntax
	}
	s.stack = s.stack[:n]
	s.valueEnds()
	return nil
}

func (s *scanner) valueEnds() {
	s.size = 0
	s.state = wantCommaOrEnd
	if len(s.stack) == 0 {
		s.state = wantNothing
	}
}

// inString takes a byte of a string that is not plain.
func (s *scanner) inString(c byte) error {
	switch c {
	case '"':
		s.size = 0
		if !s.isKey {
			s.valueEnds()
			return nil
		}
		s.state = wantColon
		if s.limits.unique {
			s.flushHigh()
			if !s.seen.add(s.hash) {
				return errDuplicate
			}
		}
		return nil
	case '\\':
		s.size++
		s.state = inEscape
		return nil
	}
	return errSyntax // a control character
}

// token takes a byte of an escape, a literal or a number. Again says that the
// byte comes after a number and is yet to be looked at.
func (s *scanner) token(c byte) (again bool, err error) {
	switch s.state {
	case inEscape:
		return false, s.escape(c)
	case inUnicode:
		return false, s.unicode(c)
	case inLiteral:
		if c != s.literal[0] {
			return false, errSyntax
		}
		if s.literal = s.literal[1:]; s.literal == "" {
			s.valueEnds()
		}
		return false, nil
	}
	next := s.number(c)
	if next != wantNothing {
		s.state = next
		s.size++
		return false, nil
	}
	switch s.state {
	case inZero, inInteger, inFraction, inPower:
		s.valueEnds()
		return true, nil
	}
	return false, errSyntax
}

// number returns the state after the next byte of a number, or wantNothing where
// it is none.
func (s *scanner) number(c byte) step {
	digit := c >= '0' && c <= '9'
	switch s.state {
	case inMinus:
		if c == '0' {
			return inZero
		}
		if digit {
			return inInteger
		}
	case inInteger, inZero:
		switch {
		case digit && s.state == inInteger:
			return inInteger
		case c == '.':
			return inPoint
		case c == 'e' || c == 'E':
			return inExponent
		}
	case inPoint, inFraction:
		switch {
		case digit:
			return inFraction
		case (c == 'e' || c == 'E') && s.state == inFraction:
			return inExponent
		}
	case inExponent:
		if c == '+' || c == '-' {
			return inSign
		}
		if digit {
			return inPower
		}
	case inSign, inPower:
		if digit {
			return inPower
		}
	}
	return wantNothing
}

func (s *scanner) escape(c byte) error {
	s.size++
	s.state = inString
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		s.state, s.digits, s.unit = inUnicode, 0, 0
		return nil
	default:
		return errSyntax
	}
	if s.isKey && s.limits.unique {
		s.flushHigh()
		s.hash = mixByte(s.hash, c)
	}
	return nil
}

func (s *scanner) unicode(c byte) error {
	s.size++
	var d byte
	switch {
	case c >= '0' && c <= '9':
		d = c - '0'
	case c >= 'a' && c <= 'f':
		d = c - 'a' + 10
	case c >= 'A' && c <= 'F':
		d = c - 'A' + 10
	default:
		return errSyntax
	}
	s.unit = s.unit<<4 | uint32(d)
	if s.digits++; s.digits < 4 {
		return nil
	}
	s.state = inString
	if s.isKey && s.limits.unique {
		s.hashUnit(s.unit)
	}
	return nil
}

// hashBytes and the functions that follow take the characters of a key, however
// they are written.
func (s *scanner) hashBytes(p []byte) {
	if len(p) == 0 {
		return
	}
	s.flushHigh()
	h := s.hash
	for _, c := range p {
		h = mixByte(h, c)
	}
	s.hash = h
}

func (s *scanner) hashUnit(u uint32) {
	switch {
	case u >= 0xdc00 && u <= 0xdfff && s.high != 0:
		s.hashRune(rune(0x10000 + (s.high-0xd800)<<10 + (u - 0xdc00)))
		s.high = 0
	case u >= 0xd800 && u <= 0xdbff:
		s.flushHigh()
		s.high = u
	default:
		s.flushHigh()
		s.hashRune(rune(u))
	}
}

// flushHigh hashes half of a pair that stands alone.
func (s *scanner) flushHigh() {
	if s.high != 0 {
		u := s.high
		s.high = 0
		s.hashRune(rune(u))
	}
}

func (s *scanner) hashRune(r rune) {
	if r >= 0xd800 && r <= 0xdfff { // no character of its own
		for _, c := range [...]byte{0xed, byte(r>>6)&0x3f | 0x80, byte(r)&0x3f | 0x80} {
			s.hash = mixByte(s.hash, c)
		}
		return
	}
	var b [utf8.UTFMax]byte
	for _, c := range b[:utf8.EncodeRune(b[:], r)] {
		s.hash = mixByte(s.hash, c)
	}
}
