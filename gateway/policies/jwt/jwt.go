// Package jwt is the policy type jwt: it verifies JSON Web Tokens (RFC 7519)
// along RFC 8725 and establishes the caller from their claims. How keys are
// fetched and kept is not its affair.
package jwt

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a jwt policy.
type Config struct {
	// JWKSURL is the https address of the issuer's key set.
	JWKSURL string `json:"jwksUrl,omitempty" schema:"oneof=keys,format=http-url"`
	// JWKS is a key set as JSON text, in place of an address.
	JWKS string `json:"jwks,omitempty" schema:"oneof=keys,minLength=2"`
	// PublicKey is one public key or certificate, or several, in PEM.
	PublicKey string `json:"publicKey,omitempty" schema:"oneof=keys,minLength=16"`
	// Secret is the shared secret of HMAC signatures, of 32 bytes at least. A
	// public key is more secure wherever it is to be had.
	Secret schema.Secret `json:"secret,omitzero" schema:"oneof=keys"`

	// Issuer are the accepted values of iss; none = any, which is safe only where
	// the keys are those of one issuer.
	Issuer []string `json:"issuer,omitempty" schema:"minLength=1,maxItems=50"`
	// Audience are the values of which aud must have one; none = any.
	Audience []string `json:"audience,omitempty" schema:"minLength=1,maxItems=50"`
	// Algorithms are the accepted signature algorithms. The default is every
	// asymmetric one, or with a secret the HMAC ones that it is long enough for.
	Algorithms []string `json:"algorithms,omitempty" schema:"enum=RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|HS256|HS384|HS512,unique,minItems=1"`
	// Type is what the header typ must be, such as at+jwt (RFC 9068). The default
	// accepts JWT, at+jwt and none.
	Type string `json:"type,omitempty" schema:"maxLength=64"`
	// RequiredClaims are claims that must be there.
	RequiredClaims []string `json:"requiredClaims,omitempty" schema:"minLength=1,maxItems=50"`
	// Claims are claims, by name or dotted path, and the values of which each must
	// have one.
	Claims map[string][]string `json:"claims,omitempty"`
	// ClockSkew is how far clocks may differ. The default is 60s.
	ClockSkew schema.Duration `json:"clockSkew,omitzero" schema:"max=10m"`
	// MaxLifetime is the longest time from iat to exp that is accepted; 0 = any.
	MaxLifetime schema.Duration `json:"maxLifetime,omitzero"`
	// AllowNoExpiry accepts tokens without exp. The default is false.
	AllowNoExpiry bool `json:"allowNoExpiry,omitempty"`
	// RequireBound accepts only tokens that are bound to a client certificate
	// (RFC 8705) or to a key (RFC 9449). Those that are bound are always checked.
	RequireBound bool `json:"requireBound,omitempty"`
	// Certificate says where client certificates come from, besides the TLS
	// handshake.
	Certificate bearer.Certificates `json:"certificate,omitzero"`
	// DPoP says which proofs of keys count. They are asked for with tokens that are
	// bound to one.
	DPoP bearer.Proofs `json:"dpop,omitzero"`
	// Scopes are the scopes that the token must grant.
	Scopes []string `json:"scopes,omitempty" schema:"maxItems=50"`
	// ScopeMatch says whether all scopes are needed or any of them. The default
	// is all.
	ScopeMatch string `json:"scopeMatch,omitempty" schema:"enum=all|any"`
	// ScopeClaims are the claims that may list scopes; the first that is there
	// counts. The default is scope, then scp.
	ScopeClaims []string `json:"scopeClaims,omitempty" schema:"minLength=1"`
	// SubjectClaim is the claim that names the subject. The default is sub.
	SubjectClaim string `json:"subjectClaim,omitempty" schema:"minLength=1"`
	// ClientClaims are the claims that may name the client, by which the
	// application is found; the first that is there counts. The default is
	// client_id, then azp. Where none is there the subject is taken.
	ClientClaims []string `json:"clientClaims,omitempty" schema:"minLength=1"`
	// Credential is the kind of credential by which the application is found. oauth2
	// are the clients of the organization's own authorization server, jwt those of
	// other issuers, or subjects, that were registered. The default is jwt.
	Credential string `json:"credential,omitempty" schema:"enum=jwt|oauth2"`
	// Application says whether an application must be registered for the client.
	// The default is optional.
	Application string `json:"application,omitempty" schema:"enum=optional|required"`
	// Headers are header fields for the upstream and the claims whose values they
	// get. What the client sends under these names is removed.
	Headers map[string]string `json:"headers,omitempty"`

	// Header is the header field that has the token. The default is Authorization.
	Header string `json:"header,omitempty" schema:"maxLength=128"`
	// Scheme is the authentication scheme before the token in the header field.
	// The default is Bearer.
	Scheme string `json:"scheme,omitempty" schema:"maxLength=32"`
	// Cookie is a cookie that may have the token instead.
	Cookie string `json:"cookie,omitempty" schema:"maxLength=128"`
	// Query is a query parameter that may have the token instead; RFC 6750 advises
	// against it.
	Query string `json:"query,omitempty" schema:"maxLength=128"`
	// Hide takes the token out of the request before the upstream sees it. The
	// default is false.
	Hide bool `json:"hide,omitempty"`
	// MaxSize is the largest token that is looked at. The default is 16KiB.
	MaxSize schema.Bytes `json:"maxSize,omitzero" schema:"min=256,max=64KiB"`
	// CacheTTL is how long a verified token is remembered, so that its signature
	// is not verified for each request. It ends with the token and with a change
	// of the keys. 0 = not at all. The default is 5m.
	CacheTTL schema.Duration `json:"cacheTtl" schema:"max=1h"`
	// Refresh is how often the key set is fetched. The default is 10m.
	Refresh schema.Duration `json:"refresh,omitzero" schema:"min=10s,max=24h"`
	// MaxStale is how long the last good keys are used while the key set cannot be
	// fetched. The default is 24h.
	MaxStale schema.Duration `json:"maxStale,omitzero" schema:"min=1m"`
	// AllowHTTP fetches the key set without TLS, for tests only.
	AllowHTTP bool `json:"allowHttp,omitempty"`
	// Realm is the realm of the challenge in WWW-Authenticate. The default is
	// gatehouse.
	Realm string `json:"realm,omitempty" schema:"pattern=^[A-Za-z0-9 ._/-]{1,128}$"`
}

