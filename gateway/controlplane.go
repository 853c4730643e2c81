package gateway

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"regexp"
	runtimemetrics "runtime/metrics"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/internal/plane"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	contract "github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// ControlPlane says which gateway group the gateway belongs to. What it serves
// comes from there, over NATS, and nothing of it stands in the file.
type ControlPlane struct {
	// URL is the address of NATS, or several with commas between, such as
	// nats://nats:4222 or tls://nats.example.com:4222.
	URL string `json:"url,omitempty" schema:"maxLength=1000"`
	// Username is the gateway's own user of NATS, of letters, digits and hyphens.
	Username string `json:"username,omitempty" schema:"maxLength=64,pattern=^[A-Za-z0-9_-]*$"`
	// Password is best written as env:NAME or file:PATH.
	Password schema.Secret `json:"password,omitzero"`
	// TLS says whom to trust. Without it that is left to the address: tls:// is
	// verified against the authorities of the system.
	TLS *ControlPlaneTLS `json:"tls,omitempty"`
	// Organization is the slug of the organization.
	Organization string `json:"organization" schema:"required,maxLength=63"`
	// Group is the slug of the gateway group.
	Group string `json:"group" schema:"required,maxLength=63"`
	// JoinToken is the group's, best as env:NAME or file:PATH.
	JoinToken schema.Secret `json:"joinToken" schema:"required"`
	// PublicKeys are the Ed25519 keys, in base64, that may sign what is to be
	// served. Without them the gateway trusts those that it is told when it joins.
	PublicKeys []string `json:"publicKeys,omitempty" schema:"maxItems=16"`
	// Heartbeat is how often the gateway reports; the default is what the control
	// plane asks for, which is 10s.
	Heartbeat schema.Duration `json:"heartbeat,omitempty" schema:"min=1s,max=1m"`
}

// ControlPlaneTLS says whom to trust.
type ControlPlaneTLS struct {
	// CA is a file of PEM certificates of the authorities that are trusted.
	CA string `json:"ca,omitempty"`
	// Certificate is a file with the gateway's own certificate, with key.
	Certificate string `json:"certificate,omitempty"`
	// Key is a file with the private key of the certificate.
	Key string `json:"key,omitempty"`
	// ServerName is the name in the certificate of NATS, where it is not that of
	// the address.
	ServerName string `json:"serverName,omitempty"`
}

// Access is what the NATS user of a gateway must be allowed, and nothing more.
func Access(user, organization, group, name string) bus.Access {
	return plane.Access(user, organization, group, plane.Name(name))
}

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// validatePlane checks what the form does not say of the control plane.
func (c *Config) validatePlane() []problem.Field {
	p := c.ControlPlane
	if p == nil {
		return nil
	}
	var fields []problem.Field
	bad := func(pointer, code, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if p.URL == "" {
		bad("/controlPlane/url", schema.RuleRequired, "say where NATS is, such as nats://nats:4222")
	}
	for _, s := range []struct{ name, slug string }{{"organization", p.Organization}, {"group", p.Group}} {
		if !slug.MatchString(s.slug) {
			bad("/controlPlane/"+s.name, schema.RuleFormat, fmt.Sprintf("%q is no slug: small letters, digits and hyphens", s.slug))
		}
	}
	if c.Data == "" {
		bad("/data", schema.RuleRequired, "name a directory: from it the gateway starts again while the control plane is away")
	}
	if _, err := p.publicKeys(); err != nil {
		bad("/controlPlane/publicKeys", schema.RuleFormat, err.Error())
	}
	if t := p.TLS; t != nil && (t.Certificate == "") != (t.Key == "") {
		bad("/controlPlane/tls", schema.RuleInvalid, "certificate and key belong together")
	}
	for _, name := range set(&c.Config) {
		bad("/"+name, schema.RuleInvalid, "comes from the control plane: remove it here, or remove controlPlane")
	}
	return fields
}

// set returns the keys of the part of the file that says what is served, as far
// as something stands there.
func set(c *file.Config) []string {
	var names []string
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("json"); !v.Field(i).IsZero() {
			names = append(names, regexp.MustCompile(`^\w+`).FindString(name))
		}
	}
	return names
}

func (p *ControlPlane) publicKeys() ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for i, s := range p.PublicKeys {
		k, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(k) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %d is not 32 bytes in base64", i) //nolint:err113 // shown as it is
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (t *ControlPlaneTLS) config() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: has no certificate", t.CA) //nolint:err113 // shown as it is
		}
	}
	if t.Certificate != "" {
		if _, err := tls.LoadX509KeyPair(t.Certificate, t.Key); err != nil {
			return nil, err
		}
		// Read anew for each connection: short-lived certificates are exchanged.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
			return &pair, err
		}
	}
	return c, nil
}

