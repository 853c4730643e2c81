// Package injectionfilter is the policy injection-filter: it refuses requests
// that carry well-known attacks in their path, query, header or body. It looks
// for what attacks look like and knows nothing of what the upstream does with
// its input: it makes attacks harder, and mends no upstream.
package injectionfilter

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of the filter.
type Config struct {
	// Sets are the kinds of attack to look for.
	Sets []string `json:"sets" schema:"enum=sql|xss|path-traversal|command|ldap|xpath|header-injection|ssrf,unique"`
	// Patterns are further patterns to look for.
	Patterns []Pattern `json:"patterns,omitempty" schema:"maxItems=64"`
	// Path says whether the path is examined.
	Path bool `json:"path"`
	// Query says whether names and values of the query are examined.
	Query bool `json:"query"`
	// IgnoreQuery lists query parameters whose values are not examined, such as one
	// that carries program text.
	IgnoreQuery []string `json:"ignoreQuery,omitempty" schema:"maxItems=64,unique"`
	// Headers lists request fields that are examined.
	Headers []string `json:"headers" schema:"maxItems=64,unique"`
	// Body says whether bodies are examined: JSON string by string, forms field by
	// field, multipart, XML and other text as a whole. Other bodies pass. A
	// compressed body is refused, since it cannot be examined.
	Body bool `json:"body"`
	// MaxBody is the largest body that is examined; a larger one is refused with
	// 413.
	MaxBody schema.Bytes `json:"maxBody" schema:"min=1,max=64MiB"`
	// Mode says what happens to a request with an attack. Block: it is refused with
	// 400. Report: it passes, and the traffic record has an attribute "threat".
	Mode string `json:"mode" schema:"enum=block|report"`
}

// Pattern is a pattern of one's own.
type Pattern struct {
	// Name is what reports call it.
	Name string `json:"name" schema:"required,pattern=^[A-Za-z0-9_.-]{1,64}$"`
	// Pattern is what to look for in decoded texts, as a regular expression (RE2).
	Pattern schema.Regexp `json:"pattern" schema:"required"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("injection-filter", "Injection filter", Config{
		Sets: []string{"sql", "xss", "path-traversal", "command", "header-injection"},
		Path: true, Query: true, Headers: []string{"User-Agent", "Referer"}, Body: true, MaxBody: 1 << 20, Mode: "block",
	}, compile, schemaDoc)
	d.Doc = "Refuses requests that carry well-known attacks: injection into SQL, HTML, shells, LDAP, XPath, header fields and " +
		"file paths, and addresses of internal servers. What is encoded twice is decoded twice. Begin with mode report to " +
		"see what would be refused."
	d.Example = "{sets: [sql, xss, path-traversal, command], headers: [User-Agent], mode: block}"
	return d
}

// guard is one configured policy.
type guard struct {
	c       Config
	id      string
	matcher *matcher
	values  sync.Pool
}

// finding is an attack, and where it was found.
type finding struct{ set, where string }

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	for i, name := range c.Headers {
		if !policy.ValidName(name) {
			return policy.Hooks{}, policy.Invalid("/headers/"+strconv.Itoa(i), "%q is no field name; use letters, digits and dashes", name)
		}
	}
	if len(c.Sets) == 0 && len(c.Patterns) == 0 {
		return policy.Hooks{}, policy.Invalid("/sets", "there is nothing to look for; name a set, or add a pattern of your own")
	}
	var owns []own
	for i, p := range c.Patterns {
		if p.Pattern.MatchString("") {
			return policy.Hooks{}, policy.Invalid("/patterns/"+strconv.Itoa(i)+"/pattern", "it matches every text; make it ask for something")
		}
		owns = append(owns, own{p.Name, p.Pattern.Regexp()})
	}
	// The rules are the same for all policies of an API with these sets.
	key := "injection-filter/" + strings.Join(c.Sets, ",")
	shared, err := env.Memo(key, func() (any, error) {
		return newMatcher(rules(func(set string) bool { return slices.Contains(c.Sets, set) }), nil), nil
	})
	if err != nil {
		return policy.Hooks{}, err
	}
	m := shared.(*matcher) //nolint:forcetypeassert // made above
	g := &guard{c: c, id: env.ID, matcher: m}
	if len(owns) > 0 {
		g.matcher = newMatcher(m.rules, owns)
	}
	g.values.New = func() any { b := make([]byte, 0, 1024); return &b }
	return policy.Hooks{Inbound: g.inbound}, nil
}

func (g *guard) inbound(ex *policy.Exchange) error {
	f, err := g.examine(ex)
	if err != nil {
		return err
	}
	if f.set == "" {
		return nil
	}
	if ex.Noting() {
		ex.Note(g.id, "threat", f.set+" in the "+f.where)
	}
	if g.c.Mode == "report" {
		if ex.Log.Attributes == nil {
			ex.Log.Attributes = make(map[string]string, 1)
		}
		ex.Log.Attributes["threat"] = f.set + " in the " + f.where
		return nil
	}
	return problem.New(problem.CodeThreatDetected, "the %s looks like an attack (%s)", f.where, f.set)
}

func (g *guard) examine(ex *policy.Exchange) (finding, error) {
	r := &ex.Request
	buf := g.values.Get().(*[]byte) //nolint:forcetypeassert // the pool has only these
	defer func() {
		if cap(*buf) < keepBuffer {
			g.values.Put(buf)
		}
	}()
	if g.c.Path {
		*buf = percent((*buf)[:0], bytesOf(r.Path), false)
		if set := g.matcher.find(*buf, inPath); set != "" {
			return finding{set, "path"}, nil
		}
	}
	if g.c.Query && r.Query != "" {
		if f := g.form(buf, bytesOf(r.Query), inQuery, "query"); f.set != "" {
			return f, nil
		}
	}
	for _, name := range g.c.Headers {
		for v := range r.Header.Values(name) {
			if set := g.matcher.find(bytesOf(v), inHeader); set != "" {
				return finding{set, "header field " + name}, nil
			}
		}
	}
	if !g.c.Body || r.Body.Empty() || r.GRPC || r.Upgrade != "" {
		return finding{}, nil
	}
	return g.body(ex, buf)
}

// form examines names and values of a query or of a form.
func (g *guard) form(buf *[]byte, text []byte, where place, what string) finding {
	for len(text) > 0 {
		var pair []byte
		pair, text = cut(text, '&')
		name, value := cut(pair, '=')
		*buf = percent((*buf)[:0], name, true)
		if set := g.matcher.find(*buf, where); set != "" {
			return finding{set, "name of a parameter of the " + what}
		}
		if len(g.c.IgnoreQuery) > 0 && where == inQuery && slices.Contains(g.c.IgnoreQuery, string(*buf)) {
			continue
		}
		named := len(*buf)
		*buf = percent(*buf, value, true)
		if set := g.matcher.find((*buf)[named:], where); set != "" {
			return finding{set, "parameter " + strconv.Quote(short((*buf)[:named])) + " of the " + what}
		}
	}
	return finding{}
}

func short(b []byte) string { return strings.ToValidUTF8(string(b[:min(len(b), 64)]), "?") }

func bodyProblem(err error, limit int64) error {
	var p *problem.Problem
	switch {
	case errors.Is(err, policy.ErrBodyTooLarge):
		return problem.New(problem.CodeBodyTooLarge, "the body exceeds %d bytes", limit)
	case errors.As(err, &p):
		return p
	}
	return problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
}
