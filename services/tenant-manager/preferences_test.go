package tenantmanager_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What people prefer on the screens is theirs alone, and merges.
func TestPreferences(t *testing.T) {
	t.Parallel()
	s := newTwo(t)
	const at = "/me/preferences"
	owner := s.vars["owner"]
	read := func(token string) answer { return s.w.call(t, token, "GET", at, "") }
	write := func(body string, header ...string) answer {
		if len(header) == 0 {
			header = anyVersion
		}
		return s.w.call(t, owner, "PATCH", at, body, header...)
	}
	first := read(owner)
	require.Equal(t, 200, first.status, first.body)
	require.JSONEq(t, `{"version":1}`, first.body, "nothing is chosen")
	require.Equal(t, `"v1"`, first.header.Get("ETag"))

	require.Equal(t, 428, s.w.call(t, owner, "PATCH", at, `{"theme":"dark"}`).status)
	require.Equal(t, 412, write(`{"theme":"dark"}`, "If-Match", `"v7"`).status)
	a := write(`{"theme":"dark","utc":true,"language":"PT-br"}`, "If-Match", `"v1"`)
	require.Equal(t, 200, a.status, a.body)
	require.JSONEq(t, `{"version":2,"theme":"dark","utc":true,"language":"pt-BR"}`, a.body)
	a = write(`{"lists":{"users":{"columns":["name","email"],"views":{"a1":{"name":"Mine","query":"status:active","sort":"seen","columns":["name"]}},"defaultView":"a1"}}}`)
	require.Equal(t, `"v3"`, a.header.Get("ETag"))
	require.JSONEq(t, `{"version":3,"theme":"dark","utc":true,"language":"pt-BR",
		"lists":{"users":{"columns":["name","email"],"views":{"a1":{"name":"Mine","query":"status:active","sort":"seen","columns":["name"]}},"defaultView":"a1"}}}`, read(owner).body)
	require.Equal(t, `"v3"`, write(`{"theme":"dark"}`).header.Get("ETag"), "nothing changed")

	// A part of a view merges; what is deleted is no longer the default.
	require.Equal(t, 200, write(`{"lists":{"users":{"views":{"a1":{"name":"Ours"}}}}}`).status)
	require.Contains(t, read(owner).body, `{"columns":["name"],"name":"Ours","query":"status:active","sort":"seen"}`)
	a = write(`{"theme":null,"utc":null,"language":null,"lists":{"users":{"views":{"a1":null}}}}`)
	require.JSONEq(t, `{"version":5,"lists":{"users":{"columns":["name","email"]}}}`, a.body)
	require.JSONEq(t, `{"version":6}`, write(`{"lists":{"users":{"columns":null}}}`).body)

	require.JSONEq(t, `{"version":1}`, read(s.stranger).body)
	require.Equal(t, 401, read("").status)
}

// What preferences cannot be is said field by field, and nothing of it is kept.
func TestPreferencesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	many := func(n int, format string) string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(out, ",")
	}
	const view = `{"name":"A","query":""}`
	for body, pointer := range map[string]string{
		`{"theme":"pink"}`:                          "/theme",
		`{"contrast":"less"}`:                       "/contrast",
		`{"density":7}`:                             "/density",
		`{"shortcuts":"no"}`:                        "/shortcuts",
		`{"navCollapsed":1}`:                        "/navCollapsed",
		`{"utc":"UTC"}`:                             "/utc",
		`{"language":"!"}`:                          "/language",
		`{"favourite":true}`:                        "/favourite",
		`{"version":2}`:                             "/version",
		`{"lists":{"Users":{"columns":["name"]}}}`:  "/lists/Users",
		`{"lists":{"users":{"rows":[]}}}`:           "/lists/users/rows",
		`{"lists":{"users":{"columns":[]}}}`:        "/lists/users/columns",
		`{"lists":{"users":{"columns":["a","a"]}}}`: "/lists/users/columns",
		`{"lists":{"users":{"columns":["a b"]}}}`:   "/lists/users/columns/0",
		`{"lists":{"users":{"columns":[` + many(61, `"c%d"`) + `]}}}`:                                  "/lists/users/columns",
		`{"lists":{"users":{"views":{"A b":` + view + `}}}}`:                                           "/lists/users/views/A b",
		`{"lists":{"users":{"views":{"a":{"query":"x"}}}}}`:                                            "/lists/users/views/a/name",
		`{"lists":{"users":{"views":{"a":{"name":""}}}}}`:                                              "/lists/users/views/a/name",
		`{"lists":{"users":{"views":{"a":{"name":"A","owner":"x"}}}}}`:                                 "/lists/users/views/a/owner",
		`{"lists":{"users":{"views":{"a":{"name":"A","query":"` + strings.Repeat("q", 1001) + `"}}}}}`: "/lists/users/views/a/query",
		`{"lists":{"users":{"views":{"a":{"name":"A","sort":"a b"}}}}}`:                                "/lists/users/views/a/sort",
		`{"lists":{"users":{"views":{` + many(31, `"v%d":`+view) + `}}}}`:                              "/lists/users/views",
		`{"lists":{"users":{"views":{"a":` + view + `},"defaultView":"b"}}}`:                           "/lists/users/defaultView",
		`{"lists":{` + many(101, `"l%d":{"columns":["a"]}`) + `}}`:                                     "/lists",
		`{"lists":{"users":{"views":{` + many(30, `"v%d":{"name":"A","query":"`+strings.Repeat("q", 1000)+`"}`) + `}},"groups":{"views":{` + many(5, `"v%d":{"name":"A","query":"`+strings.Repeat("q", 1000)+`"}`) + `}}}}`: "/lists",
	} {
		a := s.w.call(t, s.vars["owner"], "PATCH", "/me/preferences", body, anyVersion...)
		require.Equal(t, 422, a.status, "%.200s: %s", body, a.body)
		require.Contains(t, a.body, `"pointer":"`+pointer+`"`, "%.200s", body)
	}
	require.JSONEq(t, `{"version":1}`, s.w.call(t, s.vars["owner"], "GET", "/me/preferences", "").body)
}
