package tenantmanager_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Two instances are one service: on the same database they agree on who is who,
// what is held against whom, and which refresh token is good.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	for _, dialect := range []db.Dialect{db.Postgres, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			a := newWorld(t, func(c *configuration) { c.Database.DSN = schema.NewSecret(dbtest.DSN(t, dialect)) })
			b := a.another(t)
			require.NotEqual(t, a.code, b.code)
			orgs, err := bus.Ask(t.Context(), a.other, tenant.Organizations{})
			require.NoError(t, err)
			require.Len(t, orgs.Organizations, 1, "the second makes nothing again")

			owner := a.setUp(t) // with a's code, though b made one since
			eve := b.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
			require.Equal(t, 200, a.call(t, eve.text(t, "accessToken"), "GET", "/me", "").status, "a token of the one is good at the other")

			// Of many who use one refresh token at the same time one succeeds.
			good := 0
			var mu sync.Mutex
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					w := []*world{a, b}[i%2]
					res := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+eve.text(t, "refreshToken")+`"}`)
					mu.Lock()
					defer mu.Unlock()
					if res.status == http.StatusOK {
						good++
					}
				})
			}
			all.Wait()
			require.Equal(t, 1, good)
			require.Equal(t, 401, b.call(t, eve.text(t, "accessToken"), "GET", "/me", "").status, "and the session has ended")

			in := b.call(t, "", "POST", "/sign-in", `{"email":"eve@example.com","password":"`+goodWord+`"}`)
			token, id := in.text(t, "accessToken"), in.text(t, "user/id")
			require.Equal(t, 200, b.call(t, token, "GET", "/me", "").status)
			require.Equal(t, 200, a.call(t, owner, "PATCH", "/users/"+id, `{"status":"disabled"}`, "If-Match", "*").status)
			require.Eventually(t, func() bool { return b.call(t, token, "GET", "/me", "").status == 401 }, 2*time.Second, 5*time.Millisecond)

			for i := range 5 {
				w := []*world{a, b}[i%2]
				require.Equal(t, 401, w.call(t, "", "POST", "/sign-in", `{"email":"x@example.com","password":"not the right one"}`).status)
			}
			require.Equal(t, 429, b.call(t, "", "POST", "/sign-in", `{"email":"x@example.com","password":"not the right one"}`).status, "what was tried at either counts")

			require.Eventually(t, func() bool {
				r := a.call(t, owner, "GET", "/audit?action=user.disabled", "")
				return r.status == 200 && len(r.body) > 50
			}, eventually, 10*time.Millisecond)
			require.Contains(t, b.call(t, owner, "GET", "/audit/verification", "").body, `"valid":true`)
		})
	}
}

// The last two owners cannot leave at the same time.
func TestTheLastTwoOwners(t *testing.T) {
	t.Parallel()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *configuration) { c.Database.DSN = schema.NewSecret(dbtest.DSN(t, dialect)) })
			ada := w.setUp(t)
			adaID := w.call(t, ada, "GET", "/me", "").text(t, "user/id")
			bob := w.invite(t, ada, "bob@example.com", `{"role":"owner"}`)
			var all sync.WaitGroup
			statuses := make([]int, 2)
			for i, who := range []struct{ token, victim string }{{ada, bob.text(t, "user/id")}, {bob.text(t, "accessToken"), adaID}} {
				all.Go(func() {
					statuses[i] = w.call(t, who.token, "PATCH", "/users/"+who.victim, `{"status":"disabled"}`, "If-Match", "*").status
				})
			}
			all.Wait()
			gone := 0
			for _, s := range statuses {
				if s == http.StatusOK {
					gone++
				}
			}
			require.Equal(t, 1, gone, "%v", statuses)
		})
	}
}
