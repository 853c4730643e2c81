package tenantmanager_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// step is a request, what it is answered, and what everybody hears of it. {x} in
// it is a variable: a value that a step before kept.
type step struct {
	name string
	// as is whose token is sent: owner, or one that a step kept; "" none.
	as           string
	method, path string
	body         string
	header       []string
	status       int
	has          []string // pieces of the answer
	hasNot       []string
	events       []string
	keep         map[string]string // variables, by the path of their value
	keepETag     string
}

// scenario is steps in one world.
type scenario struct {
	w    *world
	vars map[string]string
}

var variable = regexp.MustCompile(`\{[a-zA-Z0-9]+\}`)

func (s *scenario) fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		if known, ok := s.vars[v[1:len(v)-1]]; ok {
			return known
		}
		return v
	})
}

func (s *scenario) run(t *testing.T, steps []step) {
	t.Helper()
	for _, c := range steps {
		header := make([]string, len(c.header))
		for i, h := range c.header {
			header[i] = s.fill(h)
		}
		token := s.vars[c.as]
		require.True(t, c.as == "" || token != "", "%s: who is %s?", c.name, c.as)
		a := s.w.call(t, token, c.method, s.fill(c.path), s.fill(c.body), header...)
		require.Equal(t, c.status, a.status, "%s: %s", c.name, a.body)
		for _, piece := range c.has {
			require.Contains(t, a.body, s.fill(piece), c.name)
		}
		for _, piece := range c.hasNot {
			require.NotContains(t, a.body, s.fill(piece), c.name)
		}
		if a.status >= 400 {
			require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), c.name)
		}
		for name, path := range c.keep {
			s.vars[name] = a.text(t, path)
		}
		if c.keepETag != "" {
			s.vars[c.keepETag] = a.header.Get("ETag")
			require.NotEmpty(t, s.vars[c.keepETag], c.name)
		}
		s.w.expect(t, c.name, c.events...)
	}
}

func newScenario(t *testing.T, change ...func(*tenantmanager.Config)) *scenario {
	t.Helper()
	w := newWorld(t, change...)
	s := &scenario{w: w, vars: map[string]string{"owner": w.setUp(t), "good": goodWord}}
	me := w.call(t, s.vars["owner"], "GET", "/me", "")
	s.vars["ownerId"], s.vars["org"] = me.text(t, "user/id"), me.text(t, "organization/id")
	w.expect(t, "set-up", "organization-changed created by 0", "access-changed", "access-changed", "user.signed-in", "organization-changed", "organization.updated", "user.set-up")
	return s
}

var anyVersion = []string{"If-Match", "*"}

