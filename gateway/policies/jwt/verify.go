package jwt

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
)

// methods are the algorithms that can be configured. "none" is not among them
// and cannot come in: nothing asks the library's registry.
var methods = map[string]jwt.SigningMethod{
	"RS256": jwt.SigningMethodRS256, "RS384": jwt.SigningMethodRS384, "RS512": jwt.SigningMethodRS512,
	"PS256": jwt.SigningMethodPS256, "PS384": jwt.SigningMethodPS384, "PS512": jwt.SigningMethodPS512,
	"ES256": jwt.SigningMethodES256, "ES384": jwt.SigningMethodES384, "ES512": jwt.SigningMethodES512,
	"EdDSA": jwt.SigningMethodEdDSA,
	"HS256": jwt.SigningMethodHS256, "HS384": jwt.SigningMethodHS384, "HS512": jwt.SigningMethodHS512,
}

// verified is what is remembered of a token. It is shared and never changed.
type verified struct {
	generation uint64
	exp, nbf   int64 // Unix seconds; exp 0 = never
	caller     policy.Caller
	client     policy.Digest
	named      bool // client is set
	scoped     bool // has the scopes needed
	bound      bool // confirm is set
	confirm    bearer.Confirmation
	headers    []string
}

// secretKey is a key set of one shared secret.
type secretKey []byte

func (s secretKey) Keys(_ context.Context, _, alg string) ([]policy.Key, error) {
	return []policy.Key{{Algorithm: alg, Public: []byte(s)}}, nil
}

func (secretKey) Generation() uint64 { return 1 }

func (secretKey) Close() {}

func (k *check) inbound(ex *policy.Exchange) error {
	k.headers.Strip(&ex.Request.Header)
	k.holder.Clean(&ex.Request)
	found := k.sources.Find(&ex.Request)
	token := found.Token
	switch {
	case found.Count == 0:
		return k.answers.missing
	case found.Count > 1:
		return k.answers.twice
	case token == "" || int64(len(token)) > int64(k.MaxSize):
		return k.answers.malformed
	}
	now := ex.Start.Unix()
	v := k.remembered(token, now)
	if v == nil {
		var err error
		if v, err = k.verify(ex, token, now); err != nil {
			return err
		}
	}
	if err := k.admit(ex, v, found); err != nil {
		return err
	}
	k.headers.Add(&ex.Request.Header, v.headers)
	if k.Hide {
		k.sources.Hide(&ex.Request)
	}
	return nil
}

func (k *check) key(token string) string {
	d := bearer.Digest(token)
	return k.prefix + string(d[:])
}

// remembered returns what was verified before, where it still holds: the keys
// are the same, and its time has come and is not over.
func (k *check) remembered(token string, now int64) *verified {
	if k.CacheTTL == 0 || k.env.Store == nil {
		return nil
	}
	e, ok := k.env.Store.Get(k.key(token))
	if !ok {
		return nil
	}
	v, ok := e.(*verified)
	if !ok || v.generation == 0 || v.generation != k.keys.Generation() ||
		v.exp != 0 && now >= v.exp+k.skew || now+k.skew < v.nbf {
		return nil
	}
	return v
}

// admit checks what depends on the request or may change from one to the next,
// and names the caller.
func (k *check) admit(ex *policy.Exchange, v *verified, found bearer.Found) error {
	switch {
	case v.bound || found.DPoP:
		if err := k.holder.Check(ex, v.confirm, found); err != nil {
			return err
		}
	case k.RequireBound:
		return k.answers.bound
	}
	caller := v.caller
	if v.named && k.env.Credentials != nil {
		if c, ok := k.env.Credentials.Lookup(policy.CredentialKind(k.Credential), v.client); ok {
			if c.Expired(ex.Start) {
				return k.answers.expired
			}
			caller.Application, caller.Credential, caller.Plan = c.Application, c.ID, c.Plan
		}
	}
	if caller.Application == nil && k.Application == "required" {
		return k.answers.application
	}
	if !v.scoped {
		return k.answers.scope
	}
	ex.Caller = caller
	return nil
}

// verify verifies the signature and then the claims.
func (k *check) verify(ex *policy.Exchange, token string, now int64) (*verified, error) {
	generation := k.keys.Generation() // before the keys: a change between the two is then noticed
	claims, err := k.signed(ex, token)
	if err != nil {
		return nil, err
	}
	v, err := k.judge(claims, now)
	if err != nil {
		return nil, err
	}
	v.generation = generation
	if ex.Noting() {
		ex.Note(k.env.ID, "issuer", v.caller.Issuer)
		ex.Note(k.env.ID, "subject", v.caller.Subject)
	}
	if k.CacheTTL == 0 || k.env.Store == nil || generation == 0 {
		return v, nil
	}
	ttl := k.CacheTTL.Std()
	if v.exp != 0 {
		ttl = min(ttl, time.Duration(v.exp+k.skew-now)*time.Second)
	}
	k.env.Store.Set(k.key(token), v, int64(512+4*len(token)), ttl)
	return v, nil
}

