package api

import (
	"cmp"
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
		Id: u.ID, Version: u.Version, Name: u.Name, Email: u.Email, Status: Status(u.Status), BreakGlass: u.BreakGlass, SecondFactor: u.SecondFactor, Source: sourceOf(u.Source, nil), Roles: roles, LastSignInAt: utc(u.LastSignInAt),
		CreatedAt: u.CreatedAt.UTC(), CreatedBy: u.CreatedBy, UpdatedAt: u.UpdatedAt.UTC(),
	}
}

// rolesOf returns what each of the principals has been given and still has, by
// itself or by a group.
func (h *Handlers) rolesOf(ctx context.Context, o *store.Org, principals ...string) (map[string][]UserRole, error) {
	held, err := rights.Holdings(ctx, o, principals...)
	if err != nil {
		return nil, err
	}
	now := h.store.Now()
	out := make(map[string][]UserRole, len(principals))
	for _, p := range principals {
		out[p] = []UserRole{}
		for _, g := range held[p].Grants {
			if g.Ended(now) {
				continue
			}
			r := UserRole{Grant: g.ID, Role: g.RoleID, Name: g.Role, Project: ptr(g.Scope.Project)}
			if g.Deny {
				r.Effect = new(Deny)
			}
			if n := len(g.Via); n > 0 {
				r.Group = &g.Via[n-1].Name
			}
			out[p] = append(out[p], r)
		}
	}
	return out, nil
}

func effectOf(deny bool) Effect {
	if deny {
		return Deny
	}
	return Allow
}

// chainOf returns nil for an empty chain.
func chainOf(via []access.Group) *GroupChain {
	if len(via) == 0 {
		return nil
	}
	out := make(GroupChain, len(via))
	for i, g := range via {
		out[i] = GroupName{Id: g.ID, Name: g.Name}
	}
	return &out
}

