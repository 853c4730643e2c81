// Package audit is how every service tells what was done in it, by whom. The
// trail itself is tenant-manager's, which takes in the events of all.
package audit

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// Recorded says that somebody changed something, signed in, or was refused. It
// is emitted in the transaction of the change.
type Recorded struct {
	// ID is the entry's own, a UUIDv7.
	ID string `json:"id"`
	// Organization is whose trail it belongs to, by id.
	Organization string `json:"organization"`
	// Service is the one in which it happened.
	Service string `json:"service"`
	// Action is what was done, as kind and verb: "api.updated", "user.signed-in".
	Action string `json:"action"`
	// Outcome is "done" or "refused".
	Outcome string `json:"outcome"`
	// Actor is who did it.
	Actor Actor `json:"actor"`
	// Target is what it was done to.
	Target Target `json:"target"`
	// Changes are the fields that changed; secrets are masked.
	Changes []Change `json:"changes,omitempty"`
	// RequestID is that of the request.
	RequestID string `json:"requestId,omitempty"`
	// IP is the address that the request came from.
	IP string `json:"ip,omitempty"`
	// Via is by what it was done: one of the Via constants, "" in entries of before.
	Via string `json:"via,omitempty"`
	// Time is when it was done, in UTC.
	Time time.Time `json:"time"`
}

// By what something was done.
const (
	// ViaConsole is a browser app, in a session of a person.
	ViaConsole = "console"
	// ViaAPI is a request with a token of its own: of the command line, a program, a
	// directory, or a client of the authorization server.
	ViaAPI = "api"
	// ViaService is a service or a gateway, over the bus.
	ViaService = "service"
	// ViaSystem is a service by itself, such as a job.
	ViaSystem = "system"
)

// Actor is who did something.
type Actor struct {
	// Kind is "user", "service-account", "scim-token" (a directory's), "gateway",
	// "service", or "anonymous".
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	// Name is for people, as it was then.
	Name string `json:"name,omitempty"`
	// Token is the id of the token by which they came, TokenName its name then; ""
	// where they had signed in.
	Token     string `json:"token,omitempty"`
	TokenName string `json:"tokenName,omitempty"`
	// Impersonator is the id of the user who acted as this one, ImpersonatorName
	// their name then; "" where they did it themselves.
	Impersonator     string `json:"impersonator,omitempty"`
	ImpersonatorName string `json:"impersonatorName,omitempty"`
}

// Target is what something was done to.
type Target struct {
	// Kind is a word of the product in kebab-case, such as "api".
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Name is for people, as it was then.
	Name string `json:"name,omitempty"`
	// Project is the id of its project, where it has one.
	Project string `json:"project,omitempty"`
}

// Change is one field before and after.
type Change struct {
	// Field is a JSON pointer into the target's representation.
	Field string `json:"field"`
	// Before and After are JSON values, as text; "" = was not, or is not, there.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Subject is the event's, of the service in which it happened; of the zero
// value, that of all services.
func (r Recorded) Subject() string {
	service := r.Service
	if service == "" {
		service = "*"
	}
	return contract.Event(r.Organization, service, "audited")
}
