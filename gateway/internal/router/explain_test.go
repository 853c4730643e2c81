package router

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

var update = flag.Bool("update", false, "write the golden files")

// shop is a set of APIs as somebody could have them.
var shop = []API{
	{ID: "orders", Hosts: []string{"api.example.com"}, BasePath: "/orders", Operations: []Operation{
		{ID: "listItems", Method: "GET", Path: "/items"},
		{ID: "createItem", Method: "POST", Path: "/items"},
		{ID: "getItem", Method: "GET", Path: "/items/{id}"},
		{ID: "getItemAsPDF", Method: "GET", Path: "/items/{id}.pdf"},
		{ID: "newestItem", Method: "GET", Path: "/items/newest"},
		{ID: "deleteItem", Method: "DELETE", Path: "/items/{id}"},
		{ID: "getFile", Method: "GET", Path: "/files/{path...}"},
	}},
	{ID: "orders-v2", Hosts: []string{"api.example.com"}, BasePath: "/orders", Conditions: []Condition{{Header: "X-Version", Equals: "2"}}, Operations: []Operation{
		{ID: "listItems", Method: "GET", Path: "/items"},
	}},
	{ID: "orders-v2-again", Hosts: []string{"api.example.com"}, BasePath: "/orders", Conditions: []Condition{{Header: "x-version", Equals: "2"}}},
	{ID: "customers", Hosts: []string{"*.example.com"}, BasePath: "/customers", MergeSlashes: true},
	{ID: "everything", BasePath: "/", AllowEncodedSlash: true},
	{ID: "internal", Hosts: []string{"internal.example.net"}, BasePath: "/orders/items"},
}

func TestExplainGolden(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		apis          []API
		method, host  string
		path, version string
	}{
		"literal":         {shop, "GET", "api.example.com", "/orders/items/newest", ""},
		"parameter":       {shop, "HEAD", "api.example.com", "/orders/items/a%20b", ""},
		"affixed":         {shop, "GET", "api.example.com", "/orders/items/17.pdf", ""},
		"rest":            {shop, "GET", "api.example.com", "/orders/files/a/b.txt", ""},
		"condition":       {shop, "GET", "api.example.com", "/orders/items", "2"},
		"no-fall-through": {shop, "GET", "api.example.com", "/orders/nothing", ""},
		"method":          {shop, "PATCH", "api.example.com", "/orders/items/17", ""},
		"options":         {shop, "OPTIONS", "api.example.com", "/orders/items", ""},
		"wildcard-merged": {shop, "GET", "eu.example.com", "/customers//7", ""},
		"any-host":        {shop, "GET", "example.org", "/orders/items", ""},
		"bad-path":        {shop, "GET", "api.example.com", "/orders/items%2F7", ""},
		"lenient":         {shop, "GET", "api.example.com", "/orders%2Fitems", ""},
		"no-host":         {shop[:4], "GET", "example.org", "/orders/items", ""},
		"no-base-path":    {shop[:4], "GET", "api.example.com", "/ordersx/items", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, _ := Build(compileAll(t, c.apis))
			path, flags, err := canon.Path(c.path)
			require.NoError(t, err)
			req := &Request{Method: c.method, Host: c.host, Path: path, Flags: flags}
			if c.version != "" {
				req.Header = fields{{"X-Version", c.version}}
			}
			e := x.Explain(req)
			data, err := json.MarshalIndent(e, "", "  ")
			require.NoError(t, err)
			got := e.String() + "\n----------\n" + string(data) + "\n"
			file := filepath.Join("testdata", "explain", name+".golden")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// An explanation never says anything else than the match, and stays short.
func TestExplainAgreesWithMatch(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		x, _ := Build(compileAll(t, randomAPIs(r)))
		for range 20 {
			req := randomRequest(r)
			var m Match
			x.Match(req, &m)
			e := x.Explain(req)
			require.Equal(t, m.Outcome, e.Outcome)
			require.Equal(t, m.Template(), e.Template)
			require.Equal(t, m.API == nil, e.API == "")
			require.NotEmpty(t, e.Steps)
			require.LessOrEqual(t, len(e.NearMisses), maxNearMisses)
			failed := e.Steps[len(e.Steps)-1].Choice == ""
			require.Equal(t, m.Outcome < OptionsAuto, failed, "%s", e)
			require.Less(t, strings.Count(e.String(), "\n"), 50)
		}
	}
}
