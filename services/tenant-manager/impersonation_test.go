package tenantmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// Whoever acts as somebody else does so as long as they might begin it, and never with
// more than they have themselves.
func TestActingAsSomebodyElseEndsWithTheRightTo(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *scenario) {
		w := s.w
		owner := s.vars["owner"]
		made := func(path, body string) string {
			t.Helper()
			a := w.call(t, owner, "POST", path, body)
			require.Equal(t, 201, a.status, a.body)
			if strings.HasSuffix(path, "/members") {
				return ""
			}
			return a.text(t, "id")
		}
		made("/roles", `{"name":"helper","permissions":["user:impersonate"]}`)
		made("/roles", `{"name":"no-acting","permissions":["user:impersonate"]}`)
		group := made("/groups", `{"name":"Helpers"}`)
		made("/grants", `{"principal":"`+group+`","role":"helper"}`)
		eve := s.vars["eveId"]
		made("/groups/"+group+"/members", `{"member":"`+eve+`"}`)
		drop := func(path string) {
			t.Helper()
			a := w.call(t, owner, "DELETE", path, "", anyVersion...)
			require.Equal(t, 204, a.status, a.body)
		}
		for _, c := range []struct {
			name, because string
			// take takes the right away, and returns what gives it back.
			take func() (again func())
		}{
			{"the right is taken from the group", "may not", func() func() {
				drop("/groups/" + group + "/members/" + eve)
				return func() { made("/groups/"+group+"/members", `{"member":"`+eve+`"}`) }
			}},
			{"it is denied", "may not", func() func() {
				id := made("/grants", `{"principal":"`+eve+`","role":"no-acting","effect":"deny"}`)
				return func() { drop("/grants/" + id) }
			}},
			{"it is outside the boundary", "may not", func() func() {
				a := w.call(t, owner, "PUT", "/boundaries/"+eve, `{"role":"administrator"}`, "If-None-Match", "*")
				require.Less(t, a.status, 300, a.body)
				return func() { drop("/boundaries/" + eve) }
			}},
			{"the user may do more now", "may do more", func() func() {
				id := made("/grants", `{"principal":"`+s.vars["vicId"]+`","role":"owner"}`)
				return func() { drop("/grants/" + id) }
			}},
			{"by a group", "may do more", func() func() {
				id := made("/grants", `{"principal":"`+group+`","role":"platform-administrator"}`)
				made("/groups/"+group+"/members", `{"member":"`+s.vars["vicId"]+`"}`)
				drop("/groups/" + group + "/members/" + eve)
				made("/grants", `{"principal":"`+eve+`","role":"helper"}`)
				return func() { drop("/grants/" + id) }
			}},
			{"whoever acts is disabled", "disabled", func() func() {
				require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+eve, `{"status":"disabled"}`, anyVersion...).status)
				return nil
			}},
		} {
			helper := w.signIn(t, "eve@example.com", "")
			begun := w.call(t, helper, "POST", "/users/"+s.vars["vicId"]+"/impersonation", `{"reason":"request 4711"}`)
			require.Equal(t, 201, begun.status, "%s: %s", c.name, begun.body)
			acting := begun.text(t, "accessToken")
			require.Equal(t, 200, w.call(t, acting, "GET", "/me", "").status, c.name)
			again := c.take()
			ended := w.call(t, acting, "GET", "/me", "")
			require.Equal(t, 401, ended.status, c.name)
			if again == nil {
				break
			}
			require.Contains(t, ended.body, c.because, c.name)
			require.Contains(t, ended.body, "vic@example.com", c.name)

			// It is over for good, and the trail says why.
			again()
			require.Eventually(t, func() bool {
				a := w.call(t, owner, "GET", "/users/"+s.vars["vicId"]+"/impersonations", "")
				return !strings.Contains(a.body, `"active":true`)
			}, eventually, tick, c.name)
			require.Equal(t, 401, w.call(t, acting, "GET", "/me", "").status, c.name)
			require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+begun.text(t, "refreshToken")+`"}`).status, c.name)
		}
		require.Eventually(t, func() bool {
			return strings.Contains(w.call(t, owner, "GET", "/audit?action=user.impersonation-ended", "").body, "may do more")
		}, eventually, tick)
	})
}

// What the right ends with ends what is done by it, to the second.
func TestActingAsSomebodyElseEndsWithTheGrant(t *testing.T) {
	t.Parallel()
	s := withEve(t)
	w := s.w
	require.Equal(t, 201, w.call(t, s.vars["owner"], "POST", "/roles", `{"name":"helper","permissions":["user:impersonate"]}`).status)
	until := w.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	require.Equal(t, 201, w.call(t, s.vars["owner"], "POST", "/grants", `{"principal":"`+s.vars["eveId"]+`","role":"helper","expiresAt":"`+until+`"}`).status)
	begun := w.call(t, s.vars["eve"], "POST", "/users/"+s.vars["vicId"]+"/impersonation", `{"reason":"request 4711"}`)
	require.Equal(t, 201, begun.status, begun.body)
	acting := begun.text(t, "accessToken")
	granted, err := bus.Ask(t.Context(), w.other, tenant.Grants{Organization: begun.text(t, "organization/id"), Principal: s.vars["vicId"], Session: begun.text(t, "session")})
	require.NoError(t, err)
	require.True(t, granted.Active)
	require.Equal(t, until, granted.Grants[0].ExpiresAt.UTC().Format(time.RFC3339))
	w.clock.Advance(91 * time.Second) // what is known is kept for half a minute
	granted, err = bus.Ask(t.Context(), w.other, tenant.Grants{Organization: begun.text(t, "organization/id"), Principal: s.vars["vicId"], Session: begun.text(t, "session")})
	require.NoError(t, err)
	require.False(t, granted.Active)
	require.Contains(t, granted.Ended, "may not act")
	require.Equal(t, 401, w.call(t, acting, "GET", "/me", "").status)
}
