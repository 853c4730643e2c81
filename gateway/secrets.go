package gateway

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// openSecrets makes what reads references. What a control plane serves was written
// by people of its organization, who may name only what the rules allow them:
// environment and files are the operator's.
func (g *gateway) openSecrets(o Options) error {
	r := g.cfg.Resolver
	if r == nil {
		var err error
		if r, err = reference.New(reference.Options{Vault: g.cfg.Vault, Log: g.log, Now: g.env.Now}); err != nil {
			return err
		}
	}
	r.LogTo(g.log)
	g.secrets, g.look = r, o.Secrets
	if g.look == nil {
		g.look = r.Look()
	}
	g.policySecrets, g.secretPrint = g.look, r.Fingerprint
	if c := g.cfg.ControlPlane; c != nil {
		g.policySecrets = r.Limited(g.cfg.References.For(c.Organization))
	}
	if o.Path != "" {
		g.look = g.fileSecrets.noting(g.look)
	}
	r.Hold(func() []string {
		held := g.fileSecrets.list()
		if t := g.live.Current(); t != nil {
			held = append(held, t.Secrets()...)
		}
		return held
	})
	g.onClose(func() error { r.Close(); return nil })
	g.secretsChanged, g.reload = make(chan []string, 1), make(chan struct{}, 1)
	r.OnChange(func(refs []string) {
		select {
		case g.secretsChanged <- refs:
		default: // one waits already
		}
	})
	return nil
}

// noted are the references that the file was read with the last time, so that they
// are kept fresh while it does not change.
type noted struct {
	mu   sync.Mutex
	refs map[string]bool
}

// begin forgets them.
func (n *noted) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refs = map[string]bool{}
}

// noting returns look, and notes what it is asked for.
func (n *noted) noting(look schema.Resolver) schema.Resolver {
	n.begin()
	return func(scheme, name string) (string, error) {
		n.mu.Lock()
		n.refs[scheme+":"+name] = true
		n.mu.Unlock()
		return look(scheme, name)
	}
}

func (n *noted) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Keys(n.refs))
}

// keepSecrets has what depends on a secret compiled again when it has changed,
// until ctx ends.
func (g *gateway) keepSecrets(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := g.secrets.Run(ctx); err != nil {
			g.log.Error("secrets are not kept fresh any longer", "err", err)
		}
	}()
	defer func() { <-done }()
	for {
		select {
		case <-ctx.Done():
			return
		case refs := <-g.secretsChanged:
			g.log.Info("secrets have changed", "references", refs)
			g.compileAgain()
			if g.plane == nil { // secrets of the file itself, such as those of credentials
				select {
				case g.reload <- struct{}{}:
				default:
				}
			}
		}
	}
}

// compileAgain compiles what is served. Of its units those are taken over whose
// secrets are as they were.
func (g *gateway) compileAgain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live.Current() == nil || len(g.snapshot.Refs) == 0 {
		return
	}
	s := g.snapshot
	s.Credentials, s.Parts = nil, nil // they are in place
	kept := g.snapshot
	g.apply(s)
	g.snapshot = kept
}

// reloads joins what asks to read the file again: the operator, and secrets.
func (g *gateway) reloads() <-chan struct{} {
	out := make(chan struct{}, 1)
	asked, stopped := g.env.Reload, make(chan struct{})
	g.onClose(func() error { close(stopped); return nil })
	go func() {
		for {
			select {
			case <-stopped:
				return
			case <-asked:
			case <-g.reload:
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out
}
