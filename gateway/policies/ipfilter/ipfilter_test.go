package ipfilter_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/ipfilter"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestIPFilter(t *testing.T) {
	t.Parallel()
	denied := policytest.Want{Status: 403, Code: problem.CodeAddressDenied, NotSent: true}
	from := func(a string) policytest.Request { return policytest.Request{Client: a} }
	both := `{allow: [10.0.0.0/8, "2001:db8::/32"], deny: [10.9.0.0/16, 10.9.1.0/24, 10.1.2.3]}`
	policytest.Run(t, ipfilter.Definition(), []policytest.Case{
		{Name: "allowed", Config: both, Request: from("10.255.255.255")},
		{Name: "allowed v6", Config: both, Request: from("2001:db8:ffff::1")},
		{Name: "not named", Config: both, Request: from("11.0.0.0"), Want: denied},
		{Name: "not named v6", Config: both, Request: from("2001:db9::"), Want: denied},
		{Name: "deny wins", Config: both, Request: from("10.9.2.1"), Want: denied},
		{Name: "one address", Config: both, Request: from("10.1.2.3"), Want: denied},
		{Name: "mapped into v6", Config: both, Request: from("::ffff:10.9.0.1"), Want: denied},
		{Name: "mapped and allowed", Config: both, Request: from("::ffff:10.1.0.1")},
		{Name: "with a zone", Config: `deny: ["fe80::/10"]`, Request: from("fe80::1%eth0"), Want: denied},
		{Name: "only deny", Config: `deny: [192.0.2.0/24]`, Request: from("192.0.3.1")},
		{Name: "everything", Config: `allow: [0.0.0.0/0, "::/0"]`, Request: from("255.255.255.255")},
		{Name: "everything v6", Config: `deny: ["::/0"]`, Request: from("ffff::"), Want: denied},
		{Name: "v6 long prefix", Config: `allow: ["2001:db8::8/125"]`, Request: from("2001:db8::10"), Want: denied},
		{Name: "v6 long prefix, within", Config: `allow: ["2001:db8::8/125"]`, Request: from("2001:db8::f")},
		{Name: "no address", Config: both, Request: policytest.Request{Edit: func(ex *policy.Exchange) { ex.Request.Client = netip.Addr{} }}, Want: denied},
		{
			Name: "peer", Config: `{allow: [10.0.0.1], address: peer}`,
			Request: policytest.Request{Client: "10.0.0.1", Edit: func(ex *policy.Exchange) { ex.Request.Peer = netip.MustParseAddrPort("10.0.0.2:1") }}, Want: denied,
		},
		{Name: "own answer", Config: `{deny: [192.0.2.1], status: 451, detail: not here}`, Want: policytest.Want{Status: 451, Code: problem.CodeAddressDenied, Detail: "not here"}},
		{Name: "hidden", Config: `{deny: [192.0.2.1], status: 404, detail: nothing here}`, Want: policytest.Want{Status: 404, Code: problem.CodeNotFound}},
	}...)
	for _, c := range []string{`{}`, `allow: []`, `allow: [10.0.0.1/8]`, `allow: [x]`, `{deny: [10.0.0.1], status: 200}`, `{deny: [10.0.0.1], address: proxy}`} {
		_, err := policytest.Compile(t, ipfilter.Definition(), c)
		require.Error(t, err, c)
	}
}

// blocks returns a list of n blocks, some of them within others.
func blocks(n int) []netip.Prefix {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]netip.Prefix, 0, n)
	for range n {
		v := rnd.Uint32()
		if v%3 == 0 {
			out = append(out, netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, byte(v >> 8), byte(v >> 16), byte(v >> 24), 9: byte(v)}), 20+rnd.IntN(100)).Masked())
			continue
		}
		out = append(out, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}), 8+rnd.IntN(25)).Masked())
	}
	return out
}

func hooks(tb testing.TB, ps []netip.Prefix) policy.Hooks {
	tb.Helper()
	texts := make([]string, 0, len(ps))
	for _, p := range ps {
		texts = append(texts, p.String())
	}
	raw, err := json.Marshal(map[string]any{"allow": texts})
	require.NoError(tb, err)
	h, err := ipfilter.Definition().Compile(raw, policy.Env{})
	require.NoError(tb, err)
	return h
}

func TestAgreesWithALinearSearch(t *testing.T) {
	t.Parallel()
	ps := blocks(300)
	h := hooks(t, ps)
	ex := &policy.Exchange{}
	check := func(a netip.Addr) {
		want := false
		for _, p := range ps {
			want = want || p.Contains(a)
		}
		ex.Request.Client = a
		require.Equal(t, want, h.Inbound(ex) == nil, fmt.Sprint(a))
	}
	for _, p := range ps {
		check(p.Addr())
		check(p.Addr().Prev())
		check(p.Addr().Next())
	}
	for _, p := range blocks(2000)[300:] {
		check(p.Addr())
	}
}

func TestABigListDoesNotAllocate(t *testing.T) {
	h := hooks(t, blocks(50_000))
	ex := &policy.Exchange{}
	for _, a := range []string{"1.2.3.4", "2001:db8::1", "::ffff:1.2.3.4"} {
		ex.Request.Client = netip.MustParseAddr(a)
		require.Zero(t, testing.AllocsPerRun(100, func() { _ = h.Inbound(ex) }), a)
	}
}

func BenchmarkBigList(b *testing.B) {
	h := hooks(b, blocks(50_000))
	ex := &policy.Exchange{}
	ex.Request.Client = netip.MustParseAddr("1.2.3.4")
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Inbound(ex)
	}
}
