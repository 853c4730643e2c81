package tenantmanager_test

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// onEach runs a scenario on every database.
func onEach(t *testing.T, test func(t *testing.T, s *scenario), change ...func(*configuration)) {
	t.Helper()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, func(c *configuration) {
				if dialect != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, dialect))
				}
				for _, also := range change {
					also(c)
				}
			})
			for _, who := range []struct{ name, role string }{{"eve", "administrator"}, {"vic", "viewer"}, {"olaf", "owner"}} {
				in := s.w.invite(t, s.vars["owner"], who.name+"@example.com", `{"role":"`+who.role+`"}`)
				s.vars[who.name], s.vars[who.name+"Id"] = in.text(t, "accessToken"), in.text(t, "user/id")
			}
			s.w.expect(t, "invited", strings.Fields(strings.Repeat("invitation.created invitation.accepted user.signed-in access-changed ", 3))...)
			test(t, s)
		})
	}
}

func TestUsersAreFound(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		s.run(t, []step{
			{name: "who has a role", as: "eve", method: "GET", path: "/users?role=viewer", status: 200, has: []string{`"id":"{vicId}"`, `"source":{"kind":"local"}`, `"secondFactor":false`}, hasNot: []string{`"id":"{eveId}"`}},
			{name: "without a factor", as: "eve", method: "GET", path: "/users?secondFactor=true", status: 200, has: []string{`"items":[]`}},
			{name: "never", as: "eve", method: "GET", path: "/users?neverSignedIn=true", status: 200, has: []string{`"items":[]`}},
			{name: "not lately", as: "eve", method: "GET", path: "/users?signedInBefore=2020-01-01T00:00:00Z", status: 200, has: []string{`"items":[]`}},
			{name: "from here", as: "eve", method: "GET", path: "/users?source=local&q=vic", status: 200, has: []string{`"id":"{vicId}"`}},
			{name: "from elsewhere", as: "eve", method: "GET", path: "/users?source=scim", status: 200, has: []string{`"items":[]`}},
			{name: "no such role", as: "eve", method: "GET", path: "/users?role=pilot", status: 422, has: []string{`"pointer":"/role"`}},
			{name: "no such group", as: "eve", method: "GET", path: "/users?group=pilots", status: 422, has: []string{`"pointer":"/group"`}},
			{name: "no such source", as: "eve", method: "GET", path: "/users?source=scim:Okta", status: 422, has: []string{`"pointer":"/source"`}},
			{name: "a group", as: "eve", method: "POST", path: "/groups", body: `{"name":"Staff"}`, status: 201, keep: map[string]string{"staff": "id"}, events: []string{"group.created"}},
			{name: "vic in it", as: "eve", method: "POST", path: "/groups/{staff}/members", body: `{"member":"{vicId}"}`, status: 201, events: []string{"group.member-added", "access-changed"}},
			{name: "by its name", as: "eve", method: "GET", path: "/users?group=STAFF", status: 200, has: []string{`"id":"{vicId}"`}, hasNot: []string{`"id":"{eveId}"`}},
			{name: "sources", as: "eve", method: "GET", path: "/users/sources", status: 200, has: []string{`"items":[]`}},
			{name: "a formula", as: "eve", method: "PATCH", path: "/users/{vicId}", body: `{"name":"=cmd|' /C calc'!A0"}`, header: anyVersion, status: 200, events: []string{"user.updated"}},
			{name: "by the last sign-in", as: "eve", method: "GET", path: "/users?sort=-lastSignInAt&limit=2", status: 200, has: []string{`"next":`}, keep: map[string]string{"next": "next"}},
			{name: "the rest", as: "eve", method: "GET", path: "/users?sort=-lastSignInAt&limit=2&cursor={next}", status: 200, has: []string{`"id":"{ownerId}"`}, hasNot: []string{`"next":`}},
			{name: "filtered, too", as: "eve", method: "GET", path: "/users?sort=lastSignInAt&q=vic&status=active", status: 200, has: []string{`"id":"{vicId}"`}, hasNot: []string{`"id":"{eveId}"`}},
			{name: "a viewer takes nothing", as: "vic", method: "GET", path: "/users/export", status: 403},
		})
		a := s.w.call(t, s.vars["eve"], "GET", "/users/export?role=viewer", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, "text/csv", a.header.Get("Content-Type"))
		require.Contains(t, a.header.Get("Content-Disposition"), `attachment; filename="users-`)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Equal(t, []string{"name", "email", "status", "source", "roles"}, rows[0][:5])
		require.Equal(t, []string{"'=cmd|' /C calc'!A0", "vic@example.com", "active", "local", "viewer", "no"}, rows[1][:6])
		s.w.expect(t, "told", "user.exported")
		// Unlike programs, Excel knows by its mark alone what a file is written in.
		require.True(t, strings.HasPrefix(a.body, "\ufeff"))
		a = s.w.call(t, s.vars["eve"], "GET", "/users/export?sort=-email", "")
		require.Equal(t, 200, a.status, a.body)
		rows, err = csv.NewReader(strings.NewReader(a.body)).ReadAll()
		require.NoError(t, err)
		require.Greater(t, len(rows), 3)
		require.True(t, slices.IsSortedFunc(rows[1:], func(x, y []string) int { return strings.Compare(y[1], x[1]) }), rows)
		a = s.w.call(t, s.vars["eve"], "GET", "/users/export?sort=shoe", "")
		require.Equal(t, 422, a.status, a.body)
	})
}

