package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// sendTimeout bounds the sending of one letter.
const sendTimeout = 30 * time.Second

// Sender sends letters. It is safe for concurrent use.
type Sender struct {
	guard    egress.Guard
	fallback *store.MailSettings
	secrets  *secrets.Reader
}

// NewSender returns a sender. What administrators set by the API leads only where
// the guard lets it; configured is what the configuration says, which leads
// anywhere and counts where nothing was set; nil = nothing.
func NewSender(guard egress.Guard, configured *store.MailSettings, s *secrets.Reader) *Sender {
	return &Sender{guard: guard, fallback: configured, secrets: s}
}

// Settings returns by what mail is sent: what was set, else what was configured.
// ok is false where it is not sent at all.
func (s *Sender) Settings(ctx context.Context, from interface {
	MailSettings(ctx context.Context) (store.MailSettings, error)
},
) (m store.MailSettings, ok bool, err error) {
	m, err = from.MailSettings(ctx)
	switch {
	case err == nil:
		return m, true, nil
	case !store.IsNotFound(err):
		return m, false, err
	case s.fallback == nil:
		return m, false, nil
	}
	return *s.fallback, true, nil
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

var errPlain = errors.New("without TLS mail goes only to a server on this machine: use starttls or tls")

// dialer goes where the settings may lead.
func (s *Sender) dialer(m store.MailSettings) *net.Dialer {
	d := &net.Dialer{Timeout: 10 * time.Second}
	guarded := s.guard.Dialer(net.JoinHostPort(m.Host, strconv.Itoa(m.Port)))
	d.Control = func(network, address string, c syscall.RawConn) error {
		if m.Security == store.MailPlain {
			if ap, err := netip.ParseAddrPort(address); err != nil || !ap.Addr().Unmap().IsLoopback() {
				return errPlain
			}
		}
		if m.Configured() || guarded.Control == nil { // the operator has named it
			return nil
		}
		return guarded.Control(network, address, c)
	}
	return d
}

// Send sends a letter and returns what the server said. fromName stands for the
// sender where the settings name none.
func (s *Sender) Send(ctx context.Context, m store.MailSettings, fromName, to string, l Letter) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	roots, err := Authorities(m.CA)
	if err != nil {
		return "", err
	}
	if !m.Configured() { // else it was read with the configuration
		if m.Password, err = s.secrets.Reveal(ctx, secrets.Platform, m.Password); err != nil {
			return "", fmt.Errorf("the password cannot be read: %w", err)
		}
	}
	options := []gomail.Option{
		gomail.WithPort(m.Port), gomail.WithTimeout(sendTimeout), gomail.WithDialContextFunc(s.dial(m, roots)),
		gomail.WithTLSConfig(&tls.Config{ServerName: m.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}),
	}
	switch m.Security {
	case store.MailTLS, store.MailPlain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // TLS, if any, is the connection's own
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	msg := gomail.NewMsg()
	if m.FromName != "" {
		fromName = m.FromName
	}
	if err := msg.FromFormat(line(fromName), m.FromAddress); err != nil {
		return "", fmt.Errorf("the sender's address: %w", err)
	}
	if err := msg.To(to); err != nil {
		return "", fmt.Errorf("%w: %w", errRecipient, err)
	}
	msg.Subject(l.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	msg.SetBodyString(gomail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	if l.Logo != nil {
		if err := msg.EmbedReader(LogoName, bytes.NewReader(l.Logo)); err != nil {
			return "", fmt.Errorf("putting the logo into a letter: %w", err)
		}
	}
	err = deliver(ctx, m, gomail.SMTPAuthPlainNoEnc, options, msg)
	if errors.Is(err, gomail.ErrPlainAuthNotSupported) {
		err = deliver(ctx, m, gomail.SMTPAuthLoginNoEnc, options, msg)
	}
	if err != nil {
		if refused := egress.Refused(err); refused != nil {
			return "", refused
		}
		if errors.Is(err, errPlain) {
			return "", errPlain
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return "", fmt.Errorf("%s does not answer within %s", m.Host, sendTimeout)
		}
		return "", err
	}
	return msg.ServerResponse(), nil
}

// deliver makes a connection and sends. The ways to sign in that ask for TLS are
// for clients that look at it themselves: here the connection is one of TLS, or
// was made one, or stays on this machine, before anything is said.
func deliver(ctx context.Context, m store.MailSettings, auth gomail.SMTPAuthType, options []gomail.Option, msg *gomail.Msg) error {
	if m.Username != "" {
		options = append(slices.Clone(options), gomail.WithSMTPAuth(auth), gomail.WithUsername(m.Username), gomail.WithPassword(m.Password.Reveal()))
	}
	c, err := gomail.NewClient(m.Host, options...)
	if err != nil {
		return fmt.Errorf("preparing mail: %w", err)
	}
	return c.DialAndSendWithContext(ctx, msg)
}

// dial returns how a connection is made: for TLS from the start, it is one of
// TLS.
func (s *Sender) dial(m store.MailSettings, roots *x509.CertPool) gomail.DialContextFunc {
	d := s.dialer(m)
	if m.Security != store.MailTLS {
		return d.DialContext
	}
	t := tls.Dialer{NetDialer: d, Config: &tls.Config{ServerName: m.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return t.DialContext
}

// errRecipient is that nobody can be written to at an address.
var errRecipient = errors.New("the recipient's address")

// Permanent reports whether sending again does not help: the server refused the
// letter for good (RFC 5321 section 4.2.1), or the address is none.
func Permanent(err error) bool {
	var e *gomail.SendError
	return errors.Is(err, errRecipient) || errors.As(err, &e) && e.ErrorCode() >= 500 && e.ErrorCode() < 600
}
