package policy

import (
	"context"
	"crypto"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// Env is what a policy may use besides the exchange. It is handed to Compile;
// a policy keeps what it needs.
type Env struct {
	// ID is the instance id of the policy: unique within the gateway, stable
	// over configuration changes, such as "orders/policies/1".
	ID string
	// Scope says where the policy is configured.
	Scope Scope
	// Log carries the attributes that name the policy.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Counters makes limiters.
	Counters Counters
	// Credentials finds credentials of applications.
	Credentials Credentials
	// KeySets fetches and keeps JSON Web Key Sets, one copy per address.
	KeySets KeySets
	// Store is bounded memory, shared by all policies, that outlives a
	// configuration change. Keys begin with the API's id and a slash.
	Store Store
	// HTTP is the client for calls to other systems. It follows no redirects
	// and has a time limit.
	HTTP *http.Client
	// Document is the API's OpenAPI document as JSON, nil where it has none.
	Document json.RawMessage
	// Memo returns what make returned for that key when first called in the
	// configuration unit, so that policies of one API share costly values.
	Memo func(key string, make func() (any, error)) (any, error)
	// Expression compiles a CEL expression over the exchange.
	Expression func(source string) (Expression, error)
	// Template compiles a text with ${CEL expressions} in it.
	Template func(source string) (Template, error)
	// Secrets resolves references such as env:NAME. The secrets of the
	// configuration itself are resolved before Compile.
	Secrets schema.Resolver
	// Slot gives the policy a place for its state in every exchange.
	Slot func() Slot
	// Upstreams are the names of the API's upstreams, the first its default.
	Upstreams []string
	// Background runs f until its context is cancelled, which happens before
	// Close. It is for refreshing things.
	Background func(f func(ctx context.Context))
}

// Scope says where a policy is configured.
type Scope struct {
	// Level is the level, from the widest to the narrowest.
	Level Level
	// Organization and Project are empty at the platform level, API above the
	// API level, and so on.
	Organization, Project, API, Plan, Operation string
}

// Level is a level at which policies are configured.
type Level string

// The levels, in the order in which their policies run.
const (
	LevelPlatform  Level = "platform"
	LevelProject   Level = "project"
	LevelAPI       Level = "api"
	LevelPlan      Level = "plan"
	LevelOperation Level = "operation"
)

// Expression is a compiled CEL expression. Evaluation errors are to be treated
// as a refusal, never as permission.
type Expression interface {
	Bool(ex *Exchange) (bool, error)
	Int(ex *Exchange) (int64, error)
	Text(ex *Exchange) (string, error)
	Value(ex *Exchange) (any, error)
	// Constant reports whether the value does not depend on the exchange.
	Constant() bool
	// NeedsResponse reports whether the expression reads the response.
	NeedsResponse() bool
}

// Template is a compiled text with expressions in it.
type Template interface {
	Text(ex *Exchange) (string, error)
	Constant() bool
}

// Store is bounded memory. All methods may be called at the same time.
type Store interface {
	// Get returns the value under key; false where there is none or its time is
	// over.
	Get(key string) (any, bool)
	// Set keeps value for ttl, at a cost of size bytes. It may be evicted
	// earlier.
	Set(key string, value any, size int64, ttl time.Duration)
	Delete(key string)
	// DeletePrefix removes every key with that prefix and returns how many.
	DeletePrefix(prefix string) int
}

// KeySets keeps one JSON Web Key Set per address for the whole gateway.
type KeySets interface {
	// Open returns the key set at an https address (http only on loopback, or
	// where AllowHTTP is set). It does not wait for the first fetch. Close it
	// when it is no longer used.
	Open(url string, o KeySetOptions) (KeySet, error)
	// Static returns a key set of the given JWKS document (RFC 7517), or of public
	// keys and certificates in PEM.
	Static(doc []byte) (KeySet, error)
}

// KeySetOptions are how a key set is kept.
type KeySetOptions struct {
	// Refresh is how often the set is fetched in the background.
	Refresh time.Duration
	// MaxStale is how long the last good keys are used while fetching fails,
	// from when they should have been refreshed.
	MaxStale time.Duration
	// Cooldown is the least time between two fetches caused by unknown key ids.
	Cooldown  time.Duration
	AllowHTTP bool
}

// KeySet is a set of verification keys.
type KeySet interface {
	// Keys returns the keys that may have signed a token with that key id and
	// algorithm. An unknown kid leads to one fetch within the cooldown. An error
	// means that the key material is not to be had: answer 503, never pass.
	Keys(ctx context.Context, kid, alg string) ([]Key, error)
	// Generation changes whenever the keys do, and is 0 while none are to be had.
	// What was verified under one generation is to be verified again under
	// another, so that a key that was taken out of the set ends.
	Generation() uint64
	Close()
}

// Key is one verification key.
type Key struct {
	ID, Algorithm string
	// Public is an *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey, or
	// []byte for a symmetric key.
	Public crypto.PublicKey
}
