package session_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// issuer is tenant-manager: each refresh token is good for one exchange.
type issuer struct {
	mu    sync.Mutex
	n     int
	ended bool
	away  error
	hold  chan struct{} // where not nil, exchanges wait for it
	begun chan struct{}
}

func (i *issuer) issue() session.Tokens {
	i.n++
	t := session.Tokens{Access: "access-" + strconv.Itoa(i.n), Refresh: "refresh-" + strconv.Itoa(i.n), Expires: 300, Session: "s1"}
	t.Organization.ID, t.Organization.Slug = "o1", "acme"
	return t
}

func (i *issuer) Refresh(ctx context.Context, token string) (session.Tokens, error) {
	if i.hold != nil {
		i.begun <- struct{}{}
		select {
		case <-i.hold:
		case <-ctx.Done():
			return session.Tokens{}, ctx.Err()
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.away != nil:
		return session.Tokens{}, i.away
	case i.ended || token != "refresh-"+strconv.Itoa(i.n):
		i.ended = true
		return session.Tokens{}, problem.New(problem.CodeCredentialExpired, "the session has ended")
	}
	return i.issue(), nil
}

func ring(t *testing.T) *secret.Keyring {
	t.Helper()
	r, err := secret.ParseKeyring(secret.NewKey("k1"))
	require.NoError(t, err)
	return r
}

func TestASessionOutlivesItsTokens(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		ctx, clock, who, store, keys := t.Context(), testkit.NewClock(), &issuer{}, open(time.Hour), ring(t)
		m := session.NewManager(store, keys, who, clock.Now)
		cookie, s, err := m.Create(ctx, who.issue(), "")
		require.NoError(t, err)
		require.Len(t, cookie, 43)
		require.NotEmpty(t, s.CSRF)
		got, err := m.Get(ctx, cookie)
		require.NoError(t, err)
		require.Equal(t, "access-1", got.Access)
		require.Equal(t, "acme", got.Slug)
		require.Equal(t, s.CSRF, got.CSRF)
		clock.Advance(4*time.Minute - time.Second)
		got, err = m.Get(ctx, cookie)
		require.NoError(t, err)
		require.Equal(t, "access-1", got.Access)

		clock.Advance(time.Second) // a minute before its end, many ask at once, in two replicas
		other := session.NewManager(store, keys, who, clock.Now)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				on := m
				if i%2 == 0 {
					on = other
				}
				if _, err := on.Get(ctx, cookie); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err = m.Get(ctx, cookie)
		require.NoError(t, err)
		require.Equal(t, "access-2", got.Access, "exchanged once")
		require.False(t, who.ended)

		clock.Advance(time.Hour) // long after its end
		got, err = other.Get(ctx, cookie)
		require.NoError(t, err)
		require.Equal(t, "access-3", got.Access)

		for _, wrong := range []string{"", "x", cookie[:42] + "!", cookie + "x"} {
			_, err = m.Get(ctx, wrong)
			require.ErrorIs(t, err, session.ErrNone, wrong)
			require.NoError(t, m.End(ctx, wrong))
		}
		require.NoError(t, m.End(ctx, cookie))
		_, err = m.Get(ctx, cookie)
		require.ErrorIs(t, err, session.ErrNone)
	})
}

func TestTenantManagerEndsASession(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		ctx, clock, who := t.Context(), testkit.NewClock(), &issuer{}
		m := session.NewManager(open(time.Hour), ring(t), who, clock.Now)
		cookie, _, err := m.Create(ctx, who.issue(), "")
		require.NoError(t, err)
		who.away = errors.New("gone")
		clock.Advance(4 * time.Minute)
		got, err := m.Get(ctx, cookie)
		require.NoError(t, err, "what there is will do for now")
		require.Equal(t, "access-1", got.Access)
		clock.Advance(2 * time.Minute)
		_, err = m.Get(ctx, cookie)
		require.True(t, problem.Is(err, problem.CodeDependencyDown), "%v", err)
		who.away = nil
		got, err = m.Get(ctx, cookie)
		require.NoError(t, err)
		require.Equal(t, "access-2", got.Access)
		who.ended = true
		clock.Advance(10 * time.Minute)
		_, err = m.Get(ctx, cookie)
		require.ErrorIs(t, err, session.ErrNone)
		who.ended = false
		_, err = m.Get(ctx, cookie)
		require.ErrorIs(t, err, session.ErrNone, "it does not come back")
	})
}

