package oauth

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/secret"
)

// proofAlgorithms are those that proofs may be signed with.
var proofAlgorithms = []string{"ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256"}

const (
	// proofAge is how far the time of a proof may be from ours.
	proofAge = time.Minute
	// mostProof bounds a proof, in bytes.
	mostProof = 8 << 10
)

// proofClaims are those of a proof (RFC 9449 section 4.2).
type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URI    string `json:"htu"`
	Issued int64  `json:"iat"`
	Access string `json:"ath"`
}

func errProof(hint string) error {
	return (&fosite.RFC6749Error{ErrorField: "invalid_dpop_proof", DescriptionField: "The DPoP proof is not right.", CodeField: http.StatusBadRequest}).WithHint(hint)
}

// proof returns what the tokens of a request are to be bound to: the key of its
// DPoP proof (RFC 9449 section 5). Without a proof they are bound to nothing.
func (s *realm) proof(r *http.Request) (confirmation, error) {
	values := r.Header.Values("DPoP")
	switch {
	case len(values) == 0:
		return confirmation{}, nil
	case len(values) > 1:
		return confirmation{}, errProof("There is more than one.")
	}
	return s.proven(r, values[0], s.issuer+"/token", "")
}

// proven verifies a proof for an address, and for an access token where there is
// one (RFC 9449 section 4.3).
func (s *realm) proven(r *http.Request, text, uri, access string) (confirmation, error) {
	jkt, c, err := parseProof(text)
	if err != nil {
		return confirmation{}, err
	}
	now := s.server.now()
	issued := time.Unix(c.Issued, 0)
	switch {
	case c.Method != r.Method:
		return confirmation{}, errProof("htm is another method.")
	case !sameURI(c.URI, uri):
		return confirmation{}, errProof("htu is another address.")
	case issued.Before(now.Add(-proofAge)) || issued.After(now.Add(proofAge)):
		return confirmation{}, errProof("iat is too old, or of the future: compare the clocks.")
	case access != "" && !secret.Equal(c.Access, base64.RawURLEncoding.EncodeToString(sha256Sum(access))):
		return confirmation{}, errProof("ath is of another access token.")
	}
	added, err := s.server.short.Add(r.Context(), s.key("proof", Hash(jkt+" "+c.ID)), "", 2*proofAge)
	if err != nil {
		return confirmation{}, fosite.ErrServerError.WithWrap(err)
	}
	if !added {
		return confirmation{}, errProof("It was sent before.")
	}
	return confirmation{JKT: jkt}, nil
}

func sha256Sum(s string) []byte {
	h := crypto.SHA256.New()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum(nil)
}

// parseProof returns the thumbprint of the key that signed a proof, and what the
// proof says.
func parseProof(text string) (jkt string, c proofClaims, err error) {
	if len(text) > mostProof {
		return "", c, errProof("It is too long.")
	}
	jws, err := jose.ParseSigned(text)
	if err != nil || len(jws.Signatures) != 1 || strings.Count(text, ".") != 2 {
		return "", c, errProof("It is not a signed JSON Web Token.")
	}
	h := jws.Signatures[0].Protected
	typ, _ := h.ExtraHeaders[jose.HeaderType].(string)
	switch {
	case typ != "dpop+jwt":
		return "", c, errProof("typ is not dpop+jwt.")
	case !slices.Contains(proofAlgorithms, h.Algorithm):
		return "", c, errProof("alg is not one of dpop_signing_alg_values_supported.")
	case h.JSONWebKey == nil || !h.JSONWebKey.Valid() || !h.JSONWebKey.IsPublic():
		return "", c, errProof("jwk is missing, or not a public key.")
	}
	payload, err := jws.Verify(h.JSONWebKey)
	if err != nil {
		return "", c, errProof("Its signature is not that of its key.")
	}
	if json.Unmarshal(payload, &c) != nil || c.ID == "" || len(c.ID) > 256 || c.Method == "" || c.URI == "" || c.Issued == 0 {
		return "", c, errProof("It lacks jti, htm, htu or iat.")
	}
	sum, err := h.JSONWebKey.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", c, errProof("jwk cannot be read.")
	}
	return base64.RawURLEncoding.EncodeToString(sum), c, nil
}

// sameURI compares addresses without query and fragment, in the normal form of
// RFC 3986 section 6.2.
func sameURI(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	if errors.Join(errX, errY) != nil {
		return false
	}
	return strings.EqualFold(x.Scheme, y.Scheme) && strings.EqualFold(authority(x), authority(y)) && x.EscapedPath() == y.EscapedPath()
}

func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return u.Hostname() + ":" + port
}

// bind binds the tokens of a request, and refuses where those before were bound
// to another key.
func (s *realm) bind(req fosite.AccessRequester, c *client, in *session, proof confirmation) error {
	refresh := req.GetGrantTypes().ExactOne(GrantRefresh)
	switch {
	case c.DPoPBound && proof.JKT == "":
		return errProof("This client's tokens are bound to a key: send a proof in the header DPoP.")
	case refresh && c.IsPublic() && in.Confirm.JKT != "" && in.Confirm.JKT != proof.JKT: // RFC 9449 section 5
		return errProof("The refresh token is bound to another key.")
	}
	if want := in.Confirm.JKT; !refresh && want != "" && want != proof.JKT { // dpop_jkt of the request (RFC 9449 section 10)
		return fosite.ErrInvalidGrant.WithHint("The code is bound to another key.")
	}
	in.Confirm = proof
	return nil
}
