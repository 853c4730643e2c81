package cache

import (
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// flights are the calls to the upstream that others wait for, by key.
type flights struct {
	mu sync.Mutex
	m  map[string]*flight
}

type flight struct {
	key    string
	landed chan struct{}
	stored bool // valid once landed
	// waiters is how many have waited; guarded by flights.mu.
	waiters int
	over    bool
}

// join returns the flight of a key, and whether the caller is the one who is to
// make the call.
func (fs *flights) join(key string) (*flight, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f, ok := fs.m[key]; ok {
		f.waiters++
		return f, false
	}
	if fs.m == nil {
		fs.m = map[string]*flight{}
	}
	f := &flight{key: key, landed: make(chan struct{})}
	fs.m[key] = f
	return f, true
}

// land lets all who wait go on: to the store, or to the upstream. It returns
// how many have waited. Landing again does nothing.
func (fs *flights) land(f *flight, stored bool) int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.over {
		return 0
	}
	f.over, f.stored = true, stored
	delete(fs.m, f.key)
	close(f.landed)
	return f.waiters
}

// wait waits for a flight and reports whether it is worth looking again.
func wait(ex *policy.Exchange, f *flight, d time.Duration) (bool, error) {
	if d <= 0 {
		return false, nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.landed:
		return f.stored, nil
	case <-timer.C:
		return false, nil
	case <-ex.Context().Done():
		return false, problem.New(problem.CodeClientClosed, "the client left while it waited for another request to the same").
			Because(ex.Context().Err())
	}
}
