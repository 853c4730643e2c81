package standalone

import (
	"context"
	"net"
	"path/filepath"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
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
	var configs [6]service.Config
	for i, a := range Services() {
		if configs[i], err = s.common(a.Service); err != nil {
			return nil, err
		}
	}
	parts := []app.Part{}
	if s.Sample {
		parts = append(parts, app.Part{Name: "sample", New: func(app.Env) (app.Service, error) { return app.Func(s.serveSample), nil }})
	}
	tenants := tenantmanager.DefaultConfig()
	tenants.Config = configs[0]
	tenants.OnFirstRun = func(code string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.code = code
	}
	gateways := gatewaymanager.DefaultConfig()
	gateways.Config = configs[1]
	policy := policymanager.DefaultConfig()
	policy.Config = configs[2]
	analysis := analysismanager.DefaultConfig()
	analysis.Config = configs[3]
	portal := devportal.DefaultConfig()
	portal.Config = configs[4]
	front := bff.DefaultConfig()
	front.Config = configs[5]
	_ = join
	return append(
		parts, tenantmanager.Part(tenants), gatewaymanager.Part(gateways), policymanager.Part(policy),
		analysismanager.Part(analysis), devportal.Part(portal), s.gateway(join), bff.Part(front),
	), nil
}

// gateway returns the gateway, which talks to the rest over the bus alone.
func (s *suite) gateway(join string) app.Part {
	c := gateway.DefaultConfig()
	c.Name = gatewayName
	c.Data = filepath.Join(s.Data, "gateway")
	c.Log.Spool.Dir = filepath.Join(c.Data, "spool")
	c.ControlPlane = &gateway.ControlPlane{Organization: organization, Group: group, JoinToken: schema.NewSecret(join)}
	o := s.nats.For(gatewayName)
	return gateway.Part(gateway.Options{
		Config: &c, Bus: &o, Policies: policies.All(),
		Ready: func(addresses []net.Addr, _ net.Addr) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.traffic = addresses[0]
		},
	})
}

// serveSample serves the sample API on a port of loopback.
func (s *suite) serveSample(ctx context.Context, ready func()) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.sample = l.Addr()
	s.mu.Unlock()
	ready()
	return sample.Serve(ctx, l)
}
