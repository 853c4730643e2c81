package db

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// Status is how a database does.
type Status struct {
	// Latency is how long the primary took to answer.
	Latency time.Duration
	// Schema is the newest migration of the service that was applied, Applied how
	// many of them were, At when the last was, Pending those that were not.
	Schema  string
	Applied int
	At      time.Time
	Pending []string
	// Outbox is how many events wait for the bus, Oldest how long the oldest does.
	Outbox int64
	Oldest time.Duration
	// Replicas are the read replicas.
	Replicas []ReplicaStatus
}

// ReplicaStatus is how a replica does.
type ReplicaStatus struct {
	Name string
	Up   bool
	// Lag is how far it is behind; nil = it does not tell.
	Lag *time.Duration
}

// Status asks the database how it does. files are the service's migrations. The
// error is that of the primary.
func (d *DB) Status(ctx context.Context, files fs.FS) (Status, error) {
	var s Status
	begin := time.Now()
	if err := d.primary.PingContext(ctx); err != nil {
		return s, fmt.Errorf("asking the database: %w", err)
	}
	s.Latency = time.Since(begin)
	list, err := d.load(files)
	if err != nil {
		return s, fmt.Errorf("loading migrations: %w", err)
	}
	var rows []struct {
		SetName   string
		Version   int64
		AppliedAt time.Time
	}
	g := d.session(ctx, false)
	err = g.Raw("SELECT set_name, version, applied_at FROM schema_migrations ORDER BY applied_at, step").Scan(&rows).Error
	if err != nil {
		return s, fmt.Errorf("reading the state of migrations: %w", err)
	}
	done := map[migrationKey]int{}
	for _, r := range rows {
		done[migrationKey{r.SetName, r.Version}]++
		if r.SetName == setService && r.AppliedAt.After(s.At) {
			s.At = r.AppliedAt
		}
	}
	for _, m := range list {
		name := fmt.Sprintf("%04d_%s", m.version, m.name)
		if m.set == setSystem {
			name = "system " + name
		}
		switch {
		case done[m.key()] < len(m.steps):
			s.Pending = append(s.Pending, name)
		case m.set == setService:
			s.Schema = name
			s.Applied++
		}
	}
	var oldest outboxRow
	if err := g.Model(&outboxRow{}).Where("sent_at IS NULL").Count(&s.Outbox).Error; err != nil {
		return s, fmt.Errorf("reading the outbox: %w", err)
	}
	if s.Outbox > 0 && g.Where("sent_at IS NULL").Order("id").Limit(1).Find(&oldest).Error == nil && oldest.ID != 0 {
		s.Oldest = d.Now().Sub(oldest.CreatedAt)
	}
	if d.dialect == SQLite { // its other pool reads the same file
		return s, nil
	}
	for _, p := range d.pools[1:] {
		s.Replicas = append(s.Replicas, d.replicaStatus(ctx, p))
	}
	return s, nil
}

func (d *DB) replicaStatus(ctx context.Context, p *pool) ReplicaStatus {
	r := ReplicaStatus{Name: p.watch.name, Up: !p.watch.down.Load()}
	if !r.Up || d.dialect != Postgres {
		return r
	}
	var seconds *float64
	// Where nothing was written for a while, there is nothing to be behind with.
	row := p.QueryRowContext(ctx, "SELECT CASE WHEN NOT pg_is_in_recovery() THEN NULL WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 "+
		"ELSE EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp())::double precision END")
	if row.Scan(&seconds) == nil && seconds != nil {
		lag := time.Duration(*seconds * float64(time.Second))
		r.Lag = &lag
	}
	return r
}
