package api

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func organizationName(o store.Organization) OrganizationName {
	return OrganizationName{Id: o.ID, Slug: o.Slug, Name: o.Name}
}

func organizationOf(o store.Organization) Organization {
	return Organization{
		Id: o.ID, Version: o.Version, Slug: o.Slug, Name: o.Name,
		CreatedAt: o.CreatedAt.UTC(), CreatedBy: o.CreatedBy, UpdatedAt: o.UpdatedAt.UTC(),
	}
}

func userName(u store.User) UserName { return UserName{Id: u.ID, Name: u.Name, Email: u.Email} }

func userOf(u store.User, roles []UserRole) User {
	return User{
		Id: u.ID, Version: u.Version, Name: u.Name, Email: u.Email, Status: Status(u.Status), Roles: roles, LastSignInAt: utc(u.LastSignInAt),
		CreatedAt: u.CreatedAt.UTC(), CreatedBy: u.CreatedBy, UpdatedAt: u.UpdatedAt.UTC(),
	}
}

// rolesOf returns what each of the principals has been given and still has.
func (h *Handlers) rolesOf(ctx context.Context, o *store.Org, principals ...string) (map[string][]UserRole, error) {
	grants, err := o.GrantsOf(ctx, principals...)
	if err != nil {
		return nil, err
	}
	roles, err := rights.Roles(ctx, o)
	if err != nil {
		return nil, err
	}
	now := h.store.Now()
	out := make(map[string][]UserRole, len(principals))
	for _, p := range principals {
		out[p] = []UserRole{}
	}
	for _, g := range grants {
		if r, ok := roles[g.RoleID]; ok && (g.ExpiresAt == nil || now.Before(*g.ExpiresAt)) {
			out[g.PrincipalID] = append(out[g.PrincipalID], UserRole{Grant: g.ID, Role: r.ID, Name: r.Name, Project: ptr(g.ProjectID)})
		}
	}
	return out, nil
}

func sessionsOf(rows []store.Session, current string) SessionList {
	out := SessionList{Items: make([]Session, len(rows))}
	for i, s := range rows {
		out.Items[i] = Session{
			Id: s.ID, Current: s.ID == current, Ip: ptr(s.IP), UserAgent: ptr(s.UserAgent),
			CreatedAt: s.CreatedAt.UTC(), LastUsedAt: s.LastUsedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
			Methods: factor.Methods(s.AMR).List(), AuthenticatedAt: s.Authenticated().UTC(),
		}
	}
	return out
}

func builtInRole(r access.Role) Role {
	return Role{Id: r.ID, Version: 1, Name: r.Name, Title: r.Title, Description: ptr(r.Description), BuiltIn: true, Permissions: r.Permissions}
}

func roleOf(r store.Role) Role {
	return Role{
		Id: r.ID, Version: r.Version, Name: r.Name, Title: r.Title, Description: ptr(r.Description), Permissions: r.Permissions,
		CreatedAt: r.CreatedAt.UTC(), CreatedBy: r.CreatedBy, UpdatedAt: r.UpdatedAt.UTC(),
	}
}

func grantOf(g store.Grant, role access.Role, principalName string) Grant {
	return Grant{
		Id: g.ID, Version: g.Version, Role: g.RoleID, RoleName: role.Name,
		Principal: Principal{Kind: PrincipalKind(g.PrincipalKind), Id: g.PrincipalID, Name: principalName},
		Project:   ptr(g.ProjectID), Api: ptr(g.APIID), Environment: ptr(g.EnvironmentID), ExpiresAt: utc(g.ExpiresAt),
		CreatedAt: g.CreatedAt.UTC(), CreatedBy: g.CreatedBy, UpdatedAt: g.UpdatedAt.UTC(),
	}
}

func invitationRoles(rows []store.InvitedRole, roles map[string]access.Role) []InvitationRole {
	out := []InvitationRole{}
	for _, r := range rows {
		if known, ok := roles[r.Role]; ok {
			out = append(out, InvitationRole{Role: known.ID, Name: known.Name, Project: ptr(r.Project)})
		}
	}
	return out
}

func invitationOf(i store.Invitation, roles map[string]access.Role, now time.Time) Invitation {
	return Invitation{
		Id: i.ID, Version: i.Version, Email: i.Email, Name: ptr(i.Name), Roles: invitationRoles(i.Roles, roles),
		Status: InvitationStatus(i.Status(now)), ExpiresAt: i.ExpiresAt.UTC(),
		CreatedAt: i.CreatedAt.UTC(), CreatedBy: i.CreatedBy, UpdatedAt: i.UpdatedAt.UTC(),
	}
}

func serviceAccountOf(a store.ServiceAccount, roles []UserRole) ServiceAccount {
	return ServiceAccount{
		Id: a.ID, Version: a.Version, Name: a.Name, Description: ptr(a.Description), Status: Status(a.Status), Roles: roles,
		CreatedAt: a.CreatedAt.UTC(), CreatedBy: a.CreatedBy, UpdatedAt: a.UpdatedAt.UTC(),
	}
}

func serviceTokenOf(k store.ServiceToken) ServiceToken {
	return ServiceToken{
		Id: k.ID, Name: k.Name, Hint: k.Hint, ExpiresAt: utc(k.ExpiresAt), LastUsedAt: utc(k.LastUsedAt),
		CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy,
	}
}

func auditOf(e audit.Entry) AuditEntry {
	out := AuditEntry{
		Id: e.ID, Sequence: e.Sequence, Service: e.Service, Action: e.Action, Outcome: Outcome(e.Outcome),
		Actor:   AuditActor{Kind: e.Actor.Kind, Id: ptr(e.Actor.ID), Name: ptr(e.Actor.Name)},
		Target:  AuditTarget{Kind: e.Target.Kind, Id: e.Target.ID, Name: ptr(e.Target.Name), Project: ptr(e.Target.Project)},
		Changes: make([]AuditChange, len(e.Changes)), RequestId: ptr(e.RequestID), Ip: ptr(e.IP), Time: e.Time.UTC(),
		Hash: e.Hash, PreviousHash: e.PreviousHash,
	}
	for i, c := range e.Changes {
		out.Changes[i] = AuditChange{Field: c.Field, Before: ptr(c.Before), After: ptr(c.After)}
	}
	return out
}
