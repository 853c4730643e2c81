package tenantmanager_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the policy asks of administrators it asks of whoever may change who gets in and
// what they may do, however they come to it, and of nobody else.
func TestAdministratorsAreWhoAdministers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		w, owner := s.w, s.vars["owner"]
		made := func(path, body string) string {
			t.Helper()
			a := w.call(t, owner, "POST", path, body)
			require.Equal(t, 201, a.status, a.body)
			if strings.HasSuffix(path, "/members") {
				return ""
			}
			return a.text(t, "id")
		}
		made("/roles", `{"name":"all","permissions":["*"]}`)
		made("/roles", `{"name":"nothing","permissions":["portal:read"]}`)
		outer, inner := made("/groups", `{"name":"Outer"}`), made("/groups", `{"name":"Inner"}`)
		made("/groups/"+outer+"/members", `{"member":"`+inner+`"}`)
		made("/grants", `{"principal":"`+outer+`","role":"administrator"}`)
		people := map[string]struct {
			role  string
			asked bool
		}{
			"custom": {"all", true}, "nested": {"viewer", true}, "user": {"viewer", false}, "reader": {"auditor", false},
			"bound": {"administrator", false}, "denied": {"administrator", false},
		}
		ids := map[string]string{}
		for name, p := range people {
			ids[name] = w.invite(t, owner, name+"@example.com", `{"role":"`+p.role+`"}`).text(t, "user/id")
		}
		made("/groups/"+inner+"/members", `{"member":"`+ids["nested"]+`"}`)
		require.Less(t, w.call(t, owner, "PUT", "/boundaries/"+ids["bound"], `{"role":"viewer"}`, "If-None-Match", "*").status, 300)
		made("/grants", `{"principal":"`+ids["denied"]+`","role":"all","effect":"deny"}`)

		// Ada, Eve, Olaf, custom and nested.
		const asked = 5
		hits := w.call(t, owner, "POST", "/security-policy/preview", `{"mfa":"administrators"}`)
		require.Contains(t, hits.body, fmt.Sprintf(`"mfa":%d`, asked))
		found, all := w.found(t, owner)
		require.Equal(t, asked, found["administrators-without-factor"].Count)
		require.Equal(t, "ok", found["few-owners"].Severity)
		roles := map[string]string{}
		for _, a := range all.Administrators {
			roles[a.Principal.Name] = a.Role + " " + a.Group
		}
		require.Equal(t, map[string]string{
			"Ada": "owner ", "olaf@example.com": "owner ", "eve@example.com": "administrator ", "custom@example.com": "all ", "nested@example.com": "administrator Outer",
		}, roles)

		a := w.call(t, owner, "PATCH", "/security-policy", `{"mfa":"administrators","mfaGraceDays":0}`, anyVersion...)
		require.Equal(t, 200, a.status, a.body)
		for name, p := range people {
			a := w.call(t, "", "POST", "/sign-in", `{"email":"`+name+`@example.com","password":"`+goodWord+`"}`)
			require.Equal(t, 200, a.status, a.body)
			require.Equal(t, p.asked, strings.Contains(a.body, `"factorRequired":true`), name)
		}
	})
}

// Who only uses APIs is bound to no addresses, and that is by what they may do.
func TestConsumersAreWhoOnlyConsumes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		w, owner := s.w, s.vars["owner"]
		a := w.call(t, owner, "POST", "/groups", `{"name":"Chiefs"}`)
		require.Equal(t, 201, a.status, a.body)
		group := a.text(t, "id")
		require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+group+`","role":"administrator"}`).status)
		require.Equal(t, 201, w.call(t, owner, "POST", "/roles", `{"name":"partner","permissions":["portal:read","subscription:read"]}`).status)
		for name, role := range map[string]string{"consumer": "consumer", "partner": "partner", "chief": "consumer"} {
			id := w.invite(t, owner, name+"@example.com", `{"role":"`+role+`"}`).text(t, "user/id")
			if name == "chief" {
				require.Equal(t, 201, w.call(t, owner, "POST", "/groups/"+group+"/members", `{"member":"`+id+`"}`).status)
			}
		}
		// Ada, Eve, Vic, Olaf and the chief: the sessions of the others are as good elsewhere.
		hits := w.call(t, owner, "POST", "/security-policy/preview", `{"allowedAddresses":["10.0.0.0/8"]}`)
		require.Contains(t, hits.body, `"allowedAddresses":5`)
		a = w.call(t, owner, "PATCH", "/security-policy?confirmLockout=true", `{"allowedAddresses":["10.0.0.0/8"]}`, anyVersion...)
		require.Equal(t, 200, a.status, a.body)
		for name, status := range map[string]int{"consumer": http.StatusOK, "partner": http.StatusOK, "chief": http.StatusForbidden, "eve": http.StatusForbidden} {
			a := w.call(t, "", "POST", "/sign-in", `{"email":"`+name+`@example.com","password":"`+goodWord+`"}`)
			require.Equal(t, status, a.status, "%s: %s", name, a.body)
		}
	})
}

// No identity provider decides who may do everything, by whatever role.
func TestEverythingIsGivenByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	require.Equal(t, 201, w.call(t, owner, "POST", "/roles", `{"name":"all","permissions":["*"]}`).status)
	for _, role := range []string{"owner", "platform-administrator", "all"} {
		a := w.call(t, owner, "POST", "/sso/connections", `{"name":"Corp `+role+`","kind":"oidc","issuer":"https://id.example","clientId":"c","clientSecret":"s","roles":["`+role+`"]}`)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, "given by hand alone", role)
	}
}
