package bff_test

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// freeTries is how many requests the tenant-manager of the tests takes from an
// address.
const freeTries = 5

// limits is a tenant-manager that, where it is told to, refuses all that is tried
// and holds the address, as the real one does with all that anybody may call.
func (w *world) limits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ip, _, _ := net.SplitHostPort(r.RemoteAddr)
		if a, err := netip.ParseAddr(ip); err == nil && a.Is6() {
			ip = netip.PrefixFrom(a, 64).Masked().String()
		}
		w.mu.Lock()
		if w.held == nil {
			w.held = map[string]int{}
		}
		w.held[ip]++
		limited, over := w.limited && r.URL.Path != "/api/v1/setup", w.held[ip] > freeTries
		w.mu.Unlock()
		switch {
		case !limited:
			next.ServeHTTP(rw, r)
		case over:
			problem.New(problem.CodeRateLimited, "too often").WithRetryAfter(7 * time.Second).Write(rw)
		default:
			problem.New(problem.CodeCredentialInvalid, "it is not right").Write(rw)
		}
	})
}

// unlimited are the operations for everybody that no limit holds, and why.
var unlimited = map[string]string{
	"getSession":           "cookies are 256 random bits, and who has none is told the same as all",
	"signOut":              "it ends what the caller has, and succeeds for who has nothing",
	"stopImpersonating":    "it ends what the caller has",
	"impersonate":          "it is for who is signed in: nothing is looked up for anybody else",
	"impersonateElsewhere": "it is for who is signed in: nothing is looked up for anybody else",
	"switchOrganization":   "it is for who is signed in: nothing is looked up for anybody else",
	"beginSsoTest":         "it is for who is signed in: nothing is looked up for anybody else",
	"beginSsoConfirmation": "it is for who is signed in: nothing is looked up for anybody else",
	"beginOneSignIn":       "it asks nobody and keeps nothing; the authorization server, where it leads, holds addresses",
	"endOneSignIn":         "it tries only what this browser has begun; the token endpoint holds addresses: TestNobodyIsSignedInYet",
	"ssoSignedOut":         "it ends nothing, and what it compares is in the caller's own cookie",
	"listenLive":           "it is for who is signed in: nothing is looked up for anybody else",
}

// visitor is a browser behind the proxy that is trusted.
func (w *world) visitor() *browser {
	b := w.browser(admin)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.session()
	return b
}

// Every operation that anybody may call is held by a limit: here, or by
// tenant-manager, which is told the address of whoever calls. A new one falls under it.
func TestWhatAnybodyMayCallIsLimited(t *testing.T) {
	t.Parallel()
	var proxy schema.CIDR
	require.NoError(t, proxy.UnmarshalText([]byte("127.0.0.1")))
	w := start(t, func(c *bff.Config) { c.TrustedProxies = []schema.CIDR{proxy} })
	w.mu.Lock()
	w.limited = true
	w.mu.Unlock()
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	ops := operations.Public(all)
	reasons := 0
	for i, op := range ops {
		if unlimited[op.ID] != "" {
			reasons++
			continue
		}
		t.Run(op.ID, func(t *testing.T) {
			b := w.visitor()
			try := func(address string, n int) answer {
				made, err := op.Request(n, map[string]any{"totp": "000000", "state": "s", "RelayState": "s", "SAMLResponse": "x", "email": "nobody@example.com"})
				require.NoError(t, err)
				header := []string{"Cookie", "gatehouse-sso=" + strings.Repeat("x", 52), "X-Forwarded-For", address}
				if made.Body != "" {
					header = append(header, "Content-Type", made.Type)
				}
				return b.do(op.Method, "/bff"+made.Target, made.Body, header...)
			}
			held := func(a answer) bool {
				return a.status == http.StatusTooManyRequests || a.status == http.StatusSeeOther && strings.Contains(a.header.Get("Location"), "sso="+string(problem.CodeRateLimited))
			}
			var last answer
			for n := range 60 {
				// Who has one IPv6 address has all of its /64.
				if last = try(fmt.Sprintf("2001:db8:1:%d::%x", i, n+1), n); held(last) {
					break
				}
				require.NotContains(t, []int{400, 403, 405, 415, 422}, last.status, "nothing was tried: %s", last.body)
			}
			require.True(t, held(last), "the tries are not held: %d %s", last.status, last.body)
			require.NotEmpty(t, last.header.Get("Retry-After"))
			for _, another := range []string{fmt.Sprintf("2001:db8:2:%d::1", i), "198.51.100." + strconv.Itoa(i)} {
				other := try(another, 60)
				require.False(t, held(other), "another address is held as well: %s", other.body)
			}
		})
	}
	require.Len(t, unlimited, reasons, "a reason is given for what is not there any more")
}
