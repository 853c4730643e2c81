package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// publish brings one group up to date and returns how many bytes it sent. First
// comes all that a manifest lists, then the manifest, then the note that it is
// out: whatever fails, what gateways find is whole.
func (p *Publisher) publish(ctx context.Context, g *store.Group) (sent int64, err error) {
	org, err := p.o.Store.Organization(ctx, g.OrganizationID)
	if err != nil {
		return 0, fmt.Errorf("reading the organization: %w", err)
	}
	o := p.o.Store.For(org.ID)
	env, n, err := p.unitsOf(ctx, &org, o, g.EnvironmentID)
	sent += n
	if err != nil {
		return sent, err
	}
	shared, err := p.shared(ctx, &org)
	if err != nil {
		return sent, err
	}
	m := unit.Manifest{Group: org.Slug + "." + g.Slug}
	deleted, err := p.o.Store.Deleted(ctx, org.ID)
	if err != nil {
		return sent, fmt.Errorf("reading the organization: %w", err)
	}
	if !deleted { // else its gateways are to serve nothing; all stays at hand for when it is restored
		if m.Projects, err = env.indexes(g); err != nil {
			return sent, err
		}
	}
	more := env.unwritten
	if shared.ref != nil {
		m.Units = []unit.Ref{*shared.ref}
		more[shared.ref.Hash] = shared.doc
	}
	n, err = p.o.Units.Put(ctx, org.Slug, more)
	sent += n
	if err != nil {
		return sent, fmt.Errorf("sending indexes: %w", err)
	}
	clear(env.unwritten)
	n, err = p.manifest(ctx, &org, o, g, m)
	sent += n
	if err != nil {
		return sent, err
	}
	return sent, p.note(ctx, g)
}

// unitsOf returns an environment as it is now, with all units in the bucket.
func (p *Publisher) unitsOf(ctx context.Context, org *store.Organization, o *store.Org, id string) (*environment, int64, error) {
	env := p.environments[id]
	fresh := env == nil
	if fresh {
		env = newEnvironment(id)
		p.environments[id] = env
	}
	changed, err := env.follow(ctx, o)
	if err != nil {
		return nil, 0, fmt.Errorf("reading what is deployed: %w", err)
	}
	epoch, err := p.o.Units.epoch(ctx)
	if err != nil {
		return nil, 0, err
	}
	lost := org.UnitsEpoch != "" && org.UnitsEpoch != epoch
	switch {
	case lost:
		p.o.Log.WarnContext(ctx, "NATS has lost the units; all are sent again", "organization", org.ID, "apis", len(env.apis))
		env.touch()
		changed = env.all()
	case fresh:
		// What was published before is in the bucket; only what came since is not.
		changed = p.since(ctx, o, changed)
	}
	sent, err := p.send(ctx, org, o, env, changed)
	if err != nil {
		return nil, sent, err
	}
	if lost {
		// The other environments are of the same bucket.
		n, err := p.resend(ctx, org, o, env)
		sent += n
		if err != nil {
			return nil, sent, err
		}
	}
	if org.UnitsEpoch != epoch {
		if err := p.o.Store.KeepUnitsEpoch(ctx, org.ID, epoch); err != nil {
			return nil, sent, err
		}
		org.UnitsEpoch = epoch
	}
	return env, sent, nil
}

// since leaves out the entries whose deployments were published before.
func (p *Publisher) since(ctx context.Context, o *store.Org, list []*entry) []*entry {
	ids := make([]string, 0, len(list))
	for _, en := range list {
		ids = append(ids, en.row.DeploymentID)
	}
	done := map[string]bool{}
	for len(ids) > 0 {
		n := min(len(ids), 500)
		rows, err := o.DeploymentGroups(ctx, ids[:n]...)
		if err != nil {
			return list // to send too much does no harm
		}
		for _, r := range rows {
			if r.ManifestVersion > 0 {
				done[r.DeploymentID] = true
			}
		}
		ids = ids[n:]
	}
	var out []*entry
	for _, en := range list {
		if !done[en.row.DeploymentID] {
			out = append(out, en)
		}
	}
	return out
}

