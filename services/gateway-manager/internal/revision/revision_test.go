package revision_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
)

var place = revision.Place{API: "api-1", Organization: "org-1", Project: "project-1", Environment: "DEV", Revision: 3}

func decode[T any](t *testing.T, raw []byte) (v T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&v))
	return v
}

// Each testdata/build/*.in.json is a content, and *.out.json the unit of it.
func TestBuild(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/build/*.in.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			c := decode[revision.Content](t, raw)
			require.Empty(t, c.Check())
			var doc []byte
			if c.Document != "" {
				doc = []byte(`{"openapi":"3.0.3","paths":{}}`)
			}
			b, err := revision.Build(&c, doc, place)
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, json.Indent(&out, b.Document, "", "  "))
			testkit.Golden(t, strings.TrimPrefix(strings.Replace(file, ".in.", ".out.", 1), "testdata/"), append(out.Bytes(), '\n'))

			_, err = unit.Decode[unit.API](b.Document)
			require.NoError(t, err, "a gateway reads it")
			again, err := revision.Build(&c, doc, place)
			require.NoError(t, err)
			require.Equal(t, b.Hash, again.Hash, "the same content makes the same unit")
		})
	}
}

func TestBuildRefusesUnknownSets(t *testing.T) {
	t.Parallel()
	c := revision.Content{Effective: policy.EffectiveSet{API: []unit.Policy{{Set: "gone"}}}}
	_, err := revision.Build(&c, nil, place)
	require.ErrorIs(t, err, revision.ErrSet)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := func() revision.Draft {
		return revision.Draft{Name: "A", BasePath: "/a", Upstreams: []unit.Upstream{{Targets: []unit.Target{{URL: "http://a:1"}}}}}
	}
	for name, c := range map[string]struct {
		change   func(*revision.Draft)
		pointers []string
	}{
		"nothing wrong":            {func(*revision.Draft) {}, nil},
		"base path with template":  {func(d *revision.Draft) { d.BasePath = "/a/{id}" }, []string{"/basePath"}},
		"base path with dots":      {func(d *revision.Draft) { d.BasePath = "/a/../b" }, []string{"/basePath"}},
		"host with port":           {func(d *revision.Draft) { d.Hosts = []string{"a.example.com:80"} }, []string{"/hosts/0"}},
		"no upstream":              {func(d *revision.Draft) { d.Upstreams = nil }, []string{"/upstreams"}},
		"target of another scheme": {func(d *revision.Draft) { d.Upstreams[0].Targets[0].URL = "ftp://a" }, []string{"/upstreams/0/targets/0/url"}},
		"target with password":     {func(d *revision.Draft) { d.Upstreams[0].Targets[0].URL = "http://u:p@a" }, []string{"/upstreams/0/targets/0/url"}},
		"second without a name": {func(d *revision.Draft) {
			d.Upstreams = append(d.Upstreams, unit.Upstream{Targets: d.Upstreams[0].Targets})
		}, []string{"/upstreams/1/name"}},
		"operation of no upstream": {func(d *revision.Draft) {
			d.Operations = []document.Operation{{Method: "get", Path: "/x", Upstream: "other"}}
		}, []string{"/operations/0/upstream"}},
		"operations twice": {func(d *revision.Draft) {
			d.Operations = []document.Operation{{Method: "get", Path: "/x"}, {Method: "GET", Path: "/x"}}
		}, []string{"/operations/1/id", "/operations/1/path"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := good()
			c.change(&d)
			var got []string
			for _, f := range d.Check() {
				got = append(got, f.Pointer)
			}
			require.Equal(t, c.pointers, got)
		})
	}
	d := good()
	d.BasePath, d.Hosts = "a/b//", []string{"B.Example.com.", "a.example.com", "b.example.com"}
	require.Empty(t, d.Check())
	require.Equal(t, "/a/b", d.BasePath)
	require.Equal(t, []string{"a.example.com", "b.example.com"}, d.Hosts)
	require.Equal(t, []string{"https://a.example.com:8443/a/b", "https://b.example.com:8443/a/b"}, revision.URLs("https://gw.example.com:8443/", &d))
	d.Hosts = nil
	require.Equal(t, []string{"http://127.0.0.1:8000/a/b"}, revision.URLs("http://127.0.0.1:8000", &d))
}

// Each testdata/diff/*.json has two documents, and *.txt what is different.
func TestDiff(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/diff/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			in := decode[struct {
				Before, After struct {
					Content revision.Content `json:"content"`
					OpenAPI json.RawMessage  `json:"openapi"`
				}
			}](t, raw)
			state := func(c revision.Content, openapi []byte) *revision.State {
				if openapi != nil {
					d, err := document.Read(openapi)
					require.NoError(t, err)
					c.Document, c.Operations = d.Hash, d.Operations
					openapi = d.JSON
				}
				return &revision.State{Content: c, OpenAPI: openapi}
			}
			a, b := state(in.Before.Content, in.Before.OpenAPI), state(in.After.Content, in.After.OpenAPI)
			var out strings.Builder
			for _, c := range revision.Diff(a, b) {
				mark := " "
				if c.Breaking {
					mark = "!"
				}
				fmt.Fprintf(&out, "%s %-7s %-11s %-28s %s\n", mark, c.Kind, c.Area, c.Path, c.Summary)
			}
			testkit.Golden(t, strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".json")+".txt", []byte(out.String()))
			require.Empty(t, revision.Diff(a, a))
		})
	}
}

func TestKeysOfUpstreamsAreNotShownAndNotLost(t *testing.T) {
	t.Parallel()
	before := []unit.Upstream{{Name: "a", TLS: &unit.TLS{Certificate: "c", Key: "secret"}}}
	shown := revision.MaskKeys(before)
	require.Empty(t, shown[0].TLS.Key)
	require.Equal(t, "secret", before[0].TLS.Key)
	revision.KeepKeys(shown, before)
	require.Equal(t, before, shown)
	other := []unit.Upstream{{Name: "a", TLS: &unit.TLS{Certificate: "another"}}}
	revision.KeepKeys(other, before)
	require.Empty(t, other[0].TLS.Key, "the key belongs to its certificate")
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"openapi":"3.0.0","paths":{"/a":{"get":{"responses":{"200":{"content":{"a/b":{"schema":{"$ref":"#/components/schemas/A"}}}}}}}},"components":{"schemas":{"A":{"$ref":"#/components/schemas/A"}}}}`),
		[]byte(`{"openapi":"3.0.0","paths":{"/a":{"get":{"responses":{"200":{"content":{"a/b":{"schema":{"type":["string",null],"enum":[1]}}}}}}}}}`))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		a, errA := document.Read(x)
		b, errB := document.Read(y)
		if errA != nil || errB != nil {
			return
		}
		s := func(d *document.Document) *revision.State {
			return &revision.State{Content: revision.Content{Draft: revision.Draft{Operations: d.Operations, Document: d.Hash}}, OpenAPI: d.JSON}
		}
		require.Empty(t, revision.Diff(s(a), s(a)))
		revision.Diff(s(a), s(b))
	})
}
