package router

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxNearMisses is how many near misses an explanation lists.
const maxNearMisses = 5

// nearMisses collects who else could have been meant.
func (x *Index) nearMisses(r *Request, m *Match, e *Explanation) {
	var all []NearMiss
	path := m.view(r)
	owner, ownerPattern, _ := x.owner(r.Host, path)
	x.each(func(pattern string, p place) {
		if p.group == nil {
			return
		}
		if owner.group == p.group {
			all = append(all, missesInGroup(r, m, pattern, p.group)...)
			return
		}
		base := p.group.all[0].BasePath()
		near, reason := spaceMiss(r, path, pattern, base, owner, fullPattern(ownerPattern, r.Host))
		if near == 0 {
			return
		}
		for _, c := range p.group.served {
			all = append(all, NearMiss{API: c.ID(), Where: where(pattern, base), Reason: reason, near: near})
		}
	})
	slices.SortFunc(all, func(a, b NearMiss) int {
		return cmp.Or(cmp.Compare(b.near, a.near), strings.Compare(a.API, b.API), strings.Compare(a.Where, b.Where), strings.Compare(a.Operation, b.Operation))
	})
	if len(all) > maxNearMisses {
		e.Omitted = len(all) - maxNearMisses
		all = all[:maxNearMisses]
	}
	e.NearMisses = all
}

// each calls f for every place of every host pattern.
func (x *Index) each(f func(pattern string, p place)) {
	visit := func(pattern string, s *space) {
		f(pattern, s.root)
		s.bases.each(func(_ string, p place) { f(pattern, p) })
	}
	if x.any != nil {
		visit("", x.any)
	}
	x.exact.each(visit)
	x.wild.each(func(name string, s *space) { visit("*."+name, s) })
}

func where(pattern, base string) string { return hostText(pattern) + baseText(base) }

// How near a miss is, beside smaller things.
const (
	nearMethod    = 7000 // the template fits, the method does not
	nearSpecific  = 6000 // all fits, another is more specific
	nearCondition = 5000
	nearSpace     = 4000 // the API's space has the path, another's is more specific
	nearSegments  = 3000 // some segments of the template fit
	nearHost      = 2000 // the base path fits, the host does not
	nearBase      = 1000 // the host fits and some segments of the base path
)

// spaceMiss says why a place does not own the path; 0 where it is not near.
func spaceMiss(r *Request, path, pattern, base string, owner place, ownerPattern string) (near int, reason string) {
	hostFits := pattern == "" || pattern == r.Host || strings.HasPrefix(pattern, "*.") && strings.HasSuffix(r.Host, pattern[1:]) && len(r.Host) >= len(pattern)
	baseFits := path == base || strings.HasPrefix(path, base+"/")
	switch {
	case hostFits && baseFits && pattern != ownerPattern:
		return nearSpace + len(base), fmt.Sprintf("its host pattern is less specific than %s", ownerPattern)
	case hostFits && baseFits:
		return nearSpace + len(base), fmt.Sprintf("base path %s is longer", baseText(owner.group.all[0].BasePath()))
	case baseFits && base != "":
		return nearHost + len(base), fmt.Sprintf("it is served on %s only", pattern)
	case baseFits && owner.group == nil:
		return nearHost, fmt.Sprintf("it is served on %s only", pattern)
	case hostFits && owner.group == nil:
		if base != "" && strings.HasPrefix(path, base) {
			return nearBase + 500, fmt.Sprintf("base path %s ends within a segment of the path; whole segments have to be the same", base)
		}
		same := 0
		want, have := strings.Split(base, "/")[1:], strings.Split(path, "/")[1:]
		for same < len(want) && same < len(have) && want[same] == have[same] {
			same++
		}
		if same == len(have) {
			return nearBase + same, fmt.Sprintf("the path ends before segment %d of the base path, %q", same+1, want[same])
		}
		if same > 0 {
			return nearBase + same, fmt.Sprintf("segment %d of the base path is %q, not %q", same+1, want[same], have[same])
		}
	}
	return 0, ""
}

