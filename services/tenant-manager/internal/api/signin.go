package api

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// refused is the one answer to everything that is wrong with signing in.
func refused(detail string) *problem.Problem {
	return problem.New(problem.CodeCredentialInvalid, "%s", detail).WithChallenge(`Bearer realm="gatehouse"`)
}

const signInRefusal = "the e-mail address or the password is not right; who belongs to many organizations also names one"

// SignIn begins a session. Until the password was compared, everything goes the
// same way and takes the same time whether there is such an account or not.
func (h *Handlers) SignIn(ctx context.Context, r SignInRequestObject) (SignInResponseObject, error) {
	account, known, err := h.guesses(ctx, r.Body.Email, deref(r.Body.Organization))
	if err != nil {
		return nil, err
	}
	address, locked, err := h.triedAt(ctx, account, known)
	if err != nil {
		return nil, err
	}
	found, err := h.whose(ctx, *r.Body)
	if err != nil {
		return nil, err
	}
	if len(found.right) == 0 && found.directory != nil {
		return h.signInByDirectory(ctx, *r.Body, *found.directory, found.ofDirectory(), account, address, locked)
	}
	if len(found.right) == 0 {
		for _, c := range found.tried {
			h.signInRefused(ctx, c.user, locked)
		}
		if len(found.tried) == 0 {
			h.unknownRefused(ctx, r.Body.Email, deref(r.Body.Organization))
		}
		return nil, h.ruleRefusal(ctx, found.rule)
	}
	if err := h.wasRight(ctx, r.Body.Email, account, address); err != nil {
		return nil, err
	}
	if len(found.right) > 1 {
		return nil, whichOne(found.right)
	}
	u, org, outdated := found.right[0].user, found.right[0].organization, found.right[0].outdated
	proven, err := h.alsoRight(ctx, *r.Body, u)
	if err != nil {
		return nil, err
	}
	next, err := h.secondStepOf(ctx, u, factor.Methods("").With(factor.ByPassword), deref(r.Body.Origin), beginning{proven: proven})
	if err != nil {
		return nil, err
	}
	hash := ""
	if outdated {
		if hash, err = h.passwords.Hash(ctx, r.Body.Password); err != nil {
			return nil, err
		}
	}
	var s store.Session
	err = h.store.Tx(ctx, u.OrganizationID, u.ID, func(tx *store.Tx) error {
		if hash != "" {
			if err := tx.Rehash(ctx, u.ID, u.PasswordHash, hash); err != nil {
				return err
			}
		}
		if next != nil {
			return nil
		}
		s, err = h.beginSession(ctx, tx, u, factor.Methods("").With(factor.ByPassword), beginning{proven: proven})
		return err
	})
	if err != nil {
		return nil, err
	}
	if next != nil {
		return SignIn202JSONResponse(*next), nil
	}
	pair, err := h.pair(ctx, org, u, s)
	return SignIn200JSONResponse(pair), err
}

// attempt holds an attempt against an account and the address that it comes
// from, and returns the address. The error is a problem 429 where it has to
// wait.
func (h *Handlers) attempt(ctx context.Context, account store.Limited) (address store.Limited, err error) {
	address, _, err = h.tried(ctx, account)
	return address, err
}

// tried is as attempt, and reports whether the account has to wait from this attempt on,
// if it is not right.
func (h *Handlers) tried(ctx context.Context, account store.Limited) (address store.Limited, locked bool, err error) {
	return h.triedAt(ctx, account, false)
}

// triedAt is as tried. What a known device tries is held against that alone, and not
// against the address, which it may have in common with strangers.
func (h *Handlers) triedAt(ctx context.Context, account store.Limited, known bool) (address store.Limited, locked bool, err error) {
	against := []store.Limited{account}
	if ip := httpx.LimitKey(ctx); ip != "" && !known {
		address = store.Limited{Name: "address " + ip, Limit: throttle.Address}
		against = append(against, address)
	}
	wait, locked, err := h.store.Tried(ctx, account.Name, against...)
	if err != nil {
		return address, false, err
	}
	if wait > 0 {
		return address, false, slower(wait, "too many attempts that were not right")
	}
	return address, locked, nil
}

// slower is the problem of who has to wait.
func slower(wait time.Duration, why string) error {
	wait = (wait + time.Second - 1).Truncate(time.Second)
	return problem.New(problem.CodeRateLimited, "%s: try again in %s", why, wait).WithRetryAfter(wait)
}

// signInRefused puts it into the audit trail, after the answer; locked says that the
// account has to wait from now on.
func (h *Handlers) signInRefused(ctx context.Context, u store.User, locked bool) {
	h.recordLater(ctx, "recording a refused sign-in", u, func(ctx context.Context, tx *store.Tx) error {
		if err := h.recordUser(ctx, tx, "user.signed-in", u, true); err != nil || !locked {
			return err
		}
		return h.recordAnonymous(ctx, tx, "user.locked-out", u)
	})
}

