package listen

import (
	"encoding/binary"
	"hash/crc32"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// proxy2 builds a version 2 header.
func proxy2(command, family byte, rest ...byte) []byte {
	b := append([]byte(nil), proxy2Start...)
	b = append(b, command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rest)))
	return append(b, rest...)
}

var tcp4 = []byte{192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb}

func withChecksum(wrong uint32) []byte {
	b := proxy2(0x21, 0x11, append(append([]byte(nil), tcp4...), 3, 0, 4, 0, 0, 0, 0)...)
	binary.BigEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))+wrong)
	return b
}

func TestParseProxy(t *testing.T) {
	t.Parallel()
	six := append(netip.MustParseAddr("2001:db8::1").AsSlice(), netip.MustParseAddr("2001:db8::2").AsSlice()...)
	six = append(six, 0, 80, 1, 187)
	for name, tc := range map[string]struct {
		in   string
		peer string // "" = none told
		err  error
		more bool
	}{
		"v1 IPv4":               {in: "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\nGET", peer: "192.0.2.1:4660"},
		"v1 IPv6":               {in: "PROXY TCP6 2001:db8::1 2001:db8::2 80 443\r\n", peer: "[2001:db8::1]:80"},
		"v1 unknown":            {in: "PROXY UNKNOWN\r\n"},
		"v1 unknown with more":  {in: "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"},
		"v1 incomplete":         {in: "PROXY TCP4 192.0", more: true},
		"nothing yet":           {in: "P", more: true},
		"v1 wrong family":       {in: "PROXY TCP4 2001:db8::1 2001:db8::2 80 443\r\n", err: errProxy},
		"v1 two spaces":         {in: "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n", err: errProxy},
		"v1 leading zero":       {in: "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n", err: errProxy},
		"v1 port too large":     {in: "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n", err: errProxy},
		"v1 bare line feed":     {in: "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\nGET / HTTP/1.1\r\n", err: errProxy},
		"v1 zone":               {in: "PROXY TCP6 fe80::1%eth0 2001:db8::2 80 443\r\n", err: errProxy},
		"v1 UDP":                {in: "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", err: errProxy},
		"v1 too long":           {in: "PROXY UNKNOWN " + strings.Repeat("x", 107) + "\r\n", err: errProxy},
		"no header":             {in: "GET / HTTP/1.1\r\n", err: errNoProxy},
		"v2 IPv4":               {in: string(proxy2(0x21, 0x11, tcp4...)) + "GET", peer: "192.0.2.1:4660"},
		"v2 IPv6":               {in: string(proxy2(0x21, 0x21, six...)), peer: "[2001:db8::1]:80"},
		"v2 local":              {in: string(proxy2(0x20, 0x00))},
		"v2 local with address": {in: string(proxy2(0x20, 0x11, tcp4...))},
		"v2 not told":           {in: string(proxy2(0x21, 0x00, 1, 2, 3))},
		"v2 incomplete":         {in: string(proxy2(0x21, 0x11, tcp4...)[:20]), more: true},
		"v2 short of addresses": {in: string(proxy2(0x21, 0x11, tcp4[:8]...)), err: errProxy},
		"v2 version 3":          {in: string(proxy2(0x31, 0x11, tcp4...)), err: errProxy},
		"v2 unknown command":    {in: string(proxy2(0x22, 0x11, tcp4...)), err: errProxy},
		"v2 datagram":           {in: string(proxy2(0x21, 0x12, tcp4...)), err: errProxy},
		"v2 unix":               {in: string(proxy2(0x21, 0x31, make([]byte, 216)...)), err: errProxy},
		"v2 cut extension":      {in: string(proxy2(0x21, 0x11, append(append([]byte(nil), tcp4...), 4, 0, 9)...)), err: errProxy},
		"v2 too long":           {in: string(proxy2(0x21, 0x11, make([]byte, 4081)...)), err: errProxy},
		"v2 checksum":           {in: string(withChecksum(0)), peer: "192.0.2.1:4660"},
		"v2 wrong checksum":     {in: string(withChecksum(1)), err: errProxy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, n, err := parseProxy([]byte(tc.in))
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.err == nil && !tc.more, n > 0)
			if tc.peer == "" {
				require.False(t, h.client.IsValid())
			} else {
				require.Equal(t, tc.peer, h.client.String())
			}
		})
	}
}

