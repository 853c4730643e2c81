package oauth

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// The kinds of names by which a certificate of an authority is known as a client's:
// the metadata of RFC 8705 section 2.1.2.
const (
	SubjectDN    = "dn"
	SubjectDNS   = "dns"
	SubjectURI   = "uri"
	SubjectIP    = "ip"
	SubjectEmail = "email"
)

// ByCertificate reports whether clients of an authentication method show a
// certificate.
func ByCertificate(method string) bool {
	return method == AuthCertificate || method == AuthTLS
}

// ParseSubject reads the name by which a certificate is known as a client's, such
// as dns:billing.example.com or dn:CN=billing,O=Example, and returns it in the form
// to compare.
func ParseSubject(text string) (string, error) {
	kind, value, _ := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	if value == "" || len(text) > 500 {
		return "", errors.New("write dn:, dns:, uri:, ip: or email:, and the name after it, such as dns:billing.example.com")
	}
	switch kind {
	case SubjectDN:
		return SubjectDN + ":" + spaceless(value), nil
	case SubjectDNS:
		if strings.Contains(value, "*") {
			return "", errors.New("a certificate is known by one name: there is no * in it")
		}
		return SubjectDNS + ":" + strings.ToLower(value), nil
	case SubjectURI:
		if u, err := url.Parse(value); err != nil || u.Scheme == "" {
			return "", errors.New("this is not an address such as uri:spiffe://example.com/billing")
		}
		return SubjectURI + ":" + value, nil
	case SubjectIP:
		ip := net.ParseIP(value)
		if ip == nil {
			return "", errors.New("this is not an IP address such as ip:192.0.2.1")
		}
		return SubjectIP + ":" + ip.String(), nil
	case SubjectEmail:
		if !strings.Contains(value, "@") {
			return "", errors.New("this is not an e-mail address such as email:billing@example.com")
		}
		return SubjectEmail + ":" + value, nil
	}
	return "", errors.New("write dn:, dns:, uri:, ip: or email:, and the name after it, such as dns:billing.example.com")
}

// spaceless takes the spaces out of a name that stand after the commas between its
// parts (RFC 4514 has none).
func spaceless(dn string) string {
	var b strings.Builder
	for i := 0; i < len(dn); i++ {
		b.WriteByte(dn[i])
		if dn[i] == ',' && (i == 0 || dn[i-1] != '\\') {
			for i+1 < len(dn) && dn[i+1] == ' ' {
				i++
			}
		}
	}
	return b.String()
}

// ParseAuthority reads the certificates of authorities in PEM.
func ParseAuthority(text string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	n := 0
	for rest := []byte(text); ; n++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			if n == 0 || strings.TrimSpace(string(rest)) != "" {
				return nil, errors.New("this is not one certificate or several in PEM")
			}
			return pool, nil
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if b.Type != "CERTIFICATE" || err != nil {
			return nil, errors.New("this has something else in it than certificates in PEM")
		}
		if !c.IsCA {
			return nil, errors.New("this has a certificate in it that is not of an authority: it can vouch for nobody")
		}
		pool.AddCert(c)
	}
}

// ParseThumbprint reads the certificate of a client, in PEM, or its thumbprint
// x5t#S256, and returns the thumbprint.
func ParseThumbprint(text string) (string, error) {
	text = strings.TrimSpace(text)
	if b, rest := pem.Decode([]byte(text)); b != nil {
		if _, err := x509.ParseCertificate(b.Bytes); err != nil || b.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
			return "", errors.New("this is not one certificate in PEM")
		}
		return clientcert.Thumbprint(b.Bytes), nil
	}
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(text); err != nil || len(sum) != 32 {
		return "", errors.New("give the client's certificate in PEM, or its SHA-256 in base64url (x5t#S256)")
	}
	return text, nil
}

// certificate returns what a client has shown; nil = none.
func (s *realm) certificate(r *http.Request) *x509.Certificate {
	if s.server.opt.Certificate == nil {
		return nil
	}
	return s.server.opt.Certificate(r)
}

type issuerKey struct{}

// issuerOf returns who says that an assertion is theirs.
func issuerOf(ctx context.Context) string {
	issuer, _ := ctx.Value(issuerKey{}).(string)
	return issuer
}

