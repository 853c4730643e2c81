package tenant

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
)

// TokenServer asks where the authorization server of an organization is.
type TokenServer struct {
	Organization string `json:"organization"`
}

// TokenServerAt is the answer to TokenServer. Its fields are "" where the
// installation has no authorization server.
type TokenServerAt struct {
	// Issuer is its identifier (RFC 8414 section 2), TokenEndpoint where tokens are
	// asked for.
	Issuer        string `json:"issuer,omitempty"`
	TokenEndpoint string `json:"tokenEndpoint,omitempty"`
}

// Subject is the request's.
func (TokenServer) Subject() string { return contract.Request(Service, "token-server") }

// Reply is the type of the answer.
func (TokenServer) Reply() (r TokenServerAt) { return }

// MakeClient asks for an OAuth2 client of an application: one that is given tokens
// of its own (RFC 6749 section 4.4), and is looked after by who has the application.
type MakeClient struct {
	Organization string `json:"organization"`
	// Application is the id of the application, ApplicationName what it is called.
	Application     string `json:"application"`
	ApplicationName string `json:"applicationName"`
	// Name is what the client is called within the application.
	Name string `json:"name"`
	// Scopes and Audiences are what its tokens are good for. Scopes that the
	// organization does not have are left out.
	Scopes    []string `json:"scopes,omitempty"`
	Audiences []string `json:"audiences,omitempty"`
	// Actor is who wants it, for the audit trail.
	Actor audit.Actor `json:"actor"`
}

// MadeClient is the answer to MakeClient. The secret is in no other answer.
type MadeClient struct {
	ClientID string `json:"clientId"`
	Secret   string `json:"secret"`
	// Hint is the beginning and the end of the secret.
	Hint string `json:"hint"`
	TokenServerAt
}

// Subject is the request's.
func (MakeClient) Subject() string { return contract.Request(Service, "make-client") }

// Reply is the type of the answer.
func (MakeClient) Reply() (r MadeClient) { return }

// RotateClient asks for another secret of a client that an application has.
type RotateClient struct {
	Organization string `json:"organization"`
	Application  string `json:"application"`
	ClientID     string `json:"clientId"`
	// Overlap is how long the secrets before it go on to work, in seconds.
	Overlap int64       `json:"overlap"`
	Actor   audit.Actor `json:"actor"`
}

// Subject is the request's.
func (RotateClient) Subject() string { return contract.Request(Service, "rotate-client") }

// Reply is the type of the answer.
func (RotateClient) Reply() (r MadeClient) { return }

// KeepClients says which OAuth2 clients an application has: others of it are
// deleted, and what differs of those is changed. None that is missing is made.
type KeepClients struct {
	Organization    string       `json:"organization"`
	Application     string       `json:"application"`
	ApplicationName string       `json:"applicationName"`
	Clients         []KeptClient `json:"clients"`
}

// KeptClient is a client that stays. Its fields are those of [MakeClient].
type KeptClient struct {
	ClientID  string   `json:"clientId"`
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes,omitempty"`
	Audiences []string `json:"audiences,omitempty"`
}

// ClientsKept is the answer to KeepClients.
type ClientsKept struct {
	// Deleted and Changed count clients.
	Deleted int `json:"deleted"`
	Changed int `json:"changed"`
}

// Subject is the request's.
func (KeepClients) Subject() string { return contract.Request(Service, "keep-clients") }

// Reply is the type of the answer.
func (KeepClients) Reply() (r ClientsKept) { return }

// ClientHolders asks which applications have OAuth2 clients.
type ClientHolders struct {
	Organization string `json:"organization"`
}

// ClientHolderList is the answer to ClientHolders: ids of applications.
type ClientHolderList struct {
	Applications []string `json:"applications"`
}

// Subject is the request's.
func (ClientHolders) Subject() string { return contract.Request(Service, "client-holders") }

// Reply is the type of the answer.
func (ClientHolders) Reply() (r ClientHolderList) { return }

// ClientToken asks for an access token of a client that an application has, for
// minutes: the portal calls an API with it for whose the application is. The secret
// of the client is known to nobody but them.
type ClientToken struct {
	Organization string `json:"organization"`
	Application  string `json:"application"`
	ClientID     string `json:"clientId"`
}

// IssuedToken is the answer to ClientToken.
type IssuedToken struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Subject is the request's.
func (ClientToken) Subject() string { return contract.Request(Service, "client-token") }

// Reply is the type of the answer.
func (ClientToken) Reply() (r IssuedToken) { return }
