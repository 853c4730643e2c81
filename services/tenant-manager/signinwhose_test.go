package tenantmanager_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Whose e-mail address is in several organizations is asked which one, and nobody
// else learns that there are several.
func TestSigningInToOneOfSeveralOrganizations(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	const otherWord = "other words than those before"
	s.w.organization(t, "globex", "ada@example.com") // with the same password
	third := s.w.organization(t, "initech", "boss@example.com")
	d, ctx := s.w.database(t), t.Context()
	hash, err := password.NewHasher().Hash(ctx, otherWord)
	require.NoError(t, err)
	var there string
	require.NoError(t, d.Tx(ctx, third, "", func(tx *store.Tx) error {
		u := store.User{Name: "Ada", Email: "ada@example.com", PasswordHash: hash}
		err := tx.CreateUser(ctx, &u)
		there = u.ID
		if err != nil {
			return err
		}
		return tx.CreateGrant(ctx, &store.Grant{PrincipalID: u.ID, PrincipalKind: "user", RoleID: access.Owner})
	}))
	signIn := func(word, more string) answer {
		return s.w.call(t, "", "POST", "/sign-in", `{"email":"ada@example.com","password":"`+word+`"`+more+`}`)
	}
	a := signIn(goodWord, "")
	require.Equal(t, 422, a.status, a.body)
	require.Contains(t, a.body, `"pointer":"/organization"`)
	require.Contains(t, a.body, `"choices":[{"value":"default","label":"Acme"},{"value":"globex","label":"globex"}]`)
	require.NotContains(t, a.body, "initech", "the password is not right there")

	for slug, status := range map[string]int{"default": 200, "globex": 200, "initech": 401, "nowhere": 401} {
		a := signIn(goodWord, `,"organization":"`+slug+`"`)
		require.Equal(t, status, a.status, "%s: %s", slug, a.body)
		if status == 200 {
			require.Equal(t, slug, a.text(t, "organization/slug"))
		}
	}
	a = signIn(otherWord, "")
	require.Equal(t, 200, a.status, "it is right in one of them alone: %s", a.body)
	require.Equal(t, "initech", a.text(t, "organization/slug"))

	// A wrong password is answered alike, whoever has the address.
	wrong, nobody := signIn("no words that are right", ""), s.w.call(t, "", "POST", "/sign-in", `{"email":"nobody@example.com","password":"no words that are right"}`)
	plain := func(a answer) string { return strings.Split(a.body, `"instance"`)[0] }
	require.Equal(t, 401, wrong.status)
	require.Equal(t, plain(nobody), plain(wrong))

	// Who is disabled in one of them signs in to the other without being asked.
	require.NoError(t, d.Tx(ctx, third, "", func(tx *store.Tx) error {
		u, err := tx.User(ctx, there)
		require.NoError(t, err)
		u.Status = store.Disabled
		return tx.SaveUser(ctx, &u)
	}))
	require.Equal(t, 401, signIn(otherWord, "").status)

	// Being right in one's own organization does not forget guesses at another's.
	var last answer
	for range 30 {
		last = signIn("a guess at it", `,"organization":"globex"`)
		if last.status == 429 {
			break
		}
		signIn(goodWord, `,"organization":"default"`)
	}
	require.Equal(t, 429, last.status)
}
