package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
)

const (
	// mostRemembered bounds what is remembered of organizations, and of host names.
	mostRemembered = 1000
	// offeredFor is how long is remembered that a host has the one sign-in, and
	// refusedFor that it has not.
	offeredFor = time.Minute
	refusedFor = 5 * time.Second
	// mostTokens bounds the answer of the token endpoint, in bytes.
	mostTokens = 64 << 10
)

// authServer is the authorization server as a client of it knows it: it is reached over
// the bus, never by the address under which people reach it.
type authServer struct {
	transport http.RoundTripper
	now       func() time.Time

	mu      sync.Mutex
	keys    map[string]oidc.KeySet // by issuers' short names
	offered map[string]offer       // by redirect addresses and issuers
}

// offer is whether a host has the one sign-in, and until when that is remembered.
type offer struct {
	is    bool
	until time.Time
}

func newAuthServer(rt http.RoundTripper, now func() time.Time) *authServer {
	return &authServer{transport: rt, now: now, keys: map[string]oidc.KeySet{}, offered: map[string]offer{}}
}

func endpoint(slug, name string) string {
	return "http://" + tenant.Service + "/oauth/" + url.PathEscape(slug) + "/" + name
}

// said is an answer of the authorization server.
type said struct {
	status int
	header http.Header
	body   []byte
}

// ask makes one request for a browser's.
func (a *authServer) ask(from *http.Request, method, address string, form url.Values) (said, error) {
	r, err := http.NewRequestWithContext(from.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return said{}, fmt.Errorf("asking the authorization server: %w", err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("User-Agent", from.UserAgent())
	r.RemoteAddr = from.RemoteAddr
	passOn(from, r.Header)
	res, err := a.transport.RoundTrip(r)
	if err != nil {
		return said{}, err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(io.LimitReader(res.Body, mostTokens))
	if err != nil {
		return said{}, fmt.Errorf("reading the answer of the authorization server: %w", err)
	}
	return said{res.StatusCode, res.Header, b}, nil
}

// redeem exchanges a code, checks who the ID token is about and whom it is for, and
// returns the access token.
func (h *handlers) redeem(from *http.Request, at console, slug, code string, s oidcSign) (access string, err error) {
	res, err := h.auth.ask(from, http.MethodPost, endpoint(slug, "token"), url.Values{
		"grant_type": {"authorization_code"}, "client_id": {at.client}, "redirect_uri": {at.redirect}, "code": {code}, "code_verifier": {s.verifier},
	})
	if err != nil {
		return "", err
	}
	switch {
	case res.status == http.StatusTooManyRequests:
		p := problem.New(problem.CodeRateLimited, "too many sign-ins from this address: try again in a moment")
		if n, err := strconv.Atoi(res.header.Get("Retry-After")); err == nil {
			p.RetryAfter = time.Duration(n) * time.Second
		}
		return "", p
	case res.status >= http.StatusInternalServerError:
		return "", fmt.Errorf("the token endpoint answered %d", res.status)
	case res.status != http.StatusOK:
		var refused struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(res.body, &refused) // what it is for is the log
		return "", notOurs(fmt.Sprintf("the token endpoint answered %d %.40q", res.status, refused.Error))
	}
	var out struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	if err := json.Unmarshal(res.body, &out); err != nil {
		return "", fmt.Errorf("reading the answer of the token endpoint: %w", err)
	}
	if out.Access == "" || out.ID == "" {
		return "", errors.New("the token endpoint answered without tokens")
	}
	token, err := oidc.NewVerifier(at.issuers+slug, h.auth.keySet(slug), &oidc.Config{
		ClientID: at.client, SupportedSigningAlgs: []string{oidc.RS256, oidc.EdDSA, oidc.ES256, oidc.PS256}, Now: h.Now,
	}).Verify(from.Context(), out.ID)
	if err != nil {
		return "", problem.New(problem.CodeCredentialInvalid, "the ID token is not right").Because(err)
	}
	if !secret.Equal(token.Nonce, s.nonce) {
		return "", notOurs("the ID token is of another sign-in")
	}
	return out.Access, nil
}

// keySet returns the keys of an issuer.
func (a *authServer) keySet(slug string) oidc.KeySet {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.keys[slug]
	if k == nil {
		if len(a.keys) >= mostRemembered {
			clear(a.keys)
		}
		// Fetched for everybody who waits for them, so not within one request.
		ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: a.transport, Timeout: 10 * time.Second})
		k = oidc.NewRemoteKeySet(ctx, endpoint(slug, "jwks"))
		a.keys[slug] = k
	}
	return k
}

// offers reports whether the authorization server takes the app of a request's host as
// its client: where it knows the host by another address, or there is none, people sign
// in at the host itself. It asks as a browser would that nobody uses.
func (h *handlers) offers(r *http.Request) bool {
	at, ok := h.console(r)
	if !ok {
		return false
	}
	a, now := h.auth, h.Now()
	name := at.redirect + " " + at.issuers + at.slug
	a.mu.Lock()
	known, remembered := a.offered[name]
	a.mu.Unlock()
	if remembered && now.Before(known.until) {
		return known.is
	}
	s, err := newOIDCSign(rand.Text(), "", now)
	if err != nil {
		return false
	}
	q := at.request(s)
	q.Set("prompt", "none")
	res, err := a.ask(r, http.MethodGet, endpoint(at.slug, "authorize")+"?"+q.Encode(), nil)
	if err != nil {
		h.Log.WarnContext(r.Context(), "the authorization server did not answer: people sign in at the host itself", "request", httpx.RequestID(r.Context()), "err", err)
		return false
	}
	if res.status == http.StatusTooManyRequests || res.header.Get("Retry-After") != "" {
		return remembered && known.is // it says nothing of the host
	}
	to, err := url.Parse(res.header.Get("Location"))
	if err != nil {
		return false
	}
	answer := to.Query()
	to.RawQuery = ""
	is := to.String() == at.redirect && answer.Get("error") == "login_required" && answer.Get("iss") == at.issuers+at.slug
	o := offer{is, now.Add(refusedFor)}
	if is {
		o.until = now.Add(offeredFor)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.offered) >= mostRemembered {
		clear(a.offered)
	}
	a.offered[name] = o
	return is
}