func TestMe(t *testing.T) {
	t.Parallel()
	newScenario(t).run(t, []step{
		{name: "nobody", method: "GET", path: "/me", status: 401},
		{name: "bad token", method: "GET", path: "/me", header: []string{"Authorization", "Bearer x"}, status: 401},
		{
			name: "the owner", as: "owner", method: "GET", path: "/me", status: 200, keepETag: "v",
			has: []string{`"kind":"user"`, `"email":"ada@example.com"`, `"name":"Acme"`, `"organization:delete"`, `"roleName":"owner"`, `"setupRequired":false`},
		},
		{name: "no If-Match", as: "owner", method: "PATCH", path: "/me", body: `{"name":"Ada L"}`, status: 428},
		{
			name: "renamed", as: "owner", method: "PATCH", path: "/me", body: `{"name":"Ada L"}`, header: []string{"If-Match", "{v}"}, status: 200,
			has: []string{`"name":"Ada L"`}, events: []string{"user.updated"},
		},
		{name: "a version too late", as: "owner", method: "PATCH", path: "/me", body: `{"name":"Ada M"}`, header: []string{"If-Match", "{v}"}, status: 412},
		{name: "no name", as: "owner", method: "PATCH", path: "/me", body: `{"name":null}`, header: anyVersion, status: 422, has: []string{"/name"}},
		{name: "something else", as: "owner", method: "PATCH", path: "/me", body: `{"email":"x@y"}`, header: anyVersion, status: 422, has: []string{"/email"}},
		{
			name: "merge patch", as: "owner", method: "PATCH", path: "/me", body: `{"name":"Ada"}`, header: []string{"If-Match", "*", "Content-Type", "application/merge-patch+json"}, status: 200,
			has: []string{`"name":"Ada"`}, events: []string{"user.updated"},
		},

		{
			name: "second session", method: "POST", path: "/sign-in", body: `{"email":"ada@example.com","password":"{good}"}`, header: []string{"User-Agent", "Browser/1"}, status: 200,
			events: []string{"user.signed-in"}, keep: map[string]string{"again": "accessToken", "session": "session"},
		},
		{name: "sessions", as: "owner", method: "GET", path: "/me/sessions", status: 200, has: []string{`"id":"{session}"`, `"current":true`, `"userAgent":"Browser/1"`, `"ip":"127.0.0.1"`}},
		{
			name: "one more", method: "POST", path: "/sign-in", body: `{"email":"ada@example.com","password":"{good}"}`, status: 200,
			events: []string{"user.signed-in"}, keep: map[string]string{"more": "accessToken"},
		},
		{name: "sign out everywhere else", as: "more", method: "DELETE", path: "/me/sessions", status: 204, events: []string{"session.ended", "access-changed session", "access-changed session"}},
		{name: "the others have ended", as: "again", method: "GET", path: "/me", status: 401},
		{
			name: "again", method: "POST", path: "/sign-in", body: `{"email":"ada@example.com","password":"{good}"}`, header: []string{"User-Agent", "Browser/1"}, status: 200,
			events: []string{"user.signed-in"}, keep: map[string]string{"again": "accessToken", "session": "session"},
		},
		{name: "wrong password", as: "again", method: "POST", path: "/me/password", body: `{"current":"not the right one","new":"a different long one"}`, status: 422, has: []string{"/current"}},
		{name: "weak password", as: "again", method: "POST", path: "/me/password", body: `{"current":"{good}","new":"Password1234"}`, status: 422, has: []string{"/new"}, hasNot: []string{"Password1234"}},
		{
			name: "changed", as: "again", method: "POST", path: "/me/password", body: `{"current":"{good}","new":"a different long one"}`, status: 204,
			events: []string{"user.password-changed", "access-changed session"},
		},
		{name: "the other session has ended", as: "more", method: "GET", path: "/me", status: 401},
		{name: "the old password does not do", method: "POST", path: "/sign-in", body: `{"email":"ada@example.com","password":"{good}"}`, status: 401, events: []string{"user.signed-in refused"}},
		{
			name: "the new one does", method: "POST", path: "/sign-in", body: `{"email":"ada@example.com","password":"a different long one"}`, status: 200,
			events: []string{"user.signed-in"}, keep: map[string]string{"third": "accessToken"},
		},
		{name: "end one", as: "third", method: "DELETE", path: "/me/sessions/{session}", status: 204, events: []string{"session.ended", "access-changed session"}},
		{name: "it has ended", as: "again", method: "GET", path: "/me", status: 401},
		{name: "not twice", as: "third", method: "DELETE", path: "/me/sessions/{session}", status: 404},
		{name: "sign out", as: "third", method: "POST", path: "/sign-out", status: 204, events: []string{"user.signed-out", "access-changed session"}},
		{name: "signed out", as: "third", method: "GET", path: "/me", status: 401},
	})
}

func TestOrganization(t *testing.T) {
	t.Parallel()
	newScenario(t).run(t, []step{
		{name: "read", as: "owner", method: "GET", path: "/organization", status: 200, keepETag: "v", has: []string{`"slug":"default"`, `"name":"Acme"`}},
		{name: "the slug stays", as: "owner", method: "PATCH", path: "/organization", body: `{"slug":"x"}`, header: anyVersion, status: 422},
		{
			name: "renamed", as: "owner", method: "PATCH", path: "/organization", body: `{"name":"Acme Inc"}`, header: []string{"If-Match", "{v}"}, status: 200,
			has: []string{"Acme Inc"}, events: []string{"organization-changed", "organization.updated"},
		},
		{name: "too late", as: "owner", method: "PATCH", path: "/organization", body: `{"name":"X"}`, header: []string{"If-Match", "{v}"}, status: 412},
	})
}

