package tenantmanager_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/internal/operations"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// shape is what an answer shows of itself, but for what differs from request to
// request.
func shape(a answer, email string) map[string]string {
	out := map[string]string{"body": strings.NewReplacer(a.header.Get("X-Request-Id"), "ID", email, "EMAIL").Replace(a.body)}
	for name := range a.header {
		out[name] = a.header.Get(name)
	}
	for _, name := range []string{"X-Request-Id", "Date"} {
		delete(out, name)
	}
	return out
}

// Whatever anybody may ask with an e-mail address is answered the same way whether
// somebody has it or not, and by as many steps that take time: hashes that are
// computed, and questions to a directory. An operation that is new falls under it.
func TestNothingRevealsWhetherAnAccountExists(t *testing.T) {
	t.Parallel()
	var (
		mu    sync.Mutex
		steps []string
	)
	d := testkit.Slapd(t, entries)
	w := newWorld(t, func(c *tenantmanager.Config) {
		c.Outbound.AllowLoopback = true
		c.OnSlowStep = func(step string) {
			mu.Lock()
			defer mu.Unlock()
			steps = append(steps, step)
		}
	})
	owner := w.setUp(t)
	disabled := w.invite(t, owner, "disabled@example.com", `{"role":"viewer"}`).text(t, "user/id")
	require.Equal(t, 200, w.call(t, owner, "PATCH", "/users/"+disabled, `{"status":"disabled"}`, anyVersion...).status)
	require.Equal(t, 201, w.call(t, owner, "POST", "/invitations", `{"email":"invited@example.com","roles":[{"role":"viewer"}]}`).status)
	w.invite(t, owner, "local@acme.example", `{"role":"viewer"}`)
	w.connectDirectory(t, owner, d, nil, nil)
	require.Equal(t, 200, w.enter(t, "eve@acme.example", directoryWord).status)

	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	ops := operations.Public(all)
	asked := 0
	for _, op := range ops {
		if !op.Takes("email") {
			continue
		}
		asked++
		told := func(email string) (map[string]string, int, []string) {
			given := map[string]any{"password": "not the right one", "binding": binding}
			maps.Copy(given, triedWith[op.ID])
			given["email"] = email
			made, err := op.Request(1, given)
			require.NoError(t, err)
			mu.Lock()
			steps = nil
			mu.Unlock()
			a := w.call(t, "", op.Method, made.Target, made.Body)
			require.NotEqual(t, 422, a.status, a.body)
			require.NotEqual(t, 429, a.status, a.body)
			mu.Lock()
			defer mu.Unlock()
			return shape(a, email), a.status, slices.Clone(steps)
		}
		for nobody, somebody := range map[string][]string{
			"nobody@example.com":  {"ada@example.com", "disabled@example.com", "invited@example.com"},
			"nobody@acme.example": {"eve@acme.example", "local@acme.example", "max@acme.example"}, // linked, of this product alone, of the directory alone
		} {
			want, status, slow := told(nobody)
			for _, email := range somebody {
				got, s, sl := told(email)
				require.Equal(t, status, s, "%s: %s", op.ID, email)
				require.Equal(t, want, got, "%s: %s", op.ID, email)
				require.Equal(t, slow, sl, "%s: the steps that take time, for %s", op.ID, email)
			}
			if op.ID == "signIn" {
				require.Contains(t, slow, "hash", "they are counted")
				require.Equal(t, strings.HasSuffix(nobody, "acme.example"), slices.Contains(slow, "bind"), "they are counted")
			}
		}
	}
	require.GreaterOrEqual(t, asked, 4)
}
