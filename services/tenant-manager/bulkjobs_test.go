package tenantmanager_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

type bulkJob struct {
	ID, Status, Reason  string
	Preview             bool
	MayStart, MayCancel bool
	Total               int64
	Counts              struct{ Pending, Done, Unchanged, Refused, Failed, Cancelled int64 }
	Unused              []string
}

type bulkRow struct {
	Outcome, Code, Detail, Email string
	Line                         int
	User                         struct{ ID, Name string }
	Invitation                   string
	Roles, Groups                []string
	Errors                       []struct{ Field, Detail string }
}

func (s *scenario) bulk(t *testing.T, who, id string) (j bulkJob) {
	t.Helper()
	a := s.w.call(t, s.vars[who], "GET", "/bulk-jobs/"+id, "")
	require.Equal(t, 200, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &j))
	return j
}

// bulkMade makes a job and returns its id.
func (s *scenario) bulkMade(t *testing.T, who, body string) string {
	t.Helper()
	a := s.w.call(t, s.vars[who], "POST", "/bulk-jobs", s.fill(body))
	require.Equal(t, 201, a.status, a.body)
	return a.text(t, "id")
}

// bulkIs waits until a job has a status.
func (s *scenario) bulkIs(t *testing.T, who, id, status string) (j bulkJob) {
	t.Helper()
	require.Eventually(t, func() bool { j = s.bulk(t, who, id); return j.Status == status }, 2*time.Minute, 20*time.Millisecond, "%s: %+v", status, &j)
	return j
}

// bulkRows returns the rows of a job, by the name of their users or their line.
func (s *scenario) bulkRows(t *testing.T, who, id, query string) map[string]bulkRow {
	t.Helper()
	a := s.w.call(t, s.vars[who], "GET", "/bulk-jobs/"+id+"/rows"+query, "")
	require.Equal(t, 200, a.status, a.body)
	var list struct{ Items []bulkRow }
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	out := map[string]bulkRow{}
	for _, r := range list.Items {
		key := r.User.ID
		if r.Line > 0 {
			key = fmt.Sprint(r.Line)
		}
		out[key] = r
	}
	return out
}

// bulkRun makes a job, starts it when it is known what it would do, and returns the
// outcomes of before and of after.
func (s *scenario) bulkRun(t *testing.T, who, body string) (would, did map[string]bulkRow) {
	t.Helper()
	id := s.bulkMade(t, who, body)
	require.True(t, s.bulkIs(t, who, id, "ready").MayStart)
	would = s.bulkRows(t, who, id, "")
	a := s.w.call(t, s.vars[who], "POST", "/bulk-jobs/"+id+"/start", "")
	require.Equal(t, 200, a.status, a.body)
	s.bulkIs(t, who, id, "completed")
	s.vars["job"] = id
	return would, s.bulkRows(t, who, id, "")
}

func outcomesOf(rows map[string]bulkRow) map[string]string {
	out := map[string]string{}
	for k, r := range rows {
		out[k] = r.Outcome
	}
	return out
}

