// Package credential is the form in which gateways learn who may call:
// applications with their subscriptions, and credentials by digest. It travels
// apart from routes, so that a new key never rebuilds a routing table and a
// revocation does not wait for a deployment. Nothing in it reveals an API key.
package credential

import "time"

// Kind is how a caller proves who it is.
type Kind string

// The kinds.
const (
	APIKey      Kind = "api-key"
	Basic       Kind = "basic"
	JWT         Kind = "jwt"
	OAuth2      Kind = "oauth2"
	Certificate Kind = "certificate"
	HMAC        Kind = "hmac"
)

// Application is a consumer's program.
type Application struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Organization string            `json:"organization,omitempty"`
	Groups       []string          `json:"groups,omitempty"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	// Subscriptions that are not active are left out, or have Active false.
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription is an application's right to use a plan of an API.
type Subscription struct {
	ID        string    `json:"id"`
	API       string    `json:"api"`
	Plan      string    `json:"plan"`
	Active    bool      `json:"active"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// Credential is one credential of an application.
type Credential struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Digest is the SHA-256, in lower-case hex, of what the credential is looked
	// up by: the API key itself, the user name, the client id or subject, the key
	// id, the DER certificate, or the certificate's name.
	Digest      string `json:"digest"`
	Application string `json:"application"`
	// Verifier is what a secret is checked against: the argon2id or bcrypt hash
	// of a basic password, or the shared secret of an HMAC key.
	Verifier string `json:"verifier,omitempty"`
	// Plan, when set, limits the credential to one plan.
	Plan      string    `json:"plan,omitempty"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// Revoked takes the credential out. The entry stays in the feed, so that an
	// older entry cannot bring it back.
	Revoked bool `json:"revoked,omitempty"`
	// Version orders changes of one credential: a lower one never replaces a
	// higher one.
	Version uint64 `json:"version,omitempty"`
}

// Feed is a part, or the whole, of what is known.
type Feed struct {
	// Full says that what is not in the feed no longer exists.
	Full         bool          `json:"full,omitempty"`
	Applications []Application `json:"applications,omitempty"`
	Credentials  []Credential  `json:"credentials,omitempty"`
}
