package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// ListApis lists the APIs that the caller may see.
func (h *Handlers) ListApis(ctx context.Context, r ListApisRequestObject) (ListApisResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	scopes, err := see(ctx, "api:read")
	if err != nil {
		return nil, err
	}
	page, err := c.APIs(ctx, store.APIFilter{See: scopes, Project: get(r.Params.Project), Status: string(get(r.Params.Status)), Q: get(r.Params.Q)},
		httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	items, err := h.show(ctx, c.Org, page.Items...)
	if err != nil {
		return nil, err
	}
	return ListApis200JSONResponse{Items: items, Next: next(page.Next)}, nil
}

// api returns an API for which the caller has a permission. One that the caller
// may not even read is not there.
func (h *Handlers) api(ctx context.Context, c caller, id, permission string) (store.API, error) {
	a, err := c.API(ctx, id)
	if err != nil {
		return a, err
	}
	scope := authn.Scope{Project: a.ProjectID, API: a.ID}
	if err := authn.Require(ctx, "api:read", scope); err != nil {
		return a, hidden(err)
	}
	return a, authn.Require(ctx, permission, scope)
}

func operationsOf(in []OperationInput) []document.Operation {
	out := make([]document.Operation, len(in))
	for i, o := range in {
		out[i] = document.Operation{ID: get(o.Id), Method: o.Method, Path: o.Path, Summary: get(o.Summary), Upstream: get(o.Upstream)}
	}
	return out
}

// CreateApi makes an API without an OpenAPI document.
func (h *Handlers) CreateApi(ctx context.Context, r CreateApiRequestObject) (CreateApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	p, err := h.project(ctx, c, r.Body.Project)
	if err != nil {
		return nil, err
	}
	d := revision.Draft{
		Name: r.Body.Name, APIVersion: get(r.Body.ApiVersion), Description: get(r.Body.Description), BasePath: r.Body.BasePath,
		Hosts: get(r.Body.Hosts), StripPath: or(r.Body.StripPath, true), Paths: get(r.Body.Paths), Upstreams: r.Body.Upstreams,
		Operations: operationsOf(get(r.Body.Operations)),
	}
	if err := h.right(ctx, c.Organization, &d); err != nil {
		return nil, err
	}
	a := store.API{ProjectID: p.ID, Slug: get(r.Body.Slug)}
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (Api, error) {
		return h.create(ctx, tx, c, a, &d, r.Body.Slug != nil)
	})
	if err != nil {
		return nil, err
	}
	return CreateApi201JSONResponse{Body: made, Headers: CreateApi201ResponseHeaders{ETag: etag(made.Version)}}, nil
}

// right returns a problem where a draft is not right, or names secrets that its
// organization may not use.
func (h *Handlers) right(ctx context.Context, organization string, d *revision.Draft) error {
	fields := d.Check()
	o, err := h.Store.Organization(ctx, organization)
	if err != nil {
		return err
	}
	return wrong(append(fields, d.CheckReferences(h.References.For(o.Slug))...))
}

func wrong(fields []problem.Field) error {
	if len(fields) == 0 {
		return nil
	}
	return problem.Invalid("the API is not right", fields...)
}

// project returns a project in which the caller may make APIs.
func (h *Handlers) project(ctx context.Context, c caller, idOrSlug string) (store.Project, error) {
	p, err := c.ProjectNamed(ctx, idOrSlug)
	if err != nil {
		return p, missing(err, "/project", "there is no such project")
	}
	return p, authn.Require(ctx, "api:create", authn.Scope{Project: p.ID})
}

// create makes an API in a transaction.
func (h *Handlers) create(ctx context.Context, tx *db.Tx, c caller, a store.API, d *revision.Draft, named bool) (Api, error) {
	var out Api
	err := h.within(ctx, tx, c.Organization, func(tx *db.Tx, o *store.Org) (service.Entry, error) {
		err := o.Room(ctx, tx, tenant.ResourceAPIs)
		if err != nil {
			return service.Entry{}, err
		}
		if !named {
			if a.Slug, err = freeSlug(ctx, o, d.Name); err != nil {
				return service.Entry{}, err
			}
		}
		if err := o.CreateAPI(ctx, &a, d, c.Subject); err != nil {
			return service.Entry{}, taken(err, "slug", a.Slug)
		}
		list, err := h.show(ctx, o, a)
		if err != nil {
			return service.Entry{}, err
		}
		out = list[0]
		key, e := apiChanged(c.Organization, a.ID, false)()
		return service.Entry{Action: "api.created", Target: target("api", a.ID, a.Name, a.ProjectID), After: auditOf(&a, d)}, service.Emit(tx, key, e)
	})
	return out, err
}

