// Package signing is the rules of the keys that tokens are signed with, the
// product's own and those of organizations: which one signs now, when the next is
// made, and when an old one goes. It does no I/O.
package signing

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

const (
	// Period is how long a key signs.
	Period = 30 * 24 * time.Hour
	// Overlap is how long a key is published after the last token that it
	// signed; far longer than a token lives.
	Overlap = 24 * time.Hour
)

// Key is a pair of keys.
type Key struct {
	// ID is the kid.
	ID string
	// Number rises from key to key.
	Number int64
	// ActiveFrom is when it begins to sign.
	ActiveFrom time.Time
	Private    ed25519.PrivateKey
}

// Public returns the key that others verify with.
func (k Key) Public() ed25519.PublicKey {
	public, _ := k.Private.Public().(ed25519.PublicKey) // it is always one
	return public
}

// New returns a new key.
func New(number int64, activeFrom time.Time) (Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("making a signing key: %w", err)
	}
	return Key{
		ID:     activeFrom.UTC().Format("20060102") + "-" + base64.RawURLEncoding.EncodeToString(public[:9]),
		Number: number, ActiveFrom: activeFrom, Private: private,
	}, nil
}

// Current returns the key that signs now.
func Current(keys []Key, now time.Time) (Key, bool) {
	var out Key
	found := false
	for _, k := range keys {
		if !k.ActiveFrom.After(now) && (!found || k.Number > out.Number) {
			out, found = k, true
		}
	}
	return out, found
}

// Plan is what has to be done with the keys.
type Plan struct {
	// Make is when each new key begins to sign, in order.
	Make []time.Time
	// Drop are the ids of keys that nothing needs any more.
	Drop []string
}

// Nothing reports whether there is nothing to do.
func (p Plan) Nothing() bool { return len(p.Make) == 0 && len(p.Drop) == 0 }

// Turn is what the rules know of a key: its place among the others and when it
// begins to sign. It signs until the one after it does.
type Turn struct {
	ID         string
	Number     int64
	ActiveFrom time.Time
}

// Rules are how keys of one kind are turned.
type Rules struct {
	// Period is how long a key signs.
	Period time.Duration
	// Overlap is how long a key is published after it signed for the last time, and
	// at least before it signs for the first time.
	Overlap time.Duration
}

// Plan returns what has to be done with keys: there is one that signs, one that
// will after it, published long before, and those before it for as long as what
// they signed lives.
func (r Rules) Plan(keys []Turn, now time.Time) Plan {
	var p Plan
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, func(a, b Turn) int { return cmp.Compare(a.Number, b.Number) })
	current, next := -1, false
	for i, k := range sorted {
		if k.ActiveFrom.After(now) {
			next = true
		} else {
			current = i
		}
	}
	from := now
	if current < 0 { // the first start, or every key is of the future
		p.Make = append(p.Make, now)
	} else {
		from = sorted[current].ActiveFrom
	}
	if !next {
		at := from.Add(r.Period)
		if soonest := now.Add(r.Overlap); at.Before(soonest) { // nobody has worked for long: others must hear of it first
			at = soonest
		}
		p.Make = append(p.Make, at)
	}
	for i := range current {
		if !now.Before(sorted[i+1].ActiveFrom.Add(r.Overlap)) {
			p.Drop = append(p.Drop, sorted[i].ID)
		}
	}
	return p
}

// Rotate returns what has to be done with the keys of the product's own access
// tokens.
func Rotate(keys []Key, now time.Time) Plan {
	turns := make([]Turn, len(keys))
	for i, k := range keys {
		turns[i] = Turn{ID: k.ID, Number: k.Number, ActiveFrom: k.ActiveFrom}
	}
	return Rules{Period: Period, Overlap: Overlap}.Plan(turns, now)
}
