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
	"github.com/gatehouse/gatehouse/libs/unitstore"
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
			said.say(func() { p.o.Log.Error(what+" cannot be followed; trying again", "err", err) })
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
	s, indexes, err := p.resolve(ctx, m)
	if err != nil {
		return err
	}
	s.Signed = signed
	if err := p.o.Deliver(s); err != nil {
		return err
	}
	p.indexes = indexes
	clear(p.fetched)
	return nil
}

// resolve returns a manifest's units. Those in use, and indexes that were read
// before, are taken as they are; the others are fetched level by level.
func (p *Plane) resolve(ctx context.Context, m unit.Manifest) (source.Snapshot, map[unit.Hash][]unit.Ref, error) {
	have := p.o.Units()
	s := source.Snapshot{Manifest: m, Units: make(map[unit.Hash][]byte, len(have))}
	indexes := make(map[unit.Hash][]unit.Ref, len(p.indexes))
	level := append(append([]unit.Ref{}, m.Units...), m.Projects...)
	for len(level) > 0 {
		var lacking []unit.Hash
		for _, r := range level {
			if s.Units[r.Hash] != nil {
				continue
			}
			if doc, ok := have[r.Hash]; ok {
				s.Units[r.Hash] = doc
			} else if doc, ok := p.fetched[r.Hash]; ok {
				s.Units[r.Hash] = doc
			} else {
				lacking = append(lacking, r.Hash)
				s.Units[r.Hash] = []byte{} // asked for
			}
		}
		docs, read, err := p.units.GetAll(ctx, p.o.Organization, lacking)
		p.received.Add(read)
		for h, doc := range docs {
			s.Units[h], p.fetched[h] = doc, doc
		}
		if err != nil {
			return s, nil, lacks(err, level, s.Units)
		}
		var next []unit.Ref
		for _, r := range level {
			if r.Kind != unit.KindIndex {
				s.Refs = append(s.Refs, r)
				continue
			}
			refs, known := p.indexes[r.Hash]
			if !known {
				ix, err := unit.Decode[unit.Index](s.Units[r.Hash])
				if err != nil {
					return s, nil, fmt.Errorf("%w: index %s: %w", errManifest, r.Name, err)
				}
				refs = ix.Units
			}
			indexes[r.Hash] = refs
			next = append(next, refs...)
		}
		level = next
	}
	unit.SortRefs(s.Refs)
	return s, indexes, nil
}

// lacks names the unit that could not be had.
func lacks(err error, level []unit.Ref, have map[unit.Hash][]byte) error {
	if !errors.Is(err, unitstore.ErrMissing) {
		return fmt.Errorf("fetching units: %w", err)
	}
	n, first := 0, ""
	for _, r := range level {
		if len(have[r.Hash]) == 0 {
			if n++; first == "" {
				first = string(r.Kind) + " " + r.Name
			}
		}
	}
	return fmt.Errorf("%d units are not there, %s among them: %w", n, first, source.ErrIncomplete)
}
