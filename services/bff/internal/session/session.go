// Package session keeps who is signed in with a browser: a cookie that means
// nothing by itself, and behind it the tokens that tenant-manager issued, which
// no browser ever sees. Tokens are exchanged for new ones before they end, once
// for all replicas, since a refresh token is good for one exchange.
//
// It knows where sessions are kept as a [Store], and tenant-manager as [Tokens].
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
)

const (
	// ahead is how long before its end an access token is exchanged.
	ahead = time.Minute
	// refreshLimit is how long one replica may take to exchange tokens, before
	// another tries.
	refreshLimit = 10 * time.Second
	// look is how often is looked whether another replica is done.
	look = 50 * time.Millisecond
)

// Tokens is what tenant-manager answers to a sign-in, and to an exchange.
type Tokens struct {
	Access  string `json:"accessToken"`
	Expires int    `json:"expiresIn"` // seconds
	Refresh string `json:"refreshToken"`
	Session string `json:"session"`
	User    struct {
		ID string `json:"id"`
	} `json:"user"`
	Organization struct {
		ID   string `json:"id"`
		Slug string `json:"slug"`
	} `json:"organization"`
	// Addresses are those from which the session can be used; none = all.
	Addresses []string `json:"allowedAddresses"`
}

// Issuer exchanges refresh tokens. A problem of status 401 says that the session
// has ended; any other error that it could not be found out.
type Issuer interface {
	Refresh(ctx context.Context, refreshToken string) (Tokens, error)
}

// Session is who is signed in.
type Session struct {
	// Access is the access token, valid until Until.
	Access string    `json:"access"`
	Until  time.Time `json:"until"`
	// CSRF is what scripts of our own pages send with every write.
	CSRF string `json:"csrf"`
	// ID is tenant-manager's id of the session.
	ID string `json:"id"`
	// Organization and Slug are the organization's id and short name.
	Organization string `json:"organization"`
	Slug         string `json:"slug"`

	// Addresses are networks (CIDR) from which the session can be used; none =
	// from everywhere.
	Addresses []string `json:"addresses,omitempty"`

	// Return is the cookie of the session to come back to from this one, in which
	// somebody acts as somebody else; "" = there is none.
	Return string `json:"return,omitempty"`

	// Handed is until when the session can be taken over by another host name; it is
	// good for nothing else.
	Handed time.Time `json:"handed,omitzero"`

	Refresh string `json:"refresh"`
	// Busy is until when a replica has taken it on itself to exchange tokens.
	Busy time.Time `json:"busy,omitzero"`
}

func (s *Session) take(t Tokens, now time.Time) {
	s.Access, s.Until, s.Refresh, s.ID = t.Access, now.Add(time.Duration(t.Expires)*time.Second), t.Refresh, t.Session
	s.Organization, s.Slug = t.Organization.ID, t.Organization.Slug
	s.Addresses, s.Busy = t.Addresses, time.Time{}
}

