package sso

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	// logoutEvent is what makes a token one of logout (OpenID Connect Back-Channel
	// Logout section 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutAge is how old a logout token may be, logoutSkew how far its time may lie
	// ahead of ours.
	logoutAge  = 5 * time.Minute
	logoutSkew = time.Minute
	// mostLogout bounds a logout token, and mostLogoutID its jti, sub and sid, in bytes.
	mostLogout   = 16 << 10
	mostLogoutID = 512
)

// LogoutKept is how long a logout token is known, so that it is taken once: no older
// one is taken at all.
const LogoutKept = logoutAge + 2*logoutSkew

// Logout is that sessions ended at an identity provider.
type Logout struct {
	// ID is the jti, by which a token that comes again is known.
	ID string
	// Subject is whose sessions ended, SID which one: one of them is there.
	Subject, SID string
}

// ParseLogout reads a logout token, and holds all that it says against what was
// expected, but for its signature (OpenID Connect Back-Channel Logout section 2.6).
// The error is a [FailedError].
func ParseLogout(raw string, p Provider, now time.Time) (Logout, error) {
	var out Logout
	parts := strings.Split(raw, ".")
	if len(raw) > mostLogout || len(parts) != 3 {
		return out, failed("it is not a signed token")
	}
	var head struct {
		Algorithm string          `json:"alg"`
		Type      *string         `json:"typ"`
		Critical  json.RawMessage `json:"crit"`
	}
	if !part(parts[0], &head) || head.Algorithm == "" || strings.EqualFold(head.Algorithm, "none") || head.Critical != nil {
		return out, failed("its header is not right")
	}
	if head.Type != nil && !slices.Contains([]string{"logout+jwt", "jwt", ""}, strings.TrimPrefix(strings.ToLower(*head.Type), "application/")) {
		return out, failed("it is of another type than logout+jwt")
	}
	var c struct {
		Issuer   string                     `json:"iss"`
		Audience json.RawMessage            `json:"aud"`
		Issued   *float64                   `json:"iat"`
		Expires  *float64                   `json:"exp"`
		ID       string                     `json:"jti"`
		Subject  string                     `json:"sub"`
		SID      string                     `json:"sid"`
		Nonce    json.RawMessage            `json:"nonce"`
		Events   map[string]json.RawMessage `json:"events"`
	}
	if !part(parts[1], &c) {
		return out, failed("its claims cannot be read")
	}
	seconds := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	switch event := bytes.TrimSpace(c.Events[logoutEvent]); {
	case c.Issuer != p.Issuer:
		return out, failed("its issuer is another one")
	case !slices.Contains(audience(c.Audience), p.ClientID):
		return out, failed("it is for another client")
	case c.Issued == nil || *c.Issued < seconds(now.Add(-logoutAge)) || *c.Issued > seconds(now.Add(logoutSkew)):
		return out, failed("it was not made just now")
	case c.Expires != nil && *c.Expires < seconds(now.Add(-logoutSkew)):
		return out, failed("it has expired")
	case len(event) == 0 || event[0] != '{':
		return out, failed("it does not say that it is about a logout")
	case c.Nonce != nil:
		return out, failed("it has a nonce, as ID tokens have")
	case c.ID == "" || len(c.ID) > mostLogoutID:
		return out, failed("it has no jti")
	case c.Subject == "" && c.SID == "" || len(c.Subject) > mostLogoutID || len(c.SID) > mostLogoutID:
		return out, failed("it names neither a subject nor a session")
	}
	return Logout{ID: c.ID, Subject: c.Subject, SID: c.SID}, nil
}

// part reads a part of a token.
func part(text string, into any) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && json.Unmarshal(b, into) == nil
}

// audience reads a claim aud: one, or several (RFC 7519 section 4.1.3).
func audience(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var several []string
	if json.Unmarshal(raw, &several) != nil {
		return nil
	}
	return several
}

// Logout reads a logout token of a provider, whose keys have signed it. Only one that
// says what it should has keys fetched for it. The error is a [FailedError].
func (c *Client) Logout(ctx context.Context, p Provider, raw string) (Logout, error) {
	out, err := ParseLogout(raw, p, c.now())
	if err != nil {
		return out, err
	}
	found, err := c.provider(ctx, p.Issuer)
	if err != nil {
		return out, err
	}
	ctx = oidc.ClientContext(ctx, c.http)
	if _, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: c.now, SkipExpiryCheck: true}).Verify(ctx, raw); err != nil {
		return out, failed("it is not right: %s", cut(err.Error()))
	}
	return out, nil
}
