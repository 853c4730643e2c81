package table_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// held is something that is open from its making to its Close.
type held struct {
	api    string
	closed atomic.Bool
	twice  atomic.Bool
}

func (h *held) Do(*policy.Exchange) error { return nil }

func (h *held) Close() {
	if h.closed.Swap(true) {
		h.twice.Store(true)
	}
}

// bench is a compiler with what it has made.
type bench struct {
	compiler *table.Compiler
	live     table.Live

	mu      sync.Mutex
	made    []*held
	running atomic.Int64 // background work of policies
}

type markConfig struct {
	// Text is any.
	Text string `json:"text,omitempty"`
	// Bad refuses to compile, Panics panics.
	Bad    bool `json:"bad,omitempty"`
	Panics bool `json:"panics,omitempty"`
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{}
	mark := policy.Define("mark", "Mark", markConfig{}, func(c markConfig, env policy.Env) (policy.Hooks, error) {
		if c.Panics {
			panic("mark")
		}
		if c.Bad {
			return policy.Hooks{}, policy.Invalid("/bad", "is bad")
		}
		h := b.make("")
		b.running.Add(1)
		env.Background(func(ctx context.Context) {
			<-ctx.Done()
			b.running.Add(-1)
		})
		return policy.Hooks{
			Inbound: func(ex *policy.Exchange) error { ex.Request.Header.Add("Mark", c.Text); return nil },
			Close:   h.Close,
		}, nil
	})
	registry, err := policy.NewRegistry(mark)
	require.NoError(t, err)
	b.compiler = &table.Compiler{
		Registry: registry, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		NewUpstream: func(api string, _ unit.Upstream, _ table.Upstream) (table.Upstream, error) { return b.make(api), nil },
	}
	return b
}

func (b *bench) make(api string) *held {
	h := &held{api: api}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = append(b.made, h)
	return h
}

// open counts what is not closed.
func (b *bench) open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(b.made), func(h *held) bool { return h.closed.Load() }))
}

func (b *bench) total() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.made)
}

// allClosed checks that everything was closed, once.
func (b *bench) allClosed(t require.TestingT) {
	require.Zero(t, b.open())
	require.Zero(t, b.running.Load())
	for _, h := range b.made {
		require.False(t, h.twice.Load(), "closed twice")
	}
}

// deliver compiles and swaps as the gateway does.
func (b *bench) deliver(s source.Snapshot) (*table.Table, table.Stats) {
	next, stats := b.compiler.Compile(s, b.live.Current())
	b.live.Swap(next)
	return next, stats
}

// snap makes a snapshot of units.
func snap(t require.TestingT, units ...any) source.Snapshot {
	s := source.Snapshot{Units: map[unit.Hash][]byte{}}
	for _, u := range units {
		doc, hash, err := unit.Encode(u)
		require.NoError(t, err)
		ref := unit.Ref{Hash: hash}
		switch u := u.(type) {
		case unit.API:
			ref.Kind, ref.Name = unit.KindAPI, u.ID
		case unit.PolicySet:
			ref.Kind, ref.Name = unit.KindPolicySet, u.Name
		case unit.Settings:
			ref.Kind, ref.Name = unit.KindSettings, "settings"
		case rawUnit:
			ref.Kind, ref.Name = u.kind, u.name
			ref.Hash, doc = unit.HashOf([]byte(u.doc)), []byte(u.doc)
		}
		s.Refs = append(s.Refs, ref)
		s.Units[ref.Hash] = doc
	}
	return s
}

// rawUnit is a unit with a document that is not of its kind.
type rawUnit struct {
	kind      unit.Kind
	name, doc string
}

func mark(text string) unit.Policy {
	return unit.Policy{Type: "mark", Config: unit.Raw(fmt.Sprintf(`{"text":%q}`, text))}
}

func api(id string, policies ...unit.Policy) unit.API {
	return unit.API{
		ID: id, Name: id, BasePath: "/" + id, Project: "p-" + id, Policies: policies,
		Upstreams: []unit.Upstream{{Targets: []unit.Target{{URL: "http://127.0.0.1:1"}}}},
	}
}

// ask returns what serves a path, and the marks that its policies would set, or
// the code of the problem that they answer.
func ask(t require.TestingT, tbl *table.Table, path string) (op *table.Operation, marks []string, code problem.Code) {
	p, flags, err := canon.Path(path)
	require.NoError(t, err)
	var m router.Match
	op = tbl.Match(&router.Request{Host: "h", Path: p, Flags: flags, Method: "GET", Header: &policy.Header{}}, &m)
	if op == nil {
		return nil, nil, ""
	}
	ex := &policy.Exchange{}
	for _, s := range op.Chain.Steps {
		if err := s.Inbound(ex); err != nil {
			return op, nil, problem.From(err).Code
		}
	}
	for v := range ex.Request.Header.Values("Mark") {
		marks = append(marks, v)
	}
	return op, marks, ""
}

