// Package trafficsplit is the policy traffic-split: it chooses one of several
// upstreams for a request, by rule or by weight. It does not know what the
// upstreams are.
package trafficsplit

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a traffic split.
type Config struct {
	// Variants are what requests are split over.
	Variants []Variant `json:"variants" schema:"required,minItems=1,maxItems=32"`
	// Sticky gives requests that belong together the same variant. Left out,
	// every request is drawn anew.
	Sticky *Sticky `json:"sticky,omitempty"`
	// Attribute is the name under which the variant stands in the traffic record;
	// empty = it is not recorded.
	Attribute string `json:"attribute" schema:"maxLength=64"`
	// RequestHeader is the field that tells the upstream the variant. What the
	// client has sent under that name is replaced.
	RequestHeader string `json:"requestHeader,omitempty" schema:"maxLength=64"`
	// ResponseHeader is the field that tells the client the variant.
	ResponseHeader string `json:"responseHeader,omitempty" schema:"maxLength=64"`
}

// Variant is one of the things that requests are split over.
type Variant struct {
	// Name is what records and header fields call it.
	Name string `json:"name" schema:"required,pattern=^[A-Za-z0-9_.-]{1,64}$"`
	// Upstream is the name of one of the API's upstreams; empty = the one that
	// the request would go to anyway.
	Upstream string `json:"upstream,omitempty"`
	// Weight is its share of the requests, as a part of the sum of all weights.
	Weight float64 `json:"weight,omitempty" schema:"min=0,max=1000000"`
	// When is a CEL condition: requests for which it is true get this variant
	// whatever the weights say. Of several that are true the first counts.
	When string `json:"when,omitempty" schema:"maxLength=4096"`
}

// Sticky says which requests belong together. Where the weight of one variant
// changes, only requests to or from that variant change places (weighted
// rendezvous hashing, Schindelhauer and Schomaker 2005).
type Sticky struct {
	// By is what a request is known by: header, cookie, ip (the client's address),
	// caller (application, else credential and subject, else the address) or
	// expression. A request without the header, cookie or value is drawn anew.
	By string `json:"by" schema:"required,enum=header|cookie|ip|caller|expression"`
	// Name is the name of the header or cookie.
	Name string `json:"name,omitempty" schema:"maxLength=64"`
	// Expression is the CEL expression whose text is used.
	Expression string `json:"expression,omitempty" schema:"maxLength=4096"`
	// Cookie, for by cookie, makes the gateway set the cookie on clients that have
	// none, to a random value.
	Cookie *Cookie `json:"cookie,omitempty"`
	// Seed makes the split of one policy independent of that of another with
	// variants of the same names.
	Seed string `json:"seed,omitempty" schema:"maxLength=64"`
}

// Cookie is how the cookie is set.
type Cookie struct {
	// MaxAge is how long clients keep it; 0 = for the session.
	MaxAge schema.Duration `json:"maxAge,omitempty" schema:"min=0,max=400d"`
	// Path is the path it is for; empty = the base path of the API.
	Path string `json:"path,omitempty" schema:"pattern=^/[A-Za-z0-9/._~-]*$"`
	// SameSite is the attribute of that name (RFC 6265bis).
	SameSite string `json:"sameSite" schema:"enum=Lax|Strict|None"`
}

// SetDefaults lets the cookie go with navigation from other sites only.
func (c *Cookie) SetDefaults() { c.SameSite = "Lax" }

// Definition returns the policy type.
func Definition() policy.Definition { return definition(rand.Float64, rand.Uint64) }

func definition(random func() float64, id func() uint64) policy.Definition {
	d := policy.Define("traffic-split", "Traffic split", Config{Attribute: "variant"},
		func(c Config, env policy.Env) (policy.Hooks, error) {
			s := &split{c: c, id: env.ID, random: random, newID: id}
			return s.compile(env)
		}, schemaDoc)
	d.Doc = "Splits the requests of an API over several upstreams by weight, for canary releases and A/B tests. Conditions " +
		"send chosen requests to a variant, and stickiness keeps a client with its variant."
	d.Example = `
variants:
  - {name: stable, weight: 95}
  - {name: canary, upstream: other, weight: 5, when: "request.headers['x-canary'] == 'yes'"}
sticky: {by: caller}
responseHeader: X-Variant`
	return d
}

// split is one configured policy.
type split struct {
	c        Config
	id       string
	random   func() float64
	newID    func() uint64
	variants []variant
	total    float64
	ruled    bool // some variant has a condition
	key      func(*policy.Exchange) (string, error)
	slot     policy.Slot
	state    sync.Pool
}

type variant struct {
	Variant
	when policy.Expression
	hash uint64
}

// chosen is what Final says.
type chosen struct {
	variant *variant
	cookie  string // to be set
}

