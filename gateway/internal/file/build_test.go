package file_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func build(t *testing.T, text, dir string, memo *file.Memo) (file.Built, []string) {
	t.Helper()
	var cfg file.Config
	doc, fields := config.Decode("gateway.yaml", []byte(text), &cfg)
	require.Empty(t, fields)
	b := file.Build(&cfg, dir, memo)
	var lines []string
	for _, f := range doc.Locate(b.Problems) {
		lines = append(lines, f.Source+" "+f.Pointer+" "+f.Code)
	}
	return b, lines
}

func TestMistakesAreFoundWhereTheyStand(t *testing.T) {
	t.Parallel()
	_, lines := build(t, `
apis:
  - name: a
    upstraem: {targets: [{url: "http://x"}]}
  - name: b
    policies: [{set: none}]
    operations: [{method: GET, path: /x, upstream: nowhere}]
    openapi: missing.yaml
  - name: c
    plans: [{name: gold}, {name: gold}]
    upstream: {targets: [{url: "http://x"}]}
    upstreams: [{targets: [{url: "http://x"}]}]
applications:
  - name: app
    credentials: [{apiKey: "short"}, {apiKey: "long-enough-1"}, {apiKey: "long-enough-1"}, {hmac: {keyId: k, secret: s}}]
    subscriptions: [{api: none, plan: x}, {api: c, plan: silver}]
`, t.TempDir(), &file.Memo{})
	require.Equal(t, []string{
		"gateway.yaml:4:5 /apis/0/upstraem unknown",
		"gateway.yaml:6:17 /apis/1/policies/0/set reference",
		"gateway.yaml:8:5 /apis/1/openapi reference",
		"gateway.yaml:7:42 /apis/1/operations/0/upstream reference",
		"gateway.yaml:11:5 /apis/2/upstream oneOf",
		"gateway.yaml:10:28 /apis/2/plans/1/name duplicate",
		"gateway.yaml:16:22 /applications/0/subscriptions/0/api reference",
		"gateway.yaml:16:52 /applications/0/subscriptions/1/plan reference",
		"gateway.yaml:15:20 /applications/0/credentials/0/apiKey minLength",
		"gateway.yaml:15:65 /applications/0/credentials/2 duplicate",
		"gateway.yaml:15:110 /applications/0/credentials/3/hmac/secret minLength",
	}, lines)
}

func TestADocumentGivesTheOperations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pets.yaml"), []byte(`
openapi: 3.0.0
paths:
  /pets:
    get: {operationId: listPets, responses: {200: {description: ok}}}
    post: {responses: {201: {description: made}}}
  /pets/{id}:
    parameters: []
    delete: {}
`), 0o600))
	b, lines := build(t, `
apis:
  - name: pets
    openapi: pets.yaml
    operations: [{method: post, path: /pets, policies: [{x: {}}]}, {method: GET, path: /extra}]
`, dir, &file.Memo{})
	require.Empty(t, lines)
	require.Len(t, b.Refs, 1)
	u, err := unit.Decode[unit.API](b.Units[b.Refs[0].Hash])
	require.NoError(t, err)
	var ops []string
	for _, o := range u.Operations {
		ops = append(ops, fmt.Sprintf("%s %s %s %d", o.ID, o.Method, o.Path, len(o.Policies)))
	}
	require.Equal(t, []string{
		"listPets GET /pets 0", "POST /pets POST /pets 1", "DELETE /pets/{id} DELETE /pets/{id} 0", "GET /extra GET /extra 0",
	}, ops)
	require.True(t, json.Valid(u.Document))
	require.Contains(t, string(u.Document), `"200"`, "numeric keys of YAML are text in JSON")
}

func TestWhatIsUnchangedIsNotBuiltAgainAndComesOutTheSame(t *testing.T) {
	t.Parallel()
	text := func(n int, change string) string {
		var b strings.Builder
		b.WriteString("apis:\n")
		for i := range n {
			v := ""
			if i == 3 {
				v = change
			}
			fmt.Fprintf(&b, "  - {name: a%d, basePath: /a%d, version: \"%s\", plans: [{name: p}]}\n", i, i, v)
		}
		b.WriteString("applications: [{name: app, subscriptions: [{api: a5, plan: p}]}]\n")
		return b.String()
	}
	var memo file.Memo
	first, lines := build(t, text(20, "1"), "", &memo)
	require.Empty(t, lines)
	second, lines := build(t, text(20, "2"), "", &memo)
	require.Empty(t, lines)
	fresh, _ := build(t, text(20, "2"), "", &file.Memo{})
	require.Equal(t, fresh, second)
	require.NotEqual(t, first.Refs, second.Refs)
}

func TestCredentialFilesAreReadInParts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.jsonl")
	var b strings.Builder
	b.WriteString(`{"application":{"id":"a","name":"a"}}` + "\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, `{"credential":{"id":"c%d","kind":"api-key","digest":"%s","application":"a"}}`+"\n", i, unit.HashOf([]byte{byte(i), byte(i >> 8)}))
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	n, parts := 0, 0
	for f, err := range file.Parts(credential.Feed{}, []string{path}) {
		require.NoError(t, err)
		n += len(f.Credentials)
		parts++
	}
	require.Equal(t, 10_000, n)
	require.Greater(t, parts, 2)

	require.NoError(t, os.WriteFile(path, []byte(`{"credential":{}}`+"\n"+`{"nothing":1}`), 0o600))
	var last error
	for _, err := range file.Parts(credential.Feed{}, []string{path}) {
		last = err
	}
	require.ErrorContains(t, last, "c.jsonl:2")
}

func FuzzBuild(f *testing.F) {
	f.Add(`{"apis":[{"name":"a","policies":[{"x":{}}],"plans":[{"name":"p","security":{"y":{}}}]}]}`)
	f.Add(`{"applications":[{"name":"a","credentials":[{"basic":{"username":"u","passwordHash":"h"}}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var cfg file.Config
		if _, fields := config.Decode("f", []byte(text), &cfg); len(fields) > 0 {
			return
		}
		b := file.Build(&cfg, t.TempDir(), &file.Memo{})
		for _, r := range b.Refs {
			if err := r.Hash.Verify(b.Units[r.Hash]); err != nil {
				t.Fatal(err)
			}
		}
	})
}
