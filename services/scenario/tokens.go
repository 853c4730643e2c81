package scenario

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/sample"
)

// tokenLimit is the limit of the plan that takes tokens, in requests per hour.
const tokenLimit = 8

// tokens is the way of an application with an OAuth2 client: an API whose plan takes
// tokens of the organization's own authorization server, a client, a token, calls
// that count for the application, another secret, and the end of it.
func (s *story) tokens() {
	const path, scope = "/tokens/pet/1", "pets:read"
	s.owner.want(http.StatusCreated, http.MethodPost, tenants, "/oauth/scopes", object{"name": scope, "title": "Read pets"})
	// The publisher chooses the authorization server; the form is filled in with this.
	server := s.publisher.get(tenants, "/oauth/server")
	config := object{
		"issuer": []string{text(s.t, server, "issuer")}, "jwksUrl": text(s.t, server, "gatewayJwks"), "type": "at+jwt", "credential": "oauth2",
		"application": "required", "audience": []string{"https://pets.example"}, "scopes": []string{scope}, "allowHttp": true,
	}
	api := text(s.t, s.publisher.want(http.StatusCreated, http.MethodPost, gateways, "/apis/import", object{
		"project": s.project, "document": petstore, "slug": "tokens", "basePath": "/tokens",
		"upstream": object{"targets": []object{{"url": "http://" + s.Upstream + sample.BasePath}}},
	}), "api", "id")
	plan := s.publisher.want(http.StatusCreated, http.MethodPost, policies, "/apis/"+api+"/plans", object{
		"slug": "tokens", "name": "Tokens", "security": object{"type": "jwt", "config": config}, "approval": "automatic",
		"limits": object{"rateLimit": object{"limit": tokenLimit, "window": "1h"}},
	})
	s.publisher.want(http.StatusOK, http.MethodPost, policies, "/plans/"+text(s.t, plan, "id")+"/publish", nil, "If-Match", s.match(plan))
	s.putLive(api, object{})
	s.show(api)
	eventually(s.t, Patience, "the catalogue does not say what the plan takes", func() bool {
		a := s.caller.send(http.MethodGet, portal, "/catalogue/"+api, nil)
		return a.status == http.StatusOK && at(s.t, items(s.t, a.object(s.t), "plans")[0], "credential") == "oauth2"
	})

	made := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/subscriptions", object{
		"plan": text(s.t, plan, "id"), "newApplication": object{"name": "Machines"}, "createKey": true,
	})
	application, id := text(s.t, made, "application", "id"), text(s.t, made, "credential", "id")
	first := s.clientOf(made["credential"].(object))
	second := s.clientOf(s.caller.want(http.StatusCreated, http.MethodPost, portal, "/applications/"+application+"/credentials", object{"kind": "oauth2", "name": "second"}))

	// It calls, as its application.
	token := s.token(first, http.StatusOK)
	with := func(token string) func(gateway string) answer {
		return func(gateway string) answer {
			r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, gateway+path, http.NoBody)
			require.NoError(s.t, err)
			r.Header.Set("Authorization", "Bearer "+token)
			return do(s.t, s.http, r)
		}
	}
	var last answer
	eventually(s.t, Patience, "the token does not work", func() bool { last = with(token)(s.Traffic[0]); return last.status == http.StatusOK })
	requestID := last.header.Get("X-Request-Id")
	eventually(s.t, Patience, "the consumer's own request is not explained", func() bool {
		return s.caller.send(http.MethodGet, portal, "/applications/"+application+"/requests/"+requestID, nil).status == http.StatusOK
	})
	require.Contains(s.t, string(s.publisher.send(http.MethodGet, analytics, "/explain/"+requestID, nil).body), "Machines", "the record names the application")
	require.Equal(s.t, http.StatusUnauthorized, s.get(s.Traffic[0], path, s.key).status, "a key is not what the plan takes")
	tried := s.caller.want(http.StatusOK, http.MethodPost, portal, "/try", object{
		"api": api, "environment": s.Environment, "method": "GET", "path": "/pet/1", "query": []object{}, "headers": []object{}, "application": application,
	})
	require.Equal(s.t, http.StatusOK, count(s.t, tried, "status"), "the portal calls with a token of the application: %v", tried)

	// The limit is the application's, by whichever of its clients it calls.
	other := s.token(second, http.StatusOK)
	everywhere := func(within time.Duration, what, token string, status ...int) {
		s.t.Helper()
		eventually(s.t, within, what, func() bool {
			for _, gateway := range s.Traffic {
				if got := with(token)(gateway).status; got != status[0] && got != status[len(status)-1] {
					return false
				}
			}
			return true
		})
	}
	for n := 0; with(other)(s.Traffic[0]).status != http.StatusTooManyRequests; n++ {
		require.Less(s.t, n, tokenLimit, "the limit is not met")
	}
	everywhere(Patience, "the limit is not that of the application", token, http.StatusTooManyRequests)

	// Another secret, and the one before it for as long as was said.
	turned := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/credentials/"+id+"/rotate", object{"overlap": 3600})
	renewed := s.clientOf(turned)
	require.Equal(s.t, first.id, renewed.id)
	s.token(renewed, http.StatusOK)
	s.token(first, http.StatusOK)
	turned = s.caller.want(http.StatusCreated, http.MethodPost, portal, "/credentials/"+id+"/rotate", object{"overlap": 0}, "If-Match", s.match(turned))
	eventually(s.t, 2*time.Second, "the secret before works on", func() bool { return s.tokenStatus(renewed) == http.StatusUnauthorized })
	require.Equal(s.t, http.StatusUnauthorized, s.tokenStatus(first))
	renewed = s.clientOf(turned)

	// In the auth console it can be disabled, and nothing else.
	shown := s.owner.get(tenants, "/oauth/clients/"+first.id)
	require.Equal(s.t, "Machines", text(s.t, shown, "application", "name"))
	for method, path := range map[string]string{http.MethodDelete: "", http.MethodPost: "/secrets"} {
		a := s.owner.send(method, tenants, "/oauth/clients/"+first.id+path, object{}, "If-Match", s.match(shown))
		require.Equal(s.t, http.StatusConflict, a.status, "%s: %s", method, a.body)
	}
	a := s.owner.send(http.MethodPatch, tenants, "/oauth/clients/"+first.id, object{"scopes": []string{}}, "If-Match", s.match(shown))
	require.Equal(s.t, http.StatusUnprocessableEntity, a.status, "%s", a.body)
	require.Contains(s.t, string(a.body), "/scopes")
	s.owner.want(http.StatusOK, http.MethodPatch, tenants, "/oauth/clients/"+first.id, object{"status": "disabled"}, "If-Match", s.match(shown))
	require.Equal(s.t, http.StatusUnauthorized, s.tokenStatus(renewed))

	// Revoked, its token is refused although it is signed well; that of the other
	// client is refused when the subscription ends.
	s.caller.want(http.StatusNoContent, http.MethodDelete, portal, "/credentials/"+id, nil, "If-Match", "*")
	everywhere(2*time.Second, "the token works 2 s after its client was revoked", token, http.StatusForbidden, http.StatusUnauthorized)
	require.Equal(s.t, http.StatusTooManyRequests, with(other)(s.Traffic[0]).status)
	subscription := s.caller.get(portal, "/subscriptions/"+text(s.t, made, "subscription", "id"))
	s.caller.want(http.StatusOK, http.MethodPost, portal, "/subscriptions/"+text(s.t, subscription, "id")+"/close", object{}, "If-Match", s.match(subscription))
	everywhere(2*time.Second, "the token works 2 s after the subscription ended", other, http.StatusForbidden)
	eventually(s.t, Patience, "the client is there after it was revoked", func() bool {
		return s.owner.send(http.MethodGet, tenants, "/oauth/clients/"+first.id, nil).status == http.StatusNotFound
	})
}

// oauthClient is a client with its secret, which is shown once.
type oauthClient struct {
	id, secret, endpoint string
}

func (s *story) clientOf(o object) oauthClient {
	s.t.Helper()
	return oauthClient{text(s.t, o, "clientId"), text(s.t, o, "clientSecret"), text(s.t, o, "tokenEndpoint")}
}

// ask asks for a token at the token endpoint (RFC 6749 section 4.4).
func (s *story) ask(c oauthClient) answer {
	s.t.Helper()
	u, err := url.Parse(c.endpoint)
	require.NoError(s.t, err)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.API+u.Path, strings.NewReader("grant_type=client_credentials"))
	require.NoError(s.t, err)
	r.Host = u.Host // nobody knows the name here
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(c.id, c.secret)
	return do(s.t, s.http, r)
}

func (s *story) tokenStatus(c oauthClient) int {
	s.t.Helper()
	return s.ask(c).status
}

func (s *story) token(c oauthClient, status int) string {
	s.t.Helper()
	a := s.ask(c)
	require.Equal(s.t, status, a.status, "%s", a.body)
	return text(s.t, a.object(s.t), "access_token")
}