func (s *split) compile(env policy.Env) (policy.Hooks, error) {
	for i, v := range s.c.Variants {
		if err := s.add(i, v, env); err != nil {
			return policy.Hooks{}, err
		}
	}
	if s.total == 0 {
		return policy.Hooks{}, policy.Invalid("/variants", "no variant has a weight, so that requests that no condition "+
			"fits have nowhere to go; give one of them a weight")
	}
	for pointer, name := range map[string]string{"/requestHeader": s.c.RequestHeader, "/responseHeader": s.c.ResponseHeader} {
		if name != "" && !policy.ValidName(name) {
			return policy.Hooks{}, policy.Invalid(pointer, "%q is no field name; use letters, digits and dashes", name)
		}
	}
	if st := s.c.Sticky; st != nil {
		if err := s.compileSticky(st, env); err != nil {
			return policy.Hooks{}, err
		}
	}
	h := policy.Hooks{Inbound: s.inbound}
	if s.c.ResponseHeader != "" || s.c.Sticky != nil && s.c.Sticky.Cookie != nil {
		s.slot = env.Slot()
		s.state.New = func() any { return new(chosen) }
		h.Final, h.Done = s.final, s.done
	}
	return h, nil
}

func (s *split) add(i int, v Variant, env policy.Env) error {
	pointer := func(field string) string { return "/variants/" + itoa(i) + "/" + field }
	for _, o := range s.variants {
		if o.Name == v.Name {
			return policy.Invalid(pointer("name"), "the name %q is given twice; choose another", v.Name)
		}
	}
	if v.Upstream != "" && !slices.Contains(env.Upstreams, v.Upstream) {
		return policy.Invalid(pointer("upstream"), "the API has no upstream %q; add it to the API's upstreams or use one of: %s",
			v.Upstream, strings.Join(env.Upstreams, ", "))
	}
	cv := variant{Variant: v}
	if v.When != "" {
		var err error
		if cv.when, err = env.Expression(v.When); err != nil {
			return policy.Invalid(pointer("when"), "%v", err)
		}
		if cv.when.NeedsResponse() {
			return policy.Invalid(pointer("when"), "there is no response yet when the upstream is chosen; use request variables only")
		}
		s.ruled = true
	}
	seed := ""
	if s.c.Sticky != nil {
		seed = s.c.Sticky.Seed
	}
	cv.hash = hash(hash(offset, seed+"\x00"), v.Name)
	s.total += v.Weight
	s.variants = append(s.variants, cv)
	return nil
}

func (s *split) inbound(ex *policy.Exchange) error {
	v, why, cookie, err := s.choose(ex)
	if err != nil {
		return err
	}
	if v.Upstream != "" {
		ex.Forward.Upstream = v.Upstream
	}
	if s.c.RequestHeader != "" {
		ex.Request.Header.Set(s.c.RequestHeader, v.Name)
	}
	if s.c.Attribute != "" {
		if ex.Log.Attributes == nil {
			ex.Log.Attributes = make(map[string]string, 1)
		}
		ex.Log.Attributes[s.c.Attribute] = v.Name
	}
	if s.state.New != nil {
		c := s.state.Get().(*chosen) //nolint:forcetypeassert // the pool has only these
		c.variant, c.cookie = v, cookie
		ex.Put(s.slot, c)
	}
	if ex.Noting() {
		ex.Note(s.id, "variant", v.Name+" by "+why)
	}
	return nil
}

// choose returns the variant, why it was chosen, and a cookie to set.
func (s *split) choose(ex *policy.Exchange) (v *variant, why, cookie string, err error) {
	for i := range s.variants {
		v := &s.variants[i]
		if v.when == nil {
			continue
		}
		ok, err := v.when.Bool(ex)
		if err != nil {
			return nil, "", "", problem.New(problem.CodePolicyFailed,
				"the condition of variant %s could not be evaluated", v.Name).Because(err)
		}
		if ok {
			return v, "condition", "", nil
		}
	}
	if s.key == nil {
		return s.draw(), "weight", "", nil
	}
	key, err := s.key(ex)
	if err != nil {
		return nil, "", "", problem.New(problem.CodePolicyFailed, "the key of stickiness could not be evaluated").Because(err)
	}
	if key == "" {
		if s.c.Sticky.Cookie == nil {
			return s.draw(), "weight, as the request has no key", "", nil
		}
		cookie = hex(s.newID(), s.newID())
		key = cookie
	}
	return s.place(key), "stickiness", cookie, nil
}

// draw draws a variant by weight.
func (s *split) draw() *variant {
	x := s.random() * s.total
	last := &s.variants[0]
	for i := range s.variants {
		v := &s.variants[i]
		if v.Weight == 0 {
			continue
		}
		if x < v.Weight {
			return v
		}
		x -= v.Weight
		last = v
	}
	return last // x was the sum, by rounding
}

func (s *split) final(ex *policy.Exchange) {
	c, ok := ex.Get(s.slot).(*chosen)
	if !ok || c == nil {
		return
	}
	if s.c.ResponseHeader != "" {
		ex.Response.Header.Set(s.c.ResponseHeader, c.variant.Name)
	}
	if c.cookie != "" {
		ex.Response.Header.Add("Set-Cookie", s.setCookie(ex, c.cookie))
	}
}

func (s *split) done(ex *policy.Exchange) {
	if c, ok := ex.Get(s.slot).(*chosen); ok && c != nil {
		ex.Put(s.slot, nil)
		*c = chosen{}
		s.state.Put(c)
	}
}
