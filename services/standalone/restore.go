package standalone

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse/gatehouse/libs/db"
)

// maxManifest bounds what an archive says of itself.
const maxManifest = 16 << 20

// Verify reads an archive to its end, and returns what is in it. The error says
// what is damaged.
func Verify(ctx context.Context, file string) (m BackupManifest, err error) {
	work, err := os.MkdirTemp("", "gatehouse-verify-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	return extract(ctx, file, work)
}

// RestoreOptions say what is restored, and to where.
type RestoreOptions struct {
	// File is the archive, Keys that of the keys; "" = they are put there by hand.
	File, Keys string
	// Data is the data folder, which is not there yet, or empty.
	Data string
}

// Restore puts what is in an archive into an empty data folder. Nothing is there
// where it fails.
func Restore(ctx context.Context, o RestoreOptions) (m BackupManifest, err error) {
	entries, err := os.ReadDir(o.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("looking into the data folder: %w", err)
	}
	if len(entries) > 0 {
		return m, fmt.Errorf("%s is not empty: restore into a new folder, and start the suite with it", o.Data)
	}
	work := strings.TrimSuffix(o.Data, string(filepath.Separator)) + ".restoring"
	if err := os.Mkdir(work, 0o700); err != nil {
		return m, fmt.Errorf("making a place beside the data folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // it is gone where all went well
	if m, err = extract(ctx, o.File, work); err != nil {
		return m, err
	}
	if m.Kind != "data" {
		return m, fmt.Errorf("%s holds %s: it is given with --keys, beside an archive of data", o.File, m.Kind)
	}
	if o.Keys != "" {
		k, err := extract(ctx, o.Keys, work)
		if err != nil {
			return m, err
		}
		if k.Kind != "keys" {
			return m, fmt.Errorf("%s holds %s, and no keys", o.Keys, k.Kind)
		}
	}
	if len(entries) == 0 {
		if err := os.Remove(o.Data); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
	}
	return m, os.Rename(work, o.Data)
}

// extract writes what is in an archive into a folder, and holds it against what
// the archive says of itself.
func extract(ctx context.Context, file, into string) (m BackupManifest, err error) {
	in, err := os.Open(file)
	if err != nil {
		return m, fmt.Errorf("opening the archive: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	damaged := func(format string, args ...any) error {
		return fmt.Errorf("%s is damaged: %w", file, fmt.Errorf(format, args...))
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return m, damaged("it is no archive: %w", err)
	}
	t := tar.NewReader(z)
	h, err := t.Next()
	if err != nil || h.Name != manifestName || h.Size > maxManifest {
		return m, damaged("it does not begin with %s", manifestName)
	}
	if err := json.NewDecoder(io.LimitReader(t, maxManifest)).Decode(&m); err != nil {
		return m, damaged("%s: %w", manifestName, err)
	}
	if m.Form != backupForm {
		return m, fmt.Errorf("%s is of the form %d, which this version does not know: use Gatehouse %s", file, m.Form, m.Version)
	}
	for _, want := range m.Files {
		h, err := t.Next()
		if err != nil {
			return m, damaged("%s is missing: %w", want.Name, err)
		}
		if h.Name != want.Name || h.Size != want.Size || !filepath.IsLocal(filepath.FromSlash(want.Name)) {
			return m, damaged("%s is where %s should be", h.Name, want.Name)
		}
		if err := extractOne(t, want, filepath.Join(into, filepath.FromSlash(want.Name))); err != nil {
			return m, damaged("%w", err)
		}
		if strings.HasSuffix(want.Name, ".db") && !strings.Contains(want.Name, "/") {
			if err := db.CheckSQLite(ctx, filepath.Join(into, want.Name)); err != nil {
				return m, damaged("%w", err)
			}
		}
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return m, damaged("it has more in it than it says")
	}
	// The checksum of the whole stands at the end.
	if _, err := io.Copy(io.Discard, io.LimitReader(z, maxManifest)); err != nil {
		return m, damaged("%w", err)
	}
	return m, nil
}

func extractOne(t *tar.Reader, want BackupFile, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(out, h), t, want.Size)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%s: %w", want.Name, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want.SHA256 {
		return fmt.Errorf("%s is not as it was: its SHA-256 is %s", want.Name, got)
	}
	return nil
}
