// Package policytest runs a policy type the way the gateway does, against
// tables of requests and answers. Every policy has its tests made of it.
package policytest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/internal/expr"
	"github.com/gatehouse/gatehouse/gateway/internal/keyset"
	"github.com/gatehouse/gatehouse/gateway/internal/store"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Request is what a client asks. Zero values: GET / of api.example from
// 192.0.2.1 over http.
type Request struct {
	Method string
	// Path is canonical and may have a query.
	Path   string
	Host   string
	Scheme string
	Header map[string]string
	Body   string
	Client string
	// Caller is who calls, as an earlier policy would have established.
	Caller policy.Caller
	// Params are path parameters.
	Params map[string]string
	// Route is what was matched; nil = operation "op" of API "api".
	Route *policy.Route
	// Edit may change the exchange before the policy sees it.
	Edit func(*policy.Exchange)
}

// Upstream is how the upstream answers. Zero values: 200, no body.
type Upstream struct {
	Status int
	Header map[string]string
	Body   string
	// Stream hands the body out as a stream of unknown length.
	Stream bool
	// Err is the error of the call, instead of an answer.
	Err error
	// Func answers by itself, instead.
	Func func(*policy.Exchange) error
}

// Want is what must come of it. Zero values are not checked, but for Status: 0
// means 200.
type Want struct {
	Status int
	// Code is the problem code of the answer; "" = the answer is no problem.
	Code problem.Code
	// Detail must be part of the problem's detail.
	Detail string
	// Header fields that the answer must have; an empty value = must be absent.
	Header map[string]string
	// Body is the whole body of the answer; Contains is a part of it.
	Body, Contains string
	// Sent is what the upstream must have got.
	Sent *Sent
	// NotSent says that the upstream must not have been called.
	NotSent bool
}

// Sent is what the upstream got.
type Sent struct {
	Method, Path, Query, Authority, Body string
	// Header fields; an empty value = must be absent.
	Header map[string]string
}

// Case is one request through one configuration.
type Case struct {
	Name string
	// Config is YAML or JSON.
	Config   string
	Request  Request
	Upstream Upstream
	Want     Want
}

// Run checks what every policy type must hold to and then the cases.
func Run(t *testing.T, def policy.Definition, cases ...Case) {
	t.Helper()
	Contract(t, def)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			h := New(t, def, c.Config)
			h.Do(c.Request, c.Upstream).Check(c.Want)
		})
	}
}

