package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/db"
)

// SCIMRehearsed is a user or group as a rehearsal of a directory has left it.
type SCIMRehearsed struct {
	ID             string
	OrganizationID string
	DirectoryID    string
	// ResourceID is the user's or group's id: for one that was made, the id that the
	// provider was given.
	ResourceID string
	State      SCIMState `gorm:"serializer:json"`
}

// TableName is for gorm.
func (SCIMRehearsed) TableName() string { return "scim_rehearsed" }

// SCIMState is what is different of a user or group in a rehearsal.
type SCIMState struct {
	Kind string `json:"kind"`
	// Made says that there is none but in the rehearsal, Gone that it is the
	// directory's no more.
	Made bool `json:"made,omitempty"`
	Gone bool `json:"gone,omitempty"`
	// Resource is what the directory says of it, nil where it is gone.
	Resource *SCIMResource `json:"resource,omitempty"`
	Name     string        `json:"name"`
	// Email and Status are a user's.
	Email     string    `json:"email,omitempty"`
	Status    string    `json:"status,omitempty"`
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// Added and Removed are the ids of members, by their kind.
	Added   map[string]string `json:"added,omitempty"`
	Removed map[string]string `json:"removed,omitempty"`
}

// SCIMRehearsal returns what the rehearsal of a directory has come to.
func (o *Org) SCIMRehearsal(ctx context.Context, directory string) ([]SCIMRehearsed, error) {
	return db.From[SCIMRehearsed](o.scope).Where("directory_id = ?", directory).Order("id", false).All(ctx)
}

// CountSCIMRehearsal returns how many users and groups a rehearsal has made or changed.
func (o *Org) CountSCIMRehearsal(ctx context.Context, directory string) (int64, error) {
	return db.From[SCIMRehearsed](o.scope).Where("directory_id = ?", directory).Count(ctx)
}

// SaveSCIMRehearsed writes what a rehearsal has come to for one user or group. One
// that was made and is gone is forgotten.
func (t *Tx) SaveSCIMRehearsed(ctx context.Context, r SCIMRehearsed) error {
	if _, err := db.From[SCIMRehearsed](t.scope).Where("directory_id = ? AND resource_id = ?", r.DirectoryID, r.ResourceID).Delete(ctx); err != nil {
		return err
	}
	if r.State.Made && r.State.Gone {
		return nil
	}
	if r.ID == "" {
		r.ID = NewID()
	}
	return db.Create(ctx, t.scope, &r)
}

// EndSCIMRehearsal forgets what a rehearsal of a directory has come to.
func (t *Tx) EndSCIMRehearsal(ctx context.Context, directory string) error {
	_, err := db.From[SCIMRehearsed](t.scope).Where("directory_id = ?", directory).Delete(ctx)
	return err
}

// Rehearse runs fn within the transaction, on the organization as a rehearsal has left
// it, and takes all back: see [db.Tx.Rehearse].
func (t *Tx) Rehearse(ctx context.Context, directory string, states []SCIMRehearsed, fn func(tx *Tx) error) error {
	return t.tx.Rehearse(func(inner *db.Tx) error {
		tx := t.store.In(inner, t.ID(), t.by)
		if err := tx.putRehearsed(ctx, directory, states); err != nil {
			return fmt.Errorf("putting a rehearsal in place: %w", err)
		}
		return fn(tx)
	})
}

// mostAtOnce bounds how many rows one statement inserts.
const mostAtOnce = 200

// putRehearsed writes what a rehearsal has come to over what is there. What has come
// to be there since, such as a user with the e-mail address of one who was made, stays
// as it is.
func (t *Tx) putRehearsed(ctx context.Context, directory string, states []SCIMRehearsed) error {
	var (
		people    []*User
		groups    []*Group
		resources []*SCIMResource
	)
	for _, s := range states {
		st := s.State
		row := Stored{
			ID: s.ResourceID, OrganizationID: t.ID(), Version: st.Version, CreatedAt: st.CreatedAt.UTC(), CreatedBy: directory, UpdatedAt: st.UpdatedAt.UTC(),
		}
		switch {
		case !st.Made:
			if err := t.changeRehearsed(ctx, directory, s); err != nil {
				return err
			}
		case st.Kind == KindUser:
			u := &User{Stored: row, Name: st.Name, Email: st.Email, Status: st.Status, Source: FromSCIM + directory}
			u.fold()
			people = append(people, u)
		default:
			g := &Group{Stored: row, Name: st.Name}
			g.fold()
			groups = append(groups, g)
		}
		if r := st.Resource; r != nil && !st.Gone {
			put := *r
			put.OrganizationID = t.ID()
			put.fold()
			resources = append(resources, &put)
		}
	}
	if err := insertNew(ctx, t, people); err != nil {
		return err
	}
	if err := insertNew(ctx, t, groups); err != nil {
		return err
	}
	if err := insertNew(ctx, t, resources); err != nil {
		return err
	}
	return t.memberRehearsed(ctx, states)
}

