package upstream

import (
	"net/netip"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Defaults of what a configuration leaves out.
const (
	defaultConnect     = 2 * time.Second
	defaultHeader      = 30 * time.Second
	defaultIdle        = 5 * time.Minute
	defaultMaxIdle     = 256
	defaultPoolIdle    = 60 * time.Second
	defaultMaxTTL      = 5 * time.Second
	defaultMinTTL      = time.Second
	defaultPanic       = 50
	defaultBackoff     = 25 * time.Millisecond
	defaultMaxBackoff  = 250 * time.Millisecond
	defaultBudget      = 10
	defaultBudgetMin   = 3
	defaultConsecutive = 5
	defaultWindow      = 30 * time.Second
	defaultMinRequests = 20
	defaultEjection    = 10 * time.Second
	defaultMaxEjection = 5 * time.Minute
	defaultMaxEjected  = 50
	maxWeight          = 65535
	maxAttempts        = 10
)

// settings are a validated configuration in the form that requests need.
type settings struct {
	name      string
	protocol  string
	targets   []target
	algorithm string
	hash      hashOn
	// panicShare is in percent; 0 = never.
	panicShare int
	active     *active
	passive    *passive
	connect    time.Duration
	header     time.Duration
	total      time.Duration
	retry      policy.Retry
	budget     budgetRule
	options    transport.ClientOptions // without Target and Dial
	maxTTL     time.Duration
	minTTL     time.Duration
	// hostClient sends the client's Host, authority a fixed one.
	hostClient bool
	authority  string
}

// target is one configured target.
type target struct {
	url       string // canonical
	https     bool
	host      string     // name or address
	addr      netip.Addr // valid where host is an address
	port      uint16
	authority string
	basePath  string
	weight    int // 0 = draining
	priority  int
	tls       *tlsSettings
}

// reading collects what is wrong with a configuration.
type reading struct {
	cfg    unit.Upstream
	allow  func(netip.AddrPort) error
	fields []problem.Field
}

func (r *reading) bad(pointer, code, detail string) {
	r.fields = append(r.fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
}

// compile checks all of cfg and reports every field at fault.
func compile(cfg unit.Upstream, allow func(netip.AddrPort) error) (*settings, error) {
	r := &reading{cfg: cfg, allow: allow}
	s := &settings{name: cfg.Name, protocol: cfg.Protocol}
	if s.protocol == "" {
		s.protocol = "http1"
	}
	if !slices.Contains([]string{"http1", "h2", "h2c", "auto"}, s.protocol) {
		r.bad("/protocol", "enum", "use http1, h2, h2c or auto")
	}
	r.targets(s)
	r.balance(s)
	r.health(s)
	r.timeouts(s)
	r.retries(s)
	r.host(s)
	r.dns(s)
	if len(r.fields) > 0 {
		return nil, problem.Invalid("upstream "+cfg.Name+" cannot be used", r.fields...)
	}
	return s, nil
}

// duration returns d, or def where d is zero.
func (r *reading) duration(pointer string, d unit.Duration, def time.Duration) time.Duration {
	if d < 0 {
		r.bad(pointer, "minimum", "must not be negative")
	}
	if d == 0 {
		return def
	}
	return time.Duration(d)
}

// number returns n, or def where n is zero.
func (r *reading) number(pointer string, n, limit, def int) int {
	switch {
	case n < 0:
		r.bad(pointer, "minimum", "must not be negative")
	case limit > 0 && n > limit:
		r.bad(pointer, "maximum", "must be at most "+itoa(limit))
	}
	if n == 0 {
		return def
	}
	return n
}

func (r *reading) timeouts(s *settings) {
	t := r.cfg.Timeouts
	s.connect = r.duration("/timeouts/connect", t.Connect, defaultConnect)
	s.header = r.duration("/timeouts/header", t.Header, defaultHeader)
	s.total = r.duration("/timeouts/total", t.Total, 0)
	p := r.cfg.Pool
	s.options = transport.ClientOptions{
		MaxConns:    r.number("/pool/maxConns", p.MaxConns, 0, 0),
		MaxIdle:     r.number("/pool/maxIdle", p.MaxIdle, 0, defaultMaxIdle),
		IdleTimeout: r.duration("/pool/idle", p.Idle, defaultPoolIdle),
		StreamIdle:  r.duration("/timeouts/idle", t.Idle, defaultIdle),
	}
}

func (r *reading) dns(s *settings) {
	s.maxTTL = r.duration("/dns/maxTTL", r.cfg.DNS.MaxTTL, defaultMaxTTL)
	s.minTTL = r.duration("/dns/minTTL", r.cfg.DNS.MinTTL, min(defaultMinTTL, s.maxTTL))
	if s.minTTL > s.maxTTL {
		r.bad("/dns/minTTL", "maximum", "must be at most maxTTL, which is "+s.maxTTL.String())
	}
}

func (r *reading) host(s *settings) {
	switch h := r.cfg.Host; h {
	case "", "target":
	case "client":
		s.hostClient = true
	default:
		if !validAuthority(h) {
			r.bad("/host", "format", "use target, client, or a host name with an optional port")
		}
		s.authority = h
	}
}

func (r *reading) balance(s *settings) {
	b := r.cfg.Balance
	s.algorithm = b.Algorithm
	switch b.Algorithm {
	case "":
		s.algorithm = "round-robin"
	case "round-robin", "least-connections", "p2c", "random":
	case "hash":
		if b.HashOn == "" {
			r.bad("/balance/hashOn", "required", "say what to hash: header:NAME, cookie:NAME, query:NAME, path or ip")
			return
		}
	default:
		r.bad("/balance/algorithm", "enum", "use round-robin, least-connections, p2c, hash or random")
		return
	}
	if b.HashOn == "" {
		return
	}
	if s.algorithm != "hash" {
		r.bad("/balance/hashOn", "not-allowed", "is used by the algorithm hash only; set algorithm: hash or remove it")
	}
	var ok bool
	if s.hash, ok = parseHashOn(b.HashOn); !ok {
		r.bad("/balance/hashOn", "format", "use header:NAME, cookie:NAME, query:NAME, path or ip")
	}
}

func (r *reading) health(s *settings) {
	switch p := r.cfg.Health.PanicThreshold; {
	case p > 100:
		r.bad("/health/panicThreshold", "maximum", "is a share in percent, at most 100")
	case p == 0:
		s.panicShare = defaultPanic
	case p > 0:
		s.panicShare = p
	}
	if a := r.cfg.Health.Active; a != nil {
		s.active = r.active(a)
	}
	if p := r.cfg.Health.Passive; p != nil {
		s.passive = r.passive(p)
	}
}

func (r *reading) active(a *unit.ActiveHealth) *active {
	if !validPath(a.Path) {
		r.bad("/health/active/path", "format", "must be a path that begins with a slash, such as /healthz")
	}
	if a.Method != "" && !policy.ValidName(a.Method) {
		r.bad("/health/active/method", "format", "must be a method such as GET or HEAD")
	}
	if a.Host != "" && !validAuthority(a.Host) {
		r.bad("/health/active/host", "format", "must be a host name with an optional port")
	}
	c := &active{
		path: a.Path, method: orDefault(a.Method, "GET"), host: a.Host,
		interval:  r.duration("/health/active/interval", a.Interval, 10*time.Second),
		timeout:   r.duration("/health/active/timeout", a.Timeout, 2*time.Second),
		healthy:   r.number("/health/active/healthy", a.Healthy, 0, 1),
		unhealthy: r.number("/health/active/unhealthy", a.Unhealthy, 0, 3),
		statuses:  a.Statuses,
	}
	r.statuses("/health/active/statuses", a.Statuses)
	return c
}

func (r *reading) passive(p *unit.PassiveHealth) *passive {
	c := &passive{
		consecutive: r.number("/health/passive/consecutive", p.Consecutive, 0, defaultConsecutive),
		percent:     r.number("/health/passive/failurePercent", p.FailurePercent, 100, 0),
		minRequests: r.number("/health/passive/minRequests", p.MinRequests, 0, defaultMinRequests),
		window:      r.duration("/health/passive/window", p.Window, defaultWindow),
		statuses:    p.Statuses,
		ejection:    r.duration("/health/passive/ejection", p.Ejection, defaultEjection),
		maxEjected:  r.number("/health/passive/maxEjectedPercent", p.MaxEjectedPercent, 100, defaultMaxEjected),
	}
	c.maxEjection = r.duration("/health/passive/maxEjection", p.MaxEjection, max(defaultMaxEjection, c.ejection))
	if c.maxEjection < c.ejection {
		r.bad("/health/passive/maxEjection", "minimum", "must be at least ejection, which is "+c.ejection.String())
	}
	r.statuses("/health/passive/statuses", p.Statuses)
	if len(c.statuses) == 0 {
		c.statuses = []int{502, 503, 504}
	}
	return c
}

func (r *reading) statuses(pointer string, statuses []int) {
	for i, s := range statuses {
		if s < 100 || s > 599 {
			r.bad(pointer+"/"+itoa(i), "range", "must be an HTTP status, 100 to 599")
		}
	}
}
