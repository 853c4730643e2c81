// Package policy is what others may know of policy-manager: the effective
// policies and plans of an API, and whether the gateway would accept them.
package policy

import (
	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// Service is the owner's name.
const Service = "policy-manager"

// Effective asks for all that applies to an API, to be put into a revision.
type Effective struct {
	Organization string `json:"organization"`
	Project      string `json:"project"`
	API          string `json:"api"`
}

// EffectiveSet is the answer to Effective.
type EffectiveSet struct {
	// Version is the content's hash: the same as long as nothing changed.
	Version string `json:"version"`
	// API are the policies of the API itself.
	API []unit.Policy `json:"api"`
	// Operations are those of single operations, by operation id.
	Operations map[string][]unit.Policy `json:"operations,omitempty"`
	// Plans are the API's plans that are not closed, in their order.
	Plans []Plan `json:"plans"`
	// Sets are the policy sets that any of these refer to.
	Sets []unit.PolicySet `json:"sets,omitempty"`
}

// Plan is how an API may be consumed.
type Plan struct {
	ID          string `json:"id"`
	API         string `json:"api"`
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Security is "keyless", "api-key", "jwt", "oauth2", "basic" or "mtls".
	Security string `json:"security"`
	// Approval is "automatic" or "manual".
	Approval string `json:"approval"`
	// Status is "draft", "published", "deprecated" or "closed".
	Status string `json:"status"`
	// Limits is a sentence for people, such as "100 requests per minute".
	Limits []string `json:"limits,omitempty"`
	// KeyHeader is the header that an API key is sent in.
	KeyHeader string `json:"keyHeader,omitempty"`
	// Credential is the kind of credential, as the feed to gateways names it, that an
	// application shows under the plan; "" = none.
	Credential string `json:"credential,omitempty"`
	// Tokens are what access tokens for the plan must be; nil where it takes none.
	Tokens *Tokens `json:"tokens,omitempty"`
	// Unit is the plan as gateways take it.
	Unit unit.Plan `json:"unit"`
}

// Tokens are what a plan asks of access tokens.
type Tokens struct {
	// Server is where tokens are asked about, "" where they are signed.
	Server string `json:"server,omitempty"`
	// Scopes and Audiences are those that a token must have.
	Scopes    []string `json:"scopes,omitempty"`
	Audiences []string `json:"audiences,omitempty"`
}

// Subject is the request's.
func (Effective) Subject() string { return contract.Request(Service, "effective") }

// Reply is the type of the answer.
func (Effective) Reply() (r EffectiveSet) { return }

// Shared asks for the policies of the widest levels: those of the platform and
// of each project, which are in the settings of every gateway group.
type Shared struct {
	Organization string `json:"organization"`
}

// SharedSet is the answer to Shared.
type SharedSet struct {
	Platform []unit.Policy            `json:"platform,omitempty"`
	Projects map[string][]unit.Policy `json:"projects,omitempty"`
	Sets     []unit.PolicySet         `json:"sets,omitempty"`
}

// Subject is the request's.
func (Shared) Subject() string { return contract.Request(Service, "shared") }

// Reply is the type of the answer.
func (Shared) Reply() (r SharedSet) { return }

// Plans asks for plans by id, or for all of an API.
type Plans struct {
	Organization string   `json:"organization"`
	API          string   `json:"api,omitempty"`
	IDs          []string `json:"ids,omitempty"`
}

// PlanList is the answer to Plans. Unknown ids are left out.
type PlanList struct {
	Plans []Plan `json:"plans"`
}

// Subject is the request's.
func (Plans) Subject() string { return contract.Request(Service, "plans") }

// Reply is the type of the answer.
func (Plans) Reply() (r PlanList) { return }

// Validate asks whether a gateway would accept a unit, by the same compile.
type Validate struct {
	// Organization is the slug under which the unit is in the bucket of units.
	Organization string `json:"organization"`
	// Unit is the hash of an API unit.
	Unit unit.Hash `json:"unit"`
	// Sets are the policy sets it refers to.
	Sets []unit.PolicySet `json:"sets,omitempty"`
}

// Validated is the answer to Validate; no mistakes = it would.
type Validated struct {
	Mistakes []Mistake `json:"mistakes,omitempty"`
}

// Mistake is one thing wrong with a unit.
type Mistake struct {
	// Pointer is the field within the unit.
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// Subject is the request's.
func (Validate) Subject() string { return contract.Request(Service, "validate") }

// Reply is the type of the answer.
func (Validate) Reply() (r Validated) { return }

// PoliciesChanged says that policies, policy sets or plans changed.
type PoliciesChanged struct {
	Organization string `json:"organization"`
	// Level is "platform", "project" or "api".
	Level string `json:"level"`
	// Project and API are where; "" = all.
	Project string `json:"project,omitempty"`
	API     string `json:"api,omitempty"`
}

// Subject is the event's.
func (e PoliciesChanged) Subject() string {
	return contract.Event(e.Organization, Service, "policies-changed")
}
