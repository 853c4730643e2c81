package tenantmanager_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

type scimOutcome struct {
	Action, Kind, Resource, Name, Detail, RequestID string
	Added, Removed                                  []string
	Fields                                          []struct{ Field, Before, After string }
	Status                                          int
}

// outcomes returns what came of the requests of a directory, the oldest first, and how
// many there are of each action and kind.
func (d *directory) outcomes(owner, query string) (list []scimOutcome, counts map[string]int) {
	d.t.Helper()
	a := d.w.call(d.t, owner, "GET", "/scim/directories/"+d.id+"/outcomes?limit=200"+query, "")
	require.Equal(d.t, 200, a.status, a.body)
	var out struct {
		Items  []scimOutcome
		Counts []struct {
			Action, Kind string
			Count        int
		}
	}
	require.NoError(d.t, json.Unmarshal([]byte(a.body), &out), a.body)
	counts = map[string]int{}
	for _, c := range out.Counts {
		counts[c.Kind+" "+c.Action] += c.Count
	}
	for i := range out.Items {
		list = append(list, out.Items[len(out.Items)-1-i])
	}
	return list, counts
}

func (d *directory) mode(owner string, enabled, dryRun bool) answer {
	d.t.Helper()
	body := fmt.Sprintf(`{"name":"Acme","domains":["acme.example"],"enabled":%t,"dryRun":%t}`, enabled, dryRun)
	a := d.w.call(d.t, owner, "PUT", "/scim/directories/"+d.id, body, "If-Match", "*")
	require.Equal(d.t, 200, a.status, a.body)
	return a
}

// A provider finds in a dry run what it has sent, and nothing of it is written.
func TestADryRunWritesNothing(t *testing.T) {
	everyDialect(t, func(t *testing.T, w *world) {
		owner := w.setUp(t)
		d := w.directory(t, owner, "Acme", "acme.example")
		// What is there in earnest: a user and a group of the directory, and one by hand.
		old := d.user("old@acme.example")
		team := d.object("POST", "/Groups", `{"displayName":"Team","members":[{"value":"`+old+`"}]}`, 201)["id"].(string)
		w.invite(t, owner, "ada@acme.example", `{"role":"viewer"}`)
		require.Contains(t, d.mode(owner, true, true).body, `"dryRun":true`)
		before := w.call(t, owner, "GET", "/users?limit=200", "").body
		trail := func() string { return w.call(t, owner, "GET", "/audit?actor="+d.id+"&limit=1", "").body }
		was := trail()

		// As Entra ID does: look, make, look again, change, put into a group.
		_, n := d.ids(`/Users?filter=userName+eq+"eve@acme.example"`)
		require.Zero(t, n)
		made := d.send("POST", "/Users", `{"userName":"eve@acme.example","displayName":"Eve","externalId":"e1","active":true}`)
		require.Equal(t, 201, made.status, made.body)
		eve := made.text(t, "id")
		require.Contains(t, made.header.Get("Location"), "/Users/"+eve)
		require.NotEmpty(t, made.header.Get("ETag"))
		got := d.send("GET", "/Users/"+eve, "")
		require.Equal(t, 200, got.status, got.body)
		require.JSONEq(t, made.body, got.body)
		found, n := d.ids(`/Users?filter=userName+eq+"EVE@acme.example"`)
		require.Equal(t, 1, n)
		require.Equal(t, []string{eve}, found)
		_, n = d.ids("/Users")
		require.Equal(t, 2, n)
		d.fails(409, "uniqueness", "POST", "/Users", `{"userName":"eve@acme.example"}`)
		d.fails(400, "", "POST", "/Users", `{"userName":"x@elsewhere.example"}`)
		patched := d.object("PATCH", "/Users/"+eve, fmt.Sprintf(patchOp, `{"op":"replace","path":"displayName","value":"Eve Larsen"}`), 200)
		require.Equal(t, "Eve Larsen", patched["displayName"])
		d.fails(412, "", "PATCH", "/Users/"+eve, fmt.Sprintf(patchOp, `{"op":"replace","path":"displayName","value":"No"}`), "If-Match", made.header.Get("ETag"))
		group := d.object("POST", "/Groups", `{"displayName":"New team","members":[{"value":"`+eve+`"},{"value":"`+old+`"}]}`, 201)["id"].(string)
		require.Len(t, d.object("GET", "/Groups/"+group, "", 200)["members"], 2)
		require.Equal(t, 204, d.send("PATCH", "/Groups/"+team, fmt.Sprintf(patchOp, `{"op":"add","path":"members","value":[{"value":"`+eve+`"}]},{"op":"remove","path":"members[value eq \"`+old+`\"]"}`)).status)
		members := d.object("GET", "/Groups/"+team, "", 200)["members"].([]any)
		require.Len(t, members, 1)
		require.Equal(t, eve, members[0].(map[string]any)["value"])
		require.Len(t, d.object("GET", "/Users/"+eve, "", 200)["groups"], 2)
		// Somebody who is there is linked, disabled, and comes back; a user goes.
		linked := d.object("POST", "/Users", `{"userName":"ada@acme.example","active":true}`, 201)["id"].(string)
		off := d.object("PATCH", "/Users/"+linked, fmt.Sprintf(patchOp, `{"op":"replace","path":"active","value":false}`), 200)
		require.Equal(t, false, off["active"])
		require.Equal(t, true, d.object("PATCH", "/Users/"+linked, fmt.Sprintf(patchOp, `{"op":"replace","path":"active","value":true}`), 200)["active"])
		require.Equal(t, 204, d.send("DELETE", "/Users/"+old, "").status)
		d.fails(404, "", "GET", "/Users/"+old, "")
		d.fails(404, "", "DELETE", "/Users/"+old, "")
		require.Len(t, d.object("GET", "/Groups/"+group, "", 200)["members"], 1)
		again := d.user("old@acme.example")
		require.NotEqual(t, old, again)
		require.Equal(t, 204, d.send("DELETE", "/Users/"+again, "").status)

		// Nothing of it happened.
		require.JSONEq(t, before, w.call(t, owner, "GET", "/users?limit=200", "").body)
		require.NotContains(t, w.call(t, owner, "GET", "/groups", "").body, "New team")
		require.Contains(t, w.call(t, owner, "GET", "/groups/"+team+"/members", "").body, old)
		require.Equal(t, was, trail())

		// It is told, resource by resource.
		list, counts := d.outcomes(owner, "&dryRun=true")
		require.Equal(t, map[string]int{
			"user created": 2, "user linked": 1, "user updated": 1, "user disabled": 1, "user enabled": 1, "user deleted": 2, "group created": 1,
			"group members-changed": 1, "user refused": 4,
		}, counts)
		require.Equal(t, "created", list[0].Action)
		require.Equal(t, "Eve", list[0].Name)
		require.NotEmpty(t, list[0].RequestID)
		require.Equal(t, "refused", list[1].Action)
		require.Equal(t, 409, list[1].Status)
		moved, _ := d.outcomes(owner, "&dryRun=true&action=members-changed")
		require.Equal(t, []string{"Eve Larsen"}, moved[0].Added)
		require.Equal(t, []string{"old@acme.example"}, moved[0].Removed)
		some, _ := d.outcomes(owner, "&dryRun=true&q=elsewhere")
		require.Len(t, some, 1)
		require.Contains(t, some[0].Detail, "none of the domains")
		require.Contains(t, w.call(t, owner, "GET", "/scim/directories/"+d.id, "").body, `"rehearsed":`)
		require.NotContains(t, w.call(t, owner, "GET", "/scim/directories/"+d.id, "").body, `"failure"`, "a dry run is no failure")

		// Switched on, the ids of the dry run are not known, and the same is done.
		d.mode(owner, true, false)
		d.fails(404, "", "GET", "/Users/"+eve, "")
		require.NotEqual(t, eve, d.user("eve@acme.example"))
		kept, _ := d.outcomes(owner, "&dryRun=true")
		require.Len(t, kept, len(list), "what it told can still be read")
		d.fails(400, "", "POST", "/Users", `{"userName":"y@elsewhere.example"}`)
		refused, _ := d.outcomes(owner, "")
		require.Len(t, refused, 1)
		require.NotEmpty(t, refused[0].RequestID)
		require.Equal(t, "y@elsewhere.example", refused[0].Name)
		require.Contains(t, w.call(t, owner, "GET", "/scim/directories/"+d.id, "").body, `"failure":"the e-mail address y@elsewhere`)
	})
}

