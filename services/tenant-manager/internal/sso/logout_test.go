package sso_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

var (
	logoutProvider = sso.Provider{Issuer: "https://login.example.com", ClientID: "gatehouse"}
	logoutNow      = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
)

func logoutToken(t testing.TB, head, claims map[string]any) string {
	t.Helper()
	one, err := json.Marshal(head)
	require.NoError(t, err)
	two, err := json.Marshal(claims)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(one) + "." + base64.RawURLEncoding.EncodeToString(two) + ".c2ln"
}

func TestReadingLogoutTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(head, claims map[string]any)
		why    string
	}{
		"as it should be":   {func(_, _ map[string]any) {}, ""},
		"several audiences": {func(_, c map[string]any) { c["aud"] = []string{"other", "gatehouse"} }, ""},
		"a session alone":   {func(_, c map[string]any) { delete(c, "sub") }, ""},
		"a person alone":    {func(_, c map[string]any) { delete(c, "sid") }, ""},
		"no type":           {func(h, _ map[string]any) { delete(h, "typ") }, ""},
		"no end":            {func(_, c map[string]any) { delete(c, "exp") }, ""},
		"whole media type":  {func(h, _ map[string]any) { h["typ"] = "application/logout+jwt" }, ""},
		"unsigned":          {func(h, _ map[string]any) { h["alg"] = "none" }, "header"},
		"unsigned, shouted": {func(h, _ map[string]any) { h["alg"] = "NONE" }, "header"},
		"no algorithm":      {func(h, _ map[string]any) { delete(h, "alg") }, "header"},
		"critical":          {func(h, _ map[string]any) { h["crit"] = []string{"exp"} }, "header"},
		"an access token":   {func(h, _ map[string]any) { h["typ"] = "at+jwt" }, "another type"},
		"another issuer":    {func(_, c map[string]any) { c["iss"] = "https://login.example.com/" }, "issuer"},
		"another client":    {func(_, c map[string]any) { c["aud"] = "gatehouse2" }, "another client"},
		"no client":         {func(_, c map[string]any) { c["aud"] = 7 }, "another client"},
		"old":               {func(_, c map[string]any) { c["iat"] = logoutNow.Add(-6 * time.Minute).Unix() }, "just now"},
		"of the future":     {func(_, c map[string]any) { c["iat"] = logoutNow.Add(2 * time.Minute).Unix() }, "just now"},
		"no time":           {func(_, c map[string]any) { delete(c, "iat") }, "just now"},
		"over":              {func(_, c map[string]any) { c["exp"] = logoutNow.Add(-2 * time.Minute).Unix() }, "expired"},
		"no events":         {func(_, c map[string]any) { delete(c, "events") }, "about a logout"},
		"another event":     {func(_, c map[string]any) { c["events"] = map[string]any{"http://other.example": map[string]any{}} }, "about a logout"},
		"an odd event": {func(_, c map[string]any) {
			c["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": true}
		}, "about a logout"},
		"an ID token":       {func(_, c map[string]any) { c["nonce"] = "n" }, "nonce"},
		"no nonce, said so": {func(_, c map[string]any) { c["nonce"] = nil }, "nonce"},
		"no id":             {func(_, c map[string]any) { delete(c, "jti") }, "jti"},
		"of nobody":         {func(_, c map[string]any) { delete(c, "sub"); delete(c, "sid") }, "neither"},
	} {
		head := map[string]any{"alg": "RS256", "typ": "logout+jwt", "kid": "k"}
		claims := map[string]any{
			"iss": logoutProvider.Issuer, "aud": "gatehouse", "iat": logoutNow.Unix(), "exp": logoutNow.Add(2 * time.Minute).Unix(), "jti": "j", "sub": "eve", "sid": "s",
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		}
		c.change(head, claims)
		out, err := sso.ParseLogout(logoutToken(t, head, claims), logoutProvider, logoutNow)
		if c.why != "" {
			require.ErrorContains(t, err, c.why, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, "j", out.ID, name)
	}
}

// Whatever is sent, nothing is read from it that was not expected.
func FuzzLogoutToken(f *testing.F) {
	good := map[string]any{
		"iss": logoutProvider.Issuer, "aud": "gatehouse", "iat": logoutNow.Unix(), "jti": "j", "sub": "eve",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	f.Add(logoutToken(f, map[string]any{"alg": "RS256"}, good))
	f.Add("a.b.c")
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		out, err := sso.ParseLogout(raw, logoutProvider, logoutNow)
		if err == nil && (out.ID == "" || out.Subject == "" && out.SID == "") {
			t.Fatalf("%q was taken for %+v", raw, out)
		}
	})
}
