// Package store is tenant-manager's database: organizations, users and their
// sessions, roles and grants, invitations, service accounts, signing keys, and
// the audit trail. What belongs to an organization is reached through [Org],
// which sees no other. It holds SQL and the events that go with changes, and no
// rules.
package store

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Store is the database. It is safe for concurrent use.
type Store struct {
	db       *db.DB
	ring     *secret.Keyring
	onAccess func(tenant.AccessChanged)
}

// New returns a store over an open, migrated database. The keys encrypt what is
// secret in it. onAccess is told of each change of access that was committed; nil
// is fine.
func New(d *db.DB, ring *secret.Keyring, onAccess func(tenant.AccessChanged)) *Store {
	if onAccess == nil {
		onAccess = func(tenant.AccessChanged) {}
	}
	return &Store{db: d, ring: ring, onAccess: onAccess}
}

// Now returns the time as the database can hold it.
func (s *Store) Now() time.Time { return s.db.Now() }

// DB returns the database itself, for what is of no organization and no table
// here: health and the relay of events.
func (s *Store) DB() *db.DB { return s.db }

// Org is what one organization sees.
type Org struct {
	store *Store
	scope *db.Scope
}

// For returns what an organization sees.
func (s *Store) For(organization string) *Org {
	return &Org{store: s, scope: s.db.For(organization)}
}

// Now returns the time as the database can hold it.
func (o *Org) Now() time.Time { return o.store.Now() }

// ID returns the organization's id.
func (o *Org) ID() string { return o.scope.Organization() }

// secrets returns a context that can read and write encrypted columns.
func (s *Store) secrets(ctx context.Context) context.Context { return secret.With(ctx, s.ring) }

// Tx is a transaction in one organization.
type Tx struct {
	*Org
	tx      *db.Tx
	by      string
	changed []tenant.AccessChanged
}

// Tx runs fn in a transaction; see [db.DB.Tx]. by is the id of who makes the
// changes, "" for the service itself.
func (s *Store) Tx(ctx context.Context, organization, by string, fn func(tx *Tx) error) error {
	var last *Tx
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		last = s.In(tx, organization, by)
		return fn(last)
	})
	if err == nil && last != nil {
		last.Committed()
	}
	return err
}

// In returns a transaction that others run as one of an organization. They call
// [Tx.Committed] after it.
func (s *Store) In(tx *db.Tx, organization, by string) *Tx {
	return &Tx{Org: &Org{store: s, scope: tx.For(organization)}, tx: tx, by: by}
}

// DB returns the transaction itself.
func (t *Tx) DB() *db.Tx { return t.tx }

// Committed tells this process of what has changed at once; the others hear of
// it over the bus.
func (t *Tx) Committed() {
	for _, e := range t.changed {
		t.store.onAccess(e)
	}
}

// Once is as [Store.Tx], for a request with an Idempotency-Key: see
// [db.DB.Once]. The kept answer is encrypted, because it holds a secret.
func (s *Store) Once(ctx context.Context, organization, by, key string, request []byte, fn func(tx *Tx) ([]byte, error)) (answer []byte, err error) {
	at := secret.Place{Table: "idempotency_keys", Column: "body", Row: organization + " " + key}
	var last *Tx
	res, _, err := s.db.Once(ctx, organization, key, request, func(tx *db.Tx) (db.Response, error) {
		last = s.In(tx, organization, by)
		b, err := fn(last)
		if err != nil {
			return db.Response{}, err
		}
		return db.Response{Status: http.StatusCreated, Body: []byte(s.ring.Seal(b, at))}, nil
	})
	if err != nil {
		return nil, err
	}
	if last != nil {
		last.Committed()
	}
	answer, err = s.ring.Open(string(res.Body), at)
	if err != nil {
		return nil, db.AnswerLost(err)
	}
	return answer, nil
}

// AccessChanged tells everybody that what a principal may do has changed, or,
// where session is not "", that it has ended.
func (t *Tx) AccessChanged(principal, session string) error {
	e := tenant.AccessChanged{Organization: t.ID(), Principal: principal, Session: session}
	t.changed = append(t.changed, e)
	return t.tx.Emit(e.Subject(), "access "+t.ID(), e)
}

// OrganizationChanged tells everybody that the organization was made or changed.
func (t *Tx) OrganizationChanged(created bool, by string) error {
	e := tenant.OrganizationChanged{Organization: t.ID(), Created: created, CreatedBy: by}
	return t.tx.Emit(e.Subject(), t.ID(), e)
}

// NewID returns a UUIDv7 (RFC 9562).
func NewID() string { return uuid.Must(uuid.NewV7()).String() } // fails only without a source of random bytes, which ends the process anyhow

// Fold returns text as it is looked up: in lower case, without spaces around
// it.
func Fold(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	const most = 120
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most])
	}
	return s
}

// FoldEmail returns an e-mail address as it is looked up: without regard to case. The
// sign for kelvin (U+212A), whose small letter is the k of ASCII, stays what it is:
// whoever has such an address is somebody else than who has the one with a k.
func FoldEmail(s string) string {
	return strings.Map(func(r rune) rune {
		if small := unicode.ToLower(r); r < utf8.RuneSelf || small >= utf8.RuneSelf {
			return small
		}
		return r
	}, strings.TrimSpace(s))
}

// like returns a pattern for text that contains q, for LIKE with ESCAPE '!'.
func like(q string) string {
	return "%" + escapeLike(strings.ToLower(strings.TrimSpace(q))) + "%"
}

func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// one returns the only row, or [db.ErrNotFound].
func one[T any](rows []T, err error) (T, error) {
	if err == nil && len(rows) != 1 {
		err = db.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return rows[0], nil
}

// IsNotFound reports whether an error says that there is no such row.
func IsNotFound(err error) bool { return errors.Is(err, db.ErrNotFound) }

// IgnoreNotFound returns an error, but nil where it says that there is no such row.
func IgnoreNotFound(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}
