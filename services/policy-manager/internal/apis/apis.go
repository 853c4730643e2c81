// Package apis is what gateway-manager knows of APIs and projects: asked for
// over the bus when it is needed, since it is not this service's to keep.
package apis

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/check"
)

// Known asks gateway-manager. It is safe for concurrent use.
type Known struct {
	bus   *bus.Bus
	units *unitstore.Store
}

// New returns a Known that asks over the bus and reads drafts from the bucket of
// units.
func New(b *bus.Bus, units *unitstore.Store) *Known { return &Known{bus: b, units: units} }

// API returns what is known of an API of an organization. The error is a problem
// 404 where it has none of that id, or 503 where it cannot be found out.
func (k *Known) API(ctx context.Context, organization, id string) (gateway.API, error) {
	list, err := bus.Ask(ctx, k.bus, gateway.APIs{Organization: organization, IDs: []string{id}})
	if err != nil {
		return gateway.API{}, fmt.Errorf("asking for API %s: %w", id, err)
	}
	for _, a := range list.APIs {
		if a.ID == id {
			return a, nil
		}
	}
	return gateway.API{}, problem.New(problem.CodeNotFound, "there is no API %s in this organization", id)
}

// Project returns nil where an organization has a project. The error is a
// problem as with [Known.API].
func (k *Known) Project(ctx context.Context, organization, id string) error {
	list, err := bus.Ask(ctx, k.bus, gateway.Projects{Organization: organization})
	if err != nil {
		return fmt.Errorf("asking for project %s: %w", id, err)
	}
	for _, p := range list.Projects {
		if p.ID == id {
			return nil
		}
	}
	return problem.New(problem.CodeNotFound, "there is no project %s in this organization", id)
}

// Draft returns the unit of an API's draft, to try policies on. Where it is not
// in the bucket one is made of what else is known. slug is the organization's.
func (k *Known) Draft(ctx context.Context, slug string, a gateway.API) (unit.API, error) {
	if a.Unit != "" {
		document, err := k.Unit(ctx, slug, a.Unit)
		switch {
		case err == nil:
			u, err := unit.Decode[unit.API](document)
			if err != nil {
				return u, fmt.Errorf("reading the draft of API %s: %w", a.ID, err)
			}
			return u, nil
		case !errors.Is(err, unitstore.ErrMissing):
			return unit.API{}, err
		}
	}
	operations := make([]unit.Operation, len(a.Operations))
	for i, o := range a.Operations {
		operations[i] = unit.Operation{ID: o.ID, Method: o.Method, Path: o.Path}
	}
	u := check.Probe(a.Project, operations)
	u.ID, u.Name = a.ID, a.Name
	return u, nil
}

// Unit returns the document of a unit. The error is unitstore.ErrMissing where
// there is none.
func (k *Known) Unit(ctx context.Context, slug string, hash unit.Hash) ([]byte, error) {
	document, err := k.units.Get(ctx, slug, hash)
	if err != nil {
		return nil, fmt.Errorf("fetching unit %s: %w", hash, err)
	}
	return document, nil
}
