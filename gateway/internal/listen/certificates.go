package listen

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

const (
	// defaultReload is how often certificate files are looked at. They are
	// compared by content, so that any way of replacing them is noticed.
	defaultReload = 10 * time.Second
	// rotateTickets is how long one key seals session tickets.
	rotateTickets = 12 * time.Hour
)

// Certificates chooses certificate and client authentication by the name that a
// client asks for. All methods may be called at the same time; open connections
// are never touched by a change.
type Certificates struct {
	log   *slog.Logger
	look  schema.Resolver // of references; nil = there are none
	every time.Duration

	mu      sync.Mutex // held while changing
	config  TLS
	http2   bool
	sum     [sha256.Size]byte // of everything the current state was made of
	tickets tickets
	state   atomic.Pointer[certState]
}

// certState is what handshakes see. It never changes.
type certState struct {
	exact, wild map[string]*site // wild by what follows the asterisk
	first       *site
	unknown     *site // for names without a certificate, nil = refuse
}

// site is what holds for one name.
type site struct {
	certs []*tls.Certificate // of several key types, in the order configured
	auth  *auth
}

// NewCertificates loads the certificates of a listener. Http2 says whether
// HTTP/2 is offered by ALPN. Look reads references to certificates and keys, each
// time that files are looked at; nil = there are none.
func NewCertificates(config TLS, http2 bool, look schema.Resolver, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{log: log, look: look, every: defaultReload, config: config, http2: http2}
	if err := c.tickets.rotate(); err != nil {
		return nil, err
	}
	if err := c.load(config); err != nil {
		return nil, err
	}
	return c, nil
}

// SetCertificates replaces the certificates and keeps all else. On error
// nothing has changed.
func (c *Certificates) SetCertificates(certs []Certificate) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	config := c.config
	config.Certificates = certs
	return c.load(config)
}

// Set replaces certificates and client authentication. On error nothing has
// changed.
func (c *Certificates) Set(config TLS) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load(config)
}

// Reload reads the files again. On error nothing has changed.
func (c *Certificates) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load(c.config)
}

// Run reloads files that have changed and rotates the keys of session tickets
// until ctx is done.
func (c *Certificates) Run(ctx context.Context) {
	reload, rotate := time.NewTicker(c.every), time.NewTicker(rotateTickets)
	defer reload.Stop()
	defer rotate.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rotate.C:
			if err := c.RotateTickets(); err != nil {
				c.log.Error("rotating session ticket keys", "err", err)
			}
		case <-reload.C:
			if err := c.Reload(); err != nil {
				c.log.Error("certificates not reloaded, the former ones stay in use", "err", err)
			}
		}
	}
}

// RotateTickets begins a new key for session tickets. Tickets of the two
// former keys are still taken.
func (c *Certificates) RotateTickets() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.tickets.rotate(); err != nil {
		return err
	}
	s := c.state.Load()
	for a := range s.auths() {
		a.config.SetSessionTicketKeys(c.tickets.keys(a.id))
	}
	return nil
}

func (s *certState) auths() map[*auth]struct{} {
	set := map[*auth]struct{}{s.first.auth: {}}
	for _, m := range [...]map[string]*site{s.exact, s.wild} {
		for _, x := range m {
			set[x.auth] = struct{}{}
		}
	}
	return set
}

// load builds the state of a configuration and, where it is whole, swaps it in.
func (c *Certificates) load(config TLS) error {
	if len(config.Certificates) == 0 {
		return errors.New("loading certificates: there is none") //nolint:err113 // shown as it is
	}
	sum := sha256.New()
	s := &certState{exact: map[string]*site{}, wild: map[string]*site{}}
	auths := map[[sha256.Size]byte]*auth{}
	if old := c.state.Load(); old != nil {
		for a := range old.auths() {
			auths[a.id] = a // keeps its session ticket keys
		}
	}
	fmt.Fprint(sum, config.MinVersion, config.UnknownName)
	for i, e := range config.Certificates {
		cert, raw, err := c.readCertificate(e)
		if err != nil {
			return fmt.Errorf("loading certificate %d: %w", i, err)
		}
		client := config.ClientAuth
		if e.Mode != "" {
			client = e.ClientAuth
		}
		a, err := c.authOf(client, config.MinVersion, auths)
		if err != nil {
			return fmt.Errorf("loading certificate %d: %w", i, err)
		}
		names := e.Hosts
		if len(names) == 0 {
			names = certificateNames(cert.Leaf)
		}
		fmt.Fprint(sum, i, names)
		sum.Write(raw)
		sum.Write(a.id[:])
		if err := s.add(cert, a, names); err != nil {
			return fmt.Errorf("loading certificate %d: %w", i, err)
		}
	}
	if config.UnknownName == "default" {
		s.unknown = s.first
	}
	c.config = config
	if now := [sha256.Size]byte(sum.Sum(nil)); now != c.sum {
		if c.state.Swap(s) != nil {
			c.log.Info("certificates changed", "names", len(s.exact)+len(s.wild))
		}
		c.sum = now
	}
	return nil
}

