//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// changed is what was measured of changes among so many APIs.
type changed struct {
	apis, changes int
	// live is from the request to deploy until the last gateway served the change,
	// answered until that request was answered, first until the gateway that is
	// asked first served it, saved from the request to save the change, before it,
	// until the last gateway served it, and shown until the suite shows that every
	// gateway has it.
	live, answered, first, saved, shown []time.Duration
	// sent is how many bytes one gateway was sent for one change.
	sent int64
	// gateway and manager are the processor time of one gateway, and of
	// gateway-manager, for one change.
	gateway, manager time.Duration
	// idle is the part of a processor that one gateway takes while nothing happens.
	idle float64
}

const (
	// glance is the pause between two looks at a gateway that does not serve the
	// change yet. It is small against what is measured, and long enough that looking
	// does not keep the processors busy.
	glance = 2 * time.Millisecond
	// calm is how long nothing is done before changes are measured.
	calm = 10 * time.Second
	// lively bounds one change.
	lively = time.Minute
)

// at measures changes among so many APIs.
func (f *fleet) at(ctx context.Context, apis, changes int) (*changed, error) {
	began := time.Now()
	if err := f.refresh(ctx); err != nil {
		return nil, err
	}
	if err := f.grow(ctx, apis); err != nil {
		return nil, err
	}
	built := time.Since(began)
	if err := f.join(ctx); err != nil {
		return nil, err
	}
	for _, m := range f.members {
		if err := wait(ctx, starting, 20*time.Millisecond, func() (bool, error) { return m.serves(ctx, apis, 0) }); err != nil {
			return nil, fmt.Errorf("waiting for %s to serve %d APIs: %w\n%s", m.name, apis, err, m.process.tail())
		}
	}
	fmt.Fprintf(os.Stderr, "fleet: %d APIs copied, built and published in %s, served by all %d gateways after %s\n",
		apis, built.Round(time.Millisecond), len(f.members), time.Since(began).Round(time.Millisecond))
	out := &changed{apis: apis, changes: changes}
	var before time.Duration
	for range 2 { // what came of the start is over after the first time
		_, busy, _, err := f.sums()
		if err != nil {
			return nil, err
		}
		before = busy
		select {
		case <-time.After(calm):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	sent, gateways, manager, err := f.sums()
	if err != nil {
		return nil, err
	}
	out.idle = float64(gateways-before) / float64(len(f.members)) / float64(calm)
	for n := range changes {
		if n%20 == 0 {
			if err := f.refresh(ctx); err != nil {
				return nil, err
			}
		}
		if err := f.change(ctx, 1+n*7919%apis, out); err != nil {
			return nil, err
		}
	}
	sentAfter, gatewaysAfter, managerAfter, err := f.sums()
	if err != nil {
		return nil, err
	}
	each := int64(len(f.members) * changes)
	out.sent = (sentAfter - sent) / each
	out.gateway = (gatewaysAfter - gateways) / time.Duration(each)
	out.manager = (managerAfter - manager) / time.Duration(changes)
	return out, nil
}

// refresh takes a new token: they are short-lived.
func (f *fleet) refresh(ctx context.Context) error {
	return f.signIn(ctx, strings.TrimSuffix(f.api, "/api/"), "")
}

// sums is what the gateways were sent so far, and the processor time of all of
// them and of gateway-manager.
func (f *fleet) sums() (sent int64, gateways, manager time.Duration, err error) {
	for _, m := range f.members {
		sent += m.meter.sent.Load()
		d, err := worked(m.process.cmd.Process.Pid)
		if err != nil {
			return 0, 0, 0, err
		}
		gateways += d
	}
	manager, err = worked(f.services["gateway-manager"].cmd.Process.Pid)
	return sent, gateways, manager, err
}

// serves reports whether the gateway serves a version of an API, by calling it.
func (m *member) serves(ctx context.Context, api, version int) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.traffic+pathOf(api), nil)
	if err != nil {
		return false, err
	}
	resp, err := m.client.Do(r)
	if err != nil {
		return false, err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	if err := resp.Body.Close(); err != nil {
		return false, err
	}
	return resp.StatusCode == http.StatusOK && strings.HasPrefix(string(text), fmt.Sprintf("/v%d/", version)), nil
}

// change changes an API as a person does, saves and deploys it, and takes down
// when the last gateway served it.
//
// The gateways are asked one after the other, each until it serves the change:
// when the last one has answered, all of them serve it, and there is never more
// than one who asks. What is measured is so a little too long, never too short.
func (f *fleet) change(ctx context.Context, api int, out *changed) error {
	f.versions++
	id, err := f.first(ctx, "gateway-manager/v1/apis?q="+number(api))
	if err != nil {
		return err
	}
	saved := time.Now()
	if _, err := f.send(ctx, http.MethodPatch, "gateway-manager/v1/apis/"+id, object{"upstreams": f.upstreamOf(f.versions)}, "If-Match", "*"); err != nil {
		return err
	}
	began := time.Now()
	deployment, err := f.made(ctx, "gateway-manager/v1/apis/"+id+"/deployments", object{"environment": environment})
	if err != nil {
		return err
	}
	out.answered = append(out.answered, time.Since(began))
	for i, m := range f.members {
		if err := wait(ctx, lively, glance, func() (bool, error) { return m.serves(ctx, api, f.versions) }); err != nil {
			return fmt.Errorf("waiting for %s to serve change %d: %w\n%s", m.name, f.versions, err, m.process.tail())
		}
		if i == 0 {
			out.first = append(out.first, time.Since(began))
		}
	}
	out.live, out.saved = append(out.live, time.Since(began)), append(out.saved, time.Since(saved))
	if n := len(out.live) - 1; out.live[n] > liveLimit {
		fmt.Fprintf(os.Stderr, "fleet: change %d took %s: accepted after %s, served by the first gateway after %s\n", f.versions,
			out.live[n].Round(time.Millisecond), out.answered[n].Round(time.Millisecond), out.first[n].Round(time.Millisecond))
	}
	if err := wait(ctx, lively, 25*time.Millisecond, func() (bool, error) {
		d, err := f.send(ctx, http.MethodGet, "gateway-manager/v1/deployments/"+deployment, nil)
		if err == nil && d["state"] == "failed" {
			err = fmt.Errorf("change %d has failed: %v", f.versions, d["problem"]) //nolint:err113 // shown as it is
		}
		return d["state"] == "live", err
	}); err != nil {
		return fmt.Errorf("waiting for change %d to be shown as live: %w", f.versions, err)
	}
	out.shown = append(out.shown, time.Since(began))
	return nil
}

const (
	// liveLimit is what a change may take at p99 until every gateway serves it.
	liveLimit = 500 * time.Millisecond
	// grown is by how much more may be sent for a change where there are ten times as
	// many APIs. It is not nothing: an index lists up to 64 units, and how full those
	// are on the way to a change depends on the number.
	grown = 1.25
)

// tell notes what was measured.
func (f *fleet) tell(small, large *changed) error {
	for _, c := range []*changed{small, large} {
		p99 := percentile(c.live, 99)
		what := fmt.Sprintf("change to live on %d gateways with %d APIs, %d changes", len(f.members), c.apis, c.changes)
		f.note(what+": p50 / p95 / p99", three(c.live), "p99 under "+liveLimit.String(), p99 < liveLimit)
		f.note("of that until the deployment is accepted", three(c.answered), "", true)
		f.note("of that until the first gateway asked serves it", three(c.first), "", true)
		f.note("from saving the change, with the deployment after it", three(c.saved), "", true)
		f.note("until the suite shows that every gateway has it", three(c.shown), "", true)
		f.note("processor time of a gateway while nothing happens", fmt.Sprintf("%.1f %%", 100*c.idle), "", true)
		f.note("processor time for a change: gateway-manager, one gateway", c.manager.Round(100*time.Microsecond).String()+", "+c.gateway.Round(100*time.Microsecond).String(), "", true)
	}
	f.note(fmt.Sprintf("sent to each gateway for a change, with %d APIs", small.apis), fmt.Sprintf("%d bytes", small.sent), "some", small.sent > 0)
	f.note(fmt.Sprintf("sent to each gateway for a change, with %d APIs", large.apis), fmt.Sprintf("%d bytes", large.sent),
		"does not grow: at most "+fmt.Sprint(grown)+" times as much", large.sent > 0 && float64(large.sent) <= grown*float64(small.sent))
	return f.memories()
}

func three(d []time.Duration) string {
	return milli(percentile(d, 50)) + " / " + milli(percentile(d, 95)) + " / " + milli(percentile(d, 99))
}

// memories notes what the processes hold.
func (f *fleet) memories() error {
	var gateways, most, services int64
	for _, m := range f.members {
		rss, err := memory(m.process.cmd.Process.Pid)
		if err != nil {
			return err
		}
		gateways, most = gateways+rss, max(most, rss)
	}
	for _, p := range f.services {
		rss, err := memory(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		services += rss
	}
	manager, err := memory(f.services["gateway-manager"].cmd.Process.Pid)
	if err != nil {
		return err
	}
	f.note(fmt.Sprintf("memory of a gateway with %d APIs, mean and most of %d", f.size, len(f.members)), megabytes(gateways/int64(len(f.members)))+", "+megabytes(most), "", true)
	f.note("memory of gateway-manager, and of all services", megabytes(manager)+", "+megabytes(services), "", true)
	return nil
}
