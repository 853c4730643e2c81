package access_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
)

var now = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func TestRoles(t *testing.T) {
	t.Parallel()
	has := func(role string) []string {
		r, ok := access.BuiltInByName(role)
		require.True(t, ok, role)
		for _, p := range r.Permissions {
			require.NoError(t, access.Check(p), "%s: %s", role, p)
		}
		return access.Expand(r.Permissions)
	}
	all := has("owner")
	require.Len(t, all, len(access.Permissions()))
	require.Equal(t, []string{"organization:delete"}, without(all, has("administrator")))
	for _, p := range has("auditor") {
		require.True(t, strings.HasSuffix(p, ":read"), p)
	}
	for role, wants := range map[string]struct{ yes, no string }{
		"publisher": {"api:deploy plan:update subscription:approve portal:update", "user:read project:create gateway:update role:read credential:read"},
		"operator":  {"gateway:delete deployment:approve api:read", "api:update user:read plan:read"},
		"viewer":    {"api:read traffic:read", "api:update user:read audit:read credential:read"},
		"consumer":  {"application:create subscription:create credential:create portal:read", "subscription:approve subscription:update api:read traffic:read"},
	} {
		for p := range strings.FieldsSeq(wants.yes) {
			require.Contains(t, has(role), p, role)
		}
		for p := range strings.FieldsSeq(wants.no) {
			require.NotContains(t, has(role), p, role)
		}
	}
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool { return slices.Contains(some, p) })
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "api", "api:", ":read", "api:fly", "API:read", "*:*", "**", "audit:delete", "a*:read", "api:read "} {
		require.Error(t, access.Check(bad), bad)
	}
	require.Equal(t, []string{"*:read", "api:*"}, access.Normalize([]string{"api:*", "api:update", "*:read", "user:read", "api:*"}))
	require.Equal(t, []string{"*"}, access.Normalize([]string{"api:*", "*", "*:read"}))
}

func TestDecisionsHaveReasons(t *testing.T) {
	t.Parallel()
	inProject := access.Grant{ID: "g1", Role: "publisher", Permissions: []string{"api:*"}, Scope: access.Scope{Project: "p1"}}
	ended := access.Grant{ID: "g2", Role: "owner", Permissions: []string{"*"}, ExpiresAt: now}
	lasting := ended
	lasting.ExpiresAt = now.Add(time.Second)
	for name, c := range map[string]struct {
		inactive   bool
		grants     []access.Grant
		permission string
		scope      access.Scope
		allowed    bool
		codes      []access.Code
	}{
		"nothing given":      {permission: "api:read", codes: []access.Code{access.NoGrants}},
		"disabled":           {inactive: true, grants: []access.Grant{lasting}, permission: "api:read", codes: []access.Code{access.Disabled}},
		"in the project":     {grants: []access.Grant{inProject}, permission: "api:read", scope: access.Scope{Project: "p1", API: "a"}, allowed: true, codes: []access.Code{access.Granted}},
		"other project":      {grants: []access.Grant{inProject}, permission: "api:read", scope: access.Scope{Project: "p2"}, codes: []access.Code{access.OtherScope}},
		"everywhere":         {grants: []access.Grant{inProject}, permission: "api:read", codes: []access.Code{access.OtherScope}},
		"not in the role":    {grants: []access.Grant{inProject}, permission: "user:read", scope: access.Scope{Project: "p1"}, codes: []access.Code{access.NotInRole}},
		"at its last second": {grants: []access.Grant{ended}, permission: "api:read", codes: []access.Code{access.Expired}},
		"a second before":    {grants: []access.Grant{lasting}, permission: "api:read", allowed: true, codes: []access.Code{access.Granted}},
		"one of two":         {grants: []access.Grant{ended, inProject}, permission: "api:read", scope: access.Scope{Project: "p1"}, allowed: true, codes: []access.Code{access.Expired, access.Granted}},
	} {
		allowed, because := access.Decide(!c.inactive, c.grants, c.permission, c.scope, now)
		require.Equal(t, c.allowed, allowed, name)
		var codes []access.Code
		for _, r := range because {
			codes = append(codes, r.Code)
			require.NotEmpty(t, r.Detail)
		}
		require.Equal(t, c.codes, codes, name)
	}
}

func TestNobodyHandsOnWhatTheyDoNotHave(t *testing.T) {
	t.Parallel()
	grant := func(scope access.Scope, until time.Time, permissions ...string) []access.Grant {
		return []access.Grant{{Role: "r", Permissions: permissions, Scope: scope, ExpiresAt: until}}
	}
	administrator, _ := access.BuiltInByName("administrator")
	p1 := access.Scope{Project: "p1"}
	for name, c := range map[string]struct {
		held        []access.Grant
		permissions []string
		scope       access.Scope
		until       time.Time
		missing     string
	}{
		"all of it":                {held: grant(access.Scope{}, time.Time{}, "*"), permissions: []string{"*"}},
		"administrator, owner":     {held: grant(access.Scope{}, time.Time{}, administrator.Permissions...), permissions: []string{"*"}, missing: "organization:delete"},
		"administrator, itself":    {held: grant(access.Scope{}, time.Time{}, administrator.Permissions...), permissions: administrator.Permissions},
		"a part of the pattern":    {held: grant(access.Scope{}, time.Time{}, "api:read"), permissions: []string{"api:*"}, missing: "api:create"},
		"pattern by names":         {held: grant(access.Scope{}, time.Time{}, "portal:read", "portal:update"), permissions: []string{"portal:*"}},
		"project to organization":  {held: grant(p1, time.Time{}, "api:*"), permissions: []string{"api:read"}, missing: "api:read"},
		"project to the same":      {held: grant(p1, time.Time{}, "api:*"), permissions: []string{"api:read"}, scope: p1},
		"project to its API":       {held: grant(p1, time.Time{}, "api:*"), permissions: []string{"api:read"}, scope: access.Scope{Project: "p1", API: "a"}},
		"from an ended one":        {held: grant(access.Scope{}, now, "*"), permissions: []string{"api:read"}, missing: "api:read"},
		"longer than one's own":    {held: grant(access.Scope{}, now.Add(time.Hour), "*"), permissions: []string{"api:read"}, missing: "api:read"},
		"as long as one's own":     {held: grant(access.Scope{}, now.Add(time.Hour), "*"), permissions: []string{"api:read"}, until: now.Add(time.Hour)},
		"longer, with an end":      {held: grant(access.Scope{}, now.Add(time.Hour), "*"), permissions: []string{"api:read"}, until: now.Add(2 * time.Hour), missing: "api:read"},
		"from nothing":             {permissions: []string{"api:read"}, missing: "api:read"},
		"nothing needs no holding": {},
	} {
		require.Equal(t, c.missing, access.Missing(c.held, c.permissions, c.scope, c.until, now), name)
	}
}
