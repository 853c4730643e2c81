package concurrencylimit

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// place is what a request waits for: a limiter's room for a key.
type place struct {
	limiter policy.Limiter
	key     string
}

// queue lets requests wait in the order in which they came.
type queue struct {
	bound   int
	waiting atomic.Int64 // so that nobody locks where nobody waits
	mu      sync.Mutex
	places  map[place][]*waiter
}

// waiter is one request that waits. Turn has room for one call, so that a call
// is not lost while it looks elsewhere.
type waiter struct {
	at   place
	turn chan struct{}
}

// join returns nil where as many wait as may.
func (q *queue) join(at place) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	if int(q.waiting.Load()) >= q.bound {
		return nil
	}
	q.waiting.Add(1)
	if q.places == nil {
		q.places = map[place][]*waiter{}
	}
	w := &waiter{at: at, turn: make(chan struct{}, 1)}
	q.places[at] = append(q.places[at], w)
	return w
}

// leave takes w out, and passes on a call that it has not answered.
func (q *queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting.Add(-1)
	list := slices.DeleteFunc(q.places[w.at], func(o *waiter) bool { return o == w })
	if len(list) == 0 {
		delete(q.places, w.at)
		return
	}
	q.places[w.at] = list
	select {
	case <-w.turn:
		call(list[0])
	default:
	}
}

// next calls the one that has waited longest.
func (q *queue) next(at place) {
	if q.waiting.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if list := q.places[at]; len(list) > 0 {
		call(list[0])
	}
}

func call(w *waiter) {
	select {
	case w.turn <- struct{}{}:
	default:
	}
}
