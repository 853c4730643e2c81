// Package maintenance is the policy type maintenance: it answers 503 while an
// API is being worked on, always, within a window, or for a share of the
// requests.
package maintenance

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"hash/fnv"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // time zones where the machine has none

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type maintenance. Without a window
// it is maintenance at all times.
type Config struct {
	// When it begins, such as 2026-03-31T22:00:00Z; empty = at once.
	From string `json:"from,omitempty" schema:"format=date-time"`
	// When it ends; empty = never.
	To string `json:"to,omitempty" schema:"format=date-time"`
	// Windows of every week, within from and to.
	Weekly []Window `json:"weekly,omitempty"`
	// Addresses whose requests are served all the same.
	AllowIPs []schema.CIDR `json:"allowIPs,omitempty"`
	// Applications, by id, whose requests are served all the same. They are known
	// only after authentication: put the policy on a plan, or behind the policy
	// that authenticates.
	AllowApplications []string `json:"allowApplications,omitempty" schema:"unique,minLength=1"`
	// Percentage of the requests that is refused: 100 = all, less for a brownout,
	// which lets clients notice in time that something will go away.
	Percent float64 `json:"percent" schema:"min=0.01,max=100"`
	// What Retry-After says where the end of the window is not known.
	RetryAfter schema.Duration `json:"retryAfter" schema:"min=1s"`
	// What the answer says.
	Message string `json:"message,omitempty" schema:"maxLength=1000"`
}

// Window is a time of the week.
type Window struct {
	// Days on which it begins; none = every day.
	Days []string `json:"days,omitempty" schema:"unique,enum=mon|tue|wed|thu|fri|sat|sun"`
	// When it begins, such as 22:00.
	From string `json:"from" schema:"required,pattern=^([01][0-9]|2[0-3]):[0-5][0-9]$"`
	// When it ends, such as 02:00; not later than from means on the day after.
	To string `json:"to" schema:"required,pattern=^([01][0-9]|2[0-3]):[0-5][0-9]$"`
	// Time zone, such as Europe/Berlin; empty = UTC.
	Zone string `json:"zone,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("maintenance", "Maintenance", Config{Percent: 100, RetryAfter: schema.Duration(5 * time.Minute)}, compile, schemaDoc)
	d.Doc = "Answers 503 with Retry-After while an API is being worked on: always, in a window, every week, or for a share of " +
		"the requests. Chosen addresses and applications are served all the same."
	d.Example = `weekly: [{days: [sat], from: "22:00", to: "02:00", zone: Europe/Berlin}]
allowIPs: [192.0.2.0/24]
message: We are upgrading the database.
`
	return d
}

type window struct {
	days     [7]bool // by time.Weekday
	from, to time.Duration
	zone     *time.Location
}

type maintenance struct {
	from, to     time.Time
	weekly       []window
	ips          []schema.CIDR
	applications []string
	share        uint64 // of 1e6
	retryAfter   time.Duration
	message      string
	now          func() time.Time
}

var days = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &maintenance{
		ips: c.AllowIPs, applications: c.AllowApplications, share: uint64(c.Percent * 1e4),
		retryAfter: c.RetryAfter.Std(), message: c.Message, now: env.Now,
	}
	if p.message == "" {
		p.message = "this API is under maintenance; try again later"
	}
	// The schema has checked the form of times.
	p.from, _ = time.Parse(time.RFC3339, c.From)
	p.to, _ = time.Parse(time.RFC3339, c.To)
	if c.To != "" && !p.to.After(p.from) {
		return policy.Hooks{}, policy.Invalid("/to", "it ends before it begins")
	}
	for i, w := range c.Weekly {
		at := "/weekly/" + strconv.Itoa(i)
		zone, err := time.LoadLocation(w.Zone)
		if err != nil || w.Zone == "Local" {
			return policy.Hooks{}, policy.Invalid(at+"/zone", "there is no time zone %q; write one such as Europe/Berlin", w.Zone)
		}
		v := window{from: clock(w.From), to: clock(w.To), zone: zone}
		if v.to <= v.from {
			v.to += 24 * time.Hour
		}
		for d := range v.days {
			v.days[d] = len(w.Days) == 0
		}
		for _, d := range w.Days {
			v.days[days[d]] = true
		}
		p.weekly = append(p.weekly, v)
	}
	return policy.Hooks{Inbound: p.inbound}, nil
}

// clock returns the time since midnight of a text such as 22:00.
func clock(s string) time.Duration {
	h, _ := strconv.Atoi(s[:2])
	m, _ := strconv.Atoi(s[3:])
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// ends returns when a window that t is in ends, zero where t is in none.
func (w *window) ends(t time.Time) time.Time {
	t = t.In(w.zone)
	for back := range 2 { // windows that began today or yesterday
		y, m, d := t.Date()
		day := time.Date(y, m, d-back, 0, 0, 0, 0, w.zone)
		if !w.days[day.Weekday()] {
			continue
		}
		// By wall clock, so that a change of daylight saving time moves neither end.
		from := time.Date(y, m, d-back, 0, int(w.from/time.Minute), 0, 0, w.zone)
		to := time.Date(y, m, d-back, 0, int(w.to/time.Minute), 0, 0, w.zone)
		if !t.Before(from) && t.Before(to) {
			return to
		}
	}
	return time.Time{}
}

// active reports whether it is maintenance at t, and when that ends, zero where
// it is not known.
func (p *maintenance) active(t time.Time) (end time.Time, active bool) {
	if t.Before(p.from) || !p.to.IsZero() && !t.Before(p.to) {
		return end, false
	}
	if len(p.weekly) == 0 {
		return p.to, true
	}
	for i := range p.weekly {
		if e := p.weekly[i].ends(t); e.After(end) {
			end, active = e, true
		}
	}
	if !p.to.IsZero() && end.After(p.to) {
		end = p.to
	}
	return end, active
}

func (p *maintenance) inbound(ex *policy.Exchange) error {
	now := p.now()
	end, active := p.active(now)
	if !active || p.exempt(ex) || !p.chosen(ex.ID) {
		return nil
	}
	wait := p.retryAfter
	switch {
	case p.share < 1e6:
		wait = time.Second // another try may be served
	case !end.IsZero():
		wait = end.Sub(now)
	}
	return problem.New(problem.CodeMaintenance, "%s", p.message).WithRetryAfter(wait)
}

func (p *maintenance) exempt(ex *policy.Exchange) bool {
	for i := range p.ips {
		if p.ips[i].Contains(ex.Request.Client) {
			return true
		}
	}
	app := ex.Caller.ApplicationID()
	return app != "" && slices.Contains(p.applications, app)
}

// chosen reports whether a request is among those refused. The same id is always
// decided the same way.
func (p *maintenance) chosen(id string) bool {
	if p.share >= 1e6 {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	x := h.Sum64()
	x ^= x >> 32 // the low bits of FNV mix badly for short texts
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	return x%1e6 < p.share
}
