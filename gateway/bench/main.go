//go:build linux

// Command bench measures Gatehouse's gateway against other proxies on this
// machine: processor time for each request, throughput, latency and memory. See
// gateway/bench/README.md for what the numbers mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

var errInterrupted = errors.New("interrupted: nothing is reported")

// options are the flags.
type options struct {
	gateway, nginx, haproxy, caddy string

	bases []string

	scenarios, peers []string
	rounds           int
	duration         time.Duration
	retries          int
	connections      int
	maxRequests      int64
	apis             int
	swaps            int
	swapTime         time.Duration
	credentials      int
	out              string
	install, check   bool
	keep             bool
}

func (o *options) wants(scenario string) bool { return slices.Contains(o.scenarios, scenario) }

func (o *options) wantsPeer(name string) bool {
	return len(o.peers) == 0 || slices.Contains(o.peers, name)
}

func parse(args []string, output io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(output)
	f.StringVar(&o.gateway, "gateway", "", "Gatehouse's gateway (default bin/gateway of the repository)")
	bases := f.String("base", "", "other builds of the gateway to compare with, with commas between; they take part as "+peer.Base(0)+", "+peer.Base(1)+" and so on")
	f.StringVar(&o.nginx, "nginx", "/usr/sbin/nginx", "nginx, plain and with Debian's Lua module")
	f.StringVar(&o.haproxy, "haproxy", "/usr/sbin/haproxy", "HAProxy")
	f.StringVar(&o.caddy, "caddy", "caddy", "Caddy")
	scenarios := f.String("scenarios", "", "scenarios to run, with commas between: "+strings.Join(scenarioNames(), ","))
	peers := f.String("peers", "", "peers to compare, with commas between: "+strings.Join(peerNames(nil), ","))
	f.IntVar(&o.rounds, "rounds", 3, "rounds for each peer and scenario; the median counts")
	f.DurationVar(&o.duration, "duration", 3*time.Second, "about how long a round takes")
	f.IntVar(&o.retries, "retries", 1, "times that a round is repeated while other programs use the machine")
	f.IntVar(&o.connections, "connections", 64, "kept connections to each peer")
	f.Int64Var(&o.maxRequests, "max-requests", 1_000_000, "the most requests in one round")
	f.IntVar(&o.apis, "apis", 10_000, "APIs in the scenarios with many")
	f.IntVar(&o.swaps, "swaps", 1000, "configuration swaps under load")
	f.DurationVar(&o.swapTime, "swap-time", time.Minute, "time after which swapping ends, however many there were")
	f.IntVar(&o.credentials, "credentials", 1_000_000, "credentials in the scenario with many")
	f.StringVar(&o.out, "out", "", "file to write the report to as Markdown")
	f.BoolVar(&o.install, "install", os.Geteuid() == 0, "install missing peers with apt-get (needs root; starts no service)")
	f.BoolVar(&o.check, "check", false, "fail where a target is missed or was not measured")
	f.BoolVar(&o.keep, "keep", false, "keep the folder with configurations and logs")
	short := f.Bool("short", false, "a quick look: one round of a second, ten seconds of swaps")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: everything is a flag", f.Arg(0))
	}
	if *short {
		o.rounds, o.duration, o.swapTime, o.retries = 1, time.Second, 10*time.Second, 0
		// What was asked for stands, wherever it stood on the command line.
		if err := f.Parse(args); err != nil {
			return o, err
		}
	}
	if o.gateway == "" {
		o.gateway = defaultGateway()
	}
	if *bases != "" {
		o.bases = strings.Split(*bases, ",")
	}
	var err error
	if o.scenarios, err = list(*scenarios, scenarioNames(), "-scenarios"); err != nil {
		return o, err
	}
	if o.peers, err = list(*peers, peerNames(o.bases), "-peers"); err != nil {
		return o, err
	}
	if o.retries < 0 {
		return o, errors.New("-retries: must not be negative")
	}
	for name, n := range map[string]int{
		"-rounds": o.rounds, "-connections": o.connections, "-apis": o.apis, "-swaps": o.swaps,
		"-credentials": o.credentials, "-max-requests": int(o.maxRequests), "-duration": int(o.duration), "-swap-time": int(o.swapTime),
	} {
		if n < 1 {
			return o, fmt.Errorf("%s: must be at least 1", name)
		}
	}
	return o, nil
}

// defaultGateway returns bin/gateway beside the go.work of the repository that
// this was started in.
func defaultGateway() string {
	binary := filepath.Join("bin", "gateway")
	dir, err := os.Getwd()
	if err != nil {
		return binary
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return filepath.Join(dir, binary)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return binary
		}
		dir = parent
	}
}

