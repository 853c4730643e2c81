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
	return cmp.Or(
		cmp.Compare(rank(p.Permission), rank(o.Permission)), cmp.Compare(p.Permission, o.Permission),
		cmp.Compare(p.Scope.Project, o.Scope.Project), cmp.Compare(p.Scope.API, o.Scope.API), cmp.Compare(p.Scope.Environment, o.Scope.Environment),
	)
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

// Points returns, sorted, every permission and place that something which somebody
// holds is about: where a grant gives or forbids it, or did until it ended, and
// where one that forbids meets one that gives. With a place, it is those
// permissions that something is about there; environment is the slug of the
// place's, as for [Decide]. What is at no point is not allowed.
func Points(h Holding, at *Scope, environment string, now time.Time) []Point {
	var out []Point
	for _, p := range known(h) {
		if at != nil {
			_, named := SplitEnvironment(p)
			if (environment == "" || named == "") && len(about(h, full(p, environment), *at, now).Grants) > 0 {
				out = append(out, Point{p, *at})
			}
			continue
		}
		for _, s := range places(h, p, now) {
			out = append(out, Point{p, s})
		}
	}
	slices.SortFunc(out, Point.Compare)
	return out
}

// places returns each place where something that somebody holds is about a
// permission, once.
func places(h Holding, permission string, now time.Time) []Scope {
	var gives, forbids, out []Scope
	for _, g := range h.Grants {
		switch {
		case !g.has(permission) || g.Deny && g.Ended(now):
		case g.Deny:
			forbids = append(forbids, g.Scope)
		default:
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
	slices.SortFunc(out, func(a, b Scope) int { return Point{Scope: a}.Compare(Point{Scope: b}) })
	return slices.Compact(out)
}

// known returns all permissions, and those of one environment that something which
// somebody holds names.
func known(h Holding) []string {
	var only []string
	note := func(patterns []string) {
		for _, p := range patterns {
			if _, environment := SplitEnvironment(p); environment != "" {
				only = append(only, p)
			}
		}
	}
	for _, g := range h.Grants {
		note(g.Permissions)
	}
	for _, b := range h.Boundaries {
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

// about returns what of a holding bears on a permission at a place: ended grants
// too, but not denials that ended.
func about(h Holding, permission string, at Scope, now time.Time) Holding {
	out := Holding{Boundaries: h.Boundaries}
	for _, g := range h.Grants {
		if g.has(permission) && at.within(g.Scope) && !(g.Deny && g.Ended(now)) {
			out.Grants = append(out.Grants, g)
		}
	}
	return out
}

// At decides as [Decide] does, and leaves out the reasons that are about something
// else: what is left is what gives it, gave it until it ended, forbids it or leaves
// it out. Of who may not sign in, it says so, and what else there is.
func (p Point) At(active bool, h Holding, environment string, now time.Time) (allowed bool, because []Reason) {
	h = about(h, full(p.Permission, environment), p.Scope, now)
	allowed, because = Decide(true, h, p.Permission, environment, p.Scope, now)
	because = slices.DeleteFunc(because, func(r Reason) bool { return r.Code == NoGrants })
	if !active {
		var disabled []Reason
		allowed, disabled = Decide(false, h, p.Permission, environment, p.Scope, now)
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
