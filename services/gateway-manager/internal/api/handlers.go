package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/publish"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// askLimit bounds what a request may wait for other services.
const askLimit = 10 * time.Second

// Policies is what policy-manager says.
type Policies interface {
	Effective(ctx context.Context, ask policy.Effective) (policy.EffectiveSet, error)
	Validate(ctx context.Context, ask policy.Validate) (policy.Validated, error)
}

// Fetcher fetches OpenAPI documents.
type Fetcher interface {
	Fetch(ctx context.Context, url string) ([]byte, error)
}

// Handlers answers the API.
type Handlers struct {
	Store    *store.Store
	Units    *publish.Units
	Policies Policies
	Fetcher  Fetcher
	// References say which references to secrets upstreams may have.
	References reference.Rules
	// Audit records a change in its transaction.
	Audit func(ctx context.Context, tx *db.Tx, e service.Entry) error
	// Wake has the publisher look at once.
	Wake func()
	Now  func() time.Time
}

var _ StrictServerInterface = (*Handlers)(nil)

// caller is who calls, and what belongs to the organization.
type caller struct {
	authn.Principal
	*store.Org
}

func (h *Handlers) caller(ctx context.Context) (caller, error) {
	p, ok := authn.From(ctx)
	if !ok {
		return caller{}, authn.Missing()
	}
	return caller{p, h.Store.For(p.Organization)}, nil
}

// see returns the projects and APIs in which the caller has a permission, and
// where it is denied.
func see(ctx context.Context, permission string) (store.Scopes, error) {
	r, err := authn.Reaches(ctx, permission)
	var out store.Scopes
	for _, s := range r.In {
		switch {
		case s == authn.Scope{}:
			out.All = true
		case s.EnvironmentSlug != "":
		case s.API != "":
			out.APIs = append(out.APIs, s.API)
		case s.Project != "" && s.Environment == "":
			out.Projects = append(out.Projects, s.Project)
		}
	}
	for _, s := range r.Except {
		switch {
		case s.API != "":
			out.NotAPIs = append(out.NotAPIs, s.API)
		case s.Project != "":
			out.NotProjects = append(out.NotProjects, s.Project)
		case s.Environment != "":
			out.NotEnvironments = append(out.NotEnvironments, s.Environment)
		default:
			out.NotEnvironments = append(out.NotEnvironments, s.EnvironmentSlug)
		}
	}
	return out, err
}

// environments returns those to which the caller's permission is limited; nil =
// it is not.
func environments(ctx context.Context, o *store.Org, permission string) ([]string, error) {
	r, err := authn.Reaches(ctx, permission)
	if err != nil {
		return nil, err
	}
	everywhere := slices.ContainsFunc(r.In, func(s authn.Scope) bool { return s.Environment == "" && s.EnvironmentSlug == "" })
	if everywhere && len(r.Except) == 0 {
		return nil, nil
	}
	all, err := o.AllEnvironments(ctx)
	list := []string{}
	for _, e := range all {
		if r.Environment(e.ID, e.Slug) {
			list = append(list, e.ID)
		}
	}
	return list, err
}

// requireIn is as authn.Require, in an environment that is known by its id.
func requireIn(ctx context.Context, o *store.Org, permission string, s authn.Scope) error {
	e, err := o.Environment(ctx, s.Environment)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return err
	}
	s.EnvironmentSlug = e.Slug
	return authn.Require(ctx, permission, s)
}

// inEnvironment returns db.ErrNotFound where the caller may not see things of an
// environment.
func inEnvironment(ctx context.Context, o *store.Org, permission, environment string) error {
	list, err := environments(ctx, o, permission)
	if err != nil || list == nil {
		return err
	}
	for _, e := range list {
		if e == environment {
			return nil
		}
	}
	return db.ErrNotFound
}

// change runs a change in a transaction with its entry for the audit trail and
// its event. What fn returns as the entry is recorded.
func (h *Handlers) change(ctx context.Context, fn func(tx *db.Tx, o *store.Org) (service.Entry, error), events ...func() (string, event)) error {
	p, ok := authn.From(ctx)
	if !ok {
		return authn.Missing()
	}
	return h.Store.Tx(ctx, func(tx *db.Tx) error {
		return h.within(ctx, tx, p.Organization, fn, events...)
	})
}

func (h *Handlers) within(ctx context.Context, tx *db.Tx, organization string, fn func(tx *db.Tx, o *store.Org) (service.Entry, error), events ...func() (string, event)) error {
	entry, err := fn(tx, h.Store.In(tx, organization))
	if err != nil {
		return err
	}
	for _, e := range events {
		key, body := e()
		if err := service.Emit(tx, key, body); err != nil {
			return fmt.Errorf("telling of the change: %w", err)
		}
	}
	return h.Audit(ctx, tx, entry)
}

type event interface{ Subject() string }

func apiChanged(organization, api string, deleted bool) func() (string, event) {
	return func() (string, event) {
		return api, gateway.APIChanged{Organization: organization, API: api, Deleted: deleted}
	}
}

func (h *Handlers) fleetChanged(organization, group string) func() (string, event) {
	return func() (string, event) {
		return group, gateway.FleetChanged{Organization: organization, Group: group, Time: h.Now().UTC()}
	}
}

func target(kind, id, name, project string) audit.Target {
	return audit.Target{Kind: kind, ID: id, Name: name, Project: project}
}

func etag(version int64) *string {
	t := db.ETag(version)
	return &t
}

// get returns what a pointer points to, or the zero value.
func get[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// or returns what a pointer points to, or another value.
func or[T any](p *T, other T) T {
	if p == nil {
		return other
	}
	return *p
}

// some returns a pointer to a value that is not zero.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func ptr[T any](v T) *T { return &v }

func next(cursor string) *string { return some(cursor) }

// hidden turns a refusal to read into "there is no such thing", so that ids of
// others cannot be guessed.
func hidden(err error) error {
	if err == nil {
		return nil
	}
	if isDenied(err) {
		return problem.New(problem.CodeNotFound, "there is no such thing, or not in this organization").Because(errors.Join(db.ErrNotFound, err))
	}
	return err
}