// audited is what of an API is recorded in the audit trail.
type audited struct {
	Name, APIVersion, Description, BasePath string
	Hosts                                   []string
	StripPath                               bool
	Paths                                   unit.Paths
	Upstreams                               []unit.Upstream
	Document                                string
	Operations                              int
	Deprecated                              bool
}

func auditOf(a *store.API, d *revision.Draft) audited {
	return audited{
		d.Name, d.APIVersion, d.Description, d.BasePath, d.Hosts, d.StripPath, d.Paths, revision.MaskKeys(d.Upstreams), string(d.Document), len(d.Operations), a.Deprecated,
	}
}

// freeSlug makes a slug of a name that no other API has.
func freeSlug(ctx context.Context, o *store.Org, name string) (string, error) {
	base := document.Slug(name)
	if base == "" {
		base = "api"
	}
	for n := 1; n < 1000; n++ {
		slug := base
		if n > 1 {
			slug = fmt.Sprintf("%s-%d", strings.TrimRight(base[:min(len(base), 58)], "-"), n)
		}
		taken, err := o.SlugTaken(ctx, slug)
		if err != nil || !taken {
			return slug, err
		}
	}
	return "", problem.New(problem.CodeConflict, "no slug is free for the name %q: choose one", name)
}

// GetApi reads an API.
func (h *Handlers) GetApi(ctx context.Context, r GetApiRequestObject) (GetApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	out, err := h.whole(ctx, c, a)
	if err != nil {
		return nil, err
	}
	return GetApi200JSONResponse{Body: out, Headers: GetApi200ResponseHeaders{ETag: etag(a.Version)}}, nil
}

// whole shows one API, with the number of changes since its latest revision.
func (h *Handlers) whole(ctx context.Context, c caller, a store.API) (Api, error) {
	effective, askErr := h.effective(ctx, c, &a)
	told := askErr == nil // else policy-manager is away, and what it said last counts
	if told && effective.Version != a.EffectiveVersion {
		a.EffectiveVersion = effective.Version
		if err := c.SetEffective(ctx, a.ID, effective.Version); err != nil {
			return Api{}, err
		}
	}
	list, err := h.show(ctx, c.Org, a)
	if err != nil {
		return Api{}, err
	}
	out := list[0]
	switch {
	case !told:
	case a.LatestRevision > 0 && a.Changed():
		changes, err := h.changes(ctx, c, &a, effective)
		if err != nil {
			return Api{}, err
		}
		out.Draft.Changes = ptr(len(changes))
	default:
		out.Draft.Changes = ptr(0)
	}
	return out, nil
}

// effective asks which policies and plans an API has now.
func (h *Handlers) effective(ctx context.Context, c caller, a *store.API) (policy.EffectiveSet, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	set, err := h.Policies.Effective(ctx, policy.Effective{Organization: c.Organization, Project: a.ProjectID, API: a.ID})
	if err != nil {
		return set, fmt.Errorf("asking for the policies: %w", err)
	}
	return set, nil
}

// UpdateApi changes an API's draft.
func (h *Handlers) UpdateApi(ctx context.Context, r UpdateApiRequestObject) (UpdateApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:update")
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	d, err := c.Draft(ctx, &a)
	if err != nil {
		return nil, err
	}
	before := auditOf(&a, &d)
	if err := h.patch(ctx, &a, &d); err != nil {
		return nil, err
	}
	a.Version = version
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		err := o.SaveAPI(ctx, &a, &d)
		return service.Entry{Action: "api.updated", Target: target("api", a.ID, a.Name, a.ProjectID), Before: before, After: auditOf(&a, &d)}, err
	}, apiChanged(c.Organization, a.ID, false))
	if err != nil {
		return nil, err
	}
	out, err := h.whole(ctx, c, a)
	if err != nil {
		return nil, err
	}
	return UpdateApi200JSONResponse{Body: out, Headers: UpdateApi200ResponseHeaders{ETag: etag(a.Version)}}, nil
}

