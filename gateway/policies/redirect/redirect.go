// Package redirect is the policy type redirect: it answers with another
// address. It takes care that the address cannot be turned into one of somebody
// else's by what a client sends.
package redirect

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type redirect. Either to, or match
// and to, or https.
type Config struct {
	// Status of the answer. 307 and 308 keep method and body, 303 leads to a GET;
	// 301 and 308 are remembered by clients.
	Status int `json:"status,omitempty"`
	// The address to go to: a path, or a whole address. A template: ${CEL} is
	// replaced by the value of the expression; with match, $1 or ${name} too stand
	// for what its groups have captured.
	To string `json:"to,omitempty" schema:"minLength=1"`
	// Regular expression (RE2) over the path. Paths that it does not match are not
	// redirected.
	Match schema.Regexp `json:"match,omitzero"`
	// Whether requests without TLS are sent to the same address with https. Others
	// are not redirected.
	HTTPS bool `json:"https,omitempty"`
	// Port for https, where it is not 443.
	Port int `json:"port,omitempty" schema:"min=1,max=65535"`
	// Whether the query of the request is kept, where the address has none.
	KeepQuery bool `json:"keepQuery"`
	// Hosts that the address may lead to. Needed where the host in to is not
	// written out: an address that a client can choose is an open redirect.
	Hosts []string `json:"hosts,omitempty" schema:"unique,minLength=1"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("redirect", "Redirect", Config{KeepQuery: true}, compile, schemaDoc)
	d.Doc = "Answers with another address: a fixed or computed one, or the same with https."
	d.Example = `status: 308
match: ^/v1/(.*)$
to: https://api.example.com/v2/$1
`
	return d
}

type redirect struct {
	status    int
	match     *regexp.Regexp
	expand    string // the address, for match
	template  policy.Template
	constant  string
	https     bool
	port      string
	keepQuery bool
	hosts     []string
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &redirect{status: c.Status, match: c.Match.Regexp(), https: c.HTTPS, keepQuery: c.KeepQuery, hosts: c.Hosts}
	if p.status == 0 {
		p.status = 307
		if c.HTTPS {
			p.status = 308
		}
	}
	if !slices.Contains([]int{301, 302, 303, 307, 308}, p.status) {
		return policy.Hooks{}, policy.Invalid("/status", "want 301, 302, 303, 307 or 308")
	}
	if c.HTTPS == (c.To != "") {
		return policy.Hooks{}, policy.Invalid("/to", "want either to, or https: true")
	}
	if c.HTTPS {
		if c.Match.IsSet() {
			return policy.Hooks{}, policy.Invalid("/match", "https redirects every path; use a condition instead")
		}
		if c.Port != 0 && c.Port != 443 {
			p.port = ":" + strconv.Itoa(c.Port)
		}
		return policy.Hooks{Inbound: p.upgrade}, nil
	}
	if c.Port != 0 {
		return policy.Hooks{}, policy.Invalid("/port", "the port is for https; write it into to")
	}
	if err := p.compileTarget(c.To, env); err != nil {
		return policy.Hooks{}, err
	}
	return policy.Hooks{Inbound: p.inbound}, nil
}

// compileTarget decides whether the address can only lead where its author
// meant it to.
func (p *redirect) compileTarget(to string, env policy.Env) error {
	fixed := to
	if i := strings.IndexByte(to, '$'); i >= 0 {
		fixed = to[:i]
	}
	if len(p.hosts) == 0 && !anchored(fixed, fixed == to) {
		return policy.Invalid("/to", "what the client sends could choose the host; begin with a path such as /v2/ or with "+
			"https://host/, or list the hosts that are allowed")
	}
	if p.match != nil && groupsOnly(to, p.match) {
		p.expand = to
		return nil
	}
	t, err := env.Template(to)
	if err != nil {
		return policy.Invalid("/to", "%v", err)
	}
	p.template = t
	if t.Constant() {
		if p.constant, err = t.Text(nil); err != nil {
			return policy.Invalid("/to", "%v", err)
		}
		if !valid(p.constant) {
			return policy.Invalid("/to", "%q is not an address; encode what is not allowed in one", p.constant)
		}
		p.template = nil
	}
	return nil
}

// anchored reports whether an address that begins so stays on its host.
func anchored(fixed string, whole bool) bool {
	if strings.HasPrefix(fixed, "/") {
		return (len(fixed) > 1 || whole) && !strings.HasPrefix(fixed, "//") && !strings.HasPrefix(fixed, `/\`)
	}
	u, err := url.Parse(fixed)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return false
	}
	return whole || strings.Contains(fixed[strings.Index(fixed, "://")+3:], "/")
}

// groupsOnly reports whether all ${…} in an address are groups of the
// expression.
func groupsOnly(to string, re *regexp.Regexp) bool {
	for rest := to; ; {
		i := strings.Index(rest, "${")
		if i < 0 {
			return strings.Contains(to, "$")
		}
		end := strings.IndexByte(rest[i:], '}')
		if end < 0 {
			return false
		}
		name := rest[i+2 : i+end]
		if n, err := strconv.Atoi(name); err != nil && re.SubexpIndex(name) < 0 || err == nil && n > re.NumSubexp() {
			return false
		}
		rest = rest[i+end:]
	}
}

func valid(location string) bool {
	for i := range len(location) {
		if c := location[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	u, err := url.Parse(location)
	return err == nil && location != "" && (u.Scheme == "" || u.Scheme == "http" || u.Scheme == "https")
}

// upgrade sends requests without TLS to https.
func (p *redirect) upgrade(ex *policy.Exchange) error {
	r := &ex.Request
	if r.Scheme == "https" || r.Host == "" {
		return nil
	}
	host := r.Host
	if strings.Contains(host, ":") && host[0] != '[' {
		host = "[" + host + "]"
	}
	return p.answer(ex, "https://"+host+p.port+r.Path)
}

func (p *redirect) inbound(ex *policy.Exchange) error {
	to := p.constant
	if p.match != nil {
		loc := p.match.FindStringSubmatchIndex(ex.Request.Path)
		if loc == nil {
			return nil
		}
		if p.expand != "" {
			to = string(p.match.ExpandString(nil, p.expand, ex.Request.Path, loc))
		}
	}
	if p.template != nil {
		var err error
		if to, err = p.template.Text(ex); err != nil {
			return problem.New(problem.CodePolicyFailed, "the address to redirect to could not be made").Because(err)
		}
	}
	return p.answer(ex, to)
}

func (p *redirect) answer(ex *policy.Exchange, to string) error {
	if !valid(to) || strings.HasPrefix(to, "//") || !p.allowed(to) {
		return problem.New(problem.CodeBadRequest, "the request leads to an address that this API does not redirect to")
	}
	if p.keepQuery && ex.Request.Query != "" && !strings.ContainsAny(to, "?#") {
		to += "?" + ex.Request.Query
	}
	if !policy.ValidValue(to) {
		return problem.New(problem.CodeBadRequest, "the query cannot be part of an address")
	}
	ex.Respond(p.status, "", nil)
	ex.Response.Header.Set("Location", to)
	return nil
}

func (p *redirect) allowed(to string) bool {
	if len(p.hosts) == 0 {
		return true
	}
	u, err := url.Parse(to)
	if err != nil || u.User != nil {
		return false
	}
	if u.Host == "" {
		return strings.HasPrefix(to, "/")
	}
	return slices.ContainsFunc(p.hosts, func(h string) bool {
		return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname())
	})
}
