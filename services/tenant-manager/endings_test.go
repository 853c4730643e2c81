package tenantmanager_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// A client has several secrets at a time, each with a name, an end and a last use of
// its own.
func TestSeveralClientSecrets(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	secrets := "/oauth/clients/" + m.id + "/secrets"
	grant := url.Values{"grant_type": {"client_credentials"}}
	works := func(one made, want int) {
		t.Helper()
		status, body, _ := a.form(t, "token", one, grant)
		require.Equal(t, want, status, body)
	}
	add := func(body string) (made, answer) {
		t.Helper()
		res := a.call(t, a.owner, "POST", secrets, body)
		require.Equal(t, 201, res.status, res.body)
		return made{m.id, res.text(t, "secret")}, res
	}
	end := a.clock.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	blue, res := add(`{"name":" blue ","keepOthers":true,"expiresAt":"` + end + `"}`)
	require.Equal(t, "blue", res.text(t, "name"))
	require.Equal(t, end, res.text(t, "expiresAt"))
	green, res := add(`{"name":"green","keepOthers":true}`)
	for _, one := range []made{m, blue, green} {
		works(one, 200)
	}
	list := a.call(t, a.owner, "GET", secrets, "")
	require.Equal(t, 3, strings.Count(list.body, `"lastUsedAt"`), list.body)
	require.Equal(t, 1, strings.Count(list.body, `"expiresAt"`), list.body)
	a.recordedAs(t, a.owner, "oauth-client.secret-created", `\"green\"`)

	// Singly revoked: the others go on. At once, although clients are remembered.
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", secrets+"/"+res.text(t, "id"), "").status)
	require.Equal(t, 404, a.call(t, a.owner, "DELETE", secrets+"/"+res.text(t, "id"), "").status)
	works(green, 401)
	works(blue, 200)
	// Turned with an overlap: those before end then, but none lasts longer than it did.
	red, _ := add(`{"name":"red","overlapSeconds":259200}`)
	a.clock.Advance(49 * time.Hour)
	works(blue, 401)
	works(m, 200)
	a.clock.Advance(24 * time.Hour)
	works(m, 401)
	works(red, 200)

	a.owner = a.signIn(t, "ada@example.com", "")
	for body, pointer := range map[string]string{
		`{"expiresAt":"2020-01-01T00:00:00Z"}`: "/expiresAt", `{"name":"` + strings.Repeat("x", 121) + `"}`: "/name", `{"keep":true}`: "/keep",
	} {
		res := a.call(t, a.owner, "POST", secrets, body)
		require.Equal(t, 422, res.status, res.body)
		require.Contains(t, res.body, `"pointer":"`+pointer+`"`)
	}
	for range 9 {
		add(`{"keepOthers":true}`)
	}
	res = a.call(t, a.owner, "POST", secrets, `{"keepOthers":true}`)
	require.Equal(t, 409, res.status, res.body)
	require.Contains(t, res.body, "10 secrets")
}

// Whoever is responsible is told of what ends, once for each number of days, and so
// are webhooks.
func TestTellingOfWhatEnds(t *testing.T) {
	t.Parallel()
	for _, d := range db.Dialects() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			testEndings(t, newWorld(t, func(c *tenantmanager.Config) {
				c.Outbound.AllowLoopback = true
				if d != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, d))
				}
			}))
		})
	}
}

