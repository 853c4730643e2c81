package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/scenario"
	"github.com/gatehouse/gatehouse/services/standalone"
)

const (
	matrixPassword = "several words of my own"
	// noSuch is an id of nothing.
	noSuch = "00000000-0000-7000-8000-000000000000"
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

// skipped are operations that would end what the test runs on.
var skipped = map[string]string{
	"tenant-manager signOut": "it ends the session of the caller",
}

// nothing are things that are not made for the test: an id of nothing is sent.
var nothing = map[string]string{
	"tenant-manager /system/licences/{digest}":                           "licences have names of their own",
	"tenant-manager /me/device-sign-ins/{code}":                          "no device waits",
	"analysis-manager /records/{requestId}":                              "there was no traffic",
	"analysis-manager /explain/{requestId}":                              "there was no traffic",
	"devportal-backend /applications/{application}/requests/{requestId}": "there was no traffic",
	"devportal-backend /catalogue/{api}/operations/{operation}":          "the API is not in the catalogue",
	"devportal-backend /subscriptions/{subscription}":                    "nothing is deployed to subscribe to",
	"gateway-manager /apis/{id}/revisions/{number}":                      "there is none yet",
	"gateway-manager /deployments/{id}":                                  "there is none yet",
	"tenant-manager /mail/messages/{id}":                                 "no mail server is set up",
	"tenant-manager /me/consents/{id}":                                   "nobody has consented to anything yet",
	"tenant-manager /oauth/consents/{id}":                                "nobody has consented to anything yet",
	"tenant-manager /oauth/authorizations/by-token/{token}":              "it names a sign-in that somebody has begun",
	"tenant-manager /oauth/devices/{code}":                               "it names a device that shows the code",
	"tenant-manager /sign-in/sso/saml/{id}":                              "the connection that is made is of another kind",
	"tenant-manager /sso/tests/{id}":                                     "nobody has tested a connection",
	"tenant-manager /password-requests/{id}":                             "nobody has forgotten a password",
	"tenant-manager /invitations/by-token/{token}":                       "the secret of a link, of no organization",
	"tenant-manager /password-links/by-token/{token}":                    "the secret of a link, of no organization",
}

// shared are things that are of no organization.
var shared = map[string]string{
	"policy-manager /policy-types/{type}": "the types are those of the program",

	"tenant-manager /brand/images/{hash}":               "logos are for everybody",
	"tenant-manager /letters/{kind}/{language}":         "every organization has letters of each kind",
	"tenant-manager /letters/{kind}/{language}/preview": "every organization has letters of each kind",
	"tenant-manager /letters/{kind}/{language}/test":    "every organization has letters of each kind",
	"tenant-manager /setup-steps/{step}":                "every organization has the same steps",
}

// matrix is the suite in one process, with all who call.
type matrix struct {
	t      *testing.T
	api    string
	client *http.Client
	tokens map[string]string
	// ids are what goes into paths, by service and path; of the first organization.
	ids map[string]string
	// sent are the ids of the last requests to each address.
	sent map[string]string
}

func (m *matrix) send(who, method, service, path, body string, header ...string) (int, http.Header, string) {
	m.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(m.t.Context(), scenario.Patience)
		r, err := http.NewRequestWithContext(ctx, method, m.api+"/api/"+service+"/v1"+path, strings.NewReader(body))
		require.NoError(m.t, err)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if token := m.tokens[who]; token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := m.client.Do(r)
		require.NoError(m.t, err, "%s %s %s", method, service, path)
		var content bytes.Buffer
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") { // that does not end
			_, err = io.Copy(&content, io.LimitReader(res.Body, 4<<20))
			require.NoError(m.t, err)
		}
		_ = res.Body.Close()
		cancel()
		// Neither yes nor no: it is asked again.
		if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
			m.sent[method+" "+service+" "+path] = res.Header.Get("X-Request-Id")
			return res.StatusCode, res.Header, content.String()
		}
		after, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if err != nil {
			after = 1
		}
		select {
		case <-time.After(time.Duration(after) * time.Second):
		case <-m.t.Context().Done():
			m.t.FailNow()
		}
	}
}

