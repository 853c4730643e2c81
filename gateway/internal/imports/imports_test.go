package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root     = "github.com/gatehouse/gatehouse/"
	contract = root + "libs/contract"
	gateway  = root + "gateway"
	policies = gateway + "/policies"
)

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string // of the package itself
	Deps       []string // of all that it links
}

// list asks go list for packages with all that they link. The folder is
// relative to the gateway module.
func list(t *testing.T, dir string, patterns ...string) map[string]pkg {
	t.Helper()
	args := append([]string{"list", "-deps", "-json=ImportPath,Standard,Imports,Deps"}, patterns...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = filepath.Join("..", "..", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	all := map[string]pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all[p.ImportPath] = p
	}
}

// under reports whether a package is the named one or below it.
func under(path string, any ...string) bool {
	for _, a := range any {
		if path == a || strings.HasPrefix(path, a+"/") {
			return true
		}
	}
	return false
}

func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	libs, gw := list(t, filepath.Join("..", "libs"), "./..."), list(t, ".", "./...")

	t.Run("the contract uses the standard library only", func(t *testing.T) {
		t.Parallel()
		seen := 0
		for path, p := range libs {
			if !under(path, contract) {
				continue
			}
			seen++
			for _, d := range p.Deps {
				require.True(t, libs[d].Standard || under(d, contract), "%s links %s", path, d)
			}
		}
		require.GreaterOrEqual(t, seen, 3)
	})
	t.Run("libs know neither the gateway nor services", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, libs, root+"libs/problem")
		for path := range libs {
			require.False(t, under(path, gateway, root+"services", root+"frontends"), "libs link %s", path)
		}
	})
	t.Run("the gateway links no web framework and no database", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, gw, gateway+"/cmd/gateway")
		for path := range gw {
			// database/sql itself comes with Prometheus's collectors; it is nothing
			// without a driver.
			require.False(t, under(path,
				"github.com/labstack/echo", "gorm.io", "github.com/lib/pq", "github.com/jackc/pgx",
				"github.com/go-sql-driver/mysql", "github.com/mattn/go-sqlite3", "modernc.org/sqlite", root+"services", root+"frontends",
			), "the gateway links %s", path)
		}
	})
	t.Run("a policy knows the plug-in contract only", func(t *testing.T) {
		t.Parallel()
		seen := 0
		for path, p := range gw {
			if !strings.HasPrefix(path, policies+"/") {
				continue
			}
			seen++
			for _, i := range p.Imports {
				allowed := !strings.HasPrefix(i, root) || under(i, gateway+"/policy", path, root+"libs/schema", root+"libs/problem", root+"libs/apikey")
				require.True(t, allowed, "%s imports %s", path, i)
			}
		}
		require.Greater(t, seen, 10)
	})
	t.Run("the plug-in contract knows nothing of the gateway", func(t *testing.T) {
		t.Parallel()
		for path, p := range gw {
			if path == gateway+"/policy/policytest" || !under(path, gateway+"/policy") {
				continue
			}
			for _, d := range p.Deps {
				require.False(t, under(d, gateway+"/internal", policies), "%s links %s", path, d)
			}
		}
	})
}
