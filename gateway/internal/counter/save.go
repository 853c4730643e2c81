package counter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrDamaged says that a file of saved counts is not as it was written.
var ErrDamaged = errors.New("the file of saved counts is damaged")

var fileMagic = []byte("gatehouse-counts-1\n")

// Save writes the counts of windows of a minute and longer to a file, replacing
// it at once or not at all.
func (s *Set) Save(path string) error {
	s.saveMu.Lock()
	defer s.saveMu.Unlock()
	if err := replaceFile(path, s.snapshot()); err != nil {
		return fmt.Errorf("saving counts: %w", err)
	}
	return nil
}

func (s *Set) saveEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.Save(s.path)
		if err != nil && !failing {
			s.log.Error("counts cannot be saved: a restart would lose them", "path", s.path, "error", err)
		}
		failing = err != nil
	}
}

// snapshot encodes the counts, one shard after the other.
func (s *Set) snapshot() []byte {
	now := s.clock.now()
	groups := map[*count][]byte{}
	for i := range s.table.shards {
		sh := &s.table.shards[i]
		sh.mu.Lock()
		for _, t := range sh.slots.all {
			for e := t.entry; e != nil; e = e.next {
				if lasting(e.owner.rules) && !e.over(now) {
					groups[e.owner] = e.encode(groups[e.owner])
				}
			}
		}
		sh.mu.Unlock()
	}
	out := bytes.Clone(fileMagic)
	out = binary.AppendUvarint(out, uint64(len(groups)))
	for c, body := range groups {
		out = c.encode(out)
		out = appendText(out, string(body))
	}
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendCells(b []byte, cells []cell) []byte {
	for _, c := range cells {
		b = binary.AppendVarint(b, c.start)
		b = binary.AppendVarint(b, c.count)
		b = binary.AppendVarint(b, c.prev)
	}
	return b
}

func (c *count) encode(b []byte) []byte {
	b = appendText(appendText(b, c.name), c.id)
	b = binary.AppendUvarint(b, uint64(len(c.rules)))
	for i := range c.rules {
		r := &c.rules[i]
		b = append(b, byte(r.kind))
		b = binary.AppendVarint(b, r.limit)
		b = binary.AppendVarint(b, r.window)
		b = binary.AppendVarint(b, r.burst)
		if r.kind == calendar {
			b = appendText(appendText(b, r.period.name), r.period.loc.String())
		}
	}
	return b
}

// encode writes the entry: its view, and what Redis is still to be told.
func (e *entry) encode(b []byte) []byte {
	b = appendCells(appendText(b, e.key), e.cells)
	if e.share == nil {
		return append(b, 0)
	}
	pend := make([]cell, len(e.cells))
	for i := range pend {
		r := &e.owner.rules[i]
		pend[i] = e.share.pend[i]
		if sent := e.share.sent[i]; e.share.seq != 0 && (r.kind == bucket || sent.start == pend[i].start) {
			pend[i].count = min(MaxUnits, pend[i].count+sent.count)
			pend[i].prev = min(MaxUnits, pend[i].prev+sent.prev)
		}
	}
	return appendCells(appendCells(append(b, 1), e.share.base), pend)
}

// Load adds the counts of a file to the set. A file that does not exist is no
// error; one that is not whole is [ErrDamaged], and nothing is taken from it.
func (s *Set) Load(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("loading counts: %w", err)
	}
	counts, err := decode(data)
	if err != nil {
		return fmt.Errorf("loading counts from %s: %w; remove the file to start without them", path, err)
	}
	now := s.clock.now()
	for _, l := range counts {
		s.restore(l, now)
	}
	return nil
}

func (s *Set) restore(l loaded, now int64) {
	s.mu.Lock()
	c := s.counts[l.count.id]
	if c == nil {
		c = l.count
		s.counts[c.id] = c
	}
	s.mu.Unlock()
	for _, from := range l.entries {
		from.owner = c
		if from.over(now) {
			continue
		}
		s.with(c, from.key, func(e *entry) {
			for i := range c.rules {
				c.rules[i].merge(&e.cells[i], &from.cells[i])
			}
			if from.share != nil && e.share == nil {
				e.share = from.share
			}
		})
	}
}

// loaded is one count of a file.
type loaded struct {
	count   *count
	entries []*entry
}

// decode reads what snapshot has written.
func decode(data []byte) ([]loaded, error) {
	n := len(data) - sha256.Size
	if n < len(fileMagic) || !bytes.HasPrefix(data, fileMagic) ||
		sha256.Sum256(data[:n]) != [sha256.Size]byte(data[n:]) {
		return nil, ErrDamaged
	}
	d := &decoder{b: data[len(fileMagic):n]}
	var out []loaded
	for range d.length() {
		l := d.count()
		if d.bad {
			break
		}
		if l.count != nil {
			out = append(out, l)
		}
	}
	if d.bad || len(d.b) != 0 {
		return nil, ErrDamaged
	}
	return out, nil
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

// length reads how many bytes or items follow; each takes at least a byte.
func (d *decoder) length() int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > uint64(len(d.b)-n) {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) text() string {
	n := d.length()
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) cells(n int) []cell {
	cs := make([]cell, n)
	for i := range cs {
		cs[i] = cell{start: d.varint(), count: d.varint(), prev: d.varint()}
	}
	return cs
}

// count reads one count. It is nil where its time zone is not known here.
func (d *decoder) count() (l loaded) {
	name, id := d.text(), d.text()
	n := d.length()
	if n == 0 || n > maxRules {
		d.bad = true
		return l
	}
	rules := make([]rule, n)
	known := true
	for i := range rules {
		r := &rules[i]
		r.kind, r.limit, r.window, r.burst = kind(d.byte()), d.varint(), d.varint(), d.varint()
		switch {
		case r.kind == calendar:
			period, zone := d.text(), d.text()
			loc, err := time.LoadLocation(zone)
			if err == nil {
				r.period, err = newPeriod(period, loc)
			}
			known = known && err == nil
		case r.kind == 0 || r.kind > concurrent || r.kind != concurrent && r.window <= 0 || r.limit <= 0:
			d.bad = true
		}
	}
	body := &decoder{b: []byte(d.text())}
	if d.bad || !known {
		return l
	}
	l.count = newCount(name, id, rules)
	for len(body.b) > 0 && !body.bad {
		e := &entry{owner: l.count, key: body.text(), cells: body.cells(n)}
		if body.byte() == 1 {
			copy(e.shared().base, body.cells(n))
			copy(e.share.pend, body.cells(n))
			copy(e.share.own, e.share.pend)
			for i := range rules {
				if rules[i].kind == bucket {
					e.share.own[i] = cell{}
				}
			}
		}
		l.entries = append(l.entries, e)
	}
	d.bad = d.bad || body.bad
	return l
}

// replaceFile writes a file so that a crash leaves the old one or the new one.
func replaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
