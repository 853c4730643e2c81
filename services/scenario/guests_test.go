package scenario_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/internal/operations"
	"github.com/gatehouse/gatehouse/services/scenario"
)

// guests are callers of the first organization whose grants are not for what is
// walked: for another project, another API of the same project, another environment;
// and those who come by a token.
var guests = []string{"other-project", "other-api", "other-environment", "account", "token", "narrow-token"}

// callers are all, in the order of the columns.
func callers() []string {
	var out []string
	for _, c := range cast {
		out = append(out, c.name)
	}
	return append(out, guests...)
}

// live has the API of the test called, so that there is one of everything that comes
// of that: a revision, a deployment, a subscription, and a record of traffic.
func (m *matrix) live(project string) {
	m.t.Helper()
	const gateways, policies, portal = "gateway-manager", "policy-manager", "devportal-backend"
	api, plan := m.ids["gateway-manager /apis/{id}"], m.ids["policy-manager /plans/{plan}"]
	anyVersion := []string{"If-Match", "*"}
	do := func(method, service, path, body string) string {
		m.t.Helper()
		status, _, answer := m.send("owner", method, service, path, body, anyVersion...)
		require.Less(m.t, status, 300, "%s %s: %s", method, path, answer)
		return answer
	}
	do(http.MethodPost, policies, "/plans/"+plan+"/publish", "")
	deployment := m.made("owner", http.MethodPost, gateways, "/apis/"+api+"/deployments", `{"environment":"dev"}`, "id")
	do(http.MethodPost, gateways, "/apis/"+api+"/publish", "")
	var subscription string
	require.Eventually(m.t, func() bool { // the plan has to be known to the portal
		status, _, answer := m.send("owner", http.MethodPost, portal, "/subscriptions", `{"application":"`+m.ids["devportal-backend /applications/{application}"]+`","plan":"`+plan+`"}`)
		var made struct{ Subscription struct{ ID string } }
		require.NoError(m.t, json.Unmarshal([]byte(answer), &made), answer)
		subscription = made.Subscription.ID
		return status == http.StatusCreated
	}, scenario.Patience, 20*time.Millisecond)
	key := m.made("owner", http.MethodPost, portal, "/applications/"+m.ids["devportal-backend /applications/{application}"]+"/credentials", `{"name":"second"}`, "key")
	require.Eventually(m.t, func() bool { // there is nothing behind it: that is a record as well
		r, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, m.traffic+"/matrix/a", nil)
		require.NoError(m.t, err)
		r.Header.Set("X-API-Key", key)
		res, err := m.client.Do(r)
		require.NoError(m.t, err)
		require.NoError(m.t, res.Body.Close())
		return res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable
	}, scenario.Patience, 20*time.Millisecond, "the API is not called")
	m.ids["gateway-manager /deployments/{id}"] = deployment
	m.ids["gateway-manager /apis/{id}/revisions/{number}"] = "1"
	m.ids["devportal-backend /subscriptions/{subscription}"] = subscription

	// Another project, another API in the first one, and who has something to say there.
	other := m.made("owner", http.MethodPost, gateways, "/projects", `{"slug":"other","name":"Other"}`, "id")
	beside := m.made("owner", http.MethodPost, gateways, "/apis", `{"project":"`+project+`","name":"Beside","basePath":"/beside","upstreams":[{"targets":[{"url":"http://127.0.0.1:1"}]}]}`, "id")
	var staging string
	var list struct{ Items []struct{ ID, Slug string } }
	require.NoError(m.t, json.Unmarshal([]byte(do(http.MethodGet, gateways, "/environments", "")), &list))
	for _, e := range list.Items {
		if e.Slug == "stg" {
			staging = e.ID
		}
	}
	require.NotEmpty(m.t, staging)
	m.account("other-project", `"role":"project-owner","project":"`+other+`"`)
	m.account("other-api", `"role":"publisher","api":"`+beside+`"`)
	m.account("other-environment", `"role":"operator","environment":"`+staging+`"`)
	m.account("account", `"role":"administrator"`)
	m.token("token", "")
	m.token("narrow-token", `,"permissions":["api:read"]`)

	group := m.ids["gateway-manager /gateway-groups/{id}"]
	ofAPI := []string{api, plan, deployment, subscription}
	m.hidden = map[string][]string{
		"other-project":     append([]string{project, beside}, ofAPI...),
		"other-api":         ofAPI,
		"other-environment": {m.ids["gateway-manager /apis/{id}/deployments/{environment}"], group, deployment, subscription},
	}
	record := ""
	require.Eventually(m.t, func() bool {
		var list struct {
			Items []struct{ RequestID, Application string }
		}
		require.NoError(m.t, json.Unmarshal([]byte(do(http.MethodGet, "analysis-manager", "/records?limit=50", "")), &list))
		for _, r := range list.Items {
			if r.Application != "" {
				record = r.RequestID
			}
		}
		return record != ""
	}, scenario.Patience, 20*time.Millisecond, "there is no record of the call")
	for _, path := range []string{"analysis-manager /records/{requestId}", "analysis-manager /explain/{requestId}", "devportal-backend /applications/{application}/requests/{requestId}"} {
		m.ids[path] = record
	}
}