// signed returns the claims of a token whose signature is good.
func (k *check) signed(ex *policy.Exchange, token string) (map[string]any, error) {
	head, rest, _ := strings.Cut(token, ".")
	body, sig, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(sig, ".") { // five parts would be an encrypted token
		return nil, k.answers.malformed
	}
	h, ok := parseHeader(head)
	if !ok {
		return nil, k.answers.malformed
	}
	method := methods[h.alg]
	if method == nil || !k.algorithm[h.alg] {
		return nil, k.answers.algorithm
	}
	if !k.accepts(h.typ) {
		return nil, k.answers.typ
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(sig)
	if err != nil || len(signature) == 0 {
		return nil, k.answers.malformed
	}
	keys, err := k.keys.Keys(ex.Context(), h.kid, h.alg)
	if err != nil { // R8.3
		p := *k.answers.keys
		return nil, p.Because(err)
	}
	const most = 16 // keys that one token may have tried
	good := slices.ContainsFunc(keys[:min(len(keys), most)], func(key policy.Key) bool {
		return method.Verify(token[:len(head)+1+len(body)], signature, key.Public) == nil
	})
	if !good {
		if ex.Noting() {
			ex.Note(k.env.ID, "algorithm", h.alg)
			ex.Note(k.env.ID, "keys", map[bool]string{true: "no key of that id and algorithm", false: "the signature is not that of a key"}[len(keys) == 0])
		}
		return nil, k.answers.signature
	}
	doc, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, k.answers.malformed
	}
	claims, ok := bearer.Decode(doc)
	if !ok {
		return nil, k.answers.malformed
	}
	return claims, nil
}

type header struct{ alg, kid, typ string }

// parseHeader reads a JOSE header. Names count as they are written. Critical
// extensions, compression and nested tokens are refused; keys and addresses of
// keys in the header are not looked at (RFC 8725 sections 3.1, 3.6, 3.10).
func parseHeader(part string) (h header, ok bool) {
	doc, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return h, false
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(doc, &m) != nil || m == nil {
		return h, false
	}
	for _, name := range []string{"crit", "zip", "b64", "enc"} {
		if _, there := m[name]; there {
			return h, false
		}
	}
	var cty string
	for name, into := range map[string]*string{"alg": &h.alg, "kid": &h.kid, "typ": &h.typ, "cty": &cty} {
		if raw, there := m[name]; there && (len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, into) != nil) {
			return h, false
		}
	}
	return h, h.alg != "" && len(h.kid) <= 512 && media(cty) != "jwt"
}

// judge checks the claims.
func (k *check) judge(claims map[string]any, now int64) (*verified, error) {
	exp, hasExp, ok1 := bearer.Time(claims, "exp")
	nbf, _, ok2 := bearer.Time(claims, "nbf")
	iat, hasIat, ok3 := bearer.Time(claims, "iat")
	switch {
	case !ok1 || !ok2 || !ok3:
		return nil, k.answers.malformed
	case !hasExp && !k.AllowNoExpiry:
		return nil, k.answers.noExpiry
	case hasExp && now >= exp+k.skew:
		return nil, k.answers.expired
	case now+k.skew < nbf, now+k.skew < iat:
		return nil, k.answers.early
	case k.MaxLifetime > 0 && (!hasIat || !hasExp || exp-iat > int64(k.MaxLifetime.Std()/time.Second)):
		return nil, k.answers.lifetime
	}
	issuer, _ := claims["iss"].(string)
	if len(k.Issuer) > 0 && !slices.Contains(k.Issuer, issuer) {
		return nil, k.answers.issuer
	}
	if len(k.Audience) > 0 && !meets(bearer.Texts(claims["aud"]), k.Audience) {
		return nil, k.answers.audience
	}
	for _, name := range k.RequiredClaims {
		if _, there := bearer.Claim(claims, name); !there {
			return nil, k.answers.claims
		}
	}
	for name, values := range k.Claims {
		c, _ := bearer.Claim(claims, name)
		if !meets(bearer.Texts(c), values) {
			return nil, k.answers.claims
		}
	}
	v := &verified{exp: exp, nbf: nbf, caller: policy.Caller{
		Kind: policy.CredentialKind(k.Credential), Subject: bearer.Text(claims, k.SubjectClaim), Issuer: issuer, Claims: claims,
	}}
	var ok bool
	if v.confirm, ok = bearer.ConfirmationOf(claims); !ok {
		return nil, k.answers.bound
	}
	v.bound = v.confirm.Bound()
	for _, name := range k.ScopeClaims {
		if c, there := bearer.Claim(claims, name); there {
			v.caller.Scopes = bearer.ScopesOf(c)
			break
		}
	}
	v.scoped = bearer.HasScopes(v.caller.Scopes, k.Scopes, k.anyScope)
	client := ""
	for _, name := range k.ClientClaims {
		if client = bearer.Text(claims, name); client != "" {
			break
		}
	}
	// A subject is taken only where the token names no client: a user whose name
	// is that of a client must not pass for it. The organization's own authorization
	// server always names the client.
	if client == "" && k.Credential == string(policy.KindJWT) {
		client = v.caller.Subject
	}
	if client != "" {
		v.client, v.named = policy.DigestOf(client), true
	}
	v.headers = k.headers.Values(claims)
	return v, nil
}

func meets(have, want []string) bool {
	return slices.ContainsFunc(have, func(s string) bool { return slices.Contains(want, s) })
}
