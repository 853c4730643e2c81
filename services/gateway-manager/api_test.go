package gatewaymanager_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
)

const small = `{"openapi":"3.0.3","info":{"title":"Small","version":"2.1"},"servers":[{"url":"https://small.example.com/v2"}],"paths":{"/a":{"get":{"operationId":"a","summary":"An A.","responses":{"200":{"description":"ok"}}}}}}`

// What is not right is answered by a problem that names the field and the fix.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	project := w.project(me)
	group := w.get(me, "/gateway-groups").ok(200).list()[0]["id"].(string)
	api := w.api(me, "/a")
	up := []object{{"targets": []object{{"url": "http://u:1"}}}}
	for name, c := range map[string]struct {
		method, path string
		body         object
		status       int
		pointer      string
	}{
		"a slug with capitals":       {"POST", "/projects", object{"slug": "Bad", "name": "n"}, 422, "/slug"},
		"a slug that is taken":       {"POST", "/projects", object{"slug": "default", "name": "n"}, 409, ""},
		"a field that is not there":  {"POST", "/projects", object{"slug": "s", "name": "n", "colour": "x"}, 422, "/colour"},
		"no name":                    {"POST", "/environments", object{"slug": "s"}, 422, "/name"},
		"an address that is none":    {"PATCH", "/gateway-groups/" + group, object{"publicUrl": "nowhere"}, 422, "/publicUrl"},
		"a project that is not":      {"POST", "/apis", object{"project": "none", "name": "n", "basePath": "/n", "upstreams": up}, 422, "/project"},
		"a base path with a star":    {"POST", "/apis", object{"project": project, "name": "n", "basePath": "/n/{x}", "upstreams": up}, 422, "/basePath"},
		"no upstream":                {"POST", "/apis", object{"project": project, "name": "n", "basePath": "/n"}, 422, "/upstreams"},
		"an upstream without scheme": {"POST", "/apis", object{"project": project, "name": "n", "basePath": "/n", "upstreams": []object{{"targets": []object{{"url": "u:1"}}}}}, 422, "/upstreams/0/targets/0/url"},
		"a duration that is none":    {"POST", "/apis", object{"project": project, "name": "n", "basePath": "/n", "upstreams": []object{{"targets": []object{{"url": "http://u:1"}}, "timeouts": object{"total": "soon"}}}}, 422, ""},
		"neither document nor url":   {"POST", "/apis/import", object{"project": project}, 422, "/document"},
		"a document that is none":    {"POST", "/apis/import", object{"project": project, "document": "hello"}, 422, "/document"},
		"no server in the document":  {"POST", "/apis/import", object{"project": project, "document": strings.Replace(small, "https://small.example.com/v2", "/v2", 1)}, 422, "/upstream"},
		"a private address":          {"POST", "/apis/import", object{"project": project, "url": "http://169.254.169.254/x"}, 422, "/url"},
		"a state that is none":       {"GET", "/apis/" + api + "/diff?from=yesterday", nil, 422, "/from"},
		"a sort that is none":        {"GET", "/apis?sort=colour", nil, 422, "/sort"},
		"a cursor of another list":   {"GET", "/apis?cursor=abc", nil, 422, "/cursor"},
		"a parameter that is none":   {"GET", "/apis?projekt=x", nil, 422, "/projekt"},
		"no such environment":        {"POST", "/apis/" + api + "/deployments", object{"environment": "qa"}, 422, "/environment"},
		"not deployed":               {"DELETE", "/apis/" + api + "/deployments/dev", nil, 409, ""},
		"no document":                {"GET", "/apis/" + api + "/document", nil, 404, ""},
	} {
		var body any
		if c.body != nil {
			body = c.body
		}
		r := w.send(c.method, me, c.path, body, "If-Match", "*")
		require.Equal(t, c.status, r.status, "%s: %s", name, r.body)
		require.Equal(t, "application/problem+json", r.header.Get("Content-Type"), name)
		if c.pointer != "" {
			require.Equal(t, c.pointer, r.json()["errors"].([]any)[0].(object)["pointer"], "%s: %s", name, r.body)
		}
	}
}

