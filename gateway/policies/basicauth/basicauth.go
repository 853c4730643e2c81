// Package basicauth is the policy type basic-auth: it checks a user name and a
// password (RFC 7617) and establishes the application they belong to. It also
// makes the hashes that passwords are kept as.
package basicauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a basic-auth policy.
type Config struct {
	// Realm is the realm of the challenge in WWW-Authenticate. The default is
	// gatehouse.
	Realm string `json:"realm,omitempty" schema:"pattern=^[A-Za-z0-9 ._/-]{1,128}$"`
	// Hide takes the password out of the request before the upstream sees it. The
	// default is true.
	Hide bool `json:"hide"`
	// CacheTTL is how long a password that was right is remembered, since checking
	// one takes long on purpose. A changed password, and a revoked user, act at
	// once all the same. 0 = not at all. The default is 5m.
	CacheTTL schema.Duration `json:"cacheTtl" schema:"max=1h"`
	// MaxConcurrent is how many passwords are checked at the same time, since each
	// takes memory. The default is 4. Policies of one API with the same number
	// share it.
	MaxConcurrent int `json:"maxConcurrent,omitempty" schema:"min=1,max=256"`
	// MaxWait is how long a request waits for its check to begin before it is
	// answered 503. The default is 1s.
	MaxWait schema.Duration `json:"maxWait,omitzero" schema:"max=30s"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("basic-auth", "Basic authentication", Config{
		Realm: "gatehouse", Hide: true, CacheTTL: schema.Duration(5 * time.Minute), MaxConcurrent: 4, MaxWait: schema.Duration(time.Second),
	}, compile, schemaDoc)
	d.Doc = "Accepts callers with a user name and a password. Passwords are kept as argon2id or bcrypt hashes; one that was right " +
		"is remembered for a while under a keyed hash. How many are checked at the same time is bounded."
	d.Example = "realm: orders"
	return d
}

type check struct {
	Config
	env    policy.Env
	secret [32]byte // of this compilation: keys the hashes of remembered passwords
	prefix string
	decoy  string
	slots  chan struct{}

	missing, invalid, expired, busy *problem.Problem
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	challenge := `Basic realm="` + c.Realm + `", charset="UTF-8"`
	k := &check{
		Config: c, env: env,
		missing: policy.NoCredential("send a user name and a password", challenge),
		invalid: problem.New(problem.CodeCredentialInvalid, "the user name or the password is not accepted").WithChallenge(challenge),
		expired: problem.New(problem.CodeCredentialExpired, "the password has expired").WithChallenge(challenge),
		busy:    problem.New(problem.CodeDependencyDown, "too many passwords are being checked; try again").WithRetryAfter(time.Second),
	}
	if _, err := rand.Read(k.secret[:]); err != nil {
		return policy.Hooks{}, err
	}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return policy.Hooks{}, err
	}
	k.prefix = env.Scope.API + "/basic/" + hex.EncodeToString(nonce[:]) + "/"
	var err error
	if k.decoy, err = decoy(); err != nil {
		return policy.Hooks{}, err
	}
	if k.slots, err = slots(env, c.MaxConcurrent); err != nil {
		return policy.Hooks{}, err
	}
	return policy.Hooks{Inbound: k.inbound, Close: k.close, Authenticates: true}, nil
}

// slots returns the semaphore that the policies of one API share.
func slots(env policy.Env, n int) (chan struct{}, error) {
	if env.Memo == nil {
		return make(chan struct{}, n), nil
	}
	v, err := env.Memo("basic-auth/slots/"+strconv.Itoa(n), func() (any, error) { return make(chan struct{}, n), nil })
	if err != nil {
		return nil, err
	}
	s, _ := v.(chan struct{})
	return s, nil
}

func (k *check) close() {
	if k.env.Store != nil {
		k.env.Store.DeletePrefix(k.prefix)
	}
}

func (k *check) inbound(ex *policy.Exchange) error {
	value, n := find(&ex.Request.Header)
	switch {
	case n == 0:
		return k.missing
	case n > 1:
		return k.invalid
	}
	user, password, ok := decode(value)
	if !ok || k.env.Credentials == nil {
		return k.invalid
	}
	c, known := k.env.Credentials.Lookup(policy.KindBasic, policy.DigestOf(user))
	hash := string(c.Verifier)
	if !known || hash == "" {
		known, hash = false, k.decoy // an unknown user takes as long as a wrong password
	}
	key := k.key(user, password, hash)
	if !known || !k.remembered(key) {
		right, err := k.verify(ex.Context(), hash, password)
		if err != nil {
			return err
		}
		if !right || !known {
			return k.invalid
		}
		if k.CacheTTL > 0 && k.env.Store != nil {
			k.env.Store.Set(key, true, 64, k.CacheTTL.Std())
		}
	}
	if c.Expired(ex.Start) {
		return k.expired
	}
	ex.Caller = policy.Caller{
		Kind: policy.KindBasic, Credential: c.ID, Application: c.Application, Plan: c.Plan, Subject: user,
	}
	if k.Hide {
		ex.Request.Header.DelFunc(func(name, v string) bool {
			_, basic := behind(v)
			return basic && policy.EqualName(name, "Authorization")
		})
	}
	return nil
}

// key is the place of a password in the store: a keyed hash that tells nothing
// without this process's memory. The stored hash is part of it, so that a new
// password ends the old one at once.
func (k *check) key(user, password, hash string) string {
	m := hmac.New(sha256.New, k.secret[:])
	for _, s := range []string{user, password, hash} {
		var n [4]byte
		n[0], n[1], n[2], n[3] = byte(len(s)), byte(len(s)>>8), byte(len(s)>>16), byte(len(s)>>24)
		m.Write(n[:])
		m.Write([]byte(s))
	}
	return k.prefix + string(m.Sum(nil))
}

func (k *check) remembered(key string) bool {
	if k.CacheTTL == 0 || k.env.Store == nil {
		return false
	}
	_, ok := k.env.Store.Get(key)
	return ok
}

// verify checks the password when a slot is free. R6.3: too much to do is 503,
// never a refusal of the password.
func (k *check) verify(ctx context.Context, hash, password string) (bool, error) {
	select {
	case k.slots <- struct{}{}:
	default:
		t := time.NewTimer(k.MaxWait.Std())
		defer t.Stop()
		select {
		case k.slots <- struct{}{}:
		case <-t.C:
			return false, k.busy
		case <-ctx.Done():
			return false, k.busy
		}
	}
	defer func() { <-k.slots }()
	right, err := verify(hash, password)
	if err != nil {
		return false, problem.New(problem.CodePolicyFailed, "the stored password of the user cannot be checked against").Because(err)
	}
	return right, nil
}

// find returns what stands behind the scheme Basic, and how many such fields
// there are.
func find(h *policy.Header) (value string, n int) {
	for _, f := range h.Fields() {
		if !policy.EqualName(f.Name, "Authorization") {
			continue
		}
		if v, ok := behind(f.Value); ok {
			value = v
			n++
		}
	}
	return value, n
}

func behind(v string) (string, bool) {
	const scheme = "Basic"
	if len(v) <= len(scheme) || v[len(scheme)] != ' ' || !policy.EqualName(v[:len(scheme)], scheme) {
		return "", false
	}
	return strings.Trim(v[len(scheme):], " "), true
}

// decode returns user and password (RFC 7617 section 2). Both are UTF-8 without
// control characters.
func decode(value string) (user, password string, ok bool) {
	if len(value) > 4*maxPassword {
		return "", "", false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || !utf8.Valid(b) {
		return "", "", false
	}
	for _, c := range b {
		if c < 0x20 || c == 0x7f {
			return "", "", false
		}
	}
	user, password, ok = strings.Cut(string(b), ":")
	return user, password, ok && user != "" && password != "" && len(password) <= maxPassword
}
