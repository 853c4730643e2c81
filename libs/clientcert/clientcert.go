// Package clientcert reads client certificates as proxies that end TLS tell them,
// and names them as tokens do that are bound to one (RFC 8705). Whom to believe is
// the caller's affair.
package clientcert

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
)

// most bounds what a header tells, in bytes.
const most = 16 << 10

// ErrForm says that a header has no certificate in a form that is known.
var ErrForm = errors.New("the header has no certificate in a form that is known")

// Parse reads a certificate as proxies write it into a header: ":base64:" (RFC
// 9440 section 2.1), PEM with escapes (nginx, Envoy), or base64 of the DER form.
// The error is [ErrForm].
func Parse(value string) (*x509.Certificate, error) {
	if len(value) > most {
		return nil, ErrForm
	}
	if strings.HasPrefix(value, "-----BEGIN") {
		text, err := url.PathUnescape(value) // a plus is a plus in base64
		if err != nil {
			return nil, ErrForm
		}
		b, more := pem.Decode([]byte(text))
		if b == nil || b.Type != "CERTIFICATE" || len(strings.TrimSpace(string(more))) > 0 {
			return nil, ErrForm
		}
		return certificate(b.Bytes)
	}
	if len(value) > 2 && value[0] == ':' && value[len(value)-1] == ':' {
		value = value[1 : len(value)-1]
	}
	der, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, ErrForm
	}
	return certificate(der)
}

func certificate(der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, ErrForm
	}
	return c, nil
}

// Thumbprint returns the x5t#S256 of a certificate in its DER form (RFC 8705
// section 3.1).
func Thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
