package httpx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/httpx/httpxtest"
	"github.com/gatehouse/gatehouse/libs/internal/example"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server with the example service, and its tenant-manager.
type fixture struct {
	*httpx.Server
	shelf   *shelf
	tenants *authntest.Tenants
	log     *lines
	metrics *prometheus.Registry

	t        testing.TB
	document *httpxtest.Document // nil in benchmarks
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func serve(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{shelf: &shelf{}, tenants: authntest.New(t), log: &lines{}, metrics: prometheus.NewRegistry(), t: t}
	if _, bench := t.(*testing.B); !bench {
		f.document = httpxtest.Read(t, example.Document)
	}
	log := slog.New(slog.NewTextHandler(f.log, nil))
	var err error
	f.Server, err = httpx.New(httpx.Options{
		Service: "shelf", Document: example.Document, Log: log, Metrics: f.metrics, BodyLimit: 10_000,
		Verifier: authn.NewVerifier(f.tenants, log, time.Now), Access: authn.NewAccess(f.tenants, log, time.Now),
	})
	require.NoError(t, err)
	example.RegisterHandlers(f.API(), example.NewStrictHandler(f.shelf, nil))
	require.NoError(t, f.Check())
	return f
}

type call struct {
	method, path, token, body string
	header                    map[string]string
	bus                       bool
}

func (f *fixture) do(c call) *httptest.ResponseRecorder {
	r := httptest.NewRequest(c.method, c.path, nil)
	if c.body != "" {
		r = httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	var h http.Handler = f
	if c.bus {
		h = httpx.FromBus(f)
	}
	if f.document != nil { // every answer of every test is what the document says
		h = f.document.Handler(f.t, h)
	}
	h.ServeHTTP(w, r)
	return w
}

func problemIn(t *testing.T, w *httptest.ResponseRecorder) problem.Problem {
	t.Helper()
	require.Equal(t, problem.ContentType, w.Header().Get("Content-Type"), w.Body.String())
	var p problem.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, w.Code, p.Status)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.Instance)
	return p
}

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	f := serve(t)
	reader := f.tenants.User(t, "o1", "reader", "book:read")
	nobody := f.tenants.User(t, "o1", "nobody")
	narrow := f.tenants.Token(t, authn.Principal{Organization: "o1", Subject: "narrow"})
	f.tenants.Grant(t, "o1", "narrow", tenant.Grant{Permissions: []string{"book:*"}, Project: "p2"})
	cover := map[string]string{"Content-Type": "image/png"}
	for _, c := range []struct {
		name string
		call call
		want int
		code problem.Code
	}{
		{"public", call{method: "GET", path: "/api/v1/opening-hours"}, 200, ""},
		{"public, whatever is sent", call{method: "GET", path: "/api/v1/opening-hours", token: "x"}, 200, ""},
		{"optional, without", call{method: "GET", path: "/api/v1/books/1"}, 200, ""},
		{"optional, with", call{method: "GET", path: "/api/v1/books/1", token: nobody}, 200, ""},
		{"optional, wrong", call{method: "GET", path: "/api/v1/books/1", token: "x"}, 401, problem.CodeCredentialInvalid},
		{"signed in is enough", call{method: "PUT", path: "/api/v1/books/1/cover", token: nobody, body: "png", header: cover}, 204, ""},
		{"not signed in", call{method: "PUT", path: "/api/v1/books/1/cover", body: "png", header: cover}, 401, problem.CodeCredentialMissing},
		{"no token", call{method: "GET", path: "/api/v1/books"}, 401, problem.CodeCredentialMissing},
		{"another scheme", call{method: "GET", path: "/api/v1/books", header: map[string]string{"Authorization": "Basic eDp5"}}, 401, problem.CodeCredentialInvalid},
		{"not permitted", call{method: "GET", path: "/api/v1/books", token: nobody}, 403, problem.CodeAccessDenied},
		{"permitted", call{method: "GET", path: "/api/v1/books", token: reader}, 200, ""},
		{"permitted elsewhere: the handler decides", call{method: "PATCH", path: "/api/v1/books/1", token: narrow, body: `{}`, header: map[string]string{"Content-Type": "application/merge-patch+json", "If-Match": `"v1"`}}, 403, problem.CodeAccessDenied},
	} {
		w := f.do(c.call)
		require.Equal(t, c.want, w.Code, "%s: %s", c.name, w.Body)
		if c.code != "" {
			require.Equal(t, c.code, problemIn(t, w).Code, c.name)
		}
		if c.want == 401 {
			require.Contains(t, w.Header().Get("Www-Authenticate"), "Bearer", c.name)
		}
	}
	w := f.do(call{method: "GET", path: "/api/v1/books", token: nobody})
	require.Contains(t, problemIn(t, w).Detail, "book:read")
	w = f.do(call{method: "GET", path: "/api/v1/books/1", token: nobody})
	require.Contains(t, w.Body.String(), `"reader":"nobody"`)
	require.Equal(t, `"v7"`, w.Header().Get("ETag"))

	f.tenants.Block(t, "o1", "late")
	w = f.do(call{method: "PUT", path: "/api/v1/books/1/cover", token: f.tenants.User(t, "o1", "late"), body: "png", header: cover})
	require.Equal(t, problem.CodeCredentialExpired, problemIn(t, w).Code)
}