func TestTheSameIsDoneToSeveral(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		all := `["{eveId}","{vicId}","{olafId}","{ownerId}","gone"]`
		s.run(t, []step{
			{name: "not a viewer", as: "vic", method: "POST", path: "/users/actions", body: `{"action":"disable","users":["{eveId}"]}`, status: 403},
			{name: "olaf breaks glass", as: "owner", method: "PATCH", path: "/users/{olafId}", body: `{"breakGlass":true}`, header: anyVersion, status: 200, events: []string{"user.updated"}},
		})
		outcomes := func(who, body string) map[string]string {
			t.Helper()
			a := s.w.call(t, s.vars[who], "POST", "/users/actions", s.fill(body))
			require.Equal(t, 200, a.status, a.body)
			var got struct {
				Items []struct {
					User    struct{ ID string }
					Outcome string
					Detail  string
					URL     string
					Mailed  *bool
				}
			}
			require.NoError(t, json.Unmarshal([]byte(a.body), &got))
			out := map[string]string{}
			for _, i := range got.Items {
				out[i.User.ID] = i.Outcome
				if i.Outcome != "done" {
					require.NotEmpty(t, i.Detail)
				}
				s.vars["link"] = i.URL
			}
			return out
		}
		id := func(name string) string { return s.vars[name+"Id"] }
		want := map[string]string{id("eve"): "refused", id("vic"): "done", id("olaf"): "refused", id("owner"): "refused", "gone": "refused"}
		require.Equal(t, want, outcomes("eve", `{"action":"disable","dryRun":true,"users":`+all+`}`))
		s.run(t, []step{{name: "nothing was done", as: "eve", method: "GET", path: "/users/{vicId}", status: 200, has: []string{`"status":"active"`}}})
		require.Equal(t, want, outcomes("eve", `{"action":"disable","users":`+all+`}`))
		s.w.expect(t, "disabled", "user.disabled", "access-changed", "access-changed session")
		require.Equal(t, map[string]string{id("vic"): "unchanged"}, outcomes("eve", `{"action":"disable","users":["{vicId}"]}`))
		require.Equal(t, map[string]string{id("vic"): "refused"}, outcomes("eve", `{"action":"password-link","users":["{vicId}"]}`), "disabled")
		require.Equal(t, map[string]string{id("vic"): "done"}, outcomes("eve", `{"action":"enable","users":["{vicId}"]}`))
		s.w.expect(t, "enabled", "user.enabled", "access-changed")
		require.Equal(t, map[string]string{id("vic"): "unchanged"}, outcomes("eve", `{"action":"reset-factors","users":["{vicId}"]}`))
		require.Equal(t, map[string]string{id("vic"): "done"}, outcomes("eve", `{"action":"password-link","users":["{vicId}"]}`))
		s.w.expect(t, "a link", "user.password-link-created")
		_, secret, ok := strings.Cut(s.vars["link"], "#token=")
		require.True(t, ok, s.vars["link"])
		require.Equal(t, 200, s.w.call(t, "", "GET", "/password-links/by-token/"+secret, "").status)
		require.Equal(t, map[string]string{id("vic"): "done"}, outcomes("eve", `{"action":"password-link","dryRun":true,"users":["{vicId}"]}`))
		require.Empty(t, s.vars["link"])
		require.Equal(t, 200, s.w.call(t, "", "GET", "/password-links/by-token/"+secret, "").status, "a dry run makes no new one")

		s.run(t, []step{
			{name: "no group", as: "eve", method: "POST", path: "/users/actions", body: `{"action":"add-to-group","users":["{vicId}"]}`, status: 422, has: []string{`"pointer":"/group"`}},
			{name: "no such group", as: "eve", method: "POST", path: "/users/actions", body: `{"action":"add-to-group","users":["{vicId}"],"group":"x"}`, status: 422, has: []string{`"pointer":"/group"`}},
			{name: "owners", as: "owner", method: "POST", path: "/groups", body: `{"name":"Owners"}`, status: 201, keep: map[string]string{"owners": "id"}, events: []string{"group.created"}},
			{name: "own", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{owners}","role":"owner"}`, status: 201, events: []string{"grant.created"}},
		})
		require.Equal(t, map[string]string{id("vic"): "refused"}, outcomes("eve", `{"action":"add-to-group","group":"{owners}","users":["{vicId}"]}`), "eve is none herself")
		require.Equal(t, map[string]string{id("vic"): "done"}, outcomes("owner", `{"action":"add-to-group","group":"{owners}","users":["{vicId}"]}`))
		s.w.expect(t, "an owner", "group.member-added", "access-changed")
		require.Equal(t, map[string]string{id("vic"): "unchanged"}, outcomes("owner", `{"action":"add-to-group","group":"{owners}","users":["{vicId}"]}`))
		require.Equal(t, map[string]string{id("vic"): "refused"}, outcomes("eve", `{"action":"disable","users":["{vicId}"]}`), "who may do more than eve")
	})
}

