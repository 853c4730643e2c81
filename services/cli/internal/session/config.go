// Package session is who the command is signed in as: the file that remembers
// it, and the HTTP client that sends its access token and gets a new one when it
// has run out. It knows the endpoints of tokens and nothing else of the suite.
package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Profile is a suite, and who is signed in there.
type Profile struct {
	// URL is the address of the suite.
	URL string `json:"url"`
	// RefreshToken renews the access token of a person. It is a secret.
	RefreshToken string `json:"refreshToken,omitempty"`
	// Token is a service account's. It is a secret.
	Token string `json:"token,omitempty"`
	// AccessToken is good until ExpiresAt. It is a secret.
	AccessToken string    `json:"accessToken,omitempty"`
	ExpiresAt   time.Time `json:"expiresAt,omitzero"`
	// User and Organization are names for people.
	User         string `json:"user,omitempty"`
	Organization string `json:"organization,omitempty"`
}

// file is what is remembered.
type file struct {
	Profiles map[string]Profile `json:"profiles"`
}

// Path returns where the file is: below XDG_CONFIG_HOME, or what the system has
// in its place.
func Path(environ func(string) string) (string, error) {
	dir := environ("XDG_CONFIG_HOME")
	if dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", fmt.Errorf("finding the folder of configurations: %w; set XDG_CONFIG_HOME", err)
		}
	}
	return filepath.Join(dir, "gatehouse", "config.json"), nil
}

// store is the file, one writer at a time.
type store struct{ path string }

// change reads the file under its lock, lets fn change it, and writes it again
// where fn says so.
func (s store) change(fn func(f *file) (bool, error)) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	unlock, err := lock(s.path + ".lock")
	if err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	defer unlock()
	f, err := s.read()
	if err != nil {
		return err
	}
	changed, err := fn(&f)
	if err != nil || !changed {
		return err
	}
	return s.write(f)
}

func (s store) read() (file, error) {
	f := file{Profiles: map[string]Profile{}}
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("reading the session: %w", err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fmt.Errorf("reading the session: %s: %w; delete the file and sign in again", s.path, err)
	}
	if f.Profiles == nil {
		f.Profiles = map[string]Profile{}
	}
	return f, nil
}

// write replaces the file at once, so that it is never half written.
func (s store) write(f file) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	t, err := os.CreateTemp(filepath.Dir(s.path), ".config-*") // readable by the owner alone
	if err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	_, err = t.Write(append(b, '\n'))
	if err = errors.Join(err, t.Sync(), t.Close()); err == nil {
		err = os.Rename(t.Name(), s.path)
	}
	if err != nil {
		return fmt.Errorf("keeping the session: %w", errors.Join(err, os.Remove(t.Name())))
	}
	return nil
}
