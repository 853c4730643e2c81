package plane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
)

// loadBatch is how many entries are applied at once while they are read from
// disk.
const loadBatch = 128

// LoadCredentials puts the credentials in use that were kept on disk, before
// anybody is served, and returns how many entries that were.
func (p *Plane) LoadCredentials() (n int, err error) {
	n, err = readFeed(p.o.Credentials, p.o.Log, func(each func(bus.Entry) error) (err error) {
		p.journal, p.from, err = openJournal(p.o.Cache, p.o.Log, each)
		return err
	})
	if n > 10_000 {
		debug.FreeOSMemory() // reading left much behind that is not needed again
	}
	if err != nil {
		p.from = bus.Position{} // all is fetched again
	}
	return n, err
}

// readFeed fills a store with what read hands on, of each key the last entry.
func readFeed(store *identity.Store, log *slog.Logger, read func(each func(bus.Entry) error) error) (n int, err error) {
	gone := map[string]bool{} // keys that were deleted after all
	failed := store.Replace(func(yield func(credential.Feed, error) bool) {
		var f credential.Feed
		size, open := 0, true
		flush := func() {
			if open && size > 0 {
				open = yield(f, nil)
			}
			f, size = credential.Feed{}, 0
		}
		err = read(func(e bus.Entry) error {
			n++
			delete(gone, e.Key)
			if e.Deleted || !add(&f, e, log) {
				gone[e.Key] = true
				return nil
			}
			if size++; size == loadBatch {
				flush()
			}
			return nil
		})
		flush()
	})
	for key := range gone {
		remove(store, key)
	}
	return n, errors.Join(err, failed)
}

// followCredentials applies the feed until ctx ends.
func (p *Plane) followCredentials(ctx context.Context) {
	bucket, err := p.o.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Credentials, ReadOnly: true})
	if err != nil {
		p.o.Log.Error("credentials are not followed", "err", err)
		return
	}
	f := &follower{p: p, at: p.from}
	defer f.quiet(0)
	p.watch(ctx, "the feed of credentials", func(ctx context.Context) error {
		return bucket.Watch(ctx, []string{p.o.Organization + ".>"}, f.position(), f.take)
	})
}

// settle is how long nothing comes until what is told anew is taken for all that
// there is, where its writer does not say so.
const settle = 2 * time.Minute

// follower applies entries as they come.
//
// When NATS has lost the feed, its writer tells it anew, which takes a while. Until
// all was told, what was known before stays; then what was not told again is
// gone.
type follower struct {
	p *Plane

	mu       sync.Mutex
	at       bus.Position
	anew     bool            // all is being told
	first    bool            // for the first time: nothing was known before
	marked   bool            // all that there is in NATS was told
	complete bool            // the writer says that this is all
	apps     map[string]bool // applications that were told since
	told     int             // credentials that were told since
	arrived  bool
	timer    *time.Timer // nil while nothing is told anew
}

// position is where to go on.
func (f *follower) position() bus.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at.Revision == 0 {
		return bus.Position{}
	}
	return f.at
}

func (f *follower) take(e bus.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Reset {
		f.p.o.Log.Warn("NATS has lost the feed of credentials; those known are accepted until all were told anew")
		f.begin(e.Epoch, false)
		return nil
	}
	if f.at.Revision == 0 && f.at.Epoch != e.Epoch {
		f.begin(e.Epoch, !f.arrived && f.p.o.Credentials.Len() == 0)
	}
	if e.Marker {
		f.marked = true
		f.settled()
		if !f.arrived {
			f.arrived = true
			f.p.arrived()
		}
		return nil
	}
	f.at = e.Position()
	kind, id := split(e.Key)
	switch {
	case kind == gateway.Complete:
		f.complete = !e.Deleted
		f.settled()
		return nil
	case f.anew && !e.Deleted && kind == partApplication:
		f.apps[id] = true
	case f.anew && !e.Deleted && kind == partCredential:
		f.told++
	}
	f.p.takeOne(e)
	f.p.journal.add(e)
	f.quiet(settle)
	return nil
}