func TestPeopleAreInvitedFromAList(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		s.run(t, []step{
			{name: "a group", as: "eve", method: "POST", path: "/groups", body: `{"name":"Staff"}`, status: 201, keep: map[string]string{"staff": "id"}, events: []string{"group.created"}},
			{name: "owners", as: "owner", method: "POST", path: "/groups", body: `{"name":"Owners"}`, status: 201, keep: map[string]string{"owners": "id"}, events: []string{"group.created"}},
			{name: "own", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{owners}","role":"owner"}`, status: 201, events: []string{"grant.created"}},
			{name: "pat is invited", as: "eve", method: "POST", path: "/invitations", body: `{"email":"pat@example.com","roles":[{"role":"viewer"}]}`, status: 201, keep: map[string]string{"pat": "id", "patLink": "token"}, events: []string{"invitation.created"}},
			{name: "a viewer invites nobody", as: "vic", method: "POST", path: "/invitations/preview", body: `{"csv":"email\na@b.c"}`, status: 403},
			{name: "nor several", as: "vic", method: "POST", path: "/invitations/batch", body: `{"items":[{"email":"a@b.c","roles":[{"role":"viewer"}]}]}`, status: 403},
			{name: "nor again", as: "vic", method: "POST", path: "/invitations/{pat}/resend", status: 403},
			{name: "no list", as: "eve", method: "POST", path: "/invitations/preview", body: `{"csv":"name\nAda"}`, status: 422, has: []string{`"pointer":"/csv"`, "no column is called email"}},
		})
		list := "E-Mail;Name;Role;Group;Phone\r\n" +
			"new@example.com;New One;viewer;staff;1\r\n" + // 2
			"VIC@example.com;;viewer;;\r\n" + // 3: is a user
			"pat@example.com;;viewer;;\r\n" + // 4: is invited
			"New@Example.com;;viewer;;\r\n" + // 5: twice
			"wrong;;viewer;;\r\n" + // 6
			"boss@example.com;;owner;;\r\n" + // 7: eve is no owner
			"chief@example.com;;;Owners;\r\n" + // 8: nor gives that
			"odd@example.com;;pilot|viewer;Pilots;\r\n" + // 9
			"bare@example.com;;;;\r\n" // 10: the default
		body, err := json.Marshal(map[string]any{"csv": list, "roles": []map[string]string{{"role": "operator"}}})
		require.NoError(t, err)
		a := s.w.call(t, s.vars["eve"], "POST", "/invitations/preview", string(body))
		require.Equal(t, 200, a.status, a.body)
		var got struct {
			Unused []string
			Lines  []struct {
				Line    int
				Outcome string
				Roles   []struct{ Role string }
				Groups  []struct{ ID string }
				Errors  []struct{ Field, Detail string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &got))
		require.Equal(t, []string{"Phone"}, got.Unused)
		outcomes, faults := map[int]string{}, map[int][]string{}
		for _, l := range got.Lines {
			outcomes[l.Line] = l.Outcome
			for _, e := range l.Errors {
				faults[l.Line] = append(faults[l.Line], e.Field)
			}
		}
		require.Equal(t, map[int]string{2: "invite", 3: "exists", 4: "pending", 5: "duplicate", 6: "invalid", 7: "invalid", 8: "invalid", 9: "invalid", 10: "invite"}, outcomes)
		require.Equal(t, map[int][]string{5: {"email"}, 6: {"email"}, 7: {"roles"}, 8: {"groups"}, 9: {"roles", "groups"}}, faults)
		require.Equal(t, s.vars["staff"], got.Lines[0].Groups[0].ID)
		require.Equal(t, "operator", got.Lines[8].Roles[0].Role)

		a = s.w.call(t, s.vars["eve"], "POST", "/invitations/batch", s.fill(`{"items":[
			{"email":"new@example.com","name":"New One","roles":[{"role":"viewer"}],"groups":["{staff}"]},
			{"email":"vic@example.com","roles":[{"role":"viewer"}]},
			{"email":"pat@example.com","roles":[{"role":"viewer"}]},
			{"email":"NEW@example.com","roles":[{"role":"viewer"}]},
			{"email":"boss@example.com","roles":[{"role":"owner"}]},
			{"email":"chief@example.com","groups":["Owners"]},
			{"email":"none@example.com"},
			{"email":"only@example.com","groups":["Staff"]}]}`))
		require.Equal(t, 200, a.status, a.body)
		var sent struct {
			Items []struct {
				Email, Outcome, URL, Invitation string
				Mailed                          bool
			}
		}
		require.NoError(t, json.Unmarshal([]byte(a.body), &sent))
		var became []string
		for _, i := range sent.Items {
			became = append(became, i.Outcome)
		}
		require.Equal(t, []string{"invited", "exists", "pending", "pending", "refused", "refused", "refused", "invited"}, became)
		s.w.expect(t, "two", "invitation.created", "invitation.created")
		_, secret, _ := strings.Cut(sent.Items[0].URL, "#token=")
		in := s.w.call(t, "", "POST", "/invitations/by-token/"+secret+"/accept", `{"name":"New","password":"`+goodWord+`"}`)
		require.Equal(t, 200, in.status, in.body)
		s.vars["newId"], s.vars["only"] = in.text(t, "user/id"), sent.Items[7].Invitation
		s.w.expect(t, "in", "invitation.accepted", "user.signed-in", "access-changed", "access-changed")
		s.run(t, []step{
			{name: "in the group", as: "eve", method: "GET", path: "/users?group=Staff", status: 200, has: []string{`"id":"{newId}"`}},
			{name: "again", as: "eve", method: "POST", path: "/invitations/{pat}/resend", status: 201, keep: map[string]string{"patNew": "token"}, events: []string{"invitation.resent"}},
			{name: "the old link is dead", method: "GET", path: "/invitations/by-token/{patLink}", status: 404},
			{name: "the new one is not", method: "GET", path: "/invitations/by-token/{patNew}", status: 200},
			{name: "by an owner", as: "owner", method: "POST", path: "/invitations", body: `{"email":"chief@example.com","roles":[{"role":"owner"}]}`, status: 201, keep: map[string]string{"chief": "id"}, events: []string{"invitation.created"}},
			{name: "eve makes no owner of herself", as: "eve", method: "POST", path: "/invitations/{chief}/resend", status: 403},
			{name: "several", as: "eve", method: "POST", path: "/invitations/resend", body: `{"invitations":["{pat}","{chief}","gone","{only}"]}`, status: 200, has: []string{`"outcome":"invited"`, `"outcome":"refused"`, `"code":"not-found"`}, events: []string{"invitation.resent", "invitation.resent"}},
			{name: "the link of before is dead, too", method: "GET", path: "/invitations/by-token/{patNew}", status: 404},
			{name: "listed with its group", as: "eve", method: "GET", path: "/invitations/{only}", status: 200, has: []string{`"groups":[{"id":"{staff}","name":"Staff"}]`}},
		})
	})
}