// account makes a service account with a grant, and takes its access token.
func (m *matrix) account(name, grant string) {
	m.t.Helper()
	const tenants = "tenant-manager"
	id := m.made("owner", http.MethodPost, tenants, "/service-accounts", `{"name":"`+name+`"}`, "id")
	m.made("owner", http.MethodPost, tenants, "/grants", `{"principal":"`+id+`",`+grant+`}`, "id")
	m.exchange(name, m.made("owner", http.MethodPost, tenants, "/service-accounts/"+id+"/tokens", `{"name":"t"}`, "token"))
}

// token makes a personal token of the owner's, takes its access token, and returns
// its id.
func (m *matrix) token(name, more string) string {
	m.t.Helper()
	soon := time.Now().AddDate(0, 0, 20).UTC().Format(time.RFC3339)
	status, _, answer := m.send("owner", http.MethodPost, "tenant-manager", "/me/tokens", `{"name":"`+name+`","expiresAt":"`+soon+`"`+more+`}`)
	require.Equal(m.t, http.StatusCreated, status, answer)
	var made struct{ ID, Token string }
	require.NoError(m.t, json.Unmarshal([]byte(answer), &made))
	m.exchange(name, made.Token)
	return made.ID
}

func (m *matrix) exchange(name, token string) {
	m.t.Helper()
	m.tokens[name] = m.made("", http.MethodPost, "tenant-manager", "/token/personal", `{"token":"`+token+`"}`, "accessToken")
}

// isHidden reports whether a path leads to something that a caller's grants are not for.
func (m *matrix) isHidden(who, path string) bool {
	return slices.ContainsFunc(m.hidden[who], func(id string) bool { return strings.Contains(path, id) })
}

// reaches says what is wrong where a caller was let to something that its grants are
// not for, or was told of it. A refusal names the project that somebody has to be asked
// about, and nothing else of it.
func (m *matrix) reaches(who, name, path, verdict, answer string) string {
	if verdict != "+" || everybodys[name] != "" {
		return ""
	}
	for _, id := range m.hidden[who] {
		switch {
		case strings.Contains(path, id):
			return "it was let to what its grants are not for"
		case strings.Contains(answer, id):
			return "it was told of what its grants are not for, " + id
		}
	}
	return ""
}

const published = "an API that was published is for everybody of the organization"

// everybodys are operations about what is of a project and everybody's in the
// organization.
var everybodys = map[string]string{
	"devportal-backend listCatalogue":         published,
	"devportal-backend getCatalogueEntry":     published,
	"devportal-backend getCatalogueDocument":  published,
	"devportal-backend getCatalogueOperation": published,
}

// sent are things that are sent in place of what the document alone says.
var sent = map[string]map[string]any{
	"gateway-manager deployApi":          {"environment": "dev"},
	"tenant-manager createBulkJob":       {"action": "disable", "users": []any{noSuch}},
	"tenant-manager decideAccessReview":  {"allUndecided": true, "decision": "keep"},
	"tenant-manager updateAuditReceiver": {"kind": "syslog", "address": "udp://127.0.0.1:9"},
	"tenant-manager updateWebhook":       {"address": "http://127.0.0.1:9", "events": []any{"owner.granted"}},
}

// asks reports whether it says anything that somebody calls an operation: whose grants
// are for something else is asked for what they are not for, and for lists; and what is
// everybody's is asked for by some.
func (m *matrix) asks(who string, o operations.Operation, path string) bool {
	switch {
	case o.Public:
		return who == "owner" || who == "none" || who == "stranger" || who == "nobody"
	case m.hidden[who] != nil:
		return m.isHidden(who, path) || !o.Writes() && path == o.Path
	case who == "narrow-token":
		return !o.Writes()
	}
	return true
}
