// Package planetest is a control plane for tests: a real NATS server, and what
// gateway-manager, devportal-backend and analysis-manager do for gateways, as
// little of it as gateways notice. It is for tests only.
package planetest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/plane"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/libs/unitstore"
)

// The group that gateways join.
const (
	Organization = "acme"
	Group        = "main"
	Token        = "a-join-token-for-tests"
)

// patience is how long anything may take on a busy machine.
const patience = time.Minute

// Plane is a control plane. Make one with [Start].
type Plane struct {
	t    testing.TB
	dir  string
	NATS *embedded.Server

	key   ed25519.PrivateKey
	other []ed25519.PrivateKey

	manager     *bus.Bus // nil while it is stopped
	manifests   *bus.Bucket
	Units       *unitstore.Store
	credentials *bus.Bucket

	mu         sync.Mutex
	m          unit.Manifest
	apis       map[string]unit.API
	docs       map[unit.Hash][]byte
	tree       *unit.Tree
	pending    map[unit.Hash][]byte // written since they were published
	entries    map[string][]byte
	versions   map[string]uint64
	registered []gateway.Register
	reports    map[string]gateway.Report
	notify     func(gateway.Report)
	unknown    bool
	forget     map[string]bool
	records    map[string]int
	batches    map[string]bool
	lost       []traffic.Loss
}

// Start starts a NATS server, over TCP where tcp is set, and a control plane. The
// gateways named may connect.
func Start(t testing.TB, tcp bool, gateways ...string) *Plane {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	p := &Plane{
		t: t, dir: t.TempDir(), key: key, m: unit.Manifest{Group: Group, Epoch: "first"},
		apis: map[string]unit.API{}, docs: map[unit.Hash][]byte{}, tree: unit.NewTree("default"), pending: map[unit.Hash][]byte{},
		entries: map[string][]byte{}, versions: map[string]uint64{}, reports: map[string]gateway.Report{},
		forget: map[string]bool{}, records: map[string]int{}, batches: map[string]bool{},
	}
	o := embedded.Options{Dir: p.dir, Access: []bus.Access{{
		Service: gateway.Service, Collects: []string{"records"}, Buckets: []bus.BucketAccess{
			{Name: gateway.Manifests, Write: true}, {Name: gateway.Units, Write: true}, {Name: gateway.Credentials, Write: true},
		},
	}}}
	for _, g := range gateways {
		o.Access = append(o.Access, plane.Access(g, Organization, Group, g))
	}
	if tcp {
		// A port that stays this server's while it is stopped.
		o.Listen = fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	}
	p.NATS, err = embedded.Start(o)
	require.NoError(t, err)
	t.Cleanup(p.NATS.Stop)
	p.StartManager()
	t.Cleanup(p.StopManager)
	return p
}

// Bus returns options with which a gateway connects.
func (p *Plane) Bus(name string) *bus.Options {
	o := p.NATS.For(name)
	if a := p.NATS.Addr(); a != "" {
		o.InProcess, o.URL = nil, "nats://"+a
	}
	return &o
}

// Lose has NATS lose all its files.
func (p *Plane) Lose() {
	p.NATS.Stop()
	require.NoError(p.t, os.RemoveAll(filepath.Join(p.dir, "jetstream")))
	require.NoError(p.t, p.NATS.Resume())
}

// StopManager ends the services of the plane, not NATS.
func (p *Plane) StopManager() {
	if p.manager != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(p.t, p.manager.Close(ctx))
		p.manager = nil
	}
}

// StartManager starts the services again.
func (p *Plane) StartManager() {
	t := p.t
	b, err := bus.Connect(p.NATS.For(gateway.Service))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	bucket := func(name string) *bus.Bucket {
		k, err := b.Bucket(ctx, bus.BucketOptions{Name: name})
		require.NoError(t, err)
		return k
	}
	p.manager, p.manifests, p.credentials = b, bucket(gateway.Manifests), bucket(gateway.Credentials)
	p.Units = unitstore.New(bucket(gateway.Units))
	require.NoError(t, bus.Answer(b, p.register))
	require.NoError(t, bus.Answer(b, p.report))
	go func() {
		if err := bus.Collect(context.Background(), b, "records", p.collect); err != nil {
			t.Errorf("collecting: %v", err)
		}
	}()
}

