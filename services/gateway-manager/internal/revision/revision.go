// Package revision is what an API is: its content, from which revisions are
// made, the unit that gateways serve of it, and what is different between two of
// them. It is pure: the same content always makes the same unit.
//
// It knows neither storage nor the bus.
package revision

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
)

// Content is all that an API is at one time, without what belongs to a place
// where it is deployed.
type Content struct {
	Draft
	// Policies, plans and sets are those of policy-manager at the time.
	Effective policy.EffectiveSet `json:"effective"`
}

// Draft is what gateway-manager keeps of an API.
type Draft struct {
	Name        string          `json:"name"`
	APIVersion  string          `json:"apiVersion"`
	Description string          `json:"description,omitempty"`
	BasePath    string          `json:"basePath"`
	Hosts       []string        `json:"hosts,omitempty"`
	StripPath   bool            `json:"stripPath,omitempty"`
	Paths       unit.Paths      `json:"paths,omitzero"`
	Upstreams   []unit.Upstream `json:"upstreams"`
	// Operations are those of the document, or were given where there is none.
	Operations []document.Operation `json:"operations,omitempty"`
	// Document is the hash of the OpenAPI document; "" = none.
	Document unit.Hash `json:"document,omitempty"`
}

// Hash names a draft: it is the same as long as nothing changed.
func (d *Draft) Hash() (string, error) {
	_, h, err := unit.Encode(d)
	if err != nil {
		return "", fmt.Errorf("hashing the draft: %w", err)
	}
	return string(h), nil
}

// Hash names a content, policies and plans included.
func (c *Content) Hash() (string, error) {
	_, h, err := unit.Encode(struct {
		Draft     *Draft `json:"draft"`
		Effective string `json:"effective"`
	}{&c.Draft, c.Effective.Version})
	if err != nil {
		return "", fmt.Errorf("hashing the content: %w", err)
	}
	return string(h), nil
}

// Place is where a content is deployed, and as what.
type Place struct {
	// API, Organization and Project are ids.
	API, Organization, Project string
	// Environment is its name, for records; "" = nowhere yet.
	Environment string
	// Revision is its number; 0 = none yet.
	Revision uint64
}

// Built is a unit ready to be sent.
type Built struct {
	Unit unit.API
	// Document is the unit as canonical JSON, Hash its name.
	Document []byte
	Hash     unit.Hash
}

// ErrSet says that policies refer to a policy set that is not there.
var ErrSet = errors.New("there is no such policy set")

// Build makes the unit of a content. The document is the OpenAPI document that
// the content names, nil where it has none.
func Build(c *Content, doc []byte, at Place) (Built, error) {
	u := unit.API{
		ID: at.API, Name: c.Name, Version: c.APIVersion,
		Organization: at.Organization, Project: at.Project, Environment: at.Environment, Revision: at.Revision,
		Hosts: c.Hosts, BasePath: c.BasePath, StripPath: c.StripPath, Paths: c.Paths,
		Document: doc, Upstreams: slices.Clone(c.Upstreams),
	}
	if len(u.Upstreams) > 0 {
		u.Upstreams[0].Name = cmp.Or(u.Upstreams[0].Name, "default")
	}
	sets, err := setsOf(c.Effective.Sets)
	if err != nil {
		return Built{}, err
	}
	if u.Policies, err = sets.expand(c.Effective.API); err != nil {
		return Built{}, fmt.Errorf("policies of the API: %w", err)
	}
	if err := operations(&u, c, sets); err != nil {
		return Built{}, err
	}
	for i := range c.Effective.Plans {
		p := c.Effective.Plans[i].Unit
		if p.Policies, err = sets.expand(p.Policies); err != nil {
			return Built{}, fmt.Errorf("policies of plan %s: %w", p.Name, err)
		}
		u.Plans = append(u.Plans, p)
	}
	b := Built{Unit: u}
	if b.Document, b.Hash, err = unit.Encode(u); err != nil {
		return Built{}, fmt.Errorf("writing the unit: %w", err)
	}
	return b, nil
}

func operations(u *unit.API, c *Content, sets sets) error {
	for _, o := range c.Operations {
		op := unit.Operation{ID: o.ID, Method: o.Method, Path: o.Path, Upstream: o.Upstream}
		var err error
		if op.Policies, err = sets.expand(c.Effective.Operations[o.ID]); err != nil {
			return fmt.Errorf("policies of operation %s: %w", o.ID, err)
		}
		u.Operations = append(u.Operations, op)
	}
	return nil
}

// sets are policy sets by name.
type sets map[string]unit.PolicySet

func setsOf(list []unit.PolicySet) (sets, error) {
	out := make(sets, len(list))
	for _, s := range list {
		if _, dup := out[s.Name]; dup {
			return nil, fmt.Errorf("the policy set %q comes twice", s.Name)
		}
		out[s.Name] = s
	}
	return out, nil
}

// expand puts the policies of sets into their places. A revision is what it was,
// whatever becomes of a set; and a policy keeps the name under which gateways
// know it in a set, and with it its counters.
func (s sets) expand(list []unit.Policy) ([]unit.Policy, error) {
	var out []unit.Policy
	for _, p := range list {
		if p.Set == "" {
			out = append(out, p)
			continue
		}
		set, ok := s[p.Set]
		if !ok {
			return nil, fmt.Errorf("%q: %w", p.Set, ErrSet)
		}
		for j, q := range set.Policies {
			q.Name = cmp.Or(q.Name, p.Set+"/"+q.Type+"-"+strconv.Itoa(j))
			q.When = both(p.When, q.When)
			out = append(out, q)
		}
	}
	return out, nil
}

// both returns a condition that holds where both do.
func both(a, b string) string {
	if a == "" || b == "" {
		return cmp.Or(a, b)
	}
	return "(" + a + ") && (" + b + ")"
}

// Settings makes the unit of what all APIs of a group share; nil where there is
// nothing.
func Settings(shared policy.SharedSet) (*unit.Settings, error) {
	sets, err := setsOf(shared.Sets)
	if err != nil {
		return nil, err
	}
	out := &unit.Settings{}
	if out.Platform, err = sets.expand(shared.Platform); err != nil {
		return nil, fmt.Errorf("policies of the platform: %w", err)
	}
	for project, list := range shared.Projects {
		if list, err = sets.expand(list); err != nil {
			return nil, fmt.Errorf("policies of project %s: %w", project, err)
		}
		if len(list) == 0 {
			continue
		}
		if out.Projects == nil {
			out.Projects = map[string][]unit.Policy{}
		}
		out.Projects[project] = list
	}
	if len(out.Platform) == 0 && len(out.Projects) == 0 {
		return nil, nil //nolint:nilnil // nothing is shared
	}
	return out, nil
}

// PolicyCount is how many policies a content has, those of plans and operations
// included.
func (c *Content) PolicyCount() int {
	n := len(c.Effective.API)
	for _, list := range c.Effective.Operations {
		n += len(list)
	}
	for _, p := range c.Effective.Plans {
		n += len(p.Unit.Policies)
	}
	return n
}
