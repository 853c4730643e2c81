package tenantmanager_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// A directory that gives somebody another e-mail address: they sign in by the new one
// alone, links to the old one are void, the old one is told, and nobody gets an address
// that is somebody else's or of a domain that the directory has nothing to do with.
func TestADirectoryChangesAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner, p := w.setUp(t), newPostOffice(t, false)
	d := w.directory(t, owner, "Okta", "acme.example")
	id := d.user("eve@acme.example")
	d.user("vic@acme.example")
	link := func() string {
		a := w.call(t, owner, "POST", "/users/"+id+"/password-links", "")
		require.Equal(t, 201, a.status, a.body)
		return a.text(t, "token")
	}
	a := w.call(t, "", "POST", "/password-links/by-token/"+link()+"/use", `{"password":"`+goodWord+`"}`)
	require.Equal(t, 200, a.status, a.body)
	signs := func(email string, status int) {
		t.Helper()
		require.Equal(t, status, w.call(t, "", "POST", "/sign-in", `{"email":"`+email+`","password":"`+goodWord+`"}`).status, email)
	}
	signs("eve@acme.example", 200)
	session := w.signIn(t, "eve@acme.example", "default")
	stale := link()
	a = w.call(t, owner, "PUT", "/mail/settings", p.settings("starttls"), "If-Match", `"v1"`)
	require.Equal(t, 200, a.status, a.body)

	replace := func(email string) string {
		return fmt.Sprintf(patchOp, `{"op":"replace","path":"userName","value":"`+email+`"},{"op":"replace","path":"emails","value":[{"value":"`+email+`","primary":true}]}`)
	}
	d.fails(409, "uniqueness", "PATCH", "/Users/"+id, replace("VIC@acme.example"))
	require.Equal(t, 400, d.send("PATCH", "/Users/"+id, replace("eve@elsewhere.example")).status)
	signs("eve@acme.example", 200)
	require.Equal(t, 200, w.call(t, "", "GET", "/password-links/by-token/"+stale, "").status, "what was refused voids nothing")

	require.Equal(t, "eva@acme.example", d.object("PATCH", "/Users/"+id, replace("eva@acme.example"), 200)["userName"])
	signs("eve@acme.example", 401)
	signs("eva@acme.example", 200)
	require.Equal(t, 404, w.call(t, "", "GET", "/password-links/by-token/"+stale, "").status)
	me := w.call(t, session, "GET", "/me", "")
	require.Equal(t, 200, me.status, "it is the same person: the session goes on")
	require.Contains(t, me.body, `"email":"eva@acme.example"`)
	told := p.next(t)
	require.Equal(t, "eve@acme.example", told.to)
	require.NotContains(t, told.text+told.html, "eva@acme.example", "whoever has the old address is not told the new one")
	w.recordedAs(t, owner, "user.updated", `"before":"\"eve@acme.example\"","field":"/email"`)

	// The address is free for somebody else.
	require.NotEqual(t, id, d.user("eve@acme.example"))
}
