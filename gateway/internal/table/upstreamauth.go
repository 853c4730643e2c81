package table

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// known is an upstream that is told who sends requests to it.
type known struct {
	Upstream
	name, value string
}

// Do sends a request on with the gateway's credential. It is in the request only
// while that is on its way to the upstream: no policy sees it, nor do records.
func (k *known) Do(ex *policy.Exchange) error {
	ex.Request.Header.Set(k.name, k.value)
	err := k.Upstream.Do(ex)
	ex.Request.Header.Del(k.name)
	return err
}

// Plain returns an upstream without what the gateway identifies itself by.
func Plain(u Upstream) Upstream {
	if k, ok := u.(*known); ok {
		return k.Upstream
	}
	return u
}

var errNoSecrets = errors.New("references to secrets are not read here")

// revealed returns a secret of an upstream, read where it is a reference. It
// returns false after it has kept what is wrong.
func (b *builder) revealed(at, text string) (string, bool) {
	if !reference.Is(text) {
		return text, true
	}
	var s schema.Secret
	err := s.UnmarshalText([]byte(text))
	look := b.look()
	switch {
	case err != nil:
	case look == nil:
		err = errNoSecrets
	default:
		err = s.Resolve(look)
	}
	if err != nil {
		b.problems = append(b.problems, problem.Field{Pointer: at, Code: schema.RuleInvalid, Detail: err.Error()})
		return "", false
	}
	return s.Reveal(), true
}

// clientKey puts what references name in the place of the certificate and the key
// by which the gateway identifies itself. It reports whether it could.
func (b *builder) clientKey(at string, cfg *unit.Upstream) bool {
	if cfg.TLS == nil || !reference.Is(cfg.TLS.Certificate) && !reference.Is(cfg.TLS.Key) {
		return true
	}
	t := *cfg.TLS
	var certificate, key bool
	t.Certificate, certificate = b.revealed(at+"/certificate", t.Certificate)
	t.Key, key = b.revealed(at+"/key", t.Key)
	if b.SecretsStand && t.Certificate != "" && t.Key != "" {
		t.Certificate, t.Key = "", "" // whether they are any is seen by who can read them
	}
	cfg.TLS = &t
	return certificate && key
}

// auth returns what tells an upstream who sends requests, nil = nothing does. It
// returns false after it has kept what is wrong.
func (b *builder) auth(at string, a *unit.Auth) (*known, bool) {
	if a == nil {
		return nil, true
	}
	bad := func(pointer, format string, args ...any) (*known, bool) {
		b.problems = append(b.problems, problem.Field{Pointer: at + pointer, Code: schema.RuleInvalid, Detail: fmt.Sprintf(format, args...)})
		return nil, false
	}
	text := a.Secret()
	if text == nil {
		return bad("", "give one of basic, bearer and header")
	}
	k, where, scheme := &known{name: "Authorization"}, "/bearer", "Bearer "
	switch {
	case a.Basic != nil:
		where = "/basic/password"
		if u := a.Basic.Username; strings.ContainsRune(u, ':') || !policy.ValidValue(u) {
			return bad("/basic/username", "a user name has neither colons nor control characters (RFC 7617 section 2)")
		}
	case a.Header != nil:
		k.name, where, scheme = a.Header.Name, "/header/value", ""
		if !policy.ValidName(k.name) || policy.HopByHop(k.name) || policy.EqualName(k.name, "Host") || policy.EqualName(k.name, "Content-Length") {
			return bad("/header/name", "%q is no field that can be set; use a name such as X-API-Key", k.name)
		}
	}
	secret, ok := b.revealed(at+where, *text)
	switch {
	case !ok:
		return nil, false
	case secret == "":
		return bad(where, "is empty: nothing would be sent; give the secret or a reference to it")
	case !policy.ValidValue(secret):
		return bad(where, "has characters that cannot be in a header field, such as a line break")
	case a.Basic != nil:
		k.value = "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Basic.Username+":"+secret))
	default:
		k.value = scheme + secret
	}
	return k, true
}
