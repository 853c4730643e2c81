package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// independent compiles our schema with another implementation of draft
// 2020-12. The formats that are Gatehouse's own are taught to it.
func independent(t testing.TB) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(must(t).JSON()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, f := range []string{"cidr", "hostport", "regex"} {
		c.RegisterFormat(&jsonschema.Format{Name: f, Validate: func(v any) error {
			s, ok := v.(string)
			if !ok {
				return nil
			}
			var fields []problem.Field
			switch raw := quote(s); f {
			case "cidr":
				fields = schema.Decode(raw, new(schema.CIDR))
			case "regex":
				fields = schema.Decode(raw, new(schema.Regexp))
			default:
				fields = schema.Decode([]byte(`{"a":`+string(raw)+`}`), &struct {
					A string `json:"a" schema:"format=hostport"`
				}{})
			}
			if len(fields) > 0 {
				return errors.New(fields[0].Detail)
			}
			return nil
		}})
	}
	require.NoError(t, c.AddResource("config.json", doc))
	s, err := c.Compile("config.json")
	require.NoError(t, err)
	return s
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string cannot fail
	return b
}

// beyond says that a violation is one that JSON Schema cannot express: keys
// given twice, bounds of durations and sizes, and numbers that no 64 bits hold.
func beyond(f problem.Field, doc []byte) bool {
	switch f.Code {
	case schema.RuleDuplicate:
		return !strings.Contains(f.Detail, "in the list")
	case schema.RuleMinimum, schema.RuleMaximum:
		return strings.HasPrefix(f.Pointer, "/window") || strings.HasPrefix(f.Pointer, "/size") || strings.Contains(f.Detail, "92233720") || strings.Contains(f.Detail, "out of range")
	case schema.RuleFormat:
		return strings.Contains(f.Detail, "too l") // too long, too large
	case schema.RuleSyntax:
		return f.Detail == "not UTF-8"
	}
	return false
}

// agree fails where the decoder and the independent validator disagree.
func agree(t testing.TB, s *jsonschema.Schema, doc []byte) {
	into := defaults()
	fields := schema.Decode(doc, &into)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err == nil {
		err = s.Validate(v)
	}
	switch {
	case len(fields) == 0 && err != nil:
		t.Fatalf("we accept what the schema refuses: %s\n%v", doc, err)
	case len(fields) > 0 && err == nil && !slices.ContainsFunc(fields, func(f problem.Field) bool { return beyond(f, doc) }):
		t.Fatalf("we refuse what the schema accepts: %s\n%v", doc, lines(fields))
	}
}

