// Package mtls is the policy type mtls: it establishes the caller from a client
// certificate, shown in the TLS handshake or told by a trusted proxy. Which
// certificates the handshake asks for is the listener's affair.
package mtls

import (
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of an mtls policy.
type Config struct {
	// Trust says which certificates count. With listener those that the listener
	// has verified; with ca those that the given authorities have issued; with
	// fingerprint only those that are registered one by one, whoever issued them.
	// The default is listener.
	Trust string `json:"trust,omitempty" schema:"enum=listener|ca|fingerprint"`
	// CA are the certificates of the accepted authorities in PEM, for trust ca.
	CA string `json:"ca,omitempty"`
	// Allow are the rules of which a certificate must fit one; none = all.
	Allow []Rule `json:"allow,omitempty" schema:"maxItems=200"`
	// Deny are the rules of which it must fit none. They win over allow.
	Deny []Rule `json:"deny,omitempty" schema:"maxItems=200"`
	// Application says whether an application must be registered for the
	// certificate, by its fingerprint, a subject alternative name or the whole
	// subject. The default is optional.
	Application string `json:"application,omitempty" schema:"enum=optional|required"`
	// Header is a field in which a proxy that ends TLS tells the certificate: as
	// RFC 9440 has it, as escaped PEM, or as base64 of the DER form. It is believed
	// from trusted proxies only, and removed.
	Header string `json:"header,omitempty" schema:"maxLength=128"`
	// TrustedProxies are the peers whose header is believed.
	TrustedProxies []schema.CIDR `json:"trustedProxies,omitempty"`
	// Headers are header fields for the upstream and what they get of the
	// certificate: fingerprint, subject, issuer, serial, notAfter, dns, uri, email,
	// commonName or certificate. What the client sends under these names is
	// removed.
	Headers map[string]string `json:"headers,omitempty"`
	// CacheTTL is how long a chain that was verified with ca is remembered. 0 = not
	// at all. The default is 5m.
	CacheTTL schema.Duration `json:"cacheTtl" schema:"max=1h"`
}

// Rule fits a certificate that fits each of the fields that are set.
type Rule struct {
	// Subject is an expression for the subject, as "CN=orders,O=Example"
	// (RFC 2253).
	Subject schema.Regexp `json:"subject,omitzero"`
	// Issuer is an expression for the issuer.
	Issuer schema.Regexp `json:"issuer,omitzero"`
	// SAN is an expression that one subject alternative name must fit, as
	// "dns:orders.example", "uri:spiffe://example/orders", "email:a@example" or
	// "ip:192.0.2.1".
	SAN schema.Regexp `json:"san,omitzero"`
	// Extensions are object identifiers that must be there, as extension, extended
	// key usage or certificate policy.
	Extensions []string `json:"extensions,omitempty" schema:"pattern=^[0-2](\\.[0-9]+)+$"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("mtls", "Client certificate", Config{
		Trust: "listener", Application: "optional", CacheTTL: schema.Duration(5 * time.Minute),
	}, compile, schemaDoc)
	d.Doc = "Accepts callers by their client certificate: from the TLS handshake, or from a trusted proxy that ends TLS. Rules on " +
		"subject, names and extensions narrow down which. Expressions are not anchored: write ^ and $. Revocation lists are not " +
		"consulted: take a certificate out by revoking its credential or by a deny rule."
	d.Example = "trust: listener\nallow:\n  - san: ^dns:[a-z-]+\\.partners\\.example$\nheaders: {X-Client-Name: subject}"
	return d
}

type check struct {
	Config
	env     policy.Env
	roots   *x509.CertPool
	caKey   string
	headers bearer.Mapping

	missing, invalid, expired, denied, application *problem.Problem
}

// facts are what can be said of a certificate to headers and rules.
var facts = []string{"fingerprint", "subject", "issuer", "serial", "notAfter", "dns", "uri", "email", "commonName", "certificate"}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	const challenge = `ClientCertificate realm="gatehouse"`
	k := &check{
		Config: c, env: env,
		missing:     policy.NoCredential("show a client certificate in the TLS handshake", challenge),
		invalid:     problem.New(problem.CodeCredentialInvalid, "the client certificate is not accepted").WithChallenge(challenge),
		expired:     problem.New(problem.CodeCredentialExpired, "the client certificate has expired or is not valid yet").WithChallenge(challenge),
		denied:      problem.New(problem.CodeAccessDenied, "the holder of the client certificate may not use this"),
		application: problem.New(problem.CodeAccessDenied, "no application is registered for the client certificate"),
	}
	switch {
	case c.Trust == "ca" && c.CA == "":
		return policy.Hooks{}, policy.Invalid("/ca", "trust ca needs the certificates of authorities in PEM")
	case c.Trust != "ca" && c.CA != "":
		return policy.Hooks{}, policy.Invalid("/trust", "authorities are given and would not be used; set trust: ca")
	case c.Header != "" && c.Trust == "listener":
		return policy.Hooks{}, policy.Invalid("/trust", "the listener has not verified what a header tells; set trust: ca or fingerprint")
	case c.Header != "" && (!policy.ValidName(c.Header) || len(c.TrustedProxies) == 0):
		return policy.Hooks{}, policy.Invalid("/trustedProxies", "a header is believed from trusted proxies only; name them, and a valid header")
	case c.Header == "" && len(c.TrustedProxies) > 0:
		return policy.Hooks{}, policy.Invalid("/header", "trusted proxies are given, and no header in which they tell the certificate")
	}
	for _, r := range slices.Concat(c.Allow, c.Deny) {
		if !r.Subject.IsSet() && !r.Issuer.IsSet() && !r.SAN.IsSet() && len(r.Extensions) == 0 {
			return policy.Hooks{}, policy.Invalid("/allow", "a rule names nothing and would fit every certificate")
		}
	}
	if c.CA != "" {
		k.roots = x509.NewCertPool()
		if !k.roots.AppendCertsFromPEM([]byte(c.CA)) {
			return policy.Hooks{}, policy.Invalid("/ca", "there is no certificate in PEM")
		}
		d := policy.DigestOf(c.CA)
		k.caKey = env.Scope.API + "/mtls/" + hex.EncodeToString(d[:]) + "/"
	}
	for _, fact := range c.Headers {
		if !slices.Contains(facts, fact) {
			return policy.Hooks{}, policy.Invalid("/headers", "%q is nothing that a certificate has; choose of %s", fact, strings.Join(facts, ", "))
		}
	}
	var err error
	if k.headers, err = bearer.NewMapping("/headers", c.Headers); err != nil {
		return policy.Hooks{}, err
	}
	return policy.Hooks{Inbound: k.inbound, Authenticates: true}, nil
}

func (k *check) inbound(ex *policy.Exchange) error {
	cert, rest, told, err := k.shown(ex)
	if err != nil {
		return err
	}
	k.headers.Strip(&ex.Request.Header)
	if cert == nil {
		return k.missing
	}
	now := ex.Start
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return k.expired
	}
	fingerprint := policy.Digest(sum(cert.Raw))
	if err := k.trusted(ex, cert, rest, told, fingerprint); err != nil {
		return err
	}
	if matches(k.Deny, cert) || len(k.Allow) > 0 && !matches(k.Allow, cert) {
		return k.denied
	}
	claims := describe(cert, fingerprint)
	caller := policy.Caller{
		Kind: policy.KindCertificate, Subject: cert.Subject.String(), Issuer: cert.Issuer.String(), Claims: claims,
	}
	c, found := k.owner(cert, fingerprint)
	switch {
	case found && c.Expired(now):
		return k.expired
	case found:
		caller.Application, caller.Credential, caller.Plan = c.Application, c.ID, c.Plan
	case k.Trust == "fingerprint":
		return k.invalid
	case k.Application == "required":
		return k.application
	}
	if ex.Noting() {
		ex.Note(k.env.ID, "subject", caller.Subject)
	}
	ex.Caller = caller
	k.headers.Add(&ex.Request.Header, k.headers.Values(claims))
	return nil
}

// trusted verifies the certificate as configured. The handshake has proven that
// the client holds its key, or the trusted proxy has seen to it.
func (k *check) trusted(ex *policy.Exchange, cert *x509.Certificate, rest []*x509.Certificate, told bool, fingerprint policy.Digest) error {
	switch k.Trust {
	case "fingerprint":
		return nil // it must be found by it
	case "ca":
		key := k.caKey + string(fingerprint[:])
		if k.CacheTTL > 0 && k.env.Store != nil {
			if _, ok := k.env.Store.Get(key); ok {
				return nil
			}
		}
		between := x509.NewCertPool()
		for _, c := range rest[:min(len(rest), 8)] {
			between.AddCert(c)
		}
		_, err := cert.Verify(x509.VerifyOptions{
			Roots: k.roots, Intermediates: between, CurrentTime: ex.Start, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err != nil {
			p := *k.invalid
			return p.Because(err)
		}
		if k.CacheTTL > 0 && k.env.Store != nil {
			k.env.Store.Set(key, true, 64, min(k.CacheTTL.Std(), cert.NotAfter.Sub(ex.Start)))
		}
		return nil
	}
	if told || ex.Request.TLS == nil || len(ex.Request.TLS.VerifiedChains) == 0 {
		return k.invalid
	}
	return nil
}

// owner finds the credential: by fingerprint and, for certificates that an
// authority vouches for, by name.
func (k *check) owner(cert *x509.Certificate, fingerprint policy.Digest) (policy.Credential, bool) {
	if k.env.Credentials == nil {
		return policy.Credential{}, false
	}
	if c, ok := k.env.Credentials.Lookup(policy.KindCertificate, fingerprint); ok || k.Trust == "fingerprint" {
		return c, ok
	}
	for _, uri := range cert.URIs {
		if c, ok := k.env.Credentials.Lookup(policy.KindCertificate, policy.DigestOf(uri.String())); ok {
			return c, true
		}
	}
	for _, name := range slices.Concat(cert.DNSNames, cert.EmailAddresses, []string{cert.Subject.String()}) {
		if name == "" {
			continue
		}
		if c, ok := k.env.Credentials.Lookup(policy.KindCertificate, policy.DigestOf(name)); ok {
			return c, true
		}
	}
	return policy.Credential{}, false
}
