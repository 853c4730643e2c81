package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// turnLimit is how long turning keys may take, and turnAgain how long it is left
	// alone after it failed while there is a key that signs.
	turnLimit = 10 * time.Second
	turnAgain = time.Minute
	// turnTries is how often it is looked again after somebody else was faster.
	turnTries = 20
)

// keyring keeps the keys of organizations in memory for a moment.
type keyring struct {
	store *store.Store
	now   func() time.Time
	log   *slog.Logger
	audit func(ctx context.Context, tx *db.Tx, e service.Entry) error
	// flight turns the keys of an organization once at a time.
	flight singleflight.Group

	mu    sync.Mutex
	rings map[string]*ring
	// failed is when turning the keys of an organization and an algorithm failed.
	failed map[string]time.Time
}

type ring struct {
	keys []Key
	at   time.Time
}

// all returns the keys of an organization, by algorithm and number, those too that
// are over and not gone yet.
func (r *keyring) all(ctx context.Context, organization string) ([]Key, error) {
	now := r.now()
	r.mu.Lock()
	known := r.rings[organization]
	r.mu.Unlock()
	if known != nil && now.Sub(known.at) < fresh && now.Sub(known.at) >= 0 {
		return known.keys, nil
	}
	rows, err := r.store.For(organization).OAuthKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of an organization: %w", err)
	}
	keys := make([]Key, 0, len(rows))
	for _, row := range rows {
		k, err := parsed(known, row)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	for i := range keys {
		if i+1 < len(keys) && keys[i+1].Algorithm == keys[i].Algorithm {
			keys[i].Until = keys[i+1].ActiveFrom
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rings[organization] = &ring{keys: keys, at: now}
	return keys, nil
}

// list returns the keys of an organization that are published, by algorithm and
// number.
func (r *keyring) list(ctx context.Context, organization string) ([]Key, error) {
	keys, err := r.all(ctx, organization)
	if err != nil {
		return nil, err
	}
	now := r.now()
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return !k.Published(now) }), nil
}

// parsed returns a key, without reading again what is known.
func parsed(known *ring, row store.OAuthKey) (Key, error) {
	if known != nil {
		for _, k := range known.keys {
			if k.ID == row.ID {
				k.ActiveFrom, k.Until = row.ActiveFrom.UTC(), time.Time{}
				return k, nil
			}
		}
	}
	return readKey(row)
}

func (r *keyring) forget(organization string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.rings[organization]; k != nil {
		r.rings[organization] = &ring{keys: k.keys}
	}
}

func active(keys []Key, now time.Time) (Key, bool) {
	for _, k := range keys {
		if k.State(now) == "active" {
			return k, true
		}
	}
	return Key{}, false
}

// signer returns the key that signs now, after what is due has been done to the
// keys of the algorithm. That it cannot be done keeps nobody from the key there is.
func (r *keyring) signer(ctx context.Context, organization, algorithm string) (Key, error) {
	keys, err := r.all(ctx, organization)
	if err != nil {
		return Key{}, err
	}
	now := r.now()
	of := ofAlgorithm(keys, algorithm)
	k, ok := active(of, now)
	if turning.Plan(turns(of), now).Nothing() || ok && r.paused(organization, algorithm, now) {
		return k, nil
	}
	if err := r.turn(ctx, organization, algorithm); err != nil {
		if !ok {
			return Key{}, err
		}
		r.pause(organization, algorithm, now)
		r.log.WarnContext(ctx, "the keys of an organization could not be turned; it is tried again", "organization", organization, "err", err)
		return k, nil
	}
	if keys, err = r.all(ctx, organization); err != nil {
		return Key{}, err
	}
	if k, ok = active(ofAlgorithm(keys, algorithm), r.now()); !ok {
		return Key{}, errors.New("there is no key to sign with")
	}
	return k, nil
}

