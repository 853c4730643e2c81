package scenario

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/sample"
)

// The services, as in addresses.
const (
	tenants   = "tenant-manager"
	gateways  = "gateway-manager"
	policies  = "policy-manager"
	portal    = "devportal-backend"
	analytics = "analysis-manager"
)

const password = "correct horse battery staple 7"

// story is one run of the scenario: what later steps need from earlier ones.
type story struct {
	Installation
	t                        testing.TB
	owner, publisher, caller *client
	http                     *http.Client
	project, api, plan       string
	application, credential  string
	url, key                 string
}

// Run tells the whole story: set up, a user, a project, a real document, plans,
// a deployment, a subscription with its key, the four answers that count, usage
// and explanation, a revocation, and a way back.
func Run(t *testing.T, at Installation) {
	at.secrets = &secrets{of: map[string]string{}}
	s := &story{Installation: at, t: t, http: &http.Client{Timeout: Patience}}
	t.Cleanup(s.http.CloseIdleConnections)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"set up", s.setUp},
		{"invite users", s.invite},
		{"import documents", s.importDocuments},
		{"plan", s.makePlan},
		{"deploy", s.deploy},
		{"subscribe", s.subscribe},
		{"call", s.callIt},
		{"usage", s.usage},
		{"explain", s.explain},
		{"limit", s.limit},
		{"revoke", s.revoke},
		{"roll back", s.rollBack},
		{"audit", s.audit},
		{"logs", s.logs},
	} {
		ok := t.Run(step.name, func(t *testing.T) {
			before := s.t
			s.use(t)
			defer s.use(before)
			step.do()
		})
		if !ok {
			t.Fatalf("%q went wrong; what follows needs it", step.name)
		}
	}
}

// use has failures reported to the step that is running.
func (s *story) use(t testing.TB) {
	s.t = t
	for _, c := range []*client{s.owner, s.publisher, s.caller} {
		if c != nil {
			c.t = t
		}
	}
}

func (s *story) client(pair object) *client {
	c := newClient(s.t, s.Installation)
	c.token = text(s.t, pair, "accessToken")
	return c
}

// setUp signs in with the one-time code, which works once, and completes the
// first run.
func (s *story) setUp() {
	anyone := newClient(s.t, s.Installation)
	require.True(s.t, anyone.get(tenants, "/setup")["required"].(bool))
	require.Equal(s.t, http.StatusUnauthorized, anyone.send(http.MethodPost, tenants, "/sign-in/one-time", object{"code": "guessed"}).status)
	pair := anyone.want(http.StatusOK, http.MethodPost, tenants, "/sign-in/one-time", object{"code": s.Code})
	require.Equal(s.t, true, pair["setupRequired"])
	s.owner = s.client(pair)
	weak := s.owner.send(http.MethodPost, tenants, "/setup", object{"organizationName": "Acme", "name": "Olga", "email": "olga@example.com", "password": "short"})
	require.Equal(s.t, http.StatusUnprocessableEntity, weak.status, "%s", weak.body)
	require.Contains(s.t, string(weak.body), "/password")
	s.owner.want(http.StatusOK, http.MethodPost, tenants, "/setup", object{"organizationName": "Acme", "name": "Olga", "email": "olga@example.com", "password": password})
	require.Equal(s.t, http.StatusUnauthorized, anyone.send(http.MethodPost, tenants, "/sign-in/one-time", object{"code": s.Code}).status)
	require.False(s.t, anyone.get(tenants, "/setup")["required"].(bool))
	s.owner = s.client(anyone.want(http.StatusOK, http.MethodPost, tenants, "/sign-in", object{"email": "olga@example.com", "password": password}))
	require.Equal(s.t, "Acme", text(s.t, s.owner.get(tenants, "/me"), "organization", "name"))
	wrong := anyone.send(http.MethodPost, tenants, "/sign-in", object{"email": "olga@example.com", "password": "wrong"})
	unknown := anyone.send(http.MethodPost, tenants, "/sign-in", object{"email": "nobody@example.com", "password": "wrong"})
	require.Equal(s.t, http.StatusUnauthorized, wrong.status)
	require.Equal(s.t, wrong.status, unknown.status)
	require.Equal(s.t, wrong.object(s.t)["detail"], unknown.object(s.t)["detail"], "it must not show which accounts exist")
}

