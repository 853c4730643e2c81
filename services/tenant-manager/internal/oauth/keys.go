package oauth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// The algorithms that tokens can be signed with (RFC 7518, RFC 8037).
const (
	EdDSA = "EdDSA"
	RS256 = "RS256"
)

const (
	// keyPeriod is how long a key signs.
	keyPeriod = 30 * 24 * time.Hour
	// keyOverlap is how long a key is published after it has signed for the last
	// time, and at least before it signs for the first time: longer than any
	// token lives.
	keyOverlap = 24 * time.Hour
	rsaBits    = 2048
)

// Key is a key that tokens are signed with.
type Key struct {
	// ID is the kid.
	ID        string
	Algorithm string
	// ActiveFrom is when it begins to sign, Until when it has signed for the last
	// time; the zero time where that is open.
	ActiveFrom, Until time.Time
	CreatedAt         time.Time
	number            int64
	private           crypto.Signer
}

// State says what a key is for now: it signs, will sign, or did and is still
// published.
func (k Key) State(now time.Time) string {
	switch {
	case k.ActiveFrom.After(now):
		return "next"
	case k.Until.IsZero() || now.Before(k.Until):
		return "active"
	}
	return "previous"
}

// PublicJWK returns the public key (RFC 7517).
func (k Key) PublicJWK() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
}

func newPrivate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("there is no algorithm %q", algorithm)
}

// newKey makes a key and the row that keeps it.
func newKey(algorithm string, number int64, from time.Time) (store.OAuthKey, error) {
	private, err := newPrivate(algorithm)
	if err != nil {
		return store.OAuthKey{}, fmt.Errorf("making a key: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return store.OAuthKey{}, fmt.Errorf("encoding a key: %w", err)
	}
	jwk := jose.JSONWebKey{Key: private.Public()}
	sum, err := jwk.Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return store.OAuthKey{}, fmt.Errorf("naming a key: %w", err)
	}
	return store.OAuthKey{
		ID: base64.RawURLEncoding.EncodeToString(sum), Algorithm: algorithm, Number: number, ActiveFrom: from,
		PrivateKey: secret.NewText(base64.StdEncoding.EncodeToString(raw)),
	}, nil
}

func readKey(row store.OAuthKey) (Key, error) {
	raw, err := base64.StdEncoding.DecodeString(row.PrivateKey.Reveal())
	if err != nil {
		return Key{}, fmt.Errorf("key %s is damaged", row.ID)
	}
	private, err := x509.ParsePKCS8PrivateKey(raw)
	signer, ok := private.(crypto.Signer)
	if err != nil || !ok {
		return Key{}, fmt.Errorf("key %s is damaged", row.ID)
	}
	return Key{ID: row.ID, Algorithm: row.Algorithm, ActiveFrom: row.ActiveFrom.UTC(), CreatedAt: row.CreatedAt.UTC(), number: row.Number, private: signer}, nil
}

// plan is what has to be done with the keys of one algorithm.
type plan struct {
	// make is when each new key begins to sign, in order.
	make []time.Time
	// drop are the ids of keys that nothing needs any more.
	drop []string
}

// rotation returns what has to be done with the keys of one algorithm, by
// number: there is one that signs, one that will after it, published long before,
// and those before it for as long as their tokens live.
func rotation(keys []Key, now time.Time) plan {
	var p plan
	current := -1
	next := false
	for i, k := range keys {
		if k.ActiveFrom.After(now) {
			next = true
		} else {
			current = i
		}
	}
	from := now
	if current < 0 {
		p.make = append(p.make, now)
	} else {
		from = keys[current].ActiveFrom
	}
	if !next {
		at := from.Add(keyPeriod)
		if soonest := now.Add(keyOverlap); at.Before(soonest) {
			at = soonest
		}
		p.make = append(p.make, at)
	}
	for i, k := range keys {
		if i < current && !now.Before(keys[i+1].ActiveFrom.Add(keyOverlap)) {
			p.drop = append(p.drop, k.ID)
		}
	}
	return p
}

// keyring keeps the keys of organizations in memory for a moment.
type keyring struct {
	store *store.Store
	now   func() time.Time

	mu    sync.Mutex
	rings map[string]*ring
}

type ring struct {
	keys []Key
	at   time.Time
}

