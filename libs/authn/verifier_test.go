package authn_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

var ada = authn.Principal{
	Organization: "o1", OrganizationSlug: "acme", Subject: "u1", Kind: authn.User, Session: "s1", Name: "Ada", Email: "ada@example.com",
}

func code(t *testing.T, err error) problem.Code {
	t.Helper()
	var p *problem.Problem
	require.ErrorAs(t, err, &p)
	return p.Code
}

func TestATokenSaysWhoItIsAbout(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	p, err := authn.NewVerifier(tenants, quiet, time.Now).Verify(t.Context(), tenants.Token(t, ada))
	require.NoError(t, err)
	require.Equal(t, ada, p)
	require.Equal(t, "user:u1", p.Actor())
}

func TestWhatIsNotExactlyRightIsRefused(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	v := authn.NewVerifier(tenants, quiet, clock.Now)
	now := clock.Now()
	sign := func(change func(*authn.Claims)) string {
		c := authn.NewClaims(ada, "t1", now)
		change(&c)
		return tenants.Sign(t, c)
	}
	numeric := jwt.NewNumericDate
	good := sign(func(*authn.Claims) {})
	parts := strings.Split(good, ".")
	body := parts[1]
	header := func(h string) string { return base64.RawURLEncoding.EncodeToString([]byte(h)) }
	hs := func() string { // signed with the public key as if it were a shared secret
		set, err := tenants.Keys(t.Context())
		require.NoError(t, err)
		kid, public, err := authn.ParseJWK(set.Keys[0])
		require.NoError(t, err)
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, authn.NewClaims(ada, "t1", now))
		token.Header["kid"] = kid
		s, err := token.SignedString([]byte(public))
		require.NoError(t, err)
		return s
	}()
	for name, c := range map[string]struct {
		token string
		want  problem.Code
	}{
		"good":                         {good, ""},
		"issued a little ahead":        {sign(func(c *authn.Claims) { c.IssuedAt = numeric(now.Add(30 * time.Second)) }), ""},
		"in its last second":           {sign(func(c *authn.Claims) { c.ExpiresAt = numeric(now.Add(time.Second)) }), ""},
		"empty":                        {"", problem.CodeCredentialInvalid},
		"no token":                     {"abc", problem.CodeCredentialInvalid},
		"too long":                     {strings.Repeat("a", 9000), problem.CodeCredentialInvalid},
		"expired":                      {sign(func(c *authn.Claims) { c.ExpiresAt = numeric(now) }), problem.CodeCredentialExpired},
		"no expiry":                    {sign(func(c *authn.Claims) { c.ExpiresAt = nil }), problem.CodeCredentialInvalid},
		"no time of issue":             {sign(func(c *authn.Claims) { c.IssuedAt = nil }), problem.CodeCredentialInvalid},
		"from the future":              {sign(func(c *authn.Claims) { c.IssuedAt = numeric(now.Add(31 * time.Second)) }), problem.CodeCredentialInvalid},
		"not yet valid":                {sign(func(c *authn.Claims) { c.NotBefore = numeric(now.Add(31 * time.Second)) }), problem.CodeCredentialInvalid},
		"another issuer":               {sign(func(c *authn.Claims) { c.Issuer = "evil" }), problem.CodeCredentialInvalid},
		"another audience":             {sign(func(c *authn.Claims) { c.Audience = jwt.ClaimStrings{"shop"} }), problem.CodeCredentialInvalid},
		"no subject":                   {sign(func(c *authn.Claims) { c.Subject = "" }), problem.CodeCredentialInvalid},
		"no organization":              {sign(func(c *authn.Claims) { c.Organization = "" }), problem.CodeCredentialInvalid},
		"no id":                        {sign(func(c *authn.Claims) { c.ID = "" }), problem.CodeCredentialInvalid},
		"unknown kind":                 {sign(func(c *authn.Claims) { c.Kind = "robot" }), problem.CodeCredentialInvalid},
		"another key":                  {authntest.New(t).Sign(t, authn.NewClaims(ada, "t1", now)), problem.CodeCredentialInvalid},
		"a cut signature":              {good[:len(good)-4], problem.CodeCredentialInvalid},
		"no signature":                 {header(`{"alg":"none"}`) + "." + body + ".", problem.CodeCredentialInvalid},
		"the public key as the secret": {hs, problem.CodeCredentialInvalid},
		"no key id":                    {header(`{"alg":"EdDSA"}`) + "." + body + "." + parts[2], problem.CodeCredentialInvalid},
		"another's claims":             {parts[0] + "." + header(`{"sub":"u2"}`) + "." + parts[2], problem.CodeCredentialInvalid},
	} {
		_, err := v.Verify(t.Context(), c.token)
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		var p *problem.Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, c.want, p.Code, name)
		require.Equal(t, 401, p.Status, name)
		require.Len(t, p.Challenges, 1, name)
	}
}

