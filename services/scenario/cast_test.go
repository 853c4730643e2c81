package scenario_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/scenario"
	"github.com/gatehouse/gatehouse/services/standalone"
)

// cast are those who call, in the order of the columns; a role of a project is
// given in the project alone. Acting is an owner as whom the first one acts.
var cast = []struct{ name, role string }{
	{"owner", "owner"},
	{"administrator", "administrator"},
	{"auditor", "auditor"},
	{"project-owner", "project-owner"},
	{"publisher", "publisher"},
	{"operator", "operator"},
	{"viewer", "viewer"},
	{"consumer", "consumer"},
	{"acting", "owner"},
	{"none", ""},
	{"stranger", ""},
	{"nobody", ""},
}

var ofProject = map[string]bool{"project-owner": true, "publisher": true}

// begin starts the suite, with two organizations and all roles; it writes its log to
// log, where there is one.
func begin(t *testing.T, log ...*slog.Logger) *matrix {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready.json")
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	var once sync.Once
	end := func() { once.Do(func() { stop(); require.NoError(t, <-ended) }) }
	data := filepath.Join(t.TempDir(), "data")
	o := standalone.Options{Data: data, Listen: "127.0.0.1:0", Traffic: "127.0.0.1:0", ReadyFile: file}
	if len(log) > 0 {
		o.Log = log[0]
	}
	go func() { ended <- standalone.Run(ctx, o) }()
	t.Cleanup(end)
	var ready standalone.Ready
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(b, &ready) == nil
	}, scenario.Patience, 10*time.Millisecond)
	m := &matrix{
		t: t, data: data, end: end, api: ready.API, traffic: ready.Traffic, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}},
		tokens: map[string]string{}, ids: map[string]string{}, sent: map[string]string{},
	}
	t.Cleanup(m.client.CloseIdleConnections)

	const tenants = "tenant-manager"
	m.tokens["owner"] = m.made("", "POST", tenants, "/sign-in/one-time", `{"code":"`+ready.SignIn.Code+`"}`, "accessToken")
	m.made("owner", "POST", tenants, "/setup", `{"organizationName":"First","name":"Olga","email":"owner@first.example","password":"`+matrixPassword+`"}`, "user/id")
	link := m.made("owner", "POST", tenants, "/organizations", `{"slug":"second","name":"Second","ownerEmail":"owner@second.example"}`, "token")
	m.tokens["stranger"] = m.accept(link, "Stranger")

	project := m.made("owner", "POST", "gateway-manager", "/projects", `{"slug":"matrix","name":"Matrix"}`, "id")
	for _, c := range cast[1 : len(cast)-2] { // the first is there, and the last two are not of the organization
		role := `{"role":"` + c.role + `"}`
		switch {
		case ofProject[c.name]:
			role = `{"role":"` + c.role + `","project":"` + project + `"}`
		case c.role == "":
			role = `{"role":"viewer"}` // nobody is invited without one; it is taken away below
		}
		email := c.name + "@first.example"
		m.tokens[c.name] = m.accept(m.made("owner", "POST", tenants, "/invitations", `{"email":"`+email+`","roles":[`+role+`]}`, "token"), c.name)
	}
	acting := m.made("acting", "GET", tenants, "/me", "", "user/id")
	m.tokens["acting"] = m.made("owner", "POST", tenants, "/users/"+acting+"/impersonation", `{"reason":"to see what that may do"}`, "accessToken")
	none := m.made("none", "GET", tenants, "/me", "", "user/id")
	_, _, grants := m.send("owner", "GET", tenants, "/grants?principal="+none, "")
	var list struct{ Items []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(grants), &list))
	status, _, answer := m.send("owner", "DELETE", tenants, "/grants/"+list.Items[0].ID, "", "If-Match", "*")
	require.Equal(t, http.StatusNoContent, status, answer)
	m.make(project)
	return m
}

// accept accepts an invitation and returns an access token.
func (m *matrix) accept(link, name string) string {
	m.t.Helper()
	return m.made("", "POST", "tenant-manager", "/invitations/by-token/"+link+"/accept", `{"name":"`+name+`","password":"`+matrixPassword+`"}`, "accessToken")
}

