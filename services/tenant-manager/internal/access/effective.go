package access

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Point is a permission at a place.
type Point struct {
	// Permission can name an environment, such as "deployment:deploy:prd".
	Permission string
	Scope      Scope
}

// Compare orders points by permission, as [Permissions] does, and then by place,
// the wider first.
func (p Point) Compare(o Point) int {
	if p.Permission != o.Permission {
		return cmp.Or(cmp.Compare(rank(p.Permission), rank(o.Permission)), cmp.Compare(p.Permission, o.Permission))
	}
	return p.Scope.compare(o.Scope)
}

// compare orders places, the wider first.
func (s Scope) compare(o Scope) int {
	return cmp.Or(cmp.Compare(s.Project, o.Project), cmp.Compare(s.API, o.API), cmp.Compare(s.Environment, o.Environment))
}

var ranks = func() map[string]int {
	out := map[string]int{}
	for i, p := range Permissions() {
		out[p.Name] = i
	}
	return out
}()

func rank(permission string) int {
	base, _ := SplitEnvironment(permission)
	return ranks[base]
}

// Lookup is a holding by permission: for who looks at all of it, as somebody may hold
// hundreds of grants, at thousands of points. It is used by one goroutine at a time.
type Lookup struct {
	held Holding
	now  time.Time
	// kinds says which grants are of the same permissions, as those of one role are:
	// one number for each grant. of are the permissions of each number.
	kinds []int
	of    [][]string
	// grants are those that have a permission, of what was asked for so far.
	grants map[string][]Grant
}

// NewLookup returns a holding to look at, at a time. Denials that have ended by then
// are left out.
func NewLookup(h Holding, now time.Time) *Lookup {
	l := &Lookup{held: Holding{Boundaries: h.Boundaries}, now: now, grants: map[string][]Grant{}}
	numbers := map[string]int{}
	for _, g := range h.Grants {
		if g.Deny && g.Ended(now) {
			continue
		}
		same := strings.Join(g.Permissions, "\n")
		n, ok := numbers[same]
		if !ok {
			n = len(l.of)
			numbers[same], l.of = n, append(l.of, g.Permissions)
		}
		l.held.Grants, l.kinds = append(l.held.Grants, g), append(l.kinds, n)
	}
	return l
}

// having returns the grants that have a permission.
func (l *Lookup) having(permission string) []Grant {
	found, ok := l.grants[permission]
	if ok {
		return found
	}
	has := make([]bool, len(l.of))
	for n, patterns := range l.of {
		has[n] = hasOne(patterns, permission)
	}
	for i, g := range l.held.Grants {
		if has[l.kinds[i]] {
			found = append(found, g)
		}
	}
	l.grants[permission] = found
	return found
}

// Points returns, sorted, every permission and place that something which somebody
// holds is about: where a grant gives or forbids it, or did until it ended, and
// where one that forbids meets one that gives. With a place, it is those
// permissions that something is about there; environment is the slug of the
// place's, as for [Decide]. What is at no point is not allowed.
func (l *Lookup) Points(at *Scope, environment string) []Point {
	var out []Point
	for _, p := range known(l.of, l.held.Boundaries) {
		if at != nil {
			_, named := SplitEnvironment(p)
			bears := func(g Grant) bool { return at.within(g.Scope) }
			if (environment == "" || named == "") && slices.ContainsFunc(l.having(full(p, environment)), bears) {
				out = append(out, Point{p, *at})
			}
			continue
		}
		for _, s := range places(l.having(p)) {
			out = append(out, Point{p, s})
		}
	}
	slices.SortFunc(out, Point.Compare)
	return out
}

