package httpx

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collectors of one server. Their label service tells several
// servers of one process apart; the others have values of a closed set.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	from     prometheus.Registerer
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

func newMetrics(r prometheus.Registerer, service string) (*metrics, error) {
	labels := prometheus.Labels{"service": service}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_http_requests_total", Help: "Requests to the service's API, by the template of their path.", ConstLabels: labels,
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatehouse_http_request_seconds", Help: "Time from a request to the end of its answer.", ConstLabels: labels,
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gatehouse_http_requests_in_flight", Help: "Requests being answered.", ConstLabels: labels,
		}),
		from: r,
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.requests), r.Register(m.seconds), r.Register(m.inFlight))
}

func (m *metrics) unregister() {
	if m.from == nil {
		return
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.inFlight} {
		m.from.Unregister(c)
	}
}

func (m *metrics) begun() { m.inFlight.Inc() }

func (m *metrics) ended(c echo.Context, took time.Duration) {
	m.inFlight.Dec()
	method := c.Request().Method
	if !slices.Contains(methods, method) {
		method = "other"
	}
	route := routeOf(c)
	m.requests.WithLabelValues(route, method, strconv.Itoa(c.Response().Status/100)+"xx").Inc()
	m.seconds.WithLabelValues(route, method).Observe(took.Seconds())
}

// routeOf is the template of a request's path: one of the registered ones.
func routeOf(c echo.Context) string {
	if c.Path() == "" || c.Response().Status == http.StatusMethodNotAllowed {
		return "unmatched"
	}
	return c.Path()
}