// Acting as somebody else ends at tenant-manager: what is left leads back, for
// every request that still comes.
func TestAnEndedSessionLeadsBack(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		ctx, clock, who := t.Context(), testkit.NewClock(), &issuer{}
		m := session.NewManager(open(time.Hour), ring(t), who, clock.Now)
		cookie, _, err := m.Create(ctx, who.issue(), "back")
		require.NoError(t, err)
		who.ended = true
		clock.Advance(10 * time.Minute)
		for range 2 {
			s, err := m.Get(ctx, cookie)
			require.ErrorIs(t, err, session.ErrNone)
			require.Equal(t, "back", s.Return)
			require.Empty(t, s.Access)
		}
		who.ended = false
		cookie, _, err = m.Create(ctx, who.issue(), "back")
		require.NoError(t, err)
		require.NoError(t, m.Leave(ctx, cookie))
		s, err := m.Get(ctx, cookie)
		require.ErrorIs(t, err, session.ErrNone)
		require.Equal(t, "back", s.Return)
		require.NoError(t, m.Leave(ctx, strings.Repeat("x", 43)), "one that is not there")
	})
}

// Signed out while tokens are exchanged: nothing comes back. A replica that died
// with the exchange in hand is made up for.
func TestASessionThatEndsWhileItIsRefreshed(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		ctx, clock := t.Context(), testkit.NewClock()
		who := &issuer{}
		store, keys := open(time.Hour), ring(t)
		m := session.NewManager(store, keys, who, clock.Now)
		cookie, _, err := m.Create(ctx, who.issue(), "")
		require.NoError(t, err)
		clock.Advance(10 * time.Minute)
		who.hold, who.begun = make(chan struct{}), make(chan struct{}, 8)
		got := make(chan error, 1)
		go func() { _, err := m.Get(ctx, cookie); got <- err }()
		<-who.begun
		left, cancel := context.WithCancel(ctx)
		cancel()
		_, err = m.Get(left, cookie)
		require.Error(t, err, "who leaves is not waited for")
		require.NoError(t, m.End(ctx, cookie))
		close(who.hold)
		require.ErrorIs(t, <-got, session.ErrNone)
		_, err = m.Get(ctx, cookie)
		require.ErrorIs(t, err, session.ErrNone)
	})
}

func TestWhatIsKeptIsEncrypted(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		store := &recording{Store: open(time.Hour)}
		who := &issuer{}
		m := session.NewManager(store, ring(t), who, time.Now)
		cookie, _, err := m.Create(t.Context(), who.issue(), "")
		require.NoError(t, err)
		require.NotContains(t, store.seen, "access-1")
		require.NotContains(t, store.seen, cookie)
		_, err = session.NewManager(store, ring(t), who, time.Now).Get(t.Context(), cookie)
		require.ErrorIs(t, err, session.ErrNone, "without its key a session is none")
	})
}

// recording is a store that shows what it is given.
type recording struct {
	session.Store
	seen string
}

func (r *recording) Create(ctx context.Context, key string, value []byte) error {
	r.seen += key + string(value)
	return r.Store.Create(ctx, key, value)
}

// A session that is bound to networks is good from nowhere else, and from nowhere
// where it cannot be told.
func TestSessionsAreBoundToAddresses(t *testing.T) {
	t.Parallel()
	free, bound, broken := session.Session{}, session.Session{Addresses: []string{"10.0.0.0/8", "2001:db8::/32"}}, session.Session{Addresses: []string{"x"}}
	require.True(t, free.From(""))
	for _, a := range []string{"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"} {
		require.True(t, bound.From(a), a)
		require.False(t, broken.From(a), a)
	}
	for _, a := range []string{"11.0.0.1", "", "x", "2001:db9::1"} {
		require.False(t, bound.From(a), a)
	}
}
