package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
	"github.com/gatehouse/gatehouse/libs/schema"
)

func sum(der []byte) [sha256.Size]byte { return sha256.Sum256(der) }

// shown returns the client's certificate and those that came with it, and
// whether a proxy told it. The header is removed in every spelling, whoever
// sent it.
func (k *check) shown(ex *policy.Exchange) (cert *x509.Certificate, rest []*x509.Certificate, told bool, err error) {
	if k.Header != "" {
		value, n := "", 0
		ex.Request.Header.DelFunc(func(name, v string) bool {
			if !bearer.SameName(name, k.Header) {
				return false
			}
			if policy.EqualName(name, k.Header) {
				value = v
			}
			n++
			return true
		})
		if n > 0 && k.trusts(ex) {
			if n > 1 || value == "" {
				return nil, nil, true, k.invalid
			}
			if cert, err = bearer.Certificate(value); err != nil {
				p := *k.invalid
				return nil, nil, true, p.Because(err)
			}
			return cert, nil, true, nil
		}
	}
	if t := ex.Request.TLS; t != nil && len(t.PeerCertificates) > 0 {
		return t.PeerCertificates[0], t.PeerCertificates[1:], false, nil
	}
	return nil, nil, false, nil
}

func (k *check) trusts(ex *policy.Exchange) bool {
	a := ex.Request.Peer.Addr().Unmap()
	return slices.ContainsFunc(k.TrustedProxies, func(c schema.CIDR) bool { return c.Contains(a) })
}

// describe returns the facts of a certificate as claims.
func describe(cert *x509.Certificate, fingerprint policy.Digest) map[string]any {
	list := func(names []string) []any {
		out := make([]any, len(names))
		for i, n := range names {
			out[i] = n
		}
		return out
	}
	uris := make([]string, len(cert.URIs))
	for i, u := range cert.URIs {
		uris[i] = u.String()
	}
	return map[string]any{
		"fingerprint": hex.EncodeToString(fingerprint[:]),
		"subject":     cert.Subject.String(), "issuer": cert.Issuer.String(), "commonName": cert.Subject.CommonName,
		"serial": cert.SerialNumber.Text(16), "notAfter": cert.NotAfter.UTC().Format(time.RFC3339),
		"dns": list(cert.DNSNames), "uri": list(uris), "email": list(cert.EmailAddresses),
		"certificate": ":" + base64.StdEncoding.EncodeToString(cert.Raw) + ":",
	}
}

func matches(rules []Rule, cert *x509.Certificate) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.fits(cert) })
}

func (r *Rule) fits(cert *x509.Certificate) bool {
	if r.Subject.IsSet() && !r.Subject.MatchString(cert.Subject.String()) ||
		r.Issuer.IsSet() && !r.Issuer.MatchString(cert.Issuer.String()) ||
		r.SAN.IsSet() && !slices.ContainsFunc(names(cert), r.SAN.MatchString) {
		return false
	}
	return !slices.ContainsFunc(r.Extensions, func(oid string) bool { return !has(cert, oid) })
}

// names returns the subject alternative names, each with its kind before it.
func names(cert *x509.Certificate) []string {
	var out []string
	for _, n := range cert.DNSNames {
		out = append(out, "dns:"+strings.ToLower(n))
	}
	for _, u := range cert.URIs {
		out = append(out, "uri:"+u.String())
	}
	for _, n := range cert.EmailAddresses {
		out = append(out, "email:"+n)
	}
	for _, a := range cert.IPAddresses {
		out = append(out, "ip:"+a.String())
	}
	return out
}

func has(cert *x509.Certificate, oid string) bool {
	is := func(o asn1.ObjectIdentifier) bool { return o.String() == oid }
	for _, e := range cert.Extensions {
		if is(e.Id) {
			return true
		}
	}
	for _, p := range cert.Policies {
		if p.String() == oid {
			return true
		}
	}
	for _, e := range cert.ExtKeyUsage {
		if usages[e] == oid {
			return true
		}
	}
	return slices.ContainsFunc(cert.UnknownExtKeyUsage, is)
}

// usages are the identifiers of the extended key usages that crypto/x509 knows
// by number (RFC 5280 section 4.2.1.12).
var usages = map[x509.ExtKeyUsage]string{
	x509.ExtKeyUsageAny: "2.5.29.37.0", x509.ExtKeyUsageServerAuth: "1.3.6.1.5.5.7.3.1", x509.ExtKeyUsageClientAuth: "1.3.6.1.5.5.7.3.2",
	x509.ExtKeyUsageCodeSigning: "1.3.6.1.5.5.7.3.3", x509.ExtKeyUsageEmailProtection: "1.3.6.1.5.5.7.3.4",
	x509.ExtKeyUsageTimeStamping: "1.3.6.1.5.5.7.3.8", x509.ExtKeyUsageOCSPSigning: "1.3.6.1.5.5.7.3.9",
}
