package scenario

import (
	"net/http"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/internal/documenttest"
)

// largeOperations is how many operations the large document has.
const largeOperations = 520

// large puts an API of more than 500 operations online, and calls some of them:
// what is in the document is answered by every gateway, and nothing else.
func (s *story) large() {
	made := s.publisher.want(http.StatusCreated, http.MethodPost, gateways, "/apis/import", object{
		"project": s.project, "document": string(documenttest.Large(largeOperations)), "slug": "large", "basePath": "/large",
		"upstream": object{"targets": []object{{"url": "http://" + s.Echo}}},
	})
	require.Equal(s.t, largeOperations, count(s.t, made, "operations"))
	api := text(s.t, made, "api", "id")
	names := []string{}
	for _, a := range items(s.t, s.publisher.get(gateways, "/apis?sort=name&project="+s.project), "items") {
		names = append(names, text(s.t, a, "name"))
	}
	require.Equal(s.t, []string{"Large", "Swagger Petstore - OpenAPI 3.0"}, names)
	plan := s.newPlan(api)
	require.Equal(s.t, 1, s.putLive(api, object{"message": "all of it"}))
	s.show(api)

	// The last of its resources, found by the name of an operation.
	last := largeOperations/10 - 1
	operation := "archive" + documenttest.Kind(last)
	eventually(s.t, Patience, "the operation is not in the catalogue", func() bool {
		found := items(s.t, s.caller.get(portal, "/catalogue?q="+operation), "items")
		return len(found) == 1 && text(s.t, found[0], "id") == api
	})
	page := s.caller.get(portal, "/catalogue/"+api+"/operations/"+operation)
	require.Equal(s.t, documenttest.Path(last)+"/{id}/archive", text(s.t, page, "path"))

	s.caller.want(http.StatusCreated, http.MethodPost, portal, "/subscriptions", object{"plan": plan, "application": s.application})
	s.everywhere(Patience, "the key does not work for the large document", "/large"+documenttest.Path(0), s.key, http.StatusOK)
	const id = "/3f0c0f6e-8a52-4c0e-9d53-0a4c3d1f2b60"
	for _, gateway := range s.Traffic {
		for _, resource := range []int{0, last / 2, last} {
			path := "/large" + documenttest.Path(resource)
			for _, c := range []struct {
				method, path string
				status       int
			}{
				{http.MethodGet, path, http.StatusOK},
				{http.MethodPost, path, http.StatusOK},
				{http.MethodPatch, path + id, http.StatusOK},
				{http.MethodDelete, path + id + "/parts/wheel", http.StatusOK},
				{http.MethodPost, path + id + "/archive", http.StatusOK},
				{http.MethodDelete, path, http.StatusMethodNotAllowed},
				{http.MethodGet, path + id + "/archive", http.StatusMethodNotAllowed},
				{http.MethodGet, path + id + "/nothing", http.StatusNotFound},
			} {
				a := call(s.t, s.http, c.method, gateway+c.path, s.key)
				require.Equal(s.t, c.status, a.status, "%s %s at %s: %s", c.method, c.path, gateway, a.body)
			}
			require.Equal(s.t, http.StatusUnauthorized, s.get(gateway, path, "").status)
		}
	}
}
