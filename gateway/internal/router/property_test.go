package router

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// randomAPIs are few words over small alphabets, so that they meet each other.
func randomAPIs(r *rand.Rand) []API {
	apis := make([]API, 1+r.IntN(8))
	for i := range apis {
		api := API{
			ID: fmt.Sprintf("api-%d", i), BasePath: pick(r, "/", "/a", "/a", "/a/b", "/b", "/a/b/c"),
			AllowEncodedSlash: r.IntN(3) == 0, AllowEncodedBackslash: r.IntN(3) == 0, AllowEncodedPercent: r.IntN(3) == 0,
			AllowPathParameters: r.IntN(3) == 0, IgnoreTrailingSlash: r.IntN(3) == 0,
		}
		switch r.IntN(3) {
		case 0:
			api.MergeSlashes = true
		case 1:
			api.AllowEmptySegments = true
		}
		for range r.IntN(3) {
			if host := pick(r, "x.y", "*.y", "*.x.y", "z", "w.x.y"); !slices.Contains(api.Hosts, host) {
				api.Hosts = append(api.Hosts, host)
			}
		}
		for _, c := range []Condition{{Header: "V", Equals: "1"}, {Query: "v", Matches: "[12]"}, {Header: "P"}} {
			if r.IntN(5) == 0 {
				api.Conditions = append(api.Conditions, c)
			}
		}
		seen := map[string]bool{}
		for range r.IntN(7) {
			op := Operation{Method: pick(r, "GET", "GET", "POST", "HEAD", "OPTIONS", "*", "PURGE")}
			for i := range 1 + r.IntN(4) {
				segment := pick(r, "a", "b", "c", "ab", "{p}", "{p}", "a{p}", "{p}0", "a{p}0")
				op.Path += "/" + strings.Replace(segment, "p", fmt.Sprintf("p%d", i), 1)
			}
			switch r.IntN(6) {
			case 0:
				op.Path += "/{r...}"
			case 1:
				op.Path += "/"
			case 2:
				op.Path = pick(r, "/", "/*")
			}
			op.ID = op.Method + " " + op.Path
			rank, _, err := shape(op.Path)
			if err != nil || seen[op.Method+rank] {
				continue
			}
			if api.IgnoreTrailingSlash && (seen[op.Method+rank+"/"] || len(rank) > 1 && rank[len(rank)-1] == '/' && seen[op.Method+rank[:len(rank)-1]]) {
				continue
			}
			seen[op.Method+rank] = true
			api.Operations = append(api.Operations, op)
		}
		apis[i] = api
	}
	return apis
}

// shape is a template with its parameter names taken away.
func shape(path string) (string, template, error) {
	t, err := parseTemplate(path)
	out := ""
	for _, s := range t.segments {
		out += fmt.Sprintf("/%s", s.text)
		if s.kind != literal {
			out += fmt.Sprintf("{%d}%s", s.kind, s.suffix)
		}
	}
	return out, t, err
}

func randomRequest(r *rand.Rand) *Request {
	raw := ""
	for range 1 + r.IntN(5) {
		raw += "/" + pick(r, "a", "b", "c", "ab", "ax0", "x0", "a%20", "x", "a", "b", "", "a%2Fb", "x%5Cb", "a;v", "%2525", "a%0b", "%62")
	}
	if r.IntN(5) == 0 {
		raw += "/"
	}
	path, flags, err := canon.Path(raw)
	if err != nil {
		path, flags = "/a", 0
	}
	req := &Request{
		Host: pick(r, "x.y", "y", "w.x.y", "v.w.x.y", "z", "q", ""), Path: path, Flags: flags,
		Method: pick(r, "GET", "POST", "HEAD", "OPTIONS", "PURGE", "FOO"),
	}
	var h fields
	for range r.IntN(3) {
		h = append(h, pick(r, [2]string{"v", "1"}, [2]string{"V", "2"}, [2]string{"p", ""}))
	}
	req.Header = h
	req.RawQuery = pick(r, "", "v=1", "v=1&v=2", "w=1&v=2", "v=12")
	return req
}

func compileAll(t testing.TB, apis []API) []*Compiled {
	t.Helper()
	out := make([]*Compiled, len(apis))
	for i := range apis {
		c, err := Compile(apis[i])
		require.NoError(t, err, "%+v", apis[i])
		out[i] = c
	}
	return out
}

