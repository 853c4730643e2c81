package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
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
		err = late(m, d, s.Now())
	}
	if err == nil {
		l, err = Prepare(ctx, s, m.OrganizationID, m.Kind, m.Language, d)
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
	dead := Permanent(err) || errors.Is(err, errLinkEnded) || errors.Is(err, errStale) || next.Sub(m.BegunAt) > patience
	return o.MailFailed(ctx, m, err.Error(), next, dead)
}

// errLinkEnded and errStale say why a letter is not sent any more.
var (
	errLinkEnded = errors.New("the link in it has ended: send a new one")
	errStale     = errors.New("it waited for more than a day for a mail server, and what it tells is old")
)

// late returns why a letter that has waited, where there was no mail server or it did
// not answer, is of no use any more. One with a link is as good as its link.
func late(m store.MailMessage, d Data, now time.Time) error {
	switch {
	case m.CreatedAt.Before(d.Until) && !now.Before(d.Until):
		return errLinkEnded
	case d.Link == "" && now.Sub(m.BegunAt) > patience:
		return errStale
	}
	return nil
}

// Prepare writes a letter as an organization words it and has it look.
func Prepare(ctx context.Context, s *store.Store, organization, kind, language string, d Data) (Letter, error) {
	w, err := WordsOf(ctx, s.For(organization), kind, language)
	if err != nil {
		return Letter{}, err
	}
	look, err := LookOf(ctx, s, organization)
	if err != nil {
		return Letter{}, err
	}
	return Compose(language, w, d, look)
}

// WordsOf returns what an organization writes in letters of a kind and language:
// its own words, else Gatehouse's, else Gatehouse's in the first language.
func WordsOf(ctx context.Context, o *store.Org, kind, language string) (Words, error) {
	row, err := o.Letter(ctx, kind, language)
	if err == nil {
		return Words{Subject: row.Subject, Greeting: row.Greeting, Body: row.Body, Action: row.Action, Until: row.UntilText, Footer: row.Footer}, nil
	}
	if !store.IsNotFound(err) {
		return Words{}, err
	}
	w, ok, err := BuiltIn(kind, language)
	if err == nil && !ok {
		if w, ok, err = BuiltIn(kind, Languages()[0]); err == nil && !ok {
			err = fmt.Errorf("there is no letter %q", kind)
		}
	}
	return w, err
}

// LookOf returns how the letters of an organization look: by its own brand, else
// that of the first one. Only a PNG is a logo: mail programs show little else.
func LookOf(ctx context.Context, s *store.Store, organization string) (Look, error) {
	b, err := s.BrandOrFirst(ctx, organization)
	if err != nil || b.ID == "" {
		return Look{}, err
	}
	var out Look
	if p, ok := brand.Accent(b.Accent); ok {
		out.Accent, out.On = p.Light.Accent, p.Light.On
	}
	if b.LogoLight == "" {
		return out, nil
	}
	m, err := s.For(b.OrganizationID).BrandImage(ctx, b.LogoLight)
	if err == nil && m.MediaType == brand.PNG {
		out.Logo, out.Width, out.Height = m.Content, m.Width, m.Height
	}
	if store.IsNotFound(err) {
		err = nil
	}
	return out, err
}
