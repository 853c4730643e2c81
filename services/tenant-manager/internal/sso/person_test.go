package sso_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

func claims(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	return out
}

func TestReadingClaims(t *testing.T) {
	t.Parallel()
	names := sso.Names{Email: "email", Name: "name", Groups: "realm_access.roles"}
	p := sso.Read(claims(t, `{"sub":"s","email":" Eve@Acme.example ","email_verified":true,"name":"Eve","realm_access":{"roles":["a","b","a",7]},"amr":["pwd","mfa","NOT ONE"]}`), names)
	yes := true
	require.Equal(t, sso.Person{Subject: "s", Email: "Eve@Acme.example", Verified: &yes, Name: "Eve", Groups: []string{"a", "b"}, Methods: []string{"pwd", "mfa"}}, p)

	names = sso.Names{Email: "upn", Name: "given.name", Groups: "https://acme.example/groups"}
	p = sso.Read(claims(t, `{"sub":"s","upn":"boss@acme.example","email":"eve@acme.example","email_verified":true,"given":{"name":"E"},"https://acme.example/groups":"one"}`), names)
	require.Nil(t, p.Verified, "another address than the one that was verified")
	require.Equal(t, "boss@acme.example", p.Email)
	require.Equal(t, "E", p.Name)
	require.Equal(t, []string{"one"}, p.Groups)

	for text, want := range map[string]bool{`"true"`: true, `"false"`: false, `false`: false, `"yes"`: false} {
		p := sso.Read(claims(t, `{"email":"e@acme.example","email_verified":`+text+`}`), sso.Names{Email: "email"})
		require.Equal(t, want, *p.Verified, text)
	}
	require.Zero(t, sso.Read(claims(t, `{"sub":7,"email":["e@acme.example"],"name":{},"groups":{"a":1},"amr":7}`), sso.Names{Email: "email", Name: "name", Groups: "groups"}))
}

func TestDomains(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"acme.example", "a-b.acme.example", "x1.de"} {
		require.True(t, sso.IsDomain(s), s)
	}
	for _, s := range []string{"", "acme", "Acme.example", "-a.example", "a..example", "acme.example.", "a b.example", "@acme.example"} {
		require.False(t, sso.IsDomain(s), s)
	}
	require.Equal(t, "acme.example", sso.Domain("eve@ACME.example. "))
	require.Empty(t, sso.Domain("eve"))
}

func TestIssuers(t *testing.T) {
	t.Parallel()
	c := sso.NewClient(egress.Guard{}, nil)
	require.NoError(t, c.CheckIssuer("https://login.example.com/tenant/v2.0"))
	for _, s := range []string{"", "login.example.com", "http://login.example.com", "http://127.0.0.1:1", "https://a:b@x.example", "https://x.example?a=b", "https://x.example#f", "file:///etc/passwd"} {
		require.Error(t, c.CheckIssuer(s), s)
	}
	open := sso.NewClient(egress.Guard{AllowLoopback: true}, nil)
	require.NoError(t, open.CheckIssuer("http://127.0.0.1:1"))
	require.Error(t, open.CheckIssuer("http://10.0.0.1:1"))
	_, err := c.Address(t.Context(), sso.Provider{Issuer: "https://127.0.0.1:1"}, sso.Attempt{}, "")
	require.ErrorContains(t, err, "private or local network")
}

func FuzzReadingClaims(f *testing.F) {
	f.Add(`{"sub":"s","email":"e@acme.example","email_verified":true,"a":{"b":["c"]}}`, "a.b")
	f.Add(`{"a.b":"c","a":{"b":{"c":["d"]}}}`, "a.b.c")
	f.Fuzz(func(t *testing.T, text, name string) {
		claims := map[string]any{}
		if json.Unmarshal([]byte(text), &claims) != nil {
			return
		}
		p := sso.Read(claims, sso.Names{Email: name, Name: name, Groups: name})
		require.True(t, utf8.ValidString(p.Name))
		require.LessOrEqual(t, len(p.Email), 254)
		require.LessOrEqual(t, len(p.Groups), 2000)
	})
}

// Guests of an Entra ID tenant bring addresses that nobody has verified: where it says so,
// that counts, whatever the connection takes for granted.
func TestWhetherEntraKnowsTheDomain(t *testing.T) {
	t.Parallel()
	names := sso.Names{Email: "email", Name: "name", Groups: "groups"}
	for _, c := range []struct {
		claims map[string]any
		want   *bool
	}{
		{map[string]any{}, nil},
		{map[string]any{"xms_edov": false}, new(false)},
		{map[string]any{"xms_edov": "0"}, new(false)},
		{map[string]any{"xms_edov": float64(0)}, new(false)},
		{map[string]any{"xms_edov": []any{true}}, new(false)},
		{map[string]any{"xms_edov": true}, new(true)},
		{map[string]any{"xms_edov": "1"}, new(true)},
		{map[string]any{"xms_edov": "True"}, new(true)},
		{map[string]any{"xms_edov": float64(1)}, new(true)},
		{map[string]any{"xms_edov": true, "email_verified": false}, new(false)},
	} {
		c.claims["sub"], c.claims["email"] = "s", "eve@acme.example"
		require.Equal(t, c.want, sso.Read(c.claims, names).Verified, c.claims)
	}
	require.Nil(t, sso.Read(map[string]any{"sub": "s", "upn": "a@acme.example", "email": "b@acme.example", "xms_edov": true}, sso.Names{Email: "upn"}).Verified, "it speaks of the claim email")
}
