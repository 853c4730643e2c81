package scenario

import (
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
)

// subscribe is the consumer's way: find the API, read it, make an application,
// subscribe, and get a key, once.
func (s *story) subscribe() {
	eventually(s.t, Patience, "the API is not in the catalogue", func() bool {
		return len(items(s.t, s.caller.get(portal, "/catalogue?q=findPetsByStatus"), "items")) == 1
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

// newKey makes another key of an application.
func (s *story) newKey(application, name string) string {
	s.t.Helper()
	return text(s.t, s.caller.want(http.StatusCreated, http.MethodPost, portal, "/applications/"+application+"/credentials", object{"name": name}), "key")
}

// callIt calls through each gateway: with the key, without, and with another's.
func (s *story) callIt() {
	s.everywhere(Patience, "the key does not work", pet, s.key, http.StatusOK)
	// A key whose application has no subscription is known, and may not.
	other := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/applications", object{"name": "Other"})
	stranger := s.newKey(text(s.t, other, "id"), "first")
	s.everywhere(Patience, "a key without subscription is not answered 403", pet, stranger, http.StatusForbidden)
	for _, gateway := range s.Traffic {
		require.Contains(s.t, string(s.get(gateway, pet, s.key).body), "Bella")
		require.Equal(s.t, http.StatusUnauthorized, s.get(gateway, pet, "").status)
		require.Equal(s.t, http.StatusUnauthorized, s.get(gateway, pet, "ghk_invented").status)
		require.Equal(s.t, http.StatusForbidden, s.get(gateway, pet, stranger).status)
		require.Equal(s.t, http.StatusNotFound, s.get(gateway, "/petstore/nothing", s.key).status)
	}
}

const (
	// limited is the limit of the second revision, in requests per hour.
	limited = 20
	// between is the pause between two looks at a limit. Gateways tell each other
	// what they have admitted each 100 ms, and a limit may be exceeded by what they
	// admit in twice that time: at this pace, by a few requests.
	between = 100 * time.Millisecond
)

// limit lowers the plan's limit, deploys, and meets it at one gateway: from then
// on it is met at the others too, since a limit is one over all of them.
func (s *story) limit() {
	plan := s.publisher.get(policies, "/plans/"+s.plan)
	change := object{"limits": object{"rateLimit": object{"limit": limited, "window": "1h"}}}
	require.Equal(s.t, http.StatusPreconditionRequired, s.publisher.send(http.MethodPatch, policies, "/plans/"+s.plan, change).status)
	s.publisher.want(http.StatusOK, http.MethodPatch, policies, "/plans/"+s.plan, change, "If-Match", s.match(plan))
	late := s.publisher.send(http.MethodPatch, policies, "/plans/"+s.plan, change, "If-Match", s.match(plan))
	require.Equal(s.t, http.StatusPreconditionFailed, late.status, "%s", late.body)

	require.Equal(s.t, true, at(s.t, s.publisher.get(gateways, "/apis/"+s.api), "draft", "changed"))
	require.Equal(s.t, 2, s.putLive(s.api, object{"message": "less"}))
	admitted := 0
	refused := func(gateway string) bool {
		a := s.get(gateway, pet, s.key)
		switch a.status {
		case http.StatusOK:
			admitted++
		case http.StatusTooManyRequests:
			require.NotEmpty(s.t, a.header.Get("Retry-After"))
		default:
			require.Fail(s.t, "neither let through nor limited", "%d %s", a.status, a.body)
		}
		return a.status == http.StatusTooManyRequests
	}
	for !refused(s.Traffic[0]) {
		require.LessOrEqual(s.t, admitted, limited, "the first gateway alone exceeds the limit")
	}
	require.Equal(s.t, limited, admitted)
	for _, gateway := range s.Traffic {
		require.Eventually(s.t, func() bool { return refused(gateway) }, Patience, between, "the limit is not met at %s", gateway)
	}
	require.LessOrEqual(s.t, admitted, limited+limited/2, "each gateway has a limit of its own")
}

// revoke ends the key, which must stop working at every gateway within two
// seconds.
func (s *story) revoke() {
	credential := s.caller.get(portal, "/credentials/"+s.credential)
	s.caller.want(http.StatusNoContent, http.MethodDelete, portal, "/credentials/"+s.credential, nil, "If-Match", s.match(credential))
	s.everywhere(2*time.Second, "the key works 2 s after it was revoked", pet, s.key, http.StatusUnauthorized)
}

// rollBack deploys the first revision again, and finds its limit at every gateway.
func (s *story) rollBack() {
	s.key = s.newKey(s.application, "second")
	require.Equal(s.t, 1, s.putLive(s.api, object{"revision": 1, "message": "back"}))
	s.everywhere(Patience, "the first revision does not answer", pet, s.key, http.StatusOK)
	for _, gateway := range s.Traffic {
		for range limited + 5 {
			require.Equal(s.t, http.StatusOK, s.get(gateway, pet, s.key).status, "the limit of the first revision is 1000")
		}
	}
}
