package unit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Upstream is a named set of targets with load balancing and health checks.
type Upstream struct {
	// Name is what operations and policies refer to; the default of the first is
	// "default".
	Name string `json:"name,omitempty"`
	// Protocol is "http1" (the default), "h2" (TLS), "h2c" or "auto" (ALPN).
	Protocol string `json:"protocol,omitempty" schema:"enum=http1|h2|h2c|auto"`
	// Targets are the addresses.
	Targets  []Target `json:"targets" schema:"minItems=1"`
	Balance  Balance  `json:"balance,omitzero"`
	Health   Health   `json:"health,omitzero"`
	Timeouts Timeouts `json:"timeouts,omitzero"`
	Retries  *Retries `json:"retries,omitempty"`
	TLS      *TLS     `json:"tls,omitempty"`
	Auth     *Auth    `json:"auth,omitempty"`
	Pool     Pool     `json:"pool,omitzero"`
	DNS      DNS      `json:"dns,omitzero"`
	// Host is the Host header sent: "target" (the default), "client", or a name.
	Host string `json:"host,omitempty"`
}

// Target is one address of an upstream.
type Target struct {
	// URL is http:// or https:// with host, port and perhaps a path that is put
	// before the request's.
	URL string `json:"url" schema:"format=uri"`
	// Weight is relative to the other targets; 0 = 1. A negative one drains.
	Weight int `json:"weight,omitempty"`
	// Priority groups targets for failover: those of the lowest number are used
	// as long as enough of them are healthy.
	Priority int `json:"priority,omitempty" schema:"min=0"`
}

// Balance says how a target is chosen.
type Balance struct {
	// Algorithm is "round-robin" (weighted, the default), "least-connections",
	// "p2c" (the better of two by EWMA of latency and load), "hash" (consistent)
	// or "random".
	Algorithm string `json:"algorithm,omitempty" schema:"enum=round-robin|least-connections|p2c|hash|random"`
	// HashOn is "header:NAME", "cookie:NAME", "query:NAME", "path" or "ip".
	HashOn string `json:"hashOn,omitempty"`
}

// Health says how bad targets are found and taken back.
type Health struct {
	Active  *ActiveHealth  `json:"active,omitempty"`
	Passive *PassiveHealth `json:"passive,omitempty"`
	// PanicThreshold is the share of healthy targets, in percent, below which
	// all are used; 0 = 50, negative = never.
	PanicThreshold int `json:"panicThreshold,omitempty" schema:"max=100"`
}

// ActiveHealth probes targets.
type ActiveHealth struct {
	// Path is what is asked for.
	Path string `json:"path"`
	// Method is what is asked with; default GET.
	Method string `json:"method,omitempty"`
	// Host is the Host header sent; default that of the target.
	Host string `json:"host,omitempty"`
	// Interval is the time between two probes of a target; default 10s.
	Interval Duration `json:"interval,omitempty"`
	// Timeout bounds a probe; default 2s.
	Timeout Duration `json:"timeout,omitempty"`
	// Healthy is how many good probes in a row take a target back; default 1.
	Healthy int `json:"healthy,omitempty" schema:"min=0"`
	// Unhealthy is how many bad probes in a row take a target out; default 3.
	Unhealthy int `json:"unhealthy,omitempty" schema:"min=0"`
	// Statuses that are healthy; none = 200 to 399.
	Statuses []int `json:"statuses,omitempty"`
}

// PassiveHealth ejects targets by what real requests meet.
type PassiveHealth struct {
	// Consecutive failures that eject; default 5.
	Consecutive int `json:"consecutive,omitempty" schema:"min=0"`
	// FailurePercent within a window of at least MinRequests ejects; 0 = off.
	FailurePercent int `json:"failurePercent,omitempty" schema:"min=0,max=100"`
	// MinRequests is how many requests of a window are enough to judge by; default 20.
	MinRequests int `json:"minRequests,omitempty" schema:"min=0"`
	// Window is the time over which requests are looked at; default 30s.
	Window Duration `json:"window,omitempty"`
	// Statuses that count as failures; none = 502, 503, 504.
	Statuses []int `json:"statuses,omitempty"`
	// Ejection is how long a target rests the first time; it grows with each
	// ejection in a row up to MaxEjection. Then one trial request decides.
	// The default is 10s.
	Ejection Duration `json:"ejection,omitempty"`
	// MaxEjection is the longest that a target rests; default 5m.
	MaxEjection Duration `json:"maxEjection,omitempty"`
	// MaxEjectedPercent of the targets may rest at a time; default 50. One
	// target always stays.
	MaxEjectedPercent int `json:"maxEjectedPercent,omitempty" schema:"min=0,max=100"`
}

// Timeouts of calls to an upstream.
type Timeouts struct {
	// Connect bounds making a connection, TLS included; default 2s.
	Connect Duration `json:"connect,omitempty"`
	// Header bounds the wait for the header of the answer; default 30s.
	Header Duration `json:"header,omitempty"`
	// Total bounds the whole call; default no bound.
	Total Duration `json:"total,omitempty"`
	// Idle is the longest silence within a response body; default 5m.
	Idle Duration `json:"idle,omitempty"`
}

