package bustest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// stock is the bucket of the suite: orders writes it, billing may read the keys
// of acme, and guest nothing.
const stock = "stock"

// short is a bucket whose values do not live long.
const short = "short"

func bucket(t *testing.T, b *bus.Bus, o bus.BucketOptions) *bus.Bucket {
	t.Helper()
	o.Name = stock
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	k, err := b.Bucket(ctx, o)
	require.NoError(t, err)
	return k
}

// view is what somebody who watches believes to be in a bucket.
type view struct {
	mu      sync.Mutex
	values  map[string]string
	fresh   map[string]bool // told since the last reset
	told    []uint64
	markers int
	resets  int
	at      bus.Position
	err     chan error
	cancel  context.CancelFunc
}

func watch(t *testing.T, k *bus.Bucket, from bus.Position, filters ...string) *view {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	v := &view{values: map[string]string{}, err: make(chan error, 1), cancel: cancel}
	go func() { v.err <- k.Watch(ctx, filters, from, v.take) }()
	t.Cleanup(cancel)
	return v
}

func (v *view) stop(t *testing.T) {
	t.Helper()
	v.cancel()
	require.NoError(t, <-v.err)
}

func (v *view) take(e bus.Entry) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case e.Reset:
		v.resets++
		v.fresh = map[string]bool{}
		v.told = nil
	case e.Marker:
		v.markers++
		if v.fresh != nil {
			maps.DeleteFunc(v.values, func(k, _ string) bool { return !v.fresh[k] })
			v.fresh = nil
		}
	default:
		v.told = append(v.told, e.Revision)
		v.at = e.Position()
		if v.fresh != nil {
			v.fresh[e.Key] = true
		}
		if v.values[e.Key] = string(e.Value); e.Deleted {
			delete(v.values, e.Key)
		}
	}
	return nil
}

func (v *view) has(t *testing.T, want map[string]string) {
	t.Helper()
	eventually(t, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.markers > 0 && v.fresh == nil && maps.Equal(v.values, want)
	}, fmt.Sprint("what is watched becomes ", want))
	v.mu.Lock()
	defer v.mu.Unlock()
	require.True(t, slices.IsSorted(v.told), "revisions rise: %v", v.told)
	require.Len(t, slices.Compact(slices.Clone(v.told)), len(v.told), "nothing is told twice")
}

func (v *view) count() (markers, resets int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.markers, v.resets
}

func testBucket(t *testing.T, s Server) {
	ctx := t.Context()
	k := bucket(t, connect(t, s.For(orders)), bus.BucketOptions{})
	r := bucket(t, connect(t, s.For(billing)), bus.BucketOptions{ReadOnly: true})

	_, err := r.Get(ctx, "acme.nails")
	require.ErrorIs(t, err, bus.ErrNoKey)
	one, err := k.Put(ctx, "acme.nails", []byte("10"))
	require.NoError(t, err)
	e, err := r.Get(ctx, "acme.nails")
	require.NoError(t, err)
	require.Equal(t, "10", string(e.Value))
	require.Equal(t, one, e.Revision)
	require.WithinDuration(t, time.Now(), e.Time, time.Minute)

	_, err = k.Create(ctx, "acme.nails", []byte("11"))
	require.ErrorIs(t, err, bus.ErrConflict)
	two, err := k.Update(ctx, "acme.nails", []byte("12"), one)
	require.NoError(t, err)
	require.Greater(t, two, one)
	_, err = k.Update(ctx, "acme.nails", []byte("13"), one)
	require.ErrorIs(t, err, bus.ErrConflict)

	require.NoError(t, k.Delete(ctx, "acme.nails"))
	require.NoError(t, k.Delete(ctx, "acme.nails"))
	_, err = r.Get(ctx, "acme.nails")
	require.ErrorIs(t, err, bus.ErrNoKey)
	_, err = k.Create(ctx, "acme.nails", []byte("14"))
	require.NoError(t, err, "what was deleted can be created")

	for _, key := range []string{"acme.screws", "evil.nails"} {
		_, err = k.Put(ctx, key, []byte("1"))
		require.NoError(t, err)
	}
	require.NoError(t, k.Delete(ctx, "acme.screws"))
	keys, err := k.Keys(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []string{"acme.nails", "evil.nails"}, keys)
	keys, err = r.Keys(ctx, "acme.>")
	require.NoError(t, err)
	require.Equal(t, []string{"acme.nails"}, keys)
	keys, err = r.Keys(ctx, "acme.none")
	require.NoError(t, err)
	require.Empty(t, keys)

	big := strings.Repeat("x", 1<<20)
	_, err = k.Put(ctx, "acme.big", []byte(big))
	require.Error(t, err, "a value is no longer than a message")
	for _, key := range []string{"", ".", "a..b", "a b", "a.*", ">", "_epoch", "a."} {
		_, err = k.Put(ctx, key, nil)
		require.Error(t, err, "key %q", key)
		_, err = k.Get(ctx, key)
		require.Error(t, err, "key %q", key)
	}
	_, err = r.Put(ctx, "acme.nails", nil)
	require.ErrorContains(t, err, "for reading")
}

