package tenantmanager_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// withEve is a scenario with Eve, an administrator, and a viewer.
func withEve(t *testing.T) *scenario {
	t.Helper()
	s := newScenario(t)
	eve := s.w.invite(t, s.vars["owner"], "eve@example.com", `{"role":"administrator"}`)
	s.vars["eve"], s.vars["eveId"] = eve.text(t, "accessToken"), eve.text(t, "user/id")
	vic := s.w.invite(t, s.vars["owner"], "vic@example.com", `{"role":"viewer"}`)
	s.vars["vic"], s.vars["vicId"] = vic.text(t, "accessToken"), vic.text(t, "user/id")
	s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	return s
}

func TestGroups(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	s.run(t, []step{
		{name: "staff", as: "eve", method: "POST", path: "/groups", body: `{"name":"Staff","description":"All of us"}`, status: 201, has: []string{`"members":0`, `"nested":false`}, events: []string{"group.created"}, keep: map[string]string{"staff": "id"}, keepETag: "v"},
		{name: "name taken", as: "eve", method: "POST", path: "/groups", body: `{"name":"staff "}`, status: 409},
		{name: "team", as: "eve", method: "POST", path: "/groups", body: `{"name":"Team"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"team": "id"}},
		{name: "a viewer sees none", as: "vic", method: "GET", path: "/groups", status: 403},
		{name: "nobody", as: "eve", method: "POST", path: "/groups/{team}/members", body: `{"member":"x"}`, status: 422, has: []string{`"pointer":"/member"`}},
		{name: "vic is in the team", as: "eve", method: "POST", path: "/groups/{team}/members", body: `{"member":"{vicId}"}`, status: 201, has: []string{`"kind":"user"`, `"name":"vic@example.com"`}, events: []string{"group.member-added", "access-changed"}},
		{name: "once", as: "eve", method: "POST", path: "/groups/{team}/members", body: `{"member":"{vicId}"}`, status: 409},
		{name: "the team is in the staff", as: "eve", method: "POST", path: "/groups/{staff}/members", body: `{"member":"{team}"}`, status: 201, has: []string{`"kind":"group"`}, events: []string{"group.member-added", "access-changed"}},
		{name: "not in itself", as: "eve", method: "POST", path: "/groups/{team}/members", body: `{"member":"{team}"}`, status: 422, has: []string{"cannot be in itself"}},
		{name: "nor in a circle", as: "eve", method: "POST", path: "/groups/{team}/members", body: `{"member":"{staff}"}`, status: 422, has: []string{"cannot be in itself"}},
		{name: "the top", as: "eve", method: "GET", path: "/groups?top=true", status: 200, has: []string{`"name":"Staff"`}, hasNot: []string{`"name":"Team"`}},
		{name: "below", as: "eve", method: "GET", path: "/groups?parent={staff}", status: 200, has: []string{`"name":"Team"`, `"nested":true`, `"members":1`}},
		{name: "found", as: "eve", method: "GET", path: "/groups?q=EAM", status: 200, has: []string{`"name":"Team"`, `"within":[[{"id":"{staff}","name":"Staff"}]]`}, hasNot: []string{"All of us"}},
		{name: "members found", as: "eve", method: "GET", path: "/groups/{staff}/members?q=tea", status: 200, has: []string{`"name":"Team"`}},
		{name: "and not", as: "eve", method: "GET", path: "/groups/{staff}/members?q=vic", status: 200, has: []string{`"items":[]`}},
		{name: "where it is", as: "eve", method: "GET", path: "/groups/{team}", status: 200, has: []string{`"within":[[{"id":"{staff}","name":"Staff"}]]`}},

		{name: "vic may not", as: "vic", method: "GET", path: "/users", status: 403},
		{name: "staff may see everything", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{staff}","role":"auditor"}`, status: 201, has: []string{`"kind":"group"`, `"name":"Staff"`, `"effect":"allow"`}, events: []string{"grant.created", "access-changed"}, keep: map[string]string{"grant": "id"}},
		{name: "and so may vic, at once", as: "vic", method: "GET", path: "/users", status: 200, has: []string{`"group":"Staff"`}},
		{name: "why", as: "vic", method: "POST", path: "/access/check", body: `{"permission":"user:read"}`, status: 200, has: []string{`"allowed":true`, "the role auditor through the group Team, which is in Staff has user:read", `"via":[{"id":"{team}","name":"Team"},{"id":"{staff}","name":"Staff"}]`}},
		{name: "me", as: "vic", method: "GET", path: "/me", status: 200, has: []string{`"roleName":"auditor"`, `"audit:read"`, `"via":[`}},
		{name: "who can", as: "eve", method: "POST", path: "/access/who-can?limit=2", body: `{"permission":"audit:read"}`, status: 200, has: []string{`"name":"Ada"`, `"next":`}, keep: map[string]string{"next": "next"}},
		{name: "who else", as: "eve", method: "POST", path: "/access/who-can?limit=2&cursor={next}", body: `{"permission":"audit:read"}`, status: 200, has: []string{"through the group Team"}, hasNot: []string{`"next"`, `"name":"Ada"`}},
		{name: "who can what nobody may", as: "eve", method: "POST", path: "/access/who-can", body: `{"permission":"api:fly"}`, status: 422},

		{name: "the owners' group", as: "owner", method: "POST", path: "/groups", body: `{"name":"Owners"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"owners": "id"}},
		{name: "may do everything", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{owners}","role":"owner"}`, status: 201, events: []string{"grant.created"}},
		{name: "an administrator does not come in", as: "eve", method: "POST", path: "/groups/{owners}/members", body: `{"member":"{eveId}"}`, status: 403, has: []string{"organization:delete"}},
		{name: "nor by another group", as: "eve", method: "POST", path: "/groups/{owners}/members", body: `{"member":"{team}"}`, status: 403},
		{name: "nor deletes it", as: "eve", method: "DELETE", path: "/groups/{owners}", header: anyVersion, status: 403},

		{name: "renamed", as: "eve", method: "PATCH", path: "/groups/{staff}", body: `{"name":"Everybody"}`, header: []string{"If-Match", "{v}"}, status: 200, has: []string{`"name":"Everybody"`, `"description":"All of us"`}, events: []string{"group.updated"}},
		{name: "too late", as: "eve", method: "PATCH", path: "/groups/{staff}", body: `{"name":"X"}`, header: []string{"If-Match", "{v}"}, status: 412},
		{name: "out of the team", as: "eve", method: "DELETE", path: "/groups/{team}/members/{vicId}", status: 204, events: []string{"group.member-removed", "access-changed"}},
		{name: "and out of all it gave", as: "vic", method: "GET", path: "/users", status: 403},
		{name: "not twice", as: "eve", method: "DELETE", path: "/groups/{team}/members/{vicId}", status: 404},
		{name: "in the staff itself", as: "eve", method: "POST", path: "/groups/{staff}/members", body: `{"member":"{vicId}"}`, status: 201, events: []string{"group.member-added", "access-changed"}},
		{name: "may again", as: "vic", method: "GET", path: "/users", status: 200},
		{name: "deleted", as: "eve", method: "DELETE", path: "/groups/{staff}", header: anyVersion, status: 204, events: []string{"group.deleted", "access-changed"}},
		{name: "its grants went with it", as: "eve", method: "GET", path: "/grants/{grant}", status: 404},
		{name: "nothing is left of it", as: "vic", method: "GET", path: "/users", status: 403},
		{name: "the team is on top", as: "eve", method: "GET", path: "/groups?top=true", status: 200, has: []string{`"name":"Team"`}},
	})
	parent := s.vars["team"]
	for range 7 { // the team is the first of eight
		s.run(t, []step{
			{name: "deeper", as: "eve", method: "POST", path: "/groups", body: `{"name":"below ` + parent + `"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"below": "id"}},
			{name: "nested", as: "eve", method: "POST", path: "/groups/" + parent + "/members", body: `{"member":"{below}"}`, status: 201, events: []string{"group.member-added"}},
		})
		parent = s.vars["below"]
	}
	s.run(t, []step{
		{name: "one more", as: "eve", method: "POST", path: "/groups", body: `{"name":"too deep"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"below": "id"}},
		{name: "too deep", as: "eve", method: "POST", path: "/groups/" + parent + "/members", body: `{"member":"{below}"}`, status: 422, has: []string{"8 deep"}},
	})
}

func TestDenialsAndBoundaries(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	s.run(t, []step{
		{name: "no reading of users", as: "eve", method: "POST", path: "/roles", body: `{"name":"no-users","permissions":["user:read"]}`, status: 201, events: []string{"role.created"}, keep: map[string]string{"role": "id"}},
		{name: "vic audits", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"auditor"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "and sees users", as: "vic", method: "GET", path: "/users", status: 200},
		{name: "denied", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"no-users","effect":"deny"}`, status: 201, has: []string{`"effect":"deny"`}, events: []string{"grant.created", "access-changed"}, keep: map[string]string{"deny": "id"}},
		{name: "once", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"no-users","effect":"deny"}`, status: 409},
		{name: "it wins", as: "vic", method: "GET", path: "/users", status: 403},
		{name: "the rest stays", as: "vic", method: "GET", path: "/roles", status: 200},
		{name: "why not", as: "vic", method: "POST", path: "/access/check", body: `{"permission":"user:read"}`, status: 200, has: []string{`"allowed":false`, `"code":"denied"`, `"code":"granted"`, "that wins"}},
		{name: "not among those who can", as: "eve", method: "POST", path: "/access/who-can", body: `{"permission":"user:read"}`, status: 200, hasNot: []string{"{vicId}"}},
		{name: "of the list", as: "eve", method: "GET", path: "/grants?effect=deny", status: 200, has: []string{`"id":"{deny}"`}},
		{name: "not to an owner", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{ownerId}","role":"no-users","effect":"deny"}`, status: 403},
		{name: "nor the last one to themselves", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{ownerId}","role":"no-users","effect":"deny"}`, status: 409},
		{name: "nor by a boundary", as: "owner", method: "PUT", path: "/boundaries/{ownerId}", body: `{"role":"viewer"}`, status: 409},
		{name: "a group", as: "owner", method: "POST", path: "/groups", body: `{"name":"Bound"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{"group": "id"}},
		{name: "bounded", as: "owner", method: "PUT", path: "/boundaries/{group}", body: `{"role":"auditor"}`, status: 200, has: []string{`"roleName":"auditor"`, `"kind":"group"`}, events: []string{"boundary.set"}},
		{name: "nor by a group", as: "owner", method: "POST", path: "/groups/{group}/members", body: `{"member":"{ownerId}"}`, status: 409},

		{name: "eve in it", as: "owner", method: "POST", path: "/groups/{group}/members", body: `{"member":"{eveId}"}`, status: 201, events: []string{"group.member-added", "access-changed"}},
		{name: "reads", as: "eve", method: "GET", path: "/users", status: 200},
		{name: "writes nothing", as: "eve", method: "POST", path: "/groups", body: `{"name":"More"}`, status: 403, has: []string{"outside your boundary, the role auditor"}},
		{name: "why not", as: "eve", method: "POST", path: "/access/check", body: `{"permission":"group:create"}`, status: 200, has: []string{`"code":"outside-boundary"`, "through the group Bound"}},
		{name: "nor comes out", as: "eve", method: "DELETE", path: "/groups/{group}/members/{eveId}", status: 403},
		{name: "a wider one of their own does not help", as: "owner", method: "PUT", path: "/boundaries/{eveId}", body: `{"role":"administrator"}`, status: 200, events: []string{"boundary.set", "access-changed"}},
		{name: "still nothing", as: "eve", method: "POST", path: "/groups", body: `{"name":"More"}`, status: 403},
		{name: "listed", as: "eve", method: "GET", path: "/boundaries", status: 200, has: []string{`"id":"{eveId}"`, `"id":"{group}"`}},
		{name: "out", as: "owner", method: "DELETE", path: "/groups/{group}/members/{eveId}", status: 204, events: []string{"group.member-removed", "access-changed"}},
		{name: "writes again", as: "eve", method: "POST", path: "/groups", body: `{"name":"More"}`, status: 201, events: []string{"group.created"}},

		{name: "a role for plans only", as: "owner", method: "POST", path: "/roles", body: `{"name":"planner","permissions":["plan:*","role:*"]}`, status: 201, events: []string{"role.created"}, keep: map[string]string{"planner": "id"}},
		{name: "bounds eve", as: "owner", method: "PUT", path: "/boundaries/{eveId}", body: `{"role":"planner"}`, status: 200, has: []string{`"roleName":"planner"`}, events: []string{"boundary.set", "access-changed"}},
		{name: "a role that bounds stays", as: "owner", method: "DELETE", path: "/roles/{planner}", header: anyVersion, status: 409},
		{name: "eve hands on plans", as: "eve", method: "POST", path: "/roles", body: `{"name":"plans","permissions":["plan:read"]}`, status: 201, events: []string{"role.created"}},
		{name: "and nothing else", as: "eve", method: "POST", path: "/roles", body: `{"name":"apis","permissions":["api:read"]}`, status: 403},
		{name: "nor widens it", as: "eve", method: "PATCH", path: "/roles/{planner}", body: `{"permissions":["*"]}`, header: anyVersion, status: 403},
		{name: "nor takes it away", as: "eve", method: "DELETE", path: "/boundaries/{eveId}", status: 403},
		{name: "read", as: "owner", method: "GET", path: "/boundaries/{eveId}", status: 200},
		{name: "taken away", as: "owner", method: "DELETE", path: "/boundaries/{eveId}", status: 204, events: []string{"boundary.deleted", "access-changed"}},
		{name: "gone", as: "owner", method: "GET", path: "/boundaries/{eveId}", status: 404},

		{name: "vic may give", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"administrator"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "but not take their own denial away", as: "vic", method: "DELETE", path: "/grants/{deny}", header: anyVersion, status: 403},
		{name: "eve takes it away", as: "eve", method: "DELETE", path: "/grants/{deny}", header: anyVersion, status: 204, events: []string{"grant.deleted", "access-changed"}},
		{name: "vic sees users again", as: "vic", method: "GET", path: "/users", status: 200},
	})
}

func TestAccessRequests(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	s.run(t, []step{
		{name: "no such role", as: "vic", method: "POST", path: "/access/requests", body: `{"role":"king","reason":"why not"}`, status: 422, has: []string{`"pointer":"/role"`}},
		{name: "no reason", as: "vic", method: "POST", path: "/access/requests", body: `{"role":"publisher","reason":" "}`, status: 422, has: []string{"/reason"}},
		{
			name: "asked", as: "vic", method: "POST", path: "/access/requests", body: `{"role":"auditor","reason":"the yearly audit","minutes":60}`, header: []string{"Idempotency-Key", "k"}, status: 201,
			has: []string{`"status":"pending"`, `"minutes":60`, `"name":"vic@example.com"`}, events: []string{"access-request.created"}, keep: map[string]string{"request": "id"},
		},
		{name: "one's own", as: "vic", method: "GET", path: "/access/requests", status: 200, has: []string{`"id":"{request}"`}, hasNot: []string{"mayDecide"}},
		{name: "of others", as: "vic", method: "GET", path: "/access/requests?principal={eveId}", status: 403},
		{name: "nobody decides for themselves", as: "vic", method: "POST", path: "/access/requests/{request}/approve", status: 403},
		{name: "who may", as: "eve", method: "GET", path: "/access/requests?status=pending", status: 200, has: []string{`"mayDecide":true`, `"reason":"the yearly audit"`}},
		{
			name: "approved", as: "eve", method: "POST", path: "/access/requests/{request}/approve", body: `{"note":"for an hour"}`, status: 200,
			has: []string{`"status":"approved"`, `"note":"for an hour"`, `"decidedByName":"eve@example.com"`}, events: []string{"access-request.approved", "access-changed"}, keep: map[string]string{"grant": "grant"},
		},
		{name: "it is a grant with an end", as: "eve", method: "GET", path: "/grants/{grant}", status: 200, has: []string{`"expiresAt":"20`, `"roleName":"auditor"`}},
		{name: "and acts", as: "vic", method: "GET", path: "/users", status: 200},
		{name: "not twice", as: "eve", method: "POST", path: "/access/requests/{request}/deny", status: 409, has: []string{"approved already"}},
		{name: "the owner's role", as: "vic", method: "POST", path: "/access/requests", body: `{"role":"owner","reason":"to be safe"}`, status: 201, events: []string{"access-request.created"}, keep: map[string]string{"more": "id"}},
		{name: "an administrator sees", as: "eve", method: "GET", path: "/access/requests/{more}", status: 200, has: []string{`"mayDecide":false`}},
		{name: "cannot approve it", as: "eve", method: "POST", path: "/access/requests/{more}/approve", status: 403},
		{name: "nor deny it", as: "eve", method: "POST", path: "/access/requests/{more}/deny", status: 403},
		{name: "the owner denies it", as: "owner", method: "POST", path: "/access/requests/{more}/deny", body: `{"note":"no"}`, status: 200, has: []string{`"status":"denied"`}, events: []string{"access-request.denied"}},
		{name: "another", as: "vic", method: "POST", path: "/access/requests", body: `{"role":"publisher","project":"p1","reason":"a release"}`, status: 201, events: []string{"access-request.created"}, keep: map[string]string{"third": "id"}},
		{name: "nobody else withdraws it", as: "owner", method: "POST", path: "/access/requests/{third}/withdraw", status: 404},
		{name: "withdrawn", as: "vic", method: "POST", path: "/access/requests/{third}/withdraw", status: 200, has: []string{`"status":"withdrawn"`}, events: []string{"access-request.withdrawn"}},
		{name: "it is over", as: "owner", method: "POST", path: "/access/requests/{third}/approve", status: 409},
	})
	s.w.clock.Advance(time.Hour)
	require.Equal(t, 401, s.w.call(t, s.vars["vic"], "GET", "/users", "").status, "that token has run out")
	again := s.w.signIn(t, "vic@example.com", "")
	require.Equal(t, 403, s.w.call(t, again, "GET", "/users", "").status, "and the grant with it")
}

// A project's owner gives roles in the project, and only there.
func TestProjectOwner(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	pat := s.w.invite(t, s.vars["owner"], "pat@example.com", `{"role":"project-owner","project":"p1"}`)
	s.vars["pat"] = pat.text(t, "accessToken")
	s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	s.run(t, []step{
		{name: "in the project", as: "pat", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"publisher","project":"p1"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "another owner of it", as: "pat", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"project-owner","project":"p1"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "not in another", as: "pat", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"publisher","project":"p2"}`, status: 403},
		{name: "nor everywhere", as: "pat", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"viewer"}`, status: 403},
		{name: "nor more than their own", as: "pat", method: "POST", path: "/grants", body: `{"principal":"{vicId}","role":"administrator","project":"p1"}`, status: 403},
		{name: "who has what in it", as: "pat", method: "GET", path: "/grants?project=p1", status: 200, has: []string{"{vicId}"}},
		{name: "not elsewhere", as: "pat", method: "GET", path: "/grants", status: 403},
		{name: "who can there", as: "pat", method: "POST", path: "/access/who-can", body: `{"permission":"api:deploy","project":"p1"}`, status: 200, has: []string{"{vicId}", "{ownerId}"}},
		{name: "who can elsewhere", as: "pat", method: "POST", path: "/access/who-can", body: `{"permission":"api:deploy"}`, status: 403},
	})
}

// A group is found by the way to it, and moved in one step; what that would do is said before, and takes nothing.
func TestMovingGroups(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	group := func(name, key string) step {
		return step{name: name, as: "eve", method: "POST", path: "/groups", body: `{"name":"` + name + `"}`, status: 201, events: []string{"group.created"}, keep: map[string]string{key: "id"}}
	}
	put := func(group, member string, events ...string) step {
		return step{name: member + " in " + group, as: "eve", method: "POST", path: "/groups/{" + group + "}/members", body: `{"member":"{` + member + `}"}`, status: 201, events: append(events, "group.member-added")}
	}
	s.run(t, []step{group("Engineering", "engineering"), group("Payments", "payments"), group("Sales", "sales"), group("Card payments", "cards")})
	s.run(t, []step{put("engineering", "payments"), put("payments", "cards"), put("cards", "vicId", "access-changed")})
	for path, want := range map[string][]string{
		"/engineering/payments": {"Payments"}, "engineering/payments/": {"Card payments"}, "gineer/pay/car": {"Card payments"}, "/payments": nil,
		"payments": {"Card payments", "Payments"}, "/": {"Engineering", "Sales"}, "pay/": {"Card payments"}, "a/b/c/d/e/f/g/h/i": nil, "100%/x": nil,
	} {
		a := s.w.call(t, s.vars["eve"], "GET", "/groups?path="+url.QueryEscape(path), "")
		require.Equal(t, 200, a.status, a.body)
		var got struct {
			Items []struct {
				Name   string
				Within [][]struct{ Name string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &got))
		var names []string
		for _, g := range got.Items {
			names = append(names, g.Name)
			if g.Name == "Card payments" {
				require.Equal(t, "Engineering", g.Within[1][1].Name, "the way to it is in the answer")
			}
		}
		require.Equal(t, want, names, path)
	}
	s.run(t, []step{
		{name: "not below itself", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"to":"{cards}"}`, status: 422, has: []string{`"pointer":"/to"`, "cannot be in itself"}},
		{name: "nor to itself", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"to":"{payments}","preview":true}`, status: 422, has: []string{"cannot be in itself"}},
		{name: "where it is", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"to":"{engineering}"}`, status: 409},
		{name: "to nothing", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"to":"x"}`, status: 422, has: []string{`"pointer":"/to"`}},
		{name: "from elsewhere", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"from":"{sales}"}`, status: 422, has: []string{`"pointer":"/from"`}},
		{name: "nobody else", as: "vic", method: "POST", path: "/groups/{payments}/move", body: `{}`, status: 403},
		{name: "a role here", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{engineering}","role":"viewer"}`, status: 201, events: []string{"grant.created", "access-changed"}},
	})
	s.run(t, []step{
		{name: "one there", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{sales}","role":"auditor"}`, status: 201, events: []string{"grant.created"}},
		{
			name: "what it would do", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"to":"{sales}","preview":true}`, status: 200,
			has: []string{`"moved":false`, `"affected":1`, `"from":{"id":"{engineering}","name":"Engineering"}`, `"gained":[{"group":{"id":"{sales}","name":"Sales"},"kind":"given","role":"auditor"}]`, `"lost":[{"group":{"id":"{engineering}","name":"Engineering"},"kind":"given","role":"viewer"}]`},
		},
		{name: "nothing was done", as: "eve", method: "GET", path: "/groups/{payments}", status: 200, has: []string{`"within":[[{"id":"{engineering}","name":"Engineering"}]]`}},
		{name: "moved", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{"to":"{sales}"}`, status: 200, has: []string{`"moved":true`}, events: []string{"group.moved", "access-changed", "access-changed"}},
		{name: "it is there", as: "eve", method: "GET", path: "/groups/{cards}", status: 200, has: []string{"Sales"}, hasNot: []string{"Engineering"}},
	})
	require.Eventually(t, func() bool {
		trail := s.w.call(t, s.vars["vic"], "GET", "/audit?action=group.moved", "").body
		return strings.Contains(trail, `"field":"/within/name"`) && strings.Contains(trail, "Engineering") && strings.Contains(trail, "Sales")
	}, 10*time.Second, 10*time.Millisecond)
	s.run(t, []step{
		{name: "to the top", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{}`, status: 200, events: []string{"group.moved", "access-changed"}},
		{name: "it is", as: "eve", method: "POST", path: "/groups/{payments}/move", body: `{}`, status: 409},
		{name: "and no longer", as: "vic", method: "GET", path: "/audit", status: 403},
	})
}
