package store_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/secret/secrettest"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/gateway-manager/migrations"
)

func TestAnotherKeyTakesOver(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Service{Migrations: migrations.Files, Columns: store.Secrets(), Write: writeSecrets})
}

// writeSecrets makes an organization with shared policies, and an API with an
// upstream and a revision.
func writeSecrets(t *testing.T, d *db.DB, ring *secret.Keyring, n int) map[string]secrettest.Secret {
	t.Helper()
	ctx := secret.With(t.Context(), ring)
	s := store.New(d)
	t.Cleanup(s.Close)
	id, mark := "id-"+strconv.Itoa(n), secrettest.Mark(n)
	holds := unit.Policy{Type: "jwt", Config: unit.Raw(`{"secret":"` + mark + `"}`)}
	require.NoError(t, s.KnowOrganization(ctx, tenant.Organization{ID: id, Slug: "o" + strconv.Itoa(n), Name: "One"}, "user", "http://gw"))
	require.NoError(t, s.KeepSettings(ctx, id, policy.SharedSet{Platform: []unit.Policy{holds}}, 1))
	o := s.For(id)
	seed := func(ctx context.Context, _ *secret.Keyring) (string, error) {
		keys, err := o.SigningKeys(ctx)
		if err != nil {
			return "", err
		}
		return base64.StdEncoding.EncodeToString(keys[0].Seed()), nil
	}
	signs, err := seed(ctx, ring)
	require.NoError(t, err)

	dr := draft("/orders")
	dr.Upstreams[0].Auth = &unit.Auth{Bearer: mark}
	projects, err := o.AllProjects(ctx)
	require.NoError(t, err)
	a := &store.API{ProjectID: projects[0].ID, Slug: "orders"}
	require.NoError(t, o.CreateAPI(ctx, a, dr, "user"))
	require.NoError(t, s.Tx(ctx, func(tx *db.Tx) error {
		o := s.In(tx, id)
		locked, err := o.LockAPI(ctx, a.ID)
		if err != nil {
			return err
		}
		_, err = o.CreateRevision(ctx, &locked, &revision.Content{Draft: *dr, Effective: policy.EffectiveSet{Version: "e", API: []unit.Policy{holds}}}, "first", "user")
		return err
	}))
	return map[string]secrettest.Secret{
		"organizations.settings": {Text: mark, Read: func(ctx context.Context, _ *secret.Keyring) (string, error) {
			row, err := s.Organization(ctx, id)
			return row.Settings.Reveal(), err
		}},
		"manifest_keys.private_key": {Text: signs, Read: seed},
		"apis.upstreams": {Text: mark, Read: func(ctx context.Context, _ *secret.Keyring) (string, error) {
			row, err := o.API(ctx, a.ID)
			if err != nil {
				return "", err
			}
			got, err := o.Draft(ctx, &row)
			return string(asJSON(t, got.Upstreams)), err
		}},
		"revisions.content": {Text: mark, Read: func(ctx context.Context, _ *secret.Keyring) (string, error) {
			row, err := o.Revision(ctx, a.ID, 1)
			if err != nil {
				return "", err
			}
			got, err := o.State(ctx, &row)
			if err != nil {
				return "", err
			}
			return string(asJSON(t, got.Effective)), nil
		}},
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
