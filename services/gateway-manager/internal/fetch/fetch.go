// Package fetch gets OpenAPI documents from addresses that users name. It goes
// nowhere that only this process could go: private, local and reserved networks
// are refused, whatever name stands for them, unless the configuration allows
// them.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Options say what may be fetched.
type Options struct {
	// MaxSize is the longest document, in bytes.
	MaxSize int64
	// Private allows private networks, Loopback this machine.
	Private, Loopback bool
	// Timeout bounds a whole fetch.
	Timeout time.Duration
}

// Fetcher fetches documents. It is safe for concurrent use.
type Fetcher struct {
	opt    Options
	client *http.Client
}

const maxRedirects = 5

var (
	errURL       = errors.New("want an http:// or https:// address without user and password")
	errRedirects = fmt.Errorf("it is redirected more than %d times", maxRedirects)
)

// New returns a fetcher.
func New(opt Options) *Fetcher {
	f := &Fetcher{opt: opt}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: f.control}
	f.client = &http.Client{
		Timeout: opt.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return errRedirects
			}
			return check(r.URL)
		},
	}
	return f
}

func check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errURL
	}
	return nil
}

// Fetch returns the document at an address. The text of its error is for whoever
// named the address.
func (f *Fetcher) Fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errURL
	}
	if err := check(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errURL
	}
	req.Header.Set("Accept", "application/json, application/yaml, text/yaml, */*;q=0.5")
	req.Header.Set("User-Agent", "gatehouse")
	res, err := f.client.Do(req)
	if err != nil {
		var refused *refusedError
		if errors.As(err, &refused) {
			return nil, refused
		}
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, fmt.Errorf("%s does not answer: %w", u.Host, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", u.Host, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, f.opt.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading from %s: %w", u.Host, err)
	}
	if int64(len(body)) > f.opt.MaxSize {
		return nil, fmt.Errorf("it is larger than %d MiB", f.opt.MaxSize>>20)
	}
	return body, nil
}

// refusedError says that an address is of a network that is not for users.
type refusedError struct{ ip netip.Addr }

// Error names the address.
func (e *refusedError) Error() string {
	return fmt.Sprintf("the address %s is of a private or local network, from which nothing is fetched: send the document itself", e.ip)
}

// control looks at the address that is really connected to, after names were
// resolved.
func (f *Fetcher) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	ip := ap.Addr().Unmap().WithZone("")
	if f.allowed(ip) {
		return nil
	}
	return &refusedError{ip}
}

func (f *Fetcher) allowed(ip netip.Addr) bool {
	switch {
	case ip.IsLoopback():
		return f.opt.Loopback
	case ip.IsPrivate():
		return f.opt.Private
	case !ip.IsGlobalUnicast(), ip.IsLinkLocalUnicast():
		return false
	}
	for _, p := range reserved() {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// reserved are networks that look public and are not (RFC 6890, RFC 6598, RFC
// 6052, RFC 3056).
func reserved() [8]netip.Prefix {
	return [...]netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{0}), 8),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 0}), 24),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18}), 15),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{240}), 4),
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b}), 32), // IPv4 in IPv6
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x02}), 16),          // 6to4
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01}), 32),          // Teredo
	}
}
