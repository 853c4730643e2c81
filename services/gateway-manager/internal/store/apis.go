package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
)

// APIFilter narrows a list of APIs.
type APIFilter struct {
	See     Scopes
	Project string
	// Status is published, unpublished, deprecated, deployed or undeployed.
	Status string
	Q      string
}

// APIs returns a page of APIs.
func (o *Org) APIs(ctx context.Context, f APIFilter, page db.PageRequest) (db.Page[API], error) {
	query := db.From[API](o.scope.Stale()).Contains(folded(f.Q), "search_text")
	if f.See.empty() {
		query = query.Where(none)
	} else if !f.See.All {
		query = query.Where("project_id IN ? OR id IN ?", append(f.See.Projects, ""), append(f.See.APIs, ""))
	}
	query = except(query, f.See, "id")
	if f.Project != "" {
		query = query.Where("project_id = ?", f.Project)
	}
	switch f.Status {
	case "published", "unpublished":
		query = query.Where("published = ?", f.Status == "published")
	case "deprecated":
		query = query.Where("deprecated = ?", true)
	case "deployed":
		query = query.Where("deployed_count > 0")
	case "undeployed":
		query = query.Where("deployed_count = 0")
	}
	return query.Page(ctx, page, "name", "slug", "created_at", "updated_at")
}

// API returns an API.
func (o *Org) API(ctx context.Context, id string) (API, error) {
	return db.From[API](o.scope).Get(ctx, id)
}

// LockAPI returns an API that nobody else changes until the transaction ends.
func (o *Org) LockAPI(ctx context.Context, id string) (API, error) {
	return db.From[API](o.scope).Lock().Get(ctx, id)
}

// APIsByID returns those that there are.
func (o *Org) APIsByID(ctx context.Context, ids []string) ([]API, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[API](o.scope).Where("id IN ?", ids).All(ctx)
}

// PublishedAPIs returns those that the portal shows.
func (o *Org) PublishedAPIs(ctx context.Context) ([]API, error) {
	return db.From[API](o.scope).Where("published = ?", true).Order("name", false).All(ctx)
}

// SlugTaken says whether an API has a slug.
func (o *Org) SlugTaken(ctx context.Context, slug string) (bool, error) {
	n, err := db.From[API](o.scope).Where("slug = ?", slug).Count(ctx)
	return n > 0, err
}

// BasePathTaken returns the name of an API with a base path, "" = none has it.
func (o *Org) BasePathTaken(ctx context.Context, path string) (string, error) {
	list, err := db.From[API](o.scope).Where("base_path = ?", path).Limit(1).All(ctx)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].Name, nil
}

// Draft returns an API's draft.
func (o *Org) Draft(ctx context.Context, a *API) (revision.Draft, error) {
	d := revision.Draft{
		Name: a.Name, APIVersion: a.APIVersion, Description: a.Description, BasePath: a.BasePath,
		Hosts: a.Hosts.V, StripPath: a.StripPath, Paths: a.Paths.V, Document: unit.Hash(a.DocumentHash),
	}
	var err error
	if d.Upstreams, err = a.UpstreamList(); err != nil {
		return d, err
	}
	d.Operations, err = o.Operations(ctx, a.ID)
	return d, err
}

// UpstreamList returns the upstreams, keys included.
func (a *API) UpstreamList() ([]unit.Upstream, error) {
	var list []unit.Upstream
	if raw := a.Upstreams.Reveal(); raw != "" {
		if err := json.Unmarshal([]byte(raw), &list); err != nil {
			return nil, fmt.Errorf("reading the upstreams of %s: %w", a.ID, err)
		}
	}
	return list, nil
}

// Operations returns the operations of an API's draft.
func (o *Org) Operations(ctx context.Context, api string) ([]document.Operation, error) {
	row, err := db.From[Operations](o.scope).Get(ctx, api)
	return row.Operations.V, err
}

