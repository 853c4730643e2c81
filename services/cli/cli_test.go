package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli"
)

// run runs the command and returns its exit code with what it wrote.
func run(t testing.TB, env map[string]string, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Main(t.Context(), cli.Options{
		In: strings.NewReader(in), Out: &o, Err: &e, Environ: func(k string) string { return env[k] },
		Extra: []*cobra.Command{{Use: "extra", RunE: func(c *cobra.Command, _ []string) error { c.Println("ran"); return nil }}},
	}, args)
	return code, o.String(), e.String()
}

func TestTheCommandLineIsUnderstoodOrRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "ready.json")
	require.NoError(t, os.WriteFile(bad, []byte("{}"), 0o600))
	for name, c := range map[string]struct {
		args string
		code int
		says string
	}{
		"help":                 {"--help", 0, "quickstart"},
		"nothing":              {"", 0, "Available Commands"},
		"version":              {"version", 0, "gatehouse"},
		"an extra command":     {"extra", 0, "ran"},
		"an unknown command":   {"foo", 2, `no command "foo"`},
		"an unknown command 2": {"api foo", 2, `no command "foo"; gatehouse api --help`},
		"an unknown flag":      {"api list --bar", 2, "--bar"},
		"a missing argument":   {"api import", 2, "the document is missing"},
		"one too many":         {"api show a b", 2, `what is "b"?`},
		"a bad output":         {"api list -o xml", 2, "table or json"},
		"no address":           {"login --email a@b.c", 2, "--ready-file"},
		"nobody":               {"login --url http://127.0.0.1:1", 2, "--email"},
		"no password":          {"login --url http://127.0.0.1:1 --email a@b.c", 2, "GATEHOUSE_PASSWORD"},
		"no ready file":        {"login --ready-file " + bad, 1, "is not a ready file"},
		"a bad limit":          {"plan create petstore --name Gold --rate-limit fast", 2, "100/1m"},
		"no application":       {"subscribe petstore", 2, "--app"},
		"no role":              {"user invite a@b.c", 2, "--role"},
		"no environment":       {"api undeploy petstore", 2, "--environment"},
		"no such method":       {"request HEAD /tenant-manager/users", 2, "GET, POST, PUT, PATCH or DELETE"},
		"all of a write":       {"request POST /tenant-manager/users --all", 2, "are for GET"},
		"no manifest":          {"apply", 2, "--file"},
		"no such manifest":     {"apply -f " + filepath.Join(dir, "none.yaml"), 1, "none.yaml"},
		"signed out 3":         {"request GET /tenant-manager/users", 3, "gatehouse login"},
		"signed out":           {"api list", 3, "gatehouse login"},
		"signed out 2":         {"quickstart x.yaml", 3, "gatehouse login"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, map[string]string{"XDG_CONFIG_HOME": t.TempDir()}, "", strings.Fields(c.args)...)
			require.Equal(t, c.code, code, out+errs)
			require.Contains(t, out+errs, c.says)
			if c.code != 0 {
				require.Empty(t, out, "programs read no errors as results")
			}
		})
	}
}

func TestProblemsAreALineWithTheFields(t *testing.T) {
	t.Parallel()
	suite := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := problem.Invalid("the plan cannot be used like this", problem.Field{Pointer: "/limits/rateLimit/window", Code: "format", Detail: "want a time such as 1m"})
		p.Instance = "01a1"
		if strings.HasSuffix(r.URL.Path, "/me") {
			p = problem.New(problem.CodeCredentialExpired, "the session has ended")
		}
		p.Write(w)
	}))
	t.Cleanup(suite.Close)
	env := map[string]string{"XDG_CONFIG_HOME": t.TempDir(), "GATEHOUSE_URL": suite.URL, "GATEHOUSE_TOKEN": "token"}
	code, out, errs := run(t, env, "", "api", "list", "-o", "json")
	require.Equal(t, 1, code)
	require.Empty(t, out)
	require.Equal(t, "gatehouse: the plan cannot be used like this (invalid-input, request 01a1)\n  /limits/rateLimit/window: want a time such as 1m\n", errs)
	code, _, _ = run(t, env, "", "whoami")
	require.Equal(t, 3, code)
	suite.Close()
	code, _, errs = run(t, env, "", "api", "list")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "connection refused")
}

// A manifest is understood, or refused with what is wrong; either before anything is
// asked of a suite.
func TestManifestsAreUnderstoodOrRefused(t *testing.T) {
	t.Parallel()
	env := map[string]string{"XDG_CONFIG_HOME": t.TempDir()}
	for text, c := range map[string]struct {
		code int
		says string
	}{
		"": {2, "the manifest is empty"},
		"kind: Group\npath: /tenant-manager/groups/1\nspec: {name: x}\n":    {3, "gatehouse login"},
		"kind: Group\npath: /tenant-manager/groups\nspec: {name: x}\n":      {2, "nothing at \"/tenant-manager/groups\""},
		"kind: User\npath: /tenant-manager/groups/1\nspec: {name: x}\n":     {2, "called Group, not \"User\""},
		"kind: Group\npath: /tenant-manager/groups/1\nspec: {members: 4}\n": {2, "there are name, description"},
		"kind: Group\npath: /tenant-manager/groups/1\nsize: 4\n":            {2, "cannot be read"},
		"- kind": {2, "cannot be read"},
	} {
		code, _, errs := run(t, env, text, "apply", "-f", "-")
		require.Equal(t, c.code, code, "%q: %s", text, errs)
		require.Contains(t, errs, c.says, text)
	}
}

func FuzzManifests(f *testing.F) {
	f.Add("kind: Group\npath: /tenant-manager/groups/1\nspec: {name: x}\n---\nkind: User\npath: /tenant-manager/users/1\n")
	f.Add("kind: [\n")
	f.Add("path: &a *a\nspec: {? x}\n")
	env := map[string]string{"XDG_CONFIG_HOME": f.TempDir()}
	f.Fuzz(func(t *testing.T, text string) {
		code, out, _ := run(t, env, text, "apply", "-f", "-")
		require.Contains(t, []int{2, 3}, code, "nobody is signed in")
		require.Empty(t, out)
	})
}
