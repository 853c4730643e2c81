package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/egress"
)

const (
	// keysFresh is how long the keys at a jwks_uri are used without fetching them
	// again, and keysPause the least time between two fetches for a key that is not
	// among them.
	keysFresh = 5 * time.Minute
	keysPause = 30 * time.Second
	mostKeys  = 64 << 10
)

// remoteKeys fetches the keys of clients from where they say they are: addresses
// that third parties name, so it goes through a guard.
type remoteKeys struct {
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	known map[string]fetchedKeys
}

var errMoved = errors.New("keys are not where they are said to be")

type fetchedKeys struct {
	set *jose.JSONWebKeySet
	err error
	at  time.Time
}

var _ fosite.JWKSFetcherStrategy = (*remoteKeys)(nil)

func newRemoteKeys(rt http.RoundTripper, now func() time.Time) *remoteKeys {
	return &remoteKeys{
		client: &http.Client{
			Transport: rt, Timeout: 5 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errMoved
			},
		},
		now: now, known: map[string]fetchedKeys{},
	}
}

// Resolve implements fosite.JWKSFetcherStrategy.
func (k *remoteKeys) Resolve(ctx context.Context, location string, ignoreCache bool) (*jose.JSONWebKeySet, error) {
	now := k.now()
	k.mu.Lock()
	f, ok := k.known[location]
	k.mu.Unlock()
	pause := keysFresh
	if ignoreCache || f.err != nil { // at most so often, whoever asks
		pause = keysPause
	}
	if age := now.Sub(f.at); !ok || age >= pause || age < 0 {
		f = fetchedKeys{at: now}
		f.set, f.err = k.fetch(ctx, location)
		k.mu.Lock()
		if len(k.known) >= mostKnown {
			clear(k.known)
		}
		k.known[location] = f
		k.mu.Unlock()
	}
	var away *outage
	if errors.As(f.err, &away) { // it says nothing about who asks
		return nil, f.err
	}
	if f.err != nil {
		return nil, fosite.ErrInvalidClient.WithHint("The keys of the client cannot be had from its jwks_uri.").WithWrap(f.err)
	}
	return f.set, nil
}

func (k *remoteKeys) fetch(ctx context.Context, location string) (*jose.JSONWebKeySet, error) {
	u, err := url.Parse(location)
	if err != nil || !WebAddress(location) {
		return nil, errors.New("this is not an address with https")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := k.client.Do(r)
	var guarded *egress.RefusedError
	if errors.Is(err, errMoved) || errors.As(err, &guarded) { // the address is wrong, and stays so
		return nil, fmt.Errorf("fetching keys: %w", err)
	}
	if err != nil {
		return nil, lost(fmt.Errorf("fetching keys: %w", err))
	}
	defer func() { _ = res.Body.Close() }() // only read
	if res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests {
		return nil, lost(fmt.Errorf("fetching keys: the answer has status %d", res.StatusCode))
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching keys: the answer has status %d", res.StatusCode)
	}
	doc, err := io.ReadAll(io.LimitReader(res.Body, mostKeys+1))
	if err != nil {
		return nil, fmt.Errorf("fetching keys: %w", err)
	}
	if len(doc) > mostKeys {
		return nil, errors.New("fetching keys: the answer is too large")
	}
	return ParseJWKS(string(doc))
}
