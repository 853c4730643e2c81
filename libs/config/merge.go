package config

import (
	"fmt"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// merge joins documents into one: lists at the top are concatenated, any other
// key may be given only once.
func (r *reader) merge(docs []*node) *node {
	switch len(docs) {
	case 0:
		return &node{kind: objectKind, at: Position{File: r.file}}
	case 1:
		r.uniqueNames(docs[0])
		return docs[0]
	}
	root := &node{kind: objectKind, at: docs[0].at}
	for _, d := range docs {
		if d.kind != objectKind {
			r.path = nil
			r.report(d.at, RuleMerge, "a document that is merged with others must have keys at its top")
			continue
		}
		for i, key := range d.keys {
			v := d.values[i]
			at := root.find(key)
			if at < 0 {
				if v.kind == listKind { // a copy, as it will grow
					v = &node{kind: listKind, at: v.at, values: append([]*node(nil), v.values...)}
				}
				root.add(key, v)
				continue
			}
			before := root.values[at]
			if before.kind == listKind && v.kind == listKind {
				before.values = append(before.values, v.values...)
				continue
			}
			r.path = []string{key}
			r.report(v.at, schema.RuleDuplicate, "key %q is given before, at %s; only lists are joined, keep one", key, before.at)
		}
	}
	r.uniqueNames(root)
	return root
}

// uniqueNames reports elements of a list at the top that have the same name.
func (r *reader) uniqueNames(root *node) {
	if root.kind != objectKind {
		return
	}
	for i, list := range root.values {
		if list.kind != listKind {
			continue
		}
		places := map[string]Position{}
		for j, e := range list.values {
			n := e.child("name")
			name, ok := n.text()
			if !ok {
				continue
			}
			if first, taken := places[name]; taken {
				r.path = []string{root.keys[i], fmt.Sprint(j), "name"}
				r.report(n.at, schema.RuleDuplicate, "the name %q is taken, at %s; names are unique", name, first)
				continue
			}
			places[name] = n.at
		}
	}
	r.path = nil
}
