package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// verifyBatch is how many entries are read at once.
const verifyBatch = 500

// VerifiedAudit is what verifying a trail came to.
type VerifiedAudit struct {
	// Head is the last entry that is as it was written, Entries how many are.
	Head    audit.Head
	Entries int64
	// BrokenAt is the sequence of the first entry that is not, or 0.
	BrokenAt int64
}

// VerifyAudit computes the chain of hashes again, from the oldest entry that is
// there.
func (o *Org) VerifyAudit(ctx context.Context) (v VerifiedAudit, err error) {
	want, err := db.From[auditHead](o.scope).First(ctx)
	if err != nil {
		return v, err
	}
	v.Head = audit.Head{Sequence: want.RemovedSequence, Hash: want.RemovedHash}
	for {
		rows, err := db.From[auditEntry](o.scope).Where("sequence > ? AND sequence <= ?", v.Head.Sequence, want.Sequence).
			Order("sequence", false).Limit(verifyBatch).All(ctx)
		if err != nil {
			return v, err
		}
		whole := true
		for _, r := range rows {
			next, ok := r.follows(v.Head)
			if !ok {
				whole = false
				break
			}
			v.Head = next
			v.Entries++
		}
		if whole && len(rows) == verifyBatch {
			continue
		}
		if whole && v.Head.Sequence == want.Sequence && v.Head.Hash == want.Hash {
			return v, nil
		}
		// An entry is not as it was written, or the end was cut off, unless what comes
		// next was removed for its age meanwhile, which the head says.
		now, err := db.From[auditHead](o.scope).First(ctx)
		if err != nil {
			return v, err
		}
		if now.RemovedSequence <= v.Head.Sequence {
			v.BrokenAt = v.Head.Sequence + 1
			return v, nil
		}
		v.Head = audit.Head{Sequence: now.RemovedSequence, Hash: now.RemovedHash}
		want = now
	}
}

// AuditAfter returns the entries after a sequence in their order, at most so many.
// to, where it is not zero, is the time up to which they are wanted.
func (o *Org) AuditAfter(ctx context.Context, sequence int64, to time.Time, most int) ([]audit.Entry, error) {
	return o.FilteredAfter(ctx, AuditFilter{}, sequence, to, most)
}

// FilteredAfter is as AuditAfter, of the entries that a filter leaves.
func (o *Org) FilteredAfter(ctx context.Context, f AuditFilter, sequence int64, to time.Time, most int) ([]audit.Entry, error) {
	q := o.trail(f).Where("sequence > ?", sequence)
	if !to.IsZero() {
		q = q.Where("time <= ?", to.UTC())
	}
	rows, err := q.Order("sequence", false).Limit(most).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]audit.Entry, len(rows))
	for i, r := range rows {
		if out[i], err = r.entry(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AuditRetention is how long the entries of a trail are kept.
type AuditRetention struct {
	// Days = 0 is for ever.
	Days    int
	Version int64
	// First is the sequence of the oldest entry that is there, 0 for none; Last
	// that of the newest.
	First, Last int64
	// Removed is the last entry that was removed for its age.
	Removed audit.Head
}

func (h auditHead) retention() AuditRetention {
	out := AuditRetention{Days: h.RetentionDays, Version: h.Version, Last: h.Sequence, Removed: audit.Head{Sequence: h.RemovedSequence, Hash: h.RemovedHash}}
	if h.Sequence > h.RemovedSequence {
		out.First = h.RemovedSequence + 1
	}
	return out
}

// AuditRetention returns how long entries are kept.
func (o *Org) AuditRetention(ctx context.Context) (AuditRetention, error) {
	h, err := db.From[auditHead](o.scope).First(ctx)
	return h.retention(), err
}

// SetAuditRetention says how long entries are kept, if the setting still has the
// version, where [db.AnyVersion] is any.
func (t *Tx) SetAuditRetention(ctx context.Context, days int, version int64) (before, after AuditRetention, err error) {
	h, err := db.From[auditHead](t.scope).Lock().First(ctx)
	if err != nil {
		return before, after, err
	}
	if version != db.AnyVersion && version != h.Version {
		return before, after, problem.New(problem.CodePreconditionFailed, "somebody else changed it meanwhile: read it again; it has version %d now", h.Version)
	}
	before = h.retention()
	h.RetentionDays, h.Version = days, h.Version+1
	_, err = db.From[auditHead](t.scope).Update(ctx, db.Changes{"retention_days": h.RetentionDays, "version": h.Version})
	return before, h.retention(), err
}

// TrimmedTrails returns the ids of organizations that do not keep their entries
// for ever.
func (s *Store) TrimmedTrails(ctx context.Context) ([]string, error) {
	var out []string
	err := s.db.Unscoped(ctx, "trails of all organizations are kept in order").Model(&auditHead{}).
		Where("retention_days > 0").Order("organization_id").Pluck("organization_id", &out).Error
	return out, err
}

// TrimAudit removes entries that are older than the organization wants, from the
// beginning and at most so many, and returns the last one removed; its sequence is
// 0 where there was none. What a receiver has yet to get stays.
func (t *Tx) TrimAudit(ctx context.Context, most int) (removed audit.Head, count int64, err error) {
	h, err := db.From[auditHead](t.scope).Lock().First(ctx)
	if err != nil || h.RetentionDays == 0 {
		return removed, 0, err
	}
	q := db.From[auditEntry](t.scope).Where("sequence > ? AND sequence <= ?", h.RemovedSequence, h.RemovedSequence+int64(most)).
		Where("time < ?", t.store.Now().Add(-time.Duration(h.RetentionDays)*24*time.Hour))
	behind, err := db.From[AuditReceiver](t.scope).Where("enabled = ?", true).Order("sent", false).Limit(1).All(t.store.secrets(ctx))
	if err != nil {
		return removed, 0, err
	}
	if len(behind) > 0 {
		q = q.Where("sequence <= ?", behind[0].Sent)
	}
	last, err := q.Order("sequence", true).Limit(1).All(ctx)
	if err != nil || len(last) == 0 {
		return removed, 0, err
	}
	removed = audit.Head{Sequence: last[0].Sequence, Hash: last[0].Hash}
	if count, err = db.From[auditEntry](t.scope).Where("sequence <= ?", removed.Sequence).Delete(ctx); err != nil {
		return removed, 0, fmt.Errorf("removing old audit entries: %w", err)
	}
	_, err = db.From[auditHead](t.scope).Update(ctx, db.Changes{"removed_sequence": removed.Sequence, "removed_hash": removed.Hash})
	return removed, count, err
}
