package nethttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// R17.1: content streams both ways in flat memory.
func TestLargeBodiesInFlatMemory(t *testing.T) {
	const size = 256 << 20
	address, _ := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Read", fmt.Sprint(n))
		_, _ = io.CopyN(w, zeros{}, size)
	}), ProtocolH2C)
	e := &engine{up: newClient(t, address, nil, ProtocolH2C)}
	front := serveH2(t, &Server{Handler: e}, nil)
	tr := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, n, a string, _ *tls.Config) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, n, a)
	}}
	defer tr.CloseIdleConnections()

	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
			}
		}
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+front+"/", io.LimitReader(zeros{}, size))
	require.NoError(t, err)
	res, err := tr.RoundTrip(r)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	close(stop)
	<-stopped
	require.Equal(t, int64(size), n)
	require.Equal(t, fmt.Sprint(size), res.Header.Get("X-Read"))
	require.Less(t, peak.Load(), uint64(64<<20))
	require.Eventually(t, e.idle, patience, time.Millisecond)
	require.Equal(t, int64(size), e.outcomes()[0].RequestBytes)
	require.Equal(t, int64(size), e.outcomes()[0].ResponseBytes)
}

// R17.2: an event is passed on before the next one exists.
func TestEventsAreSentAtOnce(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	address, _ := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for range next {
			_, _ = io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
	}), ProtocolH2C)
	e := &engine{up: newClient(t, address, nil, ProtocolH2C)}
	front := serveH2(t, &Server{Handler: e, Limits: transport.Limits{Total: 20 * time.Millisecond}}, nil)
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr}).Get("http://" + front)
	require.NoError(t, err)
	defer res.Body.Close()
	began, buf := time.Now(), make([]byte, 64)
	for time.Since(began) < 60*time.Millisecond { // beyond the total time, which is not for streams
		next <- struct{}{}
		n, err := res.Body.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "data: x\n\n", string(buf[:n]))
	}
	close(next)
	_, err = res.Body.Read(buf)
	require.Equal(t, io.EOF, err)
}

func TestDrainEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	e := &engine{serve: func(ex *policy.Exchange) { close(entered); <-release; ok(ex) }}
	s := &Server{Handler: e}
	client, server := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.ServeConn(ctx, server) }()
	tr := &http2.Transport{AllowHTTP: true}
	cc, err := tr.NewClientConn(client)
	require.NoError(t, err)
	result := make(chan string, 1)
	go func() {
		r, _ := http.NewRequest(http.MethodGet, "http://a/", nil)
		res, err := cc.RoundTrip(r)
		if err != nil {
			result <- err.Error()
			return
		}
		b, _ := io.ReadAll(res.Body)
		result <- string(b)
	}()
	<-entered
	cancel()
	require.Eventually(t, func() bool { return cc.State().Closing }, patience, time.Millisecond, "GOAWAY")
	close(release)
	require.Equal(t, "ok", <-result)
	_ = cc.Close()
	<-done
}

func TestConnectionEndsAfterItsLastRequest(t *testing.T) {
	t.Parallel()
	address := serveH2(t, &Server{Handler: &engine{serve: ok}, Limits: transport.Limits{RequestsPerConnection: 2}}, nil)
	w := newWire(t, address)
	w.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a")
	require.Equal(t, "200", w.answer())
	w.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a")
	require.ElementsMatch(t, []string{"200", "GOAWAY NO_ERROR"}, []string{w.answer(), w.answer()})
}

func TestBodyLimitCountsWhatIsRead(t *testing.T) {
	t.Parallel()
	address, _ := upstream(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), ProtocolH2C)
	e := &engine{up: newClient(t, address, nil, ProtocolH2C)}
	w := newWire(t, serveH2(t, &Server{Handler: e, Limits: transport.Limits{BodyBytes: 10}}, nil))
	w.headers(1, false, ":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a")
	require.NoError(t, w.f.WriteData(1, true, bytes.Repeat([]byte("x"), 11)))
	require.Equal(t, "413", w.answer())
}