func testBucketWatch(t *testing.T, s Server) {
	ctx := t.Context()
	put := func(k *bus.Bucket, key, value string) {
		t.Helper()
		_, err := k.Put(ctx, key, []byte(value))
		require.NoError(t, err)
	}
	reader := connect(t, s.For(billing))
	early := watch(t, bucket(t, reader, bus.BucketOptions{ReadOnly: true}), bus.Position{}, "acme.>") // before the bucket is there
	k := bucket(t, connect(t, s.For(orders)), bus.BucketOptions{})
	r := bucket(t, reader, bus.BucketOptions{ReadOnly: true})
	early.has(t, map[string]string{})
	put(k, "acme.a", "1")
	put(k, "acme.b", "1")
	put(k, "evil.a", "1")
	put(k, "acme.a", "2")
	early.has(t, map[string]string{"acme.a": "2", "acme.b": "1"})

	late := watch(t, r, bus.Position{}, "acme.>")
	late.has(t, map[string]string{"acme.a": "2", "acme.b": "1"})
	require.Len(t, late.told, 2, "only the last value of each key")
	all := watch(t, k, bus.Position{})
	all.has(t, map[string]string{"acme.a": "2", "acme.b": "1", "evil.a": "1"})
	some := watch(t, k, bus.Position{}, "acme.b", "evil.*")
	some.has(t, map[string]string{"acme.b": "1", "evil.a": "1"})

	// From a position, only what came after it.
	late.stop(t)
	require.NoError(t, k.Delete(ctx, "acme.b"))
	put(k, "acme.c", "1")
	resumed := watch(t, r, late.at, "acme.>")
	resumed.has(t, map[string]string{"acme.c": "1"})
	require.Len(t, resumed.told, 2, "the deletion and the new value")
	early.has(t, map[string]string{"acme.a": "2", "acme.c": "1"})
	all.has(t, map[string]string{"acme.a": "2", "acme.c": "1", "evil.a": "1"})

	// Over an outage.
	s.Stop()
	written := make(chan error, 1)
	go func() { _, err := k.Put(ctx, "acme.d", []byte("1")); written <- err }()
	require.NoError(t, s.Resume())
	require.NoError(t, <-written)
	want := map[string]string{"acme.a": "2", "acme.c": "1", "acme.d": "1"}
	early.has(t, want)
	_, resets := early.count()
	require.Zero(t, resets, "nothing was lost")

	// With the data lost: the writer has to write it again, and those who watch
	// forget what has not come back.
	s.Stop()
	s.Lose()
	require.NoError(t, s.Resume())
	for i := range 12 { // past the last revision that was told
		put(k, "acme.e", fmt.Sprint(i))
	}
	early.has(t, map[string]string{"acme.e": "11"})
	all.has(t, map[string]string{"acme.e": "11"})
	_, resets = early.count()
	require.Equal(t, 1, resets)
	again := watch(t, r, late.at, "acme.>")
	again.has(t, map[string]string{"acme.e": "11"})
	_, resets = again.count()
	require.Equal(t, 1, resets, "the position is of what was lost")

	failure := errors.New("no more")
	require.ErrorIs(t, r.Watch(ctx, []string{"acme.>"}, bus.Position{}, func(bus.Entry) error { return failure }), failure)
	require.Error(t, r.Watch(ctx, []string{"acme. "}, bus.Position{}, early.take))
	early.stop(t)
}