func (p *Plane) register(_ context.Context, r gateway.Register) (gateway.Registered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unknown || r.Token != Token || r.Organization != Organization || r.Group != Group {
		return gateway.Registered{}, problem.New(problem.CodeAccessDenied, "no such group, or another token")
	}
	p.registered = append(p.registered, r)
	delete(p.forget, r.Gateway)
	keys := [][]byte{p.key.Public().(ed25519.PublicKey)}
	for _, k := range p.other {
		keys = append(keys, k.Public().(ed25519.PublicKey))
	}
	return gateway.Registered{
		Gateway: "id-of-" + r.Gateway, Group: Group, Environment: "e", Organization: "o", EnvironmentName: "DEV",
		ManifestKeys: keys, Heartbeat: 200 * time.Millisecond, Time: time.Now(),
	}, nil
}

func (p *Plane) report(_ context.Context, r gateway.Report) (gateway.Reported, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forget[r.Gateway] {
		return gateway.Reported{Again: true}, nil
	}
	p.reports[r.Gateway] = r
	if p.notify != nil {
		p.notify(r)
	}
	return gateway.Reported{Time: time.Now()}, nil
}

func (p *Plane) collect(_ context.Context, batch []bus.Shipment) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range batch {
		b, lines, err := traffic.OpenBatch(s.Header, s.Body)
		if err != nil {
			return err
		}
		if int(b.Records) != len(lines) {
			return errors.New("the batch says another number of records")
		}
		if p.batches[s.Gateway+s.ID] {
			continue
		}
		p.batches[s.Gateway+s.ID] = true
		p.lost = append(p.lost, b.Lost...)
		for _, l := range lines {
			var r struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(l, &r); err != nil {
				return err
			}
			p.records[r.ID]++
		}
	}
	return nil
}

// Records returns how often each record was counted, and what was lost.
func (p *Plane) Records() (map[string]int, []traffic.Loss) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]int{}
	for k, v := range p.records {
		out[k] = v
	}
	return out, p.lost
}

// Registrations returns how often gateways have registered.
func (p *Plane) Registrations() []gateway.Register {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]gateway.Register{}, p.registered...)
}

// Refuse has registrations refused, or accepted again.
func (p *Plane) Refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unknown = yes
}

// Forget has the next report of a gateway answered with the wish to register.
func (p *Plane) Forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget[name] = true
}

// OnReport has f told of every report.
func (p *Plane) OnReport(f func(gateway.Report)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notify = f
}

// Report returns the last report of a gateway.
func (p *Plane) Report(name string) gateway.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reports[name]
}

// Set puts APIs into the next manifest, in place of those with the same ids.
func (p *Plane) Set(apis ...unit.API) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range apis {
		doc, h, err := unit.Encode(a)
		require.NoError(p.t, err)
		p.apis[a.ID], p.docs[h], p.pending[h] = a, doc, doc
		p.tree.Set(unit.Ref{Kind: unit.KindAPI, Name: a.ID, Hash: h})
	}
}

// Unset takes an API out of the next manifest.
func (p *Plane) Unset(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tree.Remove(id)
}

// Restore begins another history, as after a restored backup.
func (p *Plane) Restore(epoch string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.m.Epoch, p.m.Version = epoch, 0
}

// Rotate makes another key that signs, besides or instead of the last.
func (p *Plane) Rotate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, p.key, _ = ed25519.GenerateKey(nil)
}

// Publish publishes the next manifest and returns its version and how many bytes
// of units were written. Without units it is not whole, except for those that
// were published before.
func (p *Plane) Publish(withUnits bool) (version uint64, written int64) {
	p.t.Helper()
	p.mu.Lock()
	p.m.Version++
	p.m.Issued = time.Now()
	p.mu.Unlock()
	return p.publish(withUnits, false)
}

