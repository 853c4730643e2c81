package gatewaymanager_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
)

func (w *world) state(token, deployment string) string {
	return w.get(token, "/deployments/"+deployment).ok(200).text("state")
}

// await waits until a deployment is in a state.
func (w *world) await(token, deployment, state string) object {
	w.t.Helper()
	var last object
	require.Eventually(w.t, func() bool {
		last = w.get(token, "/deployments/"+deployment).ok(200).json()
		return last["state"] == state
	}, patience, step, "want %s", state)
	return last
}

func (w *world) deploy(token, api string, body object) *reply {
	w.t.Helper()
	return w.send(http.MethodPost, token, "/apis/"+api+"/deployments", body)
}

// The main job: import, deploy, every gateway has it, change, see what is
// different, deploy again, roll back, take out.
func TestFromADocumentToTheGateways(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	doc, err := os.ReadFile("internal/document/testdata/petstore.json")
	require.NoError(t, err)
	made := w.send(http.MethodPost, me, "/apis/import", object{
		"project": "default", "document": string(doc), "upstream": object{"targets": []object{{"url": "http://127.0.0.1:9000/api/v3"}}},
	}).ok(201).json()
	require.InDelta(t, 19, made["operations"], 0)
	api := made["api"].(object)
	id := api["id"].(string)
	require.Equal(t, "/api/v3", api["basePath"])
	require.Equal(t, "swagger-petstore-openapi-3-0", api["slug"])
	require.Equal(t, true, api["draft"].(object)["changed"])

	g1, g2 := w.join("one", "default", "gw-1"), w.join("one", "default", "gw-2")
	w.policies.set(func() {
		w.policies.effective[id] = policy.EffectiveSet{
			Version: "v1", API: []unit.Policy{{Set: "base"}}, Operations: map[string][]unit.Policy{"getPetById": {{Type: "cache"}}},
			Sets:  []unit.PolicySet{{Name: "base", Version: 2, Policies: []unit.Policy{{Type: "request-id"}}}},
			Plans: []policy.Plan{{ID: "p1", API: id, Slug: "gold", Name: "Gold", Security: "api-key", Unit: unit.Plan{ID: "p1", Name: "Gold"}}},
		}
	})
	d := w.deploy(me, id, object{"environment": "dev", "message": "the first"}).ok(202).json()
	require.InDelta(t, 1, d["revision"], 0)
	live := w.await(me, d["id"].(string), "live")
	require.Len(t, live["gateways"], 2)
	require.Equal(t, []any{"http://127.0.0.1:8000/api/v3"}, live["urls"])
	for _, g := range []*fake{g1, g2} {
		a, ok := g.serves(id)
		require.True(t, ok)
		require.Len(t, a.Operations, 19)
		require.Equal(t, "DEV", a.Environment)
		require.Equal(t, "request-id", a.Policies[0].Type, "policy sets are put in their places")
		require.Equal(t, "base/request-id-0", a.Policies[0].Name)
		require.Equal(t, "Gold", a.Plans[0].Name)
		require.NotEmpty(t, a.Document)
	}
	api = w.get(me, "/apis/"+id).ok(200).json()
	require.Equal(t, object{"changed": false, "changes": 0.0, "since": 1.0}, api["draft"])
	require.Equal(t, "live", api["deployments"].([]any)[0].(object)["state"])

	// Deploying again without a change makes no revision.
	again := w.deploy(me, id, object{"environment": "dev"}).ok(202).json()
	require.InDelta(t, 1, again["revision"], 0)
	w.await(me, again["id"].(string), "live")
	require.Equal(t, "superseded", w.state(me, d["id"].(string)))

	// A change, and what it means.
	changed := w.send(http.MethodPatch, me, "/apis/"+id, object{"basePath": "/petstore", "description": ""}, "If-Match", w.get(me, "/apis/"+id).header.Get("ETag"), "Content-Type", "application/merge-patch+json").ok(200).json()
	require.InDelta(t, 2, changed["draft"].(object)["changes"], 0)
	diff := w.get(me, "/apis/"+id+"/diff?from=deployed:dev&to=draft&raw=true").ok(200).json()
	require.InDelta(t, 1, diff["breaking"], 0)
	require.Contains(t, diff["changes"].([]any)[0].(object)["summary"], "/api/v3 to /petstore")
	require.NotEmpty(t, diff["raw"].(object)["before"])
	d2 := w.deploy(me, id, object{"environment": "dev"}).ok(202).json()
	require.InDelta(t, 2, d2["revision"], 0)
	w.await(me, d2["id"].(string), "live")
	a, _ := g1.serves(id)
	require.Equal(t, "/petstore", a.BasePath)

	// Rolling back is deploying an older revision.
	back := w.deploy(me, id, object{"environment": "dev", "revision": 1}).ok(202).json()
	w.await(me, back["id"].(string), "live")
	a, _ = g2.serves(id)
	require.Equal(t, "/api/v3", a.BasePath)
	require.Len(t, w.get(me, "/apis/"+id+"/revisions").ok(200).list(), 2)

	// What the portal is told.
	w.send(http.MethodPost, me, "/apis/"+id+"/publish", nil).ok(200)
	list, err := bus.Ask(t.Context(), w.caller, gateway.Published{Organization: "one"})
	require.NoError(t, err)
	require.Len(t, list.APIs, 1)
	p := list.APIs[0]
	require.Equal(t, "http://127.0.0.1:8000/api/v3", p.Endpoints[0].URL)
	require.Equal(t, uint64(1), p.Revision)
	require.Equal(t, []string{"p1"}, p.Plans)
	require.NotEmpty(t, p.Document)
	apis, err := bus.Ask(t.Context(), w.caller, gateway.APIs{Organization: "one", IDs: []string{id, "nobody"}})
	require.NoError(t, err)
	require.Len(t, apis.APIs, 1)
	require.Len(t, apis.APIs[0].Operations, 19)
	require.NotEmpty(t, apis.APIs[0].Unit)

	// It cannot be deleted while it is deployed.
	w.send(http.MethodDelete, me, "/apis/"+id, nil, "If-Match", "*").ok(409)
	out := w.send(http.MethodDelete, me, "/apis/"+id+"/deployments/dev", nil).ok(202).json()
	w.await(me, out["id"].(string), "live")
	_, ok := g1.serves(id)
	require.False(t, ok)
	w.send(http.MethodDelete, me, "/apis/"+id, nil, "If-Match", "*").ok(204)
	w.get(me, "/apis/"+id).ok(404)
}

