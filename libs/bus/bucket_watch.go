package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Watch hands entries to handle, one after the other in the order of their
// revisions, until ctx ends or the bus is closed; then it returns nil. From the
// zero position it begins with the last value of each key, from any other with
// all that was written after it. An entry with Marker follows when all has been
// told that there is, and again whenever that has been so anew after a loss of
// the connection.
//
// While NATS is away Watch waits, and then goes on after what it has told. Where
// NATS has lost the bucket, or a part of it, it says so by an entry with Reset
// and begins anew: what was told before and has not been told again by the next
// marker is gone.
//
// A filter is a key, or a pattern in which "*" stands for one token and a last
// ">" for one or more; none stands for all keys. A service whose keys are
// limited watches one filter, within its limits.
//
// It returns the error of handle, and errors that stay, such as a
// [PermissionError].
func (k *Bucket) Watch(ctx context.Context, filters []string, from Position, handle func(Entry) error) error {
	w, err := k.watcher(filters)
	if err != nil {
		return err
	}
	if !k.b.begin() {
		return fmt.Errorf("%s: %w", w.what, ErrClosed)
	}
	defer k.b.working.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.b.stop, cancel)()
	w.at, w.handle = from, handle
	for fails := 0; ctx.Err() == nil; {
		err := k.b.persist(ctx, w.what, k.denied, w.open)
		if ctx.Err() != nil { // it was told to stop
			return nil
		} else if err != nil {
			return err
		}
		before := w.at
		err = w.follow(ctx)
		var p *PermissionError
		var h *handleError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &p):
			return fmt.Errorf("%s: %w", w.what, p)
		case errors.As(err, &h):
			return h.error
		case w.at != before:
			fails = 0
		}
		fails++
		k.b.log.Debug("watching anew", "bucket", k.opt.Name, "err", err)
		select {
		case <-time.After(backoff(fails, 5*time.Millisecond, time.Second)):
		case <-ctx.Done():
		}
	}
	return nil
}

// Keys returns the keys that match a filter, in the order in which they were
// written. See [Bucket.Watch] for filters; "" stands for all keys.
func (k *Bucket) Keys(ctx context.Context, filter string) ([]string, error) {
	var filters []string
	if filter != "" {
		filters = []string{filter}
	}
	w, err := k.watcher(filters)
	if err != nil {
		return nil, err
	}
	w.headers = true
	for n := 1; ; n++ {
		var keys []string
		w.at = Position{}
		w.handle = func(e Entry) error {
			switch {
			case e.Marker:
				return errMarker
			case !e.Deleted:
				keys = append(keys, e.Key)
			}
			return nil
		}
		if err := k.b.persist(ctx, w.what, k.denied, w.open); err != nil {
			return nil, err
		}
		err := w.follow(ctx)
		var p *PermissionError
		switch {
		case errors.Is(err, errMarker):
			return keys, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("%s: %w", w.what, context.Cause(ctx))
		case errors.As(err, &p):
			return nil, fmt.Errorf("%s: %w", w.what, p)
		}
		select {
		case <-time.After(backoff(n, 5*time.Millisecond, time.Second)):
		case <-ctx.Done():
		}
	}
}

var errMarker = errors.New("all was told")

// handleError is an error of the function that entries are handed to.
type handleError struct{ error }

func (e *handleError) Unwrap() error { return e.error }

// watcher is one running Watch.
type watcher struct {
	k       *Bucket
	what    string
	filters []string // subjects
	headers bool     // values are not wanted
	handle  func(Entry) error

	at     Position // of what was told
	epoch  string
	reset  bool // at was taken back
	cons   jetstream.Consumer
	marker bool // is due as soon as the consumer is there
}

func (k *Bucket) watcher(filters []string) (*watcher, error) {
	w := &watcher{k: k, what: "watching " + k.opt.Name}
	for _, f := range filters {
		if !validFilter(f) {
			return nil, fmt.Errorf("%s: filter %q: %w", w.what, f, errKey)
		}
		w.filters = append(w.filters, k.prefix+f)
	}
	if len(filters) == 0 {
		w.filters = []string{k.prefix + ">"}
	}
	return w, nil
}

