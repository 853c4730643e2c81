package buffer_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/internal/traffic/buffer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryLineComesOutOnceInOrderOfItsShard(t *testing.T) {
	t.Parallel()
	b := buffer.New(buffer.Options{Shards: 3, MaxBytes: 64 << 20, FlushBytes: 256, FlushEvery: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	var records int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx, func(c buffer.Chunk) {
			out.Write(c.Lines)
			records += c.Records
		})
	}()
	const writers, each = 4, 5000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				b.Add(uint32(w), fmt.Appendf(nil, "%d %d\n", w, i), int64(i))
			}
		})
	}
	wg.Wait()
	b.Add(0, append(bytes.Repeat([]byte("x"), 1000), '\n'), 1) // longer than a block
	cancel()
	<-done
	require.EqualValues(t, writers*each+1, records)
	next := map[int]int{}
	for line := range bytes.Lines(out.Bytes()) {
		var w, i int
		if n, _ := fmt.Sscanf(string(line), "%d %d", &w, &i); n == 2 {
			require.Equal(t, next[w], i)
			next[w]++
		}
	}
	require.Len(t, next, writers)
	got, dropped := b.Stats()
	require.EqualValues(t, writers*each+1, got)
	require.Zero(t, dropped)
}

func TestALineAddedWhileOthersAreWrittenComesOutWithoutAFurtherOne(t *testing.T) {
	t.Parallel()
	b := buffer.New(buffer.Options{Shards: 1, MaxBytes: 1 << 20, FlushBytes: 256, FlushEvery: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	writing, goOn, second := make(chan struct{}), make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx, func(c buffer.Chunk) {
			if string(c.Lines) == "1\n" {
				close(writing)
				<-goOn
				return
			}
			close(second)
		})
	}()
	b.Add(0, []byte("1\n"), 1)
	<-writing
	b.Add(0, []byte("2\n"), 1)
	close(goOn)
	<-second
	cancel()
	<-done
}

func BenchmarkAdd(b *testing.B) {
	buf := buffer.New(buffer.Options{Shards: 2, MaxBytes: 16 << 20, FlushBytes: 64 << 10, FlushEvery: 100 * time.Millisecond})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); buf.Run(ctx, func(buffer.Chunk) {}) }()
	line := append(bytes.Repeat([]byte("x"), 999), '\n')
	b.ReportAllocs()
	for b.Loop() {
		buf.Add(1, line, 1)
	}
	cancel()
	<-done
}
