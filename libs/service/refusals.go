package service

import (
	"context"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// refusalsKept is how many refused writes of one caller are recorded in a minute.
	refusalsKept = 10
	// refusalTimeout bounds how long it takes to record one.
	refusalTimeout = 5 * time.Second
	// mostCounted bounds of how many it is known at once how often they came.
	mostCounted = 10_000
)

// PerMinute lets some of what comes through in each minute, and counts the rest: so
// that nobody floods the audit trail. It is safe for concurrent use.
type PerMinute struct {
	most int
	now  func() time.Time

	mu      sync.Mutex
	counted map[string]*minute
}

type minute struct {
	at     int64 // minutes since 1970
	n      int
	missed int64
}

// NewPerMinute lets most through in a minute of the clock, for each key.
func NewPerMinute(most int, now func() time.Time) *PerMinute {
	return &PerMinute{most: most, now: now, counted: map[string]*minute{}}
}

// Take reports whether one more of a key goes through, and how many did not since the
// last that did.
func (p *PerMinute) Take(key string) (ok bool, missed int64) {
	at := p.now().Unix() / 60
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.counted[key]
	if m == nil {
		if len(p.counted) >= mostCounted {
			for k, old := range p.counted {
				if old.at < at {
					delete(p.counted, k)
				}
			}
			if len(p.counted) >= mostCounted {
				return false, 0
			}
		}
		m = &minute{}
		p.counted[key] = m
	}
	if m.at != at {
		m.at, m.n = at, 0
	}
	if m.n >= p.most {
		m.missed++
		return false, 0
	}
	m.n++
	missed, m.missed = m.missed, 0
	return true, missed
}

// Refusal is what the audit trail keeps of something that was refused.
type Refusal struct {
	// Reason is what was answered.
	Reason string `json:"reason,omitempty"`
	// Missed is how many more there were before this one that are not recorded, since
	// there were too many in a minute.
	Missed int64 `json:"missed,omitempty"`
}

// recordRefusals puts writes that were refused into the audit trail of the caller's
// organization.
func (k *Kit) recordRefusals() func(ctx context.Context, what, path string, p *problem.Problem) {
	if k.DB == nil {
		return nil
	}
	kept := NewPerMinute(refusalsKept, k.Now)
	return func(ctx context.Context, what, path string, p *problem.Problem) {
		who, ok := authn.From(ctx)
		if !ok || who.Organization == "" {
			return
		}
		ok, missed := kept.Take(who.Organization + " " + who.Subject)
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTimeout)
		defer cancel()
		err := k.DB.Tx(ctx, func(tx *db.Tx) error {
			return k.Audit(ctx, tx, Entry{
				Action: "operation.called", Target: audit.Target{Kind: "operation", ID: what, Name: path}, Refused: true,
				After: Refusal{Reason: p.Detail, Missed: missed},
			})
		})
		if err != nil {
			k.Log.WarnContext(ctx, "a refused request could not be recorded", "route", what, "err", err)
		}
	}
}
