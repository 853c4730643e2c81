package problem_test

import (
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestNewKeepsTheCauseForTheLogAndTheDetailForTheClient(t *testing.T) {
	t.Parallel()
	p := problem.New(problem.CodeUpstreamUnavailable, "calling %s: %w", "orders", io.ErrUnexpectedEOF)
	require.Equal(t, 502, p.Status)
	require.Equal(t, "calling orders: unexpected EOF", p.Detail)
	require.ErrorIs(t, p, io.ErrUnexpectedEOF)
	require.True(t, problem.Is(fmt.Errorf("around: %w", p), problem.CodeUpstreamUnavailable))
}

func TestFromTellsTheClientNothingOfAForeignError(t *testing.T) {
	t.Parallel()
	p := problem.From(errors.New("password is hunter2"))
	require.Equal(t, problem.CodeInternal, p.Code)
	require.NotContains(t, string(p.JSON()), "hunter2")
}

func TestWriteSendsTheDocumentWithItsHeaders(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	problem.New(problem.CodeRateLimited, "100 per second").
		WithRetryAfter(1200*time.Millisecond).
		WithChallenge(`ApiKey realm="orders"`).
		WithHeader("RateLimit", `"default";r=0;t=2`).Write(rec)
	require.Equal(t, 429, rec.Code)
	require.Equal(t, "2", rec.Header().Get("Retry-After"))
	require.Equal(t, `ApiKey realm="orders"`, rec.Header().Get("WWW-Authenticate"))
	require.Equal(t, `"default";r=0;t=2`, rec.Header().Get("RateLimit"))
	require.Equal(t, problem.ContentType, rec.Header().Get("Content-Type"))
	require.JSONEq(t, `{"type":"/problems/rate-limit-exceeded","title":"Rate limit exceeded","status":429,
		"detail":"100 per second","code":"rate-limit-exceeded"}`, rec.Body.String())
}

func TestCatalogueIsCompleteAndOrdered(t *testing.T) {
	t.Parallel()
	es := problem.Catalogue()
	require.Greater(t, len(es), 40)
	for i, e := range es {
		require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, string(e.Code))
		require.NotEmpty(t, e.Title)
		require.GreaterOrEqual(t, e.Status, 400)
		if i > 0 {
			require.Less(t, es[i-1].Code, e.Code)
		}
	}
}
