// Package store keeps policies, policy sets and plans in the database, and with
// each change what others are told of it. It knows no HTTP, and no rule that is
// not about rows.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Store is the service's database.
type Store struct {
	db   *db.DB
	ring *secret.Keyring
}

// New returns a store whose secrets are encrypted with the keyring.
func New(d *db.DB, ring *secret.Keyring) *Store { return &Store{db: d, ring: ring} }

// DB returns the database.
func (s *Store) DB() *db.DB { return s.db }

// Organization is what one organization has.
type Organization struct {
	store *Store
	scope *db.Scope
	tx    *db.Tx
}

// For returns what is the organization's, to be read.
func (s *Store) For(organization string) *Organization {
	return &Organization{store: s, scope: s.db.For(organization)}
}

// In returns what is the organization's, within a transaction.
func (s *Store) In(tx *db.Tx, organization string) *Organization {
	return &Organization{store: s, scope: tx.For(organization), tx: tx}
}

// Change runs fn in a transaction.
func (s *Store) Change(ctx context.Context, organization string, fn func(o *Organization) error) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error { return fn(s.In(tx, organization)) })
}

// Tx returns the transaction, nil outside of one.
func (o *Organization) Tx() *db.Tx { return o.tx }

// Now returns the time as the database can hold it.
func (o *Organization) Now() time.Time { return o.store.db.Now() }

// with returns a context that can read and write secrets.
func (o *Organization) with(ctx context.Context) context.Context {
	return secret.With(ctx, o.store.ring)
}

var errNoTx = errors.New("a change outside of a transaction")

// tell emits that policies or plans changed at a place, in the transaction.
func (o *Organization) tell(level, project, api string) error {
	if o.tx == nil {
		return errNoTx
	}
	e := contract.PoliciesChanged{Organization: o.scope.Organization(), Level: level, Project: project, API: api}
	key := level + ":" + project + api
	if api != "" {
		key = "api:" + api
	}
	return o.tx.Emit(e.Subject(), o.scope.Organization()+":"+key, e)
}

// newID returns an id for a row.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// encode writes a value as text for an encrypted column.
func encode(v any) (secret.Text, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return secret.Text{}, fmt.Errorf("writing %T: %w", v, err)
	}
	return secret.NewText(string(b)), nil
}

// decode reads what encode wrote.
func decode(t secret.Text, into any) error {
	if t.Reveal() == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(t.Reveal()), into); err != nil {
		return fmt.Errorf("reading %T: %w", into, err)
	}
	return nil
}

// precondition is the problem of a change of another version than there is.
func precondition(now, want int64) error {
	return problem.New(problem.CodePreconditionFailed, "it has the version %s now, and not %s: read it again, and repeat the change", db.ETag(now), db.ETag(want))
}
