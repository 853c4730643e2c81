package reference

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/schema"
)

const (
	// forgetAfter is how long a secret that nobody asks for is kept fresh.
	forgetAfter = time.Hour
	// maxEntries bounds the secrets that are kept fresh.
	maxEntries = 10_000
	// retryFailed is how soon what could not be read is tried again.
	retryFailed = 2 * time.Second
)

// Options are what a resolver is made of.
type Options struct {
	// Vault is where Vault is; nil = there is none.
	Vault *VaultConfig
	// Log is told what comes and goes; nil discards.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Resolver reads secrets by their references and keeps those of Vault for a
// while. It is safe for concurrent use.
//
// Where Vault does not answer, what it said last is used. Where it says that a
// secret is gone or not ours any longer, it is not.
type Resolver struct {
	sources map[string]Source
	vault   *vault
	refresh time.Duration
	log     *slog.Logger
	now     func() time.Time
	salt    []byte

	mu      sync.Mutex
	entries map[string]*entry
	told    []func(references []string)
	held    []func() []string
}

// entry is a secret that was asked for.
type entry struct {
	ref Reference

	reading sync.Mutex // one at a time
	// The rest is guarded by the resolver's mutex.
	value string
	print string // "" = there is no value
	at    time.Time
	err   error // of the last reading
	used  time.Time
	// pinned says that it is kept fresh though nobody asks for it.
	pinned bool
}

// New returns a resolver. It asks nobody yet.
func New(o Options) (*Resolver, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Resolver{
		sources: map[string]Source{Env: environment{}, File: files{}}, refresh: defaultRefresh, log: o.Log, now: o.Now,
		salt: make([]byte, 32), entries: map[string]*entry{},
	}
	if _, err := io.ReadFull(rand.Reader, r.salt); err != nil {
		return nil, err
	}
	if o.Vault == nil {
		return r, nil
	}
	if fields := o.Vault.Validate(); len(fields) > 0 {
		return nil, schema.Violations(fields)
	}
	if d := o.Vault.Refresh.Std(); d > 0 {
		r.refresh = d
	}
	system, err := New(Options{Now: o.Now})
	if err != nil {
		return nil, err
	}
	if r.vault, err = newVault(*o.Vault, system.Look(), o.Log, o.Now); err != nil {
		return nil, err
	}
	r.sources[Vault] = r.vault
	return r, nil
}

// LogTo has the resolver log. It is called before anything else is done with it.
func (r *Resolver) LogTo(log *slog.Logger) {
	r.log = log
	if r.vault != nil {
		r.vault.log = log
	}
}

// HasVault reports whether there is a Vault.
func (r *Resolver) HasVault() bool { return r != nil && r.vault != nil }

var errNoVault = errors.New("no Vault is configured: set vault in the configuration")

// Get reads what a reference names. The error names the reference.
func (r *Resolver) Get(ctx context.Context, text string) (string, error) {
	ref, err := Parse(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", text, ErrNotFound, err)
	}
	e, err := r.entry(ref)
	if err == nil {
		err = r.fresh(ctx, e)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", ref, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.print == "" {
		return "", fmt.Errorf("%s: %w", ref, cmpErr(e.err))
	}
	return e.value, nil
}

// Try reads what a reference names as it is now, and keeps nothing of it.
func (r *Resolver) Try(ctx context.Context, text string) error {
	ref, err := Parse(text)
	if err != nil {
		return err
	}
	source := r.sources[ref.Scheme]
	if source == nil {
		return fmt.Errorf("%w: %w", ErrNotFound, errNoVault)
	}
	_, err = source.Read(ctx, ref)
	return err
}

func cmpErr(err error) error {
	if err == nil {
		return ErrUnavailable
	}
	return err
}

// Look returns a function for [schema.ResolveSecrets].
func (r *Resolver) Look() schema.Resolver {
	return func(scheme, name string) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return r.Get(ctx, scheme+":"+name)
	}
}

// Limited returns a function for [schema.ResolveSecrets] that reads only what has
// one of these beginnings.
func (r *Resolver) Limited(allowed []string) schema.Resolver {
	look := r.Look()
	return func(scheme, name string) (string, error) {
		ref, err := Parse(scheme + ":" + name)
		if err == nil {
			err = Check(ref, allowed)
		}
		if err != nil {
			return "", fmt.Errorf("%s:%s: %w", scheme, name, err)
		}
		return look(scheme, name)
	}
}

// Fingerprint names the present value of a reference that was read before: it is
// another one when the value is. "" = there is none. It tells nothing of the value.
func (r *Resolver) Fingerprint(text string) string {
	ref, err := Parse(text)
	if err != nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[ref.String()]; e != nil {
		e.used = r.now()
		return e.print
	}
	return ""
}

func (r *Resolver) entry(ref Reference) (*entry, error) {
	if r.sources[ref.Scheme] == nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, errNoVault)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := ref.String()
	e := r.entries[key]
	if e == nil {
		if len(r.entries) >= maxEntries {
			return nil, fmt.Errorf("more than %d references are in use: %w", maxEntries, ErrUnavailable)
		}
		e = &entry{ref: ref}
		r.entries[key] = e
	}
	e.used = r.now()
	return e, nil
}

