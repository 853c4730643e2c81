package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Any number of organizations claim a domain, and one has it, whoever is faster:
// whether it is for single sign-on or for a directory.
func testDomains(t *testing.T, s *store.Store) {
	ctx := t.Context()
	const claimants = 6
	organizations := make([]string, claimants)
	ids := make([]string, claimants)
	for i := range claimants {
		organizations[i] = organization(t, s, fmt.Sprintf("claims-%d", i))
		tx(t, s, organizations[i], func(tx *store.Tx) error {
			d, err := tx.ClaimDomain(ctx, "raced.example")
			ids[i] = d.ID
			if err != nil {
				return err
			}
			if i%2 == 0 {
				return tx.CreateSSOConnection(ctx, &store.SSOConnection{Name: "ID", Kind: store.OIDC, Enabled: true, Secret: secret.NewText("x"), Scopes: []string{}, Roles: []string{}, GroupRoles: []store.SSOGroupRole{}, Domains: []string{"raced.example"}})
			}
			return tx.CreateSCIMDirectory(ctx, &store.SCIMDirectory{Name: "Directory", Enabled: true, Domains: []string{"raced.example"}})
		})
	}
	_, err := s.VerifiedDomain(ctx, "raced.example")
	require.ErrorIs(t, err, db.ErrNotFound, "nobody has proven it")
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		won   []string
		taken int
	)
	for i, o := range organizations {
		all.Go(func() {
			err := s.Tx(ctx, o, "", func(tx *store.Tx) error {
				d, err := tx.Domain(ctx, ids[i])
				if err != nil {
					return err
				}
				d.Verified, d.Method, d.NextCheckAt = &d.Domain, store.ByDNS, nil
				return tx.SaveDomain(ctx, &d)
			})
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, store.ErrDomainTaken) {
				taken++
				return
			}
			require.NoError(t, err)
			won = append(won, o)
		})
	}
	all.Wait()
	require.Len(t, won, 1)
	require.Equal(t, claimants-1, taken)
	d, err := s.VerifiedDomain(ctx, "raced.example")
	require.NoError(t, err)
	require.Equal(t, won[0], d.OrganizationID)
	for _, o := range organizations {
		page, err := s.For(o).Domains(ctx, store.DomainFilter{Search: "RACED"}, db.PageRequest{Sort: "domain"})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		want := store.DomainPending
		if o == won[0] {
			want = store.DomainVerified
		}
		require.Equal(t, want, page.Items[0].Status())
		connections, err := s.For(o).SSOConnections(ctx)
		require.NoError(t, err)
		directories, err := s.For(o).SCIMDirectories(ctx)
		require.NoError(t, err)
		var verified []string
		for _, c := range connections {
			verified = append(verified, c.Verified...)
		}
		for _, c := range directories {
			verified = append(verified, c.Verified...)
		}
		require.Equal(t, o == won[0], len(verified) == 1)
	}
	due, err := s.DueDomains(ctx, 100)
	require.NoError(t, err)
	for _, d := range due {
		require.NotEqual(t, won[0], d.OrganizationID)
	}
	rows, err := s.AllDomains(ctx, store.DomainFilter{Search: "raced", Status: store.DomainPending}, 1, 3)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.NotEmpty(t, rows[0].OrganizationSlug)

	// Given up, it is free, and neither leads there.
	tx(t, s, won[0], func(tx *store.Tx) error { return tx.UnclaimDomain(ctx, d.ID, db.AnyVersion) })
	_, err = s.VerifiedDomain(ctx, "raced.example")
	require.ErrorIs(t, err, db.ErrNotFound)
	tx(t, s, won[0], func(tx *store.Tx) error {
		_, err := tx.ClaimDomain(ctx, "raced.example")
		return err
	})
	again, err := s.For(won[0]).DomainNamed(ctx, "raced.example")
	require.NoError(t, err)
	require.Empty(t, again.ConnectionID+again.DirectoryID)
}
