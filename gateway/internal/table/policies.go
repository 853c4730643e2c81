package table

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/expr"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Compiler compiles snapshots. Its fields are what policies and upstreams may
// use; all are set before the first Compile.
type Compiler struct {
	Registry    *policy.Registry
	Log         *slog.Logger
	Now         func() time.Time
	Counters    policy.Counters
	Credentials policy.Credentials
	KeySets     policy.KeySets
	Store       policy.Store
	HTTP        *http.Client
	// Secrets reads references to secrets.
	Secrets schema.Resolver
	// SecretsStand says that Secrets reads nothing: what it returns stands for what
	// gateways will read, and what is compiled is only looked at.
	SecretsStand bool
	// SecretPrint names the present value of a reference; it is another one when the
	// value is. nil = values never change.
	SecretPrint func(reference string) string
	// NewUpstream makes an upstream of an API. Previous is the one of the same
	// name in use, or nil.
	NewUpstream func(api string, cfg unit.Upstream, previous Upstream) (Upstream, error)
	// RouteMetrics returns what the engine counts a route's requests with, and
	// what gives it up; nil = nothing.
	RouteMetrics func(*policy.Route) (m any, done func())
	// ConfigAt stands between a policy and the fields of its configuration in the
	// pointers of problems. Units have it at "/config"; a file has nothing there.
	// Where it is set, what is wrong with a policy of a set points at the
	// reference to the set.
	ConfigAt string

	expressions expr.Compiler
	generation  uint64 // counts compilations; there is one at a time
}

type memo struct {
	value any
	err   error
}

// steps compiles a list of policies, with policy sets put in their places.
func (b *builder) steps(level policy.Level, scope policy.Scope, at string, list []unit.Policy) []*chain.Step {
	var steps []*chain.Step
	for i, p := range list {
		where := at + "/" + strconv.Itoa(i)
		if p.Set == "" {
			if s := b.step(level, scope, where, p, p.Type+"-"+strconv.Itoa(i)); s != nil {
				steps = append(steps, s)
			}
			continue
		}
		set, ok := b.sets[p.Set]
		if !ok {
			b.fail(where+"/set", problem.Invalid("set", problem.Field{
				Code: "reference", Detail: fmt.Sprintf("the policy set %q is not there, or could not be read", p.Set),
			}))
			continue
		}
		before := len(b.problems)
		for j, q := range set.Policies {
			at := where
			if b.ConfigAt != "" {
				at += "/" + strconv.Itoa(j)
			}
			if s := b.step(level, scope, at, q, p.Set+"/"+q.Type+"-"+strconv.Itoa(j)); s != nil {
				steps = append(steps, s)
			}
		}
		if b.ConfigAt != "" {
			blameSet(where, p.Set, b.problems[before:])
		}
	}
	return steps
}

// blameSet makes problems of a set's policies those of the reference to it.
func blameSet(where, set string, problems []problem.Field) {
	for i := range problems {
		f := &problems[i]
		f.Detail = fmt.Sprintf("the policy set %q does not fit here: %s of its policies: %s", set, strings.TrimPrefix(f.Pointer, where), f.Detail)
		f.Pointer = where + "/set"
	}
}

// step compiles one policy. What is wrong is kept, and nil returned.
func (b *builder) step(level policy.Level, scope policy.Scope, at string, p unit.Policy, place string) *chain.Step {
	def, ok := b.Registry.Get(p.Type)
	if !ok {
		b.fail(at, problem.Invalid("type", problem.Field{
			Code: "unknown", Detail: fmt.Sprintf("there is no policy type %q%s", p.Type, schema.Suggest(p.Type, b.Registry.Names())),
		}))
		return nil
	}
	scope.Level = level
	id := instanceID(scope, p, place)
	env, stop := b.env(id, scope, p)
	hooks, err := def.Compile(p.Config, env)
	if err != nil {
		stop()
		b.fail(at+b.ConfigAt, err)
		return nil
	}
	b.closers = append(b.closers, func() {
		stop()
		if hooks.Close != nil {
			hooks.Close()
		}
	})
	return &chain.Step{ID: id, Type: p.Type, Level: level, Hooks: hooks, When: b.condition(at+"/when", p.When)}
}

// instanceID names a policy for counters, records and answers. It is the same
// after a change elsewhere; one with a name of its own may also move.
func instanceID(s policy.Scope, p unit.Policy, place string) string {
	id := cmp.Or(s.API, s.Project, "platform")
	switch s.Level {
	case policy.LevelPlan:
		id += "/plans/" + s.Plan
	case policy.LevelOperation:
		id += "/operations/" + s.Operation
	case policy.LevelPlatform, policy.LevelProject:
		id = string(s.Level)
		if s.Level == policy.LevelProject {
			id += "/" + s.Project
		}
	case policy.LevelAPI:
	}
	return id + "/" + cmp.Or(p.Name, place)
}

func (b *builder) condition(at, source string) policy.Expression {
	if source == "" {
		return nil
	}
	e, err := b.expressions.Compile(source)
	if err != nil {
		b.fail(at, problem.Invalid("when", problem.Field{Code: "invalid", Detail: err.Error()}))
		return nil
	}
	return e
}

// env is what one policy may use. Stop ends what it runs in the background.
func (b *builder) env(id string, scope policy.Scope, p unit.Policy) (policy.Env, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	names := make([]string, 0, len(b.api.Upstreams))
	for i := range b.api.Upstreams {
		names = append(names, b.api.Upstreams[i].Name)
	}
	return policy.Env{
		ID: id, Scope: scope, Now: b.Now,
		Log:      b.Log.With("policy", id, "type", p.Type, "api", scope.API),
		Counters: b.Counters, Credentials: b.Credentials, KeySets: b.KeySets, Store: b.Store, HTTP: b.HTTP,
		Document: b.api.Document, Secrets: b.look(), Upstreams: names,
		Expression: b.expressions.Compile, Template: b.expressions.CompileTemplate,
		Slot: func() policy.Slot { b.slots++; return b.slots - 1 },
		Memo: func(key string, make func() (any, error)) (any, error) {
			m, ok := b.memo[key]
			if !ok {
				m.value, m.err = make()
				if b.memo == nil {
					b.memo = map[string]memo{}
				}
				b.memo[key] = m
			}
			return m.value, m.err
		},
		Background: func(f func(context.Context)) { wg.Go(func() { f(ctx) }) },
	}, func() { cancel(); wg.Wait() }
}

// compilePlatform compiles the policies of the platform for requests that match
// no API. On error the result has none, and is not taken for that of the same
// settings later.
func (r *run) compilePlatform() (p *platform, err error) {
	b := builder{run: r, api: &unit.API{}, unit: &Unit{}}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("compiling panicked: %v", v) //nolint:err113 // a panic has no sentinel
		}
		if err != nil {
			b.closeAll()
			p = &platform{key: notCompiled, chain: chain.New("", nil, nil)}
		}
	}()
	steps := b.steps(policy.LevelPlatform, policy.Scope{}, "/platform", r.settings.Platform)
	if len(b.problems) > 0 {
		return nil, problem.Invalid("the platform's policies do not compile", b.problems...)
	}
	return &platform{key: r.settingsKey, secrets: b.unit.secrets, chain: chain.New("", steps, nil), close: b.finish()}, nil
}

// notCompiled is the key of no settings.
const notCompiled = "not compiled"
