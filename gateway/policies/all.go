// Package policies is the list of the policy types that ship with Gatehouse. A
// custom gateway is a main package of a few lines that appends its own.
package policies

import "github.com/gatehouse/gatehouse/gateway/policy"

// All returns every policy type, in the order of their names.
func All() []policy.Definition {
	return []policy.Definition{}
}
