// Package gateway is what others may know of gateway-manager: projects, APIs,
// environments and deployments, and how gateways join, report and are told what
// to serve.
package gateway

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// Service is the owner's name.
const Service = "gateway-manager"

// Published asks for what consumers may know of APIs.
type Published struct {
	Organization string `json:"organization"`
	// APIs are ids; none = all that are published in the portal.
	APIs []string `json:"apis,omitempty"`
}

// PublishedList is the answer to Published.
type PublishedList struct {
	APIs []PublishedAPI `json:"apis"`
}

// PublishedAPI is an API as its consumers see it.
type PublishedAPI struct {
	ID          string `json:"id"`
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Version     string `json:"version"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Project     string `json:"project"`
	// Published says that the portal shows it.
	Published bool `json:"published"`
	// Deprecated says that no new subscriptions are made.
	Deprecated bool `json:"deprecated,omitempty"`
	// Document is the hash under which the OpenAPI document of the revision that
	// is deployed is in the bucket of units, as JSON; "" = none.
	Document unit.Hash `json:"document,omitempty"`
	// Revision is the number of that revision.
	Revision uint64 `json:"revision,omitempty"`
	// Endpoints are where it can be called.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Plans are the ids of the plans of that revision.
	Plans []string `json:"plans,omitempty"`
}

// Endpoint is an address of an API in one environment.
type Endpoint struct {
	Environment     string `json:"environment"`
	EnvironmentName string `json:"environmentName"`
	// URL has scheme, host and base path, without a slash at its end.
	URL string `json:"url"`
	// Revision is the one deployed there.
	Revision uint64 `json:"revision"`
}

// Subject is the request's.
func (Published) Subject() string { return contract.Request(Service, "published") }

// Reply is the type of the answer.
func (Published) Reply() (r PublishedList) { return }

// APIs asks for the facts that other services check: whether APIs exist, in
// which project, and which operations they have.
type APIs struct {
	Organization string   `json:"organization"`
	IDs          []string `json:"ids"`
}

// APIList is the answer to APIs. Unknown ids are left out.
type APIList struct {
	APIs []API `json:"apis"`
}

// API is an API's draft, as far as policies and plans refer to it.
type API struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Project string `json:"project"`
	// Operations are those of the draft's document.
	Operations []Operation `json:"operations"`
	// Unit is the hash under which the draft, as a unit without policies and plans,
	// is in the bucket of units, for trying policies on it.
	Unit unit.Hash `json:"unit,omitempty"`
}

// Operation is one method and path template.
type Operation struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	Path   string `json:"path"`
}

// Subject is the request's.
func (APIs) Subject() string { return contract.Request(Service, "apis") }

// Reply is the type of the answer.
func (APIs) Reply() (r APIList) { return }

// Projects asks which projects there are.
type Projects struct {
	Organization string `json:"organization"`
}

// ProjectList is the answer to Projects.
type ProjectList struct {
	Projects []Project `json:"projects"`
}

// Project is a team's workspace.
type Project struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// Subject is the request's.
func (Projects) Subject() string { return contract.Request(Service, "projects") }

// Reply is the type of the answer.
func (Projects) Reply() (r ProjectList) { return }

// APIChanged says that an API was made, changed, published, deployed somewhere
// or deleted; who cares asks for what it is now.
type APIChanged struct {
	Organization string `json:"organization"`
	API          string `json:"api"`
	Deleted      bool   `json:"deleted,omitempty"`
}

// Subject is the event's.
func (e APIChanged) Subject() string { return contract.Event(e.Organization, Service, "api-changed") }

// FleetChanged says that a gateway came, went, or applied a configuration, or
// that a deployment went on.
type FleetChanged struct {
	Organization string `json:"organization"`
	Group        string `json:"group"`
	// Gateway is the instance's id, where it is one's.
	Gateway string `json:"gateway,omitempty"`
	// Version is what it applied.
	Version uint64    `json:"version,omitempty"`
	Time    time.Time `json:"time,omitzero"`
}

// Subject is the event's.
func (e FleetChanged) Subject() string {
	return contract.Event(e.Organization, Service, "fleet-changed")
}