// Republish publishes the manifest as it is, as after NATS has lost it.
func (p *Plane) Republish() {
	p.t.Helper()
	p.publish(true, true)
}

func (p *Plane) publish(withUnits, all bool) (version uint64, written int64) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p.mu.Lock()
	ref, err := p.tree.Write(func(h unit.Hash, doc []byte) { p.docs[h], p.pending[h] = doc, doc })
	require.NoError(p.t, err)
	m := p.m
	m.Projects = []unit.Ref{ref}
	m.Issued = m.Issued.UTC().Truncate(time.Millisecond)
	signed, err := unit.Sign(m, p.key)
	require.NoError(p.t, err)
	docs := p.pending
	if all {
		docs = maps.Clone(p.docs)
	}
	if withUnits {
		p.pending = map[unit.Hash][]byte{}
	}
	p.mu.Unlock()
	if withUnits {
		written, err = p.Units.Put(ctx, Organization, docs)
		require.NoError(p.t, err)
	}
	raw, err := json.Marshal(signed)
	require.NoError(p.t, err)
	_, err = p.manifests.Put(ctx, Organization+"."+Group, raw)
	require.NoError(p.t, err)
	return m.Version, written + int64(len(raw))
}

// PublishRaw publishes something as the manifest.
func (p *Plane) PublishRaw(raw []byte) {
	_, err := p.manifests.Put(p.t.Context(), Organization+"."+Group, raw)
	require.NoError(p.t, err)
}

func (p *Plane) put(key string, v any) {
	p.t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(p.t, err)
	p.mu.Lock()
	p.entries[key] = raw
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = p.credentials.Put(ctx, Organization+"."+key, raw)
	require.NoError(p.t, err)
}

// SetApplication writes an application with subscriptions to plans, each as
// "api/plan".
func (p *Plane) SetApplication(id string, subscriptions ...string) {
	p.t.Helper()
	a := credential.Application{ID: id, Name: id, Organization: "o"}
	for i, s := range subscriptions {
		api, plan, _ := cut(s)
		a.Subscriptions = append(a.Subscriptions, credential.Subscription{ID: fmt.Sprint(id, i), API: api, Plan: plan, Active: true})
	}
	p.put("application."+id, a)
}

func cut(s string) (a, b string, ok bool) {
	for i := range len(s) {
		if s[i] == '/' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// SetKey writes an API key of an application, or revokes it.
func (p *Plane) SetKey(key, application string, revoked bool) {
	p.t.Helper()
	digest := string(unit.HashOf([]byte(key)))
	p.mu.Lock()
	p.versions[key]++
	v := p.versions[key]
	p.mu.Unlock()
	p.put("credential."+digest, credential.Credential{
		ID: "key-" + digest[:8], Kind: credential.APIKey, Digest: digest, Application: application, Revoked: revoked, Version: v,
	})
}

// DeleteKey takes an API key out of the feed, without a revocation.
func (p *Plane) DeleteKey(key string) {
	p.t.Helper()
	name := "credential." + string(unit.HashOf([]byte(key)))
	p.mu.Lock()
	delete(p.entries, name)
	p.mu.Unlock()
	require.NoError(p.t, p.credentials.Delete(p.t.Context(), Organization+"."+name))
}

// RepublishCredentials writes the whole feed again, as after NATS has lost it.
func (p *Plane) RepublishCredentials(but ...string) {
	p.t.Helper()
	for _, key := range but {
		p.mu.Lock()
		delete(p.entries, "credential."+string(unit.HashOf([]byte(key))))
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, raw := range p.entries {
		_, err := p.credentials.Put(p.t.Context(), Organization+"."+key, raw)
		require.NoError(p.t, err)
	}
	_, err := p.credentials.Put(p.t.Context(), Organization+"."+gateway.Complete, []byte("1"))
	require.NoError(p.t, err)
}
