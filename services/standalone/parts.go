package standalone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
	analysismanager "github.com/gatehouse/gatehouse/services/analysis-manager"
	"github.com/gatehouse/gatehouse/services/bff"
	devportal "github.com/gatehouse/gatehouse/services/devportal-backend"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
	"github.com/gatehouse/gatehouse/services/install"
	policymanager "github.com/gatehouse/gatehouse/services/policy-manager"
	"github.com/gatehouse/gatehouse/services/sample"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// The gateway of the process: its user on the bus, and the group it belongs to.
const (
	gatewayName  = "gateway"
	organization = "default"
	group        = "default"
)

// Services returns what each service does on the bus.
func Services() []bus.Access {
	return []bus.Access{
		tenantmanager.Access(), gatewaymanager.Access(), policymanager.Access(),
		analysismanager.Access(), devportal.Access(), bff.Access(),
	}
}

// Access returns what the parts of the process do on the bus.
func Access() []bus.Access {
	return append(Services(), gateway.Access(gatewayName, organization, group, gatewayName))
}

// common returns what the configurations of services share: a database file, the
// bus inside the process, and secrets of their own.
func (s *suite) common(name string) (service.Config, error) {
	c := service.DefaultConfig()
	c.Database.DSN = schema.NewSecret("sqlite:" + filepath.Join(s.Data, name+".db"))
	if dsn := s.Databases[name]; dsn != "" {
		c.Database.DSN = schema.NewSecret(dsn)
	}
	c.Resolver, c.Vault, c.References = s.references, s.named.Vault, s.named.References
	o := s.nats.For(name)
	c.InProcess, c.Bus.Username, c.Bus.Password = o.InProcess, o.Username, schema.NewSecret(o.Password)
	keyring, err := s.secrets.Secret("keyring-"+name, install.Keyring)
	if err != nil {
		return c, err
	}
	pepper, err := s.secrets.Secret("pepper-"+name, install.Pepper)
	if err != nil {
		return c, err
	}
	c.Secrets.Keyring, c.Secrets.Pepper = schema.NewSecret(keyring), schema.NewSecret(pepper)
	return c, nil
}

// parts returns all parts, in the order in which they start: who is asked comes
// before who asks, though any order would do.
func (s *suite) parts() ([]app.Part, error) {
	join, err := s.secrets.Secret("join-token", install.Password)
	if err != nil {
		return nil, err
	}
	cache, err := s.secrets.Secret("gateway-data-key", install.Pepper)
	if err != nil {
		return nil, err
	}
	var configs [6]service.Config
	for i, a := range Services() {
		if configs[i], err = s.common(a.Service); err != nil {
			return nil, err
		}
	}
	parts := []app.Part{{Name: "secrets", New: func(app.Env) (app.Service, error) { return app.Func(s.keepReferences), nil }}}
	if s.Sample {
		parts = append(parts, app.Part{Name: "sample", New: func(app.Env) (app.Service, error) { return app.Func(s.serveSample), nil }})
	}
	tenants := tenantmanager.DefaultConfig()
	tenants.Config = configs[0]
	tenants.ConsoleURL, tenants.PortalURL, tenants.FirstRun.ConsoleURL = s.host("tenant-admin"), s.host("developers"), s.host("apim-admin")
	tenants.OAuth.URL, tenants.OAuth.GatewayURL = s.host("auth-admin"), "http://"+reachable(s.Listen)
	tenants.Passwords.Leaked = leakedPasswords(s.Data)
	tenants.LastBackup = func() (*tenantmanager.Backup, error) { return lastBackup(s.Data) }
	tenants.OnFirstRun = func(code string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.code = code
	}
	// Who administers this installation is at home on this machine.
	tenants.Outbound = egress.Guard{AllowPrivate: true, AllowLoopback: true}
	gateways := gatewaymanager.DefaultConfig()
	gateways.Config = configs[1]
	// Whoever may import is at home on this machine.
	gateways.Import.AllowPrivate, gateways.Import.AllowLoopback = true, true
	gateways.Gateways.PublicURL = "http://" + reachable(s.Traffic)
	gateways.Seed.Groups = []gatewaymanager.SeedGroup{{
		Organization: organization, Group: group, PublicURL: gateways.Gateways.PublicURL, JoinToken: schema.NewSecret(join),
	}}
	policy := policymanager.DefaultConfig()
	policy.Config = configs[2]
	analysis := analysismanager.DefaultConfig()
	analysis.Config = configs[3]
	portal := devportal.DefaultConfig()
	portal.Config = configs[4]
	front := bff.DefaultConfig()
	front.Config, front.Listen, front.Socket = configs[5], s.Listen, s.open[s.Listen]
	service.Describe(&tenants, nil)
	service.Describe(&gateways, nil)
	service.Describe(&policy, nil)
	service.Describe(&analysis, nil)
	service.Describe(&portal, nil)
	service.Describe(&front, nil)
	return append(
		parts, tenantmanager.Part(tenants), policymanager.Part(policy), gatewaymanager.Part(gateways),
		analysismanager.Part(analysis), devportal.Part(portal), s.gateway(join, cache), bff.Part(front),
	), nil
}

// gateway returns the gateway, which talks to the rest over the bus alone.
func (s *suite) gateway(join, cache string) app.Part {
	c := gateway.DefaultConfig()
	c.Name = gatewayName
	c.Listeners = []gateway.Listener{{Address: s.Traffic}}
	c.Data = filepath.Join(s.Data, "gateway")
	c.DataKey = schema.NewSecret(cache)
	c.Log.Spool.Dir = filepath.Join(c.Data, "spool")
	c.Vault, c.References = s.named.Vault, s.named.References
	c.ControlPlane = &gateway.ControlPlane{Organization: organization, Group: group, JoinToken: schema.NewSecret(join)}
	o := s.nats.For(gatewayName)
	options := gateway.Options{Config: &c, Bus: &o, Policies: policies.All()}
	if l := s.open[s.Traffic]; l != nil {
		options.Sockets = []net.Listener{l}
	}
	return gateway.Part(options)
}

// serveSample serves the sample API on a port of loopback, the same at each start
// where that is still free, since APIs are deployed that name it.
func (s *suite) serveSample(ctx context.Context, ready func()) error {
	address, err := s.secrets.Secret("../sample-address", func() (string, error) { return "127.0.0.1:0", nil })
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		if l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listening for the sample: %w", err)
		}
	}
	if l.Addr().String() != address {
		if err := s.secrets.Write("../sample-address", l.Addr().String()+"\n", 0o600); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	s.mu.Lock()
	s.sample = l.Addr()
	s.mu.Unlock()
	ready()
	return sample.Serve(ctx, l)
}

// opened gives an address its port, a free one where it was left open, so that
// everybody can be told of it before anything serves. The socket stays open, for who
// serves it: a port that was let go could be somebody else's by then.
func opened(ctx context.Context, address *string, open map[string]net.Listener) error {
	if _, port, err := net.SplitHostPort(*address); err != nil || port != "0" {
		return err
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // as the gateway's own
	l, err := lc.Listen(ctx, "tcp", *address)
	if err != nil {
		return err
	}
	*address = l.Addr().String()
	open[*address] = l
	return nil
}
