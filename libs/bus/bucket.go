package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors of buckets.
var (
	// ErrNoKey says that a bucket has no value under a key.
	ErrNoKey = errors.New("no such key")
	// ErrConflict says that the value under a key is not the one that was to be
	// replaced: somebody else has written it.
	ErrConflict = errors.New("the value has been changed by somebody else")
)

// BucketOptions say which bucket, and how it is made where it is missing. One
// that is there is left as it is.
type BucketOptions struct {
	// Name is of letters, digits, hyphens and underscores. The bucket is the
	// stream KV_<Name>, as other NATS clients know it.
	Name string
	// ReadOnly is for those who may not make the bucket, nor write into it: they
	// wait until another has made it.
	ReadOnly bool
	// TTL is how long values live; 0 means for ever. Their end is not told to
	// those who watch.
	TTL time.Duration
	// MaxBytes bounds the bucket; 0 leaves that to NATS. Past it, writes fail.
	MaxBytes int64
	// History is how many values of a key are kept; 0 means 1. Only the last can
	// be read, the others show themselves to those who watch from a position.
	History uint8
	// ForgetDeleted is how long it is remembered that a key was deleted; 0 means
	// for ever. Those who watch from a position older than that miss deletions.
	// It needs NATS 2.11.
	ForgetDeleted time.Duration
	// Memory keeps the bucket in memory: it is empty after NATS was restarted.
	Memory bool
}

// Bucket is a set of values under keys, kept by NATS (JetStream key-value). A
// key is of tokens separated by dots, each of letters, digits and "-_=/". A
// value is at most as long as a message, 1 MiB by default.
//
// Methods that take a context wait while NATS is away, until it ends.
type Bucket struct {
	b      *Bus
	opt    BucketOptions
	stream string // KV_<name>
	prefix string // $KV.<name>.
}

// Entry is one value of a bucket, or a sign on the way through one; see
// [Bucket.Watch].
type Entry struct {
	// Key and Value are what was written.
	Key   string
	Value []byte
	// Revision orders all writes into a bucket. It counts within an Epoch.
	Revision uint64
	// Epoch names the life of the bucket: it is another one when NATS has lost
	// the bucket and it was made anew.
	Epoch string
	// Time is when it was written, by the clock of NATS.
	Time time.Time
	// Deleted says that the key was deleted. Value is empty.
	Deleted bool
	// Marker says that all has been told that there is. It has no key.
	Marker bool
	// Reset says that what was told so far counts no more, because NATS has lost
	// it; the values that there are now follow, and then a marker. It has no key.
	Reset bool
}

// Position returns the place from which to go on watching after this entry.
func (e Entry) Position() Position { return Position{Epoch: e.Epoch, Revision: e.Revision} }

// Position is a place in the history of a bucket. The zero value is before its
// beginning.
type Position struct {
	// Epoch and Revision are those of the last [Entry] that was taken in.
	Epoch    string `json:"epoch"`
	Revision uint64 `json:"revision"`
}

const (
	// epochKey has the random name of the bucket's life as its value. Readers
	// learn by it that a bucket is another one, without a right to look at the
	// stream, which would tell them all keys.
	epochKey     = "_epoch"
	headerKV     = "KV-Operation"
	headerMarker = "Nats-Marker-Reason"
	headerTTL    = "Nats-TTL"
	headerExpect = "Nats-Expected-Last-Subject-Sequence"
	headerRollup = "Nats-Rollup"
)

// Bucket opens a bucket, and makes it where it is missing. It waits while NATS
// is away, until ctx ends.
func (b *Bus) Bucket(ctx context.Context, o BucketOptions) (*Bucket, error) {
	if !token(o.Name) {
		return nil, fmt.Errorf("opening bucket %q: a name is of letters, digits, hyphens and underscores", o.Name)
	}
	k := &Bucket{b: b, opt: o, stream: "KV_" + o.Name, prefix: "$KV." + o.Name + "."}
	if o.ReadOnly {
		return k, nil
	}
	return k, b.persist(ctx, "opening bucket "+o.Name, k.denied, k.ensure)
}

