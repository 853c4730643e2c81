package tenantmanager_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// Organizations name secrets that are kept elsewhere, and only those that the
// operator lists for them.
func TestSecretsAreNamedByReferences(t *testing.T) {
	t.Setenv("GATEHOUSE_TEST_OPERATORS", "the operator's own")
	clock := testkit.NewClock()
	clock.Advance(time.Since(clock.Now())) // the provider's is the real one
	v := testkit.Vault(t, clock.Now)
	w := newWorldAt(t, clock, func(c *tenantmanager.Config) {
		c.Outbound.AllowLoopback = true
		c.Vault = &reference.VaultConfig{Address: v.URL, Token: schema.NewSecret(v.Root)}
		c.References = reference.Rules{Organizations: []string{"vault:secret/tenants/{organization}/"}, Platform: []string{"vault:secret/platform/smtp"}}
	})
	owner, sm := w.setUp(t), newSIEM(t)
	call := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, owner, method, path, body, header...)
		require.Equal(t, status, a.status, a.body)
		return a
	}
	require.JSONEq(t, `{"organization":["vault:secret/tenants/default/"],"platform":["vault:secret/platform/smtp"]}`, call("GET", "/secret-references", "", 200).body)

	// What is not listed is refused, field by field, and nothing is told of it.
	receiver := func(secret string) string {
		return `{"name":"SIEM","kind":"http","address":"` + sm.URL + `","secret":"` + secret + `","fromBeginning":true}`
	}
	for _, ref := range []string{
		"env:GATEHOUSE_TEST_OPERATORS", "env:NOT_SET", "file:/etc/passwd", "file:/not/there", "vault:secret/tenants/other/siem#header",
		"vault:secret/tenants/default#header", "vault:secret/tenants/default/../other/siem#header", "vault:secret/platform/smtp#password", "vault:secret/tenants/default/siem",
	} {
		a := call("POST", "/audit/receivers", receiver(ref), 422)
		require.Contains(t, a.body, `"/secret"`, ref)
		a = call("POST", "/secret-references/test", `{"reference":"`+ref+`"}`, 422)
		require.Contains(t, a.body, `"/reference"`, ref)
		require.NotContains(t, a.body, "is not set", ref)
		a = call("POST", "/sso/connections", `{"name":"x","kind":"oidc","issuer":"https://idp.example","clientId":"c","clientSecret":"`+ref+`"}`, 422)
		require.Contains(t, a.body, `"/clientSecret"`, ref)
		a = call("POST", "/sso/connections", `{"name":"x","kind":"ldap","ldap":{"urls":["ldaps://a.example"],"userBase":"dc=a","bindDn":"cn=x","bindPassword":"`+ref+`"}}`, 422)
		require.Contains(t, a.body, `"/ldap/bindPassword"`, ref)
	}
	mail := `{"host":"localhost","port":25,"security":"none","username":"u","fromAddress":"a@example.com","password":"`
	require.Contains(t, call("PUT", "/mail/settings", mail+`vault:secret/tenants/default/siem#header"}`, 422, "If-Match", "*").body, `"/password"`)
	require.Contains(t, call("PUT", "/mail/settings", mail+`vault:secret/platform/smtp#password"}`, 200, "If-Match", "*").body, `"passwordReference":"vault:secret/platform/smtp#password"`)
	require.Contains(t, call("POST", "/mail/test", `{"to":"a@example.com"}`, 200).body, "the password cannot be read: vault:secret/platform/smtp#password")
	call("POST", "/secret-references/test", `{"reference":"vault:secret/platform/smtp#password","platform":true}`, 200)

	// A receiver with one that is, before and after there is a secret.
	const ref = "vault:secret/tenants/default/siem#header"
	made := call("POST", "/audit/receivers", receiver(ref), 201)
	require.Contains(t, made.body, `"secretReference":"`+ref+`"`)
	test := func() string { return call("POST", "/audit/receivers/"+made.text(t, "id")+"/test", "", 200).body }
	require.Contains(t, test(), ref)
	require.Contains(t, call("POST", "/secret-references/test", `{"reference":"`+ref+`"}`, 200).body, `"ok":false`)
	v.Put("", "tenants/default/siem", map[string]any{"header": "Bearer of-the-siem"})
	a := call("POST", "/secret-references/test", `{"reference":"`+ref+`"}`, 200)
	require.Contains(t, a.body, `"ok":true`)
	w.clock.Advance(10 * time.Second)
	require.Contains(t, test(), `"ok":true`)
	v.Away(true)
	w.clock.Advance(10 * time.Minute)
	owner = w.signIn(t, "ada@example.com", "default")
	require.Contains(t, test(), `"ok":true`, "the last one is used while Vault is away")
	v.Away(false)
	v.Put("", "tenants/default/siem", map[string]any{"header": "Bearer of-another"})
	w.clock.Advance(2 * time.Minute)
	require.Contains(t, test(), "503", "the new one is used, which this receiver does not take")

	for _, leak := range []string{"of-the-siem", "of-another", "the operator's own", v.Root} {
		require.NotContains(t, w.logged(), leak)
		require.NotContains(t, call("GET", "/audit?limit=200", "", 200).body, leak)
	}
}

