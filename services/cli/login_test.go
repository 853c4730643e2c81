package cli_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/cli"
)

var shownCode = regexp.MustCompile(`enter the code (\S+)\.`)

// byDevice signs in on another machine, where nothing is known of the person: they
// enter the code here, where they are signed in.
func (s *suite) byDevice() {
	env := map[string]string{"XDG_CONFIG_HOME": filepath.Join(s.t.TempDir(), "elsewhere")}
	r, w := io.Pipe()
	var out bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := cli.Main(s.t.Context(), cli.Options{
			In: strings.NewReader(""), Out: &out, Err: w, Environ: func(k string) string { return env[k] },
		}, []string{"login", "--url", s.file.API, "--device"})
		_ = w.Close() // a pipe cannot fail
		ended <- code
	}()
	lines := bufio.NewScanner(r)
	require.True(s.t, lines.Scan(), "nothing is shown")
	code := shownCode.FindStringSubmatch(lines.Text())
	require.Len(s.t, code, 2, lines.Text())
	go func() { _, _ = io.Copy(io.Discard, r) }()
	s.post(http.MethodPost, "/me/device-sign-ins/"+code[1], `{"allow":true}`, nil)
	require.Zero(s.t, <-ended)
	require.Contains(s.t, out.String(), "olga@example.com")
	status, who, _ := run(s.t, env, "", "whoami")
	require.Zero(s.t, status)
	require.Contains(s.t, who, "owner")
}
