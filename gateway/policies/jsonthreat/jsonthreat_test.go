package jsonthreat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

type header = map[string]string

func TestLimits(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, Definition())
	for _, c := range []struct{ name, config, good, bad, detail string }{
		{"depth", "maxDepth: 2", `[{"a":1}]`, `[{"a":[]}]`, "at byte 6 it nests too deep; the limit is 2"},
		{"keys", "maxKeys: 2", `{"a":1,"b":{"c":1,"d":2}}`, `{"a":1,"b":2,"c":3}`, "an object has too many keys; the limit is 2"},
		{"items", "maxItems: 2", `[1,[2,3]]`, `[1,2,3]`, "an array has too many items; the limit is 2"},
		{"string", "maxString: 3", `{"abcdef":"abc"}`, `{"a":"abcd"}`, "a string is too long; the limit is 3"},
		{"string, escaped", "maxString: 3", `"\n1"`, `"\u0041"`, "a string is too long"},
		{"key", "maxKey: 3", `{"abc":"abcdef"}`, `{"abcd":1}`, "a key is too long; the limit is 3"},
		{"number", "maxNumber: 4", `[1234,-1.5]`, `[1e100]`, "a number is too long; the limit is 4"},
		{"values", "maxValues: 4", `[1,{"a":2}]`, `[1,2,3,4]`, "it has too many values; the limit is 4"},
		{"duplicate", "", `[{"a":1,"b":1},{"a":{"a":2}}]`, `{"a":1,"b":2,"a":3}`, "an object has the same key twice"},
		{"duplicate, escaped", "", `{"a":1,"\u0062":2}`, `{"a":1,"\u0061":2}`, "the same key twice"},
		{"duplicate, pair", "", `{"\ud83d":1,"\ude00":2}`, `{"😀":1,"\ud83d\uDE00":2}`, "the same key twice"},
		{"duplicate after a nested object", "", `{"a":{"b":1},"b":1}`, `{"a":{"b":1},"a":1}`, "the same key twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []string{"buffer", "stream"} {
				h := policytest.New(t, Definition(), c.config+"\nmode: "+mode)
				h.Do(policytest.Request{Method: "POST", Body: c.good}, policytest.Upstream{}).
					Check(policytest.Want{Sent: &policytest.Sent{Body: c.good}})
				h.Do(policytest.Request{Method: "POST", Body: c.bad}, policytest.Upstream{}).
					Check(policytest.Want{Status: 400, Code: problem.CodeThreatDetected, Detail: c.detail, NotSent: mode == "buffer"})
			}
		})
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	const deep = `[[[[[]]]]]`
	policytest.Run(t, Definition(),
		policytest.Case{Name: "no body", Config: "maxDepth: 2"},
		policytest.Case{
			Name: "another type", Config: "maxDepth: 2",
			Request: policytest.Request{Body: deep, Header: header{"Content-Type": "text/plain"}},
		},
		policytest.Case{
			Name: "type with a suffix", Config: "maxDepth: 2",
			Request: policytest.Request{Body: deep, Header: header{"Content-Type": "Application/Vnd.API+JSON; charset=utf-8"}},
			Want:    policytest.Want{Status: 400, Code: problem.CodeThreatDetected, NotSent: true},
		},
		policytest.Case{
			Name: "no type", Config: "maxDepth: 2", Request: policytest.Request{Body: deep},
			Want: policytest.Want{Status: 400, Code: problem.CodeThreatDetected, NotSent: true},
		},
		policytest.Case{
			Name: "compressed", Request: policytest.Request{Body: "x", Header: header{"Content-Encoding": "gzip"}},
			Want: policytest.Want{Status: 415, Code: problem.CodeUnsupportedMediaType, NotSent: true},
		},
		policytest.Case{
			Name: "too large", Config: "maxBody: 5B", Request: policytest.Request{Body: "[1,2,3]"},
			Want: policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge, NotSent: true},
		},
		policytest.Case{
			Name: "not JSON", Request: policytest.Request{Body: "{'a': 1}"},
			Want: policytest.Want{Status: 400, Code: problem.CodeBadRequest, Detail: "at byte 1 it is not valid JSON", NotSent: true},
		},
		policytest.Case{
			Name: "not UTF-8", Request: policytest.Request{Body: "\"\xff\""},
			Want: policytest.Want{Status: 400, Code: problem.CodeBadRequest, NotSent: true},
		},
		policytest.Case{
			Name: "cannot be read",
			Request: policytest.Request{Edit: func(ex *policy.Exchange) {
				ex.Request.Body.SetStream(iotest.ErrReader(io.ErrUnexpectedEOF), -1)
			}},
			Want: policytest.Want{Status: 400, Code: problem.CodeBadRequest, NotSent: true},
		},
	)
}

