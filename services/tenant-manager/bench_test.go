package tenantmanager_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// BenchmarkLists is the API of the lists that people see, at 10,000 users. It
// reports the time that 95 of 100 calls stay below.
func BenchmarkLists(b *testing.B) {
	w := newWorld(b)
	owner := w.setUp(b)
	org := w.call(b, owner, "GET", "/me", "").text(b, "organization/id")
	s, ctx := w.database(b), b.Context()
	for from := 0; from < 10_000; from += 1000 {
		require.NoError(b, s.Tx(ctx, org, "", func(tx *store.Tx) error {
			for i := from; i < from+1000; i++ {
				u := store.User{Name: fmt.Sprintf("User %d", i*7919%10_000), Email: fmt.Sprintf("user%d@example.com", i)}
				if err := tx.CreateUser(ctx, &u); err != nil {
					return err
				}
				if err := tx.CreateGrant(ctx, &store.Grant{PrincipalID: u.ID, PrincipalKind: "user", RoleID: "viewer", ProjectID: fmt.Sprint(i % 50)}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for name, path := range map[string]string{
		"users": "/users", "users by email": "/users?sort=-email&limit=200", "users searched": "/users?q=user99&limit=50", "grants": "/grants?limit=200",
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				require.Equal(b, 200, w.call(b, owner, "GET", path, "").status)
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
