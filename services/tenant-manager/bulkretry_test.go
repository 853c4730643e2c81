package tenantmanager_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// withMail has the installation send mail, by a server of the test.
func (s *scenario) withMail(t *testing.T) *postOffice {
	t.Helper()
	office := newPostOffice(t, false)
	a := s.w.call(t, s.vars["owner"], "PUT", "/mail/settings", office.settings("starttls"), anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	return office
}

// retries is what is said of a job that can be tried again.
type retries struct {
	ID                 string
	MayRetry           bool
	Retriable          int64
	RetryOf, RetriedBy string
	Total              int64
}

func (s *scenario) retriesOf(t *testing.T, who, id string) (r retries) {
	t.Helper()
	a := s.w.call(t, s.vars[who], "GET", "/bulk-jobs/"+id, "")
	require.Equal(t, 200, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &r))
	return r
}

// toldOfEnds returns how many letters about bulk jobs there are to an address.
func (s *scenario) toldOfEnds(t *testing.T, to string) int {
	t.Helper()
	a := s.w.call(t, s.vars["owner"], "GET", "/mail/messages?limit=200", "")
	require.Equal(t, 200, a.status, a.body)
	var list struct {
		Items []struct{ Kind, Recipient string }
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	n := 0
	for _, m := range list.Items {
		if m.Kind == "bulk-job-ended" && m.Recipient == to {
			n++
		}
	}
	return n
}

// What a job did not do is tried again by another one, of those rows alone, when the
// cause is gone.
func TestWhatABulkJobDidNotDoIsTriedAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		_, did := s.bulkRun(t, "eve", `{"action":"password-link","name":"New start","users":["{vicId}","{olafId}","gone"]}`)
		require.Equal(t, "refused", did[s.vars["vicId"]].Outcome)
		require.Contains(t, did[s.vars["vicId"]].Detail, "no mail is set up")
		first := s.vars["job"]
		s.w.expect(t, "refused", "bulk-job.created", "bulk-job.started", "bulk-job.completed")
		over := s.retriesOf(t, "eve", first)
		require.True(t, over.MayRetry, "%+v", over)
		undone := over.Retriable
		require.Less(t, undone, over.Total, "who is gone is not tried again")
		require.Positive(t, undone)
		require.Empty(t, s.retriesOf(t, "owner", first).RetriedBy)
		waits := s.bulkMade(t, "eve", `{"action":"enable","users":["{vicId}"]}`)
		s.bulkIs(t, "eve", waits, "ready")
		s.vars["waits"] = waits
		s.run(t, []step{
			{name: "not one that never ran", as: "eve", method: "POST", path: "/bulk-jobs/{waits}/retry", status: 409, has: []string{"started and has ended"}, events: []string{"bulk-job.created"}},
			{name: "nobody else's business", as: "vic", method: "POST", path: "/bulk-jobs/{job}/retry", status: 403},
			{name: "none", as: "eve", method: "POST", path: "/bulk-jobs/none/retry", status: 404},
			{name: "of another version", as: "eve", method: "POST", path: "/bulk-jobs/{job}/retry", header: []string{"If-Match", `"v99"`}, status: 412},
			{name: "again", as: "eve", method: "POST", path: "/bulk-jobs/{job}/retry", header: []string{"Idempotency-Key", "once"}, status: 201, has: []string{`"retryOf":"{job}"`, `"name":"New start"`}, keep: map[string]string{"second": "id"}, events: []string{"bulk-job.created"}},
			{name: "once", as: "eve", method: "POST", path: "/bulk-jobs/{job}/retry", header: []string{"Idempotency-Key", "once"}, status: 201, has: []string{`"id":"{second}"`}},
			{name: "not twice", as: "olaf", method: "POST", path: "/bulk-jobs/{job}/retry", status: 409, has: []string{"{second}"}},
		})
		ready := s.bulkIs(t, "eve", s.vars["second"], "ready")
		require.True(t, ready.Preview && ready.Total == undone && ready.Counts.Refused == undone, "it says before what would happen: %+v", ready)
		require.Equal(t, s.vars["second"], s.retriesOf(t, "eve", first).RetriedBy)
		require.False(t, s.retriesOf(t, "eve", first).MayRetry)
		// Discarded, it does not count, and somebody else has it tried again in their name.
		s.run(t, []step{{name: "discarded", as: "eve", method: "POST", path: "/bulk-jobs/{second}/cancel", status: 200, events: []string{"bulk-job.cancelled"}}})
		require.True(t, s.retriesOf(t, "eve", first).MayRetry)
		office := s.withMail(t)
		s.run(t, []step{{name: "by the owner", as: "owner", method: "POST", path: "/bulk-jobs/{job}/retry", status: 201, has: []string{`"id":"{ownerId}"`}, keep: map[string]string{"third": "id"}, events: []string{"mail-settings.updated", "bulk-job.created"}}})
		s.bulkIs(t, "owner", s.vars["third"], "ready")
		a := s.w.call(t, s.vars["owner"], "POST", "/bulk-jobs/"+s.vars["third"]+"/start", "")
		require.Equal(t, 200, a.status, a.body)
		s.bulkIs(t, "owner", s.vars["third"], "completed")
		require.Equal(t, "done", s.bulkRows(t, "owner", s.vars["third"], "")[s.vars["vicId"]].Outcome)
		to := map[string]bool{}
		for range undone {
			to[office.next(t).to] = true
		}
		require.True(t, to["vic@example.com"], "%v", to)
		require.Zero(t, s.toldOfEnds(t, "ada@example.com"), "it was over in a moment, and nothing failed")
		require.Equal(t, 409, s.w.call(t, s.vars["owner"], "POST", "/bulk-jobs/"+s.vars["third"]+"/retry", "").status, "there is nothing left")

		// Who started a job that did not do all of it is told by mail, with the link.
		_, did = s.bulkRun(t, "eve", `{"action":"enable","users":["{vicId}","{eveId}","gone"]}`)
		require.Equal(t, "refused", did["gone"].Outcome)
		l := office.next(t)
		require.Equal(t, "eve@example.com", l.to)
		require.Contains(t, l.subject, "Benutzer aktivieren", "in the language of the installation")
		require.Contains(t, l.text, "/bulk-jobs/"+s.vars["job"])
		require.Equal(t, 1, s.toldOfEnds(t, "eve@example.com"))
	}, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
}

