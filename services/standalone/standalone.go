// Package standalone runs the whole suite in one process: every service and a
// gateway, with NATS inside, a SQLite file for each service, and nothing that
// listens but the consoles and the traffic. The parts talk to each other over the
// bus alone, as they do apart, so that this shape cannot hide a mistake of the
// other.
package standalone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/services/install"
)

// Options are what the suite is run with.
type Options struct {
	// Data is the folder in which everything is kept.
	Data string
	// Listen is host and port of the consoles and the API for automation, Traffic
	// that of API traffic.
	Listen, Traffic string
	// ReadyFile, where not empty, gets the addresses and the one-time sign-in once
	// all serves.
	ReadyFile string
	// Databases are the addresses of databases by service, of those that are to keep
	// their data elsewhere than in a SQLite file of the folder.
	Databases map[string]string
	// Secrets is a file that says where references to secrets lead, and which of them
	// people may name; "" = to environment and files, and none.
	Secrets string
	// Sample also serves the sample API, on a port of loopback.
	Sample bool
	// Log is where the parts log; nil discards.
	Log *slog.Logger
	// Out gets the addresses and the one-time sign-in for people; nil discards.
	Out io.Writer
}

// Ready is what a ready file says.
type Ready struct {
	// Console, TenantConsole, AuthConsole and Portal are the addresses for browsers.
	Console       string `json:"console"`
	TenantConsole string `json:"tenantConsole"`
	AuthConsole   string `json:"authConsole"`
	Portal        string `json:"portal"`
	// API is the address for automation: /api/<service>/v1 below it.
	API string `json:"api"`
	// Traffic is where APIs are called.
	Traffic string `json:"traffic"`
	// Sample is the address of the sample API's document.
	Sample string `json:"sample,omitempty"`
	// SignIn is there until the first run is completed.
	SignIn *SignIn `json:"signIn,omitempty"`
	// PID is the process.
	PID int `json:"pid"`
}

// SignIn is the one-time sign-in of the first administrator. It is a secret.
type SignIn struct {
	// URL opens the admin console and signs in; Code is what is in it.
	URL  string `json:"url"`
	Code string `json:"code"`
}

// suite is one run.
type suite struct {
	Options
	secrets install.Dir
	nats    *embedded.Server
	// references reads secrets that are named by a reference.
	references *reference.Resolver
	named      References

	mu     sync.Mutex
	code   string // of the one-time sign-in
	sample net.Addr
	// open are the sockets of addresses whose port was left open, by address.
	open map[string]net.Listener
}

// startLimit is how long one part may take to be ready. Making the databases takes
// a third of a second on a common machine, and a minute on a small one that has much
// else to do.
const startLimit = 10 * time.Minute

// Run runs the suite until ctx ends, which it does in good order.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	open := map[string]net.Listener{}
	defer func() {
		for _, l := range open {
			_ = l.Close() // by whom it was taken over it is closed already
		}
	}()
	for _, address := range []*string{&o.Listen, &o.Traffic} {
		if err := opened(ctx, address, open); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	for name := range o.Databases {
		if !slices.ContainsFunc(Services(), func(a bus.Access) bool { return a.Service == name }) {
			return fmt.Errorf("a database for %q: there is no service of that name", name)
		}
	}
	unlock, err := lock(filepath.Join(o.Data, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	s := &suite{Options: o, secrets: install.Dir{Path: filepath.Join(o.Data, "secrets"), Owner: -1}, open: open}
	if err := s.openReferences(); err != nil {
		return err
	}
	defer s.references.Close()
	streams, err := s.secrets.Secret("streams-key", install.Pepper)
	if err != nil {
		return err
	}
	s.nats, err = embedded.Start(embedded.Options{
		Dir: filepath.Join(o.Data, "nats"), Key: streams, Access: Access(), Sync: true, Log: o.Log.With("component", "nats"),
	})
	if err != nil {
		return err
	}
	defer s.nats.Stop()
	parts, err := s.parts()
	if err != nil {
		return err
	}
	parts = append(parts, app.Part{Name: "ready", New: func(app.Env) (app.Service, error) { return app.Func(s.ready), nil }})
	return app.Run(ctx, app.Options{Log: o.Log, StartTimeout: startLimit}, parts...)
}

// lock keeps two processes from using one data folder.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the data folder %s is in use by another process: stop that, or choose another --data (%w)", filepath.Dir(path), err), f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks; nothing was written
}

// host returns the address of a browser app. Browsers find *.localhost by
// themselves (RFC 6761 section 6.3); anywhere else the name must resolve.
func (s *suite) host(app string) string {
	_, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		port = "80"
	}
	return "http://" + app + ".localhost:" + port
}

// reachable returns an address at which this machine reaches a listener, which
// may listen on all of its addresses.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// about says where everything is.
func (s *suite) about() Ready {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Ready{
		Console: s.host("apim-admin"), TenantConsole: s.host("tenant-admin"), AuthConsole: s.host("auth-admin"), Portal: s.host("developers"),
		API: "http://" + reachable(s.Listen), Traffic: "http://" + reachable(s.Traffic), PID: os.Getpid(),
	}
	if s.sample != nil {
		r.Sample = "http://" + s.sample.String() + "/openapi.json"
	}
	if s.code != "" {
		r.SignIn = &SignIn{URL: r.Console + "/setup#code=" + s.code, Code: s.code}
	}
	return r
}

// ready is the last part: when it runs, all others serve.
func (s *suite) ready(ctx context.Context, ready func()) error {
	r := s.about()
	if s.ReadyFile != "" {
		b, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return fmt.Errorf("writing the ready file: %w", err)
		}
		dir := install.Dir{Path: filepath.Dir(s.ReadyFile), Owner: -1}
		if err := dir.Write(filepath.Base(s.ReadyFile), string(b)+"\n", 0o600); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.Out, "Gatehouse is ready.\n\n  admin console     %s\n  tenant console    %s\n  auth console      %s\n  developer portal  %s\n  API traffic       %s\n", r.Console, r.TenantConsole, r.AuthConsole, r.Portal, r.Traffic)
	if r.Sample != "" {
		fmt.Fprintf(s.Out, "  sample API        %s\n", r.Sample)
	}
	if r.SignIn != nil {
		fmt.Fprintf(s.Out, "\nSign in once, to set up the installation:\n\n  %s\n", r.SignIn.URL)
	}
	fmt.Fprintln(s.Out)
	ready()
	<-ctx.Done()
	return nil
}
