package revision

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// deepest bounds how deep schemas are compared.
const deepest = 12

// direction is who has to follow a schema: the caller, or who reads the answer.
type direction uint8

const (
	request direction = 1 << iota
	response
)

// contract is an OpenAPI document for comparison.
type contract map[string]any

func parse(raw []byte) contract {
	var c contract
	if json.Unmarshal(raw, &c) != nil {
		return nil
	}
	return c
}

func object(v any, path ...string) map[string]any {
	for _, k := range path {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

func yes(v any) bool {
	b, _ := v.(bool)
	return b
}

// follow resolves a reference within the document.
func (c contract) follow(v any) map[string]any {
	for range 8 {
		m, _ := v.(map[string]any)
		pointer, ok := strings.CutPrefix(str(m["$ref"]), "#/")
		if !ok {
			return m
		}
		v = map[string]any(c)
		for token := range strings.SplitSeq(pointer, "/") {
			v = object(v)[strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")]
		}
	}
	return nil
}

// documents compares what the documents say of operations that both have, and of
// the schemas that both name.
func (d *differ) documents(a, b []byte) {
	before, after := parse(a), parse(b)
	if before == nil || after == nil {
		return
	}
	uses := map[string]direction{}
	oldPaths, newPaths := object(before["paths"]), object(after["paths"])
	for _, path := range names(oldPaths, newPaths) {
		oldItem, newItem := before.follow(oldPaths[path]), after.follow(newPaths[path])
		for _, m := range []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"} {
			old, now := object(oldItem[m]), object(newItem[m])
			if now != nil {
				after.uses(now["parameters"], request, uses, 0)
				after.uses(now["requestBody"], request, uses, 0)
				after.uses(now["responses"], response, uses, 0)
			}
			if old == nil || now == nil {
				continue
			}
			o := &operationDiff{differ: d, before: before, after: after, at: strings.ToUpper(m) + " " + path}
			o.parameters(append(slices.Clone(list(oldItem["parameters"])), list(old["parameters"])...), append(slices.Clone(list(newItem["parameters"])), list(now["parameters"])...))
			o.body(before.follow(old["requestBody"]), after.follow(now["requestBody"]))
			o.responses(object(old["responses"]), object(now["responses"]))
		}
	}
	oldSchemas, newSchemas := object(map[string]any(before), "components", "schemas"), object(map[string]any(after), "components", "schemas")
	for _, name := range names(oldSchemas, newSchemas) {
		if oldSchemas[name] == nil || newSchemas[name] == nil {
			continue // shows where it is used
		}
		o := &operationDiff{differ: d, before: before, after: after, at: name}
		o.schema(name, oldSchemas[name], newSchemas[name], uses[name], 0)
	}
}

// uses finds which named schemas are used in which direction.
func (c contract) uses(v any, dir direction, into map[string]direction, depth int) {
	if depth > 40 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		ref := str(v["$ref"])
		if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); ok {
			if into[name]&dir != 0 {
				return
			}
			into[name] |= dir
		}
		if strings.HasPrefix(ref, "#/") {
			c.uses(c.follow(v), dir, into, depth+1)
			return
		}
		for _, e := range v {
			c.uses(e, dir, into, depth+1)
		}
	case []any:
		for _, e := range v {
			c.uses(e, dir, into, depth+1)
		}
	}
}

// operationDiff compares one operation, or one named schema.
type operationDiff struct {
	*differ
	before, after contract
	at            string
}

func (o *operationDiff) say(kind string, breaking bool, before, after any, summary string, args ...any) {
	c := Change{Kind: kind, Area: AreaSchema, Path: o.at, Breaking: breaking}
	if before != nil {
		c.Before = plain(before)
	}
	if after != nil {
		c.After = plain(after)
	}
	o.add(c, summary, args...)
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return text(v)
}

func (o *operationDiff) parameters(a, b []any) {
	read := func(c contract, l []any) map[string]map[string]any {
		out := map[string]map[string]any{}
		for _, e := range l {
			p := c.follow(e)
			out[str(p["in"])+" parameter "+str(p["name"])] = p
		}
		return out
	}
	before, after := read(o.before, a), read(o.after, b)
	for _, name := range names(before, after) {
		old, now := before[name], after[name]
		switch {
		case old == nil && yes(now["required"]):
			o.say(Added, true, nil, nil, "%s needs the new %s.", o.at, name)
		case old == nil:
			o.say(Added, false, nil, nil, "%s takes the new %s.", o.at, name)
		case now == nil:
			o.say(Removed, false, nil, nil, "%s no longer knows the %s.", o.at, name)
		default:
			if !yes(old["required"]) && yes(now["required"]) {
				o.say(Changed, true, nil, nil, "%s now needs the %s, which could be left out before.", o.at, name)
			}
			o.schema("the "+name+" of "+o.at, old["schema"], now["schema"], request, 0)
		}
	}
}

func (o *operationDiff) body(a, b map[string]any) {
	switch {
	case a == nil && b == nil:
		return
	case a == nil && yes(b["required"]):
		o.say(Added, true, nil, nil, "%s now needs a body.", o.at)
		return
	case a == nil:
		o.say(Added, false, nil, nil, "%s now takes a body.", o.at)
		return
	case b == nil:
		o.say(Removed, true, nil, nil, "%s no longer takes a body.", o.at)
		return
	}
	if !yes(a["required"]) && yes(b["required"]) {
		o.say(Changed, true, nil, nil, "%s now needs a body, which could be left out before.", o.at)
	}
	before, after := object(a["content"]), object(b["content"])
	for _, media := range names(before, after) {
		switch {
		case before[media] == nil:
			o.say(Added, false, nil, media, "%s now takes a body of type %s.", o.at, media)
		case after[media] == nil:
			o.say(Removed, true, media, nil, "%s no longer takes a body of type %s.", o.at, media)
		default:
			o.schema("the body of "+o.at, object(before[media])["schema"], object(after[media])["schema"], request, 0)
		}
	}
}

