package tenantmanager_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
)

// becomes gives somebody another role.
func (w *world) becomes(t *testing.T, owner, user, role string) {
	t.Helper()
	a := w.call(t, owner, "POST", "/grants", object(t, map[string]string{"principal": user, "role": role}))
	require.Equal(t, 201, a.status, a.body)
}

// An administrator's provider lets nobody into an account that has come to do more
// than they may, though it is linked.
func TestALinkedAccountThatMayDoMoreNow(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"dave": {"email": "dave@acme.example", "email_verified": true}, "vera": {"email": "vera@acme.example", "email_verified": true}})
	w, owner := ssoWorld(t)
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`)
	require.Equal(t, 201, w.call(t, owner, "POST", "/domains", `{"domain":"acme.example"}`).status)
	w.verifyAll(t, owner)
	id := w.connect(t, admin.text(t, "accessToken"), p, nil).text(t, "id")
	dave := w.invite(t, owner, "dave@acme.example", `{"role":"viewer"}`).text(t, "user/id")
	w.invite(t, owner, "vera@acme.example", `{"role":"viewer"}`)
	require.Equal(t, 200, w.federate(t, p, "dave@acme.example", "dave").status)
	w.becomes(t, owner, dave, "owner")
	require.Equal(t, 401, w.federate(t, p, "dave@acme.example", "dave").status)
	w.refusedBecause(t, owner, "may do more than whoever saved the connection")
	require.Equal(t, 200, w.federate(t, p, "vera@acme.example", "vera").status)

	// It is worth what they could do who saved it, after they are gone too: no more, no less.
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/users/"+admin.text(t, "user/id"), "", "If-Match", "*").status)
	require.Equal(t, 200, w.federate(t, p, "vera@acme.example", "vera").status)
	require.Equal(t, 401, w.federate(t, p, "dave@acme.example", "dave").status)

	// The owner saves it, and so vouches for it.
	body := `{"name":"Acme ID","kind":"oidc","issuer":"` + p.issuer + `","clientId":"gatehouse","enabled":true,"domains":["acme.example"]}`
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, body, "If-Match", "*").status)
	require.Equal(t, 200, w.federate(t, p, "dave@acme.example", "dave").status)
}

// A link that somebody made for another sets no password once the account may do
// more than they may, or they may do nothing.
func TestALinkIsWeighedWhenItIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`)
	link := func(token, user string) string {
		a := w.call(t, token, "POST", "/users/"+user+"/password-links", "")
		require.Equal(t, 201, a.status, a.body)
		return a.text(t, "token")
	}
	use := func(secret string) answer {
		return w.call(t, "", "POST", "/password-links/by-token/"+secret+"/use", `{"password":"`+goodWord+` again"}`)
	}
	dora, vera := w.invite(t, owner, "dora@example.com", `{"role":"viewer"}`).text(t, "user/id"), w.invite(t, owner, "vera@example.com", `{"role":"viewer"}`).text(t, "user/id")
	risen, left := link(admin.text(t, "accessToken"), dora), link(admin.text(t, "accessToken"), vera)
	w.becomes(t, owner, dora, "owner")
	require.Equal(t, 404, w.call(t, "", "GET", "/password-links/by-token/"+risen, "").status)
	require.Equal(t, 404, use(risen).status)
	w.recordedAs(t, owner, "user.password-link-refused", "may do more than whoever made the link")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+admin.text(t, "user/id"), `{"status":"disabled"}`, "If-Match", "*").status)
	require.Equal(t, 404, use(left).status)
	w.recordedAs(t, owner, "user.password-link-refused", "whoever made it was disabled")
	require.Equal(t, 200, use(link(owner, dora)).status)
	require.Equal(t, 200, use(link(owner, vera)).status)
}

