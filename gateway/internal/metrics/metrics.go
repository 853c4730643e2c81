// Package metrics owns the gateway's Prometheus metrics: their names, their
// closed set of labels, and the bound on their number. Other packages call its
// methods and need not know Prometheus. It knows nothing of how requests are
// served.
//
// No label ever holds a path, a consumer, a header or anything else that a
// client chooses. Numbers per consumer come from traffic records.
package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options bound the metrics. Zero values are replaced by the defaults.
type Options struct {
	// MaxSeries bounds the series of each request metric (histograms: a fifth of it, each counting
	// as one); the default is 2000. What comes beyond counts as api "other".
	MaxSeries int `json:"maxSeries,omitempty" schema:"min=1"`
	// Buckets are the upper bounds of the duration histograms in seconds.
	Buckets []float64 `json:"buckets,omitempty"`
}

// other stands for the labels of what is over the bound.
const other = "other"

// Metrics are the gateway's metrics. All methods may be called at the same time.
type Metrics struct {
	reg prometheus.Gatherer
	o   Options

	requests                        *prometheus.CounterVec
	duration                        *prometheus.HistogramVec
	upstream                        *prometheus.HistogramVec
	inFlight                        *prometheus.GaugeVec
	overflow                        *prometheus.CounterVec
	requestsN, histogramsN, gaugesN series

	mu     sync.Mutex
	routes map[Labels]*Route
	apis   map[string]int // routes that hold the gauge of an API
	spare  *Route         // shared by all that is over the bound

	limiter      *prometheus.CounterVec
	limiterSlots capped
	health       *prometheus.GaugeVec
	healthSlots  capped
	keySetAge    *prometheus.GaugeVec
	keySetSlots  capped
	configInfo   prometheus.Gauge
	configTime   prometheus.Gauge
	reloads      *prometheus.CounterVec
	compile      prometheus.Histogram
	issues       prometheus.Gauge
	connections  *prometheus.GaugeVec
	accepted     *prometheus.CounterVec
	refused      *prometheus.CounterVec
	registerer   prometheus.Registerer
}

// Registry is where metrics are registered and gathered from: a
// *prometheus.Registry.
type Registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

// New registers the gateway's metrics, those of the process and of the Go
// runtime with reg. It is called once for a registry.
func New(reg Registry, o Options) (*Metrics, error) {
	if o.MaxSeries <= 0 {
		o.MaxSeries = 2000
	}
	if len(o.Buckets) == 0 {
		o.Buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	}
	m := &Metrics{reg: reg, registerer: reg, o: o, routes: map[Labels]*Route{}, apis: map[string]int{}}
	m.requestsN.max, m.histogramsN.max, m.gaugesN.max = o.MaxSeries, max(1, o.MaxSeries/5), o.MaxSeries

	routeLabels := []string{"api", "operation", "method"}
	m.requests = counter("gatehouse_requests_total", "Requests answered. The status is a class; 499 (the client left) is in 4xx with error_source client. error_source is empty, client, policy, gateway or upstream.",
		append(routeLabels, "status", "error_source")...)
	m.duration = m.histogram("gatehouse_request_duration_seconds", "Whole time of requests, from the first byte read to the last byte sent.", routeLabels...)
	m.upstream = m.histogram("gatehouse_upstream_duration_seconds", "Time spent waiting for upstreams, from the first attempt to the response header.", routeLabels...)
	m.inFlight = gauge("gatehouse_requests_in_flight", "Requests under way.", "api")
	m.overflow = counter("gatehouse_metrics_overflow_total", "Requests, or other events, that were counted as other because a metric had reached its bound of series.", "metric")
	m.limiter = counter("gatehouse_limiter_decisions_total", "Decisions of limiters. The result is allowed or refused; estimated says that the store could not be asked.", "policy", "result", "estimated")
	m.health = gauge("gatehouse_upstream_target_up", "1 while a target takes requests, 0 while it rests.", "upstream", "target")
	m.keySetAge = gauge("gatehouse_jwks_fetched_timestamp_seconds", "When a JSON Web Key Set was last fetched whole, in Unix seconds.", "url")
	m.configInfo = plainGauge("gatehouse_config_version", "Version of the configuration that is served.")
	m.configTime = plainGauge("gatehouse_config_applied_timestamp_seconds", "When the configuration that is served was applied, in Unix seconds.")
	m.reloads = counter("gatehouse_config_reloads_total", "Configurations that were read. The result is applied, unchanged or refused.", "result")
	m.issues = plainGauge("gatehouse_config_issues", "Units of the configuration that did not compile.")
	m.compile = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "gatehouse_config_compile_seconds", Help: "Time to compile a configuration.", Buckets: []float64{.001, .01, .1, .5, 1, 5, 30},
	})
	m.connections = gauge("gatehouse_connections", "Open client connections.", "listener")
	m.accepted = counter("gatehouse_connections_accepted_total", "Client connections accepted.", "listener")
	m.refused = counter("gatehouse_connections_refused_total", "Client connections refused, for the bound on connections or a failed handshake.", "listener", "reason")
	m.limiterSlots.max, m.healthSlots.max, m.keySetSlots.max = max(1, o.MaxSeries/2), o.MaxSeries, 200

	for _, c := range []prometheus.Collector{
		m.requests, m.duration, m.upstream, m.inFlight, m.overflow, m.limiter, m.health, m.keySetAge, m.configInfo, m.configTime,
		m.reloads, m.issues, m.compile, m.connections, m.accepted, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m.spare = m.newRoute(Labels{API: other, Operation: other, Method: other})
	m.spare.acquire(true)
	return m, nil
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func plainGauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: m.o.Buckets}, labels)
}