// fresh reads an entry where it is not fresh. The error is that of the reading
// where there is nothing to be used.
func (r *Resolver) fresh(ctx context.Context, e *entry) error {
	e.reading.Lock()
	defer e.reading.Unlock()
	r.mu.Lock()
	keep := r.refresh
	if e.err != nil {
		keep = min(keep, retryFailed)
	}
	good := e.ref.Scheme == Vault && !e.at.IsZero() && r.now().Sub(e.at) < keep
	r.mu.Unlock()
	if good {
		return nil
	}
	_, err := r.read(ctx, e)
	return err
}

// read reads an entry, and reports whether its value is another one, or is there
// again. e.reading is held.
func (r *Resolver) read(ctx context.Context, e *entry) (changed bool, err error) {
	value, err := r.sources[e.ref.Scheme].Read(ctx, e.ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	was := e.print
	failedBefore := e.err != nil
	e.at, e.err = r.now(), err
	switch {
	case err == nil:
		sum := sha256.Sum256(append(append([]byte{}, r.salt...), value...))
		e.value, e.print = value, hex.EncodeToString(sum[:16])
	case errors.Is(err, ErrUnavailable) && e.print != "":
		if !failedBefore {
			r.log.Warn("a secret cannot be read; what it was last is used", "reference", e.ref.String(), "err", err)
		}
		return false, nil
	default:
		if !failedBefore {
			r.log.Error("a secret cannot be read", "reference", e.ref.String(), "err", err)
		}
		e.value, e.print = "", ""
		return was != "", err
	}
	if failedBefore {
		r.log.Info("a secret can be read again", "reference", e.ref.String())
	}
	return was != e.print && (was != "" || failedBefore), nil
}

// OnChange has f told of references whose value has become another one, has gone,
// or is there after it was not. It is called from [Resolver.Run].
func (r *Resolver) OnChange(f func(references []string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, f)
}

// Run keeps what was asked for fresh, and the token of Vault renewed, until ctx
// ends.
func (r *Resolver) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	if r.vault != nil {
		work.Go(func() { r.keepToken(ctx) })
	}
	for {
		failed := r.Refresh(ctx)
		pause := r.refresh
		if failed {
			pause = min(pause, retryFailed)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (r *Resolver) keepToken(ctx context.Context) {
	for {
		pause, err := r.vault.renew(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Warn("the token of Vault could not be renewed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(pause, r.refresh)):
		}
	}
}

// Hold has the references that f returns be kept fresh though nobody asks for them,
// such as those that something was compiled with. f is called before each
// refreshing.
func (r *Resolver) Hold(f func() []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, f)
}

// hold marks what is held as used.
func (r *Resolver) hold() {
	r.mu.Lock()
	held := slices.Clone(r.held)
	r.mu.Unlock()
	for _, f := range held {
		for _, text := range f() {
			r.Fingerprint(text)
		}
	}
}

// Refresh reads everything that was asked for lately or is held, tells of what has changed,
// and reports whether something could not be read.
func (r *Resolver) Refresh(ctx context.Context) (failed bool) {
	r.hold()
	r.mu.Lock()
	var list []*entry
	for key, e := range r.entries {
		if !e.pinned && r.now().Sub(e.used) > forgetAfter {
			delete(r.entries, key)
			continue
		}
		list = append(list, e)
	}
	r.mu.Unlock()
	var changed []string
	for _, e := range list {
		if ctx.Err() != nil {
			return false
		}
		e.reading.Lock()
		is, _ := r.read(ctx, e) // it is kept and told of
		e.reading.Unlock()
		if is {
			changed = append(changed, e.ref.String())
		}
		r.mu.Lock()
		failed = failed || e.err != nil
		r.mu.Unlock()
	}
	if len(changed) == 0 || ctx.Err() != nil {
		return failed
	}
	slices.Sort(changed)
	r.mu.Lock()
	told := slices.Clone(r.told)
	r.mu.Unlock()
	for _, f := range told {
		f(changed)
	}
	return failed
}

// InUse returns the references that were asked for lately, and keeps them fresh
// for good from now on, as those of a configuration that is read once.
func (r *Resolver) InUse() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]bool, len(r.entries))
	for key, e := range r.entries {
		e.pinned = true
		out[key] = true
	}
	return out
}

// Close gives up connections to Vault. The resolver can be used on.
func (r *Resolver) Close() {
	if r != nil && r.vault != nil {
		r.vault.client.CloseIdleConnections()
	}
}

// State is how a resolver does.
type State struct {
	// Vault says whether there is one.
	Vault bool `json:"vault"`
	// Secrets is how many are in use, Stale how many of them could not be read the
	// last time and are used as they were, Missing how many are not there at all.
	Secrets int `json:"secrets"`
	Stale   int `json:"stale"`
	Missing int `json:"missing"`
	// Error is what is wrong with one of them.
	Error string `json:"error,omitempty"`
}

// Degraded reports whether something is not as it should be.
func (s State) Degraded() bool { return s.Stale > 0 || s.Missing > 0 }

// State returns how the resolver does.
func (r *Resolver) State() State {
	if r == nil {
		return State{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := State{Vault: r.vault != nil, Secrets: len(r.entries)}
	var names []string
	for key, e := range r.entries {
		switch {
		case e.err == nil:
			continue
		case e.print != "":
			s.Stale++
		default:
			s.Missing++
		}
		names = append(names, key+": "+e.err.Error())
	}
	if len(names) > 0 {
		s.Error = slices.MinFunc(names, strings.Compare)
	}
	return s
}
