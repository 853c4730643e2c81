package scenario_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
)

// wrongPassword is one that somebody types, and that is not theirs: it may be that of
// another account.
const wrongPassword = "not that one at all"

// keys are how private keys begin, as files have them.
var keys = []string{"-----BEGIN PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY", "-----BEGIN EC PRIVATE KEY"}

// nowhere ends the suite, and sees that no secret that was typed or shown is in its
// log, nor in anything it keeps: the databases with their journals, the streams and
// buckets of NATS, the spool of the gateway. The keys that all is encrypted with are in
// a folder of their own, and the log has the code of the first run, both on purpose.
func (w *writes) nowhere(log *output) {
	w.t.Helper()
	w.end()
	text := log.String()
	require.Contains(w.t, text, `"msg":"request"`)
	require.Greater(w.t, len(w.secrets), 20)
	for s := range w.secrets {
		if strings.Contains(text, s) {
			at := strings.Index(text, s)
			line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
			w.fault("a secret is in the log: %s… after %.200s", s[:8], line)
		}
	}
	files := 0
	require.NoError(w.t, filepath.WalkDir(w.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "secrets" {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		files++
		b, err := os.ReadFile(path)
		name := strings.TrimPrefix(path, w.data)
		for s := range w.secrets {
			if bytes.Contains(b, []byte(s)) {
				w.fault("a secret is in %s: %s…", name, s[:8])
			}
		}
		for _, s := range keys {
			if bytes.Contains(b, []byte(s)) {
				w.fault("a private key is in %s", name)
			}
		}
		return err
	}))
	require.Greater(w.t, files, 6)
}
