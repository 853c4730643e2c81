package plane

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/klauspost/compress/gzip"

	"github.com/gatehouse/gatehouse/gateway/internal/traffic/spool"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// Shipper is a [spool.Shipper] over the bus.
type Shipper struct {
	// Bus is the connection.
	Bus *bus.Bus
	// Organization, Group and Gateway say whose records they are.
	Organization, Group, Gateway string
}

// Ship ships a batch, and returns when NATS has stored it. A batch that no
// message can carry is shipped in parts, the same each time; a record that none
// can carry is rejected.
func (s *Shipper) Ship(ctx context.Context, b spool.Batch) error {
	err := s.ship(ctx, b.ID, b.Gzip, traffic.Batch{Records: b.Records, Lost: b.Lost})
	if !errors.Is(err, bus.ErrTooLarge) {
		return err
	}
	text, err := b.Lines()
	if err != nil {
		return fmt.Errorf("shipping batch %s: %w: %w", b.ID, err, spool.ErrRejected)
	}
	return s.parts(ctx, b.ID, text, b.Lost)
}

func (s *Shipper) ship(ctx context.Context, id string, body []byte, b traffic.Batch) error {
	h, err := b.Header()
	if err != nil {
		return err
	}
	return bus.Ship(ctx, s.Bus, bus.Shipment{
		Organization: s.Organization, Group: s.Group, Gateway: s.Gateway, ID: id, Header: h, Body: body,
	})
}

// parts ships the two halves of a text, and of these again the halves where they
// are too large. The losses go with the first.
func (s *Shipper) parts(ctx context.Context, id string, text []byte, lost []traffic.Loss) error {
	middle := bytes.IndexByte(text[len(text)/2:], '\n') + len(text)/2 + 1
	if middle >= len(text) { // the last line is the longer half
		middle = bytes.LastIndexByte(text[:max(len(text)-1, 0)], '\n') + 1
	}
	if middle <= 0 || middle >= len(text) {
		return fmt.Errorf("shipping batch %s: one record alone is %w: %w", id, bus.ErrTooLarge, spool.ErrRejected)
	}
	var rejected error
	for i, half := range [][]byte{text[:middle], text[middle:]} {
		part := fmt.Sprintf("%s.%d", id, i)
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, gzip.BestSpeed) // the level is valid
		_, _ = w.Write(half)                            // into memory
		_ = w.Close()
		err := s.ship(ctx, part, z.Bytes(), traffic.Batch{Records: int64(bytes.Count(half, []byte("\n"))), Lost: lost})
		if errors.Is(err, bus.ErrTooLarge) {
			err = s.parts(ctx, part, half, lost)
		}
		lost = nil
		switch {
		case errors.Is(err, spool.ErrRejected):
			rejected = err // the others go on
		case err != nil:
			return err
		}
	}
	return rejected
}
