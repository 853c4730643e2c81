// Package table compiles configuration units into what requests are served by:
// routes, policy chains and upstreams, in one immutable [Table] that is swapped
// as a whole. It compiles each unit once: a unit that did not change is taken
// over with its counters, breakers and connections. It does no I/O of its own
// and knows no transport.
package table

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Table is a configuration, compiled. It never changes, but for the count of the
// requests that use it.
type Table struct {
	// Manifest is what was compiled.
	Manifest unit.Manifest
	// Issues are what was wrong, by unit.
	Issues []Issue

	index    *router.Index
	units    map[string]*Unit // by API id
	platform *platform
	missed   []string // references that could not be read
	stripes  [stripes]stripe
}

// stripes is the number of counters that the requests of a table are spread
// over, so that cores do not contend for one.
const stripes = 8

type stripe struct {
	n atomic.Int64
	_ [56]byte // a cache line of its own
}

// Issue is what is wrong with one unit, and what is served in its place.
type Issue struct {
	Kind unit.Kind `json:"kind"`
	// Unit is the name of the unit, for an API its id.
	Unit string    `json:"unit"`
	Hash unit.Hash `json:"hash,omitempty"`
	// Problems name the fields; pointers are within the unit.
	Problems []problem.Field `json:"problems"`
	// Serving says what is served: "previous", "unavailable" (503) or "nothing".
	Serving string `json:"serving"`
}

// Unit is one API, compiled.
type Unit struct {
	ID   string
	Hash unit.Hash
	// Broken says that the unit could not be compiled and has no earlier form:
	// its routes answer 503.
	Broken bool

	seen     uint64 // the last compilation that found it named
	key      string // of all that it was compiled from besides the unit
	compiled *router.Compiled
	ops      []Operation
	whole    Operation // for requests that match the API but no operation of it
	sets     []string  // policy sets that it refers to
	secrets  []secret  // that its policies refer to
	close    func()
	tables   atomic.Int32 // that it is part of

	routeMetrics func(*policy.Route) (any, func())
	mu           sync.Mutex
	counted      []func() // give up the counters made so far
	closed       bool
}

// Operation is what serves the requests of one operation.
type Operation struct {
	Route *policy.Route
	Chain *chain.Chain
	// Upstream is the default; Upstreams are all, by name.
	Upstream  Upstream
	Upstreams map[string]Upstream
	// Strip is the length of the prefix to be removed from the path.
	Strip int
	Unit  *Unit

	counters atomic.Pointer[any]
}

// Counters returns what the engine counts this route's requests with, which
// comes into being with the first of them: most of the operations of a large
// fleet are never called on one gateway.
func (o *Operation) Counters() any {
	if c := o.counters.Load(); c != nil {
		return *c
	}
	return o.Unit.count(o)
}

func (u *Unit) count(o *Operation) any {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c := o.counters.Load(); c != nil {
		return *c
	}
	if u.routeMetrics == nil || u.closed {
		return nil
	}
	c, done := u.routeMetrics(o.Route)
	u.counted = append(u.counted, done)
	o.counters.Store(&c)
	return c
}

// shut gives up what the unit holds.
func (u *Unit) shut() {
	u.mu.Lock()
	u.closed = true
	counted := u.counted
	u.mu.Unlock()
	for _, done := range counted {
		done()
	}
	if u.close != nil {
		u.close()
	}
}

// Authenticates reports whether somebody establishes who calls before a request
// of the operation is sent on.
func (o *Operation) Authenticates() bool {
	for _, s := range o.Chain.Steps {
		if s.Authenticates {
			return true
		}
	}
	for _, p := range o.Chain.Plans {
		if p.Security == nil {
			return false
		}
	}
	return len(o.Chain.Plans) > 0
}

// Upstream sends requests on.
type Upstream interface {
	Do(ex *policy.Exchange) error
	Close()
}

// platform has the policies for requests that match no API.
type platform struct {
	key     string
	secrets []secret
	chain   *chain.Chain
	close   func()
	// tables that it is part of
	tables atomic.Int32
}

// Match finds out what a request is for. The operation is nil where no API is
// concerned.
func (t *Table) Match(r *router.Request, m *router.Match) *Operation {
	t.index.Match(r, m)
	if m.API == nil {
		return nil
	}
	u, _ := m.API.API().Value.(*Unit)
	if m.Operation < 0 {
		return &u.whole
	}
	return &u.ops[m.Operation]
}

// Index returns the routing index, for explanations.
func (t *Table) Index() *router.Index { return t.index }

// Unmatched returns the chain for requests that no API is concerned with.
func (t *Table) Unmatched() *chain.Chain { return t.platform.chain }

// Unit returns the unit of an API, or nil.
func (t *Table) Unit(api string) *Unit { return t.units[api] }

// Units returns all APIs, in no order.
func (t *Table) Units() []*Unit { return slices.Collect(maps.Values(t.units)) }

// APIs returns the number of APIs.
func (t *Table) APIs() int { return len(t.units) }

// Operation returns what serves an operation of the API, or its requests as a
// whole for an API without operations.
func (u *Unit) Operation(i int) *Operation {
	if i < 0 || i >= len(u.ops) {
		return &u.whole
	}
	return &u.ops[i]
}

// Operations returns all operations of the API.
func (u *Unit) Operations() []Operation { return u.ops }

// enter counts a request that uses the table.
func (t *Table) enter(hint int) { t.stripes[uint(hint)%stripes].n.Add(1) }

// leave ends what enter began.
func (t *Table) leave(hint int) { t.stripes[uint(hint)%stripes].n.Add(-1) }

// idle reports whether no request uses the table.
func (t *Table) idle() bool {
	n := int64(0)
	for i := range t.stripes {
		n += t.stripes[i].n.Load()
	}
	return n == 0
}
