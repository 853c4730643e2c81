package tenantmanager_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// A device without a browser, as golang.org/x/oauth2 has it (RFC 8628).
func TestDevices(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ctx := t.Context()
	a.scopes(t, "orders:read")
	m := a.made(t, `{"name":"TV","description":"Shows orders","authMethod":"none","grantTypes":["`+deviceGrant+`","refresh_token"],"scopes":["openid","offline_access","orders:read"],"audiences":["https://orders.example"]}`)
	other := a.made(t, `{"name":"Radio","authMethod":"none","grantTypes":["`+deviceGrant+`"]}`)
	machine := a.made(t, `{"name":"Machine","scopes":["orders:read"]}`)
	provider, err := oidc.NewProvider(ctx, a.issuer)
	require.NoError(t, err)
	tv := oauth2.Config{ClientID: m.id, Scopes: []string{"openid", "offline_access", "orders:read"}, Endpoint: provider.Endpoint()}
	begin := func() *oauth2.DeviceAuthResponse {
		d, err := tv.DeviceAuth(ctx)
		require.NoError(t, err)
		return d
	}
	poll := func(code string, client made) (int, map[string]any) {
		form := url.Values{"grant_type": {deviceGrant}, "device_code": {code}}
		if client.secret == "" {
			form.Set("client_id", client.id)
		}
		status, body, _ := a.form(t, "token", client, form)
		return status, body
	}

	d := begin()
	require.Regexp(t, `^[B-Z]{4}-[B-Z]{4}$`, d.UserCode)
	require.Equal(t, a.url+"/device", d.VerificationURI)
	require.Equal(t, a.url+"/device?code="+d.UserCode, d.VerificationURIComplete)
	require.EqualValues(t, 5, d.Interval)
	require.InDelta(t, 600, time.Until(d.Expiry).Seconds(), 30)
	status, body := poll(d.DeviceCode, m)
	require.Equal(t, 400, status)
	require.Equal(t, "authorization_pending", body["error"], body)
	_, body = poll(d.DeviceCode, m)
	require.Equal(t, "slow_down", body["error"], body)
	_, body = poll(d.DeviceCode, other)
	require.Equal(t, "invalid_grant", body["error"], "of another client: %v", body)
	_, body = poll("ghd_none", m)
	require.Equal(t, "invalid_grant", body["error"], body)

	// The page: as people write codes, and what they are asked.
	path := "/oauth/devices/" + url.PathEscape(strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " ")))
	require.Equal(t, 401, a.call(t, "", "GET", path, "").status)
	asked := a.call(t, a.owner, "GET", path, "")
	require.Equal(t, 200, asked.status, asked.body)
	for _, piece := range []string{`"name":"TV"`, "Shows orders", `"title":"See orders:read"`, `"new":true`} {
		require.Contains(t, asked.body, piece)
	}
	require.Equal(t, 404, a.call(t, a.owner, "GET", "/oauth/devices/BBBB-BBBB", "").status)
	require.Equal(t, 204, a.call(t, a.owner, "POST", path, `{"allow":true}`).status)
	require.Equal(t, 404, a.call(t, a.owner, "POST", path, `{"allow":true}`).status, "once")
	a.clock.Advance(5 * time.Second)
	d.Interval = 1
	token, err := tv.DeviceAccessToken(ctx, d)
	require.NoError(t, err)
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: m.id, SupportedSigningAlgs: []string{"EdDSA"}}).Verify(ctx, raw)
	require.NoError(t, err)
	require.NoError(t, id.VerifyAccessToken(token.AccessToken))
	about, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	require.NoError(t, err)
	require.Equal(t, id.Subject, about.Subject)
	gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
	_, read, _ := a.form(t, "introspect", gateway, url.Values{"token": {token.AccessToken}})
	require.Equal(t, "openid offline_access orders:read", read["scope"])
	require.Equal(t, []any{"https://orders.example"}, read["aud"])
	a.clock.Advance(5 * time.Second)
	_, body = poll(d.DeviceCode, m)
	require.Equal(t, "invalid_grant", body["error"], "a device code is good once: %v", body)
	// The refresh token turns, and gives an ID token again.
	status, body, _ = a.form(t, "token", made{}, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}, "client_id": {m.id}})
	require.Equal(t, 200, status, body)
	require.NotEmpty(t, body["id_token"])
	require.NotEqual(t, token.RefreshToken, body["refresh_token"])
	trail := a.call(t, a.owner, "GET", "/audit?target="+m.id, "").body
	require.Contains(t, trail, `"oauth-device.allowed"`)
	require.Contains(t, trail, `"oauth-consent.given"`)

	// What was allowed before is asked again: it may be somebody else's device.
	d = begin()
	asked = a.call(t, a.owner, "GET", "/oauth/devices/"+d.UserCode, "")
	require.NotContains(t, asked.body, `"new":true`)
	require.Equal(t, 204, a.call(t, a.owner, "POST", "/oauth/devices/"+d.UserCode, `{"allow":false}`).status)
	_, body = poll(d.DeviceCode, m)
	require.Equal(t, "access_denied", body["error"], body)
	// Nobody came in time.
	d = begin()
	a.clock.Advance(10 * time.Minute)
	_, body = poll(d.DeviceCode, m)
	require.Equal(t, "expired_token", body["error"], body)
	require.Equal(t, 404, a.call(t, a.signIn(t, "ada@example.com", "default"), "GET", "/oauth/devices/"+d.UserCode, "").status)

	for name, c := range map[string]struct {
		as   made
		form url.Values
		code string
	}{
		"another grant":    {machine, url.Values{}, "unauthorized_client"},
		"another scope":    {made{}, url.Values{"client_id": {m.id}, "scope": {"orders:write"}}, "invalid_scope"},
		"another audience": {made{}, url.Values{"client_id": {m.id}, "audience": {"https://stock.example"}}, "invalid_request"},
		"nobody":           {made{}, url.Values{"client_id": {"nobody"}}, "invalid_client"},
	} {
		_, body, _ := a.form(t, "device_authorization", c.as, c.form)
		require.Equal(t, c.code, body["error"], "%s: %v", name, body)
	}
	_, body = poll("ghd_none", machine)
	require.Equal(t, "unauthorized_client", body["error"], body)
}

// Codes are short: whoever tries them out waits.
func TestUserCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	last := 0
	for range 20 {
		if last = a.call(t, a.owner, "GET", "/oauth/devices/BBBB-BBBC", "").status; last == 429 {
			break
		}
	}
	require.Equal(t, 429, last)
}
