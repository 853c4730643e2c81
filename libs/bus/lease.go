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

// Lease runs work while this is the one replica that holds the lease of a name,
// and waits for its turn otherwise. It returns when ctx ends, or with what work
// returned when that ended with the lease still held.
//
// The holder renews the lease; its context ends half a ttl after the last
// renewal that it knows of, and another replica takes over within one ttl after
// the holder died, at once where it stopped in good order. No clocks are
// compared: each replica measures how long it has seen no renewal, so only their
// speed must agree, to a quarter. What must hold even for work that does not
// notice in time that it was cancelled, such as a write, carries the fencing
// token, which rises from holder to holder.
//
// A ttl is at least 100 ms. The name is one of the service's own.
func Lease(ctx context.Context, b *Bus, name string, ttl time.Duration, work func(ctx context.Context, fence uint64) error) error {
	if !token(name) || ttl < 100*time.Millisecond {
		return fmt.Errorf("leasing %q for %s: a name is of letters, digits and hyphens, and a ttl at least 100ms", name, ttl)
	}
	if !b.begin() {
		return fmt.Errorf("leasing %s: %w", name, ErrClosed)
	}
	defer b.working.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.stop, cancel)()
	l := &lease{b: b, name: name, key: b.opt.Service + "." + name, me: rand.Text(), ttl: ttl}
	err := b.persist(ctx, "leasing "+name, l.denied, func(ctx context.Context) (err error) {
		if l.kv, err = b.js.KeyValue(ctx, bucketLeases); errors.Is(err, jetstream.ErrBucketNotFound) {
			l.kv, err = b.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucketLeases, Replicas: max(b.opt.Replicas, 1)})
			if errors.Is(err, jetstream.ErrBucketExists) || errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
				l.kv, err = b.js.KeyValue(ctx, bucketLeases)
			}
		}
		return err
	})
	for err == nil && ctx.Err() == nil {
		var got grant
		if got, err = l.acquire(ctx); err == nil {
			var done bool
			if done, err = l.hold(ctx, got, work); done {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type lease struct {
	b         *Bus
	kv        jetstream.KeyValue
	name, key string
	me        string
	ttl       time.Duration
}

// grant is a lease that was won.
type grant struct {
	revision uint64
	asked    time.Time // when the write that won it was begun
}

func (l *lease) denied(s string) bool {
	return strings.HasSuffix(s, "."+l.key) || strings.HasSuffix(s, ".KV_"+bucketLeases)
}

// once makes one attempt at something within a time.
func (l *lease) once(ctx context.Context, within time.Duration, try func(context.Context) error) error {
	gctx, done := l.b.guard(ctx, l.denied)
	defer done()
	tctx, cancel := context.WithTimeout(gctx, within)
	defer cancel()
	err := try(tctx)
	var p *PermissionError
	if err != nil && errors.As(context.Cause(gctx), &p) {
		return p
	}
	return err
}

// acquire waits until the lease is free, or was not renewed for three quarters
// of its ttl, and takes it.
func (l *lease) acquire(ctx context.Context) (grant, error) {
	var seen uint64
	var since time.Time
	for {
		var revision uint64
		free := false
		err := l.once(ctx, l.ttl/4, func(ctx context.Context) error {
			e, err := l.kv.Get(ctx, l.key)
			switch {
			case errors.Is(err, jetstream.ErrKeyNotFound):
				free = true
				return nil
			case err == nil:
				revision, free = e.Revision(), len(e.Value()) == 0
			}
			return err
		})
		if err == nil && (revision != seen || since.IsZero()) {
			seen, since = revision, time.Now()
		}
		if err == nil && (free || time.Since(since) >= l.ttl*3/4) {
			begun := time.Now()
			err = l.once(ctx, l.ttl/4, func(ctx context.Context) (err error) {
				if revision == 0 {
					revision, err = l.kv.Create(ctx, l.key, []byte(l.me))
				} else {
					revision, err = l.kv.Update(ctx, l.key, []byte(l.me), revision)
				}
				return err
			})
			if err == nil {
				return grant{revision, begun}, nil
			}
			since = time.Time{} // another was faster, or it is not known: look anew
		}
		var p *PermissionError
		if errors.As(err, &p) {
			return grant{}, fmt.Errorf("leasing %s: %w", l.name, p)
		}
		wait := l.ttl / 8
		if !since.IsZero() {
			wait = min(wait, max(l.ttl*3/4-time.Since(since), time.Millisecond))
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return grant{}, ctx.Err()
		}
	}
}

// hold runs work under a lease that was won, and renews it. It reports whether
// work ended by itself.
func (l *lease) hold(ctx context.Context, g grant, work func(context.Context, uint64) error) (bool, error) {
	run, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				ended <- fmt.Errorf("leased work %s: panic: %v", l.name, r)
			}
		}()
		ended <- work(run, g.revision)
	}()
	l.b.log.Info("lease taken", "lease", l.name, "fence", g.revision)
	end := g.asked.Add(l.ttl / 2)
	lost := time.NewTimer(time.Until(end))
	defer lost.Stop()
	renew := time.NewTicker(l.ttl / 6)
	defer renew.Stop()
	current := g.revision
	for {
		select {
		case err := <-ended:
			l.release(current)
			return ctx.Err() == nil, err
		case <-ctx.Done():
			err := <-ended
			l.release(current)
			l.b.log.Debug("leased work was stopped", "lease", l.name, "err", err)
			return false, nil
		case <-lost.C:
			stop()
			l.b.log.Warn("lease lost", "lease", l.name, "fence", g.revision, "err", <-ended)
			return false, nil
		case <-renew.C:
			begun := time.Now()
			// Not cut short by ctx, so that what is given back is known.
			revision, err := l.renew(context.WithoutCancel(ctx), current, end)
			if errors.Is(err, errTaken) {
				end = begun
			} else if err == nil {
				current, end = revision, begun.Add(l.ttl/2)
			}
			lost.Reset(time.Until(end))
		}
	}
}

