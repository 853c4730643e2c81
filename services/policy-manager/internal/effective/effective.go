// Package effective puts together what gateways and other services get of
// policies, policy sets and plans. It has no input or output.
package effective

import (
	"fmt"

	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// Slugs returns the policy sets that policies and plans of an API refer to.
func Slugs(of policies.OfAPI, plans []plan.Plan) []string {
	var lists [][]policies.Policy
	for _, l := range of.Lists() {
		lists = append(lists, l.List)
	}
	for _, p := range plans {
		lists = append(lists, p.Policies)
	}
	return policies.Sets(lists...)
}

// API returns all that applies to an API, to be put into a revision. plans are
// all of the API's in their order; limitMode says where their limits count that
// do not say it themselves.
func API(of policies.OfAPI, plans []plan.Plan, sets []store.Set, limitMode string) (contract.EffectiveSet, error) {
	out := contract.EffectiveSet{API: policies.Units(of.API, false), Plans: []contract.Plan{}}
	if out.API == nil {
		out.API = []unit.Policy{}
	}
	for _, l := range of.Lists()[1:] {
		if units := policies.Units(l.List, false); len(units) > 0 {
			if out.Operations == nil {
				out.Operations = map[string][]unit.Policy{}
			}
			out.Operations[l.Operation] = units
		}
	}
	for _, p := range plan.ForGateways(plans) {
		c := p.Contract(limitMode)
		c.Credential, c.Tokens = "", nil // they follow from the unit: nothing of a revision is in them
		out.Plans = append(out.Plans, c)
	}
	out.Sets = units(sets)
	// What gateways get decides whether anything changed, not what is told beside.
	gateways := struct {
		API        []unit.Policy            `json:"api"`
		Operations map[string][]unit.Policy `json:"operations"`
		Plans      []unit.Plan              `json:"plans"`
		Sets       []unit.PolicySet         `json:"sets"`
	}{out.API, out.Operations, nil, out.Sets}
	for _, p := range out.Plans {
		gateways.Plans = append(gateways.Plans, p.Unit)
	}
	_, hash, err := unit.Encode(gateways)
	if err != nil {
		return out, fmt.Errorf("naming the effective policies: %w", err)
	}
	out.Version = string(hash)
	return out, nil
}

// Shared returns the policies of the platform and of projects.
func Shared(lists []store.List, sets []store.Set) contract.SharedSet {
	var out contract.SharedSet
	for _, l := range lists {
		list := policies.Units(l.Of.API, false)
		switch {
		case len(list) == 0:
		case l.At.Level == store.Platform:
			out.Platform = list
		default:
			if out.Projects == nil {
				out.Projects = map[string][]unit.Policy{}
			}
			out.Projects[l.At.Project] = list
		}
	}
	out.Sets = units(sets)
	return out
}

func units(sets []store.Set) []unit.PolicySet {
	var out []unit.PolicySet
	for i := range sets {
		out = append(out, sets[i].Unit())
	}
	return out
}
