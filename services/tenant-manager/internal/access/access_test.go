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
	platform := has(access.PlatformAdministrator)
	require.Equal(t, []string{"platform:read", "platform:create", "platform:update", "platform:delete"}, platform)
	require.Len(t, all, len(access.Permissions())-len(platform), "who owns an organization does not own the others")
	require.Equal(t, []string{"organization:delete", "user:impersonate"}, without(all, has("administrator")))
	for _, p := range has("auditor") {
		require.True(t, strings.HasSuffix(p, ":read"), p)
	}
	for role, wants := range map[string]struct{ yes, no string }{
		"project-owner": {"api:delete role:update project:delete application:update deployment:approve invitation:create", "project:create role:create user:read environment:update"},
		"publisher":     {"api:deploy plan:update subscription:approve portal:update", "user:read project:create gateway:update role:read credential:read"},
		"operator":      {"gateway:delete deployment:approve api:read", "api:update user:read plan:read"},
		"viewer":        {"api:read traffic:read", "api:update user:read audit:read credential:read"},
		"consumer":      {"application:create subscription:create credential:create portal:read", "subscription:approve subscription:update api:read traffic:read"},
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
	for _, bad := range []string{"", "api", "api:", ":read", "api:fly", "API:read", "*:*", "**", "audit:delete", "a*:read", "api:read ", "deployment:deploy:", "api:read:prd", "deployment:fly:prd", "deployment:deploy:PRD", "*::prd"} {
		require.Error(t, access.Check(bad), bad)
	}
	for _, good := range []string{"deployment:deploy:prd", "deployment:*:prd", "*:read:dev", "*:*:prd-2"} {
		require.NoError(t, access.Check(good))
	}
	require.Equal(t, []string{"deployment:*"}, access.Normalize([]string{"deployment:deploy:prd", "deployment:*"}))
	require.Equal(t, []string{"deployment:deploy:dev", "deployment:deploy:prd"}, access.Expand([]string{"deployment:deploy:dev", "deployment:deploy:prd", "api:read:prd"}))
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
		allowed, because := access.Decide(!c.inactive, access.Holding{Grants: c.grants}, c.permission, "", c.scope, now)
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
		require.Equal(t, c.missing, access.Missing(access.Holding{Grants: c.held}, c.permissions, c.scope, c.until, now), name)
	}
}

var everywhere = access.Scope{}

func TestDenialsAndBoundariesHaveReasons(t *testing.T) {
	t.Parallel()
	via := []access.Group{{ID: "g1", Name: "staff"}, {ID: "g2", Name: "all"}}
	h := access.Holding{
		Grants: []access.Grant{
			{ID: "1", Role: "publisher", Permissions: []string{"api:*", "deployment:*", "plan:read"}, Via: via},
			{ID: "2", Role: "freeze", Permissions: []string{"deployment:deploy:prd"}, Deny: true},
			{ID: "3", Role: "no-p2", Permissions: []string{"api:*"}, Scope: access.Scope{Project: "p2"}, Deny: true, Via: via[:1]},
		},
		Boundaries: []access.Boundary{{Role: "builders", Permissions: []string{"api:*", "deployment:*"}, Via: via[:1]}},
	}
	for name, c := range map[string]struct {
		permission, environment string
		scope                   access.Scope
		allowed                 bool
		first                   access.Code
		says                    string
	}{
		"through groups":         {permission: "api:read", allowed: true, first: access.Granted, says: "through the group staff, which is in all"},
		"denied through one":     {permission: "api:read", scope: access.Scope{Project: "p2", API: "a"}, first: access.DeniedBy, says: "denied through the group staff"},
		"outside the boundary":   {permission: "plan:read", first: access.OutsideBoundary, says: "the boundary builders through the group staff"},
		"denied there by slug":   {permission: "deployment:deploy", environment: "prd", first: access.DeniedBy, says: "freeze"},
		"denied there by name":   {permission: "deployment:deploy:prd", first: access.DeniedBy, says: "freeze"},
		"allowed elsewhere":      {permission: "deployment:deploy", environment: "dev", allowed: true, first: access.Granted, says: "deployment:deploy:dev"},
		"neither denied nor had": {permission: "user:read", first: access.OutsideBoundary, says: "builders"},
	} {
		allowed, because := access.Decide(true, h, c.permission, c.environment, c.scope, now)
		require.Equal(t, c.allowed, allowed, name)
		require.Equal(t, c.first, because[0].Code, name)
		require.Contains(t, because[0].Detail, c.says, name)
	}
	require.Equal(t, []string{"api:read", "api:create", "api:update", "api:delete", "api:deploy"}, access.All(access.Holding{Grants: h.Grants[:1], Boundaries: []access.Boundary{{Permissions: []string{"api:*"}}}}, now))
}