var agreementSeeds = []string{
	`{"address":":1"}`, `{"unix":""}`, `{}`, `[]`, `null`, `{"address":null}`, `{"address":"x"}`,
	`{"unix":"","limit":1}`, `{"unix":"","limit":0}`, `{"unix":"","limit":1.0}`, `{"unix":"","limit":1e2}`, `{"unix":"","limit":1.5}`,
	`{"unix":"","limit":1000001}`, `{"unix":"","limit":10.00e-1}`, `{"unix":"","limit":"1"}`, `{"unix":"","limit":true}`,
	`{"unix":"","small":-0}`, `{"unix":"","small":255}`, `{"unix":"","small":256}`, `{"unix":"","signed":-5}`, `{"unix":"","signed":11}`,
	`{"unix":"","window":"1m"}`, `{"unix":"","window":"0.5s"}`, `{"unix":"","window":"1h30m"}`, `{"unix":"","window":"5"}`, `{"unix":"","window":""}`,
	`{"unix":"","window":"1µs"}`, `{"unix":"","window":"-1s"}`, `{"unix":"","window":"1.s"}`, `{"unix":"","window":"1s "}`,
	`{"unix":"","size":"1MB"}`, `{"unix":"","size":5}`, `{"unix":"","size":-5}`, `{"unix":"","size":5.5}`, `{"unix":"","size":"MB"}`, `{"unix":"","size":"1 MB"}`,
	`{"unix":"","name":""}`, `{"unix":"","name":"éééééééé"}`, `{"unix":"","name":"123456789"}`, `{"unix":"","name":"\ud83d\ude00"}`, `{"unix":"","name":"\ud800"}`,
	`{"unix":"","mode":"fast"}`, `{"unix":"","mode":""}`, `{"unix":"","kind":"c"}`, `{"unix":"","kind":"a"}`,
	`{"unix":"","store":{}}`, `{"unix":"","store":{"local":{}}}`, `{"unix":"","store":{"local":{"shards":0}}}`, `{"unix":"","store":{"redis":{}}}`,
	`{"unix":"","store":{"redis":{"url":"redis://h:1/0"}}}`, `{"unix":"","store":{"redis":{"url":"h"}}}`, `{"unix":"","store":{"redis":{"url":""}}}`,
	`{"unix":"","store":{"redis":{"url":"x:y","password":"env:A"}}}`, `{"unix":"","store":{"redis":{"url":"x:y","password":"***"}}}`,
	`{"unix":"","store":{"redis":{"url":"x:y","key":"abcde"}}}`, `{"unix":"","store":{"redis":{"url":"x:y","key":"abc"}}}`,
	`{"unix":"","store":{"redis":{"url":"x:y","key":"a bcd"}}}`, `{"unix":"","store":{"redis":{"url":"x:y","key":"env:A LONG NAME"}}}`,
	`{"unix":"","store":{"redis":{"url":"x:y","key":"file:"}}}`,
	`{"unix":"","store":{"local":{},"redis":{"url":"x:y"}}}`,
	`{"unix":"","rules":[]}`, `{"unix":"","rules":[{"path":"/"}]}`, `{"unix":"","rules":[{"path":"/\n"}]}`, `{"unix":"","rules":[{"path":"/","weight":1.01}]}`,
	`{"unix":"","rules":[{"path":"/","tags":["a","a"]}]}`, `{"unix":"","rules":[{"path":"/","tags":["a","b"]}]}`, `{"unix":"","rules":[1,2,3,4,5]}`,
	`{"unix":"","labels":{"a":"b"}}`, `{"unix":"","labels":{"A":"b"}}`, `{"unix":"","labels":{"a":"b","c":"d","e":"f"}}`, `{"unix":"","labels":{"":""}}`,
	`{"unix":"","allow":["10.0.0.0/8","::1"]}`, `{"unix":"","allow":["10.0.0.1/8"]}`, `{"unix":"","match":"^a"}`, `{"unix":"","match":"("}`,
	`{"unix":"","extra":null}`, `{"unix":"","extra":{"x":[1,{}]}}`, `{"unix":"","byName":{"a":{"path":"/"},"b":{}}}`, `{"unix":"","matrix":[[1],[10]]}`,
	`{"unix":"","Unix":""}`, `{"unix":"","unknown":1}`, `{"un\u0069x":""}`, `{"unix":"","limit":1,"limit":2}`,
}

func TestDecoderAgreesWithAnIndependentValidator(t *testing.T) {
	t.Parallel()
	s := independent(t)
	for _, doc := range agreementSeeds {
		agree(t, s, []byte(doc))
	}
}

func FuzzDecoderAgreesWithAnIndependentValidator(f *testing.F) {
	s := independent(f)
	for _, doc := range agreementSeeds {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if hugeExponent(doc) { // the other implementation expands them
			return
		}
		agree(t, s, doc)
	})
}

// hugeExponent says whether a document may have a number such as 1e999999.
func hugeExponent(doc []byte) bool {
	for i, c := range doc {
		if c|0x20 != 'e' {
			continue
		}
		n := 0
		for _, d := range doc[i+1:] {
			if d >= '0' && d <= '9' {
				n++
			} else if d != '+' && d != '-' {
				break
			}
		}
		if n > 2 {
			return true
		}
	}
	return false
}
