package rights

import (
	"context"
	"maps"
	"slices"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// atOnce is how many principals are looked at with the same few queries.
const atOnce = 1000

// Administrators returns all users and service accounts who administer something of the
// organization ([access.Administers]), whether they may sign in or not, with what they
// hold. It looks only at those who were given a role that makes one of them, by
// themselves or by a group.
func Administrators(ctx context.Context, o *store.Org) (map[string]access.Holding, error) {
	given, err := o.RolesGiven(ctx)
	if err != nil {
		return nil, err
	}
	roles, err := RolesCalled(ctx, o, given...)
	if err != nil {
		return nil, err
	}
	now := o.Now()
	var with []string
	for id, r := range roles {
		if access.Administers(access.Holding{Grants: []access.Grant{{Permissions: r.Permissions}}}, now) {
			with = append(with, id)
		}
	}
	grants, err := o.GrantsWith(ctx, with)
	if err != nil {
		return nil, err
	}
	grants = slices.DeleteFunc(grants, func(g store.Grant) bool { return g.ExpiresAt != nil && !now.Before(*g.ExpiresAt) })
	ids, err := holders(ctx, o, grants)
	if err != nil {
		return nil, err
	}
	out, err := HoldingsOf(ctx, o, ids)
	maps.DeleteFunc(out, func(_ string, h access.Holding) bool { return !access.Administers(h, now) })
	return out, err
}

// HoldingsOf is as [Holdings], for any number of principals.
func HoldingsOf(ctx context.Context, o *store.Org, ids []string) (map[string]access.Holding, error) {
	out := make(map[string]access.Holding, len(ids))
	for some := range slices.Chunk(ids, atOnce) {
		held, err := Holdings(ctx, o, some...)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, held)
	}
	return out, nil
}