func defaults() Config {
	return Config{
		ClockSkew: schema.Duration(time.Minute), ScopeMatch: "all", ScopeClaims: []string{"scope", "scp"},
		SubjectClaim: "sub", ClientClaims: []string{"client_id", "azp"}, Application: "optional", Credential: string(policy.KindJWT),
		Header: "Authorization", Scheme: "Bearer", MaxSize: 16 << 10, CacheTTL: schema.Duration(5 * time.Minute),
		Refresh: schema.Duration(10 * time.Minute), MaxStale: schema.Duration(24 * time.Hour), Realm: "gatehouse",
		DPoP: bearer.DefaultProofs(),
	}
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("jwt", "JSON Web Token", defaults(), compile, schemaDoc, bearer.Docs)
	d.Doc = "Accepts callers with a signed JSON Web Token. Algorithms are pinned by a list, keys come from the issuer's key set " +
		"and are kept for an outage, expiry is required. " +
		"A token that is bound to a client certificate or a key is accepted only from who shows it (RFC 8705, RFC 9449). Where the keys cannot be had the answer is 503, never a pass."
	d.Example = "jwksUrl: https://idp.example/.well-known/jwks.json\nissuer: [https://idp.example/]\naudience: [orders]\n" +
		"scopes: [\"orders:read\"]\nheaders: {X-User: sub}"
	return d
}

// check is a compiled jwt policy.
type check struct {
	Config
	env       policy.Env
	sources   bearer.Sources
	keys      policy.KeySet
	headers   bearer.Mapping
	holder    *bearer.Holder
	prefix    string // of keys in the store
	skew      int64  // seconds
	anyScope  bool
	algorithm map[string]bool

	answers answers
}

// answers are the constant answers.
type answers struct {
	missing, twice, malformed, algorithm, typ, signature, expired, early, lifetime, noExpiry,
	issuer, audience, claims, bound, scope, application, keys *problem.Problem
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	k := &check{
		Config: c, env: env, anyScope: c.ScopeMatch == "any", skew: int64(c.ClockSkew.Std() / time.Second),
		sources: bearer.Sources{Header: c.Header, Scheme: c.Scheme, Cookie: c.Cookie, Query: c.Query},
	}
	if err := k.sources.Check(); err != nil {
		return policy.Hooks{}, err
	}
	for _, s := range c.Scopes {
		if !bearer.ValidScope(s) {
			return policy.Hooks{}, policy.Invalid("/scopes", "%q is not one scope; write each as an element of the list", s)
		}
	}
	for name, values := range c.Claims {
		if len(values) == 0 {
			return policy.Hooks{}, policy.Invalid("/claims/"+schema.Escape(name), "there is no value; name one, or use requiredClaims")
		}
	}
	k.Type = media(c.Type)
	var err error
	if k.headers, err = bearer.NewMapping("/headers", c.Headers); err != nil {
		return policy.Hooks{}, err
	}
	if err := k.algorithms(); err != nil {
		return policy.Hooks{}, err
	}
	k.compileAnswers()
	if k.holder, err = bearer.NewHolder(c.Certificate, c.DPoP, k.challenges(), env); err != nil {
		return policy.Hooks{}, err
	}
	// What was verified under another configuration must not count: each
	// compilation has keys of its own in the store.
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return policy.Hooks{}, err
	}
	k.prefix = env.Scope.API + "/jwt/" + hex.EncodeToString(nonce[:]) + "/"
	if k.keys, err = k.open(); err != nil {
		return policy.Hooks{}, err
	}
	return policy.Hooks{Inbound: k.inbound, Close: k.close, Authenticates: true}, nil
}

