package tenantmanager_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// found are the findings of a posture, by their code.
func (w *world) found(t *testing.T, token string) (found map[string]finding, all posture) {
	t.Helper()
	a := w.call(t, token, "GET", "/posture", "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &all), a.body)
	found = map[string]finding{}
	for _, f := range all.Findings {
		require.NotEmpty(t, f.Means)
		require.NotEmpty(t, f.Advice)
		require.Equal(t, f.Count == 0, f.Severity == "ok", f.Code)
		found[f.Code] = f
	}
	return found, all
}

type finding struct {
	Code, Severity, Means, Advice string
	Count, Of                     int
	Items                         []struct{ Kind, ID, Name, Detail string }
}

type posture struct {
	Findings []finding
	Users    int
	SignIns  *struct {
		Day, Week int
		Days      []struct{ Count int }
	}
	Administrators []struct {
		Principal struct{ Name string }
		Role      string
		Group     string
		Factor    bool
	}
	Connections []struct{ Name, LastFailure string }
	Directories []struct{ Name, Failure string }
	Audit       *struct {
		Entries, BrokenAt int
		VerifiedAt        string
	}
}

// What is there is counted, and each number is that of the list it leads to.
func TestPosture(t *testing.T) {
	t.Parallel()
	everyDialect(t, func(t *testing.T, w *world) {
		owner := w.setUp(t)
		found, all := w.found(t, owner)
		require.Equal(t, 1, all.Users)
		require.Equal(t, "critical", found["administrators-without-factor"].Severity)
		require.Equal(t, "Ada", found["administrators-without-factor"].Items[0].Name)
		require.Equal(t, 1, found["users-without-factor"].Count)
		require.Equal(t, "warning", found["few-owners"].Severity)
		require.Equal(t, "notice", found["audit-unverified"].Severity)
		require.Equal(t, 2, found["standing-grants"].Count, "owner, and administrator of the platform")
		require.Equal(t, "critical", all.Findings[0].Severity, "the gravest comes first")

		// A second factor, a second owner by a group, a verified trail.
		(&scenario{w: w, vars: map[string]string{"owner": owner}}).addTOTP(t, "owner")
		eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`).text(t, "user/id")
		group := w.call(t, owner, "POST", "/groups", `{"name":"Chiefs"}`).text(t, "id")
		require.Equal(t, 201, w.call(t, owner, "POST", "/groups/"+group+"/members", `{"member":"`+eve+`"}`).status)
		require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+group+`","role":"owner"}`).status)
		require.Equal(t, 200, w.call(t, owner, "GET", "/audit/verification", "").status)
		found, all = w.found(t, owner)
		require.Equal(t, []string{"eve@example.com"}, []string{found["administrators-without-factor"].Items[0].Name})
		require.Equal(t, 1, found["users-without-factor"].Count)
		require.Equal(t, 2, found["users-without-factor"].Of)
		require.Zero(t, found["few-owners"].Count)
		require.Zero(t, found["audit-unverified"].Count)
		require.NotEmpty(t, all.Audit.VerifiedAt)
		require.Len(t, all.Administrators, 2)
		require.Equal(t, "Chiefs", all.Administrators[1].Group)
		require.Equal(t, 4, found["standing-grants"].Count)
		standing := w.call(t, owner, "GET", "/grants?standing=true", "")
		var list struct{ Items []struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(standing.body), &list))
		require.Len(t, list.Items, 4)

		// Tokens: one ends soon, one is never used, and neither is its account.
		account := w.call(t, owner, "POST", "/service-accounts", `{"name":"CI"}`).text(t, "id")
		until := w.clock.Now().Add(110 * 24 * time.Hour).Format(time.RFC3339)
		require.Equal(t, 201, w.call(t, owner, "POST", "/service-accounts/"+account+"/tokens", `{"name":"nightly","expiresAt":"`+until+`"}`).status)
		require.Equal(t, 201, w.call(t, owner, "POST", "/invitations", `{"email":"x@example.com","roles":[{"role":"viewer"}]}`).status)
		require.Equal(t, 201, w.call(t, owner, "POST", "/access/requests", `{"role":"viewer","reason":"x","project":"p"}`).status)
		found, _ = w.found(t, owner)
		require.Zero(t, found["tokens-unused"].Count+found["tokens-expiring"].Count+found["accounts-unused"].Count)
		require.Equal(t, []int{1, 1}, []int{found["invitations-pending"].Count, found["requests-pending"].Count})
		w.clock.Advance(100 * 24 * time.Hour)
		owner = w.enterWith(t, owner)
		found, _ = w.found(t, owner)
		require.Equal(t, []int{1, 1, 1}, []int{found["tokens-unused"].Count, found["tokens-expiring"].Count, found["accounts-unused"].Count})
		require.Equal(t, "nightly", found["tokens-expiring"].Items[0].Detail)
		require.Equal(t, account, found["accounts-unused"].Items[0].ID)
		require.Equal(t, 1, found["audit-unverified"].Count, "it was verified too long ago")
		require.Zero(t, found["invitations-pending"].Count, "it has run out")

		// Refused sign-ins, until the account has to wait.
		for range 6 {
			w.call(t, "", "POST", "/sign-in", `{"email":"eve@example.com","password":"not the right one"}`)
		}
		require.Eventually(t, func() bool {
			found, all = w.found(t, owner)
			return all.SignIns.Day >= 5 && found["accounts-locked"].Count == 1
		}, 10*time.Second, 20*time.Millisecond)
		require.Equal(t, all.SignIns.Day, all.SignIns.Days[6].Count)
		require.Equal(t, eve, found["accounts-locked"].Items[0].ID)
		w.clock.Advance(26 * time.Hour)
		owner = w.enterWith(t, owner)
		found, all = w.found(t, owner)
		require.Zero(t, all.SignIns.Day)
		require.GreaterOrEqual(t, all.SignIns.Week, 5)
		require.Zero(t, found["accounts-locked"].Count)

		// A directory that is refused something says what.
		d := w.directory(t, owner, "Okta", "acme.example")
		require.Equal(t, 400, d.send("POST", "/Users", `{"userName":"x@elsewhere.example"}`).status)
		found, all = w.found(t, owner)
		require.Equal(t, 1, found["directories-failing"].Count)
		require.Contains(t, all.Directories[0].Failure, "elsewhere.example")
		require.Equal(t, found["directories-failing"].Items[0].Detail, all.Directories[0].Failure)
	})
}

