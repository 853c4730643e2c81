package store

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Scopes narrows a list to projects and APIs that a caller may see. The zero
// value narrows to nothing at all; All shows everything.
type Scopes struct {
	All            bool
	Projects, APIs []string
	// What is left out all the same; environments by id or slug.
	NotProjects, NotAPIs, NotEnvironments []string
}

func (s Scopes) empty() bool { return !s.All && len(s.Projects) == 0 && len(s.APIs) == 0 }

// except leaves out what a caller may not see although it is in a scope; api is
// the name of the column with the API's id.
func except[T any](q db.Query[T], s Scopes, api string) db.Query[T] {
	if len(s.NotProjects) > 0 {
		q = q.Where("project_id NOT IN ?", s.NotProjects)
	}
	if len(s.NotAPIs) > 0 {
		q = q.Where(api+" NOT IN ?", s.NotAPIs)
	}
	return q
}

// none is a condition that no id fulfils.
const none = "id = ''"

// Projects returns a page of projects.
func (o *Org) Projects(ctx context.Context, see Scopes, q string, page db.PageRequest) (db.Page[Project], error) {
	query := db.From[Project](o.scope.Stale()).Contains(folded(q), "search_text")
	if !see.All {
		if len(see.Projects) == 0 {
			query = query.Where(none)
		} else {
			query = query.Where("id IN ?", see.Projects)
		}
	}
	if len(see.NotProjects) > 0 {
		query = query.Where("id NOT IN ?", see.NotProjects)
	}
	return query.Page(ctx, page, "name", "slug", "created_at", "updated_at")
}

// AllProjects returns every project.
func (o *Org) AllProjects(ctx context.Context) ([]Project, error) {
	return db.From[Project](o.scope).Order("name", false).All(ctx)
}

// Project returns a project.
func (o *Org) Project(ctx context.Context, id string) (Project, error) {
	return db.From[Project](o.scope).Get(ctx, id)
}

// ProjectNamed returns a project by id or slug.
func (o *Org) ProjectNamed(ctx context.Context, idOrSlug string) (Project, error) {
	return db.From[Project](o.scope).Where("id = ? OR slug = ?", idOrSlug, idOrSlug).First(ctx)
}

// CreateProject makes a project.
func (o *Org) CreateProject(ctx context.Context, p Project, by string) (Project, error) {
	p.Stored, p.SearchText = o.stored(by), folded(p.Name, p.Slug)
	return p, db.Create(ctx, o.scope, &p)
}

// SaveProject writes what can be changed.
func (o *Org) SaveProject(ctx context.Context, p *Project) error {
	p.SearchText = folded(p.Name, p.Slug)
	return db.Save(ctx, o.scope, p, "name", "description", "search_text")
}

// RemoveProject deletes a project that has no APIs.
func (o *Org) RemoveProject(ctx context.Context, id string, version int64) error {
	if n, err := db.From[API](o.scope).Where("project_id = ?", id).Count(ctx); err != nil || n > 0 {
		if err == nil {
			err = db.ErrReference
		}
		return err
	}
	return db.Remove[Project](ctx, o.scope, id, version)
}

type counted struct {
	Ident string
	N     int64
}

func counts(rows []counted) map[string]int64 {
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Ident] = r.N
	}
	return out
}

// APICounts returns how many APIs projects have.
func (o *Org) APICounts(ctx context.Context, projects []string) (map[string]int64, error) {
	if len(projects) == 0 {
		return nil, nil
	}
	var rows []counted
	err := db.From[API](o.scope.Stale()).Where("project_id IN ?", projects).Aggregate(ctx, &rows, "project_id AS ident, COUNT(*) AS n", "project_id")
	return counts(rows), err
}

// Environments returns a page of environments.
func (o *Org) Environments(ctx context.Context, see []string, q string, page db.PageRequest) (db.Page[Environment], error) {
	query := db.From[Environment](o.scope.Stale()).Contains(folded(q), "search_text")
	if see != nil {
		query = query.Where("id IN ?", append(see, ""))
	}
	return query.Page(ctx, page, "position", "name", "slug", "created_at", "updated_at")
}

