package authn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// What is denied wins over what is allowed, and boundaries bound all of it.
func TestDeniesAndBoundaries(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Hold(t, "o1", "u1", tenant.Granted{
		Grants: []tenant.Grant{
			{Role: "all", Permissions: []string{"*"}},
			{Role: "shipper", Permissions: []string{"deployment:deploy:stg", "*:*:dev"}},
		},
		Denies: []tenant.Grant{
			{Role: "no-p2", Permissions: []string{"api:*"}, Project: "p2"},
			{Role: "no-prd", Permissions: []string{"deployment:deploy:prd", "*:delete:prd"}},
			{Role: "a-while", Permissions: []string{"audit:read"}, ExpiresAt: clock.Now().Add(time.Second)},
		},
		Boundaries: []tenant.Boundary{
			{Role: "outer", Permissions: []string{"api:*", "audit:read", "deployment:*", "gateway:*", "user:read"}},
			{Role: "inner", Permissions: []string{"*:read", "*:update", "deployment:*", "gateway:delete:dev", "gateway:delete:prd"}},
		},
	})
	ctx := authn.With(t.Context(), ada, authn.NewAccess(tenants, quiet, clock.Now))
	for _, c := range []struct {
		permission string
		scope      authn.Scope
		want       authn.Decision
	}{
		{"api:read", authn.Scope{Project: "p1"}, authn.Decision{Allowed: true, Role: "all"}},
		{"api:read", authn.Scope{Project: "p2", API: "a"}, authn.Decision{DeniedBy: "no-p2"}},
		{"api:read", authn.Scope{}, authn.Decision{Allowed: true, Role: "all"}},
		{"api:delete", authn.Scope{}, authn.Decision{Boundary: "inner"}},
		{"role:read", authn.Scope{}, authn.Decision{Boundary: "outer"}},
		{"audit:read", authn.Scope{}, authn.Decision{DeniedBy: "a-while"}},
		{"deployment:deploy", authn.Scope{Environment: "e1", EnvironmentSlug: "stg"}, authn.Decision{Allowed: true, Role: "all"}},
		{"deployment:deploy", authn.Scope{Environment: "e2", EnvironmentSlug: "prd"}, authn.Decision{DeniedBy: "no-prd"}},
		{"deployment:deploy", authn.Scope{Environment: "e2"}, authn.Decision{DeniedBy: "no-prd"}}, // which one it is, is not known
		{"deployment:deploy", authn.Scope{}, authn.Decision{Allowed: true, Role: "all"}},
		{"gateway:delete", authn.Scope{Environment: "e0", EnvironmentSlug: "dev"}, authn.Decision{Allowed: true, Role: "all"}},
		{"gateway:delete", authn.Scope{Environment: "e0"}, authn.Decision{DeniedBy: "no-prd"}},
		{"gateway:delete", authn.Scope{Environment: "e1", EnvironmentSlug: "stg"}, authn.Decision{Boundary: "inner"}},
		{"gateway:delete", authn.Scope{}, authn.Decision{Boundary: "inner"}},
	} {
		d, err := authn.Allow(ctx, c.permission, c.scope)
		require.NoError(t, err)
		require.Equal(t, c.want, d, "%s %+v", c.permission, c.scope)
	}
	require.ErrorContains(t, authn.Require(ctx, "api:read", authn.Scope{Project: "p2"}), "is denied to you by the role no-p2")
	require.ErrorContains(t, authn.Require(ctx, "role:read", authn.Scope{}), "is outside your boundary, the role outer")
	require.Equal(t, &problem.Access{Permission: "api:read", Project: "p2", Reason: problem.LackDenied, By: "no-p2"}, problem.From(authn.Require(ctx, "api:read", authn.Scope{Project: "p2"})).Access)
	require.Equal(t, &problem.Access{Permission: "role:read", Reason: problem.LackBoundary, By: "outer"}, problem.From(authn.Require(ctx, "role:read", authn.Scope{})).Access)

	for permission, want := range map[string]authn.Reach{
		"api:read":          {In: []authn.Scope{{}}, Except: []authn.Scope{{Project: "p2"}}},
		"api:delete":        {},
		"user:read":         {In: []authn.Scope{{}}},
		"gateway:delete":    {In: []authn.Scope{{EnvironmentSlug: "dev"}}},
		"deployment:deploy": {In: []authn.Scope{{}}, Except: []authn.Scope{{EnvironmentSlug: "prd"}}},
	} {
		r, err := authn.Reaches(ctx, permission)
		require.NoError(t, err)
		require.ElementsMatch(t, want.In, r.In, permission)
		require.ElementsMatch(t, want.Except, r.Except, permission)
	}
	for permission, want := range map[string][]authn.Scope{"api:read": nil, "user:read": {{}}, "gateway:delete": nil} {
		s, err := authn.Scopes(ctx, permission)
		require.NoError(t, err)
		require.Equal(t, want, s, "%s: what cannot be said by ids is left out", permission)
	}
	require.NoError(t, authn.RequireAnywhere(ctx, "gateway:delete"))
	require.Equal(t, problem.CodeAccessDenied, code(t, authn.RequireAnywhere(ctx, "api:delete")))
	clock.Advance(time.Second)
	require.NoError(t, authn.Require(ctx, "audit:read", authn.Scope{}), "that deny has ended")
}

