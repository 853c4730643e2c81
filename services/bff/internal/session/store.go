package session

import (
	"context"
	"errors"
)

// Errors of stores.
var (
	// ErrNone says that there is no such session.
	ErrNone = errors.New("there is no such session")
	// ErrConflict says that the session was changed by somebody else since.
	ErrConflict = errors.New("the session was changed by another replica")
)

// Store keeps sessions for all replicas: opaque values under keys of lower-case
// hexadecimal digits. A value that was not written for the store's lifetime is
// gone.
type Store interface {
	// Create writes a value under a new key.
	Create(ctx context.Context, key string, value []byte) error
	// Get returns a value and its revision, or ErrNone.
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	// Update replaces the value that has a revision, and returns the new one.
	// The error is ErrNone or ErrConflict where there is none, or another.
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes a value; one that is not there is removed as well.
	Delete(ctx context.Context, key string) error
}
