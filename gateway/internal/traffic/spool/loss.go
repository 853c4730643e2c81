package spool

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// dropOldest removes the oldest segment and counts what was not delivered.
func (q *Queue) dropOldest() error {
	s := q.segments[0]
	off := int64(0)
	if q.state.Next.Segment == s.seq {
		off = q.state.Next.Offset
	}
	loss := traffic.Loss{Reason: "full"}
	if f, err := os.Open(q.path(s.seq)); err == nil {
		for off < s.size {
			h, _, err := readFrame(f, off, s.size, false)
			if err != nil {
				loss.Bytes += s.size - off
				break
			}
			loss.Records += int64(h.records)
			loss.Bytes += h.length()
			loss.From, loss.To = span(loss, h)
			off += h.length()
		}
		_ = f.Close() // only read
	}
	if err := os.Remove(q.path(s.seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	q.segments = q.segments[1:]
	q.state.Next = position{Segment: q.segments[0].seq}
	q.lose(loss)
	return q.save()
}

func span(l traffic.Loss, h header) (from, to time.Time) {
	from, to = time.Unix(0, h.first).UTC(), time.Unix(0, h.last).UTC()
	if !l.From.IsZero() && l.From.Before(from) {
		from = l.From
	}
	if l.To.After(to) {
		to = l.To
	}
	return from, to
}

// lose counts a loss. Losses of one kind that follow each other are one, so that
// a long outage is one line.
func (q *Queue) lose(l traffic.Loss) {
	if l.Records == 0 && l.Bytes == 0 {
		return
	}
	q.total.Lost += l.Records
	if n := len(q.state.Lost); n > 0 && q.state.Lost[n-1].Reason == l.Reason {
		p := &q.state.Lost[n-1]
		p.Records += l.Records
		p.Bytes += l.Bytes
		if p.From.IsZero() || !l.From.IsZero() && l.From.Before(p.From) {
			p.From = l.From
		}
		if l.To.After(p.To) {
			p.To = l.To
		}
		return
	}
	q.state.Lost = append(q.state.Lost, l)
}
