package traffic

import (
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// maxKept bounds the memory of kept decisions, whatever their number.
const maxKept = 32 << 20

// decisions is a ring of the newest records that bear a decision, encoded, so
// that a flood of refusals makes no garbage.
type decisions struct {
	mu    sync.Mutex
	slots []slot
	next  int
	bytes int
	byID  map[string]int
}

type slot struct {
	id   string
	line []byte
}

func newDecisions(keep int) *decisions {
	return &decisions{slots: make([]slot, keep), byID: make(map[string]int, min(keep, 1<<12))}
}

func (d *decisions) put(id string, line []byte) {
	if len(d.slots) == 0 || len(line) > maxKept/8 {
		return
	}
	id = strings.Clone(id) // it may be part of a whole request header
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &d.slots[d.next]
	d.forget(d.next)
	if cap(s.line) > 4*len(line)+4096 {
		d.bytes -= cap(s.line)
		s.line = nil
	}
	was := cap(s.line)
	s.id, s.line = id, append(s.line[:0], line...)
	d.bytes += cap(s.line) - was
	d.byID[id] = d.next
	d.next = (d.next + 1) % len(d.slots)
	for i := d.next; d.bytes > maxKept; i = (i + 1) % len(d.slots) { // the oldest first
		if &d.slots[i] == s {
			break
		}
		d.forget(i)
		d.bytes -= cap(d.slots[i].line)
		d.slots[i].line = nil
	}
}

func (d *decisions) forget(i int) {
	s := &d.slots[i]
	if at, ok := d.byID[s.id]; ok && at == i {
		delete(d.byID, s.id)
	}
	s.id = ""
}

func (d *decisions) get(id string) (*traffic.Record, bool) {
	d.mu.Lock()
	i, ok := d.byID[id]
	var line []byte
	if ok {
		line = slices.Clone(d.slots[i].line)
	}
	d.mu.Unlock()
	if !ok {
		return nil, false
	}
	var r traffic.Record
	if json.Unmarshal(line, &r) != nil {
		return nil, false
	}
	return &r, true
}

func (d *decisions) newest(n int) []*traffic.Record {
	d.mu.Lock()
	var lines [][]byte
	for i := range d.slots {
		s := &d.slots[(d.next-1-i+2*len(d.slots))%len(d.slots)]
		if len(lines) == n {
			break
		}
		if s.id != "" {
			lines = append(lines, slices.Clone(s.line))
		}
	}
	d.mu.Unlock()
	records := make([]*traffic.Record, 0, len(lines))
	for _, line := range lines {
		var r traffic.Record
		if json.Unmarshal(line, &r) == nil {
			records = append(records, &r)
		}
	}
	return records
}

// DebugRule asks for the decisions of some requests for some time. At least one
// of the first four is to be given; all that are given must hold.
type DebugRule struct {
	// Application, Credential and API are ids.
	Application string `json:"application,omitempty"`
	Credential  string `json:"credential,omitempty"`
	API         string `json:"api,omitempty"`
	// PathPrefix is the beginning of the canonical path.
	PathPrefix string `json:"pathPrefix,omitempty"`
	// Until is when the rule ends, at most a day from now.
	Until time.Time `json:"until"`
	// Spans asks for a span of each policy too.
	Spans bool `json:"spans,omitempty"`
}

// early reports whether the rule may hold, before the caller is known.
func (d *DebugRule) early(ex *policy.Exchange) bool {
	return (d.API == "" || ex.Route != nil && ex.Route.API == d.API) && strings.HasPrefix(ex.Request.Path, d.PathPrefix)
}

func (d *DebugRule) holds(ex *policy.Exchange) bool {
	return d.early(ex) && (d.Application == "" || ex.Caller.ApplicationID() == d.Application) &&
		(d.Credential == "" || ex.Caller.Credential == d.Credential)
}

const (
	maxDebugRules = 32
	maxDebugTime  = 24 * time.Hour
)

// debugRules are replaced as a whole; nil while there are none, so that they
// cost one load when off.
type debugRules struct {
	mu    sync.Mutex
	rules atomic.Pointer[[]DebugRule]
}

func (d *debugRules) add(rule DebugRule, now time.Time) error {
	var fields []problem.Field
	if rule.Application == "" && rule.Credential == "" && rule.API == "" && rule.PathPrefix == "" {
		fields = append(fields, problem.Field{Pointer: "", Code: "required", Detail: "give application, credential, api or pathPrefix"})
	}
	if !rule.Until.After(now) || rule.Until.After(now.Add(maxDebugTime)) {
		fields = append(fields, problem.Field{Pointer: "/until", Code: "range", Detail: "must be in the future and at most 24 hours from now"})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	live := d.live(now)
	if len(live) >= maxDebugRules {
		fields = append(fields, problem.Field{Pointer: "", Code: "maximum", Detail: "there are 32 debug rules already; clear them or wait for one to end"})
	}
	if len(fields) > 0 {
		return problem.Invalid("the debug rule is invalid", fields...)
	}
	live = append(live, rule)
	d.rules.Store(&live)
	return nil
}

func (d *debugRules) live(now time.Time) []DebugRule {
	p := d.rules.Load()
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(*p), func(r DebugRule) bool { return !r.Until.After(now) })
}

func (d *debugRules) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rules.Store(nil)
}

// find returns the first rule for which ok holds. Once all have ended they are
// forgotten.
func (d *debugRules) find(now time.Time, ok func(*DebugRule) bool) *DebugRule {
	p := d.rules.Load()
	if p == nil {
		return nil
	}
	alive := false
	for i := range *p {
		r := &(*p)[i]
		if !r.Until.After(now) {
			continue
		}
		alive = true
		if ok(r) {
			return r
		}
	}
	if !alive {
		d.rules.CompareAndSwap(p, nil)
	}
	return nil
}

// chosen reports whether a request belongs to the share; the same for the same
// id, so that nothing needs to be kept between its begin and its end.
func chosen(seed maphash.Seed, id string, share float64) bool {
	switch {
	case !(share > 0):
		return false
	case share >= 1:
		return true
	}
	return float64(maphash.String(seed, id)>>11)/(1<<53) < share
}
