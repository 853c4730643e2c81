package httpx

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// document is an OpenAPI document, made ready for requests.
type document struct {
	base       string                // the path of its server, without a slash at the end
	operations map[string]*operation // by method and route of Echo
}

// access is who may call an operation.
type access int

const (
	public   access = iota // a token is not looked at
	optional               // a token that is sent must be valid
	signedIn
)

// operation is one operation, made ready. It keeps nothing of the document but
// what requests are held against.
type operation struct {
	id         string
	params     []*openapi3.Parameter // in path, query and header
	query      []string              // the names of those in the query
	anyQuery   bool                  // others may come as well
	access     access
	permission string   // "" = being signed in is enough
	anyOf      []string // permissions of which one is needed besides, if not empty
	inPerson   bool     // nobody does it as somebody else
	body       map[string]*openapi3.MediaType
	required   bool  // of the body
	limit      int64 // of the body in bytes; 0 = the server's
}

// permissionName is <kind>:<verb> in kebab-case.
var permissionName = regexp.MustCompile(`^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*$`)

func readDocument(raw []byte) (*document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	if err := doc.Validate(loader.Context, openapi3.DisableExamplesValidation()); err != nil {
		return nil, err
	}
	d := &document{operations: map[string]*operation{}}
	if len(doc.Servers) > 0 {
		u, err := url.Parse(doc.Servers[0].URL)
		if err != nil {
			return nil, fmt.Errorf("servers[0].url: %w", err)
		}
		d.base = strings.TrimRight(u.Path, "/")
	}
	var errs []error
	paths := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path]
		ops := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(ops)) {
			o, err := newOperation(doc, item, ops[method])
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", method, path, err))
				continue
			}
			d.operations[method+" "+d.base+route(path)] = o
		}
	}
	return d, errors.Join(errs...)
}

var template = regexp.MustCompile(`\{([^{}]+)\}`)

// route is a path template as generated code hands it to Echo.
func route(path string) string { return template.ReplaceAllString(path, ":$1") }

// anyOf reads a list of permissions.
func anyOf(said any) ([]string, error) {
	if said == nil {
		return nil, nil
	}
	list, ok := said.([]any)
	if !ok || len(list) == 0 {
		return nil, errors.New("it is no list")
	}
	var out []string
	for _, one := range list {
		name, _ := one.(string)
		if !permissionName.MatchString(name) {
			return nil, fmt.Errorf("%v is not <kind>:<verb>", one)
		}
		out = append(out, name)
	}
	return out, nil
}

func newOperation(doc *openapi3.T, item *openapi3.PathItem, op *openapi3.Operation) (*operation, error) {
	o := &operation{id: op.OperationID}
	if op.OperationID == "" {
		return nil, errors.New("it has no operationId")
	}
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	o.access = signedIn
	if len(security) == 0 {
		o.access = public
		if op.Security == nil {
			return nil, errors.New("it has no security: write security: [] where it is public")
		}
	}
	for _, one := range security {
		if len(one) == 0 {
			o.access = optional
			continue
		}
		for name := range one {
			scheme := doc.Components.SecuritySchemes[name]
			if scheme == nil || scheme.Value == nil || scheme.Value.Type != "http" || !strings.EqualFold(scheme.Value.Scheme, "bearer") {
				return nil, fmt.Errorf("security scheme %q is not of type http, scheme bearer", name)
			}
		}
	}
	permission, ok := op.Extensions["x-permission"].(string)
	switch {
	case o.access != signedIn && ok && permission != "none":
		return nil, fmt.Errorf("it is public, and has the x-permission %q", permission)
	case o.access == signedIn && !ok:
		return nil, errors.New("it has no x-permission: name one, or write none where being signed in is enough")
	case permission == "none":
	case ok && !permissionName.MatchString(permission):
		return nil, fmt.Errorf("x-permission %q is not <kind>:<verb>", permission)
	default:
		o.permission = permission
	}
	var err error
	if o.anyOf, err = anyOf(op.Extensions["x-permission-any"]); err != nil || o.permission != "" && o.anyOf != nil || o.access != signedIn && o.anyOf != nil {
		return nil, errors.New("x-permission-any is a list of permissions, of which one is needed, of an operation for who is signed in whose x-permission is none")
	}
	switch said, ok := op.Extensions["x-impersonation"]; {
	case ok && said != "none":
		return nil, fmt.Errorf("x-impersonation is %v: write none where nobody does it as somebody else, and else nothing", said)
	case ok:
		o.inPerson = true
	}
	o.anyQuery, _ = op.Extensions["x-any-query"].(bool)
	if limit, ok := op.Extensions["x-body-limit"]; ok {
		b, err := schema.ParseBytes(fmt.Sprint(limit))
		if err != nil {
			return nil, fmt.Errorf("x-body-limit: %w", err)
		}
		o.limit = int64(b)
	}
	o.parameters(item, op)
	if op.RequestBody != nil {
		o.body, o.required = op.RequestBody.Value.Content, op.RequestBody.Value.Required
	}
	return o, nil
}

func (o *operation) parameters(item *openapi3.PathItem, op *openapi3.Operation) {
	add := func(p *openapi3.Parameter) {
		if p.In == openapi3.ParameterInCookie {
			return // services take none
		}
		o.params = append(o.params, p)
		if p.In == openapi3.ParameterInQuery {
			o.query = append(o.query, p.Name)
		}
	}
	for _, ref := range op.Parameters {
		add(ref.Value)
	}
	for _, ref := range item.Parameters {
		if op.Parameters.GetByInAndName(ref.Value.In, ref.Value.Name) == nil {
			add(ref.Value)
		}
	}
}

func (d *document) protected() bool {
	for _, o := range d.operations {
		if o.access != public {
			return true
		}
	}
	return false
}

func (o *operation) takesBody(method string) bool {
	return o.body != nil && method != http.MethodGet && method != http.MethodHead
}
