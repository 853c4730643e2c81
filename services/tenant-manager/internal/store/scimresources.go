package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
)

// SCIMResource is a user or group of a directory.
type SCIMResource struct {
	ID             string
	OrganizationID string
	DirectoryID    string
	// Kind is [KindUser] or [KindGroup], and ResourceID the user's or group's id.
	Kind       string
	ResourceID string
	// UserName is what a user is called there, and ExternalID the id there.
	UserName    string
	UserNameKey string
	ExternalID  string
	// Active is false for a user whom the directory has disabled.
	Active bool
	// Made is whether the directory made it, and did not find it.
	Made bool
	// Attributes are what the directory says of it, as JSON.
	Attributes string
	CreatedAt  time.Time
}

// TableName is for gorm.
func (SCIMResource) TableName() string { return "scim_resources" }

func (r *SCIMResource) fold() { r.UserNameKey = strings.ToLower(r.UserName) }

// CreateSCIMResource makes a user or group one of a directory. The error is
// [db.ErrDuplicate] where it is one of a directory already.
func (t *Tx) CreateSCIMResource(ctx context.Context, r *SCIMResource) error {
	r.ID, r.CreatedAt = NewID(), t.store.Now()
	r.fold()
	if err := db.Create(ctx, t.scope, r); err != nil || r.Kind != KindUser {
		return err
	}
	return t.placeUser(ctx, r.ResourceID)
}

// SaveSCIMResource writes what a directory says.
func (t *Tx) SaveSCIMResource(ctx context.Context, r SCIMResource) error {
	r.fold()
	_, err := db.From[SCIMResource](t.scope).Where("id = ?", r.ID).Update(ctx, db.Changes{
		"user_name": r.UserName, "user_name_key": r.UserNameKey, "external_id": r.ExternalID, "active": r.Active, "attributes": r.Attributes,
	})
	return err
}

// DropSCIMResource makes a user or group one of no directory.
func (t *Tx) DropSCIMResource(ctx context.Context, resource string) error {
	n, err := db.From[SCIMResource](t.scope).Where("resource_id = ?", resource).Delete(ctx)
	if err != nil || n == 0 {
		return err
	}
	return t.placeUser(ctx, resource)
}

// SCIMResource returns a user or group of a directory.
func (o *Org) SCIMResource(ctx context.Context, directory, kind, resource string) (SCIMResource, error) {
	return db.From[SCIMResource](o.scope).Where("directory_id = ? AND kind = ? AND resource_id = ?", directory, kind, resource).First(ctx)
}

// SCIMUserNamed returns the user of a directory who has a name there.
func (o *Org) SCIMUserNamed(ctx context.Context, directory, name string) (SCIMResource, error) {
	return db.From[SCIMResource](o.scope).Where("directory_id = ? AND kind = ? AND user_name_key = ?", directory, KindUser, strings.ToLower(name)).First(ctx)
}

// mostSorted is up to how many are sorted here.
const mostSorted = 500

// mostIn bounds how many values a condition has: databases bound it too.
const mostIn = 500

// SCIMResourcesOf returns which of the users and groups are of a directory, "" being
// any.
func (o *Org) SCIMResourcesOf(ctx context.Context, directory string, resources ...string) (map[string]SCIMResource, error) {
	out := map[string]SCIMResource{}
	for ids := range slices.Chunk(resources, mostIn) {
		q := db.From[SCIMResource](o.scope).Where("resource_id IN ?", ids)
		if directory != "" {
			q = q.Where("directory_id = ?", directory)
		}
		rows, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.ResourceID] = r
		}
	}
	return out, nil
}

// SCIMQuery is what a directory asks for of its users or groups.
type SCIMQuery struct {
	Directory string
	// Kind is [KindUser] or [KindGroup].
	Kind string
	// Filter narrows it; nil = all.
	Filter *scim.Filter
	// Skip is how many are left out, and Limit how many are wanted at most; 0 = none
	// but their number.
	Skip, Limit int
}

