package api

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ssoEndsOf returns until when sign-in by a connection works, as far as that shows in
// its certificates; nil where none has any. Of several the last one counts, because
// successors are put beside those that are there.
func ssoEndsOf(c store.SSOConnection) *[]SsoEnd {
	var out []SsoEnd
	add := func(what SsoEndWhat, ends []time.Time) {
		var last time.Time
		for _, at := range ends {
			if at.After(last) {
				last = at
			}
		}
		if !last.IsZero() {
			out = append(out, SsoEnd{What: what, At: last.UTC()})
		}
	}
	if s := c.Settings.SAML; s != nil {
		var provider []time.Time
		for _, der := range s.Certificates {
			provider = append(provider, sso.DescribeCertificate(der).NotAfter)
		}
		add(ProviderCertificate, provider)
		add(OwnCertificate, []time.Time{ownEnd(*s)})
	}
	if l := c.Settings.LDAP; l != nil {
		add(Authority, endsInPEM(l.CA))
	}
	if out == nil {
		return nil
	}
	return &out
}

// endsInPEM returns when the certificates in a text end.
func endsInPEM(text string) []time.Time {
	var out []time.Time
	for b, rest := pem.Decode([]byte(text)); b != nil; b, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(b.Bytes); err == nil {
			out = append(out, c.NotAfter)
		}
	}
	return out
}