// withIssuer returns a context that says who issued the assertion of a form. Nothing is
// proven by it: what it is used for comes after the assertion was verified, and that its
// iss is the client.
func withIssuer(ctx context.Context, form url.Values) context.Context {
	var claims jwt.RegisteredClaims
	if text := form.Get("client_assertion"); text != "" {
		if _, _, err := jwt.NewParser().ParseUnverified(text, &claims); err == nil {
			return context.WithValue(ctx, issuerKey{}, claims.Issuer)
		}
	}
	return ctx
}

// authenticate proves who a client is, and holds what it asks for against its own
// bucket, but for questions about the tokens of others. Public clients prove nothing:
// they have none.
func (s *realm) authenticate(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	by, err := s.proveClient(withIssuer(ctx, form), r, form)
	if err != nil {
		return nil, err
	}
	if c, _ := by.(*client); c != nil && !c.IsPublic() {
		if !c.MayIntrospect || !atIntrospection(ctx) {
			if wait := s.server.limits.client(c.ID); wait > 0 {
				return nil, &throttledError{wait}
			}
		}
		if HasSecret(c.AuthMethod) {
			s.used(ctx, c, presentedSecret(r, form))
		}
	}
	return by, nil
}

// presentedSecret returns the secret that a client has proven who it is with (RFC
// 6749 section 2.3.1).
func presentedSecret(r *http.Request, form url.Values) string {
	_, text, basic := r.BasicAuth()
	if !basic {
		return form.Get("client_secret")
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain
	}
	return text
}

// used notes when a client last used a secret. That it could not be noted keeps no
// client from its tokens.
func (s *realm) used(ctx context.Context, c *client, text string) {
	hash := Hash(text)
	at := slices.IndexFunc(c.secrets, func(k store.OAuthSecret) bool { return secret.Equal(k.Hash, hash) })
	if at < 0 {
		return
	}
	noted, err := s.server.store.For(s.org.ID).UsedOAuthSecret(ctx, c.secrets[at])
	if err != nil {
		s.server.log.WarnContext(ctx, "that a client used a secret could not be noted", "client", c.ID, "err", err)
	}
	if noted {
		s.server.Forget(c.ID)
	}
}

// proveClient proves who a client is: by its certificate where that is its way
// (RFC 8705 section 2), else as fosite does.
func (s *realm) proveClient(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	_, _, basic := r.BasicAuth()
	if id := form.Get("client_id"); id != "" && !basic && form.Get("client_assertion_type") == "" && form.Get("client_secret") == "" {
		known, err := (storage{s}).GetClient(ctx, id)
		if c, _ := known.(*client); err == nil && ByCertificate(c.AuthMethod) {
			if !s.proves(c, s.certificate(r)) {
				return nil, fosite.ErrInvalidClient
			}
			return c, nil
		}
	}
	return s.provider.DefaultClientAuthenticationStrategy(ctx, r, form)
}

// proves reports whether a certificate is that of a client.
func (s *realm) proves(c *client, cert *x509.Certificate) bool {
	now := s.server.now()
	if cert == nil || now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return false
	}
	if c.AuthMethod == AuthCertificate {
		return c.CertificateThumbprint != "" && secret.Equal(clientcert.Thumbprint(cert.Raw), c.CertificateThumbprint)
	}
	if c.authority == nil {
		return false
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: c.authority, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil && c.CertificateSubject != "" && slices.Contains(subjects(cert), c.CertificateSubject)
}

// subjects returns the names of a certificate in the form of [ParseSubject].
func subjects(cert *x509.Certificate) []string {
	out := []string{SubjectDN + ":" + cert.Subject.String()}
	for _, n := range cert.DNSNames {
		out = append(out, SubjectDNS+":"+strings.ToLower(n))
	}
	for _, u := range cert.URIs {
		out = append(out, SubjectURI+":"+u.String())
	}
	for _, ip := range cert.IPAddresses {
		out = append(out, SubjectIP+":"+ip.String())
	}
	for _, n := range cert.EmailAddresses {
		out = append(out, SubjectEmail+":"+n)
	}
	return out
}

// shows reports whether a request has the certificate that a token is bound to.
func (s *realm) shows(r *http.Request, thumbprint string) bool {
	c := s.certificate(r)
	return c != nil && secret.Equal(clientcert.Thumbprint(c.Raw), thumbprint)
}
