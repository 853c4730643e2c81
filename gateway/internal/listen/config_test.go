package listen

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

func TestListenerFromJSON(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder(strings.NewReader(`{
		"address": ":8443",
		"tls": {
			"certificates": [
				{"certFile": "a.pem", "keyFile": "a.key"},
				{"certFile": "b.pem", "keyFile": "b.key", "hosts": ["*.b.test"], "clientAuth": "require", "clientCAFile": "ca.pem"}
			],
			"minVersion": "1.3", "clientAuth": "none"
		},
		"proxyProtocol": {"trustedPeers": ["10.0.0.0/8", "::1"], "versions": [2]},
		"limits": {"headerTime": "3s", "headerBytes": 16384, "connections": 7}
	}`))
	d.DisallowUnknownFields()
	var l Listener
	require.NoError(t, d.Decode(&l))
	require.Empty(t, l.Validate("/listeners/0"))
	require.Equal(t, "require", l.TLS.Certificates[1].Mode)
	require.True(t, l.OffersHTTP2())

	want := transport.DefaultLimits()
	want.HeaderTime, want.HeaderBytes, want.Connections = 3*time.Second, 16384, 7
	require.Equal(t, want, l.Limits.Transport())
}

func TestValidateNamesTheField(t *testing.T) {
	t.Parallel()
	good := Certificate{CertFile: "c", KeyFile: "k"}
	for pointer, l := range map[string]Listener{
		"/l/address":                       {Address: "8080"},
		"/l/h2c":                           {Address: ":1", H2C: true, TLS: &TLS{Certificates: []Certificate{good}}},
		"/l/tls/certificates":              {Address: ":1", TLS: &TLS{}},
		"/l/tls/minVersion":                {Address: ":1", TLS: &TLS{Certificates: []Certificate{good}, MinVersion: "1.1"}},
		"/l/tls/unknownName":               {Address: ":1", TLS: &TLS{Certificates: []Certificate{good}, UnknownName: "x"}},
		"/l/tls/clientAuth":                {Address: ":1", TLS: &TLS{Certificates: []Certificate{good}, ClientAuth: ClientAuth{Mode: "yes"}}},
		"/l/tls/clientCAFile":              {Address: ":1", TLS: &TLS{Certificates: []Certificate{good}, ClientAuth: ClientAuth{Mode: "require"}}},
		"/l/tls/certificates/0/keyFile":    {Address: ":1", TLS: &TLS{Certificates: []Certificate{{CertFile: "c"}}}},
		"/l/tls/certificates/0/cert":       {Address: ":1", TLS: &TLS{Certificates: []Certificate{{CertFile: "c", Cert: "x", KeyFile: "k"}}}},
		"/l/tls/certificates/0/hosts/0":    {Address: ":1", TLS: &TLS{Certificates: []Certificate{{CertFile: "c", KeyFile: "k", Hosts: []string{"a.*.b"}}}}},
		"/l/tls/certificates/0/clientAuth": {Address: ":1", TLS: &TLS{Certificates: []Certificate{{CertFile: "c", KeyFile: "k", ClientAuth: ClientAuth{CAFile: "x"}}}}},
		"/l/proxyProtocol/trustedPeers":    {Address: ":1", ProxyProtocol: &ProxyProtocol{}},
		"/l/proxyProtocol/trustedPeers/1":  {Address: ":1", ProxyProtocol: &ProxyProtocol{TrustedPeers: []string{"::1", "host"}}},
		"/l/proxyProtocol/versions/0":      {Address: ":1", ProxyProtocol: &ProxyProtocol{TrustedPeers: []string{"::1"}, Versions: []int{3}}},
		"/l/limits/headerTime":             {Address: ":1", Limits: Limits{HeaderTime: -1}},
		"/l/limits/uriBytes":               {Address: ":1", Limits: Limits{HeaderBytes: 10, URIBytes: 11}},
		"/l/limits/headerBytes":            {Address: ":1", Limits: Limits{HeaderBytes: 2 << 20}},
	} {
		fields := l.Validate("/l")
		require.Len(t, fields, 1, pointer)
		require.Equal(t, pointer, fields[0].Pointer)
		require.NotEmpty(t, fields[0].Detail)
	}
}