// enterWith signs the owner in anew, whose session ran out, beside the API: with a
// second factor that is a story of its own.
func (w *world) enterWith(t *testing.T, old string) string {
	t.Helper()
	s := w.database(t)
	org, err := s.First(t.Context())
	require.NoError(t, err)
	u, err := s.For(org).UserByEmail(t.Context(), "ada@example.com")
	require.NoError(t, err)
	require.NoError(t, s.Tx(t.Context(), org, "", func(tx *store.Tx) error {
		_, err := tx.DropFactors(t.Context(), u.ID)
		return err
	}))
	return w.signIn(t, "ada@example.com", "")
}

// Whoever may not read something does not see how much of it there is.
func TestPostureShowsWhatOneMayRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	require.Equal(t, 201, w.call(t, owner, "POST", "/roles", `{"name":"watcher","permissions":["audit:read"]}`).status)
	watcher := w.invite(t, owner, "w@example.com", `{"role":"watcher"}`).text(t, "accessToken")
	found, all := w.found(t, watcher)
	require.Nil(t, all.Administrators)
	require.Nil(t, all.Connections)
	require.Contains(t, found, "audit-broken")
	require.NotContains(t, found, "users-without-factor")
	require.NotContains(t, found, "tokens-unused")
	viewer := w.invite(t, owner, "v@example.com", `{"role":"viewer"}`).text(t, "accessToken")
	require.Equal(t, http.StatusForbidden, w.call(t, viewer, "GET", "/posture", "").status)
}

