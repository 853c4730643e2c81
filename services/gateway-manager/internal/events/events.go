// Package events is what gateway-manager hears of others and answers to them over
// the bus.
package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/publish"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// The durable names under which events are consumed.
const (
	Organizations = "organizations"
	Policies      = "policies"
)

// Seed is a gateway group that exists from the start, with a join token that is
// known beforehand.
type Seed struct {
	// Organization and Group are slugs, Environment is a slug or name.
	Organization, Group, Environment, PublicURL string
	// Token is the join token; "" = none.
	Token string
}

// Events connects the service to others.
type Events struct {
	Bus   *bus.Bus
	Store *store.Store
	Units *publish.Units
	Fleet *fleet.Fleet
	Seeds []Seed
	// PublicURL is what the first gateway group of an organization is called at.
	PublicURL string
	Wake      func()
	Log       *slog.Logger
	// With gives a context the keys of secrets.
	With func(context.Context) context.Context

	// taking has organizations taken in one after the other.
	taking sync.Mutex
}

// answer has requests of one kind answered with the keys of secrets at hand.
func answer[Req bus.Request[Rep], Rep any](e *Events, handle func(context.Context, Req) (Rep, error)) error {
	return bus.Answer(e.Bus, func(ctx context.Context, r Req) (Rep, error) { return handle(e.With(ctx), r) })
}

// Answer answers what others ask. It does not wait for NATS.
func (e *Events) Answer() error {
	exporter := e.Store.Exporter()
	return errors.Join(
		answer(e, e.published), answer(e, e.apis), answer(e, e.projects),
		answer(e, e.Fleet.Register), answer(e, e.Fleet.Report),
		answer(e, func(ctx context.Context, r gateway.Holdings) (tenant.Counts, error) {
			return e.Store.For(r.Organization).Holdings(ctx)
		}),
		answer(e, func(ctx context.Context, r gateway.Export) (tenant.Exported, error) {
			return exporter.Portion(ctx, r.Portion)
		}),
	)
}

// FollowOrganizations takes in organizations as they come, until ctx ends.
func (e *Events) FollowOrganizations(ctx context.Context) error {
	return bus.Consume(ctx, e.Bus, Organizations, func(ctx context.Context, ev tenant.OrganizationChanged) error {
		return e.know(e.With(ctx), ev.CreatedBy, ev.Organization)
	})
}

// FollowPolicies takes in changes of policies, until ctx ends. Those of an API are
// a part of its next revision; those of the platform and of projects hold at once.
func (e *Events) FollowPolicies(ctx context.Context) error {
	return bus.Consume(ctx, e.Bus, Policies, func(ctx context.Context, ev policy.PoliciesChanged) error {
		ctx = e.With(ctx)
		if ev.Level == "api" {
			return e.draftChanged(ctx, ev)
		}
		if _, err := e.Store.WantSettings(ctx, ev.Organization); err != nil {
			return err
		}
		e.Wake()
		return nil
	})
}

// draftChanged notes which policies and plans an API has now, so that lists show
// whether its draft has changed.
func (e *Events) draftChanged(ctx context.Context, ev policy.PoliciesChanged) error {
	o := e.Store.For(ev.Organization)
	a, err := o.API(ctx, ev.API)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	set, err := bus.Ask(ctx, e.Bus, policy.Effective{Organization: ev.Organization, Project: a.ProjectID, API: a.ID})
	if err != nil {
		return fmt.Errorf("asking for the policies of API %s: %w", a.ID, err)
	}
	return o.SetEffective(ctx, a.ID, set.Version)
}