func TestWhatIsSentMustBeWhatTheDocumentAllows(t *testing.T) {
	t.Parallel()
	f := serve(t)
	all := f.tenants.User(t, "o1", "u1", "*")
	type fields []problem.Field
	for _, c := range []struct {
		name string
		call call
		want fields
	}{
		{"unknown query parameter", call{method: "GET", path: "/api/v1/books?limt=3"}, fields{{Pointer: "/limt", Code: "unknown"}}},
		{"limit too large", call{method: "GET", path: "/api/v1/books?limit=201"}, fields{{Pointer: "/limit", Code: "maximum"}}},
		{"limit no number", call{method: "GET", path: "/api/v1/books?limit=ten"}, fields{{Pointer: "/limit", Code: "type"}}},
		{"another order", call{method: "GET", path: "/api/v1/books?sort=size"}, fields{{Pointer: "/sort", Code: "enum"}}},
		{"too many", call{method: "GET", path: "/api/v1/books?tag=a&tag=b&tag=c&tag=d"}, fields{{Pointer: "/tag", Code: "maxItems"}}},
		{"an element too long", call{method: "GET", path: "/api/v1/books?tag=a&tag=bbbbbbbbbbb"}, fields{{Pointer: "/tag/1", Code: "maxLength"}}},
		{"path too long", call{method: "GET", path: "/api/v1/books/" + strings.Repeat("x", 37)}, fields{{Pointer: "/id", Code: "maxLength"}}},
		{"no body", call{method: "POST", path: "/api/v1/books"}, fields{{Pointer: "", Code: "required"}}},
		{"no JSON", call{method: "POST", path: "/api/v1/books", body: `{"title":`}, fields{{Pointer: "", Code: "syntax"}}},
		{"two values", call{method: "POST", path: "/api/v1/books", body: `{"title":"T"} {}`}, fields{{Pointer: "", Code: "syntax"}}},
		{"another type", call{method: "POST", path: "/api/v1/books", body: `[]`}, fields{{Pointer: "", Code: "type"}}},
		{"missing", call{method: "POST", path: "/api/v1/books", body: `{}`}, fields{{Pointer: "/title", Code: "required"}}},
		{"unknown", call{method: "POST", path: "/api/v1/books", body: `{"title":"T","page":3}`}, fields{{Pointer: "/page", Code: "unknown"}}},
		{"other case", call{method: "POST", path: "/api/v1/books", body: `{"title":"T","Pages":3}`}, fields{{Pointer: "/Pages", Code: "unknown"}}},
		{"twice", call{method: "POST", path: "/api/v1/books", body: `{"title":"T","shelf":{"row":1},"shelf":{"side":"left"}}`}, fields{{Pointer: "/shelf", Code: "duplicate"}}},
		{"null", call{method: "POST", path: "/api/v1/books", body: `{"title":null}`}, fields{{Pointer: "/title", Code: "type"}}},
		{
			"everything at once",
			call{method: "POST", path: "/api/v1/books", body: `{"title":"","pages":0,"owner":"Ada <a@example.com>","shelf":{"sid":"up"},"authors":["a",""]}`},
			fields{{Pointer: "/authors/1", Code: "minLength"}, {Pointer: "/owner", Code: "format"}, {Pointer: "/pages", Code: "minimum"}, {Pointer: "/shelf/row", Code: "required"}, {Pointer: "/shelf/sid", Code: "unknown"}, {Pointer: "/title", Code: "minLength"}},
		},
		{"NUL", call{method: "POST", path: "/api/v1/books", body: `{"title":"a\u0000b","authors":["a","\u0000"],"pages":0}`}, fields{{Pointer: "/authors/1", Code: "invalid"}, {Pointer: "/pages", Code: "minimum"}, {Pointer: "/title", Code: "invalid"}}},
		{"not UTF-8", call{method: "POST", path: "/api/v1/books", body: "{\"title\":\"a\xff\"}"}, fields{{Pointer: "", Code: "syntax"}}},
		{"NUL in the query", call{method: "GET", path: "/api/v1/books?tag=a&tag=b%00&limit=ten"}, fields{{Pointer: "/tag", Code: "invalid"}}},
		{"no UTF-8 in the query", call{method: "GET", path: "/api/v1/books?tag=%FF"}, fields{{Pointer: "/tag", Code: "invalid"}}},
		{"too deep", call{method: "POST", path: "/api/v1/books", body: strings.Repeat("[", 300)}, fields{{Pointer: strings.Repeat("/0", 200), Code: "invalid"}}},
	} {
		c.call.token = all
		w := f.do(c.call)
		require.Equal(t, 422, w.Code, "%s: %s", c.name, w.Body)
		p := problemIn(t, w)
		require.Equal(t, problem.CodeInvalidInput, p.Code, c.name)
		var got fields
		for _, e := range p.Errors {
			require.NotEmpty(t, e.Detail, c.name)
			got = append(got, problem.Field{Pointer: e.Pointer, Code: e.Code})
		}
		require.Equal(t, c.want, got, "%s: %s", c.name, w.Body)
	}
	limits := map[string]float64{}
	for _, e := range problemIn(t, f.do(call{method: "POST", path: "/api/v1/books", token: all, body: `{"title":"","pages":0,"authors":["a",""],"shelf":{}}`})).Errors {
		if e.Params != nil {
			limits[e.Pointer+" "+e.Code] = e.Params.Limit
		}
	}
	require.Equal(t, map[string]float64{"/title minLength": 1, "/pages minimum": 1, "/authors/1 minLength": 1}, limits, "the number of the rule, and nothing where there is none")

	w := f.do(call{method: "POST", path: "/api/v1/books", token: all, body: `{"title":"T","owner":"nobody"}`})
	require.Contains(t, w.Body.String(), "write an e-mail address, such as")
	w = f.do(call{method: "GET", path: "/api/v1/books?limit=ten", token: all})
	require.Contains(t, w.Body.String(), "it must be of type integer")
	w = f.do(call{method: "POST", path: "/api/v1/books", token: all, body: `{"title":"T","page":3}`})
	require.Contains(t, problemIn(t, w).Detail, `there is no field "page"`)
	require.Contains(t, problemIn(t, w).Detail, `pages`)

	w = f.do(call{method: "POST", path: "/api/v1/books", token: all, body: "title: T", header: map[string]string{"Content-Type": "application/yaml"}})
	require.Equal(t, problem.CodeUnsupportedMediaType, problemIn(t, w).Code)
	require.Contains(t, problemIn(t, w).Detail, "application/json")
	w = f.do(call{method: "POST", path: "/api/v1/books", token: all, body: `{"title":"` + strings.Repeat("x", 5000) + `"}`})
	require.Equal(t, problem.CodeBodyTooLarge, problemIn(t, w).Code)
	require.Contains(t, problemIn(t, w).Detail, "4kB")
	w = f.do(call{method: "PUT", path: "/api/v1/books/1/cover", token: all, body: strings.Repeat("x", 10_001), header: map[string]string{"Content-Type": "image/png"}})
	require.Equal(t, problem.CodeBodyTooLarge, problemIn(t, w).Code)
	w = f.do(call{method: "GET", path: "/api/v1/books?a=%zz", token: all})
	require.Equal(t, problem.CodeBadRequest, problemIn(t, w).Code)
	for _, path := range []string{"/api/v1/books/a%00b", "/api/v1/books/a%FFb", "/no/such%00thing"} {
		w = f.do(call{method: "GET", path: path, token: all})
		require.Equal(t, problem.CodeBadPath, problemIn(t, w).Code, path)
	}
	patch := map[string]string{"Content-Type": "application/merge-patch+json"}
	w = f.do(call{method: "PATCH", path: "/api/v1/books/1", token: all, body: `{}`, header: patch})
	require.Equal(t, 428, w.Code, w.Body)
	patch["If-Match"] = "7"
	w = f.do(call{method: "PATCH", path: "/api/v1/books/1", token: all, body: `{}`, header: patch})
	require.Equal(t, 400, w.Code, w.Body)
}

