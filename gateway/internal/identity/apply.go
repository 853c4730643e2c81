package identity

import (
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
	"unique"
	"unsafe"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
)

// Apply takes over a part of the feed, or with Full the whole. A feed with an
// entry that is not well-formed changes nothing.
//
// An entry of a lower version never replaces one of a higher, and of two with
// the same version a revocation stands (R16.2). Only entries without a version,
// which are those of a source that always tells the whole, come back after they
// were gone.
func (s *Store) Apply(f credential.Feed) error {
	if err := Valid(&f); err != nil {
		return err
	}
	s.apply.Lock()
	defer s.apply.Unlock()
	if !f.Full {
		s.merge(&f, false)
		return nil
	}
	apps := map[string]bool{}
	s.begin()
	s.merge(&f, true)
	for i := range f.Applications {
		apps[f.Applications[i].ID] = true
	}
	s.sweep(apps, 0)
	return nil
}

// Replace is Apply for a whole that is too large to be held at once, in parts.
// What no part names is gone after the last one. An error of the source, or a
// part that is not well-formed, ends it: what the parts before said stands, and
// nothing is taken out.
func (s *Store) Replace(parts iter.Seq2[credential.Feed, error]) error {
	s.apply.Lock()
	defer s.apply.Unlock()
	apps := map[string]bool{}
	s.begin()
	for f, err := range parts {
		if err == nil {
			err = Valid(&f)
		}
		if err != nil {
			return fmt.Errorf("reading the credentials: %w", err)
		}
		s.merge(&f, true)
		for i := range f.Applications {
			apps[f.Applications[i].ID] = true
		}
	}
	s.sweep(apps, 0)
	return nil
}

// Valid returns what is wrong with a feed. It names entries by id, never by
// digest.
func Valid(f *credential.Feed) error {
	for i := range f.Applications {
		if f.Applications[i].ID == "" {
			return fmt.Errorf("application %d of the feed has no id", i)
		}
	}
	var d policy.Digest
	for i := range f.Credentials {
		c := &f.Credentials[i]
		switch {
		case kindOf(policy.CredentialKind(c.Kind)) == 0:
			return fmt.Errorf("credential %q has the unknown kind %q", c.ID, c.Kind)
		case decode(c.Digest, &d) != nil:
			return fmt.Errorf("the digest of credential %q is not 64 hex digits", c.ID)
		case c.ID == "" && !c.Revoked:
			return fmt.Errorf("credential %d of the feed has no id", i)
		case c.Application == "" && !c.Revoked:
			return fmt.Errorf("credential %q belongs to no application", c.ID)
		case len(c.ID) > 1024 || len(c.Plan) > 255 || len(c.ID)+len(c.Plan)+len(c.Verifier) > maxText:
			return fmt.Errorf("credential %.64q is longer than %d bytes", c.ID, maxText)
		}
	}
	return nil
}

func decode(digest string, into *policy.Digest) error {
	if len(digest) != hex.EncodedLen(len(into)) {
		return hex.ErrLength
	}
	_, err := hex.Decode(into[:], []byte(digest))
	return err
}

func (s *Store) merge(f *credential.Feed, full bool) {
	for n := range f.Applications {
		a := &f.Applications[n]
		i := s.slot(a.ID) // before the slice is read: it may grow
		(*s.apps.Load())[i].app.Store(snapshot(a))
	}
	for i := range f.Credentials {
		s.put(&f.Credentials[i], full)
	}
}

// slot returns the number of the place of an application, made where there is
// none.
func (s *Store) slot(id string) uint32 {
	if i, ok := s.byID[id]; ok {
		return i
	}
	// Readers have the slice as it was; appending writes behind its end only.
	next := append(*s.apps.Load(), new(appSlot))
	s.apps.Store(&next)
	i := uint32(len(next) - 1)
	s.byID[id] = i
	return i
}

// intern makes equal texts one, since plans, APIs and groups are named by many
// applications.
func intern(s string) string { return unique.Make(s).Value() }

// placed is an application with its names beside it, in two cache lines: each
// request of a caller who has not called for a while looks at both.
type placed struct {
	app  policy.Application
	text [40]byte
}

// keep returns s, kept in what is left of the text at n where there is room.
func (p *placed) keep(s string, n int) (string, int) {
	if s == "" || len(s) > len(p.text)-n {
		return s, n
	}
	copy(p.text[n:], s)
	return unsafe.String(&p.text[n], len(s)), n + len(s) //nolint:gosec // never changed, and lives as long as the application
}

