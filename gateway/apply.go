package gateway

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
)

// deliver puts a configuration in use and keeps it on disk. It is the only way
// in which what is served changes.
func (g *gateway) deliver(s source.Snapshot) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cur := g.live.Current(); cur != nil {
		if err := s.Manifest.Replaces(cur.Manifest); err != nil {
			g.metrics.ConfigRefused()
			return err
		}
	}
	g.apply(s)
	if g.cache == nil || len(s.Broken) > 0 || len(g.live.Current().Issues) > 0 {
		// What is kept is the last configuration without a mistake in it.
		return nil
	}
	g.keep(s)
	return nil
}

// keep has a configuration written to disk, besides serving: the newest one,
// where several come while one is being written.
//
// The first one is written at once: a gateway that has said it is ready can be
// killed and starts again with what it served.
func (g *gateway) keep(s source.Snapshot) {
	s.Locate, s.Parts = nil, nil
	if !g.kept {
		g.kept = true
		g.save(s)
		return
	}
	select {
	case <-g.toKeep:
	default:
	}
	g.toKeep <- s
}

// keepDelay is how long a configuration of a control plane waits to be kept, so
// that of several that follow each other one is written. Who starts again from the
// one before is told the newest by the control plane.
const keepDelay = time.Second

// keepAll writes what keep was given until ctx ends, and then what is left.
func (g *gateway) keepAll(ctx context.Context) {
	for {
		select {
		case s := <-g.toKeep:
			if g.plane != nil {
				select {
				case <-time.After(keepDelay):
				case <-ctx.Done():
				}
				select {
				case s = <-g.toKeep: // a newer one
				default:
				}
			}
			g.save(s)
		case <-ctx.Done():
			select {
			case s := <-g.toKeep:
				g.save(s)
			default:
			}
			return
		}
	}
}

func (g *gateway) save(s source.Snapshot) {
	if err := g.cache.Save(s); err != nil {
		g.log.Error("the configuration is served but could not be kept for a restart", "err", err)
	}
}

// apply compiles and swaps. Credentials come first: a new plan without its
// subscribers would refuse them.
func (g *gateway) apply(s source.Snapshot) {
	if s.Parts != nil {
		if err := g.credentials.Replace(s.Parts); err != nil {
			g.log.Error("the credentials could not be read to their end; those read so far are known", "err", err)
		}
		debug.FreeOSMemory() // reading left much behind that is not needed again
	} else if s.Credentials != nil {
		if err := g.credentials.Apply(*s.Credentials); err != nil {
			g.log.Error("some credentials were not taken", "err", err)
		}
	}
	begin := time.Now()
	next, stats := g.compiler.Compile(s, g.live.Current())
	took := time.Since(begin)
	g.live.Swap(next)
	g.snapshot = s
	g.snapshot.Locate, g.snapshot.Parts = nil, nil // they hold the whole text of the file
	g.metrics.ConfigApplied(s.Manifest.Version, g.env.Now(), took, len(next.Issues))
	g.status.SetApplied(admin.Applied{
		Version: s.Manifest.Version, Epoch: s.Manifest.Epoch, At: g.env.Now(), Compile: took,
		APIs: next.APIs(), Compiled: stats.Compiled, Reused: stats.Reused, Issues: next.Issues,
	})
	if stats.Compiled > 1000 {
		debug.FreeOSMemory() // compiling left much behind that is not needed again
	}
	g.gcPercent = tuneMemory(g.gcPercent)
	for _, i := range next.Issues {
		for _, p := range i.Problems {
			g.log.Error("an API was not compiled", "kind", string(i.Kind), "unit", i.Unit, "serving", i.Serving,
				"at", p.Source, "pointer", p.Pointer, "detail", p.Detail)
		}
	}
	g.log.Info("configuration applied", "version", s.Manifest.Version, "apis", next.APIs(),
		"compiled", stats.Compiled, "reused", stats.Reused, "issues", len(next.Issues), "took", took.String())
}
