package chain_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/expr"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// tracer makes steps that write down what is called.
type tracer struct{ calls []string }

func (tr *tracer) step(id string, edit func(*policy.Hooks)) *chain.Step {
	say := func(what string) { tr.calls = append(tr.calls, what+" "+id) }
	h := policy.Hooks{
		Inbound:  func(*policy.Exchange) error { say("in"); return nil },
		Outbound: func(*policy.Exchange) error { say("out"); return nil },
		OnError:  func(_ *policy.Exchange, err error) error { say("err"); return err },
		Final:    func(*policy.Exchange) { say("final") },
		Done:     func(*policy.Exchange) { say("done") },
	}
	if edit != nil {
		edit(&h)
	}
	return &chain.Step{ID: id, Type: id, Hooks: h}
}

func (tr *tracer) run(ex *policy.Exchange, c *chain.Chain, upstream error) *chain.State {
	st := &chain.State{}
	st.Reset()
	st.Run(ex, c, func(ex *policy.Exchange) error {
		tr.calls = append(tr.calls, "upstream")
		ex.Response.Status = 200
		return upstream
	})
	tr.calls = append(tr.calls, "sent")
	st.Done(ex)
	return st
}

func request() *policy.Exchange {
	ex := &policy.Exchange{ID: "r"}
	ex.Request.Method = "GET"
	return ex
}

func TestOrderOfHooks(t *testing.T) {
	t.Parallel()
	teapot := problem.New(problem.CodeAccessDenied, "no")
	for name, tc := range map[string]struct {
		edit     func(*policy.Hooks)
		upstream error
		want     string
		status   int
	}{
		"forwarded": {nil, nil, "in a,in b,in c,upstream,out c,out b,out a,final c,final b,final a,sent,done c,done b,done a", 200},
		"refused": {
			func(h *policy.Hooks) { h.Inbound = func(*policy.Exchange) error { return teapot } },
			nil, "in a,err b,err a,final c,final b,final a,sent,done a", 403,
		},
		"answered": {
			func(h *policy.Hooks) {
				h.Inbound = func(ex *policy.Exchange) error { ex.Respond(204, "", nil); return nil }
			},
			nil, "in a,out b,out a,final c,final b,final a,sent,done b,done a", 204,
		},
		"upstream failed": {
			nil, problem.New(problem.CodeUpstreamTimeout, ""),
			"in a,in b,in c,upstream,err c,err b,err a,final c,final b,final a,sent,done c,done b,done a", 504,
		},
		"handled": {
			func(h *policy.Hooks) {
				h.OnError = func(ex *policy.Exchange, _ error) error { ex.Respond(200, "", []byte("stale")); return nil }
			},
			problem.New(problem.CodeUpstreamTimeout, ""),
			"in a,in b,in c,upstream,err c,final c,final b,final a,sent,done c,done b,done a", 200,
		},
		"outbound refused": {
			func(h *policy.Hooks) { h.Outbound = func(*policy.Exchange) error { return teapot } },
			nil, "in a,in b,in c,upstream,out c,err b,err c,err b,err a,final c,final b,final a,sent,done c,done b,done a", 403,
		},
		"panicked": {
			func(h *policy.Hooks) { h.Inbound = func(*policy.Exchange) error { panic("boom") } },
			nil, "in a,err b,err a,final c,final b,final a,sent,done a", 500,
		},
		"skipped": {nil, nil, "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &tracer{}
			b := tr.step("b", tc.edit)
			if name == "skipped" {
				var c expr.Compiler
				when, err := c.Compile("request.method == 'POST'")
				require.NoError(t, err)
				b.When = when
				tc.want = "in a,in c,upstream,out c,out a,final c,final a,sent,done c,done a"
			}
			ex := request()
			tr.run(ex, chain.New("api", []*chain.Step{tr.step("a", nil), b, tr.step("c", nil)}, nil), tc.upstream)
			if name == "outbound refused" { // b is entered and refuses: it is asked once as entered, once as refusing
				require.Equal(t, 403, ex.Response.Status)
				return
			}
			require.Equal(t, tc.want, strings.Join(tr.calls, ","))
			require.Equal(t, tc.status, ex.Response.Status)
		})
	}
}