// begin says that all is told from here on.
func (f *follower) begin(epoch string, first bool) {
	f.at = bus.Position{Epoch: epoch}
	f.anew, f.first, f.marked, f.complete = true, first, false, false
	f.apps, f.told = map[string]bool{}, 0
	f.p.o.Credentials.Begin()
	f.p.journal.begin(epoch)
}

// settled takes out what was not told again, once all was told. Where it is not
// said that this is all, that is so when nothing has come for a while.
func (f *follower) settled() {
	if !f.anew || !f.marked {
		return
	}
	if !f.complete && !f.first {
		f.quiet(settle)
		return
	}
	f.finish()
}

func (f *follower) finish() {
	f.anew = false
	f.quiet(0)
	n := f.p.o.Credentials.Finish(f.apps)
	f.p.journal.commit()
	f.p.o.Log.Info("all credentials are known", "credentials", f.p.o.Credentials.Len(), "gone", n)
	f.apps = nil
	if f.told > 10_000 {
		debug.FreeOSMemory() // the feed left much behind that is not needed again
	}
}

// quiet has the feed taken for whole when nothing comes for a time; 0 does not
// wait any more. An empty feed says nothing: its writer is not there yet.
func (f *follower) quiet(d time.Duration) {
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	if d == 0 || !f.anew || !f.marked || f.told == 0 {
		return
	}
	f.timer = time.AfterFunc(d, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.timer != nil && f.anew {
			f.finish()
		}
	})
}

// takeOne applies one entry at once.
func (p *Plane) takeOne(e bus.Entry) {
	var f credential.Feed
	if e.Deleted || !add(&f, e, p.o.Log) {
		remove(p.o.Credentials, e.Key)
		return
	}
	if err := p.o.Credentials.Apply(f); err != nil { // add has checked it
		p.o.Log.Error("an entry of the feed was not taken", "revision", e.Revision, "err", err)
		remove(p.o.Credentials, e.Key)
	}
}

// The middle parts of keys: <organization>.credential.<digest> and
// <organization>.application.<id>.
const (
	partCredential  = "credential"
	partApplication = "application"
)

// split returns the parts of a key after the organization.
func split(key string) (kind, id string) {
	_, rest, _ := strings.Cut(key, ".")
	kind, id, _ = strings.Cut(rest, ".")
	return kind, id
}

// add adds an entry to a feed. It reports false for one that is not well-formed,
// which is as good as none.
func add(f *credential.Feed, e bus.Entry, log *slog.Logger) bool {
	kind, id := split(e.Key)
	var err error
	switch kind {
	case partCredential:
		var c credential.Credential
		if err = json.Unmarshal(e.Value, &c); err == nil {
			if c.Digest != id {
				err = errKeyed
			} else {
				err = identity.Valid(&credential.Feed{Credentials: []credential.Credential{c}})
			}
		}
		if err == nil {
			f.Credentials = append(f.Credentials, c)
			return true
		}
	case partApplication:
		var a credential.Application
		if err = json.Unmarshal(e.Value, &a); err == nil && a.ID != id {
			err = errKeyed
		}
		if err == nil {
			f.Applications = append(f.Applications, a)
			return true
		}
	default:
		err = fmt.Errorf("kind %q is not known", kind)
	}
	// By its revision: the key may be a digest, which belongs in no log.
	log.Error("an entry of the feed is not well-formed; it is taken for deleted", "kind", kind, "revision", e.Revision, "err", err)
	return false
}

var errKeyed = errors.New("it says another id than its key")

// remove takes out what a key stood for.
func remove(store *identity.Store, key string) {
	switch kind, id := split(key); kind {
	case partCredential:
		_ = store.Remove(id) // one that is no digest was never known
	case partApplication:
		store.RemoveApplication(id)
	}
}
