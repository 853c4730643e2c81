//go:build linux

// Package peer knows the proxies that the benchmark compares: how each is had,
// how it is configured for the same work, and how it is started on one core. It
// does not load or measure them.
package peer

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/proc"
)

//go:embed templates
var templates embed.FS

// Mode is the work that a proxy is set up for.
type Mode string

// The modes.
const (
	Plain   Mode = "plain"   // forward everything
	Managed Mode = "managed" // key check, counter per application, one log line per request
	TLS     Mode = "tls"     // Plain behind TLS 1.3
	Fleet   Mode = "fleet"   // many APIs, each below a base path
)

// ErrMissing says that a proxy is not on this machine.
var ErrMissing = errors.New("not installed")

// Application is a caller with its API key.
type Application struct{ Name, Key string }

// Applications returns n applications, the same ones every time.
func Applications(n int) []Application {
	all := make([]Application, n)
	for i := range all {
		sum := sha256.Sum256(fmt.Appendf(nil, "gatehouse bench key %d", i))
		all[i] = Application{Name: fmt.Sprintf("application-%05d", i), Key: hex.EncodeToString(sum[:16])}
	}
	return all
}

// Setup is what a proxy needs to know, whichever it is.
type Setup struct {
	Mode     Mode
	Dir      string // exists; for this proxy alone
	Upstream string // host:port
	// Certificate is for mode TLS.
	Certificate Certificate
	// Applications may call in mode Managed, each Limit times in Window.
	Applications []Application
	Limit        int64
	Window       time.Duration
	// APIs is the number of APIs in mode Fleet.
	APIs int
	// Credentials, in mode Managed, are so many more callers, given as hashes.
	// Only Gatehouse's gateway heeds it.
	Credentials int
}

// The paths of the two APIs of mode Managed. NarrowPath allows one call in a
// window, to show that counting is on.
const (
	ManagedPath = "/orders/"
	NarrowPath  = "/narrow/"
)

// Peer is one proxy.
type Peer struct {
	Name string
	// Packages are the Debian packages that it comes from; none = built here.
	Packages []string
	// Binary is the program's name or path.
	Binary string
	modes  []Mode
	// files are other files that must be there.
	files   []string
	version func(ctx context.Context, binary string) (string, error)
	command func(binary string, s files) ([]string, []string, error)
}

// Can says whether the proxy does the work of a mode.
func (p *Peer) Can(m Mode) bool { return slices.Contains(p.modes, m) }

// Find returns nil where the proxy is on this machine, or [ErrMissing].
func (p *Peer) Find() error {
	path, err := exec.LookPath(p.Binary)
	if err != nil {
		return fmt.Errorf("%s: %w (%s)", p.Name, ErrMissing, p.Binary)
	}
	// The proxy is started in another directory.
	if p.Binary, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	for _, f := range p.files {
		if _, err := os.Stat(f); err != nil {
			return fmt.Errorf("%s: %w (%s)", p.Name, ErrMissing, f)
		}
	}
	return nil
}

// Version returns what the program says of itself, in one line.
func (p *Peer) Version(ctx context.Context) (string, error) {
	v, err := p.version(ctx, p.Binary)
	if err != nil {
		return "", fmt.Errorf("%s: reading version: %w", p.Name, err)
	}
	return v, nil
}

// Instance is a started proxy.
type Instance struct {
	*proc.Process
	Address string // where it takes requests
	Admin   string // its admin listener; only of Gatehouse's gateway
	Log     string // the file with a line per request; only in mode Managed
	Config  string // the file or directory that it was configured from
}

// files is a Setup with the places that were chosen for its parts.
type files struct {
	Setup
	Listen, Admin, Log, Cert, Key, Both string
}

// Prepare writes the configuration of a proxy and returns how to start it. The
// instance has no process yet.
func (p *Peer) Prepare(s Setup, cpu int) (*Instance, proc.Spec, error) {
	if !p.Can(s.Mode) {
		return nil, proc.Spec{}, fmt.Errorf("%s: cannot do %s", p.Name, s.Mode)
	}
	f := files{Setup: s, Log: filepath.Join(s.Dir, "traffic.jsonl")}
	var err error
	if f.Listen, err = proc.FreeAddress(); err != nil {
		return nil, proc.Spec{}, err
	}
	if f.Admin, err = proc.FreeAddress(); err != nil {
		return nil, proc.Spec{}, err
	}
	if s.Mode == TLS {
		if f.Cert, f.Key, f.Both, err = s.Certificate.write(s.Dir); err != nil {
			return nil, proc.Spec{}, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	argv, env, err := p.command(p.Binary, f)
	if err != nil {
		return nil, proc.Spec{}, fmt.Errorf("%s: writing configuration: %w", p.Name, err)
	}
	in := &Instance{Address: f.Listen, Admin: f.Admin, Log: f.Log, Config: argv[len(argv)-1]}
	// One core is enough for a Go program to see, but a limit that it was given
	// by our own environment must not stand.
	env = append(env, "GOMAXPROCS=1")
	return in, proc.Spec{Name: p.Name, Argv: argv, Env: env, Dir: s.Dir, CPU: cpu}, nil
}

// Start prepares and starts a proxy and waits until it listens.
func (p *Peer) Start(ctx context.Context, g *proc.Group, s Setup, cpu int) (*Instance, error) {
	in, spec, err := p.Prepare(s, cpu)
	if err != nil {
		return nil, err
	}
	if in.Process, err = g.Start(spec); err != nil {
		return nil, err
	}
	if err := in.Ready(ctx, in.Address, time.Minute); err != nil {
		return nil, errors.Join(err, in.Stop())
	}
	return in, nil
}

// Root says whether this program runs as root; nginx then has to be told to stay.
func (files) Root() bool { return os.Geteuid() == 0 }

// Port returns the port of Listen.
func (f files) Port() string {
	_, port, _ := net.SplitHostPort(f.Listen)
	return port
}

// WindowSeconds returns the window in seconds.
func (f files) WindowSeconds() int { return int(f.Window / time.Second) }

// LuaModules returns where Debian puts nginx's modules.
func (files) LuaModules() string { return luaModules }

// Fleet returns the base paths of the APIs.
func (f files) Fleet() []string {
	paths := make([]string, f.APIs)
	for i := range paths {
		paths[i] = BasePath(i)
	}
	return paths
}

// render writes a template's output to a file.
func (f files) render(name, to string) (string, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(f.Dir, to)
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	return path, errors.Join(t.Execute(out, f), out.Close())
}

// firstLine runs a program and returns the first line that it prints which is
// not empty.
func firstLine(ctx context.Context, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	b, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %q", strings.Join(argv, " "), err, b)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return line, nil
}
