package httpxtest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/httpx/httpxtest"
	"github.com/gatehouse/gatehouse/libs/internal/example"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestAnswersAreHeldAgainstTheDocument(t *testing.T) {
	t.Parallel()
	d := httpxtest.Read(t, example.Document)
	as := func(kind string) http.Header { return http.Header{"Content-Type": {kind}} }
	js := as("application/json")
	missing := problem.New(problem.CodeNotFound, "no").JSON()
	for _, c := range []struct {
		method, path string
		status       int
		header       http.Header
		body         string
		wrong        string
	}{
		{"GET", "/api/v1/books", 200, js, `{"items":[{"id":"1","version":1,"title":"T"}]}`, ""},
		{"GET", "/api/v1/books", 200, js, `{"items":[{"id":"1","version":1}]}`, "title"},
		{"GET", "/api/v1/books", 200, js, `{"items":null}`, "items"},
		{"GET", "/api/v1/books", 200, as("text/plain"), `x`, "Content-Type"},
		{"GET", "/api/v1/books/1", 404, as(problem.ContentType), string(missing), ""},
		{"GET", "/api/v1/books/1", 404, js, string(missing), "Content-Type"},
		{"GET", "/api/v1/opening-hours", 200, as("text/plain"), `always`, ""},
		{"GET", "/api/v1/nothing", 404, as(problem.ContentType), string(missing), ""},
		{"GET", "/api/v1/nothing", 200, js, `{}`, "is not in the document"},
		{"DELETE", "/api/v1/books", 405, as(problem.ContentType), string(missing), ""},
		{"GET", "/metrics", 200, js, `{}`, ""},
	} {
		err := d.Check(c.method, c.path, c.status, c.header, []byte(c.body))
		if c.wrong == "" {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorContains(t, err, c.wrong, "%+v", c)
	}
}
