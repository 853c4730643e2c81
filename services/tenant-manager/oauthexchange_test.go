package tenantmanager_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessToken   = "urn:ietf:params:oauth:token-type:access_token"
)

// A service that was called calls another in the name of who called it (RFC 8693).
func TestTokenExchange(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jwt", "opaque"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t)
			a.scopes(t, "orders:read", "orders:write", "stock:read")
			with := `"tokenFormat":"` + format + `","audiences":["https://orders.example","https://stock.example"]`
			shop := a.made(t, `{"name":"Shop","skipConsent":true,"grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],"scopes":["openid","offline_access","orders:read","stock:read"],`+with+`}`)
			orders := a.made(t, `{"name":"Orders","grantTypes":["`+exchangeGrant+`"],"scopes":["openid","stock:read","orders:write"],"tokenFormat":"`+format+`","audiences":["https://stock.example"]}`)
			stock := a.made(t, `{"name":"Stock","grantTypes":["`+exchangeGrant+`"],"scopes":["stock:read"],`+with+`}`)
			batch := a.made(t, `{"name":"Batch","scopes":["stock:read"],`+with+`}`)
			elsewhere := a.made(t, `{"name":"Elsewhere","scopes":["stock:read"],"audiences":["https://other.example"]}`)
			gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
			app := a.app(t, shop, "openid", "offline_access", "orders:read", "stock:read")
			verifier := oauth2.GenerateVerifier()
			to := app.visit(t, a.owner, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
			users, err := app.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
			require.NoError(t, err)
			me := a.call(t, a.owner, "GET", "/me", "").text(t, "user/id")

			exchange := func(by made, token string, more url.Values) (int, map[string]any) {
				form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {token}, "subject_token_type": {accessToken}}
				for k, v := range more {
					form[k] = v
				}
				status, body, _ := a.form(t, "token", by, form)
				return status, body
			}
			read := func(token any) map[string]any {
				text, _ := token.(string)
				_, out, _ := a.form(t, "introspect", gateway, url.Values{"token": {text}})
				return out
			}
			status, body := exchange(orders, users.AccessToken, nil)
			require.Equal(t, 200, status, body)
			require.Equal(t, accessToken, body["issued_token_type"])
			require.Equal(t, "Bearer", body["token_type"])
			require.NotContains(t, body, "refresh_token")
			require.NotContains(t, body, "id_token")
			first := body["access_token"].(string)
			is := read(first)
			require.Equal(t, true, is["active"], is)
			require.Equal(t, me, is["sub"])
			require.Equal(t, orders.id, is["client_id"])
			require.Equal(t, "stock:read", is["scope"], "what both have")
			require.Equal(t, []any{"https://stock.example"}, is["aud"])
			require.Equal(t, map[string]any{"sub": orders.id}, is["act"])
			require.LessOrEqual(t, is["exp"].(float64), read(users.AccessToken)["exp"].(float64))

			// Once more: who acted before is told.
			status, body = exchange(stock, first, url.Values{"scope": {"stock:read"}, "resource": {"https://stock.example"}})
			require.Equal(t, 200, status, body)
			require.Equal(t, map[string]any{"sub": stock.id, "act": map[string]any{"sub": orders.id}}, read(body["access_token"])["act"])
			second := body["access_token"]

			// For a client, and with another one that acts.
			own, err := a.credentials(batch).Token(t.Context())
			require.NoError(t, err)
			status, body = exchange(orders, own.AccessToken, url.Values{"actor_token": {users.AccessToken}, "actor_token_type": {accessToken}})
			require.Equal(t, 200, status, body)
			is = read(body["access_token"])
			require.Equal(t, true, is["active"], is)
			require.Equal(t, batch.id, is["sub"])
			require.Equal(t, map[string]any{"sub": me}, is["act"])
			status, body = exchange(stock, body["access_token"].(string), nil)
			require.Equal(t, 200, status, body)
			require.Equal(t, batch.id, read(body["access_token"])["sub"])

			other, err := a.credentials(elsewhere).Token(t.Context())
			require.NoError(t, err)
			for name, c := range map[string]struct {
				by     made
				token  string
				more   url.Values
				status int
				code   string
			}{
				"not allowed":              {batch, users.AccessToken, nil, 400, "unauthorized_client"},
				"more scope than it had":   {orders, users.AccessToken, url.Values{"scope": {"orders:write"}}, 400, "invalid_scope"},
				"more scope than may be":   {orders, users.AccessToken, url.Values{"scope": {"orders:read"}}, 400, "invalid_scope"},
				"who somebody is":          {orders, users.AccessToken, url.Values{"scope": {"openid"}}, 400, "invalid_scope"},
				"another audience":         {orders, users.AccessToken, url.Values{"audience": {"https://orders.example"}}, 400, "invalid_target"},
				"for none of the same":     {orders, other.AccessToken, nil, 400, "invalid_target"},
				"an ID token":              {orders, users.Extra("id_token").(string), nil, 400, "invalid_request"},
				"a refresh token":          {orders, users.RefreshToken, nil, 400, "invalid_request"},
				"of another kind":          {orders, users.AccessToken, url.Values{"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"}}, 400, "invalid_request"},
				"into another kind":        {orders, users.AccessToken, url.Values{"requested_token_type": {"urn:ietf:params:oauth:token-type:refresh_token"}}, 400, "invalid_request"},
				"nothing":                  {orders, "", nil, 400, "invalid_request"},
				"a token of the consoles":  {orders, a.owner, nil, 400, "invalid_request"},
				"an actor that is nobody":  {orders, users.AccessToken, url.Values{"actor_token": {"x"}, "actor_token_type": {accessToken}}, 400, "invalid_request"},
				"an actor without a token": {orders, users.AccessToken, url.Values{"actor_token_type": {accessToken}}, 400, "invalid_request"},
				"a wrong secret":           {made{orders.id, "wrong"}, users.AccessToken, nil, 401, "invalid_client"},
			} {
				status, body := exchange(c.by, c.token, c.more)
				require.Equal(t, c.status, status, "%s: %v", name, body)
				require.Equal(t, c.code, body["error"], "%s: %v", name, body)
			}
			res := a.call(t, a.owner, "POST", "/oauth/clients", `{"name":"x","authMethod":"none","grantTypes":["`+exchangeGrant+`"]}`)
			require.Equal(t, 422, res.status, res.body)

			// What ends the user's sign-in at the shop ends what came of it.
			status, _, _ = a.form(t, "revoke", shop, url.Values{"token": {users.RefreshToken}})
			require.Equal(t, 200, status)
			require.Equal(t, map[string]any{"active": false}, read(first))
			require.Equal(t, map[string]any{"active": false}, read(second))
			status, body = exchange(orders, users.AccessToken, nil)
			require.Equal(t, 400, status, body)
			a.clock.Advance(11 * time.Minute)
			status, body = exchange(orders, own.AccessToken, nil)
			require.Equal(t, 400, status, "it has run out: %v", body)
		})
	}
}

