package traffic

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Sink takes encoded records. Add is called on the way of requests: it never
// waits, and counts what it has to drop.
type Sink interface {
	// Name is "file" or "spool", for metrics.
	Name() string
	// Add takes a copy of one line, which ends in a newline. The hint spreads
	// callers over locks; now is in Unix nanoseconds.
	Add(hint uint32, line []byte, now int64)
	// Run writes until ctx ends and then writes what is left.
	Run(ctx context.Context) error
	// Stats returns what happened so far.
	Stats() SinkStats
}

// SinkStats count what a sink did since it was made.
type SinkStats struct {
	// Records were written, Dropped were not: for want of memory, or because the
	// disk refused them.
	Records, Dropped int64
	// Errors counts failed writes.
	Errors int64
}

// Options are what a recorder is made of.
type Options struct {
	// Config is to be valid; see [Config.Validate].
	Config Config
	// Gateway is the name of this gateway.
	Gateway string
	// Sinks get every record.
	Sinks []Sink
	// Match says why an exchange matched its route, or nothing; nil = not told.
	// It is called only when a decision is kept.
	Match func(*policy.Exchange) json.RawMessage
	// Now is the clock.
	Now func() time.Time
}

// Recorder writes records and keeps decisions. All methods may be called at the
// same time.
type Recorder struct {
	o         Options
	config    Config
	redact    *Redactor
	decisions *decisions
	debug     debugRules
	seed      maphash.Seed
	subject   subjects
	states    sync.Pool
	hints     atomic.Uint32
}

// state is what one processor needs to build records without allocating.
type state struct {
	hint     uint32
	record   traffic.Record
	decision traffic.Decision
	encoder  traffic.Encoder
	routes   [routeTexts]routeText
	line     []byte
	// spare lists keep their memory between records.
	attributes, requestHeaders, responseHeaders traffic.Pairs
}

// routeTexts is how many routes a state remembers the text of.
const routeTexts = 64

// routeText is what records say of a route, encoded. It keeps the route from
// being collected, so that the address stays its own.
type routeText struct {
	route *policy.Route
	text  []byte
}

// routeText returns what the record, which is filled, says of the route.
func (r *Recorder) routeText(s *state, route *policy.Route) []byte {
	t := &s.routes[maphash.Comparable(r.seed, route)%routeTexts]
	if t.text == nil || t.route != route {
		t.route, t.text = route, s.record.AppendRoute(t.text[:0])
	}
	return t.text
}

// New returns a recorder. The sinks are run by whoever made them.
func New(o Options) (*Recorder, error) {
	if fields := o.Config.Validate(); len(fields) > 0 {
		return nil, problem.Invalid("the log configuration is invalid", fields...)
	}
	c := o.Config.Defaults()
	r := &Recorder{
		o: o, config: c, redact: newRedactor(c.Redact), decisions: newDecisions(c.Decisions.Keep),
		seed: maphash.MakeSeed(), subject: newSubjects(c.Subject, c.SubjectKey.Reveal()),
	}
	r.states.New = func() any { return &state{hint: r.hints.Add(1)} }
	return r, nil
}

// Redactor decides what is secret; its names are replaced when the
// configuration changes.
func (r *Recorder) Redactor() *Redactor { return r.redact }

// Begin says, once the route is known, what is to be gathered about an
// exchange. It turns notes on where the decision will be kept whatever comes,
// and returns whether a span of each policy is wanted.
func (r *Recorder) Begin(ex *policy.Exchange) (spans bool) {
	if r.debug.rules.Load() != nil {
		if d := r.debug.find(r.o.Now(), func(d *DebugRule) bool { return d.early(ex) }); d != nil {
			ex.SetNoting(true)
			spans = d.Spans
		}
	}
	if s := r.config.Decisions.Sample; s > 0 && chosen(r.seed, ex.ID, s) {
		ex.SetNoting(true)
	}
	return spans
}

// Done writes the record of an exchange that is over. Verdicts are in the order
// in which they fell; the tap may be nil. Nothing of them is kept.
func (r *Recorder) Done(ex *policy.Exchange, verdicts []traffic.Verdict, tap *Tap) {
	status := StatusOf(ex)
	kept := r.kept(ex, status)
	share := r.share(ex, status)
	if share <= 0 && kept == "" {
		return
	}
	s := r.states.Get().(*state) //nolint:forcetypeassert // the pool holds nothing else
	r.fill(s, ex, status, tap)
	if share < 1 {
		s.record.Sample = share
	}
	if kept != "" {
		r.decide(s, ex, kept, verdicts)
	}
	s.line = append(s.encoder.Append(s.line[:0], &s.record, r.routeText(s, ex.Route)), '\n')
	if kept != "" {
		r.decisions.put(ex.ID, s.line[:len(s.line)-1])
	}
	if share > 0 {
		now := ex.Outcome.End.UnixNano()
		for _, sink := range r.o.Sinks {
			sink.Add(s.hint, s.line, now)
		}
	}
	s.clear()
	r.states.Put(s)
}

// Explains reports whether the decision of an exchange that is over will be
// kept, and so its verdicts read.
func (r *Recorder) Explains(ex *policy.Exchange) bool { return r.kept(ex, StatusOf(ex)) != "" }

// share returns 0 where no record is to be written, 1 where all such are, else
// the share that this one stands for.
func (r *Recorder) share(ex *policy.Exchange, status int) float64 {
	if ex.Log.Skip || len(r.o.Sinks) == 0 {
		return 0
	}
	share := 1.0
	if status < 400 {
		share = *r.config.Sample
	}
	if l := ex.Log.Sample; l > 0 && l < 1 {
		share *= l
	}
	if share < 1 && !chosen(r.seed, ex.ID, share) {
		return 0
	}
	return share
}

func (r *Recorder) kept(ex *policy.Exchange, status int) traffic.Kept {
	if r.debug.rules.Load() != nil &&
		r.debug.find(r.o.Now(), func(d *DebugRule) bool { return d.holds(ex) }) != nil {
		return traffic.KeptDebug
	}
	switch {
	case status >= 500 || status == 0 || status == traffic.StatusClientClosed:
		return traffic.KeptFailed
	case status >= 400 && (ex.Outcome.Err != nil || ex.Response.Source != policy.SourceUpstream):
		return traffic.KeptRefused
	case chosen(r.seed, ex.ID, r.config.Decisions.Sample):
		return traffic.KeptSampled
	}
	return ""
}

// Explain returns the record, with its decision, of a request id, while it is
// among the newest.
func (r *Recorder) Explain(id string) (*traffic.Record, bool) { return r.decisions.get(id) }

// Newest returns up to n of the kept records, the newest first.
func (r *Recorder) Newest(n int) []*traffic.Record { return r.decisions.newest(n) }

// Debug keeps the decisions of the requests that a rule describes, until it
// ends. The error is an invalid-input problem.
func (r *Recorder) Debug(rule DebugRule) error { return r.debug.add(rule, r.o.Now()) }

// DebugRules returns the rules that have not ended.
func (r *Recorder) DebugRules() []DebugRule { return r.debug.live(r.o.Now()) }

// ClearDebug ends all debug rules.
func (r *Recorder) ClearDebug() { r.debug.clear() }
