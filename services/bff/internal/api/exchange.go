package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

const (
	// early is how long before its end an access token is no longer used.
	early = 30 * time.Second
	// exchangeLimit bounds one exchange.
	exchangeLimit = 5 * time.Second
	mostExchanged = 10_000
)

// prefixes begin the tokens of people and of service accounts.
var prefixes = []string{"ghp_", "ght_"}

const (
	// opaquePrefix begins the opaque access tokens of authorization servers, and
	// accessType is the typ of the others (RFC 9068 section 2.1), which the services'
	// own do not have.
	opaquePrefix = "gha_"
	accessType   = "at+jwt"
	// longestAccess bounds access tokens, in bytes.
	longestAccess = 8 << 10
)

// exchange keeps the access tokens of people's, service accounts' and applications'
// tokens for as long as they are valid. A token that is revoked ends with its sessions, as
// any other.
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
	// session is only what says from where the token can be used.
	session session.Session
}

func newExchange(t *Tenants, now func() time.Time) *exchange {
	return &exchange{tenants: t, now: now, known: map[[sha256.Size]byte]exchanged{}}
}

func isPersonal(token string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(token, p) })
}

// isApplications reports whether a token is one that an organization's authorization
// server gave an application. Nothing is verified: it says who is asked about the token.
func isApplications(token string) bool {
	if strings.HasPrefix(token, opaquePrefix) {
		return true
	}
	head, rest, ok := strings.Cut(token, ".")
	if !ok || !strings.Contains(rest, ".") || len(token) > longestAccess {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return false
	}
	var says struct {
		Type string `json:"typ"`
	}
	return json.Unmarshal(raw, &says) == nil && strings.EqualFold(strings.TrimPrefix(strings.ToLower(says.Type), "application/"), accessType)
}

// access returns an access token for the token of a person, a service account or an application,
// where it can be used from the address of the request. The error is the problem
// that tenant-manager answered with.
func (e *exchange) access(r *http.Request, token string) (string, error) {
	x, err := e.exchanged(r, token)
	if err != nil {
		return "", err
	}
	if from, _, _ := net.SplitHostPort(r.RemoteAddr); !x.session.From(from) {
		return "", problem.New(problem.CodeAddressDenied, "your organization does not let this token be used from %s: use its network, or ask an administrator", from)
	}
	return x.token, nil
}

func (e *exchange) exchanged(r *http.Request, token string) (exchanged, error) {
	sum := sha256.Sum256([]byte(token))
	e.mu.Lock()
	got, ok := e.known[sum]
	e.mu.Unlock()
	if ok && e.now().Before(got.until) {
		return got, nil
	}
	done := e.flight.DoChan(string(sum[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), exchangeLimit)
		defer cancel()
		now := e.now()
		swap := e.tenants.Exchange
		if isApplications(token) {
			swap = e.tenants.ExchangeAccess
		}
		a, err := swap(ctx, r, token)
		if err != nil {
			return exchanged{}, err
		}
		x := exchanged{a.Token, now.Add(time.Duration(a.Expires)*time.Second - early), session.Session{Addresses: a.Addresses}}
		e.keep(sum, x)
		return x, nil
	})
	select {
	case res := <-done:
		x, _ := res.Val.(exchanged)
		return x, res.Err
	case <-r.Context().Done():
		return exchanged{}, context.Cause(r.Context())
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
