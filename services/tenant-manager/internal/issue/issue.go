// Package issue signs access tokens and publishes the keys that they are
// verified with. It keeps the keys in memory for a while, so that a token costs
// no query; it does not rotate them.
package issue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/signing"
)

// keep is how long keys are used without reading them again: a new one is
// published long before it signs.
const keep = time.Minute

// Issuer signs access tokens. It is safe for concurrent use.
type Issuer struct {
	load   func(context.Context) ([]signing.Key, error)
	now    func() time.Time
	flight singleflight.Group

	mu    sync.RWMutex
	keys  []signing.Key
	at    time.Time
	first chan struct{} // closed when there are keys
}

// New returns an issuer that reads keys with load.
func New(load func(context.Context) ([]signing.Key, error), now func() time.Time) *Issuer {
	return &Issuer{load: load, now: now, first: make(chan struct{})}
}

var errNoKey = errors.New("there is no key to sign with")

// Token returns an access token for a principal, valid for [authn.Lifetime].
func (i *Issuer) Token(ctx context.Context, p authn.Principal) (string, error) {
	keys, err := i.get(ctx)
	if err != nil {
		return "", err
	}
	now := i.now()
	k, ok := signing.Current(keys, now)
	if !ok {
		return "", errNoKey
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("naming an access token: %w", err)
	}
	return authn.NewClaims(p, id.String(), now).Sign(k.ID, k.Private)
}

// KeySet returns the public keys: the one that signs, the one before, and the
// next.
func (i *Issuer) KeySet(ctx context.Context) (tenant.KeySet, error) {
	keys, err := i.get(ctx)
	if err != nil {
		return tenant.KeySet{}, err
	}
	out := tenant.KeySet{Keys: make([]json.RawMessage, len(keys))}
	for n, k := range keys {
		out.Keys[n] = authn.JWK(k.ID, k.Public())
	}
	return out, nil
}

// Set gives the issuer keys that were just read.
func (i *Issuer) Set(keys []signing.Key) {
	if len(keys) == 0 {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.keys) == 0 {
		close(i.first)
	}
	i.keys, i.at = keys, i.now()
}

func (i *Issuer) get(ctx context.Context) ([]signing.Key, error) {
	i.mu.RLock()
	keys, fresh := i.keys, i.now().Sub(i.at) < keep
	i.mu.RUnlock()
	if fresh && len(keys) > 0 {
		return keys, nil
	}
	_, err, _ := i.flight.Do("", func() (any, error) {
		read, err := i.load(context.WithoutCancel(ctx))
		if err == nil {
			i.Set(read)
		}
		return nil, err
	})
	if len(keys) == 0 { // at the first start of all they are being made
		select {
		case <-i.first:
		case <-ctx.Done():
			return nil, errors.Join(err, errNoKey)
		}
	}
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.keys, nil // old ones do while the database is away
}
