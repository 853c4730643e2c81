// Package bff is the back end of the browser apps, and the one address of an
// installation: it keeps sessions, hands requests on to the services over the
// bus, tells pages what changes, and serves their files. It owns sessions and
// nothing else; what somebody may do is decided by the services.
package bff

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatehouse/gatehouse/frontends"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/bff/internal/api"
	"github.com/gatehouse/gatehouse/services/bff/internal/live"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// Name is the service's.
const Name = "bff"

//go:embed openapi.yaml
var openapi []byte

// services are those whose APIs can be reached.
func services() []string {
	return []string{tenant.Service, gateway.Service, policy.Service, analysis.Service, portal.Service}
}

// Access is what bff does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service: Name, Asks: []string{tenant.Service}, Forwards: services(), Listens: services(),
		Buckets: []bus.BucketAccess{{Name: session.BucketName, Write: true}},
	}
}

var errNoKeyring = errors.New("secrets.keyring is not set: sessions are kept encrypted; make a key with openssl rand -hex 32")

// Part returns bff as a part of a process.
func Part(cfg Config) app.Part {
	return service.Part(service.Options{Name: Name, Config: cfg.Config, Public: true, Listening: cfg.Listening, Socket: cfg.Socket},
		func(ctx context.Context, k *service.Kit) (http.Handler, error) { return build(ctx, k, cfg) })
}

func build(ctx context.Context, k *service.Kit, cfg Config) (http.Handler, error) {
	if k.Keyring == nil {
		return nil, errNoKeyring
	}
	apps, err := browserApps(cfg)
	if err != nil {
		return nil, err
	}
	lifetime := cfg.Sessions.Lifetime.Std()
	store, err := openStore(ctx, k, cfg.Sessions)
	if err != nil {
		return nil, err
	}
	transports := map[string]http.RoundTripper{}
	for _, name := range services() {
		transports[name] = bus.Forward(k.Bus, name)
	}
	tenants := api.NewTenants(transports[tenant.Service])
	hub := live.NewHub()
	k.Go("live updates", func(ctx context.Context) error { return hub.Run(ctx, k.Bus) })
	s, err := k.Server(openapi, func(o *httpx.Options) { o.BodyLimit = cfg.BodyLimit })
	if err != nil {
		return nil, err
	}
	api.Register(s.Echo(), api.Options{
		Sessions: session.NewManager(store, k.Keyring, tenants, k.Now), Services: transports, Tenants: tenants,
		Verifier: k.Verifier, Access: k.Access, Hub: hub, Apps: apps, Organization: cfg.Organization, Organizations: cfg.Organizations, Lifetime: lifetime,
		Version: app.Build().Version, Log: k.Log, Now: k.Now, Stopping: ctx,
	})
	return api.Behind(cfg.TrustedProxies, cfg.ClientCertificateHeader, s), nil
}

func browserApps(cfg Config) (api.Apps, error) {
	var apps api.Apps
	open := cfg.Frontend
	if open == nil {
		open = func(name string) (http.Handler, error) { return frontends.Handler(frontends.App(name)) }
	}
	for _, a := range []struct {
		name, title, pattern string
		files                frontends.App
	}{
		{"admin", "Admin console", cfg.Apps.Admin, frontends.AdminConsole},
		{"tenant", "Tenant console", cfg.Apps.Tenant, frontends.TenantConsole},
		{"auth", "Auth console", cfg.Apps.Auth, frontends.TenantConsole},
		{"portal", "Developer portal", cfg.Apps.Portal, frontends.DeveloperPortal},
	} {
		if a.pattern == "" {
			continue
		}
		h, err := open(string(a.files))
		if err != nil {
			return apps, fmt.Errorf("opening the %s: %w", a.title, err)
		}
		apps.Add(a.name, a.title, a.pattern, h)
	}
	return apps, nil
}

// openStore returns where sessions are kept.
func openStore(ctx context.Context, k *service.Kit, cfg Sessions) (session.Store, error) {
	lifetime := cfg.Lifetime.Std()
	if cfg.Redis == nil {
		return session.NewBucket(ctx, k.Bus, lifetime)
	}
	r := cfg.Redis
	o := &redis.UniversalOptions{
		Addrs: r.Addresses, MasterName: r.Primary, IsClusterMode: r.Cluster, Username: r.Username, Password: r.Password.Reveal(),
		SentinelPassword: r.SentinelPassword.Reveal(), DB: r.Database, ClientName: Name,
		DialTimeout: 2 * time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
	}
	if r.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	client := redis.NewUniversalClient(o)
	k.Go("Redis", func(ctx context.Context) error {
		<-ctx.Done()
		return client.Close()
	})
	return session.NewRedis(client, r.Prefix+"gatehouse:session:", lifetime), nil
}