// Retries say when a request is sent again; see policy.Retry.
type Retries struct {
	// Attempts is the number of further attempts; default 1.
	Attempts int `json:"attempts,omitempty" schema:"min=0,max=10"`
	// On says after what: connect, reset, timeout, or statuses such as 503.
	On []string `json:"on,omitempty"`
	// NonIdempotent allows requests to be sent again whose method is not
	// idempotent.
	NonIdempotent bool `json:"nonIdempotent,omitempty"`
	// PerTry bounds connecting and waiting for the header of each attempt.
	PerTry Duration `json:"perTry,omitempty"`
	// Backoff is the longest wait before the second attempt, which doubles with
	// each; default 25ms.
	Backoff Duration `json:"backoff,omitempty"`
	// MaxBackoff bounds the wait; default 250ms.
	MaxBackoff Duration `json:"maxBackoff,omitempty"`
	// BudgetPercent bounds retries to that share of the requests; default 10.
	BudgetPercent int `json:"budgetPercent,omitempty" schema:"min=0,max=100"`
	// BudgetMin is how many retries a second are allowed in any case; default 3.
	BudgetMin int `json:"budgetMin,omitempty" schema:"min=0"`
}

// TLS to an upstream.
type TLS struct {
	// CA is PEM; "" = the system's.
	CA string `json:"ca,omitempty"`
	// Certificate is the chain in PEM, for mutual TLS, or a reference to it as
	// env:NAME, file:PATH or vault:mount/path#field.
	Certificate string `json:"certificate,omitempty"`
	// Key is the key in PEM, for mutual TLS, or a reference to it.
	Key string `json:"key,omitempty"`
	// ServerName replaces the target's host in SNI and verification.
	ServerName string `json:"serverName,omitempty"`
	// MinVersion is "1.2" (the default) or "1.3".
	MinVersion string `json:"minVersion,omitempty" schema:"enum=1.2|1.3"`
	// InsecureSkipVerify accepts any certificate. It is for tests.
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
}

// Auth is what the gateway sends so that an upstream knows it: one of basic, bearer
// and header. It replaces what the client sent in that field, after all policies.
// Secrets are texts, or references to them, which gateways read.
type Auth struct {
	// Basic is a user name and a password (RFC 7617).
	Basic *BasicAuth `json:"basic,omitempty"`
	// Bearer is a token (RFC 6750 section 2.1), or a reference to it.
	Bearer string `json:"bearer,omitempty"`
	// Header is a field of its own, such as X-API-Key.
	Header *HeaderAuth `json:"header,omitempty"`
}

// BasicAuth is a user name and a password.
type BasicAuth struct {
	// Username has no colon.
	Username string `json:"username"`
	// Password is the password, or a reference to it.
	Password string `json:"password"`
}

// HeaderAuth is a header field with a secret.
type HeaderAuth struct {
	// Name is the name of the field.
	Name string `json:"name"`
	// Value is its whole value, or a reference to it.
	Value string `json:"value"`
}

// Secret returns the secret of an Auth, for reading and for setting; nil where it
// has none or not exactly one.
func (a *Auth) Secret() *string {
	if a == nil {
		return nil
	}
	var found []*string
	if a.Basic != nil {
		found = append(found, &a.Basic.Password)
	}
	if a.Bearer != "" {
		found = append(found, &a.Bearer)
	}
	if a.Header != nil {
		found = append(found, &a.Header.Value)
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// Clone returns a copy.
func (a *Auth) Clone() *Auth {
	if a == nil {
		return nil
	}
	c := *a
	if a.Basic != nil {
		b := *a.Basic
		c.Basic = &b
	}
	if a.Header != nil {
		h := *a.Header
		c.Header = &h
	}
	return &c
}

// Pool bounds the connections to each target.
type Pool struct {
	// MaxConns bounds the connections; default no bound.
	MaxConns int `json:"maxConns,omitempty" schema:"min=0"`
	// MaxIdle bounds the connections kept without use; default 256.
	MaxIdle int `json:"maxIdle,omitempty" schema:"min=0"`
	// Idle is how long a connection is kept without use; default 60s.
	Idle Duration `json:"idle,omitempty"`
}

// DNS says how names of targets are resolved.
type DNS struct {
	// MaxTTL caps how long an answer is used; default 5s.
	MaxTTL Duration `json:"maxTTL,omitempty"`
	// MinTTL is the least; default 1s.
	MinTTL Duration `json:"minTTL,omitempty"`
}

// Duration is a time.Duration that is text in JSON: "150ms", "1h30m", "7d".
type Duration time.Duration

// MarshalText returns the text form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the text form.
func (d Duration) String() string {
	t := time.Duration(d)
	if t > 0 && t%(24*time.Hour) == 0 {
		return strconv.FormatInt(int64(t/(24*time.Hour)), 10) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// SchemaFormat names the format in JSON Schema.
func (Duration) SchemaFormat() string { return "duration" }

var errNegative = errors.New("must not be negative")

// UnmarshalText reads the text form.
func (d *Duration) UnmarshalText(b []byte) error {
	t, err := ParseDuration(string(b))
	*d = Duration(t)
	return err
}

// ParseDuration reads a duration such as "150ms", "1h30m" or "7d". Negative
// ones are refused.
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("duration %q: want a number of days before the d", s)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	t, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("duration %q: want a number and a unit, such as 150ms, 2s, 5m, 1h or 7d", s)
	}
	if t < 0 {
		return 0, fmt.Errorf("duration %q: %w", s, errNegative)
	}
	return t, nil
}
