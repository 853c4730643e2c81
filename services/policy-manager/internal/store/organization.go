package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

// Room refuses a policy set more than the organization may have.
func (o *Organization) Room(ctx context.Context) error {
	if o.tx == nil {
		return errNoTx
	}
	return tenancy.Room(ctx, o.tx, o.scope.Organization(), tenant.ResourcePolicySets, o.sets)
}

func (o *Organization) sets(ctx context.Context) (int64, error) {
	return db.From[setRow](o.scope).Count(ctx)
}

// Holdings returns how much the organization has of what is kept here.
func (o *Organization) Holdings(ctx context.Context) (tenant.Counts, error) {
	n, err := o.sets(ctx)
	return tenant.Counts{Counts: map[tenant.Resource]int64{tenant.ResourcePolicySets: n}}, err
}

// Exporter hands out what an organization has here. hide masks the secrets of
// policies, security those of how a plan is secured.
func (s *Store) Exporter(hide func([]policies.Policy) []policies.Policy, security func(kind string, config json.RawMessage) json.RawMessage) *tenancy.Exporter {
	list := func(table string) func(context.Context, string, map[string]any) (any, error) {
		return func(_ context.Context, _ string, row map[string]any) (any, error) {
			var out []policies.Policy
			raw, err := s.opened(table, "policies", row)
			if err != nil || len(raw) == 0 {
				return nil, err
			}
			if err := json.Unmarshal(raw, &out); err != nil {
				return nil, fmt.Errorf("reading policies: %w", err)
			}
			return hide(out), nil
		}
	}
	return &tenancy.Exporter{DB: s.db, Kinds: map[string]string{"policy_lists": "policies"}, Show: map[string]func(context.Context, string, map[string]any) (any, error){
		"policy_sets.policies":         list("policy_sets"),
		"policy_set_versions.policies": list("policy_set_versions"),
		"plans.policies":               list("plans"),
		"plans.security_config": func(_ context.Context, _ string, row map[string]any) (any, error) {
			raw, err := s.opened("plans", "security_config", row)
			if err != nil || len(raw) == 0 {
				return nil, err
			}
			return security(fmt.Sprint(row["security"]), raw), nil
		},
		"policy_lists.policies": func(_ context.Context, _ string, row map[string]any) (any, error) {
			raw, err := s.opened("policy_lists", "policies", row)
			if err != nil || len(raw) == 0 {
				return nil, err
			}
			var out policies.OfAPI
			if err := json.Unmarshal(raw, &out); err != nil {
				return nil, fmt.Errorf("reading policies: %w", err)
			}
			out.API = hide(out.API)
			for operation, l := range out.Operations {
				out.Operations[operation] = hide(l)
			}
			return out, nil
		},
	}}
}

// opened decrypts a column.
func (s *Store) opened(table, column string, row map[string]any) ([]byte, error) {
	sealed, ok := row[column].(string)
	if !ok || sealed == "" {
		return nil, nil
	}
	return s.ring.Open(sealed, secret.Place{Table: table, Column: column, Row: fmt.Sprint(row["id"])})
}
