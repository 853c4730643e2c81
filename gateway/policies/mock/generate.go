package mock

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
)

// generator makes values that match schemas, the same for the same seed.
type generator struct {
	document *openapi.Document
	random   *rand.Rand
	budget   int // values that may still be made
}

func newGenerator(d *openapi.Document, seed uint64, what string) *generator {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what)) // never fails
	return &generator{document: d, random: rand.New(rand.NewPCG(seed, h.Sum64())), budget: 10_000}
}

const (
	// shallow is up to which depth optional properties and items are made, deep
	// where even required ones end.
	shallow, deep = 5, 24
)

// value makes a value for a schema.
func (g *generator) value(node any, depth int) any {
	s, ok := g.document.Resolve(node).(map[string]any)
	if g.budget--; !ok || depth > deep || g.budget < 0 {
		return nil
	}
	s = g.merged(s, depth)
	for _, k := range []string{"const", "example", "default"} {
		if v, ok := s[k]; ok {
			return v
		}
	}
	for _, k := range []string{"examples", "enum"} {
		if list, ok := s[k].([]any); ok && len(list) > 0 {
			if k == "examples" {
				return list[0]
			}
			return list[g.random.IntN(len(list))]
		}
	}
	switch kind(s) {
	case "object":
		return g.object(s, depth)
	case "array":
		return g.array(s, depth)
	case "string":
		return g.text(s)
	case "integer", "number":
		return g.number(s)
	case "boolean":
		return g.random.IntN(2) == 1
	}
	return nil
}

// merged returns the schema with what allOf adds to it and one of the
// alternatives of oneOf and anyOf.
func (g *generator) merged(s map[string]any, depth int) map[string]any {
	if s["allOf"] == nil && s["oneOf"] == nil && s["anyOf"] == nil || depth > deep {
		return s
	}
	out := maps.Clone(s)
	for _, k := range []string{"allOf", "oneOf", "anyOf"} {
		list, _ := s[k].([]any)
		delete(out, k)
		if k != "allOf" && len(list) > 0 {
			list = list[g.random.IntN(len(list)):][:1]
		}
		for _, e := range list {
			if m, ok := g.document.Resolve(e).(map[string]any); ok {
				merge(out, g.merged(m, depth+1))
			}
		}
	}
	return out
}

func merge(out, more map[string]any) {
	for k, v := range more {
		switch k {
		case "properties":
			have, _ := out[k].(map[string]any)
			add, _ := v.(map[string]any)
			have = maps.Clone(have)
			if have == nil {
				have = map[string]any{}
			}
			maps.Copy(have, add)
			out[k] = have
		case "required":
			have, _ := out[k].([]any)
			add, _ := v.([]any)
			out[k] = append(slices.Clip(have), add...)
		default:
			if _, ok := out[k]; !ok {
				out[k] = v
			}
		}
	}
}

// kind returns the type of a schema; of several the first that is not null.
func kind(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		for _, e := range t {
			if name, _ := e.(string); name != "null" {
				return name
			}
		}
		return "null"
	}
	switch {
	case s["properties"] != nil, s["additionalProperties"] != nil, s["required"] != nil:
		return "object"
	case s["items"] != nil:
		return "array"
	case s["pattern"] != nil, s["format"] != nil, s["minLength"] != nil:
		return "string"
	case s["minimum"] != nil, s["maximum"] != nil:
		return "number"
	}
	return ""
}

func (g *generator) object(s map[string]any, depth int) any {
	required := map[string]bool{}
	list, _ := s["required"].([]any)
	for _, r := range list {
		name, _ := r.(string)
		required[name] = true
	}
	properties, _ := s["properties"].(map[string]any)
	o := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p, ok := g.document.Resolve(properties[name]).(map[string]any)
		if !ok || p["writeOnly"] == true || !required[name] && (depth >= shallow || p["deprecated"] == true) {
			continue
		}
		o[name] = g.value(p, depth+1)
	}
	others := s["additionalProperties"]
	for name := range required {
		if _, ok := o[name]; ok || name == "" || properties[name] != nil {
			continue
		}
		o[name] = g.value(others, depth+1)
	}
	if schema, ok := others.(map[string]any); ok {
		for i := len(o); i < max(int(whole(s["minProperties"], 0)), boolRank(len(o) == 0 && depth < shallow)); i++ {
			o["key"+strconv.Itoa(i+1)] = g.value(schema, depth+1)
		}
	}
	return o
}

