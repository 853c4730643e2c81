package tenantmanager_test

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

const (
	ssoOrigin = "http://console.test"
	binding   = "a secret that stays in the browser, really"
)

// provider is a certified OpenID Connect provider, on this machine.
type provider struct{ issuer string }

type account map[string]any

// startProvider starts the provider of deploy/oidc-provider.
func startProvider(t *testing.T, accounts map[string]account) *provider {
	t.Helper()
	return startProviderFor(t, accounts, nil)
}

// startProviderFor is as startProvider, with more metadata of the client.
func startProviderFor(t *testing.T, accounts map[string]account, more map[string]any) *provider {
	t.Helper()
	client := map[string]any{"client_id": "gatehouse", "client_secret": "a client secret", "redirect_uris": []string{ssoOrigin + "/bff/sso/callback/*"}, "scope": "openid email profile groups"}
	maps.Copy(client, more)
	fetched, err := exec.CommandContext(t.Context(), filepath.Join("..", "..", "deploy", "oidc-provider", "fetch")).Output()
	node, errNode := exec.LookPath("node")
	if err != nil || errNode != nil {
		if os.Getenv("CI") != "" {
			require.NoError(t, err, "the identity provider could not be fetched")
			require.NoError(t, errNode)
		}
		t.Skip("the identity provider could not be fetched: it needs Node and npm")
	}
	given, err := json.Marshal(map[string]any{
		"clients":  []any{client},
		"accounts": accounts,
	})
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(strings.TrimSpace(string(fetched)), "provider.mjs"), string(given))
	in, err := cmd.StdinPipe() // it ends with us
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return &provider{strings.TrimSpace(line)}
}

var action = regexp.MustCompile(`action="([^"]+)"`)

// visit is a browser that signs in at the provider, and returns what it is sent
// back with.
func (p *provider) visit(t *testing.T, address, login string) url.Values {
	t.Helper()
	return p.visitBy(t, newBrowser(t), address, login)
}

// sentBack returns what a browser is sent back with, and to which connection.
func sentBack(to *url.URL) url.Values {
	q := to.Query()
	q.Set("connection", path.Base(to.Path))
	return q
}

// newBrowser returns one that follows wherever it is sent, but to the console.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), ssoOrigin) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// visitBy is as visit, by a browser that may have been there.
func (p *provider) visitBy(t *testing.T, c *http.Client, address, login string) url.Values {
	t.Helper()
	page := func(res *http.Response, err error) (*http.Response, string) {
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(b)
	}
	res, body := page(c.Get(address))
	for range 5 {
		if to, err := res.Location(); err == nil && strings.HasPrefix(to.String(), ssoOrigin) {
			return sentBack(to)
		}
		form := action.FindStringSubmatch(body)
		require.NotNil(t, form, body)
		fields := url.Values{"prompt": {"consent"}}
		if strings.Contains(body, `name="login"`) {
			fields = url.Values{"prompt": {"login"}, "login": {login}, "password": {"any"}}
		}
		to, err := res.Request.URL.Parse(form[1])
		require.NoError(t, err)
		res, body = page(c.PostForm(to.String(), fields))
	}
	require.Fail(t, "the provider does not come to an end", body)
	return nil
}