func (k *check) close() {
	k.keys.Close()
	if k.env.Store != nil {
		k.env.Store.DeletePrefix(k.prefix)
	}
}

// algorithms works out the allow-list. HMAC goes with a secret and with nothing
// else, so that a public key can never be taken for a secret (RFC 8725 section
// 2.1).
func (k *check) algorithms() error {
	list := k.Algorithms
	secret := k.Secret.IsSet()
	size := len(k.Secret.Reveal())
	need := map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} // RFC 7518 section 3.2
	switch {
	case secret && strings.Contains(k.Secret.Reveal(), "-----BEGIN"):
		return policy.Invalid("/secret", "this is a key in PEM; put a public key into publicKey")
	case secret && size < 32:
		return policy.Invalid("/secret", "the secret has less than 32 bytes, or names something that is empty; use 32 random bytes or more")
	case len(list) == 0 && secret:
		for alg, n := range need {
			if size >= n {
				list = append(list, alg)
			}
		}
	case len(list) == 0:
		list = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	}
	k.algorithm = map[string]bool{}
	for _, alg := range list {
		n, hmac := need[alg]
		switch {
		case hmac && !secret:
			return policy.Invalid("/algorithms", "%s needs a secret, and a public key is never taken for one; set secret, or use an asymmetric algorithm", alg)
		case !hmac && secret:
			return policy.Invalid("/algorithms", "%s needs a public key; set jwksUrl, jwks or publicKey instead of secret", alg)
		case hmac && size < n:
			return policy.Invalid("/secret", "%s needs a secret of %d bytes or more", alg, n)
		}
		k.algorithm[alg] = true
	}
	return nil
}

func (k *check) open() (policy.KeySet, error) {
	if k.Secret.IsSet() {
		return secretKey(k.Secret.Reveal()), nil
	}
	if k.env.KeySets == nil {
		return nil, policy.Invalid("/jwksUrl", "this gateway keeps no key sets")
	}
	field, doc := "/jwks", k.JWKS
	switch {
	case k.JWKSURL != "":
		set, err := k.env.KeySets.Open(k.JWKSURL, policy.KeySetOptions{
			Refresh: k.Refresh.Std(), MaxStale: k.MaxStale.Std(), AllowHTTP: k.AllowHTTP,
		})
		if err != nil {
			return nil, policy.Invalid("/jwksUrl", "%s", err)
		}
		return set, nil
	case k.PublicKey != "":
		field, doc = "/publicKey", k.PublicKey
	case k.JWKS == "":
		return nil, policy.Invalid("/jwksUrl", "there is no key; set jwksUrl, jwks, publicKey or secret")
	case strings.Contains(doc, `"oct"`):
		return nil, policy.Invalid("/jwks", "a symmetric key is a secret; put it into secret")
	}
	set, err := k.env.KeySets.Static([]byte(doc))
	if err != nil {
		return nil, policy.Invalid(field, "%s", err)
	}
	return set, nil
}

func (k *check) challenges() bearer.Challenges {
	return bearer.Challenges{Realm: k.Realm, Scheme: k.Scheme}
}

func (k *check) compileAnswers() {
	c := k.challenges()
	k.answers = answers{
		missing: c.Missing(), twice: c.Invalid("the request has more than one token; send one"),
		malformed: c.Invalid("the token is not a signed JSON Web Token"),
		algorithm: c.Invalid("the algorithm of the token is not accepted"),
		typ:       c.Invalid("the type of the token is not accepted"),
		signature: c.Invalid("the signature of the token cannot be verified"),
		expired:   c.Expired(), early: c.Invalid("the token is not valid yet"),
		lifetime:    c.Invalid("the token is valid for longer than is accepted"),
		noExpiry:    c.Invalid("the token has no expiry"),
		issuer:      c.Invalid("the issuer of the token is not accepted"),
		audience:    c.Invalid("the token is for another audience"),
		claims:      c.Invalid("the token lacks a claim or a value that is needed"),
		bound:       c.Invalid("the token is not bound to a certificate or a key, or in a way that cannot be checked"),
		scope:       c.Scope(k.Scopes),
		application: problem.New(problem.CodeAccessDenied, "no application is registered for the client that the token names"),
		keys: problem.New(problem.CodeDependencyDown, "the keys to verify the token with cannot be had; try again").
			WithRetryAfter(5 * time.Second),
	}
}

// media returns a typ in the form to compare: lower case, without the prefix
// that RFC 7515 section 4.1.9 lets go.
func media(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

func (k *check) accepts(typ string) bool {
	typ = media(typ)
	if k.Type != "" {
		return typ == k.Type
	}
	return slices.Contains([]string{"", "jwt", "at+jwt"}, typ)
}
