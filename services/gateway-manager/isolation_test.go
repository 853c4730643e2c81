package gatewaymanager_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// things are the ids of what an organization has.
type things struct {
	project, environment, group, token, gateway, api, deployment string
}

func (w *world) things(organization string) things {
	w.t.Helper()
	me := w.admin(organization)
	first := func(path string) string { return w.get(me, path).ok(200).list()[0]["id"].(string) }
	th := things{project: first("/projects"), environment: first("/environments"), group: first("/gateway-groups")}
	th.token = w.send(http.MethodPost, me, "/gateway-groups/"+th.group+"/join-tokens", object{"name": "t"}).ok(201).text("id")
	w.join(organization, "default", "gw-"+organization)
	th.gateway = first("/gateways")
	th.api = w.send(http.MethodPost, me, "/apis/import", object{
		"project": th.project, "document": `{"openapi":"3.0.0","info":{"title":"` + organization + `","version":"1"},"servers":[{"url":"http://127.0.0.1:9/x"}],"paths":{"/a":{"get":{"responses":{"200":{"description":"ok"}}}}}}`,
	}).ok(201).json()["api"].(object)["id"].(string)
	th.deployment = w.deploy(me, th.api, object{"environment": "dev"}).ok(202).text("id")
	w.await(me, th.deployment, "live")
	return th
}

