package tenantmanager_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who is in a group that a rule of sign-in binds is said by who may change the rule.
func TestWhoIsInAGroupOfARule(t *testing.T) {
	t.Parallel()
	w, p, owner, domain, _, tokens := ruleWorld(t)
	require.Equal(t, 201, w.call(t, owner, "POST", "/roles", `{"name":"grouper","permissions":["group:*","user:*","invitation:*","scim:*"]}`).status)
	bob := w.invite(t, owner, "bob@acme.example", `{"role":"grouper"},{"role":"viewer"}`)
	bobs, boss := bob.text(t, "accessToken"), tokens["boss"].text(t, "user/id")
	made := func(token, path, body string) string {
		t.Helper()
		a := w.call(t, token, "POST", path, body)
		require.Equal(t, 201, a.status, a.body)
		return a.text(t, "id")
	}
	group := func(name string) string { return made(owner, "/groups", `{"name":"`+name+`"}`) }
	put := func(group, member string) {
		t.Helper()
		a := w.call(t, owner, "POST", "/groups/"+group+"/members", `{"member":"`+member+`"}`)
		require.Equal(t, 201, a.status, a.body)
	}
	first, inner, other := group("First"), group("Inner"), group("Other")
	put(first, inner)
	put(inner, bob.text(t, "user/id"))
	directory := w.directory(t, bobs, "Entra ID", "elsewhere.example")
	w.verifyAll(t, owner)
	kept := directory.object("POST", "/Groups", `{"displayName":"Kept"}`, 201)["id"].(string)
	person := directory.user("carol@elsewhere.example")
	put(inner, kept)
	require.Equal(t, 200, w.federate(t, p, "eve@acme.example", "eve").status)
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+tokens["boss"].text(t, "user/id"), `{"breakGlass":true}`, anyVersion...).status)
	a := w.call(t, owner, "PATCH", "/domains/"+domain, `{"singleSignOn":"required","groups":["`+first+`"]}`, anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, 401, w.password(t, "bob@acme.example", goodWord).status)

	members := fmt.Sprintf(patchOp, `{"op":"add","path":"members","value":[{"value":"`+person+`"}]}`)
	tries := []struct{ name, method, path, body string }{
		{"takes himself out", "DELETE", "/groups/" + inner + "/members/" + bob.text(t, "user/id"), ""},
		{"puts an owner in", "POST", "/groups/" + first + "/members", `{"member":"` + boss + `"}`},
		{"puts an owner into what is in it", "POST", "/groups/" + inner + "/members", `{"member":"` + boss + `"}`},
		{"puts a group in", "POST", "/groups/" + inner + "/members", `{"member":"` + other + `"}`},
		{"moves a group out", "POST", "/groups/" + inner + "/move", `{}`},
		{"asks what moving it would do", "POST", "/groups/" + inner + "/move", `{"preview":true}`},
		{"moves a group in", "POST", "/groups/" + other + "/move", `{"to":"` + inner + `"}`},
		{"renames it", "PATCH", "/groups/" + first, `{"name":"Else"}`},
		{"deletes it", "DELETE", "/groups/" + first, ""},
		{"deletes what is in it", "DELETE", "/groups/" + inner, ""},
		{"invites somebody into it", "POST", "/invitations", `{"email":"x@acme.example","roles":[{"role":"viewer"}],"groups":["` + inner + `"]}`},
		{"gives himself an address elsewhere", "PUT", "/users/" + bob.text(t, "user/id") + "/email", `{"email":"bob@home.example"}`},
	}
	for _, try := range tries {
		a := w.call(t, bobs, try.method, try.path, try.body, anyVersion...)
		require.Equal(t, 403, a.status, "%s: %s", try.name, a.body)
		require.Contains(t, a.body, "sso-connection:update", try.name)
		require.Contains(t, a.body, "acme.example", try.name)
	}
	require.Equal(t, 401, w.password(t, "bob@acme.example", goodWord).status, "he is bound as before")
	require.Equal(t, 200, w.password(t, "boss@acme.example", goodWord).status, "and nobody else is")

	// Nor does a directory that he saved, until somebody does who may.
	require.Contains(t, directory.fails(403, "", "PATCH", "/Groups/"+kept, members), "sso-connection:update")
	directory.fails(403, "", "DELETE", "/Groups/"+kept, "")
	directory.fails(403, "", "PATCH", "/Groups/"+kept, fmt.Sprintf(patchOp, `{"op":"replace","path":"displayName","value":"Else"}`))
	require.Equal(t, 200, w.call(t, owner, "PUT", "/scim/directories/"+directory.id, `{"name":"Entra ID","domains":["elsewhere.example"]}`, anyVersion...).status)
	require.Equal(t, 204, directory.send("PATCH", "/Groups/"+kept, members).status)
	// A group that no rule names is his to change, and what a rule names theirs who may
	// change rules.
	require.Equal(t, 201, w.call(t, bobs, "POST", "/groups/"+other+"/members", `{"member":"`+bob.text(t, "user/id")+`"}`).status)
	require.Equal(t, 204, w.call(t, tokens["eve"].text(t, "accessToken"), "DELETE", "/groups/"+inner+"/members/"+bob.text(t, "user/id"), "").status)
	require.Equal(t, 200, w.password(t, "bob@acme.example", goodWord).status)
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=scim-directory.change", "").body, "sso-connection:update")
	}, eventually, tick)
}