// Handler serves the metrics in the Prometheus formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, EnableOpenMetrics: true})
}

// Limiter returns a function that counts decisions of a policy instance. It is
// called once, when the policy is compiled.
func (m *Metrics) Limiter(policy string) func(allowed, estimated bool) {
	if !m.limiterSlots.take(policy) {
		m.overflow.WithLabelValues("gatehouse_limiter_decisions_total").Inc()
		policy = other
	}
	var c [2][2]prometheus.Counter
	for i, result := range []string{"refused", "allowed"} {
		for j, estimated := range []string{"false", "true"} {
			c[i][j] = m.limiter.WithLabelValues(policy, result, estimated)
		}
	}
	return func(allowed, estimated bool) { c[index(allowed)][index(estimated)].Inc() }
}

// LimiterGone forgets the counts of a policy instance that is no longer
// configured.
func (m *Metrics) LimiterGone(policy string) {
	if m.limiterSlots.drop(policy) {
		m.limiter.DeletePartialMatch(prometheus.Labels{"policy": policy})
	}
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TargetUp says whether a target takes requests.
func (m *Metrics) TargetUp(upstream, target string, up bool) {
	if !m.healthSlots.take(upstream + "\x00" + target) {
		m.overflow.WithLabelValues("gatehouse_upstream_target_up").Inc()
		return
	}
	m.health.WithLabelValues(upstream, target).Set(float64(index(up)))
}

// TargetGone forgets a target.
func (m *Metrics) TargetGone(upstream, target string) {
	if m.healthSlots.drop(upstream + "\x00" + target) {
		m.health.DeleteLabelValues(upstream, target)
	}
}

// KeySetFetched says that a key set was fetched whole.
func (m *Metrics) KeySetFetched(url string, when time.Time) {
	if !m.keySetSlots.take(url) {
		m.overflow.WithLabelValues("gatehouse_jwks_fetched_timestamp_seconds").Inc()
		return
	}
	m.keySetAge.WithLabelValues(url).Set(unixSeconds(when))
}

// KeySetGone forgets a key set.
func (m *Metrics) KeySetGone(url string) {
	if m.keySetSlots.drop(url) {
		m.keySetAge.DeleteLabelValues(url)
	}
}

// ConfigApplied says that a configuration is served: its version, when, how long
// it took to compile, and how many units did not.
func (m *Metrics) ConfigApplied(version uint64, when time.Time, compile time.Duration, issues int) {
	m.reloads.WithLabelValues("applied").Inc()
	m.configInfo.Set(float64(version))
	m.configTime.Set(unixSeconds(when))
	m.compile.Observe(compile.Seconds())
	m.issues.Set(float64(issues))
}

// ConfigUnchanged says that a configuration was read that is served already.
func (m *Metrics) ConfigUnchanged() { m.reloads.WithLabelValues("unchanged").Inc() }

// ConfigRefused says that a configuration was refused as a whole.
func (m *Metrics) ConfigRefused() { m.reloads.WithLabelValues("refused").Inc() }

// Listener counts the connections of one listener.
type Listener struct {
	open     prometheus.Gauge
	accepted prometheus.Counter
	refused  func(reason string) prometheus.Counter
}

// Listener returns the counters of a configured listener.
func (m *Metrics) Listener(name string) *Listener {
	return &Listener{
		open: m.connections.WithLabelValues(name), accepted: m.accepted.WithLabelValues(name),
		refused: func(reason string) prometheus.Counter { return m.refused.WithLabelValues(name, reason) },
	}
}

// Opened counts an accepted connection.
func (l *Listener) Opened() { l.accepted.Inc(); l.open.Inc() }

// Closed counts a closed one.
func (l *Listener) Closed() { l.open.Dec() }

// Refusal is why a connection was refused.
type Refusal string

// The refusals.
const (
	RefusedTooMany   Refusal = "too-many"
	RefusedHandshake Refusal = "handshake"
	RefusedProxy     Refusal = "proxy-header"
)

// Refused counts a refused connection.
func (l *Listener) Refused(r Refusal) { l.refused(string(r)).Inc() }

// Sink is what a sink of traffic records counts.
type Sink struct {
	// Written, Dropped and Errors are totals since the start.
	Written, Dropped, Errors int64
}

// RecordSink publishes the totals of a sink of traffic records. It is called
// once for a name.
func (m *Metrics) RecordSink(name string, stats func() Sink) error {
	for _, c := range []struct {
		name, help string
		get        func(Sink) int64
	}{
		{"gatehouse_traffic_records_total", "Traffic records that were written.", func(s Sink) int64 { return s.Written }},
		{"gatehouse_traffic_records_dropped_total", "Traffic records that were dropped.", func(s Sink) int64 { return s.Dropped }},
		{"gatehouse_traffic_sink_errors_total", "Failed writes and deliveries of traffic records.", func(s Sink) int64 { return s.Errors }},
	} {
		err := m.registerer.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: c.name, Help: c.help, ConstLabels: prometheus.Labels{"sink": name},
		}, func() float64 { return float64(c.get(stats())) }))
		if err != nil {
			return err
		}
	}
	return nil
}

