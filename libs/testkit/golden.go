package testkit

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// update is a flag of the test binary, which is the one place where go test
// lets a package add one.
var update = flag.Bool("update", false, "rewrite golden files")

// Golden compares got with testdata/name. With -update it writes the file
// instead; read the difference before committing it.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("reading the golden file: %v (run the test with -update to write it)", err)
	}
	require.Equal(t, string(want), string(got), "differs from %s; run the test with -update if that is meant", path)
}