// lockedOut puts it into the audit trail, after the answer, that an account has to wait
// because somebody guesses.
func (h *Handlers) lockedOut(ctx context.Context, u store.User) {
	h.recordLater(ctx, "recording that an account is locked", u, func(ctx context.Context, tx *store.Tx) error {
		return h.recordAnonymous(ctx, tx, "user.locked-out", u)
	})
}

func (h *Handlers) recordLater(ctx context.Context, what string, u store.User, record func(ctx context.Context, tx *store.Tx) error) {
	cause := context.WithoutCancel(ctx)
	h.afterwards(what, func(context.Context) error {
		ctx, cancel := context.WithTimeout(cause, 10*time.Second)
		defer cancel()
		return h.store.Tx(ctx, u.OrganizationID, "", func(tx *store.Tx) error { return record(ctx, tx) })
	})
}

// signedIn is what the audit trail tells of a sign-in.
type signedIn struct {
	Methods []string `json:"methods"`
	// Client is the app of the product that somebody was signed in at by another session.
	Client string `json:"client,omitempty"`
}

// openSession begins a session of a user, who has just shown who they are by the
// methods: they, and the time, are what others learn of it as amr and auth_time. from
// is the connection by which they come. Whom a rule lets in by single
// sign-on alone comes in no other way.
func (h *Handlers) openSession(ctx context.Context, tx *store.Tx, u store.User, amr factor.Methods, from string) (store.Session, error) {
	return h.beginSession(ctx, tx, u, amr, beginning{from: from})
}

// beginning is by what a session begins.
type beginning struct {
	// from is the connection by which somebody comes, "" = none.
	from string
	// sid is the hash of the session there of which they come, "" = it is not known.
	sid string
	// idToken is the ID token of the provider that is to be told when they sign out, ""
	// = there is none.
	idToken string
	// step is the hash of the challenge of the second step that came before, "" = there
	// was none.
	step string
	// proven are their accounts elsewhere in which the password was right.
	proven []store.Proven
	// at is when that was, for who comes from one of those; nil = now.
	at *time.Time
	// switchedFrom is the sign-in that they come from then.
	switchedFrom string
	// of is the session that this one comes of, and client the app that it is at; nil =
	// it comes of none.
	of     *store.Session
	client string
	// source is a session of before that has to be open still: of which this one comes,
	// by which it was allowed or switched to; nil = there is none.
	source *store.Session
}

// beginSession is as openSession. It is the one way to a session of somebody's own, and
// u is the user as they were when what they have shown was found right.
func (h *Handlers) beginSession(ctx context.Context, tx *store.Tx, u store.User, amr factor.Methods, b beginning) (store.Session, error) {
	now := h.store.Now()
	u, err := h.letIn(ctx, tx, u, b)
	if err != nil {
		return store.Session{}, err
	}
	s := store.Session{
		UserID: u.ID, RefreshKey: secret.NewText(token.NewRefreshKey()), Generation: 1, RotatedAt: now,
		IP: httpx.Address(ctx), UserAgent: userAgent(ctx), CreatedAt: now, LastUsedAt: now,
		AuthTime: &now, ConfirmedAt: &now, AMR: string(amr), SSOConnectionID: b.from, SSOSid: b.sid, Proven: b.proven,
	}
	if b.at != nil {
		s.AuthTime, s.ConfirmedAt, s.SwitchedFrom = b.at, nil, b.switchedFrom
	}
	if b.of != nil {
		s.AuthTime, s.ConfirmedAt, s.ParentID, s.Client = authenticated(*b.of), b.of.ConfirmedAt, b.of.ID, b.client
	}
	rule, err := h.ruleBinding(ctx, u)
	if err != nil {
		return s, err
	}
	if rule.ID != "" && !bySSO(s, rule) {
		return s, h.ssoAlone(ctx, rule)
	}
	policy, err := tx.SecurityPolicy(ctx)
	if err != nil {
		return s, err
	}
	if err := h.comesFrom(ctx, tx.Org, u, policy); err != nil {
		return s, err
	}
	lacks, err := h.lacksFactor(ctx, tx.Org, u, policy)
	if err != nil {
		return s, err
	}
	if lacks {
		s.Pending = store.PendingFactor
	}
	s.ExpiresAt = h.sessionEnd(s, policy)
	if b.of != nil {
		s.ExpiresAt = h.endWithin(s, *b.of, policy)
	}
	if err := tx.CreateSession(ctx, &s); err != nil {
		return s, err
	}
	if err := keepHint(ctx, tx, s, b); err != nil {
		return s, err
	}
	if err := tx.SignedIn(ctx, u.ID, now); err != nil {
		return s, err
	}
	if at := device(ctx); at != "" {
		if err := tx.KnowDevice(ctx, u.ID, at); err != nil {
			return s, err
		}
	}
	if err := h.recordUserChange(ctx, tx, "user.signed-in", u, nil, signedIn{amr.List(), b.client}); err != nil {
		return s, err
	}
	spared, err := h.breakGlass(ctx, tx.Org, u)
	if err != nil || !spared {
		return s, err
	}
	h.kit.Log.WarnContext(ctx, "a break-glass account signed in", "organization", tx.ID(), "user", u.ID, "address", s.IP)
	return s, h.recordUserChange(ctx, tx, "user.break-glass-signed-in", u, nil, signedIn{amr.List(), b.client})
}

