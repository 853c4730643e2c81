package gateway_test

import (
	"bytes"
	"fmt"
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

// metered counts what a gateway is sent.
type metered struct {
	server   interface{ InProcessConn() (net.Conn, error) }
	received *atomic.Int64
}

type meteredConn struct {
	net.Conn
	received *atomic.Int64
}

func (c meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.received.Add(int64(n))
	return n, err
}

// InProcessConn connects.
func (m metered) InProcessConn() (net.Conn, error) {
	c, err := m.server.InProcessConn()
	return meteredConn{c, m.received}, err
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

// A change reaches every gateway soon, and what it costs does not grow with the
// number of APIs. FLEET=20x5000 does it with so many gateways and APIs, and
// FLEET_GATEWAY, the path of a built gateway, with processes.
func TestAChangeReachesTheFleet(t *testing.T) {
	gateways, apis, changes := 4, 300, 20
	if s := os.Getenv("FLEET"); s != "" {
		_, err := fmt.Sscanf(s, "%dx%d", &gateways, &apis)
		require.NoError(t, err)
		changes = 100
		if n, err := strconv.Atoi(os.Getenv("FLEET_CHANGES")); err == nil {
			changes = n
		}
	}
	names := make([]string, gateways)
	for i := range names {
		names[i] = fmt.Sprint("gw-", i)
	}
	binary := os.Getenv("FLEET_GATEWAY")
	p := planetest.Start(t, binary != "", names...)
	up := upstreams(t)
	all := make([]unit.API, apis)
	for i := range all {
		all[i] = fleetAPI(i, 0, up)
	}
	p.Set(all...)
	begin := time.Now()
	_, bytes := p.Publish(true)
	t.Logf("%d APIs published in %s, %d kB", apis, time.Since(begin).Round(time.Millisecond), bytes/1000)

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
		require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(applied[version]) == gateways }, 2*time.Minute, time.Millisecond)
	}
	var received atomic.Int64
	var pids []int
	for _, name := range names {
		o := p.Bus(name)
		if binary != "" {
			pids = append(pids, startProcess(t, binary, name, o))
			continue
		}
		o.InProcess = metered{p.NATS, &received}
		startGateway(t, planeConfig(name, t.TempDir()), o)
	}
	everywhere(1)
	t.Logf("%d gateways with %d APIs each are up, %d kB received by each", gateways, apis, received.Load()/int64(gateways)/1000)

	busy := worked(t, pids)
	var took []time.Duration
	written, sent := int64(0), received.Load()
	for n := range changes {
		p.Set(fleetAPI(n*7919%apis, n+1, up))
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
	sent = (received.Load() - sent) / int64(gateways*changes)
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(100 * time.Microsecond) }
	t.Logf("change to live on %d gateways with %d APIs, %d changes: p50 %s, p99 %s, longest %s; %d bytes published, %d bytes sent to each gateway",
		gateways, apis, changes, at(0.5), at(0.99), at(1), written/int64(changes), sent)
	if len(pids) > 0 {
		t.Logf("processor time of one gateway for one change: %s", (worked(t, pids)-busy)/time.Duration(gateways*changes))
	}
	require.Less(t, at(0.99), 10*time.Second)
	require.Less(t, sent, int64(64<<10), "what a change costs does not grow with the number of APIs")
}
