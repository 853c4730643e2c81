package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The operators of filters (RFC 7644 section 3.4.2.2). Has is the one of values in
// brackets, which name no operator: an attribute of which one value is as the inner
// filter says.
const (
	And            = "and"
	Or             = "or"
	Not            = "not"
	Has            = "[]"
	Equal          = "eq"
	NotEqual       = "ne"
	Contains       = "co"
	StartsWith     = "sw"
	EndsWith       = "ew"
	Greater        = "gt"
	GreaterOrEqual = "ge"
	Less           = "lt"
	LessOrEqual    = "le"
	Present        = "pr"
)

// Filter is one comparison, or what combines several.
type Filter struct {
	// Operator is one of the constants.
	Operator string
	// Of are the parts of And, Or, Not and Has.
	Of []*Filter
	// Path is what is compared.
	Path Path
	// Value is what it is compared with: a string, a float64, a bool, or nil.
	Value any
}

const (
	// longestFilter bounds a filter, in bytes.
	longestFilter = 8 << 10
	// mostTerms bounds the comparisons in it, and deepest its parentheses.
	mostTerms = 100
	deepest   = 20
)

// ParseFilter reads a filter.
func ParseFilter(s string) (*Filter, error) {
	if len(s) > longestFilter {
		return nil, bad(InvalidFilter, "a filter has at most %d bytes", longestFilter)
	}
	p := parser{s: s}
	f, err := p.or()
	p.space()
	if err == nil && p.i < len(p.s) {
		err = p.fail("and, or or the end is expected")
	}
	if err != nil {
		return nil, bad(InvalidFilter, "the filter is not right: %s", err.Error())
	}
	return f, nil
}

// parser reads filters and paths, by recursive descent.
type parser struct {
	s     string
	i     int
	depth int
	terms int
}

func (p *parser) fail(what string) error { return fmt.Errorf("%s at character %d", what, p.i+1) }

func (p *parser) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t') {
		p.i++
	}
}

