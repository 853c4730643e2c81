//go:build linux

// Package proc starts the programs of the benchmark, each on a given processor
// core and with its output in a file, and makes sure that none outlives the run.
// It does not know what the programs are.
package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/procstat"
)

// stopTime is how long a program may take to end after SIGTERM.
const stopTime = 15 * time.Second

// Spec is a program to start.
type Spec struct {
	Name string   // of the file that takes its output
	Argv []string // the program and its arguments
	Env  []string // in addition to this program's environment
	Dir  string   // working directory; output goes to Dir/Name.log
	CPU  int      // the core to run on; -1 = any
}

// Process is a running program.
type Process struct {
	spec   Spec
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
	err    error // set when exited is closed
}

// Group holds what was started, so that all of it can be stopped.
type Group struct {
	mu     sync.Mutex
	closed bool
	all    []*Process
}

// Start starts a program.
func (g *Group) Start(s Spec) (*Process, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, fmt.Errorf("starting %s: everything is being stopped", s.Name)
	}
	p := &Process{spec: s, log: filepath.Join(s.Dir, s.Name+".log"), exited: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	defer func() { _ = out.Close() }() // the process has its own
	p.cmd = exec.Command(s.Argv[0], s.Argv[1:]...)
	p.cmd.Env = append(os.Environ(), s.Env...)
	p.cmd.Dir = s.Dir
	p.cmd.Stdout, p.cmd.Stderr = out, out
	// Its own process group: Ctrl-C reaches only this program, which then stops
	// the others in order. SIGTERM where this program is killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := startOn(p.cmd, s.CPU); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	g.all = append(g.all, p)
	return p, nil
}

// startOn starts a command with its affinity already set, so that a runtime that
// counts its cores as it starts sees one.
func startOn(cmd *exec.Cmd, cpu int) error {
	if cpu < 0 {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("reading affinity: %w", err)
	}
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return fmt.Errorf("choosing core %d: %w", cpu, err)
	}
	return errors.Join(cmd.Start(), unix.SchedSetaffinity(0, &before))
}

// Close stops everything, the last started first, and refuses new starts.
func (g *Group) Close() error {
	g.mu.Lock()
	g.closed = true
	all := g.all
	g.mu.Unlock()
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		errs = append(errs, all[i].Stop())
	}
	return errors.Join(errs...)
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Name returns the name that it was started under.
func (p *Process) Name() string { return p.spec.Name }

// Usage returns what the process and its descendants have used so far.
func (p *Process) Usage() (procstat.Usage, error) {
	u, err := procstat.Tree(p.PID())
	if err != nil {
		return u, p.gone(err)
	}
	return u, nil
}

// Ready waits until the address accepts connections.
func (p *Process) Ready(ctx context.Context, address string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.exited:
			return p.gone(errors.New("it ended before it listened"))
		case <-ctx.Done():
			return p.gone(fmt.Errorf("nothing listens on %s after %s: %w", address, limit, context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

// Exited is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// gone adds the end of the program's output to an error.
func (p *Process) gone(err error) error {
	b, _ := os.ReadFile(p.log)
	if len(b) > 1500 {
		b = b[len(b)-1500:]
	}
	return fmt.Errorf("%s: %w; the end of its output: %q", p.spec.Name, err, strings.TrimSpace(string(b)))
}

// Stop ends the program: SIGTERM, and SIGKILL to it and its descendants where it
// takes longer than 15 seconds. Stopping what has ended does nothing.
func (p *Process) Stop() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	tree, _ := procstat.Tree(p.PID()) // gone by now = nothing to kill
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.spec.Name, err)
	}
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
	}
	for _, pid := range tree.PIDs {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	<-p.exited
	return fmt.Errorf("stopping %s: it did not end within %s of SIGTERM and was killed", p.spec.Name, stopTime)
}
