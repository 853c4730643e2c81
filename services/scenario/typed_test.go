package scenario_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/scenario"
)

const (
	// callback is where an application is called back.
	callback = "http://localhost:9999/callback"
	// proof is what an application proves with that it has begun (RFC 7636).
	proof         = "what-an-application-proves-with-that-it-has-begun"
	upstreamToken = "a-token-that-what-is-behind-it-asks-for"
	policySecret  = "a-secret-in-a-policy-of-an-api"
	planSecret    = "a-secret-in-what-a-plan-asks-of-callers"
	// inQuery is a key that somebody puts where no plan looks for one.
	inQuery = "ghk_in-the-wrong-place-of-a-request"
)

// use uses secrets where they are used: in a browser, by applications, at the gateway,
// and by what is behind it.
func (w *writes) use() {
	w.t.Helper()
	w.browse()
	w.applications()
	w.traffic()
	w.directory()
}

// raw sends a request as it is, and returns the answer; the secrets of both are taken
// down.
func (w *writes) raw(r *http.Request) (*http.Response, string) {
	w.t.Helper()
	res, err := w.client.Transport.RoundTrip(r) // a redirect is an answer
	require.NoError(w.t, err)
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	for _, c := range res.Cookies() {
		w.secret(c.Value, "a cookie of "+r.URL.Path)
	}
	w.answered(r.Method+" "+r.URL.Path, r.Method, res.StatusCode, string(b))
	return res, string(b)
}

func (w *writes) request(method, address, body string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body))
	require.NoError(w.t, err)
	return r
}

// browse signs in at a console, wrong and right, and goes about.
func (w *writes) browse() {
	w.t.Helper()
	var cookies []*http.Cookie
	csrf := "anonymous"
	do := func(method, path, body string, status int) string {
		r := w.request(method, w.api+path, body)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Gatehouse-Csrf", csrf)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		res, answer := w.raw(r)
		require.Equal(w.t, status, res.StatusCode, answer)
		cookies = append(cookies, res.Cookies()...)
		return answer
	}
	do(http.MethodPost, "/bff/sign-in", `{"email":"owner@first.example","password":"`+wrongPassword+`"}`, http.StatusUnauthorized)
	var session struct{ CSRF string }
	require.NoError(w.t, json.Unmarshal([]byte(do(http.MethodPost, "/bff/sign-in", `{"email":"owner@first.example","password":"`+matrixPassword+`"}`, http.StatusOK)), &session))
	require.NotEmpty(w.t, cookies)
	csrf = session.CSRF
	do(http.MethodGet, "/bff/session", "", http.StatusOK)
}

