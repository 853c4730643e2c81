package api

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// mostPreviewed bounds the people whom a preview looks at, those who signed in
	// last; firstAffected and lastSignIns bound those whom it names.
	mostPreviewed = 10_000
	firstAffected = 20
	lastSignIns   = 5
	// testsLookedAt is among how many tests of the caller that of the connection is
	// looked for.
	testsLookedAt = 10
)

// PreviewSsoGroupRoles says what roles of groups would change. It decides by the same
// functions as a sign-in does, and writes nothing.
func (h *Handlers) PreviewSsoGroupRoles(ctx context.Context, r PreviewSsoGroupRolesRequestObject) (PreviewSsoGroupRolesResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return nil, err
	}
	p := &rolePreview{h: h, org: h.mine(ctx), names: authn.Require(ctx, "user:read", authn.Scope{}) == nil, now: h.store.Now()}
	if r.Body.Connection != nil {
		var err error
		if p.before, err = p.org.SSOConnection(ctx, *r.Body.Connection); err != nil {
			return nil, err
		}
	}
	p.after = p.before
	if r.Body.GroupsClaim != nil {
		p.after.GroupsClaim = *r.Body.GroupsClaim
	}
	in := SsoConnectionInput{GroupRoles: &r.Body.GroupRoles, Roles: r.Body.Roles}
	// What could not be saved is refused here as it is there.
	if err := h.change(ctx, func(tx *store.Tx) error { return h.readConnectionRoles(ctx, tx, in, &p.after) }); err != nil {
		return nil, err
	}
	var err error
	if p.roles, err = rights.Roles(ctx, p.org); err != nil {
		return nil, err
	}
	out, err := p.run(ctx, deref(r.Body.Groups))
	return PreviewSsoGroupRoles200JSONResponse(out), err
}

// rolePreview is one preview of roles of groups.
type rolePreview struct {
	h             *Handlers
	org           *store.Org
	before, after store.SSOConnection
	roles         map[string]access.Role
	// names is whether the caller may see who users are.
	names bool
	now   time.Time
}

func (p *rolePreview) run(ctx context.Context, groups []string) (SsoGroupRolePreview, error) {
	out := SsoGroupRolePreview{
		Samples: []SsoGroupRoleSample{}, Changes: []SsoGroupRoleCount{}, First: []SsoGroupRoleSample{}, Unmatched: []string{},
	}
	if len(groups) > 0 {
		was, will := p.rolesOf(p.before, groups), p.rolesOf(p.after, groups)
		out.Samples = append(out.Samples, p.compared(SsoGroupRoleSampleSourceGroups, groups, was, will))
	}
	if p.before.ID == "" {
		return out, nil
	}
	test, err := p.test(ctx)
	if err != nil {
		return out, err
	}
	if test != nil {
		out.Samples = append(out.Samples, *test)
	}
	if out.People, err = p.org.CountSSOIdentities(ctx, p.before.ID); err != nil {
		return out, err
	}
	err = p.people(ctx, &out)
	return out, err
}

// rolesOf returns the roles that a connection gives for groups, those that exist.
func (p *rolePreview) rolesOf(c store.SSOConnection, groups []string) []string {
	roles := groupRolesOf(c, groups)
	return slices.DeleteFunc(roles, func(id string) bool { _, ok := p.roles[id]; return !ok })
}

// compared is the sample of groups that gave some roles, and will give others.
func (p *rolePreview) compared(source SsoGroupRoleSampleSource, groups, was, will []string) SsoGroupRoleSample {
	only := func(some, others []string) []string {
		return slices.DeleteFunc(slices.Clone(some), func(id string) bool { return slices.Contains(others, id) })
	}
	gained, lost := only(will, was), only(was, will)
	return p.sample(source, groups, gained, lost, only(will, gained))
}