// A token that is revoked takes along what it was exchanged for, through several
// hands.
func TestWhatCameOfARevokedTokenEnds(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jwt", "opaque"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t)
			batch := a.made(t, `{"name":"Batch","tokenFormat":"`+format+`"}`)
			orders := a.made(t, `{"name":"Orders","tokenFormat":"`+format+`","grantTypes":["`+exchangeGrant+`"]}`)
			gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
			token := func(as made, form url.Values) string {
				status, body, _ := a.form(t, "token", as, form)
				require.Equal(t, 200, status, body)
				return body["access_token"].(string)
			}
			exchange := func(of string) string {
				return token(orders, url.Values{"grant_type": {exchangeGrant}, "subject_token": {of}, "subject_token_type": {accessToken}})
			}
			active := func(token string) any {
				_, body, _ := a.form(t, "introspect", gateway, url.Values{"token": {token}})
				return body["active"]
			}
			first := token(batch, url.Values{"grant_type": {"client_credentials"}})
			second := exchange(first)
			third := exchange(second)
			require.Equal(t, true, active(third))
			status, _, _ := a.form(t, "revoke", batch, url.Values{"token": {first}})
			require.Equal(t, 200, status)
			for _, ended := range []string{first, second, third} {
				require.Equal(t, false, active(ended))
			}
		})
	}
}

// What is bound stays bound.
func TestBoundTokensAreExchangedForBoundOnes(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	key, own := newECKey(t), newECKey(t)
	batch := a.made(t, `{"name":"Batch","dpopBound":true}`)
	orders := a.made(t, `{"name":"Orders","grantTypes":["`+exchangeGrant+`"]}`)
	uri := a.issuer + "/token"
	_, body, _ := a.form(t, "token", batch, url.Values{"grant_type": {"client_credentials"}}, "DPoP", dpopProof(t, key, "POST", uri, "", nil))
	form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {body["access_token"].(string)}, "subject_token_type": {accessToken}}
	status, body, _ := a.form(t, "token", orders, form)
	require.Equal(t, 400, status, body)
	require.Equal(t, "invalid_request", body["error"])
	status, body, _ = a.form(t, "token", orders, form, "DPoP", dpopProof(t, own, "POST", uri, "", nil))
	require.Equal(t, 200, status, body)
	require.Equal(t, "DPoP", body["token_type"])
}
