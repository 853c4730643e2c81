package tenantmanager_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

type roleSample struct {
	Source              string
	User                struct{ Email string }
	Name                string
	Groups              []string
	Gained, Lost, Kept  []struct{ ID, Title string }
	LosesAdministration bool
	Yourself            bool
}

type rolePreview struct {
	Samples, First                                           []roleSample
	People, Counted, Unknown, Affected, LosingAdministration int
	Changes                                                  []struct {
		Role       struct{ ID string }
		Gain, Lose int
	}
	Yourself  bool
	Unmatched []string
}

func (w *world) previewRoles(t *testing.T, token string, body map[string]any) (out rolePreview) {
	t.Helper()
	b, err := json.Marshal(body)
	require.NoError(t, err)
	a := w.call(t, token, "POST", "/sso/group-role-previews", string(b))
	require.Equal(t, 200, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &out), a.body)
	return out
}

func (s roleSample) ids() (gained, lost, kept []string) {
	of := func(list []struct{ ID, Title string }) []string {
		out := []string{}
		for _, r := range list {
			out = append(out, r.ID)
		}
		return out
	}
	return of(s.Gained), of(s.Lost), of(s.Kept)
}

// What a change of the roles of groups would do is told before it is saved, and is
// what comes of it when it is.
func TestRolesOfGroupsArePreviewed(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{
		"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve", "groups": []string{"apis", "admins"}, "address": map[string]any{"teams": []string{"ops"}}},
		"bob": {"email": "bob@acme.example", "email_verified": true, "name": "Bob", "groups": []string{"apis"}},
		"kim": {"email": "kim@acme.example", "email_verified": true, "name": "Kim", "groups": []string{"admins", "apis"}},
	})
	w, owner := ssoWorld(t)
	mapping := []map[string]string{{"group": "apis", "role": "publisher"}, {"group": "admins", "role": "administrator"}}
	id := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}, "groupRoles": mapping}).text(t, "id")
	eve := w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, eve.status, eve.body)
	bob := w.federate(t, p, "bob@acme.example", "bob")
	require.Equal(t, 200, bob.status, bob.body)
	kim := w.federate(t, p, "kim@acme.example", "kim")
	require.Equal(t, 200, kim.status, kim.body)
	// Kim administers by hand too, so that she loses nothing of it.
	require.Equal(t, 201, w.call(t, owner, "POST", "/groups", `{"name":"by hand"}`).status)
	groups := w.call(t, owner, "GET", "/groups", "")
	hand := groups.text(t, "items/0/id")
	require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+hand+`","role":"administrator"}`).status)
	added := w.call(t, owner, "POST", "/groups/"+hand+"/members", `{"member":"`+kim.text(t, "tokens/user/id")+`"}`)
	require.Less(t, added.status, 300, added.body)
	w.recordedAs(t, owner, "group.member-added", "Kim")
	trail := w.call(t, owner, "GET", "/audit?limit=1", "").text(t, "items/0/id")

	same := w.previewRoles(t, owner, map[string]any{"connection": id, "groupRoles": mapping})
	require.Equal(t, 3, same.People)
	require.Equal(t, 3, same.Counted)
	require.Zero(t, same.Affected)
	require.Empty(t, same.First)
	require.Len(t, same.Samples, 3)

	change := map[string]any{
		"connection": id, "groups": []string{"apis"},
		"groupRoles": []map[string]string{{"group": "apis", "role": "operator"}, {"group": "nobody", "role": "auditor"}},
	}
	out := w.previewRoles(t, owner, change)
	require.Equal(t, 3, out.Affected)
	require.Equal(t, 1, out.LosingAdministration)
	require.False(t, out.Yourself)
	require.Equal(t, []string{"nobody"}, out.Unmatched)
	require.Equal(t, "groups", out.Samples[0].Source)
	gained, lost, kept := out.Samples[0].ids()
	require.Equal(t, []string{"operator"}, gained)
	require.Equal(t, []string{"publisher"}, lost)
	require.Empty(t, kept)
	first := out.First[0]
	require.Equal(t, "eve@acme.example", first.User.Email)
	require.True(t, first.LosesAdministration)
	_, lost, _ = first.ids()
	require.Equal(t, []string{"administrator", "publisher"}, lost)
	for _, s := range out.First {
		if s.User.Email == "kim@acme.example" {
			_, lost, _ = s.ids()
			require.Equal(t, []string{"publisher"}, lost, "the other is given by hand too")
			require.False(t, s.LosesAdministration)
		}
	}
	counts := map[string][2]int{}
	for _, c := range out.Changes {
		counts[c.Role.ID] = [2]int{c.Gain, c.Lose}
	}
	require.Equal(t, map[string][2]int{"operator": {3, 0}, "publisher": {0, 3}, "administrator": {0, 1}}, counts)
	// Ids are in the order of time; an entry of before may have come to the trail meanwhile.
	require.LessOrEqual(t, w.call(t, owner, "GET", "/audit?limit=1", "").text(t, "items/0/id"), trail, "nothing was written")
	require.Contains(t, w.call(t, owner, "GET", "/sso/connections/"+id, "").body, "publisher")

	// Who looks at it themselves is told what they would lose.
	her := w.previewRoles(t, eve.text(t, "tokens/accessToken"), change)
	require.True(t, her.Yourself)
	require.True(t, her.First[0].Yourself)

	// The last test sign-in, by the claim that would be saved.
	a := w.call(t, owner, "POST", "/sso/connections/"+id+"/test", object(t, map[string]string{"origin": ssoOrigin, "binding": binding}))
	require.Equal(t, 200, a.status, a.body)
	a = w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visit(t, a.text(t, "address"), "bob"), nil))
	require.Equal(t, 200, a.status, a.body)
	change["groupsClaim"] = "name"
	change["groupRoles"] = []map[string]string{{"group": "Bob", "role": "operator"}}
	delete(change, "groups")
	test := w.previewRoles(t, owner, change).Samples[0]
	require.Equal(t, "test", test.Source)
	require.Equal(t, "Bob", test.Name)
	require.Equal(t, []string{"Bob"}, test.Groups)
	gained, lost, _ = test.ids()
	require.Equal(t, []string{"operator"}, gained)
	require.Equal(t, []string{"publisher"}, lost)

	// What came of it is what was told.
	body := map[string]any{
		"name": "Acme ID", "kind": "oidc", "issuer": p.issuer, "clientId": "gatehouse", "scopes": []string{"email", "profile", "groups"}, "enabled": true,
		"domains": []string{"acme.example"}, "groupRoles": []map[string]string{{"group": "apis", "role": "operator"}},
	}
	b, err := json.Marshal(body)
	require.NoError(t, err)
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, string(b), "If-Match", "*").status)
	eve = w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, eve.status, eve.body)
	me := w.call(t, eve.text(t, "tokens/accessToken"), "GET", "/me", "").body
	require.Contains(t, me, `"roleName":"operator"`)
	require.NotContains(t, me, `"roleName":"administrator"`)

	// A connection that is not made yet has no people; what cannot be saved is refused.
	none := w.previewRoles(t, owner, map[string]any{"groups": []string{"apis"}, "groupRoles": mapping})
	require.Len(t, none.Samples, 1)
	require.Zero(t, none.People)
	refused := w.call(t, owner, "POST", "/sso/group-role-previews", `{"groupRoles":[{"group":"g","role":"owner"}]}`)
	require.Equal(t, 422, refused.status, refused.body)
	require.Contains(t, refused.body, "/groupRoles/0/role")
	viewer := w.invite(t, owner, "view@example.com", `{"role":"auditor"}`).text(t, "accessToken")
	require.Equal(t, 403, w.call(t, viewer, "POST", "/sso/group-role-previews", `{"groupRoles":[]}`).status)
	require.Equal(t, 404, w.call(t, owner, "POST", "/sso/group-role-previews", `{"connection":"none","groupRoles":[]}`).status)
}