func (p *rolePreview) sample(source SsoGroupRoleSampleSource, groups, gained, lost, kept []string) SsoGroupRoleSample {
	return SsoGroupRoleSample{Source: source, Groups: notNil(groups), Gained: p.named(gained), Lost: p.named(lost), Kept: p.named(kept)}
}

func (p *rolePreview) named(ids []string) []SsoRoleName {
	out := make([]SsoRoleName, len(ids))
	for i, id := range ids {
		out[i] = SsoRoleName{Id: id, Title: cmp.Or(p.roles[id].Title, p.roles[id].Name, id)}
	}
	slices.SortFunc(out, func(a, b SsoRoleName) int { return cmp.Or(cmp.Compare(a.Title, b.Title), cmp.Compare(a.Id, b.Id)) })
	return out
}

// test returns what the caller's last test sign-in by the connection would come to,
// nil where there is none that told who it was.
func (p *rolePreview) test(ctx context.Context) (*SsoGroupRoleSample, error) {
	kept, err := p.org.OpenChallenges(ctx, ssoTested, caller(ctx).Subject, testsLookedAt)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		var t SsoTest
		if err := json.Unmarshal([]byte(k.Data), &t); err != nil {
			return nil, err
		}
		if t.Connection.Id != p.before.ID || t.Outcome == SsoTestOutcomeFailed {
			continue
		}
		groups := t.Groups
		if p.before.Kind != store.LDAP && len(t.Claims) > 0 {
			groups = personOf(p.after, t.Claims).Groups // by the claim that would be saved
		}
		was, will := []string{}, p.rolesOf(p.after, groups)
		switch t.Outcome {
		case SsoTestOutcomeRefused:
			will = nil
		case SsoTestOutcomeMade:
			for _, id := range p.after.Roles {
				if _, ok := p.roles[id]; ok && !slices.Contains(will, id) {
					will = append(will, id)
				}
			}
		default:
			was = p.rolesOf(p.before, t.Groups)
		}
		s := p.compared(SsoGroupRoleSampleSourceTest, groups, was, will)
		s.At, s.Name = utc(&k.CreatedAt), ptr(cmp.Or(deref(t.Name), deref(t.Email), deref(t.Subject)))
		return &s, nil
	}
	return nil, nil
}

// people looks at who is linked to the connection, page by page.
func (p *rolePreview) people(ctx context.Context, out *SsoGroupRolePreview) error {
	gain, lose, seen := map[string]int64{}, map[string]int64{}, map[string]bool{}
	for cursor := ""; ; {
		page, err := p.org.SSOIdentities(ctx, p.before.ID, cursor)
		if err != nil {
			return err
		}
		some, err := p.page(ctx, page.Items, out)
		if err != nil {
			return err
		}
		for _, s := range some {
			for _, g := range s.Groups {
				seen[g] = true
			}
			if len(out.Samples) < lastSignIns+2 && p.names {
				out.Samples = append(out.Samples, s)
			}
			if len(s.Gained)+len(s.Lost) == 0 {
				continue
			}
			out.Affected++
			for _, r := range s.Gained {
				gain[r.Id]++
			}
			for _, r := range s.Lost {
				lose[r.Id]++
			}
			if deref(s.LosesAdministration) {
				out.LosingAdministration++
			}
			out.Yourself = out.Yourself || deref(s.Yourself) && len(s.Lost) > 0
			if p.names {
				out.First = append(out.First, s)
			}
		}
		out.First = worst(out.First)
		if cursor = page.Next; cursor == "" || out.Counted >= mostPreviewed {
			break
		}
	}
	for _, r := range p.named(slices.Collect(maps.Keys(p.roles))) {
		if gain[r.Id]+lose[r.Id] > 0 {
			out.Changes = append(out.Changes, SsoGroupRoleCount{Role: r, Gain: gain[r.Id], Lose: lose[r.Id]})
		}
	}
	for _, g := range p.after.GroupRoles {
		if !seen[g.Group] && !slices.Contains(out.Unmatched, g.Group) && out.Counted > out.Unknown {
			out.Unmatched = append(out.Unmatched, g.Group)
		}
	}
	return nil
}

