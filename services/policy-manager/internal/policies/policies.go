// Package policies is what configured policies are: lists of them at a place,
// how a list that was handed in takes the place of another, what gateways get of
// it, and what a caller may see of it. It has no input or output.
package policies

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
)

// MaxList bounds a list of policies.
const MaxList = 100

// Policy is one configured use of a policy type, or a reference to a policy set.
type Policy struct {
	ID string `json:"id"`
	// Type is the policy type; "" for a reference.
	Type string `json:"type,omitempty"`
	// Name tells several of a list apart, and stays.
	Name string `json:"name,omitempty"`
	// Disabled ones are not given to gateways.
	Disabled bool `json:"disabled,omitempty"`
	// When is a CEL expression.
	When   string          `json:"when,omitempty"`
	Config json.RawMessage `json:"config,omitempty"`
	// Set is the slug of a policy set to put here instead.
	Set string `json:"set,omitempty"`
}

// OfAPI are the policies of an API and of its operations, by operation id.
type OfAPI struct {
	API        []Policy            `json:"api"`
	Operations map[string][]Policy `json:"operations,omitempty"`
}

// Lists returns every list with the pointer at which it stands in a document,
// the API's first and the operations' by id.
func (o OfAPI) Lists() []Placed {
	out := []Placed{{At: "/api", List: o.API}}
	for _, id := range sortedKeys(o.Operations) {
		out = append(out, Placed{At: "/operations/" + schema.Escape(id), Operation: id, List: o.Operations[id]})
	}
	return out
}

// Placed is a list and where it stands.
type Placed struct {
	At, Operation string
	List          []Policy
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Take makes the list that was handed in ready to be kept in the place of
// another: policies that were there keep their ids and masked secrets, new ones
// get an id, and each gets a name of its own. Reserved names are taken by
// others. The fields are what is wrong with it, pointed at from at.
func Take(in, before []Policy, types *catalogue.Catalogue, at string, reserved ...string) ([]Policy, []problem.Field) {
	var fields []problem.Field
	fail := func(i int, field, code, format string, args ...any) {
		fields = append(fields, problem.Field{Pointer: at + "/" + strconv.Itoa(i) + field, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
	if len(in) > MaxList {
		return nil, []problem.Field{{Pointer: at, Code: "maxItems", Detail: fmt.Sprintf("at most %d policies; put some into a policy set", MaxList)}}
	}
	was := map[string]Policy{}
	for _, p := range before {
		was[p.ID] = p
	}
	names := map[string]bool{}
	for _, r := range reserved {
		names[r] = true
	}
	out := make([]Policy, len(in))
	for i, p := range in {
		switch {
		case p.Type == "" && p.Set == "":
			fail(i, "/type", "required", "name a policy type, or a policy set in set")
		case p.Type != "" && p.Set != "":
			fail(i, "/set", "invalid", "a policy has a type or is a reference to a set, not both")
		case p.Set != "" && len(p.Config) > 0:
			fail(i, "/config", "invalid", "the set has its configuration; leave config out")
		case p.Set != "" && p.When != "":
			fail(i, "/when", "invalid", "a condition belongs to the policies of the set, not to the reference")
		}
		switch {
		case p.Name == "":
		case !namePattern.MatchString(p.Name):
			fail(i, "/name", "pattern", "use lower-case letters, digits and hyphens, 63 at most")
		case names[p.Name]:
			fail(i, "/name", "duplicate", "another policy of this list has the name %q", p.Name)
		default:
			names[p.Name] = true
		}
		out[i] = p
	}
	if len(fields) > 0 {
		return nil, fields
	}
	seen := map[string]bool{}
	for i := range out {
		p := &out[i]
		old, known := was[p.ID]
		if !known || seen[p.ID] {
			p.ID, old = newID(), Policy{}
		}
		seen[p.ID] = true
		if t, ok := types.Get(p.Type); ok && old.Type == p.Type {
			p.Config = t.Restore(p.Config, old.Config)
		}
		if p.Set == "" && p.Name == "" {
			p.Name = freeName(p.Type, names)
		}
	}
	return out, nil
}

// freeName returns the type, with a number where the name is taken, and takes it.
func freeName(kind string, names map[string]bool) string {
	name := kind
	for n := 2; names[name]; n++ {
		name = kind + "-" + strconv.Itoa(n)
	}
	names[name] = true
	return name
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// Units returns what gateways get: the policies that are not disabled, or all.
func Units(list []Policy, all bool) []unit.Policy {
	var out []unit.Policy
	for _, p := range list {
		if !all && p.Disabled {
			continue
		}
		out = append(out, unit.Policy{Type: p.Type, Name: p.Name, When: p.When, Config: p.Config, Set: p.Set})
	}
	return out
}

// Hide returns the list with secrets masked.
func Hide(list []Policy, types *catalogue.Catalogue) []Policy {
	out := slices.Clone(list)
	for i := range out {
		if t, ok := types.Get(out[i].Type); ok {
			out[i].Config = t.Hide(out[i].Config)
		}
	}
	return out
}

// Sets returns the slugs of the policy sets that a list refers to, each once.
func Sets(lists ...[]Policy) []string {
	var out []string
	for _, list := range lists {
		for _, p := range list {
			if p.Set != "" && !slices.Contains(out, p.Set) {
				out = append(out, p.Set)
			}
		}
	}
	return out
}

func sortedKeys(m map[string][]Policy) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
