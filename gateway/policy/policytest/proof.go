package policytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/dpop"
)

// Prover holds a key that tokens are bound to, and makes proofs of it (RFC 9449).
type Prover struct {
	key  *ecdsa.PrivateKey
	x, y string
}

// NewProver returns one with a key of its own.
func NewProver(t testing.TB) *Prover {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := k.PublicKey.Bytes()
	require.NoError(t, err)
	b64 := base64.RawURLEncoding.EncodeToString
	return &Prover{k, b64(point[1:33]), b64(point[33:])}
}

// Thumbprint is the jkt of tokens that are bound to the key.
func (p *Prover) Thumbprint() string {
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + p.x + `","y":"` + p.y + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Proof returns a proof for a request with a token, as of the clock of a
// [Harness]. Changes are of the claims; nil takes one out.
func (p *Prover) Proof(t testing.TB, method, uri, token string, changes map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{"jti": rand.Text(), "htm": method, "htu": uri, "iat": NewClock().Now().Unix(), "ath": dpop.Hash(token)}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	proof := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	proof.Header["typ"] = "dpop+jwt"
	proof.Header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": p.x, "y": p.y}
	s, err := proof.SignedString(p.key)
	require.NoError(t, err)
	return s
}
