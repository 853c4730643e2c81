package directory_test

import (
	"context"
	"encoding/base64"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/directory"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const word = "the password of eve"

// guid is an objectGUID as Active Directory keeps it.
var guid = []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}

func client() *directory.Client {
	return directory.NewClient(egress.Guard{AllowLoopback: true}, time.Now)
}

// server is a directory with one person, who is in a group at the end of a chain.
func server(t *testing.T, chain int) (*testkit.SlapdServer, store.LDAPSettings) {
	t.Helper()
	var b strings.Builder
	entry := func(name string, lines ...string) {
		b.WriteString("dn: cn=" + name + "," + testkit.SlapdSuffix + "\ncn: " + name + "\n" + strings.Join(lines, "\n") + "\n\n")
	}
	member := func(name string) string { return "member: cn=" + name + "," + testkit.SlapdSuffix }
	entry("eve", "objectClass: inetOrgPerson", "objectClass: activeUser", "sn: Eve", "uid: eve.l", "mail: e.larsen@acme.example", "mail: eve@acme.example", "userPassword: "+word,
		"objectGUID:: "+base64.StdEncoding.EncodeToString(guid), "sAMAccountName: elarsen", "userAccountControl: 512")
	entry("g0", "objectClass: groupOfNames", member("eve"))
	last := "g0"
	for i := range chain {
		next := "g" + string(rune('a'+i))
		entry(next, "objectClass: groupOfNames", member(last))
		last = next
	}
	entry("unix", "objectClass: posixGroup", "gidNumber: 7", "memberUid: eve.l")
	d := testkit.Slapd(t, b.String())
	return d, directory.WithDefaults(store.LDAPSettings{
		URLs: []string{d.URL}, StartTLS: true, CA: d.CA, BindDN: testkit.SlapdAdmin, UserBase: testkit.SlapdSuffix, GroupBase: testkit.SlapdSuffix,
	}, "openldap")
}

func TestWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	d, s := server(t, 12)
	ask := func(change func(*store.LDAPSettings), name string) directory.Found {
		s := s
		change(&s)
		require.NoError(t, directory.Check(s))
		f, err := client().Try(t.Context(), s, testkit.SlapdPassword, directory.Login{Name: name, Password: word})
		require.NoError(t, err)
		return f
	}
	f := ask(func(*store.LDAPSettings) {}, "Eve@acme.example")
	require.Equal(t, "eve@acme.example", f.Email, "the address that was typed in, of those that there are")
	require.Equal(t, []string{"g0"}, f.Groups)
	require.Equal(t, []string{"pwd"}, f.Methods)
	require.Len(t, f.Subject, 36)
	require.Nil(t, f.Verified)
	require.NotContains(t, f.Attributes, "userPassword")
	require.Equal(t, []string{"00112233-4455-6677-8899-aabbccddeeff"}, f.Attributes["objectGUID"])

	f = ask(func(s *store.LDAPSettings) {
		s.SubjectAttribute, s.UserFilter, s.NestedGroups = "objectguid", "(sAMAccountName={username})", true
	}, "elarsen@acme.example")
	require.Equal(t, "00112233-4455-6677-8899-aabbccddeeff", f.Subject)
	require.Equal(t, "e.larsen@acme.example", f.Email)
	require.Equal(t, []string{"g0", "ga", "gb", "gc", "gd", "ge", "gf", "gg", "gh"}, f.Groups, "eight levels up")
	f = ask(func(s *store.LDAPSettings) { s.GroupFilter = "(&(objectClass=posixGroup)(memberUid={username}))" }, "eve@acme.example")
	require.Equal(t, []string{"unix"}, f.Groups)

	for password, why := range map[string]string{"": "the password is empty", "\x00" + word: "the password is empty", word + "x": "does not take the password"} {
		_, err := client().SignIn(t.Context(), s, testkit.SlapdPassword, directory.Login{Name: "eve@acme.example", Password: password})
		var refused *directory.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Contains(t, refused.Reason, why)
	}
	_, err := client().SignIn(t.Context(), s, "wrong", directory.Login{Name: "eve@acme.example", Password: word})
	var away *directory.UnavailableError
	require.ErrorAs(t, err, &away, "it is not Eve who did something wrong")
	require.Contains(t, away.Reason, "signing in as cn=admin")
	require.Contains(t, away.Reason, "Invalid Credentials")
	_, err = client().SignIn(t.Context(), s, "", directory.Login{Name: "eve@acme.example", Password: word})
	require.ErrorAs(t, err, &away)
	require.Contains(t, away.Reason, "has no password")
	_, err = directory.NewClient(egress.Guard{}, time.Now).SignIn(t.Context(), s, testkit.SlapdPassword, directory.Login{Name: "eve@acme.example", Password: word})
	require.ErrorContains(t, err, "private or local network")
	require.NotEmpty(t, d.TLS)
}

// A server that is silent does not hold anybody for long, and is asked last for a
// while.
func TestAServerThatIsSilent(t *testing.T) {
	t.Parallel()
	d, s := server(t, 0)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	for _, scheme := range []string{"ldaps://", "ldap://"} { // nobody answers TLS, nor StartTLS
		s.URLs = []string{scheme + l.Addr().String(), d.TLS}
		c := client()
		begun := time.Now()
		_, err = c.SignIn(t.Context(), s, testkit.SlapdPassword, directory.Login{Name: "eve@acme.example", Password: word})
		require.NoError(t, err)
		require.Less(t, time.Since(begun), 8*time.Second)
		begun = time.Now()
		_, err = c.SignIn(t.Context(), s, testkit.SlapdPassword, directory.Login{Name: "eve@acme.example", Password: word})
		require.NoError(t, err)
		require.Less(t, time.Since(begun), 3*time.Second, "the other one was first")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s.URLs = s.URLs[:1]
	begun := time.Now()
	_, err = client().SignIn(ctx, s, testkit.SlapdPassword, directory.Login{Name: "eve@acme.example", Password: word})
	require.Error(t, err)
	require.Less(t, time.Since(begun), 3*time.Second, "who gave up does not wait")
}