func TestABulkJobDoesToManyWhatOneIsDone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		s.run(t, []step{
			{name: "not a viewer", as: "vic", method: "POST", path: "/bulk-jobs", body: `{"action":"disable","users":["{eveId}"]}`, status: 403},
			{name: "nobody named", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"disable"}`, status: 422, has: []string{`"pointer":"/users"`}},
			{name: "no group", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"add-to-group","users":["{vicId}"]}`, status: 422, has: []string{`"pointer":"/group"`}},
			{name: "no such group", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"add-to-group","users":["{vicId}"],"group":"x"}`, status: 422, has: []string{`"pointer":"/group"`}},
			{name: "no use for a list", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"disable","users":["{vicId}"],"csv":"email"}`, status: 422, has: []string{`"pointer":"/csv"`}},
			{name: "no such role", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"disable","filter":{"role":"pilot"}}`, status: 422, has: []string{`"pointer":"/filter/role"`}},
			{name: "nobody matches", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"disable","filter":{"q":"nobody is called so"}}`, status: 409},
			{name: "olaf breaks glass", as: "owner", method: "PATCH", path: "/users/{olafId}", body: `{"breakGlass":true}`, header: anyVersion, status: 200, events: []string{"user.updated"}},
		})
		id := func(name string) string { return s.vars[name+"Id"] }
		want := map[string]string{id("eve"): "refused", id("vic"): "done", id("olaf"): "refused", id("owner"): "refused", "gone": "refused"}
		job := s.bulkMade(t, "eve", `{"action":"disable","users":["{eveId}","{vicId}","{olafId}","{ownerId}","gone","gone"]}`)
		ready := s.bulkIs(t, "eve", job, "ready")
		require.True(t, ready.Preview && ready.Total == 5 && ready.Counts.Done == 1 && ready.Counts.Refused == 4, "%+v", ready)
		rows := s.bulkRows(t, "eve", job, "")
		require.Equal(t, want, outcomesOf(rows))
		require.Contains(t, rows[id("eve")].Detail, "this is you")
		require.Contains(t, rows[id("olaf")].Detail, "break-glass")
		require.Len(t, s.bulkRows(t, "eve", job, "?outcome=done"), 1)
		s.w.expect(t, "made", "bulk-job.created")
		s.vars["job"] = job
		s.run(t, []step{
			{name: "nothing was done", as: "eve", method: "GET", path: "/users/{vicId}", status: 200, has: []string{`"status":"active"`}},
			{name: "not by somebody else", as: "owner", method: "POST", path: "/bulk-jobs/{job}/start", status: 403, has: []string{"who alone starts it"}},
			{name: "nobody else's business", as: "vic", method: "GET", path: "/bulk-jobs/{job}", status: 403},
			{name: "of another version", as: "eve", method: "POST", path: "/bulk-jobs/{job}/start", header: []string{"If-Match", `"99"`}, status: 412},
		})
		begun := s.w.call(t, s.vars["eve"], "POST", "/bulk-jobs/"+job+"/start", "")
		require.Equal(t, 200, begun.status, begun.body)
		require.Contains(t, begun.body, `"preview":false`)
		over := s.bulkIs(t, "eve", job, "completed")
		require.True(t, over.Counts.Done == 1 && over.Counts.Refused == 4 && !over.MayStart && !over.MayCancel, "%+v", over)
		require.Equal(t, want, outcomesOf(s.bulkRows(t, "owner", job, "")))
		s.w.expect(t, "disabled", "bulk-job.started", "user.disabled", "access-changed", "access-changed session", "bulk-job.completed")
		require.Eventually(t, func() bool {
			a := s.w.call(t, s.vars["owner"], "GET", "/audit?action=user.disabled", "")
			return strings.Contains(a.body, `"id":"`+id("eve")) && strings.Contains(a.body, `"via":"api"`)
		}, 10*time.Second, 10*time.Millisecond, "it was eve, by the request that started it")
		s.run(t, []step{
			{name: "once", as: "eve", method: "POST", path: "/bulk-jobs/{job}/start", status: 409},
			{name: "over", as: "eve", method: "POST", path: "/bulk-jobs/{job}/cancel", status: 409},
			{name: "listed", as: "owner", method: "GET", path: "/bulk-jobs?action=disable&status=completed", status: 200, has: []string{`"id":"{job}"`}},
			{name: "not hers", as: "owner", method: "GET", path: "/bulk-jobs?mine=true", status: 200, hasNot: []string{`"id":"{job}"`}},
			{name: "named as a formula", as: "owner", method: "PATCH", path: "/users/{vicId}", body: `{"name":"=1+1"}`, header: anyVersion, status: 200, events: []string{"user.updated"}},
		})
		a := s.w.call(t, s.vars["eve"], "GET", "/bulk-jobs/"+job+"/result?outcome=done", "")
		require.Equal(t, 200, a.status, a.body)
		table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, table, 2)
		require.Equal(t, "'=1+1", table[1][1])

		// All that match, and what is so already.
		would, did := s.bulkRun(t, "eve", `{"action":"enable","filter":{"role":"viewer"}}`)
		require.Equal(t, map[string]string{id("vic"): "done"}, outcomesOf(would))
		require.Equal(t, outcomesOf(would), outcomesOf(did))
		s.w.expect(t, "enabled", "bulk-job.created", "bulk-job.started", "user.enabled", "access-changed", "bulk-job.completed")
		_, did = s.bulkRun(t, "eve", `{"action":"enable","users":["{vicId}"]}`)
		require.Equal(t, "unchanged", did[id("vic")].Outcome)
		_, did = s.bulkRun(t, "eve", `{"action":"password-link","users":["{vicId}"]}`)
		require.Contains(t, did[id("vic")].Detail, "no mail is set up")
		_, did = s.bulkRun(t, "eve", `{"action":"reset-factors","users":["{vicId}"]}`)
		require.Equal(t, "unchanged", did[id("vic")].Outcome)
		s.w.expect(t, "three", strings.Fields(strings.Repeat("bulk-job.created bulk-job.started bulk-job.completed ", 3))...)
		s.run(t, []step{{name: "a group", as: "eve", method: "POST", path: "/groups", body: `{"name":"Staff"}`, status: 201, keep: map[string]string{"staff": "id"}, events: []string{"group.created"}}})
		_, did = s.bulkRun(t, "eve", `{"action":"add-to-group","group":"{staff}","users":["{vicId}"]}`)
		require.Equal(t, "done", did[id("vic")].Outcome)
		_, did = s.bulkRun(t, "eve", `{"action":"remove-from-group","group":"{staff}","filter":{"group":"Staff"}}`)
		require.Equal(t, "done", did[id("vic")].Outcome)
		_, did = s.bulkRun(t, "eve", `{"action":"remove-from-group","group":"{staff}","users":["{vicId}"]}`)
		require.Equal(t, "unchanged", did[id("vic")].Outcome)

		// Cancelled before it began: nothing was done.
		job = s.bulkMade(t, "eve", `{"action":"delete","users":["{vicId}"]}`)
		s.bulkIs(t, "eve", job, "ready")
		a = s.w.call(t, s.vars["owner"], "POST", "/bulk-jobs/"+job+"/cancel", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, "cancelled", s.bulkRows(t, "eve", job, "")[id("vic")].Outcome)
		_, did = s.bulkRun(t, "eve", `{"action":"delete","users":["{vicId}"]}`)
		require.Equal(t, "done", did[id("vic")].Outcome)
		require.NotContains(t, s.w.call(t, s.vars["owner"], "GET", "/bulk-jobs/"+s.vars["job"]+"/rows", "").body, "vic@")
	})
}

