package tenantmanager_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

type review struct {
	ID, Name, Status, RepeatError, Previous                                         string
	Version                                                                         int
	Items, Decided, Kept, Revoked, CarriedOut, Taken, Blocked, Gone, LeftOut, Round int
	Waiting, MayManage, ByOwners                                                    bool
	Deadline                                                                        time.Time
	NextAt                                                                          *time.Time
	Reviewers                                                                       []struct{ ID, Name string }
}

type reviewItem struct {
	ID, Grant, RoleName, Decision, DecidedBy, Comment, Outcome, OutcomeNote, GrantedBy string
	MayDecide                                                                          bool
	LastUsedAt                                                                         *time.Time
	Principal                                                                          struct{ Kind, ID, Name string }
}

func (w *world) review(t *testing.T, token, id string) (r review) {
	t.Helper()
	a := w.call(t, token, "GET", "/access/reviews/"+id, "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &r))
	return r
}

// reviewed returns the items of a review, by the name of who has the grant and the
// role.
func (w *world) reviewed(t *testing.T, token, id, query string) map[string]reviewItem {
	t.Helper()
	a := w.call(t, token, "GET", "/access/reviews/"+id+"/items"+query, "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	var list struct{ Items []reviewItem }
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	out := map[string]reviewItem{}
	for _, i := range list.Items {
		out[i.Principal.Name+" "+i.RoleName] = i
	}
	return out
}

// beginReview begins a review and returns its id.
func (w *world) beginReview(t *testing.T, token string, change map[string]any) string {
	t.Helper()
	body := map[string]any{
		"name": "First quarter", "scope": map[string]any{"kind": "organization"}, "undecided": "keep",
		"deadline": w.clock.Now().Add(14 * 24 * time.Hour).Format(time.RFC3339),
	}
	for k, v := range change {
		body[k] = v
	}
	b, err := json.Marshal(body)
	require.NoError(t, err)
	a := w.call(t, token, "POST", "/access/reviews", string(b))
	require.Equal(t, http.StatusCreated, a.status, a.body)
	return a.text(t, "id")
}

// reviewOver waits until a review is carried out.
func (w *world) reviewOver(t *testing.T, token, id string) (r review) {
	t.Helper()
	require.Eventually(t, func() bool {
		r = w.review(t, token, id)
		return r.Status == "closed"
	}, 15*time.Second, 20*time.Millisecond, "it is not carried out")
	return r
}

// A review from its beginning to its result: who decides on what, what is taken
// away, what is recorded of it.
func TestAccessReviews(t *testing.T) {
	t.Parallel()
	everyDialect(t, func(t *testing.T, w *world) {
		owner := w.setUp(t)
		ada := w.call(t, owner, "GET", "/me", "").text(t, "user/id")
		eveIn := w.invite(t, owner, "eve@example.com", `{"role":"viewer"},{"role":"publisher","project":"p1"}`)
		eve, eveID := eveIn.text(t, "accessToken"), eveIn.text(t, "user/id")
		bob := w.invite(t, owner, "bob@example.com", `{"role":"auditor"}`).text(t, "accessToken")
		require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+eveID+`","role":"viewer","effect":"deny","project":"p9"}`).status)

		// It is known before it begins what it is about.
		a := w.call(t, owner, "POST", "/access/reviews/preview", `{"kind":"organization"}`)
		require.Equal(t, 200, a.status, a.body)
		require.JSONEq(t, `{"items":5,"principals":3,"leftOut":0}`, a.body)
		require.JSONEq(t, `{"items":1,"principals":1,"leftOut":0}`, w.call(t, owner, "POST", "/access/reviews/preview", `{"kind":"project","id":"p1"}`).body)
		require.Equal(t, 403, w.call(t, eve, "POST", "/access/reviews/preview", `{"kind":"organization"}`).status)
		for body, pointer := range map[string]string{
			`{"name":"x","scope":{"kind":"role","id":"no-such"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z"}`:                 "/scope/id",
			`{"name":"x","scope":{"kind":"group"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z"}`:                               "/scope/id",
			`{"name":"x","scope":{"kind":"project","id":"empty"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z"}`:                "/scope",
			`{"name":"x","scope":{"kind":"organization"},"undecided":"keep","deadline":"2029-02-01T00:00:00Z"}`:                        "/deadline",
			`{"name":"x","scope":{"kind":"organization"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z","repeatDays":7}`:         "/repeatDays",
			`{"name":"x","scope":{"kind":"organization"},"undecided":"keep","deadline":"2030-02-01T00:00:00Z","reviewers":["nobody"]}`: "/reviewers/0",
		} {
			a := w.call(t, owner, "POST", "/access/reviews", body)
			require.Equal(t, 422, a.status, a.body)
			require.Contains(t, a.body, `"pointer":"`+pointer+`"`)
		}

		// Two reviewers, of whom one has something to be reviewed.
		id := w.beginReview(t, owner, map[string]any{"reviewers": []string{ada, eveID}, "undecided": "revoke"})
		r := w.review(t, owner, id)
		require.Equal(t, []int{5, 0, 0, 1}, []int{r.Items, r.Decided, r.LeftOut, r.Round})
		require.True(t, r.Waiting && r.MayManage)
		require.True(t, w.review(t, eve, id).Waiting, "a reviewer sees it without any right")
		require.Equal(t, 200, w.call(t, bob, "GET", "/access/reviews/"+id, "").status, "an auditor may")
		require.False(t, w.review(t, bob, id).Waiting)
		require.Contains(t, w.call(t, eve, "GET", "/access/reviews?waiting=true", "").body, id)
		require.NotContains(t, w.call(t, bob, "GET", "/access/reviews?waiting=true", "").body, id)
		items := w.reviewed(t, eve, id, "")
		require.Len(t, items, 5)
		require.True(t, items["bob@example.com auditor"].MayDecide)
		require.False(t, items["eve@example.com viewer"].MayDecide, "nobody decides on their own")
		require.NotNil(t, items["bob@example.com auditor"].LastUsedAt)
		require.Equal(t, "Ada", items["bob@example.com auditor"].GrantedBy)

		decide := func(token, body string) answer {
			return w.call(t, token, "POST", "/access/reviews/"+id+"/decisions", body)
		}
		require.Equal(t, 403, decide(bob, `{"allUndecided":true,"decision":"keep"}`).status, "no reviewer")
		require.Equal(t, 403, decide(eve, `{"items":["`+items["eve@example.com viewer"].ID+`"],"decision":"keep"}`).status)
		require.Equal(t, 422, decide(owner, `{"items":["none"],"decision":"keep"}`).status)
		require.Equal(t, 422, decide(owner, `{"decision":"keep"}`).status)
		require.JSONEq(t, `{"decided":1,"own":1}`, decide(eve, `{"items":["`+items["eve@example.com viewer"].ID+`","`+items["bob@example.com auditor"].ID+`"],"decision":"revoke","comment":"=left in May"}`).body)
		require.JSONEq(t, `{"decided":1,"own":0}`, decide(owner, `{"items":["`+items["eve@example.com viewer"].ID+`"],"decision":"keep"}`).body)
		// The rest but her own: what is Ada's is left.
		require.JSONEq(t, `{"decided":1,"own":2}`, decide(owner, `{"allUndecided":true,"decision":"keep"}`).body)
		require.JSONEq(t, `{"decided":2,"own":0}`, decide(eve, `{"allUndecided":true,"decision":"revoke"}`).body)
		r = w.review(t, owner, id)
		require.Equal(t, []int{5, 2, 3}, []int{r.Decided, r.Kept, r.Revoked})
		require.False(t, r.Waiting)
		require.Len(t, w.reviewed(t, owner, id, "?decision=revoke"), 3)

		// It ends: what is revoked is gone within two seconds, the last owner is not.
		require.Equal(t, 403, w.call(t, bob, "POST", "/access/reviews/"+id+"/close", "").status)
		require.Equal(t, 200, w.call(t, owner, "POST", "/access/reviews/"+id+"/close", "").status)
		require.Equal(t, 409, w.call(t, owner, "POST", "/access/reviews/"+id+"/close", "").status)
		r = w.reviewOver(t, owner, id)
		require.Equal(t, []int{5, 2, 1, 0}, []int{r.CarriedOut, r.Taken, r.Blocked, r.Gone}, "%+v", w.reviewed(t, owner, id, ""))
		items = w.reviewed(t, owner, id, "")
		require.Equal(t, "revoked", items["bob@example.com auditor"].Outcome)
		require.Equal(t, "blocked", items["Ada owner"].Outcome)
		require.Contains(t, items["Ada owner"].OutcomeNote, "without an owner")
		require.Eventually(t, func() bool { return w.call(t, bob, "GET", "/users", "").status == 403 }, 2*time.Second, 10*time.Millisecond)
		granted, err := bus.Ask(t.Context(), w.other, tenant.Grants{Organization: w.call(t, owner, "GET", "/me", "").text(t, "organization/id"), Principal: ada})
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(granted.Grants, func(g tenant.Grant) bool { return g.Role == "owner" }))
		require.Equal(t, 409, decide(owner, `{"allUndecided":true,"decision":"keep"}`).status, "it is over")

		// The trail tells in whose name, and the result is a table.
		w.recordedAs(t, owner, "grant.deleted", `"name":"eve@example.com"`)
		w.recordedAs(t, owner, "access-review.closed", `First quarter`)
		a = w.call(t, owner, "GET", "/access/reviews/"+id+"/result", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, "text/csv", a.header.Get("Content-Type"))
		require.Contains(t, a.header.Get("Content-Disposition"), id)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 6)
		require.Contains(t, a.body, ",'=left in May,", "it is no formula")
	})
}

