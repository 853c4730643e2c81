package unit_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// canonical returns the canonical form of a JSON text.
func canonical(t testing.TB, text string) string {
	t.Helper()
	b, err := unit.Canonical(unit.Raw(text))
	require.NoError(t, err, text)
	return string(b)
}

func TestCanonicalOfTheExamplesOfRFC8785(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{
			"section 3.2.2", `{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
				`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		},
		{
			"section 3.2.3", `{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
				"1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\"," +
				"\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		},
		{"nothing is escaped for HTML", `"<a href='x'>\u2028&</a>"`, "\"<a href='x'>\u2028&</a>\""},
		{"control characters", `"\u0000\b\t\n\f\r\u001f\u007f"`, "\"\\u0000\\b\\t\\n\\f\\r\\u001f\u007f\""},
		{"empty", ` { "b" : [ ] , "a" : { } } `, `{"a":{},"b":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, canonical(t, c.in))
		})
	}
}

// The bit patterns are those of appendix B of RFC 8785.
func TestCanonicalNumbersOfRFC8785(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0",
		0x8000000000000000: "0",
		0x0000000000000001: "5e-324",
		0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992",
		0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000",
		0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7",
		0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332",
		0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		b, err := unit.Canonical(math.Float64frombits(bits))
		require.NoError(t, err)
		require.Equal(t, want, string(b), "%x", bits)
	}
	for in, want := range map[string]string{
		"-0": "0", "1.0": "1", "10e-1": "1", "1e2": "100", "-1E+2": "-100",
		"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
		"9007199254740993": "9007199254740993", "9223372036854775808": "9223372036854776000",
	} {
		require.Equal(t, want, canonical(t, in), in)
	}
	for _, v := range []any{math.NaN(), math.Inf(1), unit.Raw("1e400"), unit.Raw("{"), unit.Raw("1 2"), make(chan int)} {
		_, err := unit.Canonical(v)
		require.Error(t, err, "%v", v)
	}
}

func TestCanonicalDoesNotDependOnTheOrderOfMembers(t *testing.T) {
	t.Parallel()
	a := canonical(t, `{"b":{"y":1,"x":[{"q":1,"p":2}]},"a":"text","c":1.50}`)
	require.Equal(t, a, canonical(t, `{"c":1.5,"a":"\u0074ext","b":{"x":[{"p":2,"q":1}],"y":1e0}}`))
	require.NotEqual(t, a, canonical(t, `{"c":1.5,"a":"text","b":{"x":[{"p":2,"q":2}],"y":1}}`))
}

// FuzzCanonical: the canonical form is JSON of the same value, is its own
// canonical form, has its members in order, and is the same however the value
// was written.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{
		`{"b":1,"a":[true,null,"\u00e9\ud83d\ude00"]}`, `1e21`, `-0.0`, `"\u0000\u007f\ud800"`, `{"":{"":""}}`,
		`[1.7976931348623157e308,5e-324,9007199254740993,9223372036854775808]`, `{"\ufb33":1,"\ud83d\ude00":2}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		got, err := unit.Canonical(unit.Raw(text))
		require.NoError(t, err)
		require.Equal(t, string(got), canonical(t, string(got)), "idempotent")
		var back any
		require.NoError(t, json.Unmarshal(got, &back))
		require.Equal(t, value, back, "the same value")
		indented, err := json.MarshalIndent(unit.Raw(text), " ", "\t")
		require.NoError(t, err)
		require.Equal(t, string(got), canonical(t, string(indented)), "however it is written")
		ordered(t, json.NewDecoder(strings.NewReader(string(got))))
	})
}

// ordered reads one value and checks the order of the members in it.
func ordered(t *testing.T, d *json.Decoder) {
	t.Helper()
	token, err := d.Token()
	require.NoError(t, err)
	switch token {
	case json.Delim('['):
		for d.More() {
			ordered(t, d)
		}
	case json.Delim('{'):
		var last []uint16
		for first := true; d.More(); first = false {
			name, err := d.Token()
			require.NoError(t, err)
			next := utf16.Encode([]rune(name.(string)))
			require.True(t, first || slices.Compare(last, next) < 0, "%q", name)
			last = next
			ordered(t, d)
		}
	default:
		return
	}
	_, err = d.Token()
	require.NoError(t, err)
}
