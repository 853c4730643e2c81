package httpx

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// admit lets through to its handler what the document allows: first who calls,
// then what they send.
func (s *Server) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit := int64(s.opt.BodyLimit)
		var o *operation
		if s.doc != nil {
			if o = s.doc.operations[c.Request().Method+" "+c.Path()]; o != nil && o.limit > 0 {
				limit = o.limit
			}
		}
		r := c.Request()
		if r.ContentLength > limit {
			return tooLarge(limit)
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
		}
		if o == nil {
			return next(c)
		}
		err := s.authenticate(c, o)
		if err == nil {
			err = o.validate(c, incomingOf(c.Request().Context()))
		}
		if err == nil {
			err = next(c)
		}
		s.tellRefused(c, o, err)
		return err
	}
}

// tellRefused tells of a write that somebody who is signed in may not do.
func (s *Server) tellRefused(c echo.Context, o *operation, err error) {
	if err == nil || s.opt.Refused == nil || !incomingOf(c.Request().Context()).writes() {
		return
	}
	p := problemOf(err)
	if p.Code != problem.CodeAccessDenied {
		return
	}
	if _, known := authn.From(c.Request().Context()); !known {
		return
	}
	r := Refusal{Operation: o.id, Permission: o.permission, Problem: p}
	if values := c.ParamValues(); len(values) > 0 && !strings.Contains(c.Path(), byToken) {
		if id := values[len(values)-1]; len(id) <= longestID && goodID.MatchString(id) {
			r.ID = id
		}
	}
	s.opt.Refused(c.Request().Context(), r)
}

// longestID is that of ids in the addresses of all services.
const longestID = 64

// authenticate finds out who calls, and whether they may do such a thing
// anywhere at all.
func (s *Server) authenticate(c echo.Context, o *operation) error {
	if o.access == public {
		return nil
	}
	header := c.Request().Header.Get(echo.HeaderAuthorization)
	if header == "" {
		if o.access == optional {
			return nil
		}
		return authn.Missing()
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return problem.New(problem.CodeCredentialInvalid, "the Authorization header is not of the form Bearer, a space, and an access token").
			WithChallenge(`Bearer realm="gatehouse"`)
	}
	ctx := c.Request().Context()
	p, err := s.opt.Verifier.Verify(ctx, strings.TrimSpace(token))
	if err != nil {
		return err
	}
	s.signIn(c, p)
	ctx = c.Request().Context()
	switch {
	case o.permission != "":
		err = authn.RequireAnywhere(ctx, o.permission)
	case len(o.anyOf) > 0:
		err = requireOne(ctx, o.anyOf)
	default:
		err = authn.CheckSession(ctx)
	}
	if err == nil && o.inPerson {
		err = authn.InPerson(ctx)
	}
	return err
}

// requireOne returns nil where the caller has one of the permissions in some scope,
// and what the first is refused with else.
func requireOne(ctx context.Context, permissions []string) error {
	var first error
	for _, permission := range permissions {
		err := authn.RequireAnywhere(ctx, permission)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}
