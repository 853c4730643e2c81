package store

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
)

// Deploy is a deployment to be made.
type Deploy struct {
	API         *API
	Environment string // id
	// Revision 0 takes the API out.
	Revision int64
	// Was is the revision that must be there now, [db.AnyVersion] for any.
	Was int64
	// Routes are those of the revision; Hash is that of its unit.
	Routes  []revision.Route
	Hash    unit.Hash
	Message string
	By      string
}

// Deploy notes what is to be served in an environment and has its groups
// published. It must be in a transaction. The error is a problem where another
// API has a route already, or where no group would serve it.
func (o *Org) Deploy(ctx context.Context, in Deploy) (Deployment, []Group, error) {
	// The lock has deployments to an environment come one after the other.
	env, err := db.From[Environment](o.scope).Lock().Get(ctx, in.Environment)
	if err != nil {
		return Deployment{}, nil, err
	}
	all, err := o.GroupsOf(ctx, env.ID)
	if err != nil {
		return Deployment{}, nil, err
	}
	groups := slices.DeleteFunc(slices.Clone(all), func(g Group) bool { return !g.Serves(in.API.ProjectID) })
	if len(groups) == 0 && in.Revision > 0 {
		return Deployment{}, nil, problem.New(problem.CodeConflict, "no gateway group of %s serves the API's project: make one, or bind one to the project", env.Name)
	}
	if in.Revision > 0 {
		if err := o.free(ctx, env, groups, in); err != nil {
			return Deployment{}, nil, err
		}
	}
	d := Deployment{
		ID: ID(), APIID: in.API.ID, APIName: in.API.Name, ProjectID: in.API.ProjectID, EnvironmentID: env.ID, EnvironmentName: env.Name,
		Action: ActionDeploy, Revision: in.Revision, State: Publishing, Message: in.Message, CreatedAt: o.s.db.Now(), CreatedBy: in.By,
	}
	if err := o.replace(ctx, env, &d, in); err != nil {
		return Deployment{}, nil, err
	}
	ids := make([]string, len(groups))
	for i := range groups {
		ids[i] = groups[i].ID
	}
	if err := o.Want(ctx, ids...); err != nil {
		return Deployment{}, nil, err
	}
	if err := db.Create(ctx, o.scope, &d); err != nil {
		return Deployment{}, nil, err
	}
	if len(ids) == 0 {
		return d, nil, nil
	}
	// As they are now: another may have wanted them since they were read.
	groups, err = db.From[Group](o.scope).Where("id IN ?", ids).Order("slug", false).All(ctx)
	if err != nil {
		return Deployment{}, nil, err
	}
	for _, g := range groups {
		if err := db.Create(ctx, o.scope, &DeploymentGroup{ID: ID(), DeploymentID: d.ID, GroupID: g.ID, Wanted: g.Wanted}); err != nil {
			return Deployment{}, nil, err
		}
	}
	return d, groups, nil
}

// free makes sure that no other API has the routes in one of the groups.
func (o *Org) free(ctx context.Context, env Environment, groups []Group, in Deploy) error {
	hashes := make([]string, len(in.Routes))
	for i, r := range in.Routes {
		hashes[i] = routeHash(r)
	}
	taken, err := db.From[Route](o.scope).Where("environment_id = ? AND route_hash IN ? AND api_id <> ?", env.ID, hashes, in.API.ID).All(ctx)
	if err != nil {
		return err
	}
	for _, t := range taken {
		for i := range groups {
			if !groups[i].Serves(t.ProjectID) {
				continue
			}
			other, err := o.API(ctx, t.APIID)
			if err != nil {
				return err
			}
			r := revision.Route{Host: t.Host, BasePath: t.BasePath}
			return problem.New(problem.CodeConflict, "the API %q is deployed to %s at %s already: give one of them another base path or host", other.Name, env.Name, r)
		}
	}
	return nil
}

func routeHash(r revision.Route) string {
	return string(unit.HashOf([]byte(r.Host + "\x00" + r.BasePath)))
}

