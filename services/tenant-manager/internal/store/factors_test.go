package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func testFactors(t *testing.T, s *store.Store) {
	ctx := t.Context()
	org, other := organization(t, s, "factors"), organization(t, s, "factors-other")
	u := store.User{Name: "Ada", Email: "ada@factors.example"}
	tx(t, s, org, func(tx *store.Tx) error { return tx.CreateUser(ctx, &u) })
	hash := "h1"
	app := store.Factor{UserID: u.ID, Kind: "totp", Name: "Phone", Secret: secret.NewText("ABC")}
	now := s.Now()
	key := store.Factor{UserID: u.ID, Kind: "passkey", Name: "Laptop", Secret: secret.NewText("{}"), CredentialHash: &hash, RelyingParty: "a.test", ConfirmedAt: &now}
	tx(t, s, org, func(tx *store.Tx) error { return errors.Join(tx.CreateFactor(ctx, &app), tx.CreateFactor(ctx, &key)) })
	rows, err := s.For(org).Factors(ctx, u.ID)
	require.NoError(t, err)
	require.Len(t, rows, 1, "what is not set up is none")
	require.Equal(t, "{}", rows[0].Secret.Reveal())
	has, err := s.For(other).HasFactors(ctx, u.ID)
	require.NoError(t, err)
	require.Empty(t, has, "of another organization")
	err = s.Tx(ctx, other, by, func(tx *store.Tx) error {
		same := store.Factor{UserID: u.ID, Kind: "passkey", Secret: secret.NewText("{}"), CredentialHash: &hash}
		return tx.CreateFactor(ctx, &same)
	})
	require.ErrorIs(t, err, db.ErrDuplicate, "a passkey is of one user")
	found, err := s.FactorByCredential(ctx, hash)
	require.NoError(t, err)
	require.Equal(t, u.ID, found.UserID)

	tx(t, s, org, func(tx *store.Tx) error {
		require.NoError(t, tx.ConfirmFactor(ctx, u.ID, app.ID, 5))
		for step, want := range map[int64]bool{5: false, 4: false} {
			ok, err := tx.UseStep(ctx, app.ID, step)
			require.NoError(t, err)
			require.Equal(t, want, ok)
		}
		ok, err := tx.UseStep(ctx, app.ID, 6)
		require.NoError(t, err)
		require.True(t, ok)
		require.NoError(t, tx.UsedPasskey(ctx, key.ID, `{"n":1}`))
		require.NoError(t, tx.ReplaceRecoveryCodes(ctx, u.ID, []string{"a", "b"}))
		for _, want := range []bool{true, false} {
			ok, err := tx.UseRecoveryCode(ctx, u.ID, "a")
			require.NoError(t, err)
			require.Equal(t, want, ok)
		}
		return nil
	})
	row, err := s.For(org).Factor(ctx, u.ID, key.ID)
	require.NoError(t, err)
	require.JSONEq(t, `{"n":1}`, row.Secret.Reveal())
	left, err := s.For(org).RecoveryCodesLeft(ctx, u.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, left)

	c := store.Challenge{OrganizationID: org, UserID: u.ID, Purpose: "p", Hash: "c", ExpiresAt: now.Add(time.Minute)}
	require.NoError(t, s.CreateChallenge(ctx, &c))
	_, err = s.Challenge(ctx, "q", "c")
	require.ErrorIs(t, err, db.ErrNotFound, "of another purpose")
	require.NoError(t, s.SetChallengeData(ctx, c.ID, "data"))
	got, err := s.Challenge(ctx, "p", "c")
	require.NoError(t, err)
	require.Equal(t, "data", got.Data)
	tx(t, s, org, func(tx *store.Tx) error {
		for _, want := range []bool{true, false} {
			ok, err := s.TakeChallenge(ctx, tx, c.ID)
			require.NoError(t, err)
			require.Equal(t, want, ok)
		}
		n, err := tx.DropFactors(ctx, u.ID)
		require.EqualValues(t, 2, n)
		return err
	})
	_, err = s.ForgetChallenges(ctx, now)
	require.NoError(t, err)
}
