package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// process is what the parts share: who is ready, and the handler.
type process struct {
	opt      Options
	names    []string
	handler  http.Handler
	stopping atomic.Bool
	up       *prometheus.GaugeVec

	mu    sync.Mutex
	ready map[string]bool
}

func newProcess(opt Options, parts []Part) (*process, error) {
	p := &process{opt: opt, ready: map[string]bool{}}
	for _, part := range parts {
		if part.Name == "" || part.New == nil || slices.Contains(p.names, part.Name) {
			return nil, fmt.Errorf("part %q: it needs a name of its own and New", part.Name)
		}
		p.names = append(p.names, part.Name)
	}
	b := Build()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "gatehouse_build_info", Help: "The build, by labels; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.Go},
	})
	info.Set(1)
	p.up = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "gatehouse_part_ready", Help: "Whether a part of the process can serve.",
	}, []string{"part"})
	for _, n := range p.names {
		p.up.WithLabelValues(n).Set(0)
	}
	if err := errors.Join(opt.Registry.Register(info), opt.Registry.Register(p.up)); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	p.handler = p.routes(b)
	return p, nil
}

func (p *process) env(r *running) Env {
	return Env{
		Log: p.opt.Log.With("component", r.name), Metrics: p.opt.Registry,
		Process: p.handler, Reload: r.reload, Now: p.opt.Now,
	}
}

// setReady says whether it changed something.
func (p *process) setReady(name string, ready bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready[name] == ready {
		return false
	}
	p.ready[name] = ready
	v := 0.0
	if ready {
		v = 1
	}
	p.up.WithLabelValues(name).Set(v)
	return true
}

// waitingFor names the parts that are not ready.
func (p *process) waitingFor() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, n := range p.names {
		if !p.ready[n] {
			out = append(out, n)
		}
	}
	return out
}

// health is the body of the health endpoints.
type health struct {
	Status     string   `json:"status"`
	WaitingFor []string `json:"waitingFor,omitempty"`
}

func (p *process) routes(b BuildInfo) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /health/alive", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, health{Status: "alive"})
	})
	m.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		// Not ready as soon as stopping begins, so that balancers look elsewhere
		// while requests under way are still answered.
		if p.stopping.Load() {
			answer(w, http.StatusServiceUnavailable, health{Status: "stopping"})
			return
		}
		if names := p.waitingFor(); len(names) > 0 {
			answer(w, http.StatusServiceUnavailable, health{Status: "not-ready", WaitingFor: names})
			return
		}
		answer(w, http.StatusOK, health{Status: "ready"})
	})
	m.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, b) })
	m.Handle("GET /metrics", promhttp.HandlerFor(p.opt.Registry, promhttp.HandlerOpts{}))
	return m
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have left
}

// BuildInfo says what a process was built from.
type BuildInfo struct {
	// Version is the module version, or "devel".
	Version string `json:"version"`
	// Revision is the commit, with "+dirty" when the tree had changes; may be "".
	Revision string `json:"revision,omitempty"`
	// Time is that of the commit in RFC 3339; may be "".
	Time string `json:"time,omitempty"`
	// Go is the version of the Go toolchain.
	Go string `json:"go"`
}

// Build returns what the Go toolchain recorded in this binary.
func Build() BuildInfo {
	b := BuildInfo{Version: "devel", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := strings.Trim(info.Main.Version, "()"); v != "" {
		b.Version = v
	}
	dirty := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+dirty"
			}
		}
	}
	if b.Revision != "" {
		b.Revision += dirty
	}
	return b
}