func TestUsersAndInvitations(t *testing.T) {
	t.Parallel()
	newScenario(t).run(t, []step{
		{name: "no such role", as: "owner", method: "POST", path: "/invitations", body: `{"email":"eve@example.com","roles":[{"role":"viewer"},{"role":"king"}]}`, status: 422, has: []string{"/roles/1/role"}},
		{name: "no address", as: "owner", method: "POST", path: "/invitations", body: `{"email":"eve","roles":[{"role":"viewer"}]}`, status: 422, has: []string{`"pointer":"/email"`}},
		{name: "a user already", as: "owner", method: "POST", path: "/invitations", body: `{"email":"ADA@example.com","roles":[{"role":"viewer"}]}`, status: 409},
		{
			name: "invited", as: "owner", method: "POST", path: "/invitations", body: `{"email":"eve@example.com","name":"Eve","roles":[{"role":"administrator"},{"role":"publisher","project":"p1"}]}`,
			header: []string{"Idempotency-Key", "k1"}, status: 201, events: []string{"invitation.created"},
			has: []string{`"url":"http://console.test/invite#token=`, `"status":"pending"`}, keep: map[string]string{"token": "token", "invitation": "id"},
		},
		{
			name: "the same request", as: "owner", method: "POST", path: "/invitations", body: `{"email":"eve@example.com","name":"Eve","roles":[{"role":"administrator"},{"role":"publisher","project":"p1"}]}`,
			header: []string{"Idempotency-Key", "k1"}, status: 201, has: []string{`"token":"{token}"`, `"id":"{invitation}"`},
		},
		{name: "the key of another", as: "owner", method: "POST", path: "/invitations", body: `{"email":"bob@example.com","roles":[{"role":"viewer"}]}`, header: []string{"Idempotency-Key", "k1"}, status: 422},
		{name: "listed", as: "owner", method: "GET", path: "/invitations?status=pending&q=EVE", status: 200, has: []string{`"id":"{invitation}"`}, hasNot: []string{"{token}"}},
		{name: "read", as: "owner", method: "GET", path: "/invitations/{invitation}", status: 200, has: []string{`"name":"publisher"`}, hasNot: []string{"{token}"}},
		{name: "opened", method: "GET", path: "/invitations/by-token/{token}", status: 200, has: []string{`"name":"Acme"`, `"email":"eve@example.com"`, `"project":"p1"`}},
		{name: "a wrong link", method: "GET", path: "/invitations/by-token/x{token}", status: 404},
		{name: "weak password", method: "POST", path: "/invitations/by-token/{token}/accept", body: `{"name":"Eve","password":"eve@example.com"}`, status: 422, has: []string{"/password"}},
		{
			name: "accepted", method: "POST", path: "/invitations/by-token/{token}/accept", body: `{"name":"Eve","password":"{good}"}`, status: 200,
			events: []string{"invitation.accepted", "user.signed-in", "access-changed", "access-changed"}, keep: map[string]string{"eve": "accessToken", "eveId": "user/id"},
		},
		{name: "once", method: "POST", path: "/invitations/by-token/{token}/accept", body: `{"name":"Eve","password":"{good}"}`, status: 404},
		{name: "used", as: "owner", method: "GET", path: "/invitations/{invitation}", status: 200, has: []string{`"status":"accepted"`}},
		{
			name: "to the portal", as: "owner", method: "POST", path: "/invitations", body: `{"email":"con@example.com","roles":[{"role":"consumer"}]}`, status: 201,
			events: []string{"invitation.created"}, has: []string{`"url":"http://portal.test/invite#token=`}, keep: map[string]string{"token2": "token", "invitation2": "id"},
		},
		{
			name: "a consumer to the console", as: "owner", method: "POST", path: "/invitations", body: `{"email":"con@example.com","roles":[{"role":"consumer"}],"to":"console"}`, status: 201,
			events: []string{"invitation.created"}, has: []string{`"url":"http://console.test/invite#token=`},
		},
		{name: "taken back", as: "eve", method: "DELETE", path: "/invitations/{invitation2}", header: []string{"If-Match", `"v1"`}, status: 204, events: []string{"invitation.deleted"}},
		{name: "its link is void", method: "GET", path: "/invitations/by-token/{token2}", status: 404},

		{name: "users", as: "eve", method: "GET", path: "/users?sort=-name&limit=1", status: 200, has: []string{`"name":"Eve"`, `"next":`, `"name":"publisher","project":"p1"`}, keep: map[string]string{"next": "next"}},
		{name: "next page", as: "eve", method: "GET", path: "/users?sort=-name&limit=1&cursor={next}", status: 200, has: []string{`"name":"Ada"`}, hasNot: []string{`"next"`}},
		{name: "search", as: "eve", method: "GET", path: "/users?q=EVE%40&status=active", status: 200, has: []string{`"name":"Eve"`}, hasNot: []string{`"name":"Ada"`}},
		{name: "no such parameter", as: "eve", method: "GET", path: "/users?state=active", status: 422, has: []string{"/state"}},
		{name: "no such order", as: "eve", method: "GET", path: "/users?sort=status", status: 422, has: []string{"/sort"}},
		{name: "an administrator cannot touch an owner", as: "eve", method: "PATCH", path: "/users/{ownerId}", body: `{"status":"disabled"}`, header: anyVersion, status: 403, has: []string{"organization:delete"}},
		{name: "nor delete", as: "eve", method: "DELETE", path: "/users/{ownerId}", header: anyVersion, status: 403},
		{name: "nor sign out", as: "eve", method: "DELETE", path: "/users/{ownerId}/sessions", status: 403},
		{name: "nor invite one", as: "eve", method: "POST", path: "/invitations", body: `{"email":"x@example.com","roles":[{"role":"owner"}]}`, status: 403},
		{name: "the last owner cannot be disabled", as: "owner", method: "PATCH", path: "/users/{ownerId}", body: `{"status":"disabled"}`, header: anyVersion, status: 409},
		{name: "nor deleted", as: "owner", method: "DELETE", path: "/users/{ownerId}", header: anyVersion, status: 409},
		{name: "read one", as: "owner", method: "GET", path: "/users/{eveId}", status: 200, keepETag: "v", has: []string{`"lastSignInAt"`}},
		{name: "sessions", as: "owner", method: "GET", path: "/users/{eveId}/sessions", status: 200, has: []string{`"current":false`}, keep: map[string]string{"session": "items/0/id"}},
		{name: "somebody else's session", as: "owner", method: "DELETE", path: "/users/{ownerId}/sessions/{session}", status: 404},
		{name: "end it", as: "owner", method: "DELETE", path: "/users/{eveId}/sessions/{session}", status: 204, events: []string{"session.ended", "access-changed session"}},
		{name: "it has ended", as: "eve", method: "GET", path: "/me", status: 401},
		{name: "back in", method: "POST", path: "/sign-in", body: `{"email":"eve@example.com","password":"{good}"}`, status: 200, events: []string{"user.signed-in"}, keep: map[string]string{"eve": "accessToken"}},
		{
			name: "disabled", as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"status":"disabled"}`, header: []string{"If-Match", "{v}"}, status: 200,
			has: []string{`"status":"disabled"`}, events: []string{"user.disabled", "access-changed", "access-changed session"},
		},
		{name: "out", as: "eve", method: "GET", path: "/me", status: 401},
		{name: "and cannot sign in", method: "POST", path: "/sign-in", body: `{"email":"eve@example.com","password":"{good}"}`, status: 401, events: []string{"user.signed-in refused"}},
		{name: "too late", as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"status":"active"}`, header: []string{"If-Match", "{v}"}, status: 412},
		{name: "enabled", as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"status":"active","name":"Eve II"}`, header: anyVersion, status: 200, has: []string{`"Eve II"`}, events: []string{"user.enabled", "access-changed"}},
		{name: "renamed", as: "owner", method: "PATCH", path: "/users/{eveId}", body: `{"name":"Eve"}`, header: anyVersion, status: 200, events: []string{"user.updated"}},
		{
			name: "a link for a new password", as: "owner", method: "POST", path: "/users/{eveId}/password-links", status: 201, has: []string{`"url":"http://console.test/password#token=`},
			events: []string{"user.password-link-created"}, keep: map[string]string{"first": "token"},
		},
		{name: "another", as: "owner", method: "POST", path: "/users/{eveId}/password-links", status: 201, events: []string{"user.password-link-created"}, keep: map[string]string{"link": "token"}},
		{name: "takes its place", method: "GET", path: "/password-links/by-token/{first}", status: 404},
		{name: "opened", method: "GET", path: "/password-links/by-token/{link}", status: 200, has: []string{`"email":"eve@example.com"`, `"name":"Acme"`}},
		{name: "it signs nobody in", method: "POST", path: "/sign-in/one-time", body: `{"code":"{link}"}`, status: 401},
		{name: "weak password", method: "POST", path: "/password-links/by-token/{link}/use", body: `{"password":"Password1234"}`, status: 422, has: []string{"/password"}},
		{
			name: "set", method: "POST", path: "/password-links/by-token/{link}/use", body: `{"password":"a different long one"}`, status: 200,
			events: []string{"user.password-changed", "user.signed-in"}, keep: map[string]string{"eve": "accessToken"},
		},
		{name: "once", method: "POST", path: "/password-links/by-token/{link}/use", body: `{"password":"a different long one"}`, status: 404},
		{name: "in", as: "eve", method: "GET", path: "/me", status: 200},
		{name: "an administrator makes none for an owner", as: "eve", method: "POST", path: "/users/{ownerId}/password-links", status: 403},
		{name: "the new one does", method: "POST", path: "/sign-in", body: `{"email":"eve@example.com","password":"a different long one"}`, status: 200, events: []string{"user.signed-in"}},
		{
			name: "deleted", as: "owner", method: "DELETE", path: "/users/{eveId}", header: anyVersion, status: 204,
			events: []string{"user.deleted", "access-changed", "access-changed session", "access-changed session"},
		},
		{name: "gone", as: "owner", method: "GET", path: "/users/{eveId}", status: 404},
		{name: "not in lists", as: "owner", method: "GET", path: "/users", status: 200, hasNot: []string{"{eveId}", "eve@example.com"}},
		{name: "the address is free", as: "owner", method: "POST", path: "/invitations", body: `{"email":"eve@example.com","roles":[{"role":"viewer"}]}`, status: 201, events: []string{"invitation.created"}},
	})
}