// list returns the keys of an organization, by algorithm and number.
func (r *keyring) list(ctx context.Context, organization string) ([]Key, error) {
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
		k, err := r.parsed(known, row)
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

// parsed returns a key, without reading again what is known.
func (r *keyring) parsed(known *ring, row store.OAuthKey) (Key, error) {
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
		k.at = time.Time{}
	}
}

// signer returns the key that signs now, made where there is none of the
// algorithm yet.
func (r *keyring) signer(ctx context.Context, organization, algorithm string) (Key, error) {
	for range 2 {
		keys, err := r.list(ctx, organization)
		if err != nil {
			return Key{}, err
		}
		now := r.now()
		for _, k := range keys {
			if k.Algorithm == algorithm && k.State(now) == "active" {
				return k, nil
			}
		}
		if err := r.rotate(ctx, organization, algorithm); err != nil {
			return Key{}, err
		}
	}
	return Key{}, errors.New("there is no key to sign with")
}

// byID returns a published key.
func (r *keyring) byID(ctx context.Context, organization, id string) (Key, bool, error) {
	keys, err := r.list(ctx, organization)
	if err != nil {
		return Key{}, false, err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	if i < 0 {
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

// rotate does what [rotation] says. Instances may do it at the same time.
func (r *keyring) rotate(ctx context.Context, organization, algorithm string) error {
	for {
		r.forget(organization)
		keys, err := r.list(ctx, organization)
		if err != nil {
			return err
		}
		of := ofAlgorithm(keys, algorithm)
		p := rotation(of, r.now())
		if len(p.make) == 0 && len(p.drop) == 0 {
			return nil
		}
		rows, err := r.rows(of, algorithm, p.make)
		if err != nil {
			return err
		}
		err = r.store.Tx(ctx, organization, "", func(tx *store.Tx) error {
			for i := range rows {
				if err := tx.CreateOAuthKey(ctx, &rows[i]); err != nil {
					return err
				}
			}
			_, err := tx.DeleteOAuthKeys(ctx, p.drop...)
			return err
		})
		if err != nil && !errors.Is(err, db.ErrDuplicate) { // another instance was faster: look again
			return fmt.Errorf("rotating the keys of an organization: %w", err)
		}
	}
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

// Keys returns the keys of an organization: of both algorithms, so that others
// have them before the first token.
func (s *Server) Keys(ctx context.Context, organization string) ([]Key, error) {
	for _, algorithm := range []string{EdDSA, RS256} {
		if _, err := s.keys.signer(ctx, organization, algorithm); err != nil {
			return nil, err
		}
	}
	return s.keys.list(ctx, organization)
}

// keyState is what the audit trail says of a key.
type keyState struct {
	State string `json:"state"`
}

// RotateKeys has the next key of an algorithm sign from now on, and makes the one
// after it. The one before stays published for as long as its tokens live.
func (s *Server) RotateKeys(ctx context.Context, organization, by, algorithm string) ([]Key, error) {
	if _, err := s.keys.signer(ctx, organization, algorithm); err != nil {
		return nil, err
	}
	s.keys.forget(organization)
	keys, err := s.keys.list(ctx, organization)
	if err != nil {
		return nil, err
	}
	now := s.now()
	of := ofAlgorithm(keys, algorithm)
	rows, err := s.keys.rows(of, algorithm, []time.Time{now.Add(keyPeriod)})
	if err != nil {
		return nil, err
	}
	err = s.store.Tx(ctx, organization, by, func(tx *store.Tx) error {
		for _, k := range of {
			if k.State(now) != "next" {
				continue
			}
			if err := tx.ActivateOAuthKey(ctx, k.ID, now); err != nil {
				return err
			}
			err := s.audit(ctx, tx.DB(), service.Entry{
				Action: "oauth-key.rotated", Target: audit.Target{Kind: "oauth-key", ID: k.ID, Name: k.Algorithm}, Organization: organization,
				Before: keyState{"next"}, After: keyState{"active"},
			})
			if err != nil {
				return err
			}
			break
		}
		return tx.CreateOAuthKey(ctx, &rows[0])
	})
	s.keys.forget(organization)
	if err != nil {
		return nil, err
	}
	return s.keys.list(ctx, organization)
}
