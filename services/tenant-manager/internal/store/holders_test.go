package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Who was given something at a place is found the same in many looks as in one, page
// by page, and of one organization alone.
func testGivenAt(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "given-a"), organization(t, s, "given-b")
	staff, team := group(t, s, a, "Staff"), group(t, s, a, "Team")
	past, later := s.Now().Add(-time.Hour), s.Now().Add(time.Hour)
	give := func(organization, to, kind, role string, at store.Place, effect string, until *time.Time) {
		t.Helper()
		tx(t, s, organization, func(tx *store.Tx) error {
			return tx.CreateGrant(ctx, &store.Grant{
				PrincipalID: to, PrincipalKind: kind, RoleID: role, ProjectID: at.Project, APIID: at.API, EnvironmentID: at.Environment, Effect: effect, ExpiresAt: until,
			})
		})
	}
	everywhere, p1 := store.Place{}, store.Place{Project: "p1"}
	api, elsewhere := store.Place{Project: "p1", API: "a1"}, store.Place{Project: "p1", API: "a2"}
	prd := store.Place{Environment: "prd"}
	give(a, "u1", store.KindUser, "viewer", everywhere, store.Allow, nil)
	give(a, "u1", store.KindUser, "viewer", p1, store.Allow, nil)
	give(a, "u2", store.KindUser, "viewer", p1, store.Allow, &later)
	give(a, "u3", store.KindUser, "viewer", api, store.Allow, nil)
	give(a, "u4", store.KindUser, "viewer", elsewhere, store.Allow, nil)
	give(a, "u5", store.KindUser, "viewer", prd, store.Allow, nil)
	give(a, "u6", store.KindUser, "viewer", everywhere, store.Allow, &past)
	give(a, "u7", store.KindUser, "viewer", everywhere, store.Deny, nil)
	give(a, "s8", store.KindServiceAccount, "auditor", everywhere, store.Allow, nil)
	give(a, "u0", store.KindUser, "other", everywhere, store.Allow, nil)
	give(a, staff.ID, store.KindGroup, "auditor", p1, store.Allow, nil)
	give(b, "x1", store.KindUser, "viewer", everywhere, store.Allow, nil)
	tx(t, s, a, func(tx *store.Tx) error {
		if err := tx.AddMember(ctx, &store.GroupMember{GroupID: staff.ID, MemberID: team.ID, MemberKind: store.KindGroup}); err != nil {
			return err
		}
		return tx.AddMember(ctx, &store.GroupMember{GroupID: team.ID, MemberID: "u9", MemberKind: store.KindUser})
	})

	two := []string{"viewer", "auditor"}
	var many []string // of which each at each place would be too many looks
	for range 60 {
		many = append(many, store.NewID())
	}
	for name, c := range map[string]struct {
		at   store.Place
		want []string
	}{
		"everywhere":            {everywhere, []string{"s8", "u1"}},
		"in a project":          {p1, []string{"s8", "u1", "u2", "u9"}},
		"of an API":             {api, []string{"s8", "u1", "u2", "u3", "u9"}},
		"in an environment":     {prd, []string{"s8", "u1", "u5"}},
		"of it in one":          {store.Place{Project: "p1", API: "a1", Environment: "prd"}, []string{"s8", "u1", "u2", "u3", "u5", "u9"}},
		"where nothing is held": {store.Place{Project: "p2"}, []string{"s8", "u1"}},
	} {
		for _, roles := range [][]string{two, slices.Concat(two, many)} {
			got, err := s.For(a).GivenAt(ctx, roles, c.at, "", 100)
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, "%s, %d roles", name, len(roles))
			after, paged := "", []string{}
			for {
				page, err := s.For(a).GivenAt(ctx, roles, c.at, after, 2)
				require.NoError(t, err, name)
				if len(page) == 0 {
					break
				}
				require.LessOrEqual(t, len(page), 2)
				after, paged = page[len(page)-1], append(paged, page...)
			}
			require.Equal(t, c.want, paged, "%s, %d roles, page by page", name, len(roles))
		}
	}
	none, err := s.For(a).GivenAt(ctx, nil, everywhere, "", 10)
	require.NoError(t, err)
	require.Empty(t, none)
}
