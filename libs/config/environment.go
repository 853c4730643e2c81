package config

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// Option changes how files are decoded.
type Option func(*options)

type options struct {
	prefix  string
	environ []string
}

// WithEnvironment lets environment variables override the files. A key such as
// listen.maxHeader is set by PREFIX_LISTEN_MAX_HEADER. A list is written with
// commas, or like a map in YAML's flow form. A variable that is set to nothing
// counts as not set; one that begins with PREFIX_ and names no key is refused.
// The environment is given as [os.Environ] does. An empty prefix means none.
func WithEnvironment(prefix string, environ []string) Option {
	return func(o *options) { o.prefix, o.environ = prefix, environ }
}

// setting is a key that an environment variable can set.
type setting struct {
	path []string
	node *schema.Node
}

// settings returns the keys below n by the name of their variable.
func settings(prefix string, n *schema.Node, path []string, out map[string]setting) {
	for name, p := range n.Properties {
		key, variable := append(slices.Clone(path), name), prefix+"_"+shout(name)
		if p.Properties != nil {
			settings(variable, p, key, out)
			continue
		}
		out[variable] = setting{key, p}
	}
}

// shout turns maxBytes into MAX_BYTES.
func shout(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		lowerNext := i+1 < len(rs) && unicode.IsLower(rs[i+1])
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(rs[i-1]) || lowerNext) {
			b.WriteByte('_')
		}
		if r == '-' {
			r = '_'
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// environment sets what the environment overrides in the document.
func (r *reader) environment(root *node, o options, into any) {
	s, err := schema.OfPointer(into)
	if err != nil {
		r.report(Position{File: "environment"}, schema.RuleType, "%s", err)
		return
	}
	known := map[string]setting{}
	settings(o.prefix, s.Node(), nil, known)
	for _, kv := range o.environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, o.prefix+"_") || value == "" {
			continue
		}
		at := Position{File: "environment variable " + name}
		k, ok := known[name]
		if !ok {
			r.report(at, schema.RuleUnknown, "%s sets no key%s", name, schema.Suggest(name, slices.Sorted(maps.Keys(known))))
			continue
		}
		if v := r.parse(at, k.node, value); v != nil {
			set(root, k.path, v)
		}
	}
}

// parse returns the value of a variable as the type of its key wants it.
func (r *reader) parse(at Position, n *schema.Node, value string) *node {
	switch {
	case slices.Contains(n.Type, "string"):
		return &node{at: at, scalar: string(quote(value))}
	case slices.Contains(n.Type, "array") && !strings.HasPrefix(value, "["):
		list := &node{kind: listKind, at: at}
		for item := range strings.SplitSeq(value, ",") {
			if v := r.parse(at, n.Items, strings.TrimSpace(item)); v != nil {
				list.values = append(list.values, v)
			}
		}
		return list
	case slices.Contains(n.Type, "array"), slices.Contains(n.Type, "object"):
		before := len(r.fields)
		docs := r.documents(Source{Name: at.File, Data: []byte(value)})
		if len(docs) != 1 {
			if len(r.fields) == before {
				r.report(at, RuleYAML, "write one value in YAML's flow form, such as [a, b] or {a: b}")
			}
			return nil
		}
		docs[0].at = at
		return docs[0]
	}
	return &node{at: at, scalar: scalar(&yaml.Node{Kind: yaml.ScalarNode, Value: value})}
}

// set puts a value at a path. What stands in the way is left for the schema to
// refuse.
func set(n *node, path []string, v *node) {
	for _, key := range path[:len(path)-1] {
		next := n.child(key)
		if next == nil && n.kind == objectKind {
			next = &node{kind: objectKind, at: v.at}
			n.add(key, next)
		}
		if next == nil {
			return
		}
		n = next
	}
	if n.kind != objectKind {
		return
	}
	key := path[len(path)-1]
	if i := n.find(key); i >= 0 {
		n.values[i] = v
		return
	}
	n.add(key, v)
}
