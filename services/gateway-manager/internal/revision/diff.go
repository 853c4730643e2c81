package revision

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
)

// The kinds of change.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// The areas of change.
const (
	AreaOperation   = "operation"
	AreaSchema      = "schema"
	AreaRouting     = "routing"
	AreaUpstream    = "upstream"
	AreaPolicy      = "policy"
	AreaPlan        = "plan"
	AreaInformation = "information"
)

// Change is one difference between two contents.
type Change struct {
	Kind, Area string
	// Path is where, such as "GET /pets/{id}".
	Path string
	// Summary is a sentence for people.
	Summary string
	// Before and After are the values, where they are short.
	Before, After string
	// Breaking says that callers who are right today may fail with it.
	Breaking bool
}

// maxChanges bounds a list of changes.
const maxChanges = 1000

// State is a content with its OpenAPI document.
type State struct {
	Content
	// OpenAPI is the document; nil = none.
	OpenAPI []byte
}

// Diff says what is different between two states, in the order in which somebody
// wants to know it: what breaks callers first.
func Diff(before, after *State) []Change {
	d := &differ{}
	d.information(before, after)
	d.routing(before, after)
	d.upstreams(before.Upstreams, after.Upstreams)
	d.operations(before, after)
	d.policies("the API", "/policies", before.Effective.API, after.Effective.API)
	d.operationPolicies(before, after)
	d.plans(before.Effective.Plans, after.Effective.Plans)
	slices.SortStableFunc(d.changes, func(a, b Change) int {
		return rank(b) - rank(a)
	})
	return d.changes
}

func rank(c Change) int {
	if c.Breaking {
		return 1
	}
	return 0
}

type differ struct{ changes []Change }

func (d *differ) add(c Change, summary string, args ...any) {
	if len(d.changes) >= maxChanges {
		return
	}
	c.Summary = fmt.Sprintf(summary, args...)
	c.Before, c.After = short(c.Before), short(c.After)
	d.changes = append(d.changes, c)
}

func short(s string) string {
	if len(s) > 2000 {
		return strings.ToValidUTF8(s[:2000], "") + "…"
	}
	return s
}

func (d *differ) information(a, b *State) {
	for _, f := range []struct{ path, what, before, after string }{
		{"/name", "name", a.Name, b.Name},
		{"/apiVersion", "version", a.APIVersion, b.APIVersion},
		{"/description", "description", a.Description, b.Description},
	} {
		if f.before == f.after {
			continue
		}
		c := Change{Kind: Changed, Area: AreaInformation, Path: f.path, Before: f.before, After: f.after}
		switch {
		case f.what == "description":
			d.add(c, "The description changes.")
		case f.before == "":
			d.add(c, "The %s is now %q.", f.what, f.after)
		default:
			d.add(c, "The %s changes from %q to %q.", f.what, f.before, f.after)
		}
	}
}

func (d *differ) routing(a, b *State) {
	if a.BasePath != b.BasePath {
		d.add(Change{Kind: Changed, Area: AreaRouting, Path: "/basePath", Before: a.BasePath, After: b.BasePath, Breaking: true},
			"The base path moves from %s to %s: callers of the old one get 404.", a.BasePath, b.BasePath)
	}
	for _, h := range a.Hosts {
		if !slices.Contains(b.Hosts, h) && len(b.Hosts) > 0 {
			d.add(Change{Kind: Removed, Area: AreaRouting, Path: "/hosts", Before: h, Breaking: true}, "It no longer answers for the host %s.", h)
		}
	}
	switch {
	case len(a.Hosts) == 0 && len(b.Hosts) > 0:
		d.add(Change{Kind: Changed, Area: AreaRouting, Path: "/hosts", After: strings.Join(b.Hosts, ", "), Breaking: true}, "It answers for %s only, and no longer for any host.", strings.Join(b.Hosts, ", "))
	case len(a.Hosts) > 0 && len(b.Hosts) == 0:
		d.add(Change{Kind: Changed, Area: AreaRouting, Path: "/hosts", Before: strings.Join(a.Hosts, ", ")}, "It now answers for any host.")
	default:
		for _, h := range b.Hosts {
			if !slices.Contains(a.Hosts, h) {
				d.add(Change{Kind: Added, Area: AreaRouting, Path: "/hosts", After: h}, "It now answers for the host %s, too.", h)
			}
		}
	}
	if a.StripPath != b.StripPath {
		how := "is no longer removed"
		if b.StripPath {
			how = "is now removed"
		}
		d.add(Change{Kind: Changed, Area: AreaRouting, Path: "/stripPath", Before: fmt.Sprint(a.StripPath), After: fmt.Sprint(b.StripPath)},
			"The base path %s before requests are sent on.", how)
	}
	if a.Paths != b.Paths {
		d.add(Change{Kind: Changed, Area: AreaRouting, Path: "/paths", Before: text(a.Paths), After: text(b.Paths)}, "How strictly paths are taken changes.")
	}
}

