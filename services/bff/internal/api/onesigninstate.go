package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// oidcAge is how long somebody may take to sign in.
	oidcAge = 10 * time.Minute
	// mostNext bounds the path to go to afterwards, which is in addresses; a longer
	// one is forgotten.
	mostNext = 1500
)

// oidcSign is one sign-in that is under way. All of it comes of what the state says
// and of the secret that the browser keeps in a cookie: so as many tabs as there are
// sign in at the same time, and nothing is kept here.
type oidcSign struct {
	state, nonce, verifier string
	next                   string // a path of this app
}

// oidcStart is what a state says.
type oidcStart struct {
	Next string `json:"n"`
	At   int64  `json:"t"` // seconds since 1970
	Salt string `json:"s"` // no two sign-ins have the same nonce or verifier
}

// oidcBinding returns the secret of a browser's sign-ins, and has it kept.
func (h *handlers) oidcBinding(c echo.Context) string {
	value := rand.Text() + rand.Text()
	if k, err := cookieOf(c, oidcCookie); err == nil && len(k) == len(value) {
		value = k
	}
	keep(c, oidcCookie, value, oidcPath, int(oidcAge.Seconds()))
	return value
}

// newOIDCSign begins a sign-in of the browser that has a secret.
func newOIDCSign(secret, next string, now time.Time) (oidcSign, error) {
	if len(next) > mostNext {
		next = ""
	}
	b, err := json.Marshal(oidcStart{Next: next, At: now.Unix(), Salt: rand.Text()})
	if err != nil {
		return oidcSign{}, fmt.Errorf("beginning a sign-in: %w", err)
	}
	said := base64.RawURLEncoding.EncodeToString(b)
	return signOf(secret, said, next), nil
}

// oidcSignOf returns the sign-in that a state is of. A state that the browser with the
// secret did not begin is refused, and one that is too old.
func oidcSignOf(secret, state string, now time.Time) (oidcSign, error) {
	said, seal, _ := strings.Cut(state, ".")
	if subtle.ConstantTimeCompare([]byte(seal), []byte(derived(secret, "state", said))) != 1 {
		return oidcSign{}, notOurs("this browser began no such sign-in here")
	}
	var in oidcStart
	b, err := base64.RawURLEncoding.DecodeString(said)
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if age := now.Sub(time.Unix(in.At, 0)); err != nil || age > oidcAge || age < -time.Minute {
		return oidcSign{}, notOurs("the sign-in took too long")
	}
	return signOf(secret, said, localPath(in.Next)), nil
}

func signOf(secret, said, next string) oidcSign {
	if next == "" {
		next = "/"
	}
	return oidcSign{
		state: said + "." + derived(secret, "state", said), nonce: derived(secret, "nonce", said), verifier: derived(secret, "verifier", said), next: next,
	}
}

// challenge is what of the verifier is told beforehand (RFC 7636 section 4.2).
func (s *oidcSign) challenge() string {
	sum := sha256.Sum256([]byte(s.verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// derived returns 43 characters that only who has the secret knows.
func derived(secret, what, said string) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = m.Write([]byte("gatehouse sign-in " + what + "\x00" + said)) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
