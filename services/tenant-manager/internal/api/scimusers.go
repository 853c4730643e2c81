package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// longestName bounds names at the provider and ids there, and longestShown the
	// names that are shown here, in characters.
	longestName  = 254
	longestShown = 120
	// mostAttributes bounds what is kept of what a directory says, in bytes of JSON.
	mostAttributes = 64 << 10
)

// users are the users of a directory.
type users struct{ *scimCall }

func (users) kind() string     { return store.KindUser }
func (users) about() scim.Type { return scim.User() }

// stated is what a directory says of a user, as it stands here now.
func stated(r store.SCIMResource, u store.User) map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal([]byte(r.Attributes), &out) // of what was written by us
	out["userName"] = r.UserName
	if r.ExternalID != "" {
		out["externalId"] = r.ExternalID
	}
	out["active"] = u.Status == store.Active
	if name := nameIn(out); name != "" && name != u.Name {
		out["displayName"] = u.Name // somebody renamed them here
	}
	if !strings.EqualFold(emailIn(out), u.Email) {
		out["emails"] = []any{map[string]any{"value": u.Email, "type": "work", "primary": true}}
	}
	return out
}

func (k users) represent(ctx context.Context, rows []store.SCIMResource) ([]map[string]any, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ResourceID
	}
	people, err := k.org.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	in := map[string][]any{}
	if k.sel.Wants("groups") {
		if in, err = k.groupsOf(ctx, ids); err != nil {
			return nil, err
		}
	}
	t, out := k.about(), make([]map[string]any, 0, len(rows))
	for _, r := range rows {
		at := slices.IndexFunc(people, func(u store.User) bool { return u.ID == r.ResourceID })
		if at < 0 {
			continue
		}
		u := people[at]
		one := stated(r, u)
		one["id"], one["schemas"], one["meta"] = u.ID, t.Schemas(one), k.meta(t, u.Stored, r.CreatedAt)
		if list := in[u.ID]; list != nil {
			one["groups"] = list
		}
		out = append(out, one)
	}
	return out, nil
}

// groupsOf returns in which groups of the directory users are.
func (c *scimCall) groupsOf(ctx context.Context, ids []string) (map[string][]any, error) {
	out := map[string][]any{}
	rows, err := c.org.Memberships(ctx, ids...)
	if err != nil || len(rows) == 0 {
		return out, err
	}
	var which []string
	for _, m := range rows {
		which = append(which, m.GroupID)
	}
	slices.Sort(which)
	which = slices.Compact(which)
	ours, err := c.org.SCIMResourcesOf(ctx, c.dir.ID, which...)
	if err != nil {
		return nil, err
	}
	list, err := c.org.GroupsByID(ctx, which)
	if err != nil {
		return nil, err
	}
	called := map[string]string{}
	for _, g := range list {
		called[g.ID] = g.Name
	}
	for _, m := range rows {
		if _, ok := ours[m.GroupID]; ok {
			out[m.MemberID] = append(out[m.MemberID], map[string]any{
				"value": m.GroupID, "display": called[m.GroupID], "type": "direct", "$ref": c.base + "/Groups/" + m.GroupID,
			})
		}
	}
	return out, nil
}

