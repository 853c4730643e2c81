package httpx

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// fault says what is wrong with a text; "" for nothing. PostgreSQL keeps no NUL and
// nothing that is not UTF-8, MariaDB and SQLite keep both: a name must not depend on
// which of them there is, and what can be kept nowhere is the caller's mistake.
func fault(s string) string {
	switch {
	case strings.ContainsRune(s, 0):
		return "it holds a NUL character (U+0000), which no text may have"
	case !utf8.ValidString(s):
		return "it is not text in UTF-8"
	}
	return ""
}

// ofText refuses an address that holds what is no text. Of a query it names the
// parameters.
func ofText(u *url.URL) error {
	if why := fault(u.Path); why != "" {
		return problem.New(problem.CodeBadPath, "the path of the address is not right: %s", why)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil //nolint:nilerr // whoever reads the query says so
	}
	var fields []problem.Field
	for name, values := range query {
		why := fault(name)
		for _, v := range values {
			if why == "" {
				why = fault(v)
			}
		}
		if why != "" {
			fields = append(fields, problem.Field{Pointer: "/" + schema.Escape(strings.ToValidUTF8(name, "\ufffd")), Code: schema.RuleInvalid, Detail: why})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return problem.Invalid(summary(fields), fields...)
}

// faults returns what is no text of a body, where its schema has texts. What a schema
// leaves open, such as the settings of a policy, may hold any JSON.
func faults(s *openapi3.Schema, v any, at string, out map[string]problem.Field) {
	if s == nil {
		return
	}
	for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, r := range refs {
			faults(r.Value, v, at, out)
		}
	}
	switch v := v.(type) {
	case string:
		if why := fault(v); why != "" && (s.Type.Includes("string") || len(s.Enum) > 0) {
			out[at] = problem.Field{Pointer: at, Code: schema.RuleInvalid, Detail: why}
		}
	case []any:
		if s.Items != nil {
			for i, item := range v {
				faults(s.Items.Value, item, at+"/"+strconv.Itoa(i), out)
			}
		}
	case map[string]any:
		more := s.AdditionalProperties.Schema
		for name, value := range v {
			below := at + "/" + schema.Escape(name)
			switch p := s.Properties[name]; {
			case p != nil:
				faults(p.Value, value, below, out)
			case more != nil:
				if why := fault(name); why != "" {
					out[below] = problem.Field{Pointer: below, Code: schema.RuleInvalid, Detail: "its name: " + why}
				}
				faults(more.Value, value, below, out)
			}
		}
	}
}
