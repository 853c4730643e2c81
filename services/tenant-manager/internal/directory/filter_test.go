package directory_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/directory"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"eve@acme.example":         `(&(objectClass=person)(mail=eve@acme.example))`,
		"*)(uid=*@acme.example":    `(&(objectClass=person)(mail=\2a\29\28uid=\2a@acme.example))`,
		"a\\b\x00@acme.example":    `(&(objectClass=person)(mail=a\5cb\00@acme.example))`,
		"{username}@acme.example":  `(&(objectClass=person)(mail={username}@acme.example))`,
		"zoë@acme.example":         `(&(objectClass=person)(mail=zo\c3\ab@acme.example))`,
		"{email}{email}@a.example": `(&(objectClass=person)(mail={email}{email}@a.example))`,
	} {
		require.Equal(t, want, directory.UserFilter(directory.DefaultUserFilter, typed))
	}
	require.Equal(t, `(uid=e\2a)`, directory.UserFilter("(uid={username})", "e*@acme.example"))
	require.Equal(t, `(|(member=cn=a\5c,b\28c\29,dc=x)(memberUid=eve))`, directory.GroupFilter("(|(member={dn})(memberUid={username}))", `cn=a\,b(c),dc=x`, "eve"))
}

func right() store.LDAPSettings {
	return directory.WithDefaults(store.LDAPSettings{URLs: []string{"ldaps://ldap.example.com"}, StartTLS: true, UserBase: "ou=people,dc=example,dc=com"}, "openldap")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	require.NoError(t, directory.Check(right()))
	active := directory.WithDefaults(store.LDAPSettings{URLs: []string{"ldap://dc1.example.com:3268"}, StartTLS: true, UserBase: "dc=example,dc=com", NestedGroups: true}, directory.ActiveDirectory)
	require.NoError(t, directory.Check(active))
	require.Equal(t, "objectGUID", active.SubjectAttribute)
	require.Contains(t, active.GroupFilter, "1.2.840.113556.1.4.1941")
	require.NotContains(t, directory.WithDefaults(store.LDAPSettings{}, directory.ActiveDirectory).GroupFilter, "1941")

	for field, change := range map[string]func(*store.LDAPSettings){
		"/urls":               func(s *store.LDAPSettings) { s.URLs = nil },
		"/urls/1":             func(s *store.LDAPSettings) { s.URLs = append(s.URLs, "https://ldap.example.com") },
		"/urls/0":             func(s *store.LDAPSettings) { s.URLs = []string{"ldaps://a:b@ldap.example.com"} },
		"/startTls":           func(s *store.LDAPSettings) { s.URLs, s.StartTLS = []string{"ldap://ldap.example.com"}, false },
		"/ca":                 func(s *store.LDAPSettings) { s.CA = "no certificate" },
		"/userBase":           func(s *store.LDAPSettings) { s.UserBase = "" },
		"/groupBase":          func(s *store.LDAPSettings) { s.GroupBase = "groups" },
		"/userFilter":         func(s *store.LDAPSettings) { s.UserFilter = "(mail={email}" },
		"/groupFilter":        func(s *store.LDAPSettings) { s.GroupFilter = "(member=*)" },
		"/subjectAttribute":   func(s *store.LDAPSettings) { s.SubjectAttribute = "entry UUID" },
		"/emailAttribute":     func(s *store.LDAPSettings) { s.EmailAttribute = "mail)(" },
		"/groupNameAttribute": func(s *store.LDAPSettings) { s.GroupNameAttribute = "*" },
	} {
		s := right()
		change(&s)
		var wrong *directory.InvalidError
		require.ErrorAs(t, directory.Check(s), &wrong, field)
		require.Equal(t, field, wrong.Field)
		require.NotEmpty(t, wrong.Reason)
	}
	for _, address := range []string{"ldap://ldap.example.com/dc=x", "ldap://", "ldap.example.com", "ldapi:///run/slapd", "ldap://x?y", "ldap://x#y"} {
		s := right()
		s.URLs = []string{address}
		require.Error(t, directory.Check(s), address)
	}
	s := right()
	s.URLs, s.StartTLS = []string{"ldap://127.0.0.1:1389", "ldap://localhost", "ldap://[::1]"}, false
	require.NoError(t, directory.Check(s), "this machine")
}

// Whatever is typed in, it stays one value of the filter that was meant.
func FuzzUserFilter(f *testing.F) {
	for _, typed := range []string{"eve@acme.example", "*)(uid=*", "\x00", `\2a`, "{email}", "é(&|!=", "a)(|(objectClass=*"} {
		f.Add(typed)
	}
	const filter = "(&(objectClass=person)(|(mail={email})(uid={username})))"
	f.Fuzz(func(t *testing.T, typed string) {
		built := directory.UserFilter(filter, typed)
		p, err := ldap.CompileFilter(built)
		require.NoError(t, err, built)
		require.Len(t, p.Children, 2)
		either := p.Children[1].Children
		require.Len(t, either, 2)
		mail := either[0]
		require.Len(t, mail.Children, 2)
		require.Equal(t, "mail", mail.Children[0].Data.String())
		require.Equal(t, typed, mail.Children[1].Data.String())
		require.Equal(t, p.Children[0].Tag, mail.Tag, "it asks for equality")
		require.Equal(t, mail.Tag, either[1].Tag)
	})
}
