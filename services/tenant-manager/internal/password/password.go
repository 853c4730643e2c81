// Package password keeps passwords: which are accepted, how they are hashed, and
// how they are compared without telling whether there is one. It knows no user.
package password

import (
	"context"
	"fmt"

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
	// Slow, where not nil, is told of each hash before it is computed.
	Slow func()

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
		if h.Slow != nil {
			h.Slow()
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Hasher) leave() { <-h.room }