// end returns nil for what never ends.
func end(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// impersonatorOf returns nil where nobody acts as the user.
func impersonatorOf(id, name string) *GroupName {
	if id == "" {
		return nil
	}
	return &GroupName{Id: id, Name: name}
}

func (h *Handlers) sessionsOf(rows []store.Session, current string) SessionList {
	out := SessionList{Items: make([]Session, len(rows))}
	for i, s := range rows {
		out.Items[i] = Session{
			Id: s.ID, Current: s.ID == current, Ip: ptr(s.IP), UserAgent: ptr(s.UserAgent),
			CreatedAt: s.CreatedAt.UTC(), LastUsedAt: s.LastUsedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
			Methods: factor.Methods(s.AMR).List(), AuthenticatedAt: s.Authenticated().UTC(), Impersonator: impersonatorOf(s.ImpersonatorID, s.ImpersonatorName),
			Client: h.appOf(s.Client), Parent: ptr(s.ParentID),
		}
	}
	return out
}

// appOf returns the app of a session that came of another, nil where it came of none.
func (h *Handlers) appOf(client string) *OAuthNamed {
	if client == "" {
		return nil
	}
	title := client
	if h.opt.OAuth != nil {
		title = cmp.Or(h.opt.OAuth.AppTitle(client), client)
	}
	return &OAuthNamed{Id: client, Name: title}
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
		Id: g.ID, Version: g.Version, Role: g.RoleID, RoleName: role.Name, Effect: Effect(g.Effect),
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

// invitationOf represents an invitation; groups are the names of groups by their ids.
func invitationOf(i store.Invitation, roles map[string]access.Role, groups map[string]string, now time.Time) Invitation {
	return Invitation{
		Id: i.ID, Version: i.Version, Email: i.Email, Name: ptr(i.Name), Roles: invitationRoles(i.Roles, roles), Groups: some(invitationGroups(i.GroupIDs, groups)),
		Status: InvitationStatus(i.Status(now)), ExpiresAt: i.ExpiresAt.UTC(),
		CreatedAt: i.CreatedAt.UTC(), CreatedBy: i.CreatedBy, UpdatedAt: i.UpdatedAt.UTC(),
	}
}

func invitationGroups(ids []string, names map[string]string) []GroupName {
	out := []GroupName{}
	for _, id := range ids {
		if name, ok := names[id]; ok {
			out = append(out, GroupName{Id: id, Name: name})
		}
	}
	return out
}

func serviceAccountOf(a store.ServiceAccount, roles []UserRole) ServiceAccount {
	return ServiceAccount{
		Id: a.ID, Version: a.Version, Name: a.Name, Description: ptr(a.Description), Status: Status(a.Status), Roles: roles,
		CreatedAt: a.CreatedAt.UTC(), CreatedBy: a.CreatedBy, UpdatedAt: a.UpdatedAt.UTC(),
	}
}

func serviceTokenOf(k store.ServiceToken) ServiceToken {
	return ServiceToken{
		Id: k.ID, Name: k.Name, Hint: k.Hint, ExpiresAt: utc(k.ExpiresAt), LastUsedAt: utc(k.LastUsedAt), LastUsedFrom: ptr(k.LastUsedFrom),
		Permissions: patternsOf(k.Token), Project: ptr(k.ProjectID), Environment: ptr(k.EnvironmentID),
		CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy,
	}
}

func personalTokenOf(k store.PersonalToken, p store.SecurityPolicy) PersonalToken {
	return PersonalToken{
		Id: k.ID, Name: k.Name, Hint: k.Hint, ExpiresAt: k.Ends(p).UTC(), LastUsedAt: utc(k.LastUsedAt), LastUsedFrom: ptr(k.LastUsedFrom),
		Permissions: patternsOf(k.Token), Project: ptr(k.ProjectID), Environment: ptr(k.EnvironmentID), CreatedAt: k.CreatedAt.UTC(),
	}
}

// patternsOf returns what a token is made for, never nil.
func patternsOf(k store.Token) []string { return append([]string{}, k.Permissions...) }

func groupOf(g store.Group, members int64) Group {
	return Group{
		Id: g.ID, Version: g.Version, Name: g.Name, Description: ptr(g.Description), Members: members, Nested: g.Parents > 0,
		CreatedAt: g.CreatedAt.UTC(), CreatedBy: g.CreatedBy, UpdatedAt: g.UpdatedAt.UTC(),
	}
}

func boundaryOf(b store.Boundary, role, principalName string) Boundary {
	return Boundary{
		Principal: Principal{Kind: PrincipalKind(b.PrincipalKind), Id: b.PrincipalID, Name: principalName}, Role: b.RoleID, RoleName: role, Version: b.Version,
		CreatedAt: b.CreatedAt.UTC(), CreatedBy: b.CreatedBy, UpdatedAt: b.UpdatedAt.UTC(),
	}
}

func accessRequestOf(r store.AccessRequest, role string, names map[string]string) AccessRequest {
	return AccessRequest{
		Id: r.ID, Version: r.Version, Principal: Principal{Kind: PrincipalKind(r.PrincipalKind), Id: r.PrincipalID, Name: names[r.PrincipalID]},
		Role: r.RoleID, RoleName: role, Project: ptr(r.ProjectID), Api: ptr(r.APIID), Environment: ptr(r.EnvironmentID),
		Reason: r.Reason, Minutes: ptr(r.Minutes), Status: AccessRequestStatus(r.Status), DecidedBy: ptr(r.DecidedBy),
		DecidedByName: ptr(names[r.DecidedBy]), DecidedAt: utc(r.DecidedAt), Note: ptr(r.Note), Grant: ptr(r.GrantID),
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

func auditOf(e audit.Entry) AuditEntry {
	out := AuditEntry{
		Id: e.ID, Sequence: e.Sequence, Service: e.Service, Action: e.Action, Outcome: Outcome(e.Outcome),
		Actor:   AuditActor{Kind: e.Actor.Kind, Id: ptr(e.Actor.ID), Name: ptr(e.Actor.Name), Token: ptr(e.Actor.Token), TokenName: ptr(e.Actor.TokenName), Impersonator: ptr(e.Actor.Impersonator), ImpersonatorName: ptr(e.Actor.ImpersonatorName)},
		Target:  AuditTarget{Kind: e.Target.Kind, Id: e.Target.ID, Name: ptr(e.Target.Name), Project: ptr(e.Target.Project)},
		Changes: make([]AuditChange, len(e.Changes)), RequestId: ptr(e.RequestID), Ip: ptr(e.IP), Time: e.Time.UTC(),
		Hash: e.Hash, PreviousHash: e.PreviousHash,
	}
	if e.Via != "" {
		out.Via = ptr(AuditVia(e.Via))
	}
	for i, c := range e.Changes {
		out.Changes[i] = AuditChange{Field: c.Field, Before: ptr(c.Before), After: ptr(c.After)}
	}
	return out
}
