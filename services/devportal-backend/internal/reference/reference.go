// Package reference digests an OpenAPI document (3.0, 3.1 or Swagger 2.0) into
// what readers of a reference need: one page an operation, with references
// resolved, schemas as trees that end, and examples where the document has
// none. It is done once, when a document arrives, and does no I/O: references to
// other files are not followed. It knows nothing of who may read the pages.
package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
)

// Form is raised when the digest of a document is another one than before, so
// that what was kept is made anew.
const Form = 1

// Digest is what came of a document.
type Digest struct {
	Overview   Overview
	Operations []Operation
	// Search is the text by which the API is found, in lower case, without that of
	// its operations.
	Search string
}

// Overview is what a document says of the API as a whole.
type Overview struct {
	Title          string   `json:"title,omitempty"`
	Version        string   `json:"version,omitempty"`
	Description    string   `json:"description,omitempty"`
	TermsOfService string   `json:"termsOfService,omitempty"`
	Contact        *Contact `json:"contact,omitempty"`
	License        *Link    `json:"license,omitempty"`
	ExternalDocs   *Link    `json:"externalDocs,omitempty"`
	Groups         []Group  `json:"groups"`
}

// Contact is whom to ask.
type Contact struct {
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
}

// Link points elsewhere.
type Link struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Group is the operations that have the same first tag.
type Group struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Operations  []Brief `json:"operations"`
}

// Brief is an operation in a list.
type Brief struct {
	ID         string `json:"id"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Summary    string `json:"summary"`
	Deprecated bool   `json:"deprecated"`
}

// Operation is one operation with its page.
type Operation struct {
	Brief
	// Search is the text by which it is found, in lower case.
	Search string
	// Page is all that is documented of it: an OperationPage of openapi.yaml.
	Page json.RawMessage
}

const (
	maxOperations = 10_000
	maxSearch     = 4_000
	maxText       = 20_000
)

// methods of a path item (OpenAPI 3.1 section 4.8.9).
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// ErrForm says that a document is not an OpenAPI document of a known version.
var ErrForm = errors.New("it is not an OpenAPI document of version 3.0, 3.1 or 2.0")

// Make digests a document, which is JSON. What is broken within it, such as a
// reference to nothing, is left out; only what is no OpenAPI document at all is
// an error.
func Make(document []byte) (*Digest, error) {
	root, err := decode(document)
	if err != nil {
		return nil, fmt.Errorf("digesting the document: %w", err)
	}
	if strings.HasPrefix(root.text("swagger"), "2.") {
		if root, err = fromSwagger(document); err != nil {
			return nil, fmt.Errorf("digesting the document: %w", err)
		}
	}
	if !strings.HasPrefix(root.text("openapi"), "3.") {
		return nil, fmt.Errorf("digesting the document: %w", ErrForm)
	}
	w := &walker{root: root}
	return w.digest()
}

func fromSwagger(document []byte) (*object, error) {
	var old openapi2.T
	if err := json.Unmarshal(document, &old); err != nil {
		return nil, err
	}
	v3, err := openapi2conv.ToV3(&old)
	if err != nil {
		return nil, err
	}
	raw, err := v3.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return decode(raw)
}

// walker digests one document.
type walker struct {
	root *object
	// names are the schemas that the operation at hand refers to.
	names map[string]bool
	// bodies are the trees of its bodies' schemas, by reference.
	bodies map[string]*Node
}

func (w *walker) digest() (*Digest, error) {
	info := w.root.object("info")
	d := &Digest{Overview: Overview{
		Title: info.text("title"), Version: info.text("version"),
		Description: clip(info.text("description")), TermsOfService: info.text("termsOfService"),
		License: link(info.object("license"), "name"), ExternalDocs: link(w.root.object("externalDocs"), "description"),
	}}
	if c := info.object("contact"); c != nil {
		d.Overview.Contact = &Contact{Name: c.text("name"), URL: web(c.text("url")), Email: c.text("email")}
	}
	if d.Overview.Description == "" {
		d.Overview.Description = info.text("summary") // 3.1
	}
	groups := newGroups(w.root.list("tags"))
	seen := map[string]bool{}
	paths := w.root.object("paths")
	for _, path := range paths.names() {
		item := w.deref(paths.object(path))
		for _, method := range item.names() {
			op := item.object(method)
			if op == nil || !slices.Contains(methods, method) {
				continue
			}
			if len(d.Operations) == maxOperations {
				return nil, fmt.Errorf("digesting the document: it has more than %d operations", maxOperations)
			}
			o, tag, err := w.operation(method, path, item, op)
			if err != nil {
				return nil, err
			}
			if seen[o.ID] { // operation ids must be unique (OpenAPI 3.1 section 4.8.10)
				continue
			}
			seen[o.ID] = true
			d.Operations = append(d.Operations, o)
			groups.add(tag, o.Brief)
		}
	}
	d.Overview.Groups = groups.list()
	tags := make([]string, 0, len(d.Overview.Groups))
	for _, g := range d.Overview.Groups {
		tags = append(tags, g.Name)
	}
	d.Search = searchable(d.Overview.Title, d.Overview.Description, strings.Join(tags, " "))
	return d, nil
}

// groups collects operations by tag, in the order of the document's tags.
type groups struct {
	order  []string
	byName map[string]*Group
}

func newGroups(tags []any) *groups {
	g := &groups{byName: map[string]*Group{}}
	for _, t := range tags {
		if o, ok := t.(*object); ok {
			g.get(o.text("name")).Description = clip(o.text("description"))
		}
	}
	return g
}

func (g *groups) get(name string) *Group {
	if g.byName[name] == nil {
		g.byName[name] = &Group{Name: name, Operations: []Brief{}}
		g.order = append(g.order, name)
	}
	return g.byName[name]
}

func (g *groups) add(tag string, b Brief) {
	group := g.get(tag)
	group.Operations = append(group.Operations, b)
}

// list returns the groups that have operations, the untagged ones last.
func (g *groups) list() []Group {
	out := []Group{}
	for _, name := range g.order {
		if group := g.byName[name]; name != "" && len(group.Operations) > 0 {
			out = append(out, *group)
		}
	}
	if rest := g.byName[""]; rest != nil && len(rest.Operations) > 0 {
		out = append(out, *rest)
	}
	return out
}

func link(o *object, name string) *Link {
	if o == nil {
		return nil
	}
	l := &Link{Name: o.text(name), URL: web(o.text("url"))}
	if *l == (Link{}) {
		return nil
	}
	return l
}

// web returns an address that a page may link to, else nothing: a document is
// not to bring scripts along.
func web(address string) string {
	lower := strings.ToLower(strings.TrimSpace(address))
	if strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://") {
		return strings.TrimSpace(address)
	}
	return ""
}

// clip bounds a text, at the end of a character.
func clip(s string) string { return clipTo(s, maxText) }

func clipTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

func searchable(parts ...string) string {
	return clipTo(strings.ToLower(strings.Join(strings.Fields(strings.Join(parts, " ")), " ")), maxSearch)
}