// An invitation lets nobody in once whoever made it is gone, or could not make it any
// more; somebody else sends it again.
func TestAnInvitationIsWeighedWhenItIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	accept := func(secret string) answer {
		return w.call(t, "", "POST", "/invitations/by-token/"+secret+"/accept", `{"name":"Back","password":"`+goodWord+`"}`)
	}
	invite := func(token, email string) (id, secret string) {
		a := w.call(t, token, "POST", "/invitations", `{"email":"`+email+`","roles":[{"role":"administrator"}]}`)
		require.Equal(t, 201, a.status, a.body)
		return a.text(t, "id"), a.text(t, "token")
	}
	status := func(id string) string { return w.call(t, owner, "GET", "/invitations/"+id, "").text(t, "status") }
	for i, leave := range []func(user string) answer{
		func(user string) answer { return w.call(t, owner, "DELETE", "/users/"+user, "", "If-Match", "*") },
		func(user string) answer {
			return w.call(t, owner, "PATCH", "/users/"+user, `{"status":"disabled"}`, "If-Match", "*")
		},
	} {
		n := string(rune('a' + i))
		made := w.invite(t, owner, "adm-"+n+"@example.com", `{"role":"administrator"}`)
		id, secret := invite(made.text(t, "accessToken"), "back-"+n+"@example.com")
		require.Equal(t, "pending", status(id))
		require.Less(t, leave(made.text(t, "user/id")).status, 300)
		require.Equal(t, 404, accept(secret).status)
		require.Equal(t, "withdrawn", status(id))
		require.Contains(t, w.call(t, owner, "GET", "/invitations?status=withdrawn", "").body, id)
		require.NotContains(t, w.call(t, owner, "GET", "/invitations?status=pending", "").body, id)
		a := w.call(t, owner, "POST", "/invitations/"+id+"/resend", "")
		require.Equal(t, 201, a.status, a.body)
		require.Equal(t, "pending", status(id))
		require.Equal(t, 404, accept(secret).status, "the link of before")
		require.Equal(t, 200, accept(a.text(t, "token")).status)
	}
	// Who may invite to less now.
	made := w.invite(t, owner, "adm-c@example.com", `{"role":"administrator"}`)
	id, secret := invite(made.text(t, "accessToken"), "back-c@example.com")
	w.becomes(t, owner, made.text(t, "user/id"), "viewer")
	for _, g := range w.grantsOf(t, owner, made.text(t, "user/id"), "administrator") {
		require.Equal(t, 204, w.call(t, owner, "DELETE", "/grants/"+g, "", "If-Match", "*").status)
	}
	require.Equal(t, 404, w.call(t, "", "GET", "/invitations/by-token/"+secret, "").status)
	require.Equal(t, 404, accept(secret).status)
	w.recordedAs(t, owner, "invitation.refused", "may invite nobody any more")
	require.Equal(t, "pending", status(id))
}

// grantsOf returns the ids of somebody's grants of a role.
func (w *world) grantsOf(t *testing.T, token, user, role string) (ids []string) {
	t.Helper()
	var list struct {
		Items []struct{ ID, Role string }
	}
	a := w.call(t, token, "GET", "/grants?principal="+user, "")
	require.NoError(t, json.Unmarshal([]byte(a.body), &list), a.body)
	for _, g := range list.Items {
		if g.Role == role {
			ids = append(ids, g.ID)
		}
	}
	require.NotEmpty(t, ids, a.body)
	return ids
}