// AllEnvironments returns every environment, in their order.
func (o *Org) AllEnvironments(ctx context.Context) ([]Environment, error) {
	return db.From[Environment](o.scope).Order("position", false).Order("id", false).All(ctx)
}

// EnvironmentsByID returns those that there are, in their order.
func (o *Org) EnvironmentsByID(ctx context.Context, ids []string) ([]Environment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[Environment](o.scope).Where("id IN ?", ids).Order("position", false).Order("id", false).All(ctx)
}

// Environment returns an environment by id or slug.
func (o *Org) Environment(ctx context.Context, idOrSlug string) (Environment, error) {
	return db.From[Environment](o.scope).Where("id = ? OR slug = ?", idOrSlug, idOrSlug).First(ctx)
}

// LockEnvironment has whoever else wants its deployments to stand still wait until
// the transaction ends.
func (o *Org) LockEnvironment(ctx context.Context, id string) error {
	_, err := db.From[Environment](o.scope).Lock().Get(ctx, id)
	return err
}

// CreateEnvironment makes an environment; a negative position is after the last.
func (o *Org) CreateEnvironment(ctx context.Context, e Environment, by string) (Environment, error) {
	if e.Position < 0 {
		all, err := o.AllEnvironments(ctx)
		if err != nil {
			return e, err
		}
		e.Position = 1
		if len(all) > 0 {
			e.Position = all[len(all)-1].Position + 1
		}
	}
	e.Stored, e.SearchText = o.stored(by), folded(e.Name, e.Slug)
	return e, db.Create(ctx, o.scope, &e)
}

// SaveEnvironment writes what can be changed.
func (o *Org) SaveEnvironment(ctx context.Context, e *Environment) error {
	e.SearchText = folded(e.Name, e.Slug)
	return db.Save(ctx, o.scope, e, "name", "position", "production", "search_text")
}

// RemoveEnvironment deletes an environment without gateway groups.
func (o *Org) RemoveEnvironment(ctx context.Context, id string, version int64) error {
	if n, err := db.From[Group](o.scope).Where("environment_id = ?", id).Count(ctx); err != nil || n > 0 {
		if err == nil {
			err = db.ErrReference
		}
		return err
	}
	if n, err := db.From[Deployed](o.scope).Where("environment_id = ? AND revision > 0", id).Count(ctx); err != nil || n > 0 {
		if err == nil {
			err = db.ErrReference
		}
		return err
	}
	return db.Remove[Environment](ctx, o.scope, id, version)
}

// Groups returns a page of gateway groups.
func (o *Org) Groups(ctx context.Context, see []string, environment, q string, page db.PageRequest) (db.Page[Group], error) {
	query := db.From[Group](o.scope.Stale()).Contains(folded(q), "search_text")
	if environment != "" {
		query = query.Where("environment_id = ?", environment)
	}
	if see != nil {
		query = query.Where("environment_id IN ?", append(see, ""))
	}
	return query.Page(ctx, page, "name", "slug", "created_at", "updated_at")
}

// GroupsOf returns the groups of environments; none = of all.
func (o *Org) GroupsOf(ctx context.Context, environments ...string) ([]Group, error) {
	query := db.From[Group](o.scope).Order("slug", false)
	if len(environments) > 0 {
		query = query.Where("environment_id IN ?", environments)
	}
	return query.All(ctx)
}

// Group returns a gateway group.
func (o *Org) Group(ctx context.Context, id string) (Group, error) {
	return db.From[Group](o.scope).Get(ctx, id)
}

// GroupBySlug returns a gateway group by its slug.
func (o *Org) GroupBySlug(ctx context.Context, slug string) (Group, error) {
	return db.From[Group](o.scope).Where("slug = ?", slug).First(ctx)
}

// CreateGroup makes a gateway group. It is wanted at once, so that gateways that
// join have something to serve.
func (o *Org) CreateGroup(ctx context.Context, g Group, by string) (Group, error) {
	g.Stored, g.SearchText = o.stored(by), folded(g.Name, g.Slug)
	g.Epoch, g.Wanted = ID(), 1
	return g, db.Create(ctx, o.scope, &g)
}

