package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The publisher works for all organizations; what is here is for it alone.

const forPublisher = "the publisher works for all organizations"

// Waiting returns the groups that are to be published.
func (s *Store) Waiting(ctx context.Context) ([]Group, error) {
	var rows []Group
	err := s.db.Unscoped(ctx, forPublisher).Where("wanted > done").Order("organization_id, slug").Find(&rows).Error
	return rows, named("looking for groups to publish", err)
}

// EveryGroup returns all groups of all organizations.
func (s *Store) EveryGroup(ctx context.Context) ([]Group, error) {
	var rows []Group
	err := s.db.Unscoped(ctx, forPublisher).Order("organization_id, slug").Find(&rows).Error
	return rows, named("reading groups", err)
}

// DeployedSince returns what has changed in an environment after a sequence, with
// what was taken out, in the order of the changes.
func (o *Org) DeployedSince(ctx context.Context, environment string, sequence int64) ([]Deployed, error) {
	return db.From[Deployed](o.scope).Where("environment_id = ? AND sequence > ?", environment, sequence).Order("sequence", false).All(ctx)
}

// SetUnit notes the unit that was made of what is deployed.
func (o *Org) SetUnit(ctx context.Context, d *Deployed, hash string) error {
	_, err := db.From[Deployed](o.scope).Where("id = ? AND deployment_id = ?", d.ID, d.DeploymentID).Update(ctx, db.Changes{"unit_hash": hash})
	return err
}

// Reserve raises the version of a group's manifest and returns it. It fails with
// db.ErrNotFound where the group is gone or another worker has raised it.
func (o *Org) Reserve(ctx context.Context, g *Group) (int64, error) {
	next := g.ManifestVersion + 1
	n, err := db.From[Group](o.scope).Where("id = ? AND manifest_version = ?", g.ID, g.ManifestVersion).
		Update(ctx, db.Changes{"manifest_version": next, "epoch": g.Epoch})
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	g.ManifestVersion = next
	return next, nil
}

// Published notes that the manifest of a group is out, with all that was wanted
// when g was read, and returns the deployments that are in it and were not before.
// Where another worker is ahead, that one notes it.
func (o *Org) Published(ctx context.Context, g *Group) ([]Deployment, error) {
	now := o.s.db.Now()
	n, err := db.From[Group](o.scope).Where("id = ? AND manifest_version = ?", g.ID, g.ManifestVersion).
		Update(ctx, db.Changes{"done": g.Wanted, "published_at": now, "problem": ""})
	if err != nil || n == 0 {
		return nil, err
	}
	waiting := db.From[DeploymentGroup](o.scope).Where("group_id = ? AND manifest_version = 0 AND wanted <= ?", g.ID, g.Wanted)
	rows, err := waiting.All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if _, err := waiting.Update(ctx, db.Changes{"manifest_version": g.ManifestVersion, "epoch": g.Epoch}); err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].DeploymentID
	}
	return o.DeploymentsByID(ctx, ids)
}

// NotPublished notes why a group could not be published.
func (o *Org) NotPublished(ctx context.Context, group string, why error) error {
	_, err := db.From[Group](o.scope).Where("id = ?", group).Update(ctx, db.Changes{"problem": cut(why.Error(), 1000)})
	return err
}

// Newer notes that gateways have seen a later version than we know of: our
// database is older than what was published, and a new epoch begins.
func (o *Org) Newer(ctx context.Context, g *Group, version int64) error {
	g.Epoch, g.ManifestVersion = ID(), max(g.ManifestVersion, version)
	_, err := db.From[Group](o.scope).Where("id = ?", g.ID).
		Update(ctx, db.Changes{"epoch": g.Epoch, "manifest_version": g.ManifestVersion, "wanted": db.Increment(1)})
	return err
}

// Quiet returns gateways whose state has changed because they no longer report.
func (s *Store) Quiet(ctx context.Context, now time.Time) ([]Gateway, error) {
	var rows []Gateway
	err := s.db.Unscoped(ctx, forPublisher).
		Where("stopped = ? AND ((announced = ? AND last_seen_at < ?) OR (announced = ? AND last_seen_at < ?))",
			false, Healthy, now.Add(-StaleAfter), Stale, now.Add(-LostAfter)).Limit(500).Find(&rows).Error
	return rows, named("looking for quiet gateways", err)
}

// Announced notes which state others were told of a gateway.
func (o *Org) Announced(ctx context.Context, id, state string) error {
	_, err := db.From[Gateway](o.scope).Where("id = ?", id).Update(ctx, db.Changes{"announced": state})
	return err
}

// ForgetDocuments deletes documents older than a time that nothing refers to.
func (s *Store) ForgetDocuments(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, forPublisher).Exec(`DELETE FROM documents WHERE created_at < ?
AND NOT EXISTS (SELECT 1 FROM apis WHERE apis.organization_id = documents.organization_id AND apis.document_hash = documents.hash)
AND NOT EXISTS (SELECT 1 FROM revisions WHERE revisions.organization_id = documents.organization_id AND revisions.document_hash = documents.hash)`, before)
	return g.RowsAffected, named("forgetting documents", g.Error)
}

// ForgetTaken deletes what was taken out of environments and is published
// everywhere.
func (s *Store) ForgetTaken(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, forPublisher).Exec(`DELETE FROM deployed WHERE revision = 0 AND updated_at < ?
AND NOT EXISTS (SELECT 1 FROM gateway_groups WHERE gateway_groups.environment_id = deployed.environment_id AND wanted > done)`, before)
	return g.RowsAffected, named("forgetting what was taken out", g.Error)
}
