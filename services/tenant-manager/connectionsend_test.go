package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// Who came by a connection is out when it is switched off or deleted, at once.
func TestAConnectionEndsWithWhomItLetIn(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve"}})
	w, owner := ssoWorld(t)
	id := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}}).text(t, "id")
	other := w.signIn(t, "ada@example.com", "")
	at := "/sso/connections/" + id
	in := func() (session, refresh string) {
		t.Helper()
		a := w.federate(t, p, "eve@acme.example", "eve")
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, w.must(t, 200, owner, "GET", at, "").body, `"openSessions":1`)
		return a.text(t, "tokens/accessToken"), a.text(t, "tokens/refreshToken")
	}
	out := func(session, refresh string) {
		t.Helper()
		w.must(t, 401, session, "GET", "/me", "")
		w.must(t, 401, "", "POST", "/token/refresh", `{"refreshToken":"`+refresh+`"}`)
		w.must(t, 200, other, "GET", "/me", "")
	}
	session, refresh := in()
	secret, code := w.terminal(t)
	w.must(t, 204, session, "POST", "/me/device-sign-ins/"+code, `{"allow":true}`)
	w.must(t, 200, owner, "PUT", at, `{"name":"Acme ID","kind":"oidc","issuer":"`+p.issuer+`","clientId":"gatehouse","enabled":false,"domains":["acme.example"],"provision":true,"roles":["viewer"]}`, anyVersion...)
	out(session, refresh)
	w.must(t, 401, "", "POST", "/sign-in/device/token", `{"deviceCode":"`+secret+`"}`)
	require.Contains(t, w.must(t, 200, owner, "GET", at, "").body, `"openSessions":0`)
	w.recordedAs(t, owner, "sso-connection.sessions-ended", `"after":"1","field":"/sessions"`)

	w.must(t, 200, owner, "PUT", at, `{"name":"Acme ID","kind":"oidc","issuer":"`+p.issuer+`","clientId":"gatehouse","enabled":true,"domains":["acme.example"],"provision":true,"roles":["viewer"]}`, anyVersion...)
	out(session, refresh)
	session, refresh = in()
	w.must(t, 204, owner, "DELETE", at, "", anyVersion...)
	out(session, refresh)
}

// A rule that comes to bind somebody after they asked for another address binds them
// when they confirm it.
func TestAnAddressOutsideOfARuleThatCameMeanwhile(t *testing.T) {
	t.Parallel()
	w, p, owner, domain, _, tokens := ruleWorld(t)
	post := newPostOffice(t, false)
	w.must(t, 200, owner, "PUT", "/mail/settings", post.settings("starttls"), "If-Match", `"v1"`)
	w.must(t, 202, tokens["max"].text(t, "accessToken"), "POST", "/me/email", `{"email":"max@elsewhere.example"}`)
	link := secretOfLink.FindStringSubmatch(post.next(t).text)[1]
	invited := w.must(t, 201, owner, "POST", "/invitations", `{"email":"late@acme.example","roles":[{"role":"viewer"}]}`).text(t, "token")
	require.Equal(t, 200, w.federate(t, p, "eve@acme.example", "eve").status)
	w.must(t, 200, owner, "PATCH", "/users/"+tokens["boss"].text(t, "user/id"), `{"breakGlass":true}`, anyVersion...)
	w.must(t, 200, owner, "PATCH", "/domains/"+domain, `{"singleSignOn":"required"}`, anyVersion...)

	a := w.must(t, 403, "", "POST", "/email-changes/by-token/"+link+"/confirm", "")
	require.Contains(t, a.body, "by single sign-on alone")
	require.Equal(t, 401, w.password(t, "max@elsewhere.example", goodWord).status)
	w.must(t, 422, "", "POST", "/invitations/by-token/"+invited+"/accept", `{"name":"Late","password":"`+goodWord+`"}`)
}

// A role by hand that ends leaves the one that a group gives.
func TestARoleByAGroupOutlivesOneForATime(t *testing.T) {
	t.Parallel()
	eve := account{"email": "eve@acme.example", "email_verified": true, "name": "Eve", "groups": []string{"apis"}}
	p := startProvider(t, map[string]account{"eve": eve})
	w, owner := ssoWorld(t)
	w.connect(t, owner, p, map[string]any{"groupRoles": []map[string]string{{"group": "apis", "role": "publisher"}}})
	id := w.invite(t, owner, "eve@acme.example", `{"role":"viewer"}`).text(t, "user/id")
	w.must(t, 201, owner, "POST", "/grants", `{"principal":"`+id+`","role":"publisher","expiresAt":"`+w.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
	publishes := func(a answer) bool {
		t.Helper()
		require.Equal(t, 200, a.status, a.body)
		token := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+a.text(t, "tokens/refreshToken")+`"}`)
		require.Equal(t, 200, token.status, token.body)
		return strings.Contains(w.must(t, 200, token.text(t, "accessToken"), "GET", "/me", "").body, `"roleName":"publisher"`)
	}
	first := w.federate(t, p, "eve@acme.example", "eve")
	require.True(t, publishes(first))
	second := w.federate(t, p, "eve@acme.example", "eve")
	w.clock.Advance(61 * time.Minute)
	require.True(t, publishes(second), "the group still gives it")
}

// Somebody who invites and may not see the users is not told who is one.
func TestInvitingTellsNobodyWhoIsAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	w.must(t, 201, owner, "POST", "/roles", `{"name":"invites","permissions":["invitation:create"]}`)
	inviter := w.invite(t, owner, "in@example.com", `{"role":"invites"}`).text(t, "accessToken")
	body := `{"email":"ada@example.com","roles":[{"role":"invites"}]}`
	w.must(t, 409, owner, "POST", "/invitations", body)
	known := w.must(t, 201, inviter, "POST", "/invitations", body)
	w.must(t, 201, inviter, "POST", "/invitations", strings.Replace(body, "ada@", "nobody@", 1))
	w.must(t, 409, "", "POST", "/invitations/by-token/"+known.text(t, "token")+"/accept", `{"name":"Ada","password":"`+goodWord+`"}`)
	w.recordedAs(t, owner, "invitation.refused", "is a user already")
}

// A token that is known and good for nothing leaves an entry, not one for each time.
func TestTokensOfBeforeAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(*tenantmanager.Config) {})
	owner := w.setUp(t)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
	soon := w.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	token := w.must(t, 201, eve.text(t, "accessToken"), "POST", "/me/tokens", `{"name":"t","expiresAt":"`+soon+`"}`).text(t, "token")
	w.clock.Advance(2 * time.Hour)
	owner = w.signIn(t, "ada@example.com", "")
	for range 3 {
		w.must(t, 401, "", "POST", "/token/personal", `{"token":"`+token+`"}`)
	}
	w.recordedAs(t, owner, "user.token-refused", "the token has run out")
	require.Equal(t, 1, strings.Count(w.must(t, 200, owner, "GET", "/audit?action=user.token-refused", "").body, `"action":"user.token-refused"`))
}
