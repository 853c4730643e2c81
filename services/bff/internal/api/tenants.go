package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

// Tenants calls tenant-manager's API, for a browser's request or by itself.
type Tenants struct {
	transport http.RoundTripper
}

// NewTenants returns a client of tenant-manager over a transport.
func NewTenants(transport http.RoundTripper) *Tenants { return &Tenants{transport} }

type user struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

type organization struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// me is who a token is about.
type me struct {
	User          user         `json:"user"`
	Organization  organization `json:"organization"`
	Permissions   []string     `json:"permissions"`
	SetupRequired bool         `json:"setupRequired"`
	// FactorRequired says that a second factor has to be set up before anything
	// else.
	FactorRequired bool `json:"factorRequired"`
	// Impersonation says who acts as the user; nil = they themselves.
	Impersonation *impersonation `json:"impersonation"`
}

// impersonation is somebody's acting as somebody else.
type impersonation struct {
	Impersonator struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"impersonator"`
	Until time.Time `json:"until"`
}

// maxAnswer bounds what tenant-manager answers, in bytes.
const maxAnswer = 4 << 20

// call makes one request. from is the browser's, whose address and agent are
// passed on; nil for our own. A problem that comes back is the error.
func (t *Tenants) call(ctx context.Context, from *http.Request, method, path, token string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://tenant-manager/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling tenant-manager: %w", err)
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if from != nil {
		r.RemoteAddr = from.RemoteAddr
		r.Header.Set("User-Agent", from.UserAgent())
		r.Header.Set(httpx.ConsoleHeader, "1")
		if d := deviceOf(from.Context()); d != "" {
			r.Header.Set(tenant.Device, d)
		}
		passOn(from, r.Header)
	}
	res, err := t.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer of tenant-manager: %w", err)
	}
	if res.StatusCode >= 400 {
		return problemIn(res, b)
	}
	if into == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("reading the answer of tenant-manager: %w", err)
	}
	return nil
}

// problemIn returns the problem of an answer, with what of it is in the header.
func problemIn(res *http.Response, body []byte) error {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	p := &problem.Problem{}
	if err != nil || kind != problem.ContentType || json.Unmarshal(body, p) != nil || p.Code == "" || p.Status != res.StatusCode {
		return fmt.Errorf("tenant-manager answered %d without a problem", res.StatusCode)
	}
	if v := res.Header.Get("Www-Authenticate"); v != "" {
		p = p.WithHeader("Www-Authenticate", v)
	}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(n) * time.Second
	}
	return p
}

// Refresh exchanges a refresh token. It makes Tenants a session.Issuer.
func (t *Tenants) Refresh(ctx context.Context, token string) (session.Tokens, error) {
	var out session.Tokens
	err := t.call(ctx, nil, http.MethodPost, "/token/refresh", "", marshal(map[string]string{"refreshToken": token}), &out)
	return out, err
}

// challenge is what tenant-manager answers in place of tokens where a second step
// is needed.
type challenge struct {
	Challenge string    `json:"challenge"`
	Methods   []string  `json:"methods"`
	ExpiresAt time.Time `json:"expiresAt"`
	// Connection is the identity provider at which somebody has to sign in, who was
	// let in by nothing else.
	Connection json.RawMessage `json:"connection,omitempty"`
}

// SignIn signs in by one of the ways there are, a path. c is not nil where a
// second step is needed, or sign-in at an identity provider; there are no tokens
// then.
func (t *Tenants) SignIn(from *http.Request, path string, body []byte) (tokens session.Tokens, c *challenge, err error) {
	var out struct {
		session.Tokens
		challenge
	}
	err = t.call(from.Context(), from, http.MethodPost, path, "", body, &out)
	if err == nil && (out.Challenge != "" || out.Connection != nil) {
		return session.Tokens{}, &out.challenge, nil
	}
	if err == nil && (out.Access == "" || out.Refresh == "") {
		err = fmt.Errorf("tenant-manager answered %s without tokens", path)
	}
	return out.Tokens, nil, err
}

// Impersonate begins a session in which whose token it is acts as a user.
func (t *Tenants) Impersonate(from *http.Request, token, user, reason string) (session.Tokens, error) {
	var out session.Tokens
	err := t.call(from.Context(), from, http.MethodPost, "/users/"+url.PathEscape(user)+"/impersonation", token, marshal(map[string]string{"reason": reason}), &out)
	if err == nil && (out.Access == "" || out.Refresh == "") {
		err = errors.New("tenant-manager answered without tokens")
	}
	return out, err
}

// SignOut ends the session of an access token.
func (t *Tenants) SignOut(from *http.Request, token string) error {
	return t.call(from.Context(), from, http.MethodPost, "/sign-out", token, nil, nil)
}

// EndSession ends one of the sessions of whose access token it is, and no other that
// came of the same sign-in.
func (t *Tenants) EndSession(from *http.Request, token, id string) error {
	return t.call(from.Context(), from, http.MethodDelete, "/me/sessions/"+url.PathEscape(id), token, nil, nil)
}

// SignOutAt is as [Tenants.SignOut], for a browser at an origin. It returns where to send
// the browser to, so that it is signed out at its identity provider too; "" = nowhere. The
// provider sends it back with the state.
func (t *Tenants) SignOutAt(from *http.Request, token, origin, state string) (address string, err error) {
	var out struct {
		Address string `json:"address"`
	}
	err = t.call(from.Context(), from, http.MethodPost, "/sign-out", token, marshal(map[string]string{"origin": origin, "state": state}), &out)
	return out.Address, err
}

// Me says who an access token is about.
func (t *Tenants) Me(from *http.Request, token string) (me, error) {
	var out me
	err := t.call(from.Context(), from, http.MethodGet, "/me", token, nil, &out)
	return out, err
}

// Setup says whether the first run has still to be completed.
func (t *Tenants) Setup(from *http.Request) (bool, error) {
	var out struct {
		Required bool `json:"required"`
	}
	err := t.call(from.Context(), from, http.MethodGet, "/setup", "", nil, &out)
	return out.Required, err
}

// access is the access token for the token of a person or a service account.
type access struct {
	Token   string `json:"accessToken"`
	Expires int    `json:"expiresIn"`
	// Addresses are those from which it can be used; none = all.
	Addresses []string `json:"allowedAddresses"`
}

// Exchange gives an access token for the token of a person or a service account.
func (t *Tenants) Exchange(ctx context.Context, from *http.Request, token string) (access, error) {
	var out access
	err := t.call(ctx, from, http.MethodPost, "/token/personal", "", marshal(map[string]string{"token": token}), &out)
	return out, err
}

// ExchangeAccess gives an access token for the one by which an application acts as a
// person.
func (t *Tenants) ExchangeAccess(ctx context.Context, from *http.Request, token string) (access, error) {
	var out access
	err := t.call(ctx, from, http.MethodPost, "/token/access", "", marshal(map[string]string{"accessToken": token}), &out)
	return out, err
}

func marshal(v map[string]string) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // only strings: cannot happen
	}
	return b
}