// Two who change the same thing do not overwrite each other; what is sent twice
// takes effect once.
func TestVersionsAndRepetitions(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	id := w.api(me, "/a")
	empty := w.send(http.MethodPost, me, "/projects", object{"slug": "empty", "name": "Empty"}).ok(201).text("id")
	for _, path := range []string{"/projects/" + empty, "/apis/" + id} {
		w.send(http.MethodPatch, me, path, object{"name": "x"}).ok(http.StatusPreconditionRequired)
		tag := w.get(me, path).ok(200).header.Get("ETag")
		require.NotEmpty(t, tag)
		r := w.send(http.MethodPatch, me, path, object{"name": "First"}, "If-Match", tag).ok(200)
		require.Equal(t, "First", r.text("name"))
		require.NotEqual(t, tag, r.header.Get("ETag"))
		w.send(http.MethodPatch, me, path, object{"name": "Second"}, "If-Match", tag).ok(http.StatusPreconditionFailed)
		w.send(http.MethodDelete, me, path, nil, "If-Match", tag).ok(http.StatusPreconditionFailed)
		require.Equal(t, "First", w.get(me, path).text("name"))
	}
	body := object{"project": w.project(me), "document": small}
	first := w.send(http.MethodPost, me, "/apis/import", body, "Idempotency-Key", "k").ok(201)
	second := w.send(http.MethodPost, me, "/apis/import", body, "Idempotency-Key", "k").ok(201)
	require.JSONEq(t, string(first.body), string(second.body))
	require.Equal(t, "true", second.header.Get("Idempotency-Replayed"))
	body["name"] = "Other"
	w.send(http.MethodPost, me, "/apis/import", body, "Idempotency-Key", "k").ok(422)
	require.Len(t, w.get(me, "/apis").ok(200).list(), 2)
	key := []string{"Idempotency-Key", "d"}
	d1 := w.send(http.MethodPost, me, "/apis/"+id+"/deployments", object{"environment": "dev"}, key...).ok(202).text("id")
	d2 := w.send(http.MethodPost, me, "/apis/"+id+"/deployments", object{"environment": "dev"}, key...).ok(202).text("id")
	require.Equal(t, d1, d2)
}

func TestImports(t *testing.T) {
	t.Parallel()
	docs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Replace(small, "https://small.example.com/v2", "/v2", 1)))
	}))
	t.Cleanup(docs.Close)
	w := begin(t, func(c *gatewaymanager.Config) { c.Import.AllowLoopback = true })
	me := w.admin("one")
	imported := func(body object, status int) object {
		body["project"] = "default"
		return w.send(http.MethodPost, me, "/apis/import", body).ok(status).json()
	}
	dry := imported(object{"document": small, "dryRun": true}, 200)
	require.Empty(t, dry["api"].(object)["id"])
	require.Empty(t, w.get(me, "/apis").ok(200).list())

	a := imported(object{"document": small}, 201)["api"].(object)
	require.Equal(t, "/v2", a["basePath"])
	require.Equal(t, "small", a["slug"])
	require.Equal(t, "2.1", a["apiVersion"])
	require.Equal(t, []any{object{"name": "default", "targets": []any{object{"url": "https://small.example.com/v2"}}}}, a["upstreams"])
	// Again: another slug and base path, and a warning that says so.
	b := imported(object{"document": small}, 201)
	require.Equal(t, "/small/v2", b["api"].(object)["basePath"])
	require.Equal(t, "small-2", b["api"].(object)["slug"])
	require.Equal(t, "base-path", b["warnings"].([]any)[0].(object)["code"])
	// By its address, which also says where the server is.
	c := imported(object{"url": docs.URL + "/openapi.json", "basePath": "/c"}, 201)["api"].(object)
	require.Equal(t, docs.URL+"/v2", c["upstreams"].([]any)[0].(object)["targets"].([]any)[0].(object)["url"])

	id := a["id"].(string)
	var doc object
	require.NoError(t, json.Unmarshal(w.get(me, "/apis/"+id+"/document").ok(200).body, &doc))
	require.Equal(t, "3.0.3", doc["openapi"])
	ops := w.get(me, "/apis/"+id+"/operations").ok(200).list()
	require.Equal(t, []object{{"id": "a", "method": "GET", "path": "/a", "summary": "An A."}}, ops)
	newer := strings.Replace(small, `"/a":`, `"/b":{"post":{"responses":{"200":{"description":"ok"}}}},"/a":`, 1)
	put := w.send(http.MethodPut, me, "/apis/"+id+"/document", object{"document": newer}, "If-Match", "*").ok(200).json()
	require.InDelta(t, 2, put["operations"], 0)
	require.Len(t, w.get(me, "/apis/"+id+"/operations?q=post").ok(200).list(), 1)
	w.send(http.MethodPatch, me, "/apis/"+id, object{"operations": []object{{"method": "GET", "path": "/x"}}}, "If-Match", "*").ok(422)
}

// recorded are the entries of gateway-manager in the audit trail.
type recorded struct{ audit.Recorded }

// Subject is that of this service's entries alone, which is what the caller may
// listen to.
func (recorded) Subject() string { return contract.Event("", gateway.Service, "audited") }