// replace puts the deployment into the place of the one before.
func (o *Org) replace(ctx context.Context, env Environment, d *Deployment, in Deploy) error {
	if _, err := db.From[Environment](o.scope).Where("id = ?", env.ID).Update(ctx, db.Changes{"sequence": env.Sequence + 1}); err != nil {
		return err
	}
	here := db.From[Deployed](o.scope).Where("environment_id = ? AND api_id = ?", env.ID, in.API.ID)
	rows, err := here.All(ctx)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		d.PreviousRevision = rows[0].Revision
	}
	if in.Revision == 0 {
		if d.PreviousRevision == 0 {
			return problem.New(problem.CodeConflict, "the API is not deployed to %s", env.Name)
		}
		if err := db.Expect(d.PreviousRevision, in.Was); err != nil {
			return err
		}
		d.Action, d.Revision = ActionUndeploy, d.PreviousRevision
	}
	now := o.s.db.Now()
	if len(rows) == 0 {
		err = db.Create(ctx, o.scope, &Deployed{
			ID: ID(), EnvironmentID: env.ID, APIID: in.API.ID, ProjectID: in.API.ProjectID, Revision: in.Revision, DeploymentID: d.ID,
			EnvironmentName: env.Name, UnitHash: string(in.Hash), Sequence: env.Sequence + 1, UpdatedAt: now,
		})
	} else {
		_, err = here.Update(ctx, db.Changes{
			"revision": in.Revision, "deployment_id": d.ID, "environment_name": env.Name, "unit_hash": string(in.Hash),
			"project_id": in.API.ProjectID, "sequence": env.Sequence + 1, "updated_at": now,
		})
	}
	if err != nil {
		return err
	}
	if err := o.routes(ctx, env, in); err != nil {
		return err
	}
	if change := deployedChange(d.PreviousRevision, in.Revision); change != 0 {
		if _, err := db.From[API](o.scope).Where("id = ?", in.API.ID).Update(ctx, db.Changes{"deployed_count": db.Increment(change)}); err != nil {
			return err
		}
	}
	_, err = db.From[Deployment](o.scope).Where("api_id = ? AND environment_id = ? AND state <> ?", in.API.ID, env.ID, Superseded).
		Update(ctx, db.Changes{"state": Superseded})
	return err
}

func deployedChange(before, after int64) int64 {
	switch {
	case before == 0 && after > 0:
		return 1
	case before > 0 && after == 0:
		return -1
	}
	return 0
}

func (o *Org) routes(ctx context.Context, env Environment, in Deploy) error {
	if _, err := db.From[Route](o.scope).Where("environment_id = ? AND api_id = ?", env.ID, in.API.ID).Delete(ctx); err != nil {
		return err
	}
	if in.Revision == 0 {
		return nil
	}
	for _, r := range in.Routes {
		row := Route{ID: ID(), EnvironmentID: env.ID, APIID: in.API.ID, ProjectID: in.API.ProjectID, Host: r.Host, BasePath: r.BasePath, RouteHash: routeHash(r)}
		if err := db.Create(ctx, o.scope, &row); err != nil {
			return err
		}
	}
	return nil
}

// Overlap returns a route that two APIs would have in a group that serves the
// projects, "" = there is none.
func (o *Org) Overlap(ctx context.Context, g *Group) (string, error) {
	rows, err := db.From[Route](o.scope).Where("environment_id = ?", g.EnvironmentID).All(ctx)
	if err != nil {
		return "", err
	}
	seen := map[string]string{}
	for _, r := range rows {
		if !g.Serves(r.ProjectID) {
			continue
		}
		if api, dup := seen[r.RouteHash]; dup && api != r.APIID {
			return revision.Route{Host: r.Host, BasePath: r.BasePath}.String(), nil
		}
		seen[r.RouteHash] = r.APIID
	}
	return "", nil
}

// DeploymentFilter narrows a list of deployments.
type DeploymentFilter struct {
	See                     Scopes
	API, Environment, State string
}

// Deployments returns a page of deployments, newest first.
func (o *Org) Deployments(ctx context.Context, f DeploymentFilter, page db.PageRequest) (db.Page[Deployment], error) {
	page.Sort, page.Descending = "created_at", true
	query := db.From[Deployment](o.scope)
	if f.See.empty() {
		query = query.Where(none)
	} else if !f.See.All {
		query = query.Where("project_id IN ? OR api_id IN ?", append(f.See.Projects, ""), append(f.See.APIs, ""))
	}
	query = except(query, f.See, "api_id")
	if len(f.See.NotEnvironments) > 0 {
		all, err := o.AllEnvironments(ctx)
		if err != nil {
			return db.Page[Deployment]{}, err
		}
		in := []string{""}
		for _, e := range all {
			if !slices.Contains(f.See.NotEnvironments, e.ID) && !slices.Contains(f.See.NotEnvironments, e.Slug) {
				in = append(in, e.ID)
			}
		}
		query = query.Where("environment_id IN ?", in)
	}
	for _, by := range [][2]string{{"api_id", f.API}, {"environment_id", f.Environment}, {"state", f.State}} {
		if by[1] != "" {
			query = query.Where(by[0]+" = ?", by[1])
		}
	}
	return query.Page(ctx, page, "created_at")
}

