package gatewaymanager_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
)

// Two replicas on PostgreSQL share the work; when the one that publishes goes, the
// other one goes on.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	dsn := dbtest.DSN(t, db.Postgres)
	w := begin(t, func(c *gatewaymanager.Config) { c.Database.DSN = schema.NewSecret(dsn) })
	first := w.stop
	w.start()
	second := w.stop
	w.stop = func() { first(); second() }
	me := w.admin("one")
	gateways := []*fake{w.join("one", "default", "gw-1"), w.join("one", "default", "gw-2"), w.join("one", "default", "gw-3")}
	const apis = 8
	ids := make([]string, apis)
	for i := range ids {
		ids[i] = w.api(me, fmt.Sprintf("/api-%d", i))
	}
	round := func(name string) {
		var wg sync.WaitGroup
		deployments := make([]string, apis)
		for i, id := range ids {
			wg.Go(func() {
				// A replica that has just gone may take a request with it; to send it
				// again under the same key is harmless.
				w.eventually(func() bool {
					r, err := w.try(http.MethodPost, me, "/apis/"+id+"/deployments", object{"environment": "dev"}, "Idempotency-Key", name+id)
					if err != nil || r.status != 202 {
						return false
					}
					deployments[i] = r.text("id")
					return true
				}, "it is deployed")
			})
		}
		wg.Wait()
		for i, d := range deployments {
			require.NotEmpty(t, d)
			w.await(me, d, "live")
			for _, g := range gateways {
				var a unit.API
				w.eventually(func() (ok bool) { a, ok = g.serves(ids[i]); return ok }, "it has the API")
				require.Equal(t, fmt.Sprintf("/api-%d", i), a.BasePath)
			}
		}
	}
	round("first")
	first()
	round("second")
}
