// Package forward sends the audit trail on to receivers of an organization's
// choice: syslog servers and HTTP endpoints. Entries go in their order and at
// least once; what a receiver could not take is sent again from there on. It
// knows nothing of requests.
package forward

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// sendTimeout bounds the sending of one batch.
const sendTimeout = 20 * time.Second

// longestAfter bounds how long a receiver may ask to be left alone.
const longestAfter = time.Hour

// LaterError says that a receiver asks to be tried again after a while.
type LaterError struct {
	After time.Duration
	Err   error
}

// Error says what it answered.
func (e *LaterError) Error() string { return e.Err.Error() }

// Unwrap returns what it answered.
func (e *LaterError) Unwrap() error { return e.Err }

// largeError says that a receiver found it too large.
type largeError struct{ error }

// Sender sends entries to receivers. It is safe for concurrent use.
type Sender struct {
	// Farewell is how long a syslog server may take to read all that it was sent, and
	// close.
	Farewell time.Duration

	guard   egress.Guard
	host    string
	secrets *secrets.Reader
}

// NewSender returns a sender that goes only where the guard lets it. host is the
// name that syslog servers are told.
func NewSender(guard egress.Guard, host string, s *secrets.Reader) *Sender {
	return &Sender{Farewell: farewell, guard: guard, host: host, secrets: s}
}

// Send sends entries, all or an error, after which some may have arrived. The
// text of the error is for whoever chose the address.
func (s *Sender) Send(ctx context.Context, r store.AuditReceiver, entries []audit.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	u, err := Check(r.Kind, r.Address, r.CA)
	if err != nil {
		return err
	}
	roots, err := Authorities(r.CA)
	if err != nil {
		return err
	}
	if r.Secret, err = s.secrets.Reveal(ctx, r.OrganizationID, r.Secret); err != nil {
		return fmt.Errorf("the secret cannot be read: %w", err)
	}
	if r.Kind == store.HTTP {
		err = s.inParts(ctx, r, roots, entries)
	} else {
		err = s.syslog(ctx, u, roots, entries)
	}
	if refused := egress.Refused(err); refused != nil {
		return refused
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s does not answer within %s", u.Host, sendTimeout)
	}
	return err
}

var errCA = errors.New("it holds no certificate: give the authority's certificate as PEM, from -----BEGIN CERTIFICATE----- on")

// Authorities returns whose certificates are trusted; nil = the system's.
func Authorities(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM([]byte(pem)) {
		return nil, errCA
	}
	return p, nil
}

// InvalidError is what is wrong with a receiver.
type InvalidError struct {
	// Field is "address" or "ca".
	Field string
	Err   error
}

// Error says what is wrong.
func (e *InvalidError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *InvalidError) Unwrap() error { return e.Err }

// Check returns the address of a receiver. The error is an [InvalidError].
func Check(kind, address, ca string) (*url.URL, error) {
	if _, err := Authorities(ca); err != nil {
		return nil, &InvalidError{"ca", err}
	}
	wrong := func(format string, args ...any) (*url.URL, error) {
		return nil, &InvalidError{"address", fmt.Errorf(format, args...)}
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return wrong("it is no address: use one such as %s", examples[kind])
	}
	if kind == store.HTTP {
		if u.Scheme != "https" && u.Scheme != "http" {
			return wrong("%s is not an address of HTTP: use one such as %s", u.Scheme, examples[kind])
		}
		return u, nil
	}
	ports := map[string]string{"tls": "6514", "tcp": "514", "udp": "514"}
	port, known := ports[u.Scheme]
	if !known || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return wrong("it is not an address of syslog: use one such as %s, tcp://… or udp://…", examples[kind])
	}
	if ca != "" && u.Scheme != "tls" {
		return nil, &InvalidError{"ca", errors.New("there is no certificate to check without TLS: use tls:// in the address, or leave it out")}
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u, nil
}

var examples = map[string]string{store.HTTP: "https://siem.example.com/audit", store.Syslog: "tls://syslog.example.com:6514"}

func tlsConfig(roots *x509.CertPool, host string) *tls.Config {
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}
}