func TestPeopleAreInvitedByABulkJob(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		s.run(t, []step{
			{name: "a group", as: "eve", method: "POST", path: "/groups", body: `{"name":"Staff"}`, status: 201, keep: map[string]string{"staff": "id"}, events: []string{"group.created"}},
			{name: "pat is invited", as: "eve", method: "POST", path: "/invitations", body: `{"email":"pat@example.com","roles":[{"role":"viewer"}]}`, status: 201, keep: map[string]string{"pat": "id"}, events: []string{"invitation.created"}},
			{name: "no list", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"invite"}`, status: 422, has: []string{`"pointer":"/csv"`}},
			{name: "no address", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"invite","csv":"name\nAda"}`, status: 422, has: []string{`"pointer":"/csv"`, "no column is called email"}},
			{name: "no such column", as: "eve", method: "POST", path: "/bulk-jobs", body: `{"action":"invite","csv":"email\na@b.c","columns":{"name":"Who"}}`, status: 422, has: []string{`"pointer":"/columns/name"`}},
			{name: "a viewer invites nobody", as: "vic", method: "POST", path: "/bulk-jobs", body: `{"action":"invite","csv":"email\na@b.c"}`, status: 403},
		})
		list := "Login;Name;Role;Group;Phone\r\n" +
			"new@example.com;=New;viewer;staff;1\r\n" + // 2
			"VIC@example.com;;viewer;;\r\n" + // 3: is a user
			"pat@example.com;;viewer;;\r\n" + // 4: is invited
			"New@Example.com;;viewer;;\r\n" + // 5: twice
			"wrong;;viewer;;\r\n" + // 6
			"boss@example.com;;owner;;\r\n" + // 7: eve is no owner
			"odd@example.com;;pilot|viewer;Pilots;\r\n" + // 8
			"bare@example.com;;;;\r\n" // 9: the default
		body, err := json.Marshal(map[string]any{
			"action": "invite", "name": "people.csv", "csv": list, "columns": map[string]string{"email": "login"}, "roles": []map[string]string{{"role": "operator"}},
		})
		require.NoError(t, err)
		want := map[string]string{"2": "done", "3": "unchanged", "4": "unchanged", "5": "refused", "6": "refused", "7": "refused", "8": "refused", "9": "done"}
		would, did := s.bulkRun(t, "eve", string(body))
		require.Equal(t, want, outcomesOf(would))
		require.Equal(t, want, outcomesOf(did))
		require.Equal(t, []string{"Phone"}, s.bulk(t, "eve", s.vars["job"]).Unused)
		require.Contains(t, did["5"].Errors[0].Detail, "line 2")
		require.Equal(t, "email", did["6"].Errors[0].Field)
		require.Equal(t, []string{"roles", "groups"}, []string{did["8"].Errors[0].Field, did["8"].Errors[1].Field})
		require.Equal(t, []string{"operator"}, did["9"].Roles)
		require.NotContains(t, s.w.call(t, s.vars["eve"], "GET", "/bulk-jobs/"+s.vars["job"]+"/rows", "").body, "#token=")
		require.Contains(t, s.w.call(t, s.vars["eve"], "GET", "/bulk-jobs/"+s.vars["job"]+"/result", "").body, ",'=New,")
		s.w.expect(t, "two", "bulk-job.created", "bulk-job.started", "invitation.created", "invitation.created", "bulk-job.completed")
		s.vars["new"] = did["2"].Invitation
		s.run(t, []step{
			{name: "as its line says", as: "eve", method: "GET", path: "/invitations/{new}", status: 200, has: []string{`"groups":[{"id":"{staff}","name":"Staff"}]`, `"name":"=New"`}},
		})
		_, did = s.bulkRun(t, "eve", `{"action":"resend-invitation","filter":{"q":"pat@"}}`)
		require.Len(t, did, 1)
		require.Contains(t, did[""].Detail, "no mail is set up")
	})
}

