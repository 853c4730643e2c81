package service

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/system"
)

// JobOptions say how a job runs.
type JobOptions struct {
	// Name is of letters, digits and hyphens, and the service's own.
	Name string
	// Every is between the begins of its runs; 0 = it runs once, and when it is
	// asked for.
	Every time.Duration
	// Again is how soon a run that failed is made up for; 0 = with the next.
	Again time.Duration
	// Lease is within which another replica takes over; 0 = each replica does it.
	Lease time.Duration
	// Failed is what is logged when a run fails.
	Failed string
}

// job is a job and what became of it.
type job struct {
	o    JobOptions
	wake chan struct{}

	mu    sync.Mutex
	state system.Job
}

// Job runs f again and again until the service stops: by one replica at a time
// where the options say so. f must be idempotent, since people can have it run at
// any time. What becomes of it shows on the system pages.
func (k *Kit) Job(o JobOptions, f func(ctx context.Context) error) {
	j := &job{o: o, wake: make(chan struct{}, 1), state: system.Job{Name: o.Name, Every: o.Every.Seconds()}}
	k.r.jobs.add(j)
	work := func(ctx context.Context) error {
		j.holds(true)
		defer j.holds(false)
		j.loop(ctx, k, f)
		return nil
	}
	if o.Lease == 0 {
		k.Go(o.Name, work)
		return
	}
	k.Go(o.Name, func(ctx context.Context) error {
		return bus.Lease(ctx, k.Bus, o.Name, o.Lease, func(ctx context.Context, _ uint64) error { return work(ctx) })
	})
}

func (j *job) holds(yes bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Holds = yes
	if !yes {
		j.state.NextAt = nil
	}
}

func (j *job) loop(ctx context.Context, k *Kit, f func(context.Context) error) {
	for {
		began := k.Now()
		j.mu.Lock()
		j.state.Running, j.state.StartedAt, j.state.NextAt = true, &began, nil
		j.mu.Unlock()
		start := time.Now()
		err := guarded(ctx, f)
		if err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "a job failed", "job", j.o.Name, "what", j.o.Failed, "err", err)
		}
		wait := j.o.Every
		if err != nil && j.o.Again > 0 && (wait == 0 || j.o.Again < wait) {
			wait = j.o.Again
		}
		var next <-chan time.Time
		var stop func() bool
		j.mu.Lock()
		j.state.Running, j.state.Seconds, j.state.Error = false, time.Since(start).Seconds(), ""
		j.state.Runs++
		if err != nil && ctx.Err() == nil {
			j.state.Error = err.Error()
		}
		if wait > 0 {
			wait = max(wait-time.Since(start), 0)
			at := k.Now().Add(wait)
			t := time.NewTimer(wait)
			next, stop, j.state.NextAt = t.C, t.Stop, &at
		}
		j.mu.Unlock()
		select {
		case <-ctx.Done():
			if stop != nil {
				stop()
			}
			return
		case <-next:
		case <-j.wake:
			if stop != nil {
				stop()
			}
		}
	}
}

// jobs are those of a service.
type jobs struct {
	mu   sync.Mutex
	list []*job
}

func (s *jobs) add(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, j)
}

// run has a job run now, if this replica does it.
func (s *jobs) run(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.list {
		if j.o.Name == name {
			select {
			case j.wake <- struct{}{}:
			default: // it is asked for already
			}
		}
	}
}

func (s *jobs) state() []system.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []system.Job{}
	for _, j := range s.list {
		j.mu.Lock()
		out = append(out, j.state)
		j.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b system.Job) int { return strings.Compare(a.Name, b.Name) })
	return out
}
