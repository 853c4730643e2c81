package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// active are the rules of probes.
type active struct {
	path, method, host string
	interval, timeout  time.Duration
	healthy, unhealthy int
	statuses           []int
}

// passes reports whether a status is healthy.
func (a *active) passes(status int) bool {
	if len(a.statuses) == 0 {
		return status >= 200 && status < 400
	}
	return slices.Contains(a.statuses, status)
}

// watch starts and ends probing so that each member is probed. The caller holds
// mu.
func (u *Upstream) watch() {
	if u.s.active == nil {
		return
	}
	keep := make(map[string]bool, len(u.layout.all))
	for _, m := range u.layout.all {
		if m.weight == 0 {
			continue
		}
		keep[m.key] = true
		if u.probes[m.key] != nil {
			continue
		}
		ctx, stop := context.WithCancel(u.ctx)
		u.probes[m.key] = stop
		u.work.Go(func() { u.probe(ctx, m) })
	}
	for key, stop := range u.probes {
		if !keep[key] {
			stop()
			delete(u.probes, key)
		}
	}
}

// firstProbe bounds how long a target waits for its first probe.
const firstProbe = 10 * time.Second

// probe asks m for its health until ctx ends. The first time is anywhere in the
// first interval, and no two intervals are quite the same, so that gateways and
// targets do not march in step.
func (u *Upstream) probe(ctx context.Context, m *member) {
	client := u.prober(m)
	defer client.CloseIdleConnections()
	wait := time.Duration(u.env.Random() % uint64(min(u.s.active.interval, firstProbe)))
	for {
		c, stop := u.env.Clock.After(wait)
		select {
		case <-ctx.Done():
			stop()
			return
		case <-c:
		}
		err := u.ask(ctx, client, m)
		if ctx.Err() != nil {
			return
		}
		at := u.env.Clock.Now()
		if err != nil {
			m.lastErr.Store(&lastError{at: at, text: "probe: " + err.Error()})
		}
		if m.health.probed(u.s.active, err == nil, at) {
			if err != nil {
				u.changed(m, Unhealthy, "err", err)
			} else {
				u.changed(m, Healthy, "reason", "probes succeed")
			}
		}
		tenth := u.s.active.interval / 10
		wait = u.s.active.interval - tenth + time.Duration(u.env.Random()%uint64(2*tenth+1))
	}
}

// prober returns a client of its own for probes: a new connection each time is
// what tells whether the target still takes any.
func (u *Upstream) prober(m *member) *http.Client {
	t := &http.Transport{
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: int64(u.s.options.MaxHeaderBytes),
		Protocols:              new(http.Protocols),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return u.dial(ctx, network, m.address)
		},
	}
	t.Protocols.SetHTTP1(u.s.protocol == "http1" || u.s.protocol == "auto")
	t.Protocols.SetHTTP2(u.s.protocol == "h2" || u.s.protocol == "auto")
	t.Protocols.SetUnencryptedHTTP2(u.s.protocol == "h2c")
	if m.target.tls != nil {
		t.TLSClientConfig = m.target.tls.of(m.target.host)
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// probeBody is how much of an answer is read, so that the target sees a client
// that listens.
const probeBody = 16 << 10

type statusError int

func (s statusError) Error() string { return "answered " + itoa(int(s)) }

// ask probes once; nil = healthy. The path is taken as it is, without the
// target's base path.
func (u *Upstream) ask(ctx context.Context, client *http.Client, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, u.s.active.timeout)
	defer cancel()
	scheme := "http"
	if m.target.https {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, u.s.active.method, scheme+"://"+m.target.authority+u.s.active.path, nil)
	if err != nil {
		return err
	}
	req.Host = orDefault(u.s.active.host, m.authority)
	req.Header.Set("User-Agent", "gatehouse-health")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // the status is what counts
	_, _ = io.CopyN(io.Discard, res.Body, probeBody)
	if !u.s.active.passes(res.StatusCode) {
		return statusError(res.StatusCode)
	}
	return nil
}
