package engine

import (
	"encoding/json"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// route returns the policies for what was matched, and what comes after them:
// the upstream, or the reason why there is none. Policies run in any case, so
// that a caller without a credential learns nothing of what exists within an
// API, and preflight requests are answered.
func (e *Engine) route(c *call) (*chain.Chain, chain.Forward) {
	policies := c.table.Unmatched()
	if c.op != nil {
		policies = c.op.Chain
		c.Route = c.op.Route
		c.Request.Path = c.match.Path
	}
	switch c.match.Outcome {
	case router.Matched:
		c.Forward.Path = c.match.Path
		if c.op.Strip > 0 {
			if c.Forward.Path = c.match.Path[c.op.Strip:]; c.Forward.Path == "" {
				c.Forward.Path = "/"
			}
		}
		return policies, e.forward
	case router.MethodNotAllowed:
		return policies, func(ex *policy.Exchange) error {
			return problem.New(problem.CodeMethodNotAllowed, "the address is there for %s only", c.match.Allow).
				WithHeader("Allow", c.match.Allow)
		}
	case router.OptionsAuto:
		return policies, func(ex *policy.Exchange) error {
			ex.Respond(204, "", nil)
			ex.Response.Header.Set("Allow", c.match.Allow)
			return nil
		}
	case router.BadPath:
		return policies, func(*policy.Exchange) error { return badPath(c.match.Refused) }
	case router.NoHost, router.NoPath:
	}
	return policies, func(*policy.Exchange) error {
		return problem.New(problem.CodeNotFound, "no API is served at this host, path and method")
	}
}

func badPath(refused canon.Flags) error {
	what := "a path that servers read in different ways"
	for _, f := range []struct {
		flag canon.Flags
		what string
	}{
		{canon.EncodedSlash, "an encoded slash (%2F)"},
		{canon.EncodedBackslash, "an encoded backslash (%5C)"},
		{canon.EncodedPercent, "an encoded percent sign (%25)"},
		{canon.PathParameters, "a path parameter (;)"},
		{canon.EmptySegment, "an empty segment (//)"},
	} {
		if refused&f.flag != 0 {
			what = f.what
			break
		}
	}
	return problem.New(problem.CodeBadPath, "the path has %s, which this API does not allow", what)
}

// callUpstream is the way to the upstream and back.
func (e *Engine) callUpstream(ex *policy.Exchange) error {
	c, _ := ex.Engine().(*call)
	up := c.op.Upstream
	if name := ex.Forward.Upstream; name != "" {
		up = c.op.Upstreams[name]
	}
	if up == nil {
		return problem.New(problem.CodeUpstreamUnavailable, "the API has no upstream for this operation")
	}
	h := &ex.Request.Header
	if ex.Caller.Authenticated() {
		if app := ex.Caller.Application; app != nil {
			h.Set(HeaderApplication, app.ID)
		}
		if ex.Caller.Subject != "" && policy.ValidValue(ex.Caller.Subject) {
			h.Set(HeaderSubject, ex.Caller.Subject)
		}
		if ex.Caller.Plan != "" && policy.ValidValue(ex.Caller.Plan) {
			h.Set(HeaderPlan, ex.Caller.Plan)
		}
	}
	if ex.Log.RequestBody > 0 {
		c.tap.Request(ex)
	}
	if err := up.Do(ex); err != nil {
		return err
	}
	ex.Response.Source = policy.SourceUpstream
	cleanResponse(&ex.Response.Header, ex.Request.Method == "HEAD" || ex.Response.Status == 304)
	return nil
}

// Release ends an exchange: the policies give back what they took, it is written
// down, and its memory is used again.
func (e *Engine) Release(ex *policy.Exchange) {
	c, _ := ex.Engine().(*call)
	if ex.Outcome.End.IsZero() {
		ex.Outcome.End = time.Now()
	}
	c.state.Done(ex)
	if e.o.Observer != nil && c.begun {
		o := Observation{Verdicts: c.state.Verdicts(), Plan: c.state.Plan(), By: c.state.By(), Match: &c.match, Tap: &c.tap}
		if c.op != nil {
			o.Metrics = c.op.Counters()
		}
		e.o.Observer.End(ex, o)
	}
	if c.table != nil {
		e.o.Live.Leave(c.table, c.hint)
	}
	c.table, c.op, c.begun = nil, nil, false
	c.request = router.Request{}
	c.match.API, c.match.Path, c.match.Allow = nil, "", ""
	c.tap.Reset()
	c.Reset()
	c.state.Reset()
	e.pool.Put(c)
}

// MatchOf says in a few words, as JSON, how the route of an exchange was found.
// The whole story, with near misses, takes a look at every API and is told on
// demand.
func MatchOf(ex *policy.Exchange) json.RawMessage {
	c, ok := ex.Engine().(*call)
	if !ok {
		return nil
	}
	m := struct {
		Outcome  router.Outcome `json:"outcome"`
		Host     string         `json:"host,omitempty"`
		BasePath string         `json:"basePath,omitempty"`
		Template string         `json:"template,omitempty"`
		Allow    string         `json:"allow,omitempty"`
	}{Outcome: c.match.Outcome, Host: c.Request.Host, Allow: c.match.Allow}
	if c.match.API != nil {
		m.BasePath, m.Template = c.match.API.BasePath(), c.match.Template()
	}
	b, err := json.Marshal(m)
	if err != nil { // only texts: cannot happen
		return nil
	}
	return b
}
