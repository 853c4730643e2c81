package mail

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// every is how often it is looked for what there is to send.
	every = 2 * time.Second
	// parallel is how many letters are sent at the same time.
	parallel = 4
	// firstPause and longestPause are between attempts that do not work.
	firstPause   = 10 * time.Second
	longestPause = time.Hour
	// patience is how long sending is tried.
	patience = 24 * time.Hour
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

// Run sends what is due until ctx ends. One worker at a time does so. A letter is
// sent twice where the process ends between the server's answer and the note of it.
func Run(ctx context.Context, s *store.Store, sender *Sender, log *slog.Logger) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		n, err := sendDue(ctx, s, sender)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "sending mail failed; it is tried again", "err", err)
		}
		if n == parallel && err == nil {
			continue // there may be more
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func sendDue(ctx context.Context, s *store.Store, sender *Sender) (int, error) {
	settings, ok, err := sender.Settings(ctx, s)
	if err != nil || !ok {
		return 0, err
	}
	due, err := s.DueMail(ctx, parallel)
	if err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(due))
	for i, m := range due {
		wg.Go(func() { errs[i] = send(ctx, s, sender, settings, m) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return len(due), err
		}
	}
	return len(due), nil
}

// send sends one letter and notes what came of it. The error is one of the
// database.
func send(ctx context.Context, s *store.Store, sender *Sender, settings store.MailSettings, m store.MailMessage) error {
	o := s.For(m.OrganizationID)
	var d Data
	err := json.Unmarshal([]byte(m.Data.Reveal()), &d)
	var l Letter
	if err == nil {
		l, err = Write(m.Kind, m.Language, d)
	}
	if err == nil {
		_, err = sender.Send(ctx, settings, d.Organization, m.Recipient, l)
	}
	if err == nil {
		return o.MailSent(ctx, m.ID)
	}
	if ctx.Err() != nil {
		return ctx.Err() // it is sent by whoever comes next
	}
	next := s.Now().Add(Pause(m.Failures + 1))
	dead := Permanent(err) || next.Sub(m.BegunAt) > patience
	return o.MailFailed(ctx, m, err.Error(), next, dead)
}
