package forward

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// every is how often it is looked for what there is to send.
	every = 2 * time.Second
	// batch is how many entries are sent at once, batches how many times in a row
	// before other receivers have their turn.
	batch   = 100
	batches = 20
	// parallel is how many receivers are sent to at the same time.
	parallel = 8
	// firstPause and longestPause are between attempts that do not work.
	firstPause   = 5 * time.Second
	longestPause = 10 * time.Minute
)

// Pause returns how long to wait after so many attempts that did not work.
func Pause(failures int) time.Duration {
	p := firstPause
	for range failures - 1 {
		if p *= 2; p >= longestPause {
			return longestPause
		}
	}
	return p
}

// Run sends what is due until ctx ends. One worker at a time does so.
func Run(ctx context.Context, s *store.Store, sender *Sender, log *slog.Logger) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		due, err := s.DueAuditReceivers(ctx, parallel)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "looking for receivers of the audit trail failed; it is tried again", "err", err)
		}
		var wg sync.WaitGroup
		for _, r := range due {
			wg.Go(func() {
				if err := send(ctx, s, sender, r); err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "noting how far the audit trail was sent failed; it is sent again", "receiver", r.ID, "err", err)
				}
			})
		}
		wg.Wait()
		if len(due) == parallel {
			continue // there may be more
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// send sends a receiver what it has yet to get. The error is one of the database.
func send(ctx context.Context, s *store.Store, sender *Sender, r store.AuditReceiver) error {
	o := s.For(r.OrganizationID)
	for range batches {
		entries, err := o.AuditAfter(ctx, r.Sent, time.Time{}, batch)
		if err != nil {
			return err
		}
		if len(entries) == 0 { // what it did not get was removed for its age
			kept, err := o.AuditRetention(ctx)
			if err != nil {
				return err
			}
			return o.AuditReceiverSent(ctx, r.ID, kept.Removed.Sequence)
		}
		if err := sender.Send(ctx, r, entries); err != nil {
			if ctx.Err() != nil {
				return ctx.Err() // it is sent by whoever comes next
			}
			return o.AuditReceiverFailed(ctx, r, err.Error(), s.Now().Add(Pause(r.Failures+1)))
		}
		r.Sent, r.Failures = entries[len(entries)-1].Sequence, 0
		if err := o.AuditReceiverSent(ctx, r.ID, r.Sent); err != nil {
			return err
		}
		if len(entries) < batch {
			return nil
		}
	}
	return nil
}

// Test sends an entry that says it is a test and is not part of the trail.
func (s *Sender) Test(ctx context.Context, r store.AuditReceiver, now time.Time, by audit.Actor) error {
	return s.Send(ctx, r, []audit.Entry{{Recorded: audit.Recorded{
		ID: store.NewID(), Organization: r.OrganizationID, Service: "tenant-manager", Action: "audit-receiver.tested", Outcome: "done",
		Actor: by, Target: audit.Target{Kind: "audit-receiver", ID: r.ID, Name: r.Name}, Time: now.UTC(),
	}}})
}
