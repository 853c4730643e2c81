package audit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
)

// lines is an export of a trail.
func lines(t testing.TB, es []audit.Entry) []string {
	t.Helper()
	var out []string
	for _, e := range es {
		b, err := json.Marshal(e)
		require.NoError(t, err)
		out = append(out, string(b))
	}
	return out
}

func TestAnExportIsVerified(t *testing.T) {
	t.Parallel()
	all := chain(t, 5)
	for name, c := range map[string]struct {
		change func(l []string) []string
		want   audit.Verified
	}{
		"as written": {func(l []string) []string { return l }, audit.Verified{First: 1, Last: 5}},
		"empty lines": {
			func(l []string) []string { return append([]string{"", " "}, l...) }, audit.Verified{First: 1, Last: 5},
		},
		"from the third on": {
			func(l []string) []string { return l[2:] }, audit.Verified{First: 3, Last: 5, Anchor: all[1].Hash},
		},
		"changed": {
			func(l []string) []string { l[2] = strings.Replace(l[2], "api.updated", "api.deleted", 1); return l },
			audit.Verified{First: 1, Last: 2, BrokenAt: 3, Why: "entry 3 is not what its hash was made of"},
		},
		"left out": {
			func(l []string) []string { return append(l[:2:2], l[3:]...) },
			audit.Verified{First: 1, Last: 2, BrokenAt: 3, Why: "entry 4 follows entry 2"},
		},
		"another organization": {
			func(l []string) []string {
				l[4] = strings.Replace(l[4], `"organization":"o"`, `"organization":"p"`, 1)
				return l
			},
			audit.Verified{First: 1, Last: 4, BrokenAt: 5, Why: "it is of another organization than the lines before"},
		},
		"something else": {
			func(l []string) []string { l[0] = "{"; return l },
			audit.Verified{BrokenAt: 1, Why: "it is not an entry of an audit trail: unexpected end of JSON input"},
		},
	} {
		got, err := audit.VerifyExport(strings.NewReader(strings.Join(c.change(lines(t, chain(t, 5))), "\n")))
		require.NoError(t, err, name)
		if c.want.Last > 0 {
			c.want.Organization, c.want.Head = "o", all[c.want.Last-1].Hash
		}
		require.Equal(t, c.want, got, name)
	}
	_, err := audit.VerifyExport(strings.NewReader("\n\n"))
	require.ErrorIs(t, err, audit.ErrEmpty)
}

// What other readers of an export see is what was written, and not only what this
// program makes of it: many take the first of two members, or tell cases apart.
func TestWhatOthersWouldReadIsVerified(t *testing.T) {
	t.Parallel()
	put := func(old, with string) func(string) string {
		return func(l string) string { return strings.Replace(l, old, with, 1) }
	}
	for name, c := range map[string]struct {
		change func(l string) string
		why    string
	}{
		"a member twice":        {put(`"action":"`, `"action":"api.nothing","action":"`), "it is not an entry of an audit trail: /action: it is there twice"},
		"one of another case":   {put(`"action":"`, `"Action":"api.nothing","action":"`), "it is not as it was written: /Action is nothing that an entry has"},
		"case alone":            {put(`"action":`, `"ACTION":`), "it is not as it was written: /ACTION is nothing that an entry has"},
		"one below":             {put(`"actor":{`, `"actor":{"Name":"Mallory",`), "it is not as it was written: /actor/Name is nothing that an entry has"},
		"one that nobody knows": {put(`"sequence":`, `"note":"signed off by the board","sequence":`), "it is not as it was written: /note is nothing that an entry has"},
		"another zone":          {put(`Z","sequence"`, `+00:00","sequence"`), "it is not as it was written: an entry has something else at /time"},
		"not UTF-8":             {put(`"action":"`, `"action":"`+"\xff"), "it is not text in UTF-8"},
		"two values":            {func(l string) string { return l + l }, "it is not an entry of an audit trail: invalid character '{' after top-level value"},
		"too deep": {
			put(`"sequence":`, `"note":`+strings.Repeat(`[`, 100000)+strings.Repeat(`]`, 100000)+`,"sequence":`),
			"exceeded max depth",
		},
	} {
		l := lines(t, chain(t, 3))
		changed := c.change(l[1])
		require.NotEqual(t, l[1], changed, name)
		got, err := audit.VerifyExport(strings.NewReader(strings.Join([]string{l[0], changed, l[2]}, "\n")))
		require.NoError(t, err, name)
		require.Equal(t, 2, got.BrokenAt, name)
		require.Contains(t, got.Why, c.why, name)
	}
	spaced := lines(t, chain(t, 3))
	spaced[1] = strings.ReplaceAll(spaced[1], `,"`, ` , "`) // spaces and order mean nothing
	got, err := audit.VerifyExport(strings.NewReader(strings.Join(spaced, "\n")))
	require.NoError(t, err)
	require.Zero(t, got.BrokenAt, got.Why)
}

