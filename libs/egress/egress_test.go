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