// openPlane connects to the control plane, without waiting for it.
func (g *gateway) openPlane(ctx context.Context, given *bus.Options) error {
	c := g.cfg.ControlPlane
	if c == nil {
		return nil
	}
	o := bus.Options{Service: c.Username, URL: c.URL, Username: c.Username, Password: c.Password.Reveal()}
	if o.Service == "" {
		o.Service = "gateway"
	}
	var err error
	if o.TLS, err = c.TLS.config(); err != nil {
		return fmt.Errorf("reading the certificates for the control plane: %w", err)
	}
	if given != nil {
		o = *given
	}
	o.Log = g.log
	if g.bus, err = bus.Connect(o); err != nil {
		return err
	}
	g.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return g.bus.Close(ctx)
	})
	pinned, err := c.publicKeys()
	if err != nil {
		return err
	}
	g.plane, err = plane.Open(ctx, plane.Options{
		Bus: g.bus, Organization: c.Organization, Group: c.Group, Gateway: plane.Name(g.cfg.Name), Token: c.JoinToken.Reveal(),
		Pinned: pinned, Heartbeat: c.Heartbeat.Std(), Build: app.Build().Version,
		Cache: g.cache, Credentials: g.credentials, Units: g.units, Deliver: g.deliver, Status: g.report,
		OnProblems: g.status.SetProblems, Log: g.log, Now: g.env.Now,
	})
	if err != nil {
		return err
	}
	return g.metrics.RecordPlane(func() metrics.Plane {
		m := metrics.Plane{Connected: g.bus.Connected(), Received: g.plane.Received(), Credentials: g.credentials.Len()}
		m.Joined, m.Reported = g.plane.Contact()
		return m
	})
}

// Where there is a last good configuration, it is served after this time even
// when the control plane has not told what is new; without one, requests are
// answered 503 after the other.
const (
	catchUp   = 300 * time.Millisecond
	firstWait = time.Second
)

// followPlane serves the last good configuration, and follows the control plane
// from there. It returns when the newest configuration is in place, or was waited
// for.
func (g *gateway) followPlane(ctx, runCtx context.Context, work *sync.WaitGroup) {
	limit := firstWait
	switch s, err := g.cache.Load(g.plane.Trusted()...); {
	case errors.Is(err, source.ErrEmpty):
	case err != nil:
		g.log.Error("the last good configuration could not be read; starting without it", "err", err)
	default:
		g.apply(s)
		limit = catchUp
	}
	if n, err := g.plane.LoadCredentials(); err != nil {
		g.log.Error("the credentials kept on disk could not be read; they are fetched anew", "err", err)
	} else if n > 0 {
		g.log.Info("credentials read from disk", "credentials", g.credentials.Len())
	}
	work.Go(func() { g.plane.Run(ctx, runCtx) })
	work.Go(func() { // SIGHUP: nothing is read from a file, but logs are opened again
		for {
			select {
			case <-g.env.Reload:
				g.reopen()
			case <-ctx.Done():
				return
			}
		}
	})
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-g.plane.First():
	case <-t.C:
		g.log.Warn("the control plane has not told everything yet; serving what is known", "configured", g.live.Current() != nil)
	case <-ctx.Done():
	}
}

// listenAddresses are the addresses of listeners as they are reported.
func listenAddresses(addrs []net.Addr) []string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return out
}

func (g *gateway) units() map[unit.Hash][]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.snapshot.Units
}

// report returns what the control plane is told.
func (g *gateway) report() plane.Status {
	var s plane.Status
	s.InFlight, s.Requests = g.metrics.Totals()
	held := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	runtimemetrics.Read(held)
	s.Memory = int64(held[0].Value.Uint64() - held[1].Value.Uint64())
	t := g.live.Current()
	if t == nil {
		return s
	}
	s.Epoch, s.Version, s.APIs = t.Manifest.Epoch, t.Manifest.Version, t.APIs()
	for _, i := range t.Issues {
		serving := "none"
		if i.Serving == "previous" {
			serving = i.Serving
		}
		for _, p := range i.Problems {
			s.Issues = append(s.Issues, contract.Issue{Kind: string(i.Kind), Name: i.Unit, Pointer: p.Pointer, Detail: p.Detail, Serving: serving})
		}
	}
	return s
}

// planeSpool returns the spool of a gateway of a control plane: it has one
// beside its other data where the file names none.
func (g *gateway) planeSpool() {
	if g.cfg.ControlPlane != nil && g.cfg.Log.Spool.Dir == "" {
		g.cfg.Log.Spool.Dir = g.dataPath("spool")
	}
}