// SCIMResources returns users or groups of a directory in the order in which they
// came, and how many there are. The error is a [scim.Error] for a filter that cannot
// be asked.
func (o *Org) SCIMResources(ctx context.Context, ask SCIMQuery) (page []SCIMResource, total int64, err error) {
	q := db.From[SCIMResource](o.scope).Where("scim_resources.directory_id = ? AND scim_resources.kind = ?", ask.Directory, ask.Kind)
	if ask.Filter != nil {
		c := condition{columns: userColumns}
		if ask.Kind == KindGroup {
			c.columns = groupColumns
		}
		rest, members, err := membersOf(ask.Filter)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range members {
			q = q.In("resource_id", db.From[GroupMember](o.scope).Where("member_id = ?", m).Column("group_id"))
		}
		for _, f := range rest {
			c.sql, c.args = "", nil
			if err := c.add(f); err != nil {
				return nil, 0, err
			}
			q = q.Where(c.sql, c.args...)
		}
		switch {
		case c.joined && ask.Kind == KindUser:
			q = q.Join(User{}, "users.id = scim_resources.resource_id")
		case c.joined:
			q = q.Join(Group{}, "principal_groups.id = scim_resources.resource_id")
		}
	}
	if total, err = q.Count(ctx); err != nil || ask.Limit == 0 || total <= int64(ask.Skip) {
		return nil, total, err
	}
	if ask.Filter != nil && total <= mostSorted {
		// Asked for an order, databases would rather walk along the list than look the
		// few up.
		page, err = q.Limit(mostSorted).All(ctx)
		slices.SortFunc(page, func(a, b SCIMResource) int { return strings.Compare(a.ID, b.ID) })
		from := min(ask.Skip, len(page))
		return page[from:min(from+ask.Limit, len(page))], total, err
	}
	page, err = q.Order("id", false).Offset(ask.Skip).Limit(ask.Limit).All(ctx)
	return page, total, err
}

// membersOf takes from a filter what it says of members: that can only be asked
// beside the rest, and not in it.
func membersOf(f *scim.Filter) (rest []*scim.Filter, members []string, err error) {
	all := []*scim.Filter{f}
	if f.Operator == scim.And {
		all = f.Of
	}
	for _, part := range all {
		path, value := part.Path, part.Value
		if part.Operator == scim.Has && strings.EqualFold(path.Attribute, "members") {
			inner := part.Of[0]
			if inner.Operator != scim.Equal || !strings.EqualFold(inner.Path.Attribute, "value") {
				return nil, nil, scim.Fail(400, scim.InvalidFilter, `members can be asked for as members[value eq "id"]`)
			}
			path, value = scim.Path{Attribute: "members"}, inner.Value
		}
		if name := path.String(); part.Operator != scim.Equal && part.Operator != scim.Has || name != "members" && name != "members.value" {
			rest = append(rest, part)
			continue
		}
		id, ok := value.(string)
		if !ok {
			return nil, nil, scim.Fail(400, scim.InvalidFilter, "the id of a member is a text")
		}
		members = append(members, id)
	}
	return rest, members, nil
}

// column is how an attribute is asked for.
type column struct {
	name string
	// fold is how values are looked up; nil = as they are.
	fold func(string) string
	time bool
	// joined says that it is in the table of the users or groups themselves.
	joined bool
}

var (
	userColumns = map[string]column{
		"id": {name: "scim_resources.resource_id"}, "externalid": {name: "scim_resources.external_id"},
		"username": {name: "scim_resources.user_name_key", fold: strings.ToLower},
		"emails":   {name: "users.email_key", fold: FoldEmail, joined: true}, "emails.value": {name: "users.email_key", fold: FoldEmail, joined: true},
		"displayname": {name: "users.name_key", fold: Fold, joined: true}, "name.formatted": {name: "users.name_key", fold: Fold, joined: true},
		"active": {joined: true}, "meta.created": {name: "scim_resources.created_at", time: true},
		"meta.lastmodified": {name: "users.updated_at", time: true, joined: true},
	}
	groupColumns = map[string]column{
		"id": {name: "scim_resources.resource_id"}, "externalid": {name: "scim_resources.external_id"},
		"displayname": {name: "principal_groups.name_key", fold: Fold, joined: true}, "meta.created": {name: "scim_resources.created_at", time: true},
		"meta.lastmodified": {name: "principal_groups.updated_at", time: true, joined: true},
	}
)

// condition is a filter as SQL.
type condition struct {
	columns map[string]column
	sql     string
	args    []any
	joined  bool
}

func (c *condition) add(f *scim.Filter) error {
	switch f.Operator {
	case scim.And, scim.Or:
		for i, part := range f.Of {
			c.sql += []string{"(", " " + strings.ToUpper(f.Operator) + " "}[min(i, 1)]
			if err := c.add(part); err != nil {
				return err
			}
		}
		c.sql += ")"
		return nil
	case scim.Not:
		c.sql += "NOT ("
		err := c.add(f.Of[0])
		c.sql += ")"
		return err
	case scim.Has:
		return c.address(f.Path, f.Of[0])
	}
	if f.Path.Filter != nil { // emails[type eq "work"].value eq "x"
		value := *f
		value.Path = scim.Path{Attribute: f.Path.Sub}
		return c.address(f.Path, &scim.Filter{Operator: scim.And, Of: []*scim.Filter{f.Path.Filter, &value}})
	}
	return c.compare(f)
}

