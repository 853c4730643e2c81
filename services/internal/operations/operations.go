// Package operations reads what the services' OpenAPI documents describe, and makes
// requests out of it: for tests that walk all operations, under which new ones fall
// by themselves.
package operations

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// services is how many have a document.
const services = 6

// Operation is one operation of a service.
type Operation struct {
	// Service is whose it is, such as "policy-manager"; ID is its operationId.
	Service, ID string
	// Method and Path are as in the document.
	Method, Path string
	// Permission is the one without which it is refused; "" where being signed in is
	// enough, or less.
	Permission string
	// AnyPermission are those of which one is needed, where what is sent says which.
	AnyPermission []string
	// Public says that nobody has to be signed in.
	Public bool
	// Spec is the operation in the document, Item its path with the others there.
	Spec *openapi3.Operation
	Item *openapi3.PathItem
}

// Name is the service and the operationId, which is what tests name it by.
func (o Operation) Name() string { return o.Service + " " + o.ID }

// Writes reports whether it is no reading.
func (o Operation) Writes() bool { return o.Method != http.MethodGet && o.Method != http.MethodHead }

// TakesVersion reports whether it takes If-Match.
func (o Operation) TakesVersion() bool { return o.parameter("header", "If-Match") != nil }

// Paged reports whether it answers a list page by page.
func (o Operation) Paged() bool { return o.parameter("query", "cursor") != nil }

func (o Operation) parameter(in, name string) *openapi3.Parameter {
	for _, list := range []openapi3.Parameters{o.Spec.Parameters, o.Item.Parameters} {
		if p := list.GetByInAndName(in, name); p != nil {
			return p
		}
	}
	return nil
}

// Refusable reports whether it can be sent with what it refuses once it is known who
// calls: it must have a version, or something in its body.
func (o Operation) Refusable() bool {
	if p := o.parameter("header", "If-Match"); p != nil && p.Required {
		return true
	}
	if o.Spec.RequestBody == nil || !o.Spec.RequestBody.Value.Required {
		return false
	}
	for _, c := range o.Spec.RequestBody.Value.Content {
		if s := c.Schema.Value; len(s.Required) == 0 && s.MinProps == 0 {
			return false
		}
	}
	return true
}

// Read returns the operations of one document, openapi.yaml in the folder of its
// service, in the order of their paths.
func Read(file string) ([]Operation, error) {
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var out []Operation
	paths := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		ops := paths[path].Operations()
		for _, method := range slices.Sorted(maps.Keys(ops)) {
			op := ops[method]
			o := Operation{
				Service: filepath.Base(folder), ID: op.OperationID, Method: method, Path: path, Spec: op, Item: paths[path],
				Public: op.Security != nil && len(*op.Security) == 0,
			}
			if permission, _ := op.Extensions["x-permission"].(string); permission != "none" {
				o.Permission = permission
			}
			if list, ok := op.Extensions["x-permission-any"].([]any); ok {
				for _, one := range list {
					o.AnyPermission = append(o.AnyPermission, fmt.Sprint(one))
				}
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// Every returns the operations of all services, whose folders are in a folder.
func Every(folder string) ([]Operation, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "openapi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("looking for documents: %w", err)
	}
	if len(files) != services {
		return nil, fmt.Errorf("%d services in %s have a document, and not %d: %s", len(files), folder, services, strings.Join(files, ", "))
	}
	var out []Operation
	for _, f := range files {
		of, err := Read(f)
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// Public returns those that anybody may call.
func Public(all []Operation) []Operation {
	return slices.DeleteFunc(slices.Clone(all), func(o Operation) bool { return !o.Public })
}