var errTaken = errors.New("another replica has the lease")

// renew writes the lease anew, before it ends.
func (l *lease) renew(ctx context.Context, current uint64, end time.Time) (revision uint64, err error) {
	revision, err = l.renewAt(ctx, current, end)
	if !wrongRevision(err) {
		return revision, err
	}
	// Either it is another's, or the answer to an earlier renewal was lost.
	r, mine := l.mine(ctx, min(l.ttl/4, time.Until(end)))
	switch {
	case mine:
		return l.renewAt(ctx, r, end)
	case r > current:
		return 0, errTaken
	}
	return 0, err
}

func (l *lease) renewAt(ctx context.Context, at uint64, end time.Time) (revision uint64, err error) {
	err = l.once(ctx, min(l.ttl/4, time.Until(end)), func(ctx context.Context) (err error) {
		revision, err = l.kv.Update(ctx, l.key, []byte(l.me), at)
		return err
	})
	return revision, err
}

// mine looks up whose the lease is.
func (l *lease) mine(ctx context.Context, within time.Duration) (revision uint64, mine bool) {
	_ = l.once(ctx, within, func(ctx context.Context) error {
		e, err := l.kv.Get(ctx, l.key)
		if err == nil {
			revision, mine = e.Revision(), string(e.Value()) == l.me
		}
		return err
	})
	return revision, mine
}

// release frees the lease for others, if it is still held.
func (l *lease) release(revision uint64) {
	err := l.once(l.b.kill, l.ttl/4, func(ctx context.Context) error {
		_, err := l.kv.Update(ctx, l.key, nil, revision)
		return err
	})
	if err != nil { // it runs out
		l.b.log.Warn("lease could not be given back", "lease", l.name, "err", err)
		return
	}
	l.b.log.Info("lease given back", "lease", l.name)
}

func wrongRevision(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}