// next reports whether a character is next, and takes it.
func (p *parser) next(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// word returns the letters that come next, without taking them.
func (p *parser) word() string {
	p.space()
	end := p.i
	for end < len(p.s) && (p.s[end]|0x20 >= 'a' && p.s[end]|0x20 <= 'z') {
		end++
	}
	return strings.ToLower(p.s[p.i:end])
}

// keyword takes a word that something ends.
func (p *parser) keyword(w string) bool {
	if p.word() != w {
		return false
	}
	if end := p.i + len(w); end < len(p.s) && !strings.ContainsRune(" \t()[]", rune(p.s[end])) {
		return false
	}
	p.i += len(w)
	return true
}

func (p *parser) or() (*Filter, error)  { return p.list(Or, p.and) }
func (p *parser) and() (*Filter, error) { return p.list(And, p.factor) }

func (p *parser) list(operator string, part func() (*Filter, error)) (*Filter, error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	all := []*Filter{first}
	for p.keyword(operator) {
		f, err := part()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	if len(all) == 1 {
		return first, nil
	}
	return &Filter{Operator: operator, Of: all}, nil
}

var errDeep = errors.New("it is nested too deeply")

// inside reads a filter up to a closing character.
func (p *parser) inside(end byte) (*Filter, error) {
	if p.depth++; p.depth > deepest {
		return nil, errDeep
	}
	f, err := p.or()
	p.depth--
	if err == nil && !p.next(end) {
		err = p.fail(fmt.Sprintf("%q is expected", end))
	}
	return f, err
}

func (p *parser) factor() (*Filter, error) {
	if p.next('(') {
		return p.inside(')')
	}
	at := p.i
	if p.keyword(Not) && p.next('(') {
		f, err := p.inside(')')
		return &Filter{Operator: Not, Of: []*Filter{f}}, err
	}
	p.i = at
	if p.terms++; p.terms > mostTerms {
		return nil, fmt.Errorf("it has more than %d comparisons", mostTerms)
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	operator := p.word()
	switch operator {
	case Equal, NotEqual, Contains, StartsWith, EndsWith, Greater, GreaterOrEqual, Less, LessOrEqual, Present:
		if !p.keyword(operator) {
			return nil, p.fail("a space is expected after the operator")
		}
	default:
		if path.Filter != nil && path.Sub == "" {
			inner := path.Filter
			path.Filter = nil
			return &Filter{Operator: Has, Path: path, Of: []*Filter{inner}}, nil
		}
		return nil, p.fail("an operator such as eq is expected")
	}
	f := &Filter{Operator: operator, Path: path}
	if operator != Present {
		f.Value, err = p.value()
	}
	return f, err
}

// path reads a path with what is in brackets.
func (p *parser) path() (Path, error) {
	p.space()
	begin := p.i
	for p.i < len(p.s) && !strings.ContainsRune(" \t()[]\"", rune(p.s[p.i])) {
		p.i++
	}
	out, ok := readName(p.s[begin:p.i])
	if !ok {
		p.i = begin
		return out, p.fail("the name of an attribute is expected")
	}
	if p.i == len(p.s) || p.s[p.i] != '[' {
		return out, nil
	}
	if out.Sub != "" || out.Attribute == "" || p.depth > 0 && p.within() {
		return out, p.fail("brackets are not allowed here")
	}
	p.i++
	f, err := p.inside(']')
	if err != nil {
		return out, err
	}
	out.Filter = f
	if p.i < len(p.s) && p.s[p.i] == '.' {
		p.i++
		begin := p.i
		for p.i < len(p.s) && !strings.ContainsRune(" \t()[]\"", rune(p.s[p.i])) {
			p.i++
		}
		if out.Sub = p.s[begin:p.i]; !isName(out.Sub) {
			return out, p.fail("the name of a sub-attribute is expected")
		}
	}
	return out, nil
}

// within reports whether brackets are open: they cannot be nested.
func (p *parser) within() bool {
	open, text := 0, false
	for i := 0; i < p.i; i++ {
		switch c := p.s[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case !text && c == '[':
			open++
		case !text && c == ']':
			open--
		}
	}
	return open > 0
}

// value reads what follows an operator.
func (p *parser) value() (any, error) {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '"' {
		end := p.i + 1
		for end < len(p.s) && p.s[end] != '"' {
			if p.s[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(p.s) {
			return nil, p.fail("the text has no end")
		}
		var s string
		if err := json.Unmarshal([]byte(p.s[p.i:end+1]), &s); err != nil {
			return nil, p.fail("the text is not as JSON has it")
		}
		if !isText(s) {
			return nil, p.fail("the text holds U+0000")
		}
		p.i = end + 1
		return s, nil
	}
	for w, v := range map[string]any{"true": true, "false": false, "null": nil} {
		if p.keyword(w) {
			return v, nil
		}
	}
	end := p.i
	for end < len(p.s) && strings.IndexByte("+-.0123456789eE", p.s[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseFloat(p.s[p.i:end], 64)
	if err != nil {
		return nil, p.fail(`a value is expected, such as "text" or true`)
	}
	p.i = end
	return n, nil
}

// Matches reports whether a value of a multi-valued attribute is as the filter says.
// The paths in it are those of sub-attributes.
func (f *Filter) Matches(of Attribute, value map[string]any) bool {
	switch f.Operator {
	case And:
		for _, part := range f.Of {
			if !part.Matches(of, value) {
				return false
			}
		}
		return true
	case Or:
		for _, part := range f.Of {
			if part.Matches(of, value) {
				return true
			}
		}
		return false
	case Not:
		return !f.Of[0].Matches(of, value)
	case Has:
		return false
	}
	sub, ok := find(of.Sub, f.Path.Attribute)
	if !ok {
		return false
	}
	return compare(f.Operator, value[sub.Name], f.Value, sub)
}

// compare compares a value with one of a filter.
func compare(operator string, have, want any, of Attribute) bool {
	if operator == Present {
		return have != nil && have != ""
	}
	if of.Type == Boolean {
		was, _ := have.(bool)
		asked, ok := truth(want)
		switch operator {
		case Equal:
			return ok && was == asked
		case NotEqual:
			return ok && was != asked
		}
		return false
	}
	a, _ := have.(string)
	b, ok := want.(string)
	if !ok {
		return want == nil && (operator == Equal) == (a == "") && (operator == Equal || operator == NotEqual)
	}
	if !of.CaseExact {
		a, b = strings.ToLower(a), strings.ToLower(b)
	}
	switch operator {
	case Equal:
		return a == b
	case NotEqual:
		return a != b
	case Contains:
		return strings.Contains(a, b)
	case StartsWith:
		return strings.HasPrefix(a, b)
	case EndsWith:
		return strings.HasSuffix(a, b)
	case Greater:
		return a > b
	case GreaterOrEqual:
		return a >= b
	case Less:
		return a < b
	}
	return a <= b
}

// truth reads a boolean, which some write as text.
func truth(v any) (is, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(v) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

// Time reads a time as JSON has it (RFC 7643 section 2.3.5).
func Time(v any) (time.Time, bool) {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err == nil
}
