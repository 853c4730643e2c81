// Package analysismanager takes in the traffic records of all gateways and
// answers what happened: sums with percentiles, the log of requests, and why a
// request was answered as it was. It knows APIs, applications and plans only by
// the ids and names in records.
package analysismanager

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/api"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/events"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/analysis-manager/migrations"
)

//go:embed openapi.yaml
var openapi []byte

const (
	// sweepEvery is the time between two sweeps: until then, sums are read in
	// parts.
	sweepEvery = 10 * time.Second
	// sweepLease is how long another replica waits before it sweeps instead.
	sweepLease = 15 * time.Second
)

// Part returns analysis-manager as a part of a process.
func Part(cfg Config) app.Part {
	return app.Part{Name: analysis.Service, New: func(env app.Env) (app.Service, error) {
		return app.Func(func(ctx context.Context, ready func()) error { return run(ctx, ready, env, cfg) }), nil
	}}
}

func run(ctx context.Context, ready func(), env app.Env, cfg Config) error {
	o := service.Options{Name: analysis.Service, Config: cfg.Config}
	if len(cfg.Search.URLs) == 0 {
		o.Migrations = migrations.Files
	}
	var traffic store.Store
	defer func() { // when nothing asks it any more
		if c, ok := traffic.(interface{ Close() }); ok {
			c.Close()
		}
	}()
	return service.Run(ctx, ready, env, o, func(_ context.Context, k *service.Kit) (_ http.Handler, err error) {
		if traffic, err = cfg.store(k.DB); err != nil {
			return nil, err
		}
		return build(k, cfg, traffic)
	})
}

func build(k *service.Kit, cfg Config, traffic store.Store) (http.Handler, error) {
	keep := cfg.Retention
	in, err := events.NewIntake(k.Bus, traffic, time.Duration(keep.Records), k.Log, k.Now, k.Metrics)
	if err != nil {
		return nil, err
	}
	k.Go("records", func(ctx context.Context) error {
		defer in.Close(k.Metrics)
		return in.Run(ctx)
	})
	k.Go("announcing traffic", in.Announce)
	k.Go("owners of traffic", in.FollowOwners)
	k.Go("organizations", func(ctx context.Context) error { return events.FollowOrganizations(ctx, k.Bus, traffic) })
	k.Job(service.JobOptions{
		Name: "sweep", Every: sweepEvery, Lease: sweepLease, Failed: "old traffic could not be forgotten, or sums not merged; it is tried again",
	}, func(ctx context.Context) error {
		return traffic.Sweep(ctx, store.Retention{
			Now: k.Now(), Records: time.Duration(keep.Records), Minutes: time.Duration(keep.Minutes), Hours: time.Duration(keep.Hours),
		})
	})
	if err := events.Answer(k.Bus, traffic, cfg.minutes(), k.Now); err != nil {
		return nil, fmt.Errorf("answering other services: %w", err)
	}
	s, err := k.Server(openapi)
	if err != nil {
		return nil, err
	}
	h := api.Handlers{Store: traffic, Minutes: cfg.minutes(), Now: k.Now}
	api.RegisterHandlers(s.API(), api.NewStrictHandler(h, nil))
	return s, nil
}
