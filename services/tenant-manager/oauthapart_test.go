package tenantmanager_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
)

// Every endpoint of an authorization server, with what another organization's has
// given out: its clients are unknown, its tokens are nothing, and none of it can be
// ended from here. A new endpoint needs a line.
func TestAuthorizationServersAreApart(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.scopes(t, "orders:read")
	client := a.made(t, `{"name":"Billing of Acme","scopes":["orders:read"],"tokenFormat":"opaque","mayIntrospect":true}`)
	shop := a.made(t, `{"name":"Shop of Acme","authMethod":"none","grantTypes":["authorization_code","`+deviceGrant+`"],"redirectUris":["`+back+`"],"scopes":["openid"]}`)
	initial := a.initial(t, `{"name":"Partners","scopes":["orders:read"],"grantTypes":["client_credentials"]}`)
	status, registered, _ := a.register(t, "POST", a.issuer+"/register", initial, `{"client_name":"Partner","grant_types":["client_credentials"]}`)
	require.Equal(t, 201, status, registered)
	access, _ := registered["registration_access_token"].(string)
	given, err := a.credentials(client, "orders:read").Token(t.Context())
	require.NoError(t, err)
	_, keys, _ := a.register(t, "GET", a.issuer+"/jwks", "", "")

	a.organization(t, "second", "stranger@example.com")
	stranger := a.signIn(t, "stranger@example.com", "second")
	there := &authority{world: a.world, owner: stranger, issuer: a.url + "/oauth/second"}
	own := there.made(t, `{"name":"Own","mayIntrospect":true}`)
	token := url.Values{"token": {given.AccessToken}}
	form := func(endpoint string, as made, form url.Values) (int, map[string]any) {
		if as.secret == "" && as.id != "" {
			form = maps.Clone(form)
			form.Set("client_id", as.id)
		}
		status, out, _ := there.form(t, endpoint, as, form)
		return status, out
	}
	unknown := func(status int, out map[string]any) {
		t.Helper()
		require.Equal(t, 401, status, out)
		require.Equal(t, "invalid_client", out["error"])
	}
	get := func(endpoint, query, bearer string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, there.issuer+"/"+endpoint+"?"+query, nil)
		require.NoError(t, err)
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		c := &http.Client{Transport: a.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := c.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode, res.Header.Get("Location")
	}
	metadata := func(path string) func() {
		return func() {
			_, said, _ := there.register(t, "GET", there.issuer+"/"+path, "", "")
			for name, v := range said {
				if at, ok := v.(string); ok {
					require.NotContains(t, at, "/oauth/default", name)
				}
			}
			require.Equal(t, there.issuer, said["issuer"])
		}
	}
	tries := map[string]func(){
		".well-known/openid-configuration":       metadata(".well-known/openid-configuration"),
		".well-known/oauth-authorization-server": metadata(".well-known/oauth-authorization-server"),
		"jwks": func() {
			_, other, _ := there.register(t, "GET", there.issuer+"/jwks", "", "")
			for _, k := range keys["keys"].([]any) {
				require.NotContains(t, other["keys"], k)
			}
		},
		"token": func() {
			unknown(form("token", client, url.Values{"grant_type": {"client_credentials"}}))
			unknown(form("token", shop, url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {back}}))
		},
		"introspect": func() {
			status, out := form("introspect", client, token)
			require.Equal(t, 401, status, out)
			status, out = form("introspect", own, token)
			require.Equal(t, 200, status, out)
			require.Equal(t, map[string]any{"active": false}, out)
		},
		"revoke": func() {
			status, out := form("revoke", own, token)
			require.Equal(t, 200, status, out) // whether there is such a token is not told
			status, _ = form("revoke", client, token)
			require.Equal(t, 401, status)
		},
		"authorize": func() {
			_, to := get("authorize", "response_type=code&state=12345678&client_id="+shop.id+"&redirect_uri="+url.QueryEscape(back), stranger)
			require.True(t, strings.HasPrefix(to, a.url+"/"), "the browser stays here: %s", to)
			require.NotContains(t, to, "code=")
		},
		"userinfo": func() {
			status, _ := get("userinfo", "", given.AccessToken)
			require.Equal(t, 401, status)
		},
		"logout": func() {
			_, to := get("logout", "client_id="+shop.id+"&post_logout_redirect_uri="+url.QueryEscape(back), "")
			require.False(t, strings.HasPrefix(to, back), to)
		},
		"par": func() {
			unknown(form("par", shop, url.Values{"response_type": {"code"}, "redirect_uri": {back}}))
		},
		"device_authorization": func() {
			unknown(form("device_authorization", shop, url.Values{}))
		},
		"register": func() {
			status, out, _ := there.register(t, "POST", there.issuer+"/register", initial, `{"client_name":"x","grant_types":["client_credentials"]}`)
			require.Equal(t, 401, status, out)
		},
		"register/{id}": func() {
			id, _ := registered["client_id"].(string)
			for _, method := range []string{"GET", "PUT", "DELETE"} {
				status, out, _ := there.register(t, method, there.issuer+"/register/"+id, access, `{"client_id":"`+id+`","client_name":"x"}`)
				require.Equal(t, 401, status, "%s: %v", method, out)
			}
		},
	}
	for _, name := range slices.Sorted(maps.Keys(oauth.Endpoints())) {
		require.NotNil(t, tries[name], "%s: say how another organization's things are tried there", name)
		tries[name]()
	}

	// And the first organization is as it was.
	status, out, _ := a.form(t, "introspect", client, token)
	require.Equal(t, 200, status)
	require.Equal(t, true, out["active"], out)
	status, out, _ = a.register(t, "GET", a.issuer+"/register/"+registered["client_id"].(string), access, "")
	require.Equal(t, 200, status, out)
}
