package traffic

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Names in the header of a batch on its way from a gateway over the bus.
const (
	headerEncoding = "Encoding"
	headerRecords  = "Records"
	headerLost     = "Lost"
	encodingGzip   = "gzip"
)

// MaxLines is the most that the lines of one batch take when they are
// decompressed, in bytes.
const MaxLines = 32 << 20

// Batch is what is told of a batch of records besides its lines, which are
// records as JSON, each ended by a newline, compressed with gzip.
type Batch struct {
	// Records is how many lines there are.
	Records int64
	// Lost is what the gateway lost before the batch, and has not told yet.
	Lost []Loss
}

// Header returns the batch as the header of a shipment.
func (b Batch) Header() (map[string]string, error) {
	h := map[string]string{headerEncoding: encodingGzip, headerRecords: strconv.FormatInt(b.Records, 10)}
	if len(b.Lost) > 0 {
		lost, err := json.Marshal(b.Lost)
		if err != nil {
			return nil, err
		}
		h[headerLost] = string(lost)
	}
	return h, nil
}

var errTooLong = errors.New("the batch is too long when it is decompressed")

// OpenBatch returns a shipment's batch and its lines. Each line is a [Record] as
// JSON.
func OpenBatch(header map[string]string, body []byte) (b Batch, lines [][]byte, err error) {
	if e := header[headerEncoding]; e != encodingGzip {
		return b, nil, fmt.Errorf("opening a batch: encoding %q is not known", e)
	}
	if b.Records, err = strconv.ParseInt(header[headerRecords], 10, 64); err != nil {
		return b, nil, fmt.Errorf("opening a batch: number of records: %w", err)
	}
	if lost := header[headerLost]; lost != "" {
		if err := json.Unmarshal([]byte(lost), &b.Lost); err != nil {
			return b, nil, fmt.Errorf("opening a batch: losses: %w", err)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return b, nil, fmt.Errorf("opening a batch: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxLines+1))
	if err != nil {
		return b, nil, fmt.Errorf("opening a batch: %w", err)
	}
	if len(text) > MaxLines {
		return b, nil, fmt.Errorf("opening a batch: %w", errTooLong)
	}
	for l := range bytes.Lines(text) {
		if l = bytes.TrimSuffix(l, []byte("\n")); len(l) > 0 {
			lines = append(lines, l)
		}
	}
	return b, lines, nil
}
