package scenario

import (
	_ "embed"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/sample"
)

// petstore is the Swagger Petstore, as testdata/README.md says.
//
//go:embed testdata/petstore3.json
var petstore string

// importDocument makes an API of the Swagger Petstore, as it is published.
func (s *story) importDocument() {
	in := object{
		"project": s.project, "document": petstore, "slug": "petstore", "basePath": "/petstore",
		"upstream": object{"targets": []object{{"url": "http://" + s.Upstream + sample.BasePath}}},
	}
	found := s.publisher.want(http.StatusOK, http.MethodPost, gateways, "/apis/import", with(in, "dryRun", true))
	require.Equal(s.t, 19, count(s.t, found, "operations"))
	require.Empty(s.t, items(s.t, s.publisher.get(gateways, "/apis?project="+s.project), "items"), "a dry run makes nothing")
	made := s.publisher.want(http.StatusCreated, http.MethodPost, gateways, "/apis/import", in)
	s.api = text(s.t, made, "api", "id")
	require.Equal(s.t, "Swagger Petstore - OpenAPI 3.0", text(s.t, made, "api", "name"))
	twice := s.publisher.send(http.MethodPost, gateways, "/apis/import", in)
	require.Equal(s.t, http.StatusConflict, twice.status, "%s", twice.body)
	broken := s.publisher.send(http.MethodPost, gateways, "/apis/import", with(in, "document", "openapi: 3.0.3\npaths: ["))
	require.Equal(s.t, http.StatusUnprocessableEntity, broken.status, "%s", broken.body)
	require.Contains(s.t, string(broken.body), "/document")
}

// newPlan makes and publishes a plan by which an API is consumed: a key, and a
// limit.
func (s *story) newPlan(api string) string {
	s.t.Helper()
	plan := s.publisher.want(http.StatusCreated, http.MethodPost, policies, "/apis/"+api+"/plans", object{
		"slug": "bronze", "name": "Bronze", "security": object{"type": "api-key"}, "approval": "automatic",
		"limits": object{"rateLimit": object{"limit": 1000, "window": "1m"}},
	})
	id := text(s.t, plan, "id")
	s.publisher.want(http.StatusOK, http.MethodPost, policies, "/plans/"+id+"/publish", nil, "If-Match", s.match(plan))
	return id
}

// makePlan makes the plan of the Petstore.
func (s *story) makePlan() {
	bad := s.publisher.send(http.MethodPost, policies, "/apis/"+s.api+"/plans", object{
		"slug": "bad", "name": "Bad", "security": object{"type": "api-key", "config": object{"headr": "X"}},
	})
	require.Equal(s.t, http.StatusUnprocessableEntity, bad.status, "%s", bad.body)
	require.Contains(s.t, string(bad.body), "/security/config/headr")
	s.plan = s.newPlan(s.api)
}

// putLive puts an API's draft on the environment, waits until every gateway serves
// it, and returns the number of the revision.
func (s *story) putLive(api string, more object) int {
	s.t.Helper()
	d := s.publisher.want(http.StatusAccepted, http.MethodPost, gateways, "/apis/"+api+"/deployments", with(more, "environment", s.Environment))
	id := text(s.t, d, "id")
	var last object
	require.Eventually(s.t, func() bool {
		last = s.publisher.get(gateways, "/deployments/"+id)
		return text(s.t, last, "state") == "live"
	}, Patience, 20*time.Millisecond, "the deployment is not live: %v", &last)
	require.Len(s.t, items(s.t, last, "gateways"), len(s.Traffic))
	for _, g := range items(s.t, last, "gateways") {
		require.Equal(s.t, "applied", text(s.t, g, "state"), "%v", last)
	}
	return count(s.t, d, "revision")
}

// show has an API shown in the portal.
func (s *story) show(api string) {
	s.t.Helper()
	s.publisher.want(http.StatusOK, http.MethodPost, gateways, "/apis/"+api+"/publish", nil, "If-Match", s.match(s.publisher.get(gateways, "/apis/"+api)))
}

// deploy puts the API on the environment, once all of its gateways have joined,
// and has it shown in the portal.
func (s *story) deploy() {
	eventually(s.t, Patience, "not all gateways have joined", func() bool {
		return len(items(s.t, s.owner.get(gateways, "/gateways"), "items")) == len(s.Traffic)
	})
	require.Equal(s.t, 1, s.putLive(s.api, object{"message": "first"}))
	s.show(s.api)
}