// create makes a user, or takes over the one who has the e-mail address.
func (k users) create(ctx context.Context, in map[string]any) (string, error) {
	s, err := saidOf(in)
	if err != nil {
		return "", err
	}
	if err := k.provides(s); err != nil {
		return "", err
	}
	var id string
	err = k.tx(ctx, func(tx *store.Tx) error {
		if err := k.nameFree(ctx, tx, s.userName, ""); err != nil {
			return err
		}
		r := store.SCIMResource{
			DirectoryID: k.dir.ID, Kind: store.KindUser, UserName: s.userName, ExternalID: s.externalID, Active: true, Attributes: s.rest,
		}
		u, err := tx.UserByEmail(ctx, s.email)
		var before *User
		switch {
		case store.IsNotFound(err):
			r.Made = true
			u = store.User{Name: cmp.Or(s.name, s.email), Email: s.email}
			if err = tx.CreateUser(ctx, &u); tenancy.IsFull(err) {
				return refuseSCIM(http.StatusConflict, s.email, "%s", problem.From(err).Detail)
			}
		case err == nil:
			err = k.takeOver(ctx, tx, u)
			was := userOf(u, nil)
			before = &was
		}
		if err != nil {
			return err
		}
		id = u.ID
		r.ResourceID = u.ID
		off := s.active != nil && !*s.active
		r.Active = !off
		if err := tx.CreateSCIMResource(ctx, &r); err != nil {
			return err
		}
		if s.name != "" {
			u.Name = s.name
		}
		if off {
			u.Status = store.Disabled
		}
		if before != nil || off {
			if err := k.save(ctx, tx, &u, off && before != nil); err != nil {
				return err
			}
		}
		after := userOf(u, nil)
		if before == nil {
			return k.record(ctx, tx, "user.provisioned", "user", u.ID, u.Name, nil, after)
		}
		return k.record(ctx, tx, "user.directory-linked", "user", u.ID, u.Name, *before, after)
	})
	return id, err
}

// takeOver returns an error where a user who is there cannot be the directory's.
func (k users) takeOver(ctx context.Context, tx *store.Tx, u store.User) error {
	of, err := tx.SCIMResourcesOf(ctx, "", u.ID)
	if err != nil {
		return err
	}
	if r, ok := of[u.ID]; ok {
		if r.DirectoryID == k.dir.ID {
			return taken("another user has the e-mail address %s", u.Email)
		}
		return refuseSCIM(http.StatusConflict, u.Email, "another directory has the user with the e-mail address %s", u.Email)
	}
	if u.Status != store.Active {
		return refuseSCIM(http.StatusConflict, u.Email, "the user with the e-mail address %s was disabled by hand: enable the user first", u.Email)
	}
	return k.mayTouch(ctx, tx, u)
}

// save writes a user. One who is switched off is out at once.
func (c *scimCall) save(ctx context.Context, tx *store.Tx, u *store.User, off bool) error {
	had, err := tx.User(ctx, u.ID)
	if err != nil {
		return err
	}
	if off {
		if err := c.keepsOwner(ctx, tx, *u); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
			return err
		}
	}
	if err := tx.SaveUser(ctx, u); err != nil {
		if errors.Is(err, db.ErrDuplicate) {
			return taken("another user has the e-mail address %s", u.Email)
		}
		return err
	}
	if !strings.EqualFold(had.Email, u.Email) {
		if err := c.h.leftAddress(ctx, tx, had); err != nil {
			return err
		}
	}
	if off {
		return tx.AccessChanged(u.ID, "")
	}
	return nil
}

// find returns a user of the directory, of the version that is asked for.
func (k users) find(ctx context.Context, tx *store.Tx, id string) (store.SCIMResource, store.User, error) {
	r, err := tx.SCIMResource(ctx, k.dir.ID, store.KindUser, id)
	if err != nil {
		return r, store.User{}, err
	}
	u, err := tx.User(ctx, id)
	if err != nil {
		return r, u, err
	}
	return r, u, k.matches(u.Version)
}

func (k users) update(ctx context.Context, id string, change func(map[string]any) (map[string]any, error)) error {
	return k.tx(ctx, func(tx *store.Tx) error {
		r, u, err := k.find(ctx, tx, id)
		if err != nil {
			return err
		}
		now := stated(r, u)
		next, err := change(now)
		if err != nil {
			return err
		}
		s, err := saidOf(next)
		if err != nil {
			return err
		}
		if scim.Same(now, next) {
			return nil
		}
		if err := k.mayTouch(ctx, tx, u); err != nil {
			return err
		}
		return k.apply(ctx, tx, r, u, s)
	})
}

