package cli_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The trail of a suite that really runs is taken away, verified where no suite is,
// and verified again when it has gone on.
func TestTheAuditTrailFromATerminal(t *testing.T) {
	t.Parallel()
	s := startSuite(t)
	s.do(0, "login", "--ready-file", s.ready)
	s.env["GATEHOUSE_PASSWORD"] = "correct horse battery staple 7"
	s.do(0, "setup", "--email", "olga@example.com", "--name", "Olga", "--organization", "Acme")
	var out string
	require.Eventually(t, func() bool {
		out, _ = s.do(0, "audit", "list", "--action", "user.*", "--since", "1h")
		return strings.Contains(out, "user.set-up") && strings.Contains(out, "user.signed-in")
	}, time.Minute, 20*time.Millisecond)
	require.Contains(t, out, "127.0.0.1")

	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.jsonl"), filepath.Join(dir, "second.jsonl")
	s.do(0, "audit", "export", "--file", first)
	_, errs := s.do(1, "audit", "export", "--file", first)
	require.Contains(t, errs, "exists")
	type verified struct {
		Valid       bool
		First, Last int64
		Head, Why   string
	}
	var v, w verified
	s.json(&v, "audit", "verify", first)
	require.True(t, v.Valid)
	require.EqualValues(t, 1, v.First)
	require.Eventually(t, func() bool { // that it was exported comes after it
		_ = os.Remove(second)
		s.do(0, "audit", "export", "--file", second, "--after", strconv.FormatInt(v.Last, 10))
		b, err := os.ReadFile(second)
		return err == nil && strings.Contains(string(b), "audit.exported")
	}, time.Minute, 20*time.Millisecond)
	s.json(&w, "audit", "verify", second, "--anchor", v.Head)
	require.Equal(t, v.Last+1, w.First)
	s.json(&w, "audit", "verify")
	require.True(t, w.Valid)

	// What a filter left out is not called all there is.
	part := filepath.Join(dir, "part.jsonl")
	s.do(0, "audit", "export", "--file", part, "--action", "user.*")
	out, _ = s.do(0, "audit", "verify", part)
	require.Contains(t, out, "A part of a trail")
	require.Contains(t, out, "user.*")
	s.do(1, "audit", "verify", part, "--head", v.Head)

	// Nobody needs a suite, or to be signed in, to see that something was changed.
	s.env = map[string]string{"XDG_CONFIG_HOME": dir}
	b, err := os.ReadFile(first)
	require.NoError(t, err)
	forged := filepath.Join(dir, "forged.jsonl")
	require.NoError(t, os.WriteFile(forged, []byte(strings.Replace(string(b), "user.set-up", "user.deleted", 1)), 0o600))
	out, _ = s.do(1, "audit", "verify", forged)
	require.Contains(t, out, "is not what its hash was made of")
	lines := strings.SplitAfter(strings.TrimSpace(string(b)), "\n")
	require.NoError(t, os.WriteFile(forged, []byte(strings.Join(lines[:len(lines)-1], "")), 0o600))
	s.do(0, "audit", "verify", forged) // a chain proves nothing of its end,
	out, _ = s.do(1, "audit", "verify", forged, "--head", v.Head)
	require.Contains(t, out, "the end was cut off") // but a head that was kept does
	s.do(1, "audit", "verify", filepath.Join(dir, "none"))
	s.do(2, "audit", "verify", "a", "b")
}
