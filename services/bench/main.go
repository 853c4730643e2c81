//go:build linux

// Command bench measures the suite. In one process: how soon it serves, what it
// holds in memory when idle, an import of 500 operations, and every list that
// screens show, in every way in which they ask for it, at ten thousand rows. As
// processes of their own: a change until the last of twenty gateways with five
// thousand APIs serves it, and what is sent for it. It prints tables in which
// targets stand beside what was measured, and fails where one was missed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := bench{databases: map[string]string{}, stores: map[string]*store{}, gateways: 20, apis: 5_000}
	flag.StringVar(&b.binary, "gatehouse", "../bin/gatehouse", "the binary to measure")
	flag.IntVar(&b.rows, "rows", 10_000, "rows of each list")
	flag.IntVar(&b.rounds, "rounds", 100, "requests for each figure of a list")
	flag.BoolVar(&b.keep, "keep", false, "keep the data, and say where it is")
	flag.BoolVar(&b.analyze, "analyze", true, "have the database count what it was filled with, as it does by itself after a while")
	flag.IntVar(&b.changes, "changes", 100, "changes that the fleet is measured with")
	flag.Func("fleet", "how many gateways have how many APIs; 20x5000 unless said otherwise", func(v string) error {
		if _, err := fmt.Sscanf(v, "%dx%d", &b.gateways, &b.apis); err != nil || b.gateways < 1 || b.apis < 10 {
			return errors.New("want GATEWAYSxAPIS, such as 20x5000")
		}
		return nil
	})
	flag.Func("only", "the lists to fill and measure, with commas between, such as APIs,service-accounts, or fleet; nothing else is measured then", func(v string) error {
		b.only = strings.Split(strings.ReplaceAll(v, " ", "-"), ",")
		return nil
	})
	flag.Func("database", "service=DSN: the empty database of a service instead of a SQLite file; may be repeated", func(v string) error {
		service, dsn, ok := strings.Cut(v, "=")
		if !ok {
			return errors.New("want service=DSN")
		}
		b.databases[service] = dsn
		return nil
	})
	flag.Parse()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// bench is one run.
type bench struct {
	binary        string
	rows, rounds  int
	keep, analyze bool
	only          []string
	databases     map[string]string // addresses by service, where it is no file
	stores        map[string]*store
	dir, data     string
	api, token    string

	gateways, apis, changes int // of the fleet

	rowsOut [][4]string
	figures []figure
	missed  []string
}

// verdict says whether a target was met, and takes down one that was not.
func (b *bench) verdict(what, got, target string, met bool) string {
	switch {
	case target == "":
		return ""
	case met:
		return "met"
	}
	b.missed = append(b.missed, fmt.Sprintf("%s: %s, %s", what, got, target))
	return "MISSED"
}

// note takes a figure down, and whether it is as its target wants it; "" = it has
// none.
func (b *bench) note(what, got, target string, met bool) {
	v := b.verdict(what, got, target, met)
	b.rowsOut = append(b.rowsOut, [4]string{what, got, target, v})
	fmt.Fprintf(os.Stderr, "%-72s %-22s %s %s\n", what, got, target, v)
}

// errMissed says that not every target was met.
var errMissed = errors.New("targets were missed")

// run measures all that was asked for, prints it, and fails where a target was
// missed.
func (b *bench) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "gatehouse-bench"); err != nil {
		return err
	}
	defer func() {
		if b.keep {
			fmt.Fprintln(os.Stderr, "the data is in", b.dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(b.dir))
	}()
	b.data = filepath.Join(b.dir, "data")
	fleet := len(b.only) == 0 || slices.Contains(b.only, "fleet")
	if len(b.only) == 0 || slices.ContainsFunc(b.only, func(what string) bool { return what != "fleet" }) {
		if err := b.standalone(ctx); err != nil {
			return err
		}
		if fleet && len(b.databases) > 0 {
			fleet = false
			fmt.Fprintln(os.Stderr, "the fleet is not measured: it wants empty databases as well; -only fleet measures it on them")
		}
	}
	if fleet {
		if err := b.fleet(ctx); err != nil {
			return err
		}
	}
	fmt.Print("| | measured | target | |\n|---|--:|--:|---|\n") //nolint:forbidigo // the result
	for _, r := range b.rowsOut {
		fmt.Printf("| %s | %s | %s | %s |\n", r[0], r[1], r[2], r[3]) //nolint:forbidigo // the result
	}
	b.table()
	if len(b.missed) > 0 {
		return fmt.Errorf("%w:\n  %s", errMissed, strings.Join(b.missed, "\n  "))
	}
	return nil
}

