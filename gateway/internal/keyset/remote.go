package keyset

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

const (
	maxDocument = 1 << 20
	minRefresh  = 30 * time.Second // however short max-age is
	maxBackoff  = time.Minute
	maxWait     = 3 * time.Second // of a request for a fetch
)

// remote is the key set at one address, shared by its handles.
type remote struct {
	url string

	mu       sync.Mutex
	handles  map[*handle]struct{}
	refresh  time.Duration // the least of the handles
	cooldown time.Duration

	keys     []policy.Key // replaced, never changed
	fetched  time.Time    // when keys were fetched; zero = never
	fromDisk bool
	due      time.Time // of the next fetch
	started  time.Time // when the last fetch began
	err      error     // of the last fetch
	failures int
	flight   chan struct{} // closed when the fetch under way ends; nil = none

	gen atomic.Uint64 // of keys; changes when they do
	// calm is until when, in Unix nanoseconds, nothing is to be fetched and no
	// handle finds the keys too old, so that the generation stands without a look.
	calm atomic.Int64
}

// settle works out calm. The caller holds r.mu.
func (r *remote) settle() {
	until := r.due
	for h := range r.handles {
		if t := r.fetched.Add(h.maxStale + r.refresh); t.Before(until) {
			until = t
		}
	}
	if r.fetched.IsZero() || len(r.keys) == 0 {
		until = time.Time{}
	}
	r.calm.Store(until.UnixNano())
}

// handle is one use of a remote.
type handle struct {
	sets              *Sets
	remote            *remote
	maxStale          time.Duration
	refresh, cooldown time.Duration
	once              sync.Once
}

// rules takes the strictest wishes of all handles.
func (r *remote) rules() {
	r.refresh, r.cooldown = 0, 0
	for h := range r.handles {
		if r.refresh == 0 || h.refresh < r.refresh {
			r.refresh = h.refresh
		}
		if r.cooldown == 0 || h.cooldown < r.cooldown {
			r.cooldown = h.cooldown
		}
	}
}

// errNoKeys is what a policy answers 503 to.
var errNoKeys = errors.New("the key set has no usable keys")

// Keys returns the keys that may have signed; see [policy.KeySet].
func (h *handle) Keys(ctx context.Context, kid, alg string) ([]policy.Key, error) {
	r := h.remote
	for waited := false; ; waited = true {
		r.mu.Lock()
		now := h.sets.now()
		if !now.Before(r.due) {
			r.fetch(h.sets)
		}
		keys, err := h.usable(now)
		if err == nil {
			found, known := candidates(keys, kid, alg)
			// An unknown key id may be a new key: ask, but not more often than the
			// cooldown allows, whatever clients send. R8.1
			if known || waited {
				r.mu.Unlock()
				return found, nil
			}
			if r.flight == nil && now.Sub(r.started) >= r.cooldown {
				r.fetch(h.sets)
			}
			if r.flight == nil {
				r.mu.Unlock()
				return found, nil
			}
		} else if r.flight == nil || waited {
			r.mu.Unlock()
			return nil, err
		}
		flight := r.flight
		r.mu.Unlock()
		if err := wait(ctx, flight); err != nil {
			return nil, err
		}
	}
}

// wait bounds the wait for a fetch: a provider that does not answer must not
// collect requests.
func wait(ctx context.Context, flight <-chan struct{}) error {
	t := time.NewTimer(maxWait)
	defer t.Stop()
	select {
	case <-flight:
		return nil
	case <-t.C:
		return fmt.Errorf("waiting for the key set: %w", context.DeadlineExceeded)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the key set: %w", ctx.Err())
	}
}

// usable returns the keys, or why there are none. R8.2, R8.3.
func (h *handle) usable(now time.Time) ([]policy.Key, error) {
	r := h.remote
	switch {
	case r.fetched.IsZero() && r.err != nil:
		return nil, fmt.Errorf("the key set could not be fetched: %w", r.err)
	case r.fetched.IsZero():
		return nil, fmt.Errorf("the key set was not fetched yet: %w", errNoKeys)
	case now.Sub(r.fetched) > h.maxStale+r.refresh:
		return nil, fmt.Errorf("the key set is out of date since %s", r.fetched.Add(h.maxStale+r.refresh).UTC().Format(time.RFC3339)) //nolint:err113 // for people
	case len(r.keys) == 0:
		return nil, errNoKeys
	}
	return r.keys, nil
}

