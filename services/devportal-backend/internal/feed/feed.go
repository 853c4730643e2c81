// Package feed keeps the bucket from which gateways learn who may call. Each
// entry is made anew from the database whenever something of it changed, and the
// whole is compared when a replica takes over, and written again when NATS has
// lost it. It decides nothing: what is in the database is what gateways are told.
package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// Writer writes the feed. All replicas have one; what they write at the same
// time does not get mixed up, since each entry is only replaced by who has seen
// the last one.
type Writer struct {
	DB  *db.DB
	Bus *bus.Bus
	Log *slog.Logger
	Now func() time.Time

	mu     sync.Mutex
	bucket *bus.Bucket
}

// remembered is how long gateways that were away can learn that an entry was
// taken away. Revoked credentials are entries.
const remembered = 30 * 24 * time.Hour

// open opens the bucket, and makes it where it is missing. It waits for NATS.
func (w *Writer) open(ctx context.Context) (*bus.Bucket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bucket != nil {
		return w.bucket, nil
	}
	b, err := w.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Credentials, ForgetDeleted: remembered})
	if err != nil {
		return nil, fmt.Errorf("feeding gateways: %w", err)
	}
	w.bucket = b
	return b, nil
}

// attempts bounds how often an entry is made again because another replica was
// faster.
const attempts = 20

func applicationKey(slug, id string) string    { return slug + ".application." + id }
func credentialKey(slug, digest string) string { return slug + ".credential." + digest }

// Forget takes away what gateways know of an organization that is over. Its slug
// is nobody's after it.
func (w *Writer) Forget(ctx context.Context, o tenant.Organization) error {
	bucket, err := w.open(ctx)
	if err != nil {
		return err
	}
	keys, err := bucket.Keys(ctx, o.Slug+".>")
	if err != nil {
		return fmt.Errorf("feeding gateways: %w", err)
	}
	for _, key := range keys {
		if err := bucket.Delete(ctx, key); err != nil {
			return fmt.Errorf("feeding gateways: %w", err)
		}
	}
	return nil
}

// Changed brings the entries up to date that an event is about.
func (w *Writer) Changed(ctx context.Context, e portal.FeedChanged) error {
	o, err := store.OrganizationByID(ctx, w.DB, e.Organization)
	if err != nil {
		return fmt.Errorf("feeding gateways: organization %s: %w", e.Organization, err)
	}
	if e.Credential != "" {
		return w.credential(ctx, o, e.Credential)
	}
	return w.application(ctx, o, e.Application)
}

