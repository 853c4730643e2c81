package table

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// compileAPI compiles one unit. On error nothing of it is left running.
func (r *run) compileAPI(a *unit.API, hash unit.Hash) (_ *Unit, err error) {
	if r.badSet[""] {
		return nil, problem.New(problem.CodeInvalidInput, "the settings of the gateway group could not be read")
	}
	b := builder{run: r, api: a, hash: hash, unit: &Unit{ID: a.ID, Hash: hash, routeMetrics: r.RouteMetrics}}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compiling panicked: %v", p) //nolint:err113 // a panic has no sentinel
		}
		if err != nil {
			b.closeAll()
		}
	}()
	routes := b.routes()
	b.upstreams()
	b.policies()
	if len(b.problems) > 0 {
		return nil, problem.Invalid("the API "+a.ID+" does not compile", b.problems...)
	}
	b.unit.compiled = routes
	b.unit.close = b.finish()
	return b.unit, nil
}

// builder compiles one unit.
type builder struct {
	*run
	api      *unit.API
	hash     unit.Hash
	unit     *Unit
	problems []problem.Field
	closers  []func()
	named    map[string]Upstream
	memo     map[string]memo
	slots    policy.Slot
}

func (b *builder) closeAll() { b.finish()() }

// finish returns what closes all that was made, and lets go of the run. What
// policies and the unit keep may lead back to the builder, and from the run all
// former configurations can be reached: each would be kept for ever.
func (b *builder) finish() func() {
	closers := b.closers
	b.closers, b.run, b.memo = nil, nil, nil
	return func() {
		for i := len(closers) - 1; i >= 0; i-- {
			closers[i]()
		}
	}
}

// fail keeps what is wrong, with pointers made whole.
func (b *builder) fail(at string, err error) {
	for _, f := range fieldsOf(err) {
		f.Pointer = at + f.Pointer
		b.problems = append(b.problems, f)
	}
}

func (b *builder) routes() *router.Compiled {
	a := b.api
	ra := router.API{
		ID: a.ID, Hosts: a.Hosts, BasePath: a.BasePath, Value: b.unit,
		AllowEncodedSlash: a.Paths.AllowEncodedSlash, AllowEncodedBackslash: a.Paths.AllowEncodedBackslash,
		AllowEncodedPercent: a.Paths.AllowEncodedPercent, AllowPathParameters: a.Paths.AllowParameters,
		MergeSlashes: a.Paths.MergeSlashes, IgnoreTrailingSlash: a.Paths.IgnoreTrailingSlash,
		AllowEmptySegments: a.Paths.AllowEmptySegments,
	}
	for _, c := range a.Conditions {
		ra.Conditions = append(ra.Conditions, router.Condition(c))
	}
	for i := range a.Operations {
		o := &a.Operations[i]
		ra.Operations = append(ra.Operations, router.Operation{ID: o.ID, Method: o.Method, Path: o.Path})
	}
	compiled, err := router.Compile(ra)
	var wrong router.Errors
	switch {
	case errors.As(err, &wrong):
		for _, e := range wrong {
			b.problems = append(b.problems, problem.Field{Pointer: e.Pointer, Code: "invalid", Detail: e.Detail})
		}
	case err != nil:
		b.fail("", err)
	}
	return compiled
}

func (b *builder) upstreams() {
	b.named = make(map[string]Upstream, len(b.api.Upstreams))
	for i := range b.api.Upstreams {
		cfg := b.api.Upstreams[i]
		at := "/upstreams/" + strconv.Itoa(i)
		known, ok := b.auth(at+"/auth", cfg.Auth)
		cfg.Auth = nil
		if !b.clientKey(at+"/tls", &cfg) || !ok {
			continue
		}
		up, err := b.NewUpstream(b.api.ID, cfg, Plain(b.previousUpstream(cfg.Name)))
		if err != nil {
			b.fail(at, err)
			continue
		}
		if known != nil {
			known.Upstream, up = up, known
		}
		b.closers = append(b.closers, up.Close)
		b.named[cfg.Name] = up
	}
}

// previousUpstream is the upstream of the same name in the form that is served,
// whose connections and health may be taken over.
func (b *builder) previousUpstream(name string) Upstream {
	if b.prev == nil {
		return nil
	}
	if u := b.prev.units[b.api.ID]; u != nil {
		return u.whole.Upstreams[name]
	}
	return nil
}