// applications gets tokens in all ways there are, shows them, and gives them back.
func (w *writes) applications() {
	w.t.Helper()
	const tenants = "tenant-manager"
	issuer, err := url.Parse(w.made("owner", http.MethodGet, tenants, "/oauth/server", "", "issuer"))
	require.NoError(w.t, err)
	_, _, answer := w.send("owner", http.MethodPost, tenants, "/oauth/clients", `{"name":"Kiosk","grantTypes":["authorization_code","refresh_token","client_credentials","urn:ietf:params:oauth:grant-type:device_code"],"redirectUris":["`+callback+`"],"scopes":["openid","offline_access"],"tokenFormat":"opaque","mayIntrospect":true}`)
	var made struct {
		Client struct{ ID, ClientID string }
		Secret struct{ Secret string }
	}
	require.NoError(w.t, json.Unmarshal([]byte(answer), &made), answer)
	require.NotEmpty(w.t, made.Secret.Secret, answer)
	w.kept["kiosk"] = made.Client.ID
	client := made.Client.ClientID
	if client == "" {
		client = made.Client.ID
	}
	at := func(method, endpoint, secret string, form url.Values) (*http.Response, map[string]any) {
		address, body := w.api+issuer.Path+"/"+endpoint, ""
		if method == http.MethodGet {
			address += "?" + form.Encode()
		} else {
			body = form.Encode()
		}
		r := w.request(method, address, body)
		r.Host = issuer.Host
		switch {
		case method == http.MethodGet:
			r.Header.Set("Authorization", "Bearer "+w.tokens["owner"])
		default:
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(client, secret)
		}
		res, answer := w.raw(r)
		var doc map[string]any
		_ = json.Unmarshal([]byte(answer), &doc) // not every answer has one
		return res, doc
	}
	want := func(endpoint string, form url.Values) map[string]any {
		res, doc := at(http.MethodPost, endpoint, made.Secret.Secret, form)
		require.Equal(w.t, http.StatusOK, res.StatusCode, "%s %v: %v", endpoint, form, doc)
		return doc
	}
	text := func(doc map[string]any, name string) string {
		s, ok := doc[name].(string)
		require.True(w.t, ok, "%s in %v", name, doc)
		return s
	}
	w.secret(proof, "the verifier of a code")
	res, _ := at(http.MethodPost, "token", marked, url.Values{"grant_type": {"client_credentials"}})
	require.Equal(w.t, http.StatusUnauthorized, res.StatusCode)
	want("token", url.Values{"grant_type": {"client_credentials"}})

	res, _ = at(http.MethodGet, "authorize", "", url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "scope": {"openid offline_access"}, "state": {"a state of the application"},
		"code_challenge": {"d7MXSCgCwLugPRDUTLfK5iyw9exh-Db7csqPtCvwV_o"}, "code_challenge_method": {"S256"},
	})
	to, err := res.Location()
	require.NoError(w.t, err)
	asked := to.Query().Get("request")
	require.NotEmpty(w.t, asked, to)
	w.secret(asked, "an authorization request")
	to, err = url.Parse(w.made("owner", http.MethodPost, tenants, "/oauth/authorizations/by-token/"+asked, `{"allow":true}`, "redirectTo"))
	require.NoError(w.t, err)
	code := to.Query().Get("code")
	require.NotEmpty(w.t, code, to)
	w.secret(code, "an authorization code")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {proof}}
	tokens := want("token", form)
	res, _ = at(http.MethodPost, "token", made.Secret.Secret, form) // a second time
	require.Equal(w.t, http.StatusBadRequest, res.StatusCode)
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		text(tokens, name)
	}

	device := want("device_authorization", url.Values{"scope": {"openid offline_access"}})
	status, _, answer := w.send("owner", http.MethodPost, tenants, "/oauth/devices/"+text(device, "user_code"), `{"allow":true}`)
	require.Less(w.t, status, 300, answer)
	form = url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {text(device, "device_code")}}
	tokens = want("token", form)
	refreshed := want("token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text(tokens, "refresh_token")}})
	want("introspect", url.Values{"token": {text(refreshed, "access_token")}})
	want("revoke", url.Values{"token": {text(refreshed, "refresh_token")}})
	res, _ = at(http.MethodPost, "token", made.Secret.Secret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text(tokens, "refresh_token")}})
	require.Equal(w.t, http.StatusBadRequest, res.StatusCode)
}

