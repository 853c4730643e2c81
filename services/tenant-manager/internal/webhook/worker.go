package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// every is how often it is looked for what there is to send.
	every = 2 * time.Second
	// batch is how many entries of the trail are looked through at once, parallel how
	// many requests are made at the same time.
	batch    = 500
	parallel = 8
	// firstPause and longestPause are between attempts that do not work.
	firstPause   = 5 * time.Second
	longestPause = 6 * time.Hour
	// patience is how long a delivery is tried.
	patience = 3 * 24 * time.Hour
)

// Pause returns how long to wait after so many attempts that did not work.
func Pause(attempts int) time.Duration {
	p := firstPause
	for range attempts - 1 {
		if p *= 3; p >= longestPause {
			return longestPause
		}
	}
	return p
}

// Run makes deliveries of what happened and sends those that are due, until ctx
// ends. One worker at a time does so. A delivery is sent twice where the process
// ends between the answer and the note of it.
func Run(ctx context.Context, s *store.Store, sender *Sender, log *slog.Logger) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		more, err := round(ctx, s, sender)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "sending to webhooks failed; it is tried again", "err", err)
		}
		if more && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func round(ctx context.Context, s *store.Store, sender *Sender) (more bool, err error) {
	behind, err := s.WebhooksBehind(ctx, parallel)
	if err != nil {
		return false, err
	}
	for _, w := range behind {
		if err := prepare(ctx, s, w); err != nil {
			return false, err
		}
	}
	due, err := s.DueDeliveries(ctx, parallel)
	if err != nil {
		return false, err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(due))
	for i, d := range due {
		wg.Go(func() { errs[i] = Deliver(ctx, s, sender, d) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return false, err
		}
	}
	return len(behind) == parallel || len(due) == parallel, nil
}

// prepare makes the deliveries of what a webhook has not seen, and notes how far it
// has, in one transaction.
func prepare(ctx context.Context, s *store.Store, w store.Webhook) error {
	return s.Tx(ctx, w.OrganizationID, "", func(tx *store.Tx) error {
		entries, err := tx.AuditAfter(ctx, w.Seen, time.Time{}, batch)
		if err != nil {
			return err
		}
		to := w.Seen
		if len(entries) == 0 { // what it did not see was removed for its age
			kept, err := tx.AuditRetention(ctx)
			if err != nil {
				return err
			}
			to = kept.Last
		}
		for _, e := range entries {
			to = e.Sequence
			for _, name := range Of(e) {
				if !Wanted(w.Events, name) {
					continue
				}
				body, err := Body(name, e)
				if err != nil {
					return err
				}
				if err := tx.QueueDelivery(ctx, &store.WebhookDelivery{WebhookID: w.ID, Event: name, Body: body}); err != nil {
					return err
				}
			}
		}
		return tx.WebhookSeen(ctx, w.ID, w.Seen, to)
	})
}

// Deliver sends one delivery and notes what came of it. The error is one of the
// database.
func Deliver(ctx context.Context, s *store.Store, sender *Sender, d store.WebhookDelivery) error {
	o := s.For(d.OrganizationID)
	w, err := o.Webhook(ctx, d.WebhookID)
	if store.IsNotFound(err) {
		return nil // its deliveries go with it
	}
	if err != nil {
		return err
	}
	out := sender.Send(ctx, w, d)
	if ctx.Err() != nil {
		return ctx.Err() // it is sent by whoever comes next
	}
	now := s.Now()
	d.Attempts++
	d.StatusCode, d.Answer, d.TookMS, d.Error = out.Status, out.Answer, int(out.Took.Milliseconds()), ""
	if out.Err == nil {
		d.State, d.DeliveredAt = store.DeliverySent, &now
		return o.NoteDelivery(ctx, d)
	}
	d.Error, d.NextAt = out.Err.Error(), now.Add(Pause(d.Attempts))
	// Who is gone says so for good (RFC 9110 section 15.5.11).
	if out.Status == http.StatusGone || d.NextAt.Sub(d.BegunAt) > patience {
		d.State = store.DeliveryDead
	}
	return o.NoteDelivery(ctx, d)
}
