// Package policymanager is the service that owns policies, policy sets and plans:
// the catalogue of policy types, what is configured where, and whether gateways
// would take it.
package policymanager

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	contractgateway "github.com/gatehouse/gatehouse/libs/contract/gateway"
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/api"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/apis"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/check"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/events"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/policy-manager/migrations"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

//go:embed openapi.yaml
var openapi []byte

// Config is the configuration of the service.
type Config struct {
	service.Config
	// LimitMode says where limits of plans count that do not say it themselves:
	// "local" on each gateway by itself, "exact" or "fast" over all gateways,
	// which then need Redis.
	LimitMode string `json:"limitMode,omitempty" schema:"enum=local|exact|fast"`

	// Policies are the policy types there are, for gateways with types of their
	// own; nil = those that ship with Gatehouse.
	Policies []policy.Definition `json:"-"`
	// Listening, where not nil, is told the TCP address.
	Listening func(net.Addr) `json:"-"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	return Config{Config: service.DefaultConfig(), LimitMode: "local"}
}

var errNoKeyring = errors.New("secrets.keyring is not set: configurations of policies may hold secrets, which are stored encrypted; make a key with openssl rand -hex 32")

// Part returns the service as a part of a process.
func Part(cfg Config) app.Part {
	return service.Part(service.Options{
		Name: contract.Service, Config: cfg.Config, Migrations: migrations.Files, Secrets: store.Secrets(), Listening: cfg.Listening,
	},
		func(ctx context.Context, k *service.Kit) (http.Handler, error) { return build(ctx, k, cfg) })
}

func build(ctx context.Context, k *service.Kit, cfg Config) (http.Handler, error) {
	if k.Keyring == nil {
		return nil, errNoKeyring
	}
	if cfg.Policies == nil {
		cfg.Policies = policies.All()
	}
	registry, err := policy.NewRegistry(cfg.Policies...)
	if err != nil {
		return nil, fmt.Errorf("listing policy types: %w", err)
	}
	validator, err := gateway.NewValidator(registry)
	if err != nil {
		return nil, err
	}
	validator.Secrets = cfg.References.Stand()
	types, err := catalogue.New(registry, validator)
	if err != nil {
		return nil, err
	}
	bucket, err := k.Bus.Bucket(ctx, bus.BucketOptions{Name: contractgateway.Units, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	checker, known, kept := check.New(validator, types), apis.New(k.Bus, unitstore.New(bucket)), store.New(k.DB, k.Keyring)
	s, err := k.Server(openapi)
	if err != nil {
		return nil, err
	}
	api.RegisterHandlers(s.API(), api.NewStrictHandler(&api.Handlers{
		Kit: k, Store: kept, Types: types, Check: checker, APIs: known, LimitMode: cfg.LimitMode,
		Subscriptions: func(ctx context.Context, organization, plan string) (int64, error) {
			n, err := bus.Ask(ctx, k.Bus, portal.Subscribers{Organization: organization, Plan: plan})
			if err != nil {
				return 0, fmt.Errorf("asking for subscriptions of plan %s: %w", plan, err)
			}
			return n.Active + n.Pending, nil
		},
	}, nil))
	k.Go("deleted APIs", func(ctx context.Context) error { return events.Follow(ctx, k.Bus, kept) })
	answers := events.Answers{Store: kept, Check: checker, APIs: known, LimitMode: cfg.LimitMode, Types: types}
	organizations := tenancy.Follower{DB: k.DB, Bus: k.Bus, Log: k.Log}
	k.Go("organizations", organizations.Follow)
	k.Go("all organizations", organizations.Reconcile)
	return s, answers.Register(k.Bus)
}

// Access is what the service does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service: contract.Service, Durables: []string{events.Durable, tenancy.Durable},
		Asks: []string{tenant.Service, contractgateway.Service, portal.Service}, Listens: []string{tenant.Service},
		Buckets: []bus.BucketAccess{{Name: contractgateway.Units}},
	}
}
