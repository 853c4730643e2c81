package gatewaymanager_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/publish"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/gateway-manager/migrations"
	"github.com/gatehouse/gatehouse/services/internal/documenttest"
)

// BenchmarkImport is the import of a document of 500 operations, from the request
// to the answer.
func BenchmarkImport(b *testing.B) {
	w := begin(b)
	me, project, doc := w.admin("one"), "", string(documenttest.Large(500))
	project = w.project(me)
	for b.Loop() {
		w.send(http.MethodPost, me, "/apis/import", object{"project": project, "document": doc}).ok(201)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1000, "ms/import")
}

// populate puts deployed APIs into a database, as the service itself would.
func populate(tb testing.TB, cfg gatewaymanager.Config, apis int) {
	tb.Helper()
	ring, err := secret.ParseKeyring(cfg.Secrets.Keyring.Reveal())
	require.NoError(tb, err)
	ctx := secret.With(tb.Context(), ring)
	d := dbtest.OpenDSN(tb, cfg.Database.DSN.Reveal())
	require.NoError(tb, d.Migrate(ctx, migrations.Files))
	s := store.New(d)
	defer s.Close()
	require.NoError(tb, s.KnowOrganization(ctx, tenant.Organization{ID: "one", Slug: "one", Name: "One"}, "user", "http://127.0.0.1:8000"))
	require.NoError(tb, s.Tx(ctx, func(tx *db.Tx) error {
		o := s.In(tx, "one")
		projects, err := o.AllProjects(ctx)
		if err != nil {
			return err
		}
		env, err := o.Environment(ctx, "dev")
		if err != nil {
			return err
		}
		for i := range apis {
			draft := revision.Draft{
				Name: fmt.Sprintf("API %d", i), APIVersion: "1", BasePath: fmt.Sprintf("/api-%d", i), StripPath: true,
				Upstreams: []unit.Upstream{{Name: "default", Targets: []unit.Target{{URL: "http://127.0.0.1:9"}}}},
			}
			for op := range 10 {
				draft.Operations = append(draft.Operations, document.Operation{ID: fmt.Sprintf("op%d", op), Method: "GET", Path: fmt.Sprintf("/things-%d/{id}", op)})
			}
			a := &store.API{ProjectID: projects[0].ID, Slug: fmt.Sprintf("api-%d", i)}
			if err := o.CreateAPI(ctx, a, &draft, "user"); err != nil {
				return err
			}
			c := &revision.Content{Draft: draft, Effective: policy.EffectiveSet{Version: "none"}}
			r, err := o.CreateRevision(ctx, a, c, "", "user")
			if err != nil {
				return err
			}
			b, err := revision.Build(c, nil, publish.Place("one", &store.Deployed{APIID: a.ID, ProjectID: a.ProjectID, EnvironmentName: env.Name, Revision: r.Number}))
			if err != nil {
				return err
			}
			if _, _, err := o.Deploy(ctx, store.Deploy{API: a, Environment: env.ID, Revision: 1, Routes: draft.Routes(), Hash: b.Hash, By: "user"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// follower is a gateway of a benchmark: it fetches what it lacks, and reports.
type follower struct {
	w      *world
	name   string
	joined gateway.Registered
	have   map[unit.Hash][]unit.Ref
}

// known are the documents that were fetched before the measurement, for all.
type known struct {
	mu   sync.Mutex
	docs map[unit.Hash][]unit.Ref
}

func (f *follower) apply(ctx context.Context, b *bus.Bus, units *unitstore.Store, k *known, raw []byte) {
	var signed unit.Signed
	if json.Unmarshal(raw, &signed) != nil {
		return
	}
	m, err := signed.Open(ed25519.PublicKey(f.joined.ManifestKeys[0]))
	if err != nil {
		return
	}
	k.mu.Lock()
	for h, refs := range k.docs {
		f.have[h] = refs
	}
	k.mu.Unlock()
	level, apis := append(append([]unit.Ref{}, m.Units...), m.Projects...), 0
	for len(level) > 0 {
		var lacking []unit.Hash
		for _, r := range level {
			if _, ok := f.have[r.Hash]; !ok {
				lacking = append(lacking, r.Hash)
			}
		}
		docs, _, err := units.GetAll(ctx, "one", lacking)
		if err != nil {
			return
		}
		for h, doc := range docs {
			var ix unit.Index
			_ = json.Unmarshal(doc, &ix)
			f.have[h] = ix.Units
			if f.name == "gw-0" {
				k.mu.Lock()
				k.docs[h] = ix.Units
				k.mu.Unlock()
			}
		}
		var next []unit.Ref
		for _, r := range level {
			if r.Kind == unit.KindIndex {
				next = append(next, f.have[r.Hash]...)
			} else {
				apis++
			}
		}
		level = next
	}
	_, _ = bus.Ask(ctx, b, gateway.Report{
		Organization: "one", Group: "default", Gateway: f.name, Instance: f.name, Token: joinWith + "one", Time: time.Now(), Epoch: m.Epoch, Version: m.Version, APIs: apis,
	})
}

func (w *world) follow(name string, k *known) {
	w.t.Helper()
	b := w.connect("gateway")
	f := &follower{w: w, name: name, have: map[unit.Hash][]unit.Ref{}}
	var err error
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	f.joined, err = bus.Ask(ctx, b, gateway.Register{Organization: "one", Group: "default", Token: joinWith + "one", Gateway: name, Instance: name, Started: time.Now()})
	require.NoError(w.t, err)
	manifests, err := b.Bucket(ctx, bus.BucketOptions{Name: gateway.Manifests, ReadOnly: true})
	require.NoError(w.t, err)
	bucket, err := b.Bucket(ctx, bus.BucketOptions{Name: gateway.Units, ReadOnly: true})
	require.NoError(w.t, err)
	units, first, done := unitstore.New(bucket), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		once := sync.OnceFunc(func() { close(first) })
		_ = manifests.Watch(ctx, []string{"one.default"}, bus.Position{}, func(e bus.Entry) error {
			if len(e.Value) > 0 {
				f.apply(ctx, b, units, k, e.Value)
				once()
			}
			return nil
		})
	}()
	<-first
	w.t.Cleanup(func() { cancel(); <-done })
}

// BenchmarkChangeToLive is the time from the request to deploy until all of 20
// gateways have the change, in a group of 5,000 APIs, and what is sent for it.
func BenchmarkChangeToLive(b *testing.B) {
	const apis, gateways = 5000, 20
	w := begin(b, func(c *gatewaymanager.Config) { populate(b, *c, apis) })
	me := w.admin("one")
	group := func() object { return w.get(me, "/gateway-groups").ok(200).list()[0] }
	begun := time.Now()
	require.Eventually(b, func() bool { return group()["manifest"].(object)["pending"] != true }, 5*time.Minute, step)
	b.Logf("the first manifest of %d APIs was out after %s", apis, time.Since(begun).Round(time.Millisecond))
	k := &known{docs: map[unit.Hash][]unit.Ref{}}
	for i := range gateways {
		w.follow(fmt.Sprintf("gw-%d", i), k)
	}
	list := w.get(me, "/apis?limit=200").ok(200).list()
	var lists []time.Duration
	for i := range 40 {
		begun := time.Now()
		w.get(me, fmt.Sprintf("/apis?sort=name&q=API+%d", i)).ok(200)
		lists = append(lists, time.Since(begun))
	}
	slices.Sort(lists)
	b.Logf("a page of a search among %d APIs: p50 %s, p95 %s", apis, lists[20].Round(time.Microsecond), lists[37].Round(time.Microsecond))
	var took []time.Duration
	var bytes []float64
	for b.Loop() {
		id := list[len(took)%len(list)]["id"].(string)
		w.send(http.MethodPatch, me, "/apis/"+id, object{"description": fmt.Sprintf("change %d", len(took)), "apiVersion": fmt.Sprint(len(took) + 2)}, "If-Match", "*").ok(200)
		sent := w.metric("gatehouse_manifests_bytes_total")
		begun := time.Now()
		d := w.deploy(me, id, object{"environment": "dev"}).ok(202).text("id")
		require.Eventually(b, func() bool { return w.state(me, d) == "live" }, patience, 2*time.Millisecond)
		took = append(took, time.Since(begun))
		bytes = append(bytes, w.metric("gatehouse_manifests_bytes_total")-sent)
	}
	slices.Sort(took)
	slices.Sort(bytes)
	ms := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(ms(0.5), "ms/p50")
	b.ReportMetric(ms(0.99), "ms/p99")
	b.ReportMetric(bytes[len(bytes)/2], "bytes/p50")
	b.ReportMetric(bytes[len(bytes)-1], "bytes/max")
	b.ReportMetric(0, "ns/op")
}
