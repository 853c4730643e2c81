package bearer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/dpop"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Proofs is the part of a configuration that says which DPoP proofs count
// (RFC 9449). They are asked for only with tokens that are bound to a key.
type Proofs struct {
	// MaxAge is how far the time of a proof may be from the gateway's.
	MaxAge schema.Duration `json:"maxAge" schema:"min=1s,max=10m"`
	// Origin is the scheme and host at which clients reach the gateway, such as
	// https://api.example.com, where a proxy before it has the gateway see others.
	Origin string `json:"origin,omitempty" schema:"format=http-url"`
	// RequireNonce accepts only proofs with a nonce of the gateway, which clients
	// are told when they lack one (RFC 9449 section 9).
	RequireNonce bool `json:"requireNonce,omitempty"`
	// NonceSecret is what nonces are made with, of 32 bytes or more, the same for
	// all gateways that clients may reach. Without it each gateway has its own, and
	// knows no nonce of another.
	NonceSecret schema.Secret `json:"nonceSecret,omitzero"`
	// MaxRemembered is how many proofs are remembered, so that none comes twice.
	// Where that many came within twice maxAge more are refused with 503.
	MaxRemembered int `json:"maxRemembered" schema:"min=1000,max=10000000"`
}

// DefaultProofs are those of a minute.
func DefaultProofs() Proofs {
	return Proofs{MaxAge: schema.Duration(time.Minute), MaxRemembered: 250_000}
}

// Holder checks that who sends a token holds what the token is bound to. It is
// safe for concurrent use.
type Holder struct {
	certificates Certificates
	window       time.Duration
	origin       *dpop.Address
	nonces       []byte // the key that they are made with; nil = none are asked for
	seen         *seen
	id           string

	bound, scheme, unbound, missing, proof, nonce, again, full *problem.Problem
}

// NewHolder returns the check of a policy. Errors name the fields of its
// configuration, which are certificate and dpop.
func NewHolder(c Certificates, p Proofs, challenges Challenges, env policy.Env) (*Holder, error) {
	if err := c.check("/certificate"); err != nil {
		return nil, err
	}
	h := &Holder{certificates: c, window: p.MaxAge.Std(), id: env.ID, seen: remembered(env, p.MaxRemembered)}
	if p.Origin != "" {
		at, err := dpop.AddressOf(p.Origin)
		if u, _ := url.Parse(p.Origin); err != nil || u == nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(at.Path, "/") != "" {
			return nil, policy.Invalid("/dpop/origin", "this is not a scheme and a host; write https://api.example.com")
		}
		h.origin = &at
	}
	switch secret := p.NonceSecret; {
	case secret.IsSet() && !p.RequireNonce:
		return nil, policy.Invalid("/dpop/requireNonce", "a secret for nonces is given, and none is asked for; set requireNonce: true")
	case secret.IsSet() && len(secret.Reveal()) < 32:
		return nil, policy.Invalid("/dpop/nonceSecret", "the secret has less than 32 bytes, or names something that is empty; use 32 random bytes or more")
	case secret.IsSet():
		h.nonces = []byte(secret.Reveal())
	case p.RequireNonce:
		h.nonces = make([]byte, sha256.Size)
		if _, err := rand.Read(h.nonces); err != nil {
			return nil, err
		}
	}
	h.answers(challenges)
	return h, nil
}

func (h *Holder) answers(c Challenges) {
	h.bound = c.Invalid("the token is bound to a certificate that the client has not shown")
	c.Scheme = DPoP
	challenge := func(code, detail string) *problem.Problem {
		return problem.New(problem.CodeCredentialInvalid, "%s", detail).
			WithChallenge(c.prefix() + `, error="` + code + `", error_description="` + detail + `", algs="` + strings.Join(dpop.Algorithms(), " ") + `"`)
	}
	h.scheme = challenge("invalid_token", "the token is bound to a key: send it with the scheme DPoP, and a proof in the header DPoP")
	h.unbound = challenge("invalid_token", "the token is not bound to a key, and cannot be sent with the scheme DPoP")
	h.missing = challenge("invalid_dpop_proof", "send one proof in the header DPoP")
	h.proof = challenge("invalid_dpop_proof", "the proof in the header DPoP is not accepted")
	h.again = challenge("invalid_dpop_proof", "the proof in the header DPoP was sent before; make one for each request")
	h.nonce = challenge("use_dpop_nonce", "put the nonce of the header DPoP-Nonce into the proof")
	h.full = problem.New(problem.CodeDependencyDown, "more proofs come than can be remembered; try again").WithRetryAfter(h.window)
}

// Clean takes out of a request what the peer may not tell. It comes before
// anything is decided.
func (h *Holder) Clean(r *policy.Request) { h.certificates.clean(r) }

// Check returns the answer to a request whose token is bound to what the client
// has not shown; nil where it has shown all, and the token came as such a token
// has to.
func (h *Holder) Check(ex *policy.Exchange, c Confirmation, found Found) error {
	if c.Certificate != "" && !h.certificates.shown(&ex.Request, c.Certificate) {
		return h.bound
	}
	switch {
	case c.Key == "" && found.DPoP:
		return h.unbound
	case c.Key == "":
		return nil
	case !found.DPoP: // RFC 9449 section 7.2
		return h.scheme
	case ex.Request.Header.Count(DPoP) != 1:
		return h.missing
	}
	return h.proven(ex, c.Key, found.Token)
}

// proven verifies the proof of a request (RFC 9449 section 4.3).
func (h *Holder) proven(ex *policy.Exchange, key, token string) error {
	r := &ex.Request
	p, err := dpop.Parse(r.Header.Get(DPoP))
	if err == nil {
		at := dpop.Address{Scheme: r.Scheme, Authority: r.Authority, Path: r.Path}
		if h.origin != nil {
			at.Scheme, at.Authority = h.origin.Scheme, h.origin.Authority
		}
		err = p.Check(r.Method, at, token, ex.Start, h.window)
	}
	if err == nil && subtle.ConstantTimeCompare([]byte(p.Key), []byte(key)) != 1 {
		err = errAnotherKey
	}
	if err != nil {
		if ex.Noting() {
			ex.Note(h.id, "proof", err.Error())
		}
		return because(h.proof, err)
	}
	now := ex.Start.Unix()
	if h.nonces != nil && !h.knows(p.Nonce, now) {
		told := *h.nonce
		return told.WithHeader("DPoP-Nonce", h.nonceOf(now/noncePeriod))
	}
	switch fresh, room := h.seen.add(key, p.ID, now, int64(h.window/time.Second)); {
	case !room:
		return h.full
	case !fresh:
		return h.again
	}
	return nil
}

var errAnotherKey = errors.New("it is signed by another key than the token is bound to")

func because(p *problem.Problem, err error) error {
	told := *p
	return told.Because(err)
}

// noncePeriod is for how long the same nonce is given out, in seconds; it is
// accepted for as long again.
const noncePeriod = 300

func (h *Holder) nonceOf(period int64) string {
	m := hmac.New(sha256.New, h.nonces)
	_, _ = m.Write(binary.BigEndian.AppendUint64([]byte("dpop nonce "), uint64(period))) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}

func (h *Holder) knows(nonce string, now int64) bool {
	period := now / noncePeriod
	return hmac.Equal([]byte(nonce), []byte(h.nonceOf(period))) || hmac.Equal([]byte(nonce), []byte(h.nonceOf(period-1)))
}
