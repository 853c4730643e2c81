package document

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

// maxChecked is the longest document that is checked whole. Longer ones are
// taken as they are.
const maxChecked = 4 << 20

// convert makes OpenAPI 3 of Swagger 2.
func convert(root map[string]any) (out map[string]any, err error) {
	defer func() {
		// The converter was written for documents that are right.
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("the Swagger 2 document cannot be converted: %v", r)
		}
	}()
	if _, ok := root["paths"].(map[string]any); !ok {
		return nil, errPaths
	}
	raw, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("the Swagger 2 document cannot be converted: %w", err)
	}
	var old openapi2.T
	if err := json.Unmarshal(raw, &old); err != nil {
		return nil, fmt.Errorf("the Swagger 2 document cannot be read: %w", err)
	}
	converted, err := openapi2conv.ToV3(&old)
	if err != nil {
		return nil, fmt.Errorf("the Swagger 2 document cannot be converted: %w", err)
	}
	if raw, err = json.Marshal(converted); err != nil {
		return nil, fmt.Errorf("the Swagger 2 document cannot be converted: %w", err)
	}
	tree, err := decodeJSON(raw)
	if err != nil {
		return nil, err
	}
	out, ok := tree.(map[string]any)
	if !ok {
		return nil, errObject
	}
	return out, nil
}

// look finds what somebody should know of a document that can be used.
func (d *Document) look(root map[string]any) {
	if strings.HasPrefix(d.Format, "swagger") {
		d.warn("converted", "", "the document is Swagger 2: it was converted to OpenAPI 3, which is what is kept and shown")
	}
	if d.Title == "" {
		d.warn("no-title", "/info/title", "the document has no title: give the API a name")
	}
	if len(d.Servers) > 1 {
		d.warn("servers", "/servers", "the document names %d servers: the first is used as the upstream", len(d.Servers))
	}
	paths, _ := root["paths"].(map[string]any)
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[p].(map[string]any)
		if item["servers"] != nil {
			d.warn("path-servers", "/paths/"+escape(p)+"/servers", "%s has servers of its own, which are not used: give the API another upstream for it", p)
		}
	}
	if hooks, _ := root["webhooks"].(map[string]any); len(hooks) > 0 {
		d.warn("webhooks", "/webhooks", "the document describes %s, which the API sends and no gateway routes", count(len(hooks), "webhook", "webhooks"))
	}
	if ref := outside(root, ""); ref != "" {
		d.warn("external-reference", ref, "the document refers to other documents, which are not fetched: policies that check contents will not know what is there. Put all into one document")
	}
	if strings.HasPrefix(text(root["openapi"]), "3.0") && len(d.JSON) <= maxChecked {
		if err := d.check(); err != nil {
			d.warn("invalid", "", "the document is not quite right: %s", err)
		}
	}
}

// outside returns the pointer of the first reference to another document.
func outside(v any, at string) string {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
			return at + "/$ref"
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k == "example" || k == "examples" || k == "default" || k == "enum" {
				continue
			}
			if found := outside(v[k], at+"/"+escape(k)); found != "" {
				return found
			}
		}
	case []any:
		for i, e := range v {
			if found := outside(e, fmt.Sprintf("%s/%d", at, i)); found != "" {
				return found
			}
		}
	}
	return ""
}

var spaces = regexp.MustCompile(`\s+`)

// check has a document of version 3.0 checked whole.
func (d *Document) check() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("checking it broke off: %v", r)
		}
	}()
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	doc, err := loader.LoadFromData(d.JSON)
	if err == nil {
		err = doc.Validate(context.Background(), openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
	}
	if err == nil {
		return nil
	}
	line, _, _ := strings.Cut(err.Error(), "\nSchema:")
	return fmt.Errorf("%s", cut(spaces.ReplaceAllString(line, " "), 300))
}