// SetDraft takes a draft over into an API; the database is not touched.
func (a *API) SetDraft(d *revision.Draft) error {
	raw, err := json.Marshal(d.Upstreams)
	if err != nil {
		return fmt.Errorf("writing the upstreams: %w", err)
	}
	a.Name, a.APIVersion, a.Description, a.BasePath, a.StripPath = d.Name, d.APIVersion, d.Description, d.BasePath, d.StripPath
	a.Hosts.V, a.Paths.V, a.Upstreams, a.DocumentHash = d.Hosts, d.Paths, secret.NewText(string(raw)), string(d.Document)
	a.OperationCount = len(d.Operations)
	a.SearchText = folded(a.Name, a.Slug)
	a.DraftHash, err = d.Hash()
	return err
}

// CreateAPI makes an API of a draft.
func (o *Org) CreateAPI(ctx context.Context, a *API, d *revision.Draft, by string) error {
	a.Stored = o.stored(by)
	if err := a.SetDraft(d); err != nil {
		return err
	}
	if err := db.Create(ctx, o.scope, a); err != nil {
		return err
	}
	return db.Create(ctx, o.scope, &Operations{ID: a.ID, Operations: JSON[[]document.Operation]{d.Operations}})
}

// SaveAPI writes an API with its draft, if it still has the version it was read
// with.
func (o *Org) SaveAPI(ctx context.Context, a *API, d *revision.Draft) error {
	if err := a.SetDraft(d); err != nil {
		return err
	}
	err := db.Save(ctx, o.scope, a, "name", "api_version", "description", "base_path", "hosts", "strip_path", "paths", "upstreams",
		"deprecated", "document_hash", "document_format", "document_title", "document_size", "operation_count", "draft_hash", "search_text")
	if err != nil {
		return err
	}
	_, err = db.From[Operations](o.scope).Where("id = ?", a.ID).Update(ctx, db.Changes{"operations": JSON[[]document.Operation]{d.Operations}})
	return err
}

// Publish shows an API in the portal, or no longer.
func (o *Org) Publish(ctx context.Context, a *API, published bool) error {
	a.Published = published
	return db.Save(ctx, o.scope, a, "published")
}

// SetEffective notes which version policies and plans of an API have.
func (o *Org) SetEffective(ctx context.Context, api, version string) error {
	_, err := db.From[API](o.scope).Where("id = ? AND effective_version <> ?", api, version).Update(ctx, db.Changes{"effective_version": version})
	return err
}

// RemoveAPI deletes an API with its revisions and past deployments. It must be
// deployed nowhere.
func (o *Org) RemoveAPI(ctx context.Context, id string, version int64) error {
	n, err := db.From[Deployed](o.scope).Where("api_id = ? AND revision > 0", id).Count(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		return db.ErrReference
	}
	if err := db.Remove[API](ctx, o.scope, id, version); err != nil {
		return err
	}
	if _, err := db.From[Operations](o.scope).Where("id = ?", id).Delete(ctx); err != nil {
		return err
	}
	if _, err := db.From[Revision](o.scope).Where("api_id = ?", id).Delete(ctx); err != nil {
		return err
	}
	past := db.From[Deployment](o.scope).Where("api_id = ?", id)
	ids, err := past.All(ctx)
	if err != nil {
		return err
	}
	for _, d := range ids {
		if _, err := db.From[DeploymentGroup](o.scope).Where("deployment_id = ?", d.ID).Delete(ctx); err != nil {
			return err
		}
	}
	_, err = past.Delete(ctx)
	return err
}

// PutDocument keeps an OpenAPI document.
func (o *Org) PutDocument(ctx context.Context, hash unit.Hash, body []byte) error {
	n, err := db.From[Document](o.scope).Where("hash = ?", string(hash)).Update(ctx, db.Changes{"created_at": o.s.db.Now()})
	if err != nil || n > 0 {
		return err
	}
	return db.Create(ctx, o.scope, &Document{Hash: string(hash), Body: o.s.pack(body), Size: int64(len(body)), CreatedAt: o.s.db.Now()})
}

// Document returns an OpenAPI document; nil for the hash "".
func (o *Org) Document(ctx context.Context, hash unit.Hash) ([]byte, error) {
	if hash == "" {
		return nil, nil
	}
	row, err := db.From[Document](o.scope).Where("hash = ?", string(hash)).First(ctx)
	if err != nil {
		return nil, named("reading document "+string(hash), err)
	}
	return o.s.unpack(row.Body)
}
