package tenantmanager_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// What must not show to another organization does show to its own owner, in the same
// lists, by the same look: were they not apart, [TestOrganizationsAreApart] would see it.
func TestWhatIsNotApartShows(t *testing.T) {
	t.Parallel()
	o := newTwo(t)
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	lists, seen := 0, map[string]bool{}
	for _, op := range all {
		if op.Method != http.MethodGet || op.Public || strings.Contains(op.Path, "{") {
			continue
		}
		a := o.w.call(t, o.vars["owner"], http.MethodGet, op.Path, "")
		ids := o.shown(a.body, op.Path)
		if len(ids) > 0 {
			lists++
		}
		for _, id := range ids {
			seen[id] = true
		}
	}
	require.Greater(t, lists, 20, "so many answers would be a leak")
	for _, name := range []string{"ownerId", "org", "role", "account", "grant", "invitation", "receiver", "client", "scope", "group", "connection", "directory", "review", "webhook"} {
		require.True(t, seen[o.vars[name]], "%s is in no list: that it does not show elsewhere says nothing", name)
	}
}
