// Package unit is the form in which gateways are configured: units, which are
// canonical JSON documents named by their SHA-256, and the signed manifest that
// lists the units a gateway group must serve. gateway-manager (or the file
// source) writes them, gateways read them, and anything between may cache them,
// since a unit never changes.
package unit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Kind says what a unit holds.
type Kind string

// The kinds of unit.
const (
	KindAPI         Kind = "api"         // one deployed API: [API]
	KindSettings    Kind = "settings"    // what all APIs of a group share: [Settings]
	KindCertificate Kind = "certificate" // a TLS certificate: [Certificate]
	KindPolicySet   Kind = "policy-set"  // a shared list of policies: [PolicySet]
	KindIndex       Kind = "index"       // a list of units: [Index]
)

// Hash names a unit: the SHA-256 of its canonical JSON in lower-case hex.
type Hash string

// HashOf returns the name of a document.
func HashOf(document []byte) Hash {
	sum := sha256.Sum256(document)
	return Hash(hex.EncodeToString(sum[:]))
}

// ErrHash says that a document is not the one that its name promises.
var ErrHash = errors.New("document does not match its hash")

// Verify returns [ErrHash] where document is not the one named h.
func (h Hash) Verify(document []byte) error {
	if HashOf(document) != h {
		return fmt.Errorf("unit %s: %w", h, ErrHash)
	}
	return nil
}

// Ref points to a unit.
type Ref struct {
	Kind Kind `json:"kind"`
	// Name identifies what the unit describes over all its versions, such as the
	// API's id. Within an index it is unique for a kind.
	Name string `json:"name"`
	Hash Hash   `json:"hash"`
}

// Index is a list of units, ordered by kind and name. An index may list further
// indexes, so that a change in a large project costs only the path to it.
type Index struct {
	Project string `json:"project"`
	Units   []Ref  `json:"units"`
}

// Encode returns the canonical form of a unit and its name.
func Encode(u any) ([]byte, Hash, error) {
	b, err := Canonical(u)
	if err != nil {
		return nil, "", err
	}
	return b, HashOf(b), nil
}

// Decode reads a unit strictly: unknown fields are an error, so that a gateway
// never ignores a part of its configuration that it does not understand.
func Decode[T any](document []byte) (T, error) {
	var u T
	if err := decodeStrict(document, &u); err != nil {
		return u, fmt.Errorf("decoding unit: %w", err)
	}
	return u, nil
}

// Raw is a JSON value kept as it is.
type Raw = json.RawMessage
