package scenario

import (
	"context"
	"net/http"
	"net/url"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// named sends requests to the authorization server to where the suite is, by the name
// that it has: nobody knows that here.
type named struct{ api *url.URL }

// RoundTrip implements http.RoundTripper.
func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	to := r.Clone(r.Context())
	to.Host = r.URL.Host
	to.URL.Scheme, to.URL.Host = n.api.Scheme, n.api.Host
	return http.DefaultTransport.RoundTrip(to)
}

// acting makes an application that acts as people in the suite itself, and returns the
// access token by which it acts as somebody who has allowed it.
func acting(owner, somebody *client) string {
	t := owner.t
	t.Helper()
	const back = "http://localhost:9999/callback"
	made := owner.want(http.StatusCreated, http.MethodPost, tenants, "/oauth/clients", object{
		"name": "Helper", "grantTypes": []string{"authorization_code"}, "redirectUris": []string{back}, "scopes": []string{"openid", "gatehouse"},
	})
	server := owner.get(tenants, "/oauth/server")
	config := oauth2.Config{
		ClientID: text(t, made, "client", "id"), ClientSecret: text(t, made, "secret", "secret"), RedirectURL: back, Scopes: []string{"openid", "gatehouse"},
		Endpoint: oauth2.Endpoint{AuthURL: text(t, server, "authorizationEndpoint"), TokenURL: text(t, server, "tokenEndpoint")},
	}
	api, err := url.Parse(owner.at.API)
	require.NoError(t, err)
	program := &http.Client{Transport: named{api}, Timeout: Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	proof := oauth2.GenerateVerifier()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof)), http.NoBody)
	require.NoError(t, err)
	res, err := program.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	page, err := res.Location()
	require.NoError(t, err, "%d", res.StatusCode)
	require.Equal(t, "/consent", page.Path)
	decided := somebody.want(http.StatusOK, http.MethodPost, tenants, "/oauth/authorizations/by-token/"+page.Query().Get("request"), object{"allow": true})
	to, err := url.Parse(text(t, decided, "redirectTo"))
	require.NoError(t, err)
	token, err := config.Exchange(context.WithValue(t.Context(), oauth2.HTTPClient, program), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	return token.AccessToken
}
