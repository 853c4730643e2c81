package directory

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// inChain is Active Directory's rule that looks through nested groups by itself
// (LDAP_MATCHING_RULE_IN_CHAIN, MS-ADTS section 3.1.1.3.4.4.3).
const inChain = "1.2.840.113556.1.4.1941"

// The filters that are used where none is given.
const (
	DefaultUserFilter    = "(&(objectClass=person)(mail={email}))"
	DefaultGroupFilter   = "(&(objectClass=groupOfNames)(member={dn}))"
	ActiveUserFilter     = "(&(objectCategory=person)(objectClass=user)(|(mail={email})(userPrincipalName={email})))"
	ActiveGroupFilter    = "(&(objectClass=group)(member={dn}))"
	ActiveNestedInFilter = "(&(objectClass=group)(member:" + inChain + ":={dn}))"
)

// UserFilter puts what somebody typed in into a filter: {email} is all of it,
// {username} what stands before the @. Whatever is special in filters is escaped
// (RFC 4515 section 3), so that it stays one value.
func UserFilter(filter, name string) string {
	before, _, _ := strings.Cut(name, "@")
	return fill(filter, "{email}", name, "{username}", before)
}

// GroupFilter puts a member into a filter: {dn} is its distinguished name,
// {username} its name.
func GroupFilter(filter, dn, username string) string {
	return fill(filter, "{dn}", dn, "{username}", username)
}

func fill(filter string, pairs ...string) string {
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = ldap.EscapeFilter(pairs[i])
	}
	return strings.NewReplacer(pairs...).Replace(filter) // what was put in is not looked at again
}
