package devportal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/apikey"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// subscribed makes an application with a subscription and a key.
func (w *world) subscribed(t *testing.T, token, name, plan string) (application, subscription, credential, key string) {
	t.Helper()
	a := w.call(t, token, "POST", "/subscriptions", fmt.Sprintf(`{"newApplication":{"name":%q},"plan":%q,"createKey":true}`, name, plan))
	require.Equal(t, 201, a.status, a.text)
	key, _ = a.at("credential", "key").(string)
	credential, _ = a.at("credential", "id").(string)
	return a.at("application", "id").(string), a.at("subscription", "id").(string), credential, key
}

func TestOneRequestFromNothingToAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	app, sub, cred, key := w.subscribed(t, ann, "Shop", "orders-gold")
	require.True(t, apikey.Valid(key))
	soon(t, "gateways know the key", func() bool { c, ok := w.lookUp(t.Context(), key); return ok && c.Application == app && c.ID == cred })
	soon(t, "gateways know the subscription", func() bool {
		a, ok := w.fed(t, app)
		return ok && len(a.Subscriptions) == 1 && a.Subscriptions[0].Active
	})
	a, _ := w.fed(t, app)
	require.Equal(t, "orders", a.Subscriptions[0].API)
	require.Equal(t, "orders-gold", a.Subscriptions[0].Plan)
	require.Equal(t, sub, a.Subscriptions[0].ID)
	require.Equal(t, "Shop", a.Name)
	soon(t, "others are told", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.states) == 1 && w.states[0].Status == "active" && w.states[0].API == "orders"
	})
	for _, action := range []string{"application.created", "subscription.created", "credential.created"} {
		soon(t, action, func() bool { return w.audited(action) == 1 })
	}

	got := w.call(t, ann, "GET", "/applications/"+app, "")
	require.EqualValues(t, 1, got.at("subscriptions", "active"))
	require.EqualValues(t, 1, got.at("credentials"))
	require.Equal(t, "ann", got.at("owner", "id"))
	again := w.call(t, ann, "POST", "/subscriptions", `{"application":"`+app+`","plan":"orders-gold"}`)
	require.Equal(t, 409, again.status)
	require.Contains(t, again.text, "has a subscription to the plan Gold already")

	answer, err := bus.Ask(t.Context(), w.gateway, portal.Subscribers{Organization: "acme", Plan: "orders-gold"})
	require.NoError(t, err)
	require.Equal(t, portal.SubscriberCount{Active: 1, Applications: 1}, answer)
	names, err := bus.Ask(t.Context(), w.gateway, portal.Applications{Organization: "acme", IDs: []string{app, "x"}})
	require.NoError(t, err)
	require.Equal(t, []portal.Application{{ID: app, Name: "Shop", Owner: "ann"}}, names.Applications)
}

func TestWhatCannotBeSubscribedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	pub := w.tenants.User(t, "acme", "pub", append([]string{"application:create", "credential:*"}, publisher...)...)
	w.publish(t, "acme", "orders", "p1", func(_ *gateway.PublishedAPI, plans map[string]*policy.Plan) {
		plans["old"] = &policy.Plan{ID: "orders-old", API: "orders", Name: "Old", Security: "api-key", Approval: "automatic", Status: "deprecated"}
		plans["new"] = &policy.Plan{ID: "orders-new", API: "orders", Name: "New", Security: "api-key", Approval: "automatic", Status: "published"}
	})
	w.publish(t, "acme", "hidden", "p1", func(a *gateway.PublishedAPI, _ map[string]*policy.Plan) { a.Published = false })
	w.publish(t, "acme", "retired", "p1", func(a *gateway.PublishedAPI, _ map[string]*policy.Plan) { a.Deprecated = true })
	w.publish(t, "globex", "foreign", "p9", nil)
	for plan, want := range map[string]struct {
		status int
		says   string
	}{
		"orders-open":  {409, "without a subscription"},
		"orders-old":   {409, "not deployed yet"},
		"orders-new":   {409, "not deployed yet"},
		"hidden-gold":  {422, "no such plan"},
		"retired-gold": {409, "deprecated"},
		"foreign-gold": {422, "no such plan"},
		"nothing":      {422, "no such plan"},
	} {
		a := w.call(t, ann, "POST", "/subscriptions", `{"newApplication":{"name":"X"},"plan":"`+plan+`"}`)
		require.Equal(t, want.status, a.status, plan+a.text)
		require.Contains(t, a.text, want.says, plan)
	}
	require.Zero(t, w.call(t, ann, "GET", "/applications", "").items(), "nothing is half applied")
	a := w.call(t, pub, "POST", "/subscriptions", `{"newApplication":{"name":"Own test"},"plan":"hidden-gold","createKey":true}`)
	require.Equal(t, 201, a.status, "who looks after an API may try it before it is published: %s", a.text)
	for body, pointer := range map[string]string{
		`{"plan":"orders-gold"}`: "/application", `{"plan":"orders-gold","application":"x","newApplication":{"name":"y"}}`: "/application",
		`{"plan":"orders-gold","application":"unknown"}`: "/application", `{"plan":"orders-gold","newApplication":{"name":"  "}}`: "/newApplication/name",
		`{"plan":"orders-gold","newApplication":{}}`: "/newApplication/name", `{"application":"x"}`: "/plan",
	} {
		a := w.call(t, ann, "POST", "/subscriptions", body)
		require.Equal(t, 422, a.status, body+a.text)
		require.Equal(t, pointer, a.at("errors", 0, "pointer"), body+a.text)
	}
}

func TestAPublisherDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	pub := w.tenants.User(t, "acme", "pub")
	w.tenants.Grant(t, "acme", "pub", tenant.Grant{Role: "publisher", Project: "p1", Permissions: publisher})
	other := w.tenants.User(t, "acme", "other")
	w.tenants.Grant(t, "acme", "other", tenant.Grant{Role: "publisher", Project: "p2", Permissions: publisher})
	w.publish(t, "acme", "orders", "p1", nil)
	app, sub, _, key := w.subscribed(t, ann, "Shop", "orders-manual")
	active := func() bool {
		a, ok := w.fed(t, app)
		return ok && len(a.Subscriptions) == 1 && a.Subscriptions[0].Active
	}
	soon(t, "the key is known", func() bool { _, ok := w.lookUp(t.Context(), key); return ok })
	require.False(t, active())

	seen := w.call(t, pub, "GET", "/subscriptions?all=true&status=pending", "")
	require.Equal(t, 1, seen.items(), seen.text)
	require.Equal(t, []any{"approve", "reject", "close"}, seen.at("items", 0, "actions"))
	require.Equal(t, "ann", seen.at("items", 0, "owner", "name"))
	require.Equal(t, 1, w.call(t, pub, "GET", "/applications?all=true", "").items())
	require.Equal(t, 200, w.call(t, pub, "GET", "/applications/"+app, "").status)
	require.Equal(t, 403, w.call(t, pub, "GET", "/applications/"+app+"/credentials", "").status, "credentials are the owner's")
	require.Zero(t, w.call(t, other, "GET", "/subscriptions?all=true", "").items(), "another project's publisher sees nothing")
	require.Zero(t, w.call(t, other, "GET", "/applications?all=true", "").items())
	require.Equal(t, 404, w.call(t, other, "POST", "/subscriptions/"+sub+"/approve", "").status)
	require.Equal(t, 403, w.call(t, ann, "GET", "/subscriptions?all=true", "").status, "a consumer sees its own only")
	require.Equal(t, 403, w.call(t, ann, "POST", "/subscriptions/"+sub+"/approve", "").status)
	own := w.call(t, ann, "GET", "/subscriptions/"+sub, "")
	require.Equal(t, []any{"close"}, own.at("actions"))

	step := func(token, action, body string, want int) answer {
		a := w.call(t, token, "POST", "/subscriptions/"+sub+"/"+action, body)
		require.Equal(t, want, a.status, action+a.text)
		return a
	}
	step(pub, "resume", "", 409)
	require.Equal(t, "active", step(pub, "approve", `{"message":"welcome"}`, 200).at("status"))
	soon(t, "calls pass", active)
	step(pub, "approve", "", 409)
	step(pub, "pause", `{"message":"too many errors"}`, 200)
	soon(t, "calls are refused", func() bool { return !active() })
	step(ann, "resume", "", 403)
	step(pub, "resume", "", 200)
	soon(t, "calls pass again", active)
	end := step(ann, "close", "", 200)
	require.Equal(t, []any{}, end.at("actions"))
	require.Len(t, end.at("history"), 5)
	require.Equal(t, "welcome", end.at("history", 1, "message"))
	require.Equal(t, "pub", end.at("history", 1, "by", "id"))
	soon(t, "it is gone from the feed", func() bool { a, ok := w.fed(t, app); return ok && len(a.Subscriptions) == 0 })
	step(pub, "resume", "", 409)
	for _, action := range []string{"approved", "paused", "resumed", "closed"} {
		soon(t, action, func() bool { return w.audited("subscription."+action) == 1 })
	}
}

func TestKeysAreShownOnceAndEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	app, _, cred, key := w.subscribed(t, ann, "Shop", "orders-gold")
	accepted := func(k string) bool { c, ok := w.lookUp(t.Context(), k); return ok && !c.Revoked }
	soon(t, "the key works", func() bool { return accepted(key) })

	list := w.call(t, ann, "GET", "/applications/"+app+"/credentials", "")
	require.Equal(t, key[:8]+"…"+key[len(key)-4:], list.at("items", 0, "hint"))
	require.NotContains(t, list.text, key)
	require.NotContains(t, w.call(t, ann, "GET", "/credentials/"+cred, "").text, key)

	rotated := w.call(t, ann, "POST", "/credentials/"+cred+"/rotate", `{"overlap":3600}`)
	require.Equal(t, 201, rotated.status, rotated.text)
	second, _ := rotated.at("key").(string)
	soon(t, "the new key works", func() bool { return accepted(second) })
	soon(t, "the old one ends in an hour", func() bool {
		c, _ := w.lookUp(t.Context(), key)
		return !c.Revoked && c.Version == 2 && time.Until(c.ExpiresAt) > 50*time.Minute && time.Until(c.ExpiresAt) < 70*time.Minute
	})
	old := w.call(t, ann, "GET", "/credentials/"+cred, "")
	require.Equal(t, "expiring", old.at("status"))
	require.Equal(t, rotated.id(), old.at("replacedBy"))
	require.Equal(t, 409, w.call(t, ann, "POST", "/credentials/"+cred+"/rotate", `{}`).status)
	third := w.call(t, ann, "POST", "/credentials/"+rotated.id()+"/rotate", `{"overlap":0}`)
	require.Equal(t, 201, third.status)
	soon(t, "without an overlap the old one ends at once", func() bool { return !accepted(second) })

	require.Equal(t, 428, w.call(t, ann, "DELETE", "/credentials/"+third.id(), "").status)
	require.Equal(t, 412, w.call(t, ann, "DELETE", "/credentials/"+third.id(), "", "If-Match", `"v7"`).status)
	began := time.Now()
	require.Equal(t, 204, w.call(t, ann, "DELETE", "/credentials/"+third.id(), "", "If-Match", `"v1"`).status)
	soon(t, "a revoked key ends", func() bool { return !accepted(third.at("key").(string)) })
	t.Logf("a revocation was in the feed after %s", time.Since(began))
	require.Equal(t, 204, w.call(t, ann, "DELETE", "/credentials/"+third.id(), "", "If-Match", "*").status, "revoking again changes nothing")
	require.Equal(t, 409, w.call(t, ann, "POST", "/credentials/"+third.id()+"/rotate", `{}`).status)

	made := w.call(t, ann, "POST", "/applications/"+app+"/credentials", `{"name":"later"}`, "Idempotency-Key", "k-1")
	require.Equal(t, 201, made.status)
	require.NotEmpty(t, made.at("key"))
	again := w.call(t, ann, "POST", "/applications/"+app+"/credentials", `{"name":"later"}`, "Idempotency-Key", "k-1")
	require.Equal(t, 201, again.status)
	require.Equal(t, made.id(), again.id())
	require.Nil(t, again.at("key"), "the key is not kept")
	require.Equal(t, 422, w.call(t, ann, "POST", "/applications/"+app+"/credentials", `{"name":"x","expiresAt":"2020-01-01T00:00:00Z"}`).status)

	del := w.call(t, ann, "DELETE", "/applications/"+app, "", "If-Match", "*")
	require.Equal(t, 204, del.status, del.text)
	soon(t, "all keys of a deleted application end", func() bool { return !accepted(made.at("key").(string)) && !accepted(key) })
	soon(t, "the application is gone", func() bool { _, ok := w.fed(t, app); return !ok })
	require.Equal(t, 404, w.call(t, ann, "GET", "/applications/"+app, "").status)

	w.stop()
	file, err := os.ReadFile(strings.TrimPrefix(w.dsn, "sqlite:"))
	require.NoError(t, err)
	wal, _ := os.ReadFile(strings.TrimPrefix(w.dsn, "sqlite:") + "-wal") // not always there
	for _, k := range []string{key, second, third.at("key").(string), made.at("key").(string)} {
		require.NotContains(t, w.logs.text(), k, "keys are not logged")
		require.NotContains(t, string(file)+string(wal), k, "keys are not stored")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	trail, err := json.Marshal(w.audits)
	require.NoError(t, err)
	require.NotContains(t, string(trail), key, "keys are not in the audit trail")
}

func TestApplicationsAreChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	made := w.call(t, ann, "POST", "/applications", `{"name":" Shop "}`, "Idempotency-Key", "a")
	require.Equal(t, 201, made.status, made.text)
	require.Equal(t, "Shop", made.at("name"))
	require.Equal(t, made.id(), w.call(t, ann, "POST", "/applications", `{"name":" Shop "}`, "Idempotency-Key", "a").id())
	require.Equal(t, 422, w.call(t, ann, "POST", "/applications", `{"name":"Other"}`, "Idempotency-Key", "a").status)
	require.Equal(t, 422, w.call(t, ann, "POST", "/applications", `{"name":"x","owner":"bob"}`).status)
	path := "/applications/" + made.id()
	require.Equal(t, 428, w.call(t, ann, "PATCH", path, `{"name":"Y"}`).status)
	got := w.call(t, ann, "PATCH", path, `{"description":"What it does"}`, "If-Match", made.header.Get("Etag"))
	require.Equal(t, 200, got.status, got.text)
	require.Equal(t, "Shop", got.at("name"))
	require.Equal(t, `"v2"`, got.header.Get("Etag"))
	require.Equal(t, 412, w.call(t, ann, "PATCH", path, `{"name":"Y"}`, "If-Match", `"v1"`).status)
	require.Equal(t, 200, w.call(t, ann, "PATCH", path, `{"name":"Store"}`, "If-Match", "*").status)
	soon(t, "gateways know the new name", func() bool { a, ok := w.fed(t, made.id()); return ok && a.Name == "Store" })
	require.Equal(t, 1, w.call(t, ann, "GET", "/applications?q=STORE", "").items())
	for range 3 {
		require.Equal(t, 201, w.call(t, ann, "POST", "/applications", `{"name":"More"}`).status)
	}
	page := w.call(t, ann, "GET", "/applications?limit=3&sort=-createdAt", "")
	require.Equal(t, 3, page.items())
	next, _ := page.at("next").(string)
	require.Equal(t, 1, w.call(t, ann, "GET", "/applications?limit=3&sort=-createdAt&cursor="+next, "").items())
}