// traffic calls an API that has secrets in all places there are, with keys, right and
// wrong; nothing is behind it.
func (w *writes) traffic() {
	w.t.Helper()
	const gateways, policies, portal = "gateway-manager", "policy-manager", "devportal-backend"
	do := func(method, service, path, body string) {
		w.t.Helper()
		status, _, answer := w.send("owner", method, service, path, body, "If-Match", "*")
		require.Less(w.t, status, 300, "%s %s: %s", method, path, answer)
	}
	up := func(name, auth string) string {
		return `{"name":"` + name + `","targets":[{"url":"http://127.0.0.1:1"}],"auth":` + auth + `}`
	}
	api := w.made("owner", http.MethodPost, gateways, "/apis", `{"project":"`+w.kept["project"]+`","name":"Vault","slug":"vault","basePath":"/vault","upstreams":[`+
		up("bearer", `{"bearer":"`+upstreamToken+`"}`)+`,`+up("basic", `{"basic":{"username":"u","password":"`+marked+`"}}`)+`,`+up("header", `{"header":{"name":"X-Key","value":"`+marked+`"}}`)+`]}`, "id")
	do(http.MethodPut, policies, "/apis/"+api+"/policies", `{"api":[{"type":"mirror","config":{"url":"http://127.0.0.1:1","percent":100,"headers":{"X-Copy":"`+policySecret+`"}}}]}`)
	plan := w.made("owner", http.MethodPost, policies, "/apis/"+api+"/plans", `{"slug":"keys","name":"Keys","security":{"type":"api-key","config":{"sources":[{"in":"header","name":"X-API-Key"},{"in":"query","name":"key"},{"in":"cookie","name":"key"}]}},"approval":"automatic"}`, "id")
	signed := w.made("owner", http.MethodPost, policies, "/apis/"+api+"/plans", `{"slug":"signed","name":"Signed","security":{"type":"jwt","config":{"issuer":["https://id.example.com"],"secret":"`+planSecret+`","algorithms":["HS256"]}},"approval":"automatic"}`, "id")
	for _, p := range []string{plan, signed} {
		do(http.MethodPost, policies, "/plans/"+p+"/publish", "")
	}
	do(http.MethodPost, gateways, "/apis/"+api+"/publish", "")
	do(http.MethodPost, gateways, "/apis/"+api+"/deployments", `{"environment":"dev"}`)
	var made struct{ Credential struct{ Key string } }
	require.Eventually(w.t, func() bool { // the plan has to be known to the portal
		status, _, answer := w.send("owner", http.MethodPost, portal, "/subscriptions", `{"plan":"`+plan+`","newApplication":{"name":"Caller"},"createKey":true}`)
		return status == http.StatusCreated && json.Unmarshal([]byte(answer), &made) == nil
	}, scenario.Patience, 20*time.Millisecond)
	key := made.Credential.Key
	require.NotEmpty(w.t, key)
	w.secret(inQuery, "a wrong key")
	w.secret(upstreamToken, "an upstream")
	w.secret(policySecret, "a policy")
	w.secret(planSecret, "a plan")
	call := func(path string, header ...string) int {
		w.t.Helper()
		r := w.request(http.MethodGet, w.matrix.traffic+"/vault/a"+path, "")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, _ := w.raw(r)
		return res.StatusCode
	}
	let := func(status int) bool {
		return status == http.StatusBadGateway || status == http.StatusServiceUnavailable
	}
	require.Eventually(w.t, func() bool { return let(call("", "X-API-Key", key)) }, scenario.Patience, 20*time.Millisecond, "the API is not called")
	require.True(w.t, let(call("?key="+key)))
	require.True(w.t, let(call("", "Cookie", "key="+key)))
	for _, header := range [][]string{{"X-API-Key", inQuery}, {"Cookie", "key=" + inQuery}, {"Authorization", "Bearer " + w.tokens["owner"]}, {"Authorization", "Basic b3duZXI6bm90LXRvLWJlLXNob3duLWFueXdoZXJl"}} {
		require.Equal(w.t, http.StatusUnauthorized, call("", header...), header)
	}
	require.Equal(w.t, http.StatusUnauthorized, call("?key="+inQuery))
}

// directory is tried with the password of somebody, and cannot be reached.
func (w *writes) directory() {
	w.t.Helper()
	id := w.made("owner", http.MethodPost, "tenant-manager", "/sso/connections", `{"name":"Nearby","kind":"ldap","ldap":{"urls":["ldap://127.0.0.1:9"],"userBase":"dc=example","bindDn":"cn=gatehouse","bindPassword":"`+marked+`"}}`, "id")
	w.made("owner", http.MethodPost, "tenant-manager", "/sso/connections", `{"name":"With a key","kind":"saml"}`, "id")
	w.send("owner", http.MethodPost, "tenant-manager", "/sso/connections/"+id+"/test", `{"username":"somebody","password":"`+wrongPassword+`"}`)
}