func (w *Writer) application(ctx context.Context, o store.Organization, id string) error {
	return w.sync(ctx, applicationKey(o.Slug, id), func(ctx context.Context) ([]byte, error) {
		s := w.DB.For(o.ID)
		a, err := store.FindApplication(ctx, s, id, false)
		if errors.Is(err, db.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		open, err := store.SubscriptionsOf(ctx, s, id)
		if err != nil {
			return nil, err
		}
		return applicationEntry(a, open)
	})
}

func applicationEntry(a store.Application, open []store.Subscription) ([]byte, error) {
	out := credential.Application{ID: a.ID, Name: a.Name, Organization: a.OrganizationID}
	for _, r := range open {
		if r.Status == subscription.Pending {
			continue
		}
		out.Subscriptions = append(out.Subscriptions, credential.Subscription{
			ID: r.ID, API: r.APIID, Plan: r.PlanID, Active: r.Status == subscription.Active,
		})
	}
	return json.Marshal(out)
}

func (w *Writer) credential(ctx context.Context, o store.Organization, id string) error {
	c, err := store.FindCredential(ctx, w.DB.For(o.ID), id, false)
	if errors.Is(err, db.ErrNotFound) {
		return nil // long over, and swept
	}
	if err != nil {
		return fmt.Errorf("feeding gateways: %w", err)
	}
	return w.sync(ctx, credentialKey(o.Slug, c.Digest), func(ctx context.Context) ([]byte, error) {
		c, err := store.FindCredential(ctx, w.DB.For(o.ID), id, false)
		if errors.Is(err, db.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return credentialEntry(c)
	})
}

func credentialEntry(c store.Credential) ([]byte, error) {
	out := credential.Credential{
		ID: c.ID, Kind: credential.Kind(c.Kind), Digest: c.Digest, Application: c.ApplicationID,
		Revoked: c.RevokedAt != nil, Version: uint64(c.Version),
	}
	if c.ExpiresAt != nil {
		out.ExpiresAt = c.ExpiresAt.UTC()
	}
	return json.Marshal(out)
}

// sync makes the entry under a key what the database says. The entry is looked
// at before the database, and replaced only if it is still the same: whoever
// wrote in between had seen no less than we have.
func (w *Writer) sync(ctx context.Context, key string, now func(context.Context) ([]byte, error)) error {
	bucket, err := w.open(ctx)
	if err != nil {
		return err
	}
	for range attempts {
		there, err := bucket.Get(ctx, key)
		missing := errors.Is(err, bus.ErrNoKey)
		if err != nil && !missing {
			return fmt.Errorf("feeding gateways: %w", err)
		}
		value, err := now(ctx)
		if err != nil {
			return fmt.Errorf("feeding gateways: %w", err)
		}
		switch {
		case value == nil && missing:
			return nil
		case value == nil:
			err = bucket.Delete(ctx, key)
		case missing:
			_, err = bucket.Create(ctx, key, value)
		case bytes.Equal(value, there.Value):
			return nil
		default:
			_, err = bucket.Update(ctx, key, value, there.Revision)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, bus.ErrConflict) {
			return fmt.Errorf("feeding gateways: %w", err)
		}
	}
	return fmt.Errorf("feeding gateways: %s changes all the time: %w", key, bus.ErrConflict)
}

const (
	// look is how often it is looked whether NATS still has the bucket.
	look = time.Second
	// sweepEvery is how often entries are swept that nobody needs any more.
	sweepEvery = 10 * time.Minute
	pageSize   = 500
)

// Keep compares the bucket with the database, and again whenever NATS has lost
// it, until ctx ends. One replica does it, under a lease.
func (w *Writer) Keep(ctx context.Context) error {
	bucket, err := w.open(ctx)
	if err != nil {
		return err
	}
	epoch := ""
	var swept time.Time
	t := time.NewTicker(look)
	defer t.Stop()
	for {
		now, err := bucket.Epoch(ctx)
		if err == nil && now != epoch {
			if err = w.reconcile(ctx); err == nil {
				epoch = now
			}
		}
		if err == nil && w.Now().Sub(swept) > sweepEvery {
			swept = w.Now()
			err = w.sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "the feed of credentials is not up to date; trying again", "err", err)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// reconcile writes what the bucket lacks or has otherwise, and takes away what
// it has too much.
func (w *Writer) reconcile(ctx context.Context) error {
	seed := maphash.MakeSeed()
	bucket, err := w.open(ctx)
	if err != nil {
		return err
	}
	there, err := read(ctx, bucket, seed)
	if err != nil {
		return err
	}
	organizations, err := store.Organizations(ctx, w.DB)
	if err != nil {
		return fmt.Errorf("feeding gateways: %w", err)
	}
	written := 0
	for _, o := range organizations {
		n, err := w.organization(ctx, o, there, seed)
		written += n
		if err != nil {
			return err
		}
	}
	slugs := make(map[string]store.Organization, len(organizations))
	for _, o := range organizations {
		slugs[o.Slug] = o
	}
	for key := range there { // what is left is nobody's
		slug, rest, _ := strings.Cut(key, ".")
		if _, known := slugs[slug]; !known || rest == gateway.Complete {
			continue // an organization that was not heard of yet
		}
		if id, ok := strings.CutPrefix(rest, "application."); ok {
			if err := w.application(ctx, slugs[slug], id); err != nil {
				return err
			}
			continue
		}
		if err := bucket.Delete(ctx, key); err != nil {
			return fmt.Errorf("feeding gateways: %w", err)
		}
	}
	for slug := range slugs { // gateways drop what they know besides
		if _, err := bucket.Put(ctx, slug+"."+gateway.Complete, []byte("1")); err != nil {
			return fmt.Errorf("feeding gateways: %w", err)
		}
	}
	if written > 0 {
		w.Log.InfoContext(ctx, "the feed of credentials was brought up to date", "written", written)
	}
	return nil
}

var errRead = errors.New("read")

// read returns a sum of each value in the bucket.
func read(ctx context.Context, bucket *bus.Bucket, seed maphash.Seed) (map[string]uint64, error) {
	there := map[string]uint64{}
	err := bucket.Watch(ctx, nil, bus.Position{}, func(e bus.Entry) error {
		switch {
		case e.Reset:
			clear(there)
		case e.Marker:
			return errRead
		case e.Deleted:
			delete(there, e.Key)
		default:
			there[e.Key] = maphash.Bytes(seed, e.Value)
		}
		return nil
	})
	if errors.Is(err, errRead) {
		return there, nil
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("reading the feed: %w", err)
}

// organization writes what differs of one organization, and removes what it has
// seen from there.
func (w *Writer) organization(ctx context.Context, o store.Organization, there map[string]uint64, seed maphash.Seed) (written int, err error) {
	same := func(key string, value []byte) bool {
		sum, ok := there[key]
		delete(there, key)
		return ok && sum == maphash.Bytes(seed, value)
	}
	s := w.DB.For(o.ID)
	err = eachPage(ctx, s, store.ApplicationPage, func(a store.Application) error {
		open, err := store.SubscriptionsOf(ctx, s, a.ID)
		if err != nil {
			return err
		}
		value, err := applicationEntry(a, open)
		if err != nil || same(applicationKey(o.Slug, a.ID), value) {
			return err
		}
		written++
		return w.application(ctx, o, a.ID)
	})
	if err != nil {
		return written, err
	}
	return written, eachPage(ctx, s, store.CredentialPage, func(c store.Credential) error {
		value, err := credentialEntry(c)
		if err != nil || same(credentialKey(o.Slug, c.Digest), value) {
			return err
		}
		written++
		return w.credential(ctx, o, c.ID)
	})
}

// eachPage hands out all rows of an organization.
func eachPage[T any](ctx context.Context, s *db.Scope, page func(context.Context, *db.Scope, string, int) ([]T, string, error), handle func(T) error) error {
	after := ""
	for {
		rows, last, err := page(ctx, s, after, pageSize)
		if err != nil {
			return fmt.Errorf("feeding gateways: %w", err)
		}
		for _, r := range rows {
			if err := handle(r); err != nil {
				return err
			}
		}
		if len(rows) < pageSize {
			return nil
		}
		after = last
	}
}

// sweep forgets the keys with which the portal called for applications, a day
// after their end.
func (w *Writer) sweep(ctx context.Context) error {
	bucket, err := w.open(ctx)
	if err != nil {
		return err
	}
	organizations, err := store.Organizations(ctx, w.DB)
	if err != nil {
		return fmt.Errorf("sweeping credentials: %w", err)
	}
	for _, o := range organizations {
		old, err := store.Ended(ctx, w.DB.For(o.ID), store.PurposeTry, w.Now().Add(-24*time.Hour))
		if err != nil {
			return fmt.Errorf("sweeping credentials: %w", err)
		}
		for _, c := range old {
			if err := bucket.Delete(ctx, credentialKey(o.Slug, c.Digest)); err != nil {
				return fmt.Errorf("sweeping credentials: %w", err)
			}
			if err := store.ForgetCredential(ctx, w.DB.For(o.ID), c.ID); err != nil {
				return fmt.Errorf("sweeping credentials: %w", err)
			}
		}
	}
	return nil
}