// made sends a request that must be carried out, and returns a field of the
// answer, named by a path such as "user/id".
func (m *matrix) made(who, method, service, path, body, field string) string {
	m.t.Helper()
	status, _, answer := m.send(who, method, service, path, body)
	require.Less(m.t, status, 300, "%s %s %s: %s", method, service, path, answer)
	var v any
	require.NoError(m.t, json.Unmarshal([]byte(answer), &v), answer)
	for key := range strings.SplitSeq(field, "/") {
		o, ok := v.(map[string]any)
		require.True(m.t, ok, "%s in %s", field, answer)
		v = o[key]
	}
	s, ok := v.(string)
	require.True(m.t, ok, "%s in %s", field, answer)
	return s
}

// begin starts the suite, with two organizations and all roles.
func begin(t *testing.T) *matrix {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready.json")
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	var once sync.Once
	end := func() { once.Do(func() { stop(); require.NoError(t, <-ended) }) }
	data := filepath.Join(t.TempDir(), "data")
	go func() {
		ended <- standalone.Run(ctx, standalone.Options{Data: data, Listen: "127.0.0.1:0", Traffic: "127.0.0.1:0", ReadyFile: file})
	}()
	t.Cleanup(end)
	var ready standalone.Ready
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(b, &ready) == nil
	}, scenario.Patience, 10*time.Millisecond)
	m := &matrix{t: t, api: ready.API, client: &http.Client{}, tokens: map[string]string{}, ids: map[string]string{}, sent: map[string]string{}}
	t.Cleanup(m.client.CloseIdleConnections)

	const tenants = "tenant-manager"
	m.tokens["owner"] = m.made("", "POST", tenants, "/sign-in/one-time", `{"code":"`+ready.SignIn.Code+`"}`, "accessToken")
	m.made("owner", "POST", tenants, "/setup", `{"organizationName":"First","name":"Olga","email":"owner@first.example","password":"`+matrixPassword+`"}`, "user/id")
	link := m.made("owner", "POST", tenants, "/organizations", `{"slug":"second","name":"Second","ownerEmail":"owner@second.example"}`, "token")
	m.tokens["stranger"] = m.accept(link, "Stranger")

	project := m.made("owner", "POST", "gateway-manager", "/projects", `{"slug":"matrix","name":"Matrix"}`, "id")
	for _, c := range cast[1 : len(cast)-2] {
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

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

// path returns a path with the ids of the first organization, or, from the
// parameter on that last ends it, with that of nothing.
func (m *matrix) path(service, template string, paths map[string]*openapi3.PathItem, last string) string {
	m.t.Helper()
	out, at := "", 0
	all := pathParameter.FindAllStringIndex(template, -1)
	for i, p := range all {
		out += template[at:p[0]]
		at = p[1]
		key := service + " " + template[:p[1]]
		id, known := m.ids[key]
		if _, none := nothing[key]; !known && !none {
			if list := strings.TrimSuffix(template[:p[0]], "/"); paths[list] != nil && paths[list].Get != nil {
				id = m.first(service, strings.TrimSuffix(out, "/"))
				m.ids[key] = id
			}
			require.NotEmpty(m.t, id, "%s: make one of it in the test's make, or say in nothing why there is none", key)
		}
		if id == "" || last != "" && i == len(all)-1 {
			id = last
			if id == "" {
				id = noSuch
			}
		}
		out += id
	}
	return out + template[at:]
}

// harmless reports whether an operation can be sent with what it refuses: it
// takes a body that must have something, or a version.
func harmless(op *openapi3.Operation) bool {
	for _, p := range op.Parameters {
		if p.Value.In == "header" && p.Value.Name == "If-Match" && p.Value.Required {
			return true
		}
	}
	if op.RequestBody == nil || !op.RequestBody.Value.Required {
		return false
	}
	for _, c := range op.RequestBody.Value.Content {
		if s := c.Schema.Value; len(s.Required) == 0 && s.MinProps == 0 {
			return false
		}
	}
	return true
}

// verdict is what an answer says of whether somebody may: yes (+), no (-), that
// it is not there for them (0), or that they should sign in (?).
func verdict(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "?"
	case http.StatusForbidden:
		return "-"
	case http.StatusNotFound:
		return "0"
	default:
		return "+"
	}
}