// The lines of a list are tried again as they were, but for those that cannot be read.
func TestLinesOfAListAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	ask := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := s.w.call(t, s.vars["owner"], method, path, body, header...)
		require.Equal(t, status, a.status, a.body)
		return a
	}
	const role = `{"name":"pilot","permissions":["api:read"]}`
	pilot := ask("POST", "/roles", role, 201).text(t, "id")
	job := s.bulkMade(t, "owner", `{"action":"invite","name":"people.csv","csv":"email,role\nnew@example.com,pilot\nwrong,pilot\nother@example.com,viewer"}`)
	s.bulkIs(t, "owner", job, "ready")
	ask("DELETE", "/roles/"+pilot, "", 204, anyVersion...)
	ask("POST", "/bulk-jobs/"+job+"/start", "", 200)
	s.bulkIs(t, "owner", job, "completed")
	require.Equal(t, map[string]string{"2": "refused", "3": "refused", "4": "done"}, outcomesOf(s.bulkRows(t, "owner", job, "")))
	ask("POST", "/roles", role, 201)
	again := ask("POST", "/bulk-jobs/"+job+"/retry", "", 201).text(t, "id")
	ready := s.bulkIs(t, "owner", again, "ready")
	require.True(t, ready.Total == 1 && ready.Counts.Done == 1, "%+v", ready)
	row := s.bulkRows(t, "owner", again, "")["2"]
	require.Equal(t, "new@example.com", row.Email)
	require.Equal(t, []string{"pilot"}, row.Roles)
}

// A job that takes long is told of once, also where the service ends in the middle and
// two go on with it.
func TestALongBulkJobIsToldOfOnce(t *testing.T) {
	t.Parallel()
	loopback := func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true }
	s := newScenario(t, loopback)
	office := s.withMail(t)
	id, _ := s.halfway(t, "owner", 120)
	s.w.clock.Advance(2 * time.Minute)
	apart := newWorldAt(t, s.w.clock, loopback, func(c *tenantmanager.Config) { c.Database, c.Secrets = s.w.cfg.Database, s.w.cfg.Secrets })
	s.w.start(t)
	over := s.bulkIs(t, "owner", id, "completed")
	require.EqualValues(t, 120, over.Counts.Done)
	l := office.next(t)
	require.Equal(t, "ada@example.com", l.to)
	require.True(t, strings.Contains(l.text, "/bulk-jobs/"+id) && strings.Contains(l.text, "120"), l.text)
	apart.stop()
	require.Equal(t, 1, s.toldOfEnds(t, "ada@example.com"))
}