// insertNew inserts rows, but for those in whose way another one is.
func insertNew[T any](ctx context.Context, t *Tx, rows []*T) error {
	for some := range slices.Chunk(rows, mostAtOnce) {
		err := t.tx.Unscoped("rows of this organization, some of which may be in the way of others").WithContext(ctx).
			Clauses(clause.OnConflict{DoNothing: true}).Create(some).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// changeRehearsed changes a user or group that is there to what a rehearsal has made
// of it.
func (t *Tx) changeRehearsed(ctx context.Context, directory string, s SCIMRehearsed) error {
	st := s.State
	if st.Gone && st.Kind == KindGroup {
		return ignoreGone(t.DeleteGroup(ctx, s.ResourceID, db.AnyVersion))
	}
	if err := t.DropSCIMResource(ctx, s.ResourceID); err != nil {
		return err
	}
	changes := db.Changes{"version": st.Version, "updated_at": st.UpdatedAt.UTC()}
	if st.Kind == KindGroup {
		g := Group{Name: st.Name}
		g.fold()
		changes["name"], changes["name_key"] = g.Name, g.NameKey
		_, err := db.From[Group](t.scope).Where("id = ?", s.ResourceID).Update(ctx, changes)
		return err
	}
	if st.Gone {
		if err := t.leave(ctx, s.ResourceID); err != nil {
			return err
		}
	}
	u := User{Name: st.Name, Email: st.Email}
	u.fold()
	changes["name"], changes["name_key"], changes["email"], changes["email_key"], changes["status"] = u.Name, u.NameKey, u.Email, u.EmailKey, st.Status
	changes["source"] = FromSCIM + directory
	if st.Gone {
		changes["source"] = Local
	}
	_, err := db.From[User](t.scope).Where("id = ?", s.ResourceID).Update(ctx, changes)
	return err
}

func ignoreGone(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}

// memberRehearsed puts members into groups, and takes them out.
func (t *Tx) memberRehearsed(ctx context.Context, states []SCIMRehearsed) error {
	var ids []string
	for _, s := range states {
		if s.State.Kind == KindGroup && !s.State.Gone && len(s.State.Added)+len(s.State.Removed) > 0 {
			ids = append(ids, s.ResourceID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	have, err := t.MembersOf(ctx, ids...)
	if err != nil {
		return err
	}
	for _, s := range states {
		if s.State.Kind != KindGroup || s.State.Gone {
			continue
		}
		var add, remove []GroupMember
		there := map[string]bool{}
		for _, m := range have[s.ResourceID] {
			there[m.MemberID] = true
			if _, out := s.State.Removed[m.MemberID]; out {
				remove = append(remove, m)
			}
		}
		for id, kind := range s.State.Added {
			if !there[id] {
				add = append(add, GroupMember{MemberID: id, MemberKind: kind})
			}
		}
		if err := t.ChangeMembers(ctx, s.ResourceID, add, remove); err != nil {
			return err
		}
	}
	return nil
}

// TakeRehearsed returns what a user or group is now, within a rehearsal, where before
// is what it was in it, nil where it was as it is in earnest. added and removed are
// the members that just came and went.
func (t *Tx) TakeRehearsed(ctx context.Context, directory, kind, id string, before *SCIMRehearsed, added, removed []string) (SCIMRehearsed, error) {
	out := SCIMRehearsed{DirectoryID: directory, ResourceID: id, State: SCIMState{Kind: kind}}
	if before != nil {
		out = *before
	}
	r, err := t.SCIMResource(ctx, directory, kind, id)
	if ignoreGone(err) != nil {
		return out, err
	}
	out.State.Gone, out.State.Resource = err != nil, nil
	if err == nil {
		out.State.Resource = &r
	}
	if kind == KindUser {
		u, err := db.From[User](t.scope).Get(ctx, id)
		out.State.Name, out.State.Email, out.State.Status = u.Name, u.Email, u.Status
		out.State.Version, out.State.CreatedAt, out.State.UpdatedAt = u.Version, u.CreatedAt, u.UpdatedAt
		return out, err
	}
	g, err := t.Group(ctx, id)
	if ignoreGone(err) != nil {
		return out, err
	}
	if err == nil {
		out.State.Name, out.State.Version, out.State.CreatedAt, out.State.UpdatedAt = g.Name, g.Version, g.CreatedAt, g.UpdatedAt
	}
	in, err := t.MembersOf(ctx, id)
	if err != nil {
		return out, err
	}
	kinds := map[string]string{}
	for _, m := range in[id] {
		kinds[m.MemberID] = m.MemberKind
	}
	out.State.Added, out.State.Removed = moved(out.State.Added), moved(out.State.Removed)
	for _, m := range added {
		if _, was := out.State.Removed[m]; was {
			delete(out.State.Removed, m)
			continue
		}
		out.State.Added[m] = kinds[m]
	}
	for _, m := range removed {
		if _, was := out.State.Added[m]; was {
			delete(out.State.Added, m)
			continue
		}
		out.State.Removed[m] = ""
	}
	return out, nil
}

// moved returns a copy that can be written to.
func moved(m map[string]string) map[string]string {
	out := make(map[string]string, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	return out
}