// agree compares the index with the naive matcher for one request.
func agree(t testing.TB, x *Index, apis []API, req *Request, m *Match) {
	t.Helper()
	x.Match(req, m)
	outcome, id, op, params := naive(apis, req)
	gotID, gotOp := "", ""
	var gotParams []string
	if m.API != nil {
		gotID = m.API.ID()
		if m.Operation >= 0 {
			gotOp = m.API.API().Operations[m.Operation].ID
		}
		for i := range m.Params() {
			_, v := m.ParamAt(i)
			gotParams = append(gotParams, v)
		}
	}
	if outcome != m.Outcome || id != gotID || op != gotOp || !slices.Equal(params, gotParams) {
		t.Fatalf("%s %q host %q query %q header %v flags %v\n got %v %q %q %q\nwant %v %q %q %q\n%+v",
			req.Method, req.Path, req.Host, req.RawQuery, req.Header, req.Flags, m.Outcome, gotID, gotOp, gotParams, outcome, id, op, params, apis)
	}
}

func TestMatchAgreesWithNaive(t *testing.T) {
	t.Parallel()
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	r := rand.New(rand.NewPCG(1, 2))
	outcomes := map[Outcome]int{}
	var m Match
	for range rounds {
		apis := randomAPIs(r)
		compiled := compileAll(t, apis)
		x, _ := Build(compiled)
		for range 40 {
			agree(t, x, apis, randomRequest(r), &m)
			outcomes[m.Outcome]++
		}
	}
	for o := NoHost; o <= Matched; o++ {
		require.Greater(t, outcomes[o], rounds/10, "too few of %v: %v", o, outcomes)
	}
}

// The order in which APIs are given, and the way in which an index came to be,
// make no difference.
func TestOrderNeverMatters(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		compiled := compileAll(t, randomAPIs(r))
		x, conflicts := Build(compiled)
		shuffled := slices.Clone(compiled)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		// Strangers come and go in between.
		strangers := compileAll(t, randomAPIs(r))
		y, _ := Build(strangers)
		for len(shuffled) > 0 {
			n := 1 + r.IntN(len(shuffled))
			y, _ = y.Update(nil, shuffled[:n])
			shuffled = shuffled[n:]
			drop := r.IntN(len(strangers) + 1)
			y, _ = y.Update(strangers[:drop], nil)
			strangers = strangers[drop:]
		}
		y, conflictsY := y.Update(strangers, nil)
		require.Equal(t, conflicts, conflictsY)
		require.Equal(t, conflicts, y.Conflicts())
		var a, b Match
		for range 40 {
			req := randomRequest(r)
			x.Match(req, &a)
			y.Match(req, &b)
			require.Equal(t, a.Outcome, b.Outcome)
			require.Same(t, a.API, b.API)
			require.Equal(t, a.Operation, b.Operation)
			require.Equal(t, a.Allow, b.Allow)
		}
	}
}

// An old index goes on answering as it did.
func TestUpdateLeavesTheOldIndexAlone(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		apis := randomAPIs(r)
		compiled := compileAll(t, apis)
		x, _ := Build(compiled)
		for range 5 {
			others := compileAll(t, randomAPIs(r))
			_, _ = x.Update(compiled[:r.IntN(len(compiled)+1)], others)
		}
		var m Match
		for range 30 {
			agree(t, x, apis, randomRequest(r), &m)
		}
	}
}

func FuzzRouter(f *testing.F) {
	f.Add(uint64(1), "/a/b", "x.y", "GET", "v=1")
	f.Add(uint64(2), "//a%2fb;c/", "w.x.y", "HEAD", "")
	f.Fuzz(func(t *testing.T, seed uint64, raw, host, method, query string) {
		path, flags, err := canon.Path(raw)
		if err != nil {
			return
		}
		if host, err = canon.Host(host); err != nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, 0))
		apis := randomAPIs(r)
		x, _ := Build(compileAll(t, apis))
		req := randomRequest(r)
		req.Path, req.Flags, req.Host, req.Method = path, flags, host, method
		if canon.Query(query) == nil {
			req.RawQuery = query
		}
		var m Match
		agree(t, x, apis, req, &m)
	})
}
