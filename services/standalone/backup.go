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
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/db"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// The form of archives, and the names in them.
const (
	backupForm   = 1
	manifestName = "manifest.json"
	stateName    = "last-backup.json"
	secretsDir   = "secrets"
)

// BackupManifest says what is in an archive. It comes first.
type BackupManifest struct {
	// Form is that of the archive.
	Form int `json:"form"`
	// At is when it was made, by Version.
	At      time.Time `json:"at"`
	Version string    `json:"version"`
	// Kind is "data", or "keys" of an archive of keys.
	Kind string `json:"kind"`
	// Running says that the suite ran meanwhile: then streams and what the gateway
	// keeps are left out, and made anew from the databases.
	Running bool         `json:"running"`
	Files   []BackupFile `json:"files"`
}

// BackupFile is a file in an archive.
type BackupFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// BackupOptions say what is backed up, and to where.
type BackupOptions struct {
	// Data is the data folder, File the archive, which must not be there yet.
	Data, File string
	// Keys, where not empty, is a second archive for the keys, to be kept elsewhere:
	// without them the first can be restored, but its secrets not be read.
	Keys string
	// Databases are the addresses of those that are elsewhere; they are not part of
	// it.
	Databases map[string]string
}

var errNoData = errors.New("nothing was run in this data folder yet: name the right one with --data")

// Backup writes a consistent copy of what a suite keeps, which may run meanwhile.
func Backup(ctx context.Context, o BackupOptions) (BackupManifest, error) {
	m := BackupManifest{Form: backupForm, At: time.Now().UTC().Truncate(time.Second), Version: app.Build().Version, Kind: "data"}
	if _, err := os.Stat(filepath.Join(o.Data, secretsDir)); err != nil {
		return m, fmt.Errorf("%w (%w)", errNoData, err)
	}
	unlock, err := lock(filepath.Join(o.Data, "lock"))
	if err == nil {
		defer unlock()
	}
	m.Running = err != nil
	work, err := os.MkdirTemp(o.Data, "backup-")
	if err != nil {
		return m, fmt.Errorf("making a place for copies: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // copies only
	found, err := filepath.Glob(filepath.Join(o.Data, "*.db"))
	if err != nil {
		return m, err
	}
	files := map[string]string{}
	for _, f := range found {
		name := filepath.Base(f)
		if o.Databases[strings.TrimSuffix(name, ".db")] != "" {
			continue
		}
		to := filepath.Join(work, name)
		if err := db.CopySQLite(ctx, f, to); err != nil {
			return m, err
		}
		files[name] = to
	}
	if len(files) == 0 && len(o.Databases) == 0 {
		return m, errNoData
	}
	dirs := []string{"sample-address"}
	if !m.Running {
		dirs = append(dirs, "nats", "gateway")
	}
	for _, d := range dirs {
		if err := collect(o.Data, d, files); err != nil {
			return m, err
		}
	}
	if err := writeArchive(o.File, &m, files); err != nil {
		return m, err
	}
	if o.Keys != "" {
		keys := BackupManifest{Form: backupForm, At: m.At, Version: m.Version, Kind: "keys"}
		files := map[string]string{}
		if err := collect(o.Data, secretsDir, files); err != nil {
			return m, err
		}
		if err := writeArchive(o.Keys, &keys, files); err != nil {
			return m, err
		}
	}
	return m, o.note(m)
}

// note keeps in the data folder when it was backed up.
func (o BackupOptions) note(m BackupManifest) error {
	info, err := os.Stat(o.File)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(o.File)
	if err != nil {
		return err
	}
	b, err := json.Marshal(tenantmanager.Backup{At: m.At, File: path, Size: info.Size(), Keys: o.Keys != ""})
	if err != nil {
		return err
	}
	to := filepath.Join(o.Data, stateName)
	if err := os.WriteFile(to+".new", b, 0o600); err != nil {
		return fmt.Errorf("noting the backup: %w", err)
	}
	return os.Rename(to+".new", to)
}

// lastBackup returns when a data folder was backed up last; nil = never.
func lastBackup(data string) (*tenantmanager.Backup, error) {
	b, err := os.ReadFile(filepath.Join(data, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out tenantmanager.Backup
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return &out, err
}

// collect finds the files below a name of the data folder, if it is there.
func collect(data, name string, files map[string]string) error {
	root := filepath.Join(data, name)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(data, path)
		if err == nil {
			files[filepath.ToSlash(rel)] = path
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeArchive writes files into a new archive, with what it has first.
func writeArchive(path string, m *BackupManifest, files map[string]string) (err error) {
	names := make([]string, 0, len(files))
	for name, from := range files {
		sum, size, err := digest(from)
		if err != nil {
			return err
		}
		names = append(names, name)
		m.Files = append(m.Files, BackupFile{Name: name, Size: size, SHA256: sum})
	}
	slices.Sort(names)
	slices.SortFunc(m.Files, func(a, b BackupFile) int { return strings.Compare(a.Name, b.Name) })
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path) // half an archive is none
		}
	}()
	z := gzip.NewWriter(out)
	t := tar.NewWriter(z)
	b, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = t.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(b)), ModTime: m.At})
	}
	if err == nil {
		_, err = t.Write(b)
	}
	for i, name := range names {
		if err == nil {
			err = writeEntry(t, m.Files[i], files[name], m.At)
		}
	}
	err = errors.Join(err, t.Close(), z.Close(), out.Sync(), out.Close())
	if err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	return nil
}

func writeEntry(t *tar.Writer, f BackupFile, from string, at time.Time) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	if err := t.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o600, Size: f.Size, ModTime: at}); err != nil {
		return err
	}
	_, err = io.CopyN(t, in, f.Size)
	return err
}

func digest(path string) (sum string, size int64, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = in.Close() }() // it was only read
	h := sha256.New()
	if size, err = io.Copy(h, in); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