// Nobody sees, changes or refers to what belongs to another organization, by any
// operation. What is of another organization is as what is not there.
func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	w := begin(t)
	mine, theirs := w.things("one"), w.things("two")
	me := w.admin("one")
	change := object{"name": "stolen"}
	fresh := func(more object) object {
		o := object{"slug": "s", "name": "n"}
		for k, v := range more {
			o[k] = v
		}
		return o
	}
	upstreams := []object{{"targets": []object{{"url": "http://127.0.0.1:9"}}}}
	type call struct {
		path   string
		body   any
		status int
	}
	// With 200, the answer must not have anything of the other organization.
	calls := map[string]call{
		"listProjects": {"/projects", nil, 200}, "createProject": {"/projects", fresh(nil), 201},
		"getProject": {"/projects/" + theirs.project, nil, 404}, "updateProject": {"/projects/" + theirs.project, change, 404}, "deleteProject": {"/projects/" + theirs.project, nil, 404},
		"listEnvironments": {"/environments", nil, 200}, "createEnvironment": {"/environments", fresh(nil), 201},
		"getEnvironment": {"/environments/" + theirs.environment, nil, 404}, "updateEnvironment": {"/environments/" + theirs.environment, change, 404}, "deleteEnvironment": {"/environments/" + theirs.environment, nil, 404},
		"listGatewayGroups": {"/gateway-groups", nil, 200}, "createGatewayGroup": {"/gateway-groups", fresh(object{"environment": theirs.environment}), 422},
		"getGatewayGroup": {"/gateway-groups/" + theirs.group, nil, 404}, "updateGatewayGroup": {"/gateway-groups/" + theirs.group, change, 404}, "deleteGatewayGroup": {"/gateway-groups/" + theirs.group, nil, 404},
		"listJoinTokens": {"/gateway-groups/" + theirs.group + "/join-tokens", nil, 404}, "createJoinToken": {"/gateway-groups/" + theirs.group + "/join-tokens", change, 404},
		"deleteJoinToken": {"/gateway-groups/" + mine.group + "/join-tokens/" + theirs.token, nil, 404},
		"listGateways":    {"/gateways", nil, 200}, "getGateway": {"/gateways/" + theirs.gateway, nil, 404}, "deleteGateway": {"/gateways/" + theirs.gateway, nil, 404},
		"listApis": {"/apis", nil, 200}, "createApi": {"/apis", object{"project": theirs.project, "name": "n", "basePath": "/n", "upstreams": upstreams}, 422},
		"importApi": {"/apis/import", object{"project": theirs.project, "document": "openapi: 3.0.0"}, 422},
		"getApi":    {"/apis/" + theirs.api, nil, 404}, "updateApi": {"/apis/" + theirs.api, change, 404}, "deleteApi": {"/apis/" + theirs.api, nil, 404},
		"getApiDocument": {"/apis/" + theirs.api + "/document", nil, 404}, "putApiDocument": {"/apis/" + theirs.api + "/document", object{"document": "openapi: 3.0.0"}, 404},
		"listApiOperations": {"/apis/" + theirs.api + "/operations", nil, 404}, "publishApi": {"/apis/" + theirs.api + "/publish", nil, 404}, "unpublishApi": {"/apis/" + theirs.api + "/unpublish", nil, 404},
		"listRevisions": {"/apis/" + theirs.api + "/revisions", nil, 404}, "createRevision": {"/apis/" + theirs.api + "/revisions", object{}, 404},
		"getRevision": {"/apis/" + theirs.api + "/revisions/1", nil, 404}, "getRevisionDocument": {"/apis/" + theirs.api + "/revisions/1/document", nil, 404},
		"diffApi": {"/apis/" + theirs.api + "/diff", nil, 404}, "deployApi": {"/apis/" + theirs.api + "/deployments", object{"environment": "dev"}, 404},
		"undeployApi": {"/apis/" + theirs.api + "/deployments/dev", nil, 404}, "listDeployments": {"/deployments", nil, 200}, "getDeployment": {"/deployments/" + theirs.deployment, nil, 404},
	}
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	for _, o := range all {
		id, op := o.ID, [2]string{o.Method, o.Path}
		c, ok := calls[id]
		require.True(t, ok, "the operation %s is not tried: add it", id)
		r := w.send(op[0], me, c.path, c.body, "If-Match", "*")
		require.Equal(t, c.status, r.status, "%s: %s", id, r.body)
		for _, theirs := range []string{theirs.project, theirs.environment, theirs.group, theirs.token, theirs.gateway, theirs.api, theirs.deployment} {
			require.NotContains(t, string(r.body), theirs, id)
		}
		require.Equal(t, 401, w.send(op[0], "", c.path, c.body, "If-Match", "*").status, "%s without a token", id)
	}
	// Their ids as values and filters.
	for _, path := range []string{
		"/apis?project=" + theirs.project, "/gateways?group=" + theirs.group, "/gateway-groups?environment=" + theirs.environment,
		"/deployments?api=" + theirs.api, "/deployments?environment=" + theirs.environment,
	} {
		require.Empty(t, w.get(me, path).ok(200).list(), path)
	}
	w.send(http.MethodPatch, me, "/gateway-groups/"+mine.group, object{"projects": []string{theirs.project}}, "If-Match", "*").ok(422)
	w.deploy(me, mine.api, object{"environment": theirs.environment}).ok(422)
	w.get(me, "/apis/"+mine.api+"/diff?from=deployed:"+theirs.environment).ok(422)
	// Over the bus.
	apis, err := bus.Ask(t.Context(), w.caller, gateway.APIs{Organization: "one", IDs: []string{theirs.api}})
	require.NoError(t, err)
	require.Empty(t, apis.APIs)
	published, err := bus.Ask(t.Context(), w.caller, gateway.Published{Organization: "one", APIs: []string{theirs.api}})
	require.NoError(t, err)
	require.Empty(t, published.APIs)
	// All of theirs is as it was.
	you := w.admin("two")
	require.Equal(t, "two", w.get(you, "/apis/"+theirs.api).ok(200).text("name"))
	require.Equal(t, "live", w.state(you, theirs.deployment))
	require.Len(t, w.get(you, "/gateway-groups/"+theirs.group+"/join-tokens").ok(200).list(), 2)
}