// The last bytes of an incomplete body are kept from the upstream, which would
// take it for whole.
func TestStreamThatIsIncomplete(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{2, -1} {
		h := policytest.New(t, Definition(), "mode: stream")
		h.Do(policytest.Request{Edit: func(ex *policy.Exchange) {
			ex.Request.Body.SetStream(strings.NewReader("[1"), length)
		}}, policytest.Upstream{}).Check(policytest.Want{Status: 400, Code: problem.CodeBadRequest})
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{contentTypes: [application/json, json]}": "/contentTypes/1",
		"{contentTypes: ['*/*']}":                  "/contentTypes/0",
		"{maxDepth: -1}":                           "/maxDepth",
		"{mode: maybe}":                            "/mode",
	} {
		_, err := policytest.Compile(t, Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func scan(l *limits, pieces ...[]byte) error {
	var s scanner
	s.reset(l)
	for _, p := range pieces {
		if err := s.write(p); err != nil {
			return err
		}
	}
	return s.end()
}

// What is valid is what encoding/json takes for valid, however it is cut.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-2.5e+10,true,false,null,"x\n\u00e9"]}`, `[`, `01`, `-`, `1.`, `.5`, `1e`, `1e+`, `"\x"`, `"\u12g4"`, `[1,]`, `{"a":1,}`,
		`{"a"}`, `{,}`, `[] []`, ` 1 `, `tru`, `nullx`, "\"\x01\"", `{"a":1}}`, `]`, `{"a":]`, `-0`, `00`, `1 2`, ``, `"\ud800"`,
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		want := json.Valid(text)
		none := &limits{}
		require.Equal(t, want, scan(none, text) == nil, "%q", text)
		if len(text) > 0 {
			cut = int(uint(cut) % uint(len(text)))
		} else {
			cut = 0
		}
		require.Equal(t, want, scan(none, text[:cut], text[cut:]) == nil, "%q cut at %d", text, cut)
		strict := &limits{depth: 3, keys: 3, items: 3, str: 4, key: 3, number: 4, values: 8, unique: true}
		whole := scan(strict, text)
		require.Equal(t, whole, scan(strict, text[:cut], text[cut:]), "%q cut at %d", text, cut)
		if whole == nil {
			require.True(t, want)
		}
	})
}

func document() []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id": %d, "name": "Somebody with a name %d", "price": %d.95, "tags": ["one", "two", "three"], `+
			`"active": true, "note": "A longer text, as people write it; it says \"nothing\" of interest."}`, i, i, i)
	}
	b.WriteByte(']')
	return b.Bytes()
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("pools forget at random")
	}
	hooks, err := Definition().Compile(nil, policy.Env{})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	ex.Request.Header.Add("Content-Type", "application/json")
	ex.Request.Body.SetBytes(document())
	require.Zero(t, testing.AllocsPerRun(10, func() {
		if hooks.Inbound(ex) != nil {
			t.Error("refused")
		}
	}))
}

func BenchmarkScan(b *testing.B) {
	for _, unique := range []bool{true, false} {
		b.Run(fmt.Sprint("unique=", unique), func(b *testing.B) {
			doc := document()
			l := &limits{depth: 32, keys: 1000, items: 10000, str: 1 << 20, key: 256, number: 64, values: 100000, unique: unique}
			var s scanner
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				s.reset(l)
				if err := s.write(doc); err != nil {
					b.Fatal(err)
				}
				if err := s.end(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