func TestOnlyWhatChangedIsCompiled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	set := func(text string) unit.PolicySet {
		return unit.PolicySet{Name: "shared", Policies: []unit.Policy{mark(text)}}
	}
	settings := func(platform, project string) unit.Settings {
		return unit.Settings{
			Platform: []unit.Policy{mark(platform)},
			Projects: map[string][]unit.Policy{"p-a": {mark(project)}},
		}
	}
	a, uses, c := api("a", mark("own")), api("uses", unit.Policy{Set: "shared"}), api("c")
	first, stats := b.deliver(snap(t, settings("one", "p"), set("one"), a, uses, c))
	require.Empty(t, first.Issues)
	require.Equal(t, table.Stats{Compiled: 3}, stats)
	_, marks, _ := ask(t, first, "/a")
	require.Equal(t, []string{"one", "p", "own"}, marks, "wider levels come first")
	_, marks, _ = ask(t, first, "/uses")
	require.Equal(t, []string{"one", "one"}, marks)

	same, stats := b.deliver(snap(t, settings("one", "p"), set("one"), a, uses, c))
	require.Equal(t, table.Stats{Reused: 3}, stats)
	for _, u := range first.Units() {
		require.Same(t, u, same.Unit(u.ID))
	}

	next, stats := b.deliver(snap(t, settings("one", "p"), set("two"), a, uses, c))
	require.Equal(t, table.Stats{Compiled: 1, Reused: 2}, stats, "a set concerns those that use it")
	require.NotSame(t, first.Unit("uses"), next.Unit("uses"))
	_, marks, _ = ask(t, next, "/uses")
	require.Equal(t, []string{"one", "two"}, marks)

	changed := api("c", mark("new"))
	next, stats = b.deliver(snap(t, settings("one", "p"), set("two"), a, uses, changed))
	require.Equal(t, table.Stats{Compiled: 1, Reused: 2}, stats)
	require.Same(t, first.Unit("a"), next.Unit("a"))

	_, stats = b.deliver(snap(t, settings("two", "p"), set("two"), a, uses, changed))
	require.Equal(t, table.Stats{Compiled: 3}, stats, "settings concern all")

	b.live.Close()
	b.allClosed(t)
}

func TestWhatDoesNotCompileKeepsItsPreviousForm(t *testing.T) {
	t.Parallel()
	good := []any{
		unit.Settings{Platform: []unit.Policy{mark("platform")}},
		unit.PolicySet{Name: "shared", Policies: []unit.Policy{mark("set")}},
		api("a", unit.Policy{Set: "shared"}), api("b"),
	}
	bad := unit.Policy{Type: "mark", Config: unit.Raw(`{"bad":true}`)}
	for name, c := range map[string]struct {
		units   []any
		issue   string // kind, unit and pointer of one
		serving string
	}{
		"a policy refuses":             {[]any{good[0], good[1], api("a", bad), good[3]}, "api a /policies/0/bad", "previous"},
		"a policy panics":              {[]any{good[0], good[1], api("a", unit.Policy{Type: "mark", Config: unit.Raw(`{"panics":true}`)}), good[3]}, "api a ", "previous"},
		"no such policy":               {[]any{good[0], good[1], api("a", unit.Policy{Type: "none"}), good[3]}, "api a /policies/0", "previous"},
		"unknown field":                {[]any{good[0], good[1], rawUnit{unit.KindAPI, "a", `{"id":"a","basePath":"/a","nonsense":1}`}, good[3]}, "api a ", "previous"},
		"bad path":                     {[]any{good[0], good[1], unit.API{ID: "a", BasePath: "a"}, good[3]}, "api a /basePath", "previous"},
		"the set is gone":              {[]any{good[0], api("a", unit.Policy{Set: "shared"}), good[3]}, "api a /policies/0/set", "previous"},
		"the set cannot be read":       {[]any{good[0], rawUnit{unit.KindPolicySet, "shared", `{"nonsense":1}`}, good[2], good[3]}, "policy-set shared ", "nothing"},
		"the settings cannot be read":  {[]any{rawUnit{unit.KindSettings, "settings", `{"nonsense":1}`}, good[1], good[2], good[3]}, "settings settings ", "nothing"},
		"the settings do not compile":  {[]any{unit.Settings{Platform: []unit.Policy{bad}}, good[1], good[2], good[3]}, "settings settings /platform/0/bad", "previous"},
		"the settings panic":           {[]any{unit.Settings{Platform: []unit.Policy{{Type: "mark", Config: unit.Raw(`{"panics":true}`)}}}, good[1], good[2], good[3]}, "settings settings ", "previous"},
		"the platform's set is gone":   {[]any{unit.Settings{Platform: []unit.Policy{{Set: "gone"}}}, good[1], good[2], good[3]}, "settings settings /platform/0/set", "previous"},
		"a unit of a newer kind comes": {[]any{good[0], good[1], good[2], good[3], rawUnit{"hologram", "x", `{}`}}, "hologram x ", "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			first, _ := b.deliver(snap(t, good...))
			require.Empty(t, first.Issues)
			for range 2 { // and it is said again as long as it lasts
				next, _ := b.deliver(snap(t, c.units...))
				var said []string
				for _, i := range next.Issues {
					for _, p := range i.Problems {
						said = append(said, fmt.Sprintf("%s %s %s: %s", i.Kind, i.Unit, p.Pointer, i.Serving))
					}
				}
				require.Contains(t, said, c.issue+": "+c.serving)
				_, marks, code := ask(t, next, "/a")
				require.Empty(t, code)
				require.Equal(t, []string{"platform", "set"}, marks, "what was served is served on")
				_, marks, _ = ask(t, next, "/b")
				require.Equal(t, []string{"platform"}, marks)
				require.Len(t, next.Unmatched().Steps, 1, "the platform's policies hold for what no API matches")
			}
			// Once mended, all is as it was.
			last, _ := b.deliver(snap(t, good...))
			require.Empty(t, last.Issues)
			b.live.Close()
			b.allClosed(t)

			// Where nothing was served before, what is broken answers 503, and never
			// without its policies.
			fresh := newBench(t)
			var issues []table.Issue
			for again := range 2 {
				only, _ := fresh.deliver(snap(t, c.units...))
				require.NotEmpty(t, only.Issues)
				if again == 0 {
					issues = only.Issues
				}
				require.Equal(t, issues, only.Issues, "and it is said again as long as it lasts")
				for _, i := range issues {
					require.NotEqual(t, "previous", i.Serving)
				}
				op, marks, code := ask(t, only, "/a")
				switch {
				case op == nil: // its address could not be read
				case code != "":
					require.Equal(t, problem.CodeAPINotDeployed, code)
				default:
					require.Equal(t, []string{"platform", "set"}, marks)
				}
			}
			fresh.live.Close()
			fresh.allClosed(t)
		})
	}
}

