package unit

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"
)

// Manifest is what a gateway group must serve: for each project the index of
// its units, and the group's own units. It is the only thing that changes in
// place, and so the only thing that is signed.
type Manifest struct {
	// Group is the gateway group.
	Group string `json:"group"`
	// Epoch identifies the history that versions count in. It changes when the
	// control plane was restored from a backup, which gateways must notice.
	Epoch string `json:"epoch"`
	// Version rises with every change within an epoch.
	Version uint64 `json:"version"`
	// Issued is when the manifest was made, UTC.
	Issued time.Time `json:"issued"`
	// Units are the group's own: settings, certificates, policy sets.
	Units []Ref `json:"units,omitempty"`
	// Projects point to one index each, ordered by name.
	Projects []Ref `json:"projects,omitempty"`
}

// Signed is a manifest as it travels.
type Signed struct {
	// Payload is the canonical JSON of the manifest.
	Payload []byte `json:"payload"`
	// Signatures are by the keys that are valid now; one good one suffices, so
	// that keys can be exchanged without a break.
	Signatures []Signature `json:"signatures"`
}

// Signature is an Ed25519 signature (RFC 8032) over the payload.
type Signature struct {
	// Key is the id of the key: the first 16 hex digits of the SHA-256 of the
	// public key.
	Key string `json:"key"`
	Sig []byte `json:"sig"`
}

// signContext keeps a signature over a manifest from being taken for one over
// anything else that the same key might sign.
const signContext = "gatehouse manifest v1\x00"

// KeyID returns the id of a public key.
func KeyID(key ed25519.PublicKey) string { return string(HashOf(key))[:16] }

// Sign returns the manifest signed by key.
func Sign(m Manifest, keys ...ed25519.PrivateKey) (Signed, error) {
	payload, err := Canonical(m)
	if err != nil {
		return Signed{}, err
	}
	s := Signed{Payload: payload}
	for _, k := range keys {
		pub, _ := k.Public().(ed25519.PublicKey)
		s.Signatures = append(s.Signatures, Signature{
			Key: KeyID(pub), Sig: ed25519.Sign(k, append([]byte(signContext), payload...)),
		})
	}
	return s, nil
}

// The reasons for which a manifest is not accepted.
var (
	ErrUnsigned = errors.New("manifest has no signature of a trusted key")
	ErrOlder    = errors.New("manifest is older than the one in use")
)

// Open returns the manifest where one of the trusted keys has signed it.
func (s Signed) Open(trusted ...ed25519.PublicKey) (Manifest, error) {
	for _, sig := range s.Signatures {
		for _, k := range trusted {
			if sig.Key == KeyID(k) && ed25519.Verify(k, append([]byte(signContext), s.Payload...), sig.Sig) {
				return Decode[Manifest](s.Payload)
			}
		}
	}
	return Manifest{}, ErrUnsigned
}

// Replaces returns nil where m may take the place of old: a higher version of
// the same epoch, or another epoch issued later.
func (m Manifest) Replaces(old Manifest) error {
	switch {
	case old.Version == 0 && old.Epoch == "":
		return nil
	case m.Epoch == old.Epoch && m.Version < old.Version,
		m.Epoch != old.Epoch && m.Issued.Before(old.Issued):
		return fmt.Errorf("version %d of epoch %q after version %d of epoch %q: %w",
			m.Version, m.Epoch, old.Version, old.Epoch, ErrOlder)
	}
	return nil
}