// Contract checks what every policy type must hold to.
func Contract(t *testing.T, def policy.Definition, options ...Option) {
	t.Helper()
	t.Run("contract", func(t *testing.T) {
		t.Parallel()
		require.Regexp(t, `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, def.Name)
		require.NotEmpty(t, def.Title)
		require.NotEmpty(t, def.Doc, "Doc says what the policy is for")
		require.NotEmpty(t, def.Example, "Example shows the usual configuration")
		sch, err := def.Schema()
		require.NoError(t, err)
		require.True(t, json.Valid(sch.JSON()))
		require.Empty(t, def.Check(JSON(t, def.Example)), "the example must be valid")
		require.NotEmpty(t, def.Check(json.RawMessage(`{"noSuchFieldHere": 1}`)), "an unknown field must be refused")
		require.NotEmpty(t, def.Check(json.RawMessage(`[]`)), "a list must be refused")
		h := New(t, def, def.Example, options...)
		h.emptyExchange()
	})
}

// emptyExchange calls every hook with an exchange that has nothing set: none
// may panic.
func (h *Harness) emptyExchange() {
	k := h.step.Hooks
	call := func(f func(*policy.Exchange)) {
		require.NotPanics(h.t, func() { f(&policy.Exchange{}) })
	}
	for _, f := range []func(*policy.Exchange) error{k.Preflight, k.Inbound, k.Outbound} {
		if f != nil {
			call(func(ex *policy.Exchange) { _ = f(ex) })
		}
	}
	if k.OnError != nil {
		call(func(ex *policy.Exchange) { _ = k.OnError(ex, io.ErrUnexpectedEOF) })
	}
	for _, f := range []func(*policy.Exchange){k.Final, k.Done} {
		if f != nil {
			call(f)
		}
	}
}

// TryJSON returns YAML or JSON text as JSON, and false where it is neither.
func TryJSON(text string) (json.RawMessage, bool) {
	var v any
	if yaml.Unmarshal([]byte(text), &v) != nil {
		return nil, false
	}
	b, err := json.Marshal(v)
	return b, err == nil
}

// JSON returns YAML or JSON text as JSON.
func JSON(t *testing.T, text string) json.RawMessage {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// Harness is one configured policy, ready to be asked.
type Harness struct {
	t     *testing.T
	step  *chain.Step
	chain *chain.Chain
	Clock *Clock
	Store *store.Store
}

// Option changes what a policy is handed.
type Option func(*policy.Env)

// WithCredentials hands the policy these credentials.
func WithCredentials(c policy.Credentials) Option {
	return func(e *policy.Env) { e.Credentials = c }
}

// WithCounters hands the policy these counters.
func WithCounters(c policy.Counters) Option { return func(e *policy.Env) { e.Counters = c } }

// WithKeySets hands the policy these key sets.
func WithKeySets(k policy.KeySets) Option { return func(e *policy.Env) { e.KeySets = k } }

// WithDocument hands the policy an OpenAPI document, as YAML or JSON.
func WithDocument(t *testing.T, doc string) Option {
	raw := JSON(t, doc)
	return func(e *policy.Env) { e.Document = raw }
}

// New compiles the policy with the configuration, in YAML or JSON.
func New(t *testing.T, def policy.Definition, config string, options ...Option) *Harness {
	t.Helper()
	h, err := Compile(t, def, config, options...)
	require.NoError(t, err)
	return h
}

// Compile is New for configurations that may be refused.
func Compile(t *testing.T, def policy.Definition, config string, options ...Option) (*Harness, error) {
	t.Helper()
	h := &Harness{t: t, Clock: NewClock()}
	h.Store = store.New(16<<20, h.Clock.Now)
	env := h.env()
	for _, o := range options {
		o(&env)
	}
	hooks, err := def.Compile(JSON(t, config), env)
	if err != nil {
		return nil, err
	}
	if hooks.Close != nil {
		t.Cleanup(hooks.Close)
	}
	h.step = &chain.Step{ID: env.ID, Type: def.Name, Level: env.Scope.Level, Hooks: hooks}
	h.chain = chain.New("api", []*chain.Step{h.step}, nil)
	return h, nil
}

func (h *Harness) env() policy.Env {
	var compiler expr.Compiler
	var memo sync.Map
	slots := policy.Slot(0)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	h.t.Cleanup(func() { cancel(); wg.Wait() })
	counters, err := counter.New(counter.Options{Now: h.Clock.Now})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { require.NoError(h.t, counters.Close()) })
	return policy.Env{
		ID:          "api/policies/0",
		Scope:       policy.Scope{Level: policy.LevelAPI, Organization: "org", Project: "project", API: "api"},
		Log:         slog.New(slog.DiscardHandler),
		Now:         h.Clock.Now,
		Counters:    counters,
		Credentials: Credentials{},
		KeySets:     h.keySets(),
		Store:       h.Store,
		HTTP:        &http.Client{Timeout: 5 * time.Second},
		Memo: func(key string, make func() (any, error)) (any, error) {
			if v, ok := memo.Load(key); ok {
				return v, nil
			}
			v, err := make()
			if err == nil {
				memo.Store(key, v)
			}
			return v, err
		},
		Expression: compiler.Compile,
		Template:   compiler.CompileTemplate,
		Secrets:    schema.SystemResolver(),
		Slot:       func() policy.Slot { slots++; return slots - 1 },
		Upstreams:  []string{"default", "other"},
		Background: func(f func(context.Context)) { wg.Go(func() { f(ctx) }) },
	}
}

// keySets returns key sets that cannot be fetched from anywhere.
func (h *Harness) keySets() policy.KeySets {
	sets := keyset.New(keyset.Options{HTTP: &http.Client{Transport: nowhere{}}, Now: h.Clock.Now})
	h.t.Cleanup(sets.Close)
	return sets
}

// nowhere reaches nothing.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network in this test") //nolint:err113 // for people
}

// Do sends a request and returns what came of it.
func (h *Harness) Do(r Request, u Upstream) *Result {
	h.t.Helper()
	ex := exchange(r, h.Clock.Now())
	res := &Result{t: h.t, ex: ex}
	var st chain.State
	st.Reset()
	st.Run(ex, h.chain, func(ex *policy.Exchange) error { return res.forward(ex, u) })
	res.read()
	ex.Outcome.ResponseBytes, ex.Outcome.End = int64(len(res.Body)), h.Clock.Now()
	st.Done(ex)
	res.Verdicts = st.Verdicts()
	return res
}

func exchange(r Request, now time.Time) *policy.Exchange {
	ex := &policy.Exchange{ID: "test-request", Start: now, Caller: r.Caller}
	q := &ex.Request
	q.Proto = "HTTP/1.1"
	q.Method = cmp.Or(r.Method, "GET")
	q.Scheme = cmp.Or(r.Scheme, "http")
	q.Host = cmp.Or(r.Host, "api.example")
	q.Authority = q.Host
	q.Path, q.Query, _ = strings.Cut(cmp.Or(r.Path, "/"), "?")
	q.RawPath = q.Path
	q.Client = netip.MustParseAddr(cmp.Or(r.Client, "192.0.2.1"))
	q.Peer = netip.AddrPortFrom(q.Client, 40000)
	for _, k := range slices.Sorted(maps.Keys(r.Header)) {
		q.Header.Add(k, r.Header[k])
	}
	if r.Body != "" {
		q.Body.SetStream(strings.NewReader(r.Body), int64(len(r.Body)))
	}
	ex.Forward.Path = q.Path
	ex.Route = r.Route
	if ex.Route == nil {
		ex.Route = &policy.Route{
			Organization: "org", Project: "project", API: "api", APIName: "api",
			Operation: "op", Method: q.Method, Template: q.Path,
		}
	}
	ex.SetParams(params(r.Params))
	ex.SetNoting(true)
	if r.Edit != nil {
		r.Edit(ex)
	}
	return ex
}

type params map[string]string

func (p params) Param(name string) (string, bool) { v, ok := p[name]; return v, ok }

// Result is what came of a request.
type Result struct {
	t  *testing.T
	ex *policy.Exchange
	// Status, Header and Body are the answer.
	Status int
	Header map[string]string
	Body   string
	// Sent is what the upstream got, nil where it was not called.
	Sent *Sent
	// Calls is how often the upstream was called.
	Calls    int
	Verdicts []chain.Verdict
}

// Exchange returns the exchange, for what Check does not cover.
func (r *Result) Exchange() *policy.Exchange { return r.ex }

func (r *Result) forward(ex *policy.Exchange, u Upstream) error {
	r.Calls++
	r.Sent = &Sent{
		Method: ex.Request.Method, Path: ex.Forward.Path, Query: ex.Request.Query,
		Authority: ex.Forward.Authority, Header: collect(&ex.Request.Header),
	}
	if body := ex.Request.Body.Reader(); body != nil {
		b, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		r.Sent.Body = string(b)
	}
	switch {
	case u.Err != nil:
		return u.Err
	case u.Func != nil:
		return u.Func(ex)
	}
	ex.Response.Status = cmp.Or(u.Status, 200)
	ex.Response.Source = policy.SourceUpstream
	for _, k := range slices.Sorted(maps.Keys(u.Header)) {
		ex.Response.Header.Add(k, u.Header[k])
	}
	switch {
	case u.Stream:
		ex.Response.Body.SetStream(io.NopCloser(strings.NewReader(u.Body)), -1)
	case u.Body != "":
		ex.Response.Body.SetStream(strings.NewReader(u.Body), int64(len(u.Body)))
	}
	return nil
}

func collect(h *policy.Header) map[string]string {
	m := map[string]string{}
	for _, f := range h.Fields() {
		m[http.CanonicalHeaderKey(f.Name)] = h.Joined(f.Name)
	}
	return m
}

func (r *Result) read() {
	r.Status = r.ex.Response.Status
	if body := r.ex.Response.Body.Reader(); body != nil {
		var b bytes.Buffer
		_, err := b.ReadFrom(body)
		require.NoError(r.t, err)
		require.NoError(r.t, r.ex.Response.Body.Close())
		r.Body = b.String()
		if n := r.ex.Response.Body.Length(); n >= 0 {
			require.EqualValues(r.t, n, b.Len(), "the body's length must be true")
		}
	}
	r.Header = collect(&r.ex.Response.Header)
	for _, f := range r.ex.Response.Header.Fields() {
		require.True(r.t, policy.ValidName(f.Name) && policy.ValidValue(f.Value), "response field %q: %q", f.Name, f.Value)
	}
}

// Check compares with what must have come of it.
func (r *Result) Check(w Want) {
	r.t.Helper()
	require.Equal(r.t, cmp.Or(w.Status, 200), r.Status, "status; body: %s", r.Body)
	var p problem.Problem
	if r.Header["Content-Type"] == problem.ContentType {
		require.NoError(r.t, json.Unmarshal([]byte(r.Body), &p))
	}
	require.Equal(r.t, w.Code, p.Code, "problem code; body: %s", r.Body)
	require.Contains(r.t, p.Detail, w.Detail)
	checkHeader(r.t, "response", w.Header, r.Header)
	if w.Body != "" {
		require.Equal(r.t, w.Body, r.Body)
	}
	require.Contains(r.t, r.Body, w.Contains)
	if w.NotSent {
		require.Nil(r.t, r.Sent, "the upstream must not be called")
	}
	if w.Sent == nil {
		return
	}
	require.NotNil(r.t, r.Sent, "the upstream must be called")
	s := *r.Sent
	require.Equal(r.t, cmp.Or(w.Sent.Method, s.Method), s.Method)
	require.Equal(r.t, cmp.Or(w.Sent.Path, s.Path), s.Path)
	require.Equal(r.t, cmp.Or(w.Sent.Query, s.Query), s.Query)
	require.Equal(r.t, cmp.Or(w.Sent.Authority, s.Authority), s.Authority)
	require.Equal(r.t, cmp.Or(w.Sent.Body, s.Body), s.Body)
	checkHeader(r.t, "sent", w.Sent.Header, s.Header)
}

func checkHeader(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for k, v := range want {
		require.Equal(t, v, got[http.CanonicalHeaderKey(k)], "%s header %s", what, k)
	}
}
