package authn

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/singleflight"

	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// Issuer is the claim iss of every access token.
	Issuer = "gatehouse"
	// Audience is the claim aud of every access token.
	Audience = "gatehouse"
	// Lifetime is how long an access token is valid.
	Lifetime = 5 * time.Minute
	// Algorithm is the only one that tokens are signed with: EdDSA with Ed25519
	// (RFC 8037).
	Algorithm = "EdDSA"
)

const (
	leeway      = 30 * time.Second // of clocks that issue, not of expiry
	longest     = 8 << 10          // bytes of a token
	keysRefresh = 5 * time.Minute
	keysPause   = time.Second // between two refreshes because of an unknown key
	keysFirst   = 200 * time.Millisecond
	askLimit    = 2 * time.Second
)

// Claims are what an access token says (RFC 7519), as tenant-manager signs it.
// Subject is the id of the user or service account, ID the token's own.
type Claims struct {
	jwt.RegisteredClaims
	Organization     string `json:"org"`
	OrganizationSlug string `json:"orgSlug"`
	Kind             Kind   `json:"kind"`
	Session          string `json:"sid,omitempty"`
	Token            string `json:"tok,omitempty"`
	Name             string `json:"name,omitempty"`
	Email            string `json:"email,omitempty"`
	// Actor is who acts as the subject (RFC 8693 section 4.1); nil = they themselves.
	Actor *Actor `json:"act,omitempty"`
}

// Actor is who acts as somebody else.
type Actor struct {
	Subject string `json:"sub"`
	Name    string `json:"name,omitempty"`
}

// NewClaims returns the claims of a token for a principal that is valid from now
// on for the [Lifetime]. id is unique.
func NewClaims(p Principal, id string, now time.Time) Claims {
	c := Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Subject: p.Subject, Audience: jwt.ClaimStrings{Audience}, ID: id,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime)),
		},
		Organization: p.Organization, OrganizationSlug: p.OrganizationSlug, Kind: p.Kind, Session: p.Session, Token: p.Token, Name: p.Name, Email: p.Email,
	}
	if p.ImpersonatorID != "" {
		c.Actor = &Actor{p.ImpersonatorID, p.ImpersonatorName}
	}
	return c
}

// Sign returns the token, signed with a key that others know by its id.
func (c Claims) Sign(kid string, key ed25519.PrivateKey) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	t.Header["kid"] = kid
	s, err := t.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("signing an access token: %w", err)
	}
	return s, nil
}

// Principal returns whom the claims are about.
func (c Claims) Principal() Principal {
	p := Principal{
		Organization: c.Organization, OrganizationSlug: c.OrganizationSlug, Subject: c.Subject,
		Kind: c.Kind, Session: c.Session, Token: c.Token, Name: c.Name, Email: c.Email,
	}
	if c.Actor != nil {
		p.ImpersonatorID, p.ImpersonatorName = c.Actor.Subject, c.Actor.Name
	}
	return p
}

// Verifier verifies access tokens with the keys of tenant-manager. It is safe
// for concurrent use.
type Verifier struct {
	source Source
	log    *slog.Logger
	now    func() time.Time
	parser *jwt.Parser
	keys   atomic.Pointer[keySet]
	flight singleflight.Group
	seen   verified
	known  chan struct{} // closed when there are keys
	once   sync.Once

	mu    sync.Mutex
	tried time.Time // when keys were last asked for
	away  error     // why that failed
}

type keySet struct {
	keys map[string]ed25519.PublicKey
}

