package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Labels are those of a route. They come from the configuration only.
type Labels struct{ API, Operation, Method string }

// LabelsOf returns the labels of a route; nil is a request that matched none.
// The operation is the path template, and "" for an API without operations; the
// method is "any" where the operation takes any.
func LabelsOf(r *policy.Route) Labels {
	if r == nil {
		return Labels{API: "unmatched"}
	}
	l := Labels{API: r.API, Operation: r.Template, Method: r.Method}
	if l.Method == "" || l.Method == "*" {
		l.Method = "any"
	}
	return l
}

// classes and sources index the counters of a route.
const (
	classes = 6 // none, 1xx to 5xx
	sources = 5
)

var (
	classNames  = [classes]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}
	sourceNames = [sources]string{"", "client", "policy", "gateway", "upstream"}
)

// Route counts the requests of one route. It is got when the route is compiled,
// so that a request finds its counters by index. Its series come into being with
// its first request.
type Route struct {
	m      *Metrics
	labels Labels
	uses   int // guarded by m.mu

	once     sync.Once
	over     atomic.Bool // the bound was reached: counts as other
	counters [classes * sources]atomic.Pointer[counted]
	duration prometheus.Observer
	upstream prometheus.Observer
	inFlight prometheus.Gauge
	own      struct{ counters, histograms, gauge int } // series held, guarded by m.mu
}

// counted is a counter, and whether it is that of somebody else.
type counted struct {
	prometheus.Counter
	over bool
}

// Route returns the counters of a route, the same for the same labels, so that
// they survive a change of configuration. Each is to be closed.
func (m *Metrics) Route(r *policy.Route) *Route {
	l := LabelsOf(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	rm := m.routes[l]
	if rm == nil {
		rm = m.newRoute(l)
		m.routes[l] = rm
	}
	rm.uses++
	return rm
}

func (m *Metrics) newRoute(l Labels) *Route { return &Route{m: m, labels: l} }

// Close gives the counters up. The last one to do so removes their series.
func (r *Route) Close() {
	m := r.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.uses--; r.uses > 0 {
		return
	}
	delete(m.routes, r.labels)
	m.requestsN.free(r.own.counters)
	m.histogramsN.free(r.own.histograms)
	if r.own.counters > 0 {
		m.requests.DeletePartialMatch(prometheus.Labels{"api": r.labels.API, "operation": r.labels.Operation, "method": r.labels.Method})
	}
	if r.own.histograms > 0 {
		m.duration.DeleteLabelValues(r.labels.API, r.labels.Operation, r.labels.Method)
		m.upstream.DeleteLabelValues(r.labels.API, r.labels.Operation, r.labels.Method)
	}
	if r.own.gauge > 0 {
		if m.apis[r.labels.API]--; m.apis[r.labels.API] == 0 {
			delete(m.apis, r.labels.API)
			m.inFlight.DeleteLabelValues(r.labels.API)
			m.gaugesN.free(1)
		}
	}
	r.own.counters, r.own.histograms, r.own.gauge = 0, 0, 0
}

// acquire makes the series that every request needs.
func (r *Route) acquire(always bool) {
	r.once.Do(func() {
		m := r.m
		m.mu.Lock()
		defer m.mu.Unlock()
		if always || m.histogramsN.take() {
			r.duration = m.duration.WithLabelValues(r.labels.API, r.labels.Operation, r.labels.Method)
			r.upstream = m.upstream.WithLabelValues(r.labels.API, r.labels.Operation, r.labels.Method)
			r.own.histograms = index(!always)
		} else {
			r.over.Store(true)
			r.duration, r.upstream = m.spare.duration, m.spare.upstream
		}
		if always || m.apis[r.labels.API] > 0 || m.gaugesN.take() {
			r.inFlight = m.inFlight.WithLabelValues(r.labels.API)
			r.own.gauge = 1
			m.apis[r.labels.API]++
		} else {
			r.inFlight = m.spare.inFlight
		}
	})
}

// Begin counts a request as under way.
func (r *Route) Begin() {
	r.acquire(false)
	r.inFlight.Inc()
}

// Done counts a request that is over, of which Begin was called. The source is
// "", "client", "policy", "gateway" or "upstream"; upstream is 0 where none was
// asked.
func (r *Route) Done(status int, source string, total, upstream time.Duration) {
	r.inFlight.Dec()
	class := status / 100
	if class < 0 || class >= classes {
		class = 0
	}
	at := class*sources + sourceIndex(source)
	c := r.counters[at].Load()
	if c == nil {
		c = r.counter(at)
	}
	c.Inc()
	if c.over || r.over.Load() {
		r.m.overflow.WithLabelValues("gatehouse_requests_total").Inc()
	}
	r.duration.Observe(total.Seconds())
	if upstream > 0 {
		r.upstream.Observe(upstream.Seconds())
	}
}

func sourceIndex(s string) int {
	switch s {
	case "client":
		return 1
	case "policy":
		return 2
	case "gateway":
		return 3
	case "upstream":
		return 4
	}
	return 0
}

func (r *Route) counter(at int) *counted {
	m := r.m
	class, source := classNames[at/sources], sourceNames[at%sources]
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := r.counters[at].Load(); c != nil {
		return c
	}
	l, over := r.labels, false
	if r != m.spare {
		if m.requestsN.take() {
			r.own.counters++
		} else {
			l, over = m.spare.labels, true
		}
	}
	c := &counted{Counter: m.requests.WithLabelValues(l.API, l.Operation, l.Method, class, source), over: over}
	r.counters[at].Store(c)
	return c
}

// series counts the series of a metric against its bound. It is guarded by the
// mutex of Metrics.
type series struct{ n, max int }

func (s *series) take() bool {
	if s.n >= s.max {
		return false
	}
	s.n++
	return true
}

func (s *series) free(n int) { s.n -= n }

// capped is a set of names with a bound.
type capped struct {
	mu    sync.Mutex
	names map[string]bool
	max   int
}

func (c *capped) take(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names[name] {
		return true
	}
	if len(c.names) >= c.max {
		return false
	}
	if c.names == nil {
		c.names = map[string]bool{}
	}
	c.names[name] = true
	return true
}

func (c *capped) drop(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := c.names[name]
	delete(c.names, name)
	return had
}
