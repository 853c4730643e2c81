package table

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Stats say what a compilation did.
type Stats struct {
	// Compiled is how many units were compiled, Reused how many were taken over.
	Compiled, Reused int
}

// Compile makes a table of a snapshot. Units that are the same as in prev, which
// may be nil, are taken over. It never fails as a whole: a unit that does not
// compile keeps its previous form, or answers 503, and nothing else is touched.
// (R4.2).
func (c *Compiler) Compile(s source.Snapshot, prev *Table) (*Table, Stats) {
	c.generation++
	r := run{Compiler: c, snapshot: s, prev: prev, table: &Table{Manifest: s.Manifest}}
	if prev != nil {
		r.table.units = maps.Clone(prev.units) // most of them stay
	} else {
		r.table.units = make(map[string]*Unit, len(s.Refs))
	}
	r.shared()
	for _, ref := range s.Refs {
		if ref.Kind == unit.KindAPI {
			r.api(ref)
		}
	}
	for _, b := range s.Broken {
		r.broken(b.Name, "", b.Hosts, b.BasePath, b.Problems)
	}
	r.sweep()
	r.index()
	slices.SortFunc(r.table.Issues, func(a, b Issue) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Unit, b.Unit)) })
	return r.table, r.stats
}

// run is one compilation.
type run struct {
	*Compiler
	snapshot source.Snapshot
	prev     *Table
	table    *Table
	stats    Stats
	// changed are the names of units that are not as they were; named is how many
	// names there are.
	changed []string
	named   int

	settings unit.Settings
	sets     map[string]unit.PolicySet
	setHash  map[string]unit.Hash
	badSet   map[string]bool
	// settingsKey names what all units were compiled with.
	settingsKey string
}

func (r *run) issue(kind unit.Kind, name string, hash unit.Hash, serving string, problems []problem.Field) {
	for i := range problems {
		if problems[i].Source == "" && r.snapshot.Locate != nil {
			_, problems[i].Source = r.snapshot.Locate(kind, name, problems[i].Pointer)
		}
	}
	r.table.Issues = append(r.table.Issues, Issue{Kind: kind, Unit: name, Hash: hash, Serving: serving, Problems: problems})
}

func fieldsOf(err error) []problem.Field {
	var p *problem.Problem
	if errors.As(err, &p) && len(p.Errors) > 0 {
		return p.Errors
	}
	return []problem.Field{{Pointer: "", Code: "invalid", Detail: err.Error()}}
}

// shared reads the units that others refer to. Policies that cannot be read
// must not vanish: with bad settings nothing is compiled anew.
func (r *run) shared() {
	r.sets, r.setHash, r.badSet = map[string]unit.PolicySet{}, map[string]unit.Hash{}, map[string]bool{}
	for _, ref := range r.snapshot.Refs {
		switch ref.Kind {
		case unit.KindAPI, unit.KindCertificate, unit.KindIndex:
		case unit.KindPolicySet:
			set, err := unit.Decode[unit.PolicySet](r.snapshot.Document(ref.Hash))
			if err != nil {
				r.badSet[ref.Name] = true
				r.issue(ref.Kind, ref.Name, ref.Hash, "nothing", fieldsOf(err))
				continue
			}
			r.sets[ref.Name], r.setHash[ref.Name] = set, ref.Hash
		case unit.KindSettings:
			settings, err := unit.Decode[unit.Settings](r.snapshot.Document(ref.Hash))
			if err != nil {
				r.badSet[""] = true
				r.issue(ref.Kind, ref.Name, ref.Hash, "nothing", fieldsOf(err))
				continue
			}
			r.settings = settings
			r.settingsKey += string(ref.Hash)
		default:
			r.issue(ref.Kind, ref.Name, ref.Hash, "nothing", []problem.Field{{Code: "unknown", Detail: "this gateway does not know units of this kind; upgrade it"}})
		}
	}
	for _, p := range r.settings.Platform {
		r.settingsKey += string(r.setHash[p.Set])
	}
	r.platform()
}

// platform compiles the policies for requests that match no API.
func (r *run) platform() {
	if r.prev != nil && (r.prev.platform.key == r.settingsKey && r.sameSecrets(r.prev.platform.secrets) || r.badSet[""]) {
		r.table.platform = r.prev.platform
		return
	}
	p, err := r.compilePlatform()
	if err != nil {
		serving := "nothing"
		if r.prev != nil && r.prev.platform.key != notCompiled && !r.gone(r.prev.platform.secrets) {
			p, serving = r.prev.platform, "previous"
		}
		r.issue(unit.KindSettings, "settings", "", serving, fieldsOf(err))
	}
	r.table.platform = p
}