func (o *operationDiff) responses(before, after map[string]any) {
	for _, status := range names(before, after) {
		old, now := o.before.follow(before[status]), o.after.follow(after[status])
		switch {
		case before[status] == nil:
			o.say(Added, false, nil, status, "%s may now answer %s.", o.at, status)
			continue
		case after[status] == nil:
			o.say(Removed, strings.HasPrefix(status, "2"), status, nil, "%s no longer answers %s.", o.at, status)
			continue
		}
		a, b := object(old["content"]), object(now["content"])
		for _, media := range names(a, b) {
			switch {
			case a[media] == nil:
				o.say(Added, false, nil, media, "%s may now answer %s as %s.", o.at, status, media)
			case b[media] == nil:
				o.say(Removed, true, media, nil, "%s no longer answers %s as %s.", o.at, status, media)
			default:
				o.schema("the answer "+status+" of "+o.at, object(a[media])["schema"], object(b[media])["schema"], response, 0)
			}
		}
	}
}

// schema compares two schemas. References to the same name are equal here: the
// named schemas are compared once, by themselves.
func (o *operationDiff) schema(what string, a, b any, dir direction, depth int) {
	old, now := object(a), object(b)
	if depth > deepest || old == nil || now == nil {
		return
	}
	if refA, refB := str(old["$ref"]), str(now["$ref"]); refA != "" || refB != "" {
		if refA == refB {
			return
		}
		old, now = o.before.follow(old), o.after.follow(now)
	}
	if t, u := old["type"], now["type"]; text(t) != text(u) && t != nil && u != nil {
		o.say(Changed, true, t, u, "%s is now of type %s, and no longer of type %s.", capital(what), plain(u), plain(t))
		return
	}
	o.values(what, old, now, dir)
	o.bounds(what, old, now, dir)
	o.properties(what, old, now, dir, depth)
	o.schema("each element of "+what, old["items"], now["items"], dir, depth+1)
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		x, y := list(old[k]), list(now[k])
		for i := range min(len(x), len(y)) {
			o.schema(what, x[i], y[i], dir, depth+1)
		}
		if len(x) != len(y) {
			o.say(Changed, false, nil, nil, "%s is put together of other parts (%s).", capital(what), k)
		}
	}
}

func (o *operationDiff) values(what string, old, now map[string]any, dir direction) {
	x, y := list(old["enum"]), list(now["enum"])
	if x == nil && y == nil {
		return
	}
	if x == nil {
		o.say(Changed, dir&request != 0, nil, y, "%s is now one of %s only.", capital(what), text(y))
		return
	}
	if y == nil {
		o.say(Changed, false, x, nil, "%s is no longer limited to certain values.", capital(what))
		return
	}
	has := func(l []any, v any) bool {
		return slices.ContainsFunc(l, func(e any) bool { return text(e) == text(v) })
	}
	for _, v := range x {
		if !has(y, v) {
			o.say(Removed, dir&request != 0, v, nil, "%s can no longer be %s.", capital(what), plain(v))
		}
	}
	for _, v := range y {
		if !has(x, v) {
			o.say(Added, false, nil, v, "%s can now be %s, too.", capital(what), plain(v))
		}
	}
}

func (o *operationDiff) bounds(what string, old, now map[string]any, dir direction) {
	for _, k := range []string{"maxLength", "maximum", "maxItems", "minLength", "minimum", "minItems"} {
		x, had := old[k].(float64)
		y, has := now[k].(float64)
		upper := strings.HasPrefix(k, "max")
		if had == has && x == y {
			continue
		}
		tighter := has && (!had || upper && y < x || !upper && y > x)
		o.say(Changed, tighter && dir&request != 0, old[k], now[k], "The %s of %s changes from %s to %s.", k, what, bound(old[k]), bound(now[k]))
	}
	for _, k := range []string{"pattern", "format"} {
		if x, y := str(old[k]), str(now[k]); x != y {
			o.say(Changed, k == "pattern" && y != "" && dir&request != 0, x, y, "The %s of %s changes.", k, what)
		}
	}
}

func bound(v any) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprint(v)
}

func (o *operationDiff) properties(what string, old, now map[string]any, dir direction, depth int) {
	before, after := object(old["properties"]), object(now["properties"])
	needed := func(m map[string]any, name string) bool {
		return slices.ContainsFunc(list(m["required"]), func(e any) bool { return str(e) == name })
	}
	for _, name := range names(before, after) {
		was, is := needed(old, name), needed(now, name)
		switch {
		case before[name] == nil && is && dir&request != 0:
			o.say(Added, true, nil, nil, "%s has the new field %q, which callers have to send.", capital(what), name)
		case before[name] == nil:
			o.say(Added, false, nil, nil, "%s has the new field %q.", capital(what), name)
		case after[name] == nil:
			o.say(Removed, dir&response != 0, nil, nil, "%s no longer has the field %q.", capital(what), name)
		default:
			switch {
			case !was && is && dir&request != 0:
				o.say(Changed, true, nil, nil, "%s now needs the field %q.", capital(what), name)
			case was && !is && dir&response != 0:
				o.say(Changed, true, nil, nil, "%s may now come without the field %q.", capital(what), name)
			}
			o.schema("the field "+name+" of "+what, before[name], after[name], dir, depth+1)
		}
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
