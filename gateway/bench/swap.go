//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/histogram"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/procstat"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/report"
)

// swapRate is the load during swaps, in requests each second: well below what
// the gateway can do, so that latencies show what a swap adds and not a queue.
const swapRate = 2000

// swapTable changes one of many APIs again and again under load. A swap takes
// from the moment that the file is in place until the gateway answers a request
// that only the new form allows.
func (s *suite) swapTable(ctx context.Context) (report.Table, []outcome, error) {
	t := report.Table{
		Title:  fmt.Sprintf("One API of %d changed again and again under %d requests/s", s.opt.apis, swapRate),
		Header: []string{"", "requests", "failed", "p50 ms", "p99 ms", "longest ms", "MB", "files", "swaps", "swap p50 ms", "swap p99 ms"},
	}
	in, err := s.start(ctx, s.peer(peer.Gatehouse), peer.Fleet)
	if err != nil {
		return t, nil, err
	}
	defer in.Stop() //nolint:errcheck // the group reports what would not stop

	var requests [][]byte
	for i := range s.opt.apis {
		requests = append(requests, load.Get(peer.ServerName, peer.OperationPath(i, i%peer.Operations)))
	}
	session, err := load.Open(ctx, load.Options{
		Address: in.Address, Connections: s.opt.connections, Requests: requests,
		Want: load.Answer{Status: http.StatusOK, Body: load.Body(load.Small)}, KeepGoing: true,
	})
	if err != nil {
		return t, nil, err
	}
	defer session.Close()

	quiet, err := session.Do(ctx, load.Run{Rate: swapRate, Duration: s.opt.duration, Limit: 4*s.opt.duration + time.Minute})
	if err != nil {
		return t, nil, fmt.Errorf("load without swaps: %w", err)
	}
	cells, err := swapCells("quiet", quiet, in)
	if err != nil {
		return t, nil, err
	}
	t.Rows = append(t.Rows, cells)

	var times histogram.Histogram
	swapping := make(chan error, 1)
	stop, cancel := context.WithTimeout(ctx, s.opt.swapTime)
	go func() {
		defer cancel()
		swapping <- s.swap(ctx, stop, in, &times)
	}()
	var total load.Result
	total.Latency = new(histogram.Histogram)
	// Short runs, since how long the swaps take is not known before; one is after the
	// last, whose failures count too.
	for over := false; !over; {
		over = stop.Err() != nil
		r, err := session.Do(ctx, load.Run{Rate: swapRate, Duration: 250 * time.Millisecond})
		total.Requests += r.Requests
		total.Failed += r.Failed
		total.Failures = append(total.Failures, r.Failures...)
		total.Latency.Add(r.Latency)
		if err != nil {
			cancel()
			return t, nil, errors.Join(fmt.Errorf("load during swaps: %w", err), <-swapping)
		}
	}
	if err := <-swapping; err != nil {
		return t, nil, err
	}
	if cells, err = swapCells("swapping", total, in); err != nil {
		return t, nil, err
	}
	t.Rows = append(t.Rows, append(cells, fmt.Sprint(times.Count()),
		fmt.Sprintf("%.1f", micros(times.Quantile(0.5))/1000), fmt.Sprintf("%.1f", micros(times.Quantile(0.99))/1000)))
	total.Requests += quiet.Requests
	total.Failed += quiet.Failed
	total.Failures = append(total.Failures, quiet.Failures...)
	for _, f := range total.Failures[:min(len(total.Failures), 3)] {
		t.Notes = append(t.Notes, "failed: "+f.Error())
	}
	t.Notes = append(t.Notes, "The gateway's own account: "+s.gatewayReport(ctx, in))
	o := verdict("no failed request", fmt.Sprintf("%d of %d failed in %d swaps", total.Failed, total.Requests+total.Failed, times.Count()), total.Failed == 0)
	t.Notes = append(t.Notes, o.text)
	return t, []outcome{o}, nil
}

// swapCells describes a load and what the gateway holds after it.
func swapCells(name string, r load.Result, in *peer.Instance) ([]string, error) {
	u, err := in.Usage()
	if err != nil {
		return nil, err
	}
	files, err := procstat.OpenFiles(in.PID())
	if err != nil {
		return nil, err
	}
	ms := func(q float64) string { return fmt.Sprintf("%.2f", micros(r.Latency.Quantile(q))/1000) }
	return []string{
		name, fmt.Sprint(r.Requests), fmt.Sprint(r.Failed), ms(0.5), ms(0.99), ms(1),
		megabytes(u.RSS), fmt.Sprint(files),
	}, nil
}

// swap changes the API, waits until the change is served, and goes on until stop
// or the wanted number.
func (s *suite) swap(ctx, stop context.Context, in *peer.Instance, times *histogram.Histogram) error {
	for n := 1; n <= s.opt.swaps && stop.Err() == nil; n++ {
		began := time.Now()
		if err := peer.WriteChanging(in.Config, s.upstream, n); err != nil {
			return err
		}
		url := fmt.Sprintf("http://%s%s/resource-1/1", in.Address, peer.ChangingPath(n))
		if err := s.until(ctx, url, time.Millisecond, 30*time.Second); err != nil {
			return fmt.Errorf("swap %d: %w", n, err)
		}
		times.Record(time.Since(began))
	}
	return nil
}

// until asks for a URL until it is answered with 200.
func (s *suite) until(ctx context.Context, url string, every, limit time.Duration, header ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		status, _, err := s.get(ctx, url, header...)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not answered with 200 within %s (last: status %d, %w)", url, limit, status, errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

// gatewayReport returns what the gateway's admin listener says of the last swap,
// or why there is nothing.
func (s *suite) gatewayReport(ctx context.Context, in *peer.Instance) string {
	status, body, err := s.get(ctx, "http://"+in.Admin+"/config")
	if err != nil || status != http.StatusOK {
		return fmt.Sprintf("none (status %d, %v)", status, err)
	}
	var last struct {
		Compile  time.Duration `json:"compileNs"`
		APIs     int           `json:"apis"`
		Compiled int           `json:"compiled"`
		Reused   int           `json:"reused"`
	}
	if err := json.Unmarshal(body, &last); err != nil {
		return fmt.Sprintf("none (%v)", err)
	}
	return fmt.Sprintf("the last swap compiled %d units of %d APIs and reused %d, in %.2f ms", last.Compiled, last.APIs, last.Reused, micros(last.Compile)/1000)
}