func testBucketPermissions(t *testing.T, s Server) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	k := bucket(t, connect(t, s.For(orders)), bus.BucketOptions{})
	for _, key := range []string{"acme.a", "evil.a"} {
		_, err := k.Put(ctx, key, []byte("1"))
		require.NoError(t, err)
	}
	never := func(bus.Entry) error { t.Error("something was told"); return nil }
	denied := func(err error) {
		t.Helper()
		var p *bus.PermissionError
		require.ErrorAs(t, err, &p)
	}
	reader := connect(t, s.For(billing))
	r := bucket(t, reader, bus.BucketOptions{ReadOnly: true})
	_, err := r.Get(ctx, "evil.a")
	denied(err)
	_, err = r.Keys(ctx, "")
	denied(err)
	_, err = r.Keys(ctx, "evil.>")
	denied(err)
	denied(r.Watch(ctx, []string{"*.a"}, bus.Position{}, never))
	denied(r.Watch(ctx, []string{"acme.a", "evil.a"}, bus.Position{}, never))
	_, err = reader.Bucket(ctx, bus.BucketOptions{Name: stock})
	denied(err)

	g := bucket(t, connect(t, s.For(guest)), bus.BucketOptions{ReadOnly: true})
	_, err = g.Get(ctx, "acme.a")
	denied(err)
	denied(g.Watch(ctx, nil, bus.Position{}, never))

	// A client asks one verb, and nothing else.
	till := connect(t, s.For(till))
	require.NoError(t, bus.Answer(connect(t, s.For(billing)), func(context.Context, Price) (PriceReply, error) { return PriceReply{7}, nil }))
	reply, err := bus.Ask(ctx, till, Price{"nails"})
	require.NoError(t, err)
	require.Equal(t, PriceReply{7}, reply)
	denied(bus.Publish(ctx, till, Shipped{"acme", 1}))
	_, err = bus.Ask(ctx, till, Refund{"nails"})
	denied(err)
	denied(bus.Ship(ctx, till, bus.Shipment{Organization: "evil", Group: "main", Gateway: "a", ID: "1"}))
}

func testBucketThatForgets(t *testing.T, s Server) {
	ctx := t.Context()
	b := connect(t, s.For(orders))
	k, err := b.Bucket(ctx, bus.BucketOptions{Name: short, TTL: time.Second, ForgetDeleted: time.Second, Memory: true})
	require.NoError(t, err)
	epoch, err := k.Epoch(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, epoch)
	v := watch(t, k, bus.Position{})
	one, err := k.Put(ctx, "a", []byte("1"))
	require.NoError(t, err)
	_, err = k.Put(ctx, "b", []byte("1"))
	require.NoError(t, err)
	require.NoError(t, k.Delete(ctx, "b"))
	v.has(t, map[string]string{"a": "1"})
	eventually(t, func() bool { _, err := k.Get(ctx, "a"); return errors.Is(err, bus.ErrNoKey) }, "it is forgotten")
	again, err := k.Create(ctx, "a", []byte("2"))
	require.NoError(t, err)
	require.Greater(t, again, one)
	_, err = k.Create(ctx, "b", []byte("2"))
	require.NoError(t, err)
	v.has(t, map[string]string{"a": "2", "b": "2"})
	still, err := k.Epoch(ctx)
	require.NoError(t, err)
	require.Equal(t, epoch, still, "the bucket is the same")

	// In memory, it is another one after NATS was restarted.
	s.Stop()
	require.NoError(t, s.Resume())
	_, err = k.Put(ctx, "c", []byte("1"))
	require.NoError(t, err)
	still, err = k.Epoch(ctx)
	require.NoError(t, err)
	require.NotEqual(t, epoch, still)
	v.has(t, map[string]string{"c": "1"})
}