// Generation changes whenever the keys do; 0 = there are none to be had.
func (h *handle) Generation() uint64 {
	r := h.remote
	now := h.sets.now()
	if now.UnixNano() < r.calm.Load() {
		return r.gen.Load()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !now.Before(r.due) {
		r.fetch(h.sets)
	}
	if _, err := h.usable(now); err != nil {
		return 0
	}
	return r.gen.Load()
}

// Close gives up the handle. With the last one the set is forgotten.
func (h *handle) Close() {
	h.once.Do(func() {
		s, r := h.sets, h.remote
		s.mu.Lock()
		defer s.mu.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.handles, h)
		if len(r.handles) == 0 {
			delete(s.sets, r.url)
			return
		}
		r.rules()
		r.settle()
	})
}

// fetch starts a fetch where none is under way. The caller holds r.mu.
func (r *remote) fetch(s *Sets) {
	s.ending.RLock()
	defer s.ending.RUnlock()
	if r.flight != nil || s.ctx.Err() != nil {
		return
	}
	flight := make(chan struct{})
	r.flight, r.started = flight, s.now()
	r.due = r.started.Add(r.refresh)
	r.settle()
	s.wg.Go(func() {
		keys, skipped, maxAge, err := s.download(r.url)
		now := s.now()
		var unkept error
		if err == nil {
			unkept = s.save(r.url, now, keys) // before the lock: requests do not wait for the disk
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		defer r.settle()
		r.flight = nil
		close(flight)
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			r.failed(s, err)
			return
		}
		r.succeeded(s, now, keys, skipped, maxAge)
		if unkept != nil {
			s.log.Warn("key set cannot be kept on disk", "url", r.url, "error", unkept)
		}
	})
}

func (r *remote) failed(s *Sets, err error) {
	if r.failures == 0 { // one line when it is lost, one when it is back. R6.5
		s.log.Error("key set cannot be fetched; the last good keys are used",
			"url", r.url, "error", err, "keys", len(r.keys), "fetched", r.fetched)
	}
	r.err = err
	r.due = s.now().Add(min(time.Second<<min(r.failures, 10), maxBackoff, max(r.refresh, time.Second)))
	r.failures++
}

func (r *remote) succeeded(s *Sets, now time.Time, keys []policy.Key, skipped []error, maxAge time.Duration) {
	if r.failures > 0 {
		s.log.Info("key set is back", "url", r.url, "keys", len(keys))
	}
	same := !r.fetched.IsZero() && equal(r.keys, keys)
	if !same {
		if len(skipped) > 0 || len(keys) == 0 {
			s.log.Warn("key set has keys that are not used", "url", r.url, "used", len(keys), "error", errors.Join(skipped...))
		}
		r.keys = keys
		r.gen.Store(s.gen.Add(1))
	}
	r.err, r.failures, r.fromDisk = nil, 0, false
	r.fetched = now
	next := r.refresh
	if maxAge > 0 {
		next = min(next, max(maxAge, min(minRefresh, r.refresh)))
	}
	r.due = r.started.Add(next)
}

// equal compares keys by what they are, in order.
func equal(a, b []policy.Key) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		k, ok := a[i].Public.(interface{ Equal(x crypto.PublicKey) bool })
		if !ok || a[i].ID != b[i].ID || a[i].Algorithm != b[i].Algorithm || !k.Equal(b[i].Public) {
			return false
		}
	}
	return true
}

// download fetches and reads the document. Its errors quote nothing of it.
func (s *Sets) download(url string) ([]policy.Key, []error, time.Duration, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "gatehouse")
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if resp.StatusCode != http.StatusOK {
		return nil, nil, 0, fmt.Errorf("the answer has status %d", resp.StatusCode) //nolint:err113 // for people
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, nil, 0, fmt.Errorf("reading the answer: %w", err)
	}
	if len(doc) > maxDocument {
		return nil, nil, 0, fmt.Errorf("the answer exceeds %d bytes", maxDocument) //nolint:err113 // for people
	}
	keys, skipped, err := parseSet(doc, false, false)
	return keys, skipped, maxAgeOf(resp.Header.Values("Cache-Control")), err
}

// maxAgeOf returns the max-age of Cache-Control, 0 where there is none.
func maxAgeOf(values []string) time.Duration {
	for _, v := range values {
		for d := range strings.SplitSeq(v, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(d), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil && n > 0 {
				return time.Duration(n) * time.Second
			}
			return time.Nanosecond // 0, or not readable: as short as may be
		}
	}
	return 0
}
