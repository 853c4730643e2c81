package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/system"
)

// askDatabase bounds what a report asks of the database.
const askDatabase = 3 * time.Second

// Feature tells on the system pages whether something is switched on.
func (k *Kit) Feature(name string, on bool) {
	k.r.jobs.mu.Lock()
	defer k.r.jobs.mu.Unlock()
	k.r.features = append(k.r.features, system.Feature{Name: name, On: on})
}

// reports tells of this instance until ctx ends, and takes what people ask of it.
func (k *Kit) reports(ctx context.Context) error {
	bucket, err := k.Bus.Bucket(ctx, bus.BucketOptions{Name: system.Bucket, TTL: system.Kept, Memory: true})
	if err != nil {
		return k.cannotReport(ctx, err)
	}
	instance := strings.ToLower(rand.Text()[:10])
	key := system.ReportKey(k.Name, instance)
	k.r.work.Go(func() { k.asked(ctx, bucket) })
	began := k.Now()
	t := time.NewTicker(system.Every)
	defer t.Stop()
	for {
		r := k.report(ctx, instance, began)
		r.Keys = k.r.keys.Load()
		if b, err := json.Marshal(r); err == nil {
			pctx, cancel := context.WithTimeout(ctx, system.Every)
			_, err = bucket.Put(pctx, key, b)
			cancel()
			if err != nil && ctx.Err() == nil {
				k.Log.DebugContext(ctx, "telling of this instance failed; it is tried again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			// Who stops in good order is gone at once.
			dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = bucket.Delete(dctx, key) // it runs out
			return nil
		case <-t.C:
		case <-k.r.again:
		}
	}
}

// cannotReport waits until ctx ends. Nothing else depends on reports, and NATS may
// have the permissions of an earlier version.
func (k *Kit) cannotReport(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		k.Log.WarnContext(ctx, "this instance is not shown on the system pages: NATS does not allow it to report", "err", err)
		<-ctx.Done()
	}
	return nil
}

// asked runs jobs that people ask for, until ctx ends.
func (k *Kit) asked(ctx context.Context, bucket *bus.Bucket) {
	told := false
	err := bucket.Watch(ctx, []string{system.RunKey(k.Name, "*")}, bus.Position{}, func(e bus.Entry) error {
		switch {
		case e.Marker:
			told = true
		case told && e.Key != "" && !e.Deleted:
			k.r.jobs.run(e.Key[strings.LastIndexByte(e.Key, '.')+1:])
			time.AfterFunc(time.Second, func() {
				select {
				case k.r.again <- struct{}{}:
				default:
				}
			})
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		k.Log.WarnContext(ctx, "jobs cannot be asked for", "err", err)
	}
}

func (k *Kit) report(ctx context.Context, instance string, began time.Time) system.Report {
	b := app.Build()
	host, err := os.Hostname()
	if err != nil {
		host = k.Name
	}
	state := k.References.State()
	r := system.Report{
		Service: k.Name, Instance: instance, Host: host, Version: b.Version, Revision: b.Revision, Go: b.Go, StartedAt: began.UTC(), At: k.Now().UTC(),
		Secrets: system.Secrets{Vault: state.Vault, InUse: state.Secrets, Stale: state.Stale, Missing: state.Missing, Error: state.Error},
		Jobs:    k.r.jobs.state(), Settings: k.Config.Settings, Database: k.databaseState(ctx),
	}
	if r.Settings == nil {
		r.Settings = []system.Setting{}
	}
	k.r.jobs.mu.Lock()
	r.Features = append([]system.Feature{}, k.r.features...)
	k.r.jobs.mu.Unlock()
	return r
}

func (k *Kit) databaseState(ctx context.Context) *system.Database {
	if k.DB == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askDatabase)
	defer cancel()
	d := &system.Database{Kind: string(k.DB.Dialect())}
	s, err := k.DB.Status(ctx, k.r.opt.Migrations)
	if err != nil {
		d.Error = err.Error()
		return d
	}
	d.Latency, d.Schema, d.At, d.Pending, d.Applied = s.Latency.Seconds(), s.Schema, s.At.UTC(), s.Pending, s.Applied
	d.Outbox, d.OldestEvent = s.Outbox, s.Oldest.Seconds()
	for _, p := range s.Replicas {
		replica := system.Replica{Name: p.Name, Up: p.Up}
		if p.Lag != nil {
			seconds := p.Lag.Seconds()
			replica.Lag = &seconds
		}
		d.Replicas = append(d.Replicas, replica)
	}
	return d
}
