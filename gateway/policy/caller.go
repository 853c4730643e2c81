package policy

import (
	"crypto/sha256"
	"errors"
	"time"
	"unsafe"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Caller is who calls, as far as policies have established it. Everything it
// points to is shared between requests and must not be changed.
type Caller struct {
	// Kind is the kind of credential that was accepted; "" = nobody is
	// authenticated.
	Kind CredentialKind
	// Credential is the id of the credential; never the credential itself.
	Credential string
	// Application is the application the credential belongs to; nil where the
	// caller is known by a token that no application is registered for.
	Application *Application
	// Subject is the user or client that a token names.
	Subject string
	// Issuer is who issued the token.
	Issuer string
	// Scopes are the scopes granted.
	Scopes []string
	// Claims are the token's claims.
	Claims map[string]any
	// Plan and Subscription are those under which the request is served.
	Plan, Subscription string
}

// Authenticated reports whether the caller is known.
func (c *Caller) Authenticated() bool { return c.Kind != "" }

// ApplicationID returns the id of the application, or "".
func (c *Caller) ApplicationID() string {
	if c.Application == nil {
		return ""
	}
	return c.Application.ID
}

// CredentialKind is how a caller proves who it is.
type CredentialKind string

// The kinds of credential.
const (
	KindAPIKey      CredentialKind = "api-key"
	KindBasic       CredentialKind = "basic"
	KindJWT         CredentialKind = "jwt"         // looked up by client id or subject
	KindOAuth2      CredentialKind = "oauth2"      // opaque token; looked up by client id
	KindCertificate CredentialKind = "certificate" // looked up by SHA-256 of the certificate, or by name
	KindHMAC        CredentialKind = "hmac"        // looked up by key id
)

// Application is a consumer's program. It is made once, at load, and never
// changes.
type Application struct {
	ID, Name, Organization string
	Groups                 []string
	Attributes             map[string]string
	// Subscriptions by API id.
	Subscriptions map[string][]Subscription
}

// Subscription is an application's right to use a plan of an API.
type Subscription struct {
	ID, Plan  string
	Active    bool
	ExpiresAt time.Time // zero = never
}

// Digest identifies a credential without revealing it.
type Digest [sha256.Size]byte

// DigestOf returns the digest under which a credential's identifier (the API
// key, user name, client id, key id or the DER certificate) is looked up.
func DigestOf(identifier string) Digest {
	// A conversion would allocate.
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(identifier), len(identifier))) //nolint:gosec // only read
}

// Credential is what the store knows of one credential.
type Credential struct {
	ID          string
	Application *Application
	// Verifier is what a secret is checked against: the argon2id or bcrypt hash
	// of a basic password, the shared secret of an HMAC key. Nil for the kinds
	// that need none.
	Verifier []byte
	// Plan, when set, limits the credential to one plan.
	Plan string
	// ExpiresAt is in Unix seconds; 0 = never.
	ExpiresAt int64
}

// Expired reports whether the credential's time is over.
func (c *Credential) Expired(now time.Time) bool {
	return c.ExpiresAt != 0 && now.Unix() >= c.ExpiresAt
}

// Credentials finds credentials. Revoked ones are not found.
type Credentials interface {
	// Lookup returns the credential of that kind and digest, by value and
	// without allocating.
	Lookup(kind CredentialKind, digest Digest) (Credential, bool)
}

// ErrNoCredential says that a request carries no credential of the kind that a
// policy looks for, so that another may be tried.
var ErrNoCredential = errors.New("request carries no such credential")

// NoCredential returns the problem to answer when the request carries nothing
// that the policy understands. The challenge is a WWW-Authenticate value.
func NoCredential(detail, challenge string) *problem.Problem {
	return problem.New(problem.CodeCredentialMissing, "%s", detail).
		WithChallenge(challenge).Because(ErrNoCredential)
}