func (g *generator) array(s map[string]any, depth int) any {
	least, most := whole(s["minItems"], 0), whole(s["maxItems"], 1<<20)
	n := least
	if depth < shallow {
		n = max(n, 1+int64(g.random.IntN(2)))
	}
	n = min(n, most, 100)
	prefix, _ := s["prefixItems"].([]any)
	list := []any{}
	seen := map[string]bool{}
	for tries := 0; int64(len(list)) < n && tries < 200; tries++ {
		item := s["items"]
		if len(list) < len(prefix) {
			item = prefix[len(list)]
		}
		v := g.value(item, depth+1)
		if s["uniqueItems"] == true {
			b, err := json.Marshal(v)
			if err != nil || seen[string(b)] {
				continue
			}
			seen[string(b)] = true
		}
		list = append(list, v)
	}
	return list
}

func (g *generator) number(s map[string]any) any {
	integer := kind(s) == "integer"
	low, high := float(s["minimum"], math.Inf(-1)), float(s["maximum"], math.Inf(1))
	step := float(s["multipleOf"], 0)
	unit := 0.01
	if integer {
		unit = 1
	}
	if step > 0 {
		unit = step
	}
	if v := float(s["exclusiveMinimum"], math.Inf(-1)); v >= low {
		low = math.Floor(v/unit)*unit + unit
	}
	if v := float(s["exclusiveMaximum"], math.Inf(1)); v <= high {
		high = math.Ceil(v/unit)*unit - unit
	}
	switch {
	case math.IsInf(low, -1) && math.IsInf(high, 1):
		low, high = 1, 1000
	case math.IsInf(low, -1):
		low = high - 1000
	case math.IsInf(high, 1):
		high = low + 1000
	}
	first, last := math.Ceil(low/unit-1e-9), math.Floor(high/unit+1e-9)
	n := first
	if last > first {
		n += math.Floor(g.random.Float64() * math.Min(last-first+1, 1<<52))
	}
	if v := n * unit; integer {
		return json.Number(strconv.FormatFloat(v, 'f', 0, 64))
	} else if step > 0 || unit < 1 {
		v = math.Round(v*1e6) / 1e6
		return json.Number(strconv.FormatFloat(math.Min(math.Max(v, low), high), 'f', -1, 64))
	}
	return json.Number(strconv.FormatFloat(n*unit, 'f', -1, 64))
}

var words = strings.Fields("amber birch cedar delta ember field grove haven inlet jetty knoll larch maple north ocean pearl quill ridge stone tulip umber vista willow yarrow zephyr")

func (g *generator) text(s map[string]any) string {
	format, _ := s["format"].(string)
	if v, ok := g.formatted(format); ok {
		return v
	}
	least, most := int(min(whole(s["minLength"], 0), 4096)), int(min(whole(s["maxLength"], 1<<20), 1<<20))
	if pattern, ok := s["pattern"].(string); ok {
		for range 20 {
			if v, ok := g.matching(pattern); ok && len(v) >= least && len(v) <= most {
				return v
			}
		}
	}
	v := words[g.random.IntN(len(words))]
	for len(v) < least {
		v += " " + words[g.random.IntN(len(words))]
	}
	if most < len(v) {
		v = v[:max(most, 0)]
	}
	return v
}

func whole(v any, otherwise int64) int64 {
	f := float(v, float64(otherwise))
	if f < 0 || f > 1<<31 {
		return otherwise
	}
	return int64(f)
}

func float(v any, otherwise float64) float64 {
	n, ok := v.(json.Number)
	if !ok {
		return otherwise
	}
	f, err := n.Float64()
	if err != nil {
		return otherwise
	}
	return f
}