// Every change is in the audit trail, with what was different, and is told of.
func TestChangesAreToldOf(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	var mu sync.Mutex
	var trail []recorded
	var apis []gateway.APIChanged
	started := make(chan struct{}, 2)
	go func() {
		_ = bus.Listen(t.Context(), w.caller, func(_ context.Context, e recorded) {
			mu.Lock()
			defer mu.Unlock()
			trail = append(trail, e)
		}, func() { started <- struct{}{} })
	}()
	go func() {
		_ = bus.Listen(t.Context(), w.caller, func(_ context.Context, e gateway.APIChanged) {
			mu.Lock()
			defer mu.Unlock()
			apis = append(apis, e)
		}, func() { started <- struct{}{} })
	}()
	<-started
	<-started
	id := w.api(me, "/a")
	w.send(http.MethodPatch, me, "/apis/"+id, object{"basePath": "/b", "upstreams": []object{{"name": "default", "targets": []object{{"url": "https://u:1"}}, "tls": object{"certificate": "C", "key": "hunter2"}}}}, "If-Match", "*").ok(200)
	w.deploy(me, id, object{"environment": "dev"}).ok(202)
	w.send(http.MethodPost, me, "/apis/"+id+"/publish", nil).ok(200)
	w.eventually(func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(trail) >= 5 && len(apis) >= 4
	}, "the events come")
	mu.Lock()
	defer mu.Unlock()
	byAction := map[string]recorded{}
	for _, e := range trail {
		byAction[e.Action] = e
		require.Equal(t, "one", e.Organization)
		require.Equal(t, "admin", e.Actor.ID)
	}
	for _, action := range []string{"api.created", "api.updated", "revision.created", "deployment.created", "api.published"} {
		require.Contains(t, byAction, action)
	}
	raw, err := json.Marshal(byAction["api.updated"].Recorded)
	require.NoError(t, err)
	require.Contains(t, string(raw), `"/basePath"`)
	require.NotContains(t, string(raw), "hunter2")
	shown := w.get(me, "/apis/"+id).ok(200)
	require.NotContains(t, string(shown.body), "hunter2", "a private key is not shown")
	// A change of something else keeps the key that is not shown.
	w.send(http.MethodPatch, me, "/apis/"+id, object{"upstreams": shown.json()["upstreams"]}, "If-Match", "*").ok(200)
	require.Equal(t, false, w.get(me, "/apis/"+id).json()["draft"].(object)["changed"])
}

func TestFleetOfAnOrganization(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	env := w.send(http.MethodPost, me, "/environments", object{"slug": "qa", "name": "QA"}).ok(201).json()
	require.InDelta(t, 4, env["order"], 0)
	w.send(http.MethodPatch, me, "/environments/"+env["id"].(string), object{"order": 2, "production": true}, "If-Match", "*").ok(200)
	names := []string{}
	for _, e := range w.get(me, "/environments?sort=order").ok(200).list() {
		names = append(names, e["name"].(string))
	}
	require.Equal(t, []string{"DEV", "STG", "QA", "PRD"}, names)
	g := w.send(http.MethodPost, me, "/gateway-groups", object{"slug": "edge", "name": "Edge", "environment": "qa", "publicUrl": "https://edge.example.com/", "visibility": "private"}).ok(201).json()
	require.Equal(t, "https://edge.example.com", g["publicUrl"])
	w.send(http.MethodDelete, me, "/environments/"+env["id"].(string), nil, "If-Match", "*").ok(409)
	// A group of one project does not serve the others'.
	other := w.send(http.MethodPost, me, "/projects", object{"slug": "other", "name": "Other"}).ok(201).text("id")
	w.send(http.MethodPatch, me, "/gateway-groups/"+g["id"].(string), object{"projects": []string{other}}, "If-Match", "*").ok(200)
	id := w.api(me, "/a")
	w.deploy(me, id, object{"environment": "qa"}).ok(409)
	w.send(http.MethodPatch, me, "/gateway-groups/"+g["id"].(string), object{"projects": []string{}}, "If-Match", "*").ok(200)
	d := w.deploy(me, id, object{"environment": "qa"}).ok(202).text("id")
	last := w.await(me, d, "applying")
	require.Equal(t, "no gateway of QA is online", last["problem"])
	require.InDelta(t, 1, w.get(me, "/gateway-groups/"+g["id"].(string)).ok(200).json()["apiCount"], 0)
	w.send(http.MethodDelete, me, "/projects/"+w.project(me), nil, "If-Match", "*").ok(409)
	w.send(http.MethodDelete, me, "/gateway-groups/"+g["id"].(string), nil, "If-Match", "*").ok(204)
}
