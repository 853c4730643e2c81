// Package store says what a traffic store does: it takes records in, each once,
// and answers what sums and which records there are. It holds no
// implementation.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
)

// ErrNotFound says that there is no such record, or none that may be seen.
var ErrNotFound = errors.New("no such record")

// ErrTooWide says that the question would take too long to answer.
var ErrTooWide = errors.New("too much to look through")

// Store keeps traffic records. It is safe for concurrent use.
type Store interface {
	// Add takes batches in. After an error none was taken in, or a part that
	// counts nothing when the batches come again: a record counts once, however
	// often and in whatever batch it comes. It returns how many records of each
	// organization are new, and may be found from then on.
	Add(ctx context.Context, batches []Batch) (map[string]int, error)
	// Usage returns sums.
	Usage(ctx context.Context, u Usage) (analysis.UsageReport, error)
	// List returns records, newest first, at most s.Limit.
	List(ctx context.Context, s Search) ([]Summary, error)
	// Record returns one record as the gateway wrote it, or [ErrNotFound].
	Record(ctx context.Context, w Where) (json.RawMessage, error)
	// Sweep forgets what is older than the retention, and merges what can be.
	// It returns when nothing is left to do.
	Sweep(ctx context.Context, keep Retention) error
	// Forget forgets all traffic of an organization that is over. It may be called
	// again.
	Forget(ctx context.Context, organization string) error
	// Health returns nil, or why the store does not work.
	Health() error
}

// Batch is what one gateway shipped at once.
type Batch struct {
	// ID is the same whenever the same batch comes, and no other's.
	ID string
	// Rows are the records.
	Rows []Row
}

// Row is a traffic record with what it is searched and counted by.
type Row struct {
	// Organization owns it, by id.
	Organization string
	Summary
	RequestBytes, ResponseBytes int64
	// Weight is how many requests it stands for: 1, or more for a sample.
	Weight int64
	// Refused says that the gateway answered with 4xx itself.
	Refused bool
	// JSON is the record as the gateway wrote it.
	JSON []byte
}

// Summary is a line of the log of requests.
type Summary struct {
	ID   string
	Time time.Time
	Attributes
	Method, Host, Path string
	Status             int
	ErrorSource        string
	ErrorCode          string
	// Duration and GatewayTime are in microseconds.
	Duration, GatewayTime int64
}

// Attributes are what a record belongs to. All but the names and the template
// are ids.
type Attributes struct {
	Project, Environment         string
	API, APIName                 string
	Operation, Template          string
	Plan                         string
	Application, ApplicationName string
	Gateway                      string
}

// Scope is a part of an organization's traffic; an empty field is no limit.
type Scope struct {
	Project, API, Environment string
}

// Usage asks for sums.
type Usage struct {
	analysis.Usage
	// Allowed are the parts that may be seen; nil is everything.
	Allowed []Scope
}

// Where says which record is meant.
type Where struct {
	Organization, ID string
	// Allowed are the parts that may be seen; nil is everything.
	Allowed []Scope
	// Applications, where not empty, are the only ones whose records may be seen.
	Applications []string
}

// Search asks for records.
type Search struct {
	analysis.Filter
	// Allowed are the parts that may be seen; nil is everything.
	Allowed    []Scope
	Gateways   []string
	Statuses   []int
	Classes    []int // 1 to 5
	Methods    []string
	PathPrefix string
	ErrorCodes []string
	RequestID  string
	// MinDuration is in microseconds.
	MinDuration int64
	// Text is contained in the path, the id, the error code, or the name of the
	// API or application; case does not matter.
	Text string
	// After is the last record of the page before; nil for the first page.
	After *Position
	Limit int
}

// Position is the place of a record in the order of the log.
type Position struct {
	Time time.Time
	ID   string
}

// Retention says how long things are kept.
type Retention struct {
	// Now is the time that ages are counted from.
	Now time.Time
	// Records, Minutes and Hours are the ages at which records, sums over
	// minutes and sums over hours are forgotten.
	Records, Minutes, Hours time.Duration
}

// Steps says how the series of a report is laid out: the time asked about, in
// whole steps.
func Steps(from, to time.Time, interval time.Duration) (first time.Time, n int) {
	if interval <= 0 {
		return from, 0
	}
	first = from.Truncate(interval)
	n = int((to.Sub(first) + interval - 1) / interval)
	return first, max(0, n)
}