func TestRolesAndGrants(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	invited := s.w.invite(t, s.vars["owner"], "eve@example.com", `{"role":"administrator"}`)
	s.vars["eve"], s.vars["eveId"] = invited.text(t, "accessToken"), invited.text(t, "user/id")
	s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	s.run(t, []step{
		{name: "permissions", as: "eve", method: "GET", path: "/permissions", status: 200, has: []string{`"api:deploy"`, `"title":"See APIs"`}},
		{name: "built-in roles", as: "eve", method: "GET", path: "/roles?limit=200", status: 200, has: []string{`"id":"owner"`, `"id":"consumer"`, `"builtIn":true`}},
		{name: "one", as: "eve", method: "GET", path: "/roles/publisher", status: 200, has: []string{`"subscription:*"`}},
		{name: "built-in ones stay", as: "owner", method: "PATCH", path: "/roles/viewer", body: `{"title":"X"}`, header: anyVersion, status: 409},
		{name: "and are not deleted", as: "owner", method: "DELETE", path: "/roles/viewer", header: anyVersion, status: 409},
		{name: "no such permission", as: "eve", method: "POST", path: "/roles", body: `{"name":"support","permissions":["user:read","api:fly"]}`, status: 422, has: []string{"/permissions/1"}},
		{name: "the name of a built-in one", as: "eve", method: "POST", path: "/roles", body: `{"name":"owner","permissions":["user:read"]}`, status: 422, has: []string{"/name"}},
		{name: "more than one has", as: "eve", method: "POST", path: "/roles", body: `{"name":"king","permissions":["*"]}`, status: 403, has: []string{"organization:delete"}},
		{
			name: "made", as: "eve", method: "POST", path: "/roles", body: `{"name":"support","permissions":["user:read","user:*","role:read"]}`, header: []string{"Idempotency-Key", "r"}, status: 201,
			has: []string{`"permissions":["role:read","user:*"]`, `"title":"support"`}, events: []string{"role.created"}, keep: map[string]string{"role": "id"}, keepETag: "rv",
		},
		{name: "again", as: "eve", method: "POST", path: "/roles", body: `{"name":"support","permissions":["user:read","user:*","role:read"]}`, header: []string{"Idempotency-Key", "r"}, status: 201, has: []string{`"id":"{role}"`}},
		{name: "another", as: "eve", method: "POST", path: "/roles", body: `{"name":"zebra","title":"Zebra","permissions":["api:read"]}`, status: 201, has: []string{`"title":"Zebra"`}, events: []string{"role.created"}},
		{name: "a page of roles", as: "eve", method: "GET", path: "/roles?limit=1", status: 200, has: []string{`"id":"owner"`, `"name":"support"`}, hasNot: []string{`"zebra"`}, keep: map[string]string{"next": "next"}},
		{name: "the next", as: "eve", method: "GET", path: "/roles?limit=1&cursor={next}", status: 200, has: []string{`"zebra"`}, hasNot: []string{`"owner"`, `"next"`}},
		{name: "name taken", as: "eve", method: "POST", path: "/roles", body: `{"name":"support","permissions":["user:read"]}`, status: 409},

		{name: "given to nobody", as: "eve", method: "POST", path: "/grants", body: `{"principal":"nobody","role":"support"}`, status: 422, has: []string{"/principal"}},
		{name: "no such role", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"king"}`, status: 422, has: []string{"/role"}},
		{name: "over already", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"support","expiresAt":"2029-12-31T00:00:00Z"}`, status: 422, has: []string{"/expiresAt"}},
		{name: "nobody makes themselves owner", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"owner"}`, status: 403},
		{
			name: "given by name", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{ownerId}","role":"support","project":"p1","expiresAt":"2030-01-02T01:00:00+01:00"}`, status: 201,
			has:    []string{`"roleName":"support"`, `"kind":"user","name":"Ada"`, `"expiresAt":"2030-01-02T00:00:00Z"`, `"project":"p1"`},
			events: []string{"grant.created", "access-changed"}, keep: map[string]string{"grant": "id"},
		},
		{name: "not twice", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{ownerId}","role":"{role}","project":"p1"}`, status: 409},
		{name: "listed by role", as: "eve", method: "GET", path: "/grants?role=support&principal={ownerId}", status: 200, has: []string{`"id":"{grant}"`}},
		{name: "by project", as: "eve", method: "GET", path: "/grants?project=p2", status: 200, has: []string{`"items":[]`}},
		{name: "read", as: "eve", method: "GET", path: "/grants/{grant}", status: 200, has: []string{`"id":"{grant}"`}},
		{name: "a role in use", as: "eve", method: "DELETE", path: "/roles/{role}", header: anyVersion, status: 409, has: []string{"1 times"}},
		{
			name: "changed", as: "eve", method: "PATCH", path: "/roles/{role}", body: `{"permissions":["user:read"],"description":"Reads."}`, header: []string{"If-Match", "{rv}"}, status: 200,
			has: []string{`"permissions":["user:read"]`, `"title":"support"`}, events: []string{"role.updated", "access-changed all"},
		},
		{name: "too late", as: "eve", method: "PATCH", path: "/roles/{role}", body: `{"title":"X"}`, header: []string{"If-Match", "{rv}"}, status: 412},
		{name: "not beyond oneself", as: "eve", method: "PATCH", path: "/roles/{role}", body: `{"permissions":["organization:delete"]}`, header: anyVersion, status: 403},

		{
			name: "why not", as: "eve", method: "POST", path: "/access/check", body: `{"permission":"organization:delete"}`, status: 200,
			has: []string{`"allowed":false`, `"code":"not-in-role"`, "the role administrator does not have organization:delete"},
		},
		{
			name: "why", as: "eve", method: "POST", path: "/access/check", body: `{"principal":"{ownerId}","permission":"organization:delete"}`, status: 200,
			has: []string{`"allowed":true`, `"code":"granted"`, `"code":"not-in-role"`},
		},
		{name: "no such permission", as: "eve", method: "POST", path: "/access/check", body: `{"permission":"api:*"}`, status: 422, has: []string{"/permission"}},
		{name: "of nobody", as: "eve", method: "POST", path: "/access/check", body: `{"principal":"x","permission":"api:read"}`, status: 404},

		{name: "taken", as: "eve", method: "DELETE", path: "/grants/{grant}", header: []string{"If-Match", `"v1"`}, status: 204, events: []string{"grant.deleted", "access-changed"}},
		{name: "the role goes", as: "eve", method: "DELETE", path: "/roles/{role}", header: anyVersion, status: 204, events: []string{"role.deleted"}},
		{name: "gone", as: "eve", method: "GET", path: "/roles/{role}", status: 404},
		{name: "of the owner", as: "owner", method: "GET", path: "/grants?role=owner", status: 200, keep: map[string]string{"ownerGrant": "items/0/id"}},
		{name: "an administrator cannot take it", as: "eve", method: "DELETE", path: "/grants/{ownerGrant}", header: anyVersion, status: 403},
		{name: "nor the last owner", as: "owner", method: "DELETE", path: "/grants/{ownerGrant}", header: anyVersion, status: 409},
		{
			name: "a second owner for a day", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"owner","expiresAt":"2030-01-02T00:00:00Z"}`, status: 201,
			events: []string{"grant.created", "access-changed"}, keep: map[string]string{"forADay": "id"},
		},
		{name: "is not enough", as: "owner", method: "DELETE", path: "/grants/{ownerGrant}", header: anyVersion, status: 409},
		{name: "who has it for a day cannot give it for ever", as: "eve", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"owner","project":"p"}`, status: 403},
		{name: "taken again", as: "owner", method: "DELETE", path: "/grants/{forADay}", header: anyVersion, status: 204, events: []string{"grant.deleted", "access-changed"}},
		{name: "a second owner", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{eveId}","role":"owner"}`, status: 201, events: []string{"grant.created", "access-changed"}},
		{name: "now it can be taken", as: "owner", method: "DELETE", path: "/grants/{ownerGrant}", header: anyVersion, status: 204, events: []string{"grant.deleted", "access-changed"}},
		{name: "and acts at once", as: "owner", method: "GET", path: "/users", status: 403, has: []string{"user:read"}},
	})
}

