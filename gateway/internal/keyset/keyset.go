// Package keyset fetches and keeps JSON Web Key Sets: one copy per address for
// the whole gateway, refreshed in the background, with the last good keys kept
// for an outage of the identity provider, on disk too. It knows nothing of
// tokens.
package keyset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// The defaults of [policy.KeySetOptions].
const (
	DefaultRefresh  = 10 * time.Minute
	DefaultMaxStale = 24 * time.Hour
	DefaultCooldown = 10 * time.Second
)

// Options are what [New] needs.
type Options struct {
	// HTTP makes the requests. It must have a time limit; redirects are not
	// followed, whatever it says.
	HTTP *http.Client
	// Now is the clock; nil = time.Now.
	Now func() time.Time
	Log *slog.Logger
	// Dir is where the last good keys are kept for a restart; "" = nowhere.
	Dir string
}

// Sets is a [policy.KeySets].
type Sets struct {
	http *http.Client
	now  func() time.Time
	log  *slog.Logger
	dir  string
	gen  atomic.Uint64

	ctx    context.Context //nolint:containedctx // the life of all fetches
	cancel context.CancelFunc
	wg     sync.WaitGroup
	ending sync.RWMutex // no fetch begins once Close waits for those under way

	mu   sync.Mutex
	sets map[string]*remote
}

var _ policy.KeySets = (*Sets)(nil)

// New returns an empty collection. Close it when done. Run it to refresh sets
// in the background.
func New(o Options) *Sets {
	s := &Sets{now: o.Now, log: o.Log, dir: o.Dir, sets: map[string]*remote{}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	client := http.Client{Timeout: 10 * time.Second}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil
	s.http = &client
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Run refreshes what is due until ctx ends.
func (s *Sets) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.refreshDue()
		}
	}
}

func (s *Sets) refreshDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, r := range s.sets {
		r.mu.Lock()
		if !now.Before(r.due) {
			r.fetch(s)
		}
		r.mu.Unlock()
	}
}

// Close ends all fetches and waits for them.
func (s *Sets) Close() {
	s.ending.Lock()
	s.cancel()
	s.ending.Unlock()
	s.wg.Wait()
}

// Open returns the key set at an address; see [policy.KeySets].
func (s *Sets) Open(address string, o policy.KeySetOptions) (policy.KeySet, error) {
	if err := allowed(address, o.AllowHTTP); err != nil {
		return nil, err
	}
	orDefault(&o.Refresh, DefaultRefresh)
	orDefault(&o.MaxStale, DefaultMaxStale)
	orDefault(&o.Cooldown, DefaultCooldown)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sets[address]
	if r == nil {
		r = &remote{url: address, handles: map[*handle]struct{}{}}
		r.load(s)
		s.sets[address] = r
	}
	h := &handle{sets: s, remote: r, maxStale: o.MaxStale, refresh: o.Refresh, cooldown: o.Cooldown}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handles[h] = struct{}{}
	r.rules()
	r.settle()
	if r.fetched.IsZero() || r.fromDisk || s.now().Sub(r.fetched) >= r.refresh {
		r.fetch(s)
	}
	return h, nil
}

func orDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

// allowed returns why keys are not fetched from an address.
func allowed(address string, plain bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return errors.New("the address of the key set is not a URL") //nolint:err113 // for people
	case u.User != nil:
		return errors.New("the address of the key set has a user name in it; public keys need none") //nolint:err113 // for people
	case u.Fragment != "":
		return errors.New("the address of the key set has a fragment") //nolint:err113 // for people
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("the address of the key set has the scheme %.20q; use https", u.Scheme) //nolint:err113 // for people
	case plain || loopback(u.Hostname()):
		return nil
	}
	return errors.New("the address of the key set is not https: whoever is between could hand in keys") //nolint:err113 // for people
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Static returns a key set of a JWKS document, or of public keys and
// certificates in PEM. All keys must be good.
func (s *Sets) Static(doc []byte) (policy.KeySet, error) {
	var keys []policy.Key
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(doc), []byte("-----BEGIN ")) {
		keys, err = parsePEM(doc)
	} else {
		keys, _, err = parseSet(doc, true, true)
	}
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no keys") //nolint:err113 // for people
	}
	return static(keys), nil
}

type static []policy.Key

func (k static) Keys(_ context.Context, kid, alg string) ([]policy.Key, error) {
	found, _ := candidates(k, kid, alg)
	return found, nil
}

func (static) Generation() uint64 { return 1 }

func (static) Close() {}

// Status is what is known of one key set, for metrics and the admin listener.
type Status struct {
	URL string
	// Keys is how many keys are held, Fetched when they were fetched.
	Keys    int
	Fetched time.Time
	// Failing is the reason of the last fetch's failure, "" where it succeeded.
	Failing string
}

// Status returns the state of all open key sets.
func (s *Sets) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Status, 0, len(s.sets))
	for _, r := range s.sets {
		r.mu.Lock()
		st := Status{URL: r.url, Keys: len(r.keys), Fetched: r.fetched}
		if r.err != nil {
			st.Failing = r.err.Error()
		}
		r.mu.Unlock()
		out = append(out, st)
	}
	return out
}