// invite makes a publisher and a consumer, who may do what their roles say.
func (s *story) invite() {
	roles := map[string]string{}
	for _, r := range items(s.t, s.owner.get(tenants, "/roles?limit=200"), "items") {
		roles[text(s.t, r, "name")] = text(s.t, r, "id")
	}
	join := func(name, role string) *client {
		invitation := s.owner.want(http.StatusCreated, http.MethodPost, tenants, "/invitations",
			object{"email": name + "@example.com", "roles": []object{{"role": roles[role]}}})
		pair := newClient(s.t, s.Installation).want(http.StatusOK, http.MethodPost, tenants,
			"/invitations/by-token/"+text(s.t, invitation, "token")+"/accept", object{"name": name, "password": password})
		return s.client(pair)
	}
	s.publisher, s.caller = join("paul", "publisher"), join("carla", "consumer")
	require.Equal(s.t, http.StatusForbidden, s.publisher.send(http.MethodGet, tenants, "/users", nil).status)
	require.Equal(s.t, http.StatusForbidden, s.caller.send(http.MethodGet, gateways, "/apis", nil).status)
	require.Equal(s.t, http.StatusUnauthorized, newClient(s.t, s.Installation).send(http.MethodGet, gateways, "/apis", nil).status)
}

// importDocuments makes an API of the sample's document, and one of a document
// with more than 500 operations.
func (s *story) importDocuments() {
	eventually(s.t, Patience, "there is no project", func() bool {
		projects := s.publisher.get(gateways, "/projects")
		for _, p := range items(s.t, projects, "items") {
			s.project = text(s.t, p, "id")
		}
		return s.project != ""
	})
	in := object{
		"project": s.project, "document": string(sample.Document(s.Upstream)), "slug": "petstore", "basePath": "/petstore",
		"upstream": object{"targets": []object{{"url": "http://" + s.Upstream + sample.BasePath}}},
	}
	found := s.publisher.want(http.StatusOK, http.MethodPost, gateways, "/apis/import", with(in, "dryRun", true))
	require.Equal(s.t, 19, count(s.t, found, "operations"))
	made := s.publisher.want(http.StatusCreated, http.MethodPost, gateways, "/apis/import", in)
	s.api = text(s.t, made, "api", "id")
	twice := s.publisher.send(http.MethodPost, gateways, "/apis/import", in)
	require.Equal(s.t, http.StatusConflict, twice.status, "%s", twice.body)
	broken := s.publisher.send(http.MethodPost, gateways, "/apis/import", with(in, "document", "openapi: 3.0.3\npaths: ["))
	require.Equal(s.t, http.StatusUnprocessableEntity, broken.status, "%s", broken.body)
	require.Contains(s.t, string(broken.body), "/document")

	large := s.publisher.want(http.StatusCreated, http.MethodPost, gateways, "/apis/import", object{
		"project": s.project, "document": Large(520), "basePath": "/large",
		"upstream": object{"targets": []object{{"url": "http://" + s.Upstream}}},
	})
	require.Equal(s.t, 520, count(s.t, large, "operations"))
	names := []string{}
	for _, a := range items(s.t, s.publisher.get(gateways, "/apis?sort=name"), "items") {
		names = append(names, text(s.t, a, "name"))
	}
	require.Len(s.t, names, 2)
}

// Large returns an OpenAPI document with that many operations.
func Large(operations int) string {
	doc := "openapi: 3.0.3\ninfo: {title: Large, version: \"1\"}\npaths:\n"
	for i := range operations {
		doc += fmt.Sprintf("  /things-%d/{id}:\n    get:\n      operationId: getThing%d\n      summary: Thing %d\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      responses: {\"200\": {description: done}}\n", i, i, i)
	}
	return doc
}

// with returns a copy of an object with one more field.
func with(o object, name string, value any) object {
	more := object{name: value}
	for k, v := range o {
		if k != name {
			more[k] = v
		}
	}
	return more
}

// makePlan makes the plan by which the API is consumed: a key, and a limit.
func (s *story) makePlan() {
	plan := s.publisher.want(http.StatusCreated, http.MethodPost, policies, "/apis/"+s.api+"/plans", object{
		"slug": "bronze", "name": "Bronze", "security": object{"type": "api-key"}, "approval": "automatic",
		"limits": object{"rateLimit": object{"limit": 1000, "window": "1m"}},
	})
	s.plan = text(s.t, plan, "id")
	bad := s.publisher.send(http.MethodPost, policies, "/apis/"+s.api+"/plans", object{
		"slug": "bad", "name": "Bad", "security": object{"type": "api-key", "config": object{"headr": "X"}},
	})
	require.Equal(s.t, http.StatusUnprocessableEntity, bad.status, "%s", bad.body)
	require.Contains(s.t, string(bad.body), "/security/config/headr")
	s.publisher.want(http.StatusOK, http.MethodPost, policies, "/plans/"+s.plan+"/publish", nil, "If-Match", `"`+strconv.Itoa(count(s.t, plan, "version"))+`"`)
}

