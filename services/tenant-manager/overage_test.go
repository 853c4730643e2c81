package tenantmanager_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A provider names too many groups by a link in their place, as Microsoft Entra ID
// does. Where roles go by group nothing can be said of them then: the sign-in is
// refused, and what somebody has stays as it is.
func TestGroupsThatAreTooManyForAToken(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {
		"email": "eve@acme.example", "email_verified": true, "name": "Eve",
		"_claim_names":   map[string]string{"groups": "src1"},
		"_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://graph.example/v1.0/users/eve/getMemberObjects"}},
	}})
	w, owner := ssoWorld(t)
	id := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}}).text(t, "id")
	a := w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, a.status, "no role goes by group: %s", a.body)
	token := a.text(t, "tokens/accessToken")

	change := `{"name":"Acme ID","kind":"oidc","issuer":"` + p.issuer + `","clientId":"gatehouse","scopes":["email","profile","groups"],"enabled":true,"domains":["acme.example"],` +
		`"provision":true,"roles":["viewer"],"groupRoles":[{"group":"apis","role":"publisher"}]}`
	saved := w.call(t, owner, "PUT", "/sso/connections/"+id, change, "If-Match", "*")
	require.Equal(t, 200, saved.status, saved.body)
	a = w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 401, a.status, a.body)
	require.NotContains(t, a.body, "too many", "why is for administrators")
	w.refusedBecause(t, owner, "too many for a token")
	me := w.call(t, token, "GET", "/me", "")
	require.Equal(t, 200, me.status, me.body)
	require.Contains(t, me.body, `"roleName":"viewer"`)
	require.NotContains(t, me.body, `"roleName":"publisher"`)

	// A test sign-in says so, with what was received.
	begun := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"origin": ssoOrigin, "binding": binding}))
	require.Equal(t, 200, begun.status, begun.body)
	done := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, begun.text(t, "address"), "eve"), nil))
	require.Equal(t, 200, done.status, done.body)
	shown := w.call(t, owner, "GET", "/sso/tests/"+done.text(t, "test"), "")
	require.Contains(t, shown.body, "too many for a token")
	require.Contains(t, shown.body, "_claim_names")
}
