package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
)

// publicKey reads the key in a header and its thumbprint (RFC 7517, RFC 7518
// section 6, RFC 8037, RFC 7638). Ok is false where it is not a public key that
// makes signatures of the algorithm. A private key is refused: whoever sends one
// has given it away.
func publicKey(raw json.RawMessage, alg string) (key crypto.PublicKey, thumbprint string, ok bool) {
	var m map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil {
		return nil, "", false
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, there := m[name]; there {
			return nil, "", false
		}
	}
	kty, _ := word(m["kty"])
	switch kty {
	case "EC":
		return curveKey(m, alg)
	case "OKP":
		x, okX := octets(m["x"])
		crv, _ := word(m["crv"])
		if !okX || crv != "Ed25519" || alg != "EdDSA" || len(x) != ed25519.PublicKeySize {
			return nil, "", false
		}
		return ed25519.PublicKey(x), thumb(`{"crv":"Ed25519","kty":"OKP","x":"`, x, `"}`), true
	case "RSA":
		n, okN := octets(m["n"])
		e, okE := octets(m["e"])
		// In as few octets as possible (RFC 7518 section 6.3.1): a key has one form.
		if !okN || !okE || n[0] == 0 || e[0] == 0 || len(n) < 256 || len(n) > 1024 || len(e) > 4 || alg != "RS256" && alg != "PS256" {
			return nil, "", false
		}
		exponent := new(big.Int).SetBytes(e)
		if exponent.Bit(0) == 0 || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 {
			return nil, "", false
		}
		k := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
		if k.N.BitLen() < 2048 || k.N.Bit(0) == 0 {
			return nil, "", false
		}
		return k, thumb(`{"e":"`, e, `","kty":"RSA","n":"`, n, `"}`), true
	}
	return nil, "", false
}

func curveKey(m map[string]json.RawMessage, alg string) (crypto.PublicKey, string, bool) {
	name, _ := word(m["crv"])
	var curve elliptic.Curve
	switch {
	case name == "P-256" && alg == "ES256":
		curve = elliptic.P256()
	case name == "P-384" && alg == "ES384":
		curve = elliptic.P384()
	case name == "P-521" && alg == "ES512":
		curve = elliptic.P521()
	default:
		return nil, "", false
	}
	x, okX := octets(m["x"])
	y, okY := octets(m["y"])
	size := (curve.Params().BitSize + 7) / 8
	if !okX || !okY || len(x) != size || len(y) != size { // RFC 7518 section 6.2.1.2
		return nil, "", false
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, "", false
	}
	return k, thumb(`{"crv":"`+name+`","kty":"EC","x":"`, x, `","y":"`, y, `"}`), true
}

func octets(raw json.RawMessage) ([]byte, bool) {
	s, ok := word(raw)
	if !ok {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) > 0
}

// thumb returns the thumbprint of a key whose members are written as RFC 7638
// section 3 has them: texts, with octets between.
func thumb(parts ...any) string {
	var doc []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			doc = append(doc, p...)
		case []byte:
			doc = base64.RawURLEncoding.AppendEncode(doc, p)
		}
	}
	sum := sha256.Sum256(doc)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
