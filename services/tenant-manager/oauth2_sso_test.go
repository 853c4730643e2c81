package tenantmanager_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func oauth2Body(t *testing.T, p *provider, change map[string]any) string {
	t.Helper()
	c := map[string]any{
		"name": "Acme OAuth", "kind": "oauth2", "clientId": "gatehouse", "clientSecret": "a client secret", "enabled": true, "domains": []string{"acme.example"},
		"scopes": []string{"openid", "email", "profile", "groups"},
		"oauth2": map[string]any{"authorizeUrl": p.issuer + "/auth", "tokenUrl": p.issuer + "/token", "userUrl": p.issuer + "/me", "subject": "sub"},
	}
	for k, v := range change {
		c[k] = v
	}
	b, err := json.Marshal(c)
	require.NoError(t, err)
	return string(b)
}

// The provider of the OpenID Connect tests, asked as a plain OAuth 2.0 one: its
// access token is opaque, and its userinfo is an API like any other.
func TestSigningInWithPlainOAuth2(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{
		"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve Acme", "groups": []string{"apis"}}, "silent": {"email": "silent@acme.example"},
	})
	w, owner := ssoWorld(t)
	a := w.call(t, owner, "POST", "/sso/connections", oauth2Body(t, p, map[string]any{"provision": true, "groupRoles": []map[string]string{{"group": "apis", "role": "publisher"}}}))
	require.Equal(t, 201, a.status, a.body)
	require.NotContains(t, a.body, "a client secret")
	id := a.text(t, "id")
	address := w.begin(t, "eve@acme.example")
	for _, part := range []string{"code_challenge_method=S256", "state=", "scope=openid+email+profile+groups"} {
		require.Contains(t, address, part)
	}
	back := p.visit(t, address, "eve")
	a = w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, back, nil))
	require.Equal(t, 200, a.status, a.body)
	me := w.call(t, a.text(t, "tokens/accessToken"), "GET", "/me", "").body
	require.Contains(t, me, `"name":"Eve Acme"`)
	require.Contains(t, me, `"roleName":"publisher"`)
	user := a.text(t, "tokens/user/id")
	a = w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, user, a.text(t, "tokens/user/id"))
	require.Equal(t, 401, w.federate(t, p, "silent@acme.example", "silent").status)
	w.refusedBecause(t, owner, "does not say that")
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), map[string]string{"code": "wrong"})).status)
	w.refusedBecause(t, owner, "invalid_grant")
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, w.begin(t, "eve@acme.example"), "eve"), map[string]string{"code": "", "error": "access_denied"})).status)
	w.refusedBecause(t, owner, "access_denied")

	a = w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"origin": ssoOrigin, "binding": binding}))
	require.Equal(t, 200, a.status, a.body)
	a = w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, a.text(t, "address"), "eve"), nil))
	require.Equal(t, 200, a.status, a.body)
	a = w.call(t, owner, "GET", "/sso/tests/"+a.text(t, "test"), "")
	for _, part := range []string{`"outcome":"known"`, `"claims":{"user":{`, `"subject":"eve"`} {
		require.Contains(t, a.body, part)
	}
	require.Equal(t, 409, w.call(t, owner, "POST", "/sso/connections/"+id+"/metadata", "").status)

	// Another place for tokens gets neither the secret nor the links of this one.
	moved := map[string]any{"clientSecret": nil, "oauth2": map[string]any{"authorizeUrl": p.issuer + "/auth", "tokenUrl": "https://other.example/token", "userUrl": p.issuer + "/me", "subject": "sub"}}
	body := oauth2Body(t, p, moved)
	require.Equal(t, 422, w.call(t, owner, "PUT", "/sso/connections/"+id, body, "If-Match", "*").status, "null is no secret")
	delete(moved, "clientSecret")
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(oauth2Body(t, p, moved)), &fields))
	delete(fields, "clientSecret")
	b, err := json.Marshal(fields)
	require.NoError(t, err)
	a = w.call(t, owner, "PUT", "/sso/connections/"+id, string(b), "If-Match", "*")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"hasSecret":false`)
	for body, field := range map[string]string{
		`{"name":"x","kind":"oauth2","clientId":"c"}`: "/oauth2",
		`{"name":"x","kind":"oauth2","enabled":true,"oauth2":{"authorizeUrl":"https://a.example","tokenUrl":"https://a.example","userUrl":"https://a.example"}}`:                                      "/clientId",
		`{"name":"x","kind":"oauth2","clientId":"c","oauth2":{"authorizeUrl":"https://a.example","tokenUrl":"http://a.example","userUrl":"https://a.example"}}`:                                       "/oauth2/tokenUrl",
		`{"name":"x","kind":"oauth2","clientId":"c","oauth2":{"authorizeUrl":"https://a.example","tokenUrl":"https://a.example","userUrl":"https://a.example","groups":[{"url":"ftp://a.example"}]}}`: "/oauth2/groups",
	} {
		a := w.call(t, owner, "POST", "/sso/connections", body)
		require.Equal(t, 422, a.status, body+a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`)
	}
}