// A body whose length nobody told is bounded all the same.
func TestABodyWithoutLengthIsBounded(t *testing.T) {
	t.Parallel()
	f := serve(t)
	r := httptest.NewRequest("POST", "/api/v1/books", io.MultiReader(strings.NewReader(`{"title":"`), strings.NewReader(strings.Repeat("x", 9000))))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+f.tenants.User(t, "o1", "u1", "*"))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	require.Equal(t, problem.CodeBodyTooLarge, problemIn(t, w).Code)
}

func TestWhatIsRightArrives(t *testing.T) {
	t.Parallel()
	f := serve(t)
	all := f.tenants.User(t, "o1", "u1", "*")
	w := f.do(call{method: "GET", path: "/api/v1/books?limit=10&cursor=abc&sort=-createdAt&tag=a", token: all})
	require.Equal(t, 200, w.Code, w.Body)
	require.Equal(t, db.PageRequest{Cursor: "abc", Limit: 10, Sort: "created_at", Descending: true}, f.shelf.page)
	require.Equal(t, "user:u1", bus.MetadataOf(f.shelf.seen).Actor)

	w = f.do(call{method: "POST", path: "/api/v1/books", token: all, body: `{"title":"T","pages":3,"owner":"a@example.com","shelf":{"row":1,"side":"left"}}`})
	require.Equal(t, 201, w.Code, w.Body)
	require.Equal(t, `"v1"`, w.Header().Get("ETag"))
	w = f.do(call{method: "PATCH", path: "/api/v1/books/1", token: all, body: `{"title":"After","pages":null}`, header: map[string]string{"Content-Type": "application/merge-patch+json", "If-Match": `"v3"`}})
	require.Equal(t, 200, w.Code, w.Body)
	require.JSONEq(t, `{"id":"1","version":3,"title":"After"}`, w.Body.String())
	w = f.do(call{method: "PUT", path: "/api/v1/books/1/cover", token: all, body: "png", header: map[string]string{"Content-Type": "image/png"}})
	require.Equal(t, 204, w.Code, w.Body)
	require.Equal(t, "png", string(f.shelf.body))

	for path, id := range map[string]string{"a%2Fb": "a/b", "a%2520b": "a%20b", "%E2%82%AC": "€", "a+b": "a+b", "a%3Ab": "a:b"} {
		w = f.do(call{method: "GET", path: "/api/v1/books/" + path})
		require.Equal(t, 200, w.Code, w.Body)
		require.Contains(t, w.Body.String(), `"id":"`+id+`"`, path)
	}
}