// denied reports whether a subject that NATS refused is one of the bucket's.
func (k *Bucket) denied(s string) bool {
	return strings.HasPrefix(s, k.prefix) || strings.HasPrefix(s, "$JS.API.") && (strings.HasSuffix(s, "."+k.stream) || strings.Contains(s, "."+k.stream+"."))
}

// ensure makes the bucket where it is missing, and gives it an epoch.
func (k *Bucket) ensure(ctx context.Context) error {
	if err := k.b.ensureStreamAs(ctx, k.config()); err != nil {
		return err
	}
	h := nats.Header{headerExpect: {"0"}}
	if k.opt.TTL > 0 {
		h.Set(headerTTL, "never")
	}
	_, err := k.publish(ctx, &nats.Msg{Subject: k.prefix + epochKey, Header: h, Data: []byte(rand.Text())})
	if wrongRevision(err) {
		return nil // it has one
	}
	return err
}

func (k *Bucket) config() jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name: k.stream, Subjects: []string{k.prefix + ">"},
		MaxMsgsPerSubject: max(int64(k.opt.History), 1), MaxBytes: k.opt.MaxBytes, MaxAge: k.opt.TTL,
		Replicas: max(k.b.opt.Replicas, 1), Duplicates: 2 * time.Minute,
		Discard: jetstream.DiscardNew, AllowRollup: true, DenyDelete: true, AllowDirect: true,
		AllowMsgTTL: k.opt.TTL > 0 || k.opt.ForgetDeleted > 0,
	}
	if c.MaxAge > 0 {
		c.Duplicates = min(c.Duplicates, c.MaxAge)
	}
	if k.opt.Memory {
		c.Storage = jetstream.MemoryStorage
	}
	return c
}

// publish writes once.
func (k *Bucket) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	ack, err := k.b.js.PublishMsg(ctx, m, jetstream.WithExpectStream(k.stream), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// write writes one message, however often it takes. Its id has NATS tell a
// second attempt from a second write.
func (k *Bucket) write(ctx context.Context, key string, value []byte, h nats.Header) (revision uint64, err error) {
	what := "writing " + k.opt.Name + " " + key
	switch {
	case !validKey(key):
		return 0, fmt.Errorf("%s: %w", what, errKey)
	case k.opt.ReadOnly:
		return 0, fmt.Errorf("%s: the bucket was opened for reading", what)
	}
	h.Set(headerID, rand.Text())
	m := &nats.Msg{Subject: k.prefix + key, Header: h, Data: value}
	err = k.b.persist(ctx, what, k.denied, func(ctx context.Context) (err error) {
		if revision, err = k.publish(ctx, m); missing(err) {
			if err = k.ensure(ctx); err == nil {
				revision, err = k.publish(ctx, m)
			}
		}
		return err
	})
	if wrongRevision(err) {
		err = fmt.Errorf("%s: %w", what, ErrConflict)
	}
	return revision, err
}

// missing reports whether an error tells that there is no stream.
func missing(err error) bool {
	return errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders)
}

// Put writes a value and returns its revision.
func (k *Bucket) Put(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	return k.write(ctx, key, value, nats.Header{})
}

// Create writes a value where the key has none; else it returns [ErrConflict].
func (k *Bucket) Create(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	revision, err = k.Update(ctx, key, value, 0)
	if !errors.Is(err, ErrConflict) {
		return revision, err
	}
	e, gerr := k.last(ctx, key)
	if gerr != nil || !e.Deleted {
		return 0, err
	}
	return k.Update(ctx, key, value, e.Revision)
}

// Update writes a value where the last one has the given revision; else it
// returns [ErrConflict].
func (k *Bucket) Update(ctx context.Context, key string, value []byte, last uint64) (revision uint64, err error) {
	return k.write(ctx, key, value, nats.Header{headerExpect: {strconv.FormatUint(last, 10)}})
}

