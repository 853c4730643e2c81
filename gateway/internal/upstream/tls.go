package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/netip"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// tlsSettings is the compiled TLS configuration of an upstream and a text that
// is the same for the same settings.
type tlsSettings struct {
	config *tls.Config
	text   unit.TLS
}

func (r *reading) compileTLS(cfg *unit.TLS, protocol string) *tlsSettings {
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         cfg.ServerName,
		InsecureSkipVerify: cfg.InsecureSkipVerify,
		// Kept sessions spare handshakes on new connections (RFC 8446 section 2.2).
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}
	switch protocol {
	case "h2":
		c.NextProtos = []string{"h2"}
	case "auto":
		c.NextProtos = []string{"h2", "http/1.1"}
	default:
		c.NextProtos = []string{"http/1.1"}
	}
	switch cfg.MinVersion {
	case "", "1.2":
	case "1.3":
		c.MinVersion = tls.VersionTLS13
	default:
		r.bad("/tls/minVersion", "enum", "use 1.2 or 1.3")
	}
	if cfg.ServerName != "" && !validName(cfg.ServerName) {
		if _, err := netip.ParseAddr(cfg.ServerName); err != nil {
			r.bad("/tls/serverName", "format", "must be a host name in lower case")
		}
	}
	if cfg.CA != "" {
		c.RootCAs = r.authorities(cfg.CA)
	}
	r.clientCertificate(c, cfg)
	return &tlsSettings{config: c, text: *cfg}
}

func (r *reading) authorities(text string) *x509.CertPool {
	pool := x509.NewCertPool()
	rest, n := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			r.bad("/tls/ca", "format", "must hold certificates only, but has a block of type "+block.Type)
			return pool
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			r.bad("/tls/ca", "format", "certificate "+itoa(n+1)+" cannot be read: "+err.Error())
			return pool
		}
		pool.AddCert(cert)
		n++
	}
	if n == 0 {
		r.bad("/tls/ca", "format", "must be one or more certificates in PEM form, beginning -----BEGIN CERTIFICATE-----")
	}
	return pool
}

func (r *reading) clientCertificate(c *tls.Config, cfg *unit.TLS) {
	switch {
	case cfg.Certificate == "" && cfg.Key == "":
		return
	case cfg.Key == "":
		r.bad("/tls/key", "required", "a certificate needs its private key")
		return
	case cfg.Certificate == "":
		r.bad("/tls/certificate", "required", "a private key needs its certificate")
		return
	}
	if block, _ := pem.Decode([]byte(cfg.Certificate)); block == nil {
		r.bad("/tls/certificate", "format", "must be a certificate in PEM form, beginning -----BEGIN CERTIFICATE-----")
		return
	}
	if block, _ := pem.Decode([]byte(cfg.Key)); block == nil {
		r.bad("/tls/key", "format", "must be a private key in PEM form, such as -----BEGIN PRIVATE KEY-----")
		return
	}
	pair, err := tls.X509KeyPair([]byte(cfg.Certificate), []byte(cfg.Key))
	if err != nil {
		r.bad("/tls/certificate", "format", "certificate and key do not go together: "+err.Error())
		return
	}
	c.Certificates = []tls.Certificate{pair}
}

// of returns the configuration for one target.
func (t *tlsSettings) of(host string) *tls.Config {
	c := t.config.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}
