package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// personal begins the tokens of service accounts.
	personal = "ght_"
	// early is how long before its end an access token is no longer used.
	early = 30 * time.Second
	// exchangeLimit bounds one exchange.
	exchangeLimit = 5 * time.Second
	mostExchanged = 10_000
)

// exchange keeps the access tokens of service accounts for as long as they are
// valid. A token that is revoked ends with its sessions, as any other.
type exchange struct {
	tenants *Tenants
	now     func() time.Time
	flight  singleflight.Group

	mu    sync.Mutex
	known map[[sha256.Size]byte]exchanged
}

type exchanged struct {
	token string
	until time.Time
}

func newExchange(t *Tenants, now func() time.Time) *exchange {
	return &exchange{tenants: t, now: now, known: map[[sha256.Size]byte]exchanged{}}
}

func isPersonal(token string) bool { return strings.HasPrefix(token, personal) }

// access returns an access token for the token of a service account. The error
// is the problem that tenant-manager answered with.
func (e *exchange) access(r *http.Request, token string) (string, error) {
	sum := sha256.Sum256([]byte(token))
	e.mu.Lock()
	got, ok := e.known[sum]
	e.mu.Unlock()
	if ok && e.now().Before(got.until) {
		return got.token, nil
	}
	done := e.flight.DoChan(string(sum[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), exchangeLimit)
		defer cancel()
		now := e.now()
		a, err := e.tenants.Exchange(ctx, r, token)
		if err != nil {
			return "", err
		}
		e.keep(sum, exchanged{a.Token, now.Add(time.Duration(a.Expires)*time.Second - early)})
		return a.Token, nil
	})
	select {
	case res := <-done:
		s, _ := res.Val.(string)
		return s, res.Err
	case <-r.Context().Done():
		return "", context.Cause(r.Context())
	}
}

func (e *exchange) keep(sum [sha256.Size]byte, x exchanged) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.known) >= mostExchanged {
		now := e.now()
		for k, v := range e.known {
			if !now.Before(v.until) {
				delete(e.known, k)
			}
		}
	}
	for k := range e.known {
		if len(e.known) < mostExchanged {
			break
		}
		delete(e.known, k)
	}
	e.known[sum] = x
}
