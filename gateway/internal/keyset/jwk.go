package keyset

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// jwk is a JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037). Members of a
// private key are not even read.
type jwk struct {
	Kty    string   `json:"kty"`
	Kid    string   `json:"kid,omitempty"`
	Use    string   `json:"use,omitempty"`
	KeyOps []string `json:"key_ops,omitempty"`
	Alg    string   `json:"alg,omitempty"`
	N      string   `json:"n,omitempty"`
	E      string   `json:"e,omitempty"`
	Crv    string   `json:"crv,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y,omitempty"`
	K      string   `json:"k,omitempty"`
}

const maxKeys = 256

// errUnsuited says that a key is well-formed and for something else.
var errUnsuited = errors.New("the key is not for verifying signatures")

// parseSet returns the keys of a JWKS document. With strict the first key that
// is not accepted is the error; else it is left out and named in skipped, as
// RFC 7517 section 5 wants.
func parseSet(doc []byte, symmetric, strict bool) (keys []policy.Key, skipped []error, err error) {
	var set struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(doc, &set); err != nil {
		return nil, nil, errors.New("the key set is not JSON") //nolint:err113 // json's error may quote the document
	}
	if set.Keys == nil {
		return nil, nil, errors.New(`the key set has no member "keys"`) //nolint:err113 // for people
	}
	if len(*set.Keys) > maxKeys {
		return nil, nil, fmt.Errorf("the key set has more than %d keys", maxKeys) //nolint:err113 // for people
	}
	for i, raw := range *set.Keys {
		k, err := parseKey(raw, symmetric)
		switch {
		case err == nil:
			keys = append(keys, k)
		case strict:
			return nil, nil, fmt.Errorf("key %d: %w", i, err)
		case !errors.Is(err, errUnsuited):
			skipped = append(skipped, fmt.Errorf("key %d: %w", i, err))
		}
	}
	return keys, skipped, nil
}

func parseKey(raw []byte, symmetric bool) (policy.Key, error) {
	var j jwk
	if err := json.Unmarshal(raw, &j); err != nil {
		return policy.Key{}, errors.New("not a JSON object of texts") //nolint:err113 // json's error may quote the key
	}
	if j.Use != "" && j.Use != "sig" || len(j.KeyOps) > 0 && !slices.Contains(j.KeyOps, "verify") {
		return policy.Key{}, errUnsuited
	}
	public, err := j.public(symmetric)
	if err != nil {
		return policy.Key{}, err
	}
	k := policy.Key{ID: j.Kid, Algorithm: j.Alg, Public: public}
	if j.Alg != "" && !fits(public, j.Alg) {
		return policy.Key{}, fmt.Errorf("the algorithm %.20q is not one of the key's type", j.Alg) //nolint:err113 // for people
	}
	return k, nil
}

func (j *jwk) public(symmetric bool) (crypto.PublicKey, error) {
	switch j.Kty {
	case "RSA":
		n, err := decode("n", j.N)
		if err != nil {
			return nil, err
		}
		e, err := decode("e", j.E)
		if err != nil {
			return nil, err
		}
		return rsaKey(new(big.Int).SetBytes(n), new(big.Int).SetBytes(e))
	case "EC":
		curve, err := curveOf(j.Crv)
		if err != nil {
			return nil, err
		}
		x, err := decode("x", j.X)
		if err != nil {
			return nil, err
		}
		y, err := decode("y", j.Y)
		if err != nil {
			return nil, err
		}
		size := (curve.Params().BitSize + 7) / 8
		if len(x) != size || len(y) != size { // RFC 7518 section 6.2.1.2
			return nil, errors.New("x and y have not the length of the curve") //nolint:err113 // for people
		}
		k, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
		if err != nil {
			return nil, errors.New("the point is not on the curve") //nolint:err113 // for people
		}
		return k, nil
	case "OKP":
		if j.Crv != "Ed25519" {
			return nil, fmt.Errorf("the curve %.20q is not supported", j.Crv) //nolint:err113 // for people
		}
		x, err := decode("x", j.X)
		if err != nil {
			return nil, err
		}
		if len(x) != ed25519.PublicKeySize {
			return nil, errors.New("x has not 32 bytes") //nolint:err113 // for people
		}
		return ed25519.PublicKey(x), nil
	case "oct":
		if !symmetric {
			return nil, errors.New("a symmetric key in a public set") //nolint:err113 // for people
		}
		k, err := decode("k", j.K)
		if err != nil {
			return nil, err
		}
		if len(k) < 32 { // RFC 7518 section 3.2
			return nil, errors.New("a symmetric key of less than 256 bits") //nolint:err113 // for people
		}
		return k, nil
	}
	return nil, fmt.Errorf("the key type %.20q is not supported", j.Kty) //nolint:err113 // for people
}