// apply changes a user to what the directory says now. Who was disabled by hand stays
// so.
func (k users) apply(ctx context.Context, tx *store.Tx, r store.SCIMResource, u store.User, s said) error {
	before := userOf(u, nil)
	if s.email == "" || !strings.EqualFold(s.email, u.Email) {
		if err := k.provides(s); err != nil {
			return err
		}
		if err := k.staysBound(ctx, tx, u, s.email); err != nil {
			return err
		}
		u.Email = s.email
	}
	if err := k.nameFree(ctx, tx, s.userName, u.ID); err != nil {
		return err
	}
	u.Name = cmp.Or(s.name, u.Name)
	off := s.active != nil && !*s.active && u.Status == store.Active
	on := s.active != nil && *s.active && u.Status == store.Disabled && !r.Active
	r.UserName, r.ExternalID, r.Attributes = s.userName, s.externalID, s.rest
	action := "user.updated"
	switch {
	case off:
		u.Status, r.Active, action = store.Disabled, false, "user.disabled"
	case on:
		u.Status, r.Active, action = store.Active, true, "user.enabled"
	}
	if err := k.save(ctx, tx, &u, off); err != nil {
		return err
	}
	if on {
		if err := tx.AccessChanged(u.ID, ""); err != nil {
			return err
		}
	}
	if err := tx.SaveSCIMResource(ctx, r); err != nil {
		return err
	}
	return k.record(ctx, tx, action, "user", u.ID, u.Name, before, userOf(u, nil))
}

// remove deletes a user whom the directory has made. Others are disabled, and are the
// directory's no more.
func (k users) remove(ctx context.Context, id string) error {
	return k.tx(ctx, func(tx *store.Tx) error {
		r, u, err := k.find(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := k.mayTouch(ctx, tx, u); err != nil {
			return err
		}
		if r.Made {
			if err := k.keepsOwner(ctx, tx, u); err != nil {
				return err
			}
			if _, err := tx.EndSessions(ctx, u.ID, "", ""); err != nil {
				return err
			}
			if err := k.h.leaveDoors(ctx, tx, u.ID); err != nil {
				return err
			}
			if err := tx.EraseUser(ctx, &u); err != nil {
				return err
			}
			if err := tx.AccessChanged(u.ID, ""); err != nil {
				return err
			}
			return k.record(ctx, tx, "user.deleted", "user", u.ID, "", nil, nil)
		}
		before := userOf(u, nil)
		u.Status = store.Disabled
		if err := k.save(ctx, tx, &u, true); err != nil {
			return err
		}
		if err := k.leave(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := tx.DropSCIMResource(ctx, u.ID); err != nil {
			return err
		}
		return k.record(ctx, tx, "user.disabled", "user", u.ID, u.Name, before, userOf(u, nil))
	})
}

// leave takes a user out of the groups of the directory, but of those that a rule of
// sign-in binds where whoever saved the directory may not change rules: who is disabled
// so, and comes back, is bound as before.
func (c *scimCall) leave(ctx context.Context, tx *store.Tx, user string) error {
	rows, err := tx.Memberships(ctx, user)
	if err != nil {
		return err
	}
	for _, m := range rows {
		of, err := tx.SCIMResourcesOf(ctx, c.dir.ID, m.GroupID)
		if err != nil {
			return err
		}
		if _, ours := of[m.GroupID]; ours {
			g, err := tx.Group(ctx, m.GroupID)
			if err != nil {
				return err
			}
			if err := c.mayBind(ctx, tx.Org, g); isSCIMRefusal(err) {
				continue
			} else if err != nil {
				return err
			}
			if err := tx.RemoveMember(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// byHand returns a problem where a group is kept by a directory.
func byHand(ctx context.Context, tx *store.Tx, g store.Group) error {
	of, err := tx.ProvisionedBy(ctx, g.ID)
	if err != nil {
		return err
	}
	if d, ok := of[g.ID]; ok {
		return problem.New(problem.CodeConflict, "the directory %s says what %s is called and who is in it: change it at the identity provider, or delete the directory", d.Name, g.Name)
	}
	return nil
}
