package tenantmanager_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who proves to be a directory, and how often they may try.
func TestDirectoryTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	d := w.directory(t, owner, "Entra ID", "acme.example")
	require.Regexp(t, `^ghs_[0-9A-Za-z]{42}$`, d.token)
	first := d.token
	tokens := "/scim/directories/" + d.id + "/tokens"
	require.Equal(t, 422, w.call(t, owner, "POST", tokens, `{"name":"x","expiresAt":"2001-01-01T00:00:00Z"}`).status)
	a := w.call(t, owner, "POST", tokens, `{"name":"next","expiresAt":"`+w.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`)
	require.Equal(t, 201, a.status, a.body)
	second := a.text(t, "token")
	full := w.call(t, owner, "POST", tokens, `{"name":"a third"}`)
	require.Equal(t, 409, full.status, full.body)
	for _, token := range []string{first, second} {
		d.token = token
		require.Equal(t, 200, d.send("GET", "/Users", "").status)
	}
	list := w.call(t, owner, "GET", tokens, "")
	require.NotContains(t, list.body, first)
	require.Equal(t, 2, strings.Count(list.body, `"lastUsedAt"`), list.body)
	w.clock.Advance(2 * time.Hour)
	owner = w.signIn(t, "ada@example.com", "")
	d.fails(401, "", "GET", "/Users", "")
	d.token = first
	require.Equal(t, 200, d.send("GET", "/Users", "").status)
	// An access token is none, and a directory's none for the API.
	d.token = owner
	d.fails(401, "", "GET", "/Users", "")
	require.Equal(t, 401, w.call(t, first, "GET", "/users", "").status)
	d.token = ""
	d.fails(401, "", "GET", "/Users", "")
	require.Equal(t, `Bearer realm="gatehouse"`, d.send("GET", "/Users", "").header.Get("WWW-Authenticate"))
	// Switched off, it is refused, and so is a suspended organization.
	d.token = first
	body := `{"name":"Entra ID","enabled":%t,"domains":["acme.example"]}`
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+d.id, fmt.Sprintf(body, false), anyVersion...).status)
	d.fails(401, "", "GET", "/Users", "")
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+d.id, fmt.Sprintf(body, true), anyVersion...).status)
	require.Equal(t, 200, d.send("GET", "/Users", "").status)

	// A token has its rate, and wrong ones are held against the address.
	limited := 0
	for range 600 {
		if a := d.send("GET", "/ServiceProviderConfig", ""); a.status == http.StatusTooManyRequests {
			require.NotEmpty(t, a.header.Get("Retry-After"))
			limited++
		}
	}
	require.Positive(t, limited)
	w.clock.Advance(time.Minute)
	require.Equal(t, 200, d.send("GET", "/Users", "").status)
	d.token = first[:len(first)-1] + "x"
	if d.token == first {
		d.token = first[:len(first)-1] + "y"
	}
	statuses := map[int]int{}
	for range 60 {
		statuses[d.send("GET", "/Users", "").status]++
	}
	require.Positive(t, statuses[http.StatusTooManyRequests], statuses)
	require.Len(t, statuses, 2, statuses)
	d.token = first
	d.fails(429, "", "GET", "/Users", "")
	w.clock.Advance(time.Hour)
	require.Equal(t, 200, d.send("GET", "/Users", "").status)

	owner = w.signIn(t, "ada@example.com", "")
	list = w.call(t, owner, "GET", tokens, "")
	require.Equal(t, 204, w.call(t, owner, "DELETE", tokens+"/"+list.text(t, "items/0/id"), "").status)
	require.Equal(t, 404, w.call(t, owner, "DELETE", tokens+"/"+list.text(t, "items/0/id"), "").status)
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/scim/directories/"+d.id, "", anyVersion...).status)
	d.fails(401, "", "GET", "/Users", "")
}

// A directory touches neither accounts that may do more than whoever saved it, nor
// the ways in when nothing else is.
func TestADirectoryDoesNoMoreThanWhoSavedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
	d := w.directory(t, admin, "Entra ID", "example.com")
	w.verifyAll(t, owner)
	why := func(reason string) {
		t.Helper()
		require.Eventually(t, func() bool {
			a := w.call(t, owner, "GET", "/audit?action=scim-directory.change", "")
			return strings.Contains(a.body, reason) && strings.Contains(a.body, `"outcome":"refused"`)
		}, 5*time.Second, 10*time.Millisecond, reason)
	}
	// The owner is not taken over; somebody who may do less is, and stays who they are.
	require.Contains(t, d.fails(403, "", "POST", "/Users", `{"userName":"ada@example.com","active":true}`), "may do more than whoever saved")
	why("may do more than whoever saved")
	eve := d.object("POST", "/Users", `{"userName":"eve@example.com","displayName":"Eve L","active":true}`, 201)["id"].(string)
	require.Contains(t, w.call(t, owner, "GET", "/users/"+eve, "").body, `"name":"Eve L"`)
	require.Contains(t, w.call(t, owner, "GET", "/users/"+eve, "").body, `"viewer"`)
	// Becoming more, she is not touched any more.
	grant := w.call(t, owner, "POST", "/grants", `{"principal":"`+eve+`","role":"owner"}`)
	require.Equal(t, 201, grant.status, grant.body)
	off := fmt.Sprintf(patchOp, `{"op":"replace","path":"active","value":false}`)
	d.fails(403, "", "PATCH", "/Users/"+eve, off)
	d.fails(403, "", "DELETE", "/Users/"+eve, "")
	require.Equal(t, 200, d.send("PATCH", "/Users/"+eve, fmt.Sprintf(patchOp, `{"op":"replace","path":"active","value":true}`)).status, "nothing changes")
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/grants/"+grant.text(t, "id"), "", anyVersion...).status)
	// Disabled by hand, she stays so.
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+eve, `{"status":"disabled"}`, anyVersion...).status)
	require.Equal(t, false, d.object("PATCH", "/Users/"+eve, fmt.Sprintf(patchOp, `{"op":"replace","path":"active","value":true}`), 200)["active"])
	require.Equal(t, false, d.object("PUT", "/Users/"+eve, `{"userName":"eve@example.com","active":true}`, 200)["active"])
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+eve, `{"status":"active"}`, anyVersion...).status)
	// Gone there, she is disabled here, since the directory did not make her; and is not
	// taken over again while she is.
	require.Equal(t, 204, d.send("DELETE", "/Users/"+eve, "").status)
	require.Contains(t, w.call(t, owner, "GET", "/users/"+eve, "").body, `"status":"disabled"`)
	d.fails(404, "", "GET", "/Users/"+eve, "")
	d.fails(409, "", "POST", "/Users", `{"userName":"eve@example.com"}`)
	why("was disabled by hand")

	// A group gives no more than whoever saved the directory has, and never the owner's.
	bob := d.user("bob@example.com")
	group := d.object("POST", "/Groups", `{"displayName":"Staff"}`, 201)["id"].(string)
	add := fmt.Sprintf(patchOp, `{"op":"add","path":"members","value":[{"value":"`+bob+`"}]}`)
	for _, role := range []string{"owner", "platform-administrator"} {
		grant = w.call(t, owner, "POST", "/grants", `{"principal":"`+group+`","role":"`+role+`"}`)
		require.Equal(t, 201, grant.status, grant.body)
		require.Contains(t, d.fails(403, "", "PATCH", "/Groups/"+group, add), "given by hand alone")
		require.Equal(t, 204, w.call(t, owner, "DELETE", "/grants/"+grant.text(t, "id"), "", anyVersion...).status)
	}
	require.Equal(t, 201, w.call(t, owner, "POST", "/roles", `{"name":"closer","permissions":["organization:delete"]}`).status)
	grant = w.call(t, owner, "POST", "/grants", `{"principal":"`+group+`","role":"closer"}`)
	require.Equal(t, 201, grant.status, grant.body)
	require.Contains(t, d.fails(403, "", "PATCH", "/Groups/"+group, add), "organization:delete")
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/grants/"+grant.text(t, "id"), "", anyVersion...).status)
	require.Equal(t, 204, d.send("PATCH", "/Groups/"+group, add).status)

	// The owner saves it: it may do as much as they, and still not take the last owner.
	body := `{"name":"Entra ID","domains":["example.com"]}`
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+d.id, body, anyVersion...).status)
	require.Equal(t, 403, w.call(t, admin, "POST", "/scim/directories/"+d.id+"/tokens", `{"name":"x"}`).status, "a token would act for the owner")
	ada := d.object("POST", "/Users", `{"userName":"ada@example.com","active":true}`, 201)["id"].(string)
	require.Contains(t, d.fails(409, "", "PATCH", "/Users/"+ada, off), "without an owner")
	d.fails(409, "", "DELETE", "/Users/"+ada, "")
	why("without an owner")
	// Nor a break-glass account.
	second := w.invite(t, owner, "second@example.com", `{"role":"owner"}`).text(t, "user/id")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+ada, `{"breakGlass":true}`, anyVersion...).status)
	require.Contains(t, d.fails(403, "", "PATCH", "/Users/"+ada, off), "break-glass")
	require.Equal(t, 200, w.call(t, owner, "GET", "/me", "").status)
	require.NotEmpty(t, second)
}

// Organizations are apart, and so are directories of one.
func TestDirectoriesAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	w.organization(t, "second", "two@example.com")
	stranger := w.signIn(t, "two@example.com", "second")
	one, other, foreign := w.directory(t, owner, "One", "one.example"), w.directory(t, owner, "Other", "other.example"), w.directory(t, stranger, "One", "second.example")
	user, group := one.user("eve@one.example"), one.object("POST", "/Groups", `{"displayName":"Staff"}`, 201)["id"].(string)
	for _, d := range []*directory{other, foreign} {
		for _, path := range []string{"/Users/" + user, "/Groups/" + group} {
			d.fails(404, "", "GET", path, "")
			d.fails(404, "", "DELETE", path, "")
			d.fails(404, "", "PATCH", path, fmt.Sprintf(patchOp, `{"op":"replace","path":"displayName","value":"x"}`))
			d.fails(404, "", "PUT", path, `{"userName":"eve@one.example","displayName":"x"}`)
		}
		for _, path := range []string{"/Users", "/Groups", "/Users?filter=id+eq+%22" + user + "%22", "/Users?filter=emails.value+co+%22one%22+or+userName+pr", "/Groups?filter=members+eq+%22" + user + "%22"} {
			_, total := d.ids(path)
			require.Zero(t, total, path)
		}
		mine := d.object("POST", "/Groups", `{"displayName":"Mine"}`, 201)["id"].(string)
		d.fails(400, "invalidValue", "PATCH", "/Groups/"+mine, fmt.Sprintf(patchOp, `{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`))
		d.fails(400, "", "POST", "/Users", `{"userName":"eve@one.example"}`)
	}
	// With the domain of the other, a user of the other is still not its.
	body := `{"name":"One","domains":["one.example","three.example"]}`
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+one.id, body, anyVersion...).status)
	renamed := one.send("PATCH", "/Users/"+user, fmt.Sprintf(patchOp, `{"op":"replace","path":"userName","value":"eve@three.example"}`))
	require.Equal(t, 200, renamed.status, renamed.body)
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+one.id, strings.Replace(body, `,"three.example"`, "", 1), anyVersion...).status)
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+other.id, `{"name":"Other","domains":["three.example"]}`, anyVersion...).status)
	require.Contains(t, other.fails(409, "", "POST", "/Users", `{"userName":"eve@three.example"}`), "another directory")

	// A domain is of one directory; in another organization it counts once that has
	// the domain.
	require.Equal(t, 409, w.call(t, owner, "POST", "/scim/directories", `{"name":"x","domains":["ONE.example"]}`).status)
	require.Contains(t, w.call(t, stranger, "POST", "/scim/directories", `{"name":"x","domains":["ONE.example"]}`).body, `"unverifiedDomains":["one.example"]`)
	connect := `{"name":"ID","kind":"oidc","issuer":"https://login.example.com","clientId":"c","domains":["%s"]}`
	connection := w.call(t, stranger, "POST", "/sso/connections", fmt.Sprintf(connect, "four.example"))
	require.Equal(t, 201, connection.status, connection.body)
	w.verifyAll(t, owner)
	for body, field := range map[string]string{
		`{"name":"x"}`: "/domains", `{"name":"x","domains":["nothing"]}`: "/domains/0", `{"name":"x","connection":"` + connection.text(t, "id") + `"}`: "/connection",
		`{"name":"x","connection":"c","domains":["a.example"]}`: "/domains", `{"domains":["a.example"]}`: "/name",
	} {
		a := w.call(t, owner, "POST", "/scim/directories", body)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+field+`"`, body)
	}
	// The domains of a single sign-on.
	a := w.call(t, stranger, "POST", "/scim/directories", `{"name":"By ID","connection":"`+connection.text(t, "id")+`"}`)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, a.body, `"domains":["four.example"]`)
	d := &directory{t: t, w: w, id: a.text(t, "id")}
	d.token = d.newToken(stranger)
	d.user("x@four.example")
	d.fails(400, "", "POST", "/Users", `{"userName":"x@second.example"}`)
	require.Equal(t, 204, w.call(t, stranger, "DELETE", "/sso/connections/"+connection.text(t, "id"), "", anyVersion...).status)
	d.fails(400, "", "POST", "/Users", `{"userName":"y@four.example"}`)

	// Deleted, its users and groups are changed by hand again.
	require.Equal(t, 204, w.call(t, owner, "DELETE", "/scim/directories/"+one.id, "", anyVersion...).status)
	require.Equal(t, 200, w.call(t, owner, "GET", "/users/"+user, "").status)
	require.Equal(t, 201, w.call(t, owner, "POST", "/groups/"+group+"/members", `{"member":"`+user+`"}`).status)
}
