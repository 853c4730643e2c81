// Package oauth2introspection is the policy type oauth2-introspection: it asks
// the authorization server what an access token is good for (RFC 7662) and
// establishes the caller from the answer.
package oauth2introspection

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of an oauth2-introspection policy.
type Config struct {
	// Endpoint is the https address of the introspection endpoint.
	Endpoint string `json:"endpoint" schema:"required,format=http-url"`
	// AllowHTTP asks the endpoint without TLS, for tests only. Loopback addresses
	// need no TLS.
	AllowHTTP bool `json:"allowHttp,omitempty"`
	// ClientID and the secret are the gateway's own credentials at the endpoint.
	ClientID string `json:"clientId" schema:"required,minLength=1"`
	// ClientSecret is the gateway's own secret at the endpoint.
	ClientSecret schema.Secret `json:"clientSecret" schema:"required,minLength=1"`
	// ClientAuth is how they are sent: basic, in the header Authorization, or
	// post, in the form. The default is basic.
	ClientAuth string `json:"clientAuth,omitempty" schema:"enum=basic|post"`
	// TokenTypeHint is sent as token_type_hint; "" = not at all. The default is
	// access_token.
	TokenTypeHint string `json:"tokenTypeHint" schema:"maxLength=64"`
	// Timeout is how long an answer may take. The default is 2s.
	Timeout schema.Duration `json:"timeout,omitzero" schema:"min=10ms,max=1m"`
	// MaxConcurrent is how many tokens are asked about at the same time. Others wait
	// their turn, eight times as many at most and for the timeout at most; beyond it
	// the answer is 503. Tokens that were active a moment ago need not wait for those
	// that nobody knows. The default is 128.
	MaxConcurrent int `json:"maxConcurrent,omitempty" schema:"min=1,max=10000"`
	// CacheTTL is how long an active token is remembered, at most until it
	// expires. A revocation acts after that time. 0 = not at all. The default is
	// 30s.
	CacheTTL schema.Duration `json:"cacheTtl" schema:"max=1h"`
	// NegativeTTL is how long a token is remembered that the server said to be
	// inactive. Failures to get an answer are never remembered. The default is
	// 10s.
	NegativeTTL schema.Duration `json:"negativeTtl" schema:"max=10m"`

	// Issuer are the accepted values of iss; none = any.
	Issuer []string `json:"issuer,omitempty" schema:"minLength=1"`
	// Audience are the values of which aud must have one; none = any.
	Audience []string `json:"audience,omitempty" schema:"minLength=1"`
	// Scopes are the scopes that the token must grant.
	Scopes []string `json:"scopes,omitempty" schema:"maxItems=50"`
	// ScopeMatch says whether all scopes are needed or any of them. The default
	// is all.
	ScopeMatch string `json:"scopeMatch,omitempty" schema:"enum=all|any"`
	// RequireBound accepts only tokens that are bound to a client certificate
	// (RFC 8705) or to a key (RFC 9449). Those that are bound are always checked.
	RequireBound bool `json:"requireBound,omitempty"`
	// Certificate says where client certificates come from, besides the TLS
	// handshake.
	Certificate bearer.Certificates `json:"certificate,omitzero"`
	// DPoP says which proofs of keys count. They are asked for with tokens that are
	// bound to one.
	DPoP bearer.Proofs `json:"dpop,omitzero"`
	// Application says whether an application must be registered for the client.
	// The default is optional.
	Application string `json:"application,omitempty" schema:"enum=optional|required"`
	// Headers are header fields for the upstream and the members of the answer
	// whose values they get. What the client sends under these names is removed.
	Headers map[string]string `json:"headers,omitempty"`

	// Header is the header field that has the token. The default is Authorization.
	Header string `json:"header,omitempty" schema:"maxLength=128"`
	// Scheme is the authentication scheme before the token in the header field.
	// The default is Bearer.
	Scheme string `json:"scheme,omitempty" schema:"maxLength=32"`
	// Cookie is a cookie that may have the token instead.
	Cookie string `json:"cookie,omitempty" schema:"maxLength=128"`
	// Query is a query parameter that may have the token instead.
	Query string `json:"query,omitempty" schema:"maxLength=128"`
	// Hide takes the token out of the request before the upstream sees it. The
	// default is false.
	Hide bool `json:"hide,omitempty"`
	// MaxSize is the largest token that is asked about. The default is 8KiB.
	MaxSize schema.Bytes `json:"maxSize,omitzero" schema:"min=64,max=64KiB"`
	// Realm is the realm of the challenge in WWW-Authenticate. The default is
	// gatehouse.
	Realm string `json:"realm,omitempty" schema:"pattern=^[A-Za-z0-9 ._/-]{1,128}$"`
}

