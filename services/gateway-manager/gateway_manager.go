// Package gatewaymanager keeps the APIs of projects with their revisions and
// deployments, environments, gateway groups and gateways, and brings what is
// deployed to the gateways. It knows policies and plans only as policy-manager
// hands them out, and consumers not at all.
package gatewaymanager

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/api"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/events"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fetch"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/publish"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/gateway-manager/migrations"
)

//go:embed openapi.yaml
var openapi []byte

// Part returns gateway-manager as a part of a process.
func Part(cfg Config) app.Part {
	return service.Part(service.Options{Name: gateway.Service, Config: cfg.Config, Migrations: migrations.Files, Secrets: store.Secrets()},
		func(_ context.Context, k *service.Kit) (http.Handler, error) { return build(k, cfg) })
}

func build(k *service.Kit, cfg Config) (http.Handler, error) {
	s, units := store.New(k.DB), publish.NewUnits(k.Bus)
	publisher, err := publish.New(publish.Options{
		Bus: k.Bus, Store: s, Units: units, Log: k.Log, Now: k.Now, Metrics: k.Metrics, With: k.With,
		Shared: func(ctx context.Context, organization string) (policy.SharedSet, error) {
			return bus.Ask(ctx, k.Bus, policy.Shared{Organization: organization})
		},
	})
	if err != nil {
		return nil, err
	}
	k.Go("publisher", func(ctx context.Context) error {
		defer publisher.Close()
		return publisher.Run(ctx)
	})
	e := &events.Events{
		Bus: k.Bus, Store: s, Units: units, Fleet: &fleet.Fleet{Store: s, Now: k.Now, Audit: k.Audit, Heartbeat: time.Duration(cfg.Gateways.Heartbeat)},
		PublicURL: cfg.Gateways.PublicURL, Wake: publisher.Wake, Log: k.Log, With: k.With,
	}
	for _, g := range cfg.Seed.Groups {
		e.Seeds = append(e.Seeds, events.Seed{
			Organization: g.Organization, Group: g.Group, Environment: g.Environment, PublicURL: g.PublicURL, Token: g.JoinToken.Reveal(),
		})
	}
	if err := e.Answer(); err != nil {
		return nil, fmt.Errorf("answering other services: %w", err)
	}
	k.Go("organizations", e.FollowOrganizations)
	k.Go("policies", e.FollowPolicies)
	k.Go("all organizations", e.Reconcile)
	k.Go("own changes", func(ctx context.Context) error { return listen(ctx, k.Bus, publisher) })
	server, err := k.Server(openapi)
	if err != nil {
		return nil, err
	}
	h := &api.Handlers{
		Store: s, Units: units, Policies: policies{k.Bus}, Audit: k.Audit, Wake: publisher.Wake, Now: k.Now,
		References: cfg.References,
		Fetcher: fetch.New(fetch.Options{
			MaxSize: document.MaxSize, Guard: cfg.Import.guard(), Timeout: time.Duration(cfg.Import.Timeout),
		}),
	}
	api.RegisterHandlers(server.API(), api.NewStrictHandler(h, nil))
	return server, nil
}

// listen wakes the publisher of this replica when another one has changed
// something. What a gateway reports, and that something was published, gives it
// nothing to do.
func listen(ctx context.Context, b *bus.Bus, p *publish.Publisher) error {
	return bus.Listen(ctx, b, func(_ context.Context, e gateway.FleetChanged) {
		if e.Gateway == "" && e.Version == 0 {
			p.Wake()
		}
	}, p.Wake)
}

// policies asks policy-manager.
type policies struct{ b *bus.Bus }

// Effective asks for all that applies to an API.
func (p policies) Effective(ctx context.Context, ask policy.Effective) (policy.EffectiveSet, error) {
	return bus.Ask(ctx, p.b, ask)
}

// Validate asks whether a gateway would accept a unit.
func (p policies) Validate(ctx context.Context, ask policy.Validate) (policy.Validated, error) {
	return bus.Ask(ctx, p.b, ask)
}
