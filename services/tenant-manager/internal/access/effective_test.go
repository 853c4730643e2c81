package access_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
)

// What the points say is what is decided, for random holdings, every permission
// and every place; and what is at no point is not allowed.
func TestPointsAgreeWithDecisions(t *testing.T) {
	t.Parallel()
	patterns := []string{"*", "api:*", "*:read", "deployment:*", "deployment:deploy:prd", "gateway:*:dev", "*:*:prd", "user:read", "plan:update", "user:impersonate", "platform:*"}
	environments := map[string]string{"": "", "e1": "prd", "e2": "dev"}
	var everyPlace []access.Scope
	for _, project := range []string{"", "p1", "p2"} {
		for _, api := range []string{"", "a1"} {
			for environment := range environments {
				everyPlace = append(everyPlace, access.Scope{Project: project, API: api, Environment: environment})
			}
		}
	}
	var every []string
	for _, p := range access.Permissions() {
		every = append(every, p.Name)
		if slices.Contains(access.Environments(), p.Kind) {
			every = append(every, p.Name+":prd", p.Name+":dev")
		}
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 4))
		one := func() []string {
			return []string{patterns[random.IntN(len(patterns))], patterns[random.IntN(len(patterns))]}
		}
		var h access.Holding
		for i := range random.IntN(7) {
			g := access.Grant{ID: fmt.Sprint(i), Role: fmt.Sprint("r", i), Permissions: one(), Scope: everyPlace[random.IntN(len(everyPlace))], Deny: random.IntN(3) == 0}
			if random.IntN(3) == 0 {
				g.ExpiresAt = now.Add(time.Duration(random.IntN(3)-1) * time.Hour)
			}
			h.Grants = append(h.Grants, g)
		}
		if random.IntN(3) == 0 {
			h.Boundaries = append(h.Boundaries, access.Boundary{Role: "b", Permissions: one()})
		}
		active := random.IntN(8) > 0
		look := access.NewLookup(h, now)
		for _, p := range look.Points(nil, "") {
			said, because := look.At(p, active, "")
			decided, _ := access.Decide(active, h, p.Permission, "", p.Scope, now)
			require.Equal(t, decided, said, "seed %d: %v", seed, p)
			require.NotEmpty(t, because)
		}
		for _, at := range everyPlace {
			for _, slug := range []string{"", environments[at.Environment]} {
				points := look.Points(&at, slug)
				for _, permission := range every {
					if _, named := access.SplitEnvironment(permission); slug != "" && named != "" {
						continue // the place says which
					}
					decided, because := access.Decide(active, h, permission, slug, at, now)
					i := slices.Index(points, access.Point{Permission: permission, Scope: at})
					if i < 0 && active {
						// A name with an environment that nothing mentions is that without.
						base, named := access.SplitEnvironment(permission)
						if j := slices.Index(points, access.Point{Permission: base, Scope: at}); named != "" && j >= 0 {
							i = j
						}
					}
					if i < 0 {
						require.False(t, decided, "seed %d: %s in %s: %v", seed, permission, at, because)
						continue
					}
					said, _ := look.At(points[i], active, slug)
					require.Equal(t, decided, said, "seed %d: %s in %s with %q", seed, permission, at, slug)
				}
			}
		}
		// Whatever is allowed or denied anywhere is so at one of the points of all places.
		all := look.Points(nil, "")
		require.True(t, slices.IsSortedFunc(all, access.Point.Compare))
		for _, at := range everyPlace {
			for _, permission := range every {
				decided, because := access.Decide(true, h, permission, "", at, now)
				base, _ := access.SplitEnvironment(permission)
				forbidden := slices.ContainsFunc(because, func(r access.Reason) bool { return r.Code == access.DeniedBy })
				if !decided && !forbidden {
					continue
				}
				require.True(t, slices.ContainsFunc(all, func(p access.Point) bool {
					if p.Permission != permission && p.Permission != base {
						return false
					}
					said, _ := look.At(p, true, "")
					return said == decided
				}), "seed %d: %s in %s", seed, permission, at)
			}
		}
	}
}

