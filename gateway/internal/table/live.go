package table

import (
	"sync"
	"sync/atomic"
)

// Live is the table in use. Requests take it with Enter and give it back with
// Leave; what a swapped-out table alone has used is closed when its last
// request has left, be it a stream of hours.
type Live struct {
	current atomic.Pointer[Table]
	mu      sync.Mutex
	retired []*Table
}

// Enter returns the table in use, or nil before the first Swap. The hint spreads
// the count; pass the same to Leave.
func (l *Live) Enter(hint int) *Table {
	for {
		t := l.current.Load()
		if t == nil {
			return nil
		}
		t.enter(hint)
		if l.current.Load() == t {
			return t
		}
		// Swapped in between: the table may be closing already.
		t.leave(hint)
	}
}

// Leave ends the use of a table.
func (*Live) Leave(t *Table, hint int) { t.leave(hint) }

// Current returns the table in use, to look at only.
func (l *Live) Current() *Table { return l.current.Load() }

// Swap puts a table in use and retires the one before. The swap itself is one
// pointer; requests under way stay with the table they began with.
func (l *Live) Swap(t *Table) {
	t.hold()
	old := l.current.Swap(t)
	if old != nil {
		l.mu.Lock()
		l.retired = append(l.retired, old)
		l.mu.Unlock()
	}
	l.Reap()
}

// Reap closes what retired tables without requests held alone. It returns how
// many tables still have requests. Call it now and then.
func (l *Live) Reap() int {
	l.mu.Lock()
	var idle []*Table
	busy := l.retired[:0]
	for _, t := range l.retired {
		if t.idle() {
			idle = append(idle, t)
		} else {
			busy = append(busy, t)
		}
	}
	clear(l.retired[len(busy):])
	l.retired = busy
	n := len(busy)
	l.mu.Unlock()
	for _, t := range idle {
		t.release()
	}
	return n
}

// Close retires the table in use and waits for nothing: requests that are left
// keep what they use until the process ends.
func (l *Live) Close() {
	if old := l.current.Swap(nil); old != nil {
		l.mu.Lock()
		l.retired = append(l.retired, old)
		l.mu.Unlock()
	}
	l.Reap()
}

// hold makes the table a user of its units.
func (t *Table) hold() {
	for _, u := range t.units {
		u.tables.Add(1)
	}
	t.platform.tables.Add(1)
}

// release ends that and closes the units that no table uses any more.
func (t *Table) release() {
	for _, u := range t.units {
		if u.tables.Add(-1) == 0 {
			u.shut()
		}
	}
	if t.platform.tables.Add(-1) == 0 && t.platform.close != nil {
		t.platform.close()
	}
}
