package scenario

import (
	"net/http"

	"github.com/stretchr/testify/require"
)

// answered returns how many calls of an application that were answered well are
// counted.
func (s *story) answered(application string) int {
	s.t.Helper()
	return count(s.t, s.caller.get(portal, "/applications/"+application+"/usage"), "total", "status2xx")
}

// usage finds the calls counted, for the publisher and for the consumer.
func (s *story) usage() {
	const calls = 25
	before := count(s.t, s.caller.get(portal, "/applications/"+s.application+"/usage"), "total", "requests")
	for _, gateway := range s.Traffic {
		for range calls {
			require.Equal(s.t, http.StatusOK, s.get(gateway, pet, s.key).status)
		}
	}
	eventually(s.t, Patience, "the calls are not counted for the consumer", func() bool {
		return count(s.t, s.caller.get(portal, "/applications/"+s.application+"/usage"), "total", "requests") >= before+calls*len(s.Traffic)
	})
	report := s.publisher.get(analytics, "/usage?top=application,operation,gateway&api="+s.api)
	require.GreaterOrEqual(s.t, count(s.t, report, "total", "status4xx"), 4*len(s.Traffic))
	require.Positive(s.t, count(s.t, report, "total", "p95Us"))
	require.Equal(s.t, s.application, text(s.t, items(s.t, report, "top", "application")[0], "key"))
	require.Equal(s.t, "Storefront", text(s.t, items(s.t, report, "top", "application")[0], "name"))
	require.Equal(s.t, "getPetById", text(s.t, items(s.t, report, "top", "operation")[0], "key"))
	require.Len(s.t, items(s.t, report, "top", "gateway"), len(s.Traffic))
}

// explain asks why a request was answered as it was, by each gateway.
func (s *story) explain() {
	for _, gateway := range s.Traffic {
		refused := s.get(gateway, pet, "ghk_invented")
		id := refused.header.Get("X-Request-Id")
		require.NotEmpty(s.t, id)
		eventually(s.t, Patience, "the request is not explained", func() bool {
			return s.publisher.send(http.MethodGet, analytics, "/explain/"+id, nil).status == http.StatusOK
		})
		why := s.publisher.get(analytics, "/explain/"+id)
		require.Regexp(s.t, "^401", text(s.t, why, "sentence"))
		require.NotEmpty(s.t, items(s.t, why, "steps"))
		require.Equal(s.t, http.StatusForbidden, s.caller.send(http.MethodGet, analytics, "/explain/"+id, nil).status)

		own := s.get(gateway, "/petstore/pet/none-such", s.key)
		id = own.header.Get("X-Request-Id")
		eventually(s.t, Patience, "the consumer's own request is not explained", func() bool {
			return s.caller.send(http.MethodGet, portal, "/applications/"+s.application+"/requests/"+id, nil).status == http.StatusOK
		})
	}
}

// audit finds all that was done, by whom.
func (s *story) audit() {
	for _, action := range []string{"project.created", "api.created", "plan.created", "deployment.created", "credential.revoked", "user.signed-in"} {
		eventually(s.t, Patience, "the audit trail has no "+action, func() bool {
			return len(items(s.t, s.owner.get(tenants, "/audit?action="+action), "items")) > 0
		})
	}
	require.Equal(s.t, true, s.owner.get(tenants, "/audit/verification")["valid"])
}
