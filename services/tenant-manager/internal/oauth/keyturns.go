package oauth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/signing"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// KeysEvery is how often it is looked whether keys of organizations are to be turned.
const KeysEvery = time.Hour

// TurnKeys makes the keys that are due, and deletes those that are over, of all
// organizations that ever had one. What fails for one is done for the others.
func (s *Server) TurnKeys(ctx context.Context) error {
	rows, err := s.store.OAuthKeyTurns(ctx)
	if err != nil {
		return err
	}
	now := s.store.Now()
	var failed []error
	for len(rows) > 0 && ctx.Err() == nil {
		organization, algorithm := rows[0].OrganizationID, rows[0].Algorithm
		n := slices.IndexFunc(rows, func(k store.OAuthKeyTurn) bool { return k.OrganizationID != organization || k.Algorithm != algorithm })
		if n < 0 {
			n = len(rows)
		}
		of := make([]signing.Turn, n)
		for i, k := range rows[:n] {
			of[i] = signing.Turn{ID: k.ID, Number: k.Number, ActiveFrom: k.ActiveFrom}
		}
		rows = rows[n:]
		if !turning.Plan(of, now).Nothing() {
			failed = append(failed, s.keys.turn(ctx, organization, algorithm))
		}
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// Keys returns the keys of an organization that are published: of both algorithms,
// so that others have them before the first token.
func (s *Server) Keys(ctx context.Context, organization string) ([]Key, error) {
	for _, algorithm := range []string{EdDSA, RS256} {
		if _, err := s.keys.signer(ctx, organization, algorithm); err != nil {
			return nil, err
		}
	}
	return s.keys.list(ctx, organization)
}

// errTurned says that somebody else turned the keys meanwhile.
var errTurned = errors.New("the keys were turned meanwhile")

// RotateKeys has the next key of an algorithm sign from now on, and makes the one
// after it. The one before stays published for as long as its tokens live, or is
// withdrawn: what it signed is refused from now on. Of several who do it at the same
// time each does.
func (s *Server) RotateKeys(ctx context.Context, organization, by, algorithm string, withdraw bool) ([]Key, error) {
	defer s.keys.forget(organization)
	for range turnTries {
		if err := s.keys.turn(ctx, organization, algorithm); err != nil { // there is a next one, also after a long pause
			return nil, err
		}
		err := s.rotateNow(ctx, organization, by, algorithm, withdraw)
		if errors.Is(err, errTurned) || errors.Is(err, db.ErrDuplicate) {
			continue
		}
		s.keys.forget(organization)
		if err != nil {
			return nil, err
		}
		return s.keys.list(ctx, organization)
	}
	return nil, problem.New(problem.CodeConflict, "others rotate the same keys at this moment: look at the list, and try again where it is still needed")
}

func (s *Server) rotateNow(ctx context.Context, organization, by, algorithm string, withdraw bool) error {
	s.keys.forget(organization)
	keys, err := s.keys.all(ctx, organization)
	if err != nil {
		return err
	}
	now := s.store.Now()
	of := ofAlgorithm(keys, algorithm)
	at := slices.IndexFunc(of, func(k Key) bool { return k.State(now) == "next" })
	before, ok := active(of, now)
	if at < 0 || !ok {
		return errTurned
	}
	next := of[at]
	rows, err := s.keys.rows(of, algorithm, []time.Time{now.Add(turning.Period)})
	if err != nil {
		return err
	}
	return s.store.Tx(ctx, organization, by, func(tx *store.Tx) error {
		turned, err := tx.ActivateOAuthKey(ctx, next.ID, now)
		if err != nil {
			return err
		}
		if !turned {
			return errTurned
		}
		if err := s.keys.record(ctx, tx, "oauth-key.rotated", next.ID, algorithm, audit.Actor{}, keyState{State: "next"}, keyState{State: "active"}); err != nil {
			return err
		}
		if err := s.keys.create(ctx, tx, &rows[0], audit.Actor{}); err != nil || !withdraw {
			return err
		}
		return s.withdraw(ctx, tx, before, "active")
	})
}

// WithdrawKey deletes a key at once that does not sign now. What it signed is refused
// here from now on, and elsewhere as soon as the published keys are read again. The
// error is [db.ErrNotFound] where there is no such key.
func (s *Server) WithdrawKey(ctx context.Context, organization, by, id string) error {
	defer s.keys.forget(organization)
	err := s.store.Tx(ctx, organization, by, func(tx *store.Tx) error {
		rows, err := tx.LockOAuthKeys(ctx)
		if err != nil {
			return err
		}
		now := s.store.Now()
		at := slices.IndexFunc(rows, func(k store.OAuthKey) bool { return k.ID == id })
		if at < 0 {
			return db.ErrNotFound
		}
		k := Key{ID: id, Algorithm: rows[at].Algorithm, ActiveFrom: rows[at].ActiveFrom}
		if at+1 < len(rows) && rows[at+1].Algorithm == k.Algorithm {
			k.Until = rows[at+1].ActiveFrom
		}
		state := k.State(now)
		if state == "active" {
			return problem.New(problem.CodeConflict, "this key signs now: rotate %s with withdraw, so that another one does", k.Algorithm)
		}
		return s.withdraw(ctx, tx, k, state)
	})
	if err != nil {
		return err
	}
	s.keys.forget(organization)
	return nil
}

func (s *Server) withdraw(ctx context.Context, tx *store.Tx, k Key, state string) error {
	n, err := tx.DeleteOAuthKeys(ctx, k.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return errTurned
	}
	return s.keys.record(ctx, tx, "oauth-key.withdrawn", k.ID, k.Algorithm, audit.Actor{}, keyState{State: state}, keyState{State: "withdrawn"})
}
