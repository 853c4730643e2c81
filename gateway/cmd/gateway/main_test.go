package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
)

const config = `name: gw
listeners: [{address: "127.0.0.1:0"}]
apis:
  - name: orders
    hosts: [api.localhost]
    basePath: /orders
    upstream: {targets: [{url: "http://127.0.0.1:1"}]}
    policies:
      - ip-filter: {allow: [10.0.0.0/8]}
    operations:
      - {method: GET, path: "/{id}"}
`

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// call runs a command line and returns what it wrote.
func call(t *testing.T, in string, args ...string) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = dispatch(t.Context(), args, strings.NewReader(in), &o, &e)
	return o.String(), e.String(), err
}

func TestCommandsAreChosenByName(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"--help"}} {
		out, errs, err := call(t, "", args...)
		require.NoError(t, err)
		require.Empty(t, out)
		for _, c := range commands() {
			require.Contains(t, errs, "gateway "+c.name)
		}
	}
	_, errs, err := call(t, "", "serve")
	require.ErrorIs(t, err, errUsage)
	require.ErrorContains(t, err, `"serve"`)
	require.Contains(t, errs, "Usage: gateway COMMAND")
	out, _, err := call(t, "", "version")
	require.NoError(t, err)
	require.Regexp(t, `^gateway \S+ \S* ?go1\.`, out)
	for _, args := range [][]string{
		{"check", "--nonsense"},
		{"match", "GET"},
		{"match"},
		{"explain"},
		{"match", "GET", "http://a/", "more"},
		{"match", "-H", "no colon", "GET", "http://a/"},
		{"run", "--log-level", "loud"},
	} {
		_, _, err := call(t, "", args...)
		require.ErrorIs(t, err, errUsage, args)
	}
	_, _, err = call(t, "", "check", "-h")
	require.ErrorIs(t, err, errRefused)
}

func TestFlagsStandBeforeAndAfterArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--a", "1", "x", "y"}, {"x", "--a", "1", "y"}, {"x", "y", "--a=1"}, {"x", "y", "-a", "1"},
	} {
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		a := flags.String("a", "", "")
		require.NoError(t, parse(flags, args, 2), args)
		require.Equal(t, "1", *a)
		require.Equal(t, []string{"x", "y"}, flags.Args())
	}
}

func TestCheckSaysWhatIsWrongLikeACompiler(t *testing.T) {
	t.Parallel()
	path := file(t, config)
	out, errs, err := call(t, "", "check", "--config", path)
	require.NoError(t, err)
	require.Equal(t, path+": fine, 1 APIs with 1 operations\n", out)
	require.Contains(t, errs, "warning: API orders: anyone may call it")

	bad := file(t, strings.ReplaceAll(config, "10.0.0.0/8", "nonsense")+"  - name: two\n    basePath: two\n    policies: [{none: {}}]\n")
	out, errs, err = call(t, "", "check", "--config", bad)
	require.ErrorIs(t, err, errRefused)
	require.Empty(t, out)
	testkit.Golden(t, "check.txt", []byte(strings.ReplaceAll(errs, filepath.Dir(bad)+"/", "")))
	_, errs, err = call(t, "", "check", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	require.True(t, err != nil && !errors.Is(err, errUsage))
	require.Contains(t, errs, "none.yaml")
}

func TestMatchAndExplainAreForPeople(t *testing.T) {
	t.Parallel()
	path := file(t, config)
	var all strings.Builder
	for _, args := range [][]string{
		{"match", "GET", "http://api.localhost/orders/7"},
		{"match", "POST", "http://api.localhost/orders/7"},
		{"match", "GET", "http://other.localhost/orders/7"},
		{"explain", "GET", "http://api.localhost/orders/7", "-H", "X-A: 1"},
		{"explain", "GET", "http://api.localhost/orders/7", "--client", "10.0.0.1"},
	} {
		out, errs, err := call(t, "", append(args, "--config", path)...)
		require.NoError(t, err, args)
		require.Empty(t, errs)
		all.WriteString("$ gateway " + strings.Join(args, " ") + "\n" + out + "\n")
		out, _, err = call(t, "", append(args, "--json", "--config", path)...)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(out, "{"), out)
	}
	text := all.String()
	for pattern, with := range map[string]string{
		`\d{4}-\d\d-\d\d [0-9:.]+ UTC`: "TIME", ` +\d+(\.\d+)? (ns|µs|ms)\b`: " DURATION", `\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`: "ID",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	testkit.Golden(t, "people.txt", []byte(text))
}

func TestHashAndSchema(t *testing.T) {
	t.Parallel()
	out, _, err := call(t, "secret\r\n", "hash")
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$`, out)
	_, _, err = call(t, "\n", "hash")
	require.ErrorIs(t, err, errEmpty)
	out, _, err = call(t, "", "schema")
	require.NoError(t, err)
	require.Contains(t, out, `"$defs"`)
	out, _, err = call(t, "", "schema", "ip-filter")
	require.NoError(t, err)
	require.Contains(t, out, `"allow"`)
	_, _, err = call(t, "", "schema", "none")
	require.ErrorContains(t, err, "ip-filter")
}
