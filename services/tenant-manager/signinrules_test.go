package tenantmanager_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ruleWorld is a world with a provider at which eve and ada of acme.example sign in,
// who have passwords too, and the id of the domain.
func ruleWorld(t *testing.T) (w *world, p *provider, owner, domain, connection string, tokens map[string]answer) {
	t.Helper()
	p = startProvider(t, map[string]account{
		"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve"}, "max": {"email": "max@acme.example", "email_verified": true, "name": "Max"},
	})
	w, owner = ssoWorld(t)
	tokens = map[string]answer{}
	for name, role := range map[string]string{"eve": "administrator", "max": "viewer", "boss": "owner"} {
		tokens[name] = w.invite(t, owner, name+"@acme.example", `{"role":"`+role+`"}`)
	}
	connection = w.connect(t, owner, p, nil).text(t, "id")
	domain = w.call(t, owner, "GET", "/domains", "").text(t, "items/0/id")
	return w, p, owner, domain, connection, tokens
}

// password signs in with a password.
func (w *world) password(t *testing.T, email, word string) answer {
	t.Helper()
	return w.call(t, "", "POST", "/sign-in", object(t, map[string]string{"email": email, "password": word}))
}

func TestPeopleOfADomainSignInBySingleSignOnAlone(t *testing.T) {
	t.Parallel()
	w, p, owner, domain, connection, tokens := ruleWorld(t)
	rule := func(token, body string) answer {
		return w.call(t, token, "PATCH", "/domains/"+domain, body, anyVersion...)
	}
	preview := func(body string) answer {
		a := w.call(t, owner, "POST", "/domains/"+domain+"/preview", body)
		require.Equal(t, 200, a.status, a.body)
		return a
	}
	methods := func(email string) string {
		return w.call(t, "", "POST", "/sign-in/methods", `{"email":"`+email+`"}`).body
	}
	// It is not switched on before it is known to work, and without another way in.
	a := rule(owner, `{"singleSignOn":"required"}`)
	require.Equal(t, 422, a.status, a.body)
	require.Contains(t, a.body, "nobody has signed in by Acme ID yet")
	require.Contains(t, a.body, "break-glass")
	require.Contains(t, preview(`{"singleSignOn":"required"}`).body, `"obstacles":[{`)
	for body, field := range map[string]string{`{"singleSignOn":"never"}`: "/singleSignOn", `{"connection":"none"}`: "/connection", `{"groups":["none"]}`: "/groups/0", `{"x":1}`: "/x"} {
		a := rule(owner, body)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`)
	}
	require.Equal(t, 403, w.call(t, tokens["max"].text(t, "accessToken"), "PATCH", "/domains/"+domain, `{}`, anyVersion...).status)
	require.Equal(t, 200, w.federate(t, p, "eve@acme.example", "eve").status)
	boss := tokens["boss"].text(t, "user/id")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+boss, `{"breakGlass":true}`, anyVersion...).status)
	personal := w.call(t, tokens["max"].text(t, "accessToken"), "POST", "/me/tokens", `{"name":"t","expiresAt":"`+w.clock.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	require.Equal(t, 201, personal.status, personal.body)

	// Whom it would bind: eve and max, not who breaks the glass, nor of other domains.
	a = preview(`{"singleSignOn":"required"}`)
	require.Contains(t, a.body, `"users":2`)
	require.Contains(t, a.body, `"neverSignedIn":1`)
	require.Contains(t, a.body, `"personalTokens":1`)
	require.Contains(t, a.body, `"sessions":2`)
	require.Contains(t, a.body, `"breakGlassUsers":1`)
	require.Contains(t, a.body, `"obstacles":[]`)
	require.Contains(t, a.body, `"email":"eve@acme.example"`)
	require.NotContains(t, a.body, "max@acme.example", "no administrator")

	// Tried on a group first, which the sign-in page does not tell.
	staff := w.call(t, owner, "POST", "/groups", `{"name":"Staff"}`).text(t, "id")
	inner := w.call(t, owner, "POST", "/groups", `{"name":"Inner"}`).text(t, "id")
	require.Equal(t, 201, w.call(t, owner, "POST", "/groups/"+staff+"/members", `{"member":"`+inner+`"}`).status)
	require.Equal(t, 201, w.call(t, owner, "POST", "/groups/"+inner+"/members", `{"member":"`+tokens["max"].text(t, "user/id")+`"}`).status)
	require.Contains(t, preview(`{"singleSignOn":"required","groups":["`+staff+`"]}`).body, `"users":1`)
	a = rule(owner, `{"singleSignOn":"required","groups":["`+staff+`"]}`)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"name":"Staff"`)
	require.Contains(t, methods("max@acme.example"), `"singleSignOn":"preferred"`)
	require.Equal(t, methods("nobody@acme.example"), methods("max@acme.example"))
	require.Equal(t, 200, w.password(t, "eve@acme.example", goodWord).status)
	same := func() {
		t.Helper()
		want := w.password(t, "nobody@acme.example", goodWord)
		require.Equal(t, 401, want.status)
		require.Contains(t, want.body, "sign in by Acme ID alone")
		for _, email := range []string{"max@acme.example", "boss@acme.example"} {
			got := w.password(t, email, "not the right one")
			require.Equal(t, 401, got.status)
			require.Equal(t, detail(t, want), detail(t, got), "it tells nothing of who is there")
		}
		got := w.password(t, "max@acme.example", goodWord)
		require.Equal(t, 401, got.status)
		require.Equal(t, detail(t, want), detail(t, got), "nor whether the password is right")
		require.Equal(t, 200, w.password(t, "boss@acme.example", goodWord).status, "the glass is broken")
		require.Equal(t, 200, w.password(t, "ada@example.com", goodWord).status, "another domain")
	}
	same()

	// Everybody.
	require.Equal(t, 200, rule(owner, `{"groups":[]}`).status)
	require.JSONEq(t, `{"connection":{"id":"`+connection+`","name":"Acme ID","kind":"oidc"},"singleSignOn":"required"}`, methods("max@acme.example"))
	require.Equal(t, methods("nobody@acme.example"), methods("max@acme.example"))
	same()
	require.Equal(t, 401, w.password(t, "eve@acme.example", goodWord).status)

	// No other way in: sessions of before, links, invitations, tokens.
	a = w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+tokens["max"].text(t, "refreshToken")+`"}`)
	require.Equal(t, 401, a.status, a.body)
	require.Equal(t, 200, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+tokens["boss"].text(t, "refreshToken")+`"}`).status)
	a = w.call(t, tokens["eve"].text(t, "accessToken"), "POST", "/me/tokens", `{"name":"t","expiresAt":"`+w.clock.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	require.Equal(t, 403, a.status, a.body)
	require.Equal(t, 200, w.call(t, "", "POST", "/token/personal", `{"token":"`+personal.text(t, "token")+`"}`).status, "tokens of before go on")
	require.Equal(t, 409, w.call(t, owner, "POST", "/users/"+tokens["max"].text(t, "user/id")+"/password-links", "").status)
	for _, email := range []string{"max@acme.example", "nobody@acme.example"} {
		require.Equal(t, 202, w.call(t, "", "POST", "/password-links", `{"email":"`+email+`"}`).status)
	}
	invited := w.call(t, owner, "POST", "/invitations", `{"email":"nora@acme.example","roles":[{"role":"viewer"}]}`).text(t, "token")
	require.Contains(t, w.call(t, "", "GET", "/invitations/by-token/"+invited, "").body, `"name":"Acme ID"`)
	a = w.call(t, "", "POST", "/invitations/by-token/"+invited+"/accept", `{"name":"Nora","password":"`+goodWord+`"}`)
	require.Equal(t, 422, a.status, a.body)
	require.Contains(t, a.body, `"pointer":"/password"`)
	a = w.call(t, "", "POST", "/invitations/by-token/"+invited+"/accept", `{"name":"Nora"}`)
	require.Equal(t, 202, a.status, a.body)
	require.NotContains(t, a.body, "accessToken")
	require.Contains(t, w.call(t, owner, "GET", "/users?q=nora", "").body, "nora@acme.example")

	// By the provider they come in, and go on.
	in := w.federate(t, p, "max@acme.example", "max")
	require.Equal(t, 200, in.status, in.body)
	turned := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+in.text(t, "tokens/refreshToken")+`"}`)
	require.Equal(t, 200, turned.status, turned.body)
	require.Equal(t, 201, w.call(t, turned.text(t, "accessToken"), "POST", "/me/tokens", `{"name":"u","expiresAt":"`+w.clock.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)+`"}`).status)

	// What would lock them out is refused.
	body := `{"name":"Acme ID","kind":"oidc","issuer":"` + p.issuer + `","clientId":"gatehouse","enabled":%s}`
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/sso/connections/" + connection, strings.Replace(body, "%s", `false,"domains":["acme.example"]`, 1)},
		{"PUT", "/sso/connections/" + connection, strings.Replace(body, "%s", "true", 1)},
		{"DELETE", "/sso/connections/" + connection, ""},
		{"DELETE", "/domains/" + domain, ""},
		{"PATCH", "/users/" + boss, `{"breakGlass":false}`},
		{"PATCH", "/users/" + boss, `{"status":"disabled"}`},
		{"DELETE", "/users/" + boss, ""},
	} {
		a := w.call(t, owner, c.method, c.path, c.body, anyVersion...)
		require.Equal(t, http.StatusConflict, a.status, "%s %s: %s", c.method, c.path, a.body)
		require.Contains(t, a.body, "acme.example")
	}
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=domain.updated", "").body, `required`)
	}, eventually, tick)

	// And back.
	require.Equal(t, 200, rule(owner, `{"singleSignOn":"off"}`).status)
	require.Contains(t, methods("x@acme.example"), `"singleSignOn":"off"`)
	require.Equal(t, 200, w.password(t, "eve@acme.example", goodWord).status)
	require.Equal(t, 200, rule(owner, `{"connection":""}`).status)
	require.JSONEq(t, `{}`, methods("max@acme.example"))
	require.Contains(t, w.call(t, owner, "GET", "/sso/connections/"+connection, "").body, `"domains":[]`)
}

// detail returns what a problem says.
func detail(t *testing.T, a answer) string {
	t.Helper()
	return a.text(t, "detail")
}
