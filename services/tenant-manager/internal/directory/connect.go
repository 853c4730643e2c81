package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// downError says that a server did not answer: another one may.
type downError struct{ reason string }

func (e *downError) Error() string { return e.reason }

var (
	errPlain = errors.New("without TLS passwords go only to a server on this machine: use ldaps://, or StartTLS")
	errLong  = errors.New("it answers more than is read of one sign-in")
)

// connect returns a connection to a server, encrypted unless the server is on this
// machine and the settings say so. It ends with the context, or by the function.
func (c *Client) connect(ctx context.Context, address string, s store.LDAPSettings) (*ldap.Conn, func(), error) {
	at, err := parse(address)
	if err != nil {
		return nil, nil, &UnavailableError{err.Error()}
	}
	roots, err := authorities(s.CA)
	if err != nil {
		return nil, nil, &UnavailableError{err.Error()}
	}
	encrypt := &tls.Config{ServerName: at.host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	connecting, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := c.dialer(!at.tls && !s.StartTLS, net.JoinHostPort(at.host, at.port)).DialContext(connecting, "tcp", net.JoinHostPort(at.host, at.port))
	if err != nil {
		return nil, nil, unreachable(address, err)
	}
	// Whatever the library waits for, it waits for the network.
	stopConnecting := context.AfterFunc(connecting, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	var stream net.Conn = &bounded{Conn: raw, left: mostAnswered}
	if at.tls {
		t := tls.Client(stream, encrypt)
		if err := t.HandshakeContext(connecting); err != nil {
			stopConnecting()
			_ = raw.Close()
			return nil, nil, &downError{address + ": its TLS is not right: " + short(err.Error())}
		}
		stream = t
	}
	conn := ldap.NewConn(stream, at.tls)
	conn.SetTimeout(answerTimeout)
	conn.Start()
	if !at.tls && s.StartTLS {
		if err := conn.StartTLS(encrypt); err != nil {
			stopConnecting()
			_ = conn.Close()
			return nil, nil, &downError{address + ": StartTLS does not work: " + reasonOf(err)}
		}
	}
	if !stopConnecting() {
		_ = conn.Close()
		return nil, nil, &downError{address + ": it does not answer in time"}
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	return conn, func() { stop(); _ = conn.Close() }, nil
}

// dialer goes where the guard lets it; in plain text only to this machine, whatever
// name stands for it.
func (c *Client) dialer(plain bool, named string) *net.Dialer {
	d := c.guard.Dialer(named)
	guarded := d.Control
	d.Control = func(network, address string, conn syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); plain && (err != nil || !ap.Addr().Unmap().IsLoopback()) {
			return errPlain
		}
		if guarded == nil { // allowed by its name
			return nil
		}
		return guarded(network, address, conn)
	}
	return d
}

// bounded bounds what is read of a connection. It is read by one at a time.
type bounded struct {
	net.Conn
	left int
}

// Read fails where there was too much.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func unreachable(address string, err error) error {
	switch refused := egress.Refused(err); {
	case refused != nil:
		return &downError{address + ": " + refused.Error()}
	case errors.Is(err, errPlain):
		return &downError{address + ": " + errPlain.Error()}
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return &downError{address + ": it does not answer in time"}
	}
	return &downError{address + ": it cannot be reached: " + short(err.Error())}
}

// server is where a directory is.
type server struct {
	host, port string
	tls        bool
}

// parse reads the address of a server.
func parse(address string) (server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return server{}, errors.New("use an address such as ldaps://ldap.example.com, without a path")
	}
	s := server{host: u.Hostname(), port: u.Port()}
	switch u.Scheme {
	case "ldaps":
		s.tls = true
		if s.port == "" {
			s.port = ldap.DefaultLdapsPort
		}
	case "ldap":
		if s.port == "" {
			s.port = ldap.DefaultLdapPort
		}
	default:
		return server{}, errors.New("use an address that begins with ldaps:// or ldap://")
	}
	return s, nil
}

func (s server) loopback() bool {
	ip, err := netip.ParseAddr(s.host)
	return s.host == "localhost" || err == nil && ip.IsLoopback()
}

// authorities returns whose certificates are trusted; nil = the system's.
func authorities(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New("it holds no certificate: give the authority's certificate as PEM, from -----BEGIN CERTIFICATE----- on")
	}
	return p, nil
}

// wrong says what went wrong in doing something: a downError where another server
// may do better, else an [UnavailableError].
func (a *asking) wrong(err error, doing string) error {
	reason := fmt.Sprintf("%s: %s: %s", a.address, short(doing), reasonOf(err))
	var of *ldap.Error
	if !errors.As(err, &of) || ldap.IsErrorAnyOf(err, ldap.ErrorNetwork, ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultTimeout,
		ldap.LDAPResultServerDown, ldap.LDAPResultConnectError) {
		return &downError{reason}
	}
	return &UnavailableError{reason}
}

// reasonOf returns what a directory said.
func reasonOf(err error) string {
	var of *ldap.Error
	if !errors.As(err, &of) {
		return short(err.Error())
	}
	said := ""
	if of.Err != nil {
		said = strings.TrimSpace(strings.TrimRight(of.Err.Error(), "\x00"))
	}
	name := ldap.LDAPResultCodeMap[of.ResultCode]
	switch {
	case of.ResultCode == ldap.ErrorNetwork:
		return short(said)
	case said == "":
		return fmt.Sprintf("%s (%d)", name, of.ResultCode)
	}
	return short(fmt.Sprintf("%s (%d): %s", name, of.ResultCode, said))
}

func short(s string) string {
	const most = 500
	s = strings.ToValidUTF8(s, "")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