func decode(member, s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("%s is not base64url", member) //nolint:err113 // for people
	}
	return b, nil
}

func rsaKey(n, e *big.Int) (*rsa.PublicKey, error) {
	// An exponent that fits 31 bits is what crypto/rsa takes.
	if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 {
		return nil, errors.New("the RSA exponent is not an odd number of 3 to 2^31-1") //nolint:err113 // for people
	}
	if b := n.BitLen(); b < 2048 || b > 8192 || n.Bit(0) == 0 {
		return nil, fmt.Errorf("an RSA modulus of %d bits; 2048 to 8192 are accepted", b) //nolint:err113 // for people
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func curveOf(name string) (elliptic.Curve, error) {
	switch name {
	case "P-256":
		return elliptic.P256(), nil
	case "P-384":
		return elliptic.P384(), nil
	case "P-521":
		return elliptic.P521(), nil
	}
	return nil, fmt.Errorf("the curve %.20q is not supported", name) //nolint:err113 // for people
}

// fits reports whether a key of that type makes signatures of the algorithm. A
// public key never fits an HMAC algorithm (RFC 8725 section 2.1).
func fits(public crypto.PublicKey, alg string) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		switch alg {
		case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
			return true
		}
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return alg == "ES256"
		case 384:
			return alg == "ES384"
		case 521:
			return alg == "ES512"
		}
	case ed25519.PublicKey:
		return alg == "EdDSA" || alg == "Ed25519"
	case []byte:
		return alg == "HS256" || alg == "HS384" || alg == "HS512"
	}
	return false
}

// parsePEM returns the public keys and those of the certificates in a PEM text.
func parsePEM(text []byte) ([]policy.Key, error) {
	var keys []policy.Key
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		var public any
		var err error
		switch b.Type {
		case "PUBLIC KEY":
			public, err = x509.ParsePKIXPublicKey(b.Bytes)
		case "RSA PUBLIC KEY":
			public, err = x509.ParsePKCS1PublicKey(b.Bytes)
		case "CERTIFICATE":
			var c *x509.Certificate
			if c, err = x509.ParseCertificate(b.Bytes); err == nil {
				public = c.PublicKey
			}
		default:
			return nil, fmt.Errorf("a PEM block %.40q is not a public key", b.Type) //nolint:err113 // for people
		}
		if err != nil {
			return nil, fmt.Errorf("key %d cannot be read", len(keys)) //nolint:err113 // x509's error may quote it
		}
		switch k := public.(type) {
		case *rsa.PublicKey:
			if public, err = rsaKey(k.N, big.NewInt(int64(k.E))); err != nil {
				return nil, err
			}
		case *ecdsa.PublicKey:
			if _, err = curveOf(k.Curve.Params().Name); err != nil {
				return nil, err
			}
		case ed25519.PublicKey:
		default:
			return nil, fmt.Errorf("key %d is of a type that is not supported", len(keys)) //nolint:err113 // for people
		}
		keys = append(keys, policy.Key{Public: public})
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no PEM block") //nolint:err113 // for people
	}
	return keys, nil
}

// encodeSet writes public keys as a JWKS document.
func encodeSet(keys []policy.Key) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	b64 := base64.RawURLEncoding.EncodeToString
	for _, key := range keys {
		j := jwk{Kid: key.ID, Alg: key.Algorithm}
		switch k := key.Public.(type) {
		case *rsa.PublicKey:
			j.Kty, j.N, j.E = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
		case *ecdsa.PublicKey:
			point, err := k.Bytes()
			if err != nil {
				return nil, fmt.Errorf("encoding a key: %w", err)
			}
			half := (len(point) - 1) / 2
			j.Kty, j.Crv, j.X, j.Y = "EC", k.Curve.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
		case ed25519.PublicKey:
			j.Kty, j.Crv, j.X = "OKP", "Ed25519", b64(k)
		default:
			continue // a secret is never written
		}
		set.Keys = append(set.Keys, j)
	}
	return json.Marshal(set)
}

// candidates returns the keys that may have made a signature. A key without id
// may have for any key id.
func candidates(keys []policy.Key, kid, alg string) (found []policy.Key, known bool) {
	for _, k := range keys {
		if kid != "" && k.ID != "" && k.ID != kid {
			continue
		}
		known = known || k.ID == kid
		if k.Algorithm != "" && k.Algorithm != alg || !fits(k.Public, alg) {
			continue
		}
		found = append(found, k)
	}
	return found, known || len(found) > 0
}
