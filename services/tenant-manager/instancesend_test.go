package tenantmanager_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// What the authorization server gave ends at each of two instances, whichever of them was
// told, and not when it has run out.
func TestWhatWasGivenEndsAtEachInstance(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, func(c *configuration) { c.Database.DSN = schema.NewSecret(dbtest.DSN(t, db.Postgres)) })
	a.cfg.Listen = "127.0.0.1:0" // the address that the clients know is the first one's
	b := a.another(t)
	each := []*authority{a, {world: b, owner: a.owner, issuer: b.url + "/oauth/default"}}
	gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
	const phone = `","authMethod":"none","grantTypes":["authorization_code","refresh_token"],"redirectUris":["` + back + `"],"scopes":["openid","offline_access"]`
	told := 0
	for name, c := range map[string]struct {
		// more is of the client.
		more string
		// app says that it is a client of the product.
		app bool
		// end has one instance end it, and ended are those of its tokens that it is about.
		end   func(at *authority, user answer, client string) int
		ended []string
	}{
		"a client is deleted": {more: `,"tokenFormat":"opaque"}`, ended: []string{"access", "refresh"}, end: func(at *authority, _ answer, client string) int {
			return at.call(t, at.owner, "DELETE", "/oauth/clients/"+client, "", anyVersion...).status
		}},
		"a consent is taken back": {more: `}`, ended: []string{"refresh"}, end: func(at *authority, user answer, client string) int {
			mine := at.call(t, user.text(t, "accessToken"), "GET", "/me/consents", "")
			require.Contains(t, mine.body, client)
			return at.call(t, user.text(t, "accessToken"), "DELETE", "/me/consents/"+mine.text(t, "items/0/id"), "").status
		}},
		"a user is disabled": {more: `}`, ended: []string{"access", "refresh", "session", "swap"}, app: true, end: func(at *authority, user answer, _ string) int {
			return at.call(t, at.owner, "PATCH", "/users/"+user.text(t, "user/id"), `{"status":"disabled"}`, anyVersion...).status
		}},
		"a sign-in is over": {more: `}`, ended: []string{"session", "swap"}, app: true, end: func(at *authority, user answer, _ string) int {
			return at.call(t, user.text(t, "accessToken"), "POST", "/sign-out", "").status
		}},
		"a session is ended": {more: `}`, ended: []string{"session", "swap"}, app: true, end: func(at *authority, user answer, _ string) int {
			return at.call(t, at.owner, "DELETE", "/users/"+user.text(t, "user/id")+"/sessions/"+user.text(t, "session"), "").status
		}},
		"a password is new": {more: `}`, ended: []string{"session", "swap"}, app: true, end: func(at *authority, user answer, _ string) int {
			other := at.call(t, "", "POST", "/sign-in", `{"email":"`+user.text(t, "user/email")+`","password":"`+goodWord+`"}`)
			return at.call(t, other.text(t, "accessToken"), "POST", "/me/password", `{"current":"`+goodWord+`","new":"other words than those of before"}`).status
		}},
	} {
		user := a.invite(t, a.owner, string(rune('a'+told))+"@example.com", `{"role":"viewer"}`)
		session := user.text(t, "accessToken")
		m := a.made(t, `{"name":"`+name+phone+c.more)
		shop := a.app(t, m, "openid", "offline_access")
		proof := oauth2.GenerateVerifier()
		to := shop.decide(t, session, shop.visit(t, session, shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof), oidc.Nonce("n"))), "true")
		token, err := shop.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
		require.NoError(t, err, name)
		var console answer
		var unswapped []string
		if c.app {
			app := a.atApp(t, "admin", adminBack)
			console = app.enter(t, session)
			for range each {
				unswapped = append(unswapped, app.token(t, session).AccessToken)
			}
		}
		about := func(at *authority) bool {
			r, err := http.NewRequestWithContext(t.Context(), "GET", at.issuer+"/userinfo", http.NoBody)
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+token.AccessToken)
			res, err := at.client.Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			return res.StatusCode == 200
		}
		for _, at := range each {
			require.True(t, about(at), name)
			if c.app {
				require.Equal(t, 200, at.call(t, console.text(t, "accessToken"), "GET", "/me", "").status, name)
			}
		}
		status := c.end(each[told%2], user, m.id)
		require.Contains(t, []int{200, 204}, status, name)
		told++
		a.clock.Advance(time.Second) // for as long an instance uses what it read of a client
		for i, at := range each {
			if slices.Contains(c.ended, "access") {
				require.Eventually(t, func() bool { return !about(at) }, eventually, 5*time.Millisecond, name)
			}
			if slices.Contains(c.ended, "session") {
				require.Eventually(t, func() bool { return at.call(t, console.text(t, "accessToken"), "GET", "/me", "").status == 401 }, eventually, 5*time.Millisecond, name)
				require.Equal(t, 401, at.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+console.text(t, "refreshToken")+`"}`).status, name)
			}
			if slices.Contains(c.ended, "swap") {
				require.Equal(t, 401, at.call(t, "", "POST", "/sign-in/token", `{"accessToken":"`+unswapped[i]+`"}`).status, name)
			}
			if slices.Contains(c.ended, "refresh") {
				status, body, _ := at.form(t, "token", made{}, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}, "client_id": {m.id}})
				require.Contains(t, []int{400, 401}, status, "%s: %v", name, body)
				_, body, _ = at.form(t, "introspect", gateway, url.Values{"token": {token.RefreshToken}})
				require.Equal(t, map[string]any{"active": false}, body, name)
			}
		}
	}
}