func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	invited := s.w.invite(t, s.vars["owner"], "eve@example.com", `{"role":"administrator"}`)
	s.vars["eve"] = invited.text(t, "accessToken")
	s.w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	exchange := `{"token":"{token}"}`
	s.run(t, []step{
		{name: "made", as: "owner", method: "POST", path: "/service-accounts", body: `{"name":"CI"}`, status: 201, events: []string{"service-account.created"}, keep: map[string]string{"account": "id"}, keepETag: "v"},
		{name: "name taken", as: "owner", method: "POST", path: "/service-accounts", body: `{"name":"ci "}`, status: 409},
		{name: "listed", as: "owner", method: "GET", path: "/service-accounts?q=c&sort=-createdAt", status: 200, has: []string{`"id":"{account}"`}},
		{
			name: "token", as: "eve", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"laptop","expiresAt":"2030-02-01T00:00:00Z"}`, header: []string{"Idempotency-Key", "t"}, status: 201,
			has: []string{`"token":"ght_`}, events: []string{"service-account.token-created"}, keep: map[string]string{"token": "token", "tokenId": "id"},
		},
		{name: "again", as: "eve", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"laptop","expiresAt":"2030-02-01T00:00:00Z"}`, header: []string{"Idempotency-Key", "t"}, status: 201, has: []string{`"token":"{token}"`}},
		{name: "tokens", as: "owner", method: "GET", path: "/service-accounts/{account}/tokens", status: 200, has: []string{`"name":"laptop"`, `"hint":"ght_`}, hasNot: []string{"{token}", "lastUsedAt"}},
		{name: "not a token", method: "POST", path: "/token/personal", body: `{"token":"ght_x"}`, status: 401},
		{name: "exchanged", method: "POST", path: "/token/personal", body: exchange, status: 200, has: []string{`"name":"CI"`, `"expiresIn":300`}, keep: map[string]string{"ci": "accessToken"}},
		{name: "used", as: "owner", method: "GET", path: "/service-accounts/{account}/tokens", status: 200, has: []string{"lastUsedAt"}},
		{name: "who it is", as: "ci", method: "GET", path: "/me", status: 200, has: []string{`"kind":"service-account"`, `"permissions":[]`}},
		{name: "may do nothing", as: "ci", method: "GET", path: "/users", status: 403},
		{name: "has no password", as: "ci", method: "POST", path: "/me/password", body: `{"current":"x","new":"{good}"}`, status: 403},
		{name: "nor a session", as: "ci", method: "POST", path: "/sign-out", status: 403},
		{
			name: "is given a role", as: "owner", method: "POST", path: "/grants", body: `{"principal":"{account}","role":"owner"}`, status: 201, has: []string{`"kind":"service-account"`, `"name":"CI"`},
			events: []string{"grant.created", "access-changed"},
		},
		{name: "and has it at once", as: "ci", method: "GET", path: "/users", status: 200},
		{name: "is no owner who could sign in", as: "owner", method: "DELETE", path: "/users/{ownerId}", header: anyVersion, status: 409},
		{name: "nobody makes a token for more than they may", as: "eve", method: "POST", path: "/service-accounts/{account}/tokens", body: `{"name":"x"}`, status: 403},
		{name: "disabled", as: "owner", method: "PATCH", path: "/service-accounts/{account}", body: `{"status":"disabled"}`, header: []string{"If-Match", "{v}"}, status: 200, events: []string{"service-account.disabled", "access-changed"}},
		{name: "out", as: "ci", method: "GET", path: "/users", status: 401},
		{name: "no exchange", method: "POST", path: "/token/personal", body: exchange, status: 401, events: []string{"service-account.token-refused refused"}},
		{name: "enabled", as: "owner", method: "PATCH", path: "/service-accounts/{account}", body: `{"status":"active","description":"Deploys."}`, header: anyVersion, status: 200, has: []string{"Deploys."}, events: []string{"service-account.enabled", "access-changed"}},
		{name: "in again", as: "ci", method: "GET", path: "/users", status: 200},
		{name: "revoked", as: "owner", method: "DELETE", path: "/service-accounts/{account}/tokens/{tokenId}", status: 204, events: []string{"service-account.token-revoked", "access-changed session"}},
		{name: "out for good", as: "ci", method: "GET", path: "/users", status: 401},
		{name: "no exchange", method: "POST", path: "/token/personal", body: exchange, status: 401},
		{name: "not twice", as: "owner", method: "DELETE", path: "/service-accounts/{account}/tokens/{tokenId}", status: 404},
		{name: "deleted", as: "owner", method: "DELETE", path: "/service-accounts/{account}", header: anyVersion, status: 204, events: []string{"service-account.deleted", "access-changed"}},
		{name: "gone", as: "owner", method: "GET", path: "/service-accounts/{account}", status: 404},
	})
}

