package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/plane/planetest"
	"github.com/gatehouse/gatehouse/libs/bus"
	contract "github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// meter stands before NATS and counts what it sends to gateways.
type meter struct {
	to       string
	received atomic.Int64
}

// Write counts.
func (m *meter) Write(b []byte) (int, error) {
	m.received.Add(int64(len(b)))
	return len(b), nil
}

// listen returns an address at which NATS is reached through the meter.
func (m *meter) listen(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var work sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		work.Wait()
	})
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { m.carry(c) })
		}
	})
	return l.Addr().String()
}

// carry carries one connection both ways until either side ends it.
func (m *meter) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).Dial("tcp", m.to)
	if err != nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(client, m), server)
	_ = client.Close()
	<-done
}

// fleetAPI is one of many.
func fleetAPI(i, version int, up []unit.Upstream) unit.API {
	a := keyed(unit.API{
		ID: fmt.Sprintf("api-%05d", i), Name: fmt.Sprintf("API number %d", i), Version: fmt.Sprint(version),
		BasePath: fmt.Sprintf("/team-%d/api-%d", i%50, i), Organization: "o", Project: "p", Environment: "e", Upstreams: up,
	})
	for n := range 6 {
		a.Operations = append(a.Operations,
			unit.Operation{ID: fmt.Sprint("list", n), Method: "GET", Path: fmt.Sprintf("/things-%d", n)},
			unit.Operation{ID: fmt.Sprint("read", n), Method: "GET", Path: fmt.Sprintf("/things-%d/{id}", n)})
	}
	return a
}

// startProcess starts a gateway as a process of its own.
func startProcess(t *testing.T, binary, name string, o *bus.Options) (pid int) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil,
		"name: %s\nlisteners: [{address: \"127.0.0.1:0\"}]\ndata: %s/data\n"+
			"controlPlane: {url: %q, username: %s, password: %s, organization: %s, group: %s, joinToken: %s}\n",
		name, dir, o.URL, name, o.Password, planetest.Organization, planetest.Group, planetest.Token), 0o600))
	cmd := exec.CommandContext(t.Context(), binary, "run", "--config", path, "--log-level", "error")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	return cmd.Process.Pid
}

// worked returns the processor time of processes, in ticks of 10 ms.
func worked(t *testing.T, pids []int) time.Duration {
	t.Helper()
	ticks := 0
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(t, err)
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
		for _, f := range fields[11:13] { // user and system
			n, err := strconv.Atoi(f)
			require.NoError(t, err)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// fleet is so many gateways with so many APIs, in this process or, where there is
// the path of a built gateway, as processes.
type fleet struct {
	gateways, apis, changes int
	binary                  string
}

// measured is what was measured of a fleet.
type measured struct {
	p99  time.Duration // until a gateway had a change
	sent int64         // to each gateway for a change, in bytes
}

// A change reaches every gateway soon, and what it costs does not grow with the
// number of APIs. FLEET=20x5000 does it with so many gateways and APIs, and
// FLEET_GATEWAY, the path of a built gateway, with processes. The control plane is
// one of tests: services/bench measures with the real one.
func TestAChangeReachesTheFleet(t *testing.T) {
	f, limit := fleet{gateways: 4, apis: 300, changes: 20, binary: os.Getenv("FLEET_GATEWAY")}, 2*time.Second
	if s := os.Getenv("FLEET"); s != "" {
		_, err := fmt.Sscanf(s, "%dx%d", &f.gateways, &f.apis)
		require.NoError(t, err)
		f.changes, limit = 100, 500*time.Millisecond
		if n, err := strconv.Atoi(os.Getenv("FLEET_CHANGES")); err == nil {
			f.changes = n
		}
	}
	few := f
	few.apis /= 10
	var small, large measured
	require.True(t, t.Run("few APIs", func(t *testing.T) { small = few.measure(t) }))
	require.True(t, t.Run("many APIs", func(t *testing.T) { large = f.measure(t) }))
	require.Less(t, large.p99, limit)
	require.Positive(t, small.sent, "it was measured")
	// An index lists up to 64 units, and how full those are on the way to a change
	// depends on the number: with ten times as many APIs it may be half as much again.
	require.Less(t, large.sent, small.sent*3/2, "what a change costs does not grow with the number of APIs")
}

// measure measures changes, one after the other.
func (f fleet) measure(t *testing.T) measured {
	t.Helper()
	names := make([]string, f.gateways)
	for i := range names {
		names[i] = fmt.Sprint("gw-", i)
	}
	p := planetest.Start(t, true, names...)
	up := upstreams(t)
	all := make([]unit.API, f.apis)
	for i := range all {
		all[i] = fleetAPI(i, 0, up)
	}
	p.Set(all...)
	begin := time.Now()
	_, bytes := p.Publish(true)
	t.Logf("%d APIs published in %s, %d kB", f.apis, time.Since(begin).Round(time.Millisecond), bytes/1000)

	var mu sync.Mutex
	applied := map[uint64]map[string]time.Time{}
	p.OnReport(func(r contract.Report) {
		mu.Lock()
		defer mu.Unlock()
		if applied[r.Version] == nil {
			applied[r.Version] = map[string]time.Time{}
		}
		if _, ok := applied[r.Version][r.Gateway]; !ok && r.Version > 0 {
			applied[r.Version][r.Gateway] = r.Time // when it had applied it
		}
	})
	everywhere := func(version uint64) {
		t.Helper()
		require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(applied[version]) == f.gateways }, 2*time.Minute, time.Millisecond)
	}
	m := &meter{to: p.NATS.Addr()}
	address := m.listen(t)
	var pids []int
	for _, name := range names {
		o := p.Bus(name)
		o.URL = "nats://" + address
		if f.binary != "" {
			pids = append(pids, startProcess(t, f.binary, name, o))
			continue
		}
		startGateway(t, planeConfig(name, t.TempDir()), o)
	}
	everywhere(1)
	t.Logf("%d gateways with %d APIs each are up, %d kB received by each", f.gateways, f.apis, m.received.Load()/int64(f.gateways)/1000)

	busy := worked(t, pids)
	var took []time.Duration
	written, sent := int64(0), m.received.Load()
	for n := range f.changes {
		p.Set(fleetAPI(n*7919%f.apis, n+1, up))
		begin := time.Now()
		version, b := p.Publish(true)
		everywhere(version)
		written += b
		if os.Getenv("FLEET_TRACE") != "" {
			worst, who := time.Duration(0), ""
			for name, at := range applied[version] {
				if d := at.Sub(begin); d > worst {
					worst, who = d, name
				}
			}
			t.Log(n, worst, who)
		}
		for _, at := range applied[version] {
			took = append(took, at.Sub(begin))
		}
	}
	sent = (m.received.Load() - sent) / int64(f.gateways*f.changes)
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(100 * time.Microsecond) }
	t.Logf("change to live on %d gateways with %d APIs, %d changes: p50 %s, p99 %s, longest %s; %d bytes published, %d bytes sent to each gateway",
		f.gateways, f.apis, f.changes, at(0.5), at(0.99), at(1), written/int64(f.changes), sent)
	if len(pids) > 0 {
		t.Logf("processor time of one gateway for one change: %s", (worked(t, pids)-busy)/time.Duration(f.gateways*f.changes))
	}
	return measured{p99: at(0.99), sent: sent}
}