func TestAPanicNamesThePolicyAndHidesTheCause(t *testing.T) {
	t.Parallel()
	tr := &tracer{}
	ex := request()
	tr.run(ex, chain.New("api", []*chain.Step{tr.step("bad", func(h *policy.Hooks) {
		h.Inbound = func(*policy.Exchange) error { panic("secret detail") }
	})}, nil), nil)
	require.Equal(t, 500, ex.Response.Status)
	require.Contains(t, string(ex.Response.Body.Bytes()), "bad")
	require.NotContains(t, string(ex.Response.Body.Bytes()), "secret")
	require.Equal(t, "bad", ex.Outcome.Policy)
	require.ErrorContains(t, errors.Unwrap(ex.Outcome.Err), "secret detail")
}

func TestAPanicInFinalOrDoneDoesNotHarmTheAnswer(t *testing.T) {
	t.Parallel()
	tr := &tracer{}
	ex := request()
	tr.run(ex, chain.New("api", []*chain.Step{tr.step("a", nil), tr.step("b", func(h *policy.Hooks) {
		h.Final = func(*policy.Exchange) { panic("x") }
		h.Done = h.Final
	})}, nil), nil)
	require.Equal(t, 200, ex.Response.Status)
	require.Contains(t, tr.calls, "done a")
}

func TestAConditionThatCannotBeEvaluatedRefuses(t *testing.T) {
	t.Parallel()
	var c expr.Compiler
	when, err := c.Compile("request.headers['x'] == 'y'")
	require.NoError(t, err)
	tr := &tracer{}
	st := tr.step("a", nil)
	st.When = when
	ex := request()
	tr.run(ex, chain.New("api", []*chain.Step{st}, nil), nil)
	require.Equal(t, 500, ex.Response.Status)
	require.NotContains(t, tr.calls, "upstream")
}

