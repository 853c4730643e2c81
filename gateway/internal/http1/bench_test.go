package http1

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
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

// cpu returns the processor time this process has used.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkProxy compares this package with a bare fasthttp proxy: the same
// clients, upstream and answer of 1 kB in the same process. Its "cpu-us/op" is
// the processor time of all three; the difference between the variants is that
// of the proxies, and "direct" is what client and upstream cost without one.
func BenchmarkProxy(b *testing.B) {
	answer := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sat, 01 Jan 2028 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" +
		strings.Repeat("x", 1024)
	up := rawUpstream(b, answer)

	f := forward(b, up)
	own, _ := start(b, f, nil)

	hc := &fasthttp.HostClient{Addr: up, DisableHeaderNamesNormalizing: true, DisablePathNormalizing: true, NoDefaultUserAgentHeader: true}
	fs := &fasthttp.Server{
		DisableHeaderNamesNormalizing: true, NoDefaultServerHeader: true,
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.Request.Header.Del("Connection")
			if err := hc.Do(&ctx.Request, &ctx.Response); err != nil {
				ctx.Error(err.Error(), 502)
			}
		},
	}
	fl, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() { _ = fs.Serve(fl) }()
	b.Cleanup(func() { _ = fs.Shutdown() })

	for _, v := range []struct{ name, addr string }{{"direct", up}, {"http1", own}, {"fasthttp", fl.Addr().String()}} {
		for _, conns := range []int{64} {
			b.Run(fmt.Sprintf("%s/conns=%d", v.name, conns), func(b *testing.B) { load(b, v.addr, conns, len(answer)) })
		}
	}
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
				p := make([]byte, 4096)
				for {
					if _, err := c.Read(p); err != nil {
						return
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func load(b *testing.B, addr string, conns, least int) {
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
	b.ReportAllocs()
	before := cpu()
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
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
}
