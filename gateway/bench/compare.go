//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/procstat"
)

// entry is one row of a comparison: a peer set up for a mode.
type entry struct {
	peer  string
	mode  peer.Mode
	label string // "" = the peer's name
}

func (e entry) name() string {
	if e.label != "" {
		return e.label
	}
	return e.peer
}

// target is a goal for the ratio of two rows' processor time.
type target struct {
	of, against string
	most        float64
}

// comparison is a scenario in which several proxies do the same work.
type comparison struct {
	name, title string
	entries     []entry
	against     []string // the rows that the others' processor time is divided by
	requests    func(s *suite) [][]byte
	body        int
	targets     []target
	notes       []string
}

// sample is one round of one row.
type sample struct {
	cpu      time.Duration // of the proxy, for one request
	rate     float64       // requests each second
	p50, p99 time.Duration
	rss      int64   // bytes, after the round
	busy     float64 // the share of its core that the proxy used
	// others is how many cores were used by what does not belong to the run.
	others float64
}

// row is what came of an entry.
type row struct {
	entry
	in      *peer.Instance
	sent    int64 // requests, in all rounds and checks
	idle    int64 // bytes of memory before any load
	samples []sample
	err     error
}

// compare starts all proxies of a scenario, sends to one after the other in each
// round, and stops them.
func (s *suite) compare(ctx context.Context, c *comparison) []*row {
	var rows []*row
	for _, e := range s.withBases(c.entries) {
		p := s.peer(e.peer)
		if p == nil || !p.Can(e.mode) {
			continue
		}
		r := &row{entry: e}
		rows = append(rows, r)
		if r.in, r.err = s.start(ctx, p, e.mode); r.err == nil {
			r.err = s.check(ctx, r)
		}
	}
	requests := c.requests(s)
	want := load.Answer{Status: 200, Body: load.Body(c.body)}
	for round := range s.opt.rounds {
		for i := range rows {
			// Each round begins with another peer, so that none is always first.
			r := rows[(i+round)%len(rows)]
			if r.err != nil || ctx.Err() != nil {
				continue
			}
			m, err := s.turn(ctx, r, requests, want)
			if err != nil {
				r.err = fmt.Errorf("round %d: %w", round+1, err)
				continue
			}
			r.samples = append(r.samples, m)
			s.say("%s, round %d/%d: %s: %.2f µs/request, %.0f requests/s, p99 %s, others used %.2f cores", c.name, round+1, s.opt.rounds, r.name(), micros(m.cpu), m.rate, m.p99, m.others)
		}
	}
	for _, r := range rows {
		if r.err == nil && len(r.samples) == 0 {
			r.err = fmt.Errorf("no round was measured: %w", context.Cause(ctx))
		}
		if r.in != nil {
			r.err = errors.Join(r.err, r.in.Stop())
			if r.err == nil && r.mode == peer.Managed {
				r.err = checkLog(r.in.Log, r.sent)
			}
		}
		if r.err != nil {
			s.say("FAILED: %s: %s: %v", c.name, r.name(), r.err)
		}
	}
	return rows
}

// withBases puts the other builds of the gateway beside it.
func (s *suite) withBases(entries []entry) []entry {
	var all []entry
	for _, e := range entries {
		if all = append(all, e); e.peer != peer.Gatehouse || e.label != "" {
			continue
		}
		for i := range s.opt.bases {
			all = append(all, entry{peer: peer.Base(i), mode: e.mode})
		}
	}
	return all
}

// disturbed is the number of cores that others may use before a turn is repeated.
const disturbed = 0.2

// turn is a round of one proxy, repeated while others disturb it and there are
// retries left. The turn that was disturbed least counts.
func (s *suite) turn(ctx context.Context, r *row, requests [][]byte, want load.Answer) (sample, error) {
	var best sample
	for try := range 1 + s.opt.retries {
		m, err := s.round(ctx, r, requests, want)
		if err != nil {
			return sample{}, err
		}
		if try == 0 || m.others < best.others {
			best = m
		}
		if best.others <= disturbed {
			break
		}
	}
	return best, nil
}

// round opens connections to a proxy, warms it up, and measures a fixed number
// of requests.
func (s *suite) round(ctx context.Context, r *row, requests [][]byte, want load.Answer) (sample, error) {
	var config *tls.Config
	if r.mode == peer.TLS {
		var err error
		if config, err = s.certificate.Client(); err != nil {
			return sample{}, err
		}
	}
	session, err := load.Open(ctx, load.Options{
		Address: r.in.Address, TLS: config, Connections: s.opt.connections, Requests: requests, Want: want,
	})
	if err != nil {
		return sample{}, err
	}
	defer session.Close()
	warm, err := session.Do(ctx, load.Run{Duration: max(s.opt.duration/8, 200*time.Millisecond)})
	r.sent += warm.Requests
	if err != nil {
		return sample{}, fmt.Errorf("warming up: %w", err)
	}
	count := min(max(int64(warm.Rate()*s.opt.duration.Seconds()), 1000), s.opt.maxRequests)

	before, err := r.in.Usage()
	if err != nil {
		return sample{}, err
	}
	othersBefore, err := others()
	if err != nil {
		return sample{}, err
	}
	res, err := s.measured(ctx, session, load.Run{Count: count, Limit: 4*s.opt.duration + time.Minute})
	r.sent += res.Requests
	if err != nil {
		return sample{}, err
	}
	after, err := r.in.Usage()
	if err != nil {
		return sample{}, err
	}
	othersAfter, err := others()
	if err != nil {
		return sample{}, err
	}
	used := after.CPU - before.CPU
	return sample{
		cpu:  used / time.Duration(res.Requests),
		rate: res.Rate(),
		p50:  res.Latency.Quantile(0.50),
		p99:  res.Latency.Quantile(0.99),
		rss:  after.RSS,
		busy: used.Seconds() / res.Elapsed.Seconds(),
		// The two are read one after the other, so that little may come out as less
		// than nothing.
		others: max(0, (othersAfter-othersBefore).Seconds()/res.Elapsed.Seconds()),
	}, nil
}

// others returns the processor time that the machine has spent on anything but
// this program and what it started and has not ended.
func others() (time.Duration, error) {
	busy, err := procstat.Busy()
	if err != nil {
		return 0, err
	}
	own, err := procstat.Tree(os.Getpid())
	if err != nil {
		return 0, err
	}
	return busy - own.CPU, nil
}
