package http1

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func tcpPair(t *testing.T) (a, b net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	a, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	b, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return a, b
}

// What is asked is written whole before the answer is waited for, also where the
// socket does not take it at once.
func TestAskAndAnswer(t *testing.T) {
	t.Parallel()
	a, b := tcpPair(t)
	var r reader
	r.from(a)
	for _, size := range []int{1, 300, 16 << 20, 5} {
		question := bytes.Repeat([]byte{'q'}, size)
		require.NoError(t, r.write(question))
		done := make(chan error, 1)
		go func() {
			got := make([]byte, size)
			_, err := io.ReadFull(b, got)
			if err == nil {
				_, err = b.Write([]byte("answer"))
			}
			done <- err
		}()
		require.NoError(t, r.fill(pageSize))
		require.NoError(t, <-done)
		require.Equal(t, "answer", string(r.bytes()))
		r.skip(len("answer"))
	}
	require.NoError(t, b.Close())
	require.NoError(t, r.write([]byte("is anybody there?")))
	require.Error(t, r.fill(pageSize)) // whether told by a reset or by the end
	require.Empty(t, r.ask)
}

// A writer waits for room.
func TestWriterWaits(t *testing.T) {
	t.Parallel()
	a, b := tcpPair(t)
	var w writer
	w.to(a)
	all := bytes.Repeat([]byte("0123456789"), 1<<20)
	got := make(chan []byte, 1)
	go func() {
		p, _ := io.ReadAll(b) // what is missing shows
		got <- p
	}()
	require.NoError(t, w.write(all))
	require.NoError(t, a.Close())
	require.True(t, bytes.Equal(all, <-got))
	require.ErrorIs(t, w.write(all), net.ErrClosed)
}