// Deadlines, reminders and further rounds come by themselves, once, however many
// instances there are.
func TestReviewsGoByTheClock(t *testing.T) {
	t.Parallel()
	everyDialect(t, func(t *testing.T, w *world) {
		owner := w.setUp(t)
		w.another(t)
		eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
		id := w.beginReview(t, owner, map[string]any{"scope": map[string]any{"kind": "role", "id": "viewer"}, "undecided": "revoke", "repeatDays": 30})
		r := w.review(t, owner, id)
		require.True(t, r.ByOwners)
		require.Equal(t, "Ada", r.Reviewers[0].Name)
		require.Equal(t, 30*24*time.Hour, r.NextAt.Sub(w.clock.Now()))

		w.clock.Advance(14*24*time.Hour + time.Minute)
		owner = w.signIn(t, "ada@example.com", "")
		r = w.reviewOver(t, owner, id)
		require.Equal(t, []int{1, 0}, []int{r.Taken, r.Decided}, "what nobody decided on is revoked")
		require.Equal(t, "[]", strings.TrimSuffix(strings.TrimPrefix(w.call(t, owner, "GET", "/grants?principal="+eve.text(t, "user/id"), "").body, `{"items":`), "}\n"))

		// The next round begins, where there is something to review.
		require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+eve.text(t, "user/id")+`","role":"viewer"}`).status)
		w.clock.Advance(16 * 24 * time.Hour)
		owner = w.signIn(t, "ada@example.com", "")
		var rounds struct{ Items []review }
		list := func() int {
			require.NoError(t, json.Unmarshal([]byte(w.call(t, owner, "GET", "/access/reviews", "").body), &rounds))
			return len(rounds.Items)
		}
		require.Eventually(t, func() bool { return list() == 2 }, 15*time.Second, 50*time.Millisecond)
		next := rounds.Items[0]
		require.Equal(t, []string{"running", id}, []string{next.Status, next.Previous})
		require.Equal(t, 2, next.Round)
		require.InDelta(t, (14 * 24 * time.Hour).Hours(), next.Deadline.Sub(w.clock.Now()).Hours(), 1)
		require.Nil(t, w.review(t, owner, id).NextAt)

		// Nothing left to review: the series says why it ends.
		require.Equal(t, 200, w.call(t, owner, "POST", "/access/reviews/"+next.ID+"/decisions", `{"allUndecided":true,"decision":"revoke"}`).status)
		require.Equal(t, 200, w.call(t, owner, "POST", "/access/reviews/"+next.ID+"/close", "").status)
		w.reviewOver(t, owner, next.ID)
		w.clock.Advance(31 * 24 * time.Hour)
		owner = w.signIn(t, "ada@example.com", "")
		require.Eventually(t, func() bool { return w.review(t, owner, next.ID).RepeatError != "" }, 15*time.Second, 50*time.Millisecond)
		require.Equal(t, 2, list())
		require.Contains(t, w.review(t, owner, next.ID).RepeatError, "nothing to review")
	})
}

