// Package admin is the listener for operators: health, what is served, why a
// request was answered as it was, metrics, profiles. It never carries traffic
// and is never reachable through it.
package admin

import (
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Applied is a configuration that was put in use.
type Applied struct {
	Version  uint64        `json:"version"`
	Epoch    string        `json:"epoch"`
	At       time.Time     `json:"appliedAt"`
	Compile  time.Duration `json:"compileNs"`
	APIs     int           `json:"apis"`
	Compiled int           `json:"compiled"`
	Reused   int           `json:"reused"`
	Issues   []table.Issue `json:"issues"`
}

// Status is what the gateway knows of itself. All methods may be called at the
// same time.
type Status struct {
	now func() time.Time

	mu       sync.Mutex
	applied  *Applied
	problems []problem.Field
	checked  time.Time
	draining bool
}

// NewStatus returns the status of a gateway that has no configuration yet.
func NewStatus(now func() time.Time) *Status { return &Status{now: now} }

// SetApplied says that a configuration is in use.
func (s *Status) SetApplied(a Applied) {
	if a.Issues == nil {
		a.Issues = []table.Issue{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = &a
}

// SetProblems says what was wrong with the source when it was read last.
func (s *Status) SetProblems(fields []problem.Field) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems, s.checked = fields, s.now()
}

// SetDraining says that the gateway is about to stop.
func (s *Status) SetDraining() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
}

// Ready reports whether the gateway takes traffic, and if not, why.
func (s *Status) Ready() (bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return false, "draining"
	case s.applied == nil:
		return false, "no configuration yet"
	}
	return true, ""
}

// view is what the config endpoint answers.
type view struct {
	*Applied
	Age time.Duration `json:"ageNs"`
	// Source has what is wrong with the file as it stands.
	Source  []problem.Field `json:"sourceProblems"`
	Checked time.Time       `json:"sourceReadAt"`
}

func (s *Status) view() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := view{Applied: s.applied, Source: s.problems, Checked: s.checked}
	if v.Source == nil {
		v.Source = []problem.Field{}
	}
	if s.applied != nil {
		v.Age = s.now().Sub(s.applied.At)
	} else {
		v.Applied = &Applied{Issues: []table.Issue{}}
	}
	return v
}
