package tenantmanager_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// told is one request that a receiver got.
type told struct {
	kind, id, actor, target, signature string
	header                             http.Header
	body                               []byte
}

// hookReceiver is a receiver that can be away.
type hookReceiver struct {
	*httptest.Server
	away atomic.Bool
	mu   sync.Mutex
	got  []told
}

func newHookReceiver(t *testing.T) *hookReceiver {
	t.Helper()
	h := &hookReceiver{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "closed for the night")
			return
		}
		b, err := io.ReadAll(r.Body)
		var m struct {
			Type string `json:"type"`
			Data struct {
				Actor  struct{ Name string }
				Target struct{ Name string }
			} `json:"data"`
		}
		if err != nil || json.Unmarshal(b, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, told{m.Type, r.Header.Get("Webhook-Id"), m.Data.Actor.Name, m.Data.Target.Name, r.Header.Get("Webhook-Signature"), r.Header.Clone(), b})
	}))
	t.Cleanup(h.Close)
	return h
}

// next waits for a request, and takes it.
func (h *hookReceiver) next(t *testing.T) told {
	t.Helper()
	var out told
	require.Eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.got) == 0 {
			return false
		}
		out, h.got = h.got[0], h.got[1:]
		return true
	}, 30*time.Second, 10*time.Millisecond)
	return out
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	for _, d := range db.Dialects() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			testWebhooks(t, newWorld(t, func(c *tenantmanager.Config) {
				c.Outbound.AllowLoopback = true
				if d != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, d))
				}
			}))
		})
	}
}

