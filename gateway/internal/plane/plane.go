// Package plane is the gateway's side of the control plane: it joins a group,
// reports, follows the group's manifest and the feed of credentials over the
// bus, and keeps on disk what it needs to start again while the plane is away.
//
// It knows neither how units are compiled nor how requests are served, and
// nothing that it waits for is on the way of a request.
package plane

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/unitstore"
)

// Status is what a gateway reports of itself.
type Status struct {
	// Epoch and Version are those of the manifest that is applied.
	Epoch   string
	Version uint64
	// APIs is how many are served, Issues what is wrong with some of them.
	APIs   int
	Issues []gateway.Issue
	// InFlight and Requests count requests, Memory is in bytes.
	InFlight, Requests, Memory int64
}

// Options are what a plane is made of.
type Options struct {
	// Bus is the connection, of the gateway's own user.
	Bus *bus.Bus
	// Organization and Group are slugs, Gateway is the gateway's name.
	Organization, Group, Gateway string
	// Token is the group's join token.
	Token string
	// Pinned are the only keys that may sign manifests; none = those that come
	// with the registration.
	Pinned []ed25519.PublicKey
	// Heartbeat is how often to report; 0 = as the plane asks.
	Heartbeat time.Duration
	// Build is this program's version.
	Build string
	// Cache keeps what must survive a restart.
	Cache *source.Cache
	// Credentials takes the feed.
	Credentials *identity.Store
	// Units returns the documents in use, which are not fetched again.
	Units func() map[unit.Hash][]byte
	// Deliver puts a configuration in use.
	Deliver func(source.Snapshot) error
	// Status tells what to report.
	Status func() Status
	// OnProblems is told what is wrong with the plane's configuration as a whole;
	// none = nothing is.
	OnProblems func([]problem.Field)
	// Log and Now are the gateway's.
	Log *slog.Logger
	Now func() time.Time
}

// Plane follows the control plane. Make one with [Open].
type Plane struct {
	o        Options
	instance string
	started  time.Time
	units    *unitstore.Store

	mu        sync.Mutex
	joined    registration
	listeners []string
	issue     *gateway.Issue // with the manifest as a whole
	taken     bool           // in, by the plane
	reported  time.Time
	newKeys   chan struct{} // closed, and replaced, when the keys change

	applied chan struct{}        // of one place: report at once
	rejoin  chan struct{}        // of one place: register anew
	first   chan struct{}        // closed when manifest and credentials were applied
	missing atomic.Int32         // how many of the two are lacking
	tree    *tree                // of the manifest applied last; nil = none
	fetched map[unit.Hash][]byte // for one that could not be applied yet

	journal  *journal
	from     bus.Position // of the feed, as the journal has it
	received atomic.Int64
}

// registration is what is remembered of joining the group.
type registration struct {
	Organization string   `json:"organization"`
	Group        string   `json:"group"`
	Gateway      string   `json:"gateway"`
	Keys         [][]byte `json:"keys"`
	// Heartbeat is how often the plane wants reports.
	Heartbeat time.Duration `json:"heartbeatNs"`
	// Of tells what was joined, so that another group's keys are not trusted.
	Of string `json:"of"`
}

const registrationFile = "registration.json"

// Open returns a plane that knows what an earlier run has remembered. It waits
// for nobody.
func Open(ctx context.Context, o Options) (*Plane, error) {
	p := &Plane{
		o: o, instance: rand.Text(), started: o.Now().UTC(),
		applied: make(chan struct{}, 1), rejoin: make(chan struct{}, 1), first: make(chan struct{}), newKeys: make(chan struct{}),
		fetched: map[unit.Hash][]byte{},
	}
	bucket, err := o.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Units, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	p.units = unitstore.New(bucket)
	p.missing.Store(2)
	if p.joined, err = remembered(o.Cache, p.of()); err != nil {
		o.Log.Error("what is remembered of joining could not be read; joining anew", "err", err)
	}
	return p, nil
}

// remembered returns the registration with a group that an earlier run has kept.
func remembered(cache *source.Cache, of string) (r registration, err error) {
	raw, err := cache.ReadFile(registrationFile)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil || r.Of != of {
		return registration{}, err
	}
	return r, nil
}

// Look returns what a gateway, which may be running, has kept of its group: the
// last good configuration and the credentials.
func Look(cache *source.Cache, organization, group string, pinned []ed25519.PublicKey, log *slog.Logger) (source.Snapshot, *identity.Store, error) {
	p := &Plane{o: Options{Organization: organization, Group: group, Pinned: pinned}}
	var err error
	if p.joined, err = remembered(cache, p.of()); err != nil {
		return source.Snapshot{}, nil, err
	}
	s, err := cache.Load(p.Trusted()...)
	if err != nil {
		return s, nil, err
	}
	store := identity.New()
	_, err = readFeed(store, log, func(each func(bus.Entry) error) error { return readJournal(cache, each) })
	return s, store, err
}

