package dbtest

import (
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
)

// Door stands before a database server, and can be shut: a server that is away,
// or comes back. Make one with [NewDoor].
type Door struct {
	addr, network, target string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	wg       sync.WaitGroup
}

// NewDoor returns a shut door and the DSN through it. It is shut again when the
// test ends.
func NewDoor(t testing.TB, dsn string) (*Door, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	d := &Door{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(testkit.FreePort(t))), network: "tcp", target: u.Host}
	q := u.Query()
	if s := q.Get("socket"); s != "" {
		d.network, d.target = "unix", s
	}
	if s := q.Get("host"); s != "" {
		d.network, d.target = "unix", s+"/.s.PGSQL.5432"
	}
	q.Del("socket")
	q.Del("host")
	if u.Scheme == "postgres" {
		q.Set("sslmode", "disable")
	}
	u.Host, u.RawQuery = d.addr, q.Encode()
	t.Cleanup(d.Shut)
	return d, u.String()
}

// Open lets connections through.
func (d *Door) Open(t testing.TB) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", d.addr)
	require.NoError(t, err)
	d.mu.Lock()
	d.listener = l
	d.mu.Unlock()
	d.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(d.network, d.target) //nolint:noctx // on this machine
			if err != nil {
				_ = in.Close() // which is the answer
				continue
			}
			d.mu.Lock()
			d.conns = append(d.conns, in, out)
			d.mu.Unlock()
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				d.wg.Go(func() {
					_, _ = io.Copy(way[0], way[1]) // ends when either side does
					_ = way[0].Close()             // the other side may have done so
				})
			}
		}
	})
}

// Shut ends all connections, and lets none through any more.
func (d *Door) Shut() {
	d.mu.Lock()
	if d.listener != nil {
		_ = d.listener.Close() // it is not used again
	}
	for _, c := range d.conns {
		_ = c.Close() // the other side may have done so
	}
	d.listener, d.conns = nil, nil
	d.mu.Unlock()
	d.wg.Wait()
}