// From reports whether the session can be used from an address. What cannot be
// read fails closed.
func (s *Session) From(address string) bool {
	if len(s.Addresses) == 0 {
		return true
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, text := range s.Addresses {
		if n, err := netip.ParsePrefix(text); err == nil && n.Contains(a.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// Manager makes, finds and ends sessions. It is safe for concurrent use.
type Manager struct {
	store  Store
	ring   *secret.Keyring
	issuer Issuer
	now    func() time.Time
	flight singleflight.Group
}

// NewManager returns a manager that keeps sessions in a store, encrypted.
func NewManager(store Store, ring *secret.Keyring, issuer Issuer, now func() time.Time) *Manager {
	return &Manager{store: store, ring: ring, issuer: issuer, now: now}
}

// keyOf is where a session is kept: not the cookie itself, so that who reads the
// store cannot take over a session.
func keyOf(cookie string) string {
	sum := sha256.Sum256([]byte("gatehouse session " + cookie))
	return hex.EncodeToString(sum[:])
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// cookieLength is that of 32 bytes in base64url.
const cookieLength = 43

// Create begins a session with the tokens of a sign-in, and returns the value of
// its cookie. back is the cookie of the session to come back to when this one has
// ended; "" = none.
func (m *Manager) Create(ctx context.Context, t Tokens, back string) (cookie string, s Session, err error) {
	cookie = random(32)
	s.CSRF, s.Return = random(16), back
	s.take(t, m.now())
	key := keyOf(cookie)
	value, err := m.seal(key, s)
	if err == nil {
		err = m.store.Create(ctx, key, value)
	}
	if err != nil {
		return "", Session{}, away(err)
	}
	return cookie, s, nil
}

// Get returns the session of a cookie, with an access token that is still valid
// for a while. The error is ErrNone where there is no session, or a problem 503. Of
// a session that has ended just now, Return is still there.
func (m *Manager) Get(ctx context.Context, cookie string) (Session, error) {
	if len(cookie) != cookieLength {
		return Session{}, ErrNone
	}
	key := keyOf(cookie)
	s, _, err := m.load(ctx, key)
	if err == nil && (s.ID == "" || !s.Handed.IsZero()) {
		return Session{Return: s.Return}, ErrNone
	}
	if err != nil || m.now().Before(s.Until.Add(-ahead)) {
		return s, err
	}
	done := m.flight.DoChan(key, func() (any, error) {
		// Not cut short by the request that happens to be the first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshLimit)
		defer cancel()
		return m.refresh(ctx, key)
	})
	select {
	case r := <-done:
		if r.Err == nil {
			return r.Val.(Session), nil
		}
		if !errors.Is(r.Err, ErrNone) && m.now().Before(s.Until) {
			return s, nil // what there is will do for now
		}
		return Session{Return: s.Return}, r.Err
	case <-ctx.Done():
		return Session{}, context.Cause(ctx)
	}
}

// handing is how long a session waits to be taken over.
const handing = time.Minute

// Hand keeps a session for another host name, whose cookies are others, and returns
// the ticket by which it is taken over, once.
func (m *Manager) Hand(ctx context.Context, t Tokens) (ticket string, err error) {
	s := Session{Handed: m.now().Add(handing)}
	s.take(t, m.now())
	ticket = random(32)
	key := keyOf(ticket)
	value, err := m.seal(key, s)
	if err == nil {
		err = m.store.Create(ctx, key, value)
	}
	if err != nil {
		return "", away(err)
	}
	return ticket, nil
}

// Take takes a session over by its ticket. back is as in [Manager.Create]. The error
// is ErrNone where the ticket is of nothing, was used or has run out.
func (m *Manager) Take(ctx context.Context, ticket, back string) (cookie string, s Session, err error) {
	if len(ticket) != cookieLength {
		return "", Session{}, ErrNone
	}
	key := keyOf(ticket)
	s, revision, err := m.load(ctx, key)
	if err != nil {
		return "", Session{}, err
	}
	if s.Handed.IsZero() || !m.now().Before(s.Handed) {
		return "", Session{}, ErrNone
	}
	// Of two who take it at the same time one does.
	if _, err := m.save(ctx, key, Session{}, revision); err != nil {
		if errors.Is(err, ErrConflict) {
			err = ErrNone
		}
		return "", Session{}, err
	}
	s.Handed, s.CSRF, s.Return = time.Time{}, random(16), back
	cookie = random(32)
	value, err := m.seal(keyOf(cookie), s)
	if err == nil {
		err = m.store.Create(ctx, keyOf(cookie), value)
	}
	if err != nil {
		return "", Session{}, away(err)
	}
	return cookie, s, m.End(ctx, ticket)
}

// Leave ends a session in which somebody acts as somebody else. What is left of it
// leads back, for requests that are on their way.
func (m *Manager) Leave(ctx context.Context, cookie string) error {
	key := keyOf(cookie)
	s, revision, err := m.load(ctx, key)
	if err == nil {
		_, err = m.save(ctx, key, Session{Return: s.Return}, revision)
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNone) {
		return m.End(ctx, cookie)
	}
	return err
}

// End forgets a session.
func (m *Manager) End(ctx context.Context, cookie string) error {
	if len(cookie) != cookieLength {
		return nil
	}
	if err := m.store.Delete(ctx, keyOf(cookie)); err != nil {
		return away(err)
	}
	return nil
}

// refresh exchanges the tokens of a session, unless another replica is at it.
func (m *Manager) refresh(ctx context.Context, key string) (Session, error) {
	for {
		s, revision, err := m.load(ctx, key)
		now := m.now()
		switch {
		case err == nil && s.ID == "":
			return s, ErrNone
		case err != nil, now.Before(s.Until.Add(-ahead)):
			return s, err
		case now.Before(s.Busy) && now.Before(s.Until):
			return s, nil // good for as long as the other needs
		case now.Before(s.Busy):
			select {
			case <-time.After(look):
				continue
			case <-ctx.Done():
				return Session{}, away(context.Cause(ctx))
			}
		}
		s.Busy = now.Add(refreshLimit)
		revision, err = m.save(ctx, key, s, revision)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Session{}, err
		}
		return m.exchange(ctx, key, s, revision)
	}
}

// exchange is the part of refresh that one replica does.
func (m *Manager) exchange(ctx context.Context, key string, s Session, revision uint64) (Session, error) {
	t, err := m.issuer.Refresh(ctx, s.Refresh)
	var p *problem.Problem
	switch {
	case errors.As(err, &p) && p.Status == 401 && s.Return != "":
		if _, err := m.save(ctx, key, Session{Return: s.Return}, revision); err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNone) {
			return Session{}, err
		}
		return Session{}, ErrNone
	case errors.As(err, &p) && p.Status == 401:
		if err := m.store.Delete(ctx, key); err != nil {
			return Session{}, away(err)
		}
		return Session{}, ErrNone
	case err != nil:
		s.Busy = time.Time{}
		_, saved := m.save(ctx, key, s, revision) // else others wait until Busy
		return Session{}, away(errors.Join(err, saved))
	}
	s.take(t, m.now())
	if _, err := m.save(ctx, key, s, revision); err != nil {
		if errors.Is(err, ErrConflict) {
			err = ErrNone
		}
		return Session{}, err // signed out meanwhile
	}
	return s, nil
}

func (m *Manager) load(ctx context.Context, key string) (Session, uint64, error) {
	var s Session
	value, revision, err := m.store.Get(ctx, key)
	if errors.Is(err, ErrNone) {
		return s, 0, ErrNone
	}
	if err != nil {
		return s, 0, away(err)
	}
	plain, err := m.ring.Open(string(value), place(key))
	if err == nil {
		err = json.Unmarshal(plain, &s)
	}
	if err != nil { // of a key that is gone: as good as signed out
		return Session{}, 0, ErrNone
	}
	return s, revision, nil
}

func (m *Manager) save(ctx context.Context, key string, s Session, revision uint64) (uint64, error) {
	value, err := m.seal(key, s)
	if err != nil {
		return 0, err
	}
	next, err := m.store.Update(ctx, key, value, revision)
	if err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNone) {
		err = away(err)
	}
	return next, err
}

func place(key string) secret.Place {
	return secret.Place{Table: "sessions", Column: "value", Row: key}
}

func (m *Manager) seal(key string, s Session) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("keeping a session: %w", err)
	}
	return []byte(m.ring.Seal(plain, place(key))), nil
}

// away is the problem of sessions that cannot be reached.
func away(err error) error {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.CodeDependencyDown, "sessions cannot be reached at the moment; try again").Because(err).WithRetryAfter(time.Second)
}
