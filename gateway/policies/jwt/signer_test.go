package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"sync"

	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

var b64 = base64.RawURLEncoding.EncodeToString

// signer makes tokens of every kind, good and bad.
type signer struct {
	rsa  *rsa.PrivateKey
	ec   *ecdsa.PrivateKey
	ed   ed25519.PrivateKey
	jwks string
	pem  string
}

var keys = sync.OnceValue(func() *signer {
	s := &signer{}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var err error
	s.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	s.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	_, s.ed, err = ed25519.GenerateKey(rand.Reader)
	must(err)
	point, err := s.ec.PublicKey.Bytes()
	must(err)
	s.jwks = fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"r","n":"%s","e":"AQAB"},{"kty":"EC","crv":"P-256","kid":"e","x":"%s","y":"%s"},`+
		`{"kty":"OKP","crv":"Ed25519","kid":"d","x":"%s"}]}`, b64(s.rsa.N.Bytes()), b64(point[1:33]), b64(point[33:]), b64(s.ed.Public().(ed25519.PublicKey)))
	der, err := x509.MarshalPKIXPublicKey(&s.rsa.PublicKey)
	must(err)
	s.pem = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return s
})

var now = policytest.NewClock().Now().Unix()

type claims = map[string]any

// with returns the usual claims, changed; nil removes.
func with(changes claims) claims {
	c := claims{"iss": "https://idp.example", "aud": "orders", "sub": "alice", "exp": now + 300, "iat": now - 10, "client_id": "storefront", "scope": "read write"}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (s *signer) sign(alg string, header map[string]any, body any) string {
	key, kid := crypto.PrivateKey(s.rsa), "r"
	switch alg[:2] {
	case "ES":
		key, kid = s.ec, "e"
	case "Ed":
		key, kid = s.ed, "d"
	}
	h := map[string]any{"alg": alg, "typ": "JWT", "kid": kid}
	maps.Copy(h, header)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	hj, _ := json.Marshal(h)
	bj, _ := json.Marshal(body)
	if text, ok := body.(string); ok {
		bj = []byte(text)
	}
	input := b64(hj) + "." + b64(bj)
	sig, err := gojwt.GetSigningMethod(alg).Sign(input, key)
	if err != nil {
		panic(err)
	}
	return input + "." + b64(sig)
}

func unsigned(header, body string, sig []byte) string {
	return b64([]byte(header)) + "." + b64([]byte(body)) + "." + b64(sig)
}

func hs(secret []byte, header string, c claims) string {
	body, _ := json.Marshal(c)
	input := b64([]byte(header)) + "." + b64(body)
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(input))
	return input + "." + b64(m.Sum(nil))
}

func bearerOf(token string) policytest.Request {
	return policytest.Request{Header: map[string]string{"Authorization": "Bearer " + token}}
}
