// Package analysis is what others may know of analysis-manager: sums over
// traffic records, and single records.
package analysis

import (
	"encoding/json"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// Service is the owner's name.
const Service = "analysis-manager"

// The stream in which gateways ship their records.
const (
	// TrafficStream is the stream's name.
	TrafficStream = "gatehouse-traffic"
	// TrafficSubject begins the subjects; organization, group and gateway follow,
	// by their slugs and name.
	TrafficSubject = contract.Prefix + "traffic."
)

// Filter says which records are meant.
type Filter struct {
	Organization string    `json:"organization"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	// The following are ids; none = all.
	Projects     []string `json:"projects,omitempty"`
	Environments []string `json:"environments,omitempty"`
	APIs         []string `json:"apis,omitempty"`
	Applications []string `json:"applications,omitempty"`
	Plans        []string `json:"plans,omitempty"`
	Operations   []string `json:"operations,omitempty"`
}

// Usage asks for sums.
type Usage struct {
	Filter Filter `json:"filter"`
	// Interval is the length of the steps of the series; 0 = no series.
	Interval time.Duration `json:"intervalNs,omitempty"`
	// Top asks for the leaders of some dimensions: "api", "operation",
	// "application", "plan", "status", "gateway", "errorCode".
	Top []string `json:"top,omitempty"`
	// Limit bounds each of these lists; 0 = 10.
	Limit int `json:"limit,omitempty"`
}

// UsageReport is the answer to Usage.
type UsageReport struct {
	Total  Sums             `json:"total"`
	Series []Point          `json:"series,omitempty"`
	Top    map[string][]Top `json:"top,omitempty"`
	// Delay is the age of the newest record that is counted.
	Newest time.Time `json:"newest,omitzero"`
}

// Sums are the sums over some records. Durations are in microseconds; the
// percentiles are exact to 1 %.
type Sums struct {
	Requests int64 `json:"requests"`
	// Status2xx to Status5xx count by the class of the status.
	Status2xx int64 `json:"status2xx"`
	Status3xx int64 `json:"status3xx"`
	Status4xx int64 `json:"status4xx"`
	Status5xx int64 `json:"status5xx"`
	// Refused counts requests that the gateway answered itself with 4xx.
	Refused       int64 `json:"refused"`
	RequestBytes  int64 `json:"requestBytes"`
	ResponseBytes int64 `json:"responseBytes"`
	P50           int64 `json:"p50Us"`
	P95           int64 `json:"p95Us"`
	P99           int64 `json:"p99Us"`
	Max           int64 `json:"maxUs"`
	// GatewayP95 is the part spent in the gateway.
	GatewayP95 int64 `json:"gatewayP95Us"`
}

// Point is one step of a series.
type Point struct {
	Time time.Time `json:"time"`
	Sums
}

// Top is one leader of a dimension.
type Top struct {
	Key string `json:"key"`
	// Name is for people; as it was in the newest record.
	Name string `json:"name,omitempty"`
	// API is the id of the API that an operation belongs to.
	API string `json:"api,omitempty"`
	Sums
}

// Subject is the request's.
func (Usage) Subject() string { return contract.Request(Service, "usage") }

// Reply is the type of the answer.
func (Usage) Reply() (r UsageReport) { return }

// Explain asks for the record of one request, decision included.
type Explain struct {
	Organization string `json:"organization"`
	RequestID    string `json:"requestId"`
	// Applications, where not empty, are the only ones whose records are shown.
	Applications []string `json:"applications,omitempty"`
}

// Explained is the answer to Explain.
type Explained struct {
	// Record is a traffic record (contract/traffic) as JSON; empty = not found.
	Record json.RawMessage `json:"record,omitempty"`
}

// Subject is the request's.
func (Explain) Subject() string { return contract.Request(Service, "explain") }

// Reply is the type of the answer.
func (Explain) Reply() (r Explained) { return }

// TrafficArrived says that records of an organization were taken in; at most
// one a second for each organization. It is for live views, and may be lost.
type TrafficArrived struct {
	Organization string `json:"organization"`
	Records      int    `json:"records"`
}

// Subject is the event's.
func (e TrafficArrived) Subject() string {
	return contract.Event(e.Organization, Service, "traffic-arrived")
}
