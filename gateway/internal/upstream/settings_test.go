package upstream

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestConfigurationErrorsNameTheField(t *testing.T) {
	t.Parallel()
	ok := urls("http://10.0.0.1:80")
	secure := urls("https://10.0.0.1")
	for name, c := range map[string]struct {
		cfg     unit.Upstream
		pointer string
	}{
		"no targets":        {unit.Upstream{}, "/targets"},
		"not a URL":         {unit.Upstream{Targets: urls("http://a", "::")}, "/targets/1/url"},
		"scheme":            {unit.Upstream{Targets: urls("ftp://a")}, "/targets/0/url"},
		"no host":           {unit.Upstream{Targets: urls("http://")}, "/targets/0/url"},
		"password":          {unit.Upstream{Targets: urls("http://me:secret@a")}, "/targets/0/url"},
		"query":             {unit.Upstream{Targets: urls("http://a/?x=1")}, "/targets/0/url"},
		"port 0":            {unit.Upstream{Targets: urls("http://a:0")}, "/targets/0/url"},
		"big port":          {unit.Upstream{Targets: urls("http://a:70000")}, "/targets/0/url"},
		"empty port":        {unit.Upstream{Targets: urls("http://a:")}, "/targets/0/url"},
		"short address":     {unit.Upstream{Targets: urls("http://127.1")}, "/targets/0/url"},
		"number":            {unit.Upstream{Targets: urls("http://2130706433")}, "/targets/0/url"},
		"zone":              {unit.Upstream{Targets: urls("http://[fe80::1%25eth0]")}, "/targets/0/url"},
		"dot segments":      {unit.Upstream{Targets: urls("http://a/b/../c")}, "/targets/0/url"},
		"encoded slash":     {unit.Upstream{Targets: urls("http://a/b%2fc")}, "/targets/0/url"},
		"twice":             {unit.Upstream{Targets: urls("http://a", "http://A:80/")}, "/targets/1/url"},
		"denied":            {unit.Upstream{Targets: urls("http://169.254.169.254")}, "/targets/0/url"},
		"weight":            {unit.Upstream{Targets: []unit.Target{{URL: "http://a", Weight: 70000}}}, "/targets/0/weight"},
		"priority":          {unit.Upstream{Targets: []unit.Target{{URL: "http://a", Priority: -1}}}, "/targets/0/priority"},
		"protocol":          {unit.Upstream{Targets: ok, Protocol: "http3"}, "/protocol"},
		"h2 without TLS":    {unit.Upstream{Targets: ok, Protocol: "h2"}, "/targets/0/url"},
		"h2c with TLS":      {unit.Upstream{Targets: secure, Protocol: "h2c"}, "/targets/0/url"},
		"algorithm":         {unit.Upstream{Targets: ok, Balance: unit.Balance{Algorithm: "best"}}, "/balance/algorithm"},
		"hash on nothing":   {unit.Upstream{Targets: ok, Balance: unit.Balance{Algorithm: "hash"}}, "/balance/hashOn"},
		"hash on moon":      {unit.Upstream{Targets: ok, Balance: unit.Balance{Algorithm: "hash", HashOn: "moon"}}, "/balance/hashOn"},
		"hash header":       {unit.Upstream{Targets: ok, Balance: unit.Balance{Algorithm: "hash", HashOn: "header:a b"}}, "/balance/hashOn"},
		"hashOn unused":     {unit.Upstream{Targets: ok, Balance: unit.Balance{HashOn: "ip"}}, "/balance/hashOn"},
		"panic":             {unit.Upstream{Targets: ok, Health: unit.Health{PanicThreshold: 101}}, "/health/panicThreshold"},
		"probe path":        {unit.Upstream{Targets: ok, Health: unit.Health{Active: &unit.ActiveHealth{Path: "up"}}}, "/health/active/path"},
		"probe status":      {unit.Upstream{Targets: ok, Health: unit.Health{Active: &unit.ActiveHealth{Path: "/", Statuses: []int{200, 20}}}}, "/health/active/statuses/1"},
		"probe method":      {unit.Upstream{Targets: ok, Health: unit.Health{Active: &unit.ActiveHealth{Path: "/", Method: "G T"}}}, "/health/active/method"},
		"max ejection":      {unit.Upstream{Targets: ok, Health: unit.Health{Passive: &unit.PassiveHealth{Ejection: unit.Duration(time.Minute), MaxEjection: 1}}}, "/health/passive/maxEjection"},
		"percent":           {unit.Upstream{Targets: ok, Health: unit.Health{Passive: &unit.PassiveHealth{FailurePercent: 101}}}, "/health/passive/failurePercent"},
		"negative time":     {unit.Upstream{Targets: ok, Timeouts: unit.Timeouts{Connect: -1}}, "/timeouts/connect"},
		"retry condition":   {unit.Upstream{Targets: ok, Retries: &unit.Retries{On: []string{"connect", "sometimes"}}}, "/retries/on/1"},
		"retry status":      {unit.Upstream{Targets: ok, Retries: &unit.Retries{On: []string{"200"}}}, "/retries/on/0"},
		"retry attempts":    {unit.Upstream{Targets: ok, Retries: &unit.Retries{Attempts: 11}}, "/retries/attempts"},
		"max backoff":       {unit.Upstream{Targets: ok, Retries: &unit.Retries{Backoff: unit.Duration(time.Second), MaxBackoff: 1}}, "/retries/maxBackoff"},
		"TLS unused":        {unit.Upstream{Targets: ok, TLS: &unit.TLS{}}, "/tls"},
		"CA":                {unit.Upstream{Targets: secure, TLS: &unit.TLS{CA: "MIIB"}}, "/tls/ca"},
		"certificate alone": {unit.Upstream{Targets: secure, TLS: &unit.TLS{Certificate: "x"}}, "/tls/key"},
		"key alone":         {unit.Upstream{Targets: secure, TLS: &unit.TLS{Key: "x"}}, "/tls/certificate"},
		"bad certificate":   {unit.Upstream{Targets: secure, TLS: &unit.TLS{Certificate: "x", Key: "y"}}, "/tls/certificate"},
		"TLS version":       {unit.Upstream{Targets: secure, TLS: &unit.TLS{MinVersion: "1.1"}}, "/tls/minVersion"},
		"server name":       {unit.Upstream{Targets: secure, TLS: &unit.TLS{ServerName: "a b"}}, "/tls/serverName"},
		"pool":              {unit.Upstream{Targets: ok, Pool: unit.Pool{MaxConns: -1}}, "/pool/maxConns"},
		"ttl":               {unit.Upstream{Targets: ok, DNS: unit.DNS{MinTTL: unit.Duration(time.Minute)}}, "/dns/minTTL"},
		"host":              {unit.Upstream{Targets: ok, Host: "a/b"}, "/host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := New(c.cfg, Env{})
			require.Nil(t, u)
			var p *problem.Problem
			require.ErrorAs(t, err, &p)
			require.Equal(t, problem.CodeInvalidInput, p.Code)
			require.Len(t, p.Errors, 1, "%v", p.Errors)
			require.Equal(t, c.pointer, p.Errors[0].Pointer)
			require.NotEmpty(t, p.Errors[0].Code)
			require.NotEmpty(t, p.Errors[0].Detail)
		})
	}
}