// What is denied to somebody, or outside their boundary, they do not hand on.
func TestHandingOnWithinDenialsAndBoundaries(t *testing.T) {
	t.Parallel()
	owner := access.Grant{Role: "owner", Permissions: []string{"*"}}
	deny := func(scope access.Scope, until time.Time, permissions ...string) access.Grant {
		return access.Grant{Role: "no", Permissions: permissions, Scope: scope, ExpiresAt: until, Deny: true}
	}
	for name, c := range map[string]struct {
		grants     []access.Grant
		boundary   []string
		permission string
		scope      access.Scope
		missing    string
	}{
		"denied":                          {grants: []access.Grant{owner, deny(everywhere, noEnd, "api:read")}, permission: "api:*", missing: "api:read"},
		"denied in a part":                {grants: []access.Grant{owner, deny(access.Scope{Project: "p"}, noEnd, "api:read")}, permission: "api:read", missing: "api:read"},
		"denied elsewhere":                {grants: []access.Grant{owner, deny(access.Scope{Project: "p"}, noEnd, "api:read")}, permission: "api:read", scope: access.Scope{Project: "q"}},
		"denied until now":                {grants: []access.Grant{owner, deny(everywhere, now, "api:read")}, permission: "api:read"},
		"denied in one environment":       {grants: []access.Grant{owner, deny(everywhere, noEnd, "deployment:deploy:prd")}, permission: "deployment:deploy", missing: "deployment:deploy"},
		"of another environment":          {grants: []access.Grant{owner, deny(everywhere, noEnd, "deployment:deploy:prd")}, permission: "deployment:deploy:dev"},
		"bounded":                         {grants: []access.Grant{owner}, boundary: []string{"api:read"}, permission: "api:*", missing: "api:create"},
		"in the boundary":                 {grants: []access.Grant{owner}, boundary: []string{"api:read"}, permission: "api:read"},
		"bounded to an environment":       {grants: []access.Grant{owner}, boundary: []string{"gateway:read:dev"}, permission: "gateway:read", missing: "gateway:read"},
		"one environment by all":          {grants: []access.Grant{owner}, permission: "gateway:read:dev"},
		"all by one environment":          {grants: []access.Grant{{Permissions: []string{"gateway:read:dev"}}}, permission: "gateway:read", missing: "gateway:read"},
		"one environment by the same one": {grants: []access.Grant{{Permissions: []string{"gateway:*:dev"}}}, permission: "gateway:read:dev"},
	} {
		h := access.Holding{Grants: c.grants}
		if c.boundary != nil {
			h.Boundaries = []access.Boundary{{Role: "b", Permissions: c.boundary}}
		}
		require.Equal(t, c.missing, access.Missing(h, []string{c.permission}, c.scope, noEnd, now), name)
	}
	require.True(t, access.IsOwner(access.Holding{Grants: []access.Grant{owner}}, now))
	require.False(t, access.IsOwner(access.Holding{Grants: []access.Grant{owner, deny(access.Scope{Project: "p"}, noEnd, "api:read")}}, now))
	require.False(t, access.IsOwner(access.Holding{Grants: []access.Grant{owner}, Boundaries: []access.Boundary{{Permissions: []string{"*:read"}}}}, now))

	lesser := access.Holding{Grants: []access.Grant{{Permissions: []string{"api:*"}}}}
	p, _ := access.Above(access.Holding{Grants: []access.Grant{owner}}, lesser, now)
	require.NotEmpty(t, p)
	p, _ = access.Above(access.Holding{Grants: []access.Grant{owner}, Boundaries: []access.Boundary{{Permissions: []string{"api:read"}}}}, lesser, now)
	require.Empty(t, p, "only what they may do in the end counts")
}

var noEnd = time.Time{}

// A token's boundary narrows what its owner holds, and where.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	owner := access.Holding{Grants: []access.Grant{{Permissions: []string{"*"}}}}
	require.True(t, access.IsOwner(owner, now))
	in := owner.Narrowed(access.Boundary{Permissions: []string{"*"}, Scope: access.Scope{Project: "p1"}})
	require.False(t, access.IsOwner(in, now))
	require.Empty(t, owner.Boundaries, "the other is as it was")
	require.Empty(t, access.Missing(in, []string{"api:read"}, access.Scope{Project: "p1", API: "a"}, time.Time{}, now))
	require.Equal(t, "api:read", access.Missing(in, []string{"api:read"}, access.Scope{Project: "p2"}, time.Time{}, now))
	require.Equal(t, "api:read", access.Missing(in, []string{"api:read"}, access.Scope{}, time.Time{}, now))
	require.Contains(t, access.All(in, now), "api:update")
	few := owner.Narrowed(access.Boundary{Permissions: []string{"api:read", "deployment:*"}})
	require.Equal(t, []string{"api:read", "deployment:read", "deployment:create", "deployment:update", "deployment:delete", "deployment:deploy", "deployment:approve"}, access.All(few, now))
	p, _ := access.Above(owner, few, now)
	require.NotEmpty(t, p)
}