// Reviewers are told by mail when it begins, and reminded as long as something is
// undecided.
func TestReviewersAreReminded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *configuration) { c.Outbound.AllowLoopback = true })
	owner := w.setUp(t)
	post := newPostOffice(t, false)
	a := w.call(t, owner, "PUT", "/mail/settings", strings.Replace(post.settings("starttls"), `"language":"de"`, `"language":"en"`, 1), anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	id := w.beginReview(t, owner, map[string]any{})
	l := post.next(t)
	require.Equal(t, "Review access: First quarter", l.subject)
	require.Equal(t, "ada@example.com", l.to)
	require.Contains(t, l.text, "http://console.test/reviews/"+id)
	w.clock.Advance(11*24*time.Hour + time.Minute)
	l = post.next(t)
	require.Equal(t, "Still to review: First quarter", l.subject)
	w.clock.Advance(2 * 24 * time.Hour)
	require.Equal(t, "Still to review: First quarter", post.next(t).subject)

	// What can be changed while it runs, and what cannot any more.
	owner = w.signIn(t, "ada@example.com", "")
	path := "/access/reviews/" + id
	require.Equal(t, 422, w.call(t, owner, "PATCH", path, `{"deadline":"2029-01-01T00:00:00Z"}`, anyVersion...).status)
	a = w.call(t, owner, "PATCH", path, `{"name":"Renamed","undecided":"revoke","deadline":"2030-03-01T00:00:00Z","repeatDays":90}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	require.NotNil(t, w.review(t, owner, id).NextAt)
	require.Equal(t, 200, w.call(t, owner, "POST", path+"/cancel", "").status)
	r := w.review(t, owner, id)
	require.Equal(t, "cancelled", r.Status)
	require.Nil(t, r.NextAt)
	require.Equal(t, 409, w.call(t, owner, "PATCH", path, `{"undecided":"keep"}`, anyVersion...).status)
}

// A review takes away no more than whoever began it could.
func TestAReviewDoesNoMoreThanWhoBeganIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	require.Equal(t, 201, w.call(t, owner, "POST", "/roles", `{"name":"helper","permissions":["role:read","role:update","user:read"]}`).status)
	helper := w.invite(t, owner, "h@example.com", `{"role":"helper"}`).text(t, "accessToken")
	id := w.beginReview(t, helper, map[string]any{})
	r := w.review(t, helper, id)
	require.Equal(t, []int{1, 2}, []int{r.Items, r.LeftOut}, "the owner's are left out")

	// By a token that is made for a part, nothing is decided.
	made := w.call(t, owner, "POST", "/me/tokens", `{"name":"t","expiresAt":"2030-02-01T00:00:00Z","permissions":["role:read"]}`)
	require.Equal(t, 201, made.status, made.body)
	narrow := w.call(t, "", "POST", "/token/personal", `{"token":"`+made.text(t, "token")+`"}`).text(t, "accessToken")
	require.Equal(t, 403, w.call(t, narrow, "POST", "/access/reviews/"+id+"/decisions", `{"allUndecided":true,"decision":"revoke"}`).status)
	require.Equal(t, 200, w.call(t, owner, "POST", "/access/reviews/"+id+"/decisions", `{"allUndecided":true,"decision":"revoke"}`).status)
}

// Who has a role, and how each comes to it; and what a boundary would take away.
func TestHoldersAndBoundaries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"publisher","project":"p1"}`).text(t, "user/id")
	group := w.call(t, owner, "POST", "/groups", `{"name":"Staff"}`).text(t, "id")
	require.Equal(t, 201, w.call(t, owner, "POST", "/groups/"+group+"/members", `{"member":"`+eve+`"}`).status)
	require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+group+`","role":"publisher"}`).status)
	account := w.call(t, owner, "POST", "/service-accounts", `{"name":"CI"}`).text(t, "id")
	require.Equal(t, 201, w.call(t, owner, "POST", "/grants", `{"principal":"`+account+`","role":"publisher","project":"p2"}`).status)
	type holders struct {
		Next  string
		Items []struct {
			Principal struct{ ID string }
			Grants    []struct {
				Project string
				Via     []struct{ Name string }
			}
		}
	}
	var all holders
	require.NoError(t, json.Unmarshal([]byte(w.call(t, owner, "GET", "/roles/publisher/holders?limit=1", "").body), &all))
	require.Len(t, all.Items, 1)
	require.Equal(t, eve, all.Items[0].Principal.ID)
	require.Len(t, all.Items[0].Grants, 2)
	require.Equal(t, "p1", all.Items[0].Grants[0].Project)
	require.Equal(t, "Staff", all.Items[0].Grants[1].Via[0].Name)
	next := all.Next
	all = holders{}
	require.NoError(t, json.Unmarshal([]byte(w.call(t, owner, "GET", "/roles/publisher/holders?limit=1&cursor="+next, "").body), &all))
	require.Equal(t, account, all.Items[0].Principal.ID)
	require.Empty(t, all.Next)
	require.Equal(t, 404, w.call(t, owner, "GET", "/roles/no-such/holders", "").status)

	var p struct {
		Affected      int
		Before, After []string
	}
	preview := func(of, body string) {
		a := w.call(t, owner, "POST", "/boundaries/"+of+"/preview", body)
		require.Equal(t, 200, a.status, a.body)
		p.Before, p.After = nil, nil
		require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	}
	preview(eve, `{"role":"viewer"}`)
	require.Contains(t, p.Before, "api:update")
	require.NotContains(t, p.After, "api:update")
	require.Contains(t, p.After, "api:read")
	preview(group, `{"role":"viewer","member":"`+eve+`"}`)
	require.Equal(t, 1, p.Affected)
	require.NotContains(t, p.After, "api:update")
	require.Equal(t, 200, w.call(t, owner, "PUT", "/boundaries/"+group, `{"role":"viewer"}`).status)
	preview(group, `{"member":"`+eve+`"}`) // without the boundary that there is
	require.NotContains(t, p.Before, "api:update")
	require.Contains(t, p.After, "api:update")
	require.Equal(t, 422, w.call(t, owner, "POST", "/boundaries/"+group+"/preview", `{"role":"viewer","member":"`+account+`"}`).status)
	require.Equal(t, 404, w.call(t, owner, "POST", "/boundaries/none/preview", `{"role":"viewer"}`).status)
}
