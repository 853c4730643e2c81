package api

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Whom the policy is about is decided by what somebody may do in the end, by themselves
// and by groups, without what is denied to them: never by the name of a role.

// spares reports whether the policy cannot lock a user out who holds so much.
func spares(u store.User, held access.Holding, now time.Time) bool {
	return u.BreakGlass && access.IsOwner(held, now)
}

// binds reports whether the addresses of the policy bind a user who holds so much.
func binds(u store.User, held access.Holding, now time.Time) bool {
	return !access.OnlyConsumes(held, now) && !spares(u, held, now)
}

// mostAtOnce is how many users are looked at with the same few queries.
const mostAtOnce = 1000

// askedForFactor counts the active users who have no second factor and are asked for
// one: all, or who administers.
func (h *Handlers) askedForFactor(ctx context.Context, org *store.Org, onlyAdministrators bool) (int, error) {
	now := h.store.Now()
	if onlyAdministrators {
		held, err := rights.Administrators(ctx, org)
		if err != nil {
			return 0, err
		}
		return withoutFactor(ctx, org, held, now)
	}
	all, err := org.UsersWithoutFactor(ctx)
	if err != nil {
		return 0, err
	}
	marked, err := org.BreakGlass(ctx)
	if err != nil || len(marked) == 0 {
		return int(all), err
	}
	ids := make([]string, len(marked))
	for i, u := range marked {
		ids[i] = u.ID
	}
	held, err := rights.HoldingsOf(ctx, org, ids)
	if err != nil {
		return 0, err
	}
	factors, err := org.HasFactors(ctx, ids...)
	for _, u := range marked {
		if spares(u, held[u.ID], now) && !factors[u.ID] {
			all--
		}
	}
	return int(all), err
}

// withoutFactor counts who of those who hold something may sign in, has no second
// factor and is not spared.
func withoutFactor(ctx context.Context, org *store.Org, held map[string]access.Holding, now time.Time) (n int, err error) {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(held)), mostAtOnce) {
		users, err := org.UsersByID(ctx, some)
		if err != nil {
			return n, err
		}
		factors, err := org.HasFactors(ctx, some...)
		if err != nil {
			return n, err
		}
		for _, u := range users {
			if u.Status == store.Active && !factors[u.ID] && !spares(u, held[u.ID], now) {
				n++
			}
		}
	}
	return n, nil
}

// countHeld counts which of some users the addresses of a policy bind.
func (h *Handlers) countHeld(ctx context.Context, org *store.Org, of map[string]bool) (n int, err error) {
	now := h.store.Now()
	for some := range slices.Chunk(slices.Sorted(maps.Keys(of)), mostAtOnce) {
		users, err := org.UsersByID(ctx, some)
		if err != nil {
			return n, err
		}
		held, err := rights.Holdings(ctx, org, some...)
		if err != nil {
			return n, err
		}
		for _, u := range users {
			if binds(u, held[u.ID], now) {
				n++
			}
		}
	}
	return n, nil
}
