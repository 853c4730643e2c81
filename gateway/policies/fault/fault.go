// Package fault is the policy fault: it delays and aborts requests on purpose,
// so that one can see how clients bear it.
package fault

import (
	"math/rand/v2"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of faults. Whether a request is delayed and
// whether it is aborted are drawn apart; a request may be both.
type Config struct {
	// Delay holds requests back.
	Delay *Delay `json:"delay,omitempty" schema:"anyof=faults"`
	// Abort answers requests with an error, after the delay.
	Abort *Abort `json:"abort,omitempty" schema:"anyof=faults"`
}

// Delay holds requests back.
type Delay struct {
	// Percent is the share of requests, from 0 to 100.
	Percent float64 `json:"percent" schema:"min=0,max=100"`
	// Fixed is the time that a request is held back.
	Fixed schema.Duration `json:"fixed,omitempty" schema:"min=1ms,max=5m"`
	// Min is the shortest time, where it is drawn evenly between min and max.
	Min schema.Duration `json:"min,omitempty" schema:"min=0,max=5m"`
	// Max is the longest time.
	Max schema.Duration `json:"max,omitempty" schema:"min=1ms,max=5m"`
}

// SetDefaults delays every request.
func (d *Delay) SetDefaults() { d.Percent = 100 }

// Abort answers requests with an error.
type Abort struct {
	// Percent is the share of requests, from 0 to 100.
	Percent float64 `json:"percent" schema:"min=0,max=100"`
	// Status is the status of the answer.
	Status int `json:"status" schema:"min=400,max=599"`
	// Detail is the text of the problem document.
	Detail string `json:"detail" schema:"maxLength=1000"`
}

// SetDefaults aborts every request with 503.
func (a *Abort) SetDefaults() { *a = Abort{Percent: 100, Status: 503, Detail: "a fault was injected"} }

// Definition returns the policy type.
func Definition() policy.Definition { return definition(rand.Float64) }

func definition(random func() float64) policy.Definition {
	d := policy.Define("fault", "Fault injection", Config{}, func(c Config, env policy.Env) (policy.Hooks, error) {
		return compile(c, env, random)
	}, schemaDoc)
	d.Doc = "Delays a share of the requests, or answers them with an error, to try out how clients bear it. " +
		"Give it a condition to hit only test traffic."
	d.Example = "{delay: {percent: 10, min: 100ms, max: 2s}, abort: {percent: 5, status: 503}}"
	return d
}

// fault is one configured policy.
type fault struct {
	id         string
	random     func() float64
	delayShare float64
	shortest   time.Duration
	spread     time.Duration
	abortShare float64
	abort      *problem.Problem
}

func compile(c Config, env policy.Env, random func() float64) (policy.Hooks, error) {
	f := &fault{id: env.ID, random: random}
	if d := c.Delay; d != nil {
		switch {
		case d.Fixed > 0 && (d.Min > 0 || d.Max > 0):
			return policy.Hooks{}, policy.Invalid("/delay/fixed", "a delay is either fixed or drawn between min and max; leave one of them out")
		case d.Fixed > 0:
			f.shortest = time.Duration(d.Fixed)
		case d.Max == 0:
			return policy.Hooks{}, policy.Invalid("/delay/fixed", "how long the delay is is missing; set fixed, or min and max")
		case d.Max < d.Min:
			return policy.Hooks{}, policy.Invalid("/delay/max", "%s is less than min, %s; make it at least as long",
				time.Duration(d.Max), time.Duration(d.Min))
		default:
			f.shortest, f.spread = time.Duration(d.Min), time.Duration(d.Max-d.Min)
		}
		f.delayShare = d.Percent / 100
	}
	if a := c.Abort; a != nil {
		f.abortShare = a.Percent / 100
		f.abort = problem.New(problem.CodeFaultInjected, "%s", a.Detail).WithStatus(a.Status)
	}
	return policy.Hooks{Inbound: f.inbound}, nil
}

func (f *fault) inbound(ex *policy.Exchange) error {
	if f.delayShare > 0 && f.random() < f.delayShare {
		d := f.shortest
		if f.spread > 0 {
			d += time.Duration(f.random() * float64(f.spread))
		}
		if ex.Noting() {
			ex.Note(f.id, "delay", d.String())
		}
		if err := pause(ex, d); err != nil {
			return err
		}
	}
	if f.abortShare > 0 && f.random() < f.abortShare {
		ex.Note(f.id, "abort", "a fault was injected")
		return f.abort
	}
	return nil
}

// pause waits, unless the client leaves.
func pause(ex *policy.Exchange, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ex.Context().Done():
		return problem.New(problem.CodeClientClosed, "the client left while the request was held back").
			Because(ex.Context().Err())
	}
}
