package authn

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// jwk is the JSON Web Key of an Ed25519 public key (RFC 8037 section 2).
type jwk struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg,omitempty"`
	Use       string `json:"use,omitempty"`
}

// JWK returns a public key as a JSON Web Key (RFC 7517, RFC 8037) with an id.
func JWK(kid string, key ed25519.PublicKey) json.RawMessage {
	b, err := json.Marshal(jwk{"OKP", "Ed25519", base64.RawURLEncoding.EncodeToString(key), kid, Algorithm, "sig"})
	if err != nil {
		return nil // only strings: cannot happen
	}
	return b
}

// ParseJWK returns the id and the key of a JSON Web Key. It fails for what is not
// an Ed25519 public key for signatures with an id.
func ParseJWK(raw json.RawMessage) (kid string, key ed25519.PublicKey, err error) {
	var k jwk
	if err := json.Unmarshal(raw, &k); err != nil {
		return "", nil, fmt.Errorf("reading a JSON Web Key: %w", err)
	}
	x, err := base64.RawURLEncoding.DecodeString(k.X)
	switch {
	case err != nil || len(x) != ed25519.PublicKeySize:
		return "", nil, fmt.Errorf("key %q: x is not 32 bytes in base64url", k.ID)
	case k.KeyType != "OKP" || k.Curve != "Ed25519" || k.Algorithm != "" && k.Algorithm != Algorithm || k.Use != "" && k.Use != "sig":
		return "", nil, fmt.Errorf("key %q is not for signatures with Ed25519", k.ID)
	case k.ID == "":
		return "", nil, errors.New("a key without an id")
	}
	return k.ID, x, nil
}