// Somebody with a role in one project sees and changes that project's APIs only.
func TestRolesInAProject(t *testing.T) {
	t.Parallel()
	w := begin(t)
	admin := w.admin("one")
	own := w.project(admin)
	other := w.send(http.MethodPost, admin, "/projects", object{"slug": "other", "name": "Other"}).ok(201).text("id")
	api := w.api(admin, "/mine")
	hidden := w.send(http.MethodPost, admin, "/apis", object{"project": other, "name": "Hidden", "basePath": "/hidden", "upstreams": []object{{"targets": []object{{"url": "http://h:1"}}}}}).ok(201).text("id")
	envs := w.get(admin, "/environments").ok(200).list()
	dev, stg := envs[0]["id"].(string), envs[1]["id"].(string)

	publisher := w.tenants.User(t, "one", "publisher")
	w.tenants.Grant(t, "one", "publisher",
		tenant.Grant{Role: "publisher", Project: own, Permissions: []string{"project:read", "api:*", "environment:read", "gateway-group:read", "gateway:read", "deployment:read"}},
		tenant.Grant{Role: "deployer", Project: own, Environment: dev, Permissions: []string{"deployment:deploy"}},
	)
	list := w.get(publisher, "/apis").ok(200).list()
	require.Len(t, list, 1)
	require.Equal(t, api, list[0]["id"])
	require.Len(t, w.get(publisher, "/projects").ok(200).list(), 1)
	w.get(publisher, "/apis/"+hidden).ok(404)
	w.send(http.MethodPatch, publisher, "/apis/"+hidden, object{"name": "x"}, "If-Match", "*").ok(404)
	w.send(http.MethodPost, publisher, "/apis", object{"project": other, "name": "x", "basePath": "/x", "upstreams": []object{{"targets": []object{{"url": "http://h:1"}}}}}).ok(403)
	w.send(http.MethodPatch, publisher, "/apis/"+api, object{"name": "Mine"}, "If-Match", "*").ok(200)
	w.send(http.MethodPost, publisher, "/projects", object{"slug": "x", "name": "x"}).ok(403)
	w.send(http.MethodPost, publisher, "/environments", object{"slug": "x", "name": "x"}).ok(403)
	w.deploy(publisher, api, object{"environment": stg}).ok(403)
	d := w.deploy(publisher, api, object{"environment": dev}).ok(202).text("id")
	w.get(publisher, "/deployments/"+d).ok(200)
	require.Len(t, w.get(publisher, "/deployments").ok(200).list(), 1)
	require.Len(t, w.get(publisher, "/gateway-groups").ok(200).list(), 1)

	reader := w.tenants.User(t, "one", "reader")
	w.tenants.Grant(t, "one", "reader", tenant.Grant{Role: "viewer", API: api, Permissions: []string{"api:read"}})
	require.Len(t, w.get(reader, "/apis").ok(200).list(), 1)
	w.get(reader, "/apis/"+api).ok(200)
	w.send(http.MethodPatch, reader, "/apis/"+api, object{"name": "x"}, "If-Match", "*").ok(403)
	w.get(reader, "/gateways").ok(403)

	operator := w.tenants.User(t, "one", "operator")
	w.tenants.Grant(t, "one", "operator", tenant.Grant{Role: "operator", Environment: stg, Permissions: []string{"environment:*", "gateway-group:*", "gateway:*"}})
	require.Len(t, w.get(operator, "/environments").ok(200).list(), 1)
	require.Empty(t, w.get(operator, "/gateway-groups").ok(200).list())
	w.get(operator, "/environments/"+dev).ok(404)
	w.send(http.MethodPost, operator, "/gateway-groups", object{"slug": "s", "name": "S", "environment": dev}).ok(403)
	w.send(http.MethodPost, operator, "/gateway-groups", object{"slug": "s", "name": "S", "environment": stg}).ok(201)

	// Permissions that name an environment are for this one; what is denied is
	// neither shown nor done.
	byName := w.tenants.User(t, "one", "by-name")
	w.tenants.Hold(t, "one", "by-name", tenant.Granted{
		Grants: []tenant.Grant{{Role: "ships", Permissions: []string{"project:read", "api:*", "environment:read:stg", "environment:update:stg"}}},
		Denies: []tenant.Grant{{Role: "no-other", Project: other, Permissions: []string{"api:*", "project:*"}}},
	})
	require.Len(t, w.get(byName, "/environments").ok(200).list(), 1)
	w.get(byName, "/environments/"+dev).ok(404)
	w.send(http.MethodPatch, byName, "/environments/"+stg, object{"name": "Staging"}, "If-Match", "*").ok(200)
	w.send(http.MethodPatch, byName, "/environments/"+dev, object{"name": "x"}, "If-Match", "*").ok(403)
	require.Len(t, w.get(byName, "/apis").ok(200).list(), 1)
	require.Len(t, w.get(byName, "/projects").ok(200).list(), 1)
	w.get(byName, "/apis/"+hidden).ok(404)
	w.tenants.Hold(t, "one", "by-name", tenant.Granted{
		Grants: []tenant.Grant{{Role: "ships", Permissions: []string{"api:*", "environment:read", "deployment:read", "deployment:deploy:dev"}}},
		Denies: []tenant.Grant{{Role: "not-dev", Permissions: []string{"deployment:read:dev"}}},
	})
	w.deploy(byName, api, object{"environment": stg}).ok(403)
	w.deploy(byName, api, object{"environment": dev}).ok(202)
	w.get(byName, "/deployments/"+d).ok(404)
	require.Empty(t, w.get(byName, "/deployments").ok(200).list())
}
