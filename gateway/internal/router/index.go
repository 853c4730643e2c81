package router

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// Index is an immutable set of compiled APIs, made to be asked by many
// goroutines at once. The order in which APIs are given to it never matters.
type Index struct {
	seed  maphash.Seed
	exact table[*space]
	wild  table[*space] // by the name without "*."
	any   *space

	conflicts []Conflict
}

// space has the APIs of one host pattern, by base path.
type space struct {
	depths uint32 // a bit for each depth that some base path has
	root   place  // of the base path "/"
	bases  table[place]
	counts [MaxBaseDepth + 1]int32
}

// place is one base path on one host pattern, and who has it.
type place struct {
	// only is the API where there is a single one without conditions, and form
	// its form, so that a match need not load the API to get there.
	only  *Compiled
	form  form
	group *group
}

// group has the APIs of one place.
type group struct {
	// served is who may be chosen, in the order in which they are asked.
	served []*Compiled
	// all has also those that are in conflict with one that is served.
	all []*Compiled
}

// Conflict says that two APIs claim the same requests. The first, by ID, is
// served; the other is not served at this place. Its other hosts are not
// touched.
type Conflict struct {
	// Host is the pattern that both have; "" = any host.
	Host string `json:"host"`
	// BasePath is the canonical base path; "/" = the root.
	BasePath string `json:"basePath"`
	// Conditions describe the conditions that both have; "" = none.
	Conditions string `json:"conditions,omitempty"`
	// Served and Refused are the IDs of the APIs.
	Served  string `json:"served"`
	Refused string `json:"refused"`
}

// Error says who is in conflict, where, and what to do.
func (c Conflict) Error() string {
	text := fmt.Sprintf("API %s is not served on %s%s: API %s has the same host and base path", c.Refused, hostText(c.Host), c.BasePath, c.Served)
	if c.Conditions != "" {
		text += ", and the same conditions (" + c.Conditions + ")"
	} else {
		text += ", and neither has conditions"
	}
	return text + "; give one of them another base path, another host, or conditions"
}

func hostText(pattern string) string {
	if pattern == "" {
		return "any host, "
	}
	return pattern
}

// Build makes an index. The conflicts are sorted by host, base path and ID.
func Build(apis []*Compiled) (*Index, []Conflict) {
	return (&Index{seed: maphash.MakeSeed()}).Update(nil, apis)
}

// change is one API coming to or leaving one place.
type change struct {
	host, base string
	api        *Compiled
	remove     bool
}

// Update returns an index without the removed and with the added APIs, and all
// conflicts in it. The receiver stays as it is; what does not change is shared.
// Removed APIs are told by their pointers; those that are not in the index are
// passed over, as are added ones that are in it already.
func (x *Index) Update(removed, added []*Compiled) (*Index, []Conflict) {
	changes := make([]change, 0, len(removed)+len(added))
	for i, apis := range [...][]*Compiled{removed, added} {
		for _, c := range apis {
			if len(c.hosts) == 0 {
				changes = append(changes, change{"", c.BasePath(), c, i == 0})
			}
			for _, host := range c.hosts {
				changes = append(changes, change{host, c.BasePath(), c, i == 0})
			}
		}
	}
	out := *x
	if len(changes) == 0 {
		return &out, slices.Clone(out.conflicts)
	}
	slices.SortStableFunc(changes, func(a, b change) int {
		return cmp.Or(strings.Compare(a.host, b.host), strings.Compare(a.base, b.base))
	})
	var (
		exact, wild []edit[*space]
		found       []Conflict
	)
	for run := range runs(changes, func(c *change) string { return c.host }) {
		host := run[0].host
		old := x.space(host)
		s, conflicts := old.with(x.seed, run)
		found = append(found, conflicts...)
		e := edit[*space]{key: host, val: s, remove: s == nil}
		switch name, isWild := strings.CutPrefix(host, "*."); {
		case host == "":
			out.any = s
		case isWild:
			e.key = name
			wild = append(wild, e)
		default:
			exact = append(exact, e)
		}
	}
	if len(exact) > 0 {
		out.exact = x.exact.with(x.seed, exact)
	}
	if len(wild) > 0 {
		out.wild = x.wild.with(x.seed, wild)
	}
	out.conflicts = mergeConflicts(x.conflicts, found, changes)
	return &out, slices.Clone(out.conflicts)
}

// Conflicts returns all conflicts in the index.
func (x *Index) Conflicts() []Conflict { return slices.Clone(x.conflicts) }

// space returns the space of exactly this host pattern, or nil.
func (x *Index) space(pattern string) *space {
	if pattern == "" {
		return x.any
	}
	if name, ok := strings.CutPrefix(pattern, "*."); ok {
		s, _ := x.wild.get(x.seed, name)
		return s
	}
	s, _ := x.exact.get(x.seed, pattern)
	return s
}

