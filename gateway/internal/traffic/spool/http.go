package spool

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// HTTP delivers batches by POST of gzipped JSON lines. Batch-Id tells a receiver
// what it already has; Lost-Records how many records were lost before, as
// "records;from=TIME;to=TIME;reason=WORD", one field each.
type HTTP struct {
	// URL takes the batches.
	URL string
	// Header is sent with each.
	Header http.Header
	// Client has a time limit and follows no redirects.
	Client *http.Client
}

// Ship posts a batch. A 2xx answer takes it. 400, 413, 415 and 422 reject it for
// ever; any other answer, 401 and 404 among them, is a fault that somebody will
// mend, and is tried again.
func (h *HTTP) Ship(ctx context.Context, b Batch) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(b.Gzip))
	if err != nil {
		return fmt.Errorf("making request: %w", err)
	}
	for name, values := range h.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("Batch-Id", b.ID)
	req.Header.Set("Idempotency-Key", b.ID)
	req.Header.Set("Batch-Records", strconv.FormatInt(b.Records, 10))
	for _, l := range b.Lost {
		req.Header.Add("Lost-Records", fmt.Sprintf("%d;from=%s;to=%s;reason=%s",
			l.Records, l.From.UTC().Format(time.RFC3339), l.To.UTC().Format(time.RFC3339), l.Reason))
	}
	resp, err := h.Client.Do(req)
	if err != nil {
		return fmt.Errorf("posting batch: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // to use the connection again
	_ = resp.Body.Close()                                         // only read
	switch c := resp.StatusCode; {
	case c >= 200 && c < 300:
		return nil
	case c == http.StatusBadRequest, c == http.StatusRequestEntityTooLarge, c == http.StatusUnsupportedMediaType, c == http.StatusUnprocessableEntity:
		return fmt.Errorf("posting batch %s: status %d: %w", b.ID, c, ErrRejected)
	default:
		err := fmt.Errorf("posting batch: status %d", c) //nolint:err113 // the text is all
		if s, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil && s > 0 {
			return &RetryAfter{After: time.Duration(s) * time.Second, Err: err}
		}
		return err
	}
}
