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
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", req.URL.Host, res.Status)
	}
	return nil
}