// many makes users beside the API, and returns a job that disables them.
func (s *scenario) many(t *testing.T, n int) (body string) {
	t.Helper()
	ids := make([]string, n)
	require.NoError(t, s.w.database(t).Tx(t.Context(), s.vars["org"], s.vars["ownerId"], func(tx *store.Tx) error {
		for i := range ids {
			u := store.User{Name: fmt.Sprintf("One of many %d", i), Email: fmt.Sprintf("many%d@example.com", i)}
			if err := tx.CreateUser(t.Context(), &u); err != nil {
				return err
			}
			ids[i] = u.ID
		}
		return nil
	}))
	b, err := json.Marshal(map[string]any{"action": "disable", "users": ids, "start": true})
	require.NoError(t, err)
	return string(b)
}

// halfway starts a job over many, and ends the service when some are done.
func (s *scenario) halfway(t *testing.T, who string, n int) (id string, done int64) {
	t.Helper()
	id = s.bulkMade(t, who, s.many(t, n))
	require.Eventually(t, func() bool { return s.bulk(t, who, id).Counts.Done > 0 }, 20*time.Second, time.Millisecond)
	s.w.stop()
	counts, err := s.w.database(t).For(s.vars["org"]).BulkCounts(t.Context(), id)
	require.NoError(t, err)
	done = counts[id]["done"]
	require.Positive(t, counts[id][""], "it was over too soon")
	require.Equal(t, int64(n), done+counts[id][""], "nothing else became of any")
	return id, done
}

