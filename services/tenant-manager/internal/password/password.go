// Package password keeps passwords: which are accepted, how they are hashed, and
// how they are compared without telling whether there is one. It knows no user.
package password

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/gatehouse/gatehouse/libs/problem"
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

// mostWaiting bounds how many wait for their turn, some seconds of work: who comes then
// is told to come again, so that a flood of sign-ins does not hold up those who wait
// for longer than they would stay.
const mostWaiting = 100

// busyPause is after what they come again.
const busyPause = 2 * time.Second

// errBusy says that too many wait already. It tells nothing of an account.
func errBusy() error {
	return problem.New(problem.CodeDependencyDown, "too many people are signing in at the moment: try again in %s", busyPause).WithRetryAfter(busyPause)
}

// decoy is compared with where there is no hash, so that it takes as long. It has
// the parameters above.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$Q0CF1c8j5SWBZqRnGS6nlw$Dyyrp/stm+0zs+atUQ5EJFR65lhoNgu25EsfYnGEwW0"

// Hasher hashes and compares passwords. It is safe for concurrent use.
type Hasher struct {
	// Slow, where not nil, is told of each hash before it is computed.
	Slow func()

	params  *argon2id.Params
	room    chan struct{}
	waiting atomic.Int64
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

// enter waits for a turn. The error is a problem 503 where too many wait.
func (h *Hasher) enter(ctx context.Context) error {
	if h.waiting.Add(1) > mostWaiting {
		h.waiting.Add(-1)
		return errBusy()
	}
	select {
	case h.room <- struct{}{}:
		h.waiting.Add(-1)
	case <-ctx.Done():
		h.waiting.Add(-1)
		return context.Cause(ctx)
	}
	if h.Slow != nil {
		h.Slow()
	}
	return nil
}

func (h *Hasher) leave() { <-h.room }