func (s *certState) add(cert *tls.Certificate, a *auth, names []string) error {
	if s.first == nil {
		s.first = &site{certs: []*tls.Certificate{cert}, auth: a}
	}
	for _, n := range names {
		name := canonicalName(n)
		if name == "" {
			return fmt.Errorf("%q is no host name", n) //nolint:err113 // shown as it is
		}
		m := s.exact
		if rest, ok := strings.CutPrefix(name, "*"); ok {
			m, name = s.wild, rest
		}
		x := m[name]
		if x == nil {
			x = &site{auth: a}
			m[name] = x
		}
		if x.auth != a {
			return fmt.Errorf("the certificates for %s differ in client authentication", n) //nolint:err113 // shown as it is
		}
		x.certs = append(x.certs, cert)
	}
	return nil
}

// certificateNames returns the names a certificate is for. The common name is
// not one of them (RFC 9525 section 2).
func certificateNames(leaf *x509.Certificate) []string {
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// canonicalName returns a host name or address in the form that names are
// looked up by, or "" where it is none.
func canonicalName(s string) string {
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	rest := strings.TrimPrefix(s, "*.")
	if rest == "" || strings.ContainsAny(rest, "* /\\@") || strings.HasPrefix(rest, ".") {
		return ""
	}
	if last := rest[len(rest)-1]; last >= '0' && last <= '9' || strings.Contains(rest, ":") {
		if ip := net.ParseIP(rest); ip != nil {
			return ip.String()
		}
	}
	return s
}

// find returns the site of a canonical name: an exact one before that of a
// wildcard, which stands for one label (RFC 9525 section 6.3); nil where there
// is none.
func (s *certState) find(name string) *site {
	if x := s.exact[name]; x != nil {
		return x
	}
	if i := strings.IndexByte(name, '.'); i > 0 {
		return s.wild[name[i:]]
	}
	return nil
}

// site returns what holds for a name that a client asks for, "" for none.
func (s *certState) site(serverName string) *site {
	if serverName == "" {
		return s.first
	}
	if x := s.find(canonicalName(serverName)); x != nil {
		return x
	}
	return s.unknown
}

// TLSConfig returns the configuration for the listener's handshakes. It follows
// every later change.
func (c *Certificates) TLSConfig() *tls.Config {
	refuse := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// No certificate makes the library answer unrecognized_name (RFC 6066
		// section 3).
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }, //nolint:nilnil // see above
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if x := c.state.Load().site(hello.ServerName); x != nil {
				return x.auth.config, nil
			}
			return refuse, nil
		},
		GetCertificate: c.choose,
	}
}

// choose returns the first certificate for the name that the client can use.
func (c *Certificates) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	x := c.state.Load().site(hello.ServerName)
	if x == nil {
		return nil, nil //nolint:nilnil // makes the library answer unrecognized_name
	}
	for _, cert := range x.certs {
		if len(x.certs) == 1 || hello.SupportsCertificate(cert) == nil {
			return cert, nil
		}
	}
	return x.certs[0], nil
}

func (c *Certificates) readCertificate(e Certificate) (*tls.Certificate, []byte, error) {
	chain, err := c.textOrFile(e.Cert, e.CertFile)
	if err != nil {
		return nil, nil, err
	}
	key, err := c.textOrFile(e.Key, e.KeyFile)
	if err != nil {
		return nil, nil, err
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, nil, err
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, nil, err
		}
	}
	return &cert, append(chain, key...), nil
}

func (c *Certificates) textOrFile(text, file string) ([]byte, error) {
	if c.look != nil && reference.Is(text) {
		scheme, name, _ := strings.Cut(text, ":")
		v, err := c.look(scheme, name)
		return []byte(v), err
	}
	return textOrFile(text, file)
}

func textOrFile(text, file string) ([]byte, error) {
	if text != "" {
		return []byte(text), nil
	}
	return os.ReadFile(file)
}
