package store_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/secret/secrettest"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/policy-manager/migrations"
)

func TestAnotherKeyTakesOver(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Service{Migrations: migrations.Files, Columns: store.Secrets(), Write: writeSecrets})
}

// writeSecrets makes a list of policies, a policy set and a plan.
func writeSecrets(t *testing.T, d *db.DB, ring *secret.Keyring, n int) map[string]secrettest.Secret {
	t.Helper()
	mark, org := secrettest.Mark(n), "o"+strconv.Itoa(n)
	holds := []policies.Policy{{ID: "p", Type: "jwt", Config: json.RawMessage(`{"secret":"` + mark + `"}`)}}
	at := store.Place{Level: store.API, Project: "pr", API: "a"}
	set := store.Set{Slug: "baseline", Name: "Baseline", Policies: holds, CreatedBy: "user:u"}
	gold := plan.Plan{
		API: "a", Project: "pr", Slug: "gold", Name: "Gold", Security: plan.JWT, SecurityConfig: json.RawMessage(`{"secret":"` + mark + `"}`),
		Approval: plan.Automatic, Status: plan.Draft, Policies: holds, CreatedBy: "user:u",
	}
	require.NoError(t, change(t, store.New(d, ring), org, func(ctx context.Context, o *store.Organization) error {
		if err := o.SetList(ctx, &store.List{At: at, Version: store.NeverSet, Of: policies.OfAPI{API: holds}}, "user:u"); err != nil {
			return err
		}
		if err := o.CreateSet(ctx, &set); err != nil {
			return err
		}
		return o.CreatePlan(ctx, &gold)
	}))
	reads := func(read func(ctx context.Context, o *store.Organization) (any, error)) secrettest.Secret {
		return secrettest.Secret{Text: mark, Read: func(ctx context.Context, ring *secret.Keyring) (string, error) {
			got, err := read(ctx, store.New(d, ring).For(org))
			if err != nil {
				return "", err
			}
			b, err := json.Marshal(got)
			return string(b), err
		}}
	}
	return map[string]secrettest.Secret{
		"policy_lists.policies": reads(func(ctx context.Context, o *store.Organization) (any, error) { return o.List(ctx, at) }),
		"policy_sets.policies":  reads(func(ctx context.Context, o *store.Organization) (any, error) { return o.Set(ctx, set.ID) }),
		"policy_set_versions.policies": reads(func(ctx context.Context, o *store.Organization) (any, error) {
			return o.SetVersions(ctx, set.ID, db.PageRequest{})
		}),
		"plans.policies": reads(func(ctx context.Context, o *store.Organization) (any, error) {
			p, err := o.Plan(ctx, gold.ID)
			return p.Policies, err
		}),
		"plans.security_config": reads(func(ctx context.Context, o *store.Organization) (any, error) {
			p, err := o.Plan(ctx, gold.ID)
			return p.SecurityConfig, err
		}),
	}
}