func TestEveryErrorIsAProblem(t *testing.T) {
	t.Parallel()
	f := serve(t)
	for _, c := range []struct {
		path string
		want problem.Code
	}{
		{"/api/v1/books/gone", problem.CodeNotFound},
		{"/api/v1/books/twice", problem.CodeConflict},
		{"/api/v1/books/used", problem.CodeConflict},
		{"/api/v1/books/taken", problem.CodeConflict},
		{"/api/v1/books/slow", problem.CodeDependencyDown},
		{"/api/v1/books/unread", problem.CodeDependencyDown},
		{"/api/v1/books/unasked", problem.CodeDependencyDown},
		{"/api/v1/books/broken", problem.CodeInternal},
		{"/api/v1/books/panic", problem.CodeInternal},
		{"/api/v1/nothing", problem.CodeNotFound},
		{"/nothing", problem.CodeNotFound},
		{"/api/v2/books", problem.CodeNotFound},
	} {
		w := f.do(call{method: "GET", path: c.path})
		p := problemIn(t, w)
		require.Equal(t, c.want, p.Code, c.path)
		require.NotContains(t, w.Body.String(), "hunter2")
		require.Empty(t, w.Header().Get("ETag"))
		if c.want == problem.CodeDependencyDown {
			require.Equal(t, 503, p.Status)
			require.Equal(t, "2", w.Header().Get("Retry-After"), c.path)
		}
		if c.want == problem.CodeInternal {
			require.Contains(t, f.log.String(), p.Instance, "the log has the id that the client was given")
		}
	}
	require.Equal(t, "1", f.do(call{method: "GET", path: "/api/v1/books/taken"}).Header().Get("Retry-After"))
	require.Contains(t, f.log.String(), "hunter2", "the cause is in the log")
	w := f.do(call{method: "DELETE", path: "/api/v1/opening-hours"})
	require.Equal(t, problem.CodeMethodNotAllowed, problemIn(t, w).Code)
	require.Contains(t, w.Header().Get("Allow"), "GET")
}

