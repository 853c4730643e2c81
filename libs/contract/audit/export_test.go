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
