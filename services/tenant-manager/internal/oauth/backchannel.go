package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/webhook"
)

// What logout tokens say (OpenID Connect Back-Channel Logout section 2.4).
const (
	LogoutType  = "logout+jwt"
	LogoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

const (
	// logoutLifetime is how long a logout token is good. Each attempt has a new one.
	logoutLifetime = 2 * time.Minute
	// logoutsEvery is how often it is looked for clients to tell, logoutsAtOnce how
	// many are told at the same time.
	logoutsEvery  = time.Second
	logoutsAtOnce = 8
	// logoutTimeout bounds one request, and logoutPatience is how long it is tried.
	logoutTimeout  = 10 * time.Second
	logoutPatience = 24 * time.Hour
)

// noteSession notes that a client is given tokens in a session of a user, so that it
// can be told of its end. A code of a session that has ended is good for nothing, and so is
// that of a device that it allowed.
func (s *realm) noteSession(ctx context.Context, req fosite.AccessRequester, c *client, in *session) error {
	if grants := req.GetGrantTypes(); in.Subject == "" || in.Session == "" || !grants.ExactOne(GrantCode) && !grants.ExactOne(GrantDevice) {
		return nil
	}
	open := false
	err := s.server.store.Tx(ctx, s.org.ID, in.Subject, func(tx *store.Tx) error {
		var first bool
		var err error
		if open, first, err = tx.NoteOAuthSession(ctx, in.Session, c.ID, in.Subject); err != nil || !first || c.app { // the sign-in at the app is recorded itself
			return err
		}
		return s.recordSession(ctx, tx, c, in)
	})
	switch {
	case err != nil:
		return fosite.ErrTemporarilyUnavailable.WithWrap(err)
	case !open:
		return fosite.ErrInvalidGrant.WithHint("The user has signed out.")
	}
	return nil
}

// logoutToken returns what a client is told with (section 2.4). It has no nonce, so
// that nobody takes it for an ID token.
func (s strategy) logoutToken(ctx context.Context, c *client, user, sid string) (string, error) {
	now := s.server.now()
	return s.sign(ctx, c.Algorithm, LogoutType, jwt.MapClaims{
		"iss": s.issuer, "sub": user, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(logoutLifetime).Unix(), "jti": random(), "sid": sid,
		"events": map[string]any{LogoutEvent: map[string]any{}},
	})
}

// RunLogouts tells clients that sessions ended in which they were given tokens, until
// ctx ends. One worker at a time does so. A client is told twice where the process
// ends between its answer and the note of it, which does no harm (section 2.7).
func (s *Server) RunLogouts(ctx context.Context, log *slog.Logger) error {
	c := &http.Client{Transport: s.opt.Outbound, Timeout: logoutTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t := time.NewTicker(logoutsEvery)
	defer t.Stop()
	for {
		n, err := s.tellClients(ctx, c)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "telling clients that sessions ended failed; it is tried again", "err", err)
		}
		if n == logoutsAtOnce && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Server) tellClients(ctx context.Context, by *http.Client) (int, error) {
	due, err := s.store.DueOAuthLogouts(ctx, logoutsAtOnce)
	errs := make([]error, len(due))
	var all sync.WaitGroup
	for i, l := range due {
		all.Go(func() { errs[i] = s.tellClient(ctx, by, l) })
	}
	all.Wait()
	return len(due), errors.Join(append(errs, err)...)
}

// tellClient tells one client, and notes what came of it. The error is one of the
// database.
func (s *Server) tellClient(ctx context.Context, by *http.Client, l store.OAuthLogout) error {
	org := s.store.For(l.OrganizationID)
	o, err := org.Organization(ctx)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	var failed error
	if err == nil && !o.Suspended {
		var c *client
		c, err = s.client(ctx, o.ID, l.ClientID)
		switch {
		case errors.Is(err, fosite.ErrNotFound):
		case err != nil:
			return err
		case c.BackchannelURI != "":
			re, err := s.realm(ctx, o.Slug)
			if err != nil {
				return err
			}
			token, err := (strategy{re}).logoutToken(ctx, c, l.UserID, l.SessionID)
			if err != nil {
				return err
			}
			if failed = postLogout(ctx, by, c.BackchannelURI, token); ctx.Err() != nil {
				return ctx.Err() // it is told by whoever comes next
			}
		}
	}
	if failed != nil {
		if next := s.now().Add(webhook.Pause(l.Attempts + 1)); next.Sub(l.BegunAt) <= logoutPatience {
			return org.RetryOAuthLogout(ctx, l, next)
		}
	}
	return s.store.Tx(ctx, l.OrganizationID, "", func(tx *store.Tx) error {
		done, err := tx.DoneOAuthLogout(ctx, l.ID)
		if err != nil || !done || failed == nil {
			return err
		}
		return s.audit(ctx, tx.DB(), service.Entry{
			Action: "oauth-client.logout-undelivered", Target: audit.Target{Kind: "oauth-client", ID: l.ClientID}, Organization: l.OrganizationID, Refused: true,
			After: struct {
				User    string `json:"user"`
				Session string `json:"session"`
				Reason  string `json:"reason"`
			}{l.UserID, l.SessionID, failed.Error()},
		})
	})
}

// postLogout sends a logout token (section 2.5). Any answer 2xx has taken it: some
// frameworks answer 204.
func postLogout(ctx context.Context, by *http.Client, address, token string) error {
	if !WebAddress(address) {
		return errors.New("this is not an address with https")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "gatehouse")
	res, err := by.Do(r)
	if err != nil {
		if refused := egress.Refused(err); refused != nil {
			return refused
		}
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Errorf("%s does not answer: %w", r.URL.Host, err)
	}
	defer func() { _ = res.Body.Close() }()                      // it was read
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection ends well
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", r.URL.Host, res.Status)
	}
	return nil
}
