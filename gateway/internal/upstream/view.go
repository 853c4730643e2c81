package upstream

import (
	"cmp"
	"slices"
)

// layout is the endpoints of an upstream by group. It changes with
// configuration and addresses, not with health.
type layout struct {
	groups []*group // the lowest priority number first
	all    []*member
	merged *group // all groups as one, for panic
}

// group is the members of one priority that are not draining.
type group struct {
	priority int
	members  []*member
	table    []uint16 // Maglev; only for the algorithm hash
}

// newLayout arranges members.
func newLayout(members []*member, hashed bool) *layout {
	l := &layout{all: members}
	// The order must not depend on the order of configuration or of DNS answers:
	// several gateways have to hash alike.
	serving := slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return m.weight == 0 })
	slices.SortStableFunc(serving, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.key, b.key))
	})
	for _, m := range serving {
		if n := len(l.groups); n == 0 || l.groups[n-1].priority != m.priority {
			l.groups = append(l.groups, &group{priority: m.priority})
		}
		g := l.groups[len(l.groups)-1]
		g.members = append(g.members, m)
	}
	if len(l.groups) == 1 {
		l.merged = l.groups[0]
	} else {
		l.merged = &group{members: serving}
		if len(l.groups) > 0 {
			l.merged.priority = l.groups[0].priority
		}
	}
	if hashed {
		for _, g := range l.groups {
			g.table = maglev(g.members)
		}
		if l.merged.table == nil {
			l.merged.table = maglev(l.merged.members)
		}
	}
	return l
}

// view is what requests choose from: a group, and those of its members that may
// be used now.
type view struct {
	layout   *layout
	epoch    uint64
	wake     instant // when an ejection ends, and the view must be made anew
	soft     instant // when names should be resolved again
	hard     instant // when they must
	group    *group
	usable   []*member
	ok       []bool    // by index in group.members; nil = all
	schedule []*member // smooth weighted order
	trials   []*member
	panicked bool
}

// newView judges every member and picks the group.
func newView(l *layout, panicShare int, now instant) *view {
	v := &view{layout: l, wake: never, soft: never, hard: never}
	best, bestShare := -1, 0
	trials := make([][]*member, len(l.groups))
	for i, g := range l.groups {
		healthy := 0
		for _, m := range g.members {
			c, until := m.health.condition(now)
			v.wake = min(v.wake, until)
			switch c {
			case Healthy:
				healthy++
			case Trial:
				trials[i] = append(trials[i], m)
			default:
			}
		}
		share := healthy * 1000 / len(g.members)
		if v.group == nil && healthy > 0 && share >= panicShare*10 {
			v.group = g
			for j := range i + 1 { // groups behind are not called, trials neither
				v.trials = append(v.trials, trials[j]...)
			}
		}
		if share > bestShare {
			best, bestShare = i, share
		}
	}
	switch {
	case v.group != nil:
		v.use(func(m *member) bool { c, _ := m.health.condition(now); return c == Healthy })
		return v
	case panicShare > 0 && best >= 0:
		v.group, v.panicked = l.groups[best], true
		v.use(func(*member) bool { return true })
	case panicShare > 0:
		v.group, v.panicked = l.merged, true
		v.use(func(*member) bool { return true })
	default:
		v.group = l.merged
		v.use(func(m *member) bool { return m.health.passiveOnly() })
	}
	for _, t := range trials {
		v.trials = append(v.trials, t...)
	}
	return v
}

// use fills usable, ok and the schedule.
func (v *view) use(may func(*member) bool) {
	v.ok = make([]bool, len(v.group.members))
	for i, m := range v.group.members {
		if may(m) {
			v.ok[i] = true
			v.usable = append(v.usable, m)
		}
	}
	if len(v.usable) == len(v.ok) {
		v.ok = nil
	}
	v.schedule = schedule(v.usable)
}
