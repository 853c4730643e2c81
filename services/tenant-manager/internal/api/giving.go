package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// giving is what a caller can give to those whom they invite. It is asked for once,
// and then says so of many.
type giving struct {
	h     *Handlers
	org   *store.Org
	held  access.Holding
	roles map[string]access.Role
	// said are answers that were given: nil, or a problem.
	said map[string]error
	// groups are groups that were looked up, by what they were called.
	groups map[string]store.Group
}

func (h *Handlers) giving(ctx context.Context, org *store.Org) (*giving, error) {
	held, err := h.held(ctx, org)
	if err != nil {
		return nil, err
	}
	roles, err := rights.Roles(ctx, org)
	return &giving{h: h, org: org, held: held, roles: roles, said: map[string]error{}, groups: map[string]store.Group{}}, err
}

// role returns the role that is called by its id or name, where the caller can give
// it in the project. The error is a problem of the field.
func (g *giving) role(in InvitedRole, pointer string) (store.InvitedRole, error) {
	role, ok := findRole(g.roles, in.Role)
	if !ok {
		return store.InvitedRole{}, invalid(pointer, "reference", "there is no role %q: see /roles", in.Role)
	}
	out := store.InvitedRole{Role: role.ID, Project: deref(in.Project)}
	key := "role " + out.Role + " " + out.Project
	err, asked := g.said[key]
	if !asked {
		err = g.hands(role.Permissions, access.Scope{Project: out.Project})
		g.said[key] = err
	}
	return out, err
}

func (g *giving) hands(permissions []string, scope access.Scope) error {
	if missing := access.Missing(g.held, permissions, scope, noEnd, g.h.store.Now()); missing != "" {
		return problem.New(problem.CodeAccessDenied,
			"nobody can hand on what they do not have: this needs %s in %s; ask somebody who has it", missing, scope)
	}
	return nil
}

// rolesAsked finds the roles of an invitation.
func (g *giving) rolesAsked(in []InvitedRole) ([]store.InvitedRole, error) {
	out := []store.InvitedRole{}
	for i, r := range in {
		role, err := g.role(r, fmt.Sprintf("/roles/%d/role", i))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	return out, nil
}

// group returns the group that is called by its id or name, where the caller can
// put people into it: who gets what it gives is theirs to say, and it is not a
// directory's.
func (g *giving) group(ctx context.Context, called, pointer string) (store.Group, error) {
	key := "group " + called
	if err, asked := g.said[key]; asked {
		return g.groups[called], err
	}
	group, err := g.org.GroupCalled(ctx, called)
	if store.IsNotFound(err) {
		return group, invalid(pointer, "reference", "there is no group %q: see /groups", called)
	}
	if err != nil {
		return group, err
	}
	err = g.opens(ctx, group)
	if err != nil && !isRefusal(err) {
		return group, err
	}
	g.said[key], g.groups[called] = err, group
	return group, err
}

func (g *giving) opens(ctx context.Context, group store.Group) error {
	if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
		return err
	}
	kept, err := g.org.ProvisionedBy(ctx, group.ID)
	if err != nil {
		return err
	}
	if d, ok := kept[group.ID]; ok {
		return problem.New(problem.CodeConflict, "the directory %s says who is in %s: change it at the identity provider", d.Name, group.Name)
	}
	if err := mayBind(ctx, g.org, group); err != nil {
		return err
	}
	gives, err := rights.Of(ctx, g.org, group.ID)
	if err != nil {
		return err
	}
	now := g.h.store.Now()
	for _, grant := range gives.Grants {
		if grant.Deny || grant.Ended(now) {
			continue
		}
		if missing := access.Missing(g.held, grant.Permissions, grant.Scope, grant.ExpiresAt, now); missing != "" {
			return problem.New(problem.CodeAccessDenied,
				"nobody can hand on what they do not have: the group %s gives %s in %s; ask somebody who has it", group.Name, missing, grant.Scope)
		}
	}
	return nil
}

// groupsAsked finds the groups of an invitation, and returns their ids.
func (g *giving) groupsAsked(ctx context.Context, in []string) ([]string, error) {
	var out []string
	for i, called := range in {
		group, err := g.group(ctx, called, fmt.Sprintf("/groups/%d", i))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, group.ID) {
			out = append(out, group.ID)
		}
	}
	return out, nil
}

// isRefusal reports whether an error says that something cannot be done, and not
// that something is wrong here.
func isRefusal(err error) bool {
	var p *problem.Problem
	return errors.As(err, &p) && p.Status < http.StatusInternalServerError && p.Status != http.StatusUnauthorized
}