func FuzzParseProxy(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\nGET"))
	f.Add(proxy2(0x21, 0x11, tcp4...))
	f.Add(withChecksum(0))
	f.Add(proxy2(0x20, 0x00))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := parseProxy(b)
		require.LessOrEqual(t, n, len(b))
		require.LessOrEqual(t, n, maxProxy2)
		if err != nil || n == 0 {
			require.Zero(t, n)
			require.False(t, err == nil && len(b) >= maxProxy2, "undecided after %d bytes", len(b))
			return
		}
		// What was accepted does not depend on what follows.
		again, m, err := parseProxy(append(append([]byte(nil), b[:n]...), 'G'))
		require.NoError(t, err)
		require.Equal(t, n, m)
		require.Equal(t, h, again)
		for i := range n { // nor is it accepted before it is whole
			_, k, err := parseProxy(b[:i])
			require.True(t, k == 0 && err == nil || i == 0, "accepted or refused after %d of %d bytes: %v", i, n, err)
		}
	})
}

// talk sends bytes on a new connection and returns all that is answered.
func talk(t *testing.T, address, send string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = c.Write([]byte(send))
	require.NoError(t, err)
	var all []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		all = append(all, buf[:n]...)
		if err != nil {
			return string(all)
		}
	}
}

const get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

func TestProxyProtocolOnTheWire(t *testing.T) {
	t.Parallel()
	trusted, _ := start(t, Listener{ProxyProtocol: &ProxyProtocol{TrustedPeers: []string{"127.0.0.0/8"}}, H2C: true})
	v1only, _ := start(t, Listener{ProxyProtocol: &ProxyProtocol{TrustedPeers: []string{"127.0.0.1"}, Versions: []int{1}}})
	foreign, _ := start(t, Listener{ProxyProtocol: &ProxyProtocol{TrustedPeers: []string{"203.0.113.0/24"}}})
	slow, _ := start(t, Listener{
		ProxyProtocol: &ProxyProtocol{TrustedPeers: []string{"127.0.0.1"}},
		Limits:        Limits{HeaderTime: unit.Duration(50 * time.Millisecond)},
	})

	require.Contains(t, talk(t, trusted.Addr().String(), "PROXY TCP4 192.0.2.7 198.51.100.2 99 443\r\n"+get), "1 192.0.2.7:99")
	require.Contains(t, talk(t, trusted.Addr().String(), string(proxy2(0x21, 0x11, tcp4...))+get), "1 192.0.2.1:4660")
	require.Contains(t, talk(t, trusted.Addr().String(), string(proxy2(0x20, 0x00))+get), "1 127.0.0.1:", "LOCAL keeps the peer")
	require.Empty(t, talk(t, trusted.Addr().String(), get), "a trusted peer must send a header")
	require.Empty(t, talk(t, trusted.Addr().String(), "PROXY TCP4 x y 1 2\r\n"+get))
	require.Empty(t, talk(t, trusted.Addr().String(), "PROXY UNKNOWN\r\nPROXY TCP4 192.0.2.7 198.51.100.2 99 443\r\n"+get), "one header only")
	require.Contains(t, talk(t, v1only.Addr().String(), "PROXY UNKNOWN\r\n"+get), "1 127.0.0.1:")
	require.Empty(t, talk(t, v1only.Addr().String(), string(proxy2(0x20, 0x00))+get))
	require.Contains(t, talk(t, foreign.Addr().String(), get), "1 127.0.0.1:", "any other peer is a client")
	require.Empty(t, talk(t, foreign.Addr().String(), "PROXY TCP4 192.0.2.7 198.51.100.2 99 443\r\n"+get))
	require.Empty(t, talk(t, foreign.Addr().String(), string(proxy2(0x21, 0x11, tcp4...))+get))
	require.Empty(t, talk(t, slow.Addr().String(), "PROXY TCP4 192"), "the header has its time")
}
