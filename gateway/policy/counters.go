package policy

import "time"

// Counters makes limiters. Two limiters share a count only when they have the
// same name.
type Counters interface {
	// Limiter returns the limiter of that name, with the counts it had before
	// where the rules are the same. An error means that the rules cannot be
	// served, for example a shared count where no Redis is configured.
	Limiter(spec LimiterSpec) (Limiter, error)
}

// LimiterSpec says what a limiter counts and how.
type LimiterSpec struct {
	// Name is the instance id of the policy.
	Name string
	// Rules hold all at once: a request takes from each, or from none.
	Rules []Rule
	// Shared counts over all gateways through Redis; false counts here.
	Shared bool
	// Fast decides here and syncs in the background, instead of asking Redis for
	// each request. SyncEvery is how often.
	Fast      bool
	SyncEvery time.Duration
	// OnStoreFailure says what to do while Redis cannot be reached.
	OnStoreFailure StoreFailure
}

// StoreFailure says what a limiter does while its store cannot be reached.
type StoreFailure string

// What to do while the store cannot be reached.
const (
	FailLocal StoreFailure = "local" // count here
	FailAllow StoreFailure = "allow" // let pass
	FailDeny  StoreFailure = "deny"  // answer 503
)

// Rule is one limit.
type Rule struct {
	Algorithm Algorithm
	// Limit is how many units are allowed in a window. At most 2^53.
	Limit int64
	// Window is the length of a window, for all but Calendar.
	Window time.Duration
	// Burst is the size of the bucket (token bucket); 0 = Limit.
	Burst int64
	// Period is the calendar period ("hour", "day", "week", "month", "year").
	Period string
	// Location is the time zone of the calendar; nil = UTC.
	Location *time.Location
}

// Algorithm is how a rule counts.
type Algorithm string

// The algorithms.
const (
	// FixedWindow counts in windows aligned to the epoch.
	FixedWindow Algorithm = "fixed-window"
	// SlidingWindow weighs the previous window by how much of it still counts.
	SlidingWindow Algorithm = "sliding-window"
	// TokenBucket refills evenly (GCRA, ITU-T I.371).
	TokenBucket Algorithm = "token-bucket"
	// Calendar counts in hours, days, weeks, months or years of a time zone.
	Calendar Algorithm = "calendar"
	// Rolling counts in windows that begin with a key's first request.
	Rolling Algorithm = "rolling"
	// Concurrent counts what is in flight: Take takes, Give gives back.
	Concurrent Algorithm = "concurrent"
)

// Limiter counts by key. All methods may be called at the same time.
type Limiter interface {
	// Take takes cost units for key from every rule, or from none where one of
	// them has too few. It does not allocate for a known key. The error is a 503
	// problem, and only where the spec says so on store failure.
	Take(key string, cost int64) (Decision, error)
	// Add counts cost without refusing, for costs that are known afterwards,
	// such as bytes.
	Add(key string, cost int64)
	// Peek returns the state for key without taking.
	Peek(key string) (Decision, error)
	// Give gives back what Take took, for Concurrent rules.
	Give(key string, cost int64)
	// Close gives up the limiter; its counts are kept for a successor of the
	// same name.
	Close()
}

// Decision is the answer of a limiter. For several rules it speaks of the one
// that refused, or else of the one with the least left.
type Decision struct {
	Allowed bool
	// Rule is the index of the rule it speaks of.
	Rule int
	// Limit and Remaining are in units.
	Limit, Remaining int64
	// Reset is the time until the window ends or the bucket is full.
	Reset time.Duration
	// RetryAfter is the time until the refused cost could pass.
	RetryAfter time.Duration
	// Estimated says that the count was made here, without the store.
	Estimated bool
}
