package authn

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// fresh is how long grants are used without asking again.
	fresh = 30 * time.Second
	// stale is how old grants may be that are used while tenant-manager is away.
	stale = 5 * time.Minute
	// remember is how long revoked sessions are kept: longer than their tokens.
	remember = Lifetime + time.Minute
	// pause is how long nobody is asked after it was in vain, where old grants do.
	pause = time.Second
	// most bounds what is kept.
	most  = 100_000
	sweep = time.Minute
)

// Access knows what callers may do. Grants are asked for when they are needed,
// kept for half a minute, and thrown away when tenant-manager says that they have
// changed ([Access.Changed]). While tenant-manager is away, grants up to five
// minutes old are used; whose grants are not known is refused. It is safe for
// concurrent use.
type Access struct {
	source Source
	log    *slog.Logger
	now    func() time.Time
	flight singleflight.Group

	mu      sync.RWMutex
	entries map[key]*entry
	revoked map[string]time.Time // sessions, and when to forget them
	asked   time.Time            // when asking was last in vain
	// asking holds the questions on their way: false, or true once something has
	// changed that may have overtaken the answer.
	asking map[key]bool
	// epoch is raised when changes may have been missed; what is of an older one
	// is no longer fresh.
	epoch uint64
}

// key is whose rights are kept: of a session, and of who acts in it as the subject.
type key struct{ organization, subject, session, impersonator string }

// entry is what is known of one session. It does not change.
type entry struct {
	rights *rights
	ended  error // why the caller is refused, whatever it wants
	at     time.Time
	epoch  uint64
}

// NewAccess returns an access that knows nothing yet.
func NewAccess(source Source, log *slog.Logger, now func() time.Time) *Access {
	return &Access{source: source, log: log, now: now, entries: map[key]*entry{}, revoked: map[string]time.Time{}, asking: map[key]bool{}}
}

// Run forgets what is too old to be used, until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	t := time.NewTicker(sweep)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			a.mu.Lock()
			a.clean()
			a.mu.Unlock()
		case <-ctx.Done():
			return nil
		}
	}
}

// Changed takes in that something changed.
func (a *Access) Changed(e tenant.AccessChanged) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Session != "" {
		a.revoked[e.Session] = a.now().Add(remember)
	}
	for k := range a.asking {
		if k.concernedBy(e) {
			a.asking[k] = true
		}
	}
	for k, known := range a.entries {
		if k.concernedBy(e) && (e.Session == "" || known.ended == nil) { // what has ended may say why
			delete(a.entries, k)
		}
	}
}

// concernedBy reports whether what the key stands for may have changed.
func (k key) concernedBy(e tenant.AccessChanged) bool {
	switch {
	case k.organization != e.Organization:
		return false
	case e.Session != "":
		return k.session == e.Session
	default:
		return e.Principal == "" || e.Principal == k.subject || e.Principal == k.impersonator
	}
}

// Missed takes in that changes may have passed by: everything is asked for anew,
// as far as tenant-manager answers.
func (a *Access) Missed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k := range a.asking {
		a.asking[k] = true
	}
	a.epoch++
	a.asked = time.Time{}
}

func (a *Access) allow(ctx context.Context, p *Principal, permission string, s *Scope) (Decision, error) {
	e, err := a.load(ctx, p)
	if err != nil {
		return Decision{}, err
	}
	return e.rights.decide(permission, s, a.now()), nil
}

func (a *Access) reach(ctx context.Context, p *Principal, permission string) (Reach, error) {
	e, err := a.load(ctx, p)
	if err != nil {
		return Reach{}, err
	}
	return e.rights.reach(permission, a.now()), nil
}