// open makes a consumer that goes on where the last one has ended.
func (w *watcher) open(ctx context.Context) error {
	k := w.k
	e, err := k.epoch(ctx)
	if err != nil {
		return err
	}
	w.epoch = string(e.Value)
	if w.at.Revision > 0 {
		same := w.epoch == w.at.Epoch
		if same {
			last, err := w.last(ctx)
			if err != nil {
				return err
			}
			same = last >= w.at.Revision
		}
		if !same {
			w.at, w.reset = Position{}, true
		}
	}
	c := w.config()
	if len(w.filters) == 1 {
		c.FilterSubject = w.filters[0]
	} else {
		c.FilterSubjects = w.filters
	}
	if c.DeliverPolicy = jetstream.DeliverLastPerSubjectPolicy; w.at.Revision > 0 {
		c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, w.at.Revision+1
	}
	if w.cons, err = k.b.js.CreateConsumer(ctx, k.stream, c); err != nil {
		return err
	}
	w.marker = w.cons.CachedInfo().NumPending == 0
	return nil
}

// last returns the revision of the last write into the bucket, which is where a
// consumer of what is new begins.
func (w *watcher) last(ctx context.Context) (uint64, error) {
	c := w.config()
	c.DeliverPolicy, c.FilterSubject = jetstream.DeliverNewPolicy, w.k.prefix+epochKey
	cons, err := w.k.b.js.CreateConsumer(ctx, w.k.stream, c)
	if err != nil {
		return 0, err
	}
	return cons.CachedInfo().Delivered.Stream, nil
}

// config returns a consumer that nobody else can find, and that is gone soon
// after its user.
func (w *watcher) config() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Name: w.k.b.opt.Service + "_" + rand.Text(), AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1,
		InactiveThreshold: 10 * time.Second, MemoryStorage: true, Replicas: 1, HeadersOnly: w.headers,
	}
}

// follow hands on entries until something breaks.
func (w *watcher) follow(ctx context.Context) error {
	k := w.k
	gctx, done := k.b.guard(ctx, k.denied)
	defer done()
	if w.reset {
		if err := w.tell(Entry{Reset: true}); err != nil {
			return err
		}
		w.reset = false
	}
	if w.marker {
		if err := w.tell(Entry{Marker: true}); err != nil {
			return err
		}
	}
	messages, err := w.cons.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(512, 8<<20), jetstream.PullHeartbeat(2*time.Second), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return err
	}
	defer messages.Stop()
	defer context.AfterFunc(gctx, messages.Stop)()
	for n := uint64(1); ; n++ {
		m, err := messages.Next()
		if err != nil {
			if cause := context.Cause(gctx); cause != nil {
				return cause
			}
			return err
		}
		md, err := m.Metadata()
		if err != nil {
			return err
		}
		if md.Sequence.Consumer != n {
			return fmt.Errorf("entry %d came where %d was due", md.Sequence.Consumer, n)
		}
		if err := w.entry(m, md); err != nil {
			return err
		}
		if md.NumPending == 0 && !w.marker {
			w.marker = true
			if err := w.tell(Entry{Marker: true}); err != nil {
				return err
			}
		}
	}
}

// entry hands on one message.
func (w *watcher) entry(m jetstream.Msg, md *jetstream.MsgMetadata) error {
	key := strings.TrimPrefix(m.Subject(), w.k.prefix)
	if key != epochKey && md.Sequence.Stream > w.at.Revision {
		e := Entry{Key: key, Value: m.Data(), Time: md.Timestamp.UTC(), Deleted: deleted(m.Headers())}
		e.Revision, e.Epoch = md.Sequence.Stream, w.epoch
		if err := w.handle(e); err != nil {
			return &handleError{err}
		}
	}
	w.at = Position{Epoch: w.epoch, Revision: max(w.at.Revision, md.Sequence.Stream)}
	return nil
}

// tell hands on a sign.
func (w *watcher) tell(e Entry) error {
	e.Revision, e.Epoch = w.at.Revision, w.epoch
	if err := w.handle(e); err != nil {
		return &handleError{err}
	}
	return nil
}