func testEndings(t *testing.T, w *world) {
	owner, office, receiver := w.setUp(t), newPostOffice(t, false), newHookReceiver(t)
	call := func(as, method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, as, method, path, body, header...)
		require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
		return a
	}
	call(owner, "PUT", "/mail/settings", office.settings("starttls"), 200, anyVersion...)
	call(owner, "POST", "/webhooks", `{"name":"Chat","address":"`+receiver.URL+`","events":["oauth-client.secret-ending","user.token-ending","service-account.token-ending","scim-directory.token-ending"]}`, 201)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	office.next(t) // her invitation
	start := w.clock.Now()
	after := func(days float64) string {
		return start.Add(time.Duration(days * 24 * float64(time.Hour))).UTC().Format(time.RFC3339)
	}
	client := call(eve, "POST", "/oauth/clients", `{"name":"Billing"}`, 201)
	secrets := "/oauth/clients/" + client.text(t, "client/id") + "/secrets"
	call(eve, "POST", secrets, `{"name":"blue","keepOthers":true,"expiresAt":"`+after(60)+`"}`, 201)
	// Ended by a rotation, of which whoever made it knows.
	other := call(eve, "POST", "/oauth/clients", `{"name":"Shop"}`, 201)
	call(eve, "POST", "/oauth/clients/"+other.text(t, "client/id")+"/secrets", `{"overlapSeconds":2592000}`, 201)
	call(eve, "POST", "/me/tokens", `{"name":"laptop","expiresAt":"`+after(20)+`"}`, 201)
	robot := call(owner, "POST", "/service-accounts", `{"name":"robot"}`, 201).text(t, "id")
	call(owner, "POST", "/service-accounts/"+robot+"/tokens", `{"name":"ci","expiresAt":"`+after(60)+`"}`, 201)
	directory := call(eve, "POST", "/scim/directories", `{"name":"Entra","domains":["acme.example"]}`, 201).text(t, "id")
	call(eve, "POST", "/scim/directories/"+directory+"/tokens", `{"name":"sync","expiresAt":"`+after(60)+`"}`, 201)

	st := w.database(t)
	// heard returns whom the letters were to, with what they were about, and the events.
	heard := func(letters, events int) (mail, told []string) {
		t.Helper()
		for range letters {
			l := office.next(t)
			for _, name := range []string{"blue", "laptop", "ci", "sync"} {
				if strings.Contains(l.text, "„"+name+"“") {
					mail = append(mail, l.to+" "+name)
				}
			}
		}
		for range events {
			told = append(told, receiver.next(t).kind)
		}
		require.Eventually(t, func() bool { // it is noted, so that none goes out again
			letters, err := st.DueMail(t.Context(), 1)
			require.NoError(t, err)
			deliveries, err := st.DueDeliveries(t.Context(), 1)
			require.NoError(t, err)
			return len(letters)+len(deliveries) == 0
		}, 10*time.Second, 10*time.Millisecond)
		return mail, told
	}
	at := func(days float64) {
		t.Helper()
		w.stop()
		w.clock.Advance(start.Add(time.Duration(days * 24 * float64(time.Hour))).Sub(w.clock.Now()))
		w.start(t) // which looks for it
	}
	at(31)
	mail, told := heard(3, 3)
	require.ElementsMatch(t, []string{"eve@example.com blue", "eve@example.com sync", "ada@example.com ci"}, mail)
	require.ElementsMatch(t, []string{"oauth-client.secret-ending", "service-account.token-ending", "scim-directory.token-ending"}, told)
	second := w.another(t)
	at(59.5) // of the last day, and not of the seven before it
	mail, told = heard(3, 3)
	require.ElementsMatch(t, []string{"eve@example.com blue", "eve@example.com sync", "ada@example.com ci"}, mail)
	require.Len(t, told, 3)
	second.stop()
	owner = w.signIn(t, "ada@example.com", "")
	// Of the personal token nobody was told: the service stood still meanwhile.
	sent := call(owner, "GET", "/mail/messages?limit=100", "", 200)
	require.Equal(t, 6, strings.Count(sent.body, `-ends"`), sent.body)
	require.Zero(t, strings.Count(sent.body, `"token-ends"`), sent.body)
	finding := call(owner, "GET", "/posture", "", 200)
	require.Contains(t, finding.body, `"client-secrets-expiring"`)

	// Of several that notice the same at the same time, one does.
	e := store.Ending{Kind: store.EndingClientSecret, ID: "x", EndsAt: w.clock.Now().Add(time.Hour)}
	var org string
	require.NoError(t, func() (err error) { org, err = st.First(t.Context()); return err }())
	var mu sync.Mutex
	var all sync.WaitGroup
	first := 0
	for range 4 {
		all.Go(func() {
			did := false
			err := st.Tx(t.Context(), org, "", func(tx *store.Tx) (err error) { did, err = tx.NoticeEnding(t.Context(), e, 7); return err })
			mu.Lock()
			defer mu.Unlock()
			if did && err == nil {
				first++
			}
			if err != nil && !errors.Is(err, db.ErrDuplicate) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, first)
}

// A personal token that ends is told of to whose it is, thirty, seven and one days
// before; and somebody whose account is locked is told of to webhooks, once.
func TestTellingOfPersonalTokensAndLockOuts(t *testing.T) {
	t.Parallel()
	s := withToken(t, "", func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	office, receiver := newPostOffice(t, false), newHookReceiver(t)
	a := s.w.call(t, s.vars["owner"], "PUT", "/mail/settings", office.settings("starttls"), anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	a = s.w.call(t, s.vars["owner"], "POST", "/webhooks", `{"name":"Chat","address":"`+receiver.URL+`","events":["user.locked-out"]}`)
	require.Equal(t, 201, a.status, a.body)
	for range 8 {
		s.w.call(t, "", "POST", "/sign-in", `{"email":"eve@example.com","password":"wrong words of mine"}`)
	}
	locked := receiver.next(t)
	require.Equal(t, "user.locked-out", locked.kind)
	for _, days := range []time.Duration{30, 23, 5} { // until the first of March
		s.w.stop()
		s.w.clock.Advance(days * 24 * time.Hour)
		s.w.start(t)
		got := office.next(t)
		require.Equal(t, "eve@example.com", got.to)
		require.Contains(t, got.text, "laptop")
		require.Contains(t, got.text, "2030-03-01")
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	for _, again := range receiver.got { // what was not acknowledged before the end is told again
		require.Equal(t, locked.id, again.id, "it was locked once")
	}
}