// Reconcile asks for all organizations until it was told once, so that none is
// missed whose event was lost or came before this service was there.
func (e *Events) Reconcile(ctx context.Context) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 15*time.Second) {
		err := e.know(ctx, "")
		if err == nil {
			e.Log.DebugContext(ctx, "all organizations are known")
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to stop
		}
		e.Log.InfoContext(ctx, "not all organizations are taken in yet; trying again", "err", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// know takes in organizations; no ids = all.
func (e *Events) know(ctx context.Context, by string, ids ...string) error {
	list, err := bus.Ask(ctx, e.Bus, tenant.Organizations{IDs: ids})
	if err != nil {
		return fmt.Errorf("asking for organizations: %w", err)
	}
	e.taking.Lock()
	defer e.taking.Unlock()
	var errs []error // what is wrong with one does not keep the others out
	for _, o := range list.Organizations {
		if err := e.Store.KnowOrganization(ctx, o, by, e.PublicURL); err != nil && !errors.Is(err, db.ErrDuplicate) {
			errs = append(errs, fmt.Errorf("taking in organization %s: %w", o.Slug, err))
			continue
		}
		for _, s := range e.Seeds {
			if s.Organization != o.Slug {
				continue
			}
			if err := e.seed(ctx, o.ID, s); err != nil {
				errs = append(errs, fmt.Errorf("making gateway group %s of %s: %w", s.Group, o.Slug, err))
			}
		}
	}
	errs = append(errs, tenancy.TakeAway(ctx, e.Store.DB(), list.Purged, len(ids) > 0, e.forget))
	if len(list.Organizations) > 0 {
		e.Wake()
	}
	return errors.Join(errs...)
}

// forget takes away what gateways of an organization that is over were told, and
// what is known of the organization itself.
func (e *Events) forget(ctx context.Context, o tenant.Organization) error {
	for _, name := range []string{gateway.Manifests, gateway.Units} {
		bucket, err := e.Bus.Bucket(ctx, bus.BucketOptions{Name: name})
		if err != nil {
			return err
		}
		if err := empty(ctx, bucket, o.Slug+".>"); err != nil {
			return fmt.Errorf("emptying %s: %w", name, err)
		}
	}
	return e.Store.ForgetOrganization(ctx, o.ID)
}

func empty(ctx context.Context, bucket *bus.Bucket, filter string) error {
	keys, err := bucket.Keys(ctx, filter)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := bucket.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// seedName is the name of join tokens that come from the configuration.
const seedName = "from the configuration"

// seed makes a group that is to be there from the start.
func (e *Events) seed(ctx context.Context, organization string, s Seed) error {
	return e.Store.Tx(ctx, func(tx *db.Tx) error {
		o := e.Store.In(tx, organization)
		g, err := o.GroupBySlug(ctx, s.Group)
		if errors.Is(err, db.ErrNotFound) {
			var env store.Environment
			if env, err = environment(ctx, o, s.Environment); err != nil {
				return err
			}
			g, err = o.CreateGroup(ctx, store.Group{Slug: s.Group, Name: s.Group, EnvironmentID: env.ID, Visibility: "public", PublicURL: s.PublicURL}, "system")
		} else if err == nil && g.PublicURL == "" && s.PublicURL != "" {
			g.PublicURL, g.Version = s.PublicURL, db.AnyVersion // another replica may do the same
			err = o.SaveGroup(ctx, &g)
		}
		if err != nil || s.Token == "" {
			return err
		}
		hash := fleet.HashToken(s.Token)
		if _, err := o.JoinToken(ctx, g.ID, hash); err == nil || !errors.Is(err, db.ErrNotFound) {
			return err
		}
		if err := o.KeepJoinTokens(ctx, g.ID, seedName, e.seeded(s)); err != nil {
			return err
		}
		_, err = o.CreateJoinToken(ctx, store.JoinToken{GroupID: g.ID, Name: seedName, Hash: hash, Last4: s.Token[max(0, len(s.Token)-4):], CreatedBy: "system"})
		return err
	})
}

// seeded are the hashes of all tokens that the configuration has for a group.
func (e *Events) seeded(like Seed) []string {
	var out []string
	for _, s := range e.Seeds {
		if s.Organization == like.Organization && s.Group == like.Group && s.Token != "" {
			out = append(out, fleet.HashToken(s.Token))
		}
	}
	return out
}

// environment finds an environment by slug or name; "" is the first.
func environment(ctx context.Context, o *store.Org, name string) (store.Environment, error) {
	all, err := o.AllEnvironments(ctx)
	if err != nil {
		return store.Environment{}, err
	}
	i := slices.IndexFunc(all, func(e store.Environment) bool { return name == "" || e.Slug == name || e.Name == name })
	if i < 0 {
		return store.Environment{}, fmt.Errorf("there is no environment %q", name)
	}
	return all[i], nil
}

func (e *Events) projects(ctx context.Context, r gateway.Projects) (gateway.ProjectList, error) {
	list, err := e.Store.For(r.Organization).AllProjects(ctx)
	out := gateway.ProjectList{Projects: make([]gateway.Project, len(list))}
	for i, p := range list {
		out.Projects[i] = gateway.Project{ID: p.ID, Slug: p.Slug, Name: p.Name}
	}
	return out, err
}
