package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

type listener struct {
	Address string `json:"address" schema:"required,format=hostport"`
}

type limits struct {
	// Largest header accepted.
	MaxHeader schema.Bytes    `json:"maxHeader" schema:"min=1kB,max=1MB"`
	Idle      schema.Duration `json:"idle"`
}

type api struct {
	Name    string            `json:"name" schema:"required"`
	Hosts   []string          `json:"hosts,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Policy  json.RawMessage   `json:"policy,omitempty"`
	Strip   bool              `json:"strip"`
	Retries int               `json:"retries" schema:"max=5"`
}

type file struct {
	Listeners []listener    `json:"listeners,omitempty" schema:"maxItems=3"`
	Limits    limits        `json:"limits"`
	APIs      []api         `json:"apis,omitempty"`
	Token     schema.Secret `json:"token,omitzero"`
	Debug     bool          `json:"debug"`
	Workers   int           `json:"workers" schema:"min=0"`
	Hosts     []string      `json:"hosts,omitempty"`
	Ports     []int         `json:"ports,omitempty"`
	Mode      string        `json:"mode" schema:"enum=a|b"`
}

func defaults() file {
	return file{Limits: limits{MaxHeader: 16 << 10, Idle: schema.Duration(60e9)}, Mode: "a"}
}

func lines(fs []problem.Field) []string {
	var out []string
	for _, f := range fs {
		out = append(out, strings.Join([]string{f.Source, f.Pointer, f.Code, f.Detail}, " | "))
	}
	return out
}

func TestDecodeReportsEveryViolationWithItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, doc string
		want      []string
	}{
		{"good", "listeners: [{address: \"127.0.0.1:8000\"}]\napis:\n  - name: orders\n    hosts: [a]\n", nil},
		{"empty", "", nil},
		{"only comments", "# nothing\n---\n# more\n", nil},
		{"JSON", `{"apis": [{"name": "a", "retries": 1}]}`, nil},
		{"several", "listners:\n  - {}\nlisteners:\n  - adress: x\nlimits:\n  maxHeader: 1\n  idle: 5\napis:\n- name: no\n  strip: no\n  retries: 010\n", []string{
			`f.yaml:1:1 | /listners | unknown | unknown field "listners"; did you mean "listeners"?`,
			`f.yaml:4:5 | /listeners/0/adress | unknown | unknown field "adress"; did you mean "address"?`,
			`f.yaml:4:5 | /listeners/0/address | required | field "address" is required`,
			`f.yaml:6:3 | /limits/maxHeader | minimum | must be at least 1kB`,
			`f.yaml:7:3 | /limits/idle | type | expected a string such as "150ms" or "1h", got a number; put it in quotes`,
			`f.yaml:10:3 | /apis/0/strip | type | expected true or false, got a string`,
			`f.yaml:11:3 | /apis/0/retries | type | expected a whole number, got a string`,
		}},
		{"duplicate key and more", "debug: true\ndebug: false\nworkers: -1\n", []string{
			`f.yaml:2:1 | /debug | duplicate | key "debug" is given before, at f.yaml:1:1; keep one`,
			`f.yaml:3:1 | /workers | minimum | must be at least 0`,
		}},
		{"duplicate name", "apis:\n- name: a\n- name: b\n- name: a\n", []string{
			`f.yaml:4:3 | /apis/2/name | duplicate | the name "a" is taken, at f.yaml:2:3; names are unique`,
		}},
		{"nothing after a key", "apis:\ndebug: true\n", []string{
			`f.yaml:1:1 | /apis | type | expected a list, got null; give a value or remove the key`,
		}},
		{"not YAML", "apis:\n  - name: a\n bad\n", []string{
			`f.yaml:3:2 | | yaml | not YAML: `,
		}},
		{"unknown alias", "debug: *x\n", []string{`f.yaml:1:8 | | yaml | not YAML: `}},
		{"merge key", "x: &a {debug: true}\n<<: *a\n", []string{
			`f.yaml:2:1 | | yaml | merge keys (<<) are not part of YAML 1.2; write the keys out, or use an alias for the whole value`,
			`f.yaml:1:1 | /x | unknown | unknown field "x"`,
		}},
		{"alias of itself", "hosts: &a [*a]\n", []string{
			`f.yaml:1:12 | /hosts/0 | alias | the anchor &a contains its own alias`,
		}},
		{"custom tag", "debug: !secret x\n", []string{
			`f.yaml:1:8 | /debug | yaml | the tag !secret is not supported; remove it`,
		}},
		{"complex key", "? [a]\n: b\n", []string{`f.yaml:1:3 | | yaml | a key must be a string`}},
		{"not an object", "- a\n", []string{`f.yaml:1:1 | | type | expected an object, got a list`}},
		{"two documents", "debug: true\n---\ndebug: true\n---\nworkers: -1\n---\n- x\n", []string{
			`f.yaml:3:1 | /debug | duplicate | key "debug" is given before, at f.yaml:1:1; only lists are joined, keep one`,
			`f.yaml:7:1 | | merge | a document that is merged with others must have keys at its top`,
			`f.yaml:5:1 | /workers | minimum | must be at least 0`,
		}},
		{"not UTF-8", "mode: \xff\n", []string{`f.yaml | | yaml | not UTF-8`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			into := defaults()
			_, fs := config.Decode("f.yaml", []byte(c.doc), &into)
			got := lines(fs)
			require.Len(t, got, len(c.want), "%q", got)
			for i, w := range c.want {
				if strings.HasSuffix(w, "not YAML: ") { // the parser's words follow
					require.True(t, strings.HasPrefix(strings.ReplaceAll(got[i], "|  |", "| |"), w), got[i])
					continue
				}
				require.Equal(t, w, strings.ReplaceAll(got[i], "|  |", "| |"))
			}
			if len(c.want) > 0 {
				require.Equal(t, defaults(), into, "nothing may be half applied")
			}
		})
	}
}

func TestScalarsHaveNoSurprises(t *testing.T) {
	t.Parallel()
	doc, fs := config.Decode("f.yaml", []byte(`
a: no
b: 010
c: 0x1f
d: 1_000
e: 2026-01-02
f: .5
g: -1.5e3
h: "1"
i: !!str 1
j: ~
k: True
l: |
  two
  lines
m: .inf
n: '<<'
200: x
`), new(map[string]any))
	require.Empty(t, fs)
	require.JSONEq(t, `{"a":"no","b":"010","c":"0x1f","d":"1_000","e":"2026-01-02","f":".5","g":-1.5e3,"h":"1","i":"1","j":null,"k":true,
		"l":"two\nlines\n","m":".inf","n":"<<","200":"x"}`, string(doc.JSON()))
}

func TestAliasesAreExpandedWithinBounds(t *testing.T) {
	t.Parallel()
	var into file
	_, fs := config.Decode("f.yaml", []byte("hosts: &h [a, b]\napis:\n- name: x\n  hosts: *h\n"), &into)
	require.Empty(t, fs)
	require.Equal(t, []string{"a", "b"}, into.APIs[0].Hosts)

	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		p := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+p+",", 10) + "]\n"
	}
	_, fs = config.Decode("f.yaml", []byte(bomb), new(map[string]any))
	require.NotEmpty(t, fs)

	_, fs = config.Decode("f.yaml", []byte(strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), new(any))
	require.NotEmpty(t, fs)
}

func TestDirectoryIsMerged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"10-base.yaml":   "debug: true\napis:\n- name: a\n",
		"20-more.yml":    "apis:\n- name: b\n---\napis:\n- name: c\n  retrys: 1\n",
		"30.json":        `{"apis":[{"name":"a"}], "debug": true}`,
		".hidden.yaml":   "no: [",
		"README.md":      "# not for us",
		"sub/other.yaml": "no: [",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600))
	}
	sources, err := config.Load(dir)
	require.NoError(t, err)
	require.Len(t, sources, 3)
	var into file
	doc, fs := config.DecodeAll(sources, &into)
	got := strings.ReplaceAll(strings.Join(lines(fs), "\n"), dir+"/", "")
	require.Equal(t, strings.Join([]string{
		`30.json:1:25 | /debug | duplicate | key "debug" is given before, at 10-base.yaml:1:1; only lists are joined, keep one`,
		`30.json:1:11 | /apis/3/name | duplicate | the name "a" is taken, at 10-base.yaml:3:3; names are unique`,
		`20-more.yml:6:3 | /apis/2/retrys | unknown | unknown field "retrys"; did you mean "retries"?`,
	}, "\n"), got)

	pos, ok := doc.Position("/apis/2/name")
	require.True(t, ok)
	require.Equal(t, config.Position{File: filepath.Join(dir, "20-more.yml"), Line: 5, Column: 3}, pos)
	pos, ok = doc.Position("/apis/1/hosts/0")
	require.False(t, ok)
	require.Equal(t, 2, pos.Line)
	for _, p := range []string{"/apis/x", "/apis/01", "/apis/-1", "/debug/x", "//"} {
		_, ok = doc.Position(p)
		require.False(t, ok, p)
	}

	one, err := config.Load(filepath.Join(dir, "10-base.yaml"))
	require.NoError(t, err)
	require.Len(t, one, 1)
	_, err = config.Load(t.TempDir())
	require.ErrorContains(t, err, "no *.yaml")
	_, err = config.Load(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(path, []byte("workers: 1\nlimits: {idle: 5s}\nhosts: [x]\n"), 0o600))
	into := defaults()
	doc, err := config.Read(path, "GATEHOUSE_TEST_PART", []string{
		"GATEHOUSE_TEST_PART_WORKERS=4", "GATEHOUSE_TEST_PART_LIMITS_MAX_HEADER=32KiB", "GATEHOUSE_TEST_PART_HOSTS=a, b",
		"GATEHOUSE_TEST_PART_PORTS=[1, 2]", "GATEHOUSE_TEST_PART_DEBUG=true", "GATEHOUSE_TEST_PART_TOKEN=env:T",
		"GATEHOUSE_TEST_PART_APIS=[{name: a}]", "GATEHOUSE_TEST_PART_MODE=", "GATEHOUSE_OTHER=1", "PATH=/bin",
	}, &into)
	require.NoError(t, err)
	require.Equal(t, 4, into.Workers)
	require.Equal(t, schema.Bytes(32<<10), into.Limits.MaxHeader)
	require.Equal(t, "5s", into.Limits.Idle.String())
	require.Equal(t, []string{"a", "b"}, into.Hosts)
	require.Equal(t, []int{1, 2}, into.Ports)
	require.True(t, into.Debug)
	require.Equal(t, "env:T", into.Token.Reference())
	require.Equal(t, "a", into.APIs[0].Name)
	require.Equal(t, "a", into.Mode)
	pos, _ := doc.Position("/workers")
	require.Equal(t, "environment variable GATEHOUSE_TEST_PART_WORKERS", pos.String())

	into = defaults()
	_, err = config.Read("", "P", []string{"P_WORKER=1", "P_WORKERS=many", "P_APIS=a", "P_PORTS=[", "P_LIMITS=1"}, &into)
	var vs schema.Violations
	require.ErrorAs(t, err, &vs)
	require.Contains(t, err.Error(), `P_WORKER sets no key; did you mean "P_WORKERS"?`)
	require.Contains(t, err.Error(), "P_LIMITS sets no key")
	require.Contains(t, err.Error(), "environment variable P_PORTS")
	require.Equal(t, defaults(), into)
	_, err = config.Read("", "P", []string{"P_WORKERS=many", "P_MODE=c"}, &into)
	require.ErrorContains(t, err, "environment variable P_WORKERS: /workers: expected a whole number, got a string")
	require.ErrorContains(t, err, "environment variable P_MODE: /mode: must be one of a, b")
	_, err = config.Read(filepath.Join(t.TempDir(), "none"), "P", nil, &into)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestLaterChecksAreLocated(t *testing.T) {
	t.Parallel()
	var into file
	doc, fs := config.Decode("f.yaml", []byte("apis:\n- name: a\n  labels:\n    a/b: x\n"), &into)
	require.Empty(t, fs)
	got := doc.Locate([]problem.Field{{Pointer: "/apis/0/labels/a~1b", Code: "reference", Detail: "no such plan"}})
	require.Equal(t, "f.yaml:4:5", got[0].Source)
}

func TestReference(t *testing.T) {
	t.Parallel()
	s, err := schema.Of(defaults(), schema.WithDocs(schema.Docs{
		Package: "github.com/gatehouse/gatehouse/libs/config_test",
		Texts:   []schema.Text{{Name: "limits.MaxHeader", Text: "Largest header | accepted."}},
	}))
	require.NoError(t, err)
	testkit.Golden(t, "reference.md", []byte(config.Reference(
		config.Section{Title: "With environment", Schema: s, Prefix: "GATEHOUSE_GATEWAY"},
		config.Section{Title: "File only", Schema: s},
	)))
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "a: b", "debug: true\n---\nworkers: 1", "apis: [{name: a}]", "x: &a [*a]", "? a\n: b", "hosts: &h [a]\nports: *h", "<<: {debug: true}",
		"token: env:X", "\ttabs: 1", "a: !!binary x", "limits: {maxHeader: 1MB", "%YAML 1.2\n---\ndebug: yes", "listeners: [{address: ':1'}]",
	} {
		f.Add([]byte(s))
	}
	known := map[string]bool{"listeners": true, "limits": true, "apis": true, "token": true, "debug": true, "workers": true, "hosts": true, "ports": true, "mode": true}
	f.Fuzz(func(t *testing.T, data []byte) {
		into := defaults()
		doc, fs := config.Decode("f.yaml", data, &into)
		require.True(t, json.Valid(doc.JSON()) || len(fs) > 0)
		for _, f := range fs {
			require.NotEmpty(t, f.Detail)
		}
		if len(fs) > 0 {
			require.Equal(t, defaults(), into)
			return
		}
		var m map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(doc.JSON(), &m))
		for k := range m {
			require.True(t, known[k], "accepted the unknown key %q", k)
		}
	})
}

func BenchmarkDecodeTenThousandAPIs(b *testing.B) {
	var doc strings.Builder
	doc.WriteString("apis:\n")
	for i := range 10_000 {
		fmt.Fprintf(&doc, "- name: api-%d\n  hosts: [a.example, b.example]\n  labels: {team: shop}\n  policy: {api-key: {header: X-API-Key}}\n  strip: true\n", i)
	}
	data := []byte(doc.String())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		into := defaults()
		if _, fs := config.Decode("f.yaml", data, &into); fs != nil {
			b.Fatal(fs[0])
		}
	}
}
