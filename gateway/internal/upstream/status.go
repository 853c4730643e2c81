package upstream

import (
	"math"
	"time"
)

// Status is a snapshot for the admin listener and for metrics.
type Status struct {
	Name      string `json:"name"`
	Protocol  string `json:"protocol"`
	Algorithm string `json:"algorithm"`
	// Priority is that of the group that serves; -1 = none does.
	Priority int `json:"priority"`
	// Panic says that health is disregarded, since too few are healthy.
	Panic     bool             `json:"panic,omitempty"`
	Endpoints []EndpointStatus `json:"endpoints"`
	Names     []NameStatus     `json:"names,omitempty"`
}

// EndpointStatus is what is known of one address of a target.
type EndpointStatus struct {
	Target    string    `json:"target"`
	Address   string    `json:"address"`
	Priority  int       `json:"priority"`
	Weight    int       `json:"weight"`
	Condition Condition `json:"condition"`
	// Serving says that requests may be sent to it now.
	Serving bool `json:"serving"`
	// Since is when the condition last changed; zero where it never did.
	Since time.Time `json:"since,omitzero"`
	// Rest is how much longer it is ejected.
	Rest time.Duration `json:"restNs,omitempty"`
	// Ejections in a row.
	Ejections int `json:"ejections,omitempty"`
	// Failures in a row, of real requests.
	Consecutive int           `json:"consecutive,omitempty"`
	InFlight    int           `json:"inFlight"`
	Latency     time.Duration `json:"latencyNs"` // moving average
	Requests    uint64        `json:"requests"`
	Failures    uint64        `json:"failures"`
	LastError   string        `json:"lastError,omitempty"`
	LastErrorAt time.Time     `json:"lastErrorAt,omitzero"`
}

// NameStatus is what is known of a name.
type NameStatus struct {
	Host      string    `json:"host"`
	Addresses []string  `json:"addresses"`
	At        time.Time `json:"at,omitzero"` // of the last resolution
	Error     string    `json:"error,omitempty"`
}

// Status returns a snapshot.
func (u *Upstream) Status() Status {
	now := u.at(u.env.Clock.Now())
	v := u.current(now)
	s := Status{
		Name: u.s.name, Protocol: u.s.protocol, Algorithm: u.s.algorithm, Priority: -1, Panic: v.panicked,
		Endpoints: make([]EndpointStatus, 0, len(v.layout.all)),
	}
	serving := make(map[*member]bool, len(v.usable))
	for _, m := range v.usable {
		serving[m] = true
	}
	if len(v.usable) > 0 {
		s.Priority = v.group.priority
	}
	for _, m := range v.layout.all {
		e := m.status(now)
		e.Serving = serving[m]
		s.Endpoints = append(s.Endpoints, e)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range u.names {
		ns := NameStatus{Host: n.host, Addresses: make([]string, 0, len(n.addrs)), At: n.at}
		for _, a := range n.addrs {
			ns.Addresses = append(ns.Addresses, a.String())
		}
		if n.err != nil {
			ns.Error = n.err.Error()
		}
		s.Names = append(s.Names, ns)
	}
	return s
}

func (m *member) status(now instant) EndpointStatus {
	c, until := m.health.condition(now)
	if m.weight == 0 {
		c = Draining
	}
	e := EndpointStatus{
		Target: m.endpoint.target, Address: m.address, Priority: m.priority, Weight: m.target.weight, Condition: c,
		Consecutive: int(m.health.fails.Load()), InFlight: m.link.client.InFlight(),
		Latency:  time.Duration(math.Float64frombits(m.latency.value.Load())),
		Requests: m.requests.Load(), Failures: m.failures.Load(),
	}
	if until != never {
		e.Rest = time.Duration(until - now)
	}
	m.health.mu.Lock()
	e.Since, e.Ejections = m.health.since, m.health.ejections
	m.health.mu.Unlock()
	if l := m.lastErr.Load(); l != nil {
		e.LastError, e.LastErrorAt = l.text, l.at
	}
	return e
}