// Whom only a directory lets in gets no password here by a link, whoever made it, and
// confirms who they are by the directory.
func TestNoPasswordGoesAroundADirectory(t *testing.T) {
	t.Parallel()
	d := testkit.Slapd(t, entries)
	w, owner := directoryWorld(t)
	eve := w.invite(t, owner, "eve@acme.example", `{"role":"viewer"}`).text(t, "user/id")
	before := w.call(t, owner, "POST", "/users/"+eve+"/password-links", "")
	require.Equal(t, 201, before.status, before.body)
	w.connectDirectory(t, owner, d, nil, nil)
	w.verifyAll(t, owner)
	a := w.enter(t, "eve@acme.example", directoryWord)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, eve, a.text(t, "user/id"))

	// They prove again who they are with the password of the directory.
	token := a.text(t, "accessToken")
	ways := w.call(t, token, "GET", "/me/confirmation", "")
	require.Contains(t, ways.body, `"methods":["password"]`)
	require.Contains(t, ways.body, `"directory":"Acme Directory"`)
	require.Equal(t, 422, w.call(t, token, "POST", "/me/confirmation", `{"password":"`+goodWord+`"}`).status, "the one that is kept here counts for nothing")
	confirmed := w.call(t, token, "POST", "/me/confirmation", `{"password":"`+directoryWord+`"}`)
	require.Equal(t, 200, confirmed.status, confirmed.body)

	made := w.call(t, owner, "POST", "/users/"+eve+"/password-links", "")
	require.Equal(t, 409, made.status, made.body)
	require.Contains(t, made.body, "Acme Directory alone")
	require.Contains(t, w.call(t, owner, "POST", "/users/actions", `{"action":"password-link","users":["`+eve+`"]}`).body, `"outcome":"refused"`)
	require.Equal(t, 404, w.call(t, "", "POST", "/password-links/by-token/"+before.text(t, "token")+"/use", `{"password":"`+goodWord+` again"}`).status)
	w.recordedAs(t, owner, "user.password-link-refused", "Acme Directory alone")
	require.Equal(t, 202, w.call(t, "", "POST", "/password-links", `{"email":"eve@acme.example"}`).status)
	require.Never(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/password-requests", "").body, "eve@acme.example")
	}, 300*time.Millisecond, 50*time.Millisecond)
	d.Stop()
	require.Equal(t, 503, w.call(t, token, "POST", "/me/confirmation", `{"password":"`+directoryWord+`"}`).status)
}

// Who comes by single sign-on proves again who they are at the provider, which has to
// have asked for it.
func TestProvingAgainAtAProvider(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve"}, "max": {"email": "max@acme.example", "email_verified": true}})
	w, owner := ssoWorld(t)
	id := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}}).text(t, "id")
	browser := newBrowser(t)
	a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visitBy(t, browser, w.begin(t, "eve@acme.example"), "eve"), nil))
	require.Equal(t, 200, a.status, a.body)
	token := a.text(t, "tokens/accessToken")
	require.Equal(t, 200, w.federate(t, p, "max@acme.example", "max").status)
	ways := w.call(t, token, "GET", "/me/confirmation", "")
	require.Contains(t, ways.body, `"methods":["sso"]`)
	require.Contains(t, ways.body, id)
	begin := func() string {
		a := w.call(t, token, "POST", "/me/confirmation/sso", object(t, map[string]string{"connection": id, "origin": ssoOrigin, "binding": binding, "next": "/account"}))
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, a.text(t, "address"), "prompt=login")
		require.Contains(t, a.text(t, "address"), "max_age=0")
		return a.text(t, "address")
	}
	finish := func(q url.Values) answer {
		a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, q, nil))
		require.Equal(t, 200, a.status, a.body)
		require.NotContains(t, a.body, "tokens")
		require.Equal(t, "/account", a.text(t, "next"))
		return a
	}
	require.Contains(t, finish(p.visitBy(t, browser, begin(), "eve")).body, `"confirmed":true`)
	w.recordedAs(t, owner, "session.confirmed", "Eve")

	// Somebody else, and a provider that asks for nothing, are no proof.
	require.Contains(t, finish(p.visit(t, begin(), "max")).body, `"confirmed":false`)
	w.refusedBecause(t, owner, "somebody else proved who they are")
	silent, err := url.Parse(begin())
	require.NoError(t, err)
	q := silent.Query()
	q.Del("prompt")
	q.Del("max_age")
	silent.RawQuery = q.Encode()
	require.Contains(t, finish(p.visitBy(t, browser, silent.String(), "eve")).body, `"confirmed":false`)
	w.refusedBecause(t, owner, "auth_time")
	require.Equal(t, 404, w.call(t, owner, "POST", "/me/confirmation/sso", object(t, map[string]string{"connection": id, "origin": ssoOrigin, "binding": binding})).status, "they do not come by it")
}
