package sso

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"encoding/xml"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"
)

const (
	// MostMetadata bounds the metadata of a provider, in bytes.
	MostMetadata = 512 << 10
	// mostCertificates bounds the certificates that a provider signs with.
	mostCertificates = 10
)

// SAMLProvider is how a SAML 2.0 identity provider is reached, and what its
// answers are verified with.
type SAMLProvider struct {
	// EntityID is the provider's name.
	EntityID string
	// SSOURL is where requests go, by HTTP-Redirect.
	SSOURL string
	// Certificates are those that it signs with, in DER.
	Certificates [][]byte
}

// ReadMetadata reads the metadata of an identity provider (SAML V2.0 Metadata,
// section 2.4.3): an EntityDescriptor, or an EntitiesDescriptor in which there is
// one identity provider. The error is a [FailedError].
func (c *Client) ReadMetadata(raw []byte) (SAMLProvider, error) {
	var out SAMLProvider
	if len(raw) > MostMetadata {
		return out, failed("it has more than %d bytes", MostMetadata)
	}
	raw = bytes.TrimPrefix(bytes.TrimSpace(raw), []byte("\xef\xbb\xbf"))
	root, err := readXML(raw)
	if err != nil {
		return out, err
	}
	var entities []saml.EntityDescriptor
	switch root.Tag {
	case "EntityDescriptor":
		entities = make([]saml.EntityDescriptor, 1)
		err = xml.Unmarshal(raw, &entities[0])
	case "EntitiesDescriptor":
		var all saml.EntitiesDescriptor
		err = xml.Unmarshal(raw, &all)
		entities = all.EntityDescriptors
	default:
		return out, failed("it is not the metadata of an identity provider: its root is %q and not EntityDescriptor", cut(root.Tag))
	}
	if err != nil {
		return out, failed("it cannot be read: %s", cut(err.Error()))
	}
	entities = slices.DeleteFunc(entities, func(e saml.EntityDescriptor) bool { return len(e.IDPSSODescriptors) == 0 })
	if len(entities) != 1 {
		return out, failed("it describes %d identity providers; one is taken", len(entities))
	}
	e := entities[0]
	if !e.ValidUntil.IsZero() && c.now().After(e.ValidUntil) {
		return out, failed("it was valid until %s", e.ValidUntil.UTC().Format(time.RFC3339))
	}
	out.EntityID = strings.TrimSpace(e.EntityID)
	for _, d := range e.IDPSSODescriptors {
		for _, s := range d.SingleSignOnServices {
			if s.Binding == saml.HTTPRedirectBinding && out.SSOURL == "" {
				out.SSOURL = s.Location
			}
		}
		for _, k := range d.KeyDescriptors {
			if k.Use != "" && k.Use != "signing" {
				continue
			}
			for _, x := range k.KeyInfo.X509Data.X509Certificates {
				der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(x.Data), ""))
				if err != nil {
					return out, failed("one of its certificates is not Base64")
				}
				if !slices.ContainsFunc(out.Certificates, func(b []byte) bool { return bytes.Equal(b, der) }) {
					out.Certificates = append(out.Certificates, der)
				}
			}
		}
	}
	if out.SSOURL == "" {
		return out, failed("it names no SingleSignOnService with the binding HTTP-Redirect")
	}
	return out, c.CheckSAML(out)
}

// CheckSAML returns why a provider cannot be used; nil where it can. The error is a
// [FailedError].
func (c *Client) CheckSAML(p SAMLProvider) error {
	if p.EntityID == "" || len(p.EntityID) > 500 {
		return failed("the entity id is missing, or has more than 500 characters")
	}
	if err := c.CheckEndpoint(p.SSOURL); err != nil {
		return failed("the address for sign-in %q: %s", cut(p.SSOURL), err)
	}
	if len(p.Certificates) == 0 || len(p.Certificates) > mostCertificates {
		return failed("it needs at least one certificate that the provider signs with, and at most %d", mostCertificates)
	}
	_, err := certificates(p.Certificates)
	return err
}

func certificates(ders [][]byte) ([]*x509.Certificate, error) {
	out := make([]*x509.Certificate, len(ders))
	for i, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, failed("a certificate of the provider is not right: %s", cut(err.Error()))
		}
		if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
			return nil, failed("a certificate of the provider has an RSA key of %d bits, which is refused: it needs at least 2048", k.N.BitLen())
		}
		out[i] = c
	}
	return out, nil
}

// FetchMetadata fetches the metadata at an address. The error is a [FailedError].
func (c *Client) FetchMetadata(ctx context.Context, address string) ([]byte, error) {
	if err := c.CheckEndpoint(address); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, failed("use an address that begins with https://")
	}
	r.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	res, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable("its metadata", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	if res.StatusCode != http.StatusOK {
		return nil, failed("asking the provider for its metadata: it answered HTTP %d; name the address itself, redirects are not followed", res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, MostMetadata+1))
	if err != nil {
		return nil, unreachable("its metadata", err)
	}
	return b, nil
}

// CertificateInfo is what people look at of a certificate.
type CertificateInfo struct {
	PEM, Subject, Fingerprint string
	NotBefore, NotAfter       time.Time
}

