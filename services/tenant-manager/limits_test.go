package tenantmanager_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/internal/operations"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
)

// unlimited are the operations for everybody that no limit holds, and why.
var unlimited = map[string]string{
	"getSetup":       "it says one thing, the same to everybody",
	"getKeys":        "public keys, which every verifier fetches",
	"getBrandImage":  "logos are for everybody, and have the hash of what they are for a name",
	"getPublicBrand": "how a sign-in page looks, before anybody is known",

	".well-known/openid-configuration":       "public metadata",
	".well-known/oauth-authorization-server": "public metadata",
	"jwks":                                   "public keys, which every verifier fetches",
}

// refusedSo are the operations that say 400 to what is not right, because their protocol
// has it so.
var refusedSo = map[string]bool{"endSsoSessions": true}

// mostTries is how many wrong tries any limit lets through at once.
const mostTries = 130

// passkey is the form of a passkey's answer.
var passkey = map[string]any{"id": "AA", "rawId": "AA", "type": "public-key", "response": map[string]any{"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}}

// triedWith stands in place of what the document says, by operation.
var triedWith = map[string]map[string]any{
	"signInPasskey":    {"passkey": passkey},
	"finishSignIn":     {"totp": "000000"},
	"beginSsoSignIn":   {"email": "nobody@elsewhere.example", "binding": binding},
	"usePasswordLink":  {"password": goodWord},
	"acceptInvitation": {"password": goodWord},
}

// forwarded sends requests over the bus, as the bff does, with the address that it saw.
type forwarded struct {
	rt http.RoundTripper
	ip string
}

// RoundTrip implements http.RoundTripper.
func (f forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r.RemoteAddr = net.JoinHostPort(f.ip, "1")
	return f.rt.RoundTrip(r)
}

// try sends one request, and follows nowhere.
func (w *world) try(t testing.TB, by http.RoundTripper, r *http.Request) answer {
	t.Helper()
	res, err := by.RoundTrip(r.WithContext(t.Context()))
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, string(b), res.Header}
}

// held reports whether an answer says to wait: with 429, or by the page that says so
// to people.
func held(a answer) bool {
	return a.status == http.StatusTooManyRequests || a.status == http.StatusSeeOther && strings.Contains(a.header.Get("Location"), "error=slow_down")
}

// holds asserts that wrong tries of one subscriber are held, who has all addresses of a
// /64, and those of another are not, of whichever version of IP.
func (w *world) holds(t *testing.T, number int, refused []int, request func(n int) *http.Request) {
	t.Helper()
	bus := bus.Forward(w.other, tenant.Service)
	address := func(subnet, host int) http.RoundTripper {
		return forwarded{bus, fmt.Sprintf("2001:db8:%d:%d::%x", subnet, number, host+1)}
	}
	var last answer
	for n := range mostTries {
		if last = w.try(t, address(1, n), request(n)); held(last) {
			break
		}
		require.Less(t, last.status, 500, last.body)
		require.NotContains(t, refused, last.status, "nothing was tried: %s", last.body)
	}
	require.True(t, held(last), "%d tries are not held: %d %s", mostTries, last.status, last.body)
	wait, err := strconv.Atoi(last.header.Get("Retry-After"))
	require.NoError(t, err, "Retry-After")
	require.Positive(t, wait)
	for _, another := range []http.RoundTripper{address(2, 0), from(t, "127.0.2."+strconv.Itoa(number)).Transport} {
		other := w.try(t, another, request(mostTries))
		require.False(t, held(other), "another address is held as well: %s", other.body)
	}
}

// Every operation that anybody may call is held by a limit, or says nothing that is
// not public. A new one falls under it.
func TestWhatAnybodyMayCallIsLimited(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	ops := operations.Public(all)
	require.Greater(t, len(ops), 20)
	reasons := map[string]bool{}
	for i, op := range ops {
		if unlimited[op.ID] != "" {
			reasons[op.ID] = true
			continue
		}
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			refused := []int{400, 405, 415, 422}
			if refusedSo[op.ID] {
				refused = refused[1:]
			}
			a.holds(t, i+1, refused, func(n int) *http.Request {
				made, err := op.Request(n, triedWith[op.ID])
				require.NoError(t, err)
				r, err := http.NewRequest(op.Method, a.url+"/api/v1"+made.Target, strings.NewReader(made.Body))
				require.NoError(t, err)
				if made.Body != "" {
					r.Header.Set("Content-Type", made.Type)
				}
				return r
			})
		})
	}
	number := 100
	client := a.made(t, `{"name":"Billing"}`)
	for name, methods := range oauth.Endpoints() {
		if unlimited[name] != "" {
			reasons[name] = true
			continue
		}
		for _, method := range methods {
			if method == http.MethodHead {
				continue
			}
			number++
			t.Run("oauth "+method+" "+name, func(t *testing.T) {
				t.Parallel()
				a.holds(t, number, []int{400, 405, 415, 422}, func(n int) *http.Request {
					wrong := "wrong" + strconv.Itoa(n)
					form := url.Values{
						"client_id": {client.id}, "client_secret": {wrong}, "grant_type": {"client_credentials"}, "token": {wrong}, "id_token_hint": {wrong},
					}
					target, body := a.issuer+"/"+strings.ReplaceAll(name, "{id}", "none"), form.Encode()
					if method == http.MethodGet {
						target, body = target+"?"+body, ""
					}
					r, err := http.NewRequest(method, target, strings.NewReader(body))
					require.NoError(t, err)
					if body != "" {
						r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					}
					r.Header.Set("Authorization", "Bearer "+wrong)
					return r
				})
			})
		}
	}
	require.Len(t, reasons, len(unlimited), "a reason is given for what is not there any more")
}