func targets(u unit.Upstream) string {
	list := make([]string, len(u.Targets))
	for i, t := range u.Targets {
		list[i] = t.URL
	}
	return strings.Join(list, ", ")
}

func (d *differ) upstreams(a, b []unit.Upstream) {
	before, after := byName(a, func(u unit.Upstream) string { return u.Name }), byName(b, func(u unit.Upstream) string { return u.Name })
	for _, name := range names(before, after) {
		old, was := before[name]
		now, is := after[name]
		c := Change{Area: AreaUpstream, Path: "/upstreams/" + name, Before: targets(old), After: targets(now)}
		switch {
		case !was:
			c.Kind = Added
			d.add(c, "There is a new upstream %q: %s.", name, targets(now))
		case !is:
			c.Kind = Removed
			d.add(c, "The upstream %q is gone.", name)
		case targets(old) != targets(now):
			c.Kind = Changed
			d.add(c, "The upstream %q is now at %s, and no longer at %s.", name, targets(now), targets(old))
		default:
			masked := MaskKeys([]unit.Upstream{old, now})
			if c.Before, c.After = text(masked[0]), text(masked[1]); text(old) != text(now) {
				c.Kind = Changed
				d.add(c, "The settings of the upstream %q change.", name)
			}
		}
	}
	if len(a) > 0 && len(b) > 0 && a[0].Name != b[0].Name {
		d.add(Change{Kind: Changed, Area: AreaUpstream, Path: "/upstreams", Before: a[0].Name, After: b[0].Name}, "The default upstream is now %q.", b[0].Name)
	}
}

func (d *differ) operations(a, b *State) {
	key := func(o document.Operation) string { return o.Method + " " + o.Path }
	before, after := byName(a.Operations, key), byName(b.Operations, key)
	if len(a.Operations) == 0 != (len(b.Operations) == 0) {
		if len(a.Operations) == 0 {
			d.add(Change{Kind: Changed, Area: AreaOperation, Path: "/operations", Breaking: true}, "Only %d operations exist now, where any method and path was sent on before.", len(b.Operations))
		} else {
			d.add(Change{Kind: Changed, Area: AreaOperation, Path: "/operations"}, "Any method and path is sent on now, where only %d operations existed before.", len(a.Operations))
		}
		return
	}
	for _, k := range names(before, after) {
		old, was := before[k]
		now, is := after[k]
		c := Change{Area: AreaOperation, Path: k}
		switch {
		case !was:
			c.Kind, c.After = Added, now.Summary
			d.add(c, "%s is new.", k)
			continue
		case !is:
			c.Kind, c.Before, c.Breaking = Removed, old.Summary, true
			d.add(c, "%s is gone: its callers get 404 or 405.", k)
			continue
		}
		c.Kind = Changed
		if old.ID != now.ID {
			c.Before, c.After = old.ID, now.ID
			d.add(c, "%s is now called %q, and no longer %q: policies of the operation go by that name.", k, now.ID, old.ID)
		}
		if old.Deprecated != now.Deprecated {
			c.Before, c.After = "", ""
			if now.Deprecated {
				d.add(c, "%s is now deprecated.", k)
			} else {
				d.add(c, "%s is no longer deprecated.", k)
			}
		}
		if old.Upstream != now.Upstream {
			c.Before, c.After = old.Upstream, now.Upstream
			d.add(c, "%s is sent to another upstream.", k)
		}
	}
	if a.Document != b.Document {
		d.documents(a.OpenAPI, b.OpenAPI)
	}
}

// policyNames tells policies of a list apart.
func policyNames(list []unit.Policy) map[string]unit.Policy {
	out := make(map[string]unit.Policy, len(list))
	for _, p := range list {
		name := p.Type
		if p.Set != "" {
			name = "policy set " + p.Set
		}
		if p.Name != "" {
			name += " (" + p.Name + ")"
		}
		for base, n := name, 2; ; n++ {
			if _, taken := out[name]; !taken {
				break
			}
			name = fmt.Sprintf("%s #%d", base, n)
		}
		out[name] = p
	}
	return out
}

