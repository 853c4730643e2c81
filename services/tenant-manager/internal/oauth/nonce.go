package oauth

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/secret"
)

// nonceAge is how long a nonce is good. Every answer to a proof with one gives the
// next, so that clients always have a fresh one.
const nonceAge = 5 * time.Minute

const nonceHint = "Make the DPoP proof anew, with the nonce of the header DPoP-Nonce in it."

// errNonce asks for a proof with a nonce (RFC 9449 section 8).
func errNonce() error {
	return &fosite.RFC6749Error{ErrorField: "use_dpop_nonce", DescriptionField: nonceHint, CodeField: http.StatusBadRequest}
}

func isNonce(err error) bool {
	return err != nil && fosite.ErrorToRFC6749Error(err).ErrorField == "use_dpop_nonce"
}

// noncePlace is what nonces of the organization are sealed for: one is good nowhere
// else.
func (s *realm) noncePlace() secret.Place {
	return secret.Place{Table: "oauth_clients", Column: "dpop_nonce", Row: s.org.ID}
}

// giveNonce gives a client a nonce for its next proof (RFC 9449 section 8.2). It is
// the time, sealed: nothing is kept of it, and every instance knows it.
func (s *realm) giveNonce(w http.ResponseWriter) {
	nonce, _ := s.server.nonces.get(s.org.ID, func() (string, error) { // one in a moment does for all: it never fails
		return s.server.opt.Ring.Seal([]byte(strconv.FormatInt(s.server.now().Unix(), 10)), s.noncePlace()), nil
	})
	w.Header().Set("DPoP-Nonce", nonce)
	w.Header().Set("Cache-Control", "no-store")
}

// knowsNonce reports whether a nonce is one that was given out a while ago at most.
func (s *realm) knowsNonce(nonce string) bool {
	plain, err := s.server.opt.Ring.Open(nonce, s.noncePlace())
	if err != nil {
		return false
	}
	at, err := strconv.ParseInt(string(plain), 10, 64)
	age := s.server.now().Sub(time.Unix(at, 0))
	return err == nil && age <= nonceAge && age >= -proofAge // clocks of instances differ
}

// demandsNonce reports whether the client that a request names wants nonces in its
// proofs. Nothing is proven yet: a code or an assertion that is good once is not
// spent on a request that has to be made again.
func (s *realm) demandsNonce(r *http.Request) bool {
	if r.Header.Get("DPoP") == "" {
		return false
	}
	id := clientID(r)
	if assertion := r.PostForm.Get("client_assertion"); id == "" && assertion != "" {
		var claims jwt.RegisteredClaims
		if _, _, err := jwt.NewParser().ParseUnverified(assertion, &claims); err == nil {
			id = strings.ToValidUTF8(claims.Subject, "")
		}
	}
	c, err := s.server.client(r.Context(), s.org.ID, id)
	return err == nil && c.DPoPNonce
}
