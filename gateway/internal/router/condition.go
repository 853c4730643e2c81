package router

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// Header is what conditions ask of a request's header. Names are given in lower
// case and compare without regard to case.
type Header interface {
	// Lookup returns the value of the first field of that name and whether
	// there is one.
	Lookup(name string) (string, bool)
	// Count returns the number of field lines of that name.
	Count(name string) int
}

// condition is a compiled Condition.
type condition struct {
	header, query, equals string
	matches               *regexp.Regexp
	text                  string // for people, and the same for equal conditions
}

const maxExpression = 1024

func compileCondition(in Condition) (condition, error) {
	c := condition{header: strings.ToLower(in.Header), query: in.Query, equals: in.Equals}
	switch {
	case (in.Header == "") == (in.Query == ""):
		return c, fmt.Errorf("a condition looks at one header or one query parameter; set exactly one of header and query")
	case in.Header != "" && !validMethod(in.Header):
		return c, fmt.Errorf("%q is not a header name; use letters, digits and hyphens", in.Header)
	case in.Equals != "" && in.Matches != "":
		return c, fmt.Errorf("a condition has either equals or matches; remove one")
	}
	c.text = "header " + c.header
	if c.query != "" {
		c.text = "query parameter " + c.query
	}
	switch {
	case in.Matches != "":
		if len(in.Matches) > maxExpression {
			return c, fmt.Errorf("the expression is longer than %d octets; shorten it", maxExpression)
		}
		var err error
		// Judged alone first, so that it cannot close the group put around it.
		if _, err = regexp.Compile(in.Matches); err == nil {
			c.matches, err = regexp.Compile(`\A(?:` + in.Matches + `)\z`)
		}
		if err != nil {
			return c, fmt.Errorf("not an RE2 expression (%w); correct it", err)
		}
		c.text += fmt.Sprintf(" matches %q", in.Matches)
	case in.Equals != "":
		c.text += fmt.Sprintf(" is %q", in.Equals)
	default:
		c.text += " is present"
	}
	return c, nil
}

// compileConditions returns the conditions in a fixed order, each once.
func compileConditions(in []Condition) ([]condition, Errors) {
	if len(in) == 0 {
		return nil, nil
	}
	if len(in) > MaxConditions {
		return nil, Errors{{"/conditions", fmt.Sprintf("more than %d conditions; leave some out", MaxConditions)}}
	}
	var errs Errors
	out := make([]condition, 0, len(in))
	for i := range in {
		c, err := compileCondition(in[i])
		if err != nil {
			errs = append(errs, Error{fmt.Sprintf("/conditions/%d", i), err.Error()})
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b condition) int { return strings.Compare(a.text, b.text) })
	return slices.CompactFunc(out, func(a, b condition) bool { return a.text == b.text }), errs
}

// holds reports whether the condition holds for the request.
func (c *condition) holds(r *Request) bool {
	var (
		value string
		count int
	)
	if c.header != "" {
		if r.Header == nil {
			return false
		}
		var ok bool
		if value, ok = r.Header.Lookup(c.header); !ok {
			return false
		}
		if count = 1; c.equals != "" || c.matches != nil {
			count = r.Header.Count(c.header)
		}
	} else if value, count = canon.QueryLookup(r.RawQuery, c.query); count == 0 {
		return false
	}
	switch {
	case c.matches != nil:
		return count == 1 && c.matches.MatchString(value)
	case c.equals != "":
		return count == 1 && value == c.equals
	}
	return true
}

func (c *Compiled) holds(r *Request) bool {
	for i := range c.conditions {
		if !c.conditions[i].holds(r) {
			return false
		}
	}
	return true
}
