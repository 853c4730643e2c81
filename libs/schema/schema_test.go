package schema_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// mode is an enumeration.
type mode string

func (mode) Enum() []string { return []string{"exact", "fast"} }

// common is embedded.
type common struct {
	// Enabled turns it on.
	Enabled bool `json:"enabled"`
}

// store is a union: exactly one of its fields is present.
type store struct {
	Local *local `json:"local,omitempty"`
	Redis *redis `json:"redis,omitempty"`
}

func (store) SchemaOneOf() {}

type local struct {
	Shards int `json:"shards" schema:"min=1,max=64"`
}

func (l *local) SetDefaults() { l.Shards = 8 }

type redis struct {
	URL      string        `json:"url" schema:"required,format=uri"`
	Password schema.Secret `json:"password,omitzero"`
	Key      schema.Secret `json:"key,omitzero" schema:"minLength=4,maxLength=6,pattern=^[^ ]+$"`
}

type rule struct {
	Path   string   `json:"path" schema:"required,pattern=^/[a-z/{}]*$"`
	Weight float64  `json:"weight" schema:"min=0,max=1"`
	Tags   []string `json:"tags,omitempty" schema:"unique,maxItems=3,minLength=1"`
}

func (r *rule) SetDefaults() { r.Weight = 0.5 }

// config has one field of each kind.
type config struct {
	common
	Limit   int               `json:"limit" schema:"min=1,max=1000000,group=Limits"`
	Small   uint8             `json:"small"`
	Signed  int64             `json:"signed" schema:"max=10"`
	Window  schema.Duration   `json:"window" schema:"min=1ms,max=1h"`
	Size    schema.Bytes      `json:"size" schema:"max=1GiB"`
	Name    string            `json:"name,omitempty" schema:"minLength=1,maxLength=8"`
	Mode    mode              `json:"mode" schema:"when=enabled:true"`
	Kind    string            `json:"kind,omitempty" schema:"enum=a|b"`
	Store   *store            `json:"store,omitempty"`
	Rules   []rule            `json:"rules,omitempty" schema:"maxItems=4"`
	Labels  map[string]string `json:"labels,omitempty" schema:"maxItems=2,keyPattern=^[a-z]+$,maxLength=5"`
	Allow   []schema.CIDR     `json:"allow,omitempty"`
	Match   schema.Regexp     `json:"match,omitzero"`
	Extra   json.RawMessage   `json:"extra,omitempty"`
	Address string            `json:"address,omitempty" schema:"anyof=where,format=hostport"`
	Unix    string            `json:"unix,omitempty" schema:"anyof=where,deprecated"`
	Byname  map[string]*rule  `json:"byName,omitempty"`
	Matrix  [][]int           `json:"matrix,omitempty" schema:"max=9"`
	Ignored chan int          `json:"-"`
}

func defaults() config {
	return config{
		common: common{Enabled: true}, Limit: 100, Window: schema.Duration(1e9), Size: 1 << 20, Mode: "exact",
		Allow: nil, Address: ":8000",
	}
}

var docs = schema.Docs{Package: "github.com/gatehouse/gatehouse/libs/schema_test", Texts: []schema.Text{
	{Name: "common.Enabled", Text: "Turns it on."},
	{Name: "config", Text: "Has one field of each kind."},
	{Name: "config.Limit", Text: "Calls in a window."},
}}

func must(t testing.TB) *schema.Schema {
	s, err := schema.Of(defaults(), schema.WithDocs(docs))
	require.NoError(t, err)
	return s
}

func TestSchemaOfEveryKindOfField(t *testing.T) {
	t.Parallel()
	s := must(t)
	var pretty any
	require.NoError(t, json.Unmarshal(s.JSON(), &pretty))
	out, err := json.MarshalIndent(pretty, "", "  ")
	require.NoError(t, err)
	testkit.Golden(t, "config.schema.json", append(out, '\n'))
	again, err := schema.Of(defaults(), schema.WithDocs(docs))
	require.NoError(t, err)
	require.Equal(t, s.JSON(), again.JSON())
}