// snapshot returns the application as policies see it.
func snapshot(a *credential.Application) *policy.Application {
	at := &placed{app: policy.Application{
		Organization: intern(a.Organization),
		Groups:       slices.Clone(a.Groups), Attributes: maps.Clone(a.Attributes),
	}}
	p := &at.app
	n := 0
	if p.ID, n = at.keep(a.ID, n); a.Name == a.ID {
		p.Name = p.ID
	} else {
		p.Name, _ = at.keep(a.Name, n)
	}
	for i, g := range p.Groups {
		p.Groups[i] = intern(g)
	}
	if len(a.Subscriptions) > 0 {
		p.Subscriptions = make(map[string][]policy.Subscription, 1)
	}
	for i := range a.Subscriptions {
		sub := &a.Subscriptions[i]
		api := intern(sub.API)
		p.Subscriptions[api] = append(p.Subscriptions[api], policy.Subscription{
			ID: sub.ID, Plan: intern(sub.Plan), Active: sub.Active, ExpiresAt: sub.ExpiresAt,
		})
	}
	return p
}

// put takes over one entry.
func (s *Store) put(c *credential.Credential, full bool) {
	var d policy.Digest
	if decode(c.Digest, &d) != nil { // validated before
		return
	}
	kind := kindOf(policy.CredentialKind(c.Kind))
	app := uint32(0)
	if c.Application != "" {
		app = s.slot(c.Application)
	}
	h := s.hash(&d)
	sh := &s.shards[h%shardCount]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := sh.find(h, kind, &d)
	if r != nil {
		r.flags |= seen
		if !supersedes(c, r, full) {
			return
		}
		if r.flags&revoked == 0 {
			s.live.Add(-1)
		}
	} else {
		r = sh.add(s, h, kind, &d)
	}
	r.version, r.app, r.expires = c.Version, app, 0
	if !c.ExpiresAt.IsZero() {
		r.expires = expiry(c.ExpiresAt)
	}
	r.flags = kind | seen | r.flags&nilVer
	if c.Revoked {
		r.flags |= revoked
		sh.write(r, c.ID, "", nil) // of a revoked credential no secret is kept
		return
	}
	s.live.Add(1)
	var verifier []byte
	if c.Verifier != "" {
		verifier = []byte(c.Verifier)
	}
	sh.write(r, c.ID, c.Plan, verifier)
	if sh.waste > textPage && sh.waste > sh.size()/2 {
		sh.rebuild(s, func(*record) bool { return true })
	}
}

// expiry returns Unix seconds, rounded down: not a moment longer. A time that
// cannot be told from "never" is one long ago.
func expiry(t time.Time) int64 {
	if u := t.Unix(); u > 0 {
		return u
	}
	return 1
}

// supersedes reports whether an entry replaces what is known.
func supersedes(c *credential.Credential, r *record, full bool) bool {
	switch {
	case c.Version != r.version:
		return c.Version > r.version
	case r.flags&gone != 0:
		return true
	case r.flags&revoked == 0 || c.Revoked:
		return true
	}
	return full && c.Version == 0
}

func (sh *shard) size() int {
	n := 0
	for _, t := range sh.texts {
		n += len(t)
	}
	return n
}

// begin prepares for a whole feed: nothing was seen yet.
func (s *Store) begin() {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for n := range sh.count {
			sh.record(n).flags &^= seen
		}
		sh.mu.Unlock()
	}
}

// sweep takes out what was not seen. Of entries with a version a
// revoked one stays, so that a late older entry does not bring it back.
func (s *Store) sweep(apps map[string]bool, how uint8) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		drop := false
		for n := range sh.count {
			r := sh.record(n)
			if r.flags&seen != 0 {
				continue
			}
			if r.flags&revoked == 0 {
				s.live.Add(-1)
				r.flags |= revoked | how
				sh.write(r, sh.credential(r).ID, "", nil)
			}
			drop = drop || r.version == 0
		}
		if drop {
			sh.rebuild(s, func(r *record) bool { return r.flags&seen != 0 || r.version > 0 })
		}
		sh.mu.Unlock()
	}
	all := *s.apps.Load()
	for id, i := range s.byID {
		if !apps[id] {
			all[i].app.Store(nil) // the place stays: a credential may still name it
		}
	}
}