// ssoWorld is a world whose clock shows the time of the provider.
func ssoWorld(t *testing.T) (w *world, owner string) {
	t.Helper()
	clock := testkit.NewClock()
	clock.Advance(time.Since(clock.Now()))
	w = newWorldAt(t, clock, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	return w, w.setUp(t)
}

func (w *world) connect(t *testing.T, token string, p *provider, change map[string]any) answer {
	t.Helper()
	c := map[string]any{
		"name": "Acme ID", "kind": "oidc", "issuer": p.issuer, "clientId": "gatehouse", "clientSecret": "a client secret",
		"scopes": []string{"email", "profile", "groups"}, "enabled": true, "domains": []string{"ACME.example"},
	}
	for k, v := range change {
		c[k] = v
	}
	b, err := json.Marshal(c)
	require.NoError(t, err)
	a := w.call(t, token, "POST", "/sso/connections", string(b))
	require.Equal(t, 201, a.status, a.body)
	require.NotContains(t, a.body, "a client secret")
	return a
}

func object(t *testing.T, fields map[string]string) string {
	t.Helper()
	b, err := json.Marshal(fields)
	require.NoError(t, err)
	return string(b)
}

// begin returns where the browser is sent to.
func (w *world) begin(t *testing.T, email string) string {
	t.Helper()
	a := w.call(t, "", "POST", "/sign-in/sso", object(t, map[string]string{"email": email, "origin": ssoOrigin, "binding": binding, "next": "/users"}))
	require.Equal(t, 200, a.status, a.body)
	return a.text(t, "address")
}

func callback(t *testing.T, q url.Values, change map[string]string) string {
	t.Helper()
	fields := map[string]string{"state": q.Get("state"), "code": q.Get("code"), "iss": q.Get("iss"), "connection": q.Get("connection"), "binding": binding}
	for k, v := range change {
		fields[k] = v
	}
	for k, v := range fields {
		if v == "" {
			delete(fields, k)
		}
	}
	return object(t, fields)
}

func (w *world) federate(t *testing.T, p *provider, email, login string) answer {
	t.Helper()
	return w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, w.begin(t, email), login), nil))
}

func TestSigningInAtAProvider(t *testing.T) {
	t.Parallel()
	eve := account{"email": "eve@acme.example", "email_verified": true, "name": "Eve Acme", "groups": []string{"apis", "other"}}
	p := startProvider(t, map[string]account{
		"eve": eve, "ada": {"email": "Ada@acme.example", "email_verified": true, "name": "Ada"}, "mallory": {"email": "ada@acme.example", "email_verified": false},
		"far": {"email": "far@elsewhere.example", "email_verified": true}, "silent": {"email": "silent@acme.example"},
	})
	w, owner := ssoWorld(t)
	require.Equal(t, 200, w.call(t, w.invite(t, owner, "ada@acme.example", `{"role":"viewer"}`).text(t, "accessToken"), "GET", "/me", "").status)
	require.JSONEq(t, `{}`, w.call(t, "", "POST", "/sign-in/methods", `{"email":"eve@acme.example"}`).body)
	made := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}, "groupRoles": []map[string]string{{"group": "apis", "role": "publisher"}}})
	id := made.text(t, "id")
	for _, email := range []string{"eve@acme.example", "nobody@Acme.Example"} {
		require.JSONEq(t, `{"connection":{"id":"`+id+`","name":"Acme ID","kind":"oidc"},"singleSignOn":"preferred"}`, w.call(t, "", "POST", "/sign-in/methods", `{"email":"`+email+`"}`).body)
	}
	require.Equal(t, 404, w.call(t, "", "POST", "/sign-in/sso", object(t, map[string]string{"email": "eve@example.com", "origin": ssoOrigin, "binding": binding})).status)

	// Somebody new: a user with the roles of the connection and of the groups.
	address := w.begin(t, "eve@acme.example")
	for _, part := range []string{"code_challenge_method=S256", "code_challenge=", "nonce=", "state=", "login_hint=eve%40acme.example", "scope=openid+email+profile+groups"} {
		require.Contains(t, address, part)
	}
	back := p.visit(t, address, "eve")
	// Another browser gets nothing of it, and does not spoil it.
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, back, map[string]string{"binding": strings.ToUpper(binding)})).status)
	a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, back, nil))
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "/users", a.text(t, "next"))
	token, user := a.text(t, "tokens/accessToken"), a.text(t, "tokens/user/id")
	me := w.call(t, token, "GET", "/me", "")
	require.Contains(t, me.body, `"name":"Eve Acme"`)
	require.Contains(t, me.body, `"email":"eve@acme.example"`)
	for _, role := range []string{`"roleName":"viewer"`, `"roleName":"publisher"`} {
		require.Contains(t, me.body, role)
	}
	require.Contains(t, w.call(t, token, "GET", "/me/sessions", "").body, `"methods":["fed"]`)
	w.recordedAs(t, owner, "user.provisioned", user)
	w.recordedAs(t, owner, "user.signed-in", `\"fed\"`)
	again := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, back, nil))
	require.Equal(t, 401, again.status, "the state is good once")

	// The same person again; what the groups do not give any more goes.
	body := `{"name":"Acme ID","kind":"oidc","issuer":"` + p.issuer + `","clientId":"gatehouse","scopes":["email","profile","groups"],"enabled":true,"domains":["acme.example"],"groupRoles":[{"group":"other","role":"operator"}]}`
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, body, "If-Match", "*").status)
	a = w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, user, a.text(t, "tokens/user/id"))
	me = w.call(t, a.text(t, "tokens/accessToken"), "GET", "/me", "")
	require.Contains(t, me.body, `"roleName":"viewer"`)
	require.Contains(t, me.body, `"roleName":"operator"`)
	require.NotContains(t, me.body, `"roleName":"publisher"`)

	// Somebody who is a user is linked by the address, which the connection owns.
	a = w.federate(t, p, "ada@acme.example", "ada")
	require.Equal(t, 200, a.status, a.body)

	// All these get the same answer, and their reasons are in the audit trail.
	for login, why := range map[string]string{"mallory": "not verified", "far": "none of the connection's domains", "silent": "does not say that"} {
		a := w.federate(t, p, "x@acme.example", login)
		require.Equal(t, 401, a.status, a.body)
		require.Contains(t, a.body, "ask your administrator")
		require.NotContains(t, a.body, why)
		require.Eventually(t, func() bool {
			return strings.Contains(w.call(t, owner, "GET", "/audit?action=sso-connection.sign-in", "").body, why)
		}, 5*time.Second, 20*time.Millisecond, why)
	}
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+user, `{"status":"disabled"}`, "If-Match", "*").status)
	require.Equal(t, 401, w.federate(t, p, "eve@acme.example", "eve").status)

	// A wrong issuer, a wrong code, and what the provider refuses.
	for _, change := range []map[string]string{{"iss": "https://other.example"}, {"iss": ""}, {"code": "wrong"}, {"code": "", "error": "access_denied"}} {
		a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, w.begin(t, "ada@acme.example"), "ada"), change))
		require.Equal(t, 401, a.status, "%v: %s", change, a.body)
	}
	// Too late.
	back = p.visit(t, w.begin(t, "ada@acme.example"), "ada")
	w.clock.Advance(11 * time.Minute)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, back, nil)).status)

	w.stop()
	for _, secret := range []string{"a client secret", binding, back.Get("code"), token} {
		require.NotContains(t, w.logged(), secret)
	}
}