// with returns the space with the changes made, nil where nothing is left, and
// the conflicts at the places that were changed.
func (s *space) with(seed maphash.Seed, changes []change) (*space, []Conflict) {
	var out space
	if s != nil {
		out = *s
	}
	var (
		edits     []edit[place]
		conflicts []Conflict
	)
	for run := range runs(changes, func(c *change) string { return c.base }) {
		base := run[0].base
		depth := strings.Count(base, "/")
		old := out.root
		if depth > 0 {
			old, _ = out.bases.get(seed, base)
		}
		now := old.with(run)
		if depth == 0 {
			out.root = now
		} else if now.group != nil || old.group != nil {
			// The key is a part of the API's form, so that comparing it loads
			// what the match needs next.
			if now.group != nil {
				base = now.group.all[0].BasePath()
			}
			edits = append(edits, edit[place]{key: base, val: now, remove: now.group == nil})
		}
		if old.group == nil && now.group != nil {
			out.counts[depth]++
		} else if old.group != nil && now.group == nil {
			out.counts[depth]--
		}
		conflicts = append(conflicts, now.conflicts(run[0].host)...)
	}
	if len(edits) > 0 {
		out.bases = out.bases.with(seed, edits)
	}
	out.depths = 0
	for d, n := range out.counts {
		if n > 0 {
			out.depths |= 1 << d
		}
	}
	if out.depths == 0 {
		return nil, conflicts
	}
	return &out, conflicts
}

// with returns the place with the changes made.
func (p place) with(changes []change) place {
	var all []*Compiled
	if p.group != nil {
		all = slices.Clone(p.group.all)
	}
	for _, ch := range changes { // removals come first
		i := slices.Index(all, ch.api)
		switch {
		case ch.remove && i >= 0:
			all = slices.Delete(all, i, i+1)
		case !ch.remove && i < 0:
			all = append(all, ch.api)
		}
	}
	if len(all) == 0 {
		return place{}
	}
	if len(all) > 1 {
		slices.SortFunc(all, compareAPIs)
	}
	g := &group{all: all, served: all}
	for i := 1; i < len(all); i++ {
		if all[i].condKey == all[i-1].condKey {
			g.served = slices.CompactFunc(slices.Clone(all), func(a, b *Compiled) bool { return a.condKey == b.condKey })
			break
		}
	}
	out := place{group: g}
	if len(g.served) == 1 && len(g.served[0].conditions) == 0 {
		out.only, out.form = g.served[0], g.served[0].form
	}
	return out
}

// compareAPIs is the order in which the APIs of a place are asked: more
// conditions first. APIs with equal conditions lie side by side, by ID.
func compareAPIs(a, b *Compiled) int {
	if c := cmp.Or(cmp.Compare(len(b.conditions), len(a.conditions)), strings.Compare(a.condKey, b.condKey), strings.Compare(a.api.ID, b.api.ID)); c != 0 {
		return c
	}
	// Two APIs with one ID, which the caller should have refused: the order
	// must not depend on who came first all the same.
	return strings.Compare(a.definition(), b.definition())
}

func (c *Compiled) definition() string {
	api := c.api
	api.Value = nil
	return fmt.Sprintf("%#v", api)
}

func (p place) conflicts(host string) (out []Conflict) {
	if p.group == nil {
		return nil
	}
	winner := p.group.all[0]
	for _, c := range p.group.all[1:] {
		if c.condKey != winner.condKey {
			winner = c
			continue
		}
		out = append(out, Conflict{Host: host, BasePath: baseText(c.BasePath()), Conditions: c.condKey, Served: winner.ID(), Refused: c.ID()})
	}
	return out
}

func baseText(base string) string {
	if base == "" {
		return "/"
	}
	return base
}

// mergeConflicts takes those of the changed places away from old and adds the
// found ones.
func mergeConflicts(old, found []Conflict, changes []change) []Conflict {
	if len(old) == 0 && len(found) == 0 {
		return nil
	}
	changed := make(map[[2]string]struct{}, len(changes))
	for i := range changes {
		changed[[2]string{changes[i].host, baseText(changes[i].base)}] = struct{}{}
	}
	out := slices.Clone(found)
	for _, c := range old {
		if _, ok := changed[[2]string{c.Host, c.BasePath}]; !ok {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Conflict) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.BasePath, b.BasePath),
			strings.Compare(a.Conditions, b.Conditions), strings.Compare(a.Refused, b.Refused))
	})
	return out
}

// runs cuts changes where the key changes.
func runs(changes []change, key func(*change) string) func(yield func([]change) bool) {
	return func(yield func([]change) bool) {
		for len(changes) > 0 {
			n := 1
			for n < len(changes) && key(&changes[n]) == key(&changes[0]) {
				n++
			}
			if !yield(changes[:n]) {
				return
			}
			changes = changes[n:]
		}
	}
}
