package plane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
)

// feedBatch is how many entries of a whole feed are applied at once.
const feedBatch = 128

// errBroken ends a whole feed that was not told to its end.
var errBroken = errors.New("the feed was not told to its end")

// LoadCredentials puts the credentials in use that were kept on disk, before
// anybody is served, and returns how many entries that were.
func (p *Plane) LoadCredentials() (n int, err error) {
	gone := map[string]bool{} // keys that were deleted after all
	var at bus.Position
	var j *journal
	failed := p.o.Credentials.Replace(func(yield func(credential.Feed, error) bool) {
		var f credential.Feed
		size, open := 0, true
		flush := func() {
			if open && size > 0 {
				open = yield(f, nil)
			}
			f, size = credential.Feed{}, 0
		}
		j, at, err = openJournal(p.o.Cache, p.o.Log, func(e bus.Entry) error {
			n++
			delete(gone, e.Key)
			if e.Deleted || !p.add(&f, e) {
				gone[e.Key] = true
				return nil
			}
			if size++; size == feedBatch {
				flush()
			}
			return nil
		})
		flush()
	})
	for key := range gone {
		p.remove(key)
	}
	p.journal, p.from = j, at
	if n > 10_000 {
		debug.FreeOSMemory() // reading left much behind that is not needed again
	}
	if err = errors.Join(err, failed); err != nil {
		p.from = bus.Position{} // all is fetched again
	}
	return n, err
}

// followCredentials applies the feed until ctx ends.
func (p *Plane) followCredentials(ctx context.Context) {
	bucket, err := p.o.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Credentials, ReadOnly: true})
	if err != nil {
		p.o.Log.Error("credentials are not followed", "err", err)
		return
	}
	f := &follower{p: p, at: p.from}
	p.watch(ctx, "the feed of credentials", func(ctx context.Context) error {
		defer f.end(errBroken)
		if f.at.Revision == 0 {
			f.at = bus.Position{} // a position within no history
		}
		return bucket.Watch(ctx, []string{p.o.Organization + ".>"}, f.at, f.take)
	})
}

// follower applies entries: one after the other, or, where all are told anew, as
// a whole, after which those are gone that were not told.
type follower struct {
	p     *Plane
	at    bus.Position
	told  bool // all that there is, once
	whole chan credential.Feed
	done  chan error
	gone  map[string]bool // keys that the whole has told and taken back
	err   error           // why the whole ended early
	batch credential.Feed
	raw   []bus.Entry
}

func (f *follower) take(e bus.Entry) error {
	p := f.p
	switch {
	case e.Reset:
		p.o.Log.Warn("NATS has lost credentials; those known are served until they are told anew")
		f.end(errBroken)
		f.begin(e.Epoch)
		return nil
	case f.at.Revision == 0 && f.whole == nil && (f.at.Epoch != e.Epoch || !f.told):
		f.begin(e.Epoch)
	}
	if f.at.Epoch = e.Epoch; e.Marker {
		if f.whole != nil {
			f.flush()
			f.end(nil)
		}
		if !f.told {
			f.told = true
			p.arrived()
		}
		return nil
	}
	f.at = e.Position()
	if f.whole == nil {
		p.takeOne(e)
		p.journal.add(e)
		return nil
	}
	delete(f.gone, e.Key)
	if e.Deleted || !p.add(&f.batch, e) {
		f.gone[e.Key] = true
	} else {
		f.raw = append(f.raw, e)
	}
	if len(f.raw) >= feedBatch {
		f.flush()
	}
	return nil
}

// begin starts to take in a whole feed.
func (f *follower) begin(epoch string) {
	f.whole, f.done, f.err = make(chan credential.Feed, 1), make(chan error, 1), nil
	f.at = bus.Position{Epoch: epoch}
	f.batch, f.raw, f.gone = credential.Feed{}, nil, map[string]bool{}
	f.p.journal.begin(epoch)
	parts, done := f.whole, f.done
	go func() {
		done <- f.p.o.Credentials.Replace(func(yield func(credential.Feed, error) bool) {
			open := true
			for part := range parts {
				open = open && yield(part, nil)
			}
			if open && f.err != nil {
				yield(credential.Feed{}, f.err)
			}
		})
	}()
}

// flush passes on what was collected.
func (f *follower) flush() {
	if len(f.raw) == 0 {
		return
	}
	f.whole <- f.batch
	f.p.journal.add(f.raw...)
	f.batch, f.raw = credential.Feed{}, nil
}

// end ends a whole feed; with an error nothing is taken out by it.
func (f *follower) end(err error) {
	if f.whole == nil {
		return
	}
	f.err = err
	close(f.whole)
	f.whole = nil
	if failed := <-f.done; failed != nil {
		if err == nil {
			f.p.o.Log.Error("the feed of credentials was not taken whole", "err", failed)
		}
		f.at = bus.Position{} // from the beginning
		return
	}
	for key := range f.gone {
		f.p.remove(key)
	}
	f.p.journal.commit()
	f.p.o.Log.Info("all credentials are known", "credentials", f.p.o.Credentials.Len())
	debug.FreeOSMemory() // the feed left much behind that is not needed again
}

// takeOne applies one entry at once.
func (p *Plane) takeOne(e bus.Entry) {
	var f credential.Feed
	if e.Deleted || !p.add(&f, e) {
		p.remove(e.Key)
		return
	}
	if err := p.o.Credentials.Apply(f); err != nil { // add has checked it
		p.o.Log.Error("an entry of the feed was not taken", "revision", e.Revision, "err", err)
		p.remove(e.Key)
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
func (p *Plane) add(f *credential.Feed, e bus.Entry) bool {
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
	p.o.Log.Error("an entry of the feed is not well-formed; it is taken for deleted", "kind", kind, "revision", e.Revision, "err", err)
	return false
}

var errKeyed = errors.New("it says another id than its key")

// remove takes out what a key stood for.
func (p *Plane) remove(key string) {
	switch kind, id := split(key); kind {
	case partCredential:
		_ = p.o.Credentials.Remove(id) // one that is no digest was never known
	case partApplication:
		p.o.Credentials.RemoveApplication(id)
	}
}