// SaveGroup writes what can be changed.
func (o *Org) SaveGroup(ctx context.Context, g *Group) error {
	g.SearchText = folded(g.Name, g.Slug)
	return db.Save(ctx, o.scope, g, "name", "visibility", "projects", "public_url", "search_text")
}

// Want has groups published anew.
func (o *Org) Want(ctx context.Context, groups ...string) error {
	if len(groups) == 0 {
		return nil
	}
	_, err := db.From[Group](o.scope).Where("id IN ?", groups).Update(ctx, db.Changes{"wanted": db.Increment(1)})
	return err
}

// RemoveGroup deletes a gateway group with what belongs to it.
func (o *Org) RemoveGroup(ctx context.Context, id string, version int64) error {
	if err := db.Remove[Group](ctx, o.scope, id, version); err != nil {
		return err
	}
	if _, err := db.From[JoinToken](o.scope).Where("group_id = ?", id).Delete(ctx); err != nil {
		return err
	}
	if _, err := db.From[DeploymentGroup](o.scope).Where("group_id = ?", id).Delete(ctx); err != nil {
		return err
	}
	_, err := db.From[Gateway](o.scope).Where("group_id = ?", id).Delete(ctx)
	return err
}

// JoinTokens returns the tokens of a group, oldest first.
func (o *Org) JoinTokens(ctx context.Context, group string) ([]JoinToken, error) {
	return db.From[JoinToken](o.scope).Where("group_id = ?", group).Order("created_at", false).Order("id", false).All(ctx)
}

// CreateJoinToken keeps a token by its hash.
func (o *Org) CreateJoinToken(ctx context.Context, t JoinToken) (JoinToken, error) {
	t.ID, t.CreatedAt = ID(), o.s.db.Now()
	return t, db.Create(ctx, o.scope, &t)
}

// JoinToken returns the token of a group with a hash.
func (o *Org) JoinToken(ctx context.Context, group, hash string) (JoinToken, error) {
	return db.From[JoinToken](o.scope).Where("group_id = ? AND hash = ?", group, hash).First(ctx)
}

// UsedJoinToken notes that a token was used.
func (o *Org) UsedJoinToken(ctx context.Context, id string) error {
	_, err := db.From[JoinToken](o.scope).Where("id = ?", id).Update(ctx, db.Changes{"last_used_at": o.s.db.Now()})
	return err
}

// RemoveJoinToken revokes a token of a group and returns what it was.
func (o *Org) RemoveJoinToken(ctx context.Context, group, id string) (JoinToken, error) {
	t, err := db.From[JoinToken](o.scope).Where("group_id = ?", group).Get(ctx, id)
	if err != nil {
		return t, err
	}
	_, err = db.From[JoinToken](o.scope).Where("id = ?", id).Delete(ctx)
	return t, err
}

// KeepJoinTokens removes the tokens of a group by a name that have none of the
// hashes.
func (o *Org) KeepJoinTokens(ctx context.Context, group, name string, hashes []string) error {
	_, err := db.From[JoinToken](o.scope).Where("group_id = ? AND name = ?", group, name).
		Where("hash NOT IN ?", append(slices.Clone(hashes), "")).Delete(ctx)
	return err
}

// The states of gateways.
const (
	Healthy = "healthy"
	Stale   = "stale"
	Lost    = "lost"
	Offline = "offline"
)

// The times after which a gateway that does not report is in another state.
const (
	StaleAfter = 25 * time.Second
	LostAfter  = 60 * time.Second
)

// State returns how a gateway is by what it said last.
func (g *Gateway) State(now time.Time) string {
	switch age := now.Sub(g.LastSeenAt); {
	case g.Stopped:
		return Offline
	case age <= StaleAfter:
		return Healthy
	case age <= LostAfter:
		return Stale
	}
	return Lost
}