// Delete deletes a key. One that is not there is deleted as well.
func (k *Bucket) Delete(ctx context.Context, key string) error {
	h := nats.Header{headerKV: {"PURGE"}, headerRollup: {"sub"}}
	if d := k.opt.ForgetDeleted; d > 0 {
		h.Set(headerTTL, max(d, time.Second).String())
	}
	_, err := k.write(ctx, key, nil, h)
	return err
}

// Get returns the value under a key, or [ErrNoKey]. In a cluster it may be a
// little old; [Bucket.Update] notices.
func (k *Bucket) Get(ctx context.Context, key string) (Entry, error) {
	e, err := k.last(ctx, key)
	if err == nil && e.Deleted {
		err = fmt.Errorf("reading %s %s: %w", k.opt.Name, key, ErrNoKey)
	}
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Epoch returns the name of the bucket's life: another one says that NATS has
// lost what was written before.
func (k *Bucket) Epoch(ctx context.Context) (string, error) {
	var e Entry
	err := k.b.persist(ctx, "reading "+k.opt.Name, k.denied, func(ctx context.Context) (err error) {
		e, err = k.epoch(ctx)
		return err
	})
	return string(e.Value), err
}

// epoch looks the epoch up once, and makes the bucket where it is missing.
func (k *Bucket) epoch(ctx context.Context) (Entry, error) {
	e, found, err := k.direct(ctx, epochKey)
	if !k.opt.ReadOnly && (missing(err) || err == nil && !found) {
		if err = k.ensure(ctx); err == nil {
			e, found, err = k.direct(ctx, epochKey)
		}
	}
	if err == nil && !found {
		err = errYoung
	}
	return e, err
}

// errYoung says that a bucket has no epoch yet: its maker is about to give it one.
var errYoung = errors.New("the bucket is being made")

// last returns the last entry of a key, deletions included.
func (k *Bucket) last(ctx context.Context, key string) (e Entry, err error) {
	what := "reading " + k.opt.Name + " " + key
	if !validKey(key) {
		return e, fmt.Errorf("%s: %w", what, errKey)
	}
	found := false
	err = k.b.persist(ctx, what, k.denied, func(ctx context.Context) (err error) {
		e, found, err = k.direct(ctx, key)
		if missing(err) && !k.opt.ReadOnly {
			if err = k.ensure(ctx); err == nil {
				e, found, err = k.direct(ctx, key)
			}
		}
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", what, ErrNoKey)
	}
	return e, err
}

// direct asks NATS for the last message of a key (ADR-31 of NATS).
func (k *Bucket) direct(ctx context.Context, key string) (e Entry, found bool, err error) {
	m, err := k.b.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: "$JS.API.DIRECT.GET." + k.stream + "." + k.prefix + key})
	if err != nil {
		return e, false, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404":
		return e, false, nil
	default:
		return e, false, fmt.Errorf("status %s: %s", status, m.Header.Get("Description"))
	}
	e = Entry{Key: key, Value: m.Data, Deleted: deleted(m.Header)}
	if e.Revision, err = strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64); err != nil {
		return e, false, fmt.Errorf("the answer has no sequence: %w", err)
	}
	e.Time, _ = time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp")) // zero where it is not told
	return e, true, nil
}

func deleted(h nats.Header) bool {
	return len(h) > 0 && (h.Get(headerKV) != "" || h.Get(headerMarker) != "")
}

var errKey = errors.New("a key is of tokens separated by dots, each of letters, digits and \"-_=/\"")

// validKey reports whether key can be one of a bucket's, apart from the bus's
// own.
func validKey(key string) bool {
	return key != epochKey && validFilter(key) && !strings.ContainsAny(key, "*>")
}

// validFilter reports whether f is a key, or a pattern of keys.
func validFilter(f string) bool {
	if len(f) > 512 {
		return false
	}
	for rest, more := f, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, ".")
		switch {
		case part == "*", part == ">" && !more:
			continue
		case part == "":
			return false
		}
		for i := range len(part) {
			switch c := part[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '=', c == '/':
			default:
				return false
			}
		}
	}
	return true
}
