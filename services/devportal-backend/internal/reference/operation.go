package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// page is an OperationPage of openapi.yaml.
type page struct {
	Brief
	Description  string      `json:"description"`
	Tags         []string    `json:"tags"`
	ExternalDocs *Link       `json:"externalDocs,omitempty"`
	Security     []choice    `json:"security"`
	Parameters   []parameter `json:"parameters"`
	RequestBody  *body       `json:"requestBody,omitempty"`
	Responses    []response  `json:"responses"`
	Sample       sample      `json:"sample"`
	// Schemas are those of bodies that occur more than once.
	Schemas map[string]*Node `json:"schemas,omitempty"`
}

type choice struct {
	Schemes []scheme `json:"schemes"`
}

type scheme struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	In          string   `json:"in,omitempty"`
	Parameter   string   `json:"parameter,omitempty"`
	Scheme      string   `json:"scheme,omitempty"`
	Description string   `json:"description,omitempty"`
	Scopes      []string `json:"scopes,omitempty"`
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Required    bool   `json:"required"`
	Deprecated  bool   `json:"deprecated"`
	Description string `json:"description"`
	Schema      *Node  `json:"schema"`
	Example     any    `json:"example,omitempty"`

	explode bool
}

type body struct {
	Required    bool      `json:"required"`
	Description string    `json:"description"`
	Contents    []content `json:"contents"`
}

type content struct {
	MediaType string     `json:"mediaType"`
	Schema    *Node      `json:"schema,omitempty"`
	Examples  []Exampled `json:"examples"`
}

// Exampled is one example of a body.
type Exampled struct {
	Name      string `json:"name"`
	Summary   string `json:"summary,omitempty"`
	Value     any    `json:"value,omitempty"`
	Generated bool   `json:"generated"`
}

type response struct {
	Status      string      `json:"status"`
	Description string      `json:"description"`
	Headers     []parameter `json:"headers"`
	Contents    []content   `json:"contents"`
}

func (w *walker) operation(method, path string, item, op *object) (Operation, string, error) {
	w.names, w.bodies = map[string]bool{}, map[string]*Node{}
	p := page{
		Brief:        Brief{ID: op.text("operationId"), Method: strings.ToUpper(method), Path: path, Deprecated: op.flag("deprecated")},
		Description:  clip(op.text("description")),
		Tags:         append([]string{}, op.texts("tags")...),
		ExternalDocs: link(op.object("externalDocs"), "description"),
		Security:     w.security(op),
		Parameters:   w.parameters(item, op),
		RequestBody:  w.requestBody(op),
		Responses:    w.responses(op.object("responses")),
	}
	if p.ID == "" {
		p.ID = p.Method + " " + path // as gateways name it
	}
	p.Summary = summaryOf(op, p)
	p.Sample = makeSample(p)
	p.share()
	raw, err := json.Marshal(p)
	if err != nil {
		return Operation{}, "", fmt.Errorf("digesting operation %s: %w", p.ID, err)
	}
	words := []string{p.ID, p.Method, path, p.Summary, clipTo(p.Description, 1500), strings.Join(p.Tags, " ")}
	for _, param := range p.Parameters {
		words = append(words, param.Name)
	}
	words = append(words, slices.Sorted(maps.Keys(w.names))...)
	tag := ""
	if len(p.Tags) > 0 {
		tag = p.Tags[0]
	}
	return Operation{Brief: p.Brief, Search: searchable(words...), Page: raw}, tag, nil
}

// share puts the schemas that several bodies have into one place: an answer is
// often the same under four statuses and in three media types.
func (p *page) share() {
	var all []*content
	if p.RequestBody != nil {
		for i := range p.RequestBody.Contents {
			all = append(all, &p.RequestBody.Contents[i])
		}
	}
	for i := range p.Responses {
		for j := range p.Responses[i].Contents {
			all = append(all, &p.Responses[i].Contents[j])
		}
	}
	uses := map[*Node]int{}
	for _, c := range all {
		if c.Schema != nil && c.Schema.Ref != "" && len(c.Schema.Properties) > 0 {
			uses[c.Schema]++
		}
	}
	for _, c := range all {
		n := c.Schema
		if uses[n] < 2 || p.Schemas[n.Ref] != nil && p.Schemas[n.Ref] != n {
			continue
		}
		if p.Schemas == nil {
			p.Schemas = map[string]*Node{}
		}
		p.Schemas[n.Ref] = n
		c.Schema = &Node{Ref: n.Ref, Types: n.Types, Shared: true}
	}
}

