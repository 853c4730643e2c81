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
