package httpx

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// expects is the extension of a schema that says to people what its pattern takes.
const expects = "x-expects"

// patterns say what the patterns take that are used in many places.
var patterns = map[string]string{
	`\S`:                                   "write something that is not blank",
	`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`: "use a to z, 0 to 9 and hyphens, 63 at most, and neither begin nor end with a hyphen",
	`^[^@\s\p{C}<>()\[\]\\,;:"]+@[^@\s\p{C}<>()\[\]\\,;:"]+$`: "write an e-mail address, such as name@example.com",
	`^[\x21-\x7e]+$`:                "use letters, digits and signs of ASCII alone, and no spaces",
	`^[\x21\x23-\x5b\x5d-\x7e]+$`:   "use letters, digits and signs of ASCII alone, and no spaces, quotation marks or backslashes",
	`^[!#-\[\]-~]{1,120}$`:          "use letters, digits and signs of ASCII alone, and no spaces, quotation marks or backslashes",
	`^[A-Za-z0-9_-]+$`:              "use letters, digits, hyphens and underscores alone",
	`^/`:                            "begin with /",
	`^-?[a-zA-Z]+$`:                 "name a field, such as name, or -name for the reverse order",
	`^[0-9a-f]{64}$`:                "write 64 digits of 0 to 9 and a to f",
	`^([0-9a-f]{64})?$`:             "write 64 digits of 0 to 9 and a to f, or leave it empty",
	`^(#[0-9a-fA-F]{6})?$`:          "write a color such as #1a2b3c, or leave it empty",
	`^(env|file|vault):`:            "begin with env:, file: or vault:",
	`^[A-Za-z0-9.:-]+$`:             "write a host name or an address, such as mail.example.com",
	`^(auto|[1-9][0-9]{0,4}[mhd])$`: "write auto, or a number with m, h or d, such as 15m",
}

// written says how the formats are written.
var written = map[string]string{
	"date-time": "write a time such as 2030-01-31T12:00:00Z (RFC 3339)",
	"date":      "write a day such as 2030-01-31",
	"uri":       "write an address with its scheme, such as https://example.com",
	"email":     "write an e-mail address, such as name@example.com",
	"uuid":      "write a UUID, such as 0197f0c2-6a1e-7c3d-9b1f-2f6d3c5a7e80",
	"byte":      "write it in Base64",
}

// said is what is wrong with a value, with the fix, in the words of people: the library
// names regular expressions.
func said(e *openapi3.SchemaError) string {
	switch e.SchemaField {
	case schema.RulePattern:
		return saidOfPattern(e.Schema)
	case schema.RuleFormat:
		if e.Schema != nil {
			if how := written[e.Schema.Format]; how != "" {
				return how
			}
			return "it is no " + e.Schema.Format
		}
	case "anyOf", "oneOf":
		return "it is none of the forms that are taken: see the reference of the API"
	case "minLength":
		if e.Schema != nil && e.Schema.MinLength == 1 {
			return "write something: it is empty"
		}
	}
	return e.Reason
}

func saidOfPattern(s *openapi3.Schema) string {
	if s == nil {
		return "it is not of the form that is taken"
	}
	if how, ok := s.Extensions[expects].(string); ok {
		return how
	}
	if how := patterns[s.Pattern]; how != "" {
		return how
	}
	if s.Description != "" {
		return "it is not of the form that is taken: " + strings.TrimSpace(s.Description)
	}
	return "it is not of the form that is taken"
}

// saidOfParameter is what is wrong with a parameter that is not of its type.
func saidOfParameter(p *openapi3.Parameter) string {
	if p.Schema == nil || p.Schema.Value == nil || p.Schema.Value.Type == nil || len(p.Schema.Value.Type.Slice()) == 0 {
		return "it is not of the type that is taken"
	}
	return fmt.Sprintf("it must be of type %s", strings.Join(p.Schema.Value.Type.Slice(), " or "))
}
