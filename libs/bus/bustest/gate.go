package bustest

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// gate stands between one bus and its server, and can cut it off for good.
type gate struct {
	Server
	mu    sync.Mutex
	shut  bool
	conns []net.Conn
	dial  func() (net.Conn, error)
}

// For returns options that connect through the gate.
func (g *gate) For(service string) bus.Options {
	o := g.Server.For(service)
	if o.InProcess != nil {
		g.dial = o.InProcess.InProcessConn
	} else {
		addr := strings.TrimPrefix(o.URL, "nats://")
		g.dial = func() (net.Conn, error) { return (&net.Dialer{}).DialContext(context.Background(), "tcp", addr) }
	}
	o.InProcess, o.URL = g, ""
	return o
}

// InProcessConn implements the hook by which a bus connects.
func (g *gate) InProcessConn() (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, errors.New("cut off")
	}
	c, err := g.dial()
	if err == nil {
		g.conns = append(g.conns, c)
	}
	return c, err
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for _, c := range g.conns {
		_ = c.Close()
	}
}
