package bearer

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Binding reads the confirmation claim (RFC 7800): the fingerprint of the
// client certificate that the token is bound to (RFC 8705), or "" for a token
// that is not bound. Ok is false where the token is bound in a way that cannot
// be checked here, such as DPoP: it is no bearer token then.
func Binding(claims map[string]any) (fingerprint string, ok bool) {
	c, there := claims["cnf"]
	if !there {
		return "", true
	}
	cnf, _ := c.(map[string]any)
	fingerprint, _ = cnf["x5t#S256"].(string)
	return fingerprint, fingerprint != "" && len(cnf) == 1
}

// Shown reports whether the client has shown the certificate of that
// fingerprint (RFC 8705 section 3).
func Shown(r *policy.Request, fingerprint string) bool {
	if fingerprint == "" || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	d := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(d[:])), []byte(fingerprint)) == 1
}
