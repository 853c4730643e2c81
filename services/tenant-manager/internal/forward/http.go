package forward

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// post sends entries as one JSON array. Any answer 2xx has taken them.
func (s *Sender) post(ctx context.Context, r store.AuditReceiver, roots *x509.CertPool, entries []audit.Entry) error {
	body, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("encoding audit entries: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "gatehouse")
	if secret := r.Secret.Reveal(); secret != "" {
		req.Header.Set("Authorization", secret)
	}
	t := s.guard.Transport()
	t.TLSClientConfig = tlsConfig(roots, "")
	// A redirect would take the entries, and the secret, to an address that nobody
	// named.
	c := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Errorf("%s does not answer: %w", req.URL.Host, err)
	}
	defer func() { _ = res.Body.Close() }()                     // it was read
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // its status says it all
	if res.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("%s answers %s", req.URL.Host, res.Status)
	switch res.StatusCode {
	case http.StatusRequestEntityTooLarge:
		return &largeError{err}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable: // RFC 9110 section 10.2.3
		if after := retryAfter(res.Header.Get("Retry-After"), time.Now()); after > 0 {
			return &LaterError{after, err}
		}
	}
	return err
}

// retryAfter reads the header Retry-After: seconds, or a date. 0 = it says nothing that
// can be read.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, longestAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, min(at.Sub(now), longestAfter))
	}
	return 0
}

// inParts is as post; where the receiver finds it too large it gets the halves, and an
// entry that is too large alone without its changes: the whole is in the trail.
func (s *Sender) inParts(ctx context.Context, r store.AuditReceiver, roots *x509.CertPool, entries []audit.Entry) error {
	err := s.post(ctx, r, roots, entries)
	var large *largeError
	switch {
	case !errors.As(err, &large):
		return err
	case len(entries) == 1:
		if len(entries[0].Changes) == 0 {
			return err
		}
		short := entries[0]
		short.Changes = nil
		return s.post(ctx, r, roots, []audit.Entry{short})
	}
	half := len(entries) / 2
	if err := s.inParts(ctx, r, roots, entries[:half]); err != nil {
		return err
	}
	return s.inParts(ctx, r, roots, entries[half:])
}