// patch takes the merge patch of the request over into a draft.
func (h *Handlers) patch(ctx context.Context, a *store.API, d *revision.Draft) error {
	current := ApiPatch{
		Name: &d.Name, ApiVersion: &d.APIVersion, Description: &d.Description, BasePath: &d.BasePath, Hosts: &d.Hosts,
		StripPath: &d.StripPath, Paths: &d.Paths, Upstreams: &d.Upstreams, Deprecated: &a.Deprecated,
	}
	old := slices.Clone(d.Upstreams)
	p, err := httpx.Merge(ctx, current)
	if err != nil {
		return err
	}
	d.Name, d.APIVersion, d.Description, d.BasePath = get(p.Name), get(p.ApiVersion), get(p.Description), or(p.BasePath, "/")
	d.Hosts, d.StripPath, d.Paths, d.Upstreams = get(p.Hosts), or(p.StripPath, true), get(p.Paths), get(p.Upstreams)
	revision.KeepKeys(d.Upstreams, old)
	a.Deprecated = get(p.Deprecated)
	if p.Operations != nil {
		if d.Document != "" {
			return problem.Invalid("the operations are those of the document", problem.Field{
				Pointer: "/operations", Code: "conflict", Detail: "the API has an OpenAPI document: change that instead",
			})
		}
		d.Operations = operationsOf(*p.Operations)
	}
	return h.right(ctx, a.OrganizationID, d)
}

// DeleteApi deletes an API that is deployed nowhere.
func (h *Handlers) DeleteApi(ctx context.Context, r DeleteApiRequestObject) (DeleteApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:delete")
	if err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	d, err := c.Draft(ctx, &a)
	if err != nil {
		return nil, err
	}
	before := auditOf(&a, &d)
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		return service.Entry{Action: "api.deleted", Target: target("api", a.ID, a.Name, a.ProjectID), Before: before},
			inUse(o.RemoveAPI(ctx, a.ID, version), "the API is deployed: take it out of all environments first")
	}, apiChanged(c.Organization, a.ID, true))
	if err != nil {
		return nil, err
	}
	return DeleteApi204Response{}, nil
}

// ListApiOperations lists the draft's operations.
func (h *Handlers) ListApiOperations(ctx context.Context, r ListApiOperationsRequestObject) (ListApiOperationsResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	list, err := c.Operations(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	out := ListApiOperations200JSONResponse{Items: make([]Operation, 0, len(list))}
	q := strings.ToLower(get(r.Params.Q))
	for _, o := range list {
		if q != "" && !strings.Contains(strings.ToLower(o.ID+" "+o.Method+" "+o.Path+" "+o.Summary), q) {
			continue
		}
		op := Operation{Id: o.ID, Method: o.Method, Path: o.Path, Summary: some(o.Summary), Deprecated: some(o.Deprecated), Upstream: some(o.Upstream)}
		if len(o.Tags) > 0 {
			op.Tags = &o.Tags
		}
		out.Items = append(out.Items, op)
	}
	return out, nil
}

// shownInPortal is what the audit trail says of publishing.
type shownInPortal struct{ Published bool }

// publish shows an API in the portal, or no longer.
func (h *Handlers) publish(ctx context.Context, id string, header *IfMatchOptional, published bool) (Api, error) {
	version, err := httpx.IfMatchOptional(get(header))
	if err != nil {
		return Api{}, err
	}
	c, err := h.caller(ctx)
	if err != nil {
		return Api{}, err
	}
	a, err := h.api(ctx, c, id, "api:update")
	if err != nil {
		return Api{}, err
	}
	if err := db.Expect(a.Version, version); err != nil {
		return Api{}, err
	}
	action := "api.unpublished"
	if published {
		action = "api.published"
	}
	if a.Published != published {
		a.Version = version
		err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
			return service.Entry{
				Action: action, Target: target("api", a.ID, a.Name, a.ProjectID), Before: shownInPortal{!published}, After: shownInPortal{published},
			}, o.Publish(ctx, &a, published)
		}, apiChanged(c.Organization, a.ID, false))
		if err != nil {
			return Api{}, err
		}
	}
	return h.whole(ctx, c, a)
}

// PublishApi shows the API in the developer portal.
func (h *Handlers) PublishApi(ctx context.Context, r PublishApiRequestObject) (PublishApiResponseObject, error) { //nolint:revive // the generator spells it so
	a, err := h.publish(ctx, r.Id, r.Params.IfMatch, true)
	if err != nil {
		return nil, err
	}
	return PublishApi200JSONResponse{Body: a, Headers: PublishApi200ResponseHeaders{ETag: etag(a.Version)}}, nil
}

// UnpublishApi takes the API out of the developer portal.
func (h *Handlers) UnpublishApi(ctx context.Context, r UnpublishApiRequestObject) (UnpublishApiResponseObject, error) { //nolint:revive // the generator spells it so
	a, err := h.publish(ctx, r.Id, r.Params.IfMatch, false)
	if err != nil {
		return nil, err
	}
	return UnpublishApi200JSONResponse{Body: a, Headers: UnpublishApi200ResponseHeaders{ETag: etag(a.Version)}}, nil
}

var errNoDocument = errors.New("the API has no document")

func noDocument() error {
	return problem.New(problem.CodeNotFound, "the API has no OpenAPI document").Because(errNoDocument)
}
