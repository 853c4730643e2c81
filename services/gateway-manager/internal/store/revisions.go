package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
)

// Revisions returns a page of an API's revisions, newest first.
func (o *Org) Revisions(ctx context.Context, api string, page db.PageRequest) (db.Page[Revision], error) {
	page.Sort, page.Descending = "number", true
	return db.From[Revision](o.scope.Stale()).Where("api_id = ?", api).Page(ctx, page, "number")
}

// Revision returns a revision of an API.
func (o *Org) Revision(ctx context.Context, api string, number int64) (Revision, error) {
	return db.From[Revision](o.scope).Where("api_id = ? AND number = ?", api, number).First(ctx)
}

// Content returns what a revision is.
func (o *Org) Content(r *Revision) (*revision.Content, error) {
	raw, err := o.s.unpack([]byte(r.Content.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("reading revision %d of %s: %w", r.Number, r.APIID, err)
	}
	var c revision.Content
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("reading revision %d of %s: %w", r.Number, r.APIID, err)
	}
	return &c, nil
}

// CreateRevision makes the next revision of an API, which the transaction has
// locked, of a content.
func (o *Org) CreateRevision(ctx context.Context, a *API, c *revision.Content, message, by string) (Revision, error) {
	hash, err := c.Hash()
	if err != nil {
		return Revision{}, err
	}
	draft, err := c.Draft.Hash()
	if err != nil {
		return Revision{}, err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return Revision{}, fmt.Errorf("writing the revision: %w", err)
	}
	r := Revision{
		ID: ID(), APIID: a.ID, Number: a.LatestRevision + 1, Hash: hash, Message: message, CreatedAt: o.s.db.Now(), CreatedBy: by,
		Name: c.Name, APIVersion: c.APIVersion, BasePath: c.BasePath, OperationCount: len(c.Operations), PolicyCount: c.PolicyCount(),
		DocumentHash: string(c.Document), DraftHash: draft, EffectiveVersion: c.Effective.Version,
		Content: secret.NewText(string(o.s.pack(raw))),
	}
	for _, p := range c.Effective.Plans {
		r.Plans.V = append(r.Plans.V, PlanName{ID: p.ID, Name: p.Name})
	}
	if err := db.Create(ctx, o.scope, &r); err != nil {
		return Revision{}, err
	}
	a.LatestRevision, a.LatestDraft, a.LatestEffective, a.EffectiveVersion = r.Number, draft, c.Effective.Version, c.Effective.Version
	_, err = db.From[API](o.scope).Where("id = ?", a.ID).Update(ctx, db.Changes{
		"latest_revision": a.LatestRevision, "latest_draft": a.LatestDraft, "latest_effective": a.LatestEffective, "effective_version": a.EffectiveVersion,
	})
	return r, err
}

// Changed says whether the draft differs from the latest revision.
func (a *API) Changed() bool {
	return a.LatestRevision == 0 || a.DraftHash != a.LatestDraft || a.EffectiveVersion != a.LatestEffective
}

// State returns a revision with its document.
func (o *Org) State(ctx context.Context, r *Revision) (*revision.State, error) {
	c, err := o.Content(r)
	if err != nil {
		return nil, err
	}
	doc, err := o.Document(ctx, unit.Hash(r.DocumentHash))
	return &revision.State{Content: *c, OpenAPI: doc}, err
}
