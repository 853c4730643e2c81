// Package tenant is what others may know of tenant-manager: organizations, who
// may do what, and the keys that access tokens are signed with.
package tenant

import (
	"encoding/json"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// Service is the owner's name.
const Service = "tenant-manager"

// ClientCertificate is the header field in which a service that forwards a request
// over the bus tells the client's certificate, as RFC 9440 has it. What comes in
// from elsewhere under this name is believed by nobody.
const ClientCertificate = "X-Gatehouse-Client-Certificate"

// Device is the header field in which the bff tells the secret of the browser that signs
// in, of 43 characters at least, which it keeps from then on. It proves nothing but that
// it is the same browser as before.
const Device = "X-Gatehouse-Device"

// Keys asks for the public keys of access tokens.
type Keys struct{}

// KeySet is a JSON Web Key Set (RFC 7517).
type KeySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// Subject is the request's.
func (Keys) Subject() string { return contract.Request(Service, "keys") }

// Reply is the type of the answer.
func (Keys) Reply() (r KeySet) { return }

// Grants asks what a user or service account may do, and whether the session is
// still active.
type Grants struct {
	Organization string `json:"organization"`
	// Principal is the id of the user or service account.
	Principal string `json:"principal"`
	// Session is the id of the session, or of the token, that asks; "" = none.
	Session string `json:"session,omitempty"`
}

// Granted is the answer to Grants.
type Granted struct {
	// Active is false where the user is disabled or gone, or the session ended.
	Active bool `json:"active"`
	// Ended is why it is not, as a sentence for people; "" where there is nothing to say
	// beyond that.
	Ended string `json:"ended,omitempty"`
	// Grants are what is allowed, those of the groups that somebody is in among
	// them.
	Grants []Grant `json:"grants"`
	// Denies are what is forbidden: they win over every grant.
	Denies []Grant `json:"denies,omitempty"`
	// Boundaries bound it: what is outside one of them is not allowed.
	Boundaries []Boundary `json:"boundaries,omitempty"`
}

// Impersonation is the role of what is denied to somebody who acts as somebody else.
// No role of an organization can be called so.
const Impersonation = "(impersonation)"

// Boundary is what somebody can never exceed: a role, resolved to its permissions,
// or what the token is made for by which they came.
type Boundary struct {
	// Role is the name of the role, Token that of the token; one of them is "".
	Role  string `json:"role"`
	Token string `json:"token,omitempty"`
	// Permissions are as those of a grant.
	Permissions []string `json:"permissions"`
	// Project and Environment narrow it, by id; "" = all.
	Project     string `json:"project,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// Grant is a role that somebody has at a scope, resolved to its permissions.
type Grant struct {
	Role string `json:"role"`
	// Permissions are names such as "api:update". "api:*" are all on APIs, "*" is
	// everything. "deployment:deploy:prd" is that in the environment of the slug.
	Permissions []string `json:"permissions"`
	// Project, API and Environment narrow it, by id; "" = all.
	Project     string `json:"project,omitempty"`
	API         string `json:"api,omitempty"`
	Environment string `json:"environment,omitempty"`
	// ExpiresAt ends it; zero = never.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// Subject is the request's.
func (Grants) Subject() string { return contract.Request(Service, "grants") }

// Reply is the type of the answer.
func (Grants) Reply() (r Granted) { return }

// Organizations asks for organizations: those given, or all.
type Organizations struct {
	IDs []string `json:"ids,omitempty"`
}

// OrganizationList is the answer to Organizations.
type OrganizationList struct {
	Organizations []Organization `json:"organizations"`
	// Purged are those of the ones asked for that are over: what is left of them
	// has to go. Their slugs are never given again.
	Purged []Organization `json:"purged,omitempty"`
}

// Organization is a tenant.
type Organization struct {
	ID string `json:"id"`
	// Slug is the short name in addresses and keys. It never changes.
	Slug string `json:"slug"`
	Name string `json:"name"`
	// Suspended says that nobody of it may sign in.
	Suspended bool `json:"suspended,omitempty"`
	// Deleted says that it is deleted and can still be restored: it is suspended,
	// and its gateways serve nothing.
	Deleted bool `json:"deleted,omitempty"`
	// Quotas are how many of what it may have.
	Quotas Quotas `json:"quotas,omitempty"`
	// Version rises with each change of any of these.
	Version int64 `json:"version,omitempty"`
}

// Subject is the request's.
func (Organizations) Subject() string { return contract.Request(Service, "organizations") }

// Reply is the type of the answer.
func (Organizations) Reply() (r OrganizationList) { return }

// Users asks for the names of users, to show beside what they did.
type Users struct {
	Organization string   `json:"organization"`
	IDs          []string `json:"ids"`
}

// UserList is the answer to Users. Unknown ids are left out.
type UserList struct {
	Users []User `json:"users"`
}

// User is a person as others may show it.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Subject is the request's.
func (Users) Subject() string { return contract.Request(Service, "users") }

// Reply is the type of the answer.
func (Users) Reply() (r UserList) { return }

// AccessChanged says that what somebody may do has changed, that a session
// ended, or that a user was disabled. What is remembered of it is void.
type AccessChanged struct {
	Organization string `json:"organization"`
	// Principal is whose; "" = everybody's of the organization.
	Principal string `json:"principal,omitempty"`
	// Session is set where one session ended.
	Session string `json:"session,omitempty"`
}

// Subject is the event's.
func (e AccessChanged) Subject() string {
	return contract.Event(e.Organization, Service, "access-changed")
}

// OrganizationChanged says that an organization was made, renamed, suspended,
// resumed, deleted, restored or purged, or that it may have more or less.
type OrganizationChanged struct {
	Organization string `json:"organization"`
	// Created says that it is new: services make what it begins with.
	Created bool `json:"created,omitempty"`
	// CreatedBy is the id of the user who has it at first.
	CreatedBy string `json:"createdBy,omitempty"`
}

// Subject is the event's.
func (e OrganizationChanged) Subject() string {
	return contract.Event(e.Organization, Service, "organization-changed")
}

// TrailGrown says that the audit trail of an organization has a new entry.
type TrailGrown struct {
	Organization string `json:"organization"`
}

// Subject is the event's.
func (e TrailGrown) Subject() string {
	return contract.Event(e.Organization, Service, "trail-grown")
}
