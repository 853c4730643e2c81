package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// happened appends entries of a time to a trail.
func happened(t *testing.T, s *store.Store, org string, at time.Time, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, s.AppendAudit(t.Context(), audit.Recorded{
			ID: store.NewID(), Organization: org, Service: "gateway-manager", Action: "api.updated", Outcome: "done",
			Actor: audit.Actor{Kind: "user", ID: "u"}, Target: audit.Target{Kind: "api", ID: fmt.Sprint(i)}, Time: at.Add(time.Duration(i) * time.Second),
		}))
	}
}

// due returns the ids of the receivers of an organization that are due.
func due(t *testing.T, s *store.Store, org string) []string {
	t.Helper()
	rows, err := s.DueAuditReceivers(t.Context(), 1000)
	require.NoError(t, err)
	var out []string
	for _, r := range rows {
		if r.OrganizationID == org {
			require.Equal(t, "Bearer s", r.Secret.Reveal())
			out = append(out, r.ID)
		}
	}
	return out
}

func testReceivers(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "receivers-a"), organization(t, s, "receivers-b")
	r := store.AuditReceiver{Name: " SIEM ", Kind: store.HTTP, Address: "https://siem.test", Secret: secret.NewText("Bearer s"), Enabled: true}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateAuditReceiver(ctx, &r) })
	err := s.Tx(ctx, a, by, func(tx *store.Tx) error {
		return tx.CreateAuditReceiver(ctx, &store.AuditReceiver{Name: "siem", Kind: store.HTTP})
	})
	require.ErrorIs(t, err, db.ErrDuplicate)
	var raw string
	require.NoError(t, s.DB().Unscoped(ctx, "reading what is on the disk").Table("audit_receivers").Where("id = ?", r.ID).Pluck("secret", &raw).Error)
	require.NotContains(t, raw, "Bearer")
	_, err = s.For(b).AuditReceiver(ctx, r.ID)
	require.True(t, store.IsNotFound(err))

	require.Empty(t, due(t, s, a), "nothing has happened")
	happened(t, s, a, s.Now(), 3)
	require.Equal(t, []string{r.ID}, due(t, s, a))
	entries, err := s.For(a).AuditAfter(ctx, 1, time.Time{}, 10)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.EqualValues(t, 2, entries[0].Sequence)

	require.NoError(t, s.For(a).AuditReceiverFailed(ctx, r, "it is away", s.Now().Add(time.Hour)))
	require.Empty(t, due(t, s, a), "it is waited for")
	r, err = s.For(a).AuditReceiver(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, 1, r.Failures)
	require.Equal(t, "it is away", r.Error)
	r.Name = "Other"
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveAuditReceiver(ctx, &r) })
	require.Equal(t, []string{r.ID}, due(t, s, a), "a change has it tried at once")
	require.NoError(t, s.For(a).AuditReceiverSent(ctx, r.ID, 2))
	require.Equal(t, []string{r.ID}, due(t, s, a))
	require.NoError(t, s.For(a).AuditReceiverSent(ctx, r.ID, 3))
	require.NoError(t, s.For(a).AuditReceiverSent(ctx, r.ID, 1), "it does not go back")
	require.Empty(t, due(t, s, a))
	happened(t, s, a, s.Now(), 1)
	r, err = s.For(a).AuditReceiver(ctx, r.ID)
	require.NoError(t, err)
	require.EqualValues(t, 3, r.Sent)
	r.Enabled = false
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveAuditReceiver(ctx, &r) })
	require.Empty(t, due(t, s, a), "it is switched off")

	err = s.Tx(ctx, a, by, func(tx *store.Tx) error { return tx.DeleteAuditReceiver(ctx, r.ID, r.Version-1) })
	require.True(t, problem.Is(err, problem.CodePreconditionFailed))
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteAuditReceiver(ctx, r.ID, r.Version) })
	rows, err := s.For(a).AuditReceivers(ctx)
	require.NoError(t, err)
	require.Empty(t, rows)
}

func testRetention(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := organization(t, s, "retention-a")
	day := 24 * time.Hour
	happened(t, s, a, s.Now().Add(-100*day), 4)
	happened(t, s, a, s.Now().Add(-10*day), 2)
	trim := func(most int) (int64, error) {
		var n int64
		err := s.Tx(ctx, a, "", func(tx *store.Tx) error {
			_, count, err := tx.TrimAudit(ctx, most)
			n = count
			return err
		})
		return n, err
	}
	n, err := trim(10)
	require.NoError(t, err)
	require.Zero(t, n, "for ever")
	ids, err := s.TrimmedTrails(ctx)
	require.NoError(t, err)
	require.NotContains(t, ids, a)
	set := func(days int, version int64) error {
		return s.Tx(ctx, a, by, func(tx *store.Tx) error {
			_, _, err := tx.SetAuditRetention(ctx, days, version)
			return err
		})
	}
	require.NoError(t, set(30, 1))
	require.True(t, problem.Is(set(60, 1), problem.CodePreconditionFailed))
	require.NoError(t, set(30, db.AnyVersion))
	ids, err = s.TrimmedTrails(ctx)
	require.NoError(t, err)
	require.Contains(t, ids, a)

	// A receiver has the first two only.
	r := store.AuditReceiver{Name: "SIEM", Kind: store.HTTP, Address: "https://siem.test", Enabled: true, Sent: 2}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateAuditReceiver(ctx, &r) })
	n, err = trim(10)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	require.NoError(t, s.For(a).AuditReceiverSent(ctx, r.ID, 6))
	n, err = trim(1)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "in batches")
	n, err = trim(10)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	n, err = trim(10)
	require.NoError(t, err)
	require.Zero(t, n, "the rest is not old")

	kept, err := s.For(a).AuditRetention(ctx)
	require.NoError(t, err)
	require.Equal(t, []int64{5, 6, 30}, []int64{kept.First, kept.Last, int64(kept.Days)})
	v, err := s.For(a).VerifyAudit(ctx)
	require.NoError(t, err)
	require.Zero(t, v.BrokenAt, "what is left verifies")
	require.EqualValues(t, 2, v.Entries)
	happened(t, s, a, s.Now(), 1)
	v, err = s.For(a).VerifyAudit(ctx)
	require.NoError(t, err)
	require.Zero(t, v.BrokenAt)
	require.NoError(t, s.DB().Unscoped(ctx, "somebody with the password of the database").
		Exec("DELETE FROM audit_entries WHERE organization_id = ? AND sequence = 5", a).Error)
	v, err = s.For(a).VerifyAudit(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 5, v.BrokenAt, "what is removed besides shows")
	require.NoError(t, errors.Join(set(0, db.AnyVersion)))
}
