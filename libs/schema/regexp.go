package schema

import (
	"fmt"
	"regexp"
)

// Regexp is a regular expression in a configuration, compiled when it is
// decoded. The syntax is RE2, whose matching time is linear in the input. The
// zero value matches nothing and is not set.
type Regexp struct{ re *regexp.Regexp }

// NewRegexp returns a compiled expression.
func NewRegexp(expr string) (Regexp, error) {
	re, err := regexp.Compile(expr)
	return Regexp{re}, err
}

// IsSet says whether there is an expression.
func (r Regexp) IsSet() bool { return r.re != nil }

// Regexp returns the compiled expression, or nil.
func (r Regexp) Regexp() *regexp.Regexp { return r.re }

// MatchString says whether s contains a match. What is not set matches nothing.
func (r Regexp) MatchString(s string) bool { return r.re != nil && r.re.MatchString(s) }

// String returns the expression.
func (r Regexp) String() string {
	if r.re == nil {
		return ""
	}
	return r.re.String()
}

// MarshalText returns the expression.
func (r Regexp) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText compiles the expression.
func (r *Regexp) UnmarshalText(text []byte) error {
	re, err := regexp.Compile(string(text))
	if err != nil {
		return fmt.Errorf("not a regular expression (RE2): %w", err)
	}
	r.re = re
	return nil
}

// JSONSchema describes the text form.
func (Regexp) JSONSchema() *Node {
	return &Node{Type: Types{"string"}, Format: "regex", example: `"^/v[0-9]+/"`}
}
