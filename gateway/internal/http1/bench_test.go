package http1

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

const typicalHead = "GET /v1/orders/4711/items?expand=customer&page=2 HTTP/1.1\r\n" +
	"Host: api.example.com\r\n" +
	"User-Agent: orders-frontend/2.4.1 (linux; amd64) http-client/1.9\r\n" +
	"Accept: application/json\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\n" +
	"Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n" +
	"X-Request-Id: 7f3c1d9e-2b4a-4c5d-8e6f-0a1b2c3d4e5f\r\n" +
	"Connection: keep-alive\r\n\r\n"

// BenchmarkParse reads one typical head: one string is allocated, nothing else.
func BenchmarkParse(b *testing.B) {
	head := []byte(typicalHead)
	var req policy.Request
	var f facts
	lim := transport.DefaultLimits()
	b.ReportAllocs()
	b.SetBytes(int64(len(head)))
	for b.Loop() {
		req.Header.Reset()
		if m := parseRequest(head, string(head), &req, &f, &lim); m != nil {
			b.Fatal(m)
		}
	}
}

func TestParseAllocatesOnce(t *testing.T) {
	head := []byte(typicalHead)
	var req policy.Request
	var f facts
	lim := transport.DefaultLimits()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		req.Header.Reset()
		_ = parseRequest(head, string(head), &req, &f, &lim)
	}), 1.0)
}

// A forwarded exchange allocates the strings of its two heads, and nothing else.
func TestExchangeAllocatesTwice(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello"
	addr, _ := start(t, forward(t, rawUpstream(t, answer)), nil)
	c, _ := dial(t, addr)
	head, p := []byte(typicalHead), make([]byte, 4096)
	require.Less(t, testing.AllocsPerRun(500, func() {
		_, _ = c.Write(head)
		_, _ = c.Read(p)
	}), 3.0)
}

// proxyEnv names the proxy that a process of this test binary is to be, and its
// upstream.
const proxyEnv = "HTTP1_BENCH_PROXY"

// serveBenchProxy is the main function of such a process.
func serveBenchProxy(kind, up string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, l.Addr()) // the benchmark reads it
	if kind == "http1" {
		c := NewClient(transport.ClientOptions{Target: transport.Target{Network: "tcp", Address: up, Authority: up}})
		f := &forwarder{client: c, call: transport.Call{ConnectTimeout: 5 * time.Second, HeaderTimeout: 20 * time.Second}}
		return (&Server{Handler: f}).Serve(context.Background(), l)
	}
	hc := &fasthttp.HostClient{Addr: up, DisableHeaderNamesNormalizing: true, DisablePathNormalizing: true, NoDefaultUserAgentHeader: true, ReadTimeout: 20 * time.Second}
	s := &fasthttp.Server{
		DisableHeaderNamesNormalizing: true, NoDefaultServerHeader: true, IdleTimeout: 75 * time.Second,
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.Request.Header.Del("Connection")
			if err := hc.Do(&ctx.Request, &ctx.Response); err != nil {
				ctx.Error(err.Error(), 502)
			}
		},
	}
	return s.Serve(l)
}

// BenchmarkProxy compares a proxy of this package with a bare fasthttp one: each
// a process of its own on one processor, with the same clients, upstream and
// answer of 1 kB. "proxy-us/op" is the processor time of the proxy's process.
func BenchmarkProxy(b *testing.B) {
	answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sat, 01 Jan 2028 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" +
		strings.Repeat("x", 1024)
	up := rawUpstream(b, answer)
	for _, kind := range []string{"http1", "fasthttp"} {
		cmd := exec.CommandContext(b.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), proxyEnv+"="+kind+" "+up, "GOMAXPROCS=1")
		out, err := cmd.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, cmd.Start())
		b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		addr, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(b, err)
		b.Run(kind, func(b *testing.B) { load(b, strings.TrimSpace(addr), cmd.Process.Pid, 64, len(answer)) })
	}
}

// cpu returns the processor time that a process has used (proc(5)), in steps of
// 10 ms.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rawUpstream answers every head it reads with the same bytes.
func rawUpstream(t testing.TB, answer string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				p, b := make([]byte, 4096), []byte(answer)
				for {
					if _, err := c.Read(p); err != nil {
						return
					}
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func load(b *testing.B, addr string, pid, conns, least int) {
	cs := make([]net.Conn, conns)
	for i := range cs {
		c, err := net.Dial("tcp", addr)
		require.NoError(b, err)
		defer c.Close()
		cs[i] = c
	}
	head := []byte(typicalHead)
	p := make([]byte, 4096)
	for _, c := range cs { // warm up
		_, _ = c.Write(head)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(b, err)
		require.Equal(b, 200, resp.StatusCode)
		_, _ = resp.Body.Read(p)
	}
	before := cpu(b, pid)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range cs {
		n := b.N / conns
		if i < b.N%conns {
			n++
		}
		wg.Go(func() {
			p := make([]byte, 4096)
			for range n {
				if _, err := c.Write(head); err != nil {
					b.Error(err)
					return
				}
				for got := 0; got < least-150; {
					k, err := c.Read(p)
					if err != nil {
						b.Error(err)
						return
					}
					got += k
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu(b, pid)-before).Microseconds())/float64(b.N), "proxy-us/op")
}