func TestARevisionThatNoGatewayWouldTakeIsRefused(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	id := w.api(me, "/a")
	w.policies.set(func() {
		w.policies.mistakes = []policy.Mistake{{Pointer: "/policies/0/config/limit", Code: "minimum", Detail: "at least 1"}}
	})
	r := w.deploy(me, id, object{"environment": "dev"}).ok(422).json()
	require.Equal(t, "/policies/0/config/limit", r["errors"].([]any)[0].(object)["pointer"])
	require.Empty(t, w.get(me, "/apis/"+id+"/revisions").ok(200).list(), "nothing is half done")
	w.policies.set(func() { w.policies.mistakes, w.policies.away = nil, true })
	w.deploy(me, id, object{"environment": "dev"}).ok(503)
	w.policies.set(func() { w.policies.away = false })
	w.send(http.MethodPost, me, "/apis/"+id+"/revisions", object{"message": "x"}).ok(201)
	w.send(http.MethodPost, me, "/apis/"+id+"/revisions", object{}).ok(200)
}

func TestAGatewayThatDoesNotTakeIt(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	id := w.api(me, "/a")
	g := w.join("one", "default", "gw-1")
	g.mu.Lock()
	g.refuse = id
	g.mu.Unlock()
	d := w.deploy(me, id, object{"environment": "dev"}).ok(202).json()
	failed := w.await(me, d["id"].(string), "failed")
	require.Contains(t, failed["problem"], "it does not compile")
	require.Equal(t, "issue", failed["gateways"].([]any)[0].(object)["state"])
	gw := w.get(me, "/gateways").ok(200).list()[0]
	require.Len(t, gw["issues"], 1)
	require.Equal(t, "healthy", gw["state"])
	require.Equal(t, gw["desiredVersion"], gw["appliedVersion"])
	g.mu.Lock()
	g.refuse = ""
	g.mu.Unlock()
	d = w.deploy(me, id, object{"environment": "dev"}).ok(202).json()
	w.await(me, d["id"].(string), "live")
}