// Spool is what the spool of traffic records counts.
type Spool struct{ Delivered, Lost, Bytes int64 }

// RecordSpool publishes the state of the spool. It is called once.
func (m *Metrics) RecordSpool(stats func() Spool) error {
	for _, c := range []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "gatehouse_spool_delivered_total", Help: "Traffic records delivered from the spool."},
			func() float64 { return float64(stats().Delivered) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "gatehouse_spool_lost_total", Help: "Traffic records lost from the spool: beyond its bound, damaged or rejected."},
			func() float64 { return float64(stats().Lost) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "gatehouse_spool_bytes", Help: "Disk used by the spool."},
			func() float64 { return float64(stats().Bytes) }),
	} {
		if err := m.registerer.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// Plane is the state of the connection to the control plane.
type Plane struct {
	// Connected says that NATS is there; Joined that the plane has taken the
	// gateway in, in this run.
	Connected, Joined bool
	// Reported is when the plane took the last report; zero = never.
	Reported time.Time
	// Received is how many bytes of units were fetched.
	Received int64
	// Credentials is how many are accepted.
	Credentials int
}

// RecordPlane publishes the state of the control plane. It is called once.
func (m *Metrics) RecordPlane(stats func() Plane) error {
	one := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	gauge := func(name, help string, value func(Plane) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(stats()) })
	}
	for _, c := range []prometheus.Collector{
		gauge("gatehouse_control_plane_connected", "Whether the connection to NATS is there.", func(p Plane) float64 { return one(p.Connected) }),
		gauge("gatehouse_control_plane_joined", "Whether the control plane has taken the gateway in since it was started.", func(p Plane) float64 { return one(p.Joined) }),
		gauge("gatehouse_control_plane_reported_timestamp_seconds", "When the control plane took the last report.", func(p Plane) float64 {
			if p.Reported.IsZero() {
				return 0
			}
			return unixSeconds(p.Reported)
		}),
		gauge("gatehouse_credentials", "Credentials that are accepted.", func(p Plane) float64 { return float64(p.Credentials) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "gatehouse_units_received_bytes_total", Help: "Units fetched from the control plane, as sent."},
			func() float64 { return float64(stats().Received) }),
	} {
		if err := m.registerer.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }
