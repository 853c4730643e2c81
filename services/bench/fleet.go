//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/standalone"
)

// fleet is the suite as it is installed for many gateways: each service a
// process with a database of its own, NATS on a port, and gateways that join
// with a token. Beside it are the upstream of the APIs, and a meter before NATS
// for each gateway.
type fleet struct {
	*bench
	bin      string
	nats     *embedded.Server
	services map[string]*process
	configs  map[string]object
	members  []*member
	upstream net.Listener
	// prototype is the API that the others are copies of, deployment its own.
	prototype, deployment string
	// size is how many copies there are.
	size int
	// versions counts the changes.
	versions int
}

// member is a gateway of the fleet.
type member struct {
	name    string
	process *process
	meter   *meter
	// traffic is where it takes requests.
	traffic string
	client  *http.Client
}

const (
	// group and environment are slugs that an installation has from the start.
	group       = "default"
	environment = "dev"
	// joinToken is for gateways on loopback that live as long as a measurement.
	joinToken = "join-a-fleet-that-is-measured-and-gone" //nolint:gosec // see above
	// operations is how many operations each API has.
	operations = 10
	// starting bounds how long the first build and the first fetch may take.
	starting = 10 * time.Minute
)

// fleet measures changes at a tenth of the APIs, and at all of them.
func (b *bench) fleet(ctx context.Context) (err error) {
	own := *b
	own.data, own.stores = filepath.Join(b.dir, "fleet"), map[string]*store{}
	own.api, own.token = "", ""
	f := &fleet{bench: &own, bin: filepath.Dir(b.binary), services: map[string]*process{}, configs: map[string]object{}}
	defer func() { b.rowsOut, b.missed = own.rowsOut, own.missed }()
	defer func() {
		if stopErr := f.stop(); err == nil {
			err = stopErr
		}
	}()
	if err := f.start(ctx); err != nil {
		return err
	}
	if err := f.seed(ctx); err != nil {
		return err
	}
	small, err := f.at(ctx, b.apis/10, max(b.changes/3, 1))
	if err != nil {
		return err
	}
	large, err := f.at(ctx, b.apis, b.changes)
	if err != nil {
		return err
	}
	return f.tell(small, large)
}

// start starts NATS and the services, and completes the first run.
func (f *fleet) start(ctx context.Context) error {
	if err := os.MkdirAll(f.data, 0o700); err != nil {
		return err
	}
	access := standalone.Services()
	for i := range f.gateways {
		f.members = append(f.members, &member{name: fmt.Sprintf("gateway-%02d", i)})
		access = append(access, gateway.Access(f.members[i].name, "default", group, f.members[i].name))
	}
	var err error
	if f.nats, err = embedded.Start(embedded.Options{Dir: filepath.Join(f.data, "nats"), Listen: "127.0.0.1:0", Access: access}); err != nil {
		return err
	}
	if err := f.serveUpstream(ctx); err != nil {
		return err
	}
	own := map[string]object{
		"tenant-manager": {"firstRun": object{"consoleURL": "http://apim-admin.localhost"}},
		"gateway-manager": {"seed": object{"groups": []object{{
			"organization": "default", "group": group, "environment": environment, "publicURL": "http://127.0.0.1:8000", "joinToken": joinToken,
		}}}},
		"bff": {"listen": "127.0.0.1:0"},
	}
	secrets := install.Dir{Path: filepath.Join(f.data, "secrets"), Owner: -1}
	for _, a := range standalone.Services() {
		keyring, err := secrets.Secret("keyring-"+a.Service, install.Keyring)
		if err != nil {
			return err
		}
		pepper, err := secrets.Secret("pepper-"+a.Service, install.Pepper)
		if err != nil {
			return err
		}
		c := object{
			"bus":     object{"url": "nats://" + f.nats.Addr(), "password": f.nats.For(a.Service).Password},
			"secrets": object{"keyring": keyring, "pepper": pepper},
		}
		if a.Service != "bff" {
			dsn := f.databases[a.Service]
			if dsn == "" {
				dsn = "sqlite:" + filepath.Join(f.data, a.Service+".db")
			}
			c["database"] = object{"dsn": dsn}
		}
		for k, v := range own[a.Service] {
			c[k] = v
		}
		f.configs[a.Service] = c
		if err := f.serve(ctx, a.Service); err != nil {
			return err
		}
	}
	code, err := f.services["tenant-manager"].says(ctx, `/setup#code=([A-Za-z0-9_-]{20,})`)
	if err != nil {
		return err
	}
	address, err := f.services["bff"].says(ctx, `listening.*?(127\.0\.0\.1:\d+)`)
	if err != nil {
		return err
	}
	// Whoever is asked may still be starting.
	var last error
	if err := wait(ctx, time.Minute, 50*time.Millisecond, func() (bool, error) {
		if last = f.signIn(ctx, "http://"+address, code); last != nil {
			return false, nil //nolint:nilerr // it is told if it stays so
		}
		code = "" // that was done
		if _, last = f.first(ctx, "gateway-manager/v1/gateway-groups"); last == nil {
			_, last = f.send(ctx, http.MethodGet, "policy-manager/v1/platform/policies", nil)
		}
		return last == nil, nil
	}); err != nil {
		return errors.Join(err, last)
	}
	return nil
}

// serve starts a service.
func (f *fleet) serve(ctx context.Context, service string) (err error) {
	f.services[service], err = launch(ctx, f.data, service, f.configs[service], filepath.Join(f.bin, service))
	return err
}