func TestTheAuditTrail(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	entries := func(query string) int {
		a := s.w.call(t, s.vars["owner"], "GET", "/audit?"+query, "")
		require.Equal(t, 200, a.status, a.body)
		return strings.Count(a.body, `"sequence":`)
	}
	require.Eventually(t, func() bool { return entries("") == 3 }, eventually, tick)
	s.run(t, []step{
		{name: "renamed", as: "owner", method: "PATCH", path: "/organization", body: `{"name":"Acme Inc"}`, header: anyVersion, status: 200, events: []string{"organization-changed", "organization.updated"}},
	})
	require.Eventually(t, func() bool { return entries("") == 4 }, eventually, tick)
	s.run(t, []step{
		{
			name: "newest first", as: "owner", method: "GET", path: "/audit?limit=1", status: 200, keep: map[string]string{"next": "next"},
			has: []string{
				`"action":"organization.updated"`, `"actor":{"id":"{ownerId}","kind":"user","name":"Owner"}`, `"ip":"127.0.0.1"`, `"requestId":"`,
				`{"after":"\"Acme Inc\"","before":"\"Acme\"","field":"/name"}`,
			},
		},
		{name: "next", as: "owner", method: "GET", path: "/audit?limit=1&cursor={next}", status: 200, has: []string{`"sequence":3`}},
		{name: "intact", as: "owner", method: "GET", path: "/audit/verification", status: 200, has: []string{`"valid":true`, `"entries":4`}},
		{name: "over the bus, too", as: "owner", method: "GET", path: "/audit?from=2029-01-01T00:00:00Z&to=2031-01-01T00:00:00Z&service=tenant-manager&outcome=done", status: 200, has: []string{`"sequence":4`}},
		{name: "a bad time", as: "owner", method: "GET", path: "/audit?from=yesterday", status: 422},
	})
	require.Equal(t, 1, entries("action=user.set-up"))
	require.Equal(t, 2, entries("action=user.*"))
	require.Equal(t, 4, entries("actor="+s.vars["ownerId"]))
	require.Equal(t, 2, entries("target="+s.vars["org"]))
	require.Zero(t, entries("outcome=refused"))
	require.Equal(t, 401, s.w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"not the right one"}`).status)
	require.Eventually(t, func() bool { return entries("outcome=refused") == 1 }, eventually, tick)

	d := s.w.database(t).DB()
	require.NoError(t, d.Unscoped(t.Context(), "somebody with the password of the database").Exec("UPDATE audit_entries SET actor_name = 'Eve' WHERE sequence = 2").Error)
	a := s.w.call(t, s.vars["owner"], "GET", "/audit/verification", "")
	require.Contains(t, a.body, `"brokenAt":2`)
	require.Contains(t, a.body, `"valid":false`)
}

// The API over the bus is the same.
func TestForwardedRequests(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	a := s.w.over(t, bus.Forward(s.w.other, tenant.Service), "http://"+tenant.Service, s.vars["owner"], "GET", "/me", "")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, "ada@example.com")
}