// Deployment returns a deployment.
func (o *Org) Deployment(ctx context.Context, id string) (Deployment, error) {
	return db.From[Deployment](o.scope).Get(ctx, id)
}

// DeploymentsByID returns those that there are.
func (o *Org) DeploymentsByID(ctx context.Context, ids []string) ([]Deployment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[Deployment](o.scope).Where("id IN ?", ids).All(ctx)
}

// DeploymentGroups returns where deployments went to.
func (o *Org) DeploymentGroups(ctx context.Context, deployments ...string) ([]DeploymentGroup, error) {
	if len(deployments) == 0 {
		return nil, nil
	}
	return db.From[DeploymentGroup](o.scope).Where("deployment_id IN ?", deployments).All(ctx)
}

// DeployedAPIs returns what is deployed of APIs, in all environments; none = of
// all.
func (o *Org) DeployedAPIs(ctx context.Context, apis ...string) ([]Deployed, error) {
	query := db.From[Deployed](o.scope).Where("revision > 0")
	if len(apis) > 0 {
		query = query.Where("api_id IN ?", apis)
	}
	return query.All(ctx)
}

// DeployedIn returns what is deployed of an API in an environment.
func (o *Org) DeployedIn(ctx context.Context, api, environment string) (Deployed, error) {
	return db.From[Deployed](o.scope).Where("api_id = ? AND environment_id = ? AND revision > 0", api, environment).First(ctx)
}

// DeployedCounts returns how many APIs of which project are deployed in
// environments: by environment, a tab, and project.
func (o *Org) DeployedCounts(ctx context.Context, environments []string) (map[string]map[string]int64, error) {
	if len(environments) == 0 {
		return nil, nil
	}
	var rows []struct {
		EnvironmentID, ProjectID string
		N                        int64
	}
	err := db.From[Deployed](o.scope.Stale()).Where("environment_id IN ? AND revision > 0", environments).
		Aggregate(ctx, &rows, "environment_id, project_id, COUNT(*) AS n", "environment_id, project_id")
	out := map[string]map[string]int64{}
	for _, r := range rows {
		if out[r.EnvironmentID] == nil {
			out[r.EnvironmentID] = map[string]int64{}
		}
		out[r.EnvironmentID][r.ProjectID] = r.N
	}
	return out, err
}

// Open returns the deployments to an environment that are not at their end.
func (o *Org) Open(ctx context.Context, environment string) ([]Deployment, error) {
	return db.From[Deployment](o.scope).Where("environment_id = ? AND state IN ?", environment, []string{Publishing, Applying, Failed}).All(ctx)
}

// SetState notes how a deployment went on. It says whether it was not so already.
func (o *Org) SetState(ctx context.Context, d *Deployment, state, why string) (bool, error) {
	why = cut(why, 1000)
	if d.State == state && d.Problem == why {
		return false, nil
	}
	change := db.Changes{"state": state, "problem": why}
	if state == Live {
		change["live_at"] = o.s.db.Now()
	}
	n, err := db.From[Deployment](o.scope).Where("id = ? AND state <> ?", d.ID, Superseded).Update(ctx, change)
	return n > 0, err
}

// cut shortens a text to a number of characters of a column.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// RoutesOf returns the routes of what is deployed of APIs, by environment and API
// with a space between.
func (o *Org) RoutesOf(ctx context.Context, apis []string) (map[string][]revision.Route, error) {
	rows, err := db.From[Route](o.scope).Where("api_id IN ?", apis).Order("host", false).All(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]revision.Route{}
	for _, r := range rows {
		key := r.EnvironmentID + " " + r.APIID
		out[key] = append(out[key], revision.Route{Host: r.Host, BasePath: r.BasePath})
	}
	return out, nil
}