// Shared policies hold for all APIs at once, without a new revision.
func TestSharedPoliciesArePublished(t *testing.T) {
	t.Parallel()
	w := begin(t)
	g := w.join("one", "default", "gw-1")
	w.eventually(func() bool { return g.version() > 0 }, "the first manifest")
	w.policies.set(func() { w.policies.shared = policy.SharedSet{Platform: []unit.Policy{{Type: "ip-filter"}}} })
	require.NoError(t, bus.Publish(t.Context(), w.policies.bus, policy.PoliciesChanged{Organization: "one", Level: "platform"}))
	w.eventually(func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.settings != nil && len(g.settings.Platform) == 1
	}, "the shared policies arrive")
	me := w.admin("one")
	id := w.api(me, "/a")
	w.policies.set(func() { w.policies.effective[id] = policy.EffectiveSet{Version: "v9"} })
	w.send(http.MethodPost, me, "/apis/"+id+"/revisions", object{}).ok(201)
	w.policies.set(func() { w.policies.effective[id] = policy.EffectiveSet{Version: "v10"} })
	require.NoError(t, bus.Publish(t.Context(), w.policies.bus, policy.PoliciesChanged{Organization: "one", Level: "api", API: id}))
	w.eventually(func() bool {
		return w.get(me, "/apis").ok(200).list()[0]["draft"].(object)["changed"] == true
	}, "the list shows that the draft has changed")
}

// NATS lost everything: all is published again, from the database.
func TestWhatNATSLosesIsPublishedAgain(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	g := w.join("one", "default", "gw-1")
	id := w.api(me, "/a")
	d := w.deploy(me, id, object{"environment": "dev"}).ok(202).json()
	w.await(me, d["id"].(string), "live")
	before := g.version()
	w.stop()
	w.lose("*")
	w.start()
	w.eventually(func() bool { return g.version() > before }, "a later manifest arrives")
	_, ok := g.serves(id)
	require.True(t, ok)
}

// The database was restored from a backup: a new epoch begins, which gateways
// take.
func TestARestoredDatabaseBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	g := w.join("one", "default", "gw-1")
	w.eventually(func() bool { return g.version() > 0 }, "the first manifest")
	w.stop()
	w.exec("UPDATE gateway_groups SET manifest_version = 0, wanted = wanted + 1")
	g.mu.Lock()
	epoch, version := g.manifest.Epoch, g.manifest.Version
	g.mu.Unlock()
	w.start()
	w.eventually(func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.manifest.Epoch != epoch && g.manifest.Version > version
	}, "a manifest of another epoch")
	require.Equal(t, 200, w.get(me, "/gateway-groups").status)
}

func TestStatesOfGateways(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	g := w.join("one", "default", "gw-1")
	w.eventually(func() bool { return g.version() > 0 }, "the first manifest")
	gw := w.get(me, "/gateways").ok(200).list()[0]
	w.send(http.MethodDelete, me, "/gateways/"+gw["id"].(string), nil).ok(409)
	g.leave()
	report := gateway.Report{Organization: "one", Group: "default", Gateway: "gw-1", Instance: g.instance, Token: joinWith + "one", Stopping: true}
	_, err := bus.Ask(t.Context(), g.bus, report)
	require.NoError(t, err)
	require.Equal(t, "offline", w.get(me, "/gateways?state=offline").ok(200).list()[0]["state"])
	require.Empty(t, w.get(me, "/gateways?state=healthy").ok(200).list())
	trail := make(chan recorded, 8)
	listens := make(chan struct{})
	go func() {
		_ = bus.Listen(t.Context(), w.caller, func(_ context.Context, e recorded) { trail <- e }, func() { close(listens) })
	}()
	<-listens
	w.send(http.MethodDelete, me, "/gateways/"+gw["id"].(string), nil).ok(204)
	entry := <-trail
	require.Equal(t, "gateway.deleted", entry.Action)
	require.Equal(t, gw["id"], entry.Target.ID)
	require.NotEmpty(t, entry.Changes)
	again, err := bus.Ask(t.Context(), g.bus, report)
	require.NoError(t, err)
	require.True(t, again.Again, "a gateway that was forgotten registers anew")

	for name, r := range map[string]gateway.Register{
		"wrong token":          {Organization: "one", Group: "default", Token: "x"},
		"token of another":     {Organization: "one", Group: "default", Token: joinWith + "two"},
		"unknown group":        {Organization: "one", Group: "other", Token: joinWith + "one"},
		"unknown organization": {Organization: "three", Group: "default", Token: joinWith + "one"},
	} {
		r.Gateway, r.Instance = "gw-x", "i"
		_, err := bus.Ask(t.Context(), g.bus, r)
		require.ErrorContains(t, err, "credential-invalid", name)
	}
	// A token of one's own, and its end.
	group := w.get(me, "/gateway-groups").ok(200).list()[0]["id"].(string)
	token := w.send(http.MethodPost, me, "/gateway-groups/"+group+"/join-tokens", object{"name": "mine"}).ok(201)
	r := gateway.Register{Organization: "one", Group: "default", Token: token.text("token"), Gateway: "gw-2", Instance: "i"}
	joined, err := bus.Ask(t.Context(), g.bus, r)
	require.NoError(t, err)
	require.Equal(t, "DEV", joined.EnvironmentName)
	require.NotEmpty(t, joined.ManifestKeys)
	w.send(http.MethodDelete, me, "/gateway-groups/"+group+"/join-tokens/"+token.text("id"), nil).ok(204)
	_, err = bus.Ask(t.Context(), g.bus, r)
	require.Error(t, err)
}

