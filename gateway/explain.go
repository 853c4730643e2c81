package gateway

import (
	"errors"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/internal/upstream"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// dryRun is the answer to a described request.
type dryRun struct {
	Match  router.Explanation `json:"match"`
	Record *traffic.Record    `json:"record"`
}

// explain tells what would become of a request under what is served now, without
// counting it anywhere.
func (g *gateway) explain(d admin.DryRun) (_ any, err error) {
	g.mu.Lock()
	snap := g.snapshot
	g.mu.Unlock()
	s, err := newSandbox(&g.cfg, g.compiler.Registry, g.credentials, g.compiler.KeySets, g.compiler.Secrets, g.log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.load(snap)
	var out dryRun
	if out.Match, err = s.Match(d); err != nil {
		return nil, err
	}
	if out.Record, err = s.Explain(d); err != nil {
		return nil, err
	}
	return out, nil
}

// upstreams tells the state of the upstreams of one API, or of all.
func (g *gateway) upstreams(api string) any {
	out := map[string][]upstream.Status{}
	t := g.live.Current()
	if t == nil {
		return out
	}
	for _, u := range t.Units() {
		if api != "" && u.ID != api {
			continue
		}
		for _, up := range u.Operation(-1).Upstreams {
			if real, ok := table.Plain(up).(*upstream.Upstream); ok {
				out[u.ID] = append(out[u.ID], real.Status())
			}
		}
	}
	return out
}

func (g *gateway) adminOptions() admin.Options {
	return admin.Options{
		Status: g.status, Recorder: g.recorder, Metrics: g.metrics.Handler(), Store: g.store,
		Token: g.cfg.Admin.Token.Reveal(), DryRun: g.explain, Upstreams: g.upstreams,
	}
}
