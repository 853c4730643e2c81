package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/policy-manager/migrations"
)

// A page of 50 among 10,000 policy sets, sorted and searched.
func BenchmarkPolicySets(b *testing.B) {
	ring, err := secret.ParseKeyring(secret.NewKey("k1"))
	require.NoError(b, err)
	s := store.New(dbtest.Open(b, db.SQLite, migrations.Files), ring)
	require.NoError(b, s.Change(b.Context(), "o1", func(o *store.Organization) error {
		for i := range 10_000 {
			set := store.Set{Slug: fmt.Sprintf("set-%05d", i), Name: fmt.Sprintf("Set %d", i*7919%10_000), Policies: []policies.Policy{limit(`{"limit":1,"window":"1m"}`)}}
			if err := o.CreateSet(context.WithoutCancel(b.Context()), &set); err != nil {
				return err
			}
		}
		return nil
	}))
	for name, q := range map[string]string{"all": "", "search": "set 99"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.For("o1").Sets(b.Context(), q, db.PageRequest{})
				require.NoError(b, err)
				require.NotEmpty(b, page.Items)
			}
		})
	}
}
