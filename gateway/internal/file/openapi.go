package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// methods are the keys of an OpenAPI path item that are operations (OpenAPI
// 3.1.0, section "Path Item Object").
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

var errNoPaths = errors.New("no paths: want an OpenAPI 3 or Swagger 2 document")

// document is what routing needs of an OpenAPI document. The document itself
// is kept whole for the policies that read more of it.
type document struct {
	json       unit.Raw
	operations []unit.Operation
}

// readDocument reads an OpenAPI document in YAML or JSON.
func readDocument(data []byte) (document, error) {
	var tree any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return document{}, err
	}
	raw, err := json.Marshal(jsonable(tree))
	if err != nil {
		return document{}, err
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil || doc.Paths == nil {
		return document{}, errors.Join(errNoPaths, err)
	}
	d := document{json: raw}
	for path, item := range doc.Paths {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		for _, m := range methods {
			op, ok := item[m]
			if !ok {
				continue
			}
			var o struct {
				OperationID string `json:"operationId"`
			}
			if err := json.Unmarshal(op, &o); err != nil {
				return document{}, fmt.Errorf("%s %s: %w", m, path, err)
			}
			method := strings.ToUpper(m)
			if o.OperationID == "" {
				o.OperationID = method + " " + path
			}
			d.operations = append(d.operations, unit.Operation{ID: o.OperationID, Method: method, Path: path})
		}
	}
	slices.SortFunc(d.operations, func(a, b unit.Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	return d, nil
}

// jsonable turns the keys that YAML reads as numbers or booleans, such as the
// status codes of responses, into text.
func jsonable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = jsonable(e)
		}
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[fmt.Sprint(k)] = jsonable(e)
		}
		return m
	case []any:
		for i, e := range v {
			v[i] = jsonable(e)
		}
	}
	return v
}
