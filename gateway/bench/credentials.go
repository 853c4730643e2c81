//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/peer"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/report"
)

// credentialTime is how long the gateway may take to know all credentials.
const credentialTime = 3 * time.Minute

// credentialsTable gives the gateway many credentials and reads its memory once
// the last of them is let in.
func (s *suite) credentialsTable(ctx context.Context) (report.Table, []outcome, error) {
	n := s.opt.credentials
	t := report.Table{
		Title:  fmt.Sprintf("%d credentials", n),
		Header: []string{"peer", "MB", "start s"},
	}
	setup, err := s.setup(peer.Managed)
	if err != nil {
		return t, nil, err
	}
	setup.Credentials = n
	in, spec, err := s.peer(peer.Gatehouse).Prepare(setup, s.proxyCPU)
	if err != nil {
		return t, nil, err
	}
	began := time.Now()
	if in.Process, err = s.group.Start(spec); err != nil {
		return t, nil, err
	}
	defer in.Stop() //nolint:errcheck // the group reports what would not stop
	if err := in.Ready(ctx, in.Address, credentialTime); err != nil {
		return t, nil, err
	}
	url := "http://" + in.Address + peer.ManagedPath + "items/1"
	key := peer.CredentialKey(n - 1)
	if err := s.until(ctx, url, 5*time.Millisecond, credentialTime, "X-API-Key", key); err != nil {
		return t, nil, err
	}
	took := time.Since(began)
	rss, err := s.settled(ctx, in, peer.ManagedPath+"items/1", "X-API-Key", key)
	if err != nil {
		return t, nil, err
	}
	t.Rows = append(t.Rows, []string{peer.Gatehouse, megabytes(rss), fmt.Sprintf("%.1f", took.Seconds())})
	if n < 1_000_000 {
		return t, nil, nil // the target is for a million
	}
	o := verdict("a million credentials under 200 MB", megabytes(rss)+" MB", rss < 200e6)
	t.Notes = append(t.Notes, o.text)
	return t, []outcome{o}, nil
}
