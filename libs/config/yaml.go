package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

const (
	// maxDepth bounds nesting, far above what any configuration has.
	maxDepth = 100
	// maxExpanded bounds the values that aliases add to a configuration.
	maxExpanded = 100_000
)

// reader turns YAML into nodes and gathers what is wrong with it.
type reader struct {
	fields   []problem.Field
	broken   bool // a file could not be read to its end
	file     string
	path     []string
	aliases  int          // being expanded
	open     []*yaml.Node // anchored values being converted
	expanded int
}

func (r *reader) report(at Position, code, format string, args ...any) {
	var pointer strings.Builder
	for _, p := range r.path {
		pointer.WriteString("/" + schema.Escape(p))
	}
	r.fields = append(r.fields, problem.Field{
		Pointer: pointer.String(), Code: code, Detail: fmt.Sprintf(format, args...), Source: at.String(),
	})
}

// documents parses the documents of one source. Empty ones are left out.
func (r *reader) documents(s Source) []*node {
	r.file = s.Name
	if !utf8.Valid(s.Data) {
		r.report(Position{File: s.Name}, RuleYAML, "not UTF-8")
		r.broken = true
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(s.Data))
	var out []*node
	for {
		var doc yaml.Node
		if err == nil {
			err = loader.Load(&doc)
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			r.syntax(err)
			r.broken = true
			return out
		}
		if len(doc.Content) == 0 {
			continue
		}
		if n := r.convert(doc.Content[0]); n != nil && n.scalar != "null" {
			out = append(out, n)
		}
	}
}

// syntax reports an error of the YAML parser.
func (r *reader) syntax(err error) {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &many) && len(many.Errors) > 0:
		for _, e := range many.Errors {
			r.report(Position{r.file, e.Mark.Line, e.Mark.Column}, RuleYAML, "not YAML: %s", e.Message)
		}
	case errors.As(err, &one):
		r.report(Position{r.file, one.Mark.Line, one.Mark.Column}, RuleYAML, "not YAML: %s", one.Message)
	default:
		r.report(Position{File: r.file}, RuleYAML, "not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
}

// convert returns the node of a YAML value, or nil after reporting why it
// cannot.
func (r *reader) convert(y *yaml.Node) *node {
	at := Position{r.file, y.Line, y.Column}
	if len(r.path)+r.aliases > maxDepth {
		r.report(at, RuleYAML, "nested more than %d levels deep", maxDepth)
		return nil
	}
	if r.aliases > 0 {
		if r.expanded++; r.expanded > maxExpanded {
			if r.expanded == maxExpanded+1 {
				r.report(at, RuleAlias, "aliases expand to more than %d values", maxExpanded)
			}
			return nil
		}
	}
	if y.Style&yaml.TaggedStyle != 0 && !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map"}, y.ShortTag()) {
		r.report(at, RuleYAML, "the tag %s is not supported; remove it", y.Tag)
		return nil
	}
	if y.Anchor != "" {
		r.open = append(r.open, y)
		defer func() { r.open = r.open[:len(r.open)-1] }()
	}
	n := &node{at: at}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = objectKind
		r.members(n, y)
	case yaml.SequenceNode:
		n.kind = listKind
		for i, c := range y.Content {
			r.path = append(r.path, fmt.Sprint(i))
			if v := r.convert(c); v != nil {
				n.values = append(n.values, v)
			}
			r.path = r.path[:len(r.path)-1]
		}
	case yaml.ScalarNode:
		n.scalar = scalar(y)
	case yaml.AliasNode:
		return r.alias(y, at)
	default:
		r.report(at, RuleYAML, "this kind of YAML value is not supported")
		return nil
	}
	return n
}

func (r *reader) alias(y *yaml.Node, at Position) *node {
	if y.Alias == nil || slices.Contains(r.open, y.Alias) {
		r.report(at, RuleAlias, "the anchor &%s contains its own alias", y.Value)
		return nil
	}
	r.aliases++
	n := r.convert(y.Alias)
	r.aliases--
	if n != nil {
		n.at = at
	}
	return n
}

func (r *reader) members(n *node, y *yaml.Node) {
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, at := y.Content[i], Position{r.file, y.Content[i].Line, y.Content[i].Column}
		if k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		switch {
		case k.Kind != yaml.ScalarNode:
			r.report(at, RuleYAML, "a key must be a string")
			continue
		case k.Value == "<<" && k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0:
			r.report(at, RuleYAML, "merge keys (<<) are not part of YAML 1.2; write the keys out, or use an alias for the whole value")
			continue
		}
		r.path = append(r.path, k.Value)
		if first := n.find(k.Value); first >= 0 {
			r.report(at, schema.RuleDuplicate, "key %q is given before, at %s; keep one", k.Value, n.values[first].at)
		} else if v := r.convert(y.Content[i+1]); v != nil {
			v.at = at
			n.add(k.Value, v)
		}
		r.path = r.path[:len(r.path)-1]
	}
}

// scalar returns a YAML scalar as JSON, by the rules of YAML's JSON schema
// (YAML 1.2 section 10.2), which has no octal, no "yes" and no dates. What
// looks like none of its types is a string.
func scalar(y *yaml.Node) string {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	tagged := y.Style&yaml.TaggedStyle != 0
	if y.Style&quoted != 0 && !tagged || tagged && y.ShortTag() == "!!str" {
		return string(quote(y.Value))
	}
	switch y.Value {
	case "", "~", "null", "Null", "NULL":
		return "null"
	case "true", "True", "TRUE":
		return "true"
	case "false", "False", "FALSE":
		return "false"
	}
	if isNumber(y.Value) {
		return y.Value
	}
	return string(quote(y.Value))
}

// isNumber says whether s is a number of JSON (RFC 8259 section 6).
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	n := digits(s)
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	s = s[n:]
	if strings.HasPrefix(s, ".") {
		n = digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n = digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

// digits counts the digits at the front of s.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