func TestPointsSayByWhat(t *testing.T) {
	t.Parallel()
	staff, all := access.Group{ID: "g1", Name: "staff"}, access.Group{ID: "g2", Name: "all"}
	later := now.Add(time.Hour)
	h := access.Holding{
		Grants: []access.Grant{
			{ID: "own", Role: "planner", Permissions: []string{"plan:*"}, Scope: access.Scope{Project: "p1"}},
			{ID: "nested", Role: "auditor", Permissions: []string{"plan:read", "user:read"}, Via: []access.Group{staff, all}},
			{ID: "boxed", Role: "helper", Permissions: []string{"plan:approve", "group:read"}, ExpiresAt: later},
			{ID: "over", Role: "past", Permissions: []string{"project:read"}, ExpiresAt: now},
			{ID: "no", Role: "freeze", Permissions: []string{"plan:update"}, Scope: access.Scope{Environment: "e1"}, Deny: true, Via: []access.Group{staff}},
			{ID: "no-more", Role: "thaw", Permissions: []string{"user:read"}, Deny: true, ExpiresAt: now},
		},
		Boundaries: []access.Boundary{{Role: "edge", Permissions: []string{"plan:*", "user:*", "project:*"}, Via: []access.Group{staff}}},
	}
	type line struct {
		point   access.Point
		allowed bool
		by      string
	}
	var got []line
	look := access.NewLookup(h, now)
	for _, p := range look.Points(nil, "") {
		allowed, because := look.At(p, true, "")
		by := ""
		for _, r := range because {
			by += fmt.Sprintf("%s %s/%d ", r.Code, r.Role, len(r.Via))
		}
		got = append(got, line{p, allowed, by})
	}
	p1 := access.Scope{Project: "p1"}
	require.Equal(t, []line{
		{access.Point{Permission: "user:read"}, true, "granted auditor/2 "},
		{access.Point{Permission: "group:read"}, false, "outside-boundary edge/1 granted helper/0 "},
		{access.Point{Permission: "project:read"}, false, "expired past/0 "},
		{access.Point{Permission: "plan:read"}, true, "granted auditor/2 "},
		{access.Point{Permission: "plan:read", Scope: p1}, true, "granted planner/0 granted auditor/2 "},
		{access.Point{Permission: "plan:create", Scope: p1}, true, "granted planner/0 "},
		{access.Point{Permission: "plan:update", Scope: access.Scope{Environment: "e1"}}, false, "denied freeze/1 "},
		{access.Point{Permission: "plan:update", Scope: p1}, true, "granted planner/0 "},
		{access.Point{Permission: "plan:update", Scope: access.Scope{Project: "p1", Environment: "e1"}}, false, "denied freeze/1 granted planner/0 "},
		{access.Point{Permission: "plan:delete", Scope: p1}, true, "granted planner/0 "},
	}, got)

	allowed, because := access.NewLookup(h, now).At(access.Point{Permission: "user:read"}, false, "")
	require.False(t, allowed)
	require.Equal(t, access.Disabled, because[0].Code)
	require.Equal(t, access.Granted, because[1].Code)
	require.Equal(t, later, access.Holding{Grants: h.Grants}.Grants[2].ExpiresAt)
	_, because = access.NewLookup(access.Holding{Grants: h.Grants}, now).At(access.Point{Permission: "group:read"}, true, "")
	require.Equal(t, later, because[0].ExpiresAt, "until when")
}

// Who holds hundreds of grants has thousands of points: to look at them all takes some
// milliseconds.
func BenchmarkLookup(b *testing.B) {
	var h access.Holding
	roles := access.BuiltIn()
	for i := range 240 {
		r := roles[i%len(roles)]
		h.Grants = append(h.Grants, access.Grant{ID: fmt.Sprint(i), RoleID: r.ID, Role: r.Name, Permissions: r.Permissions, Scope: access.Scope{Project: "p", API: fmt.Sprint("a", i)}})
	}
	for b.Loop() {
		look := access.NewLookup(h, now)
		for _, p := range look.Points(nil, "") {
			look.At(p, true, "")
		}
	}
}