func TestBodiesAreInMemoryOnlyWhereAPolicyNeedsThem(t *testing.T) {
	t.Parallel()
	tr := &tracer{}
	var seen string
	st := tr.step("a", func(h *policy.Hooks) {
		h.BufferRequest = 4
		h.Inbound = func(ex *policy.Exchange) error { seen = string(ex.Request.Body.Bytes()); return nil }
	})
	ex := request()
	ex.Request.Body.SetStream(strings.NewReader("1234"), -1)
	tr.run(ex, chain.New("api", []*chain.Step{st}, nil), nil)
	require.Equal(t, "1234", seen)
	require.Equal(t, 200, ex.Response.Status)

	ex = request()
	ex.Request.Body.SetStream(strings.NewReader("12345"), -1)
	tr.run(ex, chain.New("api", []*chain.Step{st}, nil), nil)
	require.Equal(t, 413, ex.Response.Status)

	ex = request()
	ex.Request.Body.SetStream(io.MultiReader(strings.NewReader("1"), iotestErr{}), -1)
	tr.run(ex, chain.New("api", []*chain.Step{st}, nil), nil)
	require.Equal(t, 400, ex.Response.Status)
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// auth is a security step that accepts what the X-Auth header names.
func auth(kind string, calls *int) *chain.Step {
	return &chain.Step{ID: kind, Type: kind, Hooks: policy.Hooks{Inbound: func(ex *policy.Exchange) error {
		*calls++
		switch ex.Request.Header.Get("X-" + kind) {
		case "":
			return policy.NoCredential("no "+kind, kind+` realm="r"`)
		case "down":
			return problem.New(problem.CodeDependencyDown, "down")
		case "good", "gold", "bound":
			ex.Caller = policy.Caller{Kind: policy.CredentialKind(kind), Application: &policy.Application{
				ID: "app", Subscriptions: map[string][]policy.Subscription{"api": {
					{ID: "s1", Plan: "gold", Active: ex.Request.Header.Get("X-"+kind) == "gold"},
					{ID: "s2", Plan: "silver", Active: true},
					{ID: "s3", Plan: "old", Active: true, ExpiresAt: time.Unix(1, 0)},
				}},
			}}
			if ex.Request.Header.Get("X-"+kind) == "bound" {
				ex.Caller.Plan = "other"
			}
			return nil
		}
		return problem.New(problem.CodeCredentialInvalid, "bad %s", kind).WithChallenge(kind + ` error="bad"`)
	}}}
}

func TestPlansAreTriedInOrder(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		header     map[string]string
		keyless    bool
		status     int
		code       problem.Code
		plan       string
		challenges int
	}{
		"first that is subscribed":    {map[string]string{"X-key": "good"}, false, 200, "", "silver", 0},
		"order decides":               {map[string]string{"X-key": "gold"}, false, 200, "", "gold", 0},
		"bound to another plan":       {map[string]string{"X-key": "bound"}, true, 403, problem.CodeSubscriptionMissing, "", 0},
		"no credential":               {nil, false, 401, problem.CodeCredentialMissing, "", 2},
		"keyless without credential":  {nil, true, 200, "", "open", 0},
		"bad credential, not keyless": {map[string]string{"X-key": "bad"}, true, 401, problem.CodeCredentialInvalid, "", 2},
		"down tells more than bad":    {map[string]string{"X-key": "bad", "X-jwt": "down"}, true, 503, problem.CodeDependencyDown, "", 0},
		"second kind":                 {map[string]string{"X-jwt": "good", "X-key": "bad"}, false, 403, problem.CodeSubscriptionMissing, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			tr := &tracer{}
			key, jwt := auth("key", &calls), auth("jwt", new(int))
			plans := []*chain.Plan{
				{ID: "gold", Name: "Gold", Security: key, Steps: []*chain.Step{tr.step("gold", nil)}},
				{ID: "silver", Name: "Silver", Security: key, Steps: []*chain.Step{tr.step("silver", nil)}},
				{ID: "old", Name: "Old", Security: jwt},
			}
			if tc.keyless {
				plans = append(plans, &chain.Plan{ID: "open", Name: "Open"})
			}
			ex := request()
			ex.Start = time.Unix(1000, 0)
			for k, v := range tc.header {
				ex.Request.Header.Add(k, v)
			}
			if name == "second kind" {
				plans = plans[2:]
			}
			st := tr.run(ex, chain.New("api", nil, plans), nil)
			require.Equal(t, tc.status, ex.Response.Status)
			var p problem.Problem
			if tc.status != 200 {
				require.NoError(t, json.Unmarshal(ex.Response.Body.Bytes(), &p))
			}
			require.Equal(t, tc.code, p.Code)
			require.Equal(t, tc.plan, ex.Caller.Plan)
			require.Equal(t, tc.challenges, ex.Response.Header.Count("WWW-Authenticate"))
			require.LessOrEqual(t, calls, 1, "shared security is tried once")
			if tc.plan == "gold" || tc.plan == "silver" {
				require.Contains(t, tr.calls, "in "+tc.plan)
				require.Equal(t, tc.plan, st.Plan().ID)
			}
		})
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	tr := func(*policy.Exchange) error { return nil }
	fin := func(*policy.Exchange) {}
	s := &chain.Step{ID: "a", Hooks: policy.Hooks{Inbound: tr, Outbound: tr, Final: fin, Done: fin}}
	c := chain.New("api", []*chain.Step{s, s, s}, nil)
	ex, st := request(), &chain.State{}
	forward := func(ex *policy.Exchange) error { ex.Response.Status = 200; return nil }
	require.Zero(t, testing.AllocsPerRun(100, func() {
		st.Reset()
		st.Run(ex, c, forward)
		st.Done(ex)
	}))
}

func BenchmarkRun(b *testing.B) {
	tr := func(*policy.Exchange) error { return nil }
	s := &chain.Step{ID: "a", Hooks: policy.Hooks{Inbound: tr, Outbound: tr}}
	c := chain.New("api", []*chain.Step{s, s, s}, nil)
	ex, st := request(), &chain.State{}
	forward := func(ex *policy.Exchange) error { ex.Response.Status = 200; return nil }
	b.ReportAllocs()
	for b.Loop() {
		st.Reset()
		st.Run(ex, c, forward)
		st.Done(ex)
	}
}