func (d *differ) policies(of, at string, a, b []unit.Policy) {
	before, after := policyNames(a), policyNames(b)
	for _, name := range names(before, after) {
		old, was := before[name]
		now, is := after[name]
		c := Change{Area: AreaPolicy, Path: at + "/" + name}
		switch {
		case !was:
			c.Kind, c.After = Added, string(now.Config)
			d.add(c, "The policy %s of %s is new.", name, of)
		case !is:
			c.Kind, c.Before = Removed, string(old.Config)
			d.add(c, "The policy %s of %s is gone.", name, of)
		case !sameJSON(old.Config, now.Config):
			c.Kind, c.Before, c.After = Changed, string(old.Config), string(now.Config)
			d.add(c, "The policy %s of %s is configured differently.", name, of)
		case old.When != now.When:
			c.Kind, c.Before, c.After = Changed, old.When, now.When
			d.add(c, "The condition of the policy %s of %s changes.", name, of)
		}
	}
	if sameKeys(before, after) && order(a) != order(b) {
		d.add(Change{Kind: Changed, Area: AreaPolicy, Path: at, Before: order(a), After: order(b)}, "The policies of %s are in another order.", of)
	}
}

func order(list []unit.Policy) string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.Type + p.Set
		if p.Name != "" {
			out[i] += " (" + p.Name + ")"
		}
	}
	return strings.Join(out, ", ")
}

func sameKeys[V any](a, b map[string]V) bool {
	return maps.EqualFunc(a, b, func(V, V) bool { return true })
}

func (d *differ) operationPolicies(a, b *State) {
	for _, id := range names(a.Effective.Operations, b.Effective.Operations) {
		d.policies("operation "+id, "/operations/"+id+"/policies", a.Effective.Operations[id], b.Effective.Operations[id])
	}
}

func (d *differ) plans(a, b []policy.Plan) {
	before, after := byName(a, func(p policy.Plan) string { return p.ID }), byName(b, func(p policy.Plan) string { return p.ID })
	for _, id := range names(before, after) {
		old, was := before[id]
		now, is := after[id]
		c := Change{Area: AreaPlan, Path: "/plans/" + old.Slug}
		switch {
		case !was:
			c.Kind, c.Path = Added, "/plans/"+now.Slug
			d.add(c, "There is a new plan %q (%s)%s.", now.Name, now.Security, limits(now))
			continue
		case !is:
			c.Kind, c.Breaking = Removed, true
			d.add(c, "The plan %q is gone: its subscribers are refused.", old.Name)
			continue
		}
		c.Kind = Changed
		if old.Security != now.Security || text(old.Unit.Security) != text(now.Unit.Security) {
			c.Before, c.After, c.Breaking = old.Security, now.Security, true
			d.add(c, "Callers of the plan %q identify themselves differently.", now.Name)
			c.Breaking = false
		}
		if !slices.Equal(old.Limits, now.Limits) {
			c.Before, c.After = strings.Join(old.Limits, ", "), strings.Join(now.Limits, ", ")
			d.add(c, "The limits of the plan %q change from %s to %s.", now.Name, orNone(c.Before), orNone(c.After))
		}
		if old.Unit.When != now.Unit.When {
			c.Before, c.After = old.Unit.When, now.Unit.When
			d.add(c, "The condition of the plan %q changes.", now.Name)
		}
		if old.Status != now.Status {
			c.Before, c.After = old.Status, now.Status
			d.add(c, "The plan %q is now %s.", now.Name, now.Status)
		}
		if slices.Equal(old.Limits, now.Limits) {
			d.policies(fmt.Sprintf("the plan %q", now.Name), c.Path+"/policies", old.Unit.Policies, now.Unit.Policies)
		}
	}
}

func limits(p policy.Plan) string {
	if len(p.Limits) == 0 {
		return ", without limits"
	}
	return ": " + strings.Join(p.Limits, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// sameJSON compares configurations by what they say.
func sameJSON(a, b unit.Raw) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errA := unit.Canonical(a)
	y, errB := unit.Canonical(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func byName[T any](list []T, name func(T) string) map[string]T {
	out := make(map[string]T, len(list))
	for _, e := range list {
		out[name(e)] = e
	}
	return out
}

// names are the keys of both, sorted.
func names[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
