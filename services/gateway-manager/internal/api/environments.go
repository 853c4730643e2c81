package api

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func isDuplicate(err error) bool { return errors.Is(err, db.ErrDuplicate) }

// inUse says why something cannot be deleted.
func inUse(err error, why string) error {
	if !errors.Is(err, db.ErrReference) {
		return err
	}
	return problem.New(problem.CodeConflict, "%s", why).Because(err)
}

func environment(e *store.Environment) Environment {
	return Environment{
		Id: e.ID, Version: e.Version, CreatedAt: e.CreatedAt, CreatedBy: e.CreatedBy, UpdatedAt: e.UpdatedAt,
		Slug: e.Slug, Name: e.Name, Order: e.Position, Production: e.Production,
	}
}

// ListEnvironments lists the environments, in their order.
func (h *Handlers) ListEnvironments(ctx context.Context, r ListEnvironmentsRequestObject) (ListEnvironmentsResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	limited, err := environments(ctx, c.Org, "environment:read")
	if err != nil {
		return nil, err
	}
	ask := httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort)
	if ask.Sort == "order" {
		ask.Sort = "position"
	}
	page, err := c.Environments(ctx, limited, get(r.Params.Q), ask)
	if err != nil {
		return nil, err
	}
	out := ListEnvironments200JSONResponse{Items: make([]Environment, len(page.Items)), Next: next(page.Next)}
	for i := range page.Items {
		out.Items[i] = environment(&page.Items[i])
	}
	return out, nil
}

// CreateEnvironment makes an environment.
func (h *Handlers) CreateEnvironment(ctx context.Context, r CreateEnvironmentRequestObject) (CreateEnvironmentResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "environment:create", authn.Scope{}); err != nil {
		return nil, err
	}
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (Environment, error) {
		var out Environment
		err := h.within(ctx, tx, c.Organization, func(tx *db.Tx, o *store.Org) (service.Entry, error) {
			if err := o.Room(ctx, tx, tenant.ResourceEnvironments); err != nil {
				return service.Entry{}, err
			}
			e, err := o.CreateEnvironment(ctx, store.Environment{
				Slug: r.Body.Slug, Name: r.Body.Name, Position: or(r.Body.Order, -1), Production: get(r.Body.Production),
			}, c.Subject)
			out = environment(&e)
			return service.Entry{Action: "environment.created", Target: target("environment", e.ID, e.Name, ""), After: out}, taken(err, "slug", r.Body.Slug)
		})
		return out, err
	})
	if err != nil {
		return nil, err
	}
	return CreateEnvironment201JSONResponse{Body: made, Headers: CreateEnvironment201ResponseHeaders{ETag: etag(made.Version)}}, nil
}

// environment returns an environment that the caller may see.
func (h *Handlers) environment(ctx context.Context, c caller, id string) (store.Environment, error) {
	e, err := c.Environment(ctx, id)
	if err != nil {
		return e, err
	}
	return e, inEnvironment(ctx, c.Org, "environment:read", e.ID)
}

// GetEnvironment reads an environment.
func (h *Handlers) GetEnvironment(ctx context.Context, r GetEnvironmentRequestObject) (GetEnvironmentResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	e, err := h.environment(ctx, c, r.Id)
	if err != nil {
		return nil, err
	}
	return GetEnvironment200JSONResponse{Body: environment(&e), Headers: GetEnvironment200ResponseHeaders{ETag: etag(e.Version)}}, nil
}

// UpdateEnvironment changes an environment.
func (h *Handlers) UpdateEnvironment(ctx context.Context, r UpdateEnvironmentRequestObject) (UpdateEnvironmentResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	e, err := c.Environment(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "environment:update", authn.Scope{Environment: e.ID, EnvironmentSlug: e.Slug}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	patch, err := httpx.Merge(ctx, EnvironmentPatch{Name: &e.Name, Order: &e.Position, Production: &e.Production})
	if err != nil {
		return nil, err
	}
	before := environment(&e)
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		e.Version, e.Name, e.Position, e.Production = version, or(patch.Name, e.Name), or(patch.Order, e.Position), get(patch.Production)
		err := o.SaveEnvironment(ctx, &e)
		return service.Entry{Action: "environment.updated", Target: target("environment", e.ID, e.Name, ""), Before: before, After: environment(&e)}, err
	})
	if err != nil {
		return nil, err
	}
	return UpdateEnvironment200JSONResponse{Body: environment(&e), Headers: UpdateEnvironment200ResponseHeaders{ETag: etag(e.Version)}}, nil
}

// DeleteEnvironment deletes an environment that has no gateway groups.
func (h *Handlers) DeleteEnvironment(ctx context.Context, r DeleteEnvironmentRequestObject) (DeleteEnvironmentResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	e, err := c.Environment(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "environment:delete", authn.Scope{Environment: e.ID, EnvironmentSlug: e.Slug}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		return service.Entry{Action: "environment.deleted", Target: target("environment", e.ID, e.Name, ""), Before: environment(&e)},
			inUse(o.RemoveEnvironment(ctx, e.ID, version), "the environment has gateway groups, or APIs are deployed to it: delete or undeploy them first")
	})
	if err != nil {
		return nil, err
	}
	return DeleteEnvironment204Response{}, nil
}
