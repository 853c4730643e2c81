package access

// Owner is the id of the role that may do everything. Every organization keeps
// somebody who has it in the whole organization, without an end.
const Owner = "owner"

// Consumer is the id of the role of those who use APIs and run none.
const Consumer = "consumer"

// ProjectOwner is the id of the role of those who own a project.
const ProjectOwner = "project-owner"

// PlatformAdministrator is the id of the role of those who look after all
// organizations. It is given in the first organization only.
const PlatformAdministrator = "platform-administrator"

// Role is a named list of permissions.
type Role struct {
	// ID of a built-in role is its name.
	ID, Name string
	// Title and Description are for people.
	Title, Description string
	// Permissions are names or patterns.
	Permissions []string
}

// BuiltIn returns the roles that every organization has, the mightiest first.
func BuiltIn() []Role {
	return []Role{
		{ID: Owner, Name: Owner, Title: "Owner", Description: "May do everything, and is the only one to delete the organization.", Permissions: []string{"*"}},
		{
			ID: "administrator", Name: "administrator", Title: "Administrator", Description: "May do everything but delete the organization and act as other people.",
			Permissions: administrator(),
		},
		{ID: "auditor", Name: "auditor", Title: "Auditor", Description: "Sees everything, changes nothing.", Permissions: []string{"*:read"}},
		{
			ID: ProjectOwner, Name: ProjectOwner, Title: "Project owner", Description: "Everything in a project, and may give roles in it. Given for a project, only there.",
			Permissions: []string{
				"project:read", "project:update", "project:delete", "api:*", "plan:*", "policy:*", "deployment:*", "environment:read",
				"gateway-group:read", "gateway:read", "traffic:read", "subscription:*", "application:*", "credential:*",
				"portal:read", "portal:update", "role:read", "role:update", "invitation:create",
			},
		},
		{
			ID: "publisher", Name: "publisher", Title: "Publisher", Description: "Publishes APIs: imports, plans, deploys, approves subscriptions. Given for a project, only there.",
			Permissions: []string{
				"project:read", "api:*", "plan:*", "policy:*", "deployment:*", "environment:read", "gateway-group:read", "gateway:read",
				"traffic:read", "subscription:*", "application:read", "portal:read", "portal:update",
			},
		},
		{
			ID: "operator", Name: "operator", Title: "Operator", Description: "Runs environments, gateway groups and gateways, and deploys.",
			Permissions: []string{"gateway-group:*", "gateway:*", "environment:*", "deployment:*", "traffic:read", "api:read", "project:read"},
		},
		{
			ID: "viewer", Name: "viewer", Title: "Viewer", Description: "Sees projects and what is in them.",
			Permissions: []string{
				"project:read", "api:read", "plan:read", "policy:read", "deployment:read", "environment:read", "gateway-group:read",
				"gateway:read", "traffic:read", "subscription:read", "application:read", "portal:read",
			},
		},
		{
			ID: Consumer, Name: Consumer, Title: "Consumer", Description: "Uses APIs: own applications, subscriptions and credentials in the portal.",
			Permissions: []string{"portal:read", "application:*", "subscription:create", "subscription:read", "subscription:delete", "credential:*"},
		},
	}
}

// administrator is everything of every kind but deleting the organization, and
// acting as somebody else.
func administrator() []string {
	out := []string{"organization:read", "organization:update"}
	for _, k := range kinds {
		if k.name != "organization" && k.name != Platform {
			out = append(out, k.name+":*")
		}
	}
	return out
}

// OfPlatform returns the roles that the first organization has beside those.
func OfPlatform() []Role {
	return []Role{{
		ID: PlatformAdministrator, Name: PlatformAdministrator, Title: "Platform administrator",
		Description: "Makes, renames and suspends organizations; has no rights in them. Only in the first organization.", Permissions: []string{Platform + ":*"},
	}}
}

// BuiltInByName returns a built-in role, those of the platform too.
func BuiltInByName(name string) (Role, bool) {
	for _, r := range append(BuiltIn(), OfPlatform()...) {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}