// Somebody signs in through a connection whose secret is in Vault.
func TestAConnectionHasItsSecretInVault(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve Acme"}})
	clock := testkit.NewClock()
	clock.Advance(time.Since(clock.Now())) // the provider's is the real one
	v := testkit.Vault(t, clock.Now)
	w := newWorldAt(t, clock, func(c *tenantmanager.Config) {
		c.Outbound.AllowLoopback = true
		c.Vault = &reference.VaultConfig{Address: v.URL, Token: schema.NewSecret(v.Root)}
		c.References = reference.Rules{Organizations: []string{"vault:secret/tenants/{organization}/"}}
	})
	owner := w.setUp(t)
	const ref = "vault:secret/tenants/default/sso#secret"
	made := w.connect(t, owner, p, map[string]any{"clientSecret": ref, "provision": true, "roles": []string{"viewer"}})
	require.Contains(t, made.body, `"secretReference":"`+ref+`"`)
	require.Equal(t, 401, w.federate(t, p, "eve@acme.example", "eve").status, "there is no such secret yet")
	v.Put("", "tenants/default/sso", map[string]any{"secret": "a client secret"})
	w.clock.Advance(10 * time.Second)
	in := w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, in.status, in.body)
	require.NotContains(t, w.logged(), "a client secret")
}

// items are those of a list.
func (a answer) items(t *testing.T) []any {
	t.Helper()
	var v struct {
		Items []any `json:"items"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v.Items
}

// The system pages tell of every instance.
func TestTheSystemTellsOfItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	var list answer
	require.Eventually(t, func() bool {
		list = w.call(t, owner, "GET", "/system/instances", "")
		return list.status == 200 && len(list.items(t)) == 1
	}, 30*time.Second, 20*time.Millisecond)
	for _, part := range []string{
		`"service":"tenant-manager"`, `"kind":"sqlite"`, `"schema":"00`, `"name":"housekeeping"`, `"ring":["k1"]`, `"table":"signing_keys"`,
		`"missing":["gateway-manager","policy-manager","analysis-manager","devportal-backend","bff"]`,
	} {
		require.Contains(t, list.body, part)
	}
	require.NotContains(t, list.body, `"pending"`)
	a := w.call(t, owner, "GET", "/system/settings", "")
	require.Equal(t, 200, a.status, a.body)

	require.Equal(t, 404, w.call(t, owner, "POST", "/system/jobs/tenant-manager/no-such/run", "").status)
	before := w.call(t, owner, "GET", "/system/instances", "")
	require.Contains(t, before.body, `"name":"sso-metadata"`)
	require.Equal(t, 202, w.call(t, owner, "POST", "/system/jobs/tenant-manager/sso-metadata/run", "").status)
	require.Eventually(t, func() bool {
		for _, i := range w.call(t, owner, "GET", "/system/instances", "").items(t) {
			for _, j := range i.(map[string]any)["jobs"].([]any) {
				if j := j.(map[string]any); j["name"] == "sso-metadata" && j["runs"].(float64) >= 2 {
					return true
				}
			}
		}
		return false
	}, 30*time.Second, 20*time.Millisecond)

	page := w.call(t, owner, "GET", "/system/licences?limit=5&kind=npm&q=vue", "")
	require.Equal(t, 200, page.status, page.body)
	items := page.items(t)
	require.Len(t, items, 5)
	digest := items[0].(map[string]any)["texts"].([]any)
	require.NotEmpty(t, page.text(t, "next"))
	require.Contains(t, w.call(t, owner, "GET", "/system/licences/"+digest[0].(string), "").body, "text")
	require.Equal(t, 404, w.call(t, owner, "GET", "/system/licences/0000000000000000", "").status)
	require.JSONEq(t, `{"shape":"services"}`, w.call(t, owner, "GET", "/system/backup", "").body)
}
