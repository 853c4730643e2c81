//go:build linux

package peer

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Operations is the number of operations of each API in mode Fleet.
const Operations = 10

// fleetFileAPIs is the number of APIs in one file of the configuration directory.
// An API that changes under load has a file of its own.
const fleetFileAPIs = 100

func gatewayVersion(ctx context.Context, bin string) (string, error) {
	if v, err := firstLine(ctx, bin, "version"); err == nil {
		return v, nil
	}
	// A build that cannot say its version was at least built by something.
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		return "", err
	}
	return info.Main.Version + ", " + info.GoVersion, nil
}

// gatewayCommand configures Gatehouse's gateway from its human-written form: one
// file, or in mode Fleet a directory of them.
func gatewayCommand(bin string, f files) ([]string, []string, error) {
	config, err := f.configure()
	return []string{bin, "run", "--config", config}, nil, err
}

func (f files) configure() (string, error) {
	switch {
	case f.Mode == Fleet:
		return f.fleet()
	case f.Credentials > 0:
		return f.credentials()
	default:
		return f.render("gateway.yaml.tmpl", "gateway.yaml")
	}
}

// BasePath returns the base path of API i of mode Fleet.
func BasePath(i int) string { return fmt.Sprintf("/api-%05d", i) }

// OperationPath returns a path that operation op of API i matches.
func OperationPath(i, op int) string {
	return fmt.Sprintf("%s/resource-%d/%d", BasePath(i), op, i*Operations+op)
}

// fleet writes the directory of mode Fleet: the listeners in one file and the
// APIs in as many as they need.
func (f files) fleet() (string, error) {
	dir := filepath.Join(f.Dir, "gateway.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	// The data directory is what a later start may find the last good
	// configuration in.
	head := fmt.Sprintf("listeners:\n  - address: %q\nadmin: {address: %q}\ndata: %q\n", f.Listen, f.Admin, filepath.Join(f.Dir, "data"))
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), []byte(head), 0o600); err != nil {
		return "", err
	}
	for first := 0; first < f.APIs; first += fleetFileAPIs {
		path := filepath.Join(dir, fmt.Sprintf("apis-%05d.yaml", first))
		if err := f.fleetFile(path, first, min(first+fleetFileAPIs, f.APIs)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func (f files) fleetFile(path string, first, end int) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "apis:")
	for i := first; i < end; i++ {
		writeAPI(w, fmt.Sprintf("api-%05d", i), BasePath(i), f.Upstream)
	}
	if err := w.Flush(); err != nil {
		return errors.Join(err, out.Close())
	}
	return out.Close()
}

func writeAPI(w *bufio.Writer, name, basePath, upstream string) {
	fmt.Fprintf(w, "  - name: %s\n    basePath: %s\n    upstream: {targets: [{url: \"http://%s\"}]}\n    operations:\n", name, basePath, upstream)
	for op := range Operations {
		fmt.Fprintf(w, "      - {method: GET, path: \"/resource-%d/{id}\"}\n", op)
	}
}

// WriteChanging puts the API that changes under load into a running gateway's
// configuration directory, in its nth form: what is below /changing-<n>. The file
// is replaced in one step, as a careful editor or deployment would.
func WriteChanging(dir, upstream string, n int) error {
	next := filepath.Join(dir, ".changing.yaml.new")
	out, err := os.OpenFile(next, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("changing an API: %w", err)
	}
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "apis:")
	writeAPI(w, "changing", ChangingPath(n), upstream)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("changing an API: %w", errors.Join(err, out.Close()))
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("changing an API: %w", err)
	}
	if err := os.Rename(next, filepath.Join(dir, "changing.yaml")); err != nil {
		return fmt.Errorf("changing an API: %w", err)
	}
	return nil
}

// ChangingPath returns the base path of the API that changes, in its nth form.
func ChangingPath(n int) string { return fmt.Sprintf("/changing-%d", n) }
