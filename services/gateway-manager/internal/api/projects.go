package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func isDenied(err error) bool { return problem.Is(err, problem.CodeAccessDenied) }

func project(p *store.Project, apis int64) Project {
	return Project{
		Id: p.ID, Version: p.Version, CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy, UpdatedAt: p.UpdatedAt,
		Slug: p.Slug, Name: p.Name, Description: p.Description, ApiCount: apis,
	}
}

// ListProjects lists the projects that the caller may see.
func (h *Handlers) ListProjects(ctx context.Context, r ListProjectsRequestObject) (ListProjectsResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	scopes, err := see(ctx, "project:read")
	if err != nil {
		return nil, err
	}
	page, err := c.Projects(ctx, scopes, get(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(page.Items))
	for i := range page.Items {
		ids[i] = page.Items[i].ID
	}
	counts, err := c.APICounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := ListProjects200JSONResponse{Items: make([]Project, len(page.Items)), Next: next(page.Next)}
	for i := range page.Items {
		out.Items[i] = project(&page.Items[i], counts[page.Items[i].ID])
	}
	return out, nil
}

// CreateProject makes a project.
func (h *Handlers) CreateProject(ctx context.Context, r CreateProjectRequestObject) (CreateProjectResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "project:create", authn.Scope{}); err != nil {
		return nil, err
	}
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (Project, error) {
		var out Project
		err := h.within(ctx, tx, c.Organization, func(tx *db.Tx, o *store.Org) (service.Entry, error) {
			if err := o.Room(ctx, tx, tenant.ResourceProjects); err != nil {
				return service.Entry{}, err
			}
			p, err := o.CreateProject(ctx, store.Project{Slug: r.Body.Slug, Name: r.Body.Name, Description: get(r.Body.Description)}, c.Subject)
			out = project(&p, 0)
			return service.Entry{Action: "project.created", Target: target("project", p.ID, p.Name, p.ID), After: out}, taken(err, "slug", r.Body.Slug)
		})
		return out, err
	})
	if err != nil {
		return nil, err
	}
	return CreateProject201JSONResponse{Body: made, Headers: CreateProject201ResponseHeaders{ETag: etag(made.Version)}}, nil
}

// taken says which name is not free.
func taken(err error, field, value string) error {
	if !isDuplicate(err) {
		return err
	}
	return problem.New(problem.CodeConflict, "the %s %q is taken: choose another one", field, value).Because(err)
}

// GetProject reads a project.
func (h *Handlers) GetProject(ctx context.Context, r GetProjectRequestObject) (GetProjectResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.Project(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "project:read", authn.Scope{Project: p.ID}); err != nil {
		return nil, hidden(err)
	}
	counts, err := c.APICounts(ctx, []string{p.ID})
	if err != nil {
		return nil, err
	}
	return GetProject200JSONResponse{Body: project(&p, counts[p.ID]), Headers: GetProject200ResponseHeaders{ETag: etag(p.Version)}}, nil
}

// UpdateProject changes a project.
func (h *Handlers) UpdateProject(ctx context.Context, r UpdateProjectRequestObject) (UpdateProjectResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.Project(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "project:update", authn.Scope{Project: p.ID}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	patch, err := httpx.Merge(ctx, ProjectPatch{Name: &p.Name, Description: &p.Description})
	if err != nil {
		return nil, err
	}
	before := project(&p, 0)
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		p.Version, p.Name, p.Description = version, or(patch.Name, p.Name), get(patch.Description)
		err := o.SaveProject(ctx, &p)
		return service.Entry{Action: "project.updated", Target: target("project", p.ID, p.Name, p.ID), Before: before, After: project(&p, 0)}, err
	})
	if err != nil {
		return nil, err
	}
	counts, err := c.APICounts(ctx, []string{p.ID})
	if err != nil {
		return nil, err
	}
	return UpdateProject200JSONResponse{Body: project(&p, counts[p.ID]), Headers: UpdateProject200ResponseHeaders{ETag: etag(p.Version)}}, nil
}

// DeleteProject deletes a project that has no APIs.
func (h *Handlers) DeleteProject(ctx context.Context, r DeleteProjectRequestObject) (DeleteProjectResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.Project(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "project:delete", authn.Scope{Project: p.ID}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		return service.Entry{Action: "project.deleted", Target: target("project", p.ID, p.Name, p.ID), Before: project(&p, 0)},
			inUse(o.RemoveProject(ctx, p.ID, version), "the project has APIs: delete or move them first")
	})
	if err != nil {
		return nil, err
	}
	return DeleteProject204Response{}, nil
}
