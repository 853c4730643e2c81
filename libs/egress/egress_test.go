package egress_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
)

func TestWhereUsersMayHaveServicesGo(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct{ public, private, loopback bool }{
		"93.184.216.34": {true, true, true}, "2606:2800:220:1::1": {true, true, true},
		"10.0.0.1": {false, true, false}, "192.168.1.1": {false, true, false}, "fd00::1": {false, true, false}, "::ffff:10.0.0.1": {false, true, false},
		"127.0.0.1": {false, false, true}, "::1": {false, false, true}, "::ffff:127.0.0.1": {false, false, true},
		"169.254.169.254": {}, "fe80::1": {}, "fe80::1%eth0": {}, "0.0.0.0": {}, "::": {}, "224.0.0.1": {}, "255.255.255.255": {},
		"100.64.0.1": {}, "198.18.0.1": {}, "192.0.0.8": {}, "240.0.0.1": {}, "64:ff9b::a00:1": {}, "2002:a00:1::": {}, "2001::1": {},
	} {
		ip := netip.MustParseAddr(address)
		require.Equal(t, want.public, egress.Guard{}.Allows(ip), address)
		require.Equal(t, want.private, egress.Guard{AllowPrivate: true}.Allows(ip), address)
		require.Equal(t, want.loopback, egress.Guard{AllowLoopback: true}.Allows(ip), address)
	}
}

// What counts is the address that a name stands for.
func TestNamesHideNothing(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	address := "http://localhost" + s.URL[len("http://127.0.0.1"):]
	get := func(g egress.Guard) error {
		res, err := (&http.Client{Transport: g.Transport()}).Get(address)
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	require.NoError(t, get(egress.Guard{AllowLoopback: true}))
	refused := egress.Refused(get(egress.Guard{AllowPrivate: true}))
	require.NotNil(t, refused)
	require.True(t, refused.IP.IsLoopback())
	require.Contains(t, refused.Error(), refused.IP.String())
}

func TestPlacesThatOperatorsAllow(t *testing.T) {
	t.Parallel()
	g := egress.Guard{Allow: []string{"10.20.0.0/16", "192.168.7.9", "fd00:1::/32"}}
	for address, want := range map[string]bool{
		"10.20.255.1": true, "10.21.0.1": false, "192.168.7.9": true, "::ffff:192.168.7.9": true, "192.168.7.8": false,
		"fd00:1::5": true, "fd00:2::5": false, "127.0.0.1": false, "169.254.169.254": false, "93.184.216.34": true,
	} {
		require.Equal(t, want, g.Allows(netip.MustParseAddr(address)), address)
	}

	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	port := s.URL[len("http://127.0.0.1:"):]
	for allowed, want := range map[string]bool{"localhost": true, "LOCALHOST:" + port: true, "localhost:1": false, "ocalhost": false, "127.0.0.0/8": true} {
		res, err := (&http.Client{Transport: egress.Guard{Allow: []string{allowed}}.Transport()}).Get("http://localhost:" + port)
		if err == nil {
			_ = res.Body.Close()
		}
		require.Equal(t, want, err == nil, "%s: %v", allowed, err)
		require.Equal(t, !want, egress.Refused(err) != nil, allowed)
	}
}

func TestPlacesAreChecked(t *testing.T) {
	t.Parallel()
	require.Empty(t, egress.Guard{Allow: []string{"sample", "sample:9000", "a.b-c.example", "10.0.0.1", "10.0.0.1:80", "10.0.0.0/8", "fd00::1", "[fd00::1]:80", "fd00::/8"}}.Check("/outbound"))
	for _, wrong := range []string{"", "http://sample", "sample:0", "sample:port", "10.0.0.0/33", "a b", "*.example.com", "sample/x"} {
		fields := egress.Guard{Allow: []string{"fine", wrong}}.Check("/outbound")
		require.Len(t, fields, 1, wrong)
		require.Equal(t, "/outbound/allow/1", fields[0].Pointer)
	}
}