// resend sends the units of the organization's other environments.
func (p *Publisher) resend(ctx context.Context, org *store.Organization, o *store.Org, but *environment) (sent int64, err error) {
	groups, err := o.GroupsOf(ctx)
	if err != nil {
		return 0, err
	}
	var ids []string
	seen := map[string]bool{but.id: true}
	for _, g := range groups {
		ids = append(ids, g.ID)
		if seen[g.EnvironmentID] {
			continue
		}
		seen[g.EnvironmentID] = true
		env := newEnvironment(g.EnvironmentID)
		p.environments[g.EnvironmentID] = env
		all, err := env.follow(ctx, o)
		if err != nil {
			return sent, err
		}
		n, err := p.send(ctx, org, o, env, all)
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, o.Want(ctx, ids...)
}

// send puts the units of entries into the bucket, with their documents. Where a
// unit is now built differently from what was noted, because this is another
// version of the program, the new one counts.
func (p *Publisher) send(ctx context.Context, org *store.Organization, o *store.Org, env *environment, list []*entry) (sent int64, err error) {
	docs := map[unit.Hash][]byte{}
	flush := func() error {
		n, err := p.o.Units.Put(ctx, org.Slug, docs)
		sent += n
		clear(docs)
		if err != nil {
			return fmt.Errorf("sending units: %w", err)
		}
		return nil
	}
	for _, en := range list {
		b, err := p.o.Units.build(ctx, o, org.ID, &en.row)
		if err != nil {
			return sent, err
		}
		docs[b.hash] = b.document
		if b.openapi != nil {
			docs[b.openapiHash] = b.openapi
		}
		if b.hash != en.hash {
			en.hash, en.row.UnitHash = b.hash, string(b.hash)
			env.set(en)
			if err := o.SetUnit(ctx, &en.row, string(b.hash)); err != nil {
				return sent, err
			}
		}
		if len(docs) >= batch {
			if err := flush(); err != nil {
				return sent, err
			}
		}
	}
	return sent, flush()
}

// manifest signs and writes the manifest.
func (p *Publisher) manifest(ctx context.Context, org *store.Organization, o *store.Org, g *store.Group, m unit.Manifest) (int64, error) {
	keys, err := o.SigningKeys(ctx)
	if err != nil {
		return 0, err
	}
	bucket, err := p.openManifests(ctx)
	if err != nil {
		return 0, err
	}
	key := org.Slug + "." + g.Slug
	if _, known := p.revisions[key]; !known {
		if err := p.look(ctx, bucket, o, g, key); err != nil {
			return 0, err
		}
	}
	version, err := o.Reserve(ctx, g)
	if errors.Is(err, db.ErrNotFound) {
		return 0, errGone
	}
	if err != nil {
		return 0, err
	}
	m.Epoch, m.Version, m.Issued = g.Epoch, uint64(max(version, 0)), p.o.Now().UTC()
	signed, err := unit.Sign(m, keys...)
	if err != nil {
		return 0, fmt.Errorf("signing the manifest: %w", err)
	}
	raw, err := json.Marshal(signed)
	if err != nil {
		return 0, fmt.Errorf("writing the manifest: %w", err)
	}
	rev, err := bucket.Update(ctx, key, raw, p.revisions[key])
	if err != nil {
		delete(p.revisions, key) // look again
		return 0, fmt.Errorf("sending the manifest: %w", err)
	}
	p.revisions[key] = rev
	return int64(len(raw)), nil
}

// look finds out what manifest there is. One that is newer than the database
// knows of says that the database was restored from a backup.
func (p *Publisher) look(ctx context.Context, bucket *bus.Bucket, o *store.Org, g *store.Group, key string) error {
	e, err := bucket.Get(ctx, key)
	if errors.Is(err, bus.ErrNoKey) {
		p.revisions[key] = 0
		return nil
	}
	if err != nil {
		return err
	}
	p.revisions[key] = e.Revision
	m, ok := peek(e.Value)
	if ok && m.Epoch == g.Epoch && m.Version > uint64(max(g.ManifestVersion, 0)) {
		p.o.Log.WarnContext(ctx, "gateways have a newer manifest than the database knows of; a new epoch begins", "group", g.ID, "version", m.Version)
		return o.Newer(ctx, g, int64(m.Version))
	}
	return nil
}

// peek reads a manifest without asking who signed it: only to compare versions.
func peek(raw []byte) (m unit.Manifest, ok bool) {
	var s unit.Signed
	if json.Unmarshal(raw, &s) != nil {
		return m, false
	}
	return m, json.Unmarshal(s.Payload, &m) == nil
}

// shared returns the settings of an organization. Nothing is published before
// policy-manager has said once which policies all APIs share.
func (p *Publisher) shared(ctx context.Context, org *store.Organization) (*settings, error) {
	s := p.settings[org.ID]
	if s == nil {
		s = &settings{}
		p.settings[org.ID] = s
	}
	if s.known && s.done == org.SettingsWanted {
		return s, nil
	}
	set, told, err := org.SharedPolicies()
	if err != nil {
		return nil, err
	}
	done := org.SettingsDone
	if org.SettingsDone < org.SettingsWanted {
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		fresh, err := p.o.Shared(ctx, org.ID)
		cancel()
		switch {
		case err == nil:
			if err := p.o.Store.KeepSettings(context.WithoutCancel(ctx), org.ID, fresh, org.SettingsWanted); err != nil {
				return nil, fmt.Errorf("keeping the shared policies: %w", err)
			}
			set, done, s.again = fresh, org.SettingsWanted, time.Time{}
		case !told:
			return nil, fmt.Errorf("asking which policies all APIs share: %w", err)
		default: // what it said last still holds until it says otherwise
			s.again = p.o.Now().Add(2 * askLimit)
		}
	}
	u, err := revision.Settings(set)
	if err != nil {
		return nil, err
	}
	s.ref, s.doc = nil, nil
	if u != nil {
		doc, hash, err := unit.Encode(u)
		if err != nil {
			return nil, fmt.Errorf("writing the settings: %w", err)
		}
		s.ref, s.doc = &unit.Ref{Kind: unit.KindSettings, Name: "settings", Hash: hash}, doc
	}
	s.known, s.done = true, done
	return s, nil
}

// askAgain has groups published whose shared policies could not be asked for.
func (p *Publisher) askAgain(ctx context.Context) {
	for org, s := range p.settings {
		if s.again.IsZero() || p.o.Now().Before(s.again) {
			continue
		}
		if _, err := p.o.Store.WantSettings(ctx, org); err == nil {
			s.again = p.o.Now().Add(2 * askLimit)
		}
	}
}

// note writes down that the manifest is out, and tells of it.
func (p *Publisher) note(ctx context.Context, g *store.Group) error {
	return p.o.Store.Tx(ctx, func(tx *db.Tx) error {
		o := p.o.Store.In(tx, g.OrganizationID)
		if err := o.LockEnvironment(ctx, g.EnvironmentID); err != nil {
			return err
		}
		if _, err := o.Published(ctx, g); err != nil {
			return fmt.Errorf("noting what was published: %w", err)
		}
		now := p.o.Now()
		return fleet.Follow(ctx, tx, o, g, gateway.FleetChanged{
			Organization: g.OrganizationID, Group: g.ID, Version: uint64(max(g.ManifestVersion, 0)), Time: now.UTC(),
		}, now)
	})
}

// announce tells of a gateway that is in another state.
func (p *Publisher) announce(ctx context.Context, g *store.Gateway, state string) error {
	return p.o.Store.Tx(ctx, func(tx *db.Tx) error {
		o := p.o.Store.In(tx, g.OrganizationID)
		if err := o.Announced(ctx, g.ID, state); err != nil {
			return err
		}
		group, err := o.Group(ctx, g.GroupID)
		if err != nil {
			return err
		}
		now := p.o.Now()
		return fleet.Follow(ctx, tx, o, &group, gateway.FleetChanged{Organization: g.OrganizationID, Group: group.ID, Gateway: g.ID, Time: now.UTC()}, now)
	})
}
