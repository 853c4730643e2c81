package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// retryAfter is when trying again makes sense where something is away for now.
const retryAfter = 2 * time.Second

// fail answers a request with an error.
func (s *Server) fail(err error, c echo.Context) {
	ctx := c.Request().Context()
	p := problemOf(err)
	in := incomingOf(ctx)
	if p.Instance == "" && in != nil {
		named := *p // what is answered may be shared
		p = &named
		p.Instance = in.id
	}
	if p.Status >= 500 && ctx.Err() == nil {
		s.opt.Log.ErrorContext(ctx, "request failed", "request", p.Instance, "route", routeOf(c), "err", err, "cause", errors.Unwrap(p))
	}
	if c.Response().Committed {
		// Too late for an answer: break off, so that what was sent is not taken for
		// the whole.
		if !errors.Is(err, context.Canceled) {
			s.opt.Log.WarnContext(ctx, "request failed in the middle of its answer", "request", p.Instance, "route", routeOf(c), "err", err)
		}
		panic(http.ErrAbortHandler)
	}
	c.Response().Header().Del("Etag")
	p.Write(c.Response())
}

// problemOf says what a client learns of an error.
func problemOf(err error) *problem.Problem {
	var p *problem.Problem
	var h *echo.HTTPError
	var large *http.MaxBytesError
	var missing *secret.MissingKeyError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, db.ErrNotFound):
		return problem.New(problem.CodeNotFound, "there is no such thing, or not in this organization").Because(err)
	case errors.Is(err, db.ErrDuplicate):
		return problem.New(problem.CodeConflict, "there is one like it already: choose another name").Because(err)
	case errors.Is(err, db.ErrReference):
		return problem.New(problem.CodeConflict, "it is in use, or refers to what is not there").Because(err)
	case errors.Is(err, db.ErrNoText):
		return problem.New(problem.CodeInvalidInput, "a text holds a character that no text may have: U+0000, or bytes that are not UTF-8").Because(err)
	case errors.Is(err, db.ErrTooLarge):
		return problem.New(problem.CodeBodyTooLarge, "what other services would be told of this is too large for a message: split it, or make it smaller").Because(err)
	case errors.Is(err, db.ErrAway):
		return problem.New(problem.CodeDependencyDown, "the database does not answer at the moment: try again in a few seconds").Because(err).WithRetryAfter(retryAfter)
	case errors.As(err, &missing):
		return problem.New(problem.CodeKeyMissing, "a secret that this needs is encrypted with the key %q, which is not in the keyring of the service: whoever runs the installation puts it back into secrets.keyring, below the first", missing.ID).Because(err)
	case bus.Away(err):
		return problem.New(problem.CodeDependencyDown, "what this needs of other services does not answer at the moment: try again in a few seconds").Because(err).WithRetryAfter(retryAfter)
	case errors.Is(err, context.DeadlineExceeded):
		return problem.New(problem.CodeDependencyDown, "it took too long; try again later").Because(err).WithRetryAfter(retryAfter)
	case errors.Is(err, context.Canceled):
		return problem.New(problem.CodeClientClosed, "").Because(err)
	case errors.As(err, &h):
		return problemOfEcho(h)
	}
	return problem.From(err)
}

// problemOfEcho takes the errors of Echo and of generated code.
func problemOfEcho(h *echo.HTTPError) *problem.Problem {
	switch h.Code {
	case http.StatusNotFound:
		return problem.New(problem.CodeNotFound, "there is nothing at this address")
	case http.StatusMethodNotAllowed:
		return problem.New(problem.CodeMethodNotAllowed, "the address does not take this method: see the Allow header")
	case http.StatusRequestEntityTooLarge:
		return problem.New(problem.CodeBodyTooLarge, "the body is too large").Because(h)
	case http.StatusUnsupportedMediaType:
		return problem.New(problem.CodeUnsupportedMediaType, "the body is of a type that is not taken here").Because(h)
	case http.StatusUnauthorized:
		return problem.New(problem.CodeCredentialMissing, "sign in first").Because(h)
	case http.StatusForbidden:
		return problem.New(problem.CodeAccessDenied, "this is not allowed").Because(h)
	}
	if h.Code >= 500 {
		return problem.From(h)
	}
	return problem.New(problem.CodeBadRequest, "%v", h.Message).WithStatus(h.Code).Because(h)
}

func tooLarge(limit int64) *problem.Problem {
	return problem.New(problem.CodeBodyTooLarge, "the body has more than %s", schema.Bytes(limit))
}

func errNoIfMatch() *problem.Problem {
	return problem.New(problem.CodePreconditionFailed, "%s", `send the If-Match header with the ETag of the version that you read, such as "v3", or * to change whatever is there`).
		WithStatus(http.StatusPreconditionRequired)
}

// IfMatchOptional is as [IfMatch], for what can be done without reading it
// before: where there is no header it is [db.AnyVersion].
func IfMatchOptional(header string) (int64, error) {
	if header == "" {
		return db.AnyVersion, nil
	}
	return IfMatch(header)
}

// IfMatch returns the version that an If-Match header names; see
// [db.ParseIfMatch]. Where there is none the error is a problem 428.
func IfMatch(header string) (int64, error) {
	if header == "" {
		return 0, errNoIfMatch()
	}
	v, err := db.ParseIfMatch(header)
	if err != nil {
		return 0, fmt.Errorf("reading If-Match: %w", err)
	}
	return v, nil
}
