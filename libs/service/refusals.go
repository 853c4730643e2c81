package service

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
)

const (
	// refusalsKept is how many refused writes of one caller, by one operation, are
	// recorded in a minute.
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
	// Permission is the one that is needed in any case; "" where there is none.
	Permission string `json:"permission,omitempty"`
	// Reason is what was answered.
	Reason string `json:"reason,omitempty"`
	// Missed is how many more there were before this one that are not recorded, since
	// there were too many in a minute.
	Missed int64 `json:"missed,omitempty"`
}

// recordRefusals puts writes that were refused into the audit trail of the caller's
// organization. There is no transaction of a change; the target is what it was to be
// done to.
func (k *Kit) recordRefusals() func(context.Context, httpx.Refusal) {
	if k.DB == nil {
		return nil
	}
	kept := NewPerMinute(refusalsKept, k.Now)
	return func(ctx context.Context, r httpx.Refusal) {
		who, ok := authn.From(ctx)
		if !ok || who.Organization == "" {
			return
		}
		ok, missed := kept.Take(who.Organization + " " + who.Subject + " " + r.Operation)
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTimeout)
		defer cancel()
		err := k.DB.Tx(ctx, func(tx *db.Tx) error {
			return k.Audit(ctx, tx, Entry{
				Action: "access.denied", Target: audit.Target{Kind: "operation", ID: cmp.Or(r.ID, r.Operation), Name: r.Operation}, Refused: true,
				After: Refusal{r.Permission, r.Problem.Detail, missed},
			})
		})
		if err != nil {
			k.Log.ErrorContext(ctx, "a refused write is not in the audit trail", "operation", r.Operation, "request", httpx.RequestID(ctx), "err", err)
		}
	}
}