// Every operation of the API is tried on the things of somebody else: of another
// owner in the organization, and of another organization with every right.
func TestNobodyReachesWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	bob := w.tenants.User(t, "acme", "bob", consumer...)
	eve := w.tenants.User(t, "globex", "eve", "*")
	w.publish(t, "acme", "orders", "p1", nil)
	w.inCatalogue(t, ann, "orders")
	app, sub, cred, _ := w.subscribed(t, ann, "Shop", "orders-manual")
	put := strings.NewReplacer("{application}", app, "{credential}", cred, "{subscription}", sub, "{api}", "orders", "{operation}", "listOrders", "{requestId}", "r1")
	bodies := map[string]string{
		"updateApplication": `{"name":"Mine"}`, "createCredential": `{"name":"mine"}`, "rotateCredential": `{}`,
		"createApplication": `{"name":"Mine"}`, "createSubscription": `{"application":"` + app + `","plan":"orders-gold"}`,
		"tryOperation": `{"api":"orders","environment":"DEV","method":"GET","path":"/x","application":"` + app + `"}`, "updatePortal": `{"title":"Mine"}`,
	}
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	tried := 0
	for _, op := range all {
		method, path := op.Method, op.Path
		for who, token := range map[string]string{"bob": bob, "eve": eve} {
			a := w.call(t, token, method, put.Replace(path), bodies[op.ID], "If-Match", "*")
			require.NotContains(t, a.text, "Shop", "%s %s by %s", method, path, who)
			tried++
			switch id := op.ID; {
			case strings.HasPrefix(path, "/catalogue/") && who == "bob", id == "createApplication", id == "getPortal", id == "updatePortal" && who == "eve":
				require.Less(t, a.status, 300, "%s %s by %s: %s", method, path, who, a.text)
			case strings.HasPrefix(id, "list") && !strings.Contains(path, "{"):
				if id != "listCatalogue" || who == "eve" {
					require.Empty(t, filter(a, "Mine"), "%s %s by %s: %s", method, path, who, a.text)
				}
			case id == "createSubscription":
				require.Equal(t, 422, a.status, "%s %s by %s: %s", method, path, who, a.text)
			case id == "updatePortal":
				require.Equal(t, 403, a.status, who)
			case who == "bob" && (strings.HasSuffix(path, "/approve") || strings.HasSuffix(path, "/reject") || strings.HasSuffix(path, "/pause") || strings.HasSuffix(path, "/resume")):
				require.Equal(t, 403, a.status, "%s %s by %s: %s", method, path, who, a.text)
			default:
				require.Equal(t, 404, a.status, "%s %s by %s: %s", method, path, who, a.text)
			}
		}
	}
	require.Greater(t, tried, 50)
	require.Equal(t, "Shop", w.call(t, ann, "GET", "/applications/"+app, "").at("name"))
	require.Equal(t, "pending", w.call(t, ann, "GET", "/subscriptions/"+sub, "").at("status"))
	require.Equal(t, "active", w.call(t, ann, "GET", "/credentials/"+cred, "").at("status"))
	answer, err := bus.Ask(t.Context(), w.gateway, portal.Subscribers{Organization: "globex", API: "orders"})
	require.NoError(t, err)
	require.Zero(t, answer.Applications)
}

// filter returns the items of a list that do not have the name.
func filter(a answer, but string) []any {
	out := []any{}
	list, _ := a.at("items").([]any)
	for _, v := range list {
		if m, _ := v.(map[string]any); m["name"] != but {
			out = append(out, v)
		}
	}
	return out
}
