// Package sso talks to identity providers: where to send a browser to, what came
// back, and what of it says who somebody is. It keeps nothing and knows no user.
package sso

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Provider is how an identity provider is reached.
type Provider struct {
	Issuer, ClientID, ClientSecret string
	// Scopes are asked for beside openid.
	Scopes []string
}

// Attempt is one sign-in at a provider. What protects it is derived from two
// secrets, so that neither has to be kept: State, which travels, and Binding,
// which stays in the browser.
type Attempt struct {
	State, Binding string
	// Redirect is the address that the provider sends the browser back to.
	Redirect string
	// Fresh has the provider ask for a proof that is new, whatever session there is.
	Fresh bool
}

func (a Attempt) derive(purpose string) string {
	sum := sha256.Sum256([]byte(purpose + "\n" + a.State + "\n" + a.Binding))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Nonce returns the nonce (OpenID Connect Core section 3.1.2.1).
func (a Attempt) Nonce() string { return a.derive("nonce") }

// Verifier returns the code verifier (RFC 7636 section 4.1).
func (a Attempt) Verifier() string { return a.derive("verifier") }

// Answer is what the provider sent the browser back with.
type Answer struct {
	Code string
	// Issuer is the parameter iss (RFC 9207); "" = there was none.
	Issuer string
}

// FailedError says why a provider could not be asked, or why its answer is not
// taken. It is for administrators.
type FailedError struct{ Reason string }

// Error returns the reason.
func (e *FailedError) Error() string { return e.Reason }

func failed(format string, args ...any) error { return &FailedError{fmt.Sprintf(format, args...)} }

// Client asks providers. It is safe for concurrent use.
type Client struct {
	guard egress.Guard
	http  *http.Client
	now   func() time.Time

	mu    sync.Mutex
	known map[string]known
}

type known struct {
	provider *oidc.Provider
	until    time.Time
}

const (
	// remembered is how long the metadata of a provider is used; its keys are
	// fetched anew whenever one is not known.
	remembered = 10 * time.Minute
	mostKnown  = 256
	// mostAnswered bounds what a provider answers, in bytes.
	mostAnswered = 1 << 20
	askTimeout   = 15 * time.Second
)

// NewClient returns a client that goes where the guard lets it.
func NewClient(guard egress.Guard, now func() time.Time) *Client {
	return &Client{
		guard: guard, now: now, known: map[string]known{},
		http: &http.Client{
			Transport: bounded{guard.Transport()}, Timeout: askTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// bounded bounds what is read of answers.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, mostAnswered), res.Body}
	}
	return res, err
}

// CheckIssuer returns why an address cannot be an issuer; nil where it can.
func (c *Client) CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return failed("use an address such as https://login.example.com, without a query")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && c.guard.AllowLoopback && isLoopback(u.Hostname()):
		return nil
	}
	return failed("use an address that begins with https://")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (c *Client) provider(ctx context.Context, issuer string) (*oidc.Provider, error) {
	if err := c.CheckIssuer(issuer); err != nil {
		return nil, err
	}
	c.mu.Lock()
	k, ok := c.known[issuer]
	c.mu.Unlock()
	if ok && c.now().Before(k.until) {
		return k.provider, nil
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, c.http), issuer)
	if err != nil {
		return nil, unreachable("its metadata", err)
	}
	for _, address := range []string{p.Endpoint().AuthURL, p.Endpoint().TokenURL} {
		if err := c.CheckEndpoint(address); err != nil {
			return nil, failed("the provider's metadata names %q: %s", address, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= mostKnown {
		clear(c.known)
	}
	c.known[issuer] = known{p, c.now().Add(remembered)}
	return p, nil
}

// CheckEndpoint is as [Client.CheckIssuer], for an endpoint, which may have a
// query.
func (c *Client) CheckEndpoint(address string) error {
	without, _, _ := strings.Cut(address, "?")
	return c.CheckIssuer(without)
}

// unreachable says what went wrong in asking a provider.
func unreachable(what string, err error) error {
	if r := egress.Refused(err); r != nil {
		return failed("asking the provider for %s: %s", what, r)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return failed("asking the provider for %s: it did not answer in time", what)
	}
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) {
		text := strings.TrimSpace(answered.ErrorCode + " " + answered.ErrorDescription)
		if text == "" {
			text = "HTTP " + answered.Response.Status
		}
		return failed("asking the provider for %s: it refused with %s", what, cut(text))
	}
	return failed("asking the provider for %s: %s", what, cut(err.Error()))
}

func cut(s string) string {
	const most = 500
	s = strings.ToValidUTF8(s, "")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func config(p Provider, at oauth2.Endpoint, redirect string) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID}
	for _, s := range p.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: at, RedirectURL: redirect, Scopes: scopes}
}

// Address returns where to send the browser to. hint is the e-mail address that
// was typed in; "" = none. The error is a [FailedError].
func (c *Client) Address(ctx context.Context, p Provider, a Attempt, hint string) (string, error) {
	found, err := c.provider(ctx, p.Issuer)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce()), oauth2.S256ChallengeOption(a.Verifier())}
	if a.Fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	if hint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	return config(p, found.Endpoint(), a.Redirect).AuthCodeURL(a.State, options...), nil
}

// Claims exchanges the code of an answer, and returns what the provider says of
// who signed in: the claims of the ID token, whose signature, issuer, audience,
// age and nonce were verified, and those of its userinfo endpoint where it has
// one. idToken is the ID token itself, by which the provider knows the session again.
// The error is a [FailedError].
func (c *Client) Claims(ctx context.Context, p Provider, a Attempt, answer Answer) (claims map[string]any, idToken string, err error) {
	found, err := c.provider(ctx, p.Issuer)
	if err != nil {
		return nil, "", err
	}
	var metadata struct {
		SaysIssuer bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&metadata); err != nil {
		return nil, "", unreachable("its metadata", err)
	}
	if answer.Issuer != p.Issuer && (answer.Issuer != "" || metadata.SaysIssuer) {
		return nil, "", failed("the answer names the issuer %q, and not %q", cut(answer.Issuer), p.Issuer)
	}
	ctx = oidc.ClientContext(ctx, c.http)
	tokens, err := config(p, found.Endpoint(), a.Redirect).Exchange(ctx, answer.Code, oauth2.VerifierOption(a.Verifier()))
	if err != nil {
		return nil, "", unreachable("tokens", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, "", failed("the provider sent no ID token: is it OpenID Connect, and is the scope openid allowed?")
	}
	token, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return nil, "", failed("the ID token is not right: %s", cut(err.Error()))
	}
	if !secret.Equal(token.Nonce, a.Nonce()) {
		return nil, "", failed("the ID token is not right: it has another nonce than was sent")
	}
	claims = map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, "", failed("the ID token is not right: %s", cut(err.Error()))
	}
	if azp, ok := claims["azp"].(string); ok && azp != p.ClientID {
		return nil, "", failed("the ID token is not right: it was made for the client %q", cut(azp))
	}
	if found.UserInfoEndpoint() == "" {
		return claims, raw, nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, "", unreachable("more on the person", err)
	}
	if info.Subject != token.Subject {
		return nil, "", failed("the userinfo endpoint answers for another person than the ID token")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return nil, "", failed("what the userinfo endpoint answers is not right: %s", cut(err.Error()))
	}
	for name, v := range more {
		if _, there := claims[name]; !there {
			claims[name] = v
		}
	}
	return claims, raw, nil
}
