package tenantmanager_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever is refused something learns what to ask for and who can give it, and no more
// of others than their names.
func TestWhatToAskForWhenRefused(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.vars["viewer"] = s.w.invite(t, s.vars["owner"], "vi@example.com", `{"role":"viewer"}`).text(t, "accessToken")
	require.Equal(t, 201, s.w.call(t, s.vars["owner"], "POST", "/roles", `{"name":"support-desk","title":"Support desk","permissions":["user:read"]}`).status)
	get := func(as, query string) answer {
		return s.w.call(t, s.vars[as], "GET", "/access/missing?"+query, "")
	}
	a := get("viewer", "permission=user:read")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"held":false`)
	require.Contains(t, a.body, `"roles":[{"description":"Sees everything, changes nothing.","id":"auditor","title":"Auditor"}`, "what gives the least comes first")
	require.NotContains(t, a.body, `"owner"`)
	require.NotContains(t, a.body, "support-desk", "a custom role is not for everybody to know")
	require.Contains(t, a.body, `"givers":["Ada"]`)
	require.NotContains(t, a.body, "ada@example.com")
	require.Contains(t, get("viewer", "permission=api:read").body, `"held":true`)
	require.Equal(t, 422, get("viewer", "permission=nothing:read").status)
	require.Equal(t, 401, get("", "permission=user:read").status)
	require.Contains(t, get("owner", "permission=user:read").body, `"title":"Support desk"`)
}