// An export that is said to be as it was written holds only entries whose hashes
// are right, whatever is fed to it.
func FuzzVerifyExport(f *testing.F) {
	f.Add([]byte(strings.Join(lines(f, chain(f, 3)), "\n")))
	f.Add([]byte("{}\n{"))
	f.Add([]byte(`{"sequence":9223372036854775807,"previousHash":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := audit.VerifyExport(bytes.NewReader(b))
		if err != nil || v.BrokenAt > 0 {
			return
		}
		require.Positive(t, v.First)
		require.GreaterOrEqual(t, v.Last, v.First)
		require.Len(t, v.Head, 64)
	})
}

// What a filter made is said to be a part, and what is wrong with it shows as far as it can.
func TestAPartIsVerified(t *testing.T) {
	t.Parallel()
	all := chain(t, 6)
	part := audit.Part{Organization: "o", Filter: map[string]string{"action": "api.*"}, Last: 6, Head: all[5].Hash, At: all[0].Time}
	for name, c := range map[string]struct {
		change func(l []string) []string
		line   int
		why    string
	}{
		"as written":  {func(l []string) []string { return l }, 0, ""},
		"none":        {func(l []string) []string { return []string{l[0], `{"entries":0}`} }, 0, ""},
		"changed":     {func(l []string) []string { l[2] = strings.Replace(l[2], "api.updated", "api.deleted", 1); return l }, 3, "entry 3 is not what its hash was made of"},
		"swapped":     {func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, 4, "entry 3 comes after entry 4"},
		"one missing": {func(l []string) []string { return append(l[:2:2], l[3:]...) }, 5, "4 entries were written, and 3 are there"},
		"cut off":     {func(l []string) []string { return l[:3] }, 4, "the end is cut off"},
		"after it":    {func(l []string) []string { return append(l, l[1]) }, 7, "it stands after the end"},
		"other's": {func(l []string) []string {
			l[0] = strings.Replace(l[0], `"organization":"o"`, `"organization":"p"`, 1)
			return l
		}, 2, "it is of another organization than the export"},
		"other head": {func(l []string) []string { l[0] = strings.Replace(l[0], part.Head, "x", 1); return l }, 5, "entry 6 is not of the trail as it was when the export was made"},
	} {
		b, err := json.Marshal(audit.PartBegin{Part: part})
		require.NoError(t, err)
		l := append([]string{string(b)}, lines(t, []audit.Entry{all[0], all[2], all[3], all[5]})...)
		got, err := audit.VerifyExport(strings.NewReader(strings.Join(c.change(append(l, `{"entries":4}`)), "\n")))
		require.NoError(t, err, name)
		require.Equal(t, c.line, got.BrokenAt, "%s: %s", name, got.Why)
		require.Equal(t, c.why, got.Why, name)
		require.NotNil(t, got.Part, name)
	}
}