// endWithin is as sessionEnd for a session that came of another: its life began with
// that.
func (h *Handlers) endWithin(s, of store.Session, p store.SecurityPolicy) time.Time {
	s.CreatedAt = of.CreatedAt
	return h.sessionEnd(s, p)
}

// sessionEnd returns when a session runs out if it is not used again. A policy
// only makes it shorter.
func (h *Handlers) sessionEnd(s store.Session, p store.SecurityPolicy) time.Time {
	longest, life := h.opt.SessionIdle, h.opt.SessionLifetime
	if p.SessionIdleMinutes > 0 {
		longest = min(longest, time.Duration(p.SessionIdleMinutes)*time.Minute)
	}
	if p.SessionLifetimeHours > 0 {
		life = min(life, time.Duration(p.SessionLifetimeHours)*time.Hour)
	}
	if s.ImpersonatorID != "" {
		life = min(life, longestImpersonation)
	}
	idle, last := s.LastUsedAt.Add(longest), s.CreatedAt.Add(life)
	if idle.Before(last) {
		return idle
	}
	return last
}

// pair returns the tokens of a session.
func (h *Handlers) pair(ctx context.Context, o store.Organization, u store.User, s store.Session) (TokenPair, error) {
	org := h.store.For(o.ID)
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return TokenPair{}, err
	}
	from, err := h.bound(ctx, org, u, policy)
	if err != nil {
		return TokenPair{}, err
	}
	accessToken, err := h.issuer.Token(ctx, authn.Principal{
		Organization: o.ID, OrganizationSlug: o.Slug, Subject: u.ID, Kind: authn.User, Session: s.ID, Name: u.Name, Email: u.Email,
		ImpersonatorID: s.ImpersonatorID, ImpersonatorName: s.ImpersonatorName,
	})
	if err != nil {
		return TokenPair{}, err
	}
	return TokenPair{
		AccessToken: accessToken, ExpiresIn: int(authn.Lifetime / time.Second),
		RefreshToken: token.NewRefresh(s.ID, s.Generation, s.RefreshKey.Reveal()),
		Session:      s.ID, User: userName(u), Organization: organizationName(o), SetupRequired: ptr(u.SetupPending),
		FactorRequired: ptr(s.Pending == store.PendingFactor), AllowedAddresses: some(from),
	}, nil
}

// some returns a list that has something in it, nil for one that has not.
func some[T any](list []T) *[]T {
	if len(list) == 0 {
		return nil
	}
	return &list
}

// SignInOnce begins a session by the one-time code of the first run, or by one
// that was made on the server for an owner whom nothing else lets in.
func (h *Handlers) SignInOnce(ctx context.Context, r SignInOnceRequestObject) (SignInOnceResponseObject, error) {
	const wrong = "the code is not right, was used, or has run out: a new one is in the log after each start until the first run is completed, and `recover` on the server makes one after it"
	code, err := h.store.OneTimeCode(ctx, store.ForSetup, token.Hash(r.Body.Code))
	if store.IsNotFound(err) {
		code, err = h.store.OneTimeCode(ctx, store.ForRecovery, token.Hash(r.Body.Code))
	}
	if store.IsNotFound(err) {
		return nil, refused(wrong)
	}
	if err != nil {
		return nil, err
	}
	var (
		u    store.User
		o    store.Organization
		s    store.Session
		used bool
	)
	err = h.store.Tx(ctx, code.OrganizationID, code.UserID, func(tx *store.Tx) error {
		if u, err = tx.LockUser(ctx, code.UserID); err != nil {
			return err
		}
		if used, err = tx.UseOneTimeCode(ctx, code.ID); err != nil || !used {
			return err
		}
		if o, err = tx.Organization(ctx); err != nil {
			return err
		}
		if used = u.Status == store.Active && !o.Suspended; !used {
			return nil
		}
		s, err = h.openSession(ctx, tx, u, factor.Methods("").With(factor.ByLink), "")
		return err
	})
	if err != nil {
		return nil, err
	}
	if !used {
		if u.ID != "" {
			h.closed(ctx, code.OrganizationID, "user.one-time-code-refused", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, "the code was used meanwhile, or the account is switched off")
		}
		return nil, refused(wrong)
	}
	pair, err := h.pair(ctx, o, u, s)
	return SignInOnce200JSONResponse(pair), err
}
