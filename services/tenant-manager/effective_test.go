package tenantmanager_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
)

func TestEffectiveAccess(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	granted, member := []string{"grant.created", "access-changed"}, []string{"group.member-added", "access-changed"}
	s.run(t, []step{
		{name: "staff", as: "eve", method: "POST", path: "/groups", body: `{"name":"Staff"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"staff": "id"}},
		{name: "team", as: "eve", method: "POST", path: "/groups", body: `{"name":"Team"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"team": "id"}},
		{name: "vic is in the team", as: "eve", method: "POST", path: "/groups/{team}/members", body: `{"member":"{vicId}"}`, status: 201, events: member},
		{name: "the team is in the staff", as: "eve", method: "POST", path: "/groups/{staff}/members", body: `{"member":"{team}"}`, status: 201, events: member},
		{name: "plans", as: "eve", method: "POST", path: "/roles", body: `{"name":"planner","permissions":["plan:*","gateway:read:prd"]}`, status: 201, events: []string{"role.created"}},
		{name: "no plans", as: "eve", method: "POST", path: "/roles", body: `{"name":"no-plans","permissions":["plan:delete"]}`, status: 201, events: []string{"role.created"}},
		{name: "by the staff", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{staff}","role":"planner","project":"p1"}`, status: 201, events: granted, keep: map[string]string{"grant": "id"}},
		{name: "denied by the team", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{team}","role":"no-plans","environment":"e1","effect":"deny"}`, status: 201, events: granted},
		{name: "for an hour", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"auditor","expiresAt":"2030-01-01T01:00:00Z"}`, status: 201, events: granted},

		{
			name: "nested", as: "eve", method: "GET", path: "/access/effective/{vicId}?q=plan:create", status: 200,
			has: []string{`"permission":"plan:create"`, `"project":"p1"`, `"allowed":true`, `"grant":"{grant}"`, `"via":[{"id":"{team}","name":"Team"},{"id":"{staff}","name":"Staff"}]`}, hasNot: []string{`"next"`},
		},
		{name: "denied where both meet", as: "eve", method: "GET", path: "/access/effective/{vicId}?q=plan:delete&allowed=false", status: 200, has: []string{`"code":"denied"`, `"environment":"e1","permission":"plan:delete","project":"p1"`}},
		{name: "and allowed beside", as: "eve", method: "GET", path: "/access/effective/{vicId}?q=delete+plans&allowed=true", status: 200, has: []string{`"permission":"plan:delete","project":"p1"`}, hasNot: []string{`"allowed":false`}},
		{name: "until when", as: "eve", method: "GET", path: "/access/effective/{vicId}?q=audit:read", status: 200, has: []string{`"expiresAt":"2030-01-01T01:00:00Z"`, `"allowed":true`}},
		{name: "by the slug", as: "eve", method: "GET", path: "/access/effective/{vicId}?project=p1&environment=e1&environmentSlug=prd&q=gateway:read", status: 200, has: []string{`"permission":"gateway:read"`, `"role":"planner"`}},
		{name: "a slug of nothing", as: "eve", method: "GET", path: "/access/effective/{vicId}?environmentSlug=prd", status: 422, has: []string{`"pointer":"/environment"`}},
		{name: "a cursor of nothing", as: "eve", method: "GET", path: "/access/effective/{vicId}?cursor=%3F", status: 422, has: []string{`"pointer":"/cursor"`}},
		{name: "of a group", as: "eve", method: "GET", path: "/access/effective/{team}?q=plan:create", status: 200, has: []string{`"kind":"group"`, `"via":[{"id":"{staff}","name":"Staff"}]`}},
		{name: "of nobody", as: "eve", method: "GET", path: "/access/effective/nobody", status: 404},
		{name: "one's own", as: "vic", method: "GET", path: "/access/effective/{vicId}?q=api:read", status: 200, has: []string{`"role":"viewer"`}},
		{name: "page", as: "eve", method: "GET", path: "/access/effective/{vicId}?limit=1", status: 200, keep: map[string]string{"next": "next", "first": "items/0/permission"}},
		{name: "the next", as: "eve", method: "GET", path: "/access/effective/{vicId}?limit=1&cursor={next}", status: 200, hasNot: []string{`"permission":"{first}"`}},

		{name: "bounded", as: "owner", method: "PUT", path: "/boundaries/{team}", body: `{"role":"viewer"}`, status: 200, events: []string{"boundary.set", "access-changed"}},
		{name: "cut", as: "eve", method: "GET", path: "/access/effective/{vicId}?q=plan:create", status: 200, has: []string{`"allowed":false`, `"code":"outside-boundary"`, `"role":"viewer","via":[{"id":"{team}","name":"Team"}]`, `"code":"granted"`}},
		{name: "unbound", as: "owner", method: "DELETE", path: "/boundaries/{team}", status: 204, events: []string{"boundary.deleted", "access-changed"}},
	})
	eve := s.w.call(t, s.vars["eve"], "GET", "/access/effective/"+s.vars["ownerId"], "")
	require.Equal(t, 200, eve.status)
	vic := s.w.call(t, s.w.invite(t, s.vars["owner"], "wes@example.com", `{"role":"viewer"}`).text(t, "accessToken"), "GET", "/access/effective/"+s.vars["ownerId"], "")
	require.Equal(t, 403, vic.status, "about others it needs role:read")
	s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")

	// Every hour ends, and who is disabled may do nothing.
	s.w.clock.Advance(61 * time.Minute)
	s.vars["owner"] = s.w.signIn(t, "ada@example.com", "")
	s.w.expect(t, "signed in", "user.signed-in")
	s.run(t, []step{
		{name: "ended", as: "owner", method: "GET", path: "/access/effective/{vicId}?q=audit:read", status: 200, has: []string{`"allowed":false`, `"code":"expired"`}, hasNot: []string{`"code":"granted"`}},
		{name: "disabled", as: "owner", method: "PATCH", path: "/users/{vicId}", body: `{"status":"disabled"}`, header: anyVersion, status: 200, events: []string{"user.disabled", "access-changed", "access-changed session"}},
		{name: "nothing", as: "owner", method: "GET", path: "/access/effective/{vicId}?allowed=true", status: 200, has: []string{`"items":[]`, `"active":false`}},
		{name: "what there would be", as: "owner", method: "GET", path: "/access/effective/{vicId}?q=api:read", status: 200, has: []string{`"code":"disabled"`, `"code":"granted"`}},
	})
}

// For random grants and denials, by oneself and by nested groups, it says what
// /access/check decides, for every permission and place.
func TestEffectiveAccessAgreesWithCheck(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	call := func(method, path, body string, into any) {
		a := s.w.call(t, s.vars["owner"], method, path, body)
		require.Less(t, a.status, 300, "%s %s %s: %s", method, path, body, a.body)
		if into != nil {
			require.NoError(t, json.Unmarshal([]byte(a.body), into))
		}
	}
	random := rand.New(rand.NewPCG(7, 7))
	var made struct{ ID string }
	principals := []string{s.vars["vicId"]}
	member := s.vars["vicId"]
	for i := range 3 { // each in the next
		call("POST", "/groups", fmt.Sprintf(`{"name":"g%d"}`, i), &made)
		call("POST", "/groups/"+made.ID+"/members", `{"member":"`+member+`"}`, nil)
		member = made.ID
		principals = append(principals, member)
	}
	patterns := []string{"api:*", "*:read", "deployment:*", "deployment:deploy:prd", "gateway:*:dev", "plan:update", "user:read", "*"}
	for i := range 5 {
		call("POST", "/roles", fmt.Sprintf(`{"name":"r%d","permissions":[%q,%q]}`, i, patterns[random.IntN(len(patterns)-1)], patterns[random.IntN(len(patterns))]), nil)
	}
	places := []access.Scope{{}, {Project: "p1"}, {Project: "p1", API: "a1"}, {Environment: "e1"}, {Project: "p1", Environment: "e1"}}
	for range 14 {
		at, effect, until := places[random.IntN(len(places))], "allow", ""
		if random.IntN(3) == 0 {
			effect = "deny"
		}
		if random.IntN(4) == 0 {
			until = `,"expiresAt":"2030-01-01T00:30:00Z"`
		}
		where := ""
		for name, id := range map[string]string{"project": at.Project, "api": at.API, "environment": at.Environment} {
			if id != "" {
				where += fmt.Sprintf(`,%q:%q`, name, id)
			}
		}
		a := s.w.call(t, s.vars["owner"], "POST", "/grants", fmt.Sprintf(`{"principal":%q,"role":"r%d","effect":%q%s%s}`, principals[random.IntN(len(principals))], random.IntN(5), effect, where, until))
		require.Contains(t, []int{201, 409}, a.status, a.body)
	}
	call("PUT", "/boundaries/"+principals[2], `{"role":"administrator"}`, nil)
	slugs := map[string]string{"e1": "prd"}
	points := 0
	for _, at := range places {
		q, check := url.Values{"limit": {"200"}}, ""
		for name, id := range map[string]string{"project": at.Project, "api": at.API, "environment": at.Environment, "environmentSlug": slugs[at.Environment]} {
			if id != "" {
				q.Set(name, id)
				check += fmt.Sprintf(`,%q:%q`, name, id)
			}
		}
		said := map[string]bool{}
		for {
			var page struct {
				Items []struct {
					Permission, Project, API, Environment string
					Allowed                               bool
				}
				Next string
			}
			call("GET", "/access/effective/"+s.vars["vicId"]+"?"+q.Encode(), "", &page)
			for _, x := range page.Items {
				if (access.Scope{Project: x.Project, API: x.API, Environment: x.Environment}) == at {
					said[x.Permission] = x.Allowed
					points++
				}
			}
			if page.Next == "" {
				break
			}
			q.Set("cursor", page.Next)
		}
		for _, p := range access.Permissions() {
			if strings.HasPrefix(p.Name, "platform:") {
				continue
			}
			var answer struct{ Allowed bool }
			call("POST", "/access/check", fmt.Sprintf(`{"principal":%q,"permission":%q%s}`, s.vars["vicId"], p.Name, check), &answer)
			require.Equal(t, answer.Allowed, said[p.Name], "%s in %s", p.Name, at)
		}
	}
	require.Greater(t, points, 60)
}