// A dry run ends by itself, and never becomes earnest by that.
func TestADryRunEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	d := w.directory(t, owner, "Acme", "acme.example")
	d.mode(owner, true, true)
	eve := d.user("eve@acme.example")
	w.clock.Advance(7*24*time.Hour + time.Minute)
	owner = w.signIn(t, "ada@example.com", "")
	require.Contains(t, d.fails(403, "", "GET", "/Users/"+eve, ""), "dry run")
	d.fails(403, "", "POST", "/Users", `{"userName":"bob@acme.example"}`)
	require.NotContains(t, w.call(t, owner, "GET", "/users", "").body, "bob@acme.example")
	// Another one begins with nothing.
	d.mode(owner, false, false)
	d.fails(401, "", "GET", "/Users", "")
	d.mode(owner, true, true)
	d.fails(404, "", "GET", "/Users/"+eve, "")
	list, _ := d.outcomes(owner, "&dryRun=true")
	require.Empty(t, list)
}

// What a dry run keeps is bounded, and so is what it tells of one request.
func TestADryRunIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	d := w.directory(t, owner, "Acme", "acme.example")
	d.mode(owner, true, true)
	const made = 25
	for i := range made {
		d.user(fmt.Sprintf("user-%d@acme.example", i))
	}
	ids, n := d.ids("/Users?count=1000")
	require.Equal(t, made, n)
	require.Len(t, ids, made)
	var values []string
	for _, id := range ids {
		values = append(values, `{"value":"`+id+`"}`)
	}
	d.object("POST", "/Groups", `{"displayName":"All","members":[`+strings.Join(values, ",")+`]}`, 201)
	list, _ := d.outcomes(owner, "&dryRun=true&action=created&q=all")
	require.Len(t, list, 1)
	require.Len(t, list[0].Added, 20)

	// As many users and groups as a dry run has, but for one: those are not sent, since
	// each request puts all before it in place.
	const most = 1000
	org := w.call(t, owner, "GET", "/me", "").text(t, "organization/id")
	require.NoError(t, w.database(t).Tx(t.Context(), org, "", func(tx *store.Tx) error {
		for i := made + 1; i < most-1; i++ {
			email := fmt.Sprintf("user-%d@acme.example", i)
			if err := tx.SaveSCIMRehearsed(t.Context(), store.SCIMRehearsed{DirectoryID: d.id, ResourceID: store.NewID(), State: store.SCIMState{
				Kind: store.KindUser, Made: true, Name: email, Email: email, Status: store.Active, Version: 1, CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(),
			}}); err != nil {
				return err
			}
		}
		return nil
	}))
	d.user("last@acme.example")
	require.Contains(t, d.fails(503, "", "POST", "/Users", `{"userName":"more@acme.example"}`), "at most 1000 users and groups")
	_, n = d.ids(`/Users?filter=userName+eq+"more@acme.example"`)
	require.Zero(t, n, "it is answered as what was refused")
}