// Received returns how many bytes of units were fetched so far.
func (p *Plane) Received() int64 { return p.received.Load() }

// Contact tells whether the plane has taken the gateway in since it was started,
// and when it took the last report; zero = never.
func (p *Plane) Contact() (joined bool, reported time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, p.reported
}

// of names the group that is to be joined.
func (p *Plane) of() string { return p.o.Organization + "." + p.o.Group }

// Trusted returns the keys that may sign manifests.
func (p *Plane) Trusted() []ed25519.PublicKey {
	if len(p.o.Pinned) > 0 {
		return p.o.Pinned
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := make([]ed25519.PublicKey, 0, len(p.joined.Keys))
	for _, k := range p.joined.Keys {
		if len(k) == ed25519.PublicKeySize {
			keys = append(keys, k)
		}
	}
	return keys
}

// First returns a channel that is closed when the plane's configuration and all
// credentials have been applied once.
func (p *Plane) First() <-chan struct{} { return p.first }

// arrived says that one of the two that First waits for is there.
func (p *Plane) arrived() {
	if p.missing.Add(-1) == 0 {
		close(p.first)
	}
}

// Listen says on which addresses the gateway takes traffic.
func (p *Plane) Listen(addresses []string) {
	p.mu.Lock()
	p.listeners = addresses
	p.mu.Unlock()
	poke(p.rejoin)
}

// Report has the gateway report now, not only at the next heartbeat.
func (p *Plane) Report() { poke(p.applied) }

// Run follows the plane. The manifest is followed until ctx ends, so that a
// stopping gateway changes no more; credentials, so that one that is revoked is
// refused to the last request, until last ends.
func (p *Plane) Run(ctx, last context.Context) {
	var work sync.WaitGroup
	work.Go(func() { p.join(ctx) })
	work.Go(func() { p.followManifest(ctx) })
	work.Go(func() { p.followCredentials(last) })
	work.Wait()
	if p.journal != nil {
		p.journal.close()
	}
}

func (p *Plane) setIssue(i *gateway.Issue) {
	p.mu.Lock()
	had := p.issue
	p.issue = i
	p.mu.Unlock()
	var fields []problem.Field
	if i != nil {
		fields = []problem.Field{{Pointer: "/controlPlane", Code: "unavailable", Detail: i.Detail}}
	}
	p.o.OnProblems(fields)
	if i != nil && (had == nil || *had != *i) {
		p.Report()
	}
}

// remember keeps a registration.
func (p *Plane) remember(r registration) {
	p.mu.Lock()
	same := slices.EqualFunc(r.Keys, p.joined.Keys, slices.Equal[[]byte])
	changed := !same || r.Group != p.joined.Group || r.Organization != p.joined.Organization || r.Gateway != p.joined.Gateway || r.Heartbeat != p.joined.Heartbeat
	if !same && len(p.joined.Keys) > 0 {
		p.o.Log.Info("the keys that sign manifests have changed", "keys", len(r.Keys))
	}
	p.joined, p.taken = r, true
	if !same || r.Group != "" {
		close(p.newKeys)
		p.newKeys = make(chan struct{})
	}
	p.mu.Unlock()
	if !changed {
		return
	}
	raw, err := json.Marshal(r)
	if err == nil {
		err = p.o.Cache.WriteFile(registrationFile, raw)
	}
	if err != nil {
		p.o.Log.Error("joining could not be remembered for a restart", "err", err)
	}
}

func (p *Plane) registration() registration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.joined
}

// keysChanged returns a channel that is closed at the next registration.
func (p *Plane) keysChanged() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newKeys
}

// poke fills a channel of one place.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause waits; it returns false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// rarely lets something be said once a minute.
type rarely struct {
	now  func() time.Time
	last time.Time
}

func (r *rarely) say(f func()) {
	if now := r.now(); r.last.IsZero() || now.Sub(r.last) >= time.Minute {
		r.last = now
		f()
	}
}

// Name makes a gateway's name fit for subjects: what is no letter, digit, hyphen
// or underscore becomes a hyphen.
func Name(s string) string {
	b := []byte(s[:min(len(s), 64)])
	for i, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			b[i] = '-'
		}
	}
	return string(b)
}

// Access is what a gateway's NATS user must be allowed.
func Access(user, organization, group, name string) bus.Access {
	own := []string{organization + ".>"}
	return bus.Access{
		Service: user, Client: true,
		Asks: []string{gateway.Service + ".register", gateway.Service + ".report"},
		Buckets: []bus.BucketAccess{
			{Name: gateway.Manifests, Keys: []string{organization + "." + group}},
			{Name: gateway.Units, Keys: own},
			{Name: gateway.Credentials, Keys: own},
		},
		Ships: []string{fmt.Sprintf("%s.%s.%s", organization, group, name)},
	}
}
