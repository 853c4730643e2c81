package router

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for want, api := range map[string]API{
		`/basePath: invalid path: it does not start with a slash`:                        {BasePath: "orders"},
		`/basePath: it holds an empty segment (//)`:                                      {BasePath: "/a//b"},
		`/basePath: more than 16 segments`:                                               {BasePath: strings.Repeat("/a", 17)},
		`/hosts/1: "a b"`:                                                                {BasePath: "/", Hosts: []string{"a", "a b"}},
		`/hosts/0: "a:80" has a port`:                                                    {BasePath: "/", Hosts: []string{"a:80"}},
		`/hosts/0: "*": a wildcard is "*." before a name`:                                {BasePath: "/", Hosts: []string{"*"}},
		`/hosts/0: "a.*.com": a wildcard is`:                                             {BasePath: "/", Hosts: []string{"a.*.com"}},
		`/conditions/0: a condition looks at one header or one query parameter`:          {BasePath: "/", Conditions: []Condition{{Equals: "1"}}},
		`/conditions/0: not an RE2 expression`:                                           {BasePath: "/", Conditions: []Condition{{Query: "q", Matches: "a)|(b"}}},
		`/conditions/0: a condition has either equals or matches`:                        {BasePath: "/", Conditions: []Condition{{Query: "q", Matches: "a", Equals: "a"}}},
		`/conditions/0: "a b" is not a header name`:                                      {BasePath: "/", Conditions: []Condition{{Header: "a b"}}},
		`/operations/0/path: operation GET a: a path template starts with a slash`:       {BasePath: "/", Operations: []Operation{{Method: "GET", Path: "a"}}},
		`segment "{id": "{" without "}"`:                                                 {BasePath: "/", Operations: ops("GET /{id")},
		`segment "id}": "}" without "{"`:                                                 {BasePath: "/", Operations: ops("GET /id}")},
		`segment "{a}-{b}": more than one parameter in a segment`:                        {BasePath: "/", Operations: ops("GET /{a}-{b}")},
		`segment "{}": the parameter name "" is not made of`:                             {BasePath: "/", Operations: ops("GET /{}")},
		`two parameters are named "a"; rename one`:                                       {BasePath: "/", Operations: ops("GET /{a}/{a}")},
		`segment "{a...}" takes the rest of the path and must be the last`:               {BasePath: "/", Operations: ops("GET /{a...}/b")},
		`segment "x{a...}": text around {name...}`:                                       {BasePath: "/", Operations: ops("GET /x{a...}")},
		`an empty segment (//); remove one`:                                              {BasePath: "/", Operations: ops("GET //a")},
		`segment "..": not possible in a path (invalid path: a dot segment leads`:        {BasePath: "/", Operations: ops("GET /a/..")},
		`segment ".": a dot segment; write the path without it`:                          {BasePath: "/", Operations: ops("GET /a/./b")},
		`it holds an encoded slash (%2F), which the API does not allow`:                  {BasePath: "/", Operations: ops("GET /a%2fb")},
		`more than 16 parameters`:                                                        {BasePath: "/", Operations: ops("GET " + many(17))},
		`/operations/0/method: operation get /a: methods are case-sensitive; write GET`:  {BasePath: "/", Operations: []Operation{{Method: "get", Path: "/a"}}},
		`"G T" is not a method`:                                                          {BasePath: "/", Operations: []Operation{{Method: "G T", Path: "/a"}}},
		`operation y (GET /a/{y}): it matches the same requests as operation x (GET /a/`: {BasePath: "/", Operations: []Operation{{"x", "GET", "/a/{x}"}, {"y", "GET", "/a/{y}"}}},
		`operation y (* /a/*): it matches the same requests as operation x (* /a/{r...}`: {BasePath: "/", Operations: []Operation{{"x", "", "/a/{r...}"}, {"y", "*", "/a/*"}}},
		`operation y (GET /a/): it matches the same requests`:                            {BasePath: "/", IgnoreTrailingSlash: true, Operations: []Operation{{"x", "GET", "/a"}, {"y", "GET", "/a/"}}},
		`/operations/1/id: operation x (POST /a): the id is also that of operation x`:    {BasePath: "/", Operations: []Operation{{"x", "GET", "/a"}, {"x", "POST", "/a"}}},
		`/paths/mergeSlashes: slashes cannot be both merged and kept`:                    {BasePath: "/", MergeSlashes: true, AllowEmptySegments: true},
	} {
		c, err := Compile(api)
		require.ErrorContains(t, err, want)
		require.Nil(t, c)
		var errs Errors
		require.ErrorAs(t, err, &errs)
		require.Len(t, errs, 1)
	}
}

func many(n int) (path string) {
	for i := range n {
		path += "/{p" + string(rune('a'+i)) + "}"
	}
	return path
}

func TestCompileNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := Compile(API{BasePath: "x", Hosts: []string{""}, Operations: ops("GET /{", "GET /ok", "PO ST /")})
	var errs Errors
	require.ErrorAs(t, err, &errs)
	pointers := make([]string, len(errs))
	for i := range errs {
		pointers[i] = errs[i].Pointer
	}
	require.Equal(t, []string{"/hosts/0", "/basePath", "/operations/0/path", "/operations/2/path"}, pointers)
}

// Templates are written by people; requests come encoded.
func TestTemplateIsMadeCanonical(t *testing.T) {
	t.Parallel()
	x, _ := Build(compileAll(t, []API{{ID: "a", BasePath: "/caf%c3%a9", Operations: ops("GET /größe/{id} x", "GET /%7euser")}}))
	for _, path := range []string{"/caf%C3%A9/gr%c3%b6%c3%9fe/7%20x", "/caf%C3%A9/~user"} {
		var m Match
		x.Match(request(t, "GET", "", path), &m)
		require.Equal(t, Matched, m.Outcome, path)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"/", "/a/{b}", "/a/{b...}", "/{a}.x/*", "/a%2fb", "/é", "/..", "/x{y}%4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		c, err := Compile(API{ID: "a", BasePath: "/b", AllowEncodedSlash: true, AllowEncodedBackslash: true, AllowEncodedPercent: true, AllowPathParameters: true, Operations: []Operation{{Method: "GET", Path: path}}})
		if err != nil {
			return
		}
		// A path that is made of the template matches it.
		raw := "/b"
		parsed, err := parseTemplate(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range parsed.segments {
			raw += "/" + s.text
			if s.kind != literal {
				raw += "v" + s.suffix
			}
		}
		canonical, flags, err := canon.Path(raw)
		if err != nil {
			t.Fatalf("%q made %q: %v", path, raw, err)
		}
		if canonical != raw {
			t.Fatalf("%q: the literals are not canonical: %q, %q", path, raw, canonical)
		}
		x, _ := Build([]*Compiled{c})
		var m Match
		x.Match(&Request{Method: "GET", Path: canonical, Flags: flags}, &m)
		if m.Outcome != Matched && !(m.Outcome == BadPath && m.Refused == 0) {
			t.Fatalf("%q does not match %q: %v", path, canonical, m.Outcome)
		}
	})
}
