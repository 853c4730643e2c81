package tenantmanager_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// What the policy asks for cannot lock a break-glass owner out, and each of their
// sign-ins is in the trail under a name of its own.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w, owner := s.w, s.vars["owner"]
	admin := w.invite(t, owner, "adam@example.com", `{"role":"administrator"}`)
	adam := admin.text(t, "user/id")
	w.expect(t, "invited", "invitation.created", "invitation.accepted", "user.signed-in", "access-changed")
	require.Contains(t, w.call(t, owner, "GET", "/security-policy", "").body, `"breakGlassUsers":0`)

	a := w.call(t, owner, "PATCH", "/users/"+adam, `{"breakGlass":true}`, anyVersion...)
	require.Equal(t, 422, a.status, "only owners are")
	require.Contains(t, a.body, `"pointer":"/breakGlass"`)
	require.Equal(t, 403, w.call(t, admin.text(t, "accessToken"), "PATCH", "/users/"+s.vars["ownerId"], `{"breakGlass":true}`, anyVersion...).status)
	require.Equal(t, 403, w.call(t, admin.text(t, "accessToken"), "PATCH", "/users/"+adam, `{"breakGlass":true}`, anyVersion...).status)
	a = w.call(t, owner, "PATCH", "/users/"+s.vars["ownerId"], `{"breakGlass":true}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, `"breakGlass":true`)
	w.expect(t, "marked", "user.updated", "access.denied refused", "access.denied refused")
	require.Contains(t, w.call(t, owner, "GET", "/security-policy", "").body, `"breakGlassUsers":1`)

	a = w.call(t, owner, "PATCH", "/security-policy", `{"mfa":"everyone","mfaGraceDays":0,"allowedAddresses":["127.0.0.1"]}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	w.expect(t, "policy", "security-policy.updated")
	a = w.call(t, "", "POST", "/sign-in", strings.Replace(right, "ada@", "adam@", 1))
	require.Contains(t, a.body, `"factorRequired":true`)
	require.Contains(t, a.body, `"allowedAddresses"`)
	w.expect(t, "adam", "user.signed-in")
	a = w.call(t, "", "POST", "/sign-in", right)
	require.Equal(t, 200, a.status, a.body)
	require.NotContains(t, a.body, `"factorRequired":true`)
	require.NotContains(t, a.body, `"allowedAddresses"`)
	w.expect(t, "broken", "user.signed-in", "user.break-glass-signed-in")
	turned := w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+a.text(t, "refreshToken")+`"}`)
	require.NotContains(t, turned.body, `"factorRequired":true`)
	require.Equal(t, 200, w.call(t, turned.text(t, "accessToken"), "GET", "/users", "").status)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in", strings.Replace(right, goodWord, "not the right one", 1)).status, "the password is still asked for")
}

// Whoever runs the server lets an owner in, once.
func TestRecovering(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	w := s.w
	require.Equal(t, 200, w.call(t, s.vars["owner"], "PATCH", "/security-policy", `{"mfa":"everyone","mfaGraceDays":0}`, anyVersion...).status)
	w.expect(t, "policy", "security-policy.updated")
	_, err := tenantmanager.Recover(t.Context(), w.cfg, tenantmanager.Recovery{Email: "nobody@example.com"})
	require.ErrorContains(t, err, "no active owner")
	_, err = tenantmanager.Recover(t.Context(), w.cfg, tenantmanager.Recovery{Organization: "nowhere"})
	require.ErrorContains(t, err, "no such organization")
	r, err := tenantmanager.Recover(t.Context(), w.cfg, tenantmanager.Recovery{Organization: "default", Email: "ADA@example.com", Now: w.clock.Now})
	require.NoError(t, err)
	w.expect(t, "made", "user.recovery-code-created")
	link, code, ok := strings.Cut(r.URL, "#code=")
	require.True(t, ok)
	require.Equal(t, "http://apim-admin.test/setup", link)
	var said strings.Builder
	r.Print(&said)
	require.Contains(t, said.String(), "ada@example.com")
	require.Contains(t, said.String(), r.URL)
	a := w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+code+`"}`)
	require.Equal(t, 200, a.status, a.body)
	require.NotContains(t, a.body, `"factorRequired":true`)
	w.expect(t, "used", "user.signed-in", "user.break-glass-signed-in")
	require.Equal(t, 200, w.call(t, a.text(t, "accessToken"), "GET", "/users", "").status)
	require.Equal(t, 401, w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+code+`"}`).status, "once")
	require.NotContains(t, w.logged(), code)
}