// Gateways returns a page of gateways.
func (o *Org) Gateways(ctx context.Context, groups []string, state, q string, page db.PageRequest) (db.Page[Gateway], error) {
	query := db.From[Gateway](o.scope).Contains(folded(q), "search_text")
	if groups != nil {
		query = query.Where("group_id IN ?", append(slices.Clone(groups), ""))
	}
	query = inState(query, state, o.s.db.Now())
	return query.Page(ctx, page, "name", "last_seen_at", "started_at", "created_at")
}

// inState narrows to gateways that are so; "" narrows nothing.
func inState(query db.Query[Gateway], state string, now time.Time) db.Query[Gateway] {
	switch state {
	case Healthy:
		return query.Where("stopped = ? AND last_seen_at >= ?", false, now.Add(-StaleAfter))
	case Stale:
		return query.Where("stopped = ? AND last_seen_at < ? AND last_seen_at >= ?", false, now.Add(-StaleAfter), now.Add(-LostAfter))
	case Lost:
		return query.Where("stopped = ? AND last_seen_at < ?", false, now.Add(-LostAfter))
	case Offline:
		return query.Where("stopped = ?", true)
	}
	return query
}

// GatewayCounts returns how many gateways groups have, by state and group.
func (o *Org) GatewayCounts(ctx context.Context, groups []string) (map[string]map[string]int64, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	out, now := map[string]map[string]int64{}, o.s.db.Now()
	for _, state := range []string{Healthy, Stale, Lost, Offline} {
		var rows []counted
		query := inState(db.From[Gateway](o.scope).Where("group_id IN ?", groups), state, now)
		if err := query.Aggregate(ctx, &rows, "group_id AS ident, COUNT(*) AS n", "group_id"); err != nil {
			return nil, err
		}
		out[state] = counts(rows)
	}
	return out, nil
}

// GatewaysOf returns all gateways of groups.
func (o *Org) GatewaysOf(ctx context.Context, groups ...string) ([]Gateway, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	return db.From[Gateway](o.scope).Where("group_id IN ?", groups).Order("name", false).All(ctx)
}

// Gateway returns a gateway.
func (o *Org) Gateway(ctx context.Context, id string) (Gateway, error) {
	return db.From[Gateway](o.scope).Get(ctx, id)
}

// GatewayNamed returns the gateway of a group by its name.
func (o *Org) GatewayNamed(ctx context.Context, group, name string) (Gateway, error) {
	return db.From[Gateway](o.scope).Where("group_id = ? AND name = ?", group, name).First(ctx)
}

// CreateGateway takes a gateway in.
func (o *Org) CreateGateway(ctx context.Context, g *Gateway) error {
	g.ID, g.SearchText = ID(), folded(g.Name, g.Build)
	return db.Create(ctx, o.scope, g)
}

// RejoinGateway writes what a start of a known gateway says of it.
func (o *Org) RejoinGateway(ctx context.Context, g *Gateway) error {
	return o.updateGateway(ctx, g.ID, db.Changes{
		"instance": g.Instance, "build": g.Build, "listeners": g.Listeners, "started_at": g.StartedAt,
		"last_seen_at": g.LastSeenAt, "stopped": g.Stopped, "announced": g.Announced,
		"search_text": folded(g.Name, g.Build),
	})
}

// ReportGateway writes what a gateway reported.
func (o *Org) ReportGateway(ctx context.Context, g *Gateway) error {
	return o.updateGateway(ctx, g.ID, db.Changes{
		"last_seen_at": g.LastSeenAt, "stopped": g.Stopped, "announced": g.Announced, "epoch": g.Epoch,
		"applied_version": g.AppliedVersion, "apis": g.APIs, "issues": g.Issues, "in_flight": g.InFlight,
		"requests": g.Requests, "memory": g.Memory, "clock_skew_ms": g.ClockSkewMS,
	})
}

func (o *Org) updateGateway(ctx context.Context, id string, c db.Changes) error {
	n, err := db.From[Gateway](o.scope).Where("id = ?", id).Update(ctx, c)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	return err
}

// RemoveGateway forgets a gateway.
func (o *Org) RemoveGateway(ctx context.Context, id string) error {
	n, err := db.From[Gateway](o.scope).Where("id = ?", id).Delete(ctx)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	return err
}
