// Package install makes what an installation needs at its first start: every
// password, key and token, each written only where it is used, and the
// configurations that refer to them. Nothing has a default. What is there
// already is kept, so that it may run at every start.
//
// It knows the shapes in which Gatehouse is installed, and no service from
// inside.
package install

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse/gatehouse/libs/secret"
)

// Dir is a folder of secrets and files made from them.
type Dir struct {
	// Path is the folder.
	Path string
	// Owner is the user and group that files are given to; negative leaves them
	// to who runs this.
	Owner int
}

// Secret returns the secret of a name, which it makes by the function where
// there is none yet.
func (d Dir) Secret(name string, make func() (string, error)) (string, error) {
	path := filepath.Join(d.Path, name)
	b, err := os.ReadFile(path)
	switch {
	case err == nil && strings.TrimSpace(string(b)) != "":
		return strings.TrimSpace(string(b)), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("reading the secret %s: %w", name, err)
	}
	text, err := make()
	if err != nil {
		return "", fmt.Errorf("making the secret %s: %w", name, err)
	}
	return text, d.Write(name, text+"\n", 0o600)
}

// Write writes a file as a whole, or not at all.
func (d Dir) Write(name, text string, mode fs.FileMode) error {
	path := filepath.Join(d.Path, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil && d.Owner >= 0 {
		err = os.Chown(f.Name(), d.Owner, d.Owner)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", name, err), os.Remove(f.Name()))
	}
	return nil
}

// Password makes a password: 26 characters, 130 random bits.
func Password() (string, error) { return rand.Text(), nil }

// Pepper makes a key of 32 bytes in hexadecimal digits.
func Pepper() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// Keyring makes the first key of a keyring.
func Keyring() (string, error) { return secret.NewKey("1"), nil }

// Own makes the folder, and gives it to its owner.
func (d Dir) Own() error {
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return fmt.Errorf("making %s: %w", d.Path, err)
	}
	if d.Owner < 0 {
		return nil
	}
	if err := os.Chown(d.Path, d.Owner, d.Owner); err != nil {
		return fmt.Errorf("giving %s to its owner: %w", d.Path, err)
	}
	return nil
}
