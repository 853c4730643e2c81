package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	// mostGroups bounds the groups of one person, mostLevels how far up nested ones
	// are followed, atOnce how many are looked for in one search.
	mostGroups = 2000
	mostLevels = 8
	atOnce     = 50
	groupsPage = 500
)

// ByDN is the name of no attribute: groups are told by their distinguished names.
const ByDN = "dn"

// groups returns the names of the groups that an entry is in, sorted: directly,
// and where the settings say so by being in groups that are in others.
func (a *asking) groups(e *ldap.Entry, typed string) ([]string, error) {
	before, _, _ := strings.Cut(typed, "@")
	username := cmp.Or(e.GetEqualFoldAttributeValue("uid"), e.GetEqualFoldAttributeValue("sAMAccountName"), before)
	found, err := a.search(GroupFilter(a.s.GroupFilter, e.DN, username))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{} // so that circles end
	var names []string
	for level := 0; len(found) > 0; level++ {
		var above []string
		for _, g := range found {
			if key := fold(g.DN); !seen[key] {
				seen[key] = true
				above = append(above, g.DN)
				names = append(names, a.groupName(g))
			}
		}
		if len(names) > mostGroups {
			return nil, &UnavailableError{fmt.Sprintf("%s is in more than %d groups: have the group filter find fewer", short(e.DN), mostGroups)}
		}
		// Active Directory has looked through nested ones already.
		if !a.s.NestedGroups || level == mostLevels || strings.Contains(a.s.GroupFilter, inChain) || !strings.Contains(a.s.GroupFilter, "{dn}") {
			break
		}
		if found, err = a.searchAbove(above); err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// searchAbove returns the groups that groups are in.
func (a *asking) searchAbove(dns []string) ([]*ldap.Entry, error) {
	var out []*ldap.Entry
	for some := range slices.Chunk(dns, atOnce) {
		var filters strings.Builder
		for _, dn := range some {
			filters.WriteString(GroupFilter(a.s.GroupFilter, dn, ""))
		}
		found, err := a.search("(|" + filters.String() + ")")
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (a *asking) search(filter string) ([]*ldap.Entry, error) {
	attributes := []string{"1.1"} // none (RFC 4511 section 4.5.1.8)
	if a.s.GroupNameAttribute != ByDN {
		attributes = []string{a.s.GroupNameAttribute}
	}
	r := ldap.NewSearchRequest(a.s.GroupBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, int(answerTimeout/time.Second), false, filter, attributes, nil)
	found, err := a.conn.SearchWithPaging(r, groupsPage)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, a.wrong(err, "looking for groups below "+a.s.GroupBase+", which is not there or may not be seen")
	case err != nil:
		return nil, a.wrong(err, "looking for groups below "+a.s.GroupBase+" by "+filter)
	}
	return found.Entries, nil
}

func (a *asking) groupName(g *ldap.Entry) string {
	if a.s.GroupNameAttribute == ByDN {
		return g.DN
	}
	return cmp.Or(g.GetEqualFoldAttributeValue(a.s.GroupNameAttribute), g.DN)
}

// fold returns a distinguished name as it is told from others.
func fold(dn string) string {
	if parsed, err := ldap.ParseDN(dn); err == nil {
		dn = parsed.String()
	}
	return strings.ToLower(dn)
}
