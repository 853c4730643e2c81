package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// MaxViolations is how many violations are reported at most.
const MaxViolations = 50

// Check returns what is wrong with a value, which holds numbers as
// [encoding/json.Number]: JSON pointers below at, and rules. No detail repeats
// the value.
func (c *Checker) Check(value any, at string) []problem.Field {
	if c == nil {
		return nil
	}
	err := c.schema.Validate(value)
	if err == nil {
		return nil
	}
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return []problem.Field{{Pointer: at, Code: "invalid", Detail: "the value cannot be checked"}}
	}
	return violations(v, c.variant, at, nil)
}

// violations appends the innermost violations. Of alternatives (anyOf, oneOf)
// only is said that none fits: why each does not would be misleading.
func violations(v *jsonschema.ValidationError, in *variant, at string, out []problem.Field) []problem.Field {
	if len(out) >= MaxViolations {
		return out
	}
	switch v.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not, *kind.Contains, *kind.MinContains, *kind.MaxContains, *kind.PropertyNames:
	default:
		if len(v.Causes) > 0 {
			for _, c := range v.Causes {
				out = violations(c, in, at, out)
			}
			return out
		}
	}
	pointer := at
	for _, t := range v.InstanceLocation {
		pointer += "/" + escape(t)
	}
	add := func(pointer, rule, format string, args ...any) {
		if len(out) < MaxViolations {
			out = append(out, problem.Field{Pointer: pointer, Code: rule, Detail: fmt.Sprintf(format, args...)})
		}
	}
	switch k := v.ErrorKind.(type) {
	case *kind.Required:
		for _, n := range k.Missing {
			add(pointer+"/"+escape(n), "required", "it is missing")
		}
	case *kind.AdditionalProperties:
		for _, n := range k.Properties {
			add(pointer+"/"+escape(n), "additionalProperties", "there is no property of that name")
		}
	case *kind.FalseSchema:
		if in != nil && in.marks(v.SchemaURL) {
			add(pointer, in.flag, "the property is %s and must not be here", in.flag)
		} else {
			add(pointer, "false", "nothing is allowed here")
		}
	default:
		rule, detail := describe(v.ErrorKind)
		add(pointer, rule, "%s", detail)
	}
	return out
}

// marks reports whether the schema at an address is one that forbid has put in
// place of a flagged property.
func (v *variant) marks(address string) bool {
	_, place, _ := strings.Cut(address, "#/$defs/")
	if u, err := url.PathUnescape(place); err == nil {
		place = u
	}
	token, below, ok := strings.Cut(place, "/")
	if !ok {
		return false
	}
	original, err := v.d.at(unescape(token) + "/" + below)
	return err == nil && v.has(original)
}

// describe says which rule is broken and what was expected.
func describe(k jsonschema.ErrorKind) (rule, detail string) {
	switch k := k.(type) {
	case *kind.Type:
		return "type", "want " + strings.Join(k.Want, " or ") + ", not " + k.Got
	case *kind.Enum:
		return "enum", "want one of " + values(k.Want)
	case *kind.Const:
		return "const", "want " + values([]any{k.Want})
	case *kind.Format:
		return "format", "it is not of the format " + k.Want
	case *kind.Pattern:
		return "pattern", "it does not match " + k.Want
	case *kind.MinLength:
		return "minLength", fmt.Sprintf("want at least %d characters", k.Want)
	case *kind.MaxLength:
		return "maxLength", fmt.Sprintf("want at most %d characters", k.Want)
	case *kind.MinItems:
		return "minItems", fmt.Sprintf("want at least %d items", k.Want)
	case *kind.MaxItems:
		return "maxItems", fmt.Sprintf("want at most %d items", k.Want)
	case *kind.MinProperties:
		return "minProperties", fmt.Sprintf("want at least %d properties", k.Want)
	case *kind.MaxProperties:
		return "maxProperties", fmt.Sprintf("want at most %d properties", k.Want)
	case *kind.UniqueItems:
		return "uniqueItems", fmt.Sprintf("items %d and %d are the same", k.Duplicates[0], k.Duplicates[1])
	case *kind.AdditionalItems:
		return "additionalItems", "there are more items than expected"
	case *kind.Dependency:
		return "dependencies", "with " + k.Prop + " also give " + strings.Join(k.Missing, ", ")
	case *kind.DependentRequired:
		return "dependentRequired", "with " + k.Prop + " also give " + strings.Join(k.Missing, ", ")
	case *kind.PropertyNames:
		return "propertyNames", "a property has a name that is not allowed"
	case *kind.AnyOf:
		return "anyOf", "it fits none of the alternatives"
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return "oneOf", "it fits more than one of the alternatives"
		}
		return "oneOf", "it fits none of the alternatives"
	case *kind.Not:
		return "not", "it is what is not allowed"
	case *kind.Contains:
		return "contains", "no item is as one must be"
	case *kind.MinContains:
		return "minContains", fmt.Sprintf("want at least %d items of a kind", k.Want)
	case *kind.MaxContains:
		return "maxContains", fmt.Sprintf("want at most %d items of a kind", k.Want)
	}
	return number(k)
}

func number(k jsonschema.ErrorKind) (rule, detail string) {
	switch k := k.(type) {
	case *kind.Minimum:
		return "minimum", "want at least " + k.Want.RatString()
	case *kind.Maximum:
		return "maximum", "want at most " + k.Want.RatString()
	case *kind.ExclusiveMinimum:
		return "exclusiveMinimum", "want more than " + k.Want.RatString()
	case *kind.ExclusiveMaximum:
		return "exclusiveMaximum", "want less than " + k.Want.RatString()
	case *kind.MultipleOf:
		return "multipleOf", "want a multiple of " + k.Want.RatString()
	}
	return "invalid", "it does not match the schema"
}

func values(want []any) string {
	const most = 20
	var b strings.Builder
	for i, v := range want {
		if i == most {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}