// A gateway that falls silent is lost, and no longer waited for.
func TestASilentGatewayIsLost(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	good, silent := w.join("one", "default", "gw-good"), w.join("one", "default", "gw-silent")
	w.eventually(func() bool { return good.version() > 0 && silent.version() > 0 }, "the first manifest")
	silent.leave()
	id := w.api(me, "/a")
	d := w.deploy(me, id, object{"environment": "dev"}).ok(202).text("id")
	w.eventually(func() bool { _, ok := good.serves(id); return ok }, "the other one has it")
	w.await(me, d, "applying")
	w.exec("UPDATE gateways SET last_seen_at = ? WHERE name = ?", time.Now().UTC().Add(-2*time.Minute), "gw-silent")
	last := w.await(me, d, "live")
	states := map[any]any{}
	for _, g := range last["gateways"].([]any) {
		states[g.(object)["name"]] = g.(object)["state"]
	}
	require.Equal(t, map[any]any{"gw-good": "applied", "gw-silent": "away"}, states)
	require.Equal(t, "gw-silent", w.get(me, "/gateways?state=lost").ok(200).list()[0]["name"])
}

// A join token of the configuration takes the place of the one before.
func TestSeededJoinTokens(t *testing.T) {
	t.Parallel()
	w := begin(t)
	b := w.connect("gateway")
	join := func(token string) error {
		_, err := bus.Ask(t.Context(), b, gateway.Register{Organization: "one", Group: "default", Token: token, Gateway: "gw", Instance: "i"})
		return err
	}
	require.NoError(t, join(joinWith+"one"))
	w.stop()
	const other = "another-token-of-the-tests-0123456789"
	w.cfg.Seed.Groups = []gatewaymanager.SeedGroup{
		{Organization: "one", Group: "default", JoinToken: schema.NewSecret(other), PublicURL: "http://not-taken.example.com"},
		{Organization: "one", Group: "edge", Environment: "PRD", JoinToken: schema.NewSecret(other), PublicURL: "http://edge.example.com"},
	}
	w.start()
	w.eventually(func() bool { return join(other) == nil }, "the new token is good")
	require.ErrorContains(t, join(joinWith+"one"), "credential-invalid")
	w.eventually(func() bool { return len(w.get(w.admin("one"), "/gateway-groups").ok(200).list()) == 2 }, "the group is made")
	for _, g := range w.get(w.admin("one"), "/gateway-groups?sort=slug").ok(200).list() {
		require.Equal(t, map[string]any{"default": "http://127.0.0.1:8000", "edge": "http://edge.example.com"}[g["slug"].(string)], g["publicUrl"])
	}
	bad := w.cfg
	bad.Seed.Groups = []gatewaymanager.SeedGroup{{Organization: "One", Group: "default", JoinToken: schema.NewSecret("short"), PublicURL: "x"}}
	require.Len(t, bad.Validate(), 3)
}

func TestTwoAPIsCannotHaveTheSamePath(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	a, b := w.api(me, "/same"), w.api(me, "/same")
	w.deploy(me, a, object{"environment": "dev"}).ok(202)
	p := w.deploy(me, b, object{"environment": "dev"}).ok(409).json()
	require.Contains(t, p["detail"], `"API /same" is deployed to DEV at /same`)
	w.deploy(me, b, object{"environment": "stg"}).ok(409)
	w.deploy(me, b, object{"environment": "nowhere"}).ok(422)
	w.deploy(me, b, object{"environment": "dev", "revision": 7}).ok(422)
}

// lose deletes streams, as a NATS does that lost its disk.
func (w *world) lose(streams ...string) {
	w.t.Helper()
	w.nats.Stop()
	for _, s := range streams {
		found, err := filepath.Glob(filepath.Join(w.dir, "jetstream", "*", "streams", s))
		require.NoError(w.t, err)
		require.NotEmpty(w.t, found)
		for _, f := range found {
			require.NoError(w.t, os.RemoveAll(f))
		}
	}
	require.NoError(w.t, w.nats.Resume())
}

// exec changes the database, as somebody does who restores it.
func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	d := dbtest.OpenDSN(w.t, w.cfg.Database.DSN.Reveal())
	require.NoError(w.t, d.Unscoped(w.t.Context(), "restoring").Exec(statement, args...).Error)
}