func testWebhooks(t *testing.T, w *world) {
	owner, receiver := w.setUp(t), newHookReceiver(t)
	call := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, owner, method, path, body, header...)
		require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
		return a
	}
	require.Contains(t, call("GET", "/webhook-events", "", 200).body, `"name":"owner.granted"`)
	for body, pointer := range map[string]string{
		`{"name":"x","address":"ftp://a.test","events":["*"]}`:                         "/address",
		`{"name":"x","address":"https://a.test","events":["user.signed-in-by-magic"]}`: "/events",
		`{"name":"x","address":"https://a.test","events":[]}`:                          "/events",
		`{"name":" ","address":"https://a.test","events":["*"]}`:                       "/name",
		`{"name":"x","address":"https://a.test","events":["*"],"ca":"no certificate"}`: "/ca",
	} {
		require.Contains(t, call("POST", "/webhooks", body, 422).body, `"pointer":"`+pointer+`"`, body)
	}
	input := `{"name":"Chat","address":"` + receiver.URL + `/in","events":["role.created","invitation.created","owner.granted","invitation.created"]}`
	require.Equal(t, 422, w.call(t, owner, "POST", "/webhooks", input).status, "no service records it as an event")
	input = strings.Replace(input, `"role.created",`, "", 1)
	made := call("POST", "/webhooks", input, 201)
	require.Contains(t, made.body, `"events":["invitation.created","owner.granted"]`)
	id, secret := made.text(t, "webhook/id"), made.text(t, "secret")
	require.Contains(t, call("GET", "/webhooks/"+id, "", 200).body, `"state":"quiet"`)
	require.NotContains(t, call("GET", "/webhooks", "", 200).body, secret)
	require.Equal(t, 409, w.call(t, owner, "POST", "/webhooks", input).status, "the name is taken")

	// A test is answered at once, and is in the log.
	tested := call("POST", "/webhooks/"+id+"/test", "", 200)
	require.Contains(t, tested.body, `"state":"delivered"`)
	require.Contains(t, tested.body, `"status":200`)
	m := receiver.next(t)
	require.Equal(t, "webhook.test", m.kind)
	require.Equal(t, tested.text(t, "id"), m.id)

	// What happens is told to whoever wants it, and others can verify it.
	call("POST", "/roles", `{"name":"support","permissions":["user:read"]}`, 201)
	account := call("POST", "/service-accounts", `{"name":"CI"}`, 201).text(t, "id")
	call("POST", "/grants", `{"principal":"`+account+`","role":"support"}`, 201)
	call("POST", "/grants", `{"principal":"`+account+`","role":"owner","effect":"deny"}`, 201)
	call("POST", "/roles", `{"name":"chief","permissions":["*"]}`, 201)
	call("POST", "/grants", `{"principal":"`+account+`","role":"chief"}`, 201)
	m = receiver.next(t)
	require.Equal(t, "owner.granted", m.kind)
	require.Equal(t, "Owner", m.actor)
	require.Contains(t, m.target, "CI")
	// The clock of the suite stands still somewhere else.
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, verifier.VerifyIgnoringTimestamp(m.body, m.header))
	require.Error(t, verifier.VerifyIgnoringTimestamp(append(m.body, ' '), m.header))

	// While the receiver is away it is tried again; what came of it is to be seen.
	receiver.away.Store(true)
	call("POST", "/invitations", `{"email":"eve@example.com","roles":[{"role":"viewer"}]}`, 201)
	require.Eventually(t, func() bool {
		b := call("GET", "/webhooks/"+id+"/deliveries?state=waiting", "", 200).body
		return strings.Contains(b, `"status":503`) && strings.Contains(b, "closed for the night")
	}, 30*time.Second, 10*time.Millisecond)
	require.Contains(t, call("GET", "/webhooks/"+id, "", 200).body, `"state":"failing"`)
	waiting := call("GET", "/webhooks/"+id+"/deliveries?event=invitation.created", "", 200).text(t, "items/0/id")
	receiver.away.Store(false)
	call("POST", "/webhooks/"+id+"/deliveries/"+waiting+"/replay", "", 200)
	require.Equal(t, waiting, receiver.next(t).id)
	require.Eventually(t, func() bool {
		return strings.Contains(call("GET", "/webhooks/"+id+"/deliveries/"+waiting, "", 200).body, `"state":"delivered"`)
	}, 30*time.Second, 10*time.Millisecond)
	call("POST", "/webhooks/"+id+"/deliveries/"+waiting+"/replay", "", 200)
	w.recordedAs(t, owner, "webhook.replayed", waiting)
	require.Equal(t, waiting, receiver.next(t).id, "what was delivered can be sent again, too")

	// A new secret signs beside the one before, until that ends.
	turned := call("POST", "/webhooks/"+id+"/secret", `{"overlapHours":1}`, 200, anyVersion...)
	require.NotEqual(t, secret, turned.text(t, "secret"))
	call("POST", "/webhooks/"+id+"/test", "", 200)
	m = receiver.next(t)
	require.Len(t, strings.Fields(m.signature), 2)
	for _, s := range []string{secret, turned.text(t, "secret")} {
		v, err := standardwebhooks.NewWebhook(s)
		require.NoError(t, err)
		require.NoError(t, v.VerifyIgnoringTimestamp(m.body, m.header))
	}
	w.clock.Advance(2 * time.Hour)
	owner = w.signIn(t, "ada@example.com", "default")
	call("POST", "/webhooks/"+id+"/test", "", 200)
	require.Len(t, strings.Fields(receiver.next(t).signature), 1)

	// One that is off is told nothing, and later nothing of that time.
	off := strings.Replace(input, `"name":"Chat"`, `"name":"Chat","enabled":false`, 1)
	call("PUT", "/webhooks/"+id, off, 200, anyVersion...)
	call("POST", "/invitations", `{"email":"fay@example.com","roles":[{"role":"viewer"}]}`, 201)
	require.Equal(t, 409, w.call(t, owner, "POST", "/webhooks/"+id+"/deliveries/"+waiting+"/replay", "").status)
	// It is in the trail before the webhook is on again.
	require.Eventually(t, func() bool { return strings.Contains(call("GET", "/audit?q=fay", "", 200).body, "fay@example.com") }, 30*time.Second, 10*time.Millisecond)
	call("PUT", "/webhooks/"+id, input, 200, anyVersion...)
	call("POST", "/invitations", `{"email":"gus@example.com","roles":[{"role":"viewer"}]}`, 201)
	require.Contains(t, receiver.next(t).target, "gus@")

	call("DELETE", "/webhooks/"+id, "", 204, anyVersion...)
	call("GET", "/webhooks/"+id+"/deliveries", "", 404)
	require.NotContains(t, w.logged(), secret)
}

// Where nobody may send a service, it does not go.
func TestWebhooksGoNowherePrivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, receiver := w.setUp(t), newHookReceiver(t)
	made := w.call(t, owner, "POST", "/webhooks", `{"name":"Chat","address":"`+receiver.URL+`","events":["*"]}`)
	require.Equal(t, 201, made.status, made.body)
	tested := w.call(t, owner, "POST", "/webhooks/"+made.text(t, "webhook/id")+"/test", "")
	require.Contains(t, tested.body, "private or local network")
	require.Empty(t, receiver.got)
}