func TestAnErrorAfterTheAnswerBeganBreaksItOff(t *testing.T) {
	t.Parallel()
	f := serve(t)
	f.Echo().GET("/half", func(c echoContext) error {
		_, _ = c.Response().Write([]byte("half"))
		return errors.New("and no more")
	})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { f.do(call{method: "GET", path: "/half"}) })
	f.Echo().GET("/abort", func(echoContext) error { panic(http.ErrAbortHandler) })
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { f.do(call{method: "GET", path: "/abort"}) })
}

func TestTheSecretOfALinkIsNotLogged(t *testing.T) {
	t.Parallel()
	f := serve(t)
	f.do(call{method: "GET", path: "/api/v1/links/by-token/swordfish/accept"})
	f.do(call{method: "GET", path: "/api/v1/links/by-token/swordfish"})
	require.Contains(t, f.log.String(), "path=/api/v1/links/by-token/…/accept")
	require.NotContains(t, f.log.String(), "swordfish")
}

func TestRequestsAreTold(t *testing.T) {
	t.Parallel()
	f := serve(t)
	token := f.tenants.User(t, "o1", "u1", "*")
	w := f.do(call{method: "GET", path: "/api/v1/books?cursor=hunter2", token: token, header: map[string]string{"X-Request-Id": "mine"}})
	id := w.Header().Get("X-Request-Id")
	require.NotEqual(t, "mine", id, "strangers do not choose ids")
	require.Equal(t, id, httpx.RequestID(f.shelf.seen))
	require.Equal(t, "192.0.2.1", httpx.Address(f.shelf.seen))
	require.Len(t, bus.MetadataOf(f.shelf.seen).TraceParent, 55, "a trace begins here")
	require.Contains(t, f.log.String(), "route=/api/v1/books status=200")
	require.Contains(t, f.log.String(), "actor=user:u1")
	require.NotContains(t, f.log.String(), "hunter2")
	require.NotContains(t, f.log.String(), token)
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))

	parent := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	w = f.do(call{method: "GET", path: "/api/v1/opening-hours", bus: true, header: map[string]string{"X-Request-Id": "bff-1", "Traceparent": parent, "Tracestate": "a=b"}})
	require.Equal(t, "bff-1", w.Header().Get("X-Request-Id"))
	require.Equal(t, bus.Metadata{TraceParent: parent, TraceState: "a=b"}, bus.MetadataOf(f.shelf.seen))
	w = f.do(call{method: "GET", path: "/api/v1/opening-hours", bus: true, header: map[string]string{"X-Request-Id": "a b", "Traceparent": "00-x"}})
	require.NotEqual(t, "a b", w.Header().Get("X-Request-Id"))
	require.NotEqual(t, "00-x", bus.MetadataOf(f.shelf.seen).TraceParent)

	f.do(call{method: "GET", path: "/wp-admin/1"})
	f.do(call{method: "BREW", path: "/wp-admin/2"})
	require.NoError(t, testutil.GatherAndCompare(f.metrics, strings.NewReader(`
# HELP gatehouse_http_requests_total Requests to the service's API, by the template of their path.
# TYPE gatehouse_http_requests_total counter
gatehouse_http_requests_total{method="GET",route="/api/v1/books",service="shelf",status="2xx"} 1
gatehouse_http_requests_total{method="GET",route="/api/v1/opening-hours",service="shelf",status="2xx"} 2
gatehouse_http_requests_total{method="GET",route="unmatched",service="shelf",status="4xx"} 1
gatehouse_http_requests_total{method="other",route="unmatched",service="shelf",status="4xx"} 1
`), "gatehouse_http_requests_total"))
	f.Close()
	require.NoError(t, testutil.GatherAndCompare(f.metrics, strings.NewReader("")))
}

func TestTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	f := serve(t)
	for _, path := range []string{"/openapi.yaml", "/api/v1/openapi.yaml"} {
		w := f.do(call{method: "GET", path: path})
		require.Equal(t, 200, w.Code)
		require.Equal(t, "application/yaml", w.Header().Get("Content-Type"))
		require.Equal(t, example.Document, w.Body.Bytes())
	}
}

func TestEventsAreSentAtOnce(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	e, err := httpx.NewEvents(w)
	require.NoError(t, err)
	require.True(t, w.Flushed)
	require.NoError(t, e.Send("api-changed", "7\nevent: evil", map[string]string{"a": "line\nline"}))
	require.NoError(t, e.Ping())
	require.Equal(t, "id: 7 event: evil\nevent: api-changed\ndata: {\"a\":\"line\\nline\"}\n\n:\n\n", w.Body.String())
	require.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
}
