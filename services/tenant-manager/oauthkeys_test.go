package tenantmanager_test

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const day = 24 * time.Hour

// published returns the ids of the keys that others find.
func (a *authority) published(t testing.TB, algorithm string) []string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", a.issuer+"/jwks", http.NoBody)
	require.NoError(t, err)
	res, err := a.client.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var set struct {
		Keys []struct{ Kid, Alg string }
	}
	require.NoError(t, json.Unmarshal(b, &set), string(b))
	var out []string
	for _, k := range set.Keys {
		if k.Alg == algorithm {
			out = append(out, k.Kid)
		}
	}
	return out
}

// kid returns which key signed a token.
func kid(t testing.TB, token string) string {
	t.Helper()
	read, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	require.NoError(t, err)
	id, _ := read.Header["kid"].(string)
	return id
}

// leaked is a key that somebody copied.
type leaked struct {
	id  string
	key crypto.Signer
}

func (a *authority) leak(t testing.TB, organization string) leaked {
	t.Helper()
	rows, err := a.database(t).For(organization).OAuthKeys(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(rows, func(k store.OAuthKey) bool { return k.Algorithm == "EdDSA" })
	require.GreaterOrEqual(t, i, 0)
	raw, err := base64.StdEncoding.DecodeString(rows[i].PrivateKey.Reveal())
	require.NoError(t, err)
	key, err := x509.ParsePKCS8PrivateKey(raw)
	require.NoError(t, err)
	return leaked{rows[i].ID, key.(crypto.Signer)}
}

// forge signs an access token of a client with a key that was copied.
func (a *authority) forge(t testing.TB, l leaked, client string) string {
	t.Helper()
	now := a.clock.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": a.issuer, "sub": client, "aud": a.issuer, "client_id": client, "jti": "forged.1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	token.Header["kid"], token.Header["typ"] = l.id, "at+jwt"
	text, err := token.SignedString(l.key)
	require.NoError(t, err)
	return text
}

func (a *authority) isActive(t testing.TB, m made, token string) bool {
	t.Helper()
	status, body, _ := a.form(t, "introspect", m, url.Values{"token": {token}})
	require.Equal(t, 200, status, body)
	return body["active"] == true
}

func (a *authority) token(t testing.TB, m made) string {
	t.Helper()
	status, body, _ := a.form(t, "token", m, url.Values{"grant_type": {"client_credentials"}})
	require.Equal(t, 200, status, body)
	text, _ := body["access_token"].(string)
	return text
}

func (a *authority) me(t testing.TB) string {
	t.Helper()
	return a.call(t, a.owner, "GET", "/me", "").text(t, "organization/id")
}

// Keys are turned for as long as somebody uses them: each signs for its period, what
// it signed is good while it lives, and nobody takes it afterwards.
func TestOAuthKeysAreTurnedForYears(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing","accessTokenSeconds":86400}`)
	organization := a.me(t)
	first := a.token(t, m)
	old := a.leak(t, organization)
	require.Equal(t, old.id, kid(t, first))
	require.True(t, a.isActive(t, m, a.forge(t, old, m.id)), "while it is a key")

	signed := map[string]time.Time{}
	start := a.clock.Now()
	for a.clock.Now().Before(start.Add(400 * day)) {
		a.clock.Advance(24 * day)
		before := a.token(t, m)
		a.clock.Advance(23 * time.Hour)
		require.True(t, a.isActive(t, m, before), "it lives for a day")
		keys := a.published(t, "EdDSA")
		require.Contains(t, keys, kid(t, before))
		require.LessOrEqual(t, len(keys), 3)
		a.clock.Advance(2 * time.Hour)
		require.False(t, a.isActive(t, m, before))
		now := kid(t, a.token(t, m))
		if _, seen := signed[now]; !seen {
			signed[now] = a.clock.Now()
		}
		require.Less(t, a.clock.Now().Sub(signed[now]), 31*day, "a key signs for its period")
		if a.clock.Now().After(start.Add(32 * day)) {
			require.NotContains(t, a.published(t, "EdDSA"), old.id)
			require.False(t, a.isActive(t, m, a.forge(t, old, m.id)), "day %s", a.clock.Now().Sub(start))
		}
	}
	require.GreaterOrEqual(t, len(signed), 12)
	rows, err := a.database(t).For(organization).OAuthKeys(t.Context())
	require.NoError(t, err)
	require.False(t, slices.ContainsFunc(rows, func(k store.OAuthKey) bool { return k.ID == old.id }), "it is not kept either")
}

// A key whose time is over is refused whether or not it has been deleted yet.
func TestAnOldKeyIsRefusedBeforeItIsDeleted(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	a.token(t, m)
	old := a.leak(t, a.me(t))
	a.clock.Advance(32 * day)
	require.False(t, a.isActive(t, m, a.forge(t, old, m.id)), "nobody asked for a token or the keys since")
}

// Keys are turned although nobody asks, in those organizations that have some.
func TestOAuthKeysAreTurnedUnasked(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	a.token(t, m)
	organization := a.me(t)
	idle := a.organization(t, "idle", "idle@example.com")
	a.stop()
	a.clock.Advance(45 * day)
	a.start(t)
	s := a.database(t)
	numbers := func(organization string) (out []int64) {
		rows, err := s.For(organization).OAuthKeys(t.Context())
		require.NoError(t, err)
		for _, k := range rows {
			out = append(out, k.Number)
		}
		return out
	}
	require.Eventually(t, func() bool { return slices.Equal(numbers(organization), []int64{2, 3}) }, 30*time.Second, 20*time.Millisecond)
	require.Empty(t, numbers(idle), "who never had one costs nothing")
	a.stop()
}

// Somebody who rotates has another key sign at once, whenever that is, and however
// many do.
func TestOAuthKeysAreRotatedByHand(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	kids := []string{kid(t, a.token(t, m))}
	for range 3 {
		a.clock.Advance(45 * day)
		a.owner = a.signIn(t, "ada@example.com", "")
		before := a.token(t, m)
		res := a.call(t, a.owner, "POST", "/oauth/keys/rotation", `{"algorithm":"EdDSA"}`)
		require.Equal(t, 200, res.status, res.body)
		after := kid(t, a.token(t, m))
		require.NotEqual(t, kid(t, before), after)
		require.NotContains(t, kids, after)
		kids = append(kids, after)
		require.True(t, a.isActive(t, m, before))
		require.Contains(t, a.published(t, "EdDSA"), kid(t, before))
	}
	var all sync.WaitGroup
	answers := make([]answer, 4)
	for i := range answers {
		all.Go(func() { answers[i] = a.call(t, a.owner, "POST", "/oauth/keys/rotation", `{"algorithm":"EdDSA"}`) })
	}
	all.Wait()
	for _, res := range answers {
		require.Equal(t, 200, res.status, res.body)
		require.Equal(t, 2, strings.Count(res.body, `"state":"active"`), res.body)
	}
	require.NotContains(t, kids, kid(t, a.token(t, m)))
	require.Eventually(t, func() bool {
		res := a.call(t, a.owner, "GET", "/audit?action=oauth-key.rotated", "")
		made := a.call(t, a.owner, "GET", "/audit?action=oauth-key.created", "")
		return strings.Count(res.body, `"oauth-key.rotated"`) == 7 && strings.Count(made.body, `"oauth-key.created"`) > 7
	}, 30*time.Second, 50*time.Millisecond)
}

// A key that somebody else may have is withdrawn at once.
func TestOAuthKeysAreWithdrawn(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	first := a.token(t, m)
	old := a.leak(t, a.me(t))
	res := a.call(t, a.owner, "DELETE", "/oauth/keys/"+old.id, "")
	require.Equal(t, 409, res.status, res.body)
	require.Contains(t, res.body, "rotate EdDSA with withdraw")
	require.True(t, a.isActive(t, m, first))

	res = a.call(t, a.owner, "POST", "/oauth/keys/rotation", `{"algorithm":"EdDSA","withdraw":true}`)
	require.Equal(t, 200, res.status, res.body)
	require.NotContains(t, res.body, old.id)
	for _, token := range []string{first, a.forge(t, old, m.id)} {
		require.False(t, a.isActive(t, m, token))
	}
	require.NotContains(t, a.published(t, "EdDSA"), old.id)
	second := a.token(t, m)
	require.True(t, a.isActive(t, m, second))

	// One that signed before, and one that has not signed yet.
	require.Equal(t, 200, a.call(t, a.owner, "POST", "/oauth/keys/rotation", `{"algorithm":"EdDSA"}`).status)
	require.True(t, a.isActive(t, m, second))
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/oauth/keys/"+kid(t, second), "").status)
	require.False(t, a.isActive(t, m, second))
	require.Equal(t, 404, a.call(t, a.owner, "DELETE", "/oauth/keys/"+kid(t, second), "").status)
	keys := a.published(t, "EdDSA")
	require.Len(t, keys, 2)
	third := a.token(t, m)
	require.Equal(t, keys[0], kid(t, third))
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/oauth/keys/"+keys[1], "").status)
	again := a.published(t, "EdDSA")
	require.Len(t, again, 2, "there is always a next one")
	require.Equal(t, keys[0], again[0])
	require.NotEqual(t, keys[1], again[1])
	require.True(t, a.isActive(t, m, third))
	require.Eventually(t, func() bool {
		return strings.Count(a.call(t, a.owner, "GET", "/audit?action=oauth-key.withdrawn", "").body, `"oauth-key.withdrawn"`) == 3
	}, 30*time.Second, 50*time.Millisecond)
}
