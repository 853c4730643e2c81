package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// clientTokenLife is how long a token is good that the portal asked for.
const clientTokenLife = 5 * time.Minute

// TokenOf returns a signed access token of a client, with all that it may have, as
// if the client had asked for it, and until when it is good. The error is a problem
// where the client is disabled or not there.
func (s *Server) TokenOf(ctx context.Context, slug, id string) (token string, until time.Time, err error) {
	re, err := s.realm(ctx, slug)
	if errors.Is(err, errNoRealm) {
		return "", until, Unavailable()
	}
	if err != nil {
		return "", until, err
	}
	c, err := s.client(ctx, re.org.ID, id)
	if errors.Is(err, fosite.ErrNotFound) {
		return "", until, problem.New(problem.CodeConflict, "the OAuth2 client %s is disabled", id)
	}
	if err != nil {
		return "", until, err
	}
	in := newSession()
	in.NotAfter = s.now().Add(clientTokenLife)
	req := fosite.NewAccessRequest(in)
	req.Client, req.GrantTypes = c, fosite.Arguments{GrantClient}
	if err := re.grant(ctx, req, c, in, confirmation{}); err != nil {
		return "", until, err
	}
	if token, _, err = (strategy{re}).GenerateAccessToken(ctx, req); err != nil {
		return "", until, err
	}
	return token, in.Until, nil
}
