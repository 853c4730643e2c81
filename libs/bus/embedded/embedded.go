// Package embedded runs a NATS server with JetStream inside the process: for
// standalone, where nothing listens on any port, and for tests, where it may.
// Every service has a user of its own there as well, with a password made at
// the start and kept in memory only.
//
// It knows of services what [bus.Access] says, and nothing else.
package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// Options say how the server runs.
type Options struct {
	// Dir is where JetStream keeps its files.
	Dir string
	// Key encrypts those files; "" = they are as they are. Files of before are encrypted
	// at the start.
	Key string
	// Listen is a TCP address such as "127.0.0.1:0"; empty listens on none.
	Listen string
	// Access lists the services. Nobody else can connect.
	Access []bus.Access
	// Sync writes every message through to the disk before it is acknowledged,
	// so that a loss of power loses nothing either; without it the disk is
	// written through every two seconds. The end of the process alone loses
	// nothing in either case.
	Sync bool
	// Log is where the server logs; nil discards.
	Log *slog.Logger
}

// startLimit bounds how long the server may take to recover its files.
const startLimit = 30 * time.Second

// Server is a NATS server. Make one with [Start].
type Server struct {
	opt       Options
	passwords map[string]string

	mu      sync.Mutex
	running *server.Server
	addr    string // where it listens, kept over restarts
}

// Start runs a server and returns when it accepts connections.
func Start(opt Options) (*Server, error) {
	s := &Server{opt: opt, addr: opt.Listen, passwords: map[string]string{}}
	if s.opt.Log == nil {
		s.opt.Log = slog.New(slog.DiscardHandler)
	}
	for _, a := range opt.Access {
		s.passwords[a.Service] = rand.Text()
	}
	if err := s.Resume(); err != nil {
		return nil, err
	}
	return s, nil
}

// Resume starts a stopped server again, with the same files, users and address.
func (s *Server) Resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return errors.New("starting NATS: it is running")
	}
	o, err := s.options()
	if err != nil {
		return fmt.Errorf("starting NATS: %w", err)
	}
	n, err := server.NewServer(o)
	if err != nil {
		return fmt.Errorf("starting NATS: %w", err)
	}
	n.SetLoggerV2(&logger{s.opt.Log}, false, false, false)
	n.Start()
	if !n.ReadyForConnections(startLimit) || !n.JetStreamEnabled() {
		n.Shutdown()
		n.WaitForShutdown()
		return fmt.Errorf("starting NATS: it was not ready within %s; see its log, and whether %s can be written", startLimit, s.opt.Dir)
	}
	if s.opt.Listen != "" {
		s.addr = n.Addr().String()
	}
	s.running = n
	return nil
}

func (s *Server) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: "gatehouse", DontListen: s.opt.Listen == "", NoSigs: true,
		JetStream: true, StoreDir: s.opt.Dir, JetStreamKey: s.opt.Key, JetStreamCipher: server.ChaCha,
		SyncAlways: s.opt.Sync, SyncInterval: 2 * time.Second,
		MaxPayload: 1 << 20, MaxPending: 64 << 20, WriteDeadline: 10 * time.Second,
		MaxControlLine: 4096, NoSystemAccount: true,
	}
	if s.opt.Listen != "" {
		host, port, err := net.SplitHostPort(s.addr)
		if err != nil {
			return nil, err
		}
		if o.Port, err = strconv.Atoi(port); err != nil {
			return nil, err
		}
		if o.Host = host; o.Port == 0 {
			o.Port = server.RANDOM_PORT
		}
	}
	if len(s.opt.Access) == 0 {
		return nil, errors.New("nobody has access")
	}
	for _, a := range s.opt.Access {
		g, err := a.Grant()
		if err != nil {
			return nil, err
		}
		o.Users = append(o.Users, &server.User{
			Username: a.Service, Password: s.passwords[a.Service],
			Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: g.Publish},
				Subscribe: &server.SubjectPermission{Allow: g.Subscribe},
			},
		})
	}
	return o, nil
}

// Stop ends the server, and returns when its files are closed. Connections are
// lost; [Server.Resume] lets them come back.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
	s.running = nil
}

// InProcessConn connects to the server within the process. It is what
// [bus.Options] takes.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil, errors.New("the embedded NATS is stopped")
	}
	c, err := s.running.InProcessConn()
	if err != nil {
		return nil, err
	}
	return newPipe(c), nil
}

// Addr returns the TCP address on which the server listens, or "".
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// For returns options with which a service connects within the process, with
// its own credentials. A service that is not in the list gets none, and is
// refused.
func (s *Server) For(service string) bus.Options {
	return bus.Options{Service: service, InProcess: s, Username: service, Password: s.passwords[service]}
}

// logger passes on what the server logs.
type logger struct{ log *slog.Logger }

func (l *logger) Noticef(f string, v ...any) { l.log.Debug("nats", "message", fmt.Sprintf(f, v...)) }

func (l *logger) Debugf(f string, v ...any) { l.log.Debug("nats", "message", fmt.Sprintf(f, v...)) }

func (l *logger) Tracef(f string, v ...any) { l.log.Debug("nats", "message", fmt.Sprintf(f, v...)) }

func (l *logger) Warnf(f string, v ...any) {
	if strings.Contains(f, "Plaintext passwords") {
		return // they are random, and in the memory of this process only
	}
	l.log.Warn("nats", "message", fmt.Sprintf(f, v...))
}

func (l *logger) Errorf(f string, v ...any) { l.log.Error("nats", "message", fmt.Sprintf(f, v...)) }

func (l *logger) Fatalf(f string, v ...any) { l.log.Error("nats", "message", fmt.Sprintf(f, v...)) }
