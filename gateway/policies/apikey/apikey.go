// Package apikey is the policy type api-key: it takes an API key from the
// request and establishes the application that owns it. It knows nothing of how
// keys are kept but that they are found by digest.
package apikey

import (
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/apikey"
	"github.com/gatehouse/gatehouse/libs/problem"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of an api-key policy.
type Config struct {
	// Header is the header field that has the key. The default is X-API-Key,
	// unless sources are given.
	Header string `json:"header,omitempty" schema:"minLength=1,maxLength=128"`
	// Query is a query parameter that may have the key instead. Keys in addresses
	// end up in logs and histories: prefer a header.
	Query string `json:"query,omitempty" schema:"maxLength=128"`
	// Cookie is a cookie that may have the key instead.
	Cookie string `json:"cookie,omitempty" schema:"maxLength=128"`
	// Sources are the places of the key, in the order in which they are tried,
	// where header, query and cookie do not say enough.
	Sources []Source `json:"sources,omitempty" schema:"maxItems=8"`
	// Scheme is the authentication scheme that stands before the key in a header
	// field, such as ApiKey or Bearer. It goes with the field Authorization.
	Scheme string `json:"scheme,omitempty" schema:"maxLength=32"`
	// Hide takes the key out of the request before the upstream sees it. The
	// default is true.
	Hide bool `json:"hide"`
	// Realm is the realm of the challenge in WWW-Authenticate. The default is the
	// gateway's name.
	Realm string `json:"realm,omitempty" schema:"maxLength=128"`
}

// Source is one place of a key.
type Source struct {
	// In is the part of the request: header, query or cookie.
	In string `json:"in" schema:"required,enum=header|query|cookie"`
	// Name is the name of the field, parameter or cookie.
	Name string `json:"name" schema:"required,minLength=1,maxLength=128"`
	// Scheme is the authentication scheme before the key, for headers.
	Scheme string `json:"scheme,omitempty" schema:"maxLength=32"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("api-key", "API key", Config{Hide: true}, compile, schemaDoc)
	d.Doc = "Accepts callers that send the API key of an application, in a header field, a query parameter or a cookie. " +
		"Keys are looked up by their SHA-256 and are nowhere kept. A key that is sent in two places of the same kind is refused."
	d.Example = "header: X-API-Key\nhide: true"
	return d
}

const maxKey = 512

type check struct {
	sources     []Source
	hide        bool
	credentials policy.Credentials
	missing     *problem.Problem
	invalid     *problem.Problem
	expired     *problem.Problem
	twice       *problem.Problem
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	sources, err := c.all()
	if err != nil {
		return policy.Hooks{}, err
	}
	realm := c.Realm
	if realm == "" {
		realm = "gatehouse"
	}
	if !policy.ValidValue(realm) || strings.ContainsAny(realm, `"\`) {
		return policy.Hooks{}, policy.Invalid("/realm", `control characters, quotes and backslashes are not allowed; use plain words`)
	}
	scheme := "ApiKey"
	for _, s := range sources {
		if s.Scheme != "" {
			scheme = s.Scheme
			break
		}
	}
	challenge := scheme + ` realm="` + realm + `"`
	// The answers are constant: a client learns nothing of what exists.
	k := &check{
		sources: sources, hide: c.Hide, credentials: env.Credentials,
		missing: policy.NoCredential("send an API key: "+describe(sources), challenge),
		invalid: problem.New(problem.CodeCredentialInvalid, "the API key is not accepted").WithChallenge(challenge),
		expired: problem.New(problem.CodeCredentialExpired, "the API key has expired; ask for another").WithChallenge(challenge),
		twice:   problem.New(problem.CodeCredentialInvalid, "the request has more than one API key; send one").WithChallenge(challenge),
	}
	return policy.Hooks{Inbound: k.inbound, Authenticates: true}, nil
}

// all returns the sources in order, checked.
func (c *Config) all() ([]Source, error) {
	var sources []Source
	if c.Header != "" {
		sources = append(sources, Source{In: "header", Name: c.Header, Scheme: c.Scheme})
	} else if c.Query == "" && c.Cookie == "" && len(c.Sources) == 0 {
		name := "X-API-Key"
		if c.Scheme != "" {
			name = "Authorization"
		}
		sources = append(sources, Source{In: "header", Name: name, Scheme: c.Scheme})
	}
	if c.Query != "" {
		sources = append(sources, Source{In: "query", Name: c.Query})
	}
	if c.Cookie != "" {
		sources = append(sources, Source{In: "cookie", Name: c.Cookie})
	}
	sources = append(sources, c.Sources...)
	for _, s := range sources {
		switch {
		case s.In != "query" && !policy.ValidName(s.Name):
			return nil, policy.Invalid("/"+s.In, "%q cannot be the name of a %s; use letters, digits and hyphens", s.Name, s.In)
		case s.Scheme != "" && !policy.ValidName(s.Scheme):
			return nil, policy.Invalid("/scheme", "%q is not an authentication scheme; use a word such as ApiKey", s.Scheme)
		case s.Scheme != "" && s.In != "header":
			return nil, policy.Invalid("/sources", "a %s has no scheme; leave it out", s.In)
		}
	}
	return sources, nil
}

func describe(sources []Source) string {
	var parts []string
	for _, s := range sources {
		switch {
		case s.Scheme != "":
			parts = append(parts, "header "+s.Name+" with "+s.Scheme+" and the key")
		case s.In == "query":
			parts = append(parts, "query parameter "+s.Name)
		default:
			parts = append(parts, s.In+" "+s.Name)
		}
	}
	return strings.Join(parts, ", or ")
}

func (k *check) inbound(ex *policy.Exchange) error {
	for i := range k.sources {
		key, n := k.sources[i].find(ex)
		if n == 0 {
			continue
		}
		if n > 1 {
			return k.twice
		}
		if err := k.accept(ex, key); err != nil {
			return err
		}
		if k.hide {
			k.remove(ex)
		}
		return nil
	}
	return k.missing
}

// accept establishes the owner of the key. It does not allocate.
func (k *check) accept(ex *policy.Exchange, key string) error {
	if key == "" || len(key) > maxKey || apikey.Recognised(key) && !apikey.Valid(key) || k.credentials == nil {
		return k.invalid
	}
	c, ok := k.credentials.Lookup(policy.KindAPIKey, policy.DigestOf(key))
	if !ok {
		return k.invalid
	}
	if c.Expired(ex.Start) {
		return k.expired
	}
	ex.Caller = policy.Caller{
		Kind: policy.KindAPIKey, Credential: c.ID, Application: c.Application, Plan: c.Plan,
	}
	return nil
}
