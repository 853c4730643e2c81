//go:build !unix

package session

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// stale is the age at which a lock is taken to be left behind.
const stale = 30 * time.Second

// lock waits until nobody else has made the file.
func lock(path string) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_ = f.Close()
			return func() { _ = os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if i, err := os.Stat(path); err == nil && time.Since(i.ModTime()) > stale {
			_ = os.Remove(path)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
