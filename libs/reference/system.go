package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Source reads secrets of one scheme. Errors are of the kinds of this package.
type Source interface {
	Read(ctx context.Context, r Reference) (string, error)
}

// environment is the variables of the process.
type environment struct{}

func (environment) Read(_ context.Context, r Reference) (string, error) {
	v := os.Getenv(r.Name)
	if v == "" {
		return "", fmt.Errorf("the environment variable %s is not set: %w", r.Name, ErrNotFound)
	}
	return v, nil
}

// files are the files of the machine, without the line's end that editors put
// after the last line.
type files struct{}

func (files) Read(_ context.Context, r Reference) (string, error) {
	f, err := os.Open(r.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the file %s is not there: %w", r.Name, ErrNotFound)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("the file %s may not be read: %w", r.Name, ErrDenied)
	case err != nil:
		return "", fmt.Errorf("the file %s: %w: %w", r.Name, ErrUnavailable, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file: %w", r.Name, ErrNotFound)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+3))
	if err != nil {
		return "", fmt.Errorf("the file %s: %w: %w", r.Name, ErrUnavailable, err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	switch {
	case len(v) > MaxSize:
		return "", fmt.Errorf("the file %s is larger than 64 KiB: %w", r.Name, ErrDenied)
	case v == "":
		return "", fmt.Errorf("the file %s is empty: %w", r.Name, ErrNotFound)
	}
	return v, nil
}
