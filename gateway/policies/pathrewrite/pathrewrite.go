// Package pathrewrite is the policy type path-rewrite: it changes the path that
// the upstream is asked for, and turns the addresses in its answers back into
// those that clients know. What the client asked for, and so routing, logs and
// other policies, stays as it is.
package pathrewrite

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type path-rewrite. Either a
// template, or an expression with its replacement, or prefixes.
type Config struct {
	// The whole new path. {name} is replaced by the path parameter of that name,
	// encoded as one segment; ${CEL} by the text of the expression, whose slashes
	// separate segments.
	Path string `json:"path,omitempty" schema:"pattern=^/"`
	// Regular expression (RE2) for the part of the path to replace. A path that it
	// does not match stays as it is. Paths are percent-encoded.
	Match schema.Regexp `json:"match,omitzero"`
	// What to put there: $1 or ${name} stand for what the groups of match have
	// captured, $$ for a dollar sign.
	Replace string `json:"replace,omitempty"`
	// Prefix of whole segments to remove. A path without it stays as it is.
	StripPrefix string `json:"stripPrefix,omitempty" schema:"pattern=^/."`
	// Prefix to put before the path, after stripPrefix.
	AddPrefix string `json:"addPrefix,omitempty" schema:"pattern=^/."`
	// Whether Location and Content-Location of answers, where they name the
	// upstream, are changed back to the path that clients use.
	RewriteLocation bool `json:"rewriteLocation"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("path-rewrite", "Rewrite the path", Config{RewriteLocation: true}, compile, schemaDoc)
	d.Doc = "Changes the path that the upstream is asked for: by a template, a regular expression or prefixes. " +
		"Only canonical paths are sent: dot segments, empty segments and encoded slashes that the client did not send are refused. " +
		"Location and Content-Location of answers are changed back."
	d.Example = `stripPrefix: /v1
addPrefix: /internal/orders
`
	return d
}

// rewrite is one configured policy.
type rewrite struct {
	id       string
	to       func(ex *policy.Exchange, path string) (string, error)
	location bool
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &rewrite{id: env.ID, location: c.RewriteLocation}
	ways := 0
	for _, used := range []bool{c.Path != "", c.Match.IsSet(), c.StripPrefix+c.AddPrefix != ""} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		return policy.Hooks{}, policy.Invalid("", "want one way to rewrite: either path, or match and replace, or stripPrefix and addPrefix")
	}
	var err error
	switch {
	case c.Path != "":
		p.to, err = byTemplate(c.Path, env)
	case c.Match.IsSet():
		p.to, err = byRegexp(c.Match.Regexp(), c.Replace)
	default:
		p.to, err = byPrefix(c.StripPrefix, c.AddPrefix)
	}
	if err != nil {
		return policy.Hooks{}, err
	}
	h := policy.Hooks{Inbound: p.inbound}
	if p.location {
		h.Outbound = p.outbound
	}
	return h, nil
}

func byPrefix(strip, add string) (func(*policy.Exchange, string) (string, error), error) {
	strip, add = strings.TrimSuffix(strip, "/"), strings.TrimSuffix(add, "/")
	for field, v := range map[string]string{"/stripPrefix": strip, "/addPrefix": add} {
		if v == "" {
			continue
		}
		if why := refuse(v, v); why != "" {
			return nil, policy.Invalid(field, "the path is not canonical: it has %s; write it percent-encoded and without dot segments", why)
		}
	}
	return func(_ *policy.Exchange, path string) (string, error) {
		if strip != "" {
			rest, ok := strings.CutPrefix(path, strip)
			if !ok || rest != "" && rest[0] != '/' {
				return path, nil
			}
			path = rest
		}
		if add != "" {
			return add + path, nil
		}
		if path == "" {
			return "/", nil
		}
		return path, nil
	}, nil
}

// references are what a replacement may refer to groups by.
var references = regexp.MustCompile(`\$(?:\{([^}]*)\}|([0-9A-Za-z_]+)|\$)`)

func byRegexp(re *regexp.Regexp, replace string) (func(*policy.Exchange, string) (string, error), error) {
	for _, m := range references.FindAllStringSubmatch(replace, -1) {
		name := m[1] + m[2]
		if name == "" {
			continue
		}
		if n, err := strconv.Atoi(name); err == nil && n <= re.NumSubexp() || err != nil && re.SubexpIndex(name) >= 0 {
			continue
		}
		return nil, policy.Invalid("/replace", "match has no group %q; write ${1} where letters, digits or an underscore follow", name)
	}
	return func(_ *policy.Exchange, path string) (string, error) {
		loc := re.FindStringSubmatchIndex(path)
		if loc == nil {
			return path, nil
		}
		out := append([]byte(nil), path[:loc[0]]...)
		out = re.ExpandString(out, replace, path, loc)
		return string(append(out, path[loc[1]:]...)), nil
	}, nil
}

// piece is a part of a path template.
type piece struct {
	literal  string
	param    string
	template policy.Template
}

func byTemplate(text string, env policy.Env) (func(*policy.Exchange, string) (string, error), error) {
	pieces, err := parse(text, env)
	if err != nil {
		return nil, err
	}
	return func(ex *policy.Exchange, path string) (string, error) {
		var b strings.Builder
		for i := range pieces {
			switch p := &pieces[i]; {
			case p.param != "":
				v, err := segment(ex.Param(p.param), p.param, ex.Request.Path)
				if err != nil {
					return "", err
				}
				b.WriteString(v)
			case p.template != nil:
				v, err := p.template.Text(ex)
				if err != nil {
					return "", problem.New(problem.CodePolicyFailed, "the new path could not be made").Because(err)
				}
				for i, s := range strings.Split(v, "/") {
					if i > 0 {
						b.WriteByte('/')
					}
					b.WriteString(escape(s))
				}
			default:
				b.WriteString(p.literal)
			}
		}
		return b.String(), nil
	}, nil
}

// parse splits a template into literal text, {parameters} and ${expressions}.
func parse(text string, env policy.Env) ([]piece, error) {
	var ps []piece
	shape := ""
	for rest := text; rest != ""; {
		i := strings.IndexByte(rest, '{')
		if i < 0 {
			ps, shape = append(ps, piece{literal: rest}), shape+rest
			break
		}
		expression := i > 0 && rest[i-1] == '$'
		end := closing(rest[i+1:])
		if end < 0 {
			return nil, policy.Invalid("/path", "a brace is not closed")
		}
		inner := rest[i+1 : i+1+end]
		literal := rest[:i]
		if expression {
			literal = rest[:i-1]
		}
		if literal != "" {
			ps = append(ps, piece{literal: literal})
		}
		shape += literal + "x"
		if expression {
			t, err := env.Template("${" + inner + "}")
			if err != nil {
				return nil, policy.Invalid("/path", "%v", err)
			}
			ps = append(ps, piece{template: t})
		} else {
			if inner == "" || strings.ContainsAny(inner, "/{}$ ") {
				return nil, policy.Invalid("/path", "%q is not the name of a path parameter; expressions are written ${…}", inner)
			}
			ps = append(ps, piece{param: inner})
		}
		rest = rest[i+1+end+1:]
	}
	if why := refuse(shape, shape); why != "" {
		return nil, policy.Invalid("/path", "the path is not canonical: it has %s; write it percent-encoded and without dot segments", why)
	}
	return ps, nil
}

// closing returns the index of the brace that closes, past those that are nested
// or quoted.
func closing(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// segment encodes the decoded value of a path parameter as one segment.
func segment(v, name, asked string) (string, error) {
	if v == "" || v == "." || v == ".." {
		return "", problem.New(problem.CodeBadPath, "the path parameter %s cannot be %q here", name, v)
	}
	s := escape(v)
	if why := refuse("/"+s, asked); why != "" {
		return "", problem.New(problem.CodeBadPath, "the path parameter %s has %s", name, why)
	}
	return s, nil
}

const upperHex = "0123456789ABCDEF"

// escape encodes all octets that RFC 3986 does not allow in a segment, and those
// that need not be encoded stay.
func escape(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = inSegment(s[i]) && s[i] != ';'
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		c := s[i]
		if inSegment(c) && c != ';' {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

// inbound changes the path to send.
func (p *rewrite) inbound(ex *policy.Exchange) error {
	path, err := p.to(ex, ex.Forward.Path)
	if err != nil {
		return err
	}
	if path == ex.Forward.Path {
		return nil
	}
	if why := refuse(path, ex.Forward.Path); why != "" {
		return problem.New(problem.CodeBadPath, "the path that it is rewritten to has %s", why)
	}
	if ex.Noting() {
		ex.Note(p.id, "path", ex.Forward.Path+" -> "+path)
	}
	ex.Forward.Path = path
	return nil
}

// outbound changes the addresses in an answer back.
func (p *rewrite) outbound(ex *policy.Exchange) error {
	if ex.Response.Source != policy.SourceUpstream || ex.Forward.Path == ex.Request.Path {
		return nil
	}
	for _, name := range [...]string{"Location", "Content-Location"} {
		v, ok := ex.Response.Header.Lookup(name)
		if !ok {
			continue
		}
		if public := restore(ex, v); public != v && policy.ValidValue(public) {
			ex.Response.Header.Set(name, public)
		}
	}
	return nil
}

// restore returns an address of the upstream as clients know it, or the address
// itself where it is another's.
func restore(ex *policy.Exchange, location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" && !strings.HasPrefix(location, "/") {
		return location // relative to the path that the client knows, or not ours to judge
	}
	if u.Host != "" && !(ours(ex, u.Host) && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "")) {
		return location
	}
	public, private := prefixes(ex.Request.Path, ex.Forward.Path)
	path := u.EscapedPath()
	rest, ok := strings.CutPrefix(path, private)
	if !ok || rest != "" && rest[0] != '/' {
		return location
	}
	path = public + rest
	if path == "" {
		path = "/"
	}
	if refuse(path, path) != "" || strings.HasPrefix(path, "//") {
		return location
	}
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		path += "#" + u.EscapedFragment()
	}
	if u.Host == "" {
		return path
	}
	return ex.Request.Scheme + "://" + ex.Request.Authority + path
}

// ours reports whether a host is the upstream's, or the one that the client
// asked.
func ours(ex *policy.Exchange, host string) bool {
	if strings.EqualFold(host, ex.Request.Authority) || ex.Forward.Authority != "" && strings.EqualFold(host, ex.Forward.Authority) {
		return true
	}
	for i := range ex.Outcome.Attempts {
		target := ex.Outcome.Attempts[i].Target
		if _, rest, ok := strings.Cut(target, "://"); ok {
			target, _, _ = strings.Cut(rest, "/")
		}
		if strings.EqualFold(host, target) {
			return true
		}
	}
	return false
}

// prefixes returns what distinguishes the path of the client from that of the
// upstream: both without the segments that they have in common at their end.
func prefixes(public, private string) (string, string) {
	if public == "/" {
		public = ""
	}
	if private == "/" {
		private = ""
	}
	for public != "" && private != "" {
		i, j := strings.LastIndexByte(public, '/'), strings.LastIndexByte(private, '/')
		if public[i:] != private[j:] {
			break
		}
		public, private = public[:i], private[:j]
	}
	return public, private
}
