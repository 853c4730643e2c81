package tenant

// Resource is a kind of thing of which an organization may have a limited number.
type Resource string

// What can be limited.
const (
	ResourceUsers           Resource = "users"
	ResourceServiceAccounts Resource = "serviceAccounts"
	ResourceProjects        Resource = "projects"
	ResourceAPIs            Resource = "apis"
	ResourceEnvironments    Resource = "environments"
	ResourceGatewayGroups   Resource = "gatewayGroups"
	ResourceApplications    Resource = "applications"
	ResourcePolicySets      Resource = "policySets"
)

// Resources returns all kinds of things that can be limited.
func Resources() []Resource {
	return []Resource{
		ResourceUsers, ResourceServiceAccounts, ResourceProjects, ResourceAPIs,
		ResourceEnvironments, ResourceGatewayGroups, ResourceApplications, ResourcePolicySets,
	}
}

// Name returns the kind as people call many of it.
func (r Resource) Name() string {
	switch r {
	case ResourceServiceAccounts:
		return "service accounts"
	case ResourceAPIs:
		return "APIs"
	case ResourceGatewayGroups:
		return "gateway groups"
	case ResourcePolicySets:
		return "policy sets"
	}
	return string(r)
}

// Quotas are the most of each kind that an organization may have. Of what is not
// in them it may have any number.
type Quotas map[Resource]int64

// Counts are how much of what an organization has.
type Counts struct {
	// Counts are by kind.
	Counts map[Resource]int64 `json:"counts"`
	// Served is how many APIs are deployed somewhere, Consumers how many
	// applications have an active subscription.
	Served    int64 `json:"served,omitempty"`
	Consumers int64 `json:"consumers,omitempty"`
}

// Portion asks for a part of all that a service has of an organization.
type Portion struct {
	Organization string `json:"organization"`
	// Cursor is Next of the portion before; "" for the first.
	Cursor string `json:"cursor,omitempty"`
}

// Exported is a part of what a service has of an organization, without anything
// secret.
type Exported struct {
	// Kind is what the rows are, such as "apis"; "" where there is nothing left.
	Kind string `json:"kind,omitempty"`
	// Rows are JSON texts, each followed by a line feed. A portion may end within a
	// row, which the next one goes on with.
	Rows []byte `json:"rows,omitempty"`
	// Next is the cursor of the next portion; "" = this is the last.
	Next string `json:"next,omitempty"`
}
