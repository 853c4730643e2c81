package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/internal/plane/planetest"
	contract "github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// TestSwapsOfManyAPIsUnderLoad changes one of 10,000 APIs a thousand times while
// they are called, by way of the control plane: manifests and units, no YAML. No
// request fails, each change compiles one unit, and no goroutine is left over.
// With -short there are 200 APIs and 20 changes; SWAPS=1000x10000 says how many.
func TestSwapsOfManyAPIsUnderLoad(t *testing.T) {
	changes, apis := 1000, 10_000
	if testing.Short() {
		changes, apis = 20, 200
	}
	if s := os.Getenv("SWAPS"); s != "" {
		_, err := fmt.Sscanf(s, "%dx%d", &changes, &apis)
		require.NoError(t, err)
	}
	p := planetest.Start(t, false, "gw-1")
	swapped := func(i, version int) unit.API {
		a := answeringWith(fmt.Sprintf("api-%05d", i), 200)
		a.Version = strconv.Itoa(version)
		for n := range 5 {
			a.Operations = append(a.Operations,
				unit.Operation{ID: fmt.Sprint("list", n), Method: "GET", Path: fmt.Sprintf("/things-%d", n)},
				unit.Operation{ID: fmt.Sprint("read", n), Method: "GET", Path: fmt.Sprintf("/things-%d/{id}", n)})
		}
		a.Policies = append([]unit.Policy{{Type: "headers", Config: json.RawMessage(fmt.Sprintf(`{"response":{"set":{"X-Version":"%d"}}}`, version))}}, a.Policies...)
		return a
	}
	all := make([]unit.API, apis)
	for i := range all {
		all[i] = swapped(i, 0)
	}
	p.Set(all...)
	applied := make(chan contract.Report, 100)
	p.OnReport(func(r contract.Report) {
		select {
		case applied <- r:
		default:
		}
	})
	version, _ := p.Publish(true)
	c := planeConfig("gw-1", t.TempDir())
	c.Admin = gateway.Admin{Address: "127.0.0.1:0"}
	g := startGateway(t, c, p.Bus("gw-1"))
	// account is the gateway's own of the last change.
	var account struct {
		Compile          time.Duration `json:"compileNs"`
		Compiled, Reused int
	}
	look := func() {
		t.Helper()
		resp, err := http.Get("http://" + g.admin + "/config")
		require.NoError(t, err)
		defer resp.Body.Close()
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&account))
	}
	reported := func(version uint64) contract.Report {
		t.Helper()
		end := time.After(2 * time.Minute)
		for {
			select {
			case r := <-applied:
				if r.Version >= version {
					return r
				}
			case <-end:
				t.Fatalf("version %d was not applied", version)
			}
		}
	}
	require.Empty(t, reported(version).Issues)

	before := runtime.NumGoroutine()

	// The load: each worker asks its own APIs in turn, over a kept connection.
	const workers = 4
	var (
		requests, failed atomic.Int64
		first            atomic.Pointer[string]
		wg               sync.WaitGroup
	)
	ctx, stop := context.WithCancel(t.Context())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers, DialContext: (&net.Dialer{}).DialContext}}
	defer client.CloseIdleConnections()
	for w := range workers {
		wg.Go(func() {
			for n := w; ctx.Err() == nil; n += workers {
				url := fmt.Sprintf("%s/api-%05d/things-%d/7", g.url, n*7919%apis, n%5)
				req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, url, nil)
				if err != nil {
					panic(err)
				}
				resp, err := client.Do(req)
				requests.Add(1)
				why := ""
				switch {
				case err != nil:
					why = err.Error()
				case resp.StatusCode != http.StatusOK:
					why = resp.Status
				}
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				if why != "" {
					failed.Add(1)
					first.CompareAndSwap(nil, &why)
				}
				<-time.After(time.Millisecond)
			}
		})
	}

	took, compiling := make([]time.Duration, 0, changes), make([]time.Duration, 0, changes)
	for n := range changes {
		i := n * 7919 % apis
		p.Set(swapped(i, n+1))
		begin := time.Now()
		version, _ = p.Publish(true)
		r := reported(version)
		took = append(took, r.Time.Sub(begin)) // when it had applied it
		require.Empty(t, r.Issues)
		require.Equal(t, apis, r.APIs)
		look()
		require.Equal(t, 1, account.Compiled)
		require.Equal(t, apis-1, account.Reused)
		compiling = append(compiling, account.Compile)
	}
	stop()
	wg.Wait()
	if why := first.Load(); why != nil {
		t.Errorf("%d of %d requests failed, the first: %s", failed.Load(), requests.Load(), *why)
	}
	require.Positive(t, requests.Load())
	client.CloseIdleConnections()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 }, patience, 10*time.Millisecond, "goroutines are left over")
	// What is served is what was published last.
	last := (changes - 1) * 7919 % apis
	resp, err := http.Get(fmt.Sprintf("%s/api-%05d/things-1", g.url, last))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, strconv.Itoa(changes), resp.Header.Get("X-Version"))
	at := func(d []time.Duration, q float64) time.Duration {
		slices.Sort(d)
		return d[int(q*float64(len(d)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("%d changes of %d APIs under load: %d requests, %d failed; from publishing to live: p50 %s, p99 %s, longest %s; each compiled one unit, and took p50 %s, p99 %s",
		changes, apis, requests.Load(), failed.Load(), at(took, 0.5), at(took, 0.99), at(took, 1), at(compiling, 0.5), at(compiling, 0.99))
}