// summaryOf is the operation's summary, or what comes nearest to one.
func summaryOf(op *object, p page) string {
	if s := strings.TrimSpace(op.text("summary")); s != "" {
		return clipTo(s, 300)
	}
	if first := FirstSentence(p.Description, 120); first != "" {
		return first
	}
	if id := op.text("operationId"); id != "" {
		return humanized(id)
	}
	return p.Method + " " + p.Path
}

// humanized makes words of an identifier: "listOpenOrders" is "List open orders".
func humanized(id string) string {
	var b strings.Builder
	lower := false
	for i, r := range id {
		switch {
		case r == '_' || r == '-' || r == '.' || r == '/':
			b.WriteByte(' ')
			lower = false
		case unicode.IsUpper(r) && lower:
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(r))
			lower = false
		case i == 0:
			b.WriteRune(unicode.ToUpper(r))
			lower = true
		default:
			b.WriteRune(r)
			lower = !unicode.IsUpper(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// FirstSentence returns the beginning of a Markdown text as plain words, at most
// so many bytes of it.
func FirstSentence(text string, most int) string {
	text = strings.TrimSpace(text)
	if i := strings.Index(text, "\n\n"); i > 0 {
		text = text[:i]
	}
	text = strings.Join(strings.Fields(strings.TrimLeft(text, "#>*- \t")), " ")
	if i := strings.Index(text, ". "); i > 0 {
		text = text[:i+1]
	}
	if len(text) > most {
		text = clipTo(text, most)
		if i := strings.LastIndexByte(text, ' '); i > most/2 {
			text = text[:i]
		}
		text += "…"
	}
	return text
}

// parameters are those of the operation, before those of its path.
func (w *walker) parameters(item, op *object) []parameter {
	out := []parameter{}
	seen := map[string]bool{}
	for _, list := range [][]any{op.list("parameters"), item.list("parameters")} {
		for _, v := range list {
			raw, _ := v.(*object)
			o := w.deref(raw)
			key := o.text("in") + " " + o.text("name")
			if o == nil || o.text("name") == "" || seen[key] {
				continue
			}
			seen[key] = true
			out = append(out, w.parameter(o, o.text("name"), o.text("in")))
		}
	}
	places := []string{"path", "query", "header", "cookie"}
	slices.SortStableFunc(out, func(a, b parameter) int {
		if d := slices.Index(places, a.In) - slices.Index(places, b.In); d != 0 {
			return d
		}
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		default:
			return 1
		}
	})
	return out
}

func (w *walker) parameter(o *object, name, in string) parameter {
	p := parameter{
		Name: name, In: in, Required: o.flag("required") || in == "path", Deprecated: o.flag("deprecated"),
		Description: clip(o.text("description")), explode: in == "query",
	}
	if v, ok := o.get("explode").(bool); ok {
		p.explode = v
	}
	schema := o.get("schema")
	if c := o.object("content"); schema == nil && len(c.names()) > 0 {
		schema = c.object(c.names()[0]).get("schema")
	}
	if p.Schema = w.schema(schema); p.Schema == nil {
		p.Schema = &Node{}
	}
	if p.Description == "" {
		p.Description = p.Schema.Description
	}
	p.Example = o.get("example")
	if named := o.object("examples"); p.Example == nil && len(named.names()) > 0 {
		p.Example = w.deref(named.object(named.names()[0])).get("value")
	}
	if p.Example == nil {
		p.Example = exampleOf(p.Schema, sending)
	}
	return p
}

func (w *walker) requestBody(op *object) *body {
	o := w.deref(op.object("requestBody"))
	if o == nil {
		return nil
	}
	return &body{Required: o.flag("required"), Description: clip(o.text("description")), Contents: w.contents(o.object("content"), sending)}
}

func (w *walker) contents(o *object, way direction) []content {
	out := []content{}
	made := map[*Node]bool{} // of which there is an example already
	for _, mediaType := range o.names() {
		m := o.object(mediaType)
		c := content{MediaType: mediaType, Schema: w.body(m.get("schema")), Examples: []Exampled{}}
		if m.has("example") {
			c.Examples = append(c.Examples, Exampled{Name: "example", Value: m.get("example")})
		}
		named := m.object("examples")
		for _, name := range named.names() {
			e := w.deref(named.object(name))
			if e.has("value") {
				c.Examples = append(c.Examples, Exampled{Name: name, Summary: clipTo(e.text("summary"), 300), Value: e.get("value")})
			}
		}
		if len(c.Examples) == 0 && c.Schema != nil && generates(mediaType) && !made[c.Schema] {
			made[c.Schema] = true
			if v := exampleOf(c.Schema, way); v != nil {
				c.Examples = append(c.Examples, Exampled{Name: "example", Value: v, Generated: true})
			}
		}
		out = append(out, c)
	}
	// JSON is what most readers want to see first.
	slices.SortStableFunc(out, func(a, b content) int {
		switch x, y := isJSON(a.MediaType), isJSON(b.MediaType); {
		case x == y:
			return 0
		case x:
			return -1
		default:
			return 1
		}
	})
	return out
}

// body returns the tree of a body's schema, the same one for the same reference.
func (w *walker) body(v any) *Node {
	o, _ := v.(*object)
	ref := o.text("$ref")
	if ref == "" || len(o.names()) > 1 {
		return w.schema(v)
	}
	if w.bodies[ref] == nil {
		w.bodies[ref] = w.schema(v)
	}
	return w.bodies[ref]
}

func isJSON(mediaType string) bool {
	m, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	m = strings.TrimSpace(m)
	return m == "application/json" || strings.HasSuffix(m, "+json")
}

// generates reports whether an example of a schema is one of the media type.
func generates(mediaType string) bool {
	m := strings.ToLower(mediaType)
	return isJSON(m) || strings.HasPrefix(m, "application/x-www-form-urlencoded") || strings.HasPrefix(m, "multipart/") || strings.HasPrefix(m, "text/plain") || m == "*/*"
}

func (w *walker) responses(o *object) []response {
	out := []response{}
	for _, status := range o.names() {
		r := w.deref(o.object(status))
		if r == nil {
			continue
		}
		one := response{Status: status, Description: clip(r.text("description")), Headers: []parameter{}, Contents: w.contents(r.object("content"), receiving)}
		headers := r.object("headers")
		for _, name := range headers.names() {
			if h := w.deref(headers.object(name)); h != nil {
				one.Headers = append(one.Headers, w.parameter(h, name, "header"))
			}
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b response) int { return strings.Compare(a.Status, b.Status) }) // digits come before "default"
	return out
}

// security is what the operation asks for, or else the document.
func (w *walker) security(op *object) []choice {
	list := op.list("security")
	if !op.has("security") {
		list = w.root.list("security")
	}
	schemes := w.root.object("components").object("securitySchemes")
	out := []choice{}
	for _, v := range list {
		o, ok := v.(*object)
		if !ok {
			continue
		}
		c := choice{Schemes: []scheme{}}
		for _, name := range o.names() {
			s := w.deref(schemes.object(name))
			if s == nil {
				continue
			}
			c.Schemes = append(c.Schemes, scheme{
				Name: name, Type: s.text("type"), In: s.text("in"), Parameter: s.text("name"),
				Scheme: s.text("scheme"), Description: clipTo(s.text("description"), 2000), Scopes: o.texts(name),
			})
		}
		out = append(out, c)
	}
	return out
}