func lines(fs []problem.Field) []string {
	var out []string
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%s %s: %s", f.Pointer, f.Code, f.Detail))
	}
	return out
}

func TestDecodeReportsEveryViolation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, doc string
		want      []string
	}{
		{"nothing wrong", `{"address":":1"}`, nil},
		{"typo", `{"address":":1","limt":5}`, []string{`/limt unknown: unknown field "limt"; did you mean "limit"?`}},
		{"other spelling", `{"address":":1","by_name":{}}`, []string{`/by_name unknown: unknown field "by_name"; did you mean "byName"?`}},
		{"nothing near", `{"address":":1","zzzzzz":5}`, []string{`/zzzzzz unknown: unknown field "zzzzzz"`}},
		{"case matters", `{"address":":1","Limit":5}`, []string{`/Limit unknown: unknown field "Limit"; did you mean "limit"?`}},
		{"several at once", `{"limit":0,"small":256,"signed":11,"window":"2h","name":"","mode":"fst"}`, []string{
			`/limit minimum: must be at least 1`,
			`/small maximum: must be at most 255`,
			`/signed maximum: must be at most 10`,
			`/window maximum: must be at most 1h`,
			`/name minLength: must not be empty`,
			`/mode enum: must be one of exact, fast; did you mean "fast"?`,
			` anyOf: give at least one of address, unix`,
		}},
		{"types", `{"address":1,"limit":"1","window":5,"enabled":"no","rules":{},"labels":[],"store":null,"size":1.5}`, []string{
			`/address type: expected a string, got a number; put it in quotes`,
			`/limit type: expected a whole number, got a string`,
			`/window type: expected a string such as "150ms" or "1h", got a number; put it in quotes`,
			`/enabled type: expected true or false, got a string`,
			`/rules type: expected a list, got an object; put it in [ ]`,
			`/labels type: expected an object, got a list`,
			`/store type: expected an object, got null; give a value or remove the key`,
			`/size type: expected a whole number or a string with a unit, got 1.5`,
		}},
		{"nested", `{"unix":"","rules":[{"path":"/a","weight":2,"tags":["a","a","",3]},{"weigth":1}],"byName":{"a/b~":{"path":"x"}}}`, []string{
			`/rules/0/weight maximum: must be at most 1`,
			`/rules/0/tags/1 duplicate: the same value stands in the list before; keep one`,
			`/rules/0/tags/2 minLength: must not be empty`,
			`/rules/0/tags/3 type: expected a string, got a number; put it in quotes`,
			`/rules/0/tags maxItems: has 4 elements, may have at most 3`,
			`/rules/1/weigth unknown: unknown field "weigth"; did you mean "weight"?`,
			`/rules/1/path required: field "path" is required`,
			`/byName/a~1b~0/path pattern: must match ^/[a-z/{}]*$`,
		}},
		{"union with both", `{"unix":"","store":{"local":{},"redis":{"url":"x"}}}`, []string{
			`/store/redis/url format: must be a valid uri: it has no scheme, such as https://`,
			`/store oneOf: give exactly one of local, redis; there are 2`,
		}},
		{"union with none", `{"unix":"","store":{}}`, []string{`/store oneOf: give exactly one of local, redis; there are 0`}},
		{"duplicate keys", `{"unix":"","limit":1,"limit":2,"labels":{"a":"1","a":"2"}}`, []string{
			`/limit duplicate: field "limit" is given twice; keep one`,
			`/labels/a duplicate: key "a" is given twice; keep one`,
		}},
		{"map bounds", `{"unix":"","labels":{"A":"1","b":"123456","c":""}}`, []string{
			`/labels/A pattern: key "A" must match ^[a-z]+$`,
			`/labels/b maxLength: may have at most 5 characters`,
			`/labels maxItems: has 3 keys, may have at most 2`,
		}},
		{"own types", `{"unix":"","allow":["10.0.0.1/8","x"],"match":"(","window":"5","size":"1XB","store":{"redis":{"url":"redis://h","password":"***"}}}`, []string{
			`/allow/0 format: has bits set behind its prefix; did you mean 10.0.0.0/8?`,
			`/allow/1 format: not an address or block; write it as "10.0.0.0/8" or "192.0.2.1"`,
			"/match format: not a regular expression (RE2): error parsing regexp: missing closing ): `(`",
			`/window format: not a duration; write it as "150ms", "30s", "1h30m" or "7d"`,
			`/size format: unknown unit; use B, kB, MB, GB, TB, KiB, MiB, GiB or TiB`,
			`/store/redis/password format: this is the mask of a secret, not a secret`,
		}},
		{"numbers", `{"unix":"","limit":1.5,"small":-1,"signed":-99999999999999999999,"matrix":[[1e1]]}`, []string{
			`/limit type: expected a whole number, got 1.5`,
			`/small minimum: must be at least 0`,
			`/signed minimum: must be at least -9223372036854775808`,
			`/matrix/0/0 maximum: must be at most 9`,
		}},
		{"not JSON", `{"limit":}`, []string{` syntax: not JSON: invalid character '}' looking for beginning of value at byte 10`}},
		{"not an object", `[]`, []string{` type: expected an object, got a list`}},
		{"two documents", `{} {}`, []string{` syntax: not JSON: invalid character '{' after top-level value at byte 4`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			into := defaults()
			got := must(t).Decode([]byte(c.doc), &into)
			require.Equal(t, c.want, lines(got))
			if len(c.want) > 0 {
				require.Equal(t, defaults(), into, "nothing may be half applied")
			}
		})
	}
}