// An administrator cannot become an owner by an identity provider of their own.
func TestAConnectionGivesNoMoreThanWhoMadeItHas(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"boss": {"email": "ada@example.com", "email_verified": true}})
	w, owner := ssoWorld(t)
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	require.Equal(t, 201, w.call(t, owner, "POST", "/domains", `{"domain":"example.com"}`).status)
	a := w.connect(t, admin, p, map[string]any{"domains": []string{"example.com"}})
	require.Equal(t, 401, w.federate(t, p, "ada@example.com", "boss").status)
	for _, role := range []string{"owner", "platform-administrator", "king"} {
		body := `{"name":"x","kind":"oidc","issuer":"` + p.issuer + `","clientId":"c","groupRoles":[{"group":"g","role":"` + role + `"}]}`
		refused := w.call(t, admin, "POST", "/sso/connections", body)
		require.Equal(t, 422, refused.status, refused.body)
		require.Contains(t, refused.body, "/groupRoles/0/role")
	}
	// The owner saves it, and so vouches for it.
	body := `{"name":"Acme ID","kind":"oidc","issuer":"` + p.issuer + `","clientId":"gatehouse","enabled":true,"domains":["example.com"]}`
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+a.text(t, "id"), body, "If-Match", "*").status)
	require.Equal(t, 200, w.federate(t, p, "ada@example.com", "boss").status)
	// With another issuer the secret is gone, and so are the links.
	moved := w.call(t, owner, "PUT", "/sso/connections/"+a.text(t, "id"), strings.Replace(body, p.issuer, "https://login.example.com", 1), "If-Match", "*")
	require.Equal(t, 200, moved.status, moved.body)
	require.Contains(t, moved.body, `"hasSecret":false`)
}