// make makes one of everything whose id goes into a path, unless the first of its
// list does. A new path with an id needs a line here, if it has no list.
func (m *matrix) make(project string) {
	m.t.Helper()
	owner := func(service, path, body string) string { return m.made("owner", "POST", service, path, body, "id") }
	api := m.made("owner", "POST", "gateway-manager", "/apis", `{"project":"`+project+`","name":"Matrix","basePath":"/matrix","upstreams":[{"targets":[{"url":"http://127.0.0.1:1"}]}]}`, "id")
	environment := m.first("gateway-manager", "/environments")
	group := m.first("gateway-manager", "/gateway-groups")
	account := owner("tenant-manager", "/service-accounts", `{"name":"ci"}`)
	token := owner("tenant-manager", "/service-accounts/"+account+"/tokens", `{"name":"t"}`)
	staff := owner("tenant-manager", "/groups", `{"name":"Staff"}`)
	m.made("owner", "POST", "tenant-manager", "/groups/"+staff+"/members", `{"member":"`+account+`"}`, "id")
	m.made("owner", "PUT", "tenant-manager", "/boundaries/"+account, `{"role":"viewer"}`, "role")
	personal := owner("tenant-manager", "/me/tokens", `{"name":"t","expiresAt":"`+time.Now().AddDate(0, 0, 20).UTC().Format(time.RFC3339)+`"}`)
	owner("tenant-manager", "/access/requests", `{"role":"viewer","reason":"to see"}`)
	owner("tenant-manager", "/access/reviews", `{"name":"Quarter","scope":{"kind":"role","id":"viewer"},"undecided":"keep","deadline":"`+time.Now().AddDate(0, 0, 20).UTC().Format(time.RFC3339)+`"}`)
	owner("tenant-manager", "/bulk-jobs", `{"action":"enable","users":["`+noSuch+`"]}`)
	owner("tenant-manager", "/invitations", `{"email":"later@first.example","roles":[{"role":"viewer"}]}`)
	client := m.made("owner", "POST", "tenant-manager", "/oauth/clients", `{"name":"Billing"}`, "client/id")
	owner("tenant-manager", "/oauth/scopes", `{"name":"orders:read"}`)
	factor := owner("tenant-manager", "/me/factors/totp", `{"name":"phone"}`)
	owner("tenant-manager", "/sso/connections", `{"name":"Acme ID","kind":"oidc","issuer":"https://login.example.com","clientId":"gatehouse"}`)
	directory := owner("tenant-manager", "/scim/directories", `{"name":"People","domains":["first.example"]}`)
	owner("tenant-manager", "/audit/receivers", `{"name":"SIEM","kind":"syslog","address":"udp://127.0.0.1:9","enabled":false}`)
	user := m.made("owner", "GET", "tenant-manager", "/me", "", "user/id")
	application := owner("devportal-backend", "/applications", `{"name":"Matrix"}`)
	hook := m.made("owner", "POST", "tenant-manager", "/webhooks", `{"name":"Chat","address":"http://127.0.0.1:9","events":["owner.granted"],"enabled":false}`, "webhook/id")
	m.ids = map[string]string{
		"gateway-manager /projects/{id}":                           project,
		"gateway-manager /apis/{id}":                               api,
		"gateway-manager /apis/{id}/deployments/{environment}":     environment,
		"gateway-manager /gateway-groups/{id}":                     group,
		"gateway-manager /gateway-groups/{id}/join-tokens/{token}": owner("gateway-manager", "/gateway-groups/"+group+"/join-tokens", `{"name":"t"}`),
		"policy-manager /projects/{project}":                       project,
		"policy-manager /apis/{api}":                               api,
		"policy-manager /plans/{plan}":                             owner("policy-manager", "/apis/"+api+"/plans", `{"slug":"bronze","name":"Bronze","security":{"type":"api-key"},"approval":"automatic"}`),
		"policy-manager /policy-sets/{policySet}":                  owner("policy-manager", "/policy-sets", `{"slug":"matrix","name":"Matrix","policies":[]}`),
		"devportal-backend /catalogue/{api}":                       api,
		"devportal-backend /applications/{application}":            application,
		"devportal-backend /credentials/{credential}":              m.made("owner", "POST", "devportal-backend", "/applications/"+application+"/credentials", `{"name":"first"}`, "id"),
		"tenant-manager /users/{id}":                               user,
		"tenant-manager /system/jobs/{service}":                    "tenant-manager",
		"tenant-manager /system/jobs/{service}/{job}":              "sso-metadata",
		"tenant-manager /me/factors/{id}":                          factor,
		"tenant-manager /oauth/clients/{id}":                       client,
		"tenant-manager /oauth/initial-tokens/{id}":                m.made("owner", "POST", "tenant-manager", "/oauth/initial-tokens", `{"name":"Partners"}`, "initialToken/id"),
		"tenant-manager /oauth/clients/{id}/secrets/{secret}":      owner("tenant-manager", "/oauth/clients/"+client+"/secrets", `{}`),
		"tenant-manager /boundaries/{id}":                          account,
		"tenant-manager /access/effective/{id}":                    account,
		"tenant-manager /setup-steps/{step}":                       "sso",
		"tenant-manager /me/tokens/{id}":                           personal,
		"tenant-manager /users/{id}/tokens/{token}":                personal,
		"tenant-manager /service-accounts/{id}":                    account,
		"tenant-manager /service-accounts/{id}/tokens/{token}":     token,
		"tenant-manager /scim/directories/{id}":                    directory,
		"tenant-manager /scim/directories/{id}/tokens/{token}":     owner("tenant-manager", "/scim/directories/"+directory+"/tokens", `{"name":"t"}`),
		"tenant-manager /groups/{id}":                              staff,
		"tenant-manager /groups/{id}/members/{member}":             account,
		"tenant-manager /roles/{id}":                               owner("tenant-manager", "/roles", `{"name":"matrix","permissions":["api:read"]}`),
		"tenant-manager /organizations/{id}":                       m.made("owner", "GET", "tenant-manager", "/me", "", "organization/id"),

		"tenant-manager /brand/images/{hash}":                 m.made("owner", "POST", "tenant-manager", "/brand/images", `{"content":"PHN2ZyB3aWR0aD0iMSIgaGVpZ2h0PSIxIi8+"}`, "hash"),
		"tenant-manager /letters/{kind}":                      "invitation",
		"tenant-manager /letters/{kind}/{language}":           "en",
		"tenant-manager /webhooks/{id}":                       hook,
		"tenant-manager /webhooks/{id}/deliveries/{delivery}": m.made("owner", "POST", "tenant-manager", "/webhooks/"+hook+"/test", "", "id"),
	}
}

// first returns the id of the first of a list, as the owner sees it.
func (m *matrix) first(service, path string) string {
	m.t.Helper()
	status, _, answer := m.send("owner", "GET", service, path, "")
	if status != http.StatusOK {
		return ""
	}
	var list struct{ Items []map[string]any }
	require.NoError(m.t, json.Unmarshal([]byte(answer), &list), answer)
	if len(list.Items) == 0 {
		return ""
	}
	for _, key := range []string{"id", "name", "type"} {
		if s, ok := list.Items[0][key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}