func TestActingAsSomebodyElse(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		const why = `{"reason":"request 4711: the list is empty"}`
		s.run(t, []step{
			{name: "an administrator does not", as: "eve", method: "POST", path: "/users/{vicId}/impersonation", body: why, status: 403, has: []string{"user:impersonate"}},
			{name: "without a reason", as: "owner", method: "POST", path: "/users/{vicId}/impersonation", body: `{"reason":" "}`, status: 422, has: []string{`"pointer":"/reason"`}},
			{name: "oneself", as: "owner", method: "POST", path: "/users/{ownerId}/impersonation", body: why, status: 409},
			{name: "who may do more", as: "olaf", method: "POST", path: "/users/{ownerId}/impersonation", body: why, status: 403, has: []string{"platform:"}},
			{name: "eve breaks glass: not yet an owner", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"owner"}`, status: 201, keep: map[string]string{"grant": "id"}, events: []string{"grant.created", "access-changed"}},
			{name: "eve breaks glass", as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"breakGlass":true}`, header: anyVersion, status: 200, events: []string{"user.updated"}},
			{name: "nobody acts as her", as: "owner", method: "POST", path: "/users/{eveId}/impersonation", body: why, status: 403, has: []string{"break-glass"}},
		})
		s.w.clock.Advance(11 * time.Minute)
		owner := s.w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
		require.Equal(t, 200, owner.status, owner.body)
		s.vars["owner"], s.vars["ownSession"] = owner.text(t, "accessToken"), owner.text(t, "session")
		s.vars["vic"] = s.w.signIn(t, "vic@example.com", "")
		s.w.expect(t, "signed in again", "user.signed-in", "user.signed-in")
		s.run(t, []step{
			{name: "begun", as: "owner", method: "POST", path: "/users/{vicId}/impersonation", body: why, status: 201, has: []string{`"id":"{vicId}"`}, keep: map[string]string{"acting": "accessToken", "refresh": "refreshToken", "session": "session"}, events: []string{"user.impersonated"}},
			{name: "who is it", as: "acting", method: "GET", path: "/me", status: 200, has: []string{`"id":"{vicId}"`, `"impersonation":{"impersonator":{"id":"{ownerId}","name":"Ada"}`}, hasNot: []string{"user:impersonate", "credential:create"}},
			{name: "as little as vic", as: "acting", method: "GET", path: "/users", status: 403},
			{name: "asks for nothing", as: "acting", method: "POST", path: "/access/requests", body: `{"role":"auditor","reason":"to see"}`, status: 403},
			{name: "what vic asked for", as: "vic", method: "POST", path: "/access/requests", body: `{"role":"auditor","reason":"to see"}`, status: 201, keep: map[string]string{"request": "id"}, events: []string{"access-request.created"}},
			{name: "is taken back", as: "acting", method: "POST", path: "/access/requests/{request}/withdraw", status: 200, events: []string{"access-request.withdrawn"}},
			{name: "no further", as: "acting", method: "POST", path: "/users/{olafId}/impersonation", body: why, status: 403},
			{name: "not the password", as: "acting", method: "POST", path: "/me/password", body: `{"current":"{good}","new":"other words of my own"}`, status: 403, has: []string{"you act as"}},
			{name: "no proof", as: "acting", method: "POST", path: "/me/confirmation", body: `{"password":"{good}"}`, status: 403},
			{name: "no factor", as: "acting", method: "POST", path: "/me/factors/totp", body: `{"name":"p"}`, status: 403},
			{name: "no token", as: "acting", method: "POST", path: "/me/tokens", body: `{"name":"t","expiresAt":"2030-02-01T00:00:00Z"}`, status: 403},
			{name: "no session ended", as: "acting", method: "DELETE", path: "/me/sessions", status: 403},
			{name: "not the name", as: "acting", method: "PATCH", path: "/me", body: `{"name":"x"}`, header: anyVersion, status: 403},
			{name: "sessions show who", as: "vic", method: "GET", path: "/me/sessions", status: 200, has: []string{`"impersonator":{"id":"{ownerId}","name":"Ada"}`}},
			{name: "vic sees it", as: "vic", method: "GET", path: "/me/impersonations", status: 200, has: []string{`"reason":"request 4711: the list is empty"`, `"active":true`}},
			{name: "so does the owner", as: "owner", method: "GET", path: "/users/{vicId}/impersonations", status: 200, has: []string{`"name":"Ada"`}},
		})
		// Who may do it to many begins no job that would go on without whoever acts as them.
		max := s.w.invite(t, s.vars["owner"], "max@example.com", `{"role":"administrator"}`)
		s.vars["max"], s.vars["maxId"] = max.text(t, "accessToken"), max.text(t, "user/id")
		s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
		job := `{"action":"disable","users":["{vicId}"]}`
		s.run(t, []step{
			{name: "as an administrator", as: "owner", method: "POST", path: "/users/{maxId}/impersonation", body: why, status: 201, keep: map[string]string{"asMax": "accessToken"}, events: []string{"user.impersonated"}},
			{name: "who may see users", as: "asMax", method: "GET", path: "/users", status: 200},
			{name: "no job that goes on", as: "asMax", method: "POST", path: "/bulk-jobs", body: job, status: 403, has: []string{"you act as"}},
			{name: "max has none", as: "max", method: "GET", path: "/bulk-jobs", status: 200, has: []string{`"items":[]`}},
			{name: "max makes one", as: "max", method: "POST", path: "/bulk-jobs", body: job, status: 201, keep: map[string]string{"job": "id"}, events: []string{"bulk-job.created"}},
			{name: "which nobody starts for them", as: "asMax", method: "POST", path: "/bulk-jobs/{job}/start", status: 403, has: []string{"you act as"}},
			{name: "nothing was done", as: "asMax", method: "GET", path: "/users/{vicId}", status: 200, has: []string{`"status":"active"`}},
			{name: "stop acting", as: "asMax", method: "POST", path: "/sign-out", status: 204, events: []string{"user.impersonation-ended", "access-changed session"}},
		})
		require.Eventually(t, func() bool {
			a := s.w.call(t, s.vars["owner"], "GET", "/audit?impersonator="+s.vars["ownerId"], "")
			return strings.Contains(a.body, `"action":"access-request.withdrawn"`) && strings.Contains(a.body, `"impersonatorName":"Ada"`) && strings.Contains(a.body, `"id":"`+s.vars["vicId"])
		}, 10*time.Second, 10*time.Millisecond)
		require.Contains(t, s.w.call(t, s.vars["owner"], "GET", "/audit/verification", "").body, `"valid":true`)

		// Half an hour, however often it is renewed.
		for range 3 {
			s.w.clock.Advance(9 * time.Minute)
			a := s.w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+s.vars["refresh"]+`"}`)
			require.Equal(t, 200, a.status, a.body)
			s.vars["refresh"], s.vars["acting"] = a.text(t, "refreshToken"), a.text(t, "accessToken")
		}
		require.Equal(t, 200, s.w.call(t, s.vars["acting"], "GET", "/me", "").status)
		s.w.clock.Advance(3 * time.Minute)
		require.Equal(t, 401, s.w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+s.vars["refresh"]+`"}`).status)
		require.Equal(t, 401, s.w.call(t, s.vars["acting"], "GET", "/me", "").status)

		// It ends with the session of who acts.
		owner = s.w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+goodWord+`"}`)
		s.vars["owner"] = owner.text(t, "accessToken")
		s.w.expect(t, "and again", "user.signed-in")
		s.run(t, []step{
			{name: "once more", as: "owner", method: "POST", path: "/users/{vicId}/impersonation", body: why, status: 201, keep: map[string]string{"acting": "accessToken", "refresh": "refreshToken"}, events: []string{"user.impersonated"}},
			{name: "here", as: "acting", method: "GET", path: "/me", status: 200},
			{name: "signs out", as: "owner", method: "POST", path: "/sign-out", status: 204, events: []string{"user.signed-out", "access-changed session", "access-changed session"}},
			{name: "gone", as: "acting", method: "GET", path: "/me", status: 401},
		})
	})
}

