package tenantmanager_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// Whoever signs out while an app is still at it is signed out of the app, too, whichever
// of the two is first, on every database.
func TestSigningOutWhileSigningIn(t *testing.T) {
	t.Parallel()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t, func(c *tenantmanager.Config) {
				if dialect != db.SQLite {
					c.Database.DSN = schema.NewSecret(dbtest.DSN(t, dialect))
				}
			})
			admin, tenant := a.atApp(t, "admin", adminBack), a.atApp(t, "tenant", tenantBack)
			for range 8 {
				parent := a.signIn(t, "ada@example.com", "default")
				first := tenant.enter(t, parent)
				token := admin.token(t, parent)
				var (
					both    sync.WaitGroup
					swapped answer
					out     answer
				)
				both.Go(func() { swapped = admin.swap(t, token.AccessToken) })
				both.Go(func() { out = a.call(t, first.text(t, "accessToken"), "POST", "/sign-out", "") })
				both.Wait()
				require.Equal(t, 204, out.status, out.body)
				require.Contains(t, []int{200, 401}, swapped.status, swapped.body)
				sessions := []string{parent, first.text(t, "accessToken")}
				if swapped.status == 200 {
					sessions = append(sessions, swapped.text(t, "accessToken"))
				}
				for _, s := range sessions {
					require.Equal(t, 401, a.call(t, s, "GET", "/me", "").status)
				}
			}
		})
	}
}
