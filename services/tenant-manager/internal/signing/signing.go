// Package signing is the rules of the keys that access tokens are signed with:
// which one signs now, when the next is made, and when an old one goes. It does
// no I/O.
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

// Rotate returns what has to be done with the keys: there is one that signs, one
// that will after it, published long before, and the one before it for a while.
func Rotate(keys []Key, now time.Time) Plan {
	var p Plan
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, func(a, b Key) int { return cmp.Compare(a.Number, b.Number) })
	current, found := Current(sorted, now)
	from := now
	switch {
	case !found: // the first start, or every key is of the future
		p.Make = append(p.Make, now)
	default:
		from = current.ActiveFrom
	}
	if !slices.ContainsFunc(sorted, func(k Key) bool { return k.ActiveFrom.After(now) }) {
		next := from.Add(Period)
		if soonest := now.Add(Overlap); next.Before(soonest) { // nobody has worked for long: others must hear of it first
			next = soonest
		}
		p.Make = append(p.Make, next)
	}
	for _, k := range sorted {
		if found && k.Number < current.Number && !now.Before(current.ActiveFrom.Add(Overlap)) {
			p.Drop = append(p.Drop, k.ID)
		}
	}
	return p
}