// policies compiles the chains: one for the API as a whole and one for each
// operation. Steps of the wider levels are compiled once and shared.
func (b *builder) policies() {
	a := b.api
	scope := policy.Scope{Organization: a.Organization, Project: a.Project, API: a.ID}
	wide := b.steps(policy.LevelPlatform, scope, "/platform", b.settings.Platform)
	wide = append(wide, b.steps(policy.LevelProject, scope, "/projects/"+schema.Escape(a.Project), b.settings.Projects[a.Project])...)
	wide = append(wide, b.steps(policy.LevelAPI, scope, "/policies", a.Policies)...)
	plans := b.plans(scope)
	b.operation(&b.unit.whole, nil, chain.New(a.ID, wide, plans))
	b.unit.ops = make([]Operation, len(a.Operations))
	for i := range a.Operations {
		o := &a.Operations[i]
		at := "/operations/" + strconv.Itoa(i)
		c := b.unit.whole.Chain
		if len(o.Policies) > 0 {
			s := scope
			s.Operation = o.ID
			own := b.steps(policy.LevelOperation, s, at+"/policies", o.Policies)
			c = withOperation(a.ID, wide, plans, own)
		}
		if o.Upstream != "" && b.named[o.Upstream] == nil {
			b.fail(at+"/upstream", problem.Invalid("reference", problem.Field{
				Code: "reference", Detail: fmt.Sprintf("the API has no upstream %q", o.Upstream),
			}))
		}
		b.operation(&b.unit.ops[i], o, c)
	}
	if len(a.Operations) > 0 {
		// A request for the API that none of its operations is for must not pass
		// as one for the API as a whole.
		b.unit.whole.Chain = chain.New(a.ID, wide, nil)
	}
}

// withOperation returns the chain with the operation's own policies at its end:
// after those of the plan where there are plans.
func withOperation(api string, wide []*chain.Step, plans []*chain.Plan, own []*chain.Step) *chain.Chain {
	if len(plans) == 0 {
		return chain.New(api, append(append([]*chain.Step{}, wide...), own...), nil)
	}
	with := make([]*chain.Plan, len(plans))
	for i, p := range plans {
		cp := *p
		cp.Steps = append(append([]*chain.Step{}, p.Steps...), own...)
		with[i] = &cp
	}
	return chain.New(api, wide, with)
}

func (b *builder) operation(op *Operation, o *unit.Operation, c *chain.Chain) {
	a := b.api
	route := &policy.Route{
		Organization: a.Organization, Project: a.Project, Environment: a.Environment,
		API: a.ID, APIName: a.Name, Version: a.Version, Revision: a.Revision,
		BasePath: trimSlash(a.BasePath), Unit: string(b.hash),
	}
	op.Route, op.Chain, op.Upstreams, op.Unit = route, c, b.named, b.unit
	if a.StripPath {
		op.Strip = len(route.BasePath)
	}
	name := ""
	if len(a.Upstreams) > 0 {
		name = a.Upstreams[0].Name
	}
	if o != nil {
		route.Operation, route.Method, route.Template = o.ID, o.Method, route.BasePath+o.Path
		if o.Upstream != "" {
			name = o.Upstream
		}
	}
	op.Upstream = b.named[name]
}

func trimSlash(s string) string {
	if n := len(s); n > 0 && s[n-1] == '/' {
		return s[:n-1]
	}
	return s
}

func (b *builder) plans(scope policy.Scope) []*chain.Plan {
	var plans []*chain.Plan
	security := map[string]*chain.Step{}
	for i := range b.api.Plans {
		p := &b.api.Plans[i]
		at := "/plans/" + strconv.Itoa(i)
		s := scope
		s.Plan = p.ID
		cp := &chain.Plan{ID: p.ID, Name: p.Name, When: b.condition(at+"/when", p.When)}
		if p.Security != nil {
			key := p.Security.Type + string(p.Security.Config)
			if security[key] == nil {
				security[key] = b.step(policy.LevelPlan, s, at+"/security", *p.Security, "security")
			}
			cp.Security = security[key]
			if cp.Security != nil && !cp.Security.Authenticates {
				b.fail(at+"/security", problem.Invalid("security", problem.Field{
					Code: "invalid", Detail: fmt.Sprintf("the policy %s does not establish who calls; use one such as api-key or jwt", p.Security.Type),
				}))
			}
		}
		cp.Steps = b.steps(policy.LevelPlan, s, at+"/policies", p.Policies)
		plans = append(plans, cp)
	}
	return plans
}

// unavailable returns the unit that answers 503 in place of one that does not
// compile.
func (r *run) unavailable(name string, hosts []string, basePath string) (*Unit, error) {
	u := &Unit{ID: name, Broken: true, routeMetrics: r.RouteMetrics}
	compiled, err := router.Compile(router.API{ID: name, Hosts: hosts, BasePath: basePath, Value: u})
	if err != nil {
		return nil, err
	}
	refuse := &chain.Step{ID: name, Type: "api", Hooks: policy.Hooks{Inbound: func(*policy.Exchange) error {
		return problem.New(problem.CodeAPINotDeployed, "the API %s could not be loaded; its publisher has been told why", name)
	}}}
	u.compiled = compiled
	u.whole.Route = &policy.Route{API: name, APIName: name, BasePath: trimSlash(basePath)}
	u.whole.Chain = chain.New(name, append(append([]*chain.Step{}, r.table.platform.chain.Steps...), refuse), nil)
	u.whole.Unit = u
	return u, nil
}
