package sso

import (
	"context"
	"net/url"
)

// MostHint bounds the ID token that goes to the provider in an address, in bytes:
// Keycloak takes no more than 4 KiB of address as it is installed.
const MostHint = 3 << 10

// SignOutAddress returns where to send a browser whose user is to be signed out at the
// provider (OpenID Connect RP-Initiated Logout 1.0 section 2). hint is the ID token by
// which they came, "" = none was kept; the provider then asks them. redirect is where
// they come back to, with the state. The error is a [FailedError] where the provider
// cannot be asked, or says of no address for this.
func (c *Client) SignOutAddress(ctx context.Context, p Provider, hint, redirect, state string) (string, error) {
	found, err := c.provider(ctx, p.Issuer)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Endpoint string `json:"end_session_endpoint"`
	}
	if err := found.Claims(&metadata); err != nil {
		return "", unreachable("its metadata", err)
	}
	if metadata.Endpoint == "" {
		return "", failed("the provider's metadata names no end_session_endpoint: it signs nobody out for others")
	}
	if err := c.CheckEndpoint(metadata.Endpoint); err != nil {
		return "", failed("the provider's metadata names %q for signing out: %s", cut(metadata.Endpoint), err)
	}
	to, err := url.Parse(metadata.Endpoint)
	if err != nil {
		return "", failed("the provider's metadata names %q for signing out", cut(metadata.Endpoint))
	}
	q := to.Query()
	for name, v := range map[string]string{"id_token_hint": hint, "client_id": p.ClientID, "post_logout_redirect_uri": redirect, "state": state} {
		if v != "" {
			q.Set(name, v)
		}
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}
