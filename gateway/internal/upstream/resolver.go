package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// SystemResolver resolves names as this machine does: literal addresses, the
// hosts file, and the servers and search list of resolv.conf (RFC 1035), which
// tell how long an answer holds. Where those servers cannot be asked it falls
// back to [net.Resolver], which cannot tell. Both files are read anew for each
// resolution, so that their changes need no restart.
type SystemResolver struct {
	// Hosts and ResolvConf are paths; "" = /etc/hosts and /etc/resolv.conf.
	Hosts, ResolvConf string
	// Port of the name servers; "" = 53.
	Port string
	// Fallback is asked when no server answers; nil = net.DefaultResolver.
	Fallback interface {
		LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	}
}

// NewSystemResolver returns a resolver with this machine's settings.
func NewSystemResolver() *SystemResolver { return &SystemResolver{} }

var (
	errNoServer = errors.New("no name server answered")
	errNoName   = errors.New("no such name")
)

// unknownTTL is the TTL of an answer that comes without one.
const unknownTTL = -1

// Resolve returns the addresses of host, IPv4 ones first.
func (s *SystemResolver) Resolve(ctx context.Context, host string) (Answer, error) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return Answer{Addrs: []netip.Addr{ip}, TTL: unknownTTL}, nil
	}
	if addrs := lookupHosts(orDefault(s.Hosts, "/etc/hosts"), host); len(addrs) > 0 {
		return Answer{Addrs: addrs, TTL: unknownTTL}, nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 section 6.3
		return Answer{Addrs: []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, TTL: unknownTTL}, nil
	}
	a, err := s.ask(ctx, host)
	if err == nil || errors.Is(err, errNoName) || ctx.Err() != nil {
		return a, err
	}
	fallback := s.Fallback
	if fallback == nil {
		fallback = net.DefaultResolver
	}
	addrs, ferr := fallback.LookupNetIP(ctx, "ip", host)
	if ferr != nil {
		return Answer{}, fmt.Errorf("resolving %s: %w", host, errors.Join(err, ferr))
	}
	return Answer{Addrs: tidy(addrs), TTL: unknownTTL}, nil
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// ask tries the names of the search list in turn.
func (s *SystemResolver) ask(ctx context.Context, host string) (Answer, error) {
	conf, err := dns.ClientConfigFromFile(orDefault(s.ResolvConf, "/etc/resolv.conf"))
	if err != nil {
		return Answer{}, fmt.Errorf("resolving %s: %w", host, err)
	}
	conf.Port = orDefault(s.Port, conf.Port)
	if len(conf.Servers) == 0 {
		return Answer{}, fmt.Errorf("resolving %s: %w", host, errNoServer)
	}
	last := errNoName
	for _, name := range conf.NameList(host) {
		a, err := askName(ctx, conf, name)
		if err == nil {
			return a, nil
		}
		if !errors.Is(err, errNoName) {
			last = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return Answer{}, fmt.Errorf("resolving %s: %w", host, last)
}

type reply struct {
	addrs []netip.Addr
	ttl   time.Duration
	err   error
}

// askName asks for both families at once. One family is enough; an error of the
// other counts only where there is no address at all.
func askName(ctx context.Context, conf *dns.ClientConfig, name string) (Answer, error) {
	types := [...]uint16{dns.TypeA, dns.TypeAAAA}
	replies := make([]chan reply, len(types))
	for i, t := range types {
		replies[i] = make(chan reply, 1)
		go func() { replies[i] <- askServers(ctx, conf, name, t) }()
	}
	var a Answer
	a.TTL = unknownTTL
	err := errNoName
	for _, c := range replies {
		r := <-c
		if r.err != nil {
			if !errors.Is(r.err, errNoName) {
				err = r.err
			}
			continue
		}
		a.Addrs = append(a.Addrs, r.addrs...)
		if a.TTL < 0 || r.ttl < a.TTL {
			a.TTL = r.ttl
		}
	}
	if a.Addrs = tidy(a.Addrs); len(a.Addrs) == 0 {
		return Answer{}, err
	}
	return a, nil
}

func askServers(ctx context.Context, conf *dns.ClientConfig, name string, qtype uint16) reply {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), qtype)
	m.SetEdns0(1232, false)
	last := errNoServer
	timeout := time.Duration(max(conf.Timeout, 1)) * time.Second
	for range max(conf.Attempts, 1) {
		for _, server := range conf.Servers {
			address := net.JoinHostPort(server, conf.Port)
			in, err := exchange(ctx, m, "udp", address, timeout)
			if err == nil && in.Truncated {
				in, err = exchange(ctx, m, "tcp", address, timeout)
			}
			if ctx.Err() != nil {
				return reply{err: ctx.Err()}
			}
			if err != nil {
				last = err
				continue
			}
			switch in.Rcode {
			case dns.RcodeSuccess:
				return addresses(in, qtype)
			case dns.RcodeNameError:
				return reply{err: errNoName}
			default:
				last = fmt.Errorf("%w: %s", errNoServer, dns.RcodeToString[in.Rcode])
			}
		}
	}
	return reply{err: last}
}

// exchange asks one server. Closing the connection is what ends a wait when ctx
// is cancelled.
func exchange(ctx context.Context, m *dns.Msg, network, address string, timeout time.Duration) (*dns.Msg, error) {
	c := dns.Client{Net: network, Timeout: timeout, UDPSize: 1232}
	conn, err := c.DialContext(ctx, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	in, _, err := c.ExchangeWithConnContext(ctx, m, conn)
	return in, err
}

// addresses reads the answer; the shortest TTL on the way to the addresses,
// aliases included, is that of the answer.
func addresses(in *dns.Msg, qtype uint16) reply {
	r := reply{ttl: unknownTTL}
	for _, rr := range in.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		case *dns.CNAME:
		default:
			continue
		}
		if ttl := time.Duration(rr.Header().Ttl) * time.Second; r.ttl < 0 || ttl < r.ttl {
			r.ttl = ttl
		}
		if a, ok := netip.AddrFromSlice(ip); ok && rr.Header().Rrtype == qtype {
			r.addrs = append(r.addrs, a.Unmap())
		}
	}
	if len(r.addrs) == 0 {
		r.err = errNoName
	}
	return r
}

// tidy removes duplicates, and IPv6 addresses that this machine has no route to
// where there are others. Connecting a UDP socket asks for a route and sends
// nothing.
func tidy(addrs []netip.Addr) []netip.Addr {
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	routed := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool {
		if a.Is4() {
			return false
		}
		c, err := net.DialUDP("udp6", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
		if err != nil {
			return true
		}
		_ = c.Close()
		return false
	})
	if len(routed) > 0 {
		return routed
	}
	return addrs
}
