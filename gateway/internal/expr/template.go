package expr

import (
	"errors"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

var errOpen = errors.New("template has ${ without its closing brace; write $${ for the characters themselves")

// CompileTemplate compiles a text in which ${expression} is replaced by the
// value of a CEL expression. $${ stands for the characters ${ themselves.
func (c *Compiler) CompileTemplate(source string) (policy.Template, error) {
	t := &template{}
	var literal strings.Builder
	for rest := source; rest != ""; {
		i := strings.Index(rest, "${")
		if i < 0 {
			literal.WriteString(rest)
			break
		}
		if i > 0 && rest[i-1] == '$' {
			literal.WriteString(rest[:i-1])
			literal.WriteString("${")
			rest = rest[i+2:]
			continue
		}
		literal.WriteString(rest[:i])
		end := closing(rest[i+2:])
		if end < 0 {
			return nil, errOpen
		}
		e, err := c.Compile(rest[i+2 : i+2+end])
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{literal: literal.String(), expression: e})
		literal.Reset()
		rest = rest[i+2+end+1:]
	}
	t.tail = literal.String()
	return t, nil
}

// closing returns the index of the brace that closes an expression, past those
// that are nested or quoted.
func closing(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			switch c {
			case '\\':
				i++
			case quote:
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

type part struct {
	literal    string
	expression policy.Expression
}

type template struct {
	parts []part
	tail  string
}

// Constant reports whether the text is always the same.
func (t *template) Constant() bool { return len(t.parts) == 0 }

// Text returns the text for the exchange.
func (t *template) Text(ex *policy.Exchange) (string, error) {
	if len(t.parts) == 0 {
		return t.tail, nil
	}
	if len(t.parts) == 1 && t.parts[0].literal == "" && t.tail == "" {
		return t.parts[0].expression.Text(ex)
	}
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.literal)
		s, err := p.expression.Text(ex)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	b.WriteString(t.tail)
	return b.String(), nil
}
