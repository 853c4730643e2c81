//go:build linux

package main

import (
	"fmt"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
)

// The names of the scenarios, as -scenarios takes them.
const (
	plain1k     = "plain-1k"
	plain100k   = "plain-100k"
	managed     = "managed"
	overTLS     = "tls"
	fleet       = "apis"
	swaps       = "swaps"
	coldStart   = "cold-start"
	idleMemory  = "idle"
	credentials = "credentials"
)

func scenarioNames() []string {
	return []string{plain1k, plain100k, managed, overTLS, fleet, swaps, coldStart, idleMemory, credentials}
}

func everyone(mode peer.Mode) []entry {
	var all []entry
	for _, name := range []string{peer.Gatehouse, peer.Nginx, peer.HAProxy, peer.Caddy, peer.FastHTTP, peer.NetHTTP} {
		all = append(all, entry{peer: name, mode: mode})
	}
	return all
}

func onePath(path string) func(*suite) [][]byte {
	return func(*suite) [][]byte { return [][]byte{load.Get(peer.ServerName, path)} }
}

const (
	caddyPlain = peer.Caddy + " (plain)"
	bytesOnly  = peer.Bytes + " (no HTTP)"
)

// comparisons returns the scenarios in which proxies are compared.
func comparisons(apis int) []*comparison {
	return []*comparison{
		{
			name: plain1k, title: "Plain proxy, 1 kB answers",
			entries: everyone(peer.Plain), against: []string{peer.Nginx},
			requests: onePath("/orders/items/1"), body: load.Small,
		},
		{
			name: plain100k, title: "Plain proxy, 100 kB answers",
			entries: everyone(peer.Plain), against: []string{peer.Nginx},
			requests: onePath("/orders/100k"), body: load.Large,
		},
		{
			name: managed, title: fmt.Sprintf("Managed request, 1 kB answers: API key of one of %d applications, counter per application, one JSON log line", applications),
			entries: []entry{
				{peer: peer.Gatehouse, mode: peer.Managed},
				{peer: peer.NginxLua, mode: peer.Managed},
				{peer: peer.Caddy, mode: peer.Plain, label: caddyPlain},
				{peer: peer.Bytes, mode: peer.Plain, label: bytesOnly},
			},
			against: []string{peer.NginxLua, caddyPlain},
			requests: func(s *suite) [][]byte {
				var all [][]byte
				for _, a := range peer.Applications(applications) {
					all = append(all, load.Get(peer.ServerName, peer.ManagedPath+"items/1", "X-API-Key", a.Key))
				}
				return all
			},
			body: load.Small,
			targets: []target{
				{peer.Gatehouse, peer.NginxLua, 1.0},
				{peer.Gatehouse, caddyPlain, 0.25},
			},
			notes: []string{"Before the load each managed peer has refused a missing key, a wrong key and a call over a limit of one; after it, its log had exactly one line for each request."},
		},
		{
			name: overTLS, title: "TLS 1.3 from the client, kept connections, 1 kB answers",
			entries: everyone(peer.TLS), against: []string{peer.Nginx},
			requests: onePath("/orders/items/1"), body: load.Small,
		},
		{
			name: fleet, title: fmt.Sprintf("%d APIs with %d operations each, called at random, 1 kB answers", apis, peer.Operations),
			entries: []entry{
				{peer: peer.Gatehouse, mode: peer.Fleet},
				{peer: peer.Gatehouse, mode: peer.Plain, label: oneAPI},
				{peer: peer.Nginx, mode: peer.Fleet},
			},
			against: []string{oneAPI, peer.Nginx},
			requests: func(s *suite) [][]byte {
				all := make([][]byte, 0, s.opt.apis*peer.Operations)
				for i := range s.opt.apis {
					for op := range peer.Operations {
						all = append(all, load.Get(peer.ServerName, peer.OperationPath(i, op)))
					}
				}
				return all
			},
			body:  load.Small,
			notes: []string{"nginx has one prefix location for each API and no operations."},
		},
	}
}

const oneAPI = peer.Gatehouse + " (1 API)"
