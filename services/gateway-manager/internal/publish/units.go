// Package publish brings what is deployed to the gateways: units and documents
// into the bucket of units, and for each gateway group a signed manifest with a
// rising version. One replica does it at a time, under a lease.
//
// The database says what is wanted; what is here in memory can be lost at any
// time. The package knows nothing of HTTP.
package publish

import (
	"context"
	"fmt"
	"sync"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// cacheSize is how many bytes of units are kept that were built a moment ago, to
// be published a moment later.
const cacheSize = 32 << 20

// Units writes units and documents into their bucket. All methods may be called
// at the same time, and wait while NATS is away.
type Units struct {
	bus *bus.Bus

	mu     sync.Mutex
	bucket *bus.Bucket
	store  *unitstore.Store

	cached map[unit.Hash][]byte
	order  []unit.Hash
	size   int
}

// NewUnits returns the units of a bus. It does not wait for NATS.
func NewUnits(b *bus.Bus) *Units { return &Units{bus: b, cached: map[unit.Hash][]byte{}} }

// open returns the store, and makes the bucket where it is missing.
func (u *Units) open(ctx context.Context) (*bus.Bucket, *unitstore.Store, error) {
	u.mu.Lock()
	bucket, s := u.bucket, u.store
	u.mu.Unlock()
	if s != nil {
		return bucket, s, nil
	}
	bucket, err := u.bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Units})
	if err != nil {
		return nil, nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.store == nil {
		u.bucket, u.store = bucket, unitstore.New(bucket)
	}
	return u.bucket, u.store, nil
}

// Put writes documents of an organization, by its slug, and returns how many
// bytes had to be sent.
func (u *Units) Put(ctx context.Context, organization string, documents map[unit.Hash][]byte) (int64, error) {
	_, s, err := u.open(ctx)
	if err != nil {
		return 0, err
	}
	return s.Put(ctx, organization, documents)
}

// epoch names the life of the bucket.
func (u *Units) epoch(ctx context.Context) (string, error) {
	bucket, _, err := u.open(ctx)
	if err != nil {
		return "", err
	}
	return bucket.Epoch(ctx)
}

// Keep remembers a unit that was built, for it is likely to be published soon.
func (u *Units) Keep(b revision.Built) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.cached[b.Hash]; known || len(b.Document) > cacheSize/2 {
		return
	}
	u.cached[b.Hash] = b.Document
	u.order = append(u.order, b.Hash)
	u.size += len(b.Document)
	for u.size > cacheSize {
		u.size -= len(u.cached[u.order[0]])
		delete(u.cached, u.order[0])
		u.order = u.order[1:]
	}
}

func (u *Units) kept(h unit.Hash) ([]byte, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	doc, ok := u.cached[h]
	return doc, ok
}

// built is the unit of what is deployed, with the OpenAPI document that the
// portal shows of it.
type built struct {
	hash         unit.Hash
	document     []byte
	openapiHash  unit.Hash
	openapi      []byte
	revisionHash string
}

// build returns the unit of what is deployed. Where it was built a moment ago,
// it is taken as it is.
func (u *Units) build(ctx context.Context, o *store.Org, organization string, d *store.Deployed) (built, error) {
	r, err := o.Revision(ctx, d.APIID, d.Revision)
	if err != nil {
		return built{}, fmt.Errorf("reading revision %d of API %s: %w", d.Revision, d.APIID, err)
	}
	b := built{openapiHash: unit.Hash(r.DocumentHash), revisionHash: r.Hash}
	if b.openapi, err = o.Document(ctx, b.openapiHash); err != nil {
		return built{}, err
	}
	if doc, ok := u.kept(unit.Hash(d.UnitHash)); ok {
		b.hash, b.document = unit.Hash(d.UnitHash), doc
		return b, nil
	}
	c, err := o.Content(&r)
	if err != nil {
		return built{}, err
	}
	made, err := revision.Build(c, b.openapi, Place(organization, d))
	if err != nil {
		return built{}, fmt.Errorf("building revision %d of API %s: %w", d.Revision, d.APIID, err)
	}
	u.Keep(made)
	b.hash, b.document = made.Hash, made.Document
	return b, nil
}

// Place is where something is deployed.
func Place(organization string, d *store.Deployed) revision.Place {
	return revision.Place{
		API: d.APIID, Organization: organization, Project: d.ProjectID, Environment: d.EnvironmentName, Revision: uint64(max(d.Revision, 0)),
	}
}