// list reads names with commas between; "" = all.
func list(value string, known []string, name string) ([]string, error) {
	if value == "" {
		return known, nil
	}
	all := strings.Split(value, ",")
	for _, v := range all {
		if !slices.Contains(known, v) {
			return nil, fmt.Errorf("%s: %q is none of %s", name, v, strings.Join(known, ", "))
		}
	}
	return all, nil
}

func peerNames(bases []string) []string {
	var names []string
	for _, p := range peer.All(peer.Binaries{Bases: bases}) {
		names = append(names, p.Name)
	}
	return names
}

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	o, err := parse(args, log)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	s := &suite{opt: o, dir: dir, log: log}
	defer func() {
		err = errors.Join(err, s.group.Close())
		if o.keep {
			s.say("configurations and logs are in %s", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	began := time.Now()
	if err := s.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return errInterrupted // whatever came of it where
		}
		return err
	}
	tables, outcomes, failed := s.measure(ctx)
	if ctx.Err() != nil {
		return errInterrupted
	}
	doc := s.document(ctx, tables, time.Since(began))
	if err := doc.Text(out); err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	if o.out != "" {
		if err := writeMarkdown(o.out, doc); err != nil {
			return fmt.Errorf("writing report: %w", err)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	if missed := slices.ContainsFunc(outcomes, func(x outcome) bool { return !x.met }); o.check && missed {
		return errors.New("a target was missed or not measured")
	}
	return nil
}

// measure runs the wanted scenarios. One that fails does not keep the others from
// being run, and is told where it stands in the report; failed names it.
func (s *suite) measure(ctx context.Context) (tables []report.Table, outcomes []outcome, failed []string) {
	for _, c := range comparisons(s.opt.apis) {
		if !s.opt.wants(c.name) || ctx.Err() != nil {
			continue
		}
		rows := s.compare(ctx, c)
		t, o := c.table(rows)
		tables, outcomes = append(tables, t), append(outcomes, o...)
		for _, r := range rows {
			if r.err != nil {
				failed = append(failed, c.name+": "+r.name())
			}
		}
	}
	for _, c := range []struct {
		name    string
		gateway bool // of no use without it
		run     func(context.Context) (report.Table, []outcome, error)
	}{
		{swaps, true, s.swapTable},
		{coldStart, false, s.coldStartTable},
		{idleMemory, false, s.idleTable},
		{credentials, true, s.credentialsTable},
	} {
		if !s.opt.wants(c.name) || ctx.Err() != nil {
			continue
		}
		if c.gateway && s.peer(peer.Gatehouse) == nil {
			s.say("WARNING: SKIPPED: %s: there is no gateway at %s", c.name, s.opt.gateway)
			outcomes = append(outcomes, outcome{text: c.name + ": not measured"})
			continue
		}
		s.say("%s", c.name)
		t, o, err := c.run(ctx)
		if err != nil {
			s.say("FAILED: %s: %v", c.name, err)
			t.Notes = append(t.Notes, "FAILED: "+err.Error())
			failed = append(failed, c.name)
		}
		tables, outcomes = append(tables, t), append(outcomes, o...)
	}
	return tables, outcomes, failed
}

// document puts everything together with how it came about.
func (s *suite) document(ctx context.Context, tables []report.Table, took time.Duration) *report.Document {
	d := &report.Document{Title: "Gatehouse gateway: benchmark", Tables: tables}
	add := func(name, format string, args ...any) {
		d.Facts = append(d.Facts, report.Fact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	add("date", "%s, took %s", time.Now().UTC().Format("2006-01-02 15:04 UTC"), took.Round(time.Second))
	add("machine", "%s", s.machine)
	add("how", "%d connections, %d rounds of about %s for each peer in turn, medians; proxy on one core, load and upstream on another (%s)",
		s.opt.connections, s.opt.rounds, s.opt.duration, runtime.Version())
	for _, p := range s.peers {
		v, err := p.Version(ctx)
		if err != nil {
			v = err.Error()
		}
		add(p.Name, "%s", v)
	}
	for _, m := range s.missing {
		add("MISSING", "%s", m)
	}
	add("columns", "µs/request: processor time of the proxy; spread: between the rounds; MB: resident memory; core: how busy the proxy's core was; others: cores used by other programs; vs: processor time divided by that of")
	return d
}

func writeMarkdown(path string, d *report.Document) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return d.Markdown(f)
}
