package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
)

// longestWait is between attempts to read the secrets of the configuration.
const longestWait = 30 * time.Second

// serve runs the service until it is told to stop or fails. Where a secret of the
// configuration becomes another one, such as the database's password, the service
// ends in good order and begins anew with it, in the same process.
func (p program[C, P]) serve(ctx context.Context, path string, errs io.Writer) error {
	for wait := time.Second; ; {
		log := slog.New(slog.NewJSONHandler(errs, &slog.HandlerOptions{Level: P(&p.defaults).Common().level()}))
		cfg, err := p.load(path, log)
		if errors.Is(err, errLater) {
			log.WarnContext(ctx, "waiting for a secret of the configuration", "again", wait.String(), "err", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
			wait = min(2*wait, longestWait)
			continue
		}
		if err != nil {
			return err
		}
		wait = time.Second
		log = slog.New(slog.NewJSONHandler(errs, &slog.HandlerOptions{Level: P(&cfg).Common().level()}))
		again, err := p.once(ctx, path, cfg, log)
		if err != nil || !again {
			return err
		}
	}
}

// once runs the service with one configuration, and reports whether it ended to
// begin anew.
func (p program[C, P]) once(ctx context.Context, path string, cfg C, log *slog.Logger) (bool, error) {
	run, end := context.WithCancelCause(ctx)
	defer end(nil)
	resolver := P(&cfg).Common().Resolver
	defer resolver.Close()
	changed := make(chan struct{}, 1)
	used := resolver.InUse() // what is asked for later is not of the configuration
	resolver.OnChange(func(refs []string) {
		for _, r := range refs {
			if !used[r] {
				continue
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	})
	var work sync.WaitGroup
	defer work.Wait()
	defer end(nil)
	work.Go(func() {
		if err := resolver.Run(run); err != nil {
			log.Error("secrets are not kept fresh any longer", "err", err)
		}
	})
	work.Go(func() { p.rotated(run, path, changed, log, end) })
	err := app.RunUntilSignal(run, app.Options{Log: log, StartTimeout: startLimit}, p.part(cfg))
	return err == nil && errors.Is(context.Cause(run), errRotated) && ctx.Err() == nil, err
}

// rotated ends the service when a secret has changed and the configuration is good
// with the new one.
func (p program[C, P]) rotated(ctx context.Context, path string, changed <-chan struct{}, log *slog.Logger, end func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		if p.pause > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(rand.N(p.pause)):
			}
		}
		next, err := p.load(path, log)
		if r := P(&next).Common().Resolver; r != nil {
			r.Close()
		}
		if err != nil {
			log.ErrorContext(ctx, "a secret of the configuration has changed, and the configuration is not good with it: running on with the old one", "err", err)
			continue
		}
		log.InfoContext(ctx, "a secret of the configuration has changed: starting anew with it")
		end(errRotated)
		return
	}
}