// A service that ends in the middle goes on where it was, and two that work at the
// same time, without a lease between them, do nothing twice.
func TestABulkJobGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	const n = 200
	onEach(t, func(t *testing.T, s *scenario) {
		id, _ := s.halfway(t, "owner", n)
		apart := newWorldAt(t, s.w.clock, func(c *tenantmanager.Config) { c.Database, c.Secrets = s.w.cfg.Database, s.w.cfg.Secrets })
		s.w.start(t)
		over := s.bulkIs(t, "owner", id, "completed")
		require.Equal(t, int64(n), over.Counts.Done, "%+v", over)
		told := func() (n int) {
			for cursor := ""; ; {
				a := s.w.call(t, s.vars["owner"], "GET", "/audit?action=user.disabled&limit=200&cursor="+cursor, "")
				var page struct {
					Items []struct{}
					Next  string
				}
				require.NoError(t, json.Unmarshal([]byte(a.body), &page), a.body)
				if n += len(page.Items); page.Next == "" {
					return n
				}
				cursor = page.Next
			}
		}
		require.Eventually(t, func() bool { return told() >= n }, 90*time.Second, 100*time.Millisecond)
		apart.stop()
		require.Equal(t, n, told(), "an entry for each, and no more")
		a := s.w.call(t, s.vars["owner"], "GET", "/audit?action=bulk-job.completed", "")
		require.Equal(t, 1, strings.Count(a.body, `"action":"bulk-job.completed"`))
	})
}

// What is left of a job whose creator may not do it any longer is refused.
func TestABulkJobStopsWithTheRightsOfItsCreator(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		id, done := s.halfway(t, "eve", 200)
		require.NoError(t, s.w.database(t).Tx(t.Context(), s.vars["org"], "", func(tx *store.Tx) error {
			held, err := tx.GrantsOf(t.Context(), s.vars["eveId"])
			if err != nil {
				return err
			}
			for _, g := range held {
				if err := tx.DeleteGrant(t.Context(), g, g.Version); err != nil {
					return err
				}
			}
			return nil
		}))
		s.w.start(t)
		over := s.bulkIs(t, "owner", id, "stopped")
		require.Equal(t, done, over.Counts.Done)
		require.Equal(t, 200-done, over.Counts.Refused)
		require.Contains(t, over.Reason, "may not do this any longer")
		require.Eventually(t, func() bool {
			return strings.Contains(s.w.call(t, s.vars["owner"], "GET", "/audit?action=bulk-job.stopped", "").body, `"outcome":"refused"`)
		}, 10*time.Second, 10*time.Millisecond)
	})
}

// Who may do none of what bulk jobs do learns nothing of what a body has to be.
func TestWhoMayNotIsToldSoBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	viewer := w.invite(t, owner, "viewer@example.com", `{"role":"viewer"}`).text(t, "accessToken")
	for _, body := range []string{`{}`, `{"action":"nothing"}`, `{"action":"enable","users":[]}`} {
		require.Equal(t, 422, w.call(t, owner, "POST", "/bulk-jobs", body).status, body)
		a := w.call(t, viewer, "POST", "/bulk-jobs", body)
		require.Equal(t, 403, a.status, a.body)
		require.Contains(t, a.body, "user:update")
	}
}

// A bulk job, with what became of its rows, is there for a month after its end.
func TestBulkJobsAreKeptForAMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := &scenario{w: w, vars: map[string]string{"owner": w.setUp(t)}}
	s.vars["eve"] = w.invite(t, s.vars["owner"], "eve@example.com", `{"role":"viewer"}`).text(t, "user/id")
	id := s.bulkMade(t, "owner", `{"action":"disable","users":["{eve}"],"start":true}`)
	over := s.bulkIs(t, "owner", id, "completed")
	require.EqualValues(t, 1, over.Counts.Done)
	later := func(days int) answer {
		w.clock.Advance(time.Duration(days) * 24 * time.Hour)
		w.stop()
		w.start(t)
		s.vars["owner"] = w.signIn(t, "ada@example.com", "default")
		return w.call(t, s.vars["owner"], "GET", "/bulk-jobs/"+id, "")
	}
	kept := later(29)
	require.Equal(t, 200, kept.status, kept.body)
	require.NotEmpty(t, kept.text(t, "keptUntil"))
	require.Contains(t, w.call(t, s.vars["owner"], "GET", "/bulk-jobs/"+id+"/result", "").body, "eve@example.com")
	later(2)
	require.Eventually(t, func() bool {
		return w.call(t, s.vars["owner"], "GET", "/bulk-jobs/"+id, "").status == 404
	}, eventually, tick)
	require.Equal(t, 404, w.call(t, s.vars["owner"], "GET", "/bulk-jobs/"+id+"/result", "").status)
}
