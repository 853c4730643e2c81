package publish

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// check compares what NATS has with what was published, and has published again
// what it has lost.
func (p *Publisher) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, step)
	defer cancel()
	groups, err := p.o.Store.EveryGroup(ctx)
	if err != nil {
		return err
	}
	bucket, err := p.openManifests(ctx)
	if err != nil {
		return err
	}
	epoch, err := p.o.Units.epoch(ctx)
	if err != nil {
		return err
	}
	organizations := map[string]store.Organization{}
	for i := range groups {
		g := &groups[i]
		if g.ManifestVersion == 0 || g.Wanted > g.Done {
			continue // it is published anyhow
		}
		org, ok := organizations[g.OrganizationID]
		if !ok {
			if org, err = p.o.Store.Organization(ctx, g.OrganizationID); err != nil {
				return err
			}
			organizations[org.ID] = org
		}
		whole, err := p.there(ctx, bucket, &org, g, epoch)
		if err != nil {
			return err
		}
		if !whole {
			delete(p.revisions, org.Slug+"."+g.Slug)
			p.o.Log.WarnContext(ctx, "NATS no longer has what was published last; it is published again", "group", g.ID)
			if err := p.o.Store.For(org.ID).Want(ctx, g.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// there reports whether NATS has the manifest of a group, and the units.
func (p *Publisher) there(ctx context.Context, bucket *bus.Bucket, org *store.Organization, g *store.Group, epoch string) (bool, error) {
	if org.UnitsEpoch != epoch || org.SettingsDone < org.SettingsWanted {
		return false, nil
	}
	e, err := bucket.Get(ctx, org.Slug+"."+g.Slug)
	if errors.Is(err, bus.ErrNoKey) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	m, ok := peek(e.Value)
	return ok && m.Epoch == g.Epoch && m.Version == uint64(max(g.ManifestVersion, 0)), nil
}

// sweep removes documents that nothing refers to any more, here and in NATS.
func (p *Publisher) sweep(ctx context.Context) {
	if err := p.sweepAll(ctx); err != nil && ctx.Err() == nil {
		p.o.Log.WarnContext(ctx, "what is no longer needed stays for now", "err", err)
	}
}

func (p *Publisher) sweepAll(ctx context.Context) error {
	before := p.o.Now().Add(-sweepEvery)
	if _, err := p.o.Store.ForgetDocuments(ctx, before); err != nil {
		return err
	}
	if _, err := p.o.Store.ForgetTaken(ctx, before); err != nil {
		return err
	}
	groups, err := p.o.Store.EveryGroup(ctx)
	if err != nil {
		return err
	}
	byOrganization := map[string][]store.Group{}
	for _, g := range groups {
		byOrganization[g.OrganizationID] = append(byOrganization[g.OrganizationID], g)
	}
	for id, groups := range byOrganization {
		if err := p.sweepOne(ctx, id, groups); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publisher) sweepOne(ctx context.Context, organization string, groups []store.Group) error {
	org, err := p.o.Store.Organization(ctx, organization)
	if err != nil {
		return err
	}
	o := p.o.Store.For(organization)
	keep := map[unit.Hash]bool{}
	seen := map[string]bool{}
	for _, g := range groups {
		if g.Wanted > g.Done {
			return nil // not while something is on its way
		}
		if seen[g.EnvironmentID] {
			continue
		}
		seen[g.EnvironmentID] = true
		env := newEnvironment(g.EnvironmentID)
		entries, err := env.follow(ctx, o)
		if err != nil {
			return err
		}
		for _, en := range entries {
			keep[en.hash] = true
			r, err := o.Revision(ctx, en.row.APIID, en.row.Revision)
			if err != nil {
				return err
			}
			keep[unit.Hash(r.DocumentHash)] = true
		}
		for _, t := range env.trees {
			if _, err := t.Write(func(h unit.Hash, _ []byte) { keep[h] = true }); err != nil {
				return err
			}
		}
	}
	if s, err := p.shared(ctx, &org); err == nil && s.ref != nil {
		keep[s.ref.Hash] = true
	}
	_, units, err := p.o.Units.open(ctx)
	if err != nil {
		return err
	}
	_, err = units.Sweep(ctx, org.Slug, func(h unit.Hash) bool { return keep[h] })
	return err
}
