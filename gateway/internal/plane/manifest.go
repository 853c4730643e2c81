package plane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

const (
	// fetchLimit bounds one attempt to have all units of a manifest.
	fetchLimit = time.Minute
	// retryMin and retryMax are the pauses between such attempts.
	retryMin, retryMax = 50 * time.Millisecond, 5 * time.Second
)

// followManifest applies each manifest of the group until ctx ends. One that
// comes while another is waited for takes its place.
func (p *Plane) followManifest(ctx context.Context) {
	bucket, err := p.o.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Manifests, ReadOnly: true})
	if err != nil {
		p.o.Log.Error("the manifest is not followed", "err", err)
		return
	}
	newest := make(chan []byte, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.applyManifests(ctx, newest)
	}()
	key := p.o.Organization + "." + p.o.Group
	p.watch(ctx, "the manifest", func(ctx context.Context) error {
		return bucket.Watch(ctx, []string{key}, bus.Position{}, func(e bus.Entry) error {
			if e.Marker || e.Reset {
				return nil
			}
			if e.Deleted {
				p.o.Log.Warn("the group's manifest was deleted; what it listed is served on")
				return nil
			}
			select {
			case <-newest: // nobody needs it any more
			default:
			}
			newest <- e.Value
			return nil
		})
	})
	<-done
}

// watch runs a watch until ctx ends. Errors that stay for the bus may still be
// mended by an operator, who gives a right that was missing.
func (p *Plane) watch(ctx context.Context, what string, run func(context.Context) error) {
	said := rarely{now: p.o.Now}
	for ctx.Err() == nil {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			said.say(func() {
				p.o.Log.Error("what the control plane says cannot be followed; trying again", "what", what, "err", err)
			})
			pause(ctx, 5*time.Second)
		}
	}
}

// applyManifests applies what comes, the newest only.
func (p *Plane) applyManifests(ctx context.Context, newest chan []byte) {
	told := false
	for {
		var raw []byte
		select {
		case raw = <-newest:
		case <-ctx.Done():
			return
		}
		for wait := retryMin; ; wait = min(2*wait, retryMax) {
			keys := p.keysChanged()
			err := p.apply(ctx, raw)
			if err == nil {
				p.setIssue(nil)
				if !told {
					told = true
					p.arrived()
				}
				p.Report()
				break
			}
			if ctx.Err() != nil {
				return
			}
			if !p.failed(err) {
				break
			}
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-keys:
				wait = retryMin
			case raw = <-newest:
				wait = retryMin
			case <-ctx.Done():
			}
			t.Stop()
		}
	}
}

// failed takes down why a manifest was not applied, and reports whether to try
// it again.
func (p *Plane) failed(err error) bool {
	i := &gateway.Issue{Kind: "manifest", Name: p.of(), Detail: err.Error(), Serving: "previous"}
	switch {
	case errors.Is(err, unit.ErrUnsigned) && p.registration().Group == "" && len(p.o.Pinned) == 0:
		return true // the keys come with the registration
	case errors.Is(err, unit.ErrUnsigned):
		poke(p.rejoin) // there may be a new key
	case errors.Is(err, unit.ErrOlder), errors.Is(err, errManifest):
		p.o.Log.Error("a manifest was not accepted; what was served is served on", "err", err)
		p.setIssue(i)
		return false
	}
	p.mu.Lock()
	known := p.issue != nil && *p.issue == *i
	p.mu.Unlock()
	if !known {
		p.o.Log.Error("a manifest cannot be applied yet; what was served is served on", "err", err)
	}
	p.setIssue(i)
	return true
}

// errManifest says that a manifest is at fault itself.
var errManifest = errors.New("it is not a manifest of this group")

// apply verifies a manifest, fetches what is lacking and delivers.
func (p *Plane) apply(ctx context.Context, raw []byte) error {
	var signed unit.Signed
	if err := json.Unmarshal(raw, &signed); err != nil {
		return fmt.Errorf("%w: %w", errManifest, err)
	}
	m, err := signed.Open(p.Trusted()...)
	if err != nil {
		if !errors.Is(err, unit.ErrUnsigned) {
			err = fmt.Errorf("%w: %w", errManifest, err)
		}
		return err
	}
	r := p.registration()
	if m.Group != r.Group && m.Group != p.o.Group && m.Group != p.of() {
		return fmt.Errorf("%w: it is of group %q", errManifest, m.Group)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	next, err := p.resolve(ctx, m)
	if err != nil {
		return err
	}
	if err := p.o.Deliver(source.Snapshot{Manifest: m, Signed: signed, Refs: next.refs, Units: next.units, Base: next.base}); err != nil {
		return err
	}
	p.tree = next
	clear(p.fetched)
	return nil
}
