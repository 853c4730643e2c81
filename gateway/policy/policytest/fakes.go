package policytest

import (
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Clock is a clock that a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at 2026-01-01T00:00:00Z.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Credentials is a [policy.Credentials] of a map, by kind and identifier (the
// API key, user name, client id, key id or DER certificate).
type Credentials map[policy.CredentialKind]map[string]policy.Credential

// Lookup finds a credential.
func (c Credentials) Lookup(kind policy.CredentialKind, d policy.Digest) (policy.Credential, bool) {
	for id, cred := range c[kind] {
		if policy.DigestOf(id) == d {
			return cred, true
		}
	}
	return policy.Credential{}, false
}
