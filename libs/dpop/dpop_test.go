package dpop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/dpop"
)

var b64 = base64.RawURLEncoding.EncodeToString

type object = map[string]any

func ecKey(t testing.TB, curve elliptic.Curve) (*ecdsa.PrivateKey, object) {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	point, err := k.PublicKey.Bytes()
	require.NoError(t, err)
	half := (len(point) - 1) / 2
	return k, object{"kty": "EC", "crv": curve.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
}

func sign(t testing.TB, alg string, key crypto.PrivateKey, header, claims object) string {
	t.Helper()
	h, err := json.Marshal(header)
	require.NoError(t, err)
	c, err := json.Marshal(claims)
	require.NoError(t, err)
	input := b64(h) + "." + b64(c)
	sig, err := jwt.GetSigningMethod(alg).Sign(input, key)
	require.NoError(t, err)
	return input + "." + b64(sig)
}

func header(alg string, jwk object) object { return object{"typ": "dpop+jwt", "alg": alg, "jwk": jwk} }

func claims() object {
	return object{"jti": "1", "htm": "GET", "htu": "https://api.example/orders", "iat": time.Now().Unix()}
}

// The example of RFC 9449 section 4.1, whose key has the thumbprint of section 6.1.
const example = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"

func TestTheExampleOfTheRFC(t *testing.T) {
	t.Parallel()
	p, err := dpop.Parse(example)
	require.NoError(t, err)
	require.Equal(t, dpop.Proof{
		Key: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", ID: "-BwC3ESc6acc2lTc", Method: "POST", URI: "https://server.example.com/token", Issued: 1562262616,
	}, p)
	at, err := dpop.AddressOf("https://server.example.com/token")
	require.NoError(t, err)
	require.NoError(t, p.Check("POST", at, "", time.Unix(1562262616, 0), time.Minute))
}

func TestKeysOfAllKinds(t *testing.T) {
	t.Parallel()
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		k, jwk := ecKey(t, curve)
		_, err := dpop.Parse(sign(t, alg, k, header(alg, jwk), claims()))
		require.NoError(t, err, alg)
	}
	public, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, err = dpop.Parse(sign(t, "EdDSA", ed, header("EdDSA", object{"kty": "OKP", "crv": "Ed25519", "x": b64(public)}), claims()))
	require.NoError(t, err)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for _, alg := range []string{"RS256", "PS256"} {
		_, err = dpop.Parse(sign(t, alg, r, header(alg, object{"kty": "RSA", "n": b64(r.N.Bytes()), "e": b64(big.NewInt(int64(r.E)).Bytes())}), claims()))
		require.NoError(t, err, alg)
	}
}