// places returns each place where one of some grants is about what they give or
// forbid, once, sorted.
func places(grants []Grant) []Scope {
	var gives, forbids, out []Scope
	for _, g := range grants {
		if g.Deny {
			forbids = append(forbids, g.Scope)
		} else {
			gives = append(gives, g.Scope)
		}
	}
	out = append(append(out, gives...), forbids...)
	for _, f := range forbids {
		for _, g := range gives {
			if f.overlaps(g) {
				out = append(out, Scope{Project: cmp.Or(f.Project, g.Project), API: cmp.Or(f.API, g.API), Environment: cmp.Or(f.Environment, g.Environment)})
			}
		}
	}
	slices.SortFunc(out, Scope.compare)
	return slices.Compact(out)
}

// known returns all permissions, and those of one environment that something which
// somebody holds names.
func known(roles [][]string, boundaries []Boundary) []string {
	var only []string
	note := func(patterns []string) {
		for _, p := range patterns {
			if _, environment := SplitEnvironment(p); environment != "" {
				only = append(only, p)
			}
		}
	}
	for _, patterns := range roles {
		note(patterns)
	}
	for _, b := range boundaries {
		note(b.Permissions)
	}
	var out []string
	for _, p := range Permissions() {
		out = append(out, p.Name)
		if !slices.Contains(inEnvironments, p.Kind) {
			continue
		}
		for _, pattern := range only {
			base, environment := SplitEnvironment(pattern)
			if name := p.Name + ":" + environment; covers(base, p.Name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// full names the environment in a permission that names none.
func full(permission, environment string) string {
	if environment == "" || strings.Count(permission, ":") > 1 {
		return permission
	}
	return permission + ":" + environment
}

// At decides as [Decide] does, and leaves out the reasons that are about something
// else: what is left is what gives it, gave it until it ended, forbids it or leaves
// it out. Of who may not sign in, it says so, and what else there is.
func (l *Lookup) At(p Point, active bool, environment string) (allowed bool, because []Reason) {
	h := Holding{Boundaries: l.held.Boundaries}
	for _, g := range l.having(full(p.Permission, environment)) {
		if p.Scope.within(g.Scope) {
			h.Grants = append(h.Grants, g)
		}
	}
	allowed, because = Decide(true, h, p.Permission, environment, p.Scope, l.now)
	because = slices.DeleteFunc(because, func(r Reason) bool { return r.Code == NoGrants })
	if !active {
		var disabled []Reason
		allowed, disabled = Decide(false, h, p.Permission, environment, p.Scope, l.now)
		because = append(disabled, because...)
	}
	return allowed, because
}

// administered are the kinds of things that administrators of an organization look
// after.
var administered = []string{"organization", "user", "group", "role", "service-account", "invitation", "sso-connection", "scim"}

// OnlyConsumes reports whether somebody uses APIs and runs none: they may do something,
// and nothing that consumers may not do.
func OnlyConsumes(h Holding, now time.Time) bool {
	may := All(h, now)
	return len(may) > 0 && !slices.ContainsFunc(may, func(permission string) bool { return !slices.Contains(consumed, permission) })
}

// consumed is what consumers may do.
var consumed = func() []string {
	r, _ := BuiltInByName(Consumer)
	return Expand(r.Permissions)
}()

// ByHandAlone reports whether a role with the permissions is given by people alone, so
// that no identity provider decides who has it: one that gives everything, or something
// of what is above organizations.
func ByHandAlone(permissions []string) bool {
	above := func(permission string) bool { return strings.HasPrefix(permission, Platform+":") }
	return slices.ContainsFunc(Expand(permissions), above) || Everything(permissions)
}

// Everything reports whether permissions are all that there are in an organization.
func Everything(permissions []string) bool {
	return !slices.ContainsFunc(Expand([]string{"*"}), func(permission string) bool { return !hasOne(permissions, permission) })
}

// Administers reports whether somebody may change anything of what decides who gets
// in and what they may do, in the whole organization or in a part of it.
func Administers(h Holding, now time.Time) bool {
	return slices.ContainsFunc(All(h, now), func(permission string) bool {
		kind, verb, _ := strings.Cut(permission, ":")
		return verb != "read" && slices.Contains(administered, kind)
	})
}
