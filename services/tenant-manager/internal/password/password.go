// Package password keeps passwords: which are accepted, how they are hashed, and
// how they are compared without telling whether there is one. It knows no user.
package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// The parameters of argon2id (RFC 9106), as OWASP's cheat sheet on password
// storage recommends for servers.
const (
	// Memory is in KiB: 19 MiB.
	Memory = 19 * 1024
	// Iterations is the number of passes over the memory.
	Iterations = 2
	// Parallelism is the number of lanes.
	Parallelism = 1
	// SaltLength and KeyLength are in bytes.
	SaltLength = 16
	KeyLength  = 32
)

// The bounds of a password, in characters.
const (
	MinLength = 10
	MaxLength = 256
)

// atOnce bounds how many hashes are computed at the same time, and so the
// memory.
const atOnce = 2

// decoy is compared with where there is no hash, so that it takes as long. It has
// the parameters above.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$Q0CF1c8j5SWBZqRnGS6nlw$Dyyrp/stm+0zs+atUQ5EJFR65lhoNgu25EsfYnGEwW0"

// Hasher hashes and compares passwords. It is safe for concurrent use.
type Hasher struct {
	params *argon2id.Params
	room   chan struct{}
}

// NewHasher returns a hasher.
func NewHasher() *Hasher {
	return &Hasher{
		params: &argon2id.Params{Memory: Memory, Iterations: Iterations, Parallelism: Parallelism, SaltLength: SaltLength, KeyLength: KeyLength},
		room:   make(chan struct{}, atOnce),
	}
}

// Hash returns a password's hash in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	s, err := argon2id.CreateHash(password, h.params)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return s, nil
}

// Verify reports whether a password has the hash, and whether the hash should be
// made anew because it has other parameters than today's. Without a hash it
// takes as long, and is never right.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (right, outdated bool, err error) {
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	known := hash != ""
	if !known {
		hash = decoy
	}
	right, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("comparing a password: %w", err)
	}
	right = right && known
	return right, right && *params != *h.params, nil
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Hasher) leave() { <-h.room }

// The reasons why a password is not accepted.
var (
	ErrShort  = fmt.Errorf("use at least %d characters: several words make a good password", MinLength)
	ErrLong   = fmt.Errorf("use at most %d characters", MaxLength)
	ErrKnown  = errors.New("this is one of the passwords that are tried first: use several words of your own")
	ErrEmail  = errors.New("do not use your e-mail address or name as the password")
	ErrSimple = errors.New("use more than a few different characters")
)

// Accept returns why a new password is not accepted, or nil. What counts is its
// length (NIST SP 800-63B section 5.1.1.2); others are refused only where they
// would be guessed at once.
func Accept(password, email, name string) error {
	folded := strings.ToLower(strings.TrimSpace(password))
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	switch n := utf8.RuneCountInString(password); {
	case n < MinLength:
		return ErrShort
	case n > MaxLength || len(password) > 4*MaxLength:
		return ErrLong
	case different(folded) < 5:
		return ErrSimple
	case known(folded):
		return ErrKnown
	case folded == strings.ToLower(email), folded == strings.ToLower(strings.TrimSpace(name)), stem(folded) == local && local != "":
		return ErrEmail
	}
	return nil
}

func different(s string) int {
	seen := map[rune]struct{}{}
	for _, r := range s {
		seen[r] = struct{}{}
	}
	return len(seen)
}

// stem is a password without the digits and signs that are put at its end.
func stem(s string) string { return strings.TrimRight(s, "0123456789!?.,-_#$*+ ") }

// stems are words whose every variation is in the lists that are tried first.
var stems = map[string]struct{}{
	"password": {}, "passwort": {}, "passw0rd": {}, "p@ssword": {}, "p@ssw0rd": {}, "qwerty": {}, "qwertyuiop": {}, "qwertzuiop": {},
	"welcome": {}, "letmein": {}, "changeme": {}, "administrator": {}, "admin": {}, "gatehouse": {}, "iloveyou": {}, "abc": {}, "secret": {},
	"asdfghjkl": {}, "abcdefghij": {}, "superman": {}, "football": {}, "baseball": {}, "princess": {}, "monkey": {}, "dragon": {}, "": {},
}

func known(s string) bool {
	_, ok := stems[stem(s)]
	return ok
}
