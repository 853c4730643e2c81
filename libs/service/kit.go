package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Go runs f beside the requests until the service stops. Its context ends then.
// When f returns before, the service ends, with the error.
func (k *Kit) Go(what string, f func(ctx context.Context) error) {
	k.r.work.Go(func() {
		err := guarded(k.r.ctx, f)
		if k.r.ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, bus.ErrClosed) {
				k.Log.WarnContext(k.r.ctx, "stopping", "what", what, "err", err)
			}
			return
		}
		if err == nil {
			err = errors.New("it ended without being told to")
		}
		select {
		case k.r.failed <- fmt.Errorf("%s: %w", what, err):
		default: // another was first
			k.Log.ErrorContext(k.r.ctx, "it failed as well", "what", what, "err", err)
		}
	})
}

func guarded(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f(ctx)
}

// Server returns a server for the service's API, described by an OpenAPI
// document, or without one; see [httpx.New]. adjust changes the options that a
// service does not leave as they are.
func (k *Kit) Server(document []byte, adjust ...func(*httpx.Options)) (*httpx.Server, error) {
	o := httpx.Options{
		Service: k.Name, Document: document, Verifier: k.Verifier, Access: k.Access, Log: k.Log, Metrics: k.Metrics, Keyring: k.Keyring, Now: k.Now,
	}
	if k.DB != nil {
		o.Refused = k.refused
	}
	for _, f := range adjust {
		f(&o)
	}
	s, err := httpx.New(o)
	if err != nil {
		return nil, err
	}
	k.r.servers = append(k.r.servers, s)
	return s, nil
}

// With returns a context whose queries can read and write secret columns.
func (k *Kit) With(ctx context.Context) context.Context {
	if k.Keyring == nil {
		return ctx
	}
	return secret.With(ctx, k.Keyring)
}

// withSecrets gives the keyring to the contexts of requests.
func (k *Kit) withSecrets(h http.Handler) http.Handler {
	if k.Keyring == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(k.With(r.Context())))
	})
}

// Emit puts an event into the outbox, to be published if the transaction commits.
// key is the id of what changed (see [db.Tx.Emit]).
func Emit(tx *db.Tx, key string, event bus.Event) error {
	return tx.Emit(event.Subject(), key, event)
}