// deploy puts the API on the environment and waits until every gateway serves
// it, and has it shown in the portal.
func (s *story) deploy() {
	d := s.publisher.want(http.StatusAccepted, http.MethodPost, gateways, "/apis/"+s.api+"/deployments",
		object{"environment": s.Environment, "message": "first"})
	require.Equal(s.t, 1, count(s.t, d, "revision"))
	s.live(text(s.t, d, "id"))
	api := s.publisher.get(gateways, "/apis/"+s.api)
	s.publisher.want(http.StatusOK, http.MethodPost, gateways, "/apis/"+s.api+"/publish", nil, "If-Match", `"`+strconv.Itoa(count(s.t, api, "version"))+`"`)
	s.url = s.Traffic + "/petstore/pet/1"
}

// live waits until a deployment is acknowledged by every gateway.
func (s *story) live(id string) {
	s.t.Helper()
	var last object
	require.Eventually(s.t, func() bool {
		last = s.publisher.get(gateways, "/deployments/"+id)
		return text(s.t, last, "state") == "live"
	}, Patience, 20*time.Millisecond, "the deployment is not live: %v", &last)
	require.Len(s.t, items(s.t, last, "gateways"), s.Gateways)
	for _, g := range items(s.t, last, "gateways") {
		require.Equal(s.t, "applied", text(s.t, g, "state"), "%v", last)
	}
}

// subscribe is the consumer's way: find the API, read it, make an application,
// subscribe, and get a key, once.
func (s *story) subscribe() {
	eventually(s.t, Patience, "the API is not in the catalogue", func() bool {
		return len(items(s.t, s.caller.get(portal, "/catalogue?q=findByStatus"), "items")) == 1
	})
	entry := s.caller.get(portal, "/catalogue/"+s.api)
	require.Equal(s.t, s.plan, text(s.t, items(s.t, entry, "plans")[0], "id"))
	page := s.caller.get(portal, "/catalogue/"+s.api+"/operations/getPetById")
	require.Equal(s.t, "/pet/{petId}", text(s.t, page, "path"))
	made := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/subscriptions", object{
		"plan": s.plan, "newApplication": object{"name": "Storefront"}, "createKey": true,
	})
	require.Equal(s.t, "active", text(s.t, made, "subscription", "status"))
	s.application = text(s.t, made, "application", "id")
	s.key, s.credential = text(s.t, made, "credential", "key"), text(s.t, made, "credential", "id")
	for _, c := range items(s.t, s.caller.get(portal, "/applications/"+s.application+"/credentials"), "items") {
		require.NotContains(s.t, c, "key", "a key is shown once")
	}
	require.Equal(s.t, http.StatusForbidden, s.publisher.send(http.MethodPatch, portal, "/applications/"+s.application, object{"name": "mine"}, "If-Match", "*").status,
		"an application is its owner's")
}

// callIt calls through the gateways: with the key, without, and with another's.
func (s *story) callIt() {
	eventually(s.t, Patience, "the key does not work", func() bool { return call(s.t, s.http, s.url, s.key).status == http.StatusOK })
	require.Contains(s.t, string(call(s.t, s.http, s.url, s.key).body), "Bella")
	require.Equal(s.t, http.StatusUnauthorized, call(s.t, s.http, s.url, "").status)
	require.Equal(s.t, http.StatusUnauthorized, call(s.t, s.http, s.url, "ghk_invented").status)
	require.Equal(s.t, http.StatusNotFound, call(s.t, s.http, s.Traffic+"/petstore/nothing", s.key).status)
	// A key whose application has no subscription is known, and may not.
	other := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/applications", object{"name": "Other"})
	key := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/applications/"+text(s.t, other, "id")+"/credentials", object{"name": "first"})
	eventually(s.t, Patience, "a key without subscription is not answered 403", func() bool {
		return call(s.t, s.http, s.url, text(s.t, key, "key")).status == http.StatusForbidden
	})
}

// usage finds the calls counted, for the publisher and for the consumer.
func (s *story) usage() {
	const calls = 25
	before := count(s.t, s.caller.get(portal, "/applications/"+s.application+"/usage"), "total", "requests")
	for range calls {
		require.Equal(s.t, http.StatusOK, call(s.t, s.http, s.url, s.key).status)
	}
	eventually(s.t, Patience, "the calls are not counted for the consumer", func() bool {
		return count(s.t, s.caller.get(portal, "/applications/"+s.application+"/usage"), "total", "requests") >= before+calls
	})
	report := s.publisher.get(analytics, "/usage?top=application,operation&api="+s.api)
	require.GreaterOrEqual(s.t, count(s.t, report, "total", "status4xx"), 4)
	require.Positive(s.t, count(s.t, report, "total", "p95Us"))
	require.Equal(s.t, s.application, text(s.t, items(s.t, report, "top", "application")[0], "key"))
	require.Equal(s.t, "Storefront", text(s.t, items(s.t, report, "top", "application")[0], "name"))
	require.Equal(s.t, "getPetById", text(s.t, items(s.t, report, "top", "operation")[0], "key"))
}

