package tenantmanager_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// letter is a letter as it arrived.
type letter struct {
	from, to, subject, text, html, logo string
}

// postOffice is an SMTP server that wants STARTTLS and a password.
type postOffice struct {
	host string
	port int
	ca   string
	away atomic.Bool

	mu  sync.Mutex
	got []letter
}

func newPostOffice(t *testing.T, overTLS bool) *postOffice {
	t.Helper()
	p := &postOffice{}
	certificate, ca := certificateOf(t, "localhost")
	p.ca = ca
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		if p.away.Load() {
			return nil, &smtp.SMTPError{Code: 421, Message: "come back later"}
		}
		return &delivery{office: p}, nil
	}))
	s.Domain, s.TLSConfig = "post.test", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.host, p.port = "localhost", l.Addr().(*net.TCPAddr).Port
	if overTLS {
		l = tls.NewListener(l, s.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return p
}

// delivery is a connection of a client.
type delivery struct {
	office   *postOffice
	known    bool
	from, to string
}

func (d *delivery) AuthMechanisms() []string { return []string{sasl.Plain} }
func (d *delivery) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "gatehouse" || password != "the password of the post" {
			return errors.New("not known here")
		}
		d.known = true
		return nil
	}), nil
}
func (d *delivery) Reset()        {}
func (d *delivery) Logout() error { return nil }
func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	if !d.known {
		return smtp.ErrAuthRequired
	}
	d.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	m, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err
	}
	out := letter{from: m.Header.Get("From"), to: d.to, subject: subject}
	if err := out.read(m.Header.Get("Content-Type"), m.Body); err != nil {
		return err
	}
	d.office.mu.Lock()
	defer d.office.mu.Unlock()
	d.office.got = append(d.office.got, out)
	return nil
}

// read takes the parts of a letter, and the parts of those.
func (l *letter) read(contentType string, from io.Reader) error {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	parts := multipart.NewReader(from, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		kind := part.Header.Get("Content-Type")
		if strings.HasPrefix(kind, "multipart/") {
			if err := l.read(kind, part); err != nil {
				return err
			}
			continue
		}
		var body io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(body); err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(kind, "text/html"):
			l.html = b.String()
		case strings.HasPrefix(kind, "image/"):
			l.logo = part.Header.Get("Content-Id")
		default:
			l.text = b.String()
		}
	}
}

// next waits for a letter, and takes it.
func (p *postOffice) next(t *testing.T) letter {
	t.Helper()
	var l letter
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.got) == 0 {
			return false
		}
		l, p.got = p.got[0], p.got[1:]
		return true
	}, 30*time.Second, 10*time.Millisecond)
	return l
}

func (p *postOffice) settings(security string) string {
	return `{"host":"` + p.host + `","port":` + strconv.Itoa(p.port) + `,"security":"` + security + `","username":"gatehouse","password":"the password of the post","fromAddress":"gatehouse@example.com","language":"de","ca":` + strconv.Quote(p.ca) + `}`
}

var secretOfLink = regexp.MustCompile(`http://\S+#token=(\S+)`)

func TestMailIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner, p := w.setUp(t), newPostOffice(t, false)
	call := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, owner, method, path, body, header...)
		require.Equal(t, status, a.status, a.body)
		return a
	}
	require.Contains(t, call("GET", "/mail/settings", "", 200).body, `"source":"none"`)
	require.Contains(t, call("POST", "/invitations", `{"email":"sam@example.com","roles":[{"role":"viewer"}]}`, 201).body, `"url":`)
	require.Contains(t, call("POST", "/mail/test", `{"to":"ada@example.com"}`, 200).body, `"ok":false`)
	require.JSONEq(t, `{"items":[]}`, call("GET", "/mail/messages", "", 200).body, "links are shown, and nothing waits")
	for body, pointer := range map[string]string{
		`{"host":"mail.example.com","port":25,"security":"none","fromAddress":"a@example.com"}`:               "/security",
		`{"host":"mail.example.com","port":0,"security":"tls","fromAddress":"a@example.com"}`:                 "/port",
		`{"host":"mail example","port":1,"security":"tls","fromAddress":"a@example.com"}`:                     "/host",
		`{"host":"mail.example.com","port":1,"security":"tls","fromAddress":"nobody"}`:                        "/fromAddress",
		`{"host":"mail.example.com","port":1,"security":"tls","fromAddress":"a@example.com","ca":"x"}`:        "/ca",
		`{"host":"mail.example.com","port":1,"security":"tls","fromAddress":"a@example.com","password":"x"}`:  "/username",
		`{"host":"mail.example.com","port":1,"security":"tls","fromAddress":"a@example.com","language":"xx"}`: "/language",
	} {
		require.Contains(t, call("PUT", "/mail/settings", body, 422, anyVersion...).body, `"pointer":"`+pointer+`"`, body)
	}
	set := call("PUT", "/mail/settings", p.settings("starttls"), 200, "If-Match", `"v1"`)
	require.Contains(t, set.body, `"hasPassword":true`)
	require.NotContains(t, set.body, "the password of the post")
	call("PUT", "/mail/settings", p.settings("starttls"), 412, "If-Match", `"v1"`)
	tested := call("POST", "/mail/test", `{"to":"ada@example.com"}`, 200)
	require.Contains(t, tested.body, `"ok":true`)
	require.Contains(t, p.next(t).subject, "Ein Test von Acme")
	require.Contains(t, call("POST", "/mail/test", `{"to":"nobody@example.com"}`, 200).body, "no such mailbox")

	// An invitation goes out, and its link works.
	made := call("POST", "/invitations", `{"email":"eve@example.com","name":"Eve","roles":[{"role":"viewer"}]}`, 201)
	require.Contains(t, made.body, `"mailed":true`)
	l := p.next(t)
	require.Equal(t, "eve@example.com", l.to)
	require.Equal(t, `"Acme" <gatehouse@example.com>`, l.from)
	require.Equal(t, "Einladung zu Acme", l.subject)
	link := secretOfLink.FindStringSubmatch(l.text)
	require.NotNil(t, link, l.text)
	require.Contains(t, l.html, `href="`+link[0]+`"`)
	require.Equal(t, 200, w.call(t, "", "POST", "/invitations/by-token/"+link[1]+"/accept", `{"name":"Eve","password":"`+goodWord+`"}`).status)

	// Who forgot their password gets a link in their language, and a notice when it was used.
	require.Equal(t, 202, w.call(t, "", "POST", "/password-links", `{"email":"eve@example.com"}`, "Accept-Language", "fr;q=0.3, ko-KR").status)
	l = p.next(t)
	require.Equal(t, "Acme 새 비밀번호", l.subject)
	require.JSONEq(t, `{"items":[]}`, call("GET", "/password-requests", "", 200).body, "nobody has to do anything")
	link = secretOfLink.FindStringSubmatch(l.text)
	require.Equal(t, 200, w.call(t, "", "POST", "/password-links/by-token/"+link[1]+"/use", `{"password":"some other good words"}`, "Accept-Language", "en").status)
	require.Equal(t, "Your password was changed", p.next(t).subject)

	// While the server is away it is tried again; what it refuses for good is given up.
	p.away.Store(true)
	call("POST", "/invitations", `{"email":"fay@example.com","roles":[{"role":"viewer"}]}`, 201)
	require.Eventually(t, func() bool {
		b := call("GET", "/mail/messages?state=waiting", "", 200).body
		return strings.Contains(b, "come back later") && strings.Contains(b, "fay@example.com")
	}, 30*time.Second, 10*time.Millisecond)
	p.away.Store(false)
	call("POST", "/mail/messages/"+call("GET", "/mail/messages?state=waiting", "", 200).text(t, "items/0/id")+"/retry", "", 200)
	w.recordedAs(t, owner, "mail.retried", `"mail"`)
	require.Equal(t, "fay@example.com", p.next(t).to)
	call("POST", "/invitations", `{"email":"nobody@example.com","roles":[{"role":"viewer"}]}`, 201)
	require.Eventually(t, func() bool {
		return strings.Contains(call("GET", "/mail/messages?state=dead", "", 200).body, "no such mailbox")
	}, 30*time.Second, 10*time.Millisecond)

	// The password goes to no other server.
	moved := strings.Replace(p.settings("starttls"), `"password":"the password of the post",`, "", 1)
	require.Contains(t, call("PUT", "/mail/settings", moved, 200, anyVersion...).body, `"hasPassword":true`)
	require.Contains(t, call("PUT", "/mail/settings", strings.Replace(moved, `"localhost"`, `"127.0.0.1"`, 1), 200, anyVersion...).body, `"hasPassword":false`)
	call("DELETE", "/mail/settings", "", 204)
	require.Contains(t, call("GET", "/mail/settings", "", 200).body, `"source":"none"`)
	require.NotContains(t, w.logged(), link[1])
	require.NotContains(t, w.logged(), "the password of the post")
}

// TLS from the start, by the configuration; a certificate of nobody known, a wrong
// password and a private network are said.
func TestMailOverTLS(t *testing.T) {
	t.Parallel()
	p := newPostOffice(t, true)
	w := newWorld(t, func(c *tenantmanager.Config) {
		c.Mail = tenantmanager.Mail{Host: p.host, Port: p.port, Security: "tls", Username: "gatehouse", From: "gatehouse@example.com", CA: p.ca}
		c.Mail.Password = secretOf("the password of the post")
	})
	owner := w.setUp(t)
	require.Contains(t, w.call(t, owner, "GET", "/mail/settings", "").body, `"source":"configuration"`)
	a := w.call(t, owner, "POST", "/mail/test", `{"to":"ada@example.com"}`)
	require.Contains(t, a.body, `"ok":true`)
	require.Equal(t, "A test of Acme", p.next(t).subject)
	a = w.call(t, owner, "PUT", "/mail/settings", p.settings("tls"), anyVersion...)
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, w.call(t, owner, "POST", "/mail/test", `{"to":"ada@example.com"}`).body, "private or local network")
}

func secretOf(s string) schema.Secret { return schema.NewSecret(s) }

// certificateOf returns a certificate for a host, and its authority as PEM: it is
// its own.
func certificateOf(t *testing.T, host string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