func TestNothingShowsWhoADeletedUserWas(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		s.run(t, []step{{name: "vic is renamed", as: "owner", method: "PATCH", path: "/users/{vicId}", body: `{"name":"Viktor Vogel"}`, header: anyVersion, status: 200, events: []string{"user.updated"}}})
		trail := func(query string) string { return s.w.call(t, s.vars["owner"], "GET", "/audit"+query, "").body }
		require.Eventually(t, func() bool { return strings.Contains(trail("?q=viktor"), `"action":"user.updated"`) }, 10*time.Second, 10*time.Millisecond)
		s.run(t, []step{{name: "deleted", as: "owner", method: "DELETE", path: "/users/{vicId}", header: anyVersion, status: 204, events: []string{"user.deleted", "access-changed", "access-changed session"}}})
		require.Eventually(t, func() bool { return strings.Contains(trail("?target="+s.vars["vicId"]), `"action":"user.deleted"`) }, 10*time.Second, 10*time.Millisecond)
		for _, query := range []string{"", "?target=" + s.vars["vicId"], "?actor=" + s.vars["vicId"]} {
			require.NotContains(t, trail(query), "Vogel", query)
		}
		require.Contains(t, trail("?actor="+s.vars["vicId"]), `"name":"Deleted user"`)
		require.NotContains(t, trail("?q=viktor"), `"action"`)
		require.NotContains(t, s.w.call(t, s.vars["owner"], "GET", "/invitations", "").body, "vic@")
		require.Contains(t, s.w.call(t, s.vars["owner"], "GET", "/audit/verification", "").body, `"valid":true`)
	})
}