// Every operation of every service, as everybody: who may, who may not, and that
// nobody sees anything of another organization. What an operation refuses for its
// content counts as allowed.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	m := begin(t)
	files, err := filepath.Glob("../*/openapi.yaml")
	require.NoError(t, err)
	// What the bff does itself is done for whoever has the cookie of a session, or
	// for everybody; all else it hands on to these.
	files = slices.DeleteFunc(files, func(f string) bool { return strings.Contains(f, "/bff/") })
	require.Len(t, files, 5)
	var out strings.Builder
	fmt.Fprintf(&out, "# Who may do what: + yes, - no, 0 not there for them, ? only signed in. Columns:\n#")
	for _, c := range cast {
		fmt.Fprintf(&out, " %s", c.name)
	}
	fmt.Fprintln(&out)
	secrets := map[string]bool{}
	for _, file := range files {
		service := filepath.Base(filepath.Dir(file))
		doc, err := openapi3.NewLoader().LoadFromFile(file)
		require.NoError(t, err)
		paths := doc.Paths.Map()
		for _, template := range slices.Sorted(maps.Keys(paths)) {
			for _, method := range slices.Sorted(maps.Keys(paths[template].Operations())) {
				op := paths[template].Operations()[method]
				if skipped[service+" "+op.OperationID] != "" {
					continue
				}
				real := m.path(service, template, paths, "")
				for _, id := range m.ids {
					secrets[id] = id != ""
				}
				fmt.Fprintf(&out, "%-17s %-6s %-52s ", service, method, template)
				for _, c := range cast {
					out.WriteString(m.ask(c.name, service, method, template, real, op, paths, secrets))
				}
				fmt.Fprintln(&out)
			}
		}
	}
	testkit.Golden(t, "matrix.golden", []byte(out.String()))
}

// ask makes one request and says what it came to.
func (m *matrix) ask(who, service, method, template, real string, op *openapi3.Operation, paths map[string]*openapi3.PathItem, secrets map[string]bool) string {
	m.t.Helper()
	path, apart := real, who == "stranger" || who == "nobody"
	public := op.Security != nil && len(*op.Security) == 0
	if method != http.MethodGet && !harmless(op) && (!apart || public) {
		path = m.path(service, template, paths, noSuch) // it would be carried out
	}
	body, header := "", []string{"If-Match", `"v0"`}
	if apart || strings.Contains(path, noSuch) {
		header[1] = "*" // whatever version there is, it is not theirs, or nothing
	}
	if op.RequestBody != nil {
		body = "{}"
	}
	query := ""
	for _, p := range op.Parameters {
		if p.Value.In == "query" && p.Value.Required {
			query = "?" + p.Value.Name + "=" + noSuch
		}
	}
	status, _, answer := m.send(who, method, service, path+query, body, header...)
	what := fmt.Sprintf("%s: %s %s %s: %d %s", who, method, service, path, status, answer)
	require.Less(m.t, status, 500, what)
	if apart && !public {
		if path != template && shared[service+" "+template] == "" {
			require.GreaterOrEqual(m.t, status, 400, "what is another organization's was touched: %s", what)
		}
		for id := range secrets {
			if secrets[id] && len(id) > 20 && !strings.Contains(path, id) {
				require.NotContains(m.t, answer, id, what)
			}
		}
	}
	return verdict(status)
}
