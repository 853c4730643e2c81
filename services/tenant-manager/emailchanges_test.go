package tenantmanager_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// An address is corrected by an administrator, or by its owner with a link to the new
// one; what was sent to the old one is void, and it is told.
func TestAnotherEmailAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner, p := w.setUp(t), newPostOffice(t, false)
	call := func(token, method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, token, method, path, body, header...)
		require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
		return a
	}
	signs := func(email string, status int) {
		t.Helper()
		call("", "POST", "/sign-in", `{"email":"`+email+`","password":"`+goodWord+`"}`, status)
	}
	eve := w.invite(t, owner, "eve@exmaple.com", `{"role":"viewer"}`)
	vic := w.invite(t, owner, "vic@example.com", `{"role":"viewer"}`)
	at, me := "/users/"+eve.text(t, "user/id")+"/email", eve.text(t, "accessToken")
	require.Contains(t, call(me, "POST", "/me/email", `{"email":"eve@example.com"}`, 409).body, "no mail is sent here")
	reset := call(owner, "POST", "/users/"+eve.text(t, "user/id")+"/password-links", "", 201).text(t, "token")
	call(owner, "PUT", "/mail/settings", p.settings("starttls"), 200, "If-Match", `"v1"`)

	call(vic.text(t, "accessToken"), "PUT", at, `{"email":"x@example.com"}`, 403, anyVersion...)
	require.Contains(t, call(owner, "PUT", at, `{"email":"VIC@example.com"}`, 422, anyVersion...).body, `"pointer":"/email"`)
	call(owner, "PUT", at, `{"email":"nobody"}`, 422, anyVersion...)
	call(owner, "PUT", at, `{"email":"eve@example.com"}`, 412, "If-Match", `"v99"`)
	require.Contains(t, call(owner, "PUT", at, `{"email":"eve@example.com"}`, 200, anyVersion...).body, `"email":"eve@example.com"`)
	l := p.next(t)
	require.Equal(t, "eve@exmaple.com", l.to)
	require.NotContains(t, l.text+l.html, "eve@example.com", "whoever has the old address is not told the new one")
	call("", "GET", "/password-links/by-token/"+reset, "", 404)
	signs("eve@exmaple.com", 401)
	signs("eve@example.com", 200)
	w.recordedAs(t, owner, "user.email-changed", `"before":"\"eve@exmaple.com\"","field":"/email"`)
	self := call(owner, "GET", "/me", "", 200).text(t, "user/id")
	require.Contains(t, call(owner, "PUT", "/users/"+self+"/email", `{"email":"ada@elsewhere.example"}`, 409, anyVersion...).body, "in your account")

	// By oneself: nothing changes before the link is opened, and nothing tells who has an address.
	call(me, "POST", "/me/email", `{"email":"eve@example.com"}`, 422)
	call(me, "POST", "/me/email", `{"email":"vic@example.com"}`, 202)
	call(me, "POST", "/me/email", `{"email":"eva@example.com"}`, 202)
	first := p.next(t)
	require.Equal(t, "eva@example.com", first.to, "nothing went to vic")
	require.Contains(t, first.text, "/email#token=")
	call(me, "POST", "/me/email", `{"email":"evi@example.com"}`, 202)
	w.recordedAs(t, owner, "user.email-change-requested", eve.text(t, "user/id"))
	l = p.next(t)
	link := secretOfLink.FindStringSubmatch(l.text)[1]
	call("", "GET", "/email-changes/by-token/"+secretOfLink.FindStringSubmatch(first.text)[1], "", 404)
	require.Contains(t, call("", "GET", "/email-changes/by-token/"+link, "", 200).body, `"email":"evi@example.com"`)
	call("", "GET", "/password-links/by-token/"+link, "", 404)
	signs("eve@example.com", 200)
	call("", "POST", "/email-changes/by-token/"+link+"/confirm", "", 204)
	require.Equal(t, "eve@example.com", p.next(t).to)
	w.recordedAs(t, owner, "user.email-changed", `"before":"\"eve@example.com\"","field":"/email"`)
	call("", "POST", "/email-changes/by-token/"+link+"/confirm", "", 404)
	signs("evi@example.com", 200)
	signs("eve@example.com", 401)

	// Somebody was quicker.
	call(me, "POST", "/me/email", `{"email":"free@example.com"}`, 202)
	link = secretOfLink.FindStringSubmatch(p.next(t).text)[1]
	call(owner, "PUT", "/users/"+vic.text(t, "user/id")+"/email", `{"email":"free@example.com"}`, 200, anyVersion...)
	call("", "POST", "/email-changes/by-token/"+link+"/confirm", "", 422)

	// Who comes from elsewhere has the address that is said there.
	directory := call(owner, "POST", "/scim/directories", `{"name":"People","domains":["example.com"]}`, 201).text(t, "id")
	s := w.database(t)
	require.NoError(t, s.Tx(t.Context(), eve.text(t, "organization/id"), self, func(tx *store.Tx) error {
		return tx.CreateSCIMResource(t.Context(), &store.SCIMResource{DirectoryID: directory, Kind: store.KindUser, ResourceID: eve.text(t, "user/id")})
	}))
	for _, a := range []answer{call(owner, "PUT", at, `{"email":"y@example.com"}`, 409, anyVersion...), call(me, "POST", "/me/email", `{"email":"y@example.com"}`, 409)} {
		require.Contains(t, a.body, "the directory People says which address")
	}
	require.NotContains(t, w.logged(), link)
}
