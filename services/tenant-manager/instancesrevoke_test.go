package tenantmanager_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// What comes by a group is over at one instance when the other one deletes the group, or
// takes it out of the group that gives it; so is a token of a service account.
func TestOneInstanceTakesAwayAtTheOther(t *testing.T) {
	t.Parallel()
	a := newWorld(t, func(c *configuration) { c.Database.DSN = schema.NewSecret(dbtest.DSN(t, db.Postgres)) })
	b := a.another(t)
	owner := a.setUp(t)
	made := func(path, body string) answer { t.Helper(); return a.must(t, 201, owner, "POST", path, body) }
	group := func(name string) string { return made("/groups", `{"name":"`+name+`"}`).text(t, "id") }
	member := func(of, member string) { made("/groups/"+of+"/members", `{"member":"`+member+`"}`) }
	somebody := func(email string) (token, id string) {
		in := a.invite(t, owner, email, `{"role":"consumer"}`)
		return in.text(t, "accessToken"), in.text(t, "user/id")
	}
	over := func(name, token string, take func()) {
		t.Helper()
		require.Eventually(t, func() bool { return b.call(t, token, "GET", "/users", "").status == 200 }, 10*time.Second, 5*time.Millisecond, name)
		take()
		require.Eventually(t, func() bool { s := b.call(t, token, "GET", "/users", "").status; return s == 401 || s == 403 }, 10*time.Second, 5*time.Millisecond, name)
	}

	made("/roles", `{"name":"reader","permissions":["*:read"]}`)
	readers := group("Readers")
	made("/grants", `{"principal":"`+readers+`","role":"reader"}`)
	one, id := somebody("one@example.com")
	member(readers, id)
	over("a group is deleted", one, func() { a.must(t, 204, owner, "DELETE", "/groups/"+readers, "", anyVersion...) })

	outer, inner := group("Outer"), group("Inner")
	made("/grants", `{"principal":"`+outer+`","role":"reader"}`)
	member(outer, inner)
	two, id := somebody("two@example.com")
	member(inner, id)
	over("a group is taken out of another", two, func() { a.must(t, 204, owner, "DELETE", "/groups/"+outer+"/members/"+inner, "") })

	account := made("/service-accounts", `{"name":"deployer"}`).text(t, "id")
	made("/grants", `{"principal":"`+account+`","role":"reader"}`)
	token := made("/service-accounts/"+account+"/tokens", `{"name":"first"}`)
	robot := a.must(t, 200, "", "POST", "/token/personal", `{"token":"`+token.text(t, "token")+`"}`).text(t, "accessToken")
	over("a token of a service account is revoked", robot, func() {
		a.must(t, 204, owner, "DELETE", "/service-accounts/"+account+"/tokens/"+token.text(t, "id"), "")
	})
	a.must(t, 401, "", "POST", "/token/personal", `{"token":"`+token.text(t, "token")+`"}`)
}
