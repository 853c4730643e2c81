package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// A token has one row, however often it is swapped, and each of the ways in which it ends
// takes that row alone.
func testDelegations(t *testing.T, s *store.Store) {
	ctx, org := t.Context(), organization(t, s, "delegations")
	keep := func(token, family string, life time.Duration) string {
		t.Helper()
		d := store.OAuthDelegation{TokenKey: token, FamilyID: family, ClientID: "c1", UserID: "u1", SessionID: "s1", IssuedAt: s.Now(), ExpiresAt: s.Now().Add(life)}
		tx(t, s, org, func(tx *store.Tx) error { return tx.Delegate(ctx, &d) })
		require.NotEmpty(t, d.ID)
		return d.ID
	}
	there := func(id string) bool {
		t.Helper()
		got, err := s.For(org).OAuthDelegation(ctx, "u1", id)
		if store.IsNotFound(err) {
			return false
		}
		require.NoError(t, err)
		require.Equal(t, "c1", got.ClientID)
		_, err = s.For(org).OAuthDelegation(ctx, "u2", id)
		require.True(t, store.IsNotFound(err), "of nobody else")
		_, err = s.For("other").OAuthDelegation(ctx, "u1", id)
		require.True(t, store.IsNotFound(err), "nor of another organization")
		return true
	}
	one, two, three := keep("t1", "f1", time.Hour), keep("t2", "f1", time.Hour), keep("t3", "f3", -time.Second)
	require.Equal(t, one, keep("t1", "f1", time.Hour))
	tx(t, s, org, func(tx *store.Tx) error { return tx.EndOAuthDelegations(ctx, "x", "t1") })
	require.Equal(t, []bool{false, true, true}, []bool{there(one), there(two), there(three)})
	require.NoError(t, s.ForgetOAuth(ctx))
	require.Equal(t, []bool{true, false}, []bool{there(two), there(three)})
	tx(t, s, org, func(tx *store.Tx) error { return tx.EndOAuthDelegations(ctx, "f1", "x") })
	require.False(t, there(two))
}
