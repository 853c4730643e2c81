package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// answer finds the operation of a request, and does it.
func (c *scimCall) answer(ctx context.Context, r *http.Request) (scimAnswer, error) {
	kind, id, _ := strings.Cut(strings.Trim(strings.TrimPrefix(r.URL.Path, scimPath), "/"), "/")
	if err := c.read(r); err != nil {
		return scimAnswer{}, err
	}
	switch kind {
	case "ServiceProviderConfig", "ResourceTypes", "Schemas":
		return c.discovery(r, kind, id)
	case "Users":
		return c.resources(ctx, r, users{c}, id)
	case "Groups":
		return c.resources(ctx, r, groups{c}, id)
	case "", ".search":
		return c.everything(ctx, r, kind)
	case "Bulk", "Me":
		return scimAnswer{}, scim.Fail(http.StatusNotImplemented, "", "%s is not supported: see /ServiceProviderConfig", kind)
	}
	return scimAnswer{}, scim.Fail(http.StatusNotFound, "", "there is nothing at this address: see /ResourceTypes")
}

// read reads what every request can have.
func (c *scimCall) read(r *http.Request) error {
	q := r.URL.Query()
	var err error
	if c.sel.Only, err = scim.ParseNames(q.Get("attributes")); err != nil {
		return err
	}
	if c.sel.Without, err = scim.ParseNames(q.Get("excludedAttributes")); err != nil {
		return err
	}
	if len(c.sel.Only) > 0 && len(c.sel.Without) > 0 {
		return scim.Fail(http.StatusBadRequest, scim.InvalidValue, "attributes and excludedAttributes cannot be used together")
	}
	c.match = r.Header.Get("If-Match")
	return nil
}

// discovery says what there is (RFC 7644 section 4).
func (c *scimCall) discovery(r *http.Request, kind, id string) (scimAnswer, error) {
	if r.Method != http.MethodGet {
		return scimAnswer{}, scim.Fail(http.StatusMethodNotAllowed, "", "%s is only read", kind)
	}
	if r.URL.Query().Get("filter") != "" {
		return scimAnswer{}, scim.Fail(http.StatusForbidden, "", "%s takes no filter", kind)
	}
	if kind == "ServiceProviderConfig" {
		return scimAnswer{http.StatusOK, scim.Config(c.base)}, nil
	}
	var all []map[string]any
	for _, t := range scim.Types() {
		if kind == "ResourceTypes" {
			all = append(all, t.ResourceType(c.base))
			continue
		}
		all = append(all, t.Core.Describe(c.base))
		if t.Extension.ID != "" {
			all = append(all, t.Extension.Describe(c.base))
		}
	}
	if id == "" {
		return scimAnswer{http.StatusOK, scim.List{Total: int64(len(all)), Start: 1, Resources: all}}, nil
	}
	for _, one := range all {
		if one["id"] == id {
			return scimAnswer{http.StatusOK, one}, nil
		}
	}
	return scimAnswer{}, errSCIMNone
}

// everything lists users and then groups (RFC 7644 sections 3.4.2.1 and 3.4.3).
// Those that lack what the filter asks for are none.
func (c *scimCall) everything(ctx context.Context, r *http.Request, kind string) (scimAnswer, error) {
	s, err := searchOf(r.URL.Query().Get), error(nil)
	switch {
	case kind == "" && r.Method == http.MethodGet:
	case kind != "" && r.Method == http.MethodPost:
		s, err = c.search(r)
	default:
		err = scim.Fail(http.StatusMethodNotAllowed, "", "%s cannot be used here", r.Method)
	}
	if err != nil {
		return scimAnswer{}, err
	}
	start, count, filter, err := s.page()
	if err != nil {
		return scimAnswer{}, err
	}
	out := scim.List{Start: start}
	var unknown []error
	kinds := []scimKind{users{c}, groups{c}}
	for _, k := range kinds {
		ask := store.SCIMQuery{
			Directory: c.dir.ID, Kind: k.kind(), Filter: filter, Skip: max(start-1-int(out.Total), 0), Limit: count - len(out.Resources),
		}
		some, total, err := c.some(ctx, k, ask)
		var e *scim.Error
		if errors.As(err, &e) {
			unknown = append(unknown, err)
			continue
		}
		if err != nil {
			return scimAnswer{}, err
		}
		out.Total += total
		out.Resources = append(out.Resources, some...)
	}
	if len(unknown) == len(kinds) {
		return scimAnswer{}, unknown[0]
	}
	return scimAnswer{http.StatusOK, out}, nil
}

