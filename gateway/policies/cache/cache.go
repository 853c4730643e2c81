// Package cache is the policy cache: a shared HTTP cache (RFC 9111) in the
// gateway's bounded memory, with stale responses in need (RFC 5861) and one call
// to the upstream for many that ask the same. It does not know how memory is
// bounded, nor how upstreams are called.
package cache

import (
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a cache.
//
// The cache must come after authentication and authorization: a response from
// the cache is sent without asking the policies that come after. What callers
// get that were authenticated after the cache is therefore never stored. On an
// API with plans, put the cache into the plans or the operations, since plans
// authenticate after the API's own policies.
type Config struct {
	// TTL is how long responses are fresh that do not say so themselves, by
	// Cache-Control or Expires; 0 = those are not stored.
	TTL schema.Duration `json:"ttl,omitempty" schema:"min=0,max=30d"`
	// Force makes ttl hold for every response whatever it says itself, no-store,
	// no-cache and private included. Only for upstreams that are known to send
	// those without meaning them.
	Force bool `json:"force,omitempty"`
	// NegativeTTL is ttl for statuses of 400 and above; 0 = those are stored only
	// where they say so themselves.
	NegativeTTL schema.Duration `json:"negativeTtl,omitempty" schema:"min=0,max=1d"`
	// MaxTTL bounds how long responses are fresh, whatever they say.
	MaxTTL schema.Duration `json:"maxTtl" schema:"min=1s,max=30d"`
	// Methods are the methods that are answered from the cache. Responses to GET
	// are stored, and answer HEAD as well.
	Methods []string `json:"methods" schema:"enum=GET|HEAD,unique,minItems=1"`
	// Statuses are the statuses that may be stored.
	Statuses []int `json:"statuses" schema:"min=200,max=599,unique,minItems=1,maxItems=64"`
	// Key says what tells requests apart, besides host, path and Vary.
	Key Key `json:"key,omitzero"`
	// MaxBody is the largest body that is stored. A larger one passes by.
	MaxBody schema.Bytes `json:"maxBody" schema:"min=1KiB,max=64MiB"`
	// RespectClient makes Cache-Control and Pragma of requests count, so that
	// clients can have responses fetched anew. Without it they could put load on
	// the upstream at will. No-store, which keeps the response from being stored,
	// and only-if-cached count always.
	RespectClient bool `json:"respectClient,omitempty"`
	// KeepStale is how long responses that can be validated are kept after they
	// were fresh, to save their transfer when they have not changed.
	KeepStale schema.Duration `json:"keepStale" schema:"min=0,max=7d"`
	// StaleWhileRevalidate is for how long a response that is no longer fresh is
	// sent while one request fetches it anew, where it does not say so itself.
	StaleWhileRevalidate schema.Duration `json:"staleWhileRevalidate,omitempty" schema:"min=0,max=1d"`
	// StaleIfError is for how long a response that is no longer fresh is sent when
	// the upstream fails (500, 502, 503, 504, timeout, no connection, open circuit
	// breaker), where it does not say so itself.
	StaleIfError schema.Duration `json:"staleIfError,omitempty" schema:"min=0,max=7d"`
	// Collapse makes requests for the same thing wait while one of them fetches it.
	Collapse bool `json:"collapse"`
	// CollapseWait is how long they wait before they ask the upstream themselves.
	CollapseWait schema.Duration `json:"collapseWait" schema:"min=10ms,max=1m"`
	// Status adds the Cache-Status field (RFC 9211) to responses.
	Status bool `json:"status"`
}

// Key says what tells requests apart.
type Key struct {
	// Query lists the query parameters that count; left out, all do, as they are
	// written.
	Query []string `json:"query,omitempty" schema:"maxItems=64,unique"`
	// IgnoreQuery lists query parameters that do not count, such as utm_source.
	IgnoreQuery []string `json:"ignoreQuery,omitempty" schema:"maxItems=64,unique"`
	// Headers lists request fields that count, besides those that responses name
	// in Vary.
	Headers []string `json:"headers,omitempty" schema:"maxItems=16,unique"`
	// Caller says between which callers responses are shared. Credential: none; each
	// credential and each user has its own. Application: the users of an
	// application share. None: all share; then responses to requests with a
	// credential or a cookie are stored only where they allow it by public,
	// s-maxage or must-revalidate (RFC 9111 section 3.5).
	Caller string `json:"caller,omitempty" schema:"enum=credential|application|none"`
	// ShareAuthenticated says that responses are the same for all callers, so that
	// they need not allow it. Only with caller none.
	ShareAuthenticated bool `json:"shareAuthenticated,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("cache", "Response cache", Config{
		MaxTTL: schema.Duration(24 * time.Hour), Methods: []string{"GET", "HEAD"},
		Statuses: []int{200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 501},
		Key:      Key{Caller: "credential"}, MaxBody: 1 << 20, KeepStale: schema.Duration(time.Hour),
		Collapse: true, CollapseWait: schema.Duration(5 * time.Second), Status: true,
	}, compile, schemaDoc)
	d.Doc = "Stores responses and answers from the store, as a shared HTTP cache does (RFC 9111): by Cache-Control, Expires and " +
		"Vary, with validation, invalidation by unsafe methods, and stale responses when the upstream fails. Put it after " +
		"authentication: policies that come after the cache are not asked when it answers."
	d.Example = "{ttl: 30s, staleIfError: 1h, key: {caller: application, ignoreQuery: [utm_source]}}"
	return d
}

// cache is one configured policy.
type cache struct {
	c       Config
	id      string
	env     policy.Env
	keys    *keyer
	slot    policy.Slot
	state   sync.Pool
	flights flights
	warn    sync.Once
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	switch {
	case c.Force && c.TTL == 0:
		return policy.Hooks{}, policy.Invalid("/ttl", "force makes this time hold for every response; set it")
	case c.Key.ShareAuthenticated && c.Key.Caller != "none":
		return policy.Hooks{}, policy.Invalid("/key/shareAuthenticated", "responses are not shared between callers; set caller to none or leave it out")
	case c.Key.Query != nil && len(c.Key.IgnoreQuery) > 0:
		return policy.Hooks{}, policy.Invalid("/key/ignoreQuery", "query lists all that counts already; leave one of them out")
	case c.MaxTTL < c.TTL:
		return policy.Hooks{}, policy.Invalid("/maxTtl", "%s is less than ttl, %s; make it at least as long",
			time.Duration(c.MaxTTL), time.Duration(c.TTL))
	}
	for i, s := range c.Statuses {
		if s == 206 || s == 304 {
			return policy.Hooks{}, policy.Invalid("/statuses/"+itoa(i), "responses of status %d are parts of others and cannot be stored; leave it out", s)
		}
	}
	for i, name := range c.Key.Headers {
		if !policy.ValidName(name) {
			return policy.Hooks{}, policy.Invalid("/key/headers/"+itoa(i), "%q is no field name; use letters, digits and dashes", name)
		}
	}
	keys, err := newKeyer(c, env.ID)
	if err != nil {
		return policy.Hooks{}, err
	}
	p := &cache{c: c, id: env.ID, env: env, keys: keys, slot: env.Slot()}
	p.state.New = func() any { return new(lookup) }
	return policy.Hooks{Inbound: p.inbound, Outbound: p.outbound, OnError: p.onError, Done: p.done}, nil
}

// lookup is what the cache knows of one exchange.
type lookup struct {
	key                  string    // of the response; "" = nothing is to be stored
	at                   string    // key of the resource
	resource             *resource // as it was found
	asked                time.Time
	entry                *entry // stored, but not to be sent as it is
	flight               *flight
	caller               policy.CredentialKind
	who                  string        // credential, as it was known before the upstream was called
	request              policy.Header // as it was received, where the upstream was called
	noStore              bool
	covered              bool // the key tells callers apart
	validate             bool // the request was made conditional by the cache
	clientINM, clientIMS string
	detail               string // of Cache-Status
	served               bool
}

// inbound answers from the store where that is possible.
func (p *cache) inbound(ex *policy.Exchange) error {
	l := p.state.Get().(*lookup) //nolint:forcetypeassert // the pool has only these
	l.asked = p.env.Now()
	l.caller, l.who = ex.Caller.Kind, ex.Caller.Credential
	ex.Put(p.slot, l)
	cc := parseControl(&ex.Request.Header)
	if why := p.bypass(ex, &cc); why != "" {
		l.detail = "fwd=" + why
		ex.Outcome.Cache = "bypass"
		ex.Note(p.id, "cache", "bypassed: "+why)
		return nil
	}
	l.noStore, l.covered = cc.noStore, p.covered(ex)
	if p.c.RespectClient && !ex.Request.Header.Has("Cache-Control") && ex.Request.Header.HasToken("Pragma", "no-cache") {
		cc.noCache = true
	}
	l.at = p.keys.resource(ex, ex.Request.Host, ex.Request.Path)
	return p.find(ex, l, &cc)
}

// bypass returns why a request does not concern the cache, in the words of RFC
// 9211, or "".
func (p *cache) bypass(ex *policy.Exchange, cc *control) string {
	r := &ex.Request
	switch {
	case !slices.Contains(p.c.Methods, r.Method):
		return "method"
	case ex.Route == nil || r.Upgrade != "" || r.GRPC || !r.Body.Empty():
		return "bypass"
	case r.Header.Has("Range") || r.Header.Has("If-Match") || r.Header.Has("If-Unmodified-Since"):
		return "bypass"
	}
	return ""
}

func (p *cache) done(ex *policy.Exchange) {
	l, ok := ex.Get(p.slot).(*lookup)
	if !ok {
		return
	}
	p.land(l, false)
	ex.Put(p.slot, nil)
	request := l.request
	request.Reset()
	*l = lookup{request: request}
	p.state.Put(l)
}
