package router

import (
	"fmt"
	"strings"
)

// String is for people: what gateway match prints.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s\n", e.Method, e.Host, e.Path)
	switch e.Outcome {
	case Matched:
		fmt.Fprintf(&b, "  matches API %s", e.API)
		if e.Operation != "" {
			fmt.Fprintf(&b, ", operation %s", e.Operation)
		}
		fmt.Fprintf(&b, "  (%s)\n", e.Template)
	case NoHost:
		b.WriteString("  matches nothing: 404, no API on this host\n")
	case NoPath:
		b.WriteString("  matches nothing: 404, no such path\n")
	case BadPath:
		b.WriteString("  is refused: 400, the path is ambiguous\n")
	case MethodNotAllowed:
		fmt.Fprintf(&b, "  is refused: 405, allowed are %s\n", e.Allow)
	case OptionsAuto:
		fmt.Fprintf(&b, "  is answered by the gateway: 204, allowed are %s\n", e.Allow)
	}
	for _, p := range e.Params {
		fmt.Fprintf(&b, "    %s = %s\n", p.Name, p.Value)
	}
	if e.Forwarded != "" {
		fmt.Fprintf(&b, "  the path from here on is %s\n", e.Forwarded)
	}
	b.WriteString("\nWhy\n")
	for _, s := range e.Steps {
		choice := s.Choice
		if choice == "" {
			choice = "✗"
		}
		fmt.Fprintf(&b, "  %-10s  %s\n              %s\n", s.Name, choice, s.Reason)
	}
	if len(e.NearMisses) > 0 {
		b.WriteString("\nNear misses\n")
		for _, n := range e.NearMisses {
			name := n.API
			if n.Operation != "" {
				name += ", " + n.Operation
			}
			fmt.Fprintf(&b, "  %s  (%s)\n              %s\n", name, n.Where, n.Reason)
		}
	}
	if e.Omitted > 0 {
		fmt.Fprintf(&b, "  and %d more\n", e.Omitted)
	}
	return b.String()
}
