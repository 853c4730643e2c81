package tenantmanager_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A provider that leads the browser of somebody who signs in with it on to another
// connection's provider, where they have a session, gets nothing of what that one
// answers (RFC 9700 section 4.4.1).
func TestAnAnswerIsOfTheProviderThatWasAsked(t *testing.T) {
	t.Parallel()
	honest := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve Acme"}})
	stolen := make(chan string, 10)
	evil := httptest.NewUnstartedServer(nil)
	evil.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			stolen <- r.FormValue("code")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		at := "http://" + r.Host
		_ = json.NewEncoder(w).Encode(map[string]any{ // it promises no iss
			"issuer": at, "authorization_endpoint": at + "/auth", "token_endpoint": at + "/token", "jwks_uri": at + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	evil.Start()
	t.Cleanup(evil.Close)
	w, owner := ssoWorld(t)
	acme := w.connect(t, owner, honest, map[string]any{"provision": true}).text(t, "id")
	for _, kind := range []string{"oidc", "oauth2"} {
		body := map[string]any{"name": "Evil " + kind, "kind": kind, "clientId": "x", "clientSecret": "y", "enabled": true}
		if kind == "oidc" {
			body["issuer"] = evil.URL
		} else {
			body["oauth2"] = map[string]string{"authorizeUrl": evil.URL + "/auth", "tokenUrl": evil.URL + "/token", "userUrl": evil.URL + "/me"}
		}
		b, err := json.Marshal(body)
		require.NoError(t, err)
		a := w.call(t, owner, "POST", "/sso/connections", string(b))
		require.Equal(t, 201, a.status, a.body)
		id := a.text(t, "id")
		begin := func(connection, binding string) *url.URL {
			a := w.call(t, "", "POST", "/sign-in/sso", object(t, map[string]string{"connection": connection, "origin": ssoOrigin, "binding": binding}))
			require.Equal(t, 200, a.status, a.body)
			to, err := url.Parse(a.text(t, "address"))
			require.NoError(t, err)
			return to
		}
		victim := begin(id, binding)
		// What the evil provider makes of it: an attempt of its own at the honest one,
		// whose answer comes with the victim's state.
		on := begin(acme, "a secret of another browser, which is theirs")
		require.NotEqual(t, victim.Query().Get("redirect_uri"), on.Query().Get("redirect_uri"), "each connection has its own address")
		q := on.Query()
		q.Set("state", victim.Query().Get("state"))
		on.RawQuery = q.Encode()
		back := honest.visit(t, on.String(), "eve")
		require.Equal(t, acme, back.Get("connection"))
		a = w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, back, map[string]string{"iss": ""}))
		require.Equal(t, 401, a.status, a.body)
		require.Empty(t, stolen, "the code of the honest provider went to the other")
		w.refusedBecause(t, owner, "another connection")

		// Nor is it taken at an address that is of no connection, or with the name of another issuer.
		for _, change := range []map[string]string{{"connection": ""}, {"connection": id, "iss": honest.issuer}} {
			q := url.Values{"state": {begin(id, binding).Query().Get("state")}, "code": {"c"}}
			a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, q, change))
			require.Equal(t, 401, a.status, a.body)
			require.Empty(t, stolen)
		}
		w.refusedBecause(t, owner, "names the issuer")
	}
	// The honest one goes on.
	require.Equal(t, 200, w.federate(t, honest, "eve@acme.example", "eve").status)
}
