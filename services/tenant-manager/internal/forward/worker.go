package forward

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// every is how often it is looked for what there is to send.
	every = time.Second
	// batch is how many entries are sent at once, batches how many times in a row, and
	// turn for how long, before other receivers have their turn.
	batch   = 100
	batches = 20
	turn    = 30 * time.Second
	// parallel is how many receivers are sent to at the same time, and parallelOf how many
	// of one organization. mostDue is among how many it is chosen.
	parallel   = 16
	parallelOf = 2
	mostDue    = 200
	// noticeAfter is after how many attempts that did not work somebody is told: a
	// good minute.
	noticeAfter = 5
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

// Notices are told of receivers, outside of requests. An error is logged.
type Notices interface {
	// Failing is told once, when a receiver has not taken anything for a good minute, and
	// Recovered when it does again.
	Failing(ctx context.Context, r store.AuditReceiver, why string) error
	Recovered(ctx context.Context, r store.AuditReceiver) error
}

// turned is that the turn of a receiver is over; err is one of the database.
type turned struct {
	store.AuditReceiver
	err error
}

// Run sends what is due until ctx ends. One worker at a time does so. A receiver that is
// slow keeps no other one waiting.
func Run(ctx context.Context, s *store.Store, sender *Sender, notices Notices, log *slog.Logger) error {
	var (
		t     = time.NewTicker(every)
		ended = make(chan turned, parallel)
		busy  = map[string]bool{}
		of    = map[string]int{} // how many of an organization are sent to
		wg    sync.WaitGroup
	)
	defer t.Stop()
	defer wg.Wait()
	for look := true; ; {
		var due []store.AuditReceiver
		if look {
			var err error
			if due, err = s.DueAuditReceivers(ctx, mostDue); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "looking for receivers of the audit trail failed; it is tried again", "err", err)
			}
		}
		for _, r := range due {
			if busy[r.ID] || len(busy) == parallel || of[r.OrganizationID] == parallelOf {
				continue
			}
			busy[r.ID] = true
			of[r.OrganizationID]++
			wg.Go(func() {
				err := send(ctx, s, sender, notices, r)
				if err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "noting how far the audit trail was sent failed; it is sent again", "receiver", r.ID, "err", err)
				}
				ended <- turned{r, err}
			})
		}
		select {
		case r := <-ended: // there may be another one, or more for this one
			delete(busy, r.ID)
			if of[r.OrganizationID]--; of[r.OrganizationID] == 0 {
				delete(of, r.OrganizationID)
			}
			look = r.err == nil // else the database is given until the next look
		case <-t.C:
			look = true
		case <-ctx.Done():
			return nil
		}
	}
}

// send sends a receiver what it has yet to get. The error is one of the database.
func send(ctx context.Context, s *store.Store, sender *Sender, notices Notices, r store.AuditReceiver) error {
	o := s.For(r.OrganizationID)
	for end, i := time.Now().Add(turn), 0; i < batches && time.Now().Before(end); i++ {
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
			return failed(ctx, s, notices, r, err)
		}
		sick := r.Failures >= noticeAfter
		r.Sent, r.Failures = entries[len(entries)-1].Sequence, 0
		if err := o.AuditReceiverSent(ctx, r.ID, r.Sent); err != nil {
			return err
		}
		if sick {
			if err := notices.Recovered(ctx, r); err != nil {
				return err
			}
		}
		if len(entries) < batch {
			return nil
		}
	}
	return nil
}

// failed notes that a receiver did not take what it was sent, and when it is tried again:
// not before it says so itself.
func failed(ctx context.Context, s *store.Store, notices Notices, r store.AuditReceiver, err error) error {
	pause := Pause(r.Failures + 1)
	var later *LaterError
	if errors.As(err, &later) {
		pause = max(pause, later.After)
	}
	if err := s.For(r.OrganizationID).AuditReceiverFailed(ctx, r, err.Error(), s.Now().Add(pause)); err != nil {
		return err
	}
	if r.Failures+1 != noticeAfter {
		return nil
	}
	return notices.Failing(ctx, r, err.Error())
}

// Test sends an entry that says it is a test and is not part of the trail.
func (s *Sender) Test(ctx context.Context, r store.AuditReceiver, now time.Time, by audit.Actor) error {
	return s.Send(ctx, r, []audit.Entry{{Recorded: audit.Recorded{
		ID: store.NewID(), Organization: r.OrganizationID, Service: "tenant-manager", Action: "audit-receiver.tested", Outcome: "done",
		Actor: by, Target: audit.Target{Kind: "audit-receiver", ID: r.ID, Name: r.Name}, Time: now.UTC(),
	}}})
}