func TestWhatASourceCouldNotMakeAnswers503OrGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := snap(t, api("good"))
	s.Broken = []source.Broken{{Name: "new", BasePath: "/new", Problems: []problem.Field{{Detail: "no"}}}}
	tbl, _ := b.deliver(s)
	_, _, code := ask(t, tbl, "/new/x")
	require.Equal(t, problem.CodeAPINotDeployed, code)
	require.Equal(t, "unavailable", tbl.Issues[0].Serving)

	s = snap(t)
	s.Broken = []source.Broken{{Name: "good", BasePath: "/good", Problems: []problem.Field{{Detail: "no"}}}}
	s.Locate = func(kind unit.Kind, name, _ string) (string, string) { return "", string(kind) + "@" + name }
	tbl, _ = b.deliver(s)
	_, _, code = ask(t, tbl, "/good")
	require.Empty(t, code)
	require.Equal(t, "previous", tbl.Issues[0].Serving)
	require.Equal(t, "api@good", tbl.Issues[0].Problems[0].Source)
	b.live.Close()
	b.allClosed(t)
}

func TestAClaimOfTwoIsSaidAsLongAsItLasts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := api("one"), api("two")
	two.BasePath = one.BasePath
	for range 2 {
		tbl, _ := b.deliver(snap(t, one, two))
		require.Len(t, tbl.Issues, 1)
		require.Equal(t, "two", tbl.Issues[0].Unit)
		op, _, _ := ask(t, tbl, "/one")
		require.Equal(t, "one", op.Route.API)
	}
	tbl, _ := b.deliver(snap(t, two))
	require.Empty(t, tbl.Issues)
	op, _, _ := ask(t, tbl, "/one")
	require.Equal(t, "two", op.Route.API)
	b.live.Close()
	b.allClosed(t)
}

// After any sequence of configurations, what is served and what is open are
// exactly those of the last one.
func TestAnySequenceLeavesTheLast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		var units []any
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			units = []any{
				unit.Settings{Platform: []unit.Policy{mark(rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "platform"))}},
				unit.PolicySet{Name: "shared", Policies: []unit.Policy{mark(rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "set"))}},
			}
			for _, id := range []string{"a", "b", "c", "d"} {
				switch rapid.IntRange(0, 3).Draw(rt, id) {
				case 0:
				case 1:
					units = append(units, api(id))
				case 2:
					units = append(units, api(id, mark("own")))
				case 3:
					units = append(units, api(id, unit.Policy{Set: "shared"}))
				}
			}
			b.deliver(snap(rt, units...))
		}
		fresh := newBench(t)
		want, _ := fresh.deliver(snap(rt, units...))
		got := b.live.Current()
		require.Empty(rt, got.Issues)
		require.Equal(rt, want.APIs(), got.APIs())
		for _, path := range []string{"/a", "/b", "/c", "/d", "/e"} {
			wantOp, wantMarks, _ := ask(rt, want, path)
			gotOp, gotMarks, _ := ask(rt, got, path)
			require.Equal(rt, wantMarks, gotMarks, path)
			require.Equal(rt, wantOp == nil, gotOp == nil, path)
			if gotOp != nil {
				require.Equal(rt, wantOp.Unit.Hash, gotOp.Unit.Hash)
			}
		}
		require.Equal(rt, fresh.open(), b.open(), "nothing of earlier ones is open")
		b.live.Close()
		fresh.live.Close()
		b.allClosed(rt)
		fresh.allClosed(rt)
	})
}
