//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
)

// applications is the number of callers in mode Managed, each with a key.
const applications = 1000

// check makes sure that a proxy does the work of its mode, since one that leaves
// some out would look fast.
func (s *suite) check(ctx context.Context, r *row) error {
	u, err := r.in.Usage()
	if err != nil {
		return err
	}
	r.idle = u.RSS
	if r.mode != peer.Managed {
		return nil
	}
	url := "http://" + r.in.Address
	key := peer.Applications(1)[0].Key
	for _, c := range []struct {
		what   string
		header []string
		status int
	}{
		{"without a key", nil, http.StatusUnauthorized},
		{"with a wrong key", []string{"X-API-Key", key + "x"}, http.StatusUnauthorized},
		{"with a key", []string{"X-API-Key", key}, http.StatusOK},
	} {
		status, body, err := s.get(ctx, url+peer.ManagedPath+"items/1", c.header...)
		if err != nil {
			return fmt.Errorf("checking a request %s: %w", c.what, err)
		}
		r.sent++
		if status != c.status {
			return fmt.Errorf("%w: a request %s got %d, want %d: %.200q", load.ErrAnswer, c.what, status, c.status, body)
		}
	}
	// A window may end in between, but not twice.
	refused := false
	for range 3 {
		status, body, err := s.get(ctx, url+peer.NarrowPath+"items/1", "X-API-Key", key)
		if err != nil {
			return fmt.Errorf("checking the limit: %w", err)
		}
		r.sent++
		if status != http.StatusOK && status != http.StatusTooManyRequests {
			return fmt.Errorf("%w: a limited request got %d: %.200q", load.ErrAnswer, status, body)
		}
		refused = refused || status == http.StatusTooManyRequests
	}
	if !refused {
		return fmt.Errorf("%w: three requests passed a limit of one", load.ErrAnswer)
	}
	return nil
}

// checkLog makes sure that a proxy has logged every request that it was sent, as
// JSON, in the file path and those that it was rotated to.
func checkLog(path string, sent int64) error {
	ext := filepath.Ext(path)
	found, err := filepath.Glob(strings.TrimSuffix(path, ext) + "*")
	if err != nil || len(found) == 0 {
		return errors.Join(fmt.Errorf("%w: no log at %s", load.ErrAnswer, path), err)
	}
	var lines int64
	var last []byte
	for _, f := range found {
		n, line, err := readLog(f)
		if err != nil {
			return fmt.Errorf("reading log: %w", err)
		}
		lines += n
		if line != nil {
			last = line
		}
	}
	if lines != sent {
		return fmt.Errorf("%w: %d requests, but %d lines in the log", load.ErrAnswer, sent, lines)
	}
	if !json.Valid(last) || !bytes.Contains(last, []byte("application-")) {
		return fmt.Errorf("%w: not a log line with an application: %.300q", load.ErrAnswer, last)
	}
	return nil
}

// readLog returns the number of lines in a file and the last of them.
func readLog(path string) (lines int64, last []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return 0, nil, err
		}
	}
	buf := make([]byte, 1<<20)
	var tail []byte
	for {
		n, err := in.Read(buf)
		part := buf[:n]
		lines += int64(bytes.Count(part, []byte("\n")))
		// Enough of the end to hold the last whole line.
		tail = append(tail, part[max(0, n-16<<10):]...)
		tail = tail[max(0, len(tail)-16<<10):]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, nil, err
		}
	}
	tail = bytes.TrimSuffix(tail, []byte("\n"))
	if len(tail) == 0 {
		return lines, nil, nil
	}
	return lines, tail[bytes.LastIndexByte(tail, '\n')+1:], nil
}
