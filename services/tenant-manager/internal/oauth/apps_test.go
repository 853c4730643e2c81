package oauth

import (
	"net/url"
	"testing"

	"github.com/ory/fosite"
	"github.com/stretchr/testify/require"
)

// The addresses of the apps are those that are configured, and no others: also of this
// machine, of which the library lets any port pass.
func TestAppsAreWhereTheyAre(t *testing.T) {
	t.Parallel()
	s := New(Options{URL: "http://auth.test", Apps: []App{
		{Name: "admin", Title: "Admin console", Origins: []string{"http://127.0.0.1:8080/", "https://admin.example.com", "http://127.0.0.1:8080"}},
		{Name: "tenant", Title: "Tenant console", Origins: []string{"nowhere", ""}},
	}})
	require.Len(t, s.apps, 1, "an app without an address is none")
	require.Equal(t, "Admin console", s.AppTitle("gatehouse-admin"))
	require.Empty(t, s.AppTitle("gatehouse-tenant"))
	_, err := s.client(t.Context(), "o", "gatehouse-tenant")
	require.ErrorIs(t, err, fosite.ErrNotFound, "it is looked for nowhere else")
	c, err := s.client(t.Context(), "o", "gatehouse-admin")
	require.NoError(t, err)
	require.Equal(t, "o", c.OrganizationID)
	require.Equal(t, []string{"http://127.0.0.1:8080/bff/oidc/callback", "https://admin.example.com/bff/oidc/callback"}, c.RedirectURIs)
	for address, right := range map[string]bool{
		"http://127.0.0.1:8080/bff/oidc/callback": true, "https://admin.example.com/bff/oidc/callback": true, "http://127.0.0.1:9999/bff/oidc/callback": false,
		"http://127.0.0.1/bff/oidc/callback": false, "https://admin.example.com/bff/oidc/callback?": false, "https://admin.example.com/bff/oidc/callback/": false,
		"http://admin.example.com/bff/oidc/callback": false, "https://admin.example.com:443/bff/oidc/callback": false, "": false,
	} {
		ar := fosite.NewAuthorizeRequest()
		ar.Client, ar.Form = c, url.Values{"redirect_uri": {address}}
		ar.RedirectURI, err = url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, right, atHome(ar) == nil, address)
	}
}
