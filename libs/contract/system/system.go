// Package system is what each instance of a service tells of itself, for those who
// run the installation. It is kept in a bucket, under the service's name and the
// instance's, and vanishes when the instance has told nothing for a while.
package system

import (
	"slices"
	"time"
)

// Bucket is the bucket's name. Below "run.<service>.<job>" is what is to be run at
// once.
const Bucket = "instances"

// Times of reports.
const (
	// Every is how often an instance reports.
	Every = 10 * time.Second
	// Kept is how long a report is kept.
	Kept = time.Minute
)

// Report is what an instance tells.
type Report struct {
	Service  string `json:"service"`
	Instance string `json:"instance"`
	Host     string `json:"host"`
	// Version, Revision and Go say what it was built from.
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	// StartedAt is since when it runs, At when it told this.
	StartedAt time.Time `json:"startedAt"`
	At        time.Time `json:"at"`
	// Database is nil where the service has none.
	Database *Database `json:"database,omitempty"`
	// Secrets is how it does with secrets that are named by a reference.
	Secrets Secrets `json:"secrets"`
	// Jobs are what it does again and again.
	Jobs []Job `json:"jobs"`
	// Keys are nil where the service encrypts nothing.
	Keys *Keys `json:"keys,omitempty"`
	// Settings are its configuration as it is in use.
	Settings []Setting `json:"settings"`
	// Features are what is switched on.
	Features []Feature `json:"features"`
}

// Database is how a database does.
type Database struct {
	// Kind is postgres, mysql or sqlite.
	Kind string `json:"kind"`
	// Error is why it does not answer; "" = it does, within Latency seconds.
	Error   string  `json:"error,omitempty"`
	Latency float64 `json:"latency"`
	// Schema is the newest migration that was applied, such as
	// 0017_personal_tokens, At when, and Pending those that were not.
	Schema  string    `json:"schema"`
	At      time.Time `json:"at"`
	Pending []string  `json:"pending,omitempty"`
	// Applied is how many migrations were.
	Applied int `json:"applied"`
	// Outbox is how many events wait for the bus, OldestEvent for how many seconds
	// the oldest.
	Outbox      int64   `json:"outbox"`
	OldestEvent float64 `json:"oldestEvent"`
	// Replicas are the read replicas.
	Replicas []Replica `json:"replicas,omitempty"`
}

// Replica is a read replica.
type Replica struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
	// Lag is how many seconds it is behind; nil = it does not tell.
	Lag *float64 `json:"lag,omitempty"`
}

// Secrets is how an instance does with references.
type Secrets struct {
	// Vault says whether there is one.
	Vault bool `json:"vault"`
	// InUse is how many references are, Stale how many of them could not be read
	// lately and are used as they were, Missing how many there is nothing behind.
	InUse   int    `json:"inUse"`
	Stale   int    `json:"stale"`
	Missing int    `json:"missing"`
	Error   string `json:"error,omitempty"`
}

// Job is what an instance does again and again.
type Job struct {
	Name string `json:"name"`
	// Every is between its runs, in seconds; 0 = it runs when there is a reason.
	Every float64 `json:"every,omitempty"`
	// Holds says that this instance does it; of several, one does.
	Holds bool `json:"holds"`
	// Running says that it runs now.
	Running bool `json:"running"`
	// Runs counts its runs in this instance.
	Runs int64 `json:"runs"`
	// StartedAt is when it ran last, Seconds how long, Error what went wrong.
	StartedAt *time.Time `json:"startedAt,omitempty"`
	Seconds   float64    `json:"seconds,omitempty"`
	Error     string     `json:"error,omitempty"`
	// NextAt is when it runs next.
	NextAt *time.Time `json:"nextAt,omitempty"`
}

// Keys are the keys that a service encrypts with.
type Keys struct {
	// Ring are their ids, the one that encrypts first.
	Ring []string `json:"ring"`
	// Columns are how many values each key has encrypted, by column.
	Columns []KeyColumn `json:"columns"`
}

// KeyColumn is a column of encrypted values.
type KeyColumn struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	// Values is how many values there are, by the id of their key, which may be missing
	// in the ring; those of no key are under [NoKey].
	Values map[string]int64 `json:"values"`
}

// KeyState is how a key stands to the keyring of its service.
type KeyState string

// The states of keys. With NoKey nothing is encrypted.
const (
	KeyNewest  KeyState = "newest"
	KeyOld     KeyState = "old"
	KeyMissing KeyState = "missing"
	KeyNone    KeyState = "none"
)

// NoKey stands in [KeyColumn.Values] for what no key has encrypted: texts of earlier
// versions, and what is damaged.
const NoKey = "unknown"

// StateOf returns the state of a key of [KeyColumn.Values].
func StateOf(id string, ring []string) KeyState {
	switch {
	case len(ring) > 0 && ring[0] == id:
		return KeyNewest
	case slices.Contains(ring, id):
		return KeyOld
	case id == NoKey:
		return KeyNone
	}
	return KeyMissing
}

// Setting is a value of a configuration.
type Setting struct {
	// Pointer names it, such as /database/maxOpen (RFC 6901).
	Pointer string `json:"pointer"`
	// Value is the value as text. Of a secret it is the reference, or ***.
	Value string `json:"value"`
	// Source is the place in a file, the environment variable, or "default".
	Source string `json:"source"`
	// Secret says that it is one.
	Secret bool `json:"secret,omitempty"`
}

// Feature is something that an installation has or has not.
type Feature struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
}

// ReportKey is where a report is kept.
func ReportKey(service, instance string) string { return service + "." + instance }

// RunKey is where it is written that a job is to be run.
func RunKey(service, job string) string { return "run." + service + "." + job }
