package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Roles returns the custom roles by name.
func (o *Org) Roles(ctx context.Context) ([]Role, error) {
	return db.From[Role](o.scope).Order("name", false).All(ctx)
}

// RolesCalled returns the custom roles that have one of the ids or names.
func (o *Org) RolesCalled(ctx context.Context, called []string) ([]Role, error) {
	return db.From[Role](o.scope).Where("id IN ? OR name IN ?", called, called).All(ctx)
}

// RolePage returns a page of the custom roles, by name.
func (o *Org) RolePage(ctx context.Context, p db.PageRequest) (db.Page[Role], error) {
	return db.From[Role](o.scope).Page(ctx, p, "name")
}

// Role returns a custom role by its id.
func (o *Org) Role(ctx context.Context, id string) (Role, error) {
	return db.From[Role](o.scope).Get(ctx, id)
}

// LockRole is as [Org.Role], and keeps others waiting until the transaction
// ends.
func (t *Tx) LockRole(ctx context.Context, id string) (Role, error) {
	return db.From[Role](t.scope).Lock().Get(ctx, id)
}

// RoleByName returns a custom role by its name.
func (o *Org) RoleByName(ctx context.Context, name string) (Role, error) {
	return db.From[Role](o.scope).Where("name = ?", name).First(ctx)
}

// CreateRole makes a custom role. The error is [db.ErrDuplicate] where the name
// is taken.
func (t *Tx) CreateRole(ctx context.Context, r *Role) error {
	r.Stored = t.stored()
	return db.Create(ctx, t.scope, r)
}

// SaveRole writes a custom role, if the row has the version that is in r.
func (t *Tx) SaveRole(ctx context.Context, r *Role) error {
	return db.Save(ctx, t.scope, r, "title", "description", "permissions")
}

// DeleteRole deletes a custom role of a version.
func (t *Tx) DeleteRole(ctx context.Context, id string, version int64) error {
	return db.Remove[Role](ctx, t.scope, id, version)
}

// RoleUses counts the grants of a role, and the boundaries that it is.
func (o *Org) RoleUses(ctx context.Context, id string) (int64, error) {
	grants, err := db.From[Grant](o.scope).Where("role_id = ?", id).Count(ctx)
	if err != nil {
		return 0, err
	}
	boundaries, err := db.From[Boundary](o.scope).Where("role_id = ?", id).Count(ctx)
	return grants + boundaries, err
}

// GrantsOf returns what the principals have been given, ended ones too.
func (o *Org) GrantsOf(ctx context.Context, principals ...string) ([]Grant, error) {
	if len(principals) == 0 {
		return nil, nil
	}
	rows, err := db.From[Grant](o.scope).Where("principal_id IN ?", principals).All(ctx)
	// Sorted here: a database that knows nothing of its rows yet would rather read
	// all grants in this order than find these.
	slices.SortFunc(rows, func(a, b Grant) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return rows, err
}

// GrantFilter narrows a list of grants, by ids; "" = any.
type GrantFilter struct {
	Principal, Role, Project, API, Environment, Effect string
	// Standing are those that allow in the whole organization and never end.
	Standing bool
}

// Grants returns a page of grants, by creation.
func (o *Org) Grants(ctx context.Context, f GrantFilter, p db.PageRequest) (db.Page[Grant], error) {
	q := db.From[Grant](o.scope)
	for _, c := range [...]struct{ condition, value string }{
		{"principal_id = ?", f.Principal},
		{"role_id = ?", f.Role},
		{"project_id = ?", f.Project},
		{"api_id = ?", f.API},
		{"environment_id = ?", f.Environment},
		{"effect = ?", f.Effect},
	} {
		if c.value != "" {
			q = q.Where(c.condition, c.value)
		}
	}
	if f.Standing {
		q = everywhere(q).Where("expires_at IS NULL")
	}
	return q.Page(ctx, p, "created_at")
}

// Grant returns a grant.
func (o *Org) Grant(ctx context.Context, id string) (Grant, error) {
	return db.From[Grant](o.scope).Get(ctx, id)
}

// GrantsWith returns the grants of some roles that allow.
func (o *Org) GrantsWith(ctx context.Context, roles []string) ([]Grant, error) {
	if len(roles) == 0 {
		return nil, nil
	}
	return db.From[Grant](o.scope).Where("role_id IN ? AND effect = ?", roles, Allow).All(ctx)
}

// fewRoles is up to how many roles are found one by one: each is a look into an index,
// whatever the number of grants.
const fewRoles = 32

// RolesGiven returns the ids of the roles that are in grants, ended ones and those that
// deny too.
func (o *Org) RolesGiven(ctx context.Context) (ids []string, err error) {
	last := ""
	for range fewRoles {
		var next []string
		if err := db.From[Grant](o.scope).Where("role_id > ?", last).Order("role_id", false).Limit(1).Aggregate(ctx, &next, "role_id", ""); err != nil || len(next) == 0 {
			return ids, err
		}
		last = next[0]
		ids = append(ids, last)
	}
	var more []string
	err = db.From[Grant](o.scope).Where("role_id > ?", last).Aggregate(ctx, &more, "role_id", "role_id")
	return append(ids, more...), err
}

// CreateGrant gives or denies a role, and tells everybody. One of the same that has ended
// makes room; the error is [db.ErrDuplicate] where one lasts.
func (t *Tx) CreateGrant(ctx context.Context, g *Grant) error {
	g.Effect = cmp.Or(g.Effect, Allow)
	_, err := db.From[Grant](t.scope).Where("effect = ?", g.Effect).
		Where("principal_id = ? AND role_id = ? AND project_id = ? AND api_id = ? AND environment_id = ?", g.PrincipalID, g.RoleID, g.ProjectID, g.APIID, g.EnvironmentID).
		Where("expires_at <= ?", t.store.Now()).Delete(ctx)
	if err != nil {
		return err
	}
	g.Stored = t.stored()
	if err := db.Create(ctx, t.scope, g); err != nil {
		return err
	}
	return t.PrincipalChanged(ctx, g.PrincipalKind, g.PrincipalID)
}

// DeleteGrant takes a role away, and tells everybody.
func (t *Tx) DeleteGrant(ctx context.Context, g Grant, version int64) error {
	if err := db.Remove[Grant](ctx, t.scope, g.ID, version); err != nil {
		return err
	}
	return t.PrincipalChanged(ctx, g.PrincipalKind, g.PrincipalID)
}
