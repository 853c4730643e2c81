package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gatehouse/gatehouse/libs/db"
)

// RoleHolders returns the ids of users and service accounts who have a role
// somewhere, by themselves or by a group, or to whom it is denied: in their order
// after an id, n at most. Ended grants do not count.
func (o *Org) RoleHolders(ctx context.Context, role, after string, n int) ([]string, error) {
	given := db.From[Grant](o.scope).Where("role_id = ? AND (expires_at IS NULL OR expires_at > ?)", role, o.store.Now())
	var ids, groups []string
	if err := given.Where("principal_kind <> ? AND principal_id > ?", KindGroup, after).Order("principal_id", false).Limit(n).
		Aggregate(ctx, &ids, "principal_id", "principal_id"); err != nil {
		return nil, fmt.Errorf("reading who has a role: %w", err)
	}
	if err := given.Where("principal_kind = ?", KindGroup).Aggregate(ctx, &groups, "principal_id", "principal_id"); err != nil {
		return nil, fmt.Errorf("reading which groups have a role: %w", err)
	}
	inside, err := o.insideAfter(ctx, groups, after, n)
	if err != nil {
		return nil, err
	}
	return firstOf(n, ids, inside), nil
}

// firstOf returns the first n of some ids, sorted, each once.
func firstOf(n int, lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(n, len(all))]
}

// insideAfter returns the ids of users and service accounts in groups, and in those
// that are in them: in their order after an id, n at most.
func (o *Org) insideAfter(ctx context.Context, groups []string, after string, n int) ([]string, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	all, err := o.withNested(ctx, groups)
	if err != nil {
		return nil, err
	}
	var inside []string
	if err := db.From[GroupMember](o.scope).Where("group_id IN ? AND member_kind <> ? AND member_id > ?", all, KindGroup, after).
		Order("member_id", false).Limit(n).Aggregate(ctx, &inside, "member_id", "member_id"); err != nil {
		return nil, fmt.Errorf("reading who is in a group: %w", err)
	}
	return inside, nil
}

// Place is where something is, by ids; "" = in all of them.
type Place struct {
	Project, API, Environment string
}

// around returns the place and those that it is in.
func (p Place) around() []Place {
	out := []Place{{}}
	for _, part := range []Place{{Project: p.Project}, {API: p.API}, {Environment: p.Environment}} {
		if part == (Place{}) {
			continue
		}
		for _, wider := range slices.Clone(out) {
			out = append(out, Place{cmp.Or(wider.Project, part.Project), cmp.Or(wider.API, part.API), cmp.Or(wider.Environment, part.Environment)})
		}
	}
	return out
}

// CustomRolesGiven returns the custom roles that somebody has, or that are denied to them.
func (o *Org) CustomRolesGiven(ctx context.Context) ([]Role, error) {
	return db.From[Role](o.scope).HasAny("id", db.From[Grant](o.scope).Column("role_id")).All(ctx)
}

// mostLookups is up to how many reads find who was given one role at one place each,
// in the order of an index. Of more, all are read and sorted.
const mostLookups = 100

// GivenAt returns the ids of users and service accounts to whom one of some roles was
// given for all that is at a place, by themselves or by a group: in their order after
// an id, n at most. Ended grants do not count, and denials are not looked at.
func (o *Org) GivenAt(ctx context.Context, roles []string, at Place, after string, n int) ([]string, error) {
	if len(roles) == 0 {
		return nil, nil
	}
	lasting := db.From[Grant](o.scope).Where("effect = ? AND (expires_at IS NULL OR expires_at > ?)", Allow, o.store.Now())
	around := at.around()
	anywhere := lasting.Where("role_id IN ?", roles).
		Where("project_id IN ? AND api_id IN ? AND environment_id IN ?", []string{"", at.Project}, []string{"", at.API}, []string{"", at.Environment})
	found := [][]string{}
	people := func(q db.Query[Grant]) error {
		var ids []string
		err := q.Where("principal_kind <> ? AND principal_id > ?", KindGroup, after).Order("principal_id", false).Limit(n).Aggregate(ctx, &ids, "principal_id", "principal_id")
		found = append(found, ids)
		return err
	}
	if len(roles)*len(around) > mostLookups {
		if err := people(anywhere); err != nil {
			return nil, fmt.Errorf("reading who has a role: %w", err)
		}
	} else {
		for _, role := range roles {
			for _, p := range around {
				if err := people(lasting.Where("role_id = ? AND project_id = ? AND api_id = ? AND environment_id = ?", role, p.Project, p.API, p.Environment)); err != nil {
					return nil, fmt.Errorf("reading who has a role: %w", err)
				}
			}
		}
	}
	groups, err := o.groupsGiven(ctx, lasting.Where("role_id IN ?", roles), around)
	if err != nil {
		return nil, fmt.Errorf("reading which groups have a role: %w", err)
	}
	inside, err := o.insideAfter(ctx, groups, after, n)
	if err != nil {
		return nil, err
	}
	return firstOf(n, append(found, inside)...), nil
}

// groupsGiven returns the groups among those to whom something was given at one of some
// places. They are found by an index that does not know where, in which they all are,
// and looked at then.
func (o *Org) groupsGiven(ctx context.Context, given db.Query[Grant], at []Place) ([]string, error) {
	var ids, out []string
	if err := given.Where("principal_kind = ?", KindGroup).Aggregate(ctx, &ids, "principal_id", ""); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), mostIn) {
		grants, err := given.Where("principal_id IN ?", some).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			if slices.Contains(at, Place{g.ProjectID, g.APIID, g.EnvironmentID}) {
				out = append(out, g.PrincipalID)
			}
		}
	}
	return out, nil
}