// explain asks why a request was answered as it was.
func (s *story) explain() {
	refused := call(s.t, s.http, s.url, "ghk_invented")
	id := refused.header.Get("X-Request-Id")
	require.NotEmpty(s.t, id)
	eventually(s.t, Patience, "the request is not explained", func() bool {
		return s.publisher.send(http.MethodGet, analytics, "/explain/"+id, nil).status == http.StatusOK
	})
	why := s.publisher.get(analytics, "/explain/"+id)
	require.Regexp(s.t, "^401", text(s.t, why, "sentence"))
	require.NotEmpty(s.t, items(s.t, why, "steps"))
	require.Equal(s.t, http.StatusForbidden, s.caller.send(http.MethodGet, analytics, "/explain/"+id, nil).status)

	own := call(s.t, s.http, s.Traffic+"/petstore/pet/none-such", s.key)
	id = own.header.Get("X-Request-Id")
	eventually(s.t, Patience, "the consumer's own request is not explained", func() bool {
		return s.caller.send(http.MethodGet, portal, "/applications/"+s.application+"/requests/"+id, nil).status == http.StatusOK
	})
}

// limit lowers the plan's limit, deploys, and meets it.
func (s *story) limit() {
	plan := s.publisher.get(policies, "/plans/"+s.plan)
	version := `"` + strconv.Itoa(count(s.t, plan, "version")) + `"`
	change := object{"limits": object{"rateLimit": object{"limit": 3, "window": "1h"}}}
	require.Equal(s.t, http.StatusPreconditionRequired, s.publisher.send(http.MethodPatch, policies, "/plans/"+s.plan, change).status)
	s.publisher.want(http.StatusOK, http.MethodPatch, policies, "/plans/"+s.plan, change, "If-Match", version)
	late := s.publisher.send(http.MethodPatch, policies, "/plans/"+s.plan, change, "If-Match", version)
	require.Equal(s.t, http.StatusPreconditionFailed, late.status, "%s", late.body)

	require.Equal(s.t, true, at(s.t, s.publisher.get(gateways, "/apis/"+s.api), "draft", "changed"))
	d := s.publisher.want(http.StatusAccepted, http.MethodPost, gateways, "/apis/"+s.api+"/deployments", object{"environment": s.Environment, "message": "less"})
	require.Equal(s.t, 2, count(s.t, d, "revision"))
	s.live(text(s.t, d, "id"))
	eventually(s.t, Patience, "the limit is not met", func() bool {
		a := call(s.t, s.http, s.url, s.key)
		return a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != ""
	})
}

// revoke ends the key, which must stop working within two seconds.
func (s *story) revoke() {
	version := strconv.Itoa(count(s.t, s.caller.get(portal, "/credentials/"+s.credential), "version"))
	s.caller.want(http.StatusNoContent, http.MethodDelete, portal, "/credentials/"+s.credential, nil, "If-Match", `"`+version+`"`)
	eventually(s.t, 2*time.Second, "the key works 2 s after it was revoked", func() bool {
		for range s.Gateways {
			if call(s.t, s.http, s.url, s.key).status != http.StatusUnauthorized {
				return false
			}
		}
		return true
	})
}

// rollBack deploys the first revision again, and finds its limit.
func (s *story) rollBack() {
	key := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/applications/"+s.application+"/credentials", object{"name": "second"})
	s.key = text(s.t, key, "key")
	d := s.publisher.want(http.StatusAccepted, http.MethodPost, gateways, "/apis/"+s.api+"/deployments",
		object{"environment": s.Environment, "revision": 1, "message": "back"})
	s.live(text(s.t, d, "id"))
	eventually(s.t, Patience, "the first revision does not answer", func() bool { return call(s.t, s.http, s.url, s.key).status == http.StatusOK })
	for range 8 {
		require.Equal(s.t, http.StatusOK, call(s.t, s.http, s.url, s.key).status, "the limit of the first revision is 1000")
	}
}

// audit finds all that was done, by whom.
func (s *story) audit() {
	for _, action := range []string{"api.created", "plan.created", "deployment.created", "credential.revoked", "user.signed-in"} {
		eventually(s.t, Patience, "the audit trail has no "+action, func() bool {
			return len(items(s.t, s.owner.get(tenants, "/audit?action="+action), "items")) > 0
		})
	}
	require.Equal(s.t, true, s.owner.get(tenants, "/audit/verification")["valid"])
}
