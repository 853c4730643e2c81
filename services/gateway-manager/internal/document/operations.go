package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// methods are the keys of a path item that are operations (OpenAPI 3.1.0,
// section "Path Item Object").
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// operations reads the paths. An operation without an operationId, or with one
// that another has already, is named by its method and path.
func (d *Document) operations(root map[string]any) error {
	paths, ok := root["paths"].(map[string]any)
	if !ok {
		return errPaths
	}
	unnamed, ids := 0, map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		at := "/paths/" + escape(path)
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("the path %q does not begin with a slash: write it as /%s", path, path)
		}
		item, ok := follow(root, paths[path])
		if !ok {
			d.warn("path-item", at, "%s is not an object, or refers to something outside of the document: it is not routed", path)
			continue
		}
		if strings.ContainsAny(path, "?#") {
			d.warn("path-query", at, "%s has a query or a fragment in it, which is not a part of a path: it will not match", path)
		}
		for _, m := range slices.Sorted(slices.Values(methods)) {
			node, ok := item[m].(map[string]any)
			if !ok {
				continue
			}
			op := Operation{Method: strings.ToUpper(m), Path: path, Summary: cut(text(node["summary"]), 500)}
			op.Deprecated, _ = node["deprecated"].(bool)
			op.Tags = tags(node["tags"])
			byPlace := op.Method + " " + path
			op.ID = text(node["operationId"])
			if op.ID == "" {
				unnamed++
				op.ID = byPlace
			} else if first, dup := ids[op.ID]; dup {
				d.warn("duplicate-operation-id", at+"/"+m+"/operationId", "the operationId %q is also that of %s: this one is called %q here", op.ID, first, byPlace)
				op.ID = byPlace
			}
			ids[op.ID] = byPlace
			d.Operations = append(d.Operations, op)
		}
	}
	switch {
	case len(d.Operations) == 0:
		return errPaths
	case len(d.Operations) > maxOperations:
		return fmt.Errorf("the document has %d operations, %d are allowed: split it into several APIs", len(d.Operations), maxOperations)
	case unnamed > 0:
		d.warn("no-operation-id", "", "%s without an operationId: policies and reports call them by method and path, such as %q",
			count(unnamed, "operation is", "operations are"), firstUnnamed(d.Operations))
	}
	d.templates()
	return nil
}

func firstUnnamed(ops []Operation) string {
	for _, o := range ops {
		if o.ID == o.Method+" "+o.Path {
			return o.ID
		}
	}
	return ""
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func tags(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if t := text(e); t != "" && len(out) < 20 {
			out = append(out, cut(t, 100))
		}
	}
	return out
}

// templates warns of paths that match the same requests.
func (d *Document) templates() {
	seen := map[string]Operation{}
	for _, o := range d.Operations {
		key := o.Method + " " + shape(o.Path)
		if first, dup := seen[key]; dup && first.Path != o.Path {
			d.warn("same-requests", "/paths/"+escape(o.Path), "%s %s matches the same requests as %s: no gateway can tell them apart, so that the API cannot be deployed before one is changed",
				o.Method, o.Path, first.Path)
		}
		seen[key] = o
	}
}

// shape is a template without the names of its parameters.
func shape(path string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(path[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(path[:open])
		b.WriteString("{}")
		path = path[open+end+1:]
	}
	return b.String() + path
}

// follow returns an object, where it is one or refers to one in the document.
func follow(root map[string]any, v any) (map[string]any, bool) {
	for range 10 {
		node, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		ref, ok := node["$ref"].(string)
		if !ok {
			return node, true
		}
		pointer, ok := strings.CutPrefix(ref, "#/")
		if !ok {
			return nil, false
		}
		v = root
		for token := range strings.SplitSeq(pointer, "/") {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
			node, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			v = node[token]
		}
	}
	return nil, false
}

// escape writes a token of a JSON pointer (RFC 6901).
func escape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}
