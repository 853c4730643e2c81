// Package dpop reads the proofs of RFC 9449 (DPoP), with which whoever sends a
// token shows that it holds the key that the token is bound to. The authorization
// server and the gateway read them with it; where proofs that were seen are kept
// is their affair.
package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithms returns those that a proof may be signed with, as metadata list them
// (dpop_signing_alg_values_supported). None of them is symmetric.
func Algorithms() []string { return []string{"ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256"} }

// Error says what is wrong with a proof, as a sentence that has nothing of the
// proof in it.
type Error string

// Error returns the sentence.
func (e Error) Error() string { return string(e) }

const (
	// most bounds a proof, in bytes.
	most = 8 << 10
	// mostID bounds the jti, in bytes.
	mostID = 256
)

// Proof is what a proof says (RFC 9449 section 4.2).
type Proof struct {
	// Key is the thumbprint of the key that signed it: the jkt of what is bound to
	// it (RFC 7638, RFC 9449 section 6.1).
	Key string
	// ID is the jti, by which a proof that comes again is known.
	ID string
	// Method and URI are those of the request that it is for.
	Method, URI string
	// Issued is when it was made, in Unix seconds.
	Issued int64
	// Access is the hash of the access token that it goes with, "" for none.
	Access string
	// Nonce is what the server asked to have in it, "" for none.
	Nonce string
}

// Parse reads a proof whose signature is that of the key in it. Whether it is for
// a request is for [Proof.Check] to say. The error is an [Error].
func Parse(text string) (Proof, error) {
	var p Proof
	if len(text) > most {
		return p, Error("It is too long.")
	}
	head, rest, _ := strings.Cut(text, ".")
	body, sig, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(sig, ".") {
		return p, Error("It is not a signed JSON Web Token.")
	}
	header, ok1 := object(head)
	claims, ok2 := object(body)
	signature, err := base64.RawURLEncoding.Strict().DecodeString(sig)
	if !ok1 || !ok2 || err != nil || len(signature) == 0 {
		return p, Error("It is not a signed JSON Web Token.")
	}
	for _, name := range []string{"crit", "b64", "zip"} { // nothing of these is understood (RFC 7515 section 4.1.11)
		if _, there := header[name]; there {
			return p, Error("Its header has an extension that is not taken.")
		}
	}
	if typ, _ := word(header["typ"]); typ != "dpop+jwt" {
		return p, Error("typ is not dpop+jwt.")
	}
	alg, _ := word(header["alg"])
	if !slices.Contains(Algorithms(), alg) {
		return p, Error("alg is not one of dpop_signing_alg_values_supported.")
	}
	key, thumbprint, ok := publicKey(header["jwk"], alg)
	if !ok {
		return p, Error("jwk is missing, is not a public key, or is not one for alg.")
	}
	if jwt.GetSigningMethod(alg).Verify(text[:len(head)+1+len(body)], signature, key) != nil {
		return p, Error("Its signature is not that of its key.")
	}
	if p, ok = read(claims); !ok {
		return Proof{}, Error("It lacks jti, htm, htu or iat.")
	}
	p.Key = thumbprint
	return p, nil
}

// read returns what the claims say; false where one that is needed is missing, or
// is not what it should be.
func read(claims map[string]json.RawMessage) (p Proof, ok bool) {
	for name, into := range map[string]*string{"jti": &p.ID, "htm": &p.Method, "htu": &p.URI, "ath": &p.Access, "nonce": &p.Nonce} {
		raw, there := claims[name]
		if !there {
			continue
		}
		if *into, ok = word(raw); !ok {
			return p, false
		}
	}
	var issued float64 // a NumericDate may have a fraction (RFC 7519 section 2)
	if json.Unmarshal(claims["iat"], &issued) != nil || issued <= 0 || issued >= 1<<40 {
		return p, false
	}
	p.Issued = int64(issued)
	return p, p.ID != "" && len(p.ID) <= mostID && p.Method != "" && p.URI != ""
}

// Check returns what is wrong with a proof for a request; nil = nothing. The
// access token is the one that the request has, "" for a request without. That the
// proof was not sent before is still to be seen. The error is an [Error].
func (p *Proof) Check(method string, at Address, token string, now time.Time, window time.Duration) error {
	age := now.Sub(time.Unix(p.Issued, 0))
	switch {
	case p.Method != method:
		return Error("htm is another method.")
	case !at.is(p.URI):
		return Error("htu is another address.")
	case age > window || age < -window:
		return Error("iat is too old, or of the future: compare the clocks.")
	case token != "" && subtle.ConstantTimeCompare([]byte(p.Access), []byte(Hash(token))) != 1:
		return Error("ath is of another access token.")
	}
	return nil
}

// Hash returns the ath of an access token.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func object(part string) (m map[string]json.RawMessage, ok bool) {
	doc, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return m, err == nil && json.Unmarshal(doc, &m) == nil && m != nil
}

// word reads a member that is one text.
func word(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}
