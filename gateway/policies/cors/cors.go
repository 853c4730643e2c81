// Package cors is the policy type cors: cross-origin resource sharing (Fetch
// standard, "CORS protocol"). It answers preflight requests before anything
// authenticates them, and puts the CORS fields on every answer, those made from
// errors included. It knows nothing of credentials.
package cors

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type cors.
type Config struct {
	// Origins that may read answers: "https://app.example.com" exactly,
	// "https://*.example.com" for every host below, "null", or "*" for all.
	Origins []string `json:"origins,omitempty" schema:"unique,minLength=1"`
	// Patterns that a whole origin may match instead (RE2).
	OriginPatterns []schema.Regexp `json:"originPatterns,omitempty"`
	// Methods that other origins may use.
	Methods []string `json:"methods,omitempty" schema:"unique,minItems=1,minLength=1"`
	// Request header fields that other origins may send besides those that are
	// always allowed; "*" allows whatever the browser asks for.
	Headers []string `json:"headers,omitempty" schema:"unique,minLength=1"`
	// Response header fields that scripts may read besides those that they always
	// may.
	ExposeHeaders []string `json:"exposeHeaders,omitempty" schema:"unique,minLength=1"`
	// Whether browsers may send cookies and other credentials. It cannot be
	// combined with origin "*".
	Credentials bool `json:"credentials,omitempty"`
	// How long browsers may remember the answer to a preflight request. Browsers
	// use at most a day, some two hours. 0 = not at all.
	MaxAge schema.Duration `json:"maxAge" schema:"max=1d"`
	// Whether pages of public networks may call this API on a private network
	// (Private Network Access).
	PrivateNetwork bool `json:"privateNetwork,omitempty"`
	// Whether requests of other origins than these are refused. Without it they
	// are served, and the browser keeps the answer from the page.
	RefuseOthers bool `json:"refuseOthers,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("cors", "Cross-origin requests", Config{
		Methods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		MaxAge:  schema.Duration(10 * time.Minute),
	}, compile, schemaDoc)
	d.Doc = "Lets web pages of other origins call the API. Preflight requests are answered before any authentication, " +
		"every answer carries the CORS fields, errors included, and those that the upstream sets are replaced."
	d.Example = `origins: ["https://app.example.com", "https://*.preview.example.com"]
methods: [GET, POST, DELETE]
headers: [Content-Type, X-API-Key]
exposeHeaders: [X-Request-Id]
credentials: true
maxAge: 1h
`
	return d
}

// cors is one configured policy.
type cors struct {
	any            bool
	exact          map[string]bool
	below          []wildcard
	patterns       []*regexp.Regexp // of the whole origin
	methods        string
	headers        string
	reflect        bool
	expose         string
	maxAge         string
	credentials    bool
	privateNetwork bool
	refuseOthers   bool
	id             string
}

// wildcard is an origin with any host below a domain.
type wildcard struct{ prefix, suffix string }

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &cors{
		exact: map[string]bool{}, credentials: c.Credentials,
		privateNetwork: c.PrivateNetwork, refuseOthers: c.RefuseOthers, id: env.ID,
	}
	if env.Scope.Level == policy.LevelPlan {
		return policy.Hooks{}, policy.Invalid("", "a plan is chosen by the credential, which preflight requests and refused ones "+
			"do not have; put the policy on the API")
	}
	if len(c.Origins)+len(c.OriginPatterns) == 0 {
		return policy.Hooks{}, policy.Invalid("/origins", "no origin is allowed; name one, or use originPatterns")
	}
	for i, o := range c.Origins {
		if err := p.addOrigin(o); err != nil {
			return policy.Hooks{}, policy.Invalid("/origins/"+strconv.Itoa(i), "%v", err)
		}
	}
	for i, r := range c.OriginPatterns {
		whole, err := regexp.Compile(`\A(?:` + r.String() + `)\z`)
		if err != nil {
			return policy.Hooks{}, policy.Invalid("/originPatterns/"+strconv.Itoa(i), "%v", err)
		}
		p.patterns = append(p.patterns, whole)
		if c.Credentials && whole.MatchString("https://a.b-c.invalid:1") && whole.MatchString("http://x") {
			return policy.Hooks{}, policy.Invalid("/originPatterns/"+strconv.Itoa(i),
				"the pattern matches every origin, which credentials must not be combined with; name the domain in it")
		}
	}
	if p.any && c.Credentials {
		return policy.Hooks{}, policy.Invalid("/credentials",
			`credentials cannot be combined with origin "*": any page could act for the user; list the origins`)
	}
	if p.exact["null"] && c.Credentials {
		return policy.Hooks{}, policy.Invalid("/credentials",
			`credentials cannot be combined with origin "null", which any page can take on in a frame; list the origins`)
	}
	for field, names := range map[string][]string{"/methods": c.Methods, "/headers": c.Headers, "/exposeHeaders": c.ExposeHeaders} {
		for i, n := range names {
			if !policy.ValidName(n) {
				return policy.Hooks{}, policy.Invalid(field+"/"+strconv.Itoa(i), "%q is not a name; use letters, digits and hyphens", n)
			}
		}
	}
	if slices.Contains(c.Methods, "*") && c.Credentials {
		return policy.Hooks{}, policy.Invalid("/methods", `browsers take "*" for a name when credentials are sent; list the methods`)
	}
	if slices.Contains(c.ExposeHeaders, "*") && c.Credentials {
		return policy.Hooks{}, policy.Invalid("/exposeHeaders", `browsers take "*" for a name when credentials are sent; list the fields`)
	}
	p.methods = strings.Join(c.Methods, ", ")
	p.reflect = slices.Contains(c.Headers, "*")
	p.headers = strings.Join(c.Headers, ", ")
	p.expose = strings.Join(c.ExposeHeaders, ", ")
	p.maxAge = strconv.Itoa(int(c.MaxAge.Std() / time.Second))
	h := policy.Hooks{Preflight: p.preflight, Final: p.final}
	if p.refuseOthers {
		h.Inbound = p.inbound
	}
	return h, nil
}

func (p *cors) addOrigin(o string) error {
	if o == "*" {
		p.any = true
		return nil
	}
	if o == "null" {
		p.exact[o] = true
		return nil
	}
	o = strings.ToLower(o)
	scheme, rest, ok := strings.Cut(o, "://")
	if !ok || scheme == "" || rest == "" || strings.ContainsAny(rest, "/?#@ ") {
		return fmt.Errorf("%q is not an origin; write scheme://host or scheme://host:port, without a path", o)
	}
	host, star := strings.CutPrefix(rest, "*.")
	if strings.Contains(host, "*") || star && !strings.Contains(host, ".") && host != "localhost" && !strings.HasPrefix(host, "localhost:") {
		return fmt.Errorf("%q: a star stands for whole labels at the beginning, before a domain: https://*.example.com", o)
	}
	if star {
		p.below = append(p.below, wildcard{prefix: scheme + "://", suffix: "." + host})
		return nil
	}
	if port := strings.TrimPrefix(rest, host); port != "" {
		return fmt.Errorf("%q is not an origin", o)
	}
	// A serialized origin has no default port (RFC 6454 section 6.2).
	if scheme == "https" {
		o = strings.TrimSuffix(o, ":443")
	} else if scheme == "http" {
		o = strings.TrimSuffix(o, ":80")
	}
	p.exact[o] = true
	return nil
}

func (p *cors) allows(origin string) bool {
	if p.any || p.exact[origin] {
		return true
	}
	for _, w := range p.below {
		if len(origin) > len(w.prefix)+len(w.suffix) && strings.HasPrefix(origin, w.prefix) &&
			strings.HasSuffix(origin, w.suffix) && labels(origin[len(w.prefix):len(origin)-len(w.suffix)]) {
			return true
		}
	}
	for _, r := range p.patterns {
		if r.MatchString(origin) {
			return true
		}
	}
	return false
}

// labels reports whether s may stand before a domain.
func labels(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && s[0] != '.'
}

// preflight answers a CORS-preflight request.
func (p *cors) preflight(ex *policy.Exchange) error {
	req, h := &ex.Request.Header, &ex.Response.Header
	origin := req.Get("Origin")
	if !p.allows(origin) {
		return p.refused(ex)
	}
	ex.Respond(204, "", nil)
	h.Set("Access-Control-Allow-Methods", p.methods)
	switch asked := req.Joined("Access-Control-Request-Headers"); {
	case p.reflect && asked != "" && names(asked):
		h.Set("Access-Control-Allow-Headers", asked)
	case !p.reflect && p.headers != "":
		h.Set("Access-Control-Allow-Headers", p.headers)
	}
	if p.maxAge != "" {
		h.Set("Access-Control-Max-Age", p.maxAge)
	}
	if p.privateNetwork && policy.EqualName(req.Get("Access-Control-Request-Private-Network"), "true") {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	policy.AddVary(h, "Access-Control-Request-Method")
	policy.AddVary(h, "Access-Control-Request-Headers")
	if p.privateNetwork {
		policy.AddVary(h, "Access-Control-Request-Private-Network")
	}
	return nil
}

// names reports whether a list has field names only, so that it can be sent
// back.
func names(list string) bool {
	for n := range strings.SplitSeq(list, ",") {
		if !policy.ValidName(strings.Trim(n, " \t")) {
			return false
		}
	}
	return policy.ValidValue(list)
}

func (p *cors) refused(ex *policy.Exchange) error {
	if ex.Noting() {
		ex.Note(p.id, "origin", "not allowed: "+ex.Request.Header.Get("Origin"))
	}
	return problem.New(problem.CodeAccessDenied, "this API may not be called from the origin of the page; "+
		"its owner can add the origin to the cors policy")
}

func (p *cors) inbound(ex *policy.Exchange) error {
	origin, ok := ex.Request.Header.Lookup("Origin")
	if !ok || p.allows(origin) {
		return nil
	}
	return p.refused(ex)
}

// final puts the CORS fields on the answer, and removes those that others have
// set.
func (p *cors) final(ex *policy.Exchange) {
	req, h := &ex.Request.Header, &ex.Response.Header
	preflight := ex.Request.Method == "OPTIONS" && req.Has("Access-Control-Request-Method")
	if !preflight || ex.Response.Source != policy.SourcePolicy {
		h.DelFunc(isCORS)
	}
	if !p.any {
		// Also where the request has no origin: a cache may keep this answer for
		// one that has.
		policy.AddVary(h, "Origin")
	}
	origin, ok := req.Lookup("Origin")
	if !ok || !p.allows(origin) {
		return
	}
	if p.any {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if p.credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if p.expose != "" && !preflight {
		h.Set("Access-Control-Expose-Headers", p.expose)
	}
}

func isCORS(name, _ string) bool {
	const prefix = "Access-Control-"
	return len(name) > len(prefix) && policy.EqualName(name[:len(prefix)], prefix)
}