func (r *keyring) paused(organization, algorithm string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.failed[organization+" "+algorithm]
	return ok && now.Sub(at) < turnAgain && now.Sub(at) >= 0
}

func (r *keyring) pause(organization, algorithm string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failed) >= mostKnown {
		clear(r.failed)
	}
	r.failed[organization+" "+algorithm] = now
}

// byID returns a key that is published now.
func (r *keyring) byID(ctx context.Context, organization, id string) (Key, bool, error) {
	keys, err := r.all(ctx, organization)
	if err != nil {
		return Key{}, false, err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	if i < 0 || !keys[i].Published(r.now()) {
		return Key{}, false, nil
	}
	return keys[i], true, nil
}

func ofAlgorithm(keys []Key, algorithm string) []Key {
	var out []Key
	for _, k := range keys {
		if k.Algorithm == algorithm {
			out = append(out, k)
		}
	}
	return out
}

// turn does what the rules say is due, once for all who ask for it at a time.
// Instances may do it at the same time.
func (r *keyring) turn(ctx context.Context, organization, algorithm string) error {
	_, err, _ := r.flight.Do(organization+" "+algorithm, func() (any, error) {
		// It is for others as well: it does not end with the one who asked first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), turnLimit)
		defer cancel()
		return nil, r.rotate(ctx, organization, algorithm)
	})
	return err
}

func (r *keyring) rotate(ctx context.Context, organization, algorithm string) error {
	for range turnTries {
		r.forget(organization)
		keys, err := r.all(ctx, organization)
		if err != nil {
			return err
		}
		of := ofAlgorithm(keys, algorithm)
		p := turning.Plan(turns(of), r.store.Now())
		if p.Nothing() {
			return nil
		}
		rows, err := r.rows(of, algorithm, p.Make)
		if err != nil {
			return err
		}
		err = r.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
			for i := range rows {
				if err := r.create(ctx, tx, &rows[i], ours); err != nil {
					return err
				}
			}
			_, err := tx.DeleteOAuthKeys(ctx, p.Drop...)
			return err
		})
		if err != nil && !errors.Is(err, db.ErrDuplicate) { // another instance was faster: look again
			return fmt.Errorf("turning the keys of an organization: %w", err)
		}
	}
	return errBusy
}

// errBusy says that others turned the same keys again and again.
var errBusy = errors.New("turning the keys of an organization: others do it at the same time")

// ours is who makes keys when it is time.
var ours = audit.Actor{Kind: "service", ID: tenant.Service, Name: tenant.Service}

// keyState is what the audit trail says of a key.
type keyState struct {
	State      string     `json:"state"`
	ActiveFrom *time.Time `json:"activeFrom,omitempty"`
}

// create keeps a key, and says so in the trail. The zero actor is who asks.
func (r *keyring) create(ctx context.Context, tx *store.Tx, k *store.OAuthKey, by audit.Actor) error {
	if err := tx.CreateOAuthKey(ctx, k); err != nil {
		return err
	}
	state := Key{ActiveFrom: k.ActiveFrom}.State(k.CreatedAt)
	return r.record(ctx, tx, "oauth-key.created", k.ID, k.Algorithm, by, nil, keyState{state, &k.ActiveFrom})
}

func (r *keyring) record(ctx context.Context, tx *store.Tx, action, id, algorithm string, by audit.Actor, before, after any) error {
	return r.audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "oauth-key", ID: id, Name: algorithm}, Organization: tx.ID(), Actor: by, Before: before, After: after,
	})
}

// rows makes new keys outside of any transaction: it takes a while.
func (r *keyring) rows(have []Key, algorithm string, times []time.Time) ([]store.OAuthKey, error) {
	var number int64
	for _, k := range have {
		number = max(number, k.number)
	}
	out := make([]store.OAuthKey, len(times))
	for i, from := range times {
		var err error
		if out[i], err = newKey(algorithm, number+int64(i)+1, from); err != nil {
			return nil, err
		}
	}
	return out, nil
}
