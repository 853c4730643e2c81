package listen

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Validate returns every field of the listener that is wrong, without reading
// files or opening anything. Prefix is the JSON pointer of the listener.
func (l Listener) Validate(prefix string) []problem.Field {
	v := &validator{}
	if _, port, err := net.SplitHostPort(l.Address); err != nil {
		v.add(prefix+"/address", "format", "want host:port, such as 0.0.0.0:8443 or :8080")
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		v.add(prefix+"/address", "format", "want a port number between 0 and 65535, not %q", port)
	} else if n == 0 && l.ReusePort != nil && *l.ReusePort {
		v.add(prefix+"/address", "conflict", "port 0 is another one at every start and cannot be shared")
	}
	if l.H2C && l.TLS != nil {
		v.add(prefix+"/h2c", "conflict", "h2c is for listeners without tls; with tls, http2 offers HTTP/2")
	}
	if l.TLS != nil {
		v.tls(prefix+"/tls", l.TLS)
	}
	if p := l.ProxyProtocol; p != nil {
		if len(p.TrustedPeers) == 0 {
			v.add(prefix+"/proxyProtocol/trustedPeers", "required", "name the addresses whose PROXY headers are to be believed")
		}
		if _, i, err := parsePeers(p.TrustedPeers); err != nil {
			v.add(fmt.Sprintf("%s/proxyProtocol/trustedPeers/%d", prefix, i), "format", "want an address or a range such as 10.0.0.0/8")
		}
		for i, n := range p.Versions {
			if n != 1 && n != 2 {
				v.add(fmt.Sprintf("%s/proxyProtocol/versions/%d", prefix, i), "enum", "want 1 or 2")
			}
		}
	}
	v.limits(prefix+"/limits", l.Limits)
	return v.fields
}

type validator struct{ fields []problem.Field }

func (v *validator) add(pointer, code, format string, args ...any) {
	v.fields = append(v.fields, problem.Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (v *validator) tls(at string, t *TLS) {
	if len(t.Certificates) == 0 {
		v.add(at+"/certificates", "required", "name at least one certificate")
	}
	if !slices.Contains([]string{"", "1.2", "1.3"}, t.MinVersion) {
		v.add(at+"/minVersion", "enum", "want 1.2 or 1.3")
	}
	if !slices.Contains([]string{"", "refuse", "default"}, t.UnknownName) {
		v.add(at+"/unknownName", "enum", "want refuse or default")
	}
	v.clientAuth(at, t.ClientAuth)
	for i, c := range t.Certificates {
		here := fmt.Sprintf("%s/certificates/%d", at, i)
		for _, pair := range [...]struct{ name, text, file string }{{"cert", c.Cert, c.CertFile}, {"key", c.Key, c.KeyFile}} {
			switch {
			case pair.text == "" && pair.file == "":
				v.add(here+"/"+pair.name+"File", "required", "give %sFile, or %s as PEM", pair.name, pair.name)
			case pair.text != "" && pair.file != "":
				v.add(here+"/"+pair.name, "conflict", "give %s or %sFile, not both", pair.name, pair.name)
			}
		}
		for j, h := range c.Hosts {
			if canonicalName(h) == "" {
				v.add(fmt.Sprintf("%s/hosts/%d", here, j), "format", "want a host name, or *. and one")
			}
		}
		if c.Mode == "" && (c.CA != "" || c.CAFile != "") {
			v.add(here+"/clientAuth", "required", "a client CA needs clientAuth request or require")
		}
		v.clientAuth(here, c.ClientAuth)
	}
}

func (v *validator) clientAuth(at string, a ClientAuth) {
	switch a.Mode {
	case "", "none":
	case "request", "require":
		if a.CA == "" && a.CAFile == "" {
			v.add(at+"/clientCAFile", "required", "clientAuth %s needs the issuers to accept: clientCAFile, or clientCA as PEM", a.Mode)
		}
	default:
		v.add(at+"/clientAuth", "enum", "want none, request or require")
	}
	if a.CA != "" && a.CAFile != "" {
		v.add(at+"/clientCA", "conflict", "give clientCA or clientCAFile, not both")
	}
}

func (v *validator) limits(at string, l Limits) {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"headerBytes", int64(l.HeaderBytes)},
		{"headerCount", int64(l.HeaderCount)},
		{"uriBytes", int64(l.URIBytes)},
		{"bodyBytes", l.BodyBytes},
		{"headerTime", int64(l.HeaderTime)},
		{"bodyIdle", int64(l.BodyIdle)},
		{"writeIdle", int64(l.WriteIdle)},
		{"keepAlive", int64(l.KeepAlive)},
		{"total", int64(l.Total)},
		{"connections", int64(l.Connections)},
		{"requestsPerConnection", int64(l.RequestsPerConnection)},
	} {
		if f.value < 0 {
			v.add(at+"/"+f.name, "minimum", "must not be negative; leave it out for the default")
		}
	}
	if l.HeaderBytes > maxHeaderBytes {
		v.add(at+"/headerBytes", "maximum", "at most %d", maxHeaderBytes)
	}
	if l.URIBytes > 0 && l.HeaderBytes > 0 && l.URIBytes > l.HeaderBytes {
		v.add(at+"/uriBytes", "maximum", "must not exceed headerBytes, which the target is part of")
	}
}

const maxHeaderBytes = 1 << 20
