package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

func options(address string, change ...func(*transport.ClientOptions)) transport.ClientOptions {
	o := transport.ClientOptions{
		Target:  transport.Target{Network: "tcp", Address: address, Authority: address},
		MaxIdle: 10, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 16,
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func TestUpstreamsShareAClientWhereTheyCallAlike(t *testing.T) {
	t.Parallel()
	c := &clients{}
	first, ok := c.New("http1", options("127.0.0.1:1")).(*lease)
	require.True(t, ok)
	second, _ := c.New("http1", options("127.0.0.1:1")).(*lease)
	require.Same(t, first.client, second.client)
	secure := func(change func(*tls.Config)) func(*transport.ClientOptions) {
		return func(o *transport.ClientOptions) {
			o.Target.TLS = &tls.Config{ServerName: "a", MinVersion: tls.VersionTLS12}
			change(o.Target.TLS)
		}
	}
	nothing := func(*tls.Config) {}
	shared := map[string]transport.Client{
		"another address":    c.New("http1", options("127.0.0.1:2")),
		"another protocol":   c.New("h2c", options("127.0.0.1:1")),
		"TLS":                c.New("http1", options("127.0.0.1:1", secure(nothing))),
		"another name":       c.New("http1", options("127.0.0.1:1", secure(func(c *tls.Config) { c.ServerName = "b" }))),
		"another version":    c.New("http1", options("127.0.0.1:1", secure(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }))),
		"another idle time":  c.New("http1", options("127.0.0.1:1", func(o *transport.ClientOptions) { o.IdleTimeout = time.Second })),
		"another stream":     c.New("http1", options("127.0.0.1:1", func(o *transport.ClientOptions) { o.StreamIdle = time.Second })),
		"more idle":          c.New("http1", options("127.0.0.1:1", func(o *transport.ClientOptions) { o.MaxIdle = 11 })),
		"another authority":  c.New("http1", options("127.0.0.1:1", func(o *transport.ClientOptions) { o.Target.Authority = "x" })),
		"another header max": c.New("http1", options("127.0.0.1:1", func(o *transport.ClientOptions) { o.MaxHeaderBytes = 1 })),
	}
	seen := map[*sharedClient]string{first.client: "the first"}
	for name, client := range shared {
		l, ok := client.(*lease)
		require.True(t, ok, name)
		require.NotContains(t, seen, l.client, name)
		seen[l.client] = name
	}
	// What one upstream trusts, presents or bounds is no other's business.
	for name, change := range map[string]func(*transport.ClientOptions){
		"bounded connections": func(o *transport.ClientOptions) { o.MaxConns = 5 },
		"an authority":        secure(func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }),
		"a certificate":       secure(func(c *tls.Config) { c.Certificates = []tls.Certificate{{}} }),
		"no verification":     secure(func(c *tls.Config) { c.InsecureSkipVerify = true }),
		"its own verification": secure(func(c *tls.Config) {
			c.VerifyConnection = func(tls.ConnectionState) error { return nil }
		}),
	} {
		client := c.New("http1", options("127.0.0.1:1", change))
		_, isShared := client.(*lease)
		require.False(t, isShared, name)
		client.Close()
	}
	require.Len(t, c.shared, 1+len(shared))
	for _, client := range shared {
		client.Close()
		client.Close() // counts once
	}
	require.Len(t, c.shared, 1)
	first.Close()
	first.Close()
	require.Len(t, c.shared, 1, "the second upstream still calls")
	second.Close()
	require.Empty(t, c.shared, "the last one closes it")
	again, _ := c.New("http1", options("127.0.0.1:1")).(*lease)
	require.NotSame(t, first.client, again.client)
	again.Close()
}