// scimKind is users or groups.
type scimKind interface {
	kind() string
	about() scim.Type
	// represent returns resources as they are sent.
	represent(ctx context.Context, rows []store.SCIMResource) ([]map[string]any, error)
	create(ctx context.Context, in map[string]any) (id string, err error)
	// update changes what a directory says of one, as change does with it.
	update(ctx context.Context, id string, change func(now map[string]any) (map[string]any, error)) error
	remove(ctx context.Context, id string) error
}

// resources does the operations on users or groups.
func (c *scimCall) resources(ctx context.Context, r *http.Request, k scimKind, id string) (scimAnswer, error) {
	switch {
	case id == "" && r.Method == http.MethodGet:
		return c.list(ctx, k, searchOf(r.URL.Query().Get))
	case id == ".search" && r.Method == http.MethodPost:
		s, err := c.search(r)
		if err != nil {
			return scimAnswer{}, err
		}
		return c.list(ctx, k, s)
	case id == "" && r.Method == http.MethodPost:
		in, err := body(r)
		if err != nil {
			return scimAnswer{}, err
		}
		if in, err = k.about().Read(in); err != nil {
			return scimAnswer{}, err
		}
		made, err := k.create(ctx, in)
		if err != nil {
			return scimAnswer{}, err
		}
		return c.one(ctx, k, made, http.StatusCreated)
	case id == "" || strings.Contains(id, "/") || id == ".search":
	case r.Method == http.MethodGet:
		return c.one(ctx, k, id, http.StatusOK)
	case r.Method == http.MethodPut, r.Method == http.MethodPatch:
		return c.change(ctx, r, k, id)
	case r.Method == http.MethodDelete:
		return scimAnswer{status: http.StatusNoContent}, k.remove(ctx, id)
	}
	return scimAnswer{}, scim.Fail(http.StatusMethodNotAllowed, "", "%s cannot be used here", r.Method)
}

func body(r *http.Request) (map[string]any, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return scim.Object(b)
}

// one answers with a user or group.
func (c *scimCall) one(ctx context.Context, k scimKind, id string, status int) (scimAnswer, error) {
	row, err := c.org.SCIMResource(ctx, c.dir.ID, k.kind(), id)
	if err != nil {
		return scimAnswer{}, err
	}
	out, err := k.represent(ctx, []store.SCIMResource{row})
	if err != nil {
		return scimAnswer{}, err
	}
	if len(out) == 0 {
		return scimAnswer{}, errSCIMNone
	}
	return scimAnswer{status, out[0]}, nil
}

// change replaces or patches a user or group.
func (c *scimCall) change(ctx context.Context, r *http.Request, k scimKind, id string) (scimAnswer, error) {
	t := k.about()
	var how func(map[string]any) (map[string]any, error)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return scimAnswer{}, err
	}
	if r.Method == http.MethodPut {
		in, err := scim.Object(b)
		if err != nil {
			return scimAnswer{}, err
		}
		if in, err = t.Read(in); err != nil {
			return scimAnswer{}, err
		}
		how = func(map[string]any) (map[string]any, error) { return in, nil }
	} else {
		patch, err := scim.ParsePatch(b)
		if err != nil {
			return scimAnswer{}, err
		}
		how = func(now map[string]any) (map[string]any, error) {
			next := scim.Clone(now)
			return next, t.Patch(next, patch)
		}
	}
	if err := k.update(ctx, id, how); err != nil {
		return scimAnswer{}, err
	}
	// A group that was patched may have very many members (RFC 7644 section 3.5.2).
	if r.Method == http.MethodPatch && k.kind() == store.KindGroup && len(c.sel.Only) == 0 {
		return scimAnswer{status: http.StatusNoContent}, nil
	}
	return c.one(ctx, k, id, http.StatusOK)
}

// matches returns an error where If-Match names another version.
func (c *scimCall) matches(version int64) error {
	if c.match == "" || strings.TrimSpace(c.match) == "*" {
		return nil
	}
	for tag := range strings.SplitSeq(c.match, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == db.ETag(version) {
			return nil
		}
	}
	return scim.Fail(http.StatusPreconditionFailed, "", "it has the version W/%s now: read it again, and repeat the change", db.ETag(version))
}

// meta is what every resource says of itself (RFC 7643 section 3.1).
func (c *scimCall) meta(t scim.Type, s store.Stored, since time.Time) map[string]any {
	return map[string]any{
		"resourceType": t.Name, "created": since.UTC().Format(time.RFC3339Nano), "lastModified": s.UpdatedAt.UTC().Format(time.RFC3339Nano),
		"version": "W/" + db.ETag(s.Version), "location": c.base + t.Endpoint + "/" + s.ID,
	}
}