func TestDecodeKeepsDefaultsAndReplacesContainers(t *testing.T) {
	t.Parallel()
	base := defaults()
	base.Labels, base.Rules = map[string]string{"a": "1"}, []rule{{Path: "/a"}}
	base.Store = &store{Local: &local{Shards: 2}}
	into := base
	fs := schema.Decode([]byte(`{"unix":"/run","limit":2.50e1,"window":"1h","size":"1.5kB","store":{"local":{"shards":3}},
		"labels":{"b":"2"},"rules":[{"path":"/b"}],"byName":{"x":{"path":"/x"}},"extra":{"any": [1]},"allow":["192.0.2.1"]}`), &into)
	require.Empty(t, fs)
	require.True(t, into.Enabled)
	require.Equal(t, 25, into.Limit)
	require.Equal(t, "1h", into.Window.String())
	require.Equal(t, schema.Bytes(1500), into.Size)
	require.Equal(t, map[string]string{"b": "2"}, into.Labels)
	require.Equal(t, []rule{{Path: "/b", Weight: 0.5}}, into.Rules)
	require.Equal(t, &rule{Path: "/x", Weight: 0.5}, into.Byname["x"])
	require.Equal(t, 3, into.Store.Local.Shards)
	require.JSONEq(t, `{"any":[1]}`, string(into.Extra))
	require.Equal(t, "192.0.2.1/32", into.Allow[0].String())

	// What was shared with the defaults is untouched.
	require.Equal(t, map[string]string{"a": "1"}, base.Labels)
	require.Equal(t, "/a", base.Rules[0].Path)
	require.Equal(t, 2, base.Store.Local.Shards)
}

func TestDefaultsAreAcceptedByTheSchema(t *testing.T) {
	t.Parallel()
	s := must(t)
	require.JSONEq(t, `{"enabled":true,"limit":100,"small":0,"signed":0,"window":"1s","size":"1MiB","mode":"exact","address":":8000"}`,
		string(s.Defaults()))
	var into config
	require.Empty(t, s.Decode(s.Defaults(), &into))
	require.Equal(t, defaults(), into)
}