// standalone measures the suite in one process.
func (b *bench) standalone(ctx context.Context) (err error) {
	code, err := b.starts(ctx)
	if err != nil {
		return err
	}
	s, _, err := b.start(ctx, b.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.closeStores(), s.stop()) }()
	if len(b.only) == 0 {
		if err := b.idle(ctx, s); err != nil {
			return err
		}
	}
	if err := b.signIn(ctx, s.ready.API, code); err != nil {
		return err
	}
	if err := b.imports(ctx); err != nil {
		return err
	}
	if err := b.lists(ctx, s); err != nil {
		return err
	}
	if len(b.only) == 0 || slices.Contains(b.only, "provisioning") {
		if err := b.provisioning(ctx); err != nil {
			return err
		}
	}
	rss, err := memory(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	b.note("standalone, memory after all that", megabytes(rss), "", true)
	return nil
}

// starts measures how long it takes to start, and returns the code of the first
// sign-in.
func (b *bench) starts(ctx context.Context) (code string, err error) {
	n := 4
	if len(b.only) > 0 {
		n = 1
	}
	var later []time.Duration
	for i := range n {
		s, took, err := b.start(ctx, b.data)
		if err != nil {
			return "", err
		}
		if i == 0 {
			code = s.code()
			b.note("standalone, first start to all-serving", took.Round(time.Millisecond).String(), "under 2s", took < 2*time.Second)
		} else {
			later = append(later, took)
		}
		if err := s.stop(); err != nil {
			return "", err
		}
	}
	if len(later) > 0 {
		median := percentile(later, 50)
		b.note("standalone, later starts, median", median.Round(time.Millisecond).String(), "under 2s", median < 2*time.Second)
	}
	return code, nil
}

// idle measures what is held in memory when nothing happens.
func (b *bench) idle(ctx context.Context, s *suite) error {
	select { // idle is idle for a while
	case <-time.After(15 * time.Second):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	rss, err := memory(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	b.note("standalone, idle memory", megabytes(rss), "under 150 MB", rss < 150<<20)
	return nil
}

// suite is a running one.
type suite struct {
	cmd   *exec.Cmd
	ready struct {
		API     string `json:"api"`
		Traffic string `json:"traffic"`
		SignIn  *struct {
			Code string `json:"code"`
		} `json:"signIn"`
	}
}

func (s *suite) code() string {
	if s.ready.SignIn == nil {
		return ""
	}
	return s.ready.SignIn.Code
}

// start starts the suite and waits until all serves.
func (b *bench) start(ctx context.Context, data string) (*suite, time.Duration, error) {
	file := filepath.Join(b.dir, "ready.json")
	if err := os.RemoveAll(file); err != nil {
		return nil, 0, err
	}
	args := []string{"standalone", "--data", data, "--listen", "127.0.0.1:0", "--traffic", "127.0.0.1:0", "--ready-file", file}
	for service, dsn := range b.databases {
		args = append(args, "--database", service+"="+dsn)
	}
	s := &suite{cmd: exec.CommandContext(ctx, b.binary, args...)} //nolint:gosec // the operator's own
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("starting %s: %w", b.binary, err)
	}
	for ctx.Err() == nil && time.Since(began) < time.Minute {
		if text, err := os.ReadFile(file); err == nil {
			took := time.Since(began)
			return s, took, json.Unmarshal(text, &s.ready)
		}
		time.Sleep(2 * time.Millisecond) //nolint:forbidigo // the file is looked for
	}
	return nil, 0, errors.Join(errors.New("it did not start within a minute"), s.stop())
}

func (s *suite) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.cmd.Wait()
}

// memory is what a process holds, in bytes.
func memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the system does not say how much memory the process holds")
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n>>20) }

// percentile returns a percentile of some durations, which it sorts.
func percentile(d []time.Duration, p int) time.Duration {
	slices.Sort(d)
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)-1, len(d)*p/100)]
}

// each does something n times, eight at a time, and returns the first error.
func each(n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					mu.Lock()
					first = errors.Join(first, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return first
}
