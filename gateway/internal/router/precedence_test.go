package router

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// ops makes operations of "METHOD /path"; the text is the id.
func ops(texts ...string) (out []Operation) {
	for _, text := range texts {
		for i := range text {
			if text[i] == ' ' {
				out = append(out, Operation{ID: text, Method: text[:i], Path: text[i+1:]})
				break
			}
		}
	}
	return out
}

func request(t testing.TB, method, host, raw string) *Request {
	t.Helper()
	path, flags, err := canon.Path(raw)
	require.NoError(t, err, raw)
	return &Request{Method: method, Host: host, Path: path, Flags: flags}
}

func TestOperationPrecedence(t *testing.T) {
	t.Parallel()
	api := API{ID: "a", BasePath: "/v1", Operations: ops(
		"GET /", "GET /items", "POST /items", "GET /items/{id}", "GET /items/{id}.json", "GET /items/r-{id}.json", "GET /items/new", "POST /items/{id}",
		"GET /items/{id}/lines/{line}", "GET /items/new/{x}", "* /items/{id}/any", "GET /files/{path...}", "GET /files/{name}/meta", "HEAD /files/{name}/meta",
		"GET /trailing/", "PURGE /items", "OPTIONS /own", "GET /own", "GET /tail/*", "GET /caf%C3%A9", "GET /a%20b",
	)}
	x, conflicts := Build(compileAll(t, []API{api}))
	require.Empty(t, conflicts)
	for _, c := range []struct {
		method, path string
		want         string // the operation, or the outcome and Allow
	}{
		{"GET", "/v1", "GET /"},
		{"GET", "/v1/", "GET /"},
		{"GET", "/v1/items", "GET /items"},
		{"GET", "/v1/items/", "no-path "},
		{"GET", "/v1/trailing/", "GET /trailing/"},
		{"GET", "/v1/trailing", "no-path "},
		{"GET", "/v1/items/17", "GET /items/{id}"},
		{"GET", "/v1/items/new", "GET /items/new"},
		{"GET", "/v1/items/newer", "GET /items/{id}"},
		{"GET", "/v1/items/17.json", "GET /items/{id}.json"},
		{"GET", "/v1/items/.json", "GET /items/{id}"},
		{"GET", "/v1/items/r-17.json", "GET /items/r-{id}.json"},
		// Back to a less specific segment, where the more specific one has no
		// such method or leads nowhere.
		{"POST", "/v1/items/new", "POST /items/{id}"},
		{"GET", "/v1/items/new/lines/4", "GET /items/{id}/lines/{line}"},
		{"GET", "/v1/items/new/lines", "GET /items/new/{x}"},
		{"DELETE", "/v1/items/new/any", "* /items/{id}/any"},
		{"GET", "/v1/items/new/any", "GET /items/new/{x}"},
		{"GET", "/v1/files/a/meta", "GET /files/{name}/meta"},
		{"HEAD", "/v1/files/a/meta", "HEAD /files/{name}/meta"},
		{"GET", "/v1/files/a/b/meta", "GET /files/{path...}"},
		{"GET", "/v1/files/", "GET /files/{path...}"},
		{"GET", "/v1/files", "no-path "},
		{"GET", "/v1/tail/x/y", "GET /tail/*"},
		{"HEAD", "/v1/items", "GET /items"},
		{"PURGE", "/v1/items", "PURGE /items"},
		{"get", "/v1/items", "method-not-allowed GET, HEAD, POST, OPTIONS, PURGE"},
		{"DELETE", "/v1/items", "method-not-allowed GET, HEAD, POST, OPTIONS, PURGE"},
		{"DELETE", "/v1/items/new", "method-not-allowed GET, HEAD, POST, OPTIONS"},
		{"OPTIONS", "/v1/items/new", "options-auto GET, HEAD, POST, OPTIONS"},
		{"OPTIONS", "/v1/own", "OPTIONS /own"},
		{"OPTIONS", "/v1/none", "no-path "},
		{"GET", "/v1/caf%c3%a9", "GET /caf%C3%A9"},
		{"GET", "/v1/a%20b", "GET /a%20b"},
		{"GET", "/v1/Items", "no-path "},
		{"GET", "/v1items", "no-path "},
		{"GET", "/v2", "no-path "},
	} {
		var m Match
		x.Match(request(t, c.method, "", c.path), &m)
		got := m.Outcome.String() + " " + m.Allow
		if m.Outcome == Matched {
			got = m.API.API().Operations[m.Operation].ID
		}
		require.Equal(t, c.want, got, "%s %s", c.method, c.path)
	}
}