func TestViolationsAreBounded(t *testing.T) {
	t.Parallel()
	doc := []byte(`{"unix":"","matrix":[[`)
	for range 100_000 {
		doc = append(doc, `10,`...)
	}
	doc = append(doc, `10]]}`...)
	var into config
	fs := schema.Decode(doc, &into)
	require.Len(t, fs, 501)
	require.Equal(t, schema.RuleTooMany, fs[500].Code)
}

func TestOfRefusesTypesThatItCannotDescribe(t *testing.T) {
	t.Parallel()
	type recursive struct {
		Next []recursive `json:"next"`
	}
	for name, of := range map[string]func() error{
		"no json name": func() error { return errOf(struct{ A int }{}) },
		"itself":       func() error { return errOf(recursive{}) },
		"array": func() error {
			return errOf(struct {
				A [2]int `json:"a"`
			}{})
		},
		"plain duration": func() error {
			return errOf(struct {
				A time.Duration `json:"a"`
			}{})
		},
		"unknown tag": func() error {
			return errOf(struct {
				A int `json:"a" schema:"maximum=1"`
			}{})
		},
		"length of a number": func() error {
			return errOf(struct {
				A int `json:"a" schema:"minLength=1"`
			}{})
		},
		"unknown format": func() error {
			return errOf(struct {
				A string `json:"a" schema:"format=x"`
			}{})
		},
		"bad pattern": func() error {
			return errOf(struct {
				A string `json:"a" schema:"pattern=("`
			}{})
		},
		"bad bound": func() error {
			return errOf(struct {
				A schema.Duration `json:"a" schema:"min=5"`
			}{})
		},
		"same name": func() error { return errOf(twice{}) },
		"default out of range": func() error {
			return errOf(struct {
				A int `json:"a" schema:"max=1"`
			}{A: 2})
		},
		"default secret": func() error {
			return errOf(struct {
				A schema.Secret `json:"a"`
			}{A: schema.NewSecret("x")})
		},
		"secret of a format": func() error { return errOf(secretURI{}) },
		"lonely group": func() error {
			return errOf(struct {
				A int `json:"a" schema:"oneof=g"`
			}{})
		},
	} {
		require.Error(t, of(), name)
	}
}

type secretURI struct {
	A schema.Secret `json:"a" schema:"format=uri"`
}

// twice has a field that its embedded struct has as well.
type twice struct {
	common
	On bool `json:"enabled"`
}

func errOf[C any](c C) error {
	_, err := schema.Of(c)
	return err
}

func ExampleOf() {
	type Config struct {
		MaxBytes int64 `json:"maxBytes" schema:"min=1,max=1073741824"`
	}
	defaults := Config{MaxBytes: 1 << 20}
	s, err := schema.Of(defaults)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(s.JSON()))
	config := defaults
	for _, f := range s.Decode([]byte(`{"maxBites": 5}`), &config) {
		fmt.Println(f.Pointer, f.Detail)
	}
	// Output:
	// {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"maxBytes":{"title":"Max bytes","type":"integer","minimum":1,"maximum":1073741824,"default":1048576,"x-order":1}},"additionalProperties":false}
	// /maxBites unknown field "maxBites"; did you mean "maxBytes"?
}

func BenchmarkDecode(b *testing.B) {
	s := must(b)
	doc := []byte(`{"enabled":true,"limit":100,"window":"1m","size":"10MB","name":"orders","mode":"fast","address":"127.0.0.1:8000",
		"store":{"redis":{"url":"redis://127.0.0.1:6379","password":"env:REDIS_PASSWORD"}},
		"rules":[{"path":"/items/{id}","weight":0.25,"tags":["a","b"]},{"path":"/orders"}],"labels":{"team":"shop"}}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		into := defaults()
		if fs := s.Decode(doc, &into); fs != nil {
			b.Fatal(fs)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.Of(defaults()); err != nil {
			b.Fatal(err)
		}
	}
}
