package plane

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// defaultHeartbeat is how often to report where nobody says otherwise.
	defaultHeartbeat = 10 * time.Second
	// answerLimit bounds one question to the plane.
	answerLimit = 5 * time.Second
	// joinMin and joinMax are the pauses between attempts to join.
	joinMin, joinMax = 200 * time.Millisecond, 10 * time.Second
)

// join registers the gateway and reports until ctx ends.
func (p *Plane) join(ctx context.Context) {
	said := rarely{now: p.o.Now}
	for ctx.Err() == nil {
		if !p.register(ctx, &said) {
			break
		}
		p.report(ctx)
	}
	p.farewell()
}

// register asks until the plane has taken the gateway in.
func (p *Plane) register(ctx context.Context, said *rarely) bool {
	for wait := joinMin; ; wait = min(2*wait, joinMax) {
		if err := p.registerOnce(ctx); err == nil {
			return true
		} else if ctx.Err() == nil {
			said.say(func() { p.sayWhy(err) })
		}
		if !pause(ctx, wait) {
			return false
		}
	}
}

// sayWhy logs why the gateway could not join.
func (p *Plane) sayWhy(err error) {
	var refused *problem.Problem
	log := p.o.Log.With("organization", p.o.Organization, "group", p.o.Group, "err", err)
	if errors.As(err, &refused) && refused.Status >= 400 && refused.Status < 500 {
		log.Error("the control plane does not take this gateway in; check organization, group and joinToken in its controlPlane section")
		return
	}
	log.Warn("the control plane cannot be reached; what is known is served on, and joining is tried again")
}

func (p *Plane) registerOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	p.mu.Lock()
	listeners := p.listeners
	p.mu.Unlock()
	r, err := bus.Ask(ctx, p.o.Bus, gateway.Register{
		Organization: p.o.Organization, Group: p.o.Group, Token: p.o.Token, Gateway: p.o.Gateway,
		Instance: p.instance, Build: p.o.Build, Started: p.started, Listeners: listeners,
	})
	if err != nil {
		return err
	}
	p.remember(registration{
		Organization: r.Organization, Group: r.Group, Gateway: r.Gateway, Keys: r.ManifestKeys, Heartbeat: r.Heartbeat, Of: p.of(),
	})
	p.o.Log.Info("joined the group", "organization", p.o.Organization, "group", p.o.Group, "gateway", p.o.Gateway, "environment", r.EnvironmentName)
	return nil
}

// report reports until ctx ends, or the gateway has to register anew.
func (p *Plane) report(ctx context.Context) {
	said := rarely{now: p.o.Now}
	for {
		again, err := p.reportOnce(ctx, false)
		switch {
		case ctx.Err() != nil, again:
			return
		case err != nil:
			said.say(func() { p.o.Log.Warn("the control plane did not take the report", "err", err) })
		}
		t := time.NewTimer(p.heartbeat())
		select {
		case <-t.C:
		case <-p.applied:
		case <-p.rejoin:
			t.Stop()
			return
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

func (p *Plane) heartbeat() time.Duration {
	if p.o.Heartbeat > 0 {
		return p.o.Heartbeat
	}
	if h := p.registration().Heartbeat; h >= 100*time.Millisecond {
		return h
	}
	return defaultHeartbeat
}

// reportOnce reports. A report that is on its way when ctx ends is waited for a
// little, so that it does not arrive after the last one.
func (p *Plane) reportOnce(ctx context.Context, stopping bool) (again bool, err error) {
	end := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerLimit)
	defer cancel()
	defer context.AfterFunc(end, func() {
		if !p.o.Bus.Connected() {
			cancel()
			return
		}
		pause(ctx, time.Second)
		cancel()
	})()
	s := p.o.Status()
	p.mu.Lock()
	if p.issue != nil {
		s.Issues = append([]gateway.Issue{*p.issue}, s.Issues...)
	}
	p.mu.Unlock()
	reply, err := bus.Ask(ctx, p.o.Bus, gateway.Report{
		Organization: p.o.Organization, Group: p.o.Group, Gateway: p.o.Gateway, Instance: p.instance, Token: p.o.Token,
		Epoch: s.Epoch, Version: s.Version, APIs: s.APIs, Issues: bounded(s.Issues),
		InFlight: s.InFlight, Requests: s.Requests, Memory: s.Memory, Time: p.o.Now().UTC(), Stopping: stopping,
	})
	if err == nil {
		p.mu.Lock()
		p.reported = p.o.Now()
		p.mu.Unlock()
	}
	return reply.Again, err
}

// maxIssues bounds a report: one message has to carry it.
const maxIssues = 200

func bounded(issues []gateway.Issue) []gateway.Issue {
	if len(issues) > maxIssues {
		issues = issues[:maxIssues:maxIssues]
	}
	for i := range issues {
		if d := &issues[i].Detail; len(*d) > 1000 {
			*d = (*d)[:1000]
		}
	}
	return issues
}

// farewell tells that this was the last report.
func (p *Plane) farewell() {
	if !p.o.Bus.Connected() || p.registration().Gateway == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := p.reportOnce(ctx, true); err != nil {
		p.o.Log.Debug("the control plane was not told of the end", "err", err)
	}
}
