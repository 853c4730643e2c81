package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// UserFilter narrows a list of users. Empty fields do not.
type UserFilter struct {
	// Search is text in the name or e-mail address, Status the status.
	Search, Status string
	// Source is where users come from: one of [Org.Sources], [Local], or "sso" or
	// "scim" for all of the kind.
	Source string
	// SecondFactor is whether they have set one up; nil = either.
	SecondFactor *bool
	// NeverSignedIn leaves those who never did, SignedInBefore those who did, and
	// last did before the time.
	NeverSignedIn  bool
	SignedInBefore time.Time
	// Role leaves those who have a role (its id) somewhere, by themselves or by a
	// group. Group leaves those in a group (its id), or in one that is in it.
	Role, Group string
}

// Users returns a page of users, sortable by name, e-mail, creation and the last
// sign-in, of which those who never did are the oldest.
func (o *Org) Users(ctx context.Context, f UserFilter, p db.PageRequest) (db.Page[User], error) {
	q, some, err := o.filtered(ctx, f)
	if err != nil || !some {
		return db.Page[User]{}, err
	}
	switch p.Sort {
	case "name":
		p.Sort = "name_key"
	case "last_sign_in_at":
		p.Sort = "seen"
	}
	return q.Page(ctx, p, "name_key", "email", "created_at", "seen")
}

// CountUsers returns how many users there are.
func (o *Org) CountUsers(ctx context.Context, f UserFilter) (int64, error) {
	q, some, err := o.filtered(ctx, f)
	if err != nil || !some {
		return 0, err
	}
	return q.Count(ctx)
}

// filtered returns the query of a list; some is false where nobody can be in it.
func (o *Org) filtered(ctx context.Context, f UserFilter) (q db.Query[User], some bool, err error) {
	q = db.From[User](o.scope)
	if text := Fold(f.Search); text != "" {
		// Deleted users have no address.
		q = q.Where("email_key IS NOT NULL").Contains(text, "name_key", "email_key")
	} else {
		q = q.Where("status <> ?", Deleted)
	}
	if f.Status != "" {
		q = q.Where("status = ?", f.Status)
	}
	switch f.Source {
	case "":
	case strings.TrimSuffix(FromSSO, ":"), strings.TrimSuffix(FromSCIM, ":"):
		q = q.Where("source LIKE ?", f.Source+":%")
	default:
		q = q.Where("source = ?", f.Source)
	}
	if f.SecondFactor != nil {
		q = q.Where("second_factor = ?", *f.SecondFactor)
	}
	if f.NeverSignedIn {
		q = q.Where("last_sign_in_at IS NULL")
	}
	if !f.SignedInBefore.IsZero() {
		q = q.Where("last_sign_in_at < ?", f.SignedInBefore.UTC())
	}
	some = true
	for _, held := range []struct {
		of   string
		find func(context.Context, string) ([]holders, error)
	}{{f.Role, o.roleHolders}, {f.Group, o.groupHolders}} {
		if held.of == "" {
			continue
		}
		of, err := held.find(ctx, held.of)
		if err != nil {
			return q, false, err
		}
		var found bool
		if q, found = heldBy(q, of); !found {
			some = false
		}
	}
	return q, some, nil
}

// fewHolders is up to how many users are looked up by their ids. Where more of them
// have what is asked for, a page is found sooner by looking at one user after the
// other, in the order of the list.
const fewHolders = 500

// holders are users who have something: by their ids, as long as they are few, and by
// the rows that say so.
type holders struct {
	ids  []string
	many bool
	rows db.Subquery
}

// heldBy narrows a query to users who are among the holders; found is false where
// there are none.
func heldBy(q db.Query[User], of []holders) (_ db.Query[User], found bool) {
	var (
		ids  []string
		rows []db.Subquery
		many bool
	)
	for _, h := range of {
		ids, rows, many = append(ids, h.ids...), append(rows, h.rows), many || h.many
	}
	if many {
		return q.HasAny("id", rows...), true
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return q.Where("id IN ?", ids), len(ids) > 0
}

// roleHolders returns the users who have a role.
func (o *Org) roleHolders(ctx context.Context, role string) ([]holders, error) {
	given := db.From[Grant](o.scope).Where("role_id = ? AND effect = ? AND (expires_at IS NULL OR expires_at > ?)", role, Allow, o.store.Now())
	users := given.Where("principal_kind = ?", KindUser)
	h := holders{rows: users.Column("principal_id")}
	if err := users.Limit(fewHolders+1).Aggregate(ctx, &h.ids, "principal_id", ""); err != nil {
		return nil, fmt.Errorf("reading who has a role: %w", err)
	}
	h.many = len(h.ids) > fewHolders
	groups, err := given.Where("principal_kind = ?", KindGroup).All(ctx)
	if err != nil || len(groups) == 0 {
		return []holders{h}, err
	}
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.PrincipalID
	}
	inside, err := o.membersOf(ctx, ids)
	return []holders{h, inside}, err
}

// groupHolders returns the users in a group, and in those that are in it.
func (o *Org) groupHolders(ctx context.Context, group string) ([]holders, error) {
	h, err := o.membersOf(ctx, []string{group})
	return []holders{h}, err
}

func (o *Org) membersOf(ctx context.Context, groups []string) (h holders, err error) {
	all, err := o.withNested(ctx, groups)
	if err != nil {
		return h, err
	}
	members := db.From[GroupMember](o.scope).Where("group_id IN ? AND member_kind = ?", all, KindUser)
	h.rows = members.Column("member_id")
	if err := members.Limit(fewHolders+1).Aggregate(ctx, &h.ids, "member_id", ""); err != nil {
		return h, fmt.Errorf("reading who is in a group: %w", err)
	}
	h.many = len(h.ids) > fewHolders
	return h, nil
}
