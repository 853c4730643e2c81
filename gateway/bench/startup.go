//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/proc"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/report"
)

// coldStartTable starts proxies with many APIs and waits for the first answer
// from the last of them.
func (s *suite) coldStartTable(ctx context.Context) (report.Table, []outcome, error) {
	t := report.Table{
		Title:  fmt.Sprintf("Cold start with %d APIs, until the first 200", s.opt.apis),
		Header: []string{"peer", "first start s", "later starts s", "MB"},
	}
	var outcomes []outcome
	for _, name := range []string{peer.Gatehouse, peer.Nginx} {
		p := s.peer(name)
		if p == nil {
			continue
		}
		setup, err := s.setup(peer.Fleet)
		if err != nil {
			return t, outcomes, err
		}
		// Written once: what a start leaves behind for the next one must fit.
		in, spec, err := p.Prepare(setup, s.proxyCPU)
		if err != nil {
			return t, outcomes, err
		}
		url := "http://" + in.Address + peer.OperationPath(setup.APIs-1, peer.Operations-1)
		var times []float64
		var rss int64
		for range max(s.opt.rounds, 2) {
			took, used, err := s.coldStart(ctx, in, spec, url)
			if err != nil {
				return t, outcomes, err
			}
			times = append(times, took.Seconds())
			rss = used
		}
		later := median(times[1:])
		t.Rows = append(t.Rows, []string{name, fmt.Sprintf("%.2f", times[0]), fmt.Sprintf("%.2f", later), megabytes(rss)})
		if name == peer.Gatehouse {
			o := verdict("cold start under 1 s", fmt.Sprintf("%.2f s", later), later < 1)
			outcomes = append(outcomes, o)
			t.Notes = append(t.Notes, o.text)
		}
		s.say("%s: %s: first start %.2f s, later %.2f s", coldStart, name, times[0], later)
	}
	return t, outcomes, nil
}

func (s *suite) coldStart(ctx context.Context, in *peer.Instance, spec proc.Spec, url string) (time.Duration, int64, error) {
	var err error
	began := time.Now()
	if in.Process, err = s.group.Start(spec); err != nil {
		return 0, 0, err
	}
	defer in.Stop() //nolint:errcheck // the group reports what would not stop
	if err := in.Ready(ctx, in.Address, time.Minute); err != nil {
		return 0, 0, err
	}
	if err := s.until(ctx, url, 2*time.Millisecond, time.Minute); err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	u, err := in.Usage()
	return took, u.RSS, err
}

// idleTime is how long a proxy is left alone before its memory is read.
const idleTime = time.Second

// idleTable reads the memory of proxies that have answered one request.
func (s *suite) idleTable(ctx context.Context) (report.Table, []outcome, error) {
	t := report.Table{Title: "Idle memory: one API, one request answered", Header: []string{"peer", "MB"}}
	var outcomes []outcome
	for _, p := range s.peers {
		if !p.Can(peer.Plain) {
			continue
		}
		in, err := s.start(ctx, p, peer.Plain)
		if err != nil {
			return t, outcomes, err
		}
		rss, err := s.settled(ctx, in, "/orders/items/1")
		_ = in.Stop() // the group reports what would not stop
		if err != nil {
			return t, outcomes, fmt.Errorf("%s: %w", p.Name, err)
		}
		t.Rows = append(t.Rows, []string{p.Name, megabytes(rss)})
		if p.Name == peer.Gatehouse {
			o := verdict("idle memory under 30 MB", megabytes(rss)+" MB", rss < 30e6)
			outcomes = append(outcomes, o)
			t.Notes = append(t.Notes, o.text)
		}
	}
	return t, outcomes, nil
}

// settled sends one request and returns the memory of the proxy a while later.
func (s *suite) settled(ctx context.Context, in *peer.Instance, path string, header ...string) (int64, error) {
	status, _, err := s.get(ctx, "http://"+in.Address+path, header...)
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("status %d from %s", status, path)
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(idleTime):
	}
	u, err := in.Usage()
	return u.RSS, err
}