// missesInGroup tells of the other APIs of the place and of the other
// operations of the API.
func missesInGroup(r *Request, m *Match, pattern string, g *group) (out []NearMiss) {
	for _, c := range g.all {
		at := where(pattern, c.BasePath())
		switch {
		case c == m.API:
			if m.Outcome != BadPath {
				out = append(out, operationMisses(r, m)...)
			}
		case !slices.Contains(g.served, c):
			i := slices.IndexFunc(g.served, func(s *Compiled) bool { return s.condKey == c.condKey })
			out = append(out, NearMiss{API: c.ID(), Where: at, near: nearCondition, Reason: fmt.Sprintf("it is in conflict with API %s and not served here", g.served[i].ID())})
		default:
			reason := "no API is served"
			if m.API != nil && len(m.API.conditions) > len(c.conditions) {
				reason = "API " + m.API.ID() + " goes before it: it has more conditions"
			} else if m.API != nil {
				reason = "API " + m.API.ID() + " goes before it: as many conditions, and first in the order of their text"
			}
			for i := range c.conditions {
				if !c.conditions[i].holds(r) {
					reason = "condition does not hold: " + c.conditions[i].text
					break
				}
			}
			out = append(out, NearMiss{API: c.ID(), Where: at, near: nearCondition, Reason: reason})
		}
	}
	return out
}

// operationMisses tells how far the operations of the API fit.
func operationMisses(r *Request, m *Match) (out []NearMiss) {
	c := m.API
	relative := m.Path[len(c.BasePath()):]
	if relative == "" {
		relative = "/"
	}
	have := strings.Split(relative[1:], "/")
	for i, op := range c.api.Operations {
		if i == m.Operation {
			continue
		}
		miss := NearMiss{API: c.ID(), Operation: op.ID, Where: methodText(op.Method) + " " + c.Template(i)}
		t, err := parseTemplate(op.Path) // not kept: only explanations need it
		if err != nil {
			continue
		}
		if c.api.IgnoreTrailingSlash {
			t.trimSlash()
		}
		same, reason := t.compare(have, strings.Count(c.BasePath(), "/"), c.api.IgnoreTrailingSlash)
		methodFits := op.Method == r.Method || op.Method == "" || op.Method == "*" || op.Method == "GET" && r.Method == "HEAD"
		switch {
		case reason == "" && !methodFits:
			miss.near, miss.Reason = nearMethod, "the path fits, the method does not: it is for "+methodText(op.Method)
		case reason == "" && m.Operation >= 0:
			miss.near, miss.Reason = nearSpecific, fmt.Sprintf("it fits, but %s %s is more specific", methodText(c.api.Operations[m.Operation].Method), c.Template(m.Operation))
		case same > 0 || m.Outcome == NoPath:
			miss.near, miss.Reason = nearSegments+same, reason
		default:
			continue
		}
		out = append(out, miss)
	}
	return out
}

func methodText(method string) string {
	if method == "" {
		return "*"
	}
	return method
}

// compare says how many segments fit before the first that does not, and why
// that one does not: "" where all fit. Segments are counted from 1, those of
// the base path included.
func (t *template) compare(have []string, depth int, ignoreTrailing bool) (same int, reason string) {
	for i, s := range t.segments {
		if i == len(have) {
			if s.kind == rest && ignoreTrailing {
				return i, ""
			}
			return i, fmt.Sprintf("the path ends before segment %d of the template, %q", depth+i+1, s)
		}
		switch {
		case s.kind == rest:
			return i, ""
		case s.kind == literal && s.text != have[i]:
			return i, fmt.Sprintf("segment %d is %q, not %q", depth+i+1, s, have[i])
		case s.kind == param && have[i] == "":
			return i, fmt.Sprintf("segment %d is empty, and a parameter never is", depth+i+1)
		case s.kind == affixed && (len(have[i]) <= len(s.text)+len(s.suffix) || !strings.HasPrefix(have[i], s.text) || !strings.HasSuffix(have[i], s.suffix) || cutsEscape(have[i][:len(have[i])-len(s.suffix)])):
			return i, fmt.Sprintf("segment %d has to be %q, and %q does not fit", depth+i+1, s, have[i])
		}
	}
	n := len(t.segments)
	if len(have) > n && !(ignoreTrailing && len(have) == n+1 && have[n] == "") {
		if have[n] == "" && len(have) == n+1 {
			return n, "the path has a slash at its end, which the template has not"
		}
		return n, fmt.Sprintf("the path goes on after the template, with %q", have[n])
	}
	return n, ""
}

// cutsEscape reports whether s ends within a percent-escape.
func cutsEscape(s string) bool {
	at := strings.LastIndexByte(s, '%')
	return at >= 0 && at > len(s)-3
}

// String returns the segment as it is written in a template.
func (s segment) String() string {
	switch s.kind {
	case literal:
		return s.text
	case rest:
		if s.name == "*" {
			return "*"
		}
		return "{" + s.name + "...}"
	default:
		return s.text + "{" + s.name + "}" + s.suffix
	}
}
