package router

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// R11.2, R11.4: strings that are meant to reach /admin past the API that
// guards it. Whatever the lax API allows, each is refused, is the guarded
// API's, or does not lead to /admin for any way of reading it.
func TestBypasses(t *testing.T) {
	t.Parallel()
	lax := API{
		ID: "lax", BasePath: "/",
		AllowEncodedSlash: true, AllowEncodedBackslash: true, AllowEncodedPercent: true, AllowPathParameters: true,
	}
	merging, keeping := lax, lax
	merging.MergeSlashes, keeping.AllowEmptySegments = true, true
	guarded := API{ID: "guarded", BasePath: "/admin", Operations: ops("GET /{rest...}")}
	for raw, want := range map[string]string{
		"/admin/x":              "matched guarded",
		"/%61dmin/x":            "matched guarded",
		"/./admin/x":            "matched guarded",
		"/x/../admin/x":         "matched guarded",
		"/x/%2e%2e/admin/x":     "matched guarded",
		"/admin%2f..":           "error",
		"/a/..;/admin":          "error",
		"/%2e%2e/admin":         "error",
		"/x/..%2fadmin":         "error",
		"/x/..%5cadmin":         "error",
		"/x\\..\\admin":         "error",
		"/admin%00":             "error",
		"/%c0%aeadmin":          "error",
		"/admin\t":              "error",
		"//admin/x":             "bad-path guarded",
		"/admin//x":             "bad-path guarded",
		"/admin%2Fx":            "bad-path guarded",
		"/admin%5Cx":            "bad-path guarded",
		"/%2Fadmin/x":           "bad-path guarded",
		"/admin;x/y":            "bad-path guarded",
		"/;/admin/y":            "bad-path guarded",
		"/%5c;%2Fadmin":         "bad-path guarded",
		"/x%2fadmin":            "matched lax",
		"/%252e%252e/admin":     "matched lax",
		"/adminx":               "matched lax",
		"/admin%20":             "matched lax",
		"/ADMIN":                "matched lax",
		"/%ef%bc%8fadmin":       "matched lax",
		"/x//y":                 "matched lax",
		"/x/../x//../../../etc": "error",
	} {
		for _, api := range []API{merging, keeping} {
			x, _ := Build(compileAll(t, []API{api, guarded}))
			path, flags, err := canon.Path(raw)
			if want == "error" {
				require.Error(t, err, raw)
				continue
			}
			require.NoError(t, err, raw)
			var m Match
			x.Match(&Request{Method: "GET", Path: path, Flags: flags}, &m)
			require.Equal(t, want, m.Outcome.String()+" "+m.API.ID(), raw)
		}
	}
}

func TestPathRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		api       API
		raw       string
		want      Outcome
		refused   canon.Flags
		forwarded string
	}{
		{API{}, "/b/a%2Fb", BadPath, canon.EncodedSlash, ""},
		{API{AllowEncodedSlash: true}, "/b/a%2Fb", Matched, 0, "/b/a%2Fb"},
		{API{AllowEncodedSlash: true}, "/b/a%2Fb;c", BadPath, canon.PathParameters, ""},
		{API{AllowEncodedBackslash: true}, "/b/a%5cb", Matched, 0, "/b/a%5Cb"},
		{API{AllowEncodedPercent: true}, "/b/a%252F", Matched, 0, "/b/a%252F"},
		{API{AllowPathParameters: true}, "/b/a;v=1", Matched, 0, "/b/a;v=1"},
		{API{}, "/b//a", BadPath, canon.EmptySegment, ""},
		{API{AllowEmptySegments: true}, "/b//a", Matched, 0, "/b//a"},
		{API{AllowEmptySegments: true}, "//b/a", BadPath, 0, ""},
		{API{MergeSlashes: true}, "//b///a//", Matched, 0, "/b/a/"},
		{API{}, "/none//a", BadPath, canon.EmptySegment, ""},
	} {
		c.api.ID, c.api.BasePath = "a", "/b"
		x, _ := Build(compileAll(t, []API{c.api}))
		var m Match
		x.Match(request(t, "GET", "", c.raw), &m)
		require.Equal(t, c.want, m.Outcome, c.raw)
		require.Equal(t, c.refused, m.Refused, c.raw)
		if c.want == Matched {
			require.Equal(t, c.forwarded, m.Path)
		}
	}
}

func TestIgnoreTrailingSlash(t *testing.T) {
	t.Parallel()
	x, _ := Build(compileAll(t, []API{{ID: "a", BasePath: "/b", IgnoreTrailingSlash: true, Operations: ops("GET /items/", "GET /items/{id}", "GET /f/{p...}")}}))
	for path, want := range map[string]int{"/b/items": 0, "/b/items/": 0, "/b/items/1": 1, "/b/items/1/": 1, "/b/f": 2, "/b/f/": 2, "/b/f/x/": 2} {
		var m Match
		x.Match(request(t, "GET", "", path), &m)
		require.Equal(t, Matched, m.Outcome, path)
		require.Equal(t, want, m.Operation, path)
		require.Equal(t, path, m.Path)
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	a := compileAll(t, []API{
		{ID: "b", Hosts: []string{"x", "y"}, BasePath: "/p"},
		{ID: "a", Hosts: []string{"X"}, BasePath: "/p/"},
		{ID: "c", Hosts: []string{"x"}, BasePath: "/p", Conditions: []Condition{{Header: "V"}, {Query: "q"}}},
		{ID: "d", Hosts: []string{"x"}, BasePath: "/p", Conditions: []Condition{{Query: "q"}, {Header: "v"}}},
	})
	x, conflicts := Build(a)
	require.Equal(t, []Conflict{
		{Host: "x", BasePath: "/p", Served: "a", Refused: "b"},
		{Host: "x", BasePath: "/p", Conditions: "header v is present and query parameter q is present", Served: "c", Refused: "d"},
	}, conflicts)
	require.Equal(t, "API b is not served on x/p: API a has the same host and base path, and neither has conditions; give one of them another base path, another host, or conditions", conflicts[0].Error())
	served := func(x *Index, host string) string {
		var m Match
		x.Match(request(t, "GET", host, "/p"), &m)
		return m.API.ID()
	}
	require.Equal(t, "a", served(x, "x"))
	require.Equal(t, "b", served(x, "y"), "its other host is not touched")
	// The refused one takes the place when the other goes.
	y, conflicts := x.Update([]*Compiled{a[1]}, nil)
	require.Len(t, conflicts, 1)
	require.Equal(t, "b", served(y, "x"))
	require.Equal(t, "a", served(x, "x"))
	// All gone: as if there had never been anything.
	z, conflicts := y.Update(a, nil)
	require.Empty(t, conflicts)
	var m Match
	z.Match(request(t, "GET", "x", "/p"), &m)
	require.Equal(t, NoHost, m.Outcome)
}