// The clocks of two machines may be 30 s apart, either way; that of who looks at a token
// says when it ends, to the second, also of one that was good a moment ago.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-30 * time.Second, 0, 30 * time.Second} {
		issues := testkit.NewClock()
		verifies := testkit.NewClock()
		verifies.Set(issues.Now().Add(off))
		tenants := authntest.New(t)
		tenants.SetNow(issues.Now)
		v := authn.NewVerifier(tenants, quiet, verifies.Now)
		token := tenants.Token(t, ada)
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err, off)
		verifies.Advance(authn.Lifetime - off - time.Second)
		_, err = v.Verify(t.Context(), token)
		require.NoError(t, err, off)
		verifies.Advance(time.Second)
		_, err = v.Verify(t.Context(), token)
		require.Equal(t, problem.CodeCredentialExpired, code(t, err), "%s: it was seen before", off)
		_, err = authn.NewVerifier(tenants, quiet, verifies.Now).Verify(t.Context(), token)
		require.Equal(t, problem.CodeCredentialExpired, code(t, err), "%s: nor is it new", off)

		// Nothing happened for hours, as while a machine sleeps: the next token is good.
		issues.Advance(9 * time.Hour)
		verifies.Set(issues.Now().Add(off))
		_, err = v.Verify(t.Context(), tenants.Token(t, ada))
		require.NoError(t, err, off)
	}
}

// A new key is known as soon as a token needs it; the service that is away does
// not harm those that are known.
func TestKeysFollowTenantManager(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.SetNow(clock.Now)
	v := authn.NewVerifier(tenants, quiet, clock.Now)
	tenants.SetAway(errors.New("gone"))
	before := tenants.Token(t, ada)
	_, err := v.Verify(t.Context(), before)
	require.Equal(t, problem.CodeDependencyDown, code(t, err))

	tenants.SetAway(nil)
	_, err = v.Verify(t.Context(), before)
	require.Equal(t, problem.CodeDependencyDown, code(t, err), "it is not asked for every request")
	clock.Advance(time.Second)
	_, err = v.Verify(t.Context(), before)
	require.NoError(t, err)

	tenants.SetAway(errors.New("gone"))
	_, err = v.Verify(t.Context(), before)
	require.NoError(t, err)
	tenants.Rotate(t)
	tenants.SetAway(nil)
	clock.Advance(time.Second)
	_, err = v.Verify(t.Context(), tenants.Token(t, ada))
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), before)
	require.Equal(t, problem.CodeCredentialInvalid, code(t, err), "the old key is withdrawn")
}

func TestACallerWhoLeavesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	v := authn.NewVerifier(hanging{Tenants: authntest.New(t), until: release}, quiet, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.Verify(ctx, authntest.New(t).Token(t, ada))
	require.ErrorIs(t, err, context.Canceled)
}

func TestJWK(t *testing.T) {
	t.Parallel()
	public, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	kid, back, err := authn.ParseJWK(authn.JWK("k1", public))
	require.NoError(t, err)
	require.Equal(t, "k1", kid)
	require.Equal(t, public, back)
	x := base64.RawURLEncoding.EncodeToString(public)
	for _, bad := range []string{
		``, `{}`, `{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}`, `{"kty":"EC","crv":"Ed25519","kid":"a","x":"` + x + `"}`,
		`{"kty":"OKP","crv":"X25519","kid":"a","x":"` + x + `"}`, `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAA"}`,
		`{"kty":"OKP","crv":"Ed25519","kid":"a","use":"enc","x":"` + x + `"}`,
	} {
		_, _, err := authn.ParseJWK(json.RawMessage(bad))
		require.Error(t, err, bad)
	}
}

func FuzzVerify(f *testing.F) {
	tenants := authntest.New(f)
	v := authn.NewVerifier(tenants, quiet, time.Now)
	f.Add(tenants.Token(f, ada))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := v.Verify(t.Context(), token)
		if err == nil && p.Subject != "u1" {
			t.Fatalf("%q was taken for %+v", token, p)
		}
	})
}
