package router

import "fmt"

// Explanation says what a request matches and why. Its String is for people.
type Explanation struct {
	Method  string  `json:"method"`
	Host    string  `json:"host"`
	Path    string  `json:"path"`
	Outcome Outcome `json:"outcome"`
	// API is the ID of the API that owns the path; Operation and Template are
	// what matched. Operation is "" for an API without operations.
	API       string `json:"api,omitempty"`
	Operation string `json:"operation,omitempty"`
	Template  string `json:"template,omitempty"`
	// Forwarded is the path after the match, where it differs from Path.
	Forwarded string           `json:"forwarded,omitempty"`
	Params    []ExplainedParam `json:"params,omitempty"`
	Allow     string           `json:"allow,omitempty"`
	// Steps are the decisions in order, to the last one that was made.
	Steps []Step `json:"steps"`
	// NearMisses are others that came close, the closest first.
	NearMisses []NearMiss `json:"nearMisses,omitempty"`
	// Omitted is how many further near misses there are.
	Omitted int `json:"omitted,omitempty"`
}

// ExplainedParam is a path parameter.
type ExplainedParam struct {
	Name string `json:"name"`
	// Value is percent-encoded, as it stands in the path.
	Value string `json:"value"`
}

// Step is one decision.
type Step struct {
	// Name is "host", "base path", "path rules", "conditions", "path" or
	// "method".
	Name string `json:"name"`
	// Choice is what was chosen, or "" where the request failed here.
	Choice string `json:"choice,omitempty"`
	Reason string `json:"reason"`
}

// NearMiss is an API or operation that did not get the request.
type NearMiss struct {
	API       string `json:"api"`
	Operation string `json:"operation,omitempty"`
	// Where is the template or the host and base path.
	Where  string `json:"where"`
	Reason string `json:"reason"`

	near int // for the order: the closer, the larger
}

// Explain says what [Index.Match] does with a request, and why. It looks at
// every API and is not for the path of requests.
func (x *Index) Explain(r *Request) Explanation {
	var m Match
	x.Match(r, &m)
	e := Explanation{Method: r.Method, Host: r.Host, Path: r.Path, Outcome: m.Outcome, Allow: m.Allow, Template: m.Template()}
	if m.API != nil {
		e.API = m.API.ID()
		if m.Operation >= 0 {
			e.Operation = m.API.api.Operations[m.Operation].ID
		}
	}
	if m.Path != r.Path {
		e.Forwarded = m.Path
	}
	for i := range m.Params() {
		name, value := m.ParamAt(i)
		e.Params = append(e.Params, ExplainedParam{name, value})
	}
	x.steps(r, &m, &e)
	x.nearMisses(r, &m, &e)
	return e
}

// steps tells the decisions in the order in which they are made.
func (x *Index) steps(r *Request, m *Match, e *Explanation) {
	add := func(name, choice, format string, args ...any) {
		e.Steps = append(e.Steps, Step{name, choice, fmt.Sprintf(format, args...)})
	}
	if m.Outcome == NoHost {
		add("host", "", "no API is served on %s, and none on any host", orNone(r.Host))
		return
	}
	p, pattern, _ := x.owner(r.Host, m.view(r))
	if p.group == nil {
		add("host", orNone(r.Host), "the host has APIs")
		if m.Outcome == BadPath {
			add("base path", "", "no API owns the path; it holds %s, which is refused unless an API allows it", r.Flags)
		} else {
			add("base path", "", "no API owns a base path that %s lies below", r.Path)
		}
		return
	}
	base := p.group.all[0].BasePath()
	pattern = fullPattern(pattern, r.Host)
	switch {
	case pattern == "":
		add("host", "any host", "no API for this very host or a wildcard of it has a base path that fits")
	case pattern == r.Host:
		add("host", pattern, "the exact host goes before wildcards and APIs for any host")
	default:
		add("host", pattern, "the longest wildcard that fits; no API for the exact host has a base path that fits")
	}
	add("base path", baseText(base), "the longest base path on this host pattern that the path lies below; it owns the path alone")
	if m.Outcome == BadPath {
		if m.Refused != 0 {
			owner := "no conditions hold, so nothing allows it"
			if m.API != nil {
				owner = "API " + m.API.ID() + " does not allow it"
			}
			add("path rules", "", "the path holds %s; %s", m.Refused, owner)
		} else {
			add("path rules", "", "the path holds %s, and read leniently (%s) it is one of API %s's, read strictly it is not", r.Flags, lenient(r.Path), m.API.ID())
		}
		return
	}
	if r.Flags != 0 {
		add("path rules", r.Flags.String(), "API %s allows it", m.API.ID())
	}
	switch c := m.API; {
	case c == nil:
		add("conditions", "", "no API here has conditions that all hold")
		return
	case len(c.conditions) > 0:
		add("conditions", c.condKey, "all hold; more conditions go before fewer")
	case len(p.group.served) > 1:
		add("conditions", "none", "those of the other APIs here do not hold")
	}
	operationSteps(r, m, add)
}

// view is the path by which the owner was found.
func (m *Match) view(r *Request) string {
	if m.Outcome == BadPath {
		return lenient(r.Path)
	}
	return m.Path
}

func operationSteps(r *Request, m *Match, add func(name, choice, format string, args ...any)) {
	c := m.API
	switch {
	case m.Outcome == NoPath:
		add("path", "", "no operation of API %s has this path", c.ID())
	case m.Outcome == MethodNotAllowed:
		add("method", "", "operations with this path are for %s only", m.Allow)
	case m.Outcome == OptionsAuto:
		add("method", "OPTIONS", "no operation is for OPTIONS; the gateway answers: %s", m.Allow)
	case m.Operation < 0:
		add("path", c.Template(-1), "the API has no operations: every path and method below the base path is its own")
	default:
		add("path", c.Template(m.Operation), "the most specific template that fits and has the method: literal, then literal text around a parameter, then parameter, then rest")
		switch method := c.api.Operations[m.Operation].Method; {
		case method == r.Method:
			add("method", method, "the operation's own")
		case method == "" || method == "*":
			add("method", "any", "the operation is for any method")
		default:
			add("method", method, "%s is answered by %s where no operation is for %s", r.Method, method, r.Method)
		}
	}
}

func orNone(host string) string {
	if host == "" {
		return "a request without host"
	}
	return host
}

// fullPattern puts the star back that the look-up does without.
func fullPattern(pattern, host string) string {
	if pattern == "" || pattern == host {
		return pattern
	}
	return "*" + pattern
}
