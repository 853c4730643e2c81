package nethttp

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

// alone is a connection that may be read by one at a time, as those are that
// hold back bytes which were read before.
type alone struct {
	net.Conn
	read    []byte
	readers atomic.Int32
	beside  atomic.Bool
	began   chan struct{}
}

func (c *alone) Read(p []byte) (int, error) {
	if c.readers.Add(1) > 1 {
		c.beside.Store(true)
	}
	defer c.readers.Add(-1)
	if len(c.read) > 0 {
		n := copy(p, c.read)
		c.read = c.read[n:]
		return n, nil
	}
	select {
	case c.began <- struct{}{}:
	default:
	}
	return c.Conn.Read(p)
}

// Closing reads what has come, but not beside the one who reads.
func TestClosingReadsAlone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for range 20 {
		client, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		server, err := l.Accept()
		require.NoError(t, err)
		below := &alone{Conn: server, read: []byte("PRI * HTTP/2.0"), began: make(chan struct{}, 1)}
		w := watch(below, transport.DefaultLimits())
		ended := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, w)
			ended <- err
		}()
		<-below.began
		require.NoError(t, w.Close())
		err = <-ended
		require.True(t, errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed), "%v", err)
		require.False(t, below.beside.Load(), "two have read at a time")
		_ = w.Close() // once more harms nobody
		require.NoError(t, client.Close())
	}
}