func TestHostAndBasePathPrecedence(t *testing.T) {
	t.Parallel()
	apis := []API{
		{ID: "any-root", BasePath: "/"},
		{ID: "any-orders", BasePath: "/orders"},
		{ID: "exact-a", Hosts: []string{"API.example.com"}, BasePath: "/a"},
		{ID: "exact-a-b", Hosts: []string{"api.example.com"}, BasePath: "/a/b/"},
		{ID: "wild-a", Hosts: []string{"*.example.com"}, BasePath: "/a"},
		{ID: "wild-orders", Hosts: []string{"*.example.com"}, BasePath: "/orders"},
		{ID: "longer-wild", Hosts: []string{"*.eu.example.com", "[::1]"}, BasePath: "/a"},
	}
	x, conflicts := Build(compileAll(t, apis))
	require.Empty(t, conflicts)
	for _, c := range []struct{ host, path, want string }{
		{"api.example.com", "/a", "exact-a"},
		{"api.example.com", "/a/x", "exact-a"},
		{"api.example.com", "/a/b", "exact-a-b"},
		{"api.example.com", "/a/b/c", "exact-a-b"},
		{"api.example.com", "/a/bc", "exact-a"},
		{"api.example.com", "/orders/1", "wild-orders"},
		{"api.example.com", "/ordersx", "any-root"},
		{"x.example.com", "/a", "wild-a"},
		{"x.y.example.com", "/a", "wild-a"},
		{"x.eu.example.com", "/a", "longer-wild"},
		{"eu.example.com", "/a", "wild-a"},
		{"[::1]", "/a", "longer-wild"},
		{"example.com", "/orders", "any-orders"},
		{"badexample.com", "/a", "any-root"},
		{"", "/", "any-root"},
	} {
		var m Match
		x.Match(request(t, "GET", c.host, c.path), &m)
		require.Equal(t, Matched, m.Outcome, "%s%s", c.host, c.path)
		require.Equal(t, c.want, m.API.ID(), "%s%s", c.host, c.path)
		require.Equal(t, -1, m.Operation)
	}
}

// R11.3: a path that an API owns never falls through to another API.
func TestNoFallThrough(t *testing.T) {
	t.Parallel()
	x, _ := Build(compileAll(t, []API{
		{ID: "root", BasePath: "/"},
		{ID: "orders", BasePath: "/orders", Operations: ops("GET /items")},
		{ID: "conditional", Hosts: []string{"h"}, BasePath: "/c", Conditions: []Condition{{Header: "V", Equals: "1"}}},
	}))
	var m Match
	x.Match(request(t, "GET", "h", "/orders/admin"), &m)
	require.Equal(t, NoPath, m.Outcome)
	require.Equal(t, "orders", m.API.ID())
	x.Match(request(t, "DELETE", "h", "/orders/items"), &m)
	require.Equal(t, MethodNotAllowed, m.Outcome)
	x.Match(request(t, "GET", "h", "/c/x"), &m)
	require.Equal(t, NoPath, m.Outcome)
	require.Nil(t, m.API)
	x.Match(request(t, "GET", "h", "/x"), &m)
	require.Equal(t, Matched, m.Outcome)
}

func TestConditions(t *testing.T) {
	t.Parallel()
	x, _ := Build(compileAll(t, []API{
		{ID: "default", BasePath: "/a"},
		{ID: "v2", BasePath: "/a", Conditions: []Condition{{Header: "X-Version", Equals: "2"}}},
		{ID: "v2-beta", BasePath: "/a", Conditions: []Condition{{Query: "beta"}, {Header: "x-version", Equals: "2"}}},
		{ID: "v3", BasePath: "/a", Conditions: []Condition{{Header: "X-Version", Matches: `3(\.\d+)?`}}},
	}))
	for _, c := range []struct {
		header      fields
		query, want string
	}{
		{nil, "", "default"},
		{fields{{"X-Version", "2"}}, "", "v2"},
		{fields{{"x-version", "2"}}, "beta=", "v2-beta"},
		{fields{{"x-version", "2"}}, "%62eta", "v2-beta"},
		{fields{{"X-Version", "3"}}, "", "v3"},
		{fields{{"X-Version", "3.14"}}, "beta", "v3"},
		{fields{{"X-Version", "13"}}, "", "default"},
		{fields{{"X-Version", "3\n"}}, "", "default"},
		{fields{{"X-Version", "2"}, {"X-Version", "3"}}, "", "default"},
	} {
		req := request(t, "GET", "", "/a/x")
		req.Header, req.RawQuery = c.header, c.query
		var m Match
		x.Match(req, &m)
		require.Equal(t, c.want, m.API.ID(), "%v %s", c.header, c.query)
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	x, _ := Build(compileAll(t, []API{{ID: "a", BasePath: "/b", AllowEncodedSlash: true, Operations: ops("GET /{x}/f-{y}.z/{rest...}")}}))
	var m Match
	x.Match(request(t, "GET", "", "/b/1%2f2/f-a%20b.z/c/d%2Fe/"), &m)
	require.Equal(t, Matched, m.Outcome)
	require.Equal(t, 3, m.Params())
	name, encoded := m.ParamAt(0)
	require.Equal(t, "x", name)
	require.Equal(t, "1%2F2", encoded)
	for name, want := range map[string]string{"x": "1/2", "y": "a b", "rest": "c/d/e/"} {
		got, ok := m.Param(name)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok := m.Param("z")
	require.False(t, ok)
	require.Equal(t, "/b/{x}/f-{y}.z/{rest...}", m.Template())
}
