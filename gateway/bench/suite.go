//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/proc"
)

// module is where the programs of the benchmark are built from.
const module = "github.com/gatehouse/gatehouse/gateway/bench/"

// suite is what all scenarios share: the machine's two cores, the upstream, the
// peers that are there, and the folder for everything written.
type suite struct {
	opt         options
	dir         string
	log         io.Writer // progress, for people
	group       proc.Group
	proxyCPU    int // -1 = any
	loadCPU     int
	machine     string
	upstream    string // host:port
	peers       []*peer.Peer
	missing     []string // why a peer is not among them
	certificate peer.Certificate
	client      *http.Client // for single requests that are not measured
	dirs        int
}

func (s *suite) say(format string, args ...any) { fmt.Fprintf(s.log, format+"\n", args...) }

// prepare chooses the cores, builds the helper programs, finds or installs the
// peers and starts the upstream.
func (s *suite) prepare(ctx context.Context) error {
	s.machine = fmt.Sprintf("%s; load average before the start %s", proc.Machine(), proc.LoadAverage())
	if err := s.chooseCores(); err != nil {
		return err
	}
	var err error
	if s.certificate, err = peer.NewCertificate(); err != nil {
		return err
	}
	config, err := s.certificate.Client()
	if err != nil {
		return err
	}
	s.client = &http.Client{
		Timeout:       5 * time.Second,
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: config, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	built := filepath.Join(s.dir, "bin")
	for program, wanted := range map[string]bool{
		"upstream": true, "peers/fasthttp": s.opt.wantsPeer(peer.FastHTTP), "peers/nethttp": s.opt.wantsPeer(peer.NetHTTP),
		"peers/bytes": s.opt.wantsPeer(peer.Bytes),
	} {
		if !wanted {
			continue
		}
		s.say("building %s", program)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(built, filepath.Base(program)), module+program)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s (run this inside the repository): %w: %s", program, err, out)
		}
	}
	if err := s.findPeers(ctx, built); err != nil {
		return err
	}
	if s.upstream, err = proc.FreeAddress(); err != nil {
		return err
	}
	up, err := s.group.Start(proc.Spec{
		Name: "upstream", Argv: []string{filepath.Join(built, "upstream"), "-listen", s.upstream},
		Env: []string{"GOMAXPROCS=1"}, Dir: s.dir, CPU: s.loadCPU,
	})
	if err != nil {
		return err
	}
	if err := up.Ready(ctx, s.upstream, 10*time.Second); err != nil {
		return err
	}
	if s.loadCPU >= 0 {
		// From here on, so that builds could use the whole machine.
		return proc.Pin(s.loadCPU)
	}
	return nil
}

// chooseCores gives the proxy one core, and the load and the upstream another.
func (s *suite) chooseCores() error {
	cores, err := proc.Cores()
	if err != nil {
		return err
	}
	if len(cores) < 2 {
		s.say("WARNING: one core only: proxy, load and upstream take turns on it; throughput and latency mean little")
		s.proxyCPU, s.loadCPU = cores[0], cores[0]
		return nil
	}
	s.loadCPU, s.proxyCPU = cores[len(cores)-2], cores[len(cores)-1]
	return nil
}

// findPeers keeps the peers that were asked for and are there, installing what
// is missing where that was allowed, and names the others.
func (s *suite) findPeers(ctx context.Context, built string) error {
	all := peer.All(peer.Binaries{
		Gateway: s.opt.gateway, Bases: s.opt.bases, Nginx: s.opt.nginx, HAProxy: s.opt.haproxy, Caddy: s.opt.caddy, Built: built,
	})
	var packages []string
	for _, p := range all {
		if !s.opt.wantsPeer(p.Name) {
			continue
		}
		s.peers = append(s.peers, p)
		if p.Find() != nil {
			packages = append(packages, p.Packages...)
		}
	}
	if len(packages) > 0 && s.opt.install {
		s.say("installing %s", strings.Join(packages, " "))
		if err := peer.Install(ctx, packages, s.log); err != nil {
			s.say("WARNING: %v", err)
		}
	}
	s.peers = slices.DeleteFunc(s.peers, func(p *peer.Peer) bool {
		err := p.Find()
		if err != nil {
			s.missing = append(s.missing, err.Error())
			s.say("WARNING: MISSING: %v", err)
		}
		return err != nil
	})
	if len(s.peers) == 0 {
		return errors.New("none of the peers is on this machine")
	}
	return ctx.Err()
}

// peer returns a peer that is there, or nil.
func (s *suite) peer(name string) *peer.Peer {
	for _, p := range s.peers {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// setup returns what a proxy needs to know for a mode, with a new folder.
func (s *suite) setup(mode peer.Mode) (peer.Setup, error) {
	s.dirs++
	dir := filepath.Join(s.dir, fmt.Sprintf("%03d-%s", s.dirs, mode))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return peer.Setup{}, fmt.Errorf("making a folder: %w", err)
	}
	return peer.Setup{
		Mode: mode, Dir: dir, Upstream: s.upstream, Certificate: s.certificate,
		Applications: peer.Applications(applications), Limit: 1_000_000_000, Window: time.Minute,
		APIs: s.opt.apis,
	}, nil
}

func (s *suite) start(ctx context.Context, p *peer.Peer, mode peer.Mode) (*peer.Instance, error) {
	setup, err := s.setup(mode)
	if err != nil {
		return nil, err
	}
	return p.Start(ctx, &s.group, setup, s.proxyCPU)
}

// get sends one request and returns its status and body.
func (s *suite) get(ctx context.Context, url string, header ...string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// counted returns how many requests the upstream has answered.
func (s *suite) counted(ctx context.Context) (int64, error) {
	_, body, err := s.get(ctx, "http://"+s.upstream+"/count")
	if err != nil {
		return 0, fmt.Errorf("asking the upstream for its count: %w", err)
	}
	return strconv.ParseInt(string(body), 10, 64)
}

// measured sends a counted run through a proxy, and makes sure that each request
// reached the upstream exactly once.
func (s *suite) measured(ctx context.Context, session *load.Session, run load.Run) (load.Result, error) {
	before, err := s.counted(ctx)
	if err != nil {
		return load.Result{}, err
	}
	res, err := session.Do(ctx, run)
	if err != nil {
		return res, err
	}
	after, err := s.counted(ctx)
	if err != nil {
		return res, err
	}
	if after-before != res.Requests {
		return res, fmt.Errorf("%w: %d answers, but the upstream saw %d requests", load.ErrAnswer, res.Requests, after-before)
	}
	return res, nil
}
