package listen

import (
	"net/netip"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var SchemaDoc

// Listener is one entry of the listeners section of a configuration.
type Listener struct {
	// Address is host and port to listen on; an empty host means all addresses.
	Address string `json:"address"`
	// TLS, when set, makes this an HTTPS listener.
	TLS *TLS `json:"tls,omitempty"`
	// ProxyProtocol, when set, takes PROXY headers from trusted peers.
	ProxyProtocol *ProxyProtocol `json:"proxyProtocol,omitempty"`
	// HTTP2 offers HTTP/2 by ALPN; default true.
	HTTP2 *bool `json:"http2,omitempty"`
	// H2C takes HTTP/2 in clear text from clients that begin with its preface
	// (prior knowledge, RFC 9113 section 3.3). The Upgrade way is never taken.
	H2C bool `json:"h2c,omitempty"`
	// Limits bound what clients may do.
	Limits Limits `json:"limits,omitzero"`
	// ReusePort opens the port with SO_REUSEPORT, so that a new process of the
	// same user can open it before the old one lets go; default true.
	ReusePort *bool `json:"reusePort,omitempty"`
}

// TLS of a listener.
type TLS struct {
	// Certificates are chosen by the name the client asks for: an exact match
	// before a wildcard. The first is for clients that name none.
	Certificates []Certificate `json:"certificates"`
	// MinVersion is "1.2" (the default) or "1.3".
	MinVersion string `json:"minVersion,omitempty" schema:"enum=1.2|1.3"`
	// UnknownName says what a client meets that asks for a name without a
	// certificate: "refuse" (the default) ends the handshake with the alert
	// unrecognized_name, "default" uses the first certificate.
	UnknownName string `json:"unknownName,omitempty" schema:"enum=refuse|default"`
	// ClientAuth of the certificates that do not say otherwise.
	ClientAuth
}

// ClientAuth says whether clients show a certificate.
type ClientAuth struct {
	// Mode is "none" (the default), "request" (a certificate is asked for and
	// verified if shown) or "require".
	Mode string `json:"clientAuth,omitempty" schema:"enum=none|request|require"`
	// CA is PEM; the issuers accepted.
	CA string `json:"clientCA,omitempty"`
	// CAFile is a file with the same, read again when it changes.
	CAFile string `json:"clientCAFile,omitempty"`
}

// Certificate is a certificate with its key, each as PEM or as a file that is
// read again when it changes.
type Certificate struct {
	// CertFile is a file with the chain in PEM, the leaf first.
	CertFile string `json:"certFile,omitempty"`
	// KeyFile is a file with the key in PEM.
	KeyFile string `json:"keyFile,omitempty"`
	// Cert is the chain itself, in PEM, the leaf first, or a reference to it such as
	// vault:mount/path#field, which is read again as files are.
	Cert string `json:"cert,omitempty"`
	// Key is the key itself, in PEM, or a reference to it.
	Key string `json:"key,omitempty"`
	// Hosts are the names it is for; none = those in the certificate.
	Hosts []string `json:"hosts,omitempty"`
	// ClientAuth, where its mode is set, holds for these names instead of that
	// of the listener.
	ClientAuth
}

// CertificateOf returns a certificate that came as a configuration unit.
func CertificateOf(u unit.Certificate) Certificate {
	return Certificate{Cert: u.Chain, Key: u.Key, Hosts: u.Hosts}
}

// ProxyProtocol says from whom PROXY headers are taken (HAProxy, "The PROXY
// protocol", versions 1 and 2). A trusted peer must send one. Any other peer is
// a client, and a PROXY header of its ends the connection.
type ProxyProtocol struct {
	// TrustedPeers are addresses and CIDR ranges.
	TrustedPeers []string `json:"trustedPeers"`
	// Versions are those taken; none = 1 and 2.
	Versions []int `json:"versions,omitempty"`
}

// Limits are [transport.Limits] as they stand in a configuration. What is left
// out has the default.
type Limits struct {
	// HeaderBytes bounds the request line and header together, answered 431;
	// default 32768.
	HeaderBytes int `json:"headerBytes,omitempty" schema:"min=0"`
	// HeaderCount bounds the number of header fields, answered 431; default 100.
	HeaderCount int `json:"headerCount,omitempty" schema:"min=0"`
	// URIBytes bounds the request target, answered 414; default 8192.
	URIBytes int `json:"uriBytes,omitempty" schema:"min=0"`
	// BodyBytes bounds a request body, answered 413; default no bound.
	BodyBytes int64 `json:"bodyBytes,omitempty" schema:"min=0"`
	// HeaderTime bounds the time from the first byte of a request to the end of
	// its header; default 10s.
	HeaderTime unit.Duration `json:"headerTime,omitempty"`
	// BodyIdle is the longest silence within a request body; default 60s.
	BodyIdle unit.Duration `json:"bodyIdle,omitempty"`
	// WriteIdle is the longest time in which a client takes no byte of the answer;
	// default 60s.
	WriteIdle unit.Duration `json:"writeIdle,omitempty"`
	// KeepAlive is how long a connection may wait for its next request; default
	// 75s.
	KeepAlive unit.Duration `json:"keepAlive,omitempty"`
	// Total bounds a whole exchange, upgrades and event streams apart; default no
	// bound.
	Total unit.Duration `json:"total,omitempty"`
	// Connections bounds the open connections of the listener; default no bound.
	Connections int `json:"connections,omitempty" schema:"min=0"`
	// RequestsPerConnection closes a connection after so many requests; default no
	// bound.
	RequestsPerConnection int `json:"requestsPerConnection,omitempty" schema:"min=0"`
}

// Transport returns the limits for the transports, defaults filled in.
func (l Limits) Transport() transport.Limits {
	t := transport.DefaultLimits()
	for _, f := range []struct {
		to   *int
		from int
	}{
		{&t.HeaderBytes, l.HeaderBytes},
		{&t.HeaderCount, l.HeaderCount},
		{&t.URIBytes, l.URIBytes},
		{&t.Connections, l.Connections},
		{&t.RequestsPerConnection, l.RequestsPerConnection},
	} {
		if f.from > 0 {
			*f.to = f.from
		}
	}
	for _, f := range []struct {
		to   *time.Duration
		from unit.Duration
	}{
		{&t.HeaderTime, l.HeaderTime},
		{&t.BodyIdle, l.BodyIdle},
		{&t.WriteIdle, l.WriteIdle},
		{&t.KeepAlive, l.KeepAlive},
		{&t.Total, l.Total},
	} {
		if f.from > 0 {
			*f.to = time.Duration(f.from)
		}
	}
	if l.BodyBytes > 0 {
		t.BodyBytes = l.BodyBytes
	}
	return t
}

func isOn(v *bool) bool { return v == nil || *v }

// peers is a set of addresses.
type peers []netip.Prefix

func parsePeers(texts []string) (peers, int, error) {
	var ps peers
	for i, s := range texts {
		if a, err := netip.ParseAddr(s); err == nil {
			a = a.Unmap()
			ps = append(ps, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, i, err
		}
		ps = append(ps, p.Masked())
	}
	return ps, 0, nil
}

func (ps peers) contain(a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// OffersHTTP2 reports whether HTTP/2 is offered by ALPN; see [NewCertificates].
func (l Listener) OffersHTTP2() bool { return isOn(l.HTTP2) }