// NewVerifier returns a verifier. It asks for keys when it needs the first.
func NewVerifier(source Source, log *slog.Logger, now func() time.Time) *Verifier {
	return &Verifier{
		source: source, log: log, now: now, known: make(chan struct{}),
		parser: jwt.NewParser(jwt.WithValidMethods([]string{Algorithm}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
	}
}

// Run asks for the keys every few minutes, until ctx ends; until it has the first
// ones, without much of a pause.
func (v *Verifier) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for first := true; ; first = false {
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
		pause := keysRefresh
		err := v.refresh(ctx, 0)
		if v.keys.Load() == nil {
			pause = keysFirst
		}
		if err != nil && ctx.Err() == nil && (first || pause == keysRefresh) {
			v.log.WarnContext(ctx, "asking for the keys of access tokens failed; those that are known go on", "err", err)
		}
		t.Reset(pause)
	}
}

// Wait waits until there are keys, by which callers can be known. The error is
// ctx's.
func (v *Verifier) Wait(ctx context.Context) error {
	select {
	case <-v.known:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Verify returns whom a token is about. The error is a problem: 401 for a token
// that is not valid, 503 where its key is not known and cannot be asked for.
// Whether the session still stands is [Access]'s to say.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	if len(token) > longest {
		return Principal{}, invalid("it is too long")
	}
	sum := sha256.Sum256([]byte(token))
	if s := v.seen.get(sum); s != nil && v.has(s.kid, s.key) { // the key may have been withdrawn
		if err := v.check(&s.claims); err != nil {
			return Principal{}, err
		}
		return s.claims.Principal(), nil
	}
	var c Claims
	var away error
	var kid string
	var key ed25519.PublicKey
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		if _, has := t.Header["crit"]; has {
			return nil, errors.New("it has critical extensions")
		}
		if kid, _ = t.Header["kid"].(string); kid == "" {
			return nil, errors.New("it names no key")
		}
		var err error
		key, err = v.key(ctx, kid)
		away = err
		if err == nil && key == nil {
			err = errors.New("its key is not known")
		}
		return key, err
	})
	switch {
	case away != nil:
		return Principal{}, problem.New(problem.CodeDependencyDown, "access tokens cannot be verified at the moment, because tenant-manager does not answer").
			Because(away).WithRetryAfter(2 * time.Second)
	case err != nil:
		return Principal{}, invalid("it is malformed, or its signature is wrong").Because(err)
	}
	if err := v.check(&c); err != nil {
		return Principal{}, err
	}
	v.seen.put(sum, &seen{c, kid, key})
	return c.Principal(), nil
}

// has says whether a key is still one of those that sign.
func (v *Verifier) has(kid string, key ed25519.PublicKey) bool {
	s := v.keys.Load()
	return s != nil && s.keys[kid].Equal(key)
}

// check holds the claims against the clock and what they must be.
func (v *Verifier) check(c *Claims) error {
	now := v.now()
	switch {
	case c.Issuer != Issuer || !slices.Contains(c.Audience, Audience):
		return invalid("it is not for this system")
	case c.ExpiresAt == nil || c.IssuedAt == nil || c.ID == "" || c.Subject == "" || c.Organization == "":
		return invalid("it lacks a claim")
	case c.Actor != nil && (c.Actor.Subject == "" || c.Session == "" || c.Kind != User):
		return invalid("it does not say who acts")
	case c.Kind != User && c.Kind != ServiceAccount:
		return invalid("its kind is not known")
	case !now.Before(c.ExpiresAt.Time):
		return expired("the access token has expired")
	case c.IssuedAt.After(now.Add(leeway)), c.NotBefore != nil && c.NotBefore.After(now.Add(leeway)):
		return invalid("it is from the future: compare the clocks of the machines")
	}
	return nil
}

// key returns a public key, or nil where there is none of that id. The error
// says that it could not be found out.
func (v *Verifier) key(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	if s := v.keys.Load(); s != nil {
		if k := s.keys[kid]; k != nil {
			return k, nil
		}
	}
	err := v.refresh(ctx, keysPause)
	if s := v.keys.Load(); s != nil && s.keys[kid] != nil {
		return s.keys[kid], nil
	}
	return nil, err
}

// refresh asks for the keys, unless that was done less than a pause ago; then it
// returns what came of that.
func (v *Verifier) refresh(ctx context.Context, pause time.Duration) error {
	done := v.flight.DoChan("", func() (any, error) {
		v.mu.Lock()
		recent := !v.tried.IsZero() && v.now().Sub(v.tried) < pause
		away := v.away
		v.mu.Unlock()
		if recent {
			return nil, away
		}
		// Not cut short by the request that happens to be the first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
		defer cancel()
		rep, err := v.source.Keys(ctx)
		if err == nil {
			set := &keySet{keys: make(map[string]ed25519.PublicKey, len(rep.Keys))}
			for _, raw := range rep.Keys {
				kid, key, err := ParseJWK(raw)
				if err != nil {
					v.log.ErrorContext(ctx, "a key of access tokens is left out", "err", err)
					continue
				}
				set.keys[kid] = key
			}
			v.keys.Store(set)
			v.once.Do(func() { close(v.known) })
		}
		v.mu.Lock()
		v.tried, v.away = v.now(), err
		v.mu.Unlock()
		return nil, err
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