func TestEveryFieldAtFaultIsReported(t *testing.T) {
	t.Parallel()
	_, err := New(unit.Upstream{Targets: urls("x", "y"), Protocol: "z"}, Env{})
	var p *problem.Problem
	require.ErrorAs(t, err, &p)
	require.Len(t, p.Errors, 3)
}

func TestTargetURLs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]target{
		"http://Orders":                {url: "http://orders", host: "orders", port: 80, authority: "orders"},
		"https://orders.svc.:443/api/": {url: "https://orders.svc/api", https: true, host: "orders.svc", port: 443, authority: "orders.svc", basePath: "/api"},
		"http://my_svc:8080/a/b":       {url: "http://my_svc:8080/a/b", host: "my_svc", port: 8080, authority: "my_svc:8080", basePath: "/a/b"},
		"https://[2001:DB8::1]":        {url: "https://[2001:db8::1]", https: true, host: "2001:db8::1", addr: netip.MustParseAddr("2001:db8::1"), port: 443, authority: "[2001:db8::1]"},
		"http://[::ffff:10.1.2.3]:81":  {url: "http://10.1.2.3:81", host: "10.1.2.3", addr: netip.MustParseAddr("10.1.2.3"), port: 81, authority: "10.1.2.3:81"},
	} {
		got, detail := parseTarget(raw)
		require.Empty(t, detail, raw)
		require.Equal(t, want, got, raw)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"http://a", "https://[::1]:1/x", "http://a:b@c", "http://a/%2e%2e", "http://1.2.3", "//a", "http:a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, detail := parseTarget(raw)
		if detail != "" {
			return
		}
		again, detail := parseTarget(got.url)
		if detail != "" || again.url != got.url || again.authority != got.authority || again.basePath != got.basePath {
			t.Fatalf("%q reads as %+v, which reads as %+v (%s)", raw, got, again, detail)
		}
	})
}

func TestGuard(t *testing.T) {
	t.Parallel()
	own := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8001"), netip.MustParseAddrPort("[::]:9001")}
	g := NewGuard(own, []netip.Prefix{netip.MustParsePrefix("169.254.7.0/24")})
	// R13.3
	for _, a := range []string{
		"127.0.0.1:8001", "[::ffff:127.0.0.1]:8001", "0.0.0.0:8001", "[64:ff9b::7f00:1]:8001",
		"127.0.0.1:9001", "127.9.9.9:9001", "[::1]:9001", "0.0.0.0:9001",
		"169.254.169.254:80", "[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "169.254.170.2:80",
		"[fd00:ec2::254]:80", "[fe80::1]:80", "100.100.100.200:80",
	} {
		require.Error(t, g.Check(netip.MustParseAddrPort(a)), a)
	}
	for _, a := range []string{"127.0.0.1:8000", "10.0.0.1:9001", "[2001:db8::1]:80", "169.254.7.9:80", "127.0.0.2:8001"} {
		require.NoError(t, g.Check(netip.MustParseAddrPort(a)), a)
	}
}

func TestGuardHoldsWhenANamePointsToAForbiddenAddress(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, unit.Upstream{Targets: urls("http://innocent")}, Env{
		NewClient: newReal, Resolver: resolverFunc(func(string) (Answer, error) {
			return Answer{Addrs: []netip.Addr{netip.MustParseAddr("169.254.169.254")}}, nil
		}),
	})
	err := u.Do(get("/latest/meta-data"))
	require.True(t, problem.Is(err, problem.CodeUpstreamUnavailable), "%v", err)
	require.ErrorContains(t, errors.Unwrap(err), "metadata")
	require.NotContains(t, err.Error(), "169.254", "the client learns no address")
}
