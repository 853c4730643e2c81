package oauth2introspection

import (
	"sync"
	"time"
)

// mostRefusals bounds how many refused tokens are remembered. The oldest goes first.
const mostRefusals = 8192

// refusals remembers tokens that the server refused, by digest.
type refusals struct {
	mu    sync.Mutex
	known map[string]refusal
	// order has the keys of known, each once, the oldest at next once it is full.
	order []string
	next  int
}

type refusal struct {
	answer *answer
	until  time.Time
}

// get returns the answer of a token that was refused, nil where that is not known or
// does not count any more.
func (r *refusals) get(key string, now time.Time) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.known[key]; ok && now.Before(f.until) {
		return f.answer
	}
	return nil
}

// set remembers a refusal for a while.
func (r *refusals) set(key string, a *answer, now time.Time, ttl time.Duration) {
	if ttl <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]refusal{}
	}
	if _, ok := r.known[key]; !ok {
		if len(r.order) < mostRefusals {
			r.order = append(r.order, key)
		} else {
			delete(r.known, r.order[r.next])
			r.order[r.next] = key
			r.next = (r.next + 1) % mostRefusals
		}
	}
	r.known[key] = refusal{a, now.Add(ttl)}
}