func defaults() Config {
	return Config{
		ClientAuth: "basic", TokenTypeHint: "access_token", Timeout: schema.Duration(2 * time.Second), MaxConcurrent: 128,
		CacheTTL: schema.Duration(30 * time.Second), NegativeTTL: schema.Duration(10 * time.Second), ScopeMatch: "all",
		Application: "optional", Header: "Authorization", Scheme: "Bearer", MaxSize: 8 << 10, Realm: "gatehouse",
		DPoP: bearer.DefaultProofs(),
	}
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("oauth2-introspection", "OAuth 2.0 token introspection", defaults(), compile, schemaDoc, bearer.Docs)
	d.Doc = "Accepts callers with an opaque access token that the authorization server says to be active. Each token is asked " +
		"about once at a time and remembered for a short while. A token that is bound to a client " +
		"certificate or a key is accepted only from who shows it (RFC 8705, RFC 9449). Where the server does not answer, the answer is 503, never a pass."
	d.Example = "endpoint: https://idp.example/oauth2/introspect\nclientId: gateway\nclientSecret: a-secret-of-the-gateway\n" +
		"scopes: [\"orders:read\"]"
	return d
}

type check struct {
	Config
	env      policy.Env
	http     *http.Client
	form     url.Values
	sources  bearer.Sources
	headers  bearer.Mapping
	holder   *bearer.Holder
	prefix   string
	anyScope bool

	missing, twice, malformed, inactive, expired, issuer, audience, bound, scope, application, down, busy *problem.Problem

	// slots are taken by who asks about any token, reserved by who asks about one that
	// was active a moment ago: what is no token keeps none of these waiting.
	slots, reserved chan struct{}
	refusals        refusals

	mu     sync.Mutex
	flight map[string]*call
	lost   bool
	wg     sync.WaitGroup
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	k := &check{
		Config: c, env: env, anyScope: c.ScopeMatch == "any", flight: map[string]*call{}, form: url.Values{},
		slots: make(chan struct{}, c.MaxConcurrent), reserved: make(chan struct{}, max(c.MaxConcurrent/4, 1)),
		sources: bearer.Sources{Header: c.Header, Scheme: c.Scheme, Cookie: c.Cookie, Query: c.Query},
	}
	if err := k.sources.Check(); err != nil {
		return policy.Hooks{}, err
	}
	if err := allowed(c.Endpoint, c.AllowHTTP); err != nil {
		return policy.Hooks{}, err
	}
	if c.ClientSecret.Reveal() == "" {
		return policy.Hooks{}, policy.Invalid("/clientSecret", "the secret is empty, or names something that is")
	}
	for _, s := range c.Scopes {
		if !bearer.ValidScope(s) {
			return policy.Hooks{}, policy.Invalid("/scopes", "%q is not one scope; write each as an element of the list", s)
		}
	}
	var err error
	if k.headers, err = bearer.NewMapping("/headers", c.Headers); err != nil {
		return policy.Hooks{}, err
	}
	if c.TokenTypeHint != "" {
		k.form.Set("token_type_hint", c.TokenTypeHint)
	}
	if c.ClientAuth == "post" {
		k.form.Set("client_id", c.ClientID)
		k.form.Set("client_secret", c.ClientSecret.Reveal())
	}
	client := http.Client{}
	if env.HTTP != nil {
		client = *env.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	k.http = &client
	// What was answered under another configuration must not count.
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return policy.Hooks{}, err
	}
	k.prefix = env.Scope.API + "/introspection/" + hex.EncodeToString(nonce[:]) + "/"
	k.answers()
	if k.holder, err = bearer.NewHolder(c.Certificate, c.DPoP, k.challenges(), env); err != nil {
		return policy.Hooks{}, err
	}
	return policy.Hooks{Inbound: k.inbound, Close: k.close, Authenticates: true}, nil
}

func (k *check) close() {
	k.wg.Wait() // each call is bounded by the timeout
	if k.env.Store != nil {
		k.env.Store.DeletePrefix(k.prefix)
	}
}

// allowed refuses endpoints to which tokens and the secret would go in the
// clear.
func allowed(endpoint string, plain bool) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil {
		return policy.Invalid("/endpoint", "this is not an address without user name; write https://host/path")
	}
	a, err := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || err == nil && a.IsLoopback()
	if u.Scheme != "https" && !plain && !loopback {
		return policy.Invalid("/endpoint", "tokens and the client secret would go in the clear; use https")
	}
	return nil
}

func (k *check) challenges() bearer.Challenges {
	return bearer.Challenges{Realm: k.Realm, Scheme: k.Scheme}
}

func (k *check) answers() {
	c := k.challenges()
	k.missing, k.twice = c.Missing(), c.Invalid("the request has more than one token; send one")
	k.malformed = c.Invalid("the token is not one that could be asked about")
	k.inactive, k.expired = c.Invalid("the token is not active"), c.Expired()
	k.issuer = c.Invalid("the issuer of the token is not accepted")
	k.audience = c.Invalid("the token is for another audience")
	k.bound = c.Invalid("the token is not bound to a certificate or a key, or in a way that cannot be checked")
	k.scope = c.Scope(k.Scopes)
	k.application = problem.New(problem.CodeAccessDenied, "no application is registered for the client that the token names")
	k.down = problem.New(problem.CodeDependencyDown, "the authorization server cannot be asked about the token; try again").
		WithRetryAfter(2 * time.Second)
	k.busy = problem.New(problem.CodeDependencyDown, "too many tokens are being asked about; try again").
		WithRetryAfter(time.Second)
}