// stop ends everything, those first who would miss the others.
func (f *fleet) stop() error {
	errs := []error{f.closeStores()}
	for _, m := range f.members {
		if m.process != nil {
			errs = append(errs, m.process.stop())
		}
		if m.meter != nil {
			errs = append(errs, m.meter.listener.Close())
		}
	}
	for _, p := range f.services {
		errs = append(errs, p.stop())
	}
	if f.nats != nil {
		f.nats.Stop()
	}
	if f.upstream != nil {
		errs = append(errs, f.upstream.Close())
	}
	return errors.Join(errs...)
}

// serveUpstream serves what is behind the APIs: it answers with the path that it
// was asked for.
func (f *fleet) serveUpstream(ctx context.Context) (err error) {
	if f.upstream, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.URL.Path)) //nolint:gosec // it is no page: who asks sees what came
	})}
	go func() { _ = s.Serve(f.upstream) }() // until it is closed
	return nil
}

// upstreamOf returns the upstream of a version of an API.
func (f *fleet) upstreamOf(version int) []object {
	return []object{{"targets": []object{{"url": fmt.Sprintf("http://%s/v%d", f.upstream.Addr(), version)}}}}
}

// seed makes what all APIs share, and the API that the others are copies of.
func (f *fleet) seed(ctx context.Context) error {
	if _, err := f.send(ctx, http.MethodPut, "policy-manager/v1/platform/policies", object{"policies": []object{
		{"type": "request-id"},
		{"type": "cors", "config": object{"origins": []string{"https://shop.example.com"}}},
		{"type": "rate-limit", "config": object{"limit": 1_000_000_000, "window": "1m", "key": "ip"}},
	}}, "If-Match", "*"); err != nil {
		return err
	}
	project, err := f.first(ctx, "gateway-manager/v1/projects")
	if err != nil {
		return err
	}
	var list []object
	for i := range operations {
		list = append(list, object{"method": "GET", "path": fmt.Sprintf("/things-%d/{id}", i)})
	}
	if f.prototype, err = f.made(ctx, "gateway-manager/v1/apis", object{
		"project": project, "slug": "api-" + marker, "name": "API " + marker, "basePath": "/api-" + marker,
		"upstreams": f.upstreamOf(0), "operations": list,
	}); err != nil {
		return err
	}
	if f.deployment, err = f.made(ctx, "gateway-manager/v1/apis/"+f.prototype+"/deployments", object{"environment": environment}); err != nil {
		return err
	}
	return f.published(ctx)
}

// grow deploys APIs until there are so many: while gateway-manager is stopped they
// are copied, and then it builds and publishes them.
func (f *fleet) grow(ctx context.Context, apis int) error {
	const service = "gateway-manager"
	if err := f.services[service].stop(); err != nil {
		return err
	}
	// Each is to be published yet.
	waiting := func(int) object { return object{"manifest_version": 0} }
	if err := f.copiesAfter(
		ctx, service, f.prototype, f.size, apis, part{table: "apis", column: "id"}, part{table: "api_operations", column: "id"},
		part{table: "revisions", column: "api_id"}, part{table: "deployed", column: "api_id"}, part{table: "routes", column: "api_id"},
		part{table: "deployments", column: "api_id"}, part{table: "deployment_groups", column: "deployment_id", of: f.deployment, set: waiting},
	); err != nil {
		return err
	}
	s, err := f.open(ctx, service)
	if err != nil {
		return err
	}
	if err := s.db.Unscoped(ctx, everything).Exec("UPDATE gateway_groups SET wanted = wanted + 1").Error; err != nil {
		return err
	}
	f.size = apis
	if err := f.serve(ctx, service); err != nil {
		return err
	}
	return f.published(ctx)
}

// join starts the gateways, where they do not run yet, and finds out where they
// take requests.
func (f *fleet) join(ctx context.Context) error {
	for _, m := range f.members {
		if m.process != nil {
			return nil
		}
		var err error
		if m.meter, err = newMeter(ctx, f.nats.Addr()); err != nil {
			return err
		}
		if m.process, err = launch(ctx, f.data, m.name, object{
			"name": m.name, "data": filepath.Join(f.data, m.name), "listeners": []object{{"address": "127.0.0.1:0"}},
			"controlPlane": object{
				"url": "nats://" + m.meter.listener.Addr().String(), "username": m.name, "password": f.nats.For(m.name).Password,
				"organization": "default", "group": group, "joinToken": joinToken,
			},
		}, filepath.Join(f.bin, "gateway"), "run", "--log-level", "info"); err != nil {
			return err
		}
		m.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	}
	return wait(ctx, starting, 100*time.Millisecond, func() (bool, error) {
		list, err := f.send(ctx, http.MethodGet, "gateway-manager/v1/gateways?limit=200", nil)
		if err != nil {
			return false, err
		}
		text, err := json.Marshal(list["items"])
		if err != nil {
			return false, err
		}
		var items []struct {
			Name      string   `json:"name"`
			Listeners []string `json:"listeners"`
		}
		if err := json.Unmarshal(text, &items); err != nil {
			return false, err
		}
		at := map[string]string{}
		for _, g := range items {
			if len(g.Listeners) > 0 {
				at[g.Name] = g.Listeners[0]
			}
		}
		for _, m := range f.members {
			if m.traffic = at[m.name]; m.traffic == "" {
				return false, nil
			}
		}
		return true, nil
	})
}

// pathOf is where an API is called, by its number.
func pathOf(api int) string { return "/api-" + number(api) + "/things-1/" + strconv.Itoa(api) }