func (r *run) api(ref unit.Ref) {
	if prev := r.table.units[ref.Name]; prev != nil && prev.seen != r.generation && prev.Hash == ref.Hash && r.unchanged(prev) {
		prev.seen = r.generation
		r.named++
		r.stats.Reused++
		return
	}
	doc := r.snapshot.Document(ref.Hash)
	a, err := unit.Decode[unit.API](doc)
	if err != nil {
		r.undecodable(ref, doc, err)
		return
	}
	sets := r.setsOf(&a)
	r.stats.Compiled++
	u, err := r.compileAPI(&a, ref.Hash)
	if err != nil {
		r.broken(ref.Name, ref.Hash, a.Hosts, a.BasePath, fieldsOf(err))
		return
	}
	u.key, u.sets = r.settingsKey+r.setsKey(sets), sets
	r.put(ref.Name, u)
}

// put puts a unit into the table.
func (r *run) put(name string, u *Unit) {
	if was := r.table.units[name]; was == nil || was.seen != r.generation { // else it is named twice
		r.named++
	}
	u.seen = r.generation
	r.table.units[name] = u
	r.changed = append(r.changed, name)
}

// sweep takes out the units that the snapshot does not name.
func (r *run) sweep() {
	if r.named == len(r.table.units) {
		return // as many as there are: none has gone
	}
	for name, u := range r.table.units {
		if u.seen != r.generation {
			delete(r.table.units, name)
			r.changed = append(r.changed, name)
		}
	}
}

// unchanged reports whether a unit was compiled with what there is now. It is
// called for every unit of every change, and makes no garbage.
func (r *run) unchanged(u *Unit) bool {
	key, ok := strings.CutPrefix(u.key, r.settingsKey)
	return ok && key == r.setsKey(u.sets) && r.sameSecrets(u.secrets)
}

// setsOf returns the policy sets that a unit and its project refer to.
func (r *run) setsOf(a *unit.API) []string {
	var sets []string
	add := func(list []unit.Policy) {
		for _, p := range list {
			if p.Set != "" {
				sets = append(sets, p.Set)
			}
		}
	}
	add(r.settings.Projects[a.Project])
	add(a.Policies)
	for i := range a.Plans {
		add(a.Plans[i].Policies)
	}
	for i := range a.Operations {
		add(a.Operations[i].Policies)
	}
	return sets
}

// setsKey names policy sets as they are now.
func (r *run) setsKey(sets []string) string {
	var key string
	for _, s := range sets {
		key += "|" + s + "=" + string(r.setHash[s])
	}
	return key
}

// undecodable deals with a unit of which not even the form is understood: its
// address, where that can be read, answers 503.
func (r *run) undecodable(ref unit.Ref, doc []byte, err error) {
	var a struct {
		Hosts    []string `json:"hosts"`
		BasePath string   `json:"basePath"`
	}
	_ = json.Unmarshal(doc, &a) // what cannot be read is not served
	r.broken(ref.Name, ref.Hash, a.Hosts, a.BasePath, fieldsOf(err))
}

// broken keeps the previous form of a unit, or puts one in its place that
// answers 503. A form whose secret was taken away is not kept: it would go on
// letting in who knows that secret.
func (r *run) broken(name string, hash unit.Hash, hosts []string, basePath string, problems []problem.Field) {
	if r.prev != nil {
		if prev := r.prev.units[name]; prev != nil && !prev.Broken && !r.gone(prev.secrets) {
			r.put(name, prev)
			r.issue(unit.KindAPI, name, hash, "previous", problems)
			return
		}
	}
	u, err := r.unavailable(name, hosts, basePath)
	if err != nil {
		r.issue(unit.KindAPI, name, hash, "nothing", problems)
		return
	}
	r.put(name, u)
	r.issue(unit.KindAPI, name, hash, "unavailable", problems)
}

// index builds the routing index, from the previous one by the difference where
// that is smaller.
func (r *run) index() {
	var removed, added []*router.Compiled
	var conflicts []router.Conflict
	if r.prev != nil {
		slices.Sort(r.changed)
		for _, id := range slices.Compact(r.changed) {
			was, is := r.prev.units[id], r.table.units[id]
			if was == is {
				continue
			}
			if was != nil {
				removed = append(removed, was.compiled)
			}
			if is != nil {
				added = append(added, is.compiled)
			}
		}
		r.table.index, conflicts = r.prev.index.Update(removed, added)
	} else {
		for _, u := range r.table.units {
			added = append(added, u.compiled)
		}
		r.table.index, conflicts = router.Build(added)
	}
	for _, c := range conflicts {
		r.issue(unit.KindAPI, c.Refused, r.table.units[c.Refused].Hash, "nothing",
			[]problem.Field{{Pointer: "/basePath", Code: "conflict", Detail: c.Error()}})
	}
}