// tx makes changes, one after the other in an organization: rules about owners are
// about more than one row.
func (c *scimCall) tx(ctx context.Context, fn func(tx *store.Tx) error) error {
	if c.within != nil {
		return fn(c.within) // the organization is locked
	}
	return c.h.store.Tx(ctx, c.org.ID(), c.dir.ID, func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (c *scimCall) actor() audit.Actor {
	return audit.Actor{Kind: "scim-token", ID: c.token.ID, Name: c.dir.Name}
}

// record puts an entry of the audit trail into a transaction; of a rehearsal, what
// would have been done is kept instead.
func (c *scimCall) record(ctx context.Context, tx *store.Tx, action, kind, id, name string, before, after any) error {
	if c.within != nil {
		c.deeds = append(c.deeds, scimDeed{action, kind, id, name, before, after})
		return nil
	}
	return c.h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: kind, ID: id, Name: name}, Before: before, After: after, Organization: tx.ID(), Actor: c.actor(),
	})
}

// refused tells the audit trail what was refused, and why.
func (c *scimCall) refused(ctx context.Context, r *scimRefusal) error {
	return c.h.store.Tx(ctx, c.org.ID(), c.dir.ID, func(tx *store.Tx) error {
		return c.h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: "scim-directory.change", Target: audit.Target{Kind: "scim-directory", ID: c.dir.ID, Name: c.dir.Name}, Refused: true,
			Organization: tx.ID(), Actor: c.actor(),
			After: struct {
				About  string `json:"about"`
				Reason string `json:"reason"`
			}{r.about, r.answer.Detail},
		})
	})
}

// scimSearch is what a list is asked for.
type scimSearch struct {
	filter       string
	start, count string
}

func searchOf(get func(string) string) scimSearch {
	return scimSearch{get("filter"), get("startIndex"), get("count")}
}

// search reads a search (RFC 7644 section 3.4.3).
func (c *scimCall) search(r *http.Request) (scimSearch, error) {
	in, err := body(r)
	if err != nil {
		return scimSearch{}, err
	}
	names := func(name string) string {
		list, _ := in[name].([]any)
		var out []string
		for _, x := range list {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return strings.Join(out, ",")
	}
	if c.sel.Only, err = scim.ParseNames(names("attributes")); err != nil {
		return scimSearch{}, err
	}
	if c.sel.Without, err = scim.ParseNames(names("excludedAttributes")); err != nil {
		return scimSearch{}, err
	}
	return searchOf(func(name string) string {
		switch v := in[name].(type) {
		case string:
			return v
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return ""
	}), nil
}

// scimPage is how many a page has where nothing is said of it.
const scimPage = 100

// page reads the numbers of a page (RFC 7644 section 3.4.2.4), and the filter.
func (s scimSearch) page() (start, count int, filter *scim.Filter, err error) {
	start, count = 1, scimPage
	for _, n := range []struct {
		name, value string
		to          *int
	}{{"startIndex", s.start, &start}, {"count", s.count, &count}} {
		if n.value == "" {
			continue
		}
		v, err := strconv.ParseInt(n.value, 10, 32)
		if err != nil {
			return 0, 0, nil, scim.Fail(http.StatusBadRequest, scim.InvalidValue, "%s is a number", n.name)
		}
		*n.to = int(v)
	}
	if strings.TrimSpace(s.filter) != "" {
		filter, err = scim.ParseFilter(s.filter)
	}
	return max(start, 1), min(max(count, 0), scim.MostResults), filter, err
}

// list answers with a page of users or groups.
func (c *scimCall) list(ctx context.Context, k scimKind, s scimSearch) (scimAnswer, error) {
	start, count, filter, err := s.page()
	if err != nil {
		return scimAnswer{}, err
	}
	some, total, err := c.some(ctx, k, store.SCIMQuery{Directory: c.dir.ID, Kind: k.kind(), Filter: filter, Skip: start - 1, Limit: count})
	return scimAnswer{http.StatusOK, scim.List{Total: total, Start: start, Resources: some}}, err
}

// some returns a part of the users or groups, as they are asked for.
func (c *scimCall) some(ctx context.Context, k scimKind, ask store.SCIMQuery) ([]map[string]any, int64, error) {
	rows, total, err := c.org.SCIMResources(ctx, ask)
	if err != nil {
		return nil, 0, err
	}
	out, err := k.represent(ctx, rows)
	for i := range out {
		out[i] = c.sel.Of(k.about(), out[i])
	}
	return out, total, err
}
