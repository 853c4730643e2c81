package tenantmanager_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Who has the same password in several organizations goes from one to another without
// typing it again, as far as the other one lets them; nobody learns of an account that
// they have not proven to be theirs.
func TestGoingToAnotherOfOnesOrganizations(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	ctx, d := t.Context(), s.w.database(t)
	globex := s.w.organization(t, "globex", "ada@example.com")
	initech := s.w.organization(t, "initech", "ada@example.com")
	hash, err := password.NewHasher().Hash(ctx, "other words than those before")
	require.NoError(t, err)
	change := func(organization string, what func(u *store.User)) {
		t.Helper()
		require.NoError(t, d.Tx(ctx, organization, "", func(tx *store.Tx) error {
			u, err := tx.UserByEmail(ctx, "ada@example.com")
			require.NoError(t, err)
			what(&u)
			return tx.SaveUser(ctx, &u)
		}))
	}
	change(initech, func(u *store.User) { u.PasswordHash = hash })

	home := s.w.signIn(t, "ada@example.com", "default")
	list := func(token string) string { return s.w.call(t, token, "GET", "/me/organizations", "").body }
	require.Contains(t, list(home), `"slug":"default"`)
	require.Contains(t, list(home), `"entry":"at-once"`)
	require.NotContains(t, list(home), "initech", "the password is another one there")
	going := func(token, to string) answer {
		return s.w.call(t, token, "POST", "/me/organizations/"+to+"/session", `{}`)
	}
	require.Equal(t, 404, going(home, initech).status)
	require.Equal(t, 404, going(home, "nowhere").status)

	a := going(home, globex)
	require.Equal(t, 200, a.status, a.body)
	there := a.text(t, "accessToken")
	s.w.recordedAs(t, there, "user.signed-in", `"id":"`+s.w.call(t, there, "GET", "/me", "").text(t, "user/id"))
	require.Contains(t, s.w.call(t, there, "GET", "/organization", "").body, `"slug":"globex"`)
	first := s.w.call(t, home, "GET", "/organization", "").text(t, "id")
	back := going(there, first)
	require.Equal(t, 200, back.status, back.body)

	// What the other organization asks for holds.
	require.Equal(t, 200, s.w.call(t, there, "PATCH", "/security-policy", `{"sessionLifetimeHours":2}`, anyVersion...).status)
	s.w.clock.Advance(3 * time.Hour)
	home = s.w.signIn(t, "ada@example.com", "default")
	require.Contains(t, list(home), `"entry":"at-once"`, "signed in anew")
	s.w.clock.Advance(2*time.Hour + time.Minute)
	home = s.w.signIn(t, "ada@example.com", "default")
	change(globex, func(u *store.User) { u.PasswordHash = hash })
	require.Contains(t, list(home), `"reason":"password-changed"`)
	a = going(home, globex)
	require.Equal(t, 403, a.status)
	require.Contains(t, a.body, "confirmation-required")
	require.Contains(t, a.body, "globex asks for a fresh sign-in")
	change(globex, func(u *store.User) { u.Status = store.Disabled })
	require.NotContains(t, list(home), "globex")
	require.Equal(t, 404, going(home, globex).status)
}

// Whom an administrator signed out everywhere is not let in by what they proved before.
func TestSignedOutIsSignedOut(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	globex := s.w.organization(t, "globex", "ada@example.com")
	home := s.w.signIn(t, "ada@example.com", "default")
	s.w.clock.Advance(time.Second)
	require.NoError(t, s.w.database(t).Tx(t.Context(), globex, "", func(tx *store.Tx) error {
		u, err := tx.UserByEmail(t.Context(), "ada@example.com")
		require.NoError(t, err)
		_, err = tx.EndSessions(t.Context(), u.ID, "", "")
		return err
	}))
	require.Contains(t, s.w.call(t, home, "GET", "/me/organizations", "").body, `"reason":"signed-out"`)
	require.Equal(t, 403, s.w.call(t, home, "POST", "/me/organizations/"+globex+"/session", `{}`).status)
}

// Favourites and what was used last are kept for everybody by themselves.
func TestOrganizationsAtHand(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	owner := s.vars["owner"]
	ids := make([]string, 10)
	for i := range ids {
		ids[i] = s.w.organization(t, fmt.Sprintf("org%d", i), fmt.Sprintf("o%d@example.com", i))
	}
	mark := func(token, id, body string) int {
		return s.w.call(t, token, "PUT", "/me/organizations/"+id, body).status
	}
	require.Equal(t, 204, mark(owner, ids[1], `{"favourite":true}`))
	require.Equal(t, 204, mark(owner, ids[0], `{"favourite":true}`))
	for _, id := range ids {
		s.w.clock.Advance(time.Second)
		require.Equal(t, 204, mark(owner, id, `{"used":true}`))
	}
	type named []struct{ Slug string }
	slugs := func(list named) (out []string) {
		for _, o := range list {
			out = append(out, o.Slug)
		}
		return out
	}
	var got struct{ Favourites, Recent named }
	read := func() {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(s.w.call(t, owner, "GET", "/me/organizations", "").body), &got))
	}
	read()
	require.Equal(t, []string{"org0", "org1"}, slugs(got.Favourites))
	require.Equal(t, []string{"org9", "org8", "org7", "org6", "org5", "org4", "org3", "org2"}, slugs(got.Recent), "eight are kept")
	require.Equal(t, 204, mark(owner, ids[0], `{"favourite":false}`))
	read()
	require.Equal(t, []string{"org1"}, slugs(got.Favourites))
	require.Equal(t, 404, mark(owner, "nowhere", `{"favourite":true}`))
	require.Equal(t, 422, mark(owner, ids[0], `{}`))

	other := s.w.signIn(t, "o3@example.com", "org3")
	require.Equal(t, 404, mark(other, ids[1], `{"favourite":true}`), "not theirs, and not to be known")
	require.Equal(t, 204, mark(other, ids[3], `{"favourite":true}`))
	require.NotContains(t, s.w.call(t, other, "GET", "/me/organizations", "").body, "org1")
}