// address asks for the e-mail address: there is one that is known here, which is the
// primary one, of work.
func (c *condition) address(p scim.Path, f *scim.Filter) error {
	if p.Schema != "" || !strings.EqualFold(p.Attribute, "emails") || c.columns["emails"].name == "" {
		return c.unknown(p)
	}
	switch f.Operator {
	case scim.And, scim.Or:
		for i, part := range f.Of {
			c.sql += []string{"(", " " + strings.ToUpper(f.Operator) + " "}[min(i, 1)]
			if err := c.address(p, part); err != nil {
				return err
			}
		}
		c.sql += ")"
		return nil
	case scim.Not:
		c.sql += "NOT ("
		err := c.address(p, f.Of[0])
		c.sql += ")"
		return err
	}
	switch name := f.Path.String(); name {
	case "type", "primary":
		s, _ := f.Value.(string)
		is := name == "type" && strings.EqualFold(s, "work") || name == "primary" && (f.Value == true || strings.EqualFold(s, "true"))
		if f.Operator != scim.Equal {
			return c.unknown(f.Path)
		}
		c.sql += map[bool]string{true: "1 = 1", false: "1 = 0"}[is]
		return nil
	case "value":
		value := *f
		value.Path = scim.Path{Attribute: "emails"}
		return c.compare(&value)
	}
	return c.unknown(f.Path)
}

func (c *condition) unknown(p scim.Path) error {
	names := []string{}
	for name := range c.columns {
		names = append(names, name)
	}
	slices.Sort(names)
	return scim.Fail(400, scim.InvalidFilter, "%s cannot be asked for in this way: ask for %s", p, strings.Join(names, ", "))
}

var comparisons = map[string]string{
	scim.Equal: "=", scim.NotEqual: "<>", scim.Greater: ">", scim.GreaterOrEqual: ">=", scim.Less: "<", scim.LessOrEqual: "<=",
}

func (c *condition) compare(f *scim.Filter) error {
	name := f.Path.String()
	col, ok := c.columns[name]
	if !ok {
		return c.unknown(f.Path)
	}
	c.joined = c.joined || col.joined
	sign := comparisons[f.Operator]
	if name == "active" {
		return c.active(f)
	}
	if f.Operator == scim.Present {
		if col.time {
			c.sql += "1 = 1"
			return nil
		}
		c.sql += col.name + " <> ''"
		return nil
	}
	s, text := f.Value.(string)
	if col.time {
		at, ok := scim.Time(f.Value)
		if !ok || sign == "" {
			return scim.Fail(400, scim.InvalidFilter, "%s is compared with a time such as \"2031-01-01T00:00:00Z\", by eq, ne, gt, ge, lt or le", f.Path)
		}
		c.sql, c.args = c.sql+col.name+" "+sign+" ?", append(c.args, at)
		return nil
	}
	if !text {
		return scim.Fail(400, scim.InvalidFilter, "%s is compared with a text", f.Path)
	}
	if col.fold != nil {
		s = col.fold(s)
	}
	if strings.ContainsRune(s, 0) {
		return scim.Fail(400, scim.InvalidFilter, "%s is compared with a text", f.Path)
	}
	if sign != "" {
		c.sql, c.args = c.sql+col.name+" "+sign+" ?", append(c.args, s)
		return nil
	}
	pattern := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
	switch f.Operator {
	case scim.Contains:
		pattern = "%" + pattern + "%"
	case scim.StartsWith:
		pattern += "%"
	case scim.EndsWith:
		pattern = "%" + pattern
	default:
		return fmt.Errorf("an operator of filters that is not known: %s", f.Operator)
	}
	c.sql, c.args = c.sql+col.name+" LIKE ? ESCAPE '!'", append(c.args, pattern)
	return nil
}

func (c *condition) active(f *scim.Filter) error {
	yes := f.Value == true
	if s, ok := f.Value.(string); ok {
		yes = strings.EqualFold(s, "true")
		ok = yes || strings.EqualFold(s, "false")
		if !ok {
			f = &scim.Filter{}
		}
	}
	switch f.Operator {
	case scim.Present:
		c.sql += "1 = 1"
		return nil
	case scim.Equal:
	case scim.NotEqual:
		yes = !yes
	default:
		return scim.Fail(400, scim.InvalidFilter, "active is compared with true or false, by eq or ne")
	}
	c.sql += "users.status " + map[bool]string{true: "=", false: "<>"}[yes] + " ?"
	c.args = append(c.args, Active)
	return nil
}
