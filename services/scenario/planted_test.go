package scenario_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// A secret that is left behind is found, wherever and however it was: what looks for
// secrets after the suite has ended (see [writes.nowhere]) would not miss it.
func TestALeakIsFound(t *testing.T) {
	t.Parallel()
	const leaked, name = "gh+p/7fQ2 wx9ZkL0pTq", "gh+p/7fQ2 wx… of a token"
	gzipped := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		return b.Bytes()
	}
	enc, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	packed := func(text string) []byte { return enc.EncodeAll([]byte(text), nil) }
	row := func(value any) func(path string) {
		return func(path string) {
			d, err := sql.Open("sqlite", "file:"+path)
			require.NoError(t, err)
			_, err = d.Exec("CREATE TABLE things (value blob)")
			require.NoError(t, err)
			_, err = d.Exec("INSERT INTO things VALUES (?)", value)
			require.NoError(t, err)
			require.NoError(t, d.Close())
		}
	}
	file := func(content string) func(path string) {
		return func(path string) {
			require.NoError(t, os.WriteFile(path, []byte("something before it "+content+" and after"), 0o600))
		}
	}
	both := func(a, b string) string { return base64.StdEncoding.EncodeToString([]byte(a + b)) }
	for what, planted := range map[string]struct {
		put  func(path string)
		want string // "" = nothing is there to be found
	}{
		"as it is":                      {file(leaked), name},
		"in an address":                 {file(url.QueryEscape(leaked)), name},
		"in a path":                     {file(url.PathEscape(leaked)), name},
		"in hexadecimal digits":         {file(hex.EncodeToString([]byte(leaked))), name},
		"in base64":                     {file(both("", leaked)), name},
		"in base64, after a name":       {file(both("a:", leaked)), name},
		"in base64, after another":      {file(both("a", leaked)), name},
		"in base64 for addresses":       {file(base64.RawURLEncoding.EncodeToString([]byte(leaked))), name},
		"compressed with gzip":          {file(string(gzipped("x " + leaked))), name},
		"compressed with Zstandard":     {file(string(packed("x " + leaked))), name},
		"in a row":                      {row(leaked), name},
		"in a row, compressed":          {row(packed("x " + leaked)), name},
		"a private key":                 {file("-----BEGIN PRIVATE KEY-----"), "a private key"},
		"a private key, in a row":       {row("-----BEGIN EC PRIVATE KEY-----"), "a private key"},
		"nothing":                       {file("nothing that is secret"), ""},
		"nothing, compressed":           {file(string(packed("nothing that is secret"))), ""},
		"the beginning of it":           {file(leaked[:len(leaked)-1]), ""},
		"nothing, in a row":             {row("nothing that is secret"), ""},
		"with other letters, of course": {file("GH+P/7FQ2 WX9ZKL0PTQ"), ""},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			planted.put(filepath.Join(dir, "planted.db"))
			zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
			require.NoError(t, err)
			defer zip.Close()
			w := &writes{secrets: map[string]string{leaked: "a token"}}
			s := &search{finder: w.finds(), zip: zip, found: map[string]bool{}}
			files, err := s.folder(dir)
			require.NoError(t, err)
			require.Equal(t, map[string]int{"dbplanted": 1}, files)
			if planted.want == "" {
				require.Empty(t, s.found)
				return
			}
			require.NotEmpty(t, s.found)
			for found := range s.found {
				require.Contains(t, found, planted.want+" is in planted.db")
			}
		})
	}
}