// load returns what is known of a caller. The error is a problem: 401 where the
// session or the principal is no longer active, 503 where nothing is known.
func (a *Access) load(ctx context.Context, p *Principal) (*entry, error) {
	now := a.now()
	k := key{p.Organization, p.Subject, p.Session, p.ImpersonatorID}
	a.mu.RLock()
	e := a.entries[k]
	gone := a.isRevoked(p.Session, now)
	good := e != nil && e.epoch == a.epoch && now.Sub(e.at) < fresh
	spare := e != nil && now.Sub(e.at) < stale && now.Sub(a.asked) < pause
	a.mu.RUnlock()
	switch {
	case gone && e != nil && e.ended != nil:
		return nil, e.ended
	case gone:
		return nil, errEnded()
	case !good && !spare:
		var err error
		if e, err = a.fetch(ctx, k); err != nil {
			return nil, err
		}
	}
	if e.ended != nil {
		return nil, e.ended
	}
	return e, nil
}

func errEnded() error { return expired("the session has ended, or the account was disabled") }

func (a *Access) isRevoked(session string, now time.Time) bool {
	if session == "" {
		return false
	}
	until, ok := a.revoked[session]
	return ok && now.Before(until)
}

// fetch asks tenant-manager; several callers share an answer.
func (a *Access) fetch(ctx context.Context, k key) (*entry, error) {
	done := a.flight.DoChan(k.organization+"\x00"+k.subject+"\x00"+k.session+"\x00"+k.impersonator, func() (any, error) {
		// Not cut short by the request that happens to be the first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLimit)
		defer cancel()
		return a.ask(ctx, k)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*entry), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (a *Access) ask(ctx context.Context, k key) (*entry, error) {
	for {
		a.mu.Lock()
		a.asking[k] = false
		a.mu.Unlock()
		asked := a.now() // an answer is as old as its question
		rep, err := a.source.Grants(ctx, tenant.Grants{Organization: k.organization, Principal: k.subject, Session: k.session})
		a.mu.Lock()
		overtaken := a.asking[k]
		delete(a.asking, k)
		if err == nil && overtaken {
			// The answer may be older than the change: it is used by nobody, and asked
			// for again while there is time.
			if err = context.Cause(ctx); err == nil {
				a.mu.Unlock()
				continue
			}
		}
		if err != nil {
			e, err := a.fallback(ctx, k, err)
			a.mu.Unlock()
			return e, err
		}
		e := &entry{at: asked, epoch: a.epoch}
		switch {
		case !rep.Active && rep.Ended != "":
			e.ended = expired(rep.Ended)
		case a.isRevoked(k.session, asked), !rep.Active:
			e.ended = errEnded()
		default:
			e.rights = compile(&rep)
		}
		if len(a.entries) >= most {
			a.clean()
		}
		for other := range a.entries {
			if len(a.entries) < most {
				break
			}
			delete(a.entries, other)
		}
		a.entries[k] = e
		a.mu.Unlock()
		return e, nil
	}
}

// fallback is what is used while tenant-manager is away.
func (a *Access) fallback(ctx context.Context, k key, err error) (*entry, error) {
	now := a.now()
	if now.Sub(a.asked) >= pause {
		a.log.WarnContext(ctx, "tenant-manager does not say what callers may do; what is known goes on for a while", "err", err)
	}
	a.asked = now
	if e := a.entries[k]; e != nil && now.Sub(e.at) < stale {
		return e, nil
	}
	var p *problem.Problem
	if errors.As(err, &p) && p.Status < 500 {
		return nil, problem.New(problem.CodeInternal, "").Because(err)
	}
	return nil, problem.New(problem.CodeDependencyDown, "it cannot be found out what you may do, because tenant-manager does not answer").
		Because(err).WithRetryAfter(2 * time.Second)
}

// clean drops what can no longer be used.
func (a *Access) clean() {
	now := a.now()
	for k, e := range a.entries {
		if now.Sub(e.at) >= stale {
			delete(a.entries, k)
		}
	}
	for s, until := range a.revoked {
		if !now.Before(until) {
			delete(a.revoked, s)
		}
	}
}
