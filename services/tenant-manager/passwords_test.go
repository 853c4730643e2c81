package tenantmanager_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// importLeaked imports a list of passwords.
func importLeaked(t *testing.T, path string, passwords ...string) {
	t.Helper()
	var list bytes.Buffer
	for _, p := range passwords {
		sum := sha1.Sum([]byte(p))
		list.WriteString(strings.ToUpper(hex.EncodeToString(sum[:])) + ":12\r\n")
	}
	var said bytes.Buffer
	require.NoError(t, tenantmanager.ImportPasswords(t.Context(), &list, &said, "-", path))
	require.Contains(t, said.String(), "leaked passwords are in "+path)
}

// Nobody chooses a password that is common, made of names, or leaked, wherever one
// is set.
func TestPasswordsThatAreTriedFirst(t *testing.T) {
	t.Parallel()
	const leaked = "a sentence that was stolen"
	path := filepath.Join(t.TempDir(), "leaked")
	w := newWorld(t, func(c *tenantmanager.Config) { c.Passwords.Leaked = path })
	first := w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+w.code+`"}`).text(t, "accessToken")
	refused := func(a answer, pointer string, because ...string) {
		t.Helper()
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+pointer+`"`)
		for _, b := range because {
			require.Contains(t, a.body, b)
		}
	}
	setup := func(password string) answer {
		return w.call(t, first, "POST", "/setup", `{"organizationName":"Rockets of Acme","name":"Ada Vanderberg","email":"ada@example.com","password":"`+password+`"}`)
	}
	refused(setup("Manchester2030"), "/password", "tried first")
	refused(setup("rockets-acme-2030"), "/password", "that of your organization")
	refused(setup("Vanderberg!2030"), "/password", "your name")
	require.Equal(t, 200, setup(goodWord).status)
	owner := first

	// The list counts as soon as it is imported.
	change := func(password string) answer {
		return w.call(t, owner, "POST", "/me/password", `{"current":"`+goodWord+`","new":"`+password+`"}`)
	}
	importLeaked(t, path, leaked, "other")
	refused(change(leaked), "/new", `"leaked"`, "stolen elsewhere")
	a := w.call(t, owner, "POST", "/invitations", `{"email":"eve@example.com","roles":[{"role":"viewer"}]}`)
	accept := "/invitations/by-token/" + a.text(t, "token") + "/accept"
	refused(w.call(t, "", "POST", accept, `{"name":"Eve","password":"`+leaked+`"}`), "/password", `"leaked"`)
	a = w.call(t, "", "POST", accept, `{"name":"Eve","password":"`+goodWord+`"}`)
	require.Equal(t, 200, a.status, a.body)
	link := w.call(t, owner, "POST", "/users/"+a.text(t, "user/id")+"/password-links", "").text(t, "token")
	refused(w.call(t, "", "POST", "/password-links/by-token/"+link+"/use", `{"password":"`+leaked+`"}`), "/password", `"leaked"`)
	importLeaked(t, path, "something else")
	a = w.call(t, "", "POST", "/password-links/by-token/"+link+"/use", `{"password":"`+leaked+`"}`)
	require.Equal(t, 200, a.status, a.body)

	// A list that is damaged is no list: nothing is let through.
	require.NoError(t, os.WriteFile(path, []byte("not a list at all, but long enough to be taken for one"), 0o600))
	a = change("several other words of mine")
	require.Equal(t, 503, a.status, a.body)
	require.Contains(t, a.body, "import it again")
	require.NotContains(t, a.body, path)
	require.NotContains(t, w.logged(), leaked)
	require.NotContains(t, w.logged(), "Manchester2030")
}
