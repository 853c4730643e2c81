package directory

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ActiveDirectory is the preset whose defaults are those of Active Directory.
const ActiveDirectory = "active-directory"

// WithDefaults returns settings in which what was left out has the value of a
// preset.
func WithDefaults(s store.LDAPSettings, preset string) store.LDAPSettings {
	d := store.LDAPSettings{
		UserFilter: DefaultUserFilter, EmailAttribute: "mail", NameAttribute: "cn", SubjectAttribute: "entryUUID", GroupFilter: DefaultGroupFilter,
		GroupNameAttribute: "cn",
	}
	if preset == ActiveDirectory {
		d.UserFilter, d.NameAttribute, d.SubjectAttribute, d.GroupFilter = ActiveUserFilter, "displayName", "objectGUID", ActiveGroupFilter
		if s.NestedGroups {
			d.GroupFilter = ActiveNestedInFilter
		}
	}
	s.UserFilter, s.GroupFilter = cmp.Or(s.UserFilter, d.UserFilter), cmp.Or(s.GroupFilter, d.GroupFilter)
	s.EmailAttribute, s.NameAttribute = cmp.Or(s.EmailAttribute, d.EmailAttribute), cmp.Or(s.NameAttribute, d.NameAttribute)
	s.SubjectAttribute, s.GroupNameAttribute = cmp.Or(s.SubjectAttribute, d.SubjectAttribute), cmp.Or(s.GroupNameAttribute, d.GroupNameAttribute)
	return s
}

// InvalidError says what is wrong with a setting.
type InvalidError struct {
	// Field is the JSON pointer of the setting below the object, such as /urls/0.
	Field  string
	Reason string
}

// Error returns the reason.
func (e *InvalidError) Error() string { return e.Reason }

// attribute is the name of an attribute (RFC 4512 section 1.4).
var attribute = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]{0,99}|[0-9]+(\.[0-9]+){1,20})$`)

// Check returns an [InvalidError] of the first setting that is not right. Passwords
// go in plain text to a server on this machine alone, whatever else is said.
func Check(s store.LDAPSettings) error {
	if len(s.URLs) == 0 {
		return &InvalidError{"/urls", "name a server, such as ldaps://ldap.example.com"}
	}
	for i, address := range s.URLs {
		field := fmt.Sprintf("/urls/%d", i)
		at, err := parse(address)
		switch {
		case err != nil:
			return &InvalidError{field, err.Error()}
		case !at.tls && !s.StartTLS && !at.loopback():
			return &InvalidError{"/startTls", "passwords would go to " + at.host + " in plain text: switch StartTLS on, or use ldaps://"}
		}
	}
	if _, err := authorities(s.CA); err != nil {
		return &InvalidError{"/ca", err.Error()}
	}
	for _, f := range []struct{ field, dn string }{{"/userBase", s.UserBase}, {"/groupBase", s.GroupBase}} {
		if _, err := ldap.ParseDN(f.dn); err != nil || f.field == "/userBase" && f.dn == "" {
			return &InvalidError{f.field, "use a distinguished name, such as ou=people,dc=example,dc=com"}
		}
	}
	for _, f := range []struct{ field, name string }{
		{"/emailAttribute", s.EmailAttribute}, {"/nameAttribute", s.NameAttribute}, {"/subjectAttribute", s.SubjectAttribute}, {"/groupNameAttribute", s.GroupNameAttribute},
	} {
		if !attribute.MatchString(f.name) {
			return &InvalidError{f.field, "use the name of an attribute, such as mail"}
		}
	}
	return checkFilters(s)
}

// checkFilters looks at filters with something put in, as they are asked by.
func checkFilters(s store.LDAPSettings) error {
	if !strings.Contains(s.UserFilter, "{email}") && !strings.Contains(s.UserFilter, "{username}") {
		return &InvalidError{"/userFilter", "put {email} or {username} where what was typed in goes, such as " + DefaultUserFilter}
	}
	if _, err := ldap.CompileFilter(UserFilter(s.UserFilter, "a@example.com")); err != nil {
		return &InvalidError{"/userFilter", "it is not a filter (RFC 4515), such as " + DefaultUserFilter}
	}
	if !strings.Contains(s.GroupFilter, "{dn}") && !strings.Contains(s.GroupFilter, "{username}") {
		return &InvalidError{"/groupFilter", "put {dn} or {username} where the member goes, such as " + DefaultGroupFilter}
	}
	if _, err := ldap.CompileFilter(GroupFilter(s.GroupFilter, "cn=a,dc=example,dc=com", "a")); err != nil {
		return &InvalidError{"/groupFilter", "it is not a filter (RFC 4515), such as " + DefaultGroupFilter}
	}
	return nil
}
