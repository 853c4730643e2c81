package tenantmanager_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// Signing in at an application is in the trail once for a session, with or without a
// question, and so are clients and programs that do not prove who they are.
func TestSignInsByOAuthAreInTheTrail(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	own := a.made(t, `{"name":"Wiki","grantTypes":["authorization_code"],"scopes":["openid"],"redirectUris":["`+back+`"],"skipConsent":true}`)
	wiki := a.app(t, own, "openid")
	for range 3 {
		verifier := oauth2.GenerateVerifier()
		to := wiki.visit(t, a.owner, wiki.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
		_, err := wiki.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
		require.NoError(t, err)
	}
	seen := a.recordedAs(t, a.owner, "oauth-session.started", own.id)
	require.Contains(t, seen.body, `"name":"Wiki"`)
	require.Equal(t, 1, strings.Count(seen.body, `"action":"oauth-session.started"`), seen.body)
	require.Contains(t, seen.body, `"kind":"user"`)

	const typed = "a-secret-in-the-wrong-field"
	for range 8 {
		status, _, _ := a.form(t, "token", made{own.id, "wrong"}, url.Values{"grant_type": {"client_credentials"}})
		require.Contains(t, []int{401, 429}, status)
	}
	status, _, _ := a.form(t, "token", made{typed, "wrong"}, url.Values{"grant_type": {"client_credentials"}})
	require.Equal(t, 401, status)
	seen = a.recordedAs(t, a.owner, "oauth-client.authenticated", own.id)
	require.Equal(t, "refused", seen.text(t, "items/0/outcome"))
	require.LessOrEqual(t, strings.Count(seen.body, own.id), 5, "guessing fills no trail")
	require.Contains(t, seen.body, `"kind":"anonymous"`)
	require.NotContains(t, seen.body, typed)

	status, _, _ = a.register(t, "POST", a.issuer+"/register", "ghri_guessed", `{"client_name":"x"}`)
	require.Equal(t, 401, status)
	seen = a.recordedAs(t, a.owner, "oauth-client.registered", `"refused"`)
	require.NotContains(t, seen.body, "guessed")
}
