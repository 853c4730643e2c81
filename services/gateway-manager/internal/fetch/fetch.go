// Package fetch gets OpenAPI documents from addresses that users name. It goes
// nowhere that only this process could go: private, local and reserved networks
// are refused, whatever name stands for them, unless the configuration allows
// them.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse/gatehouse/libs/egress"
)

// Options say what may be fetched.
type Options struct {
	// MaxSize is the longest document, in bytes.
	MaxSize int64
	// Guard says which networks may be gone to, besides public ones.
	Guard egress.Guard
	// Timeout bounds a whole fetch.
	Timeout time.Duration
}

// Fetcher fetches documents. It is safe for concurrent use.
type Fetcher struct {
	opt    Options
	client *http.Client
}

const maxRedirects = 5

var (
	errURL       = errors.New("want an http:// or https:// address without user and password")
	errRedirects = fmt.Errorf("it is redirected more than %d times", maxRedirects)
)

// New returns a fetcher.
func New(opt Options) *Fetcher {
	f := &Fetcher{opt: opt}
	f.client = &http.Client{
		Timeout:   opt.Timeout,
		Transport: opt.Guard.Transport(),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return errRedirects
			}
			return check(r.URL)
		},
	}
	return f
}

func check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errURL
	}
	return nil
}

// Fetch returns the document at an address. The text of its error is for whoever
// named the address.
func (f *Fetcher) Fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errURL
	}
	if err := check(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errURL
	}
	req.Header.Set("Accept", "application/json, application/yaml, text/yaml, */*;q=0.5")
	req.Header.Set("User-Agent", "gatehouse")
	res, err := f.client.Do(req)
	if err != nil {
		if refused := egress.Refused(err); refused != nil {
			return nil, fmt.Errorf("%w (import.allow): send the document itself", refused)
		}
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, fmt.Errorf("%s does not answer: %w", u.Host, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", u.Host, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, f.opt.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading from %s: %w", u.Host, err)
	}
	if int64(len(body)) > f.opt.MaxSize {
		return nil, fmt.Errorf("it is larger than %d MiB", f.opt.MaxSize>>20)
	}
	return body, nil
}
