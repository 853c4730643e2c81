package bearer

import (
	"crypto/subtle"
	"slices"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/clientcert"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Confirmation is what a token is bound to (RFC 7800); the zero value is a token
// that whoever has it may use.
type Confirmation struct {
	// Certificate is the thumbprint of a client certificate (RFC 8705 section 3.1).
	Certificate string
	// Key is the thumbprint of a key that signs proofs (RFC 9449 section 6.1).
	Key string
}

// Bound reports whether the token is bound to anything.
func (c Confirmation) Bound() bool { return c != Confirmation{} }

// ConfirmationOf reads the claim cnf. Ok is false where the token is bound in a
// way that cannot be checked here: it is no bearer token then.
func ConfirmationOf(claims map[string]any) (c Confirmation, ok bool) {
	v, there := claims["cnf"]
	if !there {
		return c, true
	}
	members, _ := v.(map[string]any)
	for name, value := range members {
		s, _ := value.(string)
		switch {
		case s == "":
			return c, false
		case name == "x5t#S256":
			c.Certificate = s
		case name == "jkt":
			c.Key = s
		default:
			return c, false
		}
	}
	return c, c.Bound()
}

// Certificates is the part of a configuration that says where the client
// certificates come from that tokens are bound to. Those of the TLS handshake
// always count.
type Certificates struct {
	// Header is a field in which a proxy that ends TLS tells the client
	// certificate: as RFC 9440 has it, as escaped PEM, or as base64 of the DER
	// form. It is believed from trusted proxies only, and removed where another
	// peer sends it.
	Header string `json:"header,omitempty" schema:"maxLength=128"`
	// TrustedProxies are the peers whose header is believed.
	TrustedProxies []schema.CIDR `json:"trustedProxies,omitempty"`
}

func (c *Certificates) check(pointer string) error {
	switch {
	case c.Header != "" && (!policy.ValidName(c.Header) || len(c.TrustedProxies) == 0):
		return policy.Invalid(pointer+"/trustedProxies", "a header is believed from trusted proxies only; name them, and a valid header")
	case c.Header == "" && len(c.TrustedProxies) > 0:
		return policy.Invalid(pointer+"/header", "trusted proxies are given, and no header in which they tell the certificate")
	}
	return nil
}

// clean removes the header where it is not to be believed, in every spelling that
// a server may take for the same.
func (c *Certificates) clean(r *policy.Request) {
	if c.Header == "" || c.trusts(r) {
		return
	}
	r.Header.DelFunc(func(name, _ string) bool { return SameName(name, c.Header) })
}

func (c *Certificates) trusts(r *policy.Request) bool {
	a := r.Peer.Addr().Unmap()
	return slices.ContainsFunc(c.TrustedProxies, func(b schema.CIDR) bool { return b.Contains(a) })
}

// shown reports whether the client has shown the certificate of a thumbprint (RFC
// 8705 section 3). Of a trusted proxy only what it tells counts: its own certificate
// is not the client's.
func (c *Certificates) shown(r *policy.Request, thumbprint string) bool {
	var der []byte
	switch {
	case c.Header != "" && c.trusts(r):
		cert, err := clientcert.Parse(r.Header.Get(c.Header))
		if err != nil || r.Header.Count(c.Header) != 1 {
			return false
		}
		der = cert.Raw
	case r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		der = r.TLS.PeerCertificates[0].Raw
	default:
		return false
	}
	return thumbprint != "" && subtle.ConstantTimeCompare([]byte(clientcert.Thumbprint(der)), []byte(thumbprint)) == 1
}