func TestProofsThatAreNone(t *testing.T) {
	t.Parallel()
	k, jwk := ecKey(t, elliptic.P256())
	other, _ := ecKey(t, elliptic.P256())
	h, c := header("ES256", jwk), claims()
	with := func(m, change object) object {
		out := maps.Clone(m)
		maps.Copy(out, change)
		maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
		return out
	}
	good := sign(t, "ES256", k, h, c)
	_, err := dpop.Parse(good)
	require.NoError(t, err)
	private := with(jwk, object{"d": "AAAA"})
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		small = nil // this toolchain makes none
	}
	cases := map[string]string{
		"nothing":                    "",
		"two parts":                  "a.b",
		"four parts":                 good + ".x",
		"no base64":                  "%.%.%",
		"white space":                " " + good,
		"padding":                    good + "==",
		"another type":               sign(t, "ES256", k, with(h, object{"typ": "JWT"}), c),
		"no type":                    sign(t, "ES256", k, with(h, object{"typ": nil}), c),
		"alg none":                   strings.Join([]string{b64([]byte(`{"typ":"dpop+jwt","alg":"none"}`)), strings.Split(good, ".")[1], ""}, "."),
		"another alg than the key's": sign(t, "ES256", k, with(h, object{"alg": "ES384"}), c),
		"an HMAC":                    sign(t, "HS256", []byte("secret"), with(h, object{"alg": "HS256"}), c),
		"no key":                     sign(t, "ES256", k, with(h, object{"jwk": nil}), c),
		"a key of a text":            sign(t, "ES256", k, with(h, object{"jwk": "x"}), c),
		"a private key":              sign(t, "ES256", k, with(h, object{"jwk": private}), c),
		"a symmetric key":            sign(t, "ES256", k, with(h, object{"jwk": object{"kty": "oct", "k": "AAAA"}}), c),
		"another curve":              sign(t, "ES256", k, with(h, object{"jwk": with(jwk, object{"crv": "P-384"})}), c),
		"a point off the curve":      sign(t, "ES256", k, with(h, object{"jwk": with(jwk, object{"y": jwk["x"]})}), c),
		"a short coordinate":         sign(t, "ES256", k, with(h, object{"jwk": with(jwk, object{"x": "AAAA"})}), c),
		"another signer":             sign(t, "ES256", other, h, c),
		"crit":                       sign(t, "ES256", k, with(h, object{"crit": []string{"x"}}), c),
		"no jti":                     sign(t, "ES256", k, h, with(c, object{"jti": nil})),
		"an empty jti":               sign(t, "ES256", k, h, with(c, object{"jti": ""})),
		"a long jti":                 sign(t, "ES256", k, h, with(c, object{"jti": strings.Repeat("x", 257)})),
		"a jti that is a number":     sign(t, "ES256", k, h, with(c, object{"jti": 1})),
		"no htm":                     sign(t, "ES256", k, h, with(c, object{"htm": nil})),
		"no htu":                     sign(t, "ES256", k, h, with(c, object{"htu": nil})),
		"no iat":                     sign(t, "ES256", k, h, with(c, object{"iat": nil})),
		"iat a text":                 sign(t, "ES256", k, h, with(c, object{"iat": "1"})),
		"iat beyond all":             sign(t, "ES256", k, h, with(c, object{"iat": 1e300})),
		"ath a number":               sign(t, "ES256", k, h, with(c, object{"ath": 1})),
		"long":                       sign(t, "ES256", k, h, with(c, object{"x": strings.Repeat("x", 9000)})),
	}
	if small != nil {
		cases["a short RSA key"] = sign(t, "RS256", small, header("RS256", object{"kty": "RSA", "n": b64(small.N.Bytes()), "e": "AQAB"}), c)
	}
	for name, text := range cases {
		_, err := dpop.Parse(text)
		var told dpop.Error
		require.ErrorAs(t, err, &told, name)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	p := dpop.Proof{ID: "1", Method: "GET", URI: "https://API.example:443/a%7eb/%2f?x=1#y", Issued: now.Unix(), Access: dpop.Hash("token")}
	at := dpop.Address{Scheme: "https", Authority: "api.example", Path: "/a~b/%2F"}
	require.NoError(t, p.Check("GET", at, "token", now, time.Minute))
	require.NoError(t, p.Check("GET", at, "", now.Add(time.Minute), time.Minute))
	require.NoError(t, p.Check("GET", at, "token", now.Add(-time.Minute), time.Minute))
	for name, err := range map[string]error{
		"method":      p.Check("POST", at, "token", now, time.Minute),
		"scheme":      p.Check("GET", dpop.Address{Scheme: "http", Authority: "api.example", Path: at.Path}, "token", now, time.Minute),
		"host":        p.Check("GET", dpop.Address{Scheme: "https", Authority: "api.example.org", Path: at.Path}, "token", now, time.Minute),
		"port":        p.Check("GET", dpop.Address{Scheme: "https", Authority: "api.example:8443", Path: at.Path}, "token", now, time.Minute),
		"path":        p.Check("GET", dpop.Address{Scheme: "https", Authority: "api.example", Path: "/a~b//"}, "token", now, time.Minute),
		"old":         p.Check("GET", at, "token", now.Add(61*time.Second), time.Minute),
		"early":       p.Check("GET", at, "token", now.Add(-61*time.Second), time.Minute),
		"token":       p.Check("GET", at, "another", now, time.Minute),
		"no token":    (&dpop.Proof{Method: "GET", URI: p.URI, Issued: p.Issued}).Check("GET", at, "token", now, time.Minute),
		"no address":  (&dpop.Proof{Method: "GET", URI: "%zz", Issued: p.Issued}).Check("GET", at, "", now, time.Minute),
		"with a user": (&dpop.Proof{Method: "GET", URI: "https://u@api.example/a~b/%2F", Issued: p.Issued}).Check("GET", at, "", now, time.Minute),
	} {
		require.Error(t, err, name)
	}
	root := dpop.Proof{Method: "GET", URI: "http://[::1]:8080", Issued: now.Unix()}
	require.NoError(t, root.Check("GET", dpop.Address{Scheme: "http", Authority: "[::1]:8080", Path: "/"}, "", now, time.Minute))
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add("..")
	f.Add(b64([]byte(`{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","n":"AA","e":"AQAB"}}`)) + "." + b64([]byte(`{"jti":"x","iat":1e9}`)) + ".AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := dpop.Parse(text)
		if err == nil && (p.Key == "" || p.ID == "" || p.Method == "" || p.URI == "") {
			t.Fatalf("a proof without what it needs: %+v", p)
		}
		_ = p.Check("GET", dpop.Address{Scheme: "https", Authority: "a", Path: "/"}, "t", time.Unix(0, 0), time.Minute)
	})
}

func FuzzAddress(f *testing.F) {
	f.Add("https://a/b%2f")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := dpop.AddressOf(text)
		if err != nil {
			return
		}
		_ = at
		p := dpop.Proof{Method: "GET", URI: text, Issued: 1}
		_ = p.Check("GET", at, "", time.Unix(1, 0), time.Minute)
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dpop.Parse(example); err != nil {
			b.Fatal(err)
		}
	}
}
