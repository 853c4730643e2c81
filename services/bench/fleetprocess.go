//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a running program of the suite.
type process struct {
	name string
	cmd  *exec.Cmd
	// log is the file that it writes to.
	log  string
	done chan struct{}
}

// launch starts a program with a configuration, which it writes into a folder.
func launch(ctx context.Context, dir, name string, config object, args ...string) (*process, error) {
	text, err := json.Marshal(config) // which is YAML as well
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	// Not ctx: that would kill it before it was told to stop.
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], append(args[1:], "--config", path)...) //nolint:gosec // the operator's own
	p.cmd.Stdout, p.cmd.Stderr = out, out
	err = p.cmd.Start()
	_ = out.Close() // the process has it
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // its state is looked at
		close(p.done)
	}()
	return p, nil
}

// stopLimit bounds how long a program may take to stop.
const stopLimit = 30 * time.Second

// stop tells the program to stop, and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(stopLimit):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s did not stop in good order (%s):\n%s", p.name, p.cmd.ProcessState, p.tail())
	}
	return nil
}

// tail is the end of what the program has written.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4_000):])
}

// says waits until the program has written what a pattern finds, and returns its
// first group.
func (p *process) says(ctx context.Context, pattern string) (string, error) {
	look := regexp.MustCompile(pattern)
	var found string
	err := wait(ctx, time.Minute, 10*time.Millisecond, func() (bool, error) {
		select {
		case <-p.done:
			return false, fmt.Errorf("%s has ended:\n%s", p.name, p.tail())
		default:
		}
		text, err := os.ReadFile(p.log)
		if m := look.FindSubmatch(text); m != nil {
			found = string(m[1])
		}
		return found != "", err
	})
	if err != nil {
		return "", fmt.Errorf("waiting for %s to say %s: %w", p.name, pattern, err)
	}
	return found, nil
}

var errLate = errors.New("it took too long")

// wait asks again and again, with a pause between, until it is so.
func wait(ctx context.Context, limit, pause time.Duration, so func() (bool, error)) error {
	for began := time.Now(); ; {
		if ok, err := so(); ok || err != nil {
			return err
		}
		if time.Since(began) > limit {
			return fmt.Errorf("%w: more than %s", errLate, limit)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// worked is the processor time that a process has taken so far, in steps of 10 ms.
func worked(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: it has %d fields", pid, len(fields)) //nolint:err113 // shown as it is
	}
	ticks := 0
	for _, f := range fields[11:13] { // user and system
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// meter stands before a server and counts what it sends.
type meter struct {
	listener net.Listener
	to       string
	sent     atomic.Int64
}

// newMeter returns a meter before a server, on a port of its own.
func newMeter(ctx context.Context, to string) (*meter, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &meter{listener: l, to: to}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.carry(ctx, c)
		}
	}()
	return m, nil
}

// carry carries one connection both ways until either side ends it.
func (m *meter) carry(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }() // it has ended
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.to)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client) // its end is the connection's
		_ = server.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(client, (*counter)(&m.sent)), server)
}

// counter counts what is written to it.
type counter atomic.Int64

// Write counts.
func (c *counter) Write(b []byte) (int, error) {
	(*atomic.Int64)(c).Add(int64(len(b)))
	return len(b), nil
}
