package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/contract/system"
)

const (
	// rotateEvery is how often old keys are looked for: a keyring changes with a
	// restart only, but replicas with the old one, or of an earlier version, may write
	// meanwhile.
	rotateEvery = 6 * time.Hour
	// rotateAgain is how long it takes until what could not be encrypted anew is tried
	// again.
	rotateAgain = time.Hour
	// countAgain is how often encrypted values are counted by key.
	countAgain = 5 * time.Minute
	// countLimit bounds a count.
	countLimit = 30 * time.Second
)

// encryption has what is encrypted with older keys encrypted anew, and tells by
// which keys everything is.
func (r *running) encryption(env app.Env) error {
	k := r.kit
	if k.Keyring == nil || k.DB == nil || len(r.opt.Secrets) == 0 {
		return nil
	}
	if env.Metrics != nil {
		c := &keyMetrics{k, prometheus.NewDesc("gatehouse_encrypted_values",
			"Encrypted values in the database, by the id of their key. The state is newest, old (encrypted anew in the background), missing (the key is not in the keyring: they cannot be read) or none (of an earlier version, not yet encrypted).",
			[]string{"key", "state"}, prometheus.Labels{"service": k.Name})}
		if err := env.Metrics.Register(c); err != nil {
			return fmt.Errorf("registering metrics of keys: %w", err)
		}
		r.after = append(r.after, func() { env.Metrics.Unregister(c) })
	}
	k.Job(JobOptions{
		Name: "encryption", Every: rotateEvery, Again: rotateAgain,
		Failed: "some secrets are still encrypted with an old key: keep it in secrets.keyring; it is tried again",
	}, func(ctx context.Context) error {
		err := k.rotateAll(ctx)
		k.countKeys(ctx)
		return err
	})
	k.Go("keys", func(ctx context.Context) error {
		t := time.NewTicker(countAgain)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-t.C:
				k.countKeys(ctx)
			}
		}
	})
	return nil
}

// rotateAll encrypts with the newest key of the keyring what is older. Replicas may
// do it at the same time.
func (k *Kit) rotateAll(ctx context.Context) error {
	var errs []error
	g := k.DB.Unscoped(ctx, "secrets of all organizations are encrypted anew")
	for _, c := range k.r.opt.Secrets {
		n, err := k.Keyring.Rotate(ctx, g, c)
		if n > 0 {
			k.Log.InfoContext(ctx, "encrypted with the newest key", "table", c.Table, "column", c.Name, "rows", n)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// countKeys counts encrypted values by their key, for reports and metrics, and says
// in the log which keys are missing.
func (k *Kit) countKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, countLimit)
	defer cancel()
	out := &system.Keys{Ring: k.Keyring.IDs(), Columns: []system.KeyColumn{}}
	missing := map[string]int64{}
	g := k.DB.Unscoped(ctx, "how many values each key has encrypted is counted")
	for _, c := range k.r.opt.Secrets {
		values, err := k.Keyring.Count(ctx, g, c)
		if err != nil {
			k.Log.DebugContext(ctx, "counting encrypted values failed", "err", err)
			continue
		}
		out.Columns = append(out.Columns, system.KeyColumn{Table: c.Table, Column: c.Name, Values: values})
		for id, n := range values {
			if system.StateOf(id, out.Ring) == system.KeyMissing {
				missing[id] += n
			}
		}
	}
	k.r.keys.Store(out)
	for id, n := range missing {
		k.Log.ErrorContext(ctx, "secrets cannot be read: their key is not in the keyring. Put it back into secrets.keyring, below the first, and take it out when nothing is encrypted with it any longer",
			"key", id, "values", n, "keyring", strings.Join(out.Ring, ", "))
	}
	select {
	case k.r.again <- struct{}{}:
	default:
	}
}

// keyMetrics tells what was counted last.
type keyMetrics struct {
	k      *Kit
	values *prometheus.Desc
}

// Describe is for Prometheus.
func (m *keyMetrics) Describe(out chan<- *prometheus.Desc) { out <- m.values }

// Collect is for Prometheus.
func (m *keyMetrics) Collect(out chan<- prometheus.Metric) {
	keys := m.k.r.keys.Load()
	if keys == nil {
		return
	}
	by := map[string]int64{}
	for _, id := range keys.Ring {
		by[id] = 0 // 0 says that a key may go
	}
	for _, c := range keys.Columns {
		for id, n := range c.Values {
			by[id] += n
		}
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		state, label := system.StateOf(id, keys.Ring), id
		if state == system.KeyNone {
			label = ""
		}
		out <- prometheus.MustNewConstMetric(m.values, prometheus.GaugeValue, float64(by[id]), label, string(state))
	}
}
