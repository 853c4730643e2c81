package scenario_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/frontends"
)

// chromium returns where the browser is. Where there is none the test is left
// out, except in continuous integration.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("GATEHOUSE_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	missing(t, "there is no Chromium: install the package chromium, or name one in GATEHOUSE_TEST_CHROMIUM")
	return ""
}

// missing leaves a test out, except in continuous integration.
func missing(t *testing.T, why string) {
	t.Helper()
	require.Empty(t, os.Getenv("CI"), why)
	t.Skip(why)
}

// node returns where Node is: installed, or where deploy/ui puts it.
func node(t *testing.T, root string) string {
	t.Helper()
	own := filepath.Join(root, ".tools", "node", "node_modules", ".bin", "node")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "there is no Node: run make ui")
	}
	return path
}

// directory reports whether OpenLDAP is there, which Debian puts where only root looks.
func directory() bool {
	_, err := exec.LookPath("slapd")
	if err != nil {
		_, err = os.Stat("/usr/sbin/slapd")
	}
	return err == nil
}

// TestInABrowser walks through the consoles and the portal by clicking, as they
// are served: each walk on a suite of its own that was never set up.
func TestInABrowser(t *testing.T) {
	// Not in parallel with the other stories: a browser is all that two cores
	// can carry, and people wait for screens.
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	browser, node := chromium(t), node(t, root)
	for _, app := range frontends.Apps() {
		if !frontends.Built(app) {
			missing(t, "the browser apps are not built: run make ui")
		}
	}
	if _, err := os.Stat(filepath.Join(root, "frontends", "node_modules", "playwright-core")); err != nil {
		missing(t, "what drives the browser is not installed: run make ui")
	}
	bin := build(t, "../cli/cmd/gatehouse")
	env := []string{"GATEHOUSE_CHROMIUM=" + browser, "GATEHOUSE_BIN=" + filepath.Join(bin, "gatehouse"), "GATEHOUSE_SAML_IDP=" + filepath.Join(build(t, "../tenant-manager/internal/samlidp"), "samlidp")}
	for _, walk := range []string{"story", "people", "signin", "auth", "sso", "ldap", "saml", "signrules", "provisioning", "org", "brand", "govern", "users", "system", "texts", "portalcred", "edits", "showas", "onesignin", "views"} {
		t.Run(walk, func(t *testing.T) {
			t.Parallel() // each has a suite and a browser of its own
			if walk == "ldap" && !directory() {
				missing(t, "there is no slapd: run deploy/setup")
			}
			walks(t, bin, node, filepath.Join(root, "frontends", "e2e", walk+".mjs"), env)
		})
	}
}

// walks runs a walk on a suite of its own.
func walks(t *testing.T, bin, node, script string, env []string) {
	t.Helper()
	g := run(t, bin, filepath.Join(t.TempDir(), "data"))
	require.NotNil(t, g.ready.SignIn)

	// What failed can be looked at after the test, so not in a folder of its own.
	shots, err := os.MkdirTemp("", "gatehouse-screens-")
	require.NoError(t, err)
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(shots) // nothing is in it
			return
		}
		t.Logf("pictures of the screens are in %s\nthe suite said:\n%s", shots, g.log)
	})

	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, script, g.file, shots)
	cmd.Env = append(os.Environ(), env...)
	// It closes its browser when asked to, and is given time for that.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}
