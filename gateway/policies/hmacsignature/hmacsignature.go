// Package hmacsignature is the policy type hmac-signature: it verifies requests
// that are signed with a shared secret, as HTTP Message Signatures (RFC 9421)
// with hmac-sha256.
package hmacsignature

import (
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of an hmac-signature policy.
type Config struct {
	// Components are the parts of the request that a signature must cover: header
	// fields by lower-case name, and @method, @authority, @scheme, @target-uri,
	// @request-target, @path or @query. The default is @method, @authority, @path
	// and @query.
	Components []string `json:"components,omitempty" schema:"minItems=1,maxItems=50,unique,pattern=^(@(method|authority|scheme|target-uri|request-target|path|query)|[!#$%&'*+.^_|~0-9a-z-]+)$"`
	// Body says whether a request with a body must have it covered, by a
	// Content-Digest (RFC 9530) that the signature covers: required; or optional,
	// where a digest is verified if it is covered. The default is required.
	Body string `json:"body,omitempty" schema:"enum=required|optional"`
	// MaxBody is the largest body that is read into memory to verify its digest.
	// The default is 1MiB.
	MaxBody schema.Bytes `json:"maxBody,omitzero" schema:"min=1,max=1GiB"`
	// MaxAge is how old a signature may be. The default is 5m.
	MaxAge schema.Duration `json:"maxAge,omitzero" schema:"min=1s,max=24h"`
	// ClockSkew is how far clocks may differ. The default is 30s.
	ClockSkew schema.Duration `json:"clockSkew,omitzero" schema:"max=10m"`
	// Replay says whether a request may be sent again while its signature is
	// young: allow; refuse, by its nonce or else the signature itself; or nonce,
	// where a nonce must be there. What was seen is remembered by each gateway for
	// itself. The default is allow.
	Replay string `json:"replay,omitempty" schema:"enum=allow|refuse|nonce"`
	// Label is the label of the signature that counts. The default is the only one
	// that the request has.
	Label string `json:"label,omitempty" schema:"pattern=^[a-z*][a-z0-9_.*-]*$"`
	// Tag is the tag that a signature must have; "" = any.
	Tag string `json:"tag,omitempty" schema:"pattern=^[ !#-\\[\\]-~]*$"`
	// Hide takes the signature out of the request before the upstream sees it. The
	// default is false.
	Hide bool `json:"hide,omitempty"`
	// Realm is the realm of the challenge in WWW-Authenticate. The default is
	// gatehouse.
	Realm string `json:"realm,omitempty" schema:"pattern=^[A-Za-z0-9 ._/-]{1,128}$"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("hmac-signature", "HMAC request signature", Config{
		Components: []string{"@method", "@authority", "@path", "@query"}, Body: "required", MaxBody: 1 << 20, Replay: "allow",
		MaxAge: schema.Duration(5 * time.Minute), ClockSkew: schema.Duration(30 * time.Second), Realm: "gatehouse",
	}, compile, schemaDoc)
	d.Doc = "Accepts callers that sign their requests with a shared secret: HTTP Message Signatures (RFC 9421), hmac-sha256. The " +
		"signature names its key by keyid, has a time, and covers what the configuration asks for; @path is the canonical path, " +
		"which is the one to sign. A body is covered by its Content-Digest."
	d.Example = "components: [\"@method\", \"@authority\", \"@path\", \"@query\", content-type]\nmaxAge: 1m\nreplay: refuse"
	return d
}

type check struct {
	Config
	env    policy.Env
	prefix string
	maxAge int64 // seconds
	skew   int64
	mu     sync.Mutex // makes looking and remembering one step

	missing, several, malformed, covers, component, timeless, expired, invalid, replayed, nonce, tag, digest, stream *problem.Problem
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	k := &check{
		Config: c, env: env, maxAge: int64(c.MaxAge.Std() / time.Second), skew: int64(c.ClockSkew.Std() / time.Second),
	}
	d := policy.DigestOf(env.ID)
	k.prefix = env.Scope.API + "/hmac/" + hex.EncodeToString(d[:8]) + "/"
	if c.Replay != "allow" && env.Store == nil {
		return policy.Hooks{}, policy.Invalid("/replay", "this gateway has no memory for what was seen; use allow")
	}
	challenge := `Signature realm="` + c.Realm + `"`
	quoted := make([]string, len(c.Components))
	for i, name := range c.Components {
		quoted[i] = `"` + name + `"`
	}
	// Accept-Signature says what to sign (RFC 9421 section 5.1).
	accept := `sig=(` + strings.Join(quoted, " ") + `);created;keyid="";alg="hmac-sha256"`
	answer := func(detail string) *problem.Problem {
		return problem.New(problem.CodeCredentialInvalid, "%s", detail).WithChallenge(challenge)
	}
	k.missing = policy.NoCredential("sign the request: RFC 9421, hmac-sha256, covering "+strings.Join(c.Components, ", "), challenge).
		WithHeader("Accept-Signature", accept)
	k.several = answer("the request has several signatures, or none of the label that counts; send one")
	k.malformed = answer("Signature-Input or Signature is not as RFC 9421 has it, or names another algorithm")
	k.covers = answer("the signature does not cover all of: "+strings.Join(c.Components, ", ")).WithHeader("Accept-Signature", accept)
	k.component = answer("the signature covers a part that the request does not have, or in a way that is not supported")
	k.timeless = answer("the signature has no time of creation; add the parameter created")
	k.expired = problem.New(problem.CodeCredentialExpired, "the signature is too old, or from the future; check the clock").WithChallenge(challenge)
	k.invalid = answer("the signature is not that of a known key over this request")
	k.replayed = answer("a request with this signature or nonce was seen before; sign each request anew")
	k.nonce = answer("the signature has no nonce; add the parameter nonce")
	k.tag = answer("the tag of the signature is not accepted")
	k.digest = answer("the body is not that of the Content-Digest, or is not covered by the signature; add content-digest")
	k.stream = answer("the body is a stream that cannot be verified")
	return policy.Hooks{Inbound: k.inbound, Authenticates: true}, nil
}

func (k *check) inbound(ex *policy.Exchange) error {
	h := &ex.Request.Header
	if !h.Has("Signature-Input") && !h.Has("Signature") {
		return k.missing
	}
	in, signature, err := k.pick(h)
	if err != nil {
		return err
	}
	if err := k.terms(ex, in); err != nil {
		return err
	}
	base, ok := signatureBase(&ex.Request, in)
	if !ok {
		return k.component
	}
	c, known := policy.Credential{}, false
	if k.env.Credentials != nil {
		c, known = k.env.Credentials.Lookup(policy.KindHMAC, policy.DigestOf(in.keyID))
	}
	// An unknown key takes as long as a wrong signature.
	right := verify(c.Verifier, base, signature)
	if !known || len(c.Verifier) == 0 || !right {
		return k.invalid
	}
	if c.Expired(ex.Start) {
		return k.expired
	}
	if err := k.body(ex, in); err != nil {
		return err
	}
	if err := k.fresh(ex, in, signature); err != nil {
		return err
	}
	if ex.Noting() {
		ex.Note(k.env.ID, "covered", strings.Join(in.components, " "))
	}
	ex.Caller = policy.Caller{Kind: policy.KindHMAC, Credential: c.ID, Application: c.Application, Plan: c.Plan}
	if k.Hide {
		h.Del("Signature")
		h.Del("Signature-Input")
	}
	return nil
}

// pick returns the signature that counts.
func (k *check) pick(h *policy.Header) (input, []byte, error) {
	inputs, ok1 := parseInputs(h.Joined("Signature-Input"))
	signatures, ok2 := parseBytes(h.Joined("Signature"))
	if !ok1 || !ok2 {
		return input{}, nil, k.malformed
	}
	label := k.Label
	if label == "" {
		if len(inputs) != 1 {
			return input{}, nil, k.several
		}
		for l := range inputs {
			label = l
		}
	}
	in, ok1 := inputs[label]
	signature, ok2 := signatures[label]
	if !ok1 || !ok2 {
		return input{}, nil, k.several
	}
	if in.keyID == "" || in.algorithm != "" && in.algorithm != "hmac-sha256" {
		return input{}, nil, k.malformed
	}
	return in, signature, nil
}

// terms checks coverage, time and tag.
func (k *check) terms(ex *policy.Exchange, in input) error {
	for _, c := range k.Components {
		if !slices.Contains(in.components, c) {
			return k.covers
		}
	}
	now := ex.Start.Unix()
	created := in.created
	if created == 0 && slices.Contains(in.components, "date") {
		if t, err := time.Parse(time.RFC1123, ex.Request.Header.Get("Date")); err == nil {
			created = t.Unix()
		}
	}
	switch {
	case created == 0:
		return k.timeless
	case created > now+k.skew, now-created > k.maxAge+k.skew, in.expires != 0 && now > in.expires+k.skew:
		return k.expired
	case k.Tag != "" && in.tag != k.Tag:
		return k.tag
	case k.Replay == "nonce" && in.nonce == "":
		return k.nonce
	}
	return nil
}

// fresh refuses what was seen before.
func (k *check) fresh(ex *policy.Exchange, in input, signature []byte) error {
	if k.Replay == "allow" {
		return nil
	}
	key := k.prefix + in.keyID + "/n/" + in.nonce
	if in.nonce == "" {
		key = k.prefix + in.keyID + "/s/" + string(signature)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, seen := k.env.Store.Get(key); seen {
		return k.replayed
	}
	k.env.Store.Set(key, true, int64(len(key)), time.Duration(k.maxAge+2*k.skew+1)*time.Second)
	return nil
}