func TestTestingAConnection(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve", "groups": []string{"apis"}}})
	w, owner := ssoWorld(t)
	id := w.connect(t, owner, p, map[string]any{"enabled": false, "provision": true, "roles": []string{"viewer"}, "groupRoles": []map[string]string{{"group": "apis", "role": "publisher"}}}).text(t, "id")
	require.Equal(t, 404, w.call(t, "", "POST", "/sign-in/sso", object(t, map[string]string{"connection": id, "origin": ssoOrigin, "binding": binding})).status, "it is not switched on")
	test := func(login string, change map[string]string) answer {
		a := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"origin": ssoOrigin, "binding": binding}))
		require.Equal(t, 200, a.status, a.body)
		a = w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, a.text(t, "address"), login), change))
		require.Equal(t, 200, a.status, a.body)
		require.NotContains(t, a.body, "tokens")
		kept := a.text(t, "test")
		admin := w.invite(t, owner, "adm-"+kept[24:]+"@example.com", `{"role":"administrator"}`).text(t, "accessToken")
		require.Equal(t, 404, w.call(t, admin, "GET", "/sso/tests/"+kept, "").status, "it is of whoever began it")
		return w.call(t, owner, "GET", "/sso/tests/"+kept, "")
	}
	a := test("eve", nil)
	require.Equal(t, 200, a.status, a.body)
	for _, part := range []string{`"outcome":"made"`, `"roles":["publisher","viewer"]`, `"groups":["apis"]`, `"email":"eve@acme.example"`, `"emailVerified":true`, `"claims":{`, `"sub":"eve"`} {
		require.Contains(t, a.body, part)
	}
	require.NotContains(t, w.call(t, owner, "GET", "/users", "").body, "eve@acme.example", "nobody was made")
	w.recordedAs(t, owner, "sso-connection.tested", id)
	a = test("eve", map[string]string{"code": "wrong"})
	require.Contains(t, a.body, `"outcome":"failed"`)
	require.Contains(t, a.body, "invalid_grant")

	for body, field := range map[string]string{
		`{"name":"x","kind":"oidc","issuer":"http://login.example.com","clientId":"c"}`:                          "/issuer",
		`{"name":"x","kind":"oidc","issuer":"https://login.example.com","clientId":"c","domains":["acme"]}`:      "/domains/0",
		`{"name":"x","kind":"oidc","issuer":"https://login.example.com","clientId":"c","provision":true}`:        "/domains",
		`{"name":"x","kind":"wsfed","issuer":"https://login.example.com","clientId":"c"}`:                        "/kind",
		`{"name":"x","kind":"oidc","issuer":"https://login.example.com","clientId":"c","roles":["viewer","no"]}`: "/roles/1",
	} {
		a := w.call(t, owner, "POST", "/sso/connections", body)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`)
	}
	// A domain is of one organization, which is the one that has proven it.
	w.organization(t, "second", "two@example.com")
	second := w.signIn(t, "two@example.com", "second")
	body := `{"name":"Acme ID","kind":"oidc","issuer":"https://login.example.com","clientId":"c","domains":["acme.example"]}`
	require.Contains(t, w.call(t, second, "POST", "/sso/connections", body).body, `"unverifiedDomains":["acme.example"]`)
	require.Equal(t, 409, w.call(t, owner, "POST", "/sso/connections", strings.Replace(body, "acme.example", "b.example", 1)).status, "the name is taken")
	require.Equal(t, 409, w.call(t, owner, "POST", "/sso/connections", strings.Replace(body, "Acme ID", "Other ID", 1)).status, "the domain leads to one connection")
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/sso/connections/"+id, "", "If-Match", "*").status)
}
