package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// Next returns the oldest batch that was not delivered; false where there is
// none.
func (q *Queue) Next() (Batch, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.segments) > 0 {
		s := q.segments[0]
		if q.state.Next.Segment != s.seq {
			q.state.Next = position{Segment: s.seq}
		}
		off := q.state.Next.Offset
		if off >= s.size {
			if len(q.segments) == 1 {
				return Batch{}, false, nil
			}
			if err := q.remove(); err != nil {
				return Batch{}, false, fmt.Errorf("reading spool: %w", err)
			}
			continue
		}
		b, err := q.read(s, off)
		if errors.Is(err, errDamaged) {
			if err = q.skip(s, off); err == nil {
				continue
			}
		}
		if err != nil {
			return Batch{}, false, fmt.Errorf("reading spool: %w", err)
		}
		return b, true, nil
	}
	return Batch{}, false, nil
}

func (q *Queue) read(s segment, off int64) (Batch, error) {
	f, err := os.Open(q.path(s.seq))
	if err != nil {
		return Batch{}, err
	}
	defer func() { _ = f.Close() }() // only read
	h, payload, err := readFrame(f, off, s.size, true)
	if err != nil {
		return Batch{}, err
	}
	return Batch{
		ID:      fmt.Sprintf("%s-%d-%d", q.id, s.seq, off),
		Records: int64(h.records), First: time.Unix(0, h.first).UTC(), Last: time.Unix(0, h.last).UTC(),
		Gzip: payload, Lost: slices.Clone(q.state.Lost),
		at: position{s.seq, off}, end: position{s.seq, off + h.length()},
	}, nil
}

// skip passes over a damaged part.
func (q *Queue) skip(s segment, off int64) error {
	f, err := os.Open(q.path(s.seq))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	next, err := nextFrame(f, off, s.size)
	if err != nil {
		return err
	}
	loss := traffic.Loss{Reason: "damaged", Bytes: next - off}
	if h, _, err := readFrame(f, off, s.size, false); err == nil { // the header is whole: it tells how many
		loss.Records = int64(h.records)
		loss.From, loss.To = span(loss, h)
	}
	q.total.Cut += next - off
	q.state.Next.Offset = next
	q.lose(loss)
	return q.save()
}

// remove removes the oldest segment, all of which was delivered.
func (q *Queue) remove() error {
	if err := os.Remove(q.path(q.segments[0].seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	q.segments = q.segments[1:]
	q.state.Next = position{Segment: q.segments[0].seq}
	return q.save()
}

// Done says that a batch was delivered, or is not to be: a reason, such as
// "rejected", counts it as lost.
func (q *Queue) Done(b Batch, lost string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if lost == "" {
		q.state.Lost = forget(q.state.Lost, b.Lost)
		q.total.Delivered += b.Records
	}
	if q.state.Next == b.at { // else the bound has dropped it meanwhile
		q.state.Next = b.end
		if lost != "" {
			q.lose(traffic.Loss{Records: b.Records, Bytes: b.end.Offset - b.at.Offset, From: b.First, To: b.Last, Reason: lost})
		}
	}
	if err := q.save(); err != nil {
		return fmt.Errorf("writing spool state: %w", err)
	}
	return nil
}

// forget removes reported losses; what was added to the last of them since
// stays.
func forget(have, reported []traffic.Loss) []traffic.Loss {
	n := min(len(have), len(reported))
	if n == 0 {
		return have
	}
	rest := slices.Clone(have[n:])
	grown := have[n-1]
	grown.Records -= reported[n-1].Records
	grown.Bytes -= reported[n-1].Bytes
	if grown.Records > 0 || grown.Bytes > 0 {
		grown.From = reported[n-1].To
		rest = slices.Insert(rest, 0, grown)
	}
	return rest
}