// worst returns the first of those who are affected, those who lose most before
// others.
func worst(list []SsoGroupRoleSample) []SsoGroupRoleSample {
	rank := func(s SsoGroupRoleSample) int {
		switch {
		case deref(s.LosesAdministration):
			return 0
		case deref(s.Yourself) && len(s.Lost) > 0:
			return 1
		case len(s.Lost) > 0:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(list, func(a, b SsoGroupRoleSample) int { return cmp.Compare(rank(a), rank(b)) })
	return list[:min(len(list), firstAffected)]
}

// page returns what the change comes to for some of the people.
func (p *rolePreview) page(ctx context.Context, rows []store.SSOIdentity, out *SsoGroupRolePreview) ([]SsoGroupRoleSample, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.UserID
	}
	list, err := p.org.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	users := map[string]store.User{}
	for _, u := range list {
		users[u.ID] = u
	}
	all, err := p.org.GrantsOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	grants := map[string][]store.Grant{}
	for _, g := range all {
		grants[g.PrincipalID] = append(grants[g.PrincipalID], g)
	}
	var (
		some  []SsoGroupRoleSample
		plans []groupPlan
		who   []string // has something to lose
	)
	for _, r := range rows {
		u := users[r.UserID]
		if u.Status != store.Active {
			continue
		}
		out.Counted++
		if r.Received == nil {
			out.Unknown++
			continue
		}
		plan := planGroupRoles(p.rolesOf(p.after, r.Received.Groups), grants[u.ID], r.Granted)
		s := p.sample(SsoGroupRoleSampleSourceSignIn, r.Received.Groups, plan.give, nil, slices.Sorted(maps.Keys(plan.stay)))
		s.User, s.At, s.More, s.Yourself = ptr(userName(u)), utc(&r.LastUsedAt), ptr(r.Received.Cut), ptr(u.ID == caller(ctx).Subject)
		some, plans = append(some, s), append(plans, plan)
		if len(plan.drop) > 0 {
			who = append(who, u.ID)
		}
	}
	held, err := rights.Holdings(ctx, p.org, who...)
	if err != nil {
		return nil, err
	}
	for i := range some {
		p.losses(&some[i], plans[i], held[some[i].User.Id])
	}
	return some, nil
}

// losses says what somebody would lose: not what they have otherwise too.
func (p *rolePreview) losses(s *SsoGroupRoleSample, plan groupPlan, held access.Holding) {
	if len(plan.drop) == 0 {
		return
	}
	next := held
	next.Grants = slices.DeleteFunc(slices.Clone(held.Grants), func(g access.Grant) bool { return plan.drop[g.RoleID] == g.ID })
	var lost []string
	for role := range plan.drop {
		had := len(next.Grants) < len(held.Grants) && slices.ContainsFunc(held.Grants, func(g access.Grant) bool { return g.ID == plan.drop[role] })
		otherwise := slices.ContainsFunc(next.Grants, func(g access.Grant) bool {
			return g.RoleID == role && !g.Deny && !g.Ended(p.now) && g.Scope == access.Scope{}
		})
		if had && !otherwise {
			lost = append(lost, role)
		}
	}
	s.Lost = p.named(lost)
	for _, role := range plan.give {
		next.Grants = append(next.Grants, access.Grant{RoleID: role, Role: p.roles[role].Name, Permissions: p.roles[role].Permissions})
	}
	s.LosesAdministration = ptr(access.Administers(held, p.now) && !access.Administers(next, p.now))
}

// groupRolesOf returns the roles that a connection gives for groups, sorted.
func groupRolesOf(c store.SSOConnection, groups []string) []string {
	in := make(map[string]bool, len(groups))
	for _, g := range groups {
		in[g] = true
	}
	var out []string
	for _, g := range c.GroupRoles {
		if in[g.Group] {
			out = append(out, g.Role)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