// Steps are done by what is there, and stay left out until they are taken up again.
func TestSettingUpAnOrganization(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	steps := func() (open int, done, skipped []string) {
		var list struct {
			Open  int
			Items []struct {
				Step          string
				Done, Skipped bool
				SkippedBy     string
			}
		}
		a := s.w.call(t, s.vars["owner"], "GET", "/setup-steps", "")
		require.NoError(t, json.Unmarshal([]byte(a.body), &list), a.body)
		require.Len(t, list.Items, 9)
		for _, i := range list.Items {
			if i.Done {
				done = append(done, i.Step)
			}
			if i.Skipped {
				skipped = append(skipped, i.Step)
				require.Equal(t, "Ada", i.SkippedBy)
			}
		}
		return list.Open, done, skipped
	}
	open, done, _ := steps()
	require.Equal(t, 9, open)
	require.Empty(t, done)
	s.addTOTP(t, "owner")
	s.w.expect(t, "factor", "user.factor-begun", "user.factor-added")
	s.run(t, []step{
		{name: "left out", as: "owner", method: "PUT", path: "/setup-steps/sso", body: `{"skipped":true}`, status: 200, has: []string{`"skipped":true`}, events: []string{"organization.setup-step-skipped"}},
		{name: "again", as: "owner", method: "PUT", path: "/setup-steps/sso", body: `{"skipped":true}`, status: 200},
		{name: "unknown", as: "owner", method: "PUT", path: "/setup-steps/nothing", body: `{"skipped":true}`, status: 422},
		{name: "policy", as: "owner", method: "PATCH", path: "/security-policy", header: anyVersion, body: `{"passwordMinLength":14}`, status: 200, events: []string{"security-policy.updated"}},
		{name: "role in a project", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{ownerId}","role":"publisher","project":"p1"}`, status: 201, events: []string{"grant.created", "access-changed"}},
	})
	require.NoError(t, s.w.database(t).Tx(t.Context(), s.w.call(t, s.vars["owner"], "GET", "/organization", "").text(t, "id"), "", func(tx *store.Tx) error {
		d, err := tx.ClaimDomain(t.Context(), "example.com")
		require.NoError(t, err)
		d.Verified, d.Method = &d.Domain, store.ByHand
		return tx.SaveDomain(t.Context(), &d)
	}))
	open, done, skipped := steps()
	require.Equal(t, []string{"second-factor", "project", "domain", "security-policy"}, done)
	require.Equal(t, []string{"sso"}, skipped)
	require.Equal(t, 4, open)
	s.run(t, []step{{name: "taken up", as: "owner", method: "PUT", path: "/setup-steps/sso", body: `{"skipped":false}`, status: 200, events: []string{"organization.setup-step-resumed"}}})
	open, _, skipped = steps()
	require.Empty(t, skipped)
	require.Equal(t, 5, open)
	s.vars["auditor"] = s.w.invite(t, s.vars["owner"], "aud@example.com", `{"role":"auditor"}`).text(t, "accessToken")
	require.Equal(t, 200, s.w.call(t, s.vars["auditor"], "GET", "/setup-steps", "").status)
	require.Equal(t, 403, s.w.call(t, s.vars["auditor"], "PUT", "/setup-steps/sso", `{"skipped":true}`).status)
}

// What somebody made who is gone, or may do less by now, is named with what to do.
func TestPostureNamesWhatNobodyVouchesFor(t *testing.T) {
	t.Parallel()
	everyDialect(t, func(t *testing.T, w *world) {
		owner := w.setUp(t)
		in := w.invite(t, owner, "eve@example.com", `{"role":"administrator"}`)
		eve, id := in.text(t, "accessToken"), in.text(t, "user/id")
		made := func(path, body string) string {
			a := w.call(t, eve, "POST", path, body)
			require.Equal(t, 201, a.status, a.body)
			return a.text(t, "id")
		}
		connection := made("/sso/connections", `{"name":"Eve's ID","kind":"oidc","issuer":"https://id.example.com","clientId":"gatehouse","clientSecret":"x","enabled":true}`)
		off := made("/sso/connections", `{"name":"Off","kind":"oidc","issuer":"https://id.example.com","clientId":"gatehouse","clientSecret":"x"}`)
		directory := made("/scim/directories", `{"name":"Eve's directory","domains":["acme.example"]}`)
		account := made("/service-accounts", `{"name":"CI"}`)
		for _, name := range []string{"nightly", "weekly"} {
			require.Equal(t, 201, w.call(t, eve, "POST", "/service-accounts/"+account+"/tokens", `{"name":"`+name+`"}`).status)
		}
		is := func(connections, directories, tokens int, why string) {
			t.Helper()
			found, _ := w.found(t, owner)
			require.Equal(t, []int{connections, directories, tokens}, []int{found["connections-unvouched"].Count, found["directories-unvouched"].Count, found["tokens-of-gone-makers"].Count})
			for code, of := range map[string]string{"connections-unvouched": connection, "directories-unvouched": directory, "tokens-of-gone-makers": account} {
				if f := found[code]; f.Count > 0 {
					require.Len(t, f.Items, 1)
					require.Equal(t, of, f.Items[0].ID)
					require.Contains(t, f.Items[0].Detail, why)
				}
			}
		}
		is(0, 0, 0, "")
		status := func(to string) {
			a := w.call(t, owner, "PATCH", "/users/"+id, `{"status":"`+to+`"}`, "If-Match", "*")
			require.Equal(t, 200, a.status, a.body)
		}
		status("disabled")
		is(1, 1, 2, "whoever made it was disabled")
		status("active")
		is(0, 0, 0, "")

		// Rights that are lost: what is saved again by somebody who has them is vouched for.
		var grants struct{ Items []struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(w.call(t, owner, "GET", "/grants?principal="+id, "").body), &grants))
		require.Len(t, grants.Items, 1)
		require.Equal(t, 204, w.call(t, owner, "DELETE", "/grants/"+grants.Items[0].ID, "", "If-Match", "*").status)
		is(1, 1, 2, "has lost")
		a := w.call(t, owner, "PUT", "/sso/connections/"+connection, `{"name":"Our ID","kind":"oidc","issuer":"https://id.example.com","clientId":"gatehouse","enabled":true}`, "If-Match", "*")
		require.Equal(t, 200, a.status, a.body)
		is(0, 1, 2, "has lost")
		require.Equal(t, 204, w.call(t, owner, "DELETE", "/users/"+id, "", "If-Match", "*").status)
		is(0, 1, 2, "whoever made it was deleted")
		require.Equal(t, 204, w.call(t, owner, "DELETE", "/sso/connections/"+off, "", "If-Match", "*").status)
	})
}