// ReadCertificates reads certificates in PEM, or as bare Base64 the way metadata and
// some consoles show them, and returns them in DER. The error is a [FailedError].
func ReadCertificates(text string) ([][]byte, error) {
	var out [][]byte
	rest := []byte(strings.TrimSpace(text))
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			return nil, failed("it has %q in it: paste certificates alone", cut(b.Type))
		}
		out = append(out, b.Bytes)
	}
	if len(out) == 0 && len(rest) > 0 {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(rest)), ""))
		if err != nil {
			return nil, failed("paste the certificate in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
		}
		out = append(out, der)
	}
	_, err := certificates(out)
	return out, err
}

// DescribeCertificate returns what people look at of a certificate in DER.
func DescribeCertificate(der []byte) CertificateInfo {
	sum := sha256.Sum256(der)
	out := CertificateInfo{PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), Fingerprint: hex.EncodeToString(sum[:])}
	if c, err := x509.ParseCertificate(der); err == nil {
		out.Subject, out.NotBefore, out.NotAfter = c.Subject.String(), c.NotBefore.UTC(), c.NotAfter.UTC()
	}
	return out
}

// SAMLKey is the key of a connection, with which it signs requests and decrypts
// assertions.
type SAMLKey struct {
	// Private is the key in PEM (PKCS #8).
	Private string
	// Certificate is its certificate in DER, signed by itself.
	Certificate []byte
}

// keyLifetime is how long the certificate of a connection is valid. Nobody looks at
// that but providers that hold it against their clock.
const keyLifetime = 10 * 365 * 24 * time.Hour

// SplitKeys returns the keys in a text, each in PEM, in their order.
func SplitKeys(text string) []string {
	var out []string
	for b, rest := pem.Decode([]byte(text)); b != nil; b, rest = pem.Decode(rest) {
		out = append(out, string(pem.EncodeToMemory(b)))
	}
	return out
}

// NewSAMLKey makes the key of a connection.
func (c *Client) NewSAMLKey(name string) (SAMLKey, error) {
	var out SAMLKey
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return out, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return out, err
	}
	now := c.now()
	t := x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(keyLifetime),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if out.Certificate, err = x509.CreateCertificate(rand.Reader, &t, &t, key.Public(), key); err != nil {
		return out, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	out.Private = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return out, err
}

func (k SAMLKey) read() (*rsa.PrivateKey, *x509.Certificate, error) {
	b, _ := pem.Decode([]byte(k.Private))
	if b == nil {
		return nil, nil, failed("the connection has no key: save it again")
	}
	private, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, nil, failed("the connection has no key: save it again")
	}
	key, ok := private.(*rsa.PrivateKey)
	c, err := x509.ParseCertificate(k.Certificate)
	if err != nil || !ok {
		return nil, nil, failed("the connection has no key: save it again")
	}
	return key, c, nil
}

// SPCertificates are the certificates of a connection, in DER.
type SPCertificates struct {
	// Own is the one that is in use.
	Own []byte
	// Next is announced beside it, Previous was in use before: requests that are on their
	// way may be signed with it. nil = none.
	Next, Previous []byte
}

// SPMetadata returns the metadata of a connection, which a provider is set up with.
// The first of the addresses is the one that is used where a request names none.
func SPMetadata(entityID string, certificates SPCertificates, acs []string) ([]byte, error) {
	yes := true
	d := saml.SPSSODescriptor{AuthnRequestsSigned: &yes, WantAssertionsSigned: &yes}
	d.ProtocolSupportEnumeration = nsProtocol
	var until time.Time
	for _, k := range []struct {
		der      []byte
		encrypts bool
	}{{certificates.Own, true}, {certificates.Next, true}, {certificates.Previous, false}} {
		if k.der == nil {
			continue
		}
		c, err := x509.ParseCertificate(k.der)
		if err != nil {
			return nil, err
		}
		if k.encrypts && c.NotAfter.After(until) {
			until = c.NotAfter
		}
		info := saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(k.der)}}}}
		d.KeyDescriptors = append(d.KeyDescriptors, saml.KeyDescriptor{Use: "signing", KeyInfo: info})
		if k.encrypts {
			d.KeyDescriptors = append(d.KeyDescriptors, saml.KeyDescriptor{Use: "encryption", KeyInfo: info, EncryptionMethods: []saml.EncryptionMethod{
				{Algorithm: gcmPrefix + "256-gcm"},
				{Algorithm: gcmPrefix + "128-gcm"},
				{Algorithm: cbcPrefix + "256-cbc"},
				{Algorithm: cbcPrefix + "128-cbc"},
				{Algorithm: keyTransport},
			}})
		}
	}
	d.NameIDFormats = []saml.NameIDFormat{saml.PersistentNameIDFormat, saml.EmailAddressNameIDFormat, saml.UnspecifiedNameIDFormat}
	for i, a := range acs {
		first := i == 0
		e := saml.IndexedEndpoint{Binding: saml.HTTPPostBinding, Location: a, Index: i + 1}
		if first {
			e.IsDefault = &first
		}
		d.AssertionConsumerServices = append(d.AssertionConsumerServices, e)
	}
	out, err := xml.MarshalIndent(saml.EntityDescriptor{
		EntityID: entityID, ValidUntil: until, CacheDuration: 24 * time.Hour, SPSSODescriptors: []saml.SPSSODescriptor{d},
	}, "", "  ")
	return append([]byte(xml.Header), out...), err
}
