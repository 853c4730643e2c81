package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// The ways in which a client authenticates itself (RFC 7591 section 2, RFC 8705
// section 2.2).
const (
	AuthBasic       = "client_secret_basic"
	AuthPost        = "client_secret_post"
	AuthPrivateKey  = "private_key_jwt"
	AuthCertificate = "self_signed_tls_client_auth"
	AuthTLS         = "tls_client_auth"
	AuthNone        = "none"
)

// HasSecret reports whether a client of an authentication method has secrets.
func HasSecret(method string) bool { return method == AuthBasic || method == AuthPost }

// The grants (RFC 6749, RFC 8628, RFC 8693).
const (
	GrantCode     = "authorization_code"
	GrantClient   = "client_credentials"
	GrantRefresh  = "refresh_token"
	GrantDevice   = "urn:ietf:params:oauth:grant-type:device_code"
	GrantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// The forms of access tokens.
const (
	FormatJWT    = "jwt"
	FormatOpaque = "opaque"
)

// secretPrefix begins every client secret, so that scanners for leaked secrets
// find them.
const secretPrefix = "ghcs_"

// NewSecret returns a client secret of 256 random bits, and what of it is shown
// later.
func NewSecret() (plain, hint string) {
	plain = secretPrefix + random()
	return plain, plain[:len(secretPrefix)+4] + "…" + plain[len(plain)-4:]
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Hash returns the SHA-256 of a secret in hexadecimal digits. All secrets of
// clients are random and long, so that a fast hash does.
func Hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// client is a client as fosite knows it. It is shared and never changed.
type client struct {
	store.OAuthClient
	secrets []store.OAuthSecret
	hashes  [][]byte
	keys    *jose.JSONWebKeySet
	scopes  fosite.Arguments
	// authority vouches for its certificate; nil = none does.
	authority *x509.CertPool
	// app says that it is an app of the product.
	app bool
}

var (
	_ fosite.ClientWithSecretRotation       = (*client)(nil)
	_ fosite.OpenIDConnectClient            = (*client)(nil)
	_ fosite.ClientWithCustomTokenLifespans = (*client)(nil)
	_ fosite.ResponseModeClient             = (*client)(nil)
)

// identityScopes are those of OpenID Connect Core section 5.4 and 11, which every
// client with the code grant may ask for.
var identityScopes = []string{"openid", "profile", "email", "offline_access"}

// IdentityScopes returns the scopes that are about who somebody is.
func IdentityScopes() []string { return slices.Clone(identityScopes) }

func newClient(row store.OAuthClient, secrets []store.OAuthSecret) (*client, error) {
	c := &client{OAuthClient: row, secrets: secrets, scopes: row.Scopes}
	for _, s := range secrets {
		c.hashes = append(c.hashes, []byte(s.Hash))
	}
	if row.JWKS != "" {
		keys, err := ParseJWKS(row.JWKS)
		if err != nil {
			return nil, err
		}
		c.keys = keys
	}
	if row.CertificateAuthority != "" {
		authority, err := ParseAuthority(row.CertificateAuthority)
		if err != nil {
			return nil, err
		}
		c.authority = authority
	}
	return c, nil
}

// ParseJWKS reads the public keys of a client (RFC 7517). A key without use is
// taken for signatures.
func ParseJWKS(text string) (*jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return nil, errors.New("this is not a JSON Web Key Set (RFC 7517)")
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("there is no key in the set")
	}
	for i := range set.Keys {
		k := &set.Keys[i]
		if !k.Valid() || !k.IsPublic() {
			return nil, errors.New("the set has a key that is private, symmetric or damaged: give the public keys alone")
		}
		if k.Use == "" {
			k.Use = "sig"
		}
	}
	return &set, nil
}

func (c *client) GetID() string { return c.ID }

func (c *client) GetHashedSecret() []byte {
	if len(c.hashes) == 0 {
		return nil
	}
	return c.hashes[0]
}

func (c *client) GetRotatedHashes() [][]byte {
	if len(c.hashes) < 2 {
		return nil
	}
	return c.hashes[1:]
}

func (c *client) GetRedirectURIs() []string          { return c.RedirectURIs }
func (c *client) GetGrantTypes() fosite.Arguments    { return c.GrantTypes }
func (c *client) GetScopes() fosite.Arguments        { return c.scopes }
func (c *client) IsPublic() bool                     { return c.AuthMethod == AuthNone }
func (c *client) GetRequestURIs() []string           { return nil }
func (c *client) GetJSONWebKeysURI() string          { return c.JWKSURI }
func (c *client) GetTokenEndpointAuthMethod() string { return c.AuthMethod }

// GetAudience returns what its tokens can be for: also the product itself, where the
// client may act there.
func (c *client) GetAudience() fosite.Arguments {
	if c.app || !c.MayAct() {
		return c.Audiences
	}
	return append(slices.Clone(c.Audiences), Audience)
}

func (c *client) GetResponseTypes() fosite.Arguments {
	if !slices.Contains(c.GrantTypes, GrantCode) {
		return fosite.Arguments{"none"} // fosite takes an empty list for code
	}
	return fosite.Arguments{"code"}
}

func (c *client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeDefault, fosite.ResponseModeQuery}
}

func (c *client) GetJSONWebKeys() *jose.JSONWebKeySet { return c.keys }

// GetRequestObjectSigningAlgorithm is one that nothing is signed with: request
// objects are not taken.
func (c *client) GetRequestObjectSigningAlgorithm() string { return "not-accepted" }

func (c *client) GetTokenEndpointAuthSigningAlgorithm() string { return c.AssertionAlgorithm }

// GetEffectiveLifespan returns how long a token of the client lives.
func (c *client) GetEffectiveLifespan(_ fosite.GrantType, t fosite.TokenType, fallback time.Duration) time.Duration {
	switch {
	case t == fosite.AccessToken && c.AccessSeconds > 0:
		return time.Duration(c.AccessSeconds) * time.Second
	case t == fosite.RefreshToken && c.RefreshSeconds > 0:
		return time.Duration(c.RefreshSeconds) * time.Second
	}
	return fallback
}

// hasher compares client secrets. They have 256 random bits, so that a fast hash
// does.
type hasher struct{}

var errSecret = errors.New("the secret is not right")

func (hasher) Compare(_ context.Context, hash, data []byte) error {
	if len(hash) == 0 || !secret.Equal(string(hash), Hash(string(data))) {
		return errSecret
	}
	return nil
}

func (hasher) Hash(_ context.Context, data []byte) ([]byte, error) {
	return []byte(Hash(string(data))), nil
}

// fresh is how long what was read of clients, organizations and keys is used
// without reading it again: a change counts everywhere after that time.
const fresh = time.Second

// mostKnown bounds what is kept in memory, of which some can be caused by anybody.
const mostKnown = 10_000

// cache keeps what was read for a moment. Errors are not kept.
type cache[T any] struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]cached[T]
}

type cached[T any] struct {
	value T
	at    time.Time
}

func newCache[T any](now func() time.Time) *cache[T] {
	return &cache[T]{now: now, known: map[string]cached[T]{}}
}

// get returns what is known under a key, read where that is too old.
func (c *cache[T]) get(key string, read func() (T, error)) (T, error) {
	now := c.now()
	c.mu.Lock()
	k, ok := c.known[key]
	c.mu.Unlock()
	if age := now.Sub(k.at); ok && age < fresh && age >= 0 {
		return k.value, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= mostKnown {
		clear(c.known)
	}
	c.known[key] = cached[T]{v, now}
	return v, nil
}

func (c *cache[T]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, key)
}
