package rights

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// MostNested is how many groups deep a group can be.
const MostNested = 8

// Of returns all that bears on what somebody may do: see [Holdings].
func Of(ctx context.Context, o *store.Org, principal string) (access.Holding, error) {
	all, err := Holdings(ctx, o, principal)
	return all[principal], err
}

// Holdings returns all that bears on what each of the principals may do: what was
// given and denied to them and to the groups that they are in, ended grants too,
// with the permissions of the roles as they are now, and their boundaries. It
// takes the same few queries for one and for many.
func Holdings(ctx context.Context, o *store.Org, principals ...string) (map[string]access.Holding, error) {
	chains, err := Chains(ctx, o, principals...)
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(principals)
	for _, of := range chains {
		for _, c := range of {
			ids = append(ids, c[len(c)-1].ID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	grants, err := o.GrantsOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	boundaries, err := o.BoundariesOf(ctx, ids...)
	if err != nil || len(grants)+len(boundaries) == 0 {
		return map[string]access.Holding{}, err
	}
	var given []string
	grantsOf, boundariesOf := map[string][]store.Grant{}, map[string][]store.Boundary{}
	for _, g := range grants {
		grantsOf[g.PrincipalID] = append(grantsOf[g.PrincipalID], g)
		given = append(given, g.RoleID)
	}
	for _, b := range boundaries {
		boundariesOf[b.PrincipalID] = append(boundariesOf[b.PrincipalID], b)
		given = append(given, b.RoleID)
	}
	roles, err := RolesCalled(ctx, o, given...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]access.Holding, len(principals))
	for _, p := range principals {
		h := access.Holding{}
		add(&h, grantsOf[p], boundariesOf[p], roles, nil)
		for _, c := range chains[p] {
			last := c[len(c)-1].ID
			add(&h, grantsOf[last], boundariesOf[last], roles, c)
		}
		out[p] = h
	}
	return out, nil
}

// add adds what was given to one principal, with the permissions of its roles. A
// role that is gone gives nothing, and as a boundary leaves nothing.
func add(h *access.Holding, grants []store.Grant, boundaries []store.Boundary, roles map[string]access.Role, via []access.Group) {
	for _, g := range grants {
		r, ok := roles[g.RoleID]
		if !ok {
			continue
		}
		a := access.Grant{
			ID: g.ID, RoleID: r.ID, Role: r.Name, Permissions: r.Permissions, Deny: g.Effect == store.Deny, Via: via,
			Scope: access.Scope{Project: g.ProjectID, API: g.APIID, Environment: g.EnvironmentID},
		}
		if g.ExpiresAt != nil {
			a.ExpiresAt = g.ExpiresAt.UTC()
		}
		h.Grants = append(h.Grants, a)
	}
	for _, b := range boundaries {
		h.Boundaries = append(h.Boundaries, access.Boundary{Role: roles[b.RoleID].Name, Permissions: roles[b.RoleID].Permissions, Via: via})
	}
}

// Chains returns, for each principal, how it comes to each of the groups that it
// is in, the nearest first: the group that it is in itself, the one that this is
// in, up to that group.
func Chains(ctx context.Context, o *store.Org, principals ...string) (map[string][][]access.Group, error) {
	direct, err := o.Memberships(ctx, principals...)
	if err != nil || len(direct) == 0 {
		return nil, err
	}
	nesting, err := o.Nesting(ctx)
	if err != nil {
		return nil, err
	}
	parents := map[string][]string{}
	for _, m := range nesting {
		parents[m.MemberID] = append(parents[m.MemberID], m.GroupID)
	}
	begin := map[string][]string{}
	for _, m := range direct {
		begin[m.MemberID] = append(begin[m.MemberID], m.GroupID)
	}
	paths, groups := map[string][][]string{}, map[string]bool{}
	for p, first := range begin {
		paths[p] = climb(first, parents)
		for _, path := range paths[p] {
			groups[path[len(path)-1]] = true
		}
	}
	names := map[string]string{}
	rows, err := o.GroupsByID(ctx, slices.Sorted(maps.Keys(groups)))
	if err != nil {
		return nil, err
	}
	for _, g := range rows {
		names[g.ID] = g.Name
	}
	out := make(map[string][][]access.Group, len(paths))
	for p, of := range paths {
		for _, path := range of {
			chain := make([]access.Group, len(path))
			for i, id := range path {
				chain[i] = access.Group{ID: id, Name: names[id]}
			}
			out[p] = append(out[p], chain)
		}
	}
	return out, nil
}

// climb returns a shortest path to each group that the first ones are in, or are.
func climb(first []string, parents map[string][]string) [][]string {
	seen := map[string]bool{}
	var out [][]string
	queue := make([][]string, 0, len(first))
	for _, g := range first {
		queue = append(queue, []string{g})
	}
	for ; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		last := path[len(path)-1]
		if seen[last] {
			continue
		}
		seen[last] = true
		out = append(out, path)
		for _, up := range parents[last] {
			queue = append(queue, append(slices.Clone(path), up))
		}
	}
	return out
}

// Nests returns why a group cannot be put into another one; "" where it can: it
// would be in itself, or too deep.
func Nests(ctx context.Context, o *store.Org, parent, child string) (why string, err error) {
	nesting, err := o.Nesting(ctx)
	if err != nil {
		return "", err
	}
	up, down := map[string][]string{}, map[string][]string{}
	for _, m := range nesting {
		up[m.MemberID] = append(up[m.MemberID], m.GroupID)
		down[m.GroupID] = append(down[m.GroupID], m.MemberID)
	}
	for _, path := range climb([]string{parent}, up) {
		if path[len(path)-1] == child {
			return "a group cannot be in itself, neither directly nor through others", nil
		}
	}
	if height(parent, up, map[string]int{})+height(child, down, map[string]int{}) > MostNested {
		return fmt.Sprintf("groups can be %d deep, and this would be deeper", MostNested), nil
	}
	return "", nil
}

// height is the length of the longest path from a group, counting itself. known
// are those that were computed; there are no circles.
func height(group string, next map[string][]string, known map[string]int) int {
	if h, ok := known[group]; ok {
		return h
	}
	longest := 0
	for _, n := range next[group] {
		longest = max(longest, height(n, next, known))
	}
	known[group] = longest + 1
	return longest + 1
}

// Candidates returns the ids of the users and service accounts who were given a
// role with a permission somewhere, by themselves or by a group, sorted. What is
// denied to them, boundaries and ended grants are not looked at.
func Candidates(ctx context.Context, o *store.Org, permission string) ([]string, error) {
	with, err := given(ctx, o, permission)
	if err != nil {
		return nil, err
	}
	grants, err := o.GrantsWith(ctx, with)
	if err != nil {
		return nil, err
	}
	return holders(ctx, o, grants)
}

// CandidatesAt is as [Candidates], of those to whom it lasts for all that is at a
// place, after an id, n at most.
func CandidatesAt(ctx context.Context, o *store.Org, permission string, at access.Scope, after string, n int) ([]string, error) {
	with, err := given(ctx, o, permission)
	if err != nil {
		return nil, err
	}
	return o.GivenAt(ctx, with, store.Place{Project: at.Project, API: at.API, Environment: at.Environment}, after, n)
}

// given returns the ids of the roles with a permission somewhere that may have been
// given to somebody, sorted.
func given(ctx context.Context, o *store.Org, permission string) ([]string, error) {
	custom, err := o.CustomRolesGiven(ctx)
	if err != nil {
		return nil, err
	}
	roles := withBuiltIn(custom)
	var with []string
	for id, r := range roles {
		some := slices.ContainsFunc(access.Expand(r.Permissions), func(p string) bool {
			base, _ := access.SplitEnvironment(p)
			return base == permission
		})
		if some {
			with = append(with, id)
		}
	}
	slices.Sort(with)
	return with, nil
}

// holders returns the ids of those who have grants, by themselves or by a group,
// sorted.
func holders(ctx context.Context, o *store.Org, grants []store.Grant) ([]string, error) {
	var out, groups []string
	for _, g := range grants {
		if g.PrincipalKind == store.KindGroup {
			groups = append(groups, g.PrincipalID)
		} else {
			out = append(out, g.PrincipalID)
		}
	}
	inside, err := o.Inside(ctx, groups...)
	if err != nil {
		return nil, err
	}
	for _, m := range inside {
		out = append(out, m.MemberID)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
