package tenantmanager_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrganizations(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	s.run(t, []step{
		{name: "an administrator of one organization", as: "eve", method: "GET", path: "/organizations", status: 403, has: []string{"platform:read"}},
		{name: "a bad slug", as: "owner", method: "POST", path: "/organizations", body: `{"slug":"Big Co","name":"Big","ownerEmail":"big@example.com"}`, status: 422, has: []string{`"pointer":"/slug"`}},
		{name: "taken", as: "owner", method: "POST", path: "/organizations", body: `{"slug":"default","name":"Big","ownerEmail":"big@example.com"}`, status: 409},
		{
			name: "made", as: "owner", method: "POST", path: "/organizations", body: `{"slug":"big","name":"Big Co","ownerEmail":"big@example.com"}`, header: []string{"Idempotency-Key", "k"}, status: 201,
			has: []string{`"url":"http://console.test/invite#token=`, `"slug":"big"`}, keep: map[string]string{"big": "organization/id", "link": "token"},
			events: []string{"organization-changed created by nobody", "organization.created", "organization.created"},
		},
		{name: "once", as: "owner", method: "POST", path: "/organizations", body: `{"slug":"big","name":"Big Co","ownerEmail":"big@example.com"}`, header: []string{"Idempotency-Key", "k"}, status: 201, has: []string{`"token":"{link}"`}},
		{
			name: "its owner comes in", method: "POST", path: "/invitations/by-token/{link}/accept", body: `{"name":"Bo","password":"{good}"}`, status: 200,
			keep: map[string]string{"bo": "accessToken"}, events: []string{"invitation.accepted", "user.signed-in", "access-changed"},
		},
		{name: "owns it", as: "bo", method: "GET", path: "/me", status: 200, has: []string{`"slug":"big"`, `"roleName":"owner"`}, hasNot: []string{"platform:read"}},
		{name: "and not the others", as: "bo", method: "GET", path: "/organizations", status: 403},
		{name: "nor makes themselves an administrator of them", as: "bo", method: "POST", path: "/roles", body: `{"name":"sly","permissions":["platform:*"]}`, status: 403},
		{name: "roles of the platform are not shown there", as: "bo", method: "GET", path: "/roles", status: 200, hasNot: []string{"platform-administrator"}},
		{name: "but here", as: "owner", method: "GET", path: "/roles", status: 200, has: []string{"platform-administrator"}},
		{name: "a page", as: "owner", method: "GET", path: "/organizations?limit=1", status: 200, has: []string{`"name":"Acme"`, `"first":true`, `"users":3`}, keep: map[string]string{"next": "next"}},
		{name: "the next", as: "owner", method: "GET", path: "/organizations?limit=1&cursor={next}", status: 200, has: []string{`"name":"Big Co"`}, hasNot: []string{`"next"`}},
		{name: "found", as: "owner", method: "GET", path: "/organizations?q=BIG&sort=-createdAt&suspended=false", status: 200, has: []string{`"slug":"big"`}, hasNot: []string{`"slug":"default"`}},
		{name: "read", as: "owner", method: "GET", path: "/organizations/{big}", status: 200, keepETag: "v"},
		{name: "none", as: "owner", method: "GET", path: "/organizations/x", status: 404},
		{name: "renamed", as: "owner", method: "PATCH", path: "/organizations/{big}", body: `{"name":"Big"}`, header: []string{"If-Match", "{v}"}, status: 200, events: []string{"organization-changed", "organization.updated", "organization.updated"}},
		{name: "too late", as: "owner", method: "PATCH", path: "/organizations/{big}", body: `{"name":"Small"}`, header: []string{"If-Match", "{v}"}, status: 412},
		{name: "the first one stays", as: "owner", method: "PATCH", path: "/organizations/{org}", body: `{"suspended":true}`, header: anyVersion, status: 409},
		{
			name: "suspended", as: "owner", method: "PATCH", path: "/organizations/{big}", body: `{"suspended":true}`, header: anyVersion, status: 200,
			has: []string{`"suspended":true`}, events: []string{"organization-changed", "access-changed all", "organization.suspended", "organization.suspended"},
		},
		{name: "its people are out", as: "bo", method: "GET", path: "/me", status: 401},
		{name: "and cannot sign in", method: "POST", path: "/sign-in", body: `{"email":"big@example.com","password":"{good}"}`, status: 401, events: []string{"user.signed-in refused"}},
		{name: "resumed", as: "owner", method: "PATCH", path: "/organizations/{big}", body: `{"suspended":false}`, header: anyVersion, status: 200, events: []string{"organization-changed", "access-changed all", "organization.resumed", "organization.resumed"}},
		{name: "back in", as: "bo", method: "GET", path: "/me", status: 200},
	})
	require.NotEqual(t, s.vars["org"], s.vars["big"])
}
