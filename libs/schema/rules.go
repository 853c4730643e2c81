package schema

import (
	"strings"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// The rule codes that [Decode] reports. Where JSON Schema has a keyword for the
// rule, the code is that keyword.
const (
	RuleSyntax    = "syntax"    // not JSON
	RuleType      = "type"      // another type was expected
	RuleUnknown   = "unknown"   // no such field
	RuleDuplicate = "duplicate" // the same key or list element twice
	RuleRequired  = "required"
	RuleMinimum   = "minimum"
	RuleMaximum   = "maximum"
	RuleMinLength = "minLength"
	RuleMaxLength = "maxLength"
	RuleMinItems  = "minItems"
	RuleMaxItems  = "maxItems"
	RulePattern   = "pattern"
	RuleFormat    = "format"
	RuleEnum      = "enum"
	RuleOneOf     = "oneOf"   // exactly one of several fields
	RuleAnyOf     = "anyOf"   // at least one of several fields
	RuleInvalid   = "invalid" // refused by the type itself
	RuleTooMany   = "tooMany" // the list of violations was cut
)

// Violations are the violations of a document as one error. UnmarshalJSON of a
// type that describes itself may return it, with pointers below its own value.
type Violations []problem.Field

// Error lists the violations, one a line.
func (v Violations) Error() string {
	var b strings.Builder
	for i, f := range v {
		if i > 0 {
			b.WriteByte('\n')
		}
		if f.Source != "" {
			b.WriteString(f.Source + ": ")
		}
		if f.Pointer != "" {
			b.WriteString(f.Pointer + ": ")
		}
		b.WriteString(f.Detail)
	}
	return b.String()
}