// Permissions that name an environment are for this one, and roles of several
// environments are not merged.
func TestPermissionsNameEnvironments(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1",
		tenant.Grant{Role: "dev", Permissions: []string{"deployment:*:dev", "gateway:read:dev"}, Project: "p1"},
		tenant.Grant{Role: "prd", Permissions: []string{"*:read:prd", "deployment:deploy:"}},
	)
	ctx := authn.With(t.Context(), ada, authn.NewAccess(tenants, quiet, clock.Now))
	dev, prd := authn.Scope{Project: "p1", Environment: "e1", EnvironmentSlug: "dev"}, authn.Scope{Project: "p1", Environment: "e2", EnvironmentSlug: "prd"}
	for _, c := range []struct {
		permission string
		scope      authn.Scope
		allowed    bool
	}{
		{"deployment:deploy", dev, true},
		{"deployment:deploy", prd, false},
		{"deployment:read", prd, true},
		{"gateway:read", dev, true},
		{"gateway:read", prd, true},
		{"gateway:update", prd, false},
		{"deployment:deploy", authn.Scope{Project: "p1"}, false},
		{"deployment:deploy", authn.Scope{Project: "p1", Environment: "e1"}, false},
		{"deployment:deploy", authn.Scope{Project: "p2", Environment: "e1", EnvironmentSlug: "dev"}, false},
	} {
		d, err := authn.Allow(ctx, c.permission, c.scope)
		require.NoError(t, err)
		require.Equal(t, c.allowed, d.Allowed, "%s %+v", c.permission, c.scope)
	}
}

// A token that is made for a part of what its owner may do bounds them, in its
// project and environment too.
func TestTokensBound(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Hold(t, "o1", "u1", tenant.Granted{
		Grants:     []tenant.Grant{{Role: "all", Permissions: []string{"*", "platform:*"}}, {Role: "shop", Permissions: []string{"api:read"}, Project: "p2"}},
		Denies:     []tenant.Grant{{Role: "no-plans", Permissions: []string{"plan:*"}}},
		Boundaries: []tenant.Boundary{{Token: "laptop", Permissions: []string{"*:read", "deployment:*"}, Project: "p1", Environment: ""}},
	})
	ctx := authn.With(t.Context(), ada, authn.NewAccess(tenants, quiet, clock.Now))
	for _, c := range []struct {
		permission string
		scope      authn.Scope
		want       authn.Decision
	}{
		{"api:read", authn.Scope{Project: "p1", API: "a"}, authn.Decision{Allowed: true, Role: "all"}},
		{"api:read", authn.Scope{Project: "p2"}, authn.Decision{Token: "laptop"}},
		{"api:read", authn.Scope{}, authn.Decision{Token: "laptop"}},
		{"api:update", authn.Scope{Project: "p1"}, authn.Decision{Token: "laptop"}},
		{"platform:read", authn.Scope{}, authn.Decision{Token: "laptop"}},
		{"plan:read", authn.Scope{Project: "p1"}, authn.Decision{DeniedBy: "no-plans"}},
		{"deployment:deploy", authn.Scope{Project: "p1", Environment: "e1"}, authn.Decision{Allowed: true, Role: "all"}},
	} {
		d, err := authn.Allow(ctx, c.permission, c.scope)
		require.NoError(t, err)
		require.Equal(t, c.want, d, "%s %+v", c.permission, c.scope)
	}
	reach, err := authn.Reaches(ctx, "api:read")
	require.NoError(t, err)
	require.Equal(t, []authn.Scope{{Project: "p1"}}, reach.In, "what was given elsewhere is out of reach")
	err = authn.Require(ctx, "api:update", authn.Scope{Project: "p1"})
	require.ErrorContains(t, err, "the token laptop is not made for the permission api:update in project p1")
}

// crowded is somebody in many groups, with denies and boundaries.
func crowded() tenant.Granted {
	in := tenant.Granted{
		Denies: []tenant.Grant{
			{Role: "freeze", Permissions: []string{"deployment:deploy:prd", "api:delete"}, Project: "p7"},
			{Role: "no-users", Permissions: []string{"user:*"}},
		},
		Boundaries: []tenant.Boundary{
			{Role: "staff", Permissions: []string{"*:read", "api:*", "deployment:*", "plan:*"}},
			{Role: "team", Permissions: []string{"*"}},
		},
	}
	for i := range 60 {
		in.Grants = append(in.Grants, tenant.Grant{
			Role: fmt.Sprintf("group-%d", i), Project: fmt.Sprintf("p%d", i),
			Permissions: []string{"api:*", "plan:read", "plan:update", "deployment:read", "deployment:deploy:dev", "deployment:deploy:stg", "*:read"},
		})
	}
	return in
}

func BenchmarkAllow(b *testing.B) {
	clock := testkit.NewClock()
	tenants := authntest.New(b)
	tenants.Hold(b, "o1", "u1", crowded())
	ctx := authn.With(b.Context(), ada, authn.NewAccess(tenants, quiet, clock.Now))
	at := authn.Scope{Project: "p59", API: "a1", Environment: "e1", EnvironmentSlug: "stg"}
	for b.Loop() {
		if d, err := authn.Allow(ctx, "deployment:deploy", at); err != nil || !d.Allowed {
			b.Fatal(d, err)
		}
	}
}

// A check from the cache allocates nothing, however much somebody was given.
func TestChecksAllocateNothing(t *testing.T) { //nolint:paralleltest // others would allocate meanwhile
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Hold(t, "o1", "u1", crowded())
	ctx := authn.With(t.Context(), ada, authn.NewAccess(tenants, quiet, clock.Now))
	at := authn.Scope{Project: "p59", API: "a1", Environment: "e1", EnvironmentSlug: "stg"}
	for permission, allowed := range map[string]bool{"deployment:deploy": true, "api:update": true, "user:read": false, "traffic:update": false} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			d, err := authn.Allow(ctx, permission, at)
			if err != nil || d.Allowed != allowed {
				t.Error(permission, d, err)
			}
		}), permission)
	}
}
