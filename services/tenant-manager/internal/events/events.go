// Package events is what tenant-manager does on the bus: it answers the questions
// of other services, and takes their audit entries into the trail. It decides
// nothing itself.
package events

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Durable is the name under which the service takes in audit entries.
const Durable = "audit-trail"

// mostIDs bounds how many things one question may be about.
const mostIDs = 1000

// Answer answers the questions of other services.
func Answer(b *bus.Bus, s *store.Store, source *rights.Source) error {
	return errors.Join(
		bus.Answer(b, func(ctx context.Context, _ tenant.Keys) (tenant.KeySet, error) { return source.Keys(ctx) }),
		bus.Answer(b, source.Grants),
		bus.Answer(b, func(ctx context.Context, ask tenant.Organizations) (tenant.OrganizationList, error) {
			return organizations(ctx, s, ask)
		}),
		bus.Answer(b, func(ctx context.Context, ask tenant.Users) (tenant.UserList, error) { return users(ctx, s, ask) }),
	)
}

func tooMany(n int) error {
	if n > mostIDs {
		return problem.New(problem.CodeBadRequest, "%d ids are too many for one question: ask for at most %d", n, mostIDs)
	}
	return nil
}

func organizations(ctx context.Context, s *store.Store, ask tenant.Organizations) (tenant.OrganizationList, error) {
	out := tenant.OrganizationList{Organizations: []tenant.Organization{}}
	if err := tooMany(len(ask.IDs)); err != nil {
		return out, err
	}
	rows, err := s.Organizations(ctx, ask.IDs...)
	if err != nil {
		return out, err
	}
	quotas, err := s.Quotas(ctx, ask.IDs...)
	if err != nil {
		return out, err
	}
	for _, o := range rows {
		out.Organizations = append(out.Organizations, tenant.Organization{
			ID: o.ID, Slug: o.Slug, Name: o.Name, Suspended: o.Suspended, Deleted: o.DeletedAt != nil, Quotas: quotas[o.ID], Version: o.Version,
		})
	}
	out.Purged, err = s.Purged(ctx, ask.IDs...)
	return out, err
}

func users(ctx context.Context, s *store.Store, ask tenant.Users) (tenant.UserList, error) {
	out := tenant.UserList{Users: []tenant.User{}}
	if err := tooMany(len(ask.IDs)); err != nil || ask.Organization == "" {
		return out, err
	}
	rows, err := s.For(ask.Organization).UsersByID(ctx, ask.IDs)
	for _, u := range rows {
		out.Users = append(out.Users, tenant.User{ID: u.ID, Name: u.Name, Email: u.Email})
	}
	return out, err
}

// Trail takes the audit entries of all services into the trail, until ctx ends.
func Trail(ctx context.Context, b *bus.Bus, s *store.Store) error {
	return bus.Consume(ctx, b, Durable, func(ctx context.Context, r audit.Recorded) error {
		if r.ID == "" || r.Organization == "" || r.Time.IsZero() {
			return problem.New(problem.CodeInvalidInput, "an audit entry of %s lacks its id, organization or time", r.Service)
		}
		err := s.AppendAudit(ctx, r)
		if store.IsNotFound(err) {
			return problem.New(problem.CodeNotFound, "an audit entry of %s is of an organization that is not there: %s", r.Service, r.Organization)
		}
		if err == nil {
			// Pages that are open look again. One that is not told shows it when it is
			// opened: nothing is lost.
			_ = bus.Publish(ctx, b, tenant.TrailGrown{Organization: r.Organization})
		}
		return err
	})
}
