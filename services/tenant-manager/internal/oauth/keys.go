package oauth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v3"

	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/signing"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// The algorithms that tokens can be signed with (RFC 7518, RFC 8037).
const (
	EdDSA = "EdDSA"
	RS256 = "RS256"
)

const (
	// keyOverlap is how long a key is published after it has signed for the last
	// time, and at least before it signs for the first time: longer than any
	// token lives, by what instances may be late to hear of another key.
	keyOverlap = LongestAccess + time.Hour
	rsaBits    = 2048
)

// turning is how the keys of organizations are turned.
var turning = signing.Rules{Period: signing.Period, Overlap: keyOverlap}

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

// Published reports whether others still take what a key signed: until all that it
// signed has run out.
func (k Key) Published(now time.Time) bool {
	return k.Until.IsZero() || now.Before(k.Until.Add(keyOverlap))
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

// turns returns what the rules know of keys.
func turns(keys []Key) []signing.Turn {
	out := make([]signing.Turn, len(keys))
	for i, k := range keys {
		out[i] = signing.Turn{ID: k.ID, Number: k.number, ActiveFrom: k.ActiveFrom}
	}
	return out
}
